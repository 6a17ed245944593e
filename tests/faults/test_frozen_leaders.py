import os
import signal
import time
from collections.abc import Callable
from typing import Any

from golive_dev.faults.rules import Fate, Moment, Rule
from golive_dev.waiting import eventually

LONG_TTL_SECONDS = 40
"""An opening that is written late would still be in force."""

LEASE_SECONDS = 10.0
"""So long after the last renewal the other one leads."""


def is_gone(pid: int) -> bool:
    """Whether a process has ended."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return False


def late_writes(faulty: Any, pod: str, since: int) -> list[str]:
    """What a pod has sent about GoLives and gates since a call's number."""
    calls = [call for call in faulty.proxy.calls[since:] if call.pod == pod and call.writes]
    return [str(call) for call in calls if "/golives/" in call.path or "/configmaps" in call.path]


def test_a_leader_frozen_past_its_lease_wakes_writes_nothing_and_ends(
    faulty: Any, desk: Any, watched: Any, ask: Callable[..., Any]
) -> None:
    """The next one leads meanwhile; consent is withdrawn under it, and the thawed one opens nothing."""
    opened = ask()
    old = faulty.leader()
    with faulty.frozen(old) as pid:
        desk.await_leader_after(opened.epoch, 60)
        desk.await_open(60)
        desk.person("approver").call("PATCH", desk.path, {"spec": {"approvals": []}})
        desk.await_gate("Closed", "ApprovalsMissing", 60)
        thawed, calls = time.time(), len(faulty.proxy.calls)
    eventually(lambda: is_gone(pid), 20)
    assert late_writes(faulty, old, calls) == []
    assert faulty.written_by(old, thawed) == []
    assert watched.breaches() == []


def test_a_leader_frozen_between_two_writes_does_not_make_the_second(
    faulty: Any, desk: Any, watched: Any, ask: Callable[..., Any]
) -> None:
    """Status says Open, the gate is not written. Consent goes, the lease runs out, and it wakes up alone."""
    faulty.settle(1)
    ask(LONG_TTL_SECONDS, approve=False)
    old = faulty.leader()
    pid = faulty.pid(old)
    stop = Rule(Moment.AFTER, Fate.PASS, pod=old, method="PATCH", path="/status$", text='"Open"', times=1)
    stop.then = lambda _: os.kill(pid, signal.SIGSTOP)
    with faulty.proxy.rule(stop):
        desk.approve_when_shown()
        eventually(lambda: stop.hits, 30)
        frozen = time.monotonic()
        desk.person("approver").call("PATCH", desk.path, {"spec": {"approvals": []}})
        eventually(lambda: time.monotonic() > frozen + LEASE_SECONDS, LEASE_SECONDS + 5)
        calls = len(faulty.proxy.calls)
        os.kill(pid, signal.SIGCONT)
        eventually(lambda: is_gone(pid), 20, poll_seconds=0.001)
        late = late_writes(faulty, old, calls)
    desk.await_gate("Closed", "ApprovalsMissing", 60)
    assert late == []
    assert watched.prober.yeses == []
    assert watched.breaches(ttl_seconds=LONG_TTL_SECONDS) == []
