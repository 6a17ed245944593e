"""Each objection of the chain, alone, against facts in which everything else holds."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta

import pytest

from golive_api.conditions import ConditionType
from golive_api.golive import GateState
from golive_api.reasons import Reason
from golive_decisions.checks import CHAIN, UNREAD_WHEN_DISABLED, objections
from golive_decisions.deciding import decide
from golive_decisions.facts import Facts, GateFacts, PodFacts, ProfileFacts

Change = Callable[[Facts, Mapping[str, object]], Facts]
"""Sets values by dotted path."""

READY = ConditionType.READY
GUARDED = ConditionType.ADMISSION_GUARDED
APPROVED = ConditionType.APPROVED
PREFLIGHT = ConditionType.PREFLIGHT_PASSED
SAFETY = ConditionType.SAFETY_CLEAR
REPORT = "engine.preflight.report.text"
OTHER = "0" * 64


@dataclass(frozen=True)
class Row:
    """What is changed in good facts, and what must come of it."""

    changes: Mapping[str, object]
    reason: Reason
    condition: ConditionType
    says: str = ""
    """Words that the message must hold."""


TABLE = {
    "a spec with an unknown value": Row(
        {"subject.spec": None, "subject.spec_error": "activation: unknown"},
        Reason.SPEC_UNREADABLE, READY, "activation: unknown",
    ),
    "a GoLive on its way out": Row({"subject.deleting": True}, Reason.BEING_DELETED, READY, "deleted"),
    "a requester who wants it closed": Row(
        {"subject.spec.activation": "Disabled"}, Reason.ACTIVATION_DISABLED, READY, "spec.activation",
    ),
    "a gate that somebody deleted": Row(
        {"gate": GateFacts(exists=False)}, Reason.GATE_REMOVED, READY, "deleted the gate",
    ),
    "a gate that somebody set to Closed": Row(
        {"gate.record.reason": "Open"}, Reason.GATE_CLOSED_BY_PERSON, READY, "set the gate to Closed",
    ),
    "a revision that was shut for good": Row(
        {"subject.status.gate.burnedRevision": 1}, Reason.REVISION_BURNED, READY, "revision 1",
    ),
    "a guard that let a forgery through": Row(
        {"guard_errors": ("a forged approval passed",)}, Reason.ADMISSION_UNGUARDED, GUARDED, "forged approval",
    ),
    "a guard that was never tried": Row(
        {"guard_errors": None}, Reason.ADMISSION_UNGUARDED, GUARDED, "not tried",
    ),
    "a second GoLive for the engine": Row({"rivals": ("other",)}, Reason.ENGINE_CONTESTED, READY, "other"),
    "a profile that does not exist": Row(
        {"profile": ProfileFacts(None)}, Reason.PROFILE_MISSING, READY, "CapitalProfile micro",
    ),
    "a profile that was not read": Row({"profile": None}, Reason.PROFILE_MISSING, READY, "micro"),
    "a profile that makes no sense": Row(
        {"profile": ProfileFacts(None, "maxPositions: -1")}, Reason.PROFILE_UNREADABLE, READY, "maxPositions",
    ),
    "an engine that does not exist": Row(
        {"engine.exists": False}, Reason.ENGINE_MISSING, READY, "Deployment perps-engine does not exist",
    ),
    "an engine that was not read": Row({"engine": None}, Reason.ENGINE_MISSING, READY, "perps-engine"),
    "a mounted object that does not exist": Row(
        {"engine.missing_objects": ("configmaps/c",)}, Reason.ENGINE_CONFIG_MISSING, READY, "configmaps/c",
    ),
    "an engine whose configuration was not read": Row(
        {"engine.identity": None}, Reason.ENGINE_CONFIG_MISSING, READY, "configuration",
    ),
    "nobody's approval": Row({"subject.spec.approvals": []}, Reason.APPROVALS_MISSING, APPROVED, "0 of 1"),
    "a pod template that nobody approved": Row(
        {"engine.identity.template": {"spec": {}}}, Reason.ENGINE_CHANGED, APPROVED, "engine changed",
    ),
    "limits that nobody approved": Row(
        {"profile.limits.maxPositions": 3}, Reason.PROFILE_CHANGED, APPROVED, "profile changed",
    ),
    "a request that nobody approved": Row(
        {"subject.spec.request.accounts": ["main", "second"]}, Reason.REQUEST_CHANGED, APPROVED, "approver",
    ),
    "an engine's Lease that nobody holds": Row(
        {"engine.holder": None}, Reason.ENGINE_NOT_RUNNING, READY, "no pod holds",
    ),
    "an engine's Lease that a stranger holds": Row(
        {"engine.holder": "stranger"}, Reason.ENGINE_NOT_RUNNING, READY, "stranger",
    ),
    "an engine without pods": Row({"engine.pods": ()}, Reason.ENGINE_NOT_RUNNING, READY, "perps-engine-7d4b9"),
    "a pod of another template": Row(
        {"engine.pods.0.follows_template": False}, Reason.ENGINE_ROLLING_OUT, READY, "perps-engine-7d4b9",
    ),
    "a container that differs": Row(
        {"engine.pods.0.differences": ("engine.image",)}, Reason.ENGINE_POD_DIFFERS, READY, "engine.image",
    ),
    "a trading pod that was not asked": Row(
        {"engine.preflight": None}, Reason.ENGINE_UNREACHABLE, PREFLIGHT, "no trading pod",
    ),
    "an engine that hangs": Row(
        {"engine.preflight.live.status": None, "engine.preflight.live.error": "no answer within 2 s"},
        Reason.ENGINE_UNREACHABLE, PREFLIGHT, "/health/live: no answer within 2 s",
    ),
    "a cycle that stands still": Row(
        {"engine.preflight.live.status": 503, "engine.preflight.live.text": "\n no cycle for 90 s\nmore"},
        Reason.HEALTH_LIVE_FAILED, PREFLIGHT, "/health/live answered 503: no cycle for 90 s",
    ),
    "an engine that is not reconciled": Row(
        {"engine.preflight.ready.status": 503, "engine.preflight.ready.text": ""},
        Reason.HEALTH_READY_FAILED, PREFLIGHT, "/health/ready answered 503: no text",
    ),
    "an endpoint that redirects": Row(
        {"engine.preflight.ready.status": 302}, Reason.HEALTH_READY_FAILED, PREFLIGHT, "302",
    ),
    "a series that only a comment names": Row(
        {"engine.preflight.metrics.text": "# TYPE ess_triggers_total counter\n"},
        Reason.METRICS_MISSING, PREFLIGHT, "ess_triggers_total",
    ),
    "metrics that are not served": Row(
        {"engine.preflight.metrics.status": 404}, Reason.METRICS_MISSING, PREFLIGHT, "/metrics answered 404",
    ),
    "a report that is not JSON": Row(
        {REPORT: "<html>"}, Reason.ENGINE_REPORT_UNREADABLE, PREFLIGHT, "/status: body",
    ),
    "a report that is not served": Row(
        {"engine.preflight.report.status": 500}, Reason.ENGINE_REPORT_UNREADABLE, PREFLIGHT, "/status: 500",
    ),
    "a report with an unknown field": Row(
        {f"{REPORT}.mood": "good"}, Reason.ENGINE_REPORT_UNREADABLE, PREFLIGHT, "mood",
    ),
    "a report of another version": Row(
        {f"{REPORT}.version": "v2"}, Reason.ENGINE_REPORT_UNREADABLE, PREFLIGHT, "version",
    ),
    "another engine's report": Row(
        {f"{REPORT}.engine": "other"}, Reason.ENGINE_REPORT_UNREADABLE, PREFLIGHT, "speaks for other",
    ),
    "another pod's report": Row(
        {f"{REPORT}.pod": "standby"}, Reason.ENGINE_REPORT_UNREADABLE, PREFLIGHT, "standby",
    ),
    "a pod that stands by": Row(
        {f"{REPORT}.leading": False}, Reason.ENGINE_REPORT_UNREADABLE, PREFLIGHT, "leading=False",
    ),
    "an engine that is not armed": Row(
        {f"{REPORT}.armed": False}, Reason.ENGINE_REPORT_UNREADABLE, PREFLIGHT, "not reconciled",
    ),
    "a configuration that is not mounted": Row(
        {f"{REPORT}.configDigests": [OTHER]}, Reason.ENGINE_CONFIG_STALE, PREFLIGHT, "restart",
    ),
    "an engine that names no configuration": Row(
        {f"{REPORT}.configDigests": []}, Reason.ENGINE_CONFIG_STALE, PREFLIGHT, "restart",
    ),
    "an account that the engine does not have": Row(
        {f"{REPORT}.accounts.0.name": "mian"}, Reason.ACCOUNT_NOT_TRADED, PREFLIGHT, "(it has: mian)",
    ),
    "an account that does not know where it stands": Row(
        {f"{REPORT}.accounts.0.reconciled": False}, Reason.ACCOUNT_NOT_TRADED, PREFLIGHT, "reconciled",
    ),
    "an account that is only on testnet": Row(
        {f"{REPORT}.accounts.0.environment": "testnet"}, Reason.ACCOUNT_NOT_TRADED, PREFLIGHT, "none",
    ),
    "answers that are too old": Row(
        {"engine.preflight.read_time": timedelta(seconds=-301)}, Reason.PREFLIGHT_STALE, PREFLIGHT, "301 s old",
    ),
    "answers from the future": Row(
        {"engine.preflight.read_time": timedelta(seconds=301)}, Reason.PREFLIGHT_STALE, PREFLIGHT, "-301 s old",
    ),
    "an active emergency stop": Row(
        {f"{REPORT}.emergencyStop": "Active"}, Reason.EMERGENCY_STOP_ACTIVE, SAFETY, "root cause",
    ),
    "a Global Risk above what is accepted": Row(
        {f"{REPORT}.riskState": "WARNING"}, Reason.RISK_NOT_ACCEPTABLE, SAFETY,
        "is WARNING (quiet), accepted is OK",
    ),
    "a critical Global Risk": Row(
        {f"{REPORT}.riskState": "CRITICAL"}, Reason.RISK_NOT_ACCEPTABLE, SAFETY, "CRITICAL",
    ),
    "too few trades on testnet": Row(
        {f"{REPORT}.testnetTrades": 2}, Reason.TESTNET_HISTORY_SHORT, SAFETY, "2 of 3",
    ),
}  # fmt: skip  # one row, one promise
"""English sentence to change and outcome."""


def applied(change: Change, facts: Facts, row: Row) -> Facts:
    """The facts with a row's changes; a span of time counts from when the facts were read."""
    return change(
        facts,
        {
            path: facts.read_time + value if isinstance(value, timedelta) else value
            for path, value in row.changes.items()
        },
    )


