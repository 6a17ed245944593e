"""Sieve's intermediate states: the leader dies at each write of opening and of closing, before and after it."""

import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from golive_dev.faults.rules import Call, Fate, Moment, Rule
from golive_dev.waiting import eventually

MOST_WRITES = 40
"""More than either way takes: beyond that the operator would be writing in a circle."""

SOME_READS = (1, 4, 9)
"""Reads change nothing, so to die at one or at its neighbour is the same: a few will do."""

LEAST_DEATHS = [
    (act, way, number)
    for act, most in (("opening", 5), ("closing", 3))
    for way in (Moment.BEFORE, Moment.AFTER)
    for number in range(1, most + 1)
]
"""At what leaders have to have died: further writes are made again or not, as it happens."""

QUIET_SECONDS = 1.0
"""So long after the outcome stands the writes that follow it are over: events, labels, records."""

WAYS = [Moment.BEFORE, Moment.AFTER]


def is_work(desk: Any, *, writes: bool) -> Callable[[Call], bool]:
    """A restriction to writes, or to reads, that are about this desk."""
    return lambda call: f"/{desk.namespace}/" in call.path and not call.watches and call.writes is writes


@contextmanager
def dying_at(faulty: Any, desk: Any, moment: Moment, number: int, *, writes: bool = True) -> Iterator[Rule]:
    """Have the leader killed at its so manieth call; the next one takes over at once."""
    leader = faulty.leader()
    pid = faulty.pid(leader)
    rule = Rule(moment, Fate.BREAK, pod=leader, wanted=is_work(desk, writes=writes), first=number, times=1)
    rule.then = lambda _: os.kill(pid, signal.SIGKILL)
    with faulty.proxy.rule(rule):
        yield rule
    if rule.hits:
        faulty.free_the_lease()


def await_death(rule: Rule, desk: Any, state: str) -> None:
    """Wait until the leader has died, or has done all, and is quiet, without coming to that call."""
    stood_since: list[float] = []

    def is_over() -> bool:
        if desk.stands(*OUTCOMES[state]):
            stood_since.append(time.monotonic())
        return bool(rule.hits) or bool(stood_since and time.monotonic() > stood_since[0] + QUIET_SECONDS)

    eventually(is_over, 60)


OUTCOMES = {"open": ("Open", "Open"), "closed": ("Closed", "ActivationDisabled")}


def remove(desk: Any) -> None:
    """Back to nothing."""
    desk.person("trader").call("DELETE", desk.path)
    eventually(lambda: desk.gate() is None and desk.admin.find(desk.path) is None, 60)


def rehearse(faulty: Any, desk: Any) -> tuple[int, int]:
    """How many writes an opening and a closing take."""
    counted = Rule(Moment.BEFORE, Fate.PASS, wanted=is_work(desk, writes=True))
    with faulty.proxy.rule(counted):
        eventually(desk.apply, 30)
        desk.approve_when_shown()
        desk.await_open(60)
        opening = counted.matched
    counted = Rule(Moment.BEFORE, Fate.PASS, wanted=is_work(desk, writes=True))
    with faulty.proxy.rule(counted):
        desk.edit(activation="Disabled")
        desk.await_gate("Closed", "ActivationDisabled", 60)
        closing = counted.matched
    remove(desk)
    return opening, closing


@pytest.mark.timeout(600)
def test_a_leader_that_dies_at_any_call_leaves_nothing_open_without_consent_and_the_next_one_finishes(
    faulty: Any, desk: Any, watched: Any
) -> None:
    """Every path ends where the undisturbed one does, and in between no more is open than was agreed to."""
    faulty.settle(3)
    opening, closing = rehearse(faulty, desk)
    assert 4 <= opening <= MOST_WRITES
    assert 2 <= closing <= MOST_WRITES
    openings = [(way, number, True) for number in range(1, opening + 1) for way in WAYS]
    openings += [(Moment.BEFORE, number, False) for number in SOME_READS]
    closings = [(way, number, True) for number in range(1, closing + 1) for way in WAYS]
    closings += [(Moment.BEFORE, number, False) for number in SOME_READS]
    deaths: list[tuple[str, Moment, int]] = []
    for step, (way, number, writes) in enumerate(openings):
        with dying_at(faulty, desk, way, number, writes=writes) as dying:
            eventually(desk.apply, 30)
            approved = False
            while not approved and not dying.hits:
                approved = consents(desk)
            await_death(dying, desk, "open")
        if not approved:
            desk.await_gate("Closed", "ApprovalsMissing", 60)
            desk.approve_when_shown()
        desk.await_open(60)
        deaths += [("opening", way, number)] * len(dying.hits)
        if step < len(closings):
            with dying_at(faulty, desk, *closings[step][:2], writes=closings[step][2]) as dying:
                desk.edit(activation="Disabled")
                await_death(dying, desk, "closed")
            deaths += [("closing", closings[step][0], closings[step][1])] * len(dying.hits)
        else:
            desk.edit(activation="Disabled")
        desk.await_gate("Closed", "ActivationDisabled", 60)
        remove(desk)
    print(f"\n{opening} writes of an opening, {closing} of a closing: {len(deaths)} leaders killed")
    assert {*LEAST_DEATHS} <= {*deaths}
    assert watched.breaches() == []


def consents(desk: Any) -> bool:
    """Try to approve; whether that worked."""
    try:
        desk.approve()
    except (KeyError, RuntimeError):
        return False
    return True
