"""From facts to a plan: the gate record, the status, and when to look again."""

from dataclasses import dataclass
from datetime import timedelta

from golive_api.gate import GateRecord
from golive_api.golive import GateState, GateStatus, GoLiveSpec, GoLiveStatus
from golive_api.reasons import Reason
from golive_api.values import parse_time, render_time
from golive_decisions import reporting
from golive_decisions.approvals import current_digest, valid_approvals
from golive_decisions.checks import objections
from golive_decisions.facts import Facts
from golive_decisions.objections import Objection

RENEWALS_PER_TTL = 3
"""An open gate is renewed this often within its time to live, so that one lost renewal does not shut it."""

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
    """Opening and burning are recorded before the gate is touched; closing is not kept waiting."""
    events: tuple[Event, ...]
    show_state: bool
    """Whether the Deployment's label has to be put right."""
    look_again_seconds: float


def decide(facts: Facts, resync_seconds: float) -> Plan:
    """The gate is Open only if nothing objects and a readable record, born Closed, already stands."""
    found = objections(facts)
    blocking = [objection for objection in found if not objection.optional]
    burns = any(objection.burns for objection in blocking)
    reason, message = _verdict(facts, blocking)
    state = GateState.OPEN if reason is Reason.OPEN else GateState.CLOSED
    spec = facts.subject.spec
    record = _record(facts, spec, state, reason, message) if spec else _shut(facts, reason, message)
    write = record if record is not None and _must_write(facts, record) else None
    gate_status = _gate_status(facts, record if write else facts.gate.record, state, reason, burns=burns)
    status = reporting.status(facts, found, gate_status, message)
    events = _events(facts, state, reason, message)
    return Plan(
        state=state,
        reason=reason,
        gate=write,
        status=status,
        status_first=burns or state is not GateState.CLOSED,
        events=events,
        show_state=bool(events) or _shown_otherwise(facts, state),
        look_again_seconds=_look_again(facts, state, reason, resync_seconds),
    )


def _verdict(facts: Facts, blocking: list[Objection]) -> tuple[Reason, str]:
    if blocking:
        return blocking[0].reason, blocking[0].message
    if facts.gate.record is None:
        return Reason.WAITING, "the gate is born Closed and opens on the next look"
    return Reason.OPEN, Reason.OPEN.sentence


def _record(facts: Facts, spec: GoLiveSpec, state: GateState, reason: Reason, message: str) -> GateRecord:
    """The record as it would be written."""
    subject, request, ttl_seconds = facts.subject, spec.request, spec.request.gate.ttl_seconds
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
        profile=request.profile,
        limits=facts.profile.limits if facts.profile else None,
        accounts=request.accounts,
        approvers=[approval.user for approval in valid_approvals(facts)],
        requested_by=spec.requested_by,
        opened_time=_opened_time(facts, state),
        issued_time=render_time(facts.read_time),
        valid_until=render_time(facts.read_time + timedelta(seconds=ttl_seconds)),
        ttl_seconds=ttl_seconds,
    )


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
    age = facts.read_time - parse_time(present.issued_time)
    due = age >= _renewal_period(record.ttl_seconds) * 0.9 or age < timedelta(0)
    return record.state is not GateState.CLOSED and due


def _renewal_period(ttl_seconds: int) -> timedelta:
    return timedelta(seconds=ttl_seconds / RENEWALS_PER_TTL)


def _gate_status(
    facts: Facts, record: GateRecord | None, state: GateState, reason: Reason, *, burns: bool
) -> GateStatus:
    before, spec = facts.subject.status.gate, facts.subject.spec
    burned = before.burned_revision if before else 0
    opened = _opened_time(facts, state)
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


def _events(facts: Facts, state: GateState, reason: Reason, message: str) -> tuple[Event, ...]:
    """One event per change of state or reason; renewals are silent."""
    before = facts.subject.status.gate
    if before is not None and before.state is state and before.reason == reason.value:
        return ()
    warning = state is GateState.CLOSED and before is not None and before.state is GateState.OPEN
    return (Event(warning, reason.value, f"gate {state.value}: {message}"),)


def _shown_otherwise(facts: Facts, state: GateState) -> bool:
    engine = facts.engine
    return engine is not None and engine.exists and engine.shown_state != state.value


def _look_again(facts: Facts, state: GateState, reason: Reason, resync_seconds: float) -> float:
    spec = facts.subject.spec
    if reason is Reason.WAITING:
        return 0.0
    if state is GateState.CLOSED or spec is None:
        return resync_seconds
    return min(resync_seconds, _renewal_period(spec.request.gate.ttl_seconds).total_seconds())
