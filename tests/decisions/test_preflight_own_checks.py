"""A policy's own checks: any address, any query; nothing but the expected value passes."""

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from golive_api.golive import PreflightStatus
from golive_api.policy import Observability, Query, Webhook
from golive_api.preflight_report import CheckResult
from golive_decisions import checklist, preflight
from golive_decisions.facts import Facts
from golive_decisions.preflight_run import Answer
from golive_decisions.terms import Checks

PASSED, FAILED, ERROR = CheckResult
NOON = 1795176000.0
"""When the run begins, in seconds since 1970."""

ADDRESS, OTHER = "https://prometheus.example", "https://other.example"
DEEP = "[" * 100_000


def hook(**changes: Any) -> Webhook:
    """A webhook that wants true at /ok."""
    return Webhook.model_validate({"name": "freeze", "url": "https://ok.example/", **changes})


def question(**changes: Any) -> Query:
    """A query that wants less than 500."""
    return Query.model_validate(
        {"name": "latency", "query": "p95", "comparison": "Less", "threshold": "500", **changes}
    )


def with_hooks(facts: Facts, *asked: tuple[Webhook, Answer | None]) -> Facts:
    """Facts in which policies have these webhooks, which answered so; None was not asked."""
    assert facts.terms is not None
    assert facts.run is not None
    answers = tuple((webhook, answer) for webhook, answer in asked if answer is not None)
    return replace(
        facts,
        terms=replace(facts.terms, checks=Checks(webhooks=tuple(webhook for webhook, _ in asked))),
        run=replace(facts.run, webhooks=answers),
    )


def with_queries(facts: Facts, *asked: tuple[Query, str, Answer | None]) -> Facts:
    """Facts in which policies have these queries, which these Prometheuses answered so."""
    assert facts.terms is not None
    assert facts.run is not None
    addresses = tuple(dict.fromkeys(address for _, address, _ in asked if address))
    checks = Checks(
        queries=tuple(dict.fromkeys(query for query, _, _ in asked)),
        observability=tuple(Observability(prometheus_url=address) for address in addresses),
    )
    terms = replace(facts.terms, checks=checks)
    answers = tuple(((address, query), answer) for query, address, answer in asked if answer is not None)
    return replace(facts, terms=terms, run=replace(facts.run, queries=answers))


def verdict(facts: Facts, name: str) -> tuple[CheckResult, str, str]:
    """Result, reason and message of one check."""
    seen = {check.name: check for check in preflight.current(facts)}[name]
    return seen.result, seen.reason, seen.message


