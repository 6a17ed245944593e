"""From facts to a plan: the gate record, the status, and when to look again."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from golive_api.gate import GateRecord
from golive_api.golive import GateState, GateStatus, GoLiveSpec, GoLiveStatus, History
from golive_api.reasons import Reason
from golive_api.values import parse_time, render_time
from golive_decisions import reporting, scheduling
from golive_decisions.admission import window_now
from golive_decisions.approvals import current_digest, valid_approvals
from golive_decisions.checks import objections
from golive_decisions.facts import Facts
from golive_decisions.history import advance
from golive_decisions.objections import Objection
from golive_decisions.ways_back import PATIENT

RENEWALS_PER_TTL = 3
"""An open gate is renewed this often within its time to live, so that one lost renewal does not shut it."""

DUE = 0.9
"""A renewal is due after this share of its period: looks come a little earlier or later."""

SOON_SECONDS = 0.05
"""What is not due yet is looked at again no sooner."""

UNKNOWN_PROFILE = "unknown"
"""In a closed gate's record, where no policy says which profile is meant."""

_BURN_NOTHING = frozenset({Reason.SPEC_UNREADABLE, Reason.BEING_DELETED, Reason.ACTIVATION_DISABLED})
"""After these a burn is of no use: no revision is known, or none of this revision can follow."""

_PASSING = frozenset({Reason.WAITING, Reason.PREFLIGHT_PENDING})
"""Reasons that the next look changes."""

_VOLATILE = {"serial", "issued_time", "valid_until"}
"""Fields of the record that do not make it a different decision."""


@dataclass(frozen=True, slots=True)
class Event:
    """One line of `kubectl events`."""

    warning: bool
    reason: str
    message: str


@dataclass(frozen=True, slots=True)
class Plan:
    """What to carry out."""

    state: GateState
    reason: Reason
    gate: GateRecord | None
    """The record to write; None when the present one may stand, or when none can be written."""
    status: GoLiveStatus
    status_first: bool
    """Opening is recorded first. Shutting never waits: a closed record that burns is itself the burn."""
    events: tuple[Event, ...]
    show_state: bool
    """Whether the Deployment's label has to be put right."""
    look_again_seconds: float
    run_preflight: bool
    """Whether preflight has to be run now; its end wakes the object."""
    renews: bool
    """The gate is written to go on as it is: status has nothing new to say."""


def decide(facts: Facts, resync_seconds: float) -> Plan:
    """The gate is Open only if nothing objects, preflight is fresh, and a readable record already stands."""
    found = objections(facts)
    blocking = [objection for objection in found if not objection.optional]
    burns = any(objection.burns for objection in blocking)
    reason, message = _verdict(facts, blocking)
    state = GateState.OPEN if reason is Reason.OPEN else GateState.CLOSED
    spec = facts.subject.spec
    record = _record(facts, spec, state, reason, message) if spec else _shut(facts, reason, message)
    write = record if record is not None and _must_write(facts, record) else None
    renews = state is GateState.OPEN and write is not None and _goes_on(facts, write)
    gate_status = _gate_status(facts, write or facts.gate.record, state, reason, burns=burns, renews=renews)
    status = reporting.status(facts, found, gate_status, message, _history(facts, gate_status))
    events = _events(facts, state, reason, message)
    return Plan(
        state=state,
        reason=reason,
        gate=write,
        status=status,
        status_first=state is not GateState.CLOSED,
        events=events,
        show_state=_shown_otherwise(facts, state),
        look_again_seconds=_look_again(facts, reason, resync_seconds, blocking, written=write is not None),
        run_preflight=scheduling.run_due(facts, blocking, resync_seconds),
        renews=renews,
    )


