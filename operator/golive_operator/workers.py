"""One worker per GoLive: any number of wake-ups become one look at what is."""

import asyncio
import logging
import random
import time
from collections.abc import Callable, Iterable
from contextvars import Context
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import partial

from golive_api.golive import GateState
from golive_api.reasons import Reason
from golive_decisions.deciding import Plan, decide
from golive_decisions.scheduling import is_open
from golive_operator import paths
from golive_operator.carrying_out import CarryingOut
from golive_operator.cluster import (
    Cluster,
    ClusterError,
    ConflictError,
    MissingError,
    UnavailableError,
)
from golive_operator.engines import closed_seconds
from golive_operator.gathering import Gathered, Gatherer, Since, target_of
from golive_operator.interests import Interest, Interests, Key
from golive_operator.latency import Moments
from golive_operator.metrics import Metrics
from golive_operator.own_writes import Echoes
from golive_operator.preflight_runs import Runs
from golive_operator.recording import Recorder, sight_of
from golive_operator.turns import Turn, Turns

log = logging.getLogger(__name__)

SPACING_SECONDS = 0.02
"""Shortest time between two looks at one object: a storm of events is no reason to spin."""

RETRY_SECONDS = 0.5
"""Pause after a look that failed."""

RUN_SECONDS = 0.5
"""How long a new object's first status, and an opening, waits for preflight before that is said of it."""

RESYNC_MOST_SECONDS = 6.0
"""Objects that exist, or have changed, without a word of the watches are found within this."""

SPREAD = 0.1
"""Looks at closed gates come up to this share early, so that they do not all come at once."""


@dataclass(frozen=True, slots=True)
class Looked:
    """What came of one look."""

    wait_seconds: float
    """How long to wait for the next one, unless something happens."""
    version: str
    """resourceVersion of the GoLive that was looked at."""
    interest: Interest
    """What the object depends on."""
    urgent: bool
    """Whether the gate stands open now, or opens as soon as preflight has run."""
    wrote: bool
    """Whether anything was written that the next look has to see: a renewal is not."""


class Reconciler:
    """Gather, decide, carry out."""

    def __init__(  # the four hands of a look, and how it is timed
        self,
        gatherer: Gatherer,
        carrying_out: CarryingOut,
        runs: Runs,
        recorder: Recorder,
        metrics: Metrics,
        epoch: int,
        resync_seconds: float,
    ) -> None:
        self._gatherer, self._carrying_out, self._runs, self._metrics = gatherer, carrying_out, runs, metrics
        self._recorder = recorder
        self._epoch, self._resync_seconds = epoch, resync_seconds
        self._uids: dict[Key, str] = {}

    async def reconcile(self, key: Key, woken: float, since: Since, wake: Callable[[], None]) -> Looked:
        """One look.

        Args:
            key: Which object.
            woken: Monotonic time of the wake-up, from which latencies count.
            since: On what it may rest.
            wake: Has the object looked at again, when a run of preflight has ended.
        """
        with self._metrics.duration.time():
            found, plan = await self._decided(key, since, wake)
            golive, facts, decided = found.golive, found.facts, time.monotonic()
            wrote = await self._carrying_out.carry_out(golive, found.gate, plan)
        written = time.monotonic()
        if await self._carrying_out.tell(golive, plan):
            self._gatherer.engines.labelled(key[0], found.interest.engine, plan.state.value)
        before = facts.subject.status.gate
        self._metrics.decided(*key, plan, before.state if before else GateState.CLOSED, datetime.now(UTC))
        self._metrics.latencies.looked(key, facts, plan, Moments(woken, decided, written))
        self._recorder.heed(sight_of(golive, facts, plan))
        self._run_preflight(key, found, plan, wake)
        for event in plan.events:
            log.info(
                event.message,
                extra={"namespace": key[0], "golive": key[1], "reason": event.reason, "epoch": self._epoch},
            )
        new = wrote or (plan.gate is not None and not plan.renews)
        wait_seconds = plan.look_again_seconds
        if plan.state is GateState.CLOSED:
            wait_seconds *= 1 - SPREAD * random.random()  # noqa: S311  # any moment will do
        urgent = plan.state is not GateState.CLOSED or plan.reason is Reason.PREFLIGHT_PENDING
        return Looked(wait_seconds, golive["metadata"]["resourceVersion"], found.interest, urgent, new)

    async def _decided(self, key: Key, since: Since, wake: Callable[[], None]) -> tuple[Gathered, Plan]:
        """What was found, and what follows; an opening, and a first status, wait a moment for preflight."""
        found, plan = await self._gathered(key, since)
        opens = plan.reason is Reason.PREFLIGHT_PENDING
        waits = (opens or not found.golive.get("status")) and not is_open(found.facts)
        if not waits or not await self._run_at_once(key, found, plan, wake):
            return found, plan
        now = time.monotonic()
        ran = Since(now, live=True) if opens else replace(since, live=False, lists_from=now)
        return await self._gathered(key, ran)

    async def _gathered(self, key: Key, since: Since) -> tuple[Gathered, Plan]:
        """What was found, and what follows; what would open a gate is read live, and decided anew."""
        # The more there are, the less often each closed gate is looked at for nothing: the work stays the same.
        resync_seconds = max(self._resync_seconds, closed_seconds(since.objects))
        found = await self._gatherer.gather(*key, self._epoch, since)
        plan = decide(found.facts, resync_seconds)
        if found.live or plan.state is GateState.CLOSED or is_open(found.facts):
            return found, plan
        found = await self._gatherer.gather(*key, self._epoch, Since(time.monotonic(), live=True))
        return found, decide(found.facts, resync_seconds)

    async def _run_at_once(self, key: Key, found: Gathered, plan: Plan, wake: Callable[[], None]) -> bool:
        """Have preflight run, and wait a moment for what it finds; returns whether there is something new."""
        done, late = asyncio.Event(), False

        def ended() -> None:
            if late:
                wake()
            else:
                done.set()

        if not self._run_preflight(key, found, plan, ended):
            return False
        try:
            async with asyncio.timeout(RUN_SECONDS):
                await done.wait()
        except TimeoutError:
            late = True
        return not late

    def _run_preflight(self, key: Key, found: Gathered, plan: Plan, wake: Callable[[], None]) -> bool:
        """Start a run where one is due and none is under way; returns whether that was done."""
        facts = found.facts
        uid, target = facts.subject.uid, target_of(found)
        self._uids[key] = uid
        if not plan.run_preflight or facts.terms is None or target is None:
            return False
        return self._runs.start(uid, target, facts.terms, wake)

    def forget(self, key: Key) -> None:
        """The object is gone."""
        self._metrics.forget(*key)
        self._recorder.gone(*key)
        if uid := self._uids.pop(key, None):
            self._runs.forget(uid)