HOOKS: dict[str, tuple[dict[str, Any], Answer | None, CheckResult, str]] = {
    "the expected value": ({}, Answer(200, '{"ok": true}'), PASSED, "answered true at /ok"),
    "another value": ({}, Answer(200, '{"ok": false}'), FAILED, "answered false at /ok, expected is true"),
    "a number for a boolean": ({}, Answer(200, '{"ok": 1}'), FAILED, "answered 1"),
    "a text for a boolean": ({}, Answer(200, '{"ok": "true"}'), FAILED, 'answered "true"'),
    "half a letter": ({}, Answer(200, '{"ok": "\\ud800"}'), FAILED, 'answered "?"'),
    "nothing for a boolean": ({}, Answer(200, '{"ok": null}'), FAILED, "answered null"),
    "an object for a boolean": ({}, Answer(200, '{"ok": {"ok": true}}'), FAILED, "answered an object"),
    "a list for a boolean": ({}, Answer(200, '{"ok": [true]}'), FAILED, "answered a list"),
    "another name": ({}, Answer(200, '{"Ok": true}'), ERROR, "answered without /ok"),
    "the name twice": ({}, Answer(200, '{"ok": false, "ok": true}'), ERROR, "twice"),
    "no object": ({}, Answer(200, "true"), ERROR, "answered without /ok"),
    "no JSON": ({}, Answer(200, "OK"), ERROR, "no JSON"),
    "JSON with something after it": ({}, Answer(200, '{"ok": true} not'), ERROR, "no JSON"),
    "an empty body": ({}, Answer(200), ERROR, "no JSON"),
    "a bottomless body": ({}, Answer(200, DEEP), ERROR, "no JSON"),
    "an error": ({}, Answer(500, '{"ok": true}'), ERROR, "answered 500"),
    "a redirect": ({}, Answer(302, '{"ok": true}'), ERROR, "answered 302"),
    "created": ({}, Answer(201, '{"ok": true}'), ERROR, "answered 201"),
    "no answer": ({}, Answer(None, error="no answer within 3 s"), ERROR, "no answer within 3 s"),
    "not asked": ({}, None, ERROR, "not asked"),
    "a text as expected": (
        {"expected": '"green"', "json_pointer": "/a/0/b~1c~0d"},
        Answer(200, '{"a": [{"b/c~d": "green"}]}'), PASSED, '"green"',
    ),
    "a number as expected": ({"expected": "3"}, Answer(200, '{"ok": 3.0}'), PASSED, "answered 3"),
    "a number that no float can hold": (
        {"expected": "10000000000000000"}, Answer(200, '{"ok": 10000000000000001}'),
        FAILED, "10000000000000001",
    ),
    "not a number": ({"expected": "NaN"}, Answer(200, '{"ok": NaN}'), ERROR, "NaN is no number"),
    "a number without end": ({"expected": "3"}, Answer(200, '{"ok": Infinity}'), ERROR, "no JSON"),
    "an object as expected": (
        {"expected": '{"a": [1, {"b": null}]}'}, Answer(200, '{"ok": {"a": [1.0, {"b": null}]}}'), PASSED, "",
    ),
    "an object with more in it": ({"expected": "{}"}, Answer(200, '{"ok": {"a": 1}}'), FAILED, "an object"),
    "an index beyond the list": ({"json_pointer": "/1"}, Answer(200, "[true]"), ERROR, "without /1"),
    "an index with a zero before it": ({"json_pointer": "/00"}, Answer(200, "[true]"), ERROR, "without /00"),
    "an index that counts from the end": ({"json_pointer": "/-1"}, Answer(200, "[true]"), ERROR, "without /-1"),
    "an expectation that is no JSON": ({"expected": "yes"}, Answer(200, '{"ok": "yes"}'), ERROR, "no JSON"),
}  # fmt: skip


@pytest.mark.parametrize(("changes", "answer", "result", "says"), HOOKS.values(), ids=HOOKS.keys())
def test_a_webhook_passes_only_with_the_expected_value(
    good: Facts, changes: dict[str, Any], answer: Answer | None, result: CheckResult, says: str
) -> None:
    """Failed where it answered another value, Error where it answered none."""
    facts = with_hooks(good, (hook(**changes), answer))
    found, reason, message = verdict(facts, "webhook/freeze")
    assert (found, says in message) == (result, True), message
    assert reason == {PASSED: "PreflightPassed", FAILED: "WebhookFailed", ERROR: "CheckError"}[result]
    assert (preflight.preflight_failed(facts) is None) == (result is PASSED)


def test_an_answer_to_an_old_question_is_none(good: Facts) -> None:
    """Whoever changes the policy has it asked anew."""
    well = Answer(200, '{"ok": true}')
    facts, elsewhere = with_hooks(good, (hook(), well)), hook(url="https://elsewhere.example/")
    assert facts.terms is not None
    changed = replace(facts, terms=replace(facts.terms, checks=Checks(webhooks=(elsewhere,))))
    assert verdict(changed, "webhook/freeze")[::2] == (ERROR, "https://elsewhere.example/: not asked")


def test_two_policies_webhooks_of_one_name_both_hold_the_gate(good: Facts) -> None:
    """Neither hides behind the other's result; the very same one is asked and shown once."""
    well, ill = Answer(200, '{"ok": true}'), Answer(200, '{"ok": false}')
    facts = with_hooks(good, (hook(), well), (hook(json_pointer="/ok/"), ill), (hook(), well))
    names = [check.name for check in preflight.current(facts)][6:]
    assert names == ["webhook/freeze", "webhook/freeze#2"]
    assert verdict(facts, "webhook/freeze#2")[0] is ERROR


