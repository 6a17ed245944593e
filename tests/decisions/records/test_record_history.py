"""The summary in status: openings, people, open time by profile; renewals and clocks do not distort it."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from golive_api.golive import GateState, History, RungTime
from golive_api.values import render_time
from golive_decisions.history import MOST_RUNGS, advance

NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
OPEN, CLOSED = GateState.OPEN, GateState.CLOSED


def at(seconds: float) -> datetime:
    """Noon and so many seconds."""
    return NOON + timedelta(seconds=seconds)


def step(before: History | None, was: GateState, then: GateState, seconds: float, **more: Any) -> History:
    """One decision."""
    usual: dict[str, Any] = {
        "revision": 1,
        "requester": "trader",
        "approvers": ["approver"],
        "profile": "micro",
        "was_open_since": None,
        "last_valid_until": at(seconds + 15),
    }
    return advance(before, was=was, now_state=then, now=at(seconds), **(usual | more))


def opened() -> History:
    """Opened at noon."""
    return step(None, CLOSED, OPEN, 0)


def test_a_first_look_notes_when_the_revision_was_seen() -> None:
    """From then on the request may expire."""
    history = step(None, CLOSED, CLOSED, 0)
    assert (history.request_revision, history.request_time) == (1, render_time(NOON))
    assert step(history, CLOSED, CLOSED, 60) == history


def test_a_new_revision_is_seen_anew() -> None:
    """And its time is its own."""
    history = step(step(None, CLOSED, CLOSED, 0), CLOSED, CLOSED, 60, revision=2)
    assert (history.request_revision, history.request_time) == (2, render_time(at(60)))


def test_an_opening_counts_and_names_its_people() -> None:
    """The requester comes first."""
    history = opened()
    assert history.activations == 1
    assert history.last_activated_time == history.open_since == render_time(NOON)
    assert history.last_operators == ["trader", "approver"]
    assert history.last_activated_revision == 1


def test_renewals_change_nothing() -> None:
    """Else status would be written at each of them."""
    history = opened()
    assert step(history, OPEN, OPEN, 5) == history


def test_a_closing_adds_the_open_time_to_its_profile() -> None:
    """And says when and why."""
    history = step(opened(), OPEN, CLOSED, 90, reason="PreflightStale")
    assert history.rungs == [RungTime(profile="micro", open_seconds=90)]
    assert history.last_closed_time == history.last_open_time == render_time(at(90))
    assert (history.last_closed_reason, history.open_since, history.activations) == ("PreflightStale", None, 1)


def test_open_time_ends_where_the_gate_ran_out() -> None:
    """A dead operator's gate was not open until the next one looked."""
    history = step(opened(), OPEN, CLOSED, 4000, last_valid_until=at(30))
    assert history.rungs == [RungTime(profile="micro", open_seconds=30)]
    assert history.last_open_time == render_time(at(30))
    assert history.last_closed_time == render_time(at(4000))


def test_a_lapse_that_is_renewed_is_neither_open_time_nor_another_activation() -> None:
    """30 s before it, 20 s after it."""
    history = step(opened(), OPEN, OPEN, 100, last_valid_until=at(30))
    assert history.activations == 1
    history = step(history, OPEN, CLOSED, 120)
    assert history.rungs == [RungTime(profile="micro", open_seconds=50)]


def test_openings_add_up_by_profile() -> None:
    """The ladder asks for all of them together."""
    history = step(opened(), OPEN, CLOSED, 10)
    history = step(step(history, CLOSED, OPEN, 20), OPEN, CLOSED, 50)
    history = step(step(history, CLOSED, OPEN, 60, profile="low"), OPEN, CLOSED, 61, profile="low")
    assert history.activations == 3
    assert {rung.profile: rung.open_seconds for rung in history.rungs} == {"micro": 40, "low": 1}


def test_a_gate_found_open_without_a_summary_counts_as_opened() -> None:
    """As after an upgrade from a version that kept none."""
    assert step(None, OPEN, OPEN, 0).activations == 1


def test_a_closing_without_a_summary_counts_from_what_the_caller_knows() -> None:
    """A summary that does not know when it opened."""
    history = step(None, OPEN, CLOSED, 30, was_open_since=NOON)
    assert history.rungs == [RungTime(profile="micro", open_seconds=30)]


@pytest.mark.parametrize("seconds", [-3600.0, -1.0])
def test_a_clock_that_went_back_adds_no_time(seconds: float) -> None:
    """And takes none away."""
    assert step(opened(), OPEN, CLOSED, seconds, last_valid_until=at(15)).rungs == []


def test_a_clock_that_jumps_ahead_adds_no_more_than_the_gate_was_valid() -> None:
    """An hour ahead is still 15 s of trading."""
    history = step(opened(), OPEN, CLOSED, 3600, last_valid_until=at(15))
    assert history.rungs == [RungTime(profile="micro", open_seconds=15)]


def test_more_profiles_than_fit_forget_the_shortest() -> None:
    """Status stays bounded."""
    history, clock = History(), 0.0
    for number in range(MOST_RUNGS + 1):
        name = f"p{number:02d}"
        history = step(history, CLOSED, OPEN, clock, profile=name)
        clock += number + 1
        history = step(history, OPEN, CLOSED, clock, profile=name)
    assert len(history.rungs) == MOST_RUNGS
    assert "p00" not in {rung.profile for rung in history.rungs}


@given(st.lists(st.tuples(st.booleans(), st.integers(1, 600)), max_size=40))
def test_open_time_never_exceeds_the_time_that_a_gate_was_valid(looks: list[tuple[bool, int]]) -> None:
    """However often it opens, lapses and shuts."""
    history: History | None = None
    was, clock, valid_until, most, activations = CLOSED, 0, 0, 0, 0
    for wants_open, wait in looks:
        clock += wait
        if was is OPEN:
            most += min(wait, 15)
        then = OPEN if wants_open else CLOSED
        activations += was is CLOSED and then is OPEN
        history = step(history, was, then, clock, last_valid_until=at(valid_until) if was is OPEN else None)
        was, valid_until = then, clock + 15
    assert sum(rung.open_seconds for rung in history.rungs) <= most if history else True
    assert (history.activations if history else 0) == activations
