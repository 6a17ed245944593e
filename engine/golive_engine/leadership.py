"""The engine's Lease: its holder is the one pod that trades, and its annotations say which gate it obeys."""

import asyncio
import logging
from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Any

from golive_api.values import render_time
from golive_engine.clock import Clock, moment
from golive_engine.cluster import Cluster, ClusterError

DURATION_SECONDS = 15.0
"""A Lease that has not changed for this long is free."""

DEADLINE_SECONDS = 10.0
"""The holder stops this long after it last began a renewal that succeeded: well before others may start."""

RETRY_SECONDS = 2.0
"""Time between two renewals, or two looks at another's Lease."""


CONFLICT_SECONDS = 0.05
"""Pause before a Lease is read again that changed between reading and writing."""

_log = logging.getLogger(__name__)


class Leadership:
    """Takes the Lease when it is free, keeps it, gives it back.

    Time is counted on the monotonic clock, from before a renewal is sent, so that a slow answer never
    makes the holder believe in a longer term than the API server granted.

    Args:
        cluster: Where the Lease is.
        name: Name of the Lease.
        holder: This pod's name.
        clock: Both clocks.
        annotations: What to write on the Lease at each renewal.
        on_change: Told True when the Lease was taken and False when it was lost.
    """

    def __init__(
        self,
        cluster: Cluster,
        name: str,
        holder: str,
        clock: Clock,
        annotations: Callable[[], Mapping[str, str]],
        on_change: Callable[[bool], None],
    ) -> None:
        self._cluster = cluster
        self._name = name
        self._holder = holder
        self._clock = clock
        self._annotations = annotations
        self._on_change = on_change
        self._until = float("-inf")
        self._held = False
        self.stands_by = False
        """Whether another pod was seen to hold the Lease."""
        self._seen = ("", 0.0)
        self._wake = asyncio.Event()

    @property
    def holds(self) -> bool:
        """Whether this pod may trade at this very moment."""
        return self._clock.monotonic() < self._until

    def acknowledge(self) -> None:
        """Write the annotations now instead of at the next renewal."""
        self._wake.set()

    async def run(self) -> None:
        """Take, keep and retake the Lease for ever."""
        while True:
            self._wake.clear()
            try:
                await self._attempt()
            except ClusterError as error:
                _log.warning("lease not renewed: %s", error, extra={"status": error.status})
                if error.status == HTTPStatus.CONFLICT:
                    await asyncio.sleep(CONFLICT_SECONDS)
                    continue
            self._tell()
            await self._pause()

    async def release(self, annotations: Mapping[str, str]) -> None:
        """Give the Lease back with a last word, so that a standby need not wait for it to run out."""
        if not self.holds:
            return
        self._until = float("-inf")
        last_word = {"metadata": {"annotations": dict(annotations)}, "spec": {"holderIdentity": ""}}
        try:
            await self._cluster.patch_lease(self._name, last_word)
        except ClusterError as error:
            _log.warning("lease not released: %s", error)

    async def _pause(self) -> None:
        """Wait for the next renewal, an acknowledgement, or the end of the term."""
        pause = RETRY_SECONDS
        if self._held:
            pause = min(pause, max(0.0, self._until - self._clock.monotonic()))
        try:
            await asyncio.wait_for(self._wake.wait(), pause)
        except TimeoutError:
            self._tell()

    async def _attempt(self) -> None:
        """Look at the Lease, and take or renew it if that is allowed."""
        began = self._clock.monotonic()
        lease = await self._cluster.read_lease(self._name)
        if lease is None:
            lease = await self._cluster.create_lease(
                {"metadata": {"name": self._name}, "spec": {"leaseDurationSeconds": int(DURATION_SECONDS)}}
            )
        self.stands_by = not self._may_take(lease, began)
        if self.stands_by:
            self._until = float("-inf")
            return
        await self._cluster.patch_lease(self._name, self._renewal(lease))
        self._until = began + DEADLINE_SECONDS

    def _may_take(self, lease: Mapping[str, Any], now: float) -> bool:
        """Whether the Lease is ours or free, or has not changed for its whole duration by our own clock."""
        version = str(lease["metadata"]["resourceVersion"])
        if version != self._seen[0]:
            self._seen = (version, now)
        spec = lease.get("spec") or {}
        holder = spec.get("holderIdentity") or ""
        if holder in ("", self._holder):
            return True
        return now - self._seen[1] >= float(spec.get("leaseDurationSeconds") or DURATION_SECONDS)

    def _renewal(self, lease: Mapping[str, Any]) -> dict[str, Any]:
        """The patch that takes or renews this version of the Lease, and no other."""
        now = render_time(moment(self._clock.wall()))
        old = lease.get("spec") or {}
        spec = {"holderIdentity": self._holder, "renewTime": now, "leaseDurationSeconds": int(DURATION_SECONDS)}
        if old.get("holderIdentity") != self._holder:
            spec |= {"acquireTime": now, "leaseTransitions": int(old.get("leaseTransitions") or 0) + 1}
        return {
            "metadata": {
                "resourceVersion": lease["metadata"]["resourceVersion"],
                "annotations": dict(self._annotations()),
            },
            "spec": spec,
        }

    def _tell(self) -> None:
        """Report a change of hands."""
        if self.holds != self._held:
            self._held = self.holds
            self._on_change(self._held)
