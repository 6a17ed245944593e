"""Items of the checklist that a machine measures: one function for each machine."""

from collections.abc import Callable, Iterable
from itertools import pairwise

from golive_api.checklist import Item, Machine
from golive_api.engine_report import METRICS, EmergencyStopState, EngineReport
from golive_api.golive import Activation, RiskState
from golive_api.reasons import Reason
from golive_decisions import engine_findings, preflight_results, prometheus, series
from golive_decisions.answered import json_of, number, text_of
from golive_decisions.preflight_results import Evidence
from golive_decisions.preflight_run import UNASKED, Answer
from golive_decisions.verdicts import UnusableError, Verdict, error, failed, passed

LONGEST_SCRAPE_SECONDS = 15.0
"""Seed 004: the metrics endpoint is scraped every 15 s."""

SCRAPE_TOLERANCE_SECONDS = 1.0
"""How late a scrape may be on a busy machine."""

LEAST_TESTNET_TRADES = 3
"""Seed 004; a policy may ask for more."""

_INCOMPLETE = Reason.CHECKLIST_INCOMPLETE

Measure = Callable[[Evidence, Item], Verdict | None]
"""Measures an item; None where its machine is absent, so that a person may vouch for it instead."""


def _report(evidence: Evidence) -> EngineReport:
    if isinstance(evidence.report, str):
        raise UnusableError(evidence.report)
    return evidence.report


def _same_as(check: preflight_results.Judge) -> Measure:
    """Measures an item by one of the six checks."""
    return lambda evidence, _: check(evidence)


def _all_checks(evidence: Evidence, _: Item) -> Verdict:
    found = preflight_results.results(evidence.run, evidence.report, evidence.spec, evidence.terms)
    bad = preflight_results.not_passed(found)
    if not bad:
        return passed(f"{len(found)} checks passed")
    return failed(_INCOMPLETE, f"not passed: {', '.join(check.name for check in bad)}")


def _global_risk(evidence: Evidence, _: Item) -> Verdict:
    state = _report(evidence).risk_state
    return failed(_INCOMPLETE, f"it is {state}") if state is RiskState.CRITICAL else passed(f"it is {state}")


def _emergency_stop(evidence: Evidence, _: Item) -> Verdict:
    state = _report(evidence).emergency_stop
    inactive = state is EmergencyStopState.INACTIVE
    return passed(f"it is {state}") if inactive else failed(_INCOMPLETE, f"it is {state}")


def _metrics(evidence: Evidence, _: Item) -> Verdict:
    missing = series.missing_in_metrics(evidence.run.metrics)
    if missing:
        return failed(_INCOMPLETE, f"{METRICS} lacks {', '.join(missing)}")
    return passed(f"{METRICS} serves {len(series.REQUIRED)} required series")


def _testnet_trades(evidence: Evidence, _: Item) -> Verdict:
    """Passed without the count, which would change the status with every trade."""
    needed = max(LEAST_TESTNET_TRADES, evidence.terms.testnet_trades_needed)
    trades = _report(evidence).testnet_trades
    if trades < needed:
        return failed(_INCOMPLETE, f"{trades} of {needed} trades have filled on testnet")
    return passed(f"at least {needed} trades have filled on testnet")


def _accounts(evidence: Evidence, _: Item) -> Verdict:
    known = {
        account.name
        for account in _report(evidence).accounts
        if account.environment == "production" and account.reconciled
    }
    missing = [name for name in evidence.spec.request.accounts if name not in known]
    if missing:
        return failed(_INCOMPLETE, f"no reconciled production account: {', '.join(missing)}")
    return passed("every requested account is a reconciled production account")


def _activation(evidence: Evidence, _: Item) -> Verdict:
    activation = evidence.spec.activation
    enabled = activation is Activation.ENABLED
    return passed("it is Enabled") if enabled else failed(_INCOMPLETE, f"it is {activation}")


def _failovers(evidence: Evidence, _: Item) -> Verdict:
    count = _report(evidence).failovers
    return failed(_INCOMPLETE, f"{count} since the engine's start") if count else passed("none since start")


def _engine(evidence: Evidence, item: Item) -> Verdict:
    found = engine_findings.read_engine(evidence.run, evidence.spec.request.engine_ref.name)
    return engine_findings.item(found, item.finding)


def _scraping(evidence: Evidence, _: Item) -> Verdict | None:
    """Every Prometheus has scraped the pod well and often enough within the last minute."""
    scraped = dict(evidence.run.scraped)
    return _all(
        _scraped_often(evidence, address, scraped.get(address, UNASKED)) for address in evidence.prometheuses
    )


