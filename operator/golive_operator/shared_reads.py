"""Lists that many looks rest on: read live, once for all looks that may rest on the same moment."""

import asyncio
import time
from dataclasses import dataclass
from datetime import UTC, datetime

from golive_operator.cluster import Cluster, Object

SHARED_SECONDS = 1.0
"""How old a list may be that a look begins with, where nothing has been heard since."""

KEPT_SECONDS = 2.0
"""Older lists are dropped: with many objects they are most of what this process holds."""

Listing = asyncio.Task[list[Object]]


@dataclass(frozen=True, slots=True)
class Moment:
    """Just before something was read, by both clocks."""

    monotonic: float
    time: datetime

    @classmethod
    def now(cls) -> "Moment":
        """This moment."""
        return cls(time.monotonic(), datetime.now(UTC))


@dataclass(frozen=True, slots=True)
class Listed:
    """What a list showed, and when it was begun: leases on gates count from there."""

    began: Moment
    items: list[Object]


class SharedReads:
    """Reads lists, each at most once at a time for whoever it is young enough for."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self._under_way: dict[str, tuple[Moment, Listing]] = {}

    async def list(self, path: str, not_before: float) -> Listed:
        """A list that was begun at that monotonic moment or later. Raises ClusterError."""
        began, task = self.begin(path, not_before)
        return Listed(began, await asyncio.shield(task))

    def begin(self, path: str, not_before: float) -> tuple[Moment, Listing]:
        """Have it on its way for whoever asks for it next."""
        began, task = self._under_way.get(path, (None, None))
        if began is None or task is None or began.monotonic < not_before or _failed(task):
            self._drop_old()
            began, task = Moment.now(), asyncio.create_task(self._cluster.list(path))
            task.add_done_callback(_failed)  # perhaps nobody asks: then nobody misses it
            self._under_way[path] = began, task
        return began, task

    def _drop_old(self) -> None:
        oldest = time.monotonic() - KEPT_SECONDS
        for path, (began, task) in list(self._under_way.items()):
            if began.monotonic < oldest and task.done():
                del self._under_way[path]


def _failed(task: Listing) -> bool:
    return task.done() and (task.cancelled() or task.exception() is not None)
