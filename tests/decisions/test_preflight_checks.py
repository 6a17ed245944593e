"""The six checks, each answer alone wrong: only what is well and complete is Passed."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import pytest

from golive_api.engine_report import REQUIRED_SERIES
from golive_api.golive import AcceptedRisk
from golive_api.preflight_report import EXCHANGE_FINDINGS, STRESS_SCENARIOS, CheckResult
from golive_decisions import preflight
from golive_decisions.facts import Facts
from golive_decisions.preflight_run import Answer
from golive_decisions.series import relevant
from golive_engine.stress.names import SCENARIOS

Change = Callable[[Facts, Mapping[str, object]], Facts]
"""Sets values by dotted path."""

PASSED, FAILED, ERROR = CheckResult
SILENT = Answer(None, error="no answer within 2 s")
FOUND = "run.engine.text"
REPORT = "engine.report.text"
NAMES = (
    "check_health_endpoints",
    "check_risk_system",
    "check_exchange_connectivity",
    "check_database_redis",
    "check_observability",
    "check_stress_scenarios",
)
HEALTH, RISK, EXCHANGE, DATABASE, OBSERVED, STRESS = NAMES


@dataclass(frozen=True)
class Row:
    """What is changed in good facts, which check has to see it, and what it has to say."""

    changes: Mapping[str, object]
    check: str
    result: CheckResult
    reason: str
    says: str


TABLE = {
    "an engine that hangs": Row(
        {"run.live": SILENT}, HEALTH, ERROR, "EngineUnreachable", "no answer within 2 s",
    ),
    "an endpoint that was not asked": Row(
        {"run.ready": Answer(None)}, HEALTH, ERROR, "EngineUnreachable", "/health/ready: no answer",
    ),
    "a cycle that stands still": Row(
        {"run.live": Answer(503, "\n no cycle for 90 s\nmore")}, HEALTH, FAILED, "HealthLiveFailed",
        "/health/live answered 503: no cycle for 90 s",
    ),
    "an engine that is not reconciled": Row(
        {"run.ready": Answer(503)}, HEALTH, FAILED, "HealthReadyFailed", "/health/ready answered 503: no text",
    ),
    "an endpoint that redirects": Row({"run.ready": Answer(302)}, HEALTH, FAILED, "HealthReadyFailed", "302"),
    "an endpoint that has nothing to say": Row(
        {"run.live": Answer(204)}, HEALTH, FAILED, "HealthLiveFailed", "204",
    ),
    "a report that is missing": Row(
        {"engine.report": SILENT}, RISK, ERROR, "CheckError", "no answer within 2 s",
    ),
    "a report that is no report": Row(
        {"engine.report": Answer(200, "<html>")}, RISK, ERROR, "CheckError", "/status",
    ),
    "an emergency stop": Row(
        {f"{REPORT}.emergencyStop": "Active"}, RISK, FAILED, "EmergencyStopActive", "active",
    ),
    "a risk state worse than accepted": Row(
        {f"{REPORT}.riskState": "WARNING"},
        RISK, FAILED, "RiskNotAcceptable", "WARNING (quiet), accepted is OK",
    ),
    "a critical risk state": Row(
        {f"{REPORT}.riskState": "CRITICAL", "terms.risk_state": AcceptedRisk.WARNING},
        RISK, FAILED, "RiskNotAcceptable", "CRITICAL",
    ),
    "a risk state that nobody knows": Row(
        {f"{REPORT}.riskState": "CALM"}, RISK, ERROR, "CheckError", "riskState",
    ),
    "an engine that refuses the caller": Row(
        {"run.engine": Answer(403, "forbidden")}, EXCHANGE, ERROR, "CheckError", "answered 403: forbidden",
    ),
    "findings that are no findings": Row(
        {"run.engine": Answer(200, "[]")}, DATABASE, ERROR, "CheckError", "POST /preflight",
    ),
    "findings of another engine": Row(
        {f"{FOUND}.engine": "other"}, STRESS, ERROR, "CheckError", "speaks for other",
    ),
    "findings of another pod": Row({f"{FOUND}.pod": "standby"}, EXCHANGE, ERROR, "CheckError", "standby"),
    "findings of an hour ago": Row(
        {f"{FOUND}.time": "2026-11-20T11:00:00Z"}, DATABASE, ERROR, "CheckError", "the answer is old",
    ),
    "findings of an hour ahead": Row(
        {f"{FOUND}.time": "2026-11-20T13:00:00Z"}, DATABASE, ERROR, "CheckError", "its clock is off",
    ),
    "findings of no time": Row(
        {f"{FOUND}.time": "noon"}, DATABASE, ERROR, "CheckError", "not an RFC 3339 time",
    ),
    "an unknown result": Row({f"{FOUND}.exchange.0.result": "Fine"}, EXCHANGE, ERROR, "CheckError", "result"),
    "a finding that failed": Row(
        {f"{FOUND}.exchange.2.result": "Failed", f"{FOUND}.exchange.2.message": "key expired"},
        EXCHANGE, FAILED, "ExchangeUnconnected", "main/binance/credentials: key expired",
    ),
    "a finding that could not be tried": Row(
        {f"{FOUND}.exchange.5.result": "Error"}, EXCHANGE, ERROR, "CheckError", "main/binance/balance: Error",
    ),
    "a venue without findings": Row(
        {f"{REPORT}.accounts.0.venues": [
            {"venue": venue, "breaker": "closed", "reconciled": True} for venue in ("binance", "okx")
        ]},
        EXCHANGE, ERROR, "CheckError", "main/okx/time: the engine does not say",
    ),
    "no findings at all": Row({f"{FOUND}.exchange": []}, EXCHANGE, ERROR, "CheckError", "does not say"),
    "findings about another account alone": Row(
        {f"{FOUND}.exchange": [
            {"name": f"mainly/binance/{name}", "result": "Passed"} for name in EXCHANGE_FINDINGS
        ]},
        EXCHANGE, ERROR, "CheckError", "main/binance/time",
    ),
    "an account that the engine does not have": Row(
        {f"{REPORT}.accounts": []}, EXCHANGE, ERROR, "CheckError", "no production account main",
    ),
    "an account on testnet of that name": Row(
        {f"{REPORT}.accounts.0.environment": "testnet"}, EXCHANGE, ERROR, "CheckError", "main",
    ),
    "venues that the engine does not tell of": Row(
        {"engine.report": SILENT}, EXCHANGE, ERROR, "CheckError", "no answer",
    ),
    "a database that forgets": Row(
        {f"{FOUND}.database.1.result": "Failed"}, DATABASE, FAILED, "DatabaseFailed", "database/read-back",
    ),
    "migrations that nobody looked at": Row(
        {f"{FOUND}.database": [{"name": name, "result": "Passed"} for name in ("write", "read-back")]},
        DATABASE, ERROR, "CheckError", "database/migrations",
    ),
    "a cache that is not there": Row({f"{FOUND}.cache": []}, DATABASE, ERROR, "CheckError", "cache/write"),
    "a database that failed beside a cache that could not be tried": Row(
        {f"{FOUND}.database.0.result": "Failed", f"{FOUND}.cache.0.result": "Error"},
        DATABASE, FAILED, "DatabaseFailed", "2 of 5",
    ),
    "metrics that are not served": Row(
        {"run.metrics": Answer(404, "lost")}, OBSERVED, ERROR, "CheckError", "answered 404: lost",
    ),
    "metrics that hold nothing": Row(
        {"run.metrics": Answer(200)}, OBSERVED, FAILED, "MetricsMissing", "ess_triggers",
    ),
    "a scenario that failed": Row(
        {f"{FOUND}.stress.3.result": "Failed"}, STRESS, FAILED, "StressScenariosFailed", "liquidity-drought",
    ),
    "a scenario that never ran": Row(
        {f"{FOUND}.stress.6.result": "Error"}, STRESS, ERROR, "CheckError", "rejected-stops",
    ),
    "a scenario that is not registered": Row(
        {f"{FOUND}.stress": [{"name": name, "result": "Passed"} for name in STRESS_SCENARIOS[1:]]},
        STRESS, ERROR, "CheckError", "flash-crash: the engine does not say",
    ),
    "a scenario that passed and failed": Row(
        {f"{FOUND}.stress": [
            *({"name": name, "result": "Passed"} for name in STRESS_SCENARIOS),
            {"name": STRESS_SCENARIOS[0], "result": "Failed"},
        ]},
        STRESS, FAILED, "StressScenariosFailed", "flash-crash: Failed",
    ),
}  # fmt: skip


def test_a_well_engine_passes_the_six_checks_of_the_seeds_in_their_order(good: Facts) -> None:
    """Names and order are those that operators know."""
    found = preflight.current(good)
    assert [(check.name, check.result) for check in found] == [(name, PASSED) for name in NAMES]
    assert all(check.message and check.values and check.checked_time for check in found)
    assert preflight.preflight_failed(good) is None
    assert preflight.all_passed(good)


@pytest.mark.parametrize("row", TABLE.values(), ids=TABLE.keys())
def test_whatever_is_not_well_is_no_pass(good: Facts, change: Change, row: Row) -> None:
    """Failed where it was tried, Error where it could not be; with its reason, and in words."""
    facts = change(good, row.changes)
    seen = {check.name: check for check in preflight.current(facts)}[row.check]
    assert (seen.result, seen.reason) == (row.result, row.reason)
    assert row.says in seen.message
    objection = preflight.preflight_failed(facts)
    assert objection is not None
    assert row.check in objection.message
    assert not objection.optional
    assert not preflight.all_passed(facts)


def test_the_first_failing_check_gives_the_reason_and_all_are_named(good: Facts, change: Change) -> None:
    """A person need not mend one thing to learn of the next."""
    facts = change(good, {"run.ready": Answer(503), f"{FOUND}.stress": [], "run.metrics": Answer(200)})
    objection = preflight.preflight_failed(facts)
    assert objection is not None
    assert objection.reason.value == "HealthReadyFailed"
    assert all(name in objection.message for name in (HEALTH, OBSERVED, STRESS))
    assert RISK not in objection.message


def test_measured_values_are_shown_bad_ones_first(good: Facts, change: Change) -> None:
    """However much an engine measures, status stays small and shows what matters."""
    many = [
        {
            "name": f"main/binance/{name}",
            "result": "Passed",
            "values": {f"v{place}": "1" for place in range(16)},
        }
        for name in EXCHANGE_FINDINGS
    ]
    many[4] |= {"result": "Failed", "values": {"clockSkewSeconds": "x" * 400}}
    seen = preflight.current(change(good, {f"{FOUND}.exchange": many}))[2]
    assert len(seen.values) == 32
    assert seen.values["main/binance/markets.clockSkewSeconds"] == "x" * 200
    assert (seen.values["findings"], seen.values["passed"]) == ("6", "5")


def test_the_contract_names_the_engines_stress_scenarios() -> None:
    """The operator can't import the engine; the contract says what both mean."""
    assert STRESS_SCENARIOS == SCENARIOS


