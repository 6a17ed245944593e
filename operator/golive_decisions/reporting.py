"""The status that people read: conditions, preflight results, engine, approvals."""

from golive_api.acknowledgement import Acknowledgement
from golive_api.conditions import Condition, ConditionType, carry_times
from golive_api.golive import (
    EngineStatus,
    GateState,
    GateStatus,
    GoLiveStatus,
    History,
    PreflightStatus,
)
from golive_api.reasons import Reason
from golive_api.values import render_time
from golive_decisions import checklist, preflight
from golive_decisions.admission import window_now
from golive_decisions.approvals import current_digest, valid_approvals
from golive_decisions.facts import Facts
from golive_decisions.objections import Objection

_HOLDS = (
    (ConditionType.ADMISSION_GUARDED, Reason.GUARDED),
    (ConditionType.WINDOW_OPEN, Reason.IN_WINDOW),
    (ConditionType.APPROVED, Reason.APPROVED),
    (ConditionType.PREFLIGHT_PASSED, Reason.PREFLIGHT_PASSED),
    (ConditionType.SAFETY_CLEAR, Reason.SAFETY_CLEAR),
)
"""Conditions that follow from the chain, and the reason while they hold."""

_STALLED = frozenset({Reason.SPEC_UNREADABLE})


def status(
    facts: Facts, found: tuple[Objection, ...], gate: GateStatus, message: str, history: History
) -> GoLiveStatus:
    """Everything that the operator says about the object, all conditions set on the first visit."""
    before = facts.subject.status
    terms, window = facts.terms, window_now(facts)
    needed = terms.approvals_needed if terms else "?"
    return GoLiveStatus(
        conditions=carry_times(before.conditions, _conditions(facts, found, gate, message)),
        observed_generation=facts.subject.generation,
        digest=current_digest(facts),
        approval_summary=f"{len(valid_approvals(facts))}/{needed}",
        policies=list(terms.policies) if terms else [],
        profile=terms.profile if terms else None,
        gate=gate,
        window=window if terms and not isinstance(window, str) else None,
        history=history,
        recorded=before.recorded,
        preflight=_preflight(facts) if facts.engine is not None else before.preflight,
        engine=_engine(facts) if facts.engine is not None else None,
    )


def _conditions(facts: Facts, found: tuple[Objection, ...], gate: GateStatus, message: str) -> list[Condition]:
    return [
        _ready(facts, gate, message),
        *(_from_chain(facts, found, kind, reason) for kind, reason in _HOLDS),
        _obeying(facts, gate),
        *_kstatus(facts, gate, message),
    ]


def _condition(facts: Facts, kind: ConditionType, value: str, reason: str, message: str) -> Condition:
    return Condition(
        type=kind.value,
        status=value,
        observed_generation=facts.subject.generation,
        last_transition_time=render_time(facts.read_time),
        reason=reason,
        message=message[:1024],
    )


def _ready(facts: Facts, gate: GateStatus, message: str) -> Condition:
    value = "True" if gate.state is GateState.OPEN else "False"
    return _condition(facts, ConditionType.READY, value, gate.reason, message)


def _from_chain(facts: Facts, found: tuple[Objection, ...], kind: ConditionType, holds: Reason) -> Condition:
    """False with the first objection about it; Unknown where its facts were not read."""
    for objection in found:
        if objection.about is kind:
            unread = facts.engine is None
            value = "Unknown" if unread else "False"
            reason = Reason.NOT_EVALUATED if unread else objection.reason
            return _condition(
                facts, kind, value, reason.value, reason.sentence if unread else objection.message
            )
    return _condition(facts, kind, "True", holds.value, holds.sentence)


def _obeying(facts: Facts, gate: GateStatus) -> Condition:
    kind = ConditionType.ENGINE_OBEYING
    seen = facts.engine.acknowledgement if facts.engine is not None else None
    if facts.engine is None or facts.engine.holder is None or seen is None:
        return _condition(facts, kind, "Unknown", Reason.ENGINE_SILENT.value, "no trading pod has acknowledged")
    if seen.state == gate.state.value:
        message = f"{facts.engine.holder} obeys {seen.state} since {seen.acknowledged_time}"
        return _condition(facts, kind, "True", Reason.ENGINE_OBEYS.value, message)
    message = f"{facts.engine.holder} obeys {seen.state} ({seen.reason}), the gate is {gate.state.value}"
    return _condition(facts, kind, "False", Reason.ENGINE_SILENT.value, message)


def _kstatus(facts: Facts, gate: GateStatus, message: str) -> tuple[Condition, Condition]:
    """A closed gate is a finished reconciliation: `helm --wait` must not hang on a missing approval."""
    stalled = gate.reason in {reason.value for reason in _STALLED}
    return (
        _condition(
            facts, ConditionType.RECONCILING, "False", Reason.RECONCILED.value, Reason.RECONCILED.sentence
        ),
        _condition(
            facts,
            ConditionType.STALLED,
            "True" if stalled else "False",
            gate.reason if stalled else Reason.RECONCILED.value,
            message if stalled else Reason.RECONCILED.sentence,
        ),
    )


def _preflight(facts: Facts) -> PreflightStatus:
    """What the last run found; a run that still counts survives a change of leaders."""
    run, before = facts.run, facts.subject.status.preflight or PreflightStatus()
    return PreflightStatus(
        checks=list(preflight.current(facts)),
        checklist=list(checklist.items(facts)),
        run_time=render_time(run.began) if run else before.run_time,
        request_seen=run.request if run else before.request_seen,
    )


def _engine(facts: Facts) -> EngineStatus:
    engine = facts.engine
    seen = engine.acknowledgement if engine else None
    report, before = preflight.read_report(facts), facts.subject.status.engine
    told_before = before if before and seen and _same_word(before, seen) else None
    return EngineStatus(
        # A Lease takes a holder of any length; status does not.
        pod=engine.holder[:253] if engine and engine.holder else None,
        state_seen=seen.state if seen else None,
        epoch_seen=seen.epoch if seen else None,
        # Renewals are acknowledged, too, and are no news.
        serial_seen=told_before.serial_seen if told_before else (seen.serial if seen else None),
        acknowledged_time=seen.acknowledged_time if seen else None,
        testnet_trades=None if isinstance(report, str) else report.testnet_trades,
    )


def _same_word(before: EngineStatus, seen: Acknowledgement) -> bool:
    """Whether the engine still says what status shows."""
    shown = (before.state_seen, before.epoch_seen, before.acknowledged_time)
    return shown == (seen.state, seen.epoch, seen.acknowledged_time)
