"""One worker per GoLive: any number of wake-ups become one look at what is."""

import asyncio
import logging
import time
from collections.abc import Iterable
from datetime import UTC, datetime

from golive_decisions.deciding import decide
from golive_operator import paths
from golive_operator.carrying_out import CarryingOut
from golive_operator.cluster import Cluster, ClusterError, ConflictError, MissingError, UnavailableError
from golive_operator.gathering import Gatherer
from golive_operator.metrics import Metrics

log = logging.getLogger(__name__)

SPACING_SECONDS = 0.02
"""Shortest time between two looks at one object: a storm of events is no reason to spin."""

RETRY_SECONDS = 0.5
"""Pause after a look that failed."""

Key = tuple[str, str]
"""Namespace and name of a GoLive."""


class Reconciler:
    """Gather, decide, carry out."""

    def __init__(
        self, gatherer: Gatherer, carrying_out: CarryingOut, metrics: Metrics, epoch: int, resync_seconds: float
    ) -> None:
        self._gatherer, self._carrying_out, self._metrics = gatherer, carrying_out, metrics
        self._epoch, self._resync_seconds = epoch, resync_seconds

    async def reconcile(self, key: Key) -> float:
        """One look; returns how many seconds to wait for the next unless something happens."""
        with self._metrics.duration.time():
            golive, gate, facts = await self._gatherer.gather(*key, self._epoch)
            plan = decide(facts, self._resync_seconds)
            await self._carrying_out.carry_out(golive, gate, plan)
        self._metrics.decided(*key, plan, datetime.now(UTC))
        for event in plan.events:
            log.info(
                event.message,
                extra={"namespace": key[0], "golive": key[1], "reason": event.reason, "epoch": self._epoch},
            )
        return plan.look_again_seconds


class Workers:
    """Starts a worker when an object is first heard of, and ends it when the object is gone."""

    def __init__(self, reconciler: Reconciler, metrics: Metrics) -> None:
        self._reconciler, self._metrics = reconciler, metrics
        self._wakeups: dict[Key, asyncio.Event] = {}
        self._tasks: dict[Key, asyncio.Task[None]] = {}
        self._finished: dict[Key, float] = {}

    def wake(self, namespace: str, name: str) -> None:
        """Look at this object soon."""
        key = (namespace, name)
        if key not in self._tasks:
            self._wakeups[key] = asyncio.Event()
            self._finished[key] = time.monotonic()
            self._tasks[key] = asyncio.create_task(self._work(key), name=f"worker {namespace}/{name}")
        self._wakeups[key].set()

    def wake_known(self, namespace: str, name: str) -> None:
        """Look at this object soon, if there is one: a gate's label may name anything."""
        if (namespace, name) in self._tasks:
            self._wakeups[namespace, name].set()

    def wake_namespace(self, namespace: str) -> None:
        """Look at every object of a namespace soon: something there has changed."""
        self._wake(key for key in self._tasks if key[0] == namespace)

    def wake_all(self) -> None:
        """Look at every object soon."""
        self._wake(self._tasks)

    def _wake(self, keys: Iterable[Key]) -> None:
        for key in keys:
            self._wakeups[key].set()

    async def stop(self) -> None:
        """End every worker: nothing is written after this."""
        for task in self._tasks.values():
            task.cancel()
        await asyncio.gather(*self._tasks.values(), return_exceptions=True)

    @property
    def oldest_look(self) -> float:
        """Monotonic time of the look that lies furthest back; now when there is no object."""
        return min(self._finished.values(), default=time.monotonic())

    async def _work(self, key: Key) -> None:
        wait_seconds = 0.0
        while True:
            try:
                async with asyncio.timeout(wait_seconds):
                    await self._wakeups[key].wait()
            except TimeoutError:
                pass  # the resync, or the renewal, is due
            self._wakeups[key].clear()
            try:
                wait_seconds = await self._reconciler.reconcile(key)
            except MissingError:
                self._end(key)
                return
            except ConflictError as error:
                self._metrics.conflicts.inc()
                log.info("read again", extra={"golive": key[1], "namespace": key[0], "error": str(error)})
                wait_seconds = 0.0
            except UnavailableError as error:
                self._failed(key, error)
                wait_seconds = RETRY_SECONDS
                continue
            except Exception as error:  # noqa: BLE001  # a defect must not end the worker
                # A refusal or a defect counts as a look: else one such object would have the process restarted,
                # again and again, and so shut the gates of all others.
                self._failed(key, error)
                wait_seconds = RETRY_SECONDS
            self._finished[key] = time.monotonic()
            await asyncio.sleep(SPACING_SECONDS)

    def _failed(self, key: Key, error: Exception) -> None:
        self._metrics.errors.labels(type(error).__name__).inc()
        expected = isinstance(error, ClusterError)
        log.warning(
            "look failed, the gate is not renewed",
            extra={"namespace": key[0], "golive": key[1], "error": f"{type(error).__name__}: {error}"[:500]},
            exc_info=None if expected else error,
        )

    def _end(self, key: Key) -> None:
        """The object is gone, and its gate with it."""
        self._wakeups.pop(key, None)
        self._tasks.pop(key, None)
        self._finished.pop(key, None)
        self._metrics.forget(*key)
        log.info("gone", extra={"namespace": key[0], "golive": key[1]})


async def resync(cluster: Cluster, workers: Workers, namespaces: tuple[str, ...], every_seconds: float) -> None:
    """Wake a worker for every object that exists, whatever the watches have missed."""
    while True:
        try:
            for namespace in namespaces or ("",):
                for golive in await cluster.list(paths.golives(namespace)):
                    metadata = golive["metadata"]
                    workers.wake(metadata["namespace"], metadata["name"])
        except ClusterError as error:
            log.warning("resync failed", extra={"error": str(error)})
        await asyncio.sleep(every_seconds)
