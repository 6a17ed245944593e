"""Required series in Prometheus: of the trading pod, numbers, and young."""

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from golive_api.policy import Observability
from golive_api.preflight_report import CheckResult
from golive_decisions import preflight
from golive_decisions.facts import Facts
from golive_decisions.preflight_run import Answer
from golive_decisions.prometheus import Subject
from golive_decisions.series import REQUIRED, scraped_query
from golive_decisions.terms import Checks
from golive_decisions.verdicts import UnusableError

PASSED, FAILED, ERROR = CheckResult
NOON = 1795176000.0
POD = "perps-engine-7d4b9-x2x1p"
ADDRESS, OTHER = "http://prometheus:9090", "http://other:9090"
Track = dict[str, Any]
"""One series of a range query's result."""


def tracks() -> list[Track]:
    """Every required series, scraped 20 and 5 s before noon."""
    found = []
    for series in REQUIRED:
        name = series.names[1] if "duration" in series.name else series.name
        labels = {"__name__": name, "pod": POD, "namespace": "trading"}
        found.append(
            {"metric": labels | dict([series.label] if series.label else []),
             "values": [[NOON - 20, "1"], [NOON - 5, "2"]]}
        )  # fmt: skip
    return found


def matrix(found: object, kind: str = "matrix") -> Answer:
    """What Prometheus answers."""
    data = {"resultType": kind, "result": found}
    return Answer(200, json.dumps({"status": "success", "data": data}))


def scraped(facts: Facts, *answers: tuple[str, Answer | None]) -> tuple[CheckResult, str, str]:
    """The check's result, reason and message where these Prometheuses answered so."""
    assert facts.terms is not None
    assert facts.run is not None
    named = tuple(Observability(prometheus_url=address) for address, _ in answers)
    run = replace(facts.run, scraped=tuple((address, answer) for address, answer in answers if answer))
    facts = replace(facts, terms=replace(facts.terms, checks=Checks(observability=named)), run=run)
    seen = preflight.current(facts)[4]
    return seen.result, seen.reason, seen.message


def with_first(change: Callable[[Track], Track]) -> list[Track]:
    """All series, the first one changed."""
    first, *others = tracks()
    return [change(first), *others]


def aged(seconds: float) -> list[Track]:
    """All series, the first one's samples shifted into the past."""
    return with_first(lambda track: track | {"values": [[t - seconds, v] for t, v in track["values"]]})


ALLOWED = 'risk_gate_decisions_total{decision="allowed"}'
TABLE: dict[str, tuple[Answer | None, CheckResult, str]] = {
    "all there": (matrix(tracks()), PASSED, "9 required series are scraped"),
    "one missing": (matrix(tracks()[1:]), FAILED, f"lacks {ALLOWED}"),
    "nothing": (matrix([]), FAILED, "ess_triggers_total"),
    "one of another pod": (
        matrix(with_first(lambda track: track | {"metric": track["metric"] | {"pod": "old"}})), FAILED, ALLOWED,
    ),
    "one of another decision": (
        matrix(with_first(lambda track: track | {"metric": track["metric"] | {"decision": "maybe"}})),
        FAILED, ALLOWED,
    ),
    "one a minute old": (matrix(aged(57)), FAILED, ALLOWED),
    "one nearly a minute old": (matrix(aged(54)), PASSED, "scraped"),
    "one from the future": (matrix(aged(-30)), FAILED, ALLOWED),
    "one that is no number": (
        matrix(with_first(lambda track: track | {"values": [[NOON - 5, "NaN"]]})), FAILED, ALLOWED,
    ),
    "one that was a number": (
        matrix(with_first(lambda track: track | {"values": [[NOON - 9, "1"], [NOON - 5, "NaN"]]})),
        FAILED, ALLOWED,
    ),
    "one that is endless": (
        matrix(with_first(lambda track: track | {"values": [[NOON - 5, "+Inf"]]})), FAILED, ALLOWED,
    ),
    "one without samples": (matrix(with_first(lambda track: track | {"values": []})), FAILED, ALLOWED),
    "a native histogram": (
        matrix(with_first(lambda track: {"metric": track["metric"], "histograms": []})), FAILED, ALLOWED,
    ),
    "a vector": (matrix([], kind="vector"), ERROR, "resultType"),
    "a scalar": (matrix([NOON, "1"], kind="scalar"), ERROR, "resultType"),
    "words": (Answer(200, "up 1"), ERROR, "body"),
    "an error": (Answer(503, "starting"), ERROR, "answered 503: starting"),
    "no answer": (Answer(None, error="refused"), ERROR, "refused"),
    "not asked": (None, ERROR, "not asked"),
}  # fmt: skip


@pytest.mark.parametrize(("answer", "result", "says"), TABLE.values(), ids=TABLE.keys())
def test_every_required_series_is_really_scraped(
    good: Facts, answer: Answer | None, result: CheckResult, says: str
) -> None:
    """What the engine serves is not asked where a policy says who scrapes it."""
    found, reason, message = scraped(good, (ADDRESS, answer))
    assert (found, says in message) == (result, True), message
    assert reason == {PASSED: "PreflightPassed", FAILED: "MetricsMissing", ERROR: "CheckError"}[result]


def test_every_prometheus_that_a_policy_names_must_scrape(good: Facts) -> None:
    """The strictest of all policies, here too."""
    well, ill = matrix(tracks()), matrix(tracks()[1:])
    assert scraped(good, (ADDRESS, well), (OTHER, well))[0] is PASSED
    assert scraped(good, (ADDRESS, well), (OTHER, ill))[::2] == (FAILED, f"{OTHER} lacks {ALLOWED}")
    assert scraped(good, (ADDRESS, well), (OTHER, None))[0] is ERROR


def test_a_query_is_filled_with_names_and_nothing_else() -> None:
    """A name that could end a quoted string is refused; a longer variable is left alone."""
    subject = Subject("trading", "perps-engine", "perps-engine-7d4b9.x")
    filled = subject.fill('up{namespace="$namespace",pod="$pod",e="$engine"} > $podium or x=~"a$"')
    assert filled == 'up{namespace="trading",pod="perps-engine-7d4b9.x",e="perps-engine"} > $podium or x=~"a$"'
    for name in ('a"} or vector(1) or up{x="', "a\n", "", "A", "x" * 300, "a\\"):
        with pytest.raises(UnusableError, match="is no name of a pod"):
            scraped_query(Subject("trading", "perps-engine", name))
