"""Probes of a container, and what counts as passing one."""

import asyncio
import ssl
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Self

import aiohttp

from golive_dev.node.api_client import Json

EAGER_SECONDS = 0.25
"""Until it is ready for the first time, a container is asked at least this often, which Kubernetes allows."""

Exec = Callable[[list[str], float], Awaitable[int]]
"""Runs a command in the container for at most so many seconds; gives its exit status."""


@dataclass(frozen=True)
class Probe:
    """One probe with its timing."""

    spec: Json
    """What to ask: `httpGet`, `tcpSocket` or `exec`."""

    initial_delay_seconds: float = 0.0
    """Quiet time after the start."""

    period_seconds: float = 10.0
    """Time between two questions."""

    timeout_seconds: float = 1.0
    """Longest wait for an answer."""

    success_threshold: int = 1
    """Answers in a row that turn it to passing."""

    failure_threshold: int = 3
    """Failures in a row that turn it to failing."""

    grace_seconds: int | None = None
    """Grace of a container that is stopped by this probe, if not the pod's."""

    @classmethod
    def of(cls, spec: Json | None) -> Self | None:
        """The probe a container's spec describes."""
        if spec is None:
            return None
        return cls(
            spec=spec,
            initial_delay_seconds=spec.get("initialDelaySeconds", 0),
            period_seconds=spec.get("periodSeconds") or 10,
            timeout_seconds=spec.get("timeoutSeconds") or 1,
            success_threshold=spec.get("successThreshold") or 1,
            failure_threshold=spec.get("failureThreshold") or 3,
            grace_seconds=spec.get("terminationGracePeriodSeconds"),
        )


@dataclass
class Tally:
    """Answers in a row, and the verdict they have led to."""

    probe: Probe
    """Whose thresholds count."""

    passing: bool | None = None
    """The verdict; None until a threshold was reached once."""

    _row: int = 0
    _row_passed: bool = True

    def count(self, *, passed: bool) -> bool:
        """Take one answer in; tell whether the verdict changed."""
        self._row = self._row + 1 if passed == self._row_passed else 1
        self._row_passed = passed
        needed = self.probe.success_threshold if passed else self.probe.failure_threshold
        if self._row < needed or self.passing is passed:
            return False
        self.passing = passed
        return True


@dataclass(frozen=True)
class Target:
    """Where a container's probes go."""

    address: str
    """The pod's."""

    ports: dict[str, int]
    """The container's named ports."""

    session: aiohttp.ClientSession
    """For HTTP; it follows no certificate, as the kubelet doesn't."""

    execute: Exec
    """For commands in the container."""

    def port(self, stated: str | int) -> int:
        """A port by number or name.

        Raises:
            ValueError: No such name.
        """
        text = str(stated)
        if text.isdigit():
            return int(text)
        if text not in self.ports:
            raise ValueError(f"couldn't find port: {text}")
        return self.ports[text]


async def ask(probe: Probe, target: Target) -> str | None:
    """Ask once; None means it passed, otherwise what was wrong."""
    limit = probe.timeout_seconds
    try:
        async with asyncio.timeout(limit):
            return await _ask(probe.spec, target, limit)
    except TimeoutError:
        return f"no answer within {limit} s"
    except (aiohttp.ClientError, OSError, ValueError) as error:
        return str(error) or repr(error)


async def _ask(spec: Json, target: Target, limit: float) -> str | None:
    """Ask by whichever way the probe names."""
    if "httpGet" in spec:
        return await _http_get(spec["httpGet"], target)
    if "tcpSocket" in spec:
        where = spec["tcpSocket"]
        _, writer = await asyncio.open_connection(
            where.get("host") or target.address, target.port(where["port"])
        )
        writer.close()
        return None
    if "exec" in spec:
        status = await target.execute(spec["exec"]["command"], limit)
        return None if status == 0 else f"command exited with {status}"
    return "this kind of probe is not known to the process node"


async def _http_get(spec: Json, target: Target) -> str | None:
    """One GET; statuses 200 to 399 pass."""
    host = spec.get("host") or target.address
    scheme = spec.get("scheme", "HTTP").lower()
    path = spec.get("path") or "/"
    url = f"{scheme}://{host}:{target.port(spec['port'])}/{path.lstrip('/')}"
    headers = {header["name"]: header["value"] for header in spec.get("httpHeaders", ())}
    async with target.session.get(url, headers={"User-Agent": "kube-probe/1.37", **headers}) as response:
        if 200 <= response.status < 400:  # noqa: PLR2004  # what the kubelet takes for healthy
            return None
        return f"HTTP probe failed with statuscode: {response.status}"


def open_probe_session() -> aiohttp.ClientSession:
    """A session for probes: a fresh connection each time, any certificate."""
    tls = ssl.create_default_context()
    tls.check_hostname = False
    tls.verify_mode = ssl.CERT_NONE
    return aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=tls, force_close=True, limit=0))


async def keep_asking(
    probe: Probe,
    target: Target,
    heard: Callable[[bool, str], None],
    *,
    running_since: float,
    eager: bool = False,
) -> None:
    """Ask for ever; tell `heard` each time the verdict changes.

    The initial delay counts from `running_since` on the monotonic clock. An `eager` one asks more often
    than its period until it passes for the first time.
    """
    tally = Tally(probe)
    await asyncio.sleep(max(0.0, running_since + probe.initial_delay_seconds - time.monotonic()))
    while True:
        complaint = await ask(probe, target)
        if tally.count(passed=complaint is None):
            heard(complaint is None, complaint or "")
        hurry = eager and tally.passing is not True
        await asyncio.sleep(min(EAGER_SECONDS, probe.period_seconds) if hurry else probe.period_seconds)
