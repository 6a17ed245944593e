"""The chain: what must hold before real orders may be sent, cheapest and strongest first."""

from collections.abc import Callable

from golive_api.conditions import ConditionType
from golive_api.engine_report import EmergencyStopState
from golive_api.golive import Activation, GateState, RiskState
from golive_api.reasons import Reason
from golive_decisions import checklist, preflight
from golive_decisions.admission import (
    admission_unguarded,
    emergency_stop_applied,
    ladder_not_climbed,
    policy_missing,
    profile_not_allowed,
    window_closed,
)
from golive_decisions.approvals import approvals_missing, approver_group_missing, rejected, request_expired
from golive_decisions.facts import Facts
from golive_decisions.lapsing import gate_lapsed
from golive_decisions.objections import Objection
from golive_decisions.ways_back import BURNING

Check = Callable[[Facts], Objection | None]
"""Looks at the facts and returns an objection, or None."""

_RANK = {state: rank for rank, state in enumerate(RiskState)}


def spec_unreadable(facts: Facts) -> Objection | None:
    """The object holds a value that this version does not know."""
    if facts.subject.spec is not None:
        return None
    return Objection(Reason.SPEC_UNREADABLE, facts.subject.spec_error or "spec is missing", ConditionType.READY)


def being_deleted(facts: Facts) -> Objection | None:
    """Somebody deletes the GoLive."""
    if not facts.subject.deleting:
        return None
    return Objection(Reason.BEING_DELETED, "the GoLive is being deleted", ConditionType.READY)


def activation_disabled(facts: Facts) -> Objection | None:
    """The requester does not want the gate open."""
    spec = facts.subject.spec
    if spec is not None and spec.activation is Activation.ENABLED:
        return None
    message = "spec.activation is Disabled; enabling it makes a new revision that needs new approvals"
    return Objection(Reason.ACTIVATION_DISABLED, message, ConditionType.READY)


def _had_gate(facts: Facts) -> bool:
    return facts.subject.status.gate is not None and facts.subject.status.gate.serial > 0


def gate_removed(facts: Facts) -> Objection | None:
    """A gate that this operator wrote is gone: a person's emergency brake."""
    if facts.gate.exists or not _had_gate(facts):
        return None
    message = "somebody deleted the gate; set activation Disabled, then Enabled, and have it approved again"
    return Objection(Reason.GATE_REMOVED, message, ConditionType.READY)


def gate_closed_by_person(facts: Facts) -> Objection | None:
    """The record says Closed where the operator had written Open: only its state was changed."""
    record = facts.gate.record
    if record is None or record.state is not GateState.CLOSED or record.reason != Reason.OPEN:
        return None
    if record.uid != facts.subject.uid:
        return None  # a predecessor's of the same name: its burns end with it
    message = (
        "somebody set the gate to Closed; set activation Disabled, then Enabled, and have it approved again"
    )
    return Objection(Reason.GATE_CLOSED_BY_PERSON, message, ConditionType.READY)


def revision_burned(facts: Facts) -> Objection | None:
    """This revision was shut for good earlier, as status or the gate itself tells."""
    spec, gate, record = facts.subject.spec, facts.subject.status.gate, facts.gate.record
    if spec is None:
        return None
    if gate is not None and gate.burned_revision >= spec.revision:
        message = f"revision {spec.revision} was shut for good; set activation Disabled, then Enabled"
        return Objection(Reason.REVISION_BURNED, message, ConditionType.READY)
    if record is not None and _gate_tells_of_a_burn(facts, spec.revision):
        return Objection(BURNING[record.reason], record.message, ConditionType.READY)
    return None


def _gate_tells_of_a_burn(facts: Facts, revision: int) -> bool:
    """Whether the standing record was closed for good; its writer may have died before status was written."""
    record = facts.gate.record
    if record is None or record.state is not GateState.CLOSED:
        return False
    mine = (record.uid, record.revision) == (facts.subject.uid, revision)
    return mine and record.reason in BURNING


def engine_contested(facts: Facts) -> Objection | None:
    """Two requests for one engine: nobody knows which limits it would obey."""
    if not facts.rivals:
        return None
    message = f"also enabled for this engine: {', '.join(facts.rivals)}; disable all but one"
    return Objection(Reason.ENGINE_CONTESTED, message, ConditionType.READY)


def profile_missing(facts: Facts) -> Objection | None:
    """There are no limits to hand to the engine."""
    profile, name = facts.profile, facts.terms.profile if facts.terms else ""
    if profile is not None and profile.limits is not None:
        return None
    if profile is not None and profile.error:
        return Objection(
            Reason.PROFILE_UNREADABLE, f"CapitalProfile {name}: {profile.error}", ConditionType.READY
        )
    return Objection(Reason.PROFILE_MISSING, f"CapitalProfile {name} does not exist", ConditionType.READY)


def engine_missing(facts: Facts) -> Objection | None:
    """There is no such Deployment."""
    engine, spec = facts.engine, facts.subject.spec
    if engine is not None and engine.exists:
        return None
    name = spec.request.engine_ref.name if spec is not None else ""
    message = f"Deployment {name} does not exist in namespace {facts.subject.namespace}"
    return Objection(Reason.ENGINE_MISSING, message, ConditionType.READY)


