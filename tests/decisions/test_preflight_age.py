"""Which run counts: the last one, for what stands there now, while it is young."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import timedelta

import pytest

from golive_api.golive import GoLiveStatus, ItemState
from golive_api.policy import Webhook
from golive_api.preflight_report import CheckResult
from golive_api.values import render_time
from golive_decisions import checklist, preflight
from golive_decisions.deciding import Plan, decide
from golive_decisions.facts import Facts
from golive_decisions.preflight_run import Answer
from golive_decisions.terms import Checks

Change = Callable[[Facts, Mapping[str, object]], Facts]
"""Sets values by dotted path."""
CarryOn = Callable[..., Facts]
"""Carries a plan out and lets time go by."""

PASSED, FAILED, ERROR = CheckResult
SIX = 6


def later(facts: Facts, seconds: float) -> Facts:
    """The same facts, read that much later than the run began."""
    assert facts.run is not None
    return replace(facts, read_time=facts.run.began + timedelta(seconds=seconds))


def reasons(facts: Facts) -> set[tuple[CheckResult, str]]:
    """Result and reason of every check."""
    return {(check.result, check.reason) for check in preflight.current(facts)}


VOID: dict[str, tuple[Callable[[Facts, Change], Facts], str]] = {
    "older than accepted": (lambda facts, _: later(facts, 301), "within the last 300 s"),
    "from the future": (lambda facts, _: later(facts, -301), "within the last 300 s"),
    "of another pod": (lambda facts, change: change(facts, {"run.pod": "old-pod"}), "pod old-pod"),
    "of a pod that traded": (lambda facts, change: change(facts, {"engine.holder": None}), "no pod trades"),
    "for another configuration": (
        lambda facts, change: change(facts, {"engine.identity.mounted": {}}), "have changed",
    ),
    "for other limits": (
        lambda facts, change: change(facts, {"profile.limits.maxPositions": 1}), "have changed",
    ),
    "for nothing to approve": (lambda facts, change: change(facts, {"run.digest": None}), "changed"),
    "while nobody knows what stands there": (
        lambda facts, change: change(facts, {"engine.identity": None, "run.digest": None}), "changed",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("voided", "says"), VOID.values(), ids=VOID.keys())
def test_such_a_run_does_not_count(
    good: Facts, change: Change, voided: Callable[[Facts, Change], Facts], says: str
) -> None:
    """Every result is shown as an Error, with the time at which it was one, and holds the gate."""
    facts = voided(good, change)
    assert reasons(facts) == {(ERROR, "PreflightStale")}
    assert facts.run is not None
    assert {check.checked_time for check in preflight.current(facts)} == {render_time(facts.run.began)}
    objection = preflight.preflight_failed(facts)
    assert objection is not None
    assert objection.reason.value == "PreflightStale"
    assert says in objection.message
    assert "the result was Passed" in objection.message
    measured = [item for item in checklist.items(facts) if item.item == "services-healthy"]
    assert [item.state for item in measured] == [ItemState.ERROR]


def test_a_run_counts_until_its_age_is_reached(good: Facts) -> None:
    """The bound itself is inside."""
    assert preflight.preflight_failed(later(good, 300)) is None
    assert preflight.preflight_failed(later(good, 300.001)) is not None
    assert good.terms is not None
    assert preflight.stale(None, good.terms, good.read_time)


def test_nothing_has_run_yet(good: Facts) -> None:
    """What was never tried has no time, and is no pass."""
    facts = replace(good, run=None, subject=replace(good.subject, status=GoLiveStatus()))
    assert reasons(facts) == {(ERROR, "PreflightPending")}
    assert {check.checked_time for check in preflight.current(facts)} == {None}
    objection = preflight.preflight_failed(facts)
    assert objection is not None
    assert objection.reason.value == "PreflightPending"


def test_without_a_policy_nothing_is_known_and_nothing_passes(good: Facts) -> None:
    """Nobody has said what has to hold."""
    facts = replace(good, terms=None)
    assert preflight.current(facts) == ()
    assert checklist.items(facts) == ()
    assert not preflight.all_passed(facts)
    objection = preflight.preflight_failed(facts)
    assert objection is not None
    assert not objection.optional


def test_an_optional_preflight_is_shown_and_does_not_hold_the_gate(good: Facts) -> None:
    """Only where policies and request agree on that."""
    assert good.terms is not None
    facts = replace(later(good, 301), terms=replace(good.terms, preflight_required=False))
    objection = preflight.preflight_failed(facts)
    assert objection is not None
    assert objection.optional


def test_a_new_leader_inherits_what_still_counts(opened: Facts, carry_on: CarryOn) -> None:
    """A change of leaders shuts no gate while the last results are young and about what stands there."""
    plan: Plan = decide(opened, 5)
    fresh = replace(carry_on(opened, plan), run=None)
    assert reasons(fresh) == {(PASSED, "PreflightPassed")}
    assert preflight.preflight_failed(fresh) is None
    state = {item.item: item.state for item in checklist.items(fresh)}
    assert state["services-healthy"] is ItemState.PASSED
    assert state["team-trained"] is ItemState.MISSING


HEIRLESS: dict[str, Callable[[Facts, Change], Facts]] = {
    "too old": lambda facts, _: replace(facts, read_time=facts.read_time + timedelta(seconds=301)),
    "from the future": lambda facts, _: replace(facts, read_time=facts.read_time - timedelta(seconds=60)),
    "of another pod": lambda facts, change: change(facts, {"engine.holder": "another"}),
    "of no pod": lambda facts, change: change(facts, {"engine.holder": None}),
    "for another configuration": lambda facts, change: change(facts, {"engine.identity.mounted": {}}),
    "that were never tried": lambda facts, change: change(facts, {"subject.status.preflight.runTime": None}),
}


@pytest.mark.parametrize("spoiled", HEIRLESS.values(), ids=HEIRLESS.keys())
def test_a_new_leader_inherits_no_results(
    opened: Facts, carry_on: CarryOn, change: Change, spoiled: Callable[[Facts, Change], Facts]
) -> None:
    """Then preflight has not run, whatever status says."""
    fresh = spoiled(replace(carry_on(opened, decide(opened, 5)), run=None), change)
    assert reasons(fresh) == {(ERROR, "PreflightPending")}


def test_a_new_leader_inherits_failures_too(opened: Facts, carry_on: CarryOn, change: Change) -> None:
    """What failed a moment ago is not forgotten with the leader that saw it."""
    sick = change(opened, {"run.ready": Answer(503)})
    fresh = replace(carry_on(sick, decide(sick, 5)), run=None)
    assert preflight.current(fresh)[0].result is FAILED


def test_a_policys_new_check_is_not_inherited(opened: Facts, carry_on: CarryOn) -> None:
    """A check that the old leader did not know has not run."""
    fresh = replace(carry_on(opened, decide(opened, 5)), run=None)
    assert fresh.terms is not None
    freeze = Webhook(name="freeze", url="https://ok.example/")
    more = replace(fresh.terms, checks=Checks(webhooks=(freeze,)))
    found = preflight.current(replace(fresh, terms=more))
    assert [check.result for check in found] == [*[PASSED] * SIX, ERROR]


def test_results_need_a_spec(good: Facts, change: Change) -> None:
    """A spec that can't be read asks for nothing that could pass."""
    facts = change(good, {"subject.spec": None})
    assert preflight.current(facts) == ()
    assert preflight.preflight_failed(facts) is not None


