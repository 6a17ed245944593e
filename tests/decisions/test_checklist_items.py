"""The checklist of seed 004: each item measured where a machine can, vouched for by name otherwise."""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from golive_api.checklist import BY_ID, ITEMS, Kind, Machine, Phase
from golive_api.golive import Attestation, ItemState, Requirement
from golive_api.policy import Observability
from golive_api.preflight_report import CheckResult
from golive_api.values import render_time
from golive_decisions import checklist, preflight
from golive_decisions.facts import Facts
from golive_decisions.machine_items import MEASURES
from golive_decisions.preflight_run import Answer

Change = Callable[[Facts, Mapping[str, object]], Facts]
"""Sets values by dotted path."""

PASSED, ATTESTED, FAILED, ERROR, MISSING, LAPSED = ItemState
PROMETHEUS, GRAFANA = "http://prometheus:9090", "http://grafana:3000"
ENGINE_ITEMS = [item for item in ITEMS if item.machine is Machine.ENGINE]
POD = "perps-engine-7d4b9-x2x1p"


def require(facts: Facts, *names: str) -> Facts:
    """Facts in which a policy requires these items."""
    assert facts.terms is not None
    return replace(
        facts,
        terms=replace(facts.terms, checks=replace(facts.terms.checks, checklist_required=frozenset(names))),
    )


def attest(facts: Facts, name: str, **changes: Any) -> Facts:
    """Facts in which a person vouches for an item, an hour ago."""
    said = {
        "item": name,
        "user": "approver",
        "uid": facts.subject.uid,
        "time": render_time(facts.read_time - timedelta(hours=1)),
        "comment": "seen",
    }
    assert facts.subject.spec is not None
    words = [*facts.subject.spec.attestations, Attestation.model_validate({**said, **changes})]
    spec = facts.subject.spec.model_copy(update={"attestations": words})
    return replace(facts, subject=replace(facts.subject, spec=spec))


def item(facts: Facts, name: str) -> tuple[ItemState, str]:
    """State and message of an item."""
    found = {each.item: each for each in checklist.items(facts)}[name]
    return found.state, found.message


def seen(facts: Facts, **changes: object) -> Facts:
    """Facts of a run with other answers."""
    assert facts.run is not None
    return replace(facts, run=replace(facts.run, **changes))  # type: ignore[arg-type]  # rows name fields


def observed(facts: Facts, **policy: Any) -> Facts:
    """Facts in which a policy says where observation can be seen."""
    named = Observability.model_validate(policy)
    assert facts.terms is not None
    return replace(
        facts, terms=replace(facts.terms, checks=replace(facts.terms.checks, observability=(named,)))
    )


