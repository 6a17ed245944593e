"""The chain of records as status remembers it: the next link, what a link adds, what may be forgotten."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from golive_api.golive import Recorded, Seen
from golive_api.reasons import Reason
from golive_api.record import FIRST_HASH, Act, GoLiveRecordSpec
from golive_api.values import parse_time, render_time
from golive_decisions import acts
from golive_decisions.acts import DueAct, Sight

_BETWEEN = "@"
"""In a record's key, between what it is about and what is remembered of it."""


def record_key(act: DueAct) -> str:
    """What a record's key says of its act: what it is about, and what is remembered of it."""
    return f"{act.key}{_BETWEEN}{act.hash}"


def link(act: DueAct, golive: str, uid: str, recorded: Recorded) -> GoLiveRecordSpec:
    """The record of an act, as the chain's next one."""
    return GoLiveRecordSpec(
        golive=golive,
        uid=uid,
        sequence=recorded.sequence + 1,
        time=act.time,
        act=act.act,
        users=list(act.users)[:17],
        revision=act.revision,
        digest=act.digest,
        key=record_key(act),
        reason=act.reason,
        message=act.message,
        evidence=dict(act.evidence),
        previous_hash=recorded.hash,
        hash=FIRST_HASH,
    ).sealed()


def followed(recorded: Recorded, record: GoLiveRecordSpec, uid: str) -> Recorded:
    """What is remembered once this record stands; one about a namesake only moves the chain on."""
    here = {"sequence": record.sequence, "hash": record.hash}
    key, _, remembered = record.key.rpartition(_BETWEEN)
    if record.uid != uid or not key:
        return recorded.model_copy(update=here)
    seen = [each for each in recorded.seen if each.key != key]
    if remembered != acts.GONE:
        seen.append(Seen(key=key, hash=remembered, sequence=record.sequence))
    return recorded.model_copy(update=here | {"seen": seen})


def rebuilt(records: Iterable[GoLiveRecordSpec], uid: str) -> Recorded:
    """What a lost status would remember, from the records that are left, in their order."""
    recorded: Recorded | None = None
    for record in records:
        if recorded is None:
            before = {"sequence": record.sequence - 1, "hash": record.previous_hash}
            anchor = {"anchor_sequence": record.sequence - 1, "anchor_hash": record.previous_hash}
            recorded = Recorded().model_copy(update=before | anchor)
        recorded = followed(recorded, record, uid)
    return recorded or Recorded()


def marked(recorded: Recorded, marks: Sequence[Seen]) -> Recorded:
    """With what is remembered without a record."""
    keys = {mark.key for mark in marks}
    return recorded.model_copy(
        update={"seen": [*(seen for seen in recorded.seen if seen.key not in keys), *marks]}
    )


def without_the_past(recorded: Recorded, sight: Sight) -> Recorded:
    """Only what still stands there is remembered: other revisions, openings and stops are history."""
    return recorded.model_copy(update={"seen": [seen for seen in recorded.seen if _current(seen, sight)]})


def _current(seen: Seen, sight: Sight) -> bool:
    key = seen.key
    if key.startswith("request/"):
        return sight.spec is None or key == acts.request_key(sight.spec.revision)
    if key.startswith("approval/"):
        return sight.spec is None or key.startswith(acts.approval_key(sight.spec.revision))
    if key.startswith(acts.OPENING):
        return key == acts.opening_key(sight.history)
    if key.startswith(acts.ATTEMPT):
        return seen.hash == acts.attempt_hash(sight)
    if key.startswith(acts.STOP) and sight.stops is not None and seen.hash == acts.RELEASED:
        return any(key == f"{acts.STOP}{stop.name}" for stop in sight.stops)
    return True


def left_open(records: Iterable[GoLiveRecordSpec], uid: str, now: datetime) -> tuple[DueAct, str] | None:
    """The end of an opening of which no record tells, because its GoLive was deleted, and whose it was."""
    last: GoLiveRecordSpec | None = None
    for record in records:
        if record.act in {Act.OPENED, Act.CLOSED}:
            last = record
    if last is None or last.act is Act.CLOSED or last.uid == uid:
        return None
    act = DueAct(
        key=last.key.rpartition(_BETWEEN)[0],
        hash=acts.SHUT,
        act=Act.CLOSED,
        message="the GoLive was deleted while its gate was open",
        time=render_time(now),
        revision=last.revision,
        reason=Reason.BEING_DELETED.value,
        evidence={"openedBy": str(last.sequence)},
    )
    return act, last.uid


def outdated(
    records: Sequence[GoLiveRecordSpec], recorded: Recorded, now: datetime, keep: int, days: int
) -> list[GoLiveRecordSpec]:
    """The oldest records that are too many or too old, in their order; never the last one of the chain."""
    oldest, found = now - timedelta(days=days), []
    for record in records:
        surplus = recorded.sequence - record.sequence >= keep
        if record.sequence >= recorded.sequence or not (surplus or parse_time(record.time) < oldest):
            break
        found.append(record)
    return found


def anchored(recorded: Recorded, record: GoLiveRecordSpec) -> Recorded:
    """With the record as the last one that retention removes."""
    return recorded.model_copy(update={"anchor_sequence": record.sequence, "anchor_hash": record.hash})