def test_more_checks_than_can_be_shown_hold_the_gate(good: Facts) -> None:
    """What nobody sees is no pass: 57 of policies' own fit, and the 58th is an Error."""
    well = Answer(200, '{"ok": true}')
    many = [(hook(name=f"hook-{number}"), well) for number in range(58)]
    assert preflight.preflight_failed(with_hooks(good, *many[:57])) is None
    crowded = with_hooks(good, *many)
    assert len(preflight.current(crowded)) == 63
    assert verdict(crowded, "more")[::2] == (ERROR, "2 checks of policies are more than can be made")
    assert preflight.preflight_failed(crowded) is not None


def vector(*values: object, kind: str = "vector", time: float = NOON) -> Answer:
    """What Prometheus answers to an instant query."""
    result: object = [{"metric": {"pod": "p"}, "value": [time, value]} for value in values]
    return reply({"resultType": kind, "result": result})


def reply(data: object, **more: object) -> Answer:
    """Prometheus' envelope."""
    return Answer(200, json.dumps({"status": "success", "data": data, **more}))


POINT = {"metric": {}, "value": [NOON, "1"]}
QUERIES: dict[str, tuple[dict[str, Any], Answer | None, CheckResult, str]] = {
    "one value below": ({}, vector("499.9"), PASSED, "latency is 499.9, wanted is < 500"),
    "the threshold itself": ({}, vector("500"), FAILED, "latency is 500, wanted is < 500"),
    "one of several above": ({}, vector("1", "501", "2"), FAILED, "latency is 501"),
    "at most the threshold": ({"comparison": "AtMost"}, vector("500"), PASSED, "≤ 500"),
    "more than at most": ({"comparison": "AtMost"}, vector("500.1"), FAILED, "≤ 500"),
    "at least the threshold": ({"comparison": "AtLeast"}, vector("500", "501"), PASSED, "≥ 500"),
    "one of several less than at least": ({"comparison": "AtLeast"}, vector("501", "499"), FAILED, "is 499"),
    "not greater": ({"comparison": "Greater"}, vector("500"), FAILED, "> 500"),
    "greater": ({"comparison": "Greater"}, vector("1e+06"), PASSED, "> 500"),
    "a negative value": ({}, vector("-3"), PASSED, "-3"),
    "a scalar": ({}, reply({"resultType": "scalar", "result": [NOON, "3"]}), PASSED, "is 3"),
    "a scalar of nothing": ({}, reply({"resultType": "scalar", "result": [NOON, "NaN"]}), ERROR, "NaN"),
    "not a number": ({}, vector("NaN"), ERROR, "answered NaN, which is no number"),
    "not a number among numbers": ({}, vector("1", "NaN"), ERROR, "NaN"),
    "infinity": ({"comparison": "Greater"}, vector("+Inf"), ERROR, "+Inf"),
    "minus infinity": ({}, vector("-Inf"), ERROR, "-Inf"),
    "no series": ({}, vector(), ERROR, "no value"),
    "a number in the place of a text": ({}, vector(1), ERROR, "value"),
    "nothing in the place of a value": ({}, vector(None), ERROR, "value"),
    "a matrix": (
        {}, reply({"resultType": "matrix", "result": [{"metric": {}, "values": [[NOON, "1"]]}]}), ERROR, "data",
    ),
    "a string": ({}, reply({"resultType": "string", "result": [NOON, "1"]}), ERROR, "data"),
    "a vector called scalar": ({}, vector("1", kind="scalar"), ERROR, "data"),
    "a native histogram": (
        {}, reply({"resultType": "vector", "result": [{"metric": {}, "histogram": [NOON, {}]}]}),
        ERROR, "value",
    ),
    "a value of a minute ago": ({}, vector("1", time=NOON - 61), ERROR, "the answer is old"),
    "a value of a minute ahead": ({}, vector("1", time=NOON + 63), ERROR, "its clock is off"),
    "a value of no time": ({}, vector("1", time=float("nan")), ERROR, "data"),
    "a value as old as it may be": ({"max_age_seconds": 600}, vector("1", time=NOON - 590), PASSED, "is 1"),
    "a part of the data": (
        {}, reply({"resultType": "vector", "result": [POINT]}, warnings=["a store is down"]),
        ERROR, "a store is down",
    ),
    "a hint beside the data": (
        {}, reply({"resultType": "vector", "result": [POINT]}, infos=["might not be a counter"]),
        PASSED, "is 1",
    ),
    "an error in an answer of 200": (
        {}, Answer(200, '{"status": "error", "error": "parse error"}'), ERROR, "status",
    ),
    "a query that is none": ({}, Answer(400, '{"status": "error"}'), ERROR, "answered 400"),
    "no answer": ({}, Answer(None, error="refused"), ERROR, "refused"),
    "a page for people": ({}, Answer(200, "<html>"), ERROR, "body"),
    "not asked": ({}, None, ERROR, "not asked"),
}  # fmt: skip


