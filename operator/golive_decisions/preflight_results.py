"""Preflight's checks, judged from one run: their order is the one in which people see them."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

from golive_api.engine_report import (
    HEALTH_LIVE,
    HEALTH_READY,
    METRICS,
    EmergencyStopState,
    EngineReport,
)
from golive_api.golive import GoLiveSpec, PreflightCheck, RiskState
from golive_api.preflight_report import CheckResult, EnginePreflight
from golive_api.reasons import Reason
from golive_api.values import render_time
from golive_decisions import engine_findings, own_checks, series
from golive_decisions.answered import OK, first_line
from golive_decisions.preflight_run import UNASKED, Answer, PreflightRun
from golive_decisions.terms import Terms
from golive_decisions.verdicts import UnusableError, Verdict, error, failed, passed

MOST_CHECKS = 63
"""As many results are shown, besides the checklist's; policies that add more hold the gate."""

_RANK = {state: rank for rank, state in enumerate(RiskState)}


@dataclass(frozen=True, slots=True)
class Evidence:
    """What the checks look at."""

    run: PreflightRun
    report: EngineReport | str
    """The engine's report of this look, or why there is none."""
    spec: GoLiveSpec
    terms: Terms

    @property
    def prometheuses(self) -> tuple[str, ...]:
        """Each Prometheus that a policy names, once."""
        named = (each.prometheus_url for each in self.terms.checks.observability)
        return tuple(dict.fromkeys(address for address in named if address))


Judge = Callable[[Evidence], Verdict]
"""Looks at the evidence; raises UnusableError where it says nothing."""


def check_health_endpoints(evidence: Evidence) -> Verdict:
    """/health/live and /health/ready answer 200."""
    run = evidence.run
    live, ready = (HEALTH_LIVE, run.live), (HEALTH_READY, run.ready)
    values = {path: str(answer.status or "no answer") for path, answer in (live, ready)}
    return (
        _unhealthy(*live, Reason.HEALTH_LIVE_FAILED, values)
        or _unhealthy(*ready, Reason.HEALTH_READY_FAILED, values)
        or passed(f"{HEALTH_LIVE} and {HEALTH_READY} answered 200", values)
    )


def _unhealthy(path: str, answer: Answer, reason: Reason, values: dict[str, str]) -> Verdict | None:
    if answer.status is None:
        return error(f"{path}: {answer.error or 'no answer'}", values, Reason.ENGINE_UNREACHABLE)
    if answer.status != OK:
        return failed(reason, f"{path} answered {answer.status}: {first_line(answer.text)}", values)
    return None


def check_risk_system(evidence: Evidence) -> Verdict:
    """Global Risk is acceptable and the emergency stop inactive, by the newest report."""
    report = evidence.report
    if isinstance(report, str):
        raise UnusableError(report)
    accepted = RiskState(evidence.terms.risk_state)
    values = {
        "riskState": report.risk_state.value,
        "accepted": accepted.value,
        "emergencyStop": report.emergency_stop.value,
    }
    if report.emergency_stop is not EmergencyStopState.INACTIVE:
        return failed(Reason.EMERGENCY_STOP_ACTIVE, "the engine's emergency stop is active", values)
    if report.risk_state is RiskState.CRITICAL or _RANK[report.risk_state] > _RANK[accepted]:
        why = ", ".join(report.risk_reasons) or "no reason given"
        message = f"Global Risk is {report.risk_state} ({why}), accepted is {accepted}"
        return failed(Reason.RISK_NOT_ACCEPTABLE, message, values)
    return passed(f"Global Risk is {report.risk_state} and the emergency stop inactive", values)


def check_exchange_connectivity(evidence: Evidence) -> Verdict:
    """Each requested account can trade on each of its venues."""
    if isinstance(evidence.report, str):
        raise UnusableError(evidence.report)
    request = evidence.spec.request
    found = engine_findings.read_engine(evidence.run, request.engine_ref.name)
    return engine_findings.exchange(found, evidence.report, request.accounts)


def check_database_redis(evidence: Evidence) -> Verdict:
    """Journal and cache keep what is written to them."""
    return engine_findings.database(_engine(evidence))


