"""Records what happened, in the background: no gate waits for a record, and each is tried until it stands."""

import asyncio
import logging
import time
from dataclasses import dataclass

from golive_api.golive import NOTICE_ANNOTATION
from golive_decisions import noticing
from golive_decisions.acts import Sight
from golive_decisions.deciding import Plan
from golive_decisions.facts import Facts
from golive_decisions.recording import due_acts
from golive_operator.chronicle import Chronicle
from golive_operator.cluster import ClusterError, Object
from golive_operator.metrics import Metrics
from golive_operator.retention import Retention

log = logging.getLogger(__name__)

MOST_AT_ONCE = 4
"""Objects that are recorded at the same time: gates come first on the way to the API server."""

MOST_WAITING = 128
"""Objects that wait to be recorded; what others have to tell is due at their next look, too."""

Key = tuple[str, str]
"""Namespace and name of a GoLive."""


@dataclass(frozen=True, slots=True)
class Gone:
    """A GoLive that does not exist any more."""


def sight_of(golive: Object, facts: Facts, plan: Plan) -> Sight:
    """What there is to record after a plan was carried out."""
    subject, annotations = facts.subject, golive["metadata"].get("annotations") or {}
    return Sight(
        namespace=subject.namespace,
        name=subject.name,
        uid=subject.uid,
        generation=subject.generation,
        time=facts.read_time,
        spec=subject.spec,
        status=plan.status,
        gate=plan.gate or facts.gate.record,
        stops=facts.stops,
        test_notice=str(annotations.get(NOTICE_ANNOTATION, ""))[:64],
    )


def has_news(sight: Sight) -> bool:
    """Whether a look has left anything to record or to tell, as far as its own status knows."""
    recorded = sight.status.recorded
    return recorded is None or bool(due_acts(sight, recorded) or noticing.marks(sight, recorded))


class Recorder:
    """Hands looks on to the chronicle, one after the other for each object, beside the workers that look."""

    def __init__(self, chronicle: Chronicle, retention: Retention, metrics: Metrics) -> None:
        self._chronicle, self._retention, self._metrics = chronicle, retention, metrics
        self._waiting: dict[Key, Sight | Gone] = {}
        self._tasks: dict[Key, asyncio.Task[None]] = {}
        self._slots = asyncio.Semaphore(MOST_AT_ONCE)

    def heed(self, sight: Sight) -> None:
        """Record what is due, soon; returns at once. What is not recorded yet is due at the next look, too."""
        key = (sight.namespace, sight.name)
        if key not in self._tasks and len(self._tasks) >= MOST_WAITING:
            return
        if has_news(sight) or self._retention.due(sight.uid, time.monotonic()):
            self._enqueue(key, sight)

    def gone(self, namespace: str, name: str) -> None:
        """Record, soon, that a gate was shut by the deletion of its GoLive; returns at once."""
        self._enqueue((namespace, name), Gone())

    async def close(self, seconds: float) -> None:
        """Let what is under way end, for a while; the next leader finds what is left."""
        tasks = list(self._tasks.values())
        if not tasks:
            return
        _, late = await asyncio.wait(tasks, timeout=seconds)
        for task in late:
            task.cancel()
        await asyncio.gather(*late, return_exceptions=True)

    def _enqueue(self, key: Key, what: Sight | Gone) -> None:
        self._waiting[key] = what  # the latest look knows all that an earlier one knew
        if key not in self._tasks:
            self._tasks[key] = asyncio.create_task(self._work(key), name=f"records {key[0]}/{key[1]}")

    async def _work(self, key: Key) -> None:
        try:
            while (what := self._waiting.pop(key, None)) is not None:
                async with self._slots:
                    await self._record(key, what)
        finally:
            del self._tasks[key]

    async def _record(self, key: Key, what: Sight | Gone) -> None:
        try:
            if isinstance(what, Sight):
                await self._chronicle.follow(what)
            else:
                await self._chronicle.bury(*key)
        except Exception as error:  # a defect here must stop nothing else
            self._metrics.records_failed.labels(type(error).__name__).inc()
            log.warning(
                "not recorded, tried again at the next look",
                extra={
                    "namespace": key[0],
                    "golive": key[1],
                    "error": f"{type(error).__name__}: {error}"[:500],
                },
                exc_info=None if isinstance(error, ClusterError) else error,
            )
