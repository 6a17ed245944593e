"""One leader: a Lease held by compare-and-swap, timed by the monotonic clock, counted in epochs."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any

from golive_api.values import render_time
from golive_operator import paths
from golive_operator.cluster import Cluster, ClusterError, MissingError, Object

DURATION_SECONDS = 10.0
"""Others wait this long after the last renewal that they saw."""

DEADLINE_SECONDS = 7.0
"""The leader gives up this long after its last success: before anybody else may take over."""

RETRY_SECONDS = 1.0
"""Pause between attempts."""


PRECEDENCE_SECONDS = 2 * RETRY_SECONDS
"""A process that died leading lets the other replica go first when it is back."""


class Leadership:
    """Waits for the Lease, then keeps it. The epoch grows with every leader."""

    def __init__(
        self, cluster: Cluster, namespace: str, name: str, holder: str, floor: Callable[[], Awaitable[int]]
    ) -> None:
        self._cluster, self._holder, self._floor = cluster, holder, floor
        self._name = name
        self._collection = paths.lease(namespace)
        self._path = paths.lease(namespace, name)
        self._seen: tuple[str, float] = ("", 0.0)
        self._until = 0.0
        self.epoch: int | None = None
        """This leader's generation; None while somebody else leads."""
        self.attempted = time.monotonic()
        """When the API server last answered an attempt, by the monotonic clock."""

    @property
    def holds(self) -> bool:
        """Whether this process leads at this very moment: nobody else may yet."""
        return self.epoch is not None and time.monotonic() < self._until

    async def acquire(self) -> int:
        """Wait until this process leads; returns its epoch."""
        while not await self._try():  # noqa: ASYNC110  # another machine holds the Lease: nothing here could wake us
            await asyncio.sleep(RETRY_SECONDS)
        if self.epoch is None:
            raise RuntimeError("leading without an epoch")
        return self.epoch

    async def keep(self) -> None:
        """Renew until that fails for DEADLINE_SECONDS; returning means that leadership is lost."""
        while time.monotonic() < self._until:
            left = self._until - time.monotonic()
            try:
                async with asyncio.timeout(left):
                    if not await self._try() and self._taken():
                        return
            except TimeoutError:
                return
            await asyncio.sleep(max(0.0, min(RETRY_SECONDS, self._until - time.monotonic())))

    async def release(self) -> None:
        """Hand over at once; best effort."""
        if self.epoch is None:
            return
        try:
            lease = await self._cluster.get(self._path)
            if lease["spec"].get("holderIdentity") == self._holder:
                await self._write(lease, {"holderIdentity": "", "leaseDurationSeconds": 1})
        except ClusterError:
            return  # it lapses by itself

    def _taken(self) -> bool:
        return self.epoch is None

    async def _try(self) -> bool:
        try:
            held = await self._attempt()
        except ClusterError:
            return False
        self.attempted = time.monotonic()
        return held

    async def _attempt(self) -> bool:
        """One look and, where allowed, one write. The deadline counts from before the look."""
        started = time.monotonic()
        lease = await self._read()
        spec, version = lease["spec"], lease["metadata"]["resourceVersion"]
        if version != self._seen[0]:
            self._seen = (version, started)
        mine = self.epoch is not None and spec.get("holderIdentity") == self._holder
        patience = float(spec.get("leaseDurationSeconds") or DURATION_SECONDS)
        if spec.get("holderIdentity") == self._holder:
            patience += PRECEDENCE_SECONDS
        lapsed = started - self._seen[1] >= patience
        if not mine:
            # Who led under an epoch must not go on under another: what it decides carries the old one.
            led, self.epoch = self.epoch is not None, None
            if led or (spec.get("holderIdentity") and not lapsed):
                return False
        change: dict[str, Any] = {"holderIdentity": self._holder, "leaseDurationSeconds": int(DURATION_SECONDS)}
        if not mine:
            epoch = max(int(spec.get("leaseTransitions") or 0), await self._floor()) + 1
            change |= {"acquireTime": render_time(datetime.now(UTC)), "leaseTransitions": epoch}
        written = await self._write(lease, change)
        self.epoch = int(written["spec"]["leaseTransitions"])
        self._until = started + DEADLINE_SECONDS
        return True

    async def _read(self) -> Object:
        try:
            return await self._cluster.get(self._path)
        except MissingError:
            body = {
                "apiVersion": "coordination.k8s.io/v1",
                "kind": "Lease",
                "metadata": {"name": self._name},
                "spec": {"leaseTransitions": 0},
            }
            return await self._cluster.create(self._collection, body)

    async def _write(self, lease: Object, change: dict[str, Any]) -> Object:
        body = {
            "metadata": {"resourceVersion": lease["metadata"]["resourceVersion"]},
            "spec": {**change, "renewTime": render_time(datetime.now(UTC))},
        }
        return await self._cluster.patch(self._path, body)
