import statistics
import time
from typing import Any

from golive_api.gate import NOTICE
from golive_dev.waiting import eventually

REPETITIONS = 20


def test_an_approved_request_opens_the_gate_and_the_engine_obeys(desk: Any) -> None:
    """Closed with its reason first; open after one other person's approval; acknowledged by the engine."""
    desk.apply()
    closed = desk.await_gate("Closed", "ApprovalsMissing")
    desk.approve_when_shown()
    opened = desk.await_open()
    eventually(lambda: desk.conditions()["EngineObeying"] == ("True", "EngineObeys"))
    assert (closed.approvers, closed.opened_time, closed.serial) == ([], None, 1)
    assert (opened.approvers, opened.requested_by, opened.revision) == (["approver"], "trader", 1)
    assert opened.limits.max_position_notional == "100"
    assert opened.digest == desk.read()["status"]["digest"]
    assert desk.admin.call("GET", desk.gate_path)["data"]["NOTICE"] == NOTICE


def test_status_and_columns_tell_people_what_the_gate_is(shared_desk: Any) -> None:
    """Every condition holds while the gate is open, kubectl has a line for it, the Deployment a label."""
    eventually(lambda: shared_desk.conditions()["EngineObeying"] == ("True", "EngineObeys"))
    plane, name, namespace = shared_desk.operated.plane, shared_desk.name, shared_desk.namespace
    header, row = plane.kubectl("get", "golive", name, "-n", namespace, user="trader").stdout.splitlines()
    deployment = shared_desk.admin.call("GET", shared_desk.deployment_path)
    assert shared_desk.conditions() == {
        "Ready": ("True", "Open"),
        "AdmissionGuarded": ("True", "Guarded"),
        "WindowOpen": ("True", "InWindow"),
        "Approved": ("True", "Approved"),
        "PreflightPassed": ("True", "PreflightPassed"),
        "SafetyClear": ("True", "SafetyClear"),
        "EngineObeying": ("True", "EngineObeys"),
        "Reconciling": ("False", "Reconciled"),
        "Stalled": ("False", "Reconciled"),
    }
    assert header.split()[:7] == ["NAME", "GATE", "READY", "REASON", "PROFILE", "APPROVALS", "ENGINE"]
    assert row.split()[:7] == [name, "Open", "True", "Open", "micro", "1/1", shared_desk.engine]
    assert deployment["metadata"]["labels"]["golive.dev/gate"] == "Open"
    assert "golive.dev/gate" not in deployment["spec"]["template"]["metadata"]["labels"]


def test_a_repeated_event_is_counted_not_repeated(shared_desk: Any) -> None:
    """Closing twice for the same reason leaves one event with the count two."""
    for _ in range(2):
        shared_desk.misbehave("emergency-stop")
        shared_desk.await_gate("Closed", "EmergencyStopActive")
        shared_desk.misbehave("")
        shared_desk.await_open()
    events = eventually(shared_desk.events)
    stops = [event for event in events.values() if event["reason"] == "EmergencyStopActive"]
    assert [(event["count"], event["type"]) for event in stops] == [(2, "Warning")]


def test_approving_opens_the_gate_within_seconds(shared_desk: Any) -> None:
    """Over and over, each time by a new revision; median and slowest are printed."""
    seconds = []
    for _ in range(REPETITIONS):
        shared_desk.edit(activation="Disabled")
        shared_desk.await_gate("Closed", "ActivationDisabled")
        shared_desk.edit(activation="Enabled")
        shared_desk.await_gate("Closed", "ApprovalsMissing")
        eventually(shared_desk.approve)
        began = time.monotonic()
        eventually(lambda: shared_desk.gate().state == "Open", poll_seconds=0.005)
        seconds.append(time.monotonic() - began)
    shared_desk.await_open()
    middle, slowest = statistics.median(seconds), max(seconds)
    print(f"\napprove to open, n={REPETITIONS}: median {middle:.3f} s, slowest {slowest:.3f} s")
    assert slowest < 10
