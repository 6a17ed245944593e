"""The chain of records of one GoLive, carried on: what is due is added, whatever was begun before is found."""

import logging
from collections.abc import Callable
from datetime import UTC, datetime

from pydantic import ValidationError

from golive_api.golive import GoLiveStatus, Recorded
from golive_api.record import GoLiveRecordSpec
from golive_decisions import chaining, noticing
from golive_decisions.acts import DueAct, Sight
from golive_decisions.noticing import Notice
from golive_decisions.recording import due_acts, silent_marks
from golive_operator import paths
from golive_operator.cluster import Cluster, ClusterError, ConflictError, Object, RejectedError
from golive_operator.metrics import Metrics
from golive_operator.own_writes import Echoes
from golive_operator.record_store import RecordStore
from golive_operator.retention import Retention

log = logging.getLogger(__name__)

MOST_LINKS = 256
"""Records that one look may add, or find added; more would be a defect, and must not fill the cluster."""


class Chronicle:
    """Adds to chains. Raises ClusterError; asked again, it goes on from where it was."""

    def __init__(  # where it writes, whom it tells, and what it leaves
        self,
        cluster: Cluster,
        metrics: Metrics,
        tell: Callable[[Notice], None],
        retention: Retention,
        echoes: Echoes | None = None,
    ) -> None:
        self._cluster, self._metrics, self._tell, self._retention = cluster, metrics, tell, retention
        self._store, self._echoes = RecordStore(cluster), echoes or Echoes()

    async def follow(self, sight: Sight) -> Recorded | None:
        """Record all that is due, and write into status what has been recorded.

        Returns:
            What status remembers now; None where the object has changed since the look.
        """
        golive = await self._cluster.get(paths.golive(sight.namespace, sight.name))
        if has_moved_on(golive, sight):
            return None
        stored = read_recorded(golive)
        known = stored if stored and stored.sequence else await self._recovered(sight, stored)
        known = chaining.marked(known, silent_marks(sight, known))
        recorded = await self._append(sight, chaining.without_the_past(known, sight))
        news = noticing.marks(sight, recorded)
        recorded = chaining.marked(recorded, [seen for seen, _ in news])
        for notice in (notice for _, notice in news if notice):
            self._tell(notice)
        if recorded != stored:
            golive = await self._remember(golive, recorded)
        return await self._retention.apply(golive, recorded, self._store, self._remember)

    async def bury(self, namespace: str, name: str) -> None:
        """Record the end of an opening that the GoLive's deletion ended."""
        records = await self._store.chain(namespace, name)
        act = await self._end_opening(namespace, name, records, "")
        if act is not None:
            uid, now = records[-1].uid, datetime.now(UTC)
            self._tell_of(act, Sight(namespace, name, uid, 0, now, None, GoLiveStatus(), None, None))

    async def _remember(self, golive: Object, recorded: Recorded) -> Object:
        """Write status.recorded alone, unless the object has changed since it was read.

        No look has to follow, for none rests on what was recorded; but where the object was not as a look had
        left it, what somebody else has changed may be heard of together with this write.
        """
        metadata = golive["metadata"]
        body = {
            "metadata": {"resourceVersion": metadata["resourceVersion"]},
            "status": {"recorded": recorded.wire()},
        }
        path = paths.golive(metadata["namespace"], metadata["name"], "status")
        as_left = self._echoes.is_one(metadata)
        with self._echoes.writing(metadata["uid"]):
            written = await self._cluster.patch(path, body)
            if as_left:
                self._echoes.expect(written)
        return written

    async def _append(self, sight: Sight, recorded: Recorded) -> Recorded:
        """Add a record for each act that is due; where another operator was faster, go on after its record."""
        for _ in range(MOST_LINKS):
            acts = due_acts(sight, recorded)
            if not acts:
                return recorded
            try:
                record = await self._next(sight, acts[0], recorded)
            except ClusterError:
                # People are told all the same: a full quota must not hide a closed gate from them.
                for act in acts:
                    self._tell_of(act, sight)
                raise
            recorded = self._followed(sight, recorded, record)
            for act in acts:
                if record.uid == sight.uid and record.key == chaining.record_key(act):
                    self._tell_of(act, sight)
        raise RejectedError(f"more than {MOST_LINKS} records at one look")

    async def _next(self, sight: Sight, act: DueAct, recorded: Recorded) -> GoLiveRecordSpec:
        """The chain's next record: the one that is written here, or the one that stands there already."""
        record = chaining.link(act, sight.name, sight.uid, recorded)
        try:
            await self._store.create(sight.namespace, record)
        except ConflictError:
            there = await self._store.at(sight.namespace, sight.name, record.sequence)
            if there is None:
                raise
            return there
        self._metrics.records.labels(act.act.value).inc()
        return record

    def _followed(self, sight: Sight, recorded: Recorded, record: GoLiveRecordSpec) -> Recorded:
        """With the record; one that does not continue the chain is passed by, and its word not taken."""
        if record.previous_hash == recorded.hash and record.sound():
            return chaining.followed(recorded, record, sight.uid)
        log.error(
            "a record does not continue the chain",
            extra={"namespace": sight.namespace, "golive": sight.name, "sequence": record.sequence},
        )
        return chaining.followed(recorded, record, "")

    async def _recovered(self, sight: Sight, stored: Recorded | None) -> Recorded:
        """Where status knows of no record: what is left of the chain, after the end of a namesake's opening."""
        records = await self._store.chain(sight.namespace, sight.name)
        if await self._end_opening(sight.namespace, sight.name, records, sight.uid):
            records = await self._store.chain(sight.namespace, sight.name)
        found = chaining.rebuilt(records, sight.uid)
        return chaining.marked(found, [seen for seen in stored.seen if not seen.sequence] if stored else [])

    async def _end_opening(
        self, namespace: str, name: str, records: list[GoLiveRecordSpec], uid: str
    ) -> DueAct | None:
        """Close what a GoLive that is gone has left open; never what `uid` has open."""
        left = chaining.left_open(records, uid, datetime.now(UTC))
        if left is None:
            return None
        act, owner = left
        await self._store.create(namespace, chaining.link(act, name, owner, chaining.rebuilt(records, owner)))
        self._metrics.records.labels(act.act.value).inc()
        return act

    def _tell_of(self, act: DueAct, sight: Sight) -> None:
        notice = noticing.of_act(act, sight)
        if notice is not None:
            self._tell(notice)


def has_moved_on(golive: Object, sight: Sight) -> bool:
    """Whether another object, another request or a later leader is at work since the look."""
    metadata, gate = golive["metadata"], (golive.get("status") or {}).get("gate") or {}
    mine = sight.status.gate.epoch if sight.status.gate else 0
    same = (metadata["uid"], metadata.get("generation", 0)) == (sight.uid, sight.generation)
    return not same or int(gate.get("epoch") or 0) > mine


def read_recorded(golive: Object) -> Recorded | None:
    """What status remembers; None where that is nothing, or can't be read."""
    try:
        return Recorded.model_validate((golive.get("status") or {}).get("recorded"))
    except ValidationError:
        return None
