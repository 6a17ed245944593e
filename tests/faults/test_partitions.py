import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from golive_dev.faults.rules import Fate, Moment, Rule
from golive_dev.waiting import eventually

DEADLINE_SECONDS = 7.0
"""A leader that could not renew for so long steps down."""

SLACK_SECONDS = 4.0
"""What a busy machine adds."""


@pytest.mark.parametrize("direction", [Moment.BEFORE, Moment.AFTER], ids=["says nothing", "hears nothing"])
def test_a_leader_steps_down_in_time_when_it(
    faulty: Any, desk: Any, watched: Any, ask: Callable[..., Any], direction: Moment
) -> None:
    """Cut off in one direction it stops writing in time, and the other one leads under a new epoch."""
    opened = ask()
    watched.await_yes()
    old = faulty.leader()
    began = time.time()
    with faulty.proxy.partition(old, direction):
        desk.await_leader_after(opened.epoch, 60)
        desk.await_open(60)
        watched.await_yes()
        assert faulty.leader() != old
        last = max((moment for moment in writes_of(faulty, old, began)), default=began)
    assert last - began < DEADLINE_SECONDS + SLACK_SECONDS
    assert watched.breaches() == []


def writes_of(faulty: Any, pod: str, since: float) -> list[float]:
    """When the API server took a pod's writes about GoLives and gates."""
    return [
        call.moment
        for call in faulty.proxy.calls
        if call.pod == pod and call.moment > since and call.writes and "/leases" not in call.path
    ]


def test_a_leader_that_can_only_not_renew_its_lease_stops_working_in_time(
    faulty: Any, desk: Any, watched: Any, ask: Callable[..., Any]
) -> None:
    """All else gets through, so the gate is renewed until the deadline, and by the next one from then on."""
    opened = ask()
    old = faulty.leader()
    process = Path(f"/proc/{faulty.pid(old)}")
    began = time.time()
    with faulty.proxy.rule(Rule(Moment.BEFORE, Fate.HANG, pod=old, path="/leases/golive-operator$")):
        eventually(lambda: not process.exists(), 30)
        ended = time.time()
        desk.await_leader_after(opened.epoch, 60)
        desk.await_open(60)
    assert ended - began < DEADLINE_SECONDS + SLACK_SECONDS
    assert writes_of(faulty, old, ended) == []
    assert watched.breaches() == []


def test_with_both_operators_cut_off_the_gate_shuts_and_opens_when_they_are_back(
    faulty: Any, desk: Any, watched: Any, ask: Callable[..., Any]
) -> None:
    """Consent that is withdrawn meanwhile counts: nobody opens on what was true before."""
    ask()
    watched.await_yes()
    with faulty.proxy.partition(""):
        watched.await_no()
        desk.person("approver").call("PATCH", desk.path, {"spec": {"approvals": []}})
    desk.await_gate("Closed", "ApprovalsMissing", 60)
    assert watched.breaches() == []