@dataclass
class _Known:
    """One object's worker, and what it has to know."""

    wakeup: asyncio.Event
    heard: float
    """Monotonic time since which reads count: nothing has been heard of the object later."""
    finished: float
    """Monotonic time of the last finished look."""
    lists_from: float = 0.0
    """The same for lists alone, after own writes, too: what an engine is may be older."""
    live: bool = True
    """Whether something was heard that has not been looked at."""
    woken: float | None = None
    """Monotonic time of the first wake-up that has not been looked at."""
    urgent: bool = False
    """Whether its gate was open, or about to open, after the last look."""
    waits: bool = False
    """Whether it waits for its turn, or for its time to come: that is no silence."""
    version: str = ""
    """resourceVersion of the GoLive at the last look."""
    task: asyncio.Task[None] | None = field(default=None, repr=False)

    @property
    def turn(self) -> Turn:
        """With whom it waits."""
        if self.urgent:
            return Turn.OPEN if self.woken is None else Turn.OPEN_WITH_NEWS
        return Turn.NEWS if self.version and self.woken is not None else Turn.ROUTINE


class Workers:
    """Starts a worker when an object is first heard of, and ends it when the object is gone."""

    def __init__(self, reconciler: Reconciler, metrics: Metrics) -> None:
        self._reconciler, self._metrics = reconciler, metrics
        self._known: dict[Key, _Known] = {}
        self._turns = Turns()
        self.interests = Interests()

    def wake(self, namespace: str, name: str, *, is_open: bool = False) -> None:
        """Look at this object soon: it has changed, or is new, perhaps with a gate that stands open."""
        key, now = (namespace, name), time.monotonic()
        if key not in self._known:
            self._known[key] = known = _Known(asyncio.Event(), heard=now, finished=now, urgent=is_open)
            self.interests.expect(key)
            # In a context of its own: kopf's, in which this is called, would keep the event's object alive.
            known.task = asyncio.create_task(
                self._work(key, known), name=f"worker {namespace}/{name}", context=Context()
            )
        self.wake_each((key,))

    def wake_known(self, namespace: str, name: str) -> None:
        """Look at this object soon, if there is one: a gate's label may name anything."""
        self.wake_each(((namespace, name),))

    def look_again(self, namespace: str, name: str) -> None:
        """Look at this object soon: not the object has changed, but what an engine or preflight says of it.

        No list from before counts: by its time, what has just happened would lie in the future.
        """
        if known := self._known.get((namespace, name)):
            known.lists_from = time.monotonic()
            known.woken = known.woken or time.monotonic()
            known.wakeup.set()

    def wake_for_lease(self, keys: Iterable[Key]) -> None:
        """Look at these soon: an engine says something else, and nothing else has changed."""
        for key in keys:
            self.look_again(*key)

    def wake_namespace(self, namespace: str) -> None:
        """Look at every object of a namespace soon: something there has changed."""
        self.wake_each([key for key in self._known if key[0] == namespace])

    def wake_all(self) -> None:
        """Look at every object soon."""
        self.wake_each(list(self._known))

    def wake_each(self, keys: Iterable[Key]) -> None:
        """Look at these soon, as far as they are known: something has changed, and no earlier read counts."""
        now = time.monotonic()
        for key in keys:
            if known := self._known.get(key):
                known.heard, known.live = now, True
                known.woken = known.woken or now
                known.wakeup.set()

    def exists(self, namespace: str, name: str, version: str) -> None:
        """An object exists in this version; looked at soon if that is news."""
        known = self._known.get((namespace, name))
        if known is None or known.version != version:
            self.wake(namespace, name)

    async def stop(self) -> None:
        """End every worker: nothing is written after this."""
        tasks = [known.task for known in self._known.values() if known.task is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    @property
    def oldest_look(self) -> float:
        """Monotonic time of the look that lies furthest back; now when there is no object."""
        finished = (known.finished for known in self._known.values() if not known.waits)
        return min(finished, default=time.monotonic())

    async def _work(self, key: Key, known: _Known) -> None:
        wait_seconds = 0.0
        while True:
            try:
                async with asyncio.timeout(wait_seconds):
                    await known.wakeup.wait()
            except TimeoutError:
                pass  # the resync, or the renewal, is due
            known.waits, began = True, time.monotonic()
            try:
                async with self._turns.take(known.turn):
                    known.waits = False
                    known.finished += time.monotonic() - began
                    wait_seconds = await self._look(key, known)
            except MissingError:
                self._end(key)
                return
            except ConflictError as error:
                self._metrics.conflicts.inc()
                log.info("read again", extra={"golive": key[1], "namespace": key[0], "error": str(error)})
                wait_seconds = self._anew(known)
            except UnavailableError as error:
                self._failed(key, error)
                self._anew(known)
                wait_seconds = RETRY_SECONDS
                continue
            except Exception as error:  # noqa: BLE001  # a defect must not end the worker
                # A refusal or a defect counts as a look: else one such object would have the process restarted,
                # again and again, and so shut the gates of all others.
                self._failed(key, error)
                self._anew(known)
                wait_seconds = RETRY_SECONDS
            known.finished, known.waits = time.monotonic(), True
            await asyncio.sleep(SPACING_SECONDS)

    async def _look(self, key: Key, known: _Known) -> float:
        """Look; returns how long to wait."""
        known.wakeup.clear()
        woken, known.woken = known.woken or time.monotonic(), None
        since = Since(known.heard, live=known.live, lists_from=known.lists_from, objects=len(self._known))
        known.live = False
        looked = await self._reconciler.reconcile(key, woken, since, partial(self.look_again, *key))
        known.version, known.urgent = looked.version, looked.urgent
        self.interests.know(key, looked.interest)
        if looked.wrote:
            known.lists_from = time.monotonic()
        if looked.wait_seconds == 0:
            return self._anew(known)
        return looked.wait_seconds

    def _anew(self, known: _Known) -> float:
        """Let the next look read everything live, at once."""
        known.heard, known.live = time.monotonic(), True
        known.woken = known.woken or known.heard
        return 0.0

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
        self._known.pop(key, None)
        self.interests.forget(key)
        self._reconciler.forget(key)
        log.info("gone", extra={"namespace": key[0], "golive": key[1]})


async def resync(
    cluster: Cluster, workers: Workers, echoes: Echoes, namespaces: tuple[str, ...], every_seconds: float
) -> None:
    """Wake a worker for every object that is new or has changed, whatever the watches have missed."""
    while True:
        try:
            for namespace in namespaces or ("",):
                for metadata in await cluster.list_metadata(paths.golives(namespace)):
                    if not echoes.is_one(metadata):  # as we have left it
                        workers.exists(metadata["namespace"], metadata["name"], metadata["resourceVersion"])
        except ClusterError as error:
            log.warning("resync failed", extra={"error": str(error)})
        await asyncio.sleep(min(every_seconds, RESYNC_MOST_SECONDS))
