"""Rejecting, revoking, stopping, releasing: every no shuts the gate, and only people open it again."""

from typing import Any

from golive_dev.waiting import eventually

CAUSE = "quantities were entered in coins, not in contracts"


def test_one_rejection_outweighs_every_approval_for_good(desk: Any) -> None:
    """The open gate shuts; taking the rejection back opens nothing; a new revision with new approvals does."""
    desk.open()
    desk.reject("third", "limits look wrong")
    desk.await_gate("Closed", "Rejected")
    assert "third: limits look wrong" in desk.message()
    desk.withdraw("third")
    desk.await_gate("Closed", "RevisionBurned")
    desk.revive()


def test_an_approver_who_takes_the_approval_back_shuts_the_gate(desk: Any) -> None:
    """Consent ends when it is withdrawn; given again, the same revision opens."""
    desk.open()
    desk.withdraw("approver")
    desk.await_gate("Closed", "ApprovalsMissing")
    desk.approve_when_shown()
    desk.await_open()


def test_an_emergency_stop_shuts_the_gate_for_good_and_its_release_opens_nothing(desk: Any) -> None:
    """Stopped by whoever may edit; released by a person with the right and a cause; then asked for anew."""
    desk.open()
    desk.grant("approver", "golive-releaser")
    desk.stop("halt", "prices look wrong")
    desk.await_gate("Closed", "EmergencyStopApplied")
    assert "EmergencyStop halt: prices look wrong" in desk.message()
    desk.release("approver", "halt", CAUSE)
    desk.await_gate("Closed", "RevisionBurned")
    desk.revive()


def test_a_stop_for_another_engine_does_not_shut_this_one(desk: Any) -> None:
    """A stop that names engines concerns those."""
    desk.open()
    desk.stop("elsewhere", "drill", engines=["another-engine"])
    desk.stop("here", "drill", engines=[desk.engine])
    desk.await_gate("Closed", "EmergencyStopApplied")
    assert "elsewhere" not in desk.message()


def test_preflight_runs_on_demand(shared_desk: Any) -> None:
    """A new value of the annotation is answered by a run that began after it was set."""
    before = shared_desk.read()["status"]["preflight"]["runTime"]
    shared_desk.annotate("golive.dev/preflight-requested", "now-please")
    eventually(lambda: shared_desk.read()["status"]["preflight"]["requestSeen"] == "now-please")
    assert shared_desk.read()["status"]["preflight"]["runTime"] > before
