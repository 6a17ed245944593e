"""Preflight as the chain and the status see it: what counts of the last run, and what objects."""

from golive_api.conditions import ConditionType
from golive_api.golive import PreflightCheck
from golive_api.reasons import Reason
from golive_decisions import checklist
from golive_decisions.engine_report_checks import (
    account_not_traded,
    config_stale,
    read_report,
    report_unreadable,
)
from golive_decisions.facts import Facts
from golive_decisions.objections import Objection
from golive_decisions.once import once
from golive_decisions.preflight_results import not_passed, results, stale
from golive_decisions.runs_that_count import current_results

__all__ = [
    "account_not_traded",
    "all_passed",
    "config_stale",
    "current",
    "preflight_failed",
    "read_report",
    "report_unreadable",
    "results",
    "stale",
]

_BY_CODE = {reason.value: reason for reason in Reason}
"""A result that an operator of another version left in status may have a code that this one does not know."""


@once
def current(facts: Facts) -> tuple[PreflightCheck, ...]:
    """Every check as it counts now: the six, the policies' own, and the checklist if any of it is required."""
    summary = checklist.summary(facts)
    return (*current_results(facts), *([summary] if summary else []))


def all_passed(facts: Facts) -> bool:
    """Whether a new run could find nothing better: every check passed, and every required machine's item."""
    found = current_results(facts)
    return bool(found) and not not_passed(found) and not checklist.measured_badly(facts)


def preflight_failed(facts: Facts) -> Objection | None:
    """A check did not pass, has not been tried, or its result does not count any more."""
    found = current_results(facts)
    bad = not_passed(found)
    if found and not bad:
        return None
    reason, message = Reason.PREFLIGHT_PENDING, "preflight has not run yet"
    if bad:
        first, others = bad[0], [check.name for check in bad[1:]]
        more = f" (also not passed: {', '.join(others)})" if others else ""
        reason, message = _BY_CODE.get(first.reason, Reason.CHECK_ERROR), f"{first.name}: {first.message}{more}"
    optional = facts.terms is not None and not facts.terms.preflight_required
    return Objection(reason, message, ConditionType.PREFLIGHT_PASSED, optional=optional)
