"""Whether the engine has acknowledged a close, judged from its Lease alone."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

STATE = "golive.dev/state"
"""Annotation: the gate state that the engine obeys."""

REASON = "golive.dev/reason"
"""Annotation: the engine's reason for it."""

SINCE = "golive.dev/acknowledgedTime"
"""Annotation: when the engine began to obey it, by its own clock."""


@dataclass(slots=True)
class Obedience:
    """What has been learnt of the engine since the shots were fired."""

    sent: datetime
    """When the first shot left, by this machine's clock."""
    gate_was_open: bool = True
    """Whether there may have been anything to close; assumed until it is known that there was not."""
    lease: dict[str, Any] | None = None
    """The Lease as last seen, empty if there is none, None before the first look."""
    seen_at: float | None = None
    """Monotonic time at which the present state was first seen."""
    changed: bool = False
    """Whether the engine has written its Lease under our eyes."""

    def look(self, lease: dict[str, Any], at: float) -> None:
        """Take in the Lease as it is now."""
        before, self.lease = self.lease, lease
        if before is None or _stated(before) != _stated(lease):
            self.seen_at = at
        self.changed |= before is not None and _version(before) != _version(lease)

    @property
    def nobody(self) -> bool:
        """No pod holds the Lease, so no pod trades."""
        return self.lease is not None and not self.pod

    @property
    def pod(self) -> str:
        """The trading pod, empty if there is none."""
        return str((self.lease or {}).get("spec", {}).get("holderIdentity") or "")

    @property
    def reason(self) -> str:
        """The engine's own reason."""
        return self._annotations.get(REASON, "")

    @property
    def since(self) -> datetime | None:
        """When the engine began to obey, by its own clock; None if it does not say so readably."""
        try:
            return datetime.fromisoformat(self._annotations.get(SINCE, ""))
        except ValueError:
            return None

    @property
    def obeys(self) -> bool:
        """The engine says Closed, and said so with this close behind it or with nothing to close.

        A Closed from before does not count while the gate stood open: the engine may not yet have
        written that it saw it open.
        """
        if self._annotations.get(STATE) != "Closed" or self.since is None or not self.pod:
            return False
        return self.changed or not self.gate_was_open or self.since >= self.sent

    @property
    def _annotations(self) -> dict[str, str]:
        return (self.lease or {}).get("metadata", {}).get("annotations") or {}


def _stated(lease: dict[str, Any]) -> tuple[str | None, str | None]:
    annotations = lease.get("metadata", {}).get("annotations") or {}
    return annotations.get(STATE), annotations.get(SINCE)


def _version(lease: dict[str, Any]) -> str | None:
    version: str | None = lease.get("metadata", {}).get("resourceVersion")
    return version
