"""What people read in status: conditions, preflight results, the engine."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import timedelta

import pytest

from golive_api.conditions import Condition, ConditionType
from golive_api.golive import GateState, GoLiveStatus
from golive_api.preflight_report import CheckResult
from golive_api.reasons import Reason
from golive_api.values import render_time
from golive_decisions.deciding import decide
from golive_decisions.facts import Facts

Change = Callable[[Facts, Mapping[str, object]], Facts]
CarryOn = Callable[..., Facts]

UNREADY = {"run.ready.status": 503}
OPTIONAL = {"subject.spec.request.preflight.requirement": "Optional"}
REPORT = "engine.report.text"


def conditions(facts: Facts) -> dict[str, Condition]:
    """The next status' conditions by type."""
    return {condition.type: condition for condition in decide(facts, 5).status.conditions}


def values(facts: Facts) -> dict[str, str]:
    """Their values by type."""
    return {kind: condition.status for kind, condition in conditions(facts).items()}


def test_all_conditions_are_set_on_the_first_visit_in_their_order(born: Facts, change: Change) -> None:
    """Nothing has to be waited for, however little is known."""
    order = [kind.value for kind in ConditionType]
    nothing = {"subject.spec": None, "engine": None, "profile": None, "guard_errors": None}
    assert list(values(born)) == order
    assert list(values(change(born, nothing))) == order


def test_conditions_of_an_open_gate_are_true(opened: Facts) -> None:
    """Every part holds; nothing is going on and nothing is stuck."""
    expected = dict.fromkeys(
        ("Ready", "AdmissionGuarded", "WindowOpen", "Approved", "PreflightPassed", "SafetyClear"), "True"
    )
    seen = values(opened)
    assert seen == expected | {"EngineObeying": "False", "Reconciling": "False", "Stalled": "False"}


def test_what_was_not_read_is_unknown_rather_than_false(good: Facts, change: Change) -> None:
    """A disabled request leaves everything after it unread."""
    disabled = change(good, {"subject.spec.activation": "Disabled", "engine": None, "guard_errors": None})
    seen = conditions(disabled)
    for kind in ("AdmissionGuarded", "Approved", "PreflightPassed", "SafetyClear", "EngineObeying"):
        assert seen[kind].status == "Unknown"
    assert seen["Approved"].reason == Reason.NOT_EVALUATED
    assert seen["Ready"].reason == Reason.ACTIVATION_DISABLED


@pytest.mark.parametrize(
    ("acknowledged", "expected", "says"),
    [("Open", "True", "obeys Open since"), ("Closed", "False", "obeys Closed (GateExpired), the gate is Open")],
)
def test_the_engines_obedience_is_what_it_acknowledged(
    acknowledged: str, expected: str, says: str, opened: Facts, change: Change
) -> None:
    """The state on its Lease is compared with the state of the gate."""
    told = {"engine.acknowledgement.state": acknowledged, "engine.acknowledgement.reason": "GateExpired"}
    seen = conditions(change(opened, told))["EngineObeying"]
    assert seen.status == expected
    assert says in seen.message


@pytest.mark.parametrize("unknown", ["engine.acknowledgement", "engine.holder", "engine"])
def test_obedience_is_unknown_where_nobody_acknowledged(unknown: str, opened: Facts, change: Change) -> None:
    """Silence is not obedience, and not disobedience either."""
    assert values(change(opened, {unknown: None}))["EngineObeying"] == "Unknown"


def test_an_unreadable_object_is_stalled_and_a_closed_gate_is_not(good: Facts, change: Change) -> None:
    """Tools that wait for an object must not hang on a missing approval."""
    stalled = conditions(change(good, {"subject.spec": None, "subject.spec_error": "request: missing"}))[
        "Stalled"
    ]
    assert (stalled.status, stalled.reason, stalled.message) == ("True", "SpecUnreadable", "request: missing")
    assert values(change(good, {"subject.spec.approvals": []}))["Stalled"] == "False"


def test_a_transition_time_moves_only_with_the_status(opened: Facts, change: Change, carry_on: CarryOn) -> None:
    """A renewal leaves it; a change of value sets it to when the facts were read."""
    before = conditions(opened)
    later = carry_on(opened, decide(opened, 5), 60)
    failed = conditions(change(later, UNREADY))
    assert conditions(later) == before
    assert failed["Ready"].last_transition_time == render_time(later.read_time)
    assert failed["Approved"].last_transition_time == before["Approved"].last_transition_time


def test_optional_preflight_shows_what_failed_without_holding_the_gate(
    good: Facts, change: Change, approve: CarryOn
) -> None:
    """The gate opens, the condition and the check's result say what is wrong."""
    plan = decide(change(approve(change(good, OPTIONAL), "approver"), UNREADY), 5)
    shown = {condition.type: condition for condition in plan.status.conditions}
    assert plan.state is GateState.OPEN
    assert plan.status.preflight is not None
    assert {check.name for check in plan.status.preflight.checks if check.result is CheckResult.FAILED} == {
        "check_health_endpoints"
    }
    assert (shown["PreflightPassed"].status, shown["Ready"].status) == ("False", "True")