@pytest.mark.parametrize(("changes", "answer", "result", "says"), QUERIES.values(), ids=QUERIES.keys())
def test_a_query_passes_only_with_numbers_that_meet_the_threshold(
    good: Facts, changes: dict[str, Any], answer: Answer | None, result: CheckResult, says: str
) -> None:
    """Failed where a number is wrong, Error where there is none, or it is old, or incomplete."""
    facts = with_queries(good, (question(**changes), ADDRESS, answer))
    found, reason, message = verdict(facts, "query/latency")
    assert (found, says in message) == (result, True), message
    assert reason == {PASSED: "PreflightPassed", FAILED: "QueryFailed", ERROR: "CheckError"}[result]


def test_a_query_without_a_prometheus_is_an_error(good: Facts) -> None:
    """A policy that asks nobody gets no yes."""
    found, _, message = verdict(with_queries(good, (question(), "", None)), "query/latency")
    assert (found, "prometheusUrl" in message) == (ERROR, True)


def test_a_query_must_hold_at_every_prometheus(good: Facts) -> None:
    """Whichever of several policies names it."""
    both = ((question(), ADDRESS, vector("1")), (question(), OTHER, vector("501")))
    assert verdict(with_queries(good, *both), "query/latency")[0] is FAILED
    one = ((question(), ADDRESS, vector("1")), (question(), OTHER, None))
    assert verdict(with_queries(good, *one), "query/latency")[0] is ERROR


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
garbage = st.builds(
    Answer,
    st.none() | st.sampled_from([200, 204, 302, 500]),
    st.text() | json_values.map(json.dumps),
    st.text(),
)


@given(data=st.data())
def test_whatever_anybody_answers_is_judged_and_can_be_written(good: Facts, data: st.DataObject) -> None:
    """No answer makes the operator stumble, and only Passed checks let a gate open."""
    observability = Observability(prometheus_url=ADDRESS, grafana_url=OTHER, alert_rules=["A"])
    asked = hook(jsonPointer=data.draw(st.sampled_from(["/0", "/a", "/ok"])))
    assert good.terms is not None
    assert good.run is not None
    wanted = Checks(
        webhooks=(asked,),
        queries=(question(),),
        observability=(observability,),
        checklist_required=frozenset({"dashboard-present", "alert-rules-loaded", "prometheus-scraping"}),
    )
    terms = replace(good.terms, checks=wanted)
    run = replace(
        good.run,
        scraped=((ADDRESS, data.draw(garbage)),),
        rules=((ADDRESS, data.draw(garbage)),),
        dashboards=(((OTHER, "golive"), data.draw(garbage)),),
        webhooks=((asked, data.draw(garbage)),),
        queries=(((ADDRESS, question()), data.draw(garbage)),),
    )
    facts = replace(good, terms=terms, run=run)
    checks, items = preflight.current(facts), checklist.items(facts)
    shown = PreflightStatus(checks=list(checks), checklist=list(items))
    assert PreflightStatus.model_validate_json(shown.model_dump_json()) == shown
    assert preflight.preflight_failed(facts) is not None
    assert checklist.checklist_incomplete(facts) is not None