WELL = {
    'risk_gate_decisions_total{decision="allowed",reason="OrderAllowed"}': "0.0",
    'risk_gate_decisions_total{decision="blocked",reason="GateMissing"}': "3",
    **dict.fromkeys((name for name in REQUIRED_SERIES[1:] if "seconds" not in name), "1e+06"),
    "golive_engine_cycle_duration_seconds_count": "12 1763640000000",
}
ALLOWED, BLOCKED, *_ = WELL

BAD_TEXTS: dict[str, tuple[dict[str, str | None], str]] = {
    "no order was ever allowed": ({ALLOWED: None}, 'risk_gate_decisions_total{decision="allowed"}'),
    "no order was ever blocked": ({BLOCKED: None}, 'risk_gate_decisions_total{decision="blocked"}'),
    "a series that only a comment names": (
        {"ess_triggers_total": None, "# ess_triggers_total": "1"}, "ess_triggers_total",
    ),
    "a series of a longer name": (
        {"ess_triggers_total": None, "my_ess_triggers_total": "1"}, "ess_triggers_total",
    ),
    "a series that is not a number": ({"ess_triggers_total": "NaN"}, "ess_triggers_total"),
    "a series without end": ({"golive_engine_orders_total": "+Inf"}, "golive_engine_orders_total"),
    "a series of words": ({"golive_engine_cycles_total": "many"}, "golive_engine_cycles_total"),
    "a histogram that was never observed": (
        {"golive_engine_cycle_duration_seconds_count": None, "golive_engine_cycle_duration_seconds_sum": "1"},
        "golive_engine_cycle_duration_seconds",
    ),
}  # fmt: skip


