"""Which run of preflight counts: the last one, for the pod and the configuration of now, while it is young."""

from collections.abc import Mapping
from datetime import timedelta

from golive_api.golive import ChecklistItem, PreflightCheck, PreflightStatus
from golive_api.preflight_report import CheckResult
from golive_api.reasons import Reason
from golive_api.values import parse_time
from golive_decisions.approvals import current_digest
from golive_decisions.engine_report_checks import read_report
from golive_decisions.facts import Facts
from golive_decisions.once import once
from golive_decisions.preflight_results import results, stale


@once
def uncounted(facts: Facts) -> tuple[Reason, str] | None:
    """Why the last run does not count for what stands there now; None if it does."""
    run, terms = facts.run, facts.terms
    holder = facts.engine.holder if facts.engine else None
    if run is None or terms is None:
        return Reason.PREFLIGHT_PENDING, "preflight has not run yet"
    if run.pod != holder:
        return Reason.PREFLIGHT_STALE, f"pod {run.pod} was asked, and {holder or 'no pod'} trades"
    if run.digest is None or run.digest != current_digest(facts):
        return Reason.PREFLIGHT_STALE, "request, profile or engine have changed since preflight ran"
    if stale(run, terms, facts.read_time):
        return Reason.PREFLIGHT_STALE, f"preflight did not run within the last {terms.max_age_seconds} s"
    return None


@once
def current_results(facts: Facts) -> tuple[PreflightCheck, ...]:
    """Every result as it counts now; none where nobody knows what is asked for."""
    spec, terms = facts.subject.spec, facts.terms
    if spec is None or terms is None:
        return ()
    found, why = results(facts.run, read_report(facts), spec, terms), uncounted(facts)
    if why is None:
        return found
    if facts.run is None:
        inherited = _inherited_checks(facts)
        return tuple(inherited.get(check.name, check) for check in found)
    return tuple(_voided(check, *why) for check in found)


def _voided(check: PreflightCheck, reason: Reason, why: str) -> PreflightCheck:
    """A result that does not count any more."""
    message = f"{why}; the result was {check.result}"
    return check.model_copy(update={"result": CheckResult.ERROR, "reason": reason.value, "message": message})


def _inherited(facts: Facts) -> PreflightStatus:
    """What the leader before this one found, if it counts: a new leader must not shut every gate at first."""
    status, digest, terms = facts.subject.status, current_digest(facts), facts.terms
    holder = facts.engine.holder if facts.engine else None
    found, pod = status.preflight, status.engine.pod if status.engine else None
    if facts.run is not None or found is None or found.run_time is None or terms is None:
        return PreflightStatus()
    if digest is None or holder is None or (status.digest, pod) != (digest, holder):
        return PreflightStatus()
    age = facts.read_time - parse_time(found.run_time)
    young = timedelta(0) <= age <= timedelta(seconds=terms.max_age_seconds)
    return found if young else PreflightStatus()


def _inherited_checks(facts: Facts) -> Mapping[str, PreflightCheck]:
    """By name; what never ran is nothing to inherit."""
    return {check.name: check for check in _inherited(facts).checks if check.checked_time is not None}


def inherited_items(facts: Facts) -> Mapping[str, ChecklistItem]:
    """What a machine measured of the checklist, by item; people's words are judged anew."""
    return {item.item: item for item in _inherited(facts).checklist if not item.by}