def test_a_code_that_this_version_does_not_know_is_an_error(
    opened: Facts, carry_on: CarryOn, change: Change
) -> None:
    """An operator of another version left it in status."""
    fresh = replace(carry_on(opened, decide(opened, 5)), run=None)
    changes = {"result": "Failed", "reason": "MoonPhaseWrong"}
    sick = change(fresh, {f"subject.status.preflight.checks.0.{key}": value for key, value in changes.items()})
    objection = preflight.preflight_failed(sick)
    assert objection is not None
    assert objection.reason.value == "CheckError"


@pytest.mark.parametrize(
    ("looked_at_every", "age", "due"),
    [(15, 19, False), (15, 21, True), (50, 101, False), (50, 209, False), (50, 211, True)],
    ids=["ready", "to be kept ready", "in a crowd", "young in a crowd", "old in a crowd"],
)
def test_who_waits_for_people_is_kept_ready_but_not_in_a_crowd(
    good: Facts,
    change: Change,
    looked_at_every: float,
    age: float,
    due: bool,  # noqa: FBT001  # a table
) -> None:
    """A thousand runs every 20 s would be most of the work; each opening has its own run in any case."""
    waiting = later(change(good, {"subject.spec.approvals": []}), age)
    assert decide(waiting, looked_at_every).run_preflight is due


def test_who_was_approved_in_a_crowd_has_preflight_run_at_once(good: Facts) -> None:
    """No opening rests on an old run, however many there are."""
    plan = decide(later(good, 31), 50)
    assert (plan.reason.value, plan.run_preflight) == ("PreflightPending", True)