HOLDING: dict[str, Mapping[str, object]] = {
    "no report": {REPORT: "garbage"},
    "no answers at all": {"engine.report": None},
    "another configuration": {f"{REPORT}.configDigests": ["0" * 64]},
    "an unknown account": {f"{REPORT}.accounts": []},
    "an emergency stop": {f"{REPORT}.emergencyStop": "Active"},
    "a critical risk": {f"{REPORT}.riskState": "CRITICAL"},
}


@pytest.mark.parametrize("sentence", HOLDING)
def test_optional_preflight_does_not_excuse(
    sentence: str, good: Facts, change: Change, approve: CarryOn
) -> None:
    """What identifies the engine, and what it says of its safety, holds the gate in any case."""
    optional = approve(change(good, OPTIONAL), "approver")
    assert decide(optional, 5).state is GateState.OPEN
    assert decide(change(optional, HOLDING[sentence]), 5).state is GateState.CLOSED


@pytest.mark.parametrize(("accepted", "risk", "opens"), [
    ("OK", "OK", True), ("OK", "WARNING", False), ("OK", "CRITICAL", False),
    ("WARNING", "OK", True), ("WARNING", "WARNING", True), ("WARNING", "CRITICAL", False),
])  # fmt: skip
def test_global_risk_is_accepted_up_to_what_the_request_says(
    accepted: str, risk: str, good: Facts, change: Change, approve: CarryOn, *, opens: bool
) -> None:
    """CRITICAL is never accepted."""
    asked = approve(change(good, {"subject.spec.request.safety.riskState": accepted}), "approver")
    plan = decide(change(asked, {f"{REPORT}.riskState": risk}), 5)
    assert (plan.state is GateState.OPEN) == opens


@pytest.mark.parametrize(("requirement", "trades", "opens"), [
    ("Required", 2, False), ("Required", 3, True), ("Optional", 0, True),
])  # fmt: skip
def test_testnet_history_holds_where_it_is_required(
    requirement: str, trades: int, good: Facts, change: Change, approve: CarryOn, *, opens: bool
) -> None:
    """The approved minimum, unless the approved request says Optional."""
    asked = approve(change(good, {"subject.spec.request.safety.testnetHistory": requirement}), "approver")
    plan = decide(change(asked, {f"{REPORT}.testnetTrades": trades}), 5)
    assert (plan.state is GateState.OPEN) == opens


def test_preflight_lists_every_check_in_its_order(born: Facts, change: Change) -> None:
    """The six by their names, also before any of them was tried, and then none has passed."""
    seen = decide(change(born, {"run": None}), 5).status.preflight
    assert seen is not None
    assert [check.name for check in seen.checks] == [
        "check_health_endpoints",
        "check_risk_system",
        "check_exchange_connectivity",
        "check_database_redis",
        "check_observability",
        "check_stress_scenarios",
    ]
    assert {check.result for check in seen.checks} == {CheckResult.ERROR}


def test_preflight_is_shown_anew_only_after_a_run(opened: Facts) -> None:
    """A status that changed with every look would wake everybody who watches it."""
    seen = decide(opened, 5).status
    later = replace(
        opened,
        read_time=opened.read_time + timedelta(seconds=60),
        subject=replace(opened.subject, status=seen),
    )
    assert decide(later, 5).status.preflight == seen.preflight


def test_the_engine_is_shown_as_it_was_last_seen(good: Facts, change: Change) -> None:
    """Pod, acknowledgement and testnet trades; nothing is invented where it said nothing."""
    seen = decide(good, 5).status.engine
    silent = decide(change(good, {"engine.report": None, "engine.acknowledgement": None}), 5).status.engine
    assert good.engine is not None
    assert seen is not None
    assert silent is not None
    assert (seen.pod, seen.state_seen, seen.testnet_trades) == (good.engine.holder, "Closed", 5)
    assert (silent.state_seen, silent.epoch_seen, silent.testnet_trades) == (None, None, None)


def test_a_lease_holder_of_any_length_is_told(good: Facts, change: Change) -> None:
    """A Lease may name a holder longer than any pod's name: the gate stays closed with a message."""
    plan = decide(change(good, {"engine.holder": "h" * 5000}), 5)
    assert (plan.state, plan.reason) == (GateState.CLOSED, Reason.ENGINE_NOT_RUNNING)


def test_status_describes_the_generation_that_was_read(good: Facts, change: Change) -> None:
    """Also where status held nothing before."""
    facts = change(good, {"subject.generation": 17})
    status = decide(replace(facts, subject=replace(facts.subject, status=GoLiveStatus())), 5).status
    assert status.observed_generation == 17
    assert {condition.observed_generation for condition in status.conditions} == {17}
