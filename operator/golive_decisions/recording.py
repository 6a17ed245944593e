"""Which acts are due to be recorded: what stands there now, against what has been recorded of it.

An act is due until a record speaks of it, so nothing is lost when an operator dies, and nothing is told twice.
"""

from collections.abc import Callable, Iterator
from typing import Any

from golive_api.digest import sha256
from golive_api.golive import Activation, Approval, Attestation, GateState, Recorded, Seen, Verdict
from golive_api.reasons import Reason
from golive_api.record import Act
from golive_api.values import render_time
from golive_decisions import acts, evidence
from golive_decisions.acts import DueAct, Known, Sight
from golive_decisions.facts import StopFacts

MOST_STOPS = 24
"""Stops that are followed at one time, released ones until they are deleted: more would not fit into status."""

MOST_ATTEMPTS = 16
"""Different reasons for which one request's failure is recorded, until it opens or another takes its place."""

NO_FAILURE = frozenset(
    {
        Reason.WAITING.value,  # the gate opens on the next look
        Reason.APPROVALS_MISSING.value,  # people are being asked
        Reason.APPROVER_GROUP_MISSING.value,  # the same
        Reason.PREFLIGHT_PENDING.value,  # it runs
        Reason.REVISION_BURNED.value,  # what burned it has a record of its own
        Reason.BEING_DELETED.value,  # nobody wants it any more
    }
)
"""Reasons for which a gate is not open, or not any more, without an attempt having failed."""


def due_acts(sight: Sight, recorded: Recorded) -> tuple[DueAct, ...]:
    """Every act that is due, in the order in which it is to be recorded."""
    known = {seen.key: seen for seen in recorded.seen}
    return tuple(act for source in SOURCES for act in source(sight, known))


def silent_marks(sight: Sight, recorded: Recorded) -> tuple[Seen, ...]:
    """What is remembered without a record: stops that were over before this object was first seen."""
    if recorded.seen:
        return ()
    over = [stop.name for stop in sight.stops or () if stop.released_by]
    return tuple(Seen(key=f"{acts.STOP}{name}", hash=acts.RELEASED) for name in over[:MOST_STOPS])


def _due(sight: Sight, act: Act, key: str, remembered: str, message: str, **more: Any) -> DueAct:
    """An act of this look, unless said otherwise."""
    usual: dict[str, Any] = {
        "revision": sight.revision,
        "time": render_time(sight.time),
        "reason": sight.reason,
    }
    return DueAct(key=key, hash=remembered, act=act, message=message[:1024], **(usual | more))


def requested(sight: Sight, known: Known) -> Iterator[DueAct]:
    """Every revision is a request of its own."""
    spec = sight.spec
    if spec is None or acts.request_key(spec.revision) in known:
        return
    yield _due(
        sight,
        Act.REQUESTED,
        acts.request_key(spec.revision),
        sha256(spec.request.wire()),
        f"{spec.requested_by} asked for revision {spec.revision}, activation {spec.activation}",
        users=(spec.requested_by,),
        digest=sight.status.digest or "",
        evidence=evidence.of_request(sight, spec),
    )


def _approval(sight: Sight, word: Approval) -> DueAct:
    rejects = word.verdict is Verdict.REJECTED
    return _due(
        sight,
        Act.REJECTED if rejects else Act.APPROVED,
        acts.approval_key(word.revision, word.user),
        sha256(word.wire()),
        f"{word.user} {'rejected' if rejects else 'approved'} revision {word.revision}",
        users=(word.user,),
        digest=word.digest,
        evidence=evidence.of_word(sight, word),
    )


def _attestation(sight: Sight, word: Attestation) -> DueAct:
    return _due(
        sight,
        Act.ATTESTED,
        f"{acts.ATTESTATION}{word.item}",
        sha256(word.wire()),
        f"{word.user} vouches for {word.item}",
        users=(word.user,),
        evidence=evidence.of_word(sight, word),
    )


def _words(sight: Sight) -> list[DueAct]:
    """What people say of this revision of this very object, recorded or not."""
    spec = sight.spec
    if spec is None:
        return []
    approvals = [word for word in spec.approvals if (word.revision, word.uid) == (spec.revision, sight.uid)]
    attestations = [word for word in spec.attestations if word.uid == sight.uid]
    return [_approval(sight, word) for word in approvals] + [_attestation(sight, word) for word in attestations]


def taken_back(sight: Sight, known: Known) -> Iterator[DueAct]:
    """An approval or attestation of which there is a record is gone; the object does not say by whose hand."""
    if sight.spec is None:
        return
    standing = {act.key for act in _words(sight)}
    mine = (acts.approval_key(sight.spec.revision), acts.ATTESTATION)
    for key, seen in known.items():
        if key.startswith(mine) and key not in standing:
            message = f"{key} of record {seen.sequence} was taken back"
            kept = {"record": str(seen.sequence), "what": key}
            yield _due(sight, Act.REVOKED, key, acts.GONE, message, evidence=kept)