def _verdict(facts: Facts, blocking: list[Objection]) -> tuple[Reason, str]:
    """The first objection, but one that burns before others: the closed record has to say so itself."""
    if blocking:
        burning = [found for found in blocking if found.burns]
        causes = [found for found in burning if found.reason is not Reason.REVISION_BURNED]
        shown = blocking[0] if blocking[0].reason in _BURN_NOTHING else [*causes, *burning, *blocking][0]
        return shown.reason, shown.message
    if facts.gate.record is None:
        return Reason.WAITING, "the gate is born Closed and opens on the next look"
    if not scheduling.is_open(facts) and scheduling.too_old_to_open(facts):
        return Reason.PREFLIGHT_PENDING, "preflight runs once more before the gate opens"
    return Reason.OPEN, Reason.OPEN.sentence


def _record(facts: Facts, spec: GoLiveSpec, state: GateState, reason: Reason, message: str) -> GateRecord:
    """The record as it would be written."""
    subject, request, ttl_seconds = facts.subject, spec.request, _ttl_seconds(facts, spec)
    return GateRecord(
        namespace=subject.namespace,
        name=subject.name,
        uid=subject.uid,
        engine=request.engine_ref.name,
        environment=request.environment,
        state=state,
        reason=reason.value,
        message=message[:1024],
        epoch=facts.epoch,
        serial=_next_serial(facts),
        revision=spec.revision,
        digest=current_digest(facts),
        profile=facts.terms.profile if facts.terms else (request.profile or UNKNOWN_PROFILE),
        limits=facts.profile.limits if facts.profile else None,
        accounts=request.accounts,
        approvers=[approval.user for approval in valid_approvals(facts)],
        requested_by=spec.requested_by,
        opened_time=_opened_time(facts, state),
        issued_time=render_time(facts.read_time),
        valid_until=render_time(_lease_end(facts, ttl_seconds)),
        ttl_seconds=ttl_seconds,
    )


def _lease_end(facts: Facts, ttl_seconds: int) -> datetime:
    """One time to live from the read on, but never into a shut window: nobody may be left to shut it then."""
    end, window = facts.read_time + timedelta(seconds=ttl_seconds), window_now(facts)
    if isinstance(window, str) or window.next_close is None:
        return end
    return min(end, parse_time(window.next_close))


def _ttl_seconds(facts: Facts, spec: GoLiveSpec) -> int:
    """As policies bound it; what the request asks for where they are not known."""
    return facts.terms.ttl_seconds if facts.terms else spec.request.gate.ttl_seconds


def _shut(facts: Facts, reason: Reason, message: str) -> GateRecord | None:
    """The present record, closed: all that can be written about an object that can't be read."""
    record = facts.gate.record
    if record is None:
        return None
    changes = {
        "state": GateState.CLOSED,
        "reason": reason.value,
        "message": message[:1024],
        "epoch": facts.epoch,
        "serial": _next_serial(facts),
    }
    return record.model_copy(update=changes)


def _next_serial(facts: Facts) -> int:
    record, status = facts.gate.record, facts.subject.status.gate
    return max(record.serial if record else 0, status.serial if status else 0) + 1


def _opened_time(facts: Facts, state: GateState) -> str | None:
    """When this revision first opened: kept, or now."""
    gate, spec = facts.subject.status.gate, facts.subject.spec
    if gate is not None and spec is not None and gate.opened_revision == spec.revision:
        return gate.opened_time
    return render_time(facts.read_time) if state is GateState.OPEN else None


def _must_write(facts: Facts, record: GateRecord) -> bool:
    """A different decision, an unreadable gate, or an open one that is due for renewal or from the future."""
    present = facts.gate.record
    if present is None or record.model_dump(exclude=_VOLATILE) != present.model_dump(exclude=_VOLATILE):
        return True
    age = _age(facts, present)
    due = age >= _renewal_period(record.ttl_seconds) * DUE or age < timedelta(0)
    return record.state is not GateState.CLOSED and due


def _age(facts: Facts, record: GateRecord) -> timedelta:
    return facts.read_time - parse_time(record.issued_time)


def _renewal_period(ttl_seconds: int) -> timedelta:
    return timedelta(seconds=ttl_seconds / RENEWALS_PER_TTL)


def _goes_on(facts: Facts, record: GateRecord) -> bool:
    """Whether the record differs from the standing one in its lease alone, as status knows."""
    standing, shown = facts.gate.record, facts.subject.status.gate
    if standing is None or shown is None or not scheduling.is_open(facts):
        return False
    same = record.model_dump(exclude=_VOLATILE) == standing.model_dump(exclude=_VOLATILE)
    return same and _shown(facts)