def test_every_box_of_the_seed_is_an_item() -> None:
    """As many as the seed has, each with a name of its own that a policy can require."""
    assert len(ITEMS) == len(BY_ID) == 87
    assert all(re.fullmatch(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?", name) for name in BY_ID)
    assert {phase: sum(each.phase is phase for each in ITEMS) for phase in Phase} == {
        Phase.BEFORE: 29, Phase.LAUNCH: 10, Phase.FIRST_HOUR: 6, Phase.FIRST_DAY: 5,
        Phase.FIRST_WEEK: 17, Phase.CHANGE: 10, Phase.AFTER: 10,
    }  # fmt: skip
    assert set(MEASURES) == set(Machine)
    assert {each.kind for each in ITEMS if each.machine} == {Kind.MACHINE}
    assert all((each.machine is Machine.ENGINE) == bool(each.finding) for each in ITEMS)


def test_the_reference_page_lists_each_item_once() -> None:
    """Whoever writes a policy finds its name there."""
    page = (Path(__file__).parents[2] / "docs/reference/checklist.md").read_text()
    assert [name for name in BY_ID if page.count(f"| `{name}` |") != 1] == []


def test_what_is_due_before_trading_is_always_shown(good: Facts) -> None:
    """Later phases show what is required or vouched for."""
    names = [each.id for each in ITEMS if each.phase is Phase.BEFORE]
    assert [each.item for each in checklist.items(good)] == names
    more = attest(require(good, "first-hour-latency"), "daily-log")
    assert [each.item for each in checklist.items(more)] == [*names, "first-hour-latency", "daily-log"]
    required = {each.item for each in checklist.items(more) if each.required is Requirement.REQUIRED}
    assert required == {"first-hour-latency"}


def test_nothing_required_holds_no_gate(good: Facts) -> None:
    """Whatever stands there."""
    assert checklist.checklist_incomplete(good) is None
    assert "checklist" not in [check.name for check in preflight.current(good)]


WORDS: dict[str, tuple[dict[str, Any], ItemState, str]] = {
    "an hour ago": ({}, ATTESTED, "seen"),
    "a moment ahead, by another clock": ({"time": "2026-11-20T12:00:59Z"}, ATTESTED, "seen"),
    "in an hour": ({"time": "2026-11-20T13:00:00Z"}, MISSING, "in the future"),
    "a week ago": ({"time": "2026-11-13T12:00:00Z"}, LAPSED, "has lapsed"),
    "until a minute ago": ({"lapseTime": "2026-11-20T11:59:00Z"}, LAPSED, "has lapsed"),
    "until tomorrow": ({"lapseTime": "2026-11-21T12:00:00Z"}, ATTESTED, "seen"),
    "until next year, a week ago": (
        {"time": "2026-11-13T12:00:00Z", "lapseTime": "2027-11-21T12:00:00Z"}, LAPSED, "has lapsed",
    ),
    "at no time": ({"time": "yesterday"}, MISSING, "can't be read"),
    "until no time": ({"lapseTime": "never"}, MISSING, "can't be read"),
    "at the end of time": ({"time": "9999-12-31T23:59:59Z"}, MISSING, "in the future"),
    "about another object of this name": ({"uid": "uid-0"}, MISSING, "another object"),
    "by nobody": ({"user": " "}, MISSING, "names nobody"),
}  # fmt: skip


@pytest.mark.parametrize(("changes", "state", "says"), WORDS.values(), ids=WORDS.keys())
def test_a_persons_word(good: Facts, changes: dict[str, Any], state: ItemState, says: str) -> None:
    """It counts by name, about this object, from when it was given until it lapses."""
    facts = attest(require(good, "team-trained"), "team-trained", **changes)
    assert item(facts, "team-trained")[0] is state
    assert says in item(facts, "team-trained")[1]
    objection = checklist.checklist_incomplete(facts)
    assert (objection is None) == (state is ATTESTED)
    summary = preflight.current(facts)[-1]
    assert (summary.name, summary.result is CheckResult.PASSED) == ("checklist", state is ATTESTED)
    by = {each.item: each.by for each in checklist.items(facts)}["team-trained"]
    assert by == ("" if state is MISSING else "approver")


def test_every_missing_item_is_named_and_holds_the_gate_even_where_preflight_is_optional(good: Facts) -> None:
    """The policy asks for the checklist; the request can't waive it."""
    facts = attest(require(good, "team-trained", "on-call", "services-healthy"), "on-call")
    assert facts.terms is not None
    facts = replace(facts, terms=replace(facts.terms, preflight_required=False))
    objection = checklist.checklist_incomplete(facts)
    assert objection is not None
    assert (objection.reason.value, objection.optional) == ("ChecklistIncomplete", False)
    assert objection.message == "team-trained: Missing (nobody vouches for it)"
    assert preflight.all_passed(facts)  # no run finds it better: only a person can


def test_an_item_that_does_not_exist_can_never_hold(good: Facts) -> None:
    """A typing error in a policy closes, whoever vouches for it."""
    facts = attest(require(good, "team-trianed"), "team-trianed")
    assert item(facts, "team-trianed") == (MISSING, "no such item")
    assert checklist.checklist_incomplete(facts) is not None


def test_a_policy_that_requires_more_than_can_be_shown(good: Facts) -> None:
    """Required items are shown first, and all of them hold the gate."""
    names = [f"no-such-{number}" for number in range(100)]
    facts = require(good, "team-trained", *names)
    assert len(checklist.items(facts)) == 96
    assert {each.required for each in checklist.items(facts)} == {Requirement.REQUIRED}
    objection = checklist.checklist_incomplete(facts)
    assert objection is not None
    assert all(name in objection.message for name in names)


@pytest.mark.parametrize("name", [each.id for each in ENGINE_ITEMS])
@pytest.mark.parametrize(
    ("result", "state"), [("Passed", PASSED), ("Failed", FAILED), ("Error", ERROR), (None, ERROR)]
)
def test_the_engines_findings(
    good: Facts, change: Change, name: str, result: str | None, state: ItemState
) -> None:
    """What it does not say could not be checked; and nobody's word outweighs what it says, or its silence."""
    found = [{"name": BY_ID[name].finding, "result": result, "message": "as seen"}] if result else []
    facts = attest(require(change(good, {"run.engine.text.checklist": found}), name), name)
    assert item(facts, name) == (state, "as seen" if result else "the engine does not say")
    assert (checklist.checklist_incomplete(facts) is None) == (state is PASSED)
    assert preflight.all_passed(facts) == (state is PASSED)


MEASURED: dict[str, tuple[str, dict[str, object], ItemState, str]] = {
    "a check that failed": ("preflight-passes", {"run.live": Answer(503)}, FAILED, "check_health_endpoints"),
    "an unhealthy service": ("services-healthy", {"run.live": Answer(503)}, FAILED, "answered 503"),
    "health that nobody could ask for": ("services-healthy", {"run.live": Answer(None)}, ERROR, "no answer"),
    "metrics without a series": ("metrics-endpoint", {"run.metrics": Answer(200)}, FAILED, "ess_triggers"),
    "no metrics": ("metrics-endpoint", {"run.metrics": Answer(404)}, ERROR, "404"),
    "a database that forgets": (
        "database-connected", {"run.engine.text.database.0.result": "Failed"}, FAILED, "database/write",
    ),
    "a critical risk": (
        "global-risk-not-critical", {"engine.report.text.riskState": "CRITICAL"}, FAILED, "CRITICAL",
    ),
    "a warning": ("global-risk-not-critical", {"engine.report.text.riskState": "WARNING"}, PASSED, "WARNING"),
    "no report": ("global-risk-not-critical", {"engine.report": Answer(500)}, ERROR, "500"),
    "an active stop": (
        "emergency-stop-inactive", {"engine.report.text.emergencyStop": "Active"}, FAILED, "Active",
    ),
    "an exchange that fails": (
        "primary-exchange-healthy", {"run.engine.text.exchange.0.result": "Failed"}, FAILED, "binance/time",
    ),
    "too few trades": ("testnet-trades", {"engine.report.text.testnetTrades": 2}, FAILED, "2 of 3"),
    "enough trades": ("testnet-trades", {"engine.report.text.testnetTrades": 3}, PASSED, "at least 3"),
    "fewer trades than the policy asks for": (
        "testnet-trades", {"terms.testnet_trades_needed": 9}, FAILED, "5 of 9",
    ),
    "an account that is not production": (
        "accounts-switched", {"engine.report.text.accounts.0.environment": "testnet"}, FAILED, "main",
    ),
    "a production account": ("accounts-switched", {}, PASSED, "production account"),
    "an enabled request": ("trading-enabled", {}, PASSED, "Enabled"),
    "a disabled request": ("trading-enabled", {"subject.spec.activation": "Disabled"}, FAILED, "Disabled"),
    "no failover": ("first-hour-failovers", {}, PASSED, "none since start"),
    "a failover": ("first-hour-failovers", {"engine.report.text.failovers": 1}, FAILED, "1 since"),
    "a scenario that failed": ("major-stress", {"run.engine.text.stress.0.result": "Failed"}, FAILED, "flash"),
    "scenarios that passed": ("major-stress", {}, PASSED, "stress scenarios passed"),
}  # fmt: skip


@pytest.mark.parametrize(("name", "changes", "state", "says"), MEASURED.values(), ids=MEASURED.keys())
def test_what_is_measured(
    good: Facts, change: Change, name: str, changes: dict[str, object], state: ItemState, says: str
) -> None:
    """From the answers of preflight and the engine's report; a person's word changes nothing."""
    facts = attest(require(change(good, changes), name), name)
    assert item(facts, name)[0] is state
    assert says in item(facts, name)[1]


def test_passed_items_do_not_count_what_changes_all_the_time(good: Facts, change: Change) -> None:
    """A status that changed with every trade would be written with every trade."""
    more = change(good, {"engine.report.text.testnetTrades": 6, "engine.report.text.cycles": 43})
    assert checklist.items(more) == checklist.items(good)
    assert preflight.current(more) == preflight.current(good)


ABSENT = ("dashboard-present", "prometheus-scraping", "alert-rules-loaded")


@pytest.mark.parametrize("name", ABSENT)
def test_where_no_policy_names_the_machine_a_person_may_vouch(good: Facts, name: str) -> None:
    """Not everybody has a Grafana; whoever has one gets it asked."""
    assert item(good, name)[0] is MISSING
    assert "no policy names what measures it" in item(good, name)[1]
    assert item(attest(good, name), name) == (ATTESTED, "seen")
    named = observed(
        attest(good, name), prometheusUrl=PROMETHEUS, grafanaUrl=GRAFANA, alertRules=["EngineDown"]
    )
    assert item(named, name) == (ERROR, "not asked")


DASHBOARDS: dict[str, tuple[Answer, ItemState]] = {
    "is there": (Answer(200, '{"dashboard": {"uid": "golive"}, "meta": {}}'), PASSED),
    "is not there": (Answer(404, '{"message": "Dashboard not found"}'), FAILED),
    "is another": (Answer(200, '{"dashboard": {"uid": "other"}}'), ERROR),
    "is no dashboard": (Answer(200, '{"dashboard": "golive"}'), ERROR),
    "is a list": (Answer(200, "[]"), ERROR),
    "is a page": (Answer(200, "<html>"), ERROR),
    "wants a login": (Answer(401, "{}"), ERROR),
    "redirects to a login": (Answer(302, ""), ERROR),
    "does not answer": (Answer(None, error="no answer within 3 s"), ERROR),
}


@pytest.mark.parametrize(("answer", "state"), DASHBOARDS.values(), ids=DASHBOARDS.keys())
def test_the_dashboard(good: Facts, answer: Answer, state: ItemState) -> None:
    """Grafana itself must say that it has it."""
    asked = seen(observed(good, grafanaUrl=GRAFANA), dashboards=(((GRAFANA, "golive"), answer),))
    assert item(asked, "dashboard-present")[0] is state


def rules(*found: tuple[str, str]) -> Answer:
    """Loaded alert rules with their health."""
    listed = [{"name": name, "health": health, "type": "alerting", "query": "1"} for name, health in found]
    return Answer(200, json.dumps({"status": "success", "data": {"groups": [{"name": "g", "rules": listed}]}}))


RULES: dict[str, tuple[Answer, ItemState, str]] = {
    "all loaded": (rules(("A", "ok"), ("B", "ok"), ("C", "err")), PASSED, "2 alert rules"),
    "one missing": (rules(("A", "ok")), FAILED, "has not loaded B"),
    "none": (rules(), FAILED, "has not loaded A, B"),
    "one that can't be evaluated": (rules(("A", "ok"), ("B", "err")), FAILED, "can't evaluate B"),
    "one that was never evaluated": (rules(("A", "unknown"), ("B", "ok")), FAILED, "can't evaluate A"),
    "one of two of a name is ill": (rules(("A", "ok"), ("A", "err"), ("B", "ok")), FAILED, "can't evaluate A"),
    "no answer": (Answer(None, error="refused"), ERROR, "refused"),
    "another answer": (Answer(200, '{"status": "success", "data": {}}'), ERROR, "groups"),
}


@pytest.mark.parametrize(("answer", "state", "says"), RULES.values(), ids=RULES.keys())
def test_alert_rules(good: Facts, answer: Answer, state: ItemState, says: str) -> None:
    """Loaded, evaluated, and well, every one that the policy names."""
    facts = observed(good, prometheusUrl=PROMETHEUS, alertRules=["A", "B"])
    found = item(seen(facts, rules=((PROMETHEUS, answer),)), "alert-rules-loaded")
    assert (found[0], says in found[1]) == (state, True), found


def scrapes(*values: tuple[float, str], pod: str = POD) -> Answer:
    """Samples of `up`, so many seconds before noon."""
    track = {
        "metric": {"__name__": "up", "pod": pod},
        "values": [[1795176000.0 - ago, value] for ago, value in values],
    }
    return Answer(200, json.dumps({"status": "success", "data": {"resultType": "matrix", "result": [track]}}))


SCRAPES: dict[str, tuple[Answer, ItemState, str]] = {
    "each 15 s": (scrapes((46, "1"), (31, "1"), (16, "1"), (1, "1")), PASSED, "at least every 15 s"),
    "each 5 s": (scrapes((7, "1"), (2, "1")), PASSED, "at least every 15 s"),
    "each 30 s": (scrapes((31, "1"), (1, "1")), FAILED, "too seldom"),
    "once": (scrapes((1, "1")), FAILED, "too seldom"),
    "one that failed": (scrapes((31, "1"), (16, "0"), (1, "1")), FAILED, "could not scrape"),
    "one that failed now": (scrapes((16, "1"), (1, "0")), FAILED, "could not scrape"),
    "until two minutes ago": (scrapes((135, "1"), (120, "1")), FAILED, "within a minute"),
    "from the future": (scrapes((-50, "1"), (-60, "1")), FAILED, "within a minute"),
    "another pod's": (scrapes((16, "1"), (1, "1"), pod="other"), FAILED, "within a minute"),
    "never": (scrapes(), FAILED, "within a minute"),
    "not asked": (Answer(None, error="refused"), ERROR, "refused"),
}


@pytest.mark.parametrize(("answer", "state", "says"), SCRAPES.values(), ids=SCRAPES.keys())
def test_scrapes(good: Facts, answer: Answer, state: ItemState, says: str) -> None:
    """The trading pod, well, lately, and often enough."""
    facts = seen(observed(good, prometheusUrl=PROMETHEUS), scraped=((PROMETHEUS, answer),))
    found = item(facts, "prometheus-scraping")
    assert (found[0], says in found[1]) == (state, True), found
