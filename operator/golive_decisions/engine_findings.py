"""What the engine found with its credentials: every finding that must be there, and all of them good."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import lru_cache

from golive_api.engine_report import AccountReport, Breaker, EngineReport
from golive_api.preflight_report import (
    CACHE_FINDINGS,
    DATABASE_FINDINGS,
    EXCHANGE_FINDINGS,
    PREFLIGHT,
    STRESS_SCENARIOS,
    CheckResult,
    EnginePreflight,
    Finding,
)
from golive_api.reasons import Reason
from golive_api.values import parse_time
from golive_decisions.answered import model_of
from golive_decisions.preflight_run import Answer, PreflightRun
from golive_decisions.verdicts import MOST_VALUES, UnusableError, Verdict, error, failed, passed

MOST_SKEW = timedelta(seconds=60)
"""An answer that says it is older, or from further in the future, is not the answer to this run."""

MOST_NAMED = 5
"""How many bad findings a message names."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """Findings that must be there, and those that are."""

    names: Sequence[str]
    findings: Iterable[Finding]
    prefix: str = ""
    """What their names begin with in the message and the values."""


def read_engine(run: PreflightRun, engine: str) -> EnginePreflight:
    """The engine's findings. Raises UnusableError for none, somebody else's, or another run's."""
    try:
        found = _read(run.engine)
        time = parse_time(found.time)
    except (UnusableError, ValueError) as unusable:
        raise UnusableError(f"POST {PREFLIGHT}: {unusable}") from unusable
    if (found.engine, found.pod) != (engine, run.pod):
        raise UnusableError(f"POST {PREFLIGHT} speaks for {found.engine}/{found.pod}")
    if not run.began - MOST_SKEW <= time <= run.ended + MOST_SKEW:
        raise UnusableError(f"POST {PREFLIGHT} speaks of {found.time}: its clock is off, or the answer is old")
    return found


@lru_cache(maxsize=64)  # a look asks for it a dozen times
def _read(answer: Answer) -> EnginePreflight:
    return model_of(EnginePreflight, answer)


def judge(reason: Reason, what: str, *wanted: Wanted) -> Verdict:
    """All there and Passed; one that Failed outweighs those that could not be tried."""
    seen = [pair for each in wanted for pair in _named(each)]
    bad = [(name, finding) for name, finding in seen if finding.result is not CheckResult.PASSED]
    values = {"findings": str(len(seen)), "passed": str(len(seen) - len(bad))} | _values([*bad, *seen])
    if not seen:
        return error(f"nothing was tried of {what}", values)
    if not bad:
        return passed(f"{len(seen)} findings about {what} passed", values)
    told = "; ".join(f"{name}: {finding.message or finding.result}" for name, finding in bad[:MOST_NAMED])
    message = f"{len(bad)} of {len(seen)} findings about {what} did not pass: {told}"
    if any(finding.result is CheckResult.FAILED for _, finding in bad):
        return failed(reason, message, values)
    return error(message, values)


def _named(wanted: Wanted) -> list[tuple[str, Finding]]:
    """Every finding, and an Error in the place of each that is not there."""
    found = list(wanted.findings)
    there = {finding.name for finding in found}
    absent = [
        Finding(name=name, result=CheckResult.ERROR, message="the engine does not say")
        for name in wanted.names
        if name not in there
    ]
    return [(wanted.prefix + finding.name, finding) for finding in [*found, *absent]]


def _values(findings: Iterable[tuple[str, Finding]]) -> dict[str, str]:
    """Measured values, those of bad findings first."""
    found = {
        f"{name}.{key}": value for name, finding in findings for key, value in sorted(finding.values.items())
    }
    return dict(list(found.items())[: MOST_VALUES - 2])


def exchange(found: EnginePreflight, report: EngineReport, accounts: Sequence[str]) -> Verdict:
    """Each requested account on each venue that its next order may go to."""
    known = {account.name: account for account in report.accounts if account.environment == "production"}
    unknown = [name for name in accounts if name not in known]
    if unknown:
        return error(f"the engine trades no production account {', '.join(unknown)}")
    seats = [f"{name}/{venue}/" for name in accounts for venue in _venues(known[name])]
    names = [seat + finding for seat in seats for finding in EXCHANGE_FINDINGS]
    resting = [f"{name}/{venue}/" for name in accounts for venue in _resting(known[name])]
    ours = tuple(f"{name}/" for name in accounts)
    about = [
        finding
        for finding in found.exchange
        if finding.name.startswith(ours) and not finding.name.startswith(tuple(resting))
    ]
    told = ", ".join(seat.rstrip("/") for seat in seats[:MOST_NAMED])
    left_out = ", ".join(seat.rstrip("/") for seat in resting)
    return judge(
        Reason.EXCHANGE_UNCONNECTED,
        f"{told} (circuit breaker open: {left_out})" if left_out else told,
        Wanted(names, about),
    )


def _venues(account: AccountReport) -> list[str]:
    """Every venue that it may use now; the present one is among them."""
    resting = _resting(account)
    named = dict.fromkeys([account.venue, *(venue.venue for venue in account.venues)])
    return [venue for venue in named if venue not in resting]


def _resting(account: AccountReport) -> list[str]:
    """Venues behind an open circuit breaker, to which nothing new is sent, while another one carries on."""
    open_ones = [venue.venue for venue in account.venues if venue.breaker is Breaker.OPEN]
    return open_ones if len(open_ones) < len(account.venues) else []


def database(found: EnginePreflight) -> Verdict:
    """The journal and the cache."""
    return judge(
        Reason.DATABASE_FAILED,
        "database and cache",
        Wanted(DATABASE_FINDINGS, found.database, "database/"),
        Wanted(CACHE_FINDINGS, found.cache, "cache/"),
    )


def stress(found: EnginePreflight) -> Verdict:
    """Every scenario is registered, and its last run passed, lately."""
    return judge(Reason.STRESS_SCENARIOS_FAILED, "stress scenarios", Wanted(STRESS_SCENARIOS, found.stress))


def item(found: EnginePreflight, name: str) -> Verdict:
    """One item of the checklist; of several findings about it all have to be good."""
    about = [finding for finding in found.checklist if finding.name == name]
    if not about:
        return error("the engine does not say")
    bad = [finding for finding in about if finding.result is not CheckResult.PASSED]
    worst = next((finding for finding in bad if finding.result is CheckResult.FAILED), (bad or about)[0])
    told = worst.message or f"the engine says {worst.result}"
    if not bad:
        return passed(told)
    return failed(Reason.CHECKLIST_INCOMPLETE, told) if worst.result is CheckResult.FAILED else error(told)