def _shown(facts: Facts) -> bool:
    """Whether status says already that this leader has the gate open."""
    shown = facts.subject.status.gate
    return shown is not None and (shown.state, shown.epoch) == (GateState.OPEN, facts.epoch)


def _gate_status(  # each decides a field of its own
    facts: Facts, record: GateRecord | None, state: GateState, reason: Reason, *, burns: bool, renews: bool
) -> GateStatus:
    before, spec = facts.subject.status.gate, facts.subject.spec
    burned = before.burned_revision if before else 0
    opened = _opened_time(facts, state)
    goes_on = renews or (record is facts.gate.record and state is GateState.OPEN and _shown(facts))
    if goes_on and before is not None:
        return before
    return GateStatus(
        state=state,
        reason=reason.value,
        epoch=facts.epoch,
        serial=record.serial if record else (before.serial if before else 0),
        valid_until=record.valid_until if record and state is not GateState.CLOSED else None,
        opened_time=opened,
        opened_revision=spec.revision if spec and opened else None,
        burned_revision=max(burned, spec.revision) if burns and spec else burned,
    )


def _history(facts: Facts, gate: GateStatus) -> History:
    """The summary of what has happened, this decision included."""
    status, spec = facts.subject.status, facts.subject.spec
    known = status.history or History()
    before, record = status.gate, facts.gate.record
    was = before.state if before else GateState.CLOSED
    opened = before.opened_time if before and was is GateState.OPEN else None
    history = advance(
        status.history,
        revision=spec.revision if spec else known.request_revision,
        requester=spec.requested_by if spec else "",
        approvers=[approval.user for approval in valid_approvals(facts)],
        profile=(status.profile if was is GateState.OPEN else facts.terms and facts.terms.profile) or "",
        was_open_since=parse_time(opened) if opened else None,
        was=was,
        now_state=gate.state,
        now=facts.read_time,
        last_valid_until=parse_time(record.valid_until) if record and was is GateState.OPEN else None,
        reason=gate.reason,
    )
    if before and before.reason in PATIENT and gate.reason not in PATIENT and gate.state is GateState.CLOSED:
        # What waited for a person or a window has been let go just now: from here on it counts as held shut.
        return history.model_copy(update={"last_open_time": render_time(facts.read_time)})
    return history


def _events(facts: Facts, state: GateState, reason: Reason, message: str) -> tuple[Event, ...]:
    """One event per change of state or reason; renewals are silent, and so is what the next look changes."""
    before = facts.subject.status.gate
    if before is not None and before.state is state and (before.reason == reason.value or reason in _PASSING):
        return ()
    warning = state is GateState.CLOSED and before is not None and before.state is GateState.OPEN
    return (Event(warning, reason.value, f"gate {state.value}: {message}"),)


def _shown_otherwise(facts: Facts, state: GateState) -> bool:
    """A Deployment without the label shows as much as one with a closed gate."""
    engine = facts.engine
    return (
        engine is not None and engine.exists and (engine.shown_state or GateState.CLOSED.value) != state.value
    )


def _look_again(
    facts: Facts, reason: Reason, resync_seconds: float, blocking: list[Objection], *, written: bool
) -> float:
    """Seconds until something is due: a renewal, a window's boundary, preflight, or a look for its own sake."""
    spec, standing = facts.subject.spec, facts.gate.record
    if reason is Reason.WAITING:
        return 0.0
    if spec is None:
        return resync_seconds
    waits = [resync_seconds]
    if reason is Reason.OPEN:
        period = _renewal_period(_ttl_seconds(facts, spec))
        due = period * DUE - _age(facts, standing) if standing and not written else period
        waits.append(max(SOON_SECONDS, due.total_seconds()))
    others = (scheduling.until_boundary(facts), scheduling.until_run(facts, blocking, resync_seconds))
    return max(0.0, min(waits + [other for other in others if other is not None]))