@pytest.mark.parametrize("sentence", TABLE)
def test_the_gate_stays_closed_for(sentence: str, good: Facts, change: Change) -> None:
    """Each objection alone keeps the gate closed, with its reason, and makes one condition False."""
    row = TABLE[sentence]
    facts = applied(change, good, row)
    plan = decide(facts, 5)
    false = {condition.type: condition for condition in plan.status.conditions if condition.status != "True"}
    found = next(objection for objection in objections(facts) if objection.reason is row.reason)
    assert (plan.state, plan.reason) == (GateState.CLOSED, row.reason)
    assert plan.gate is not None
    assert (plan.gate.state, plan.gate.reason) == (GateState.CLOSED, row.reason.value)
    assert found.about is row.condition
    assert row.condition.value in false
    assert row.says in found.message
    assert false[READY.value].reason == row.reason.value


@pytest.mark.parametrize("sentence", [sentence for sentence in TABLE if "gate" not in sentence])
def test_an_open_gate_closes_at_once_for(sentence: str, opened: Facts, change: Change) -> None:
    """The same facts shut a gate that is open, in the very next plan, with one warning."""
    plan = decide(applied(change, opened, TABLE[sentence]), 5)
    assert plan.gate is not None
    assert (plan.gate.state, plan.state) == (GateState.CLOSED, GateState.CLOSED)
    assert [event.warning for event in plan.events] == [True]