def engine_config_missing(facts: Facts) -> Objection | None:
    """What the engine mounts can't be read, so nobody could approve it."""
    engine = facts.engine
    if engine is not None and engine.identity is not None and not engine.missing_objects:
        return None
    missing = ", ".join(engine.missing_objects) if engine is not None else ""
    return Objection(
        Reason.ENGINE_CONFIG_MISSING, f"missing: {missing or 'configuration'}", ConditionType.READY
    )


def engine_not_running(facts: Facts) -> Objection | None:
    """No pod of this Deployment holds the engine's Lease."""
    engine = facts.engine
    if engine is not None and engine.holder is not None and engine.holder in {pod.name for pod in engine.pods}:
        return None
    holder = engine.holder if engine is not None else None
    message = (
        f"the Lease's holder {holder} is no pod of the engine" if holder else "no pod holds the engine's Lease"
    )
    return Objection(Reason.ENGINE_NOT_RUNNING, message, ConditionType.READY)


def engine_rolling_out(facts: Facts) -> Objection | None:
    """A pod from another template could trade."""
    pods = facts.engine.pods if facts.engine is not None else ()
    others = [pod.name for pod in pods if not pod.follows_template]
    if not others:
        return None
    return Objection(
        Reason.ENGINE_ROLLING_OUT, f"pods of another template: {', '.join(others)}", ConditionType.READY
    )


def engine_pod_differs(facts: Facts) -> Objection | None:
    """A running container is not what the template says."""
    pods = facts.engine.pods if facts.engine is not None else ()
    differing = [f"{pod.name}: {', '.join(pod.differences)}" for pod in pods if pod.differences]
    if not differing:
        return None
    return Objection(Reason.ENGINE_POD_DIFFERS, "; ".join(differing), ConditionType.READY)


def _unreported(why: str) -> Objection:
    return Objection(Reason.ENGINE_REPORT_UNREADABLE, why, ConditionType.SAFETY_CLEAR)


def emergency_stop_active(facts: Facts) -> Objection | None:
    """The engine has stopped itself."""
    report = preflight.read_report(facts)
    if isinstance(report, str):
        return _unreported(report)
    if report.emergency_stop is EmergencyStopState.INACTIVE:
        return None
    message = "the engine's emergency stop is active; release it with a root cause first"
    return Objection(Reason.EMERGENCY_STOP_ACTIVE, message, ConditionType.SAFETY_CLEAR)


def risk_not_acceptable(facts: Facts) -> Objection | None:
    """Global Risk is worse than the request accepts."""
    report = preflight.read_report(facts)
    if isinstance(report, str):
        return _unreported(report)
    accepted = RiskState(facts.terms.risk_state) if facts.terms else RiskState.OK
    if _RANK[report.risk_state] <= _RANK[accepted]:
        return None
    why = ", ".join(report.risk_reasons) or "no reason given"
    message = f"Global Risk is {report.risk_state} ({why}), accepted is {accepted}"
    return Objection(Reason.RISK_NOT_ACCEPTABLE, message, ConditionType.SAFETY_CLEAR)


def testnet_history_short(facts: Facts) -> Objection | None:
    """The engine has not traded enough on testnet."""
    report, terms = preflight.read_report(facts), facts.terms
    if isinstance(report, str) or terms is None:
        return _unreported(str(report))
    if report.testnet_trades >= terms.testnet_trades_needed:
        return None
    message = f"{report.testnet_trades} of {terms.testnet_trades_needed} filled testnet orders"
    return Objection(Reason.TESTNET_HISTORY_SHORT, message, ConditionType.SAFETY_CLEAR)


CHAIN: tuple[Check, ...] = (
    spec_unreadable,  # nothing else can be asked of such an object
    being_deleted,  # its word no longer counts
    activation_disabled,  # a person's no needs no further reading
    gate_removed,  # a person's brake, before anything could re-create the gate open
    gate_closed_by_person,  # the same brake, by edit
    gate_lapsed,  # what nobody watched over for too long starts anew
    revision_burned,  # a brake once pulled stays pulled
    admission_unguarded,  # else approvals prove nothing
    policy_missing,  # what may be asked for at all
    profile_not_allowed,  # the rung is one of those
    window_closed,  # this is the time for it
    emergency_stop_applied,  # nobody has stopped the engine
    rejected,  # one no outweighs every yes
    request_expired,  # and an old yes is none
    engine_contested,  # decided from the request alone
    ladder_not_climbed,  # one rung at a time
    profile_missing,  # approvals are bound to its limits
    engine_missing,  # approvals are bound to its template
    engine_config_missing,  # and to what it mounts
    approvals_missing,  # consent to exactly this, before the engine is even asked
    approver_group_missing,  # by the right people
    engine_not_running,  # somebody must hold the Lease
    engine_rolling_out,  # what runs is what was approved
    engine_pod_differs,  # down to the container
    preflight.report_unreadable,  # everything after it reads the report
    preflight.config_stale,  # running configuration is the approved one
    preflight.account_not_traded,  # a typing error here would open a gate for nobody
    emergency_stop_active,  # the engine's own brake
    risk_not_acceptable,  # its own judgement
    testnet_history_short,  # its record
    preflight.preflight_failed,  # the six checks and the policy's own
    checklist.checklist_incomplete,  # and what people vouch for
)
"""Order of the reasons: the first objection that holds the gate is the one that people see."""


def objections(facts: Facts) -> tuple[Objection, ...]:
    """Every objection, in the chain's order."""
    return tuple(found for check in CHAIN if (found := check(facts)) is not None)