def exposition(samples: Mapping[str, str | None]) -> str:
    """Prometheus' text format."""
    return "".join(
        f"# HELP x Something.\n{name} {value}\n" for name, value in samples.items() if value is not None
    )


@pytest.mark.parametrize(("changed", "missing"), BAD_TEXTS.values(), ids=BAD_TEXTS.keys())
def test_a_required_series_must_have_a_value(
    good: Facts, change: Change, changed: dict[str, str | None], missing: str
) -> None:
    """Each of the seed's five series by itself, labels included."""
    seen = preflight.current(change(good, {"run.metrics": Answer(200, exposition({**WELL, **changed}))}))[4]
    assert (seen.result, seen.reason) == (FAILED, "MetricsMissing")
    assert seen.message == f"/metrics lacks {missing}"


def test_what_a_run_keeps_of_metrics_is_judged_as_the_whole(good: Facts, change: Change) -> None:
    """Lines about other things are dropped, none that matters."""
    whole = exposition({**WELL, "python_gc_total": "7", 'ess_triggers_total{note="a } b"}': "2"})
    kept = relevant(whole)
    assert set(kept.splitlines()) == {
        *(f"{name} {value}" for name, value in WELL.items()), 'ess_triggers_total{note="a } b"} 2',
    }  # fmt: skip
    for text in (whole, kept):
        assert preflight.current(change(good, {"run.metrics": Answer(200, text)}))[4].result is PASSED


def test_json_of_any_size_and_depth_is_survived(good: Facts, change: Change) -> None:
    """What an engine answers can't make the operator stumble."""
    for text in ("[" * 200_000, json.dumps("x" * 100_000), "9" * 50_000, "\ud800", "{}"):
        facts = change(good, {"run.engine": Answer(200, text), "run.metrics": Answer(200, text)})
        assert [check.result for check in preflight.current(facts)] == [
            PASSED,
            PASSED,
            ERROR,
            ERROR,
            FAILED,
            ERROR,
        ]
