from typing import Any

import pytest

from golive_dev.waiting import eventually

COLLECTED_SECONDS = 20


def test_deleting_works_while_no_operator_runs(shared_desk: Any) -> None:
    """No finalizer waits for anybody, and the garbage collector takes the gate along."""
    shared_desk.operated.scale(0)
    try:
        shared_desk.person("trader").call("DELETE", shared_desk.path)
        gone = shared_desk.admin.find(shared_desk.path) is None
        eventually(lambda: shared_desk.admin.find(shared_desk.gate_path) is None, COLLECTED_SECONDS)
    finally:
        shared_desk.operated.scale(2)
    shared_desk.open()
    assert gone


def test_a_namesake_inherits_nothing(shared_desk: Any) -> None:
    """Neither approvals nor burns pass to an object of the same name, however soon it is made."""
    for _ in range(5):
        old = shared_desk.read()["spec"]["approvals"]
        shared_desk.person("trader").call("DELETE", shared_desk.path)
        shared_desk.apply()
        fresh = shared_desk.await_gate("Closed", "ApprovalsMissing")
        with pytest.raises(Exception, match=r"must name this object's metadata\.uid"):
            shared_desk.edit("approver", approvals=old)
        shown = shared_desk.shown_gate()
        shared_desk.approve_when_shown()
        opened = shared_desk.await_open()
        assert (fresh.approvers, shown["burnedRevision"]) == ([], 0)
        assert opened.uid == shared_desk.read()["metadata"]["uid"]


def test_a_namesake_is_not_burned_by_an_orphaned_gate(shared_desk: Any) -> None:
    """A person closed the gate of an object that is gone: the new one starts Closed, and may be approved."""
    with shared_desk.operated.frozen():
        shared_desk.person("trader").call("PATCH", shared_desk.gate_path, {"data": {"state": "Closed"}})
        shared_desk.person("trader").call("DELETE", shared_desk.path, {"propagationPolicy": "Orphan"})
        eventually(lambda: shared_desk.admin.find(shared_desk.path) is None, COLLECTED_SECONDS)
        orphan = shared_desk.gate()
        shared_desk.apply()
    shared_desk.await_gate("Closed", "ApprovalsMissing")
    shared_desk.approve_when_shown()
    opened = shared_desk.await_open()
    assert orphan.state == "Closed"
    assert opened.uid != orphan.uid


def test_what_happens_in_one_namespace_leaves_others_alone(shared_desk: Any, desk: Any) -> None:
    """Same names, another namespace: nobody's rival, and not shut by the other's brake."""
    desk.open()
    desk.delete_gate()
    desk.await_gate("Closed", "RevisionBurned")
    opened = shared_desk.await_open()
    assert opened.namespace == shared_desk.namespace
    assert opened.opened_time == shared_desk.shown_gate()["openedTime"]
