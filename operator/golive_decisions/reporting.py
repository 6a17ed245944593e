"""The status that people read: conditions, preflight results, engine, approvals."""

from golive_api.conditions import Condition, ConditionType, carry_times
from golive_api.golive import (
    CheckResult,
    EngineStatus,
    GateState,
    GateStatus,
    GoLiveStatus,
    PreflightCheck,
    PreflightStatus,
)
from golive_api.reasons import Reason
from golive_api.values import render_time
from golive_decisions import preflight
from golive_decisions.approvals import current_digest, valid_approvals
from golive_decisions.facts import Facts
from golive_decisions.objections import Objection

_HOLDS = (
    (ConditionType.ADMISSION_GUARDED, Reason.GUARDED),
    (ConditionType.APPROVED, Reason.APPROVED),
    (ConditionType.PREFLIGHT_PASSED, Reason.PREFLIGHT_PASSED),
    (ConditionType.SAFETY_CLEAR, Reason.SAFETY_CLEAR),
)
"""Conditions that follow from the chain, and the reason while they hold."""

_HARMLESS = frozenset({Reason.ACTIVATION_DISABLED, Reason.BEING_DELETED})
_STALLED = frozenset({Reason.SPEC_UNREADABLE})
_PERMANENT = ConditionType.STALLED


def status(facts: Facts, found: tuple[Objection, ...], gate: GateStatus, message: str) -> GoLiveStatus:
    """Everything that the operator says about the object, all conditions set on the first visit."""
    before = facts.subject.status
    conditions = [
        _ready(facts, gate, message),
        *(_from_chain(facts, found, kind, reason) for kind, reason in _HOLDS),
        _obeying(facts, gate),
        *_kstatus(facts, gate, message),
    ]
    needed = facts.approvals_needed
    return GoLiveStatus(
        conditions=carry_times(before.conditions, conditions),
        observed_generation=facts.subject.generation,
        digest=current_digest(facts),
        approval_summary=f"{len(valid_approvals(facts))}/{needed}"
        if facts.engine is not None
        else f"0/{needed}",
        gate=gate,
        preflight=_preflight(facts) if facts.engine is not None else None,
        engine=_engine(facts) if facts.engine is not None else None,
    )


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
    before = {check.name: check for check in (facts.subject.status.preflight or PreflightStatus()).checks}
    checks = []
    for name, check in preflight.CHECKS:
        objection = check(facts)
        result = CheckResult.FAILED if objection else CheckResult.PASSED
        reason = objection.reason.value if objection else Reason.PREFLIGHT_PASSED.value
        old = before.get(name)
        same = old is not None and old.result is result and old.reason == reason
        checks.append(
            PreflightCheck(
                name=name,
                result=result,
                reason=reason,
                message=objection.message[:1024] if objection else "",
                checked_time=old.checked_time if same and old else render_time(facts.read_time),
            )
        )
    return PreflightStatus(checks=checks)


def _engine(facts: Facts) -> EngineStatus:
    engine = facts.engine
    seen = engine.acknowledgement if engine else None
    report = preflight.read_report(facts)
    return EngineStatus(
        # A Lease takes a holder of any length; status does not.
        pod=engine.holder[:253] if engine and engine.holder else None,
        state_seen=seen.state if seen else None,
        epoch_seen=seen.epoch if seen else None,
        serial_seen=seen.serial if seen else None,
        acknowledged_time=seen.acknowledged_time if seen else None,
        testnet_trades=None if isinstance(report, str) else report.testnet_trades,
    )