def said(sight: Sight, known: Known) -> Iterator[DueAct]:
    """Approvals, rejections and attestations that are new or changed."""
    for act in _words(sight):
        if act.key not in known or known[act.key].hash != act.hash:
            yield act


def stopped(sight: Sight, known: Known) -> Iterator[DueAct]:
    """Stops that apply and stops that were released, both where nobody had looked in between."""
    room = MOST_STOPS - sum(key.startswith(acts.STOP) for key in known)
    for stop in sight.stops or ():
        key = f"{acts.STOP}{stop.name}"
        if key not in known:
            if room <= 0:
                continue
            room -= 1
            message = f"EmergencyStop {stop.name} applies: {stop.reason}"
            yield _due(sight, Act.STOPPED, key, acts.APPLIED, message, evidence=evidence.of_stop(stop))
        if stop.released_by and (key not in known or known[key].hash == acts.APPLIED):
            yield _released(sight, stop)


def _released(sight: Sight, stop: StopFacts) -> DueAct:
    return _due(
        sight,
        Act.RELEASED,
        f"{acts.STOP}{stop.name}",
        acts.RELEASED,
        f"{stop.released_by} released EmergencyStop {stop.name}: {stop.root_cause}",
        users=(stop.released_by,),
        evidence=evidence.of_stop(stop),
    )


def vanished(sight: Sight, known: Known) -> Iterator[DueAct]:
    """A stop that held is gone, though only a release may lift it."""
    if sight.stops is None:
        return
    standing = {f"{acts.STOP}{stop.name}" for stop in sight.stops}
    for key, seen in known.items():
        if key.startswith(acts.STOP) and key not in standing and seen.hash == acts.APPLIED:
            message = f"EmergencyStop {key.removeprefix(acts.STOP)} is gone, and nobody released it"
            yield _due(sight, Act.RELEASED, key, acts.GONE, message, evidence={"record": str(seen.sequence)})


def opened(sight: Sight, known: Known) -> Iterator[DueAct]:
    """The gate was opened: once for each activation, renewals not counted."""
    history = sight.history
    key = acts.opening_key(history)
    if not history.activations or key in known:
        return
    revision = history.last_activated_revision
    yield _due(
        sight,
        Act.OPENED,
        key,
        acts.OPEN,
        f"the gate was opened: activation {history.activations}",
        time=history.last_activated_time or render_time(sight.time),
        users=tuple(history.last_operators),
        revision=revision,
        digest=(sight.gate.digest or "") if sight.gate and sight.gate.revision == revision else "",
        reason=Reason.OPEN.value,
        evidence=evidence.of_opening(sight),
    )


def closed(sight: Sight, known: Known) -> Iterator[DueAct]:
    """The gate that was opened is shut."""
    history, gate = sight.history, sight.status.gate
    before = known.get(acts.opening_key(history))
    if not history.activations or sight.state is GateState.OPEN or (before and before.hash == acts.SHUT):
        return
    revision = history.last_activated_revision
    burned = gate is not None and gate.burned_revision >= revision
    reason = history.last_closed_reason or sight.reason
    yield _due(
        sight,
        Act.CLOSED,
        acts.opening_key(history),
        acts.SHUT,
        sight.message if reason == sight.reason else f"the gate was shut: {reason}",
        time=history.last_closed_time or render_time(sight.time),
        revision=revision,
        reason=reason,
        evidence=evidence.of_closing(sight, burned=burned, record=before.sequence if before else 0),
    )


def attempt_failed(sight: Sight, known: Known) -> Iterator[DueAct]:
    """The gate was asked to open and something objects: once for each reason, not at each look."""
    spec, key, history = sight.spec, f"{acts.ATTEMPT}{sight.reason}", sight.history
    if spec is None or spec.activation is not Activation.ENABLED or sight.state is not GateState.CLOSED:
        return
    just_closed = (spec.revision, sight.reason) == (history.last_activated_revision, history.last_closed_reason)
    mine = [seen.key for seen in known.values() if seen.hash == acts.attempt_hash(sight)]
    if (
        not sight.reason
        or sight.reason in NO_FAILURE
        or just_closed
        or key in mine
        or len(mine) >= MOST_ATTEMPTS
    ):
        return
    yield _due(
        sight,
        Act.ATTEMPT_FAILED,
        key,
        acts.attempt_hash(sight),
        sight.message,
        users=(spec.requested_by,),
        digest=sight.status.digest or "",
        evidence=evidence.of_attempt(sight),
    )


SOURCES: tuple[Callable[[Sight, Known], Iterator[DueAct]], ...] = (
    requested,  # what all the others are about
    taken_back,  # before what takes its place
    said,  # consent comes before what it allows
    stopped,  # causes come before effects
    opened,  # also where the gate is shut again by now
    closed,  # after its opening
    attempt_failed,  # what the request has come to
    vanished,  # last: it has no cause that could be seen
)
"""Where acts come from, in the order in which they are recorded."""