def test_good_facts_raise_no_objection(good: Facts) -> None:
    """The table starts from facts that do open the gate, else it would prove nothing."""
    assert objections(good) == ()
    assert decide(good, 5).state is GateState.OPEN


def test_every_check_of_the_chain_has_a_row(good: Facts, change: Change) -> None:
    """Nobody adds a check without a row that shows it at work."""
    tables = [applied(change, good, row) for row in TABLE.values()]
    assert [check.__name__ for check in CHAIN if not any(check(facts) for facts in tables)] == []


def test_the_first_objection_of_the_chain_is_the_one_that_people_see(good: Facts, change: Change) -> None:
    """With everything wrong, curing the seen reason shows the next one of the chain, in the chain's order."""
    cures: list[tuple[Reason, Mapping[str, object]]] = [
        (Reason.SPEC_UNREADABLE, {"subject.spec": good.subject.spec, "subject.spec.activation": "Disabled"}),
        (Reason.BEING_DELETED, {"subject.deleting": False}),
        (Reason.ACTIVATION_DISABLED, {"subject.spec.activation": "Enabled"}),
        (Reason.GATE_REMOVED, {"gate": good.gate, "gate.record.reason": "Open"}),
        (Reason.GATE_CLOSED_BY_PERSON, {"gate": good.gate}),
        (Reason.REVISION_BURNED, {"subject.status.gate.burnedRevision": 0}),
        (Reason.ADMISSION_UNGUARDED, {"guard_errors": ()}),
        (Reason.ENGINE_CONTESTED, {"rivals": ()}),
        (Reason.PROFILE_MISSING, {"profile": good.profile}),
        (Reason.ENGINE_MISSING, {"engine": good.engine, "engine.missing_objects": ("secrets/s",)}),
        (Reason.ENGINE_CONFIG_MISSING, {"engine.missing_objects": (), "subject.spec.approvals": []}),
        (Reason.APPROVALS_MISSING, {"subject.spec": good.subject.spec, "engine.holder": None}),
        (Reason.ENGINE_NOT_RUNNING, {"engine": good.engine, "engine.pods": everything_wrong(good)}),
        (Reason.ENGINE_ROLLING_OUT, {"engine.pods.1.follows_template": True}),
        (Reason.ENGINE_POD_DIFFERS, {"engine.pods": pods(good), "engine.preflight.live.status": 500}),
        (
            Reason.HEALTH_LIVE_FAILED,
            {"engine.preflight.live.status": 200, "engine.preflight.ready.status": 500},
        ),
        (
            Reason.HEALTH_READY_FAILED,
            {"engine.preflight.ready.status": 200, "engine.preflight.metrics.text": ""},
        ),
        (Reason.METRICS_MISSING, {"engine.preflight": preflight(good), REPORT: "{}"}),
        (Reason.ENGINE_REPORT_UNREADABLE, {"engine": good.engine, **all_in_the_report()}),
        (Reason.ENGINE_CONFIG_STALE, {f"{REPORT}.configDigests": sorted(digests(good))}),
        (Reason.ACCOUNT_NOT_TRADED, {f"{REPORT}.accounts.0.name": "main"}),
        (Reason.EMERGENCY_STOP_ACTIVE, {f"{REPORT}.emergencyStop": "Inactive"}),
        (Reason.RISK_NOT_ACCEPTABLE, {f"{REPORT}.riskState": "OK"}),
        (Reason.TESTNET_HISTORY_SHORT, {f"{REPORT}.testnetTrades": 3}),
    ]
    wrong: dict[str, object] = {
        "subject.status.gate.burnedRevision": 1, "subject.spec": None, "subject.deleting": True,
        "gate": GateFacts(exists=False), "guard_errors": None, "rivals": ("other",),
        "profile": None, "engine": None,
    }  # fmt: skip
    facts, seen = change(good, wrong), []
    for _, cure in cures:
        seen.append(decide(facts, 5).reason)
        facts = change(facts, cure)
    assert seen == [reason for reason, _ in cures]
    assert decide(facts, 5).state is GateState.OPEN


