import time
from datetime import UTC, datetime
from typing import Any

from golive_dev.waiting import eventually

WATCHED_SECONDS = 2.0


def never_opens(desk: Any) -> bool:
    """Whether the gate is shut at every look of a while that holds several of the operator's."""
    ends = time.monotonic() + WATCHED_SECONDS
    opened = eventually(
        lambda: "opened" if not desk.is_shut(datetime.now(UTC)) else time.monotonic() > ends and "stayed shut"
    )
    return opened == "stayed shut"


def revive(desk: Any) -> Any:
    """Disable, enable, approve: the one way back."""
    desk.edit(activation="Disabled")
    desk.edit(activation="Enabled")
    desk.await_gate("Closed", "ApprovalsMissing")
    eventually(desk.approve)
    return desk.await_open()


def test_a_deleted_gate_burns_the_revision_for_good(desk: Any) -> None:
    """No time, no approval and no new leader opens it again; a new revision with a new approval does."""
    epoch = desk.open().epoch
    desk.delete_gate()
    desk.await_gate("Closed", "RevisionBurned")
    stayed_shut = never_opens(desk)
    desk.approve("third")
    operated = desk.operated
    for name in operated.operators():
        operated.admin.call("DELETE", f"/api/v1/namespaces/golive-system/pods/{name}")
    desk.await_leader_after(epoch)
    shown, opened = desk.shown_gate(), revive(desk)
    assert stayed_shut
    assert (shown["state"], shown["reason"], shown["burnedRevision"]) == ("Closed", "RevisionBurned", 1)
    assert any(line.startswith("GateRemoved: ") for line in desk.events())
    assert opened.revision == 2


def test_a_gate_closed_by_a_person_burns_the_revision(shared_desk: Any) -> None:
    """Whoever may update the ConfigMap may close it, and the operator does not argue."""
    revision = shared_desk.read()["spec"]["revision"]
    shared_desk.person("trader").call("PATCH", shared_desk.gate_path, {"data": {"state": "Closed"}})
    shared_desk.await_gate("Closed", "RevisionBurned")
    shut, events = never_opens(shared_desk), shared_desk.events()
    opened = revive(shared_desk)
    assert shut
    assert any(line.startswith("GateClosedByPerson: ") for line in events)
    assert opened.revision == revision + 1


def test_disabling_closes_and_enabling_needs_new_approval(shared_desk: Any) -> None:
    """The ordinary way to close; the approvals of before do not count any more."""
    revision = shared_desk.read()["spec"]["revision"]
    shared_desk.edit(activation="Disabled")
    shared_desk.await_gate("Closed", "ActivationDisabled")
    shared_desk.edit(activation="Enabled")
    waiting = shared_desk.await_gate("Closed", "ApprovalsMissing")
    eventually(shared_desk.approve)
    opened = shared_desk.await_open()
    assert (waiting.revision, opened.revision) == (revision + 1, revision + 1)