def check_observability(evidence: Evidence) -> Verdict:
    """Every required series is scraped: by each Prometheus that a policy names, else by the operator."""
    run, addresses = evidence.run, evidence.prometheuses
    if not addresses:
        return _observed({METRICS: series.missing_in_metrics(run.metrics)})
    scraped = dict(run.scraped)
    return _observed(
        {
            address: series.missing_in_prometheus(scraped.get(address, UNASKED), run.pod, run.began, run.ended)
            for address in addresses
        }
    )


def _observed(missing: dict[str, tuple[str, ...]]) -> Verdict:
    values = {"required": str(len(series.REQUIRED))}
    values |= {where: str(len(series.REQUIRED) - len(names)) for where, names in missing.items()}
    told = [f"{where} lacks {', '.join(names)}" for where, names in missing.items() if names]
    if told:
        return failed(Reason.METRICS_MISSING, "; ".join(told), values)
    return passed(f"{len(series.REQUIRED)} required series are scraped: {', '.join(missing)}", values)


def check_stress_scenarios(evidence: Evidence) -> Verdict:
    """Every stress scenario is registered and has passed lately."""
    return engine_findings.stress(_engine(evidence))


def _engine(evidence: Evidence) -> EnginePreflight:
    return engine_findings.read_engine(evidence.run, evidence.spec.request.engine_ref.name)


SIX: tuple[Judge, ...] = (
    check_health_endpoints,  # an engine that hangs answers nothing else either
    check_risk_system,  # its own judgement of the moment
    check_exchange_connectivity,  # where orders would go
    check_database_redis,  # where they would be written down
    check_observability,  # what can't be watched must not trade
    check_stress_scenarios,  # what has been tried before it happens
)
"""The seeds' six checks by their names and in their order."""


def _judges(terms: Terms) -> Iterator[tuple[str, Judge]]:
    """Every check by its name; of two policies' checks with one name the second is called <name>#2."""
    yield from ((judge.__name__, judge) for judge in SIX)
    seen: dict[str, int] = {}
    own: list[tuple[str, Judge]] = [
        *(
            (f"webhook/{each.name}", lambda evidence, each=each: own_checks.webhook(each, evidence.run))
            for each in dict.fromkeys(terms.checks.webhooks)
        ),
        *(
            (
                f"query/{each.name}",
                lambda evidence, each=each: own_checks.query(each, evidence.prometheuses, evidence.run),
            )
            for each in dict.fromkeys(terms.checks.queries)
        ),
    ]
    for name, judge in own:
        seen[name] = seen.get(name, 0) + 1
        yield (name if seen[name] == 1 else f"{name}#{seen[name]}"), judge


def verdict(judge: Judge, evidence: Evidence) -> Verdict:
    """What a check says; where its evidence says nothing, an Error."""
    try:
        return judge(evidence)
    except UnusableError as unusable:
        return error(str(unusable))


def results(
    run: PreflightRun | None, report: EngineReport | str, spec: GoLiveSpec, terms: Terms
) -> tuple[PreflightCheck, ...]:
    """Every check's result, the policies' own after the six."""
    named = list(_judges(terms))
    shown = named if len(named) <= MOST_CHECKS else named[: MOST_CHECKS - 1]
    if run is None:
        pending = error("preflight has not run yet", reason=Reason.PREFLIGHT_PENDING)
        found = [pending.check(name, None) for name, _ in shown]
    else:
        evidence, time = Evidence(run, report, spec, terms), render_time(run.began)
        found = [verdict(judge, evidence).check(name, time) for name, judge in shown]
    if more := len(named) - len(shown):
        found.append(error(f"{more} checks of policies are more than can be made").check("more", None))
    return tuple(found)


def stale(run: PreflightRun | None, terms: Terms, now: datetime) -> bool:
    """Whether a run is too old to count, or from the future."""
    return run is None or abs((now - run.began).total_seconds()) > terms.max_age_seconds


def not_passed(checks: Iterable[PreflightCheck]) -> list[PreflightCheck]:
    """Those that hold the gate."""
    return [check for check in checks if check.result is not CheckResult.PASSED]
