import os
import signal
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from golive_dev.waiting import eventually

LEASE = "/apis/coordination.k8s.io/v1/namespaces/golive-system/leases/golive-operator"
LOST_SECONDS = 11.0
"""A leader that could not renew for ten seconds has lost, whatever it believes."""


@pytest.fixture(autouse=True)
def two_operators_afterwards(operated: Any) -> Iterator[None]:
    """Leave two operators, one of them leading."""
    yield
    eventually(lambda: len(operated.operators()) == 2, 40)
    eventually(lambda: operated.leader() in operated.operators(), 40)


def keep_out(seconds: float) -> None:
    """Let time pass."""
    ends = time.monotonic() + seconds
    eventually(lambda: time.monotonic() > ends, seconds + 1)


def test_frozen_operators_let_the_gate_shut_by_itself(shared_desk: Any) -> None:
    """Nobody renews: the gate ends at most its time to live after the last look, and the engine says so."""
    shared_desk.await_open()
    with shared_desk.operated.frozen():
        last = shared_desk.gate()
        eventually(lambda: datetime.now(UTC) >= last.expires, 10)
        eventually(lambda: "Closed" in engine_obeys(shared_desk))
        reason, after = engine_obeys(shared_desk), shared_desk.gate()
    assert after == last
    assert last.expires - issued(last) == timedelta(seconds=last.ttl_seconds)
    assert "GateExpired" in reason
    shared_desk.await_open()


def test_a_leader_that_was_frozen_too_long_ends_and_opens_nothing(shared_desk: Any) -> None:
    """Consent is withdrawn while it stands still: it wakes, finds its term over, and never opens again."""
    opened = shared_desk.await_open()
    with shared_desk.operated.frozen() as pids:
        leader = pids[shared_desk.operated.leader()]
        keep_out(LOST_SECONDS)
        shared_desk.person("approver").call("PATCH", shared_desk.path, {"spec": {"approvals": []}})
    seen: list[bool] = []

    def replaced() -> bool:
        seen.append(shared_desk.is_shut(datetime.now(UTC)))
        return is_gone(leader) and bool(shared_desk.shown_gate()["epoch"] > opened.epoch)

    eventually(replaced, 40)
    shared_desk.await_gate("Closed", "ApprovalsMissing")
    eventually(shared_desk.approve)
    again = shared_desk.await_open()
    assert all(seen)
    assert again.epoch > opened.epoch


def test_a_killed_leader_is_replaced_and_the_gate_comes_back(shared_desk: Any) -> None:
    """The standby waits until the Lease has run out, counts one up, and opens only because everything holds."""
    opened = shared_desk.await_open()
    operated = shared_desk.operated
    began = time.monotonic()
    os.kill(operated.pids()[operated.leader()], signal.SIGKILL)
    shared_desk.await_leader_after(opened.epoch)
    again = shared_desk.await_open()
    print(f"\nleader killed to gate open under the next one: {time.monotonic() - began:.1f} s")
    assert again.epoch > opened.epoch
    assert again.serial > opened.serial


def test_a_leader_that_is_told_to_end_hands_over_at_once(shared_desk: Any) -> None:
    """The next one need not wait for the Lease to run out."""
    opened = shared_desk.await_open()
    operated = shared_desk.operated
    began = time.monotonic()
    operated.admin.call("DELETE", f"/api/v1/namespaces/golive-system/pods/{operated.leader()}")
    shared_desk.await_leader_after(opened.epoch)
    seconds = time.monotonic() - began
    print(f"\nleader told to end to first decision of the next: {seconds:.1f} s")
    shared_desk.await_open()
    assert seconds < 10


def test_a_deleted_lease_does_not_set_the_epoch_back(shared_desk: Any) -> None:
    """Who leads next counts on from the highest epoch in any status."""
    opened = shared_desk.await_open()
    shared_desk.admin.call("DELETE", LEASE)
    shared_desk.await_leader_after(opened.epoch)
    shared_desk.await_open()
    assert shared_desk.shown_gate()["epoch"] == shared_desk.operated.lease()["leaseTransitions"]


def engine_obeys(desk: Any) -> str:
    """What the engine last acknowledged."""
    annotations = desk.admin.call("GET", desk.engine_lease_path)["metadata"]["annotations"]
    return f"{annotations['golive.dev/state']} {annotations['golive.dev/reason']}"


def issued(record: Any) -> datetime:
    """When the facts behind a record were read."""
    return datetime.fromisoformat(record.issued_time)


def is_gone(pid: int) -> bool:
    """Whether a process has ended."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return False
