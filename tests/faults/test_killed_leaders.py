import os
import random
import signal
import time
from collections.abc import Callable
from functools import partial
from typing import Any

from golive_dev.waiting import eventually

LONG_TTL_SECONDS = 40
"""Longer than any failover on a busy machine."""


def test_an_open_gate_outlives_its_leader_if_the_next_one_comes_in_time(
    faulty: Any, desk: Any, watched: Any, ask: Callable[..., Any]
) -> None:
    """Orders may pass at every moment of the failover, and the next leader renews under its own epoch."""
    opened = ask(LONG_TTL_SECONDS)
    watched.await_yes()
    began, killed = time.time(), faulty.kill_leader()
    eventually(lambda: desk.gate().epoch > opened.epoch, 60)
    took = time.time() - began
    watched.await_yes()
    print(f"\nleader killed to gate renewed by the next: {took:.1f} s")
    assert faulty.leader() != killed
    assert [no for no in watched.prober.noes if no[0] > began] == []
    assert watched.breaches(ttl_seconds=LONG_TTL_SECONDS) == []


def test_leaders_killed_at_any_moment_let_nothing_pass_beyond_the_bound(
    faulty: Any, desk: Any, watched: Any, ask: Callable[..., Any]
) -> None:
    """Whatever it was about, the next one finishes it under an epoch of its own."""
    faulty.settle(3)
    epochs = [ask().epoch]
    for moment in [0.05, 0.3, 0.8]:
        desk.edit(activation="Disabled")
        desk.edit(activation="Enabled")
        desk.await_gate("Closed", "ApprovalsMissing", 60)
        leader = faulty.leader()
        pid = faulty.pid(leader)
        desk.approve_when_shown()
        due = time.monotonic() + random.uniform(0, moment)  # noqa: S311  # any moment will do
        eventually(partial(reached, due), poll_seconds=0.005)
        os.kill(pid, signal.SIGKILL)
        faulty.free_the_lease()
        desk.await_leader_after(epochs[-1], 60)
        epochs.append(desk.await_open(60).epoch)
    watched.await_yes()
    assert epochs == sorted(set(epochs))
    assert watched.breaches() == []


def test_without_any_leader_the_gate_shuts_by_itself_and_comes_back_with_the_next(
    faulty: Any, desk: Any, watched: Any, ask: Callable[..., Any]
) -> None:
    """The failover takes longer than the time to live: shut in between, opened by the next leader."""
    opened = ask()
    watched.await_yes()
    killed = time.time()
    faulty.kill_leader()
    watched.await_no()
    desk.await_leader_after(opened.epoch, 60)
    again = desk.await_open(60)
    watched.await_yes()
    print(f"\nleader killed to gate open again, ttl {opened.ttl_seconds} s: {time.time() - killed:.1f} s")
    assert again.epoch > opened.epoch
    assert watched.breaches() == []


def reached(moment: float) -> bool:
    """Whether it is time."""
    return time.monotonic() >= moment
