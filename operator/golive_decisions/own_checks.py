"""The checks that policies add: an address that must answer, a query that must meet its threshold."""

import operator
from collections.abc import Callable, Sequence
from decimal import Decimal

from golive_api.policy import Comparison, Query, Webhook
from golive_api.reasons import Reason
from golive_decisions import prometheus
from golive_decisions.answered import at_pointer, json_of, same, text_of
from golive_decisions.preflight_run import UNASKED, Answer, PreflightRun
from golive_decisions.verdicts import UnusableError, Verdict, error, failed, passed

_HOLDS: dict[Comparison, Callable[[Decimal, Decimal], bool]] = {
    Comparison.LESS: operator.lt,
    Comparison.AT_MOST: operator.le,
    Comparison.AT_LEAST: operator.ge,
    Comparison.GREATER: operator.gt,
}

_SIGNS = {Comparison.LESS: "<", Comparison.AT_MOST: "≤", Comparison.AT_LEAST: "≥", Comparison.GREATER: ">"}


def webhook(asked: Webhook, run: PreflightRun) -> Verdict:
    """The value in the answer is the expected one."""
    answer = next((answer for question, answer in run.webhooks if question == asked), UNASKED)
    try:
        expected = json_of(asked.expected)
    except UnusableError as unusable:
        return error(f"the policy expects {asked.expected!r}, which is {unusable}")
    try:
        found = at_pointer(json_of(text_of(answer)), asked.json_pointer)
    except UnusableError as unusable:
        return error(f"{asked.url}: {unusable}")
    values = {"value": _shown(found), "expected": asked.expected}
    if same(found, expected):
        return passed(f"{asked.url} answered {asked.expected} at {asked.json_pointer}", values)
    message = f"{asked.url} answered {_shown(found)} at {asked.json_pointer}, expected is {asked.expected}"
    return failed(Reason.WEBHOOK_FAILED, message, values)


def _shown(value: object) -> str:
    """A JSON value as people read it; half a surrogate pair, which JSON may hold, can't be written anywhere."""
    match value:
        case bool() | None:
            return {True: "true", False: "false", None: "null"}[value]
        case str():
            return f'"{value[:100].encode(errors="replace").decode()}"'
        case dict():
            return "an object"
        case list():
            return "a list"
    return str(value)[:100]


def query(asked: Query, addresses: Sequence[str], run: PreflightRun) -> Verdict:
    """Every value that any Prometheus answers with meets the threshold."""
    if not addresses:
        return error("no policy names a prometheusUrl, so the query can't be asked")
    try:
        values = [value for address in addresses for value in _values(asked, _answer(asked, address, run), run)]
    except UnusableError as unusable:
        return error(f"{asked.name}: {unusable}")
    threshold, holds = Decimal(asked.threshold), _HOLDS[asked.comparison]
    worst = (max if asked.comparison in (Comparison.LESS, Comparison.AT_MOST) else min)(values)
    wanted = f"{_SIGNS[asked.comparison]} {asked.threshold}"
    shown = {"value": str(worst), "wanted": wanted, "series": str(len(values))}
    if all(holds(value, threshold) for value in values):
        return passed(f"{asked.name} is {worst}, wanted is {wanted}", shown)
    return failed(Reason.QUERY_FAILED, f"{asked.name} is {worst}, wanted is {wanted}", shown)


def _answer(asked: Query, address: str, run: PreflightRun) -> Answer:
    return next((answer for question, answer in run.queries if question == (address, asked)), UNASKED)


def _values(asked: Query, answer: Answer, run: PreflightRun) -> list[Decimal]:
    """Finite values of this run's time. Raises UnusableError."""
    points = prometheus.instant(answer)
    oldest = run.began.timestamp() - asked.max_age_seconds
    for point in points:
        if not oldest <= point.value[0] <= run.ended.timestamp() + asked.max_age_seconds:
            raise UnusableError("answered with a value of another time: its clock is off, or the answer is old")
    return [prometheus.value_of(point) for point in points]
