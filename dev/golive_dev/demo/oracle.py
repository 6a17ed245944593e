"""An independent witness: samples the gate, and judges by its own rule whether an order was allowed to pass."""

import json
import ssl
import threading
import time
import urllib.error
import urllib.request
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from golive_dev.control_plane import ControlPlane

SAMPLE_SECONDS = 0.02
"""Time between two looks at the gate."""


@dataclass(frozen=True, slots=True)
class Sample:
    """The gate at one moment."""

    moment: datetime
    """When it was looked at."""
    state: str
    """data.state, empty when there is no gate."""
    epoch: int
    serial: int
    valid_until: datetime | None


class Oracle(threading.Thread):
    """Looks at one gate until it is told to stop; only changes are kept."""

    def __init__(self, control_plane: ControlPlane, namespace: str, name: str) -> None:
        super().__init__(name="oracle", daemon=True)
        self._url = f"{control_plane.url}/api/v1/namespaces/{namespace}/configmaps/golive-gate-{name}"
        self._context = ssl.create_default_context(cafile=str(control_plane.ca_file))
        certificate, key = control_plane.authority.issue("oracle", "oracle", ["system:masters"])
        self._context.load_cert_chain(certificate, key)
        self._ended = threading.Event()
        self.samples: list[Sample] = []

    def run(self) -> None:
        """Sample until stopped."""
        while not self._ended.wait(SAMPLE_SECONDS):
            sample = self._look()
            last = self.samples[-1] if self.samples else None
            if last is None or (sample.state, sample.serial) != (last.state, last.serial):
                self.samples.append(sample)

    def stop(self) -> None:
        """End the thread."""
        self._ended.set()
        self.join()

    def _look(self) -> Sample:
        data: dict[str, Any] = {}
        try:
            with urllib.request.urlopen(self._url, context=self._context, timeout=3) as answer:  # noqa: S310  # loopback, ours
                data = json.load(answer).get("data") or {}
        except (urllib.error.URLError, OSError):
            data = {}
        until = data.get("validUntil")
        return Sample(
            moment=datetime.now(UTC),
            state=data.get("state", ""),
            epoch=int(data.get("epoch", 0)),
            serial=int(data.get("serial", 0)),
            valid_until=datetime.fromisoformat(until) if until else None,
        )

    def allows(self, moment: datetime, tolerance_seconds: float) -> bool:
        """Whether the gate was open at that moment, give or take a delivery's time."""
        allowed = False
        for sample in self.samples:
            if (sample.moment - moment).total_seconds() > tolerance_seconds:
                break
            opened = sample.state == "Open" and sample.valid_until is not None
            if (
                opened
                and sample.valid_until
                and (moment - sample.valid_until).total_seconds() <= tolerance_seconds
            ):
                allowed = True
            elif (moment - sample.moment).total_seconds() > tolerance_seconds:
                allowed = False
        return allowed

    def longest_claim_seconds(self) -> float:
        """Longest validity that any sample promised from when it was seen: never more than the TTL."""
        claims = [
            (s.valid_until - s.moment).total_seconds()
            for s in self.samples
            if s.state == "Open" and s.valid_until
        ]
        return max(claims, default=0.0)

    def wait_until_stale(self) -> float:
        """Wait until the present gate has expired; returns how many seconds that took."""
        began = time.monotonic()
        until = self.samples[-1].valid_until
        while until and datetime.now(UTC) < until:
            time.sleep(SAMPLE_SECONDS)
        return time.monotonic() - began
