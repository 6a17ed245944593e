"""Each objection of the chain, alone, against facts in which everything else holds."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta

import pytest

from golive_api.conditions import ConditionType
from golive_api.golive import GateState, History
from golive_api.policy import Effect, Rung, Window
from golive_api.reasons import Reason
from golive_decisions.checks import CHAIN, objections
from golive_decisions.deciding import decide
from golive_decisions.facts import Facts, GateFacts, PodFacts, ProfileFacts, StopFacts
from golive_decisions.ways_back import WAYS_BACK, WayBack

Change = Callable[[Facts, Mapping[str, object]], Facts]
"""Sets values by dotted path."""

READY = ConditionType.READY
GUARDED = ConditionType.ADMISSION_GUARDED
APPROVED = ConditionType.APPROVED
PREFLIGHT = ConditionType.PREFLIGHT_PASSED
SAFETY = ConditionType.SAFETY_CLEAR
REPORT = "engine.report.text"
FINDINGS = "run.engine.text"
OTHER = "0" * 64
FREEZE = Window(name="freeze", effect=Effect.DENY, start="2026-11-20T00:00:00", duration_seconds=86_400)
HELD = History(request_revision=1, last_open_time="2026-11-20T11:54:00.000000Z")
STALE = History(request_revision=1, request_time="2026-11-18T12:00:00.000000Z")


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
        {"engine.report": None}, Reason.ENGINE_UNREACHABLE, PREFLIGHT, "no trading pod",
    ),
    "an engine that hangs": Row(
        {"run.live.status": None, "run.live.error": "no answer within 2 s"},
        Reason.ENGINE_UNREACHABLE, PREFLIGHT, "/health/live: no answer within 2 s",
    ),
    "a cycle that stands still": Row(
        {"run.live.status": 503, "run.live.text": "\n no cycle for 90 s\nmore"},
        Reason.HEALTH_LIVE_FAILED, PREFLIGHT, "/health/live answered 503: no cycle for 90 s",
    ),
    "an engine that is not reconciled": Row(
        {"run.ready.status": 503, "run.ready.text": ""},
        Reason.HEALTH_READY_FAILED, PREFLIGHT, "/health/ready answered 503: no text",
    ),
    "an endpoint that redirects": Row(
        {"run.ready.status": 302}, Reason.HEALTH_READY_FAILED, PREFLIGHT, "302",
    ),
    "a series that only a comment names": Row(
        {"run.metrics.text": "# TYPE ess_triggers_total counter\n"},
        Reason.METRICS_MISSING, PREFLIGHT, "ess_triggers_total",
    ),
    "metrics that are not served": Row({"run.metrics.status": 404}, Reason.CHECK_ERROR, PREFLIGHT, "404"),
    "a report that is not JSON": Row(
        {REPORT: "<html>"}, Reason.ENGINE_REPORT_UNREADABLE, PREFLIGHT, "/status: body",
    ),
    "a report that is not served": Row(
        {"engine.report.status": 500}, Reason.ENGINE_REPORT_UNREADABLE, PREFLIGHT, "/status: answered 500",
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
    "a preflight that nobody ran": Row(
        {"run": None, "subject.status.preflight": None}, Reason.PREFLIGHT_PENDING, PREFLIGHT, "not run yet",
    ),
    "a gate that was held shut for too long": Row(
        {
            "subject.status.history": HELD,
            "subject.status.gate.reason": "EmergencyStopActive",
            "subject.status.gate.openedRevision": 1,
        },
        Reason.GATE_LAPSED, READY, "longer than 300 s",
    ),
    "a preflight that is too old": Row(
        {"run.began": timedelta(seconds=-301)}, Reason.PREFLIGHT_STALE, PREFLIGHT, "within the last 300 s",
    ),
    "a preflight from the future": Row(
        {"run.began": timedelta(seconds=301)}, Reason.PREFLIGHT_STALE, PREFLIGHT, "within the last 300 s",
    ),
    "a preflight of another pod": Row(
        {"run.pod": "older"}, Reason.PREFLIGHT_STALE, PREFLIGHT, "pod older was asked",
    ),
    "a preflight of another configuration": Row(
        {"run.digest": f"{OTHER}.{OTHER}.{OTHER}"}, Reason.PREFLIGHT_STALE, PREFLIGHT, "changed since",
    ),
    "a venue that refuses the key": Row(
        {f"{FINDINGS}.exchange.2.result": "Failed"}, Reason.EXCHANGE_UNCONNECTED, PREFLIGHT, "credentials",
    ),
    "a journal that forgets": Row(
        {f"{FINDINGS}.database.1.result": "Failed"}, Reason.DATABASE_FAILED, PREFLIGHT, "read-back",
    ),
    "a scenario that failed": Row(
        {f"{FINDINGS}.stress.0.result": "Failed"}, Reason.STRESS_SCENARIOS_FAILED, PREFLIGHT, "flash-crash",
    ),
    "an item that nobody vouches for": Row(
        {"terms.checks.checklist_required": frozenset({"team-trained"})},
        Reason.CHECKLIST_INCOMPLETE, PREFLIGHT, "team-trained: Missing",
    ),
    "no policy": Row({"terms": None}, Reason.POLICY_MISSING, READY, "namespace trading"),
    "a policy that can't be read": Row(
        {"terms": None, "policy_error": "ActivationPolicy strict: windows"}, Reason.POLICY_UNREADABLE, READY,
        "ActivationPolicy strict",
    ),
    "a profile that no policy allows": Row(
        {"terms.allowed_profiles": frozenset({"low"})}, Reason.PROFILE_NOT_ALLOWED, READY, "allowed: low",
    ),
    "a rung that was not climbed to": Row(
        {"terms.ladder": (Rung(profile="micro", after="paper", minimum_open_seconds=60),)},
        Reason.LADDER_NOT_CLIMBED, READY, "60 s open with paper first, so far 0 s",
    ),
    "a window that is shut": Row(
        {"terms.windows": ((FREEZE,),)}, Reason.WINDOW_CLOSED, ConditionType.WINDOW_OPEN, "freeze",
    ),
    "a window that can't be read": Row(
        {"terms.windows": ((FREEZE.model_copy(update={"time_zone": "Moon/Tranquility"}),),)},
        Reason.WINDOW_UNREADABLE, ConditionType.WINDOW_OPEN, "freeze",
    ),
    "an emergency stop that somebody applied": Row(
        {"stops": (StopFacts("fat-finger", "too large"),)}, Reason.EMERGENCY_STOP_APPLIED, SAFETY, "fat-finger",
    ),
    "emergency stops that were not read": Row(
        {"stops": None}, Reason.EMERGENCY_STOP_UNKNOWN, SAFETY, "not read",
    ),
    "somebody's no": Row(
        {"subject.spec.approvals.0.verdict": "Rejected"}, Reason.REJECTED, APPROVED, "rejected by approver",
    ),
    "a request that nobody opened in time": Row(
        {"subject.status.history": STALE, "subject.status.gate.openedRevision": None}, Reason.REQUEST_EXPIRED,
        APPROVED, "86400 s",
    ),
    "a group that has not agreed": Row(
        {"terms.required_groups": ("risk",)}, Reason.APPROVER_GROUP_MISSING, APPROVED, "risk",
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
        (
            Reason.POLICY_MISSING,
            {
                "terms": good.terms,
                "terms.allowed_profiles": frozenset(),
                "terms.windows": ((FREEZE,),),
                "terms.ladder": (Rung(profile="micro", after="paper", minimum_open_seconds=60),),
                "terms.checks.checklist_required": frozenset({"team-trained"}),
            },
        ),
        (Reason.PROFILE_NOT_ALLOWED, {"terms.allowed_profiles": frozenset({"micro"})}),
        (Reason.WINDOW_CLOSED, {"terms.windows": ()}),
        (Reason.EMERGENCY_STOP_UNKNOWN, {"stops": ()}),
        (Reason.ENGINE_CONTESTED, {"rivals": ()}),
        (Reason.LADDER_NOT_CLIMBED, {"terms.ladder": ()}),
        (Reason.PROFILE_MISSING, {"profile": good.profile}),
        (Reason.ENGINE_MISSING, {"engine": good.engine, "engine.missing_objects": ("secrets/s",)}),
        (Reason.ENGINE_CONFIG_MISSING, {"engine.missing_objects": (), "subject.spec.approvals": []}),
        (Reason.APPROVALS_MISSING, {"subject.spec": good.subject.spec, "engine.holder": None}),
        (Reason.ENGINE_NOT_RUNNING, {"engine": good.engine, "engine.pods": everything_wrong(good)}),
        (Reason.ENGINE_ROLLING_OUT, {"engine.pods.1.follows_template": True}),
        (Reason.ENGINE_POD_DIFFERS, {"engine.pods": pods(good), REPORT: "{}"}),
        (Reason.ENGINE_REPORT_UNREADABLE, {"engine": good.engine, **all_in_the_report()}),
        (Reason.ENGINE_CONFIG_STALE, {f"{REPORT}.configDigests": sorted(digests(good))}),
        (Reason.ACCOUNT_NOT_TRADED, {f"{REPORT}.accounts.0.name": "main"}),
        (Reason.EMERGENCY_STOP_ACTIVE, {f"{REPORT}.emergencyStop": "Inactive"}),
        (Reason.RISK_NOT_ACCEPTABLE, {f"{REPORT}.riskState": "OK"}),
        (Reason.TESTNET_HISTORY_SHORT, {f"{REPORT}.testnetTrades": 3}),
        (Reason.PREFLIGHT_PENDING, {"run": good.run, "run.live.status": 500}),
        (Reason.HEALTH_LIVE_FAILED, {"run.live.status": 200, "run.ready.status": 500}),
        (Reason.HEALTH_READY_FAILED, {"run.ready.status": 200, "run.metrics.text": ""}),
        (Reason.METRICS_MISSING, {"run": good.run}),
        (Reason.CHECKLIST_INCOMPLETE, {"terms": good.terms}),
    ]
    wrong: dict[str, object] = {
        "subject.status.gate.burnedRevision": 1, "subject.spec": None, "subject.deleting": True,
        "gate": GateFacts(exists=False), "guard_errors": None, "rivals": ("other",),
        "profile": None, "engine": None, "terms": None, "stops": None, "run": None,
        "subject.status.preflight": None,
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


def digests(good: Facts) -> frozenset[str]:
    """What the good engine mounts."""
    assert good.engine is not None
    return good.engine.config_digests


def all_in_the_report() -> dict[str, object]:
    """Every objection that a readable report can raise."""
    wrong = {"configDigests": [OTHER], "emergencyStop": "Active", "riskState": "CRITICAL", "testnetTrades": 0}
    return {f"{REPORT}.{key}": value for key, value in wrong.items()} | {f"{REPORT}.accounts.0.name": "mian"}


def test_every_reason_of_the_chain_has_a_way_back(good: Facts, change: Change) -> None:
    """The table of ways back knows every reason for which a gate is closed, and no other."""
    raised = {found.reason for row in TABLE.values() for found in objections(applied(change, good, row))}
    assert raised - WAYS_BACK.keys() == set()


def test_what_burns_a_revision_is_what_the_table_says(good: Facts, change: Change) -> None:
    """Nothing that burns is shown as something that comes back by itself."""
    for sentence, row in TABLE.items():
        if row.reason is Reason.SPEC_UNREADABLE:
            continue  # nobody knows which revision to burn
        gate = decide(applied(change, good, row), 5).status.gate
        assert gate is not None
        burned = gate.burned_revision >= 1
        assert burned == (WAYS_BACK[row.reason] is WayBack.BY_REVISION), sentence