def everything_wrong(good: Facts) -> tuple[PodFacts, ...]:
    """The trading pod with a differing container, and one of another template beside it."""
    return (*(PodFacts(pod.name, follows_template=True, differences=("engine.image",)) for pod in pods(good)),
            PodFacts("older", follows_template=False))  # fmt: skip


def pods(good: Facts) -> tuple[PodFacts, ...]:
    """The good engine's pods."""
    assert good.engine is not None
    return good.engine.pods


def preflight(good: Facts) -> object:
    """The good engine's answers."""
    assert good.engine is not None
    return good.engine.preflight


def digests(good: Facts) -> frozenset[str]:
    """What the good engine mounts."""
    assert good.engine is not None
    return good.engine.config_digests


def all_in_the_report() -> dict[str, object]:
    """Every objection that a readable report can raise."""
    wrong = {"configDigests": [OTHER], "emergencyStop": "Active", "riskState": "CRITICAL", "testnetTrades": 0}
    return {f"{REPORT}.{key}": value for key, value in wrong.items()} | {f"{REPORT}.accounts.0.name": "mian"}


def test_the_reasons_that_need_no_further_reading_come_first() -> None:
    """Closing waits for no read: the checks that suffice without one are the chain's beginning."""
    assert set(CHAIN[: len(UNREAD_WHEN_DISABLED)]) == UNREAD_WHEN_DISABLED