def _scraped_often(evidence: Evidence, address: str, answer: Answer) -> Verdict:
    run = evidence.run
    found = [
        track
        for track in prometheus.tracks(answer)
        if (track.metric.get("__name__"), track.metric.get("pod")) == (series.UP, run.pod)
    ]
    if not any(series.is_young(track, run.began, run.ended) for track in found):
        return failed(_INCOMPLETE, f"{address} has not scraped {run.pod} within a minute")
    values = [number(value) for track in found for _, value in track.values]
    if any(value != 1 for value in values):
        return failed(_INCOMPLETE, f"{address} could not scrape {run.pod} each time")
    gap = min(_longest_gap([time for time, _ in track.values]) for track in found)
    if gap > LONGEST_SCRAPE_SECONDS + SCRAPE_TOLERANCE_SECONDS:
        return failed(_INCOMPLETE, f"{address} scrapes {run.pod} too seldom: at least every 15 s is wanted")
    return passed(f"{address} scrapes {run.pod} at least every {LONGEST_SCRAPE_SECONDS:.0f} s")


def _longest_gap(times: list[float]) -> float:
    """Seconds between two samples; endless with fewer than two."""
    gaps = [later - earlier for earlier, later in pairwise(times)]
    return max(gaps, default=float("inf"))


def _alert_rules(evidence: Evidence, _: Item) -> Verdict | None:
    """Every rule that a policy names is loaded by that policy's Prometheus, and its evaluation goes well."""
    loaded = dict(evidence.run.rules)
    return _all(
        _rules_loaded(each.prometheus_url, each.alert_rules, loaded.get(each.prometheus_url, UNASKED))
        for each in evidence.terms.checks.observability
        if each.prometheus_url and each.alert_rules
    )


def _rules_loaded(address: str, wanted: list[str], answer: Answer) -> Verdict:
    found = prometheus.rules(answer)
    missing = sorted(set(wanted) - {rule.name for rule in found})
    if missing:
        return failed(_INCOMPLETE, f"{address} has not loaded {', '.join(missing)}")
    sick = sorted({rule.name for rule in found if rule.name in wanted and rule.health != "ok"})
    if sick:
        return failed(_INCOMPLETE, f"{address} can't evaluate {', '.join(sick)}")
    return passed(f"{address} has loaded {len(wanted)} alert rules")


def _dashboard(evidence: Evidence, _: Item) -> Verdict | None:
    answers = dict(evidence.run.dashboards)
    named = ((each.grafana_url, each.dashboard_uid) for each in evidence.terms.checks.observability)
    return _all(_shown(*key, answers.get(key, UNASKED)) for key in dict.fromkeys(named) if key[0])


def _shown(address: str, uid: str, answer: Answer) -> Verdict:
    if answer.status == 404:  # noqa: PLR2004  # Grafana's own word for a dashboard that it does not have
        return failed(_INCOMPLETE, f"{address} has no dashboard {uid}")
    found = json_of(text_of(answer))
    dashboard = found.get("dashboard") if isinstance(found, dict) else None
    if not isinstance(dashboard, dict) or dashboard.get("uid") != uid:
        raise UnusableError(f"{address} answered something else than dashboard {uid}")
    return passed(f"{address} has dashboard {uid}")


def _all(verdicts: Iterable[Verdict]) -> Verdict | None:
    """The first that did not pass, else the first; None of none."""
    found = list(verdicts)
    return next((each for each in found if not each.passed), found[0] if found else None)


MEASURES: dict[Machine, Measure] = {
    Machine.ALL_CHECKS: _all_checks,
    Machine.HEALTH: _same_as(preflight_results.check_health_endpoints),
    Machine.GLOBAL_RISK: _global_risk,
    Machine.EMERGENCY_STOP: _emergency_stop,
    Machine.EXCHANGE: _same_as(preflight_results.check_exchange_connectivity),
    Machine.DATABASE: _same_as(preflight_results.check_database_redis),
    Machine.STRESS: _same_as(preflight_results.check_stress_scenarios),
    Machine.METRICS: _metrics,
    Machine.SCRAPING: _scraping,
    Machine.ALERT_RULES: _alert_rules,
    Machine.DASHBOARD: _dashboard,
    Machine.TESTNET_TRADES: _testnet_trades,
    Machine.ACCOUNTS: _accounts,
    Machine.ACTIVATION: _activation,
    Machine.FAILOVERS: _failovers,
    Machine.ENGINE: _engine,
}
"""Every machine."""


def measure(evidence: Evidence, item: Item) -> Verdict | None:
    """How an item stands by its machine; None where there is none, or it is absent."""
    if item.machine is None:
        return None
    try:
        return MEASURES[item.machine](evidence, item)
    except UnusableError as unusable:
        return error(str(unusable))
