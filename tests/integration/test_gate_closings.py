"""Every way in which an open gate shuts leaves its reason in status, gate, event, record and metric."""

from collections.abc import Callable
from typing import Any

import pytest

from golive_api.record import GoLiveRecordSpec, breaks
from golive_dev.waiting import eventually

Way = Callable[[Any], object]

TEMPLATE = {"spec": {"template": {"metadata": {"annotations": {"note": "other"}}}}}
NEVER = {"name": "never", "effect": "Deny", "start": "2020-01-01T00:00:00", "durationSeconds": 31_622_400}
YEARLY = {**NEVER, "recurrence": "FREQ=YEARLY"}

WAYS: dict[str, tuple[Way, str]] = {
    "the requester disables it": (lambda desk: desk.edit(activation="Disabled"), "ActivationDisabled"),
    "somebody deletes the gate": (lambda desk: desk.delete_gate(), "GateRemoved"),
    "somebody sets the gate to Closed": (
        lambda desk: desk.person("trader").call("PATCH", desk.gate_path, {"data": {"state": "Closed"}}),
        "GateClosedByPerson",
    ),
    "an approver takes the approval back": (lambda desk: desk.withdraw("approver"), "ApprovalsMissing"),
    "an approver rejects it": (lambda desk: desk.reject("third", "no"), "Rejected"),
    "somebody applies an EmergencyStop": (lambda desk: desk.stop("halt", "drill"), "EmergencyStopApplied"),
    "the engine's template changes": (
        lambda desk: desk.admin.call("PATCH", desk.deployment_path, TEMPLATE),
        "EngineChanged",
    ),
    "a window shuts": (lambda desk: desk.policy(windows=[YEARLY]), "WindowClosed"),
    "preflight gets worse": (lambda desk: desk.misbehave("journal-forgets"), "DatabaseFailed"),
    "the engine stops itself": (lambda desk: desk.misbehave("emergency-stop"), "EmergencyStopActive"),
}


@pytest.mark.parametrize("sentence", WAYS)
def test_the_gate_shuts_and_everybody_can_see_why_when(sentence: str, desk: Any) -> None:
    """One reason code in all places; the record names what it ended."""
    shut, reason = WAYS[sentence]
    opened = desk.open()
    eventually(lambda: desk.records("Opened"))
    # Else a look that the engine's answer has woken may meet a pod that is gone, before it hears why.
    eventually(lambda: desk.read()["status"]["engine"]["stateSeen"] == "Open")
    shut(desk)
    eventually(lambda: desk.gate() is not None and desk.gate().state == "Closed", 15)
    (record,) = eventually(lambda: desk.records("Closed"), 15)
    assert (record["reason"], record["revision"]) == (reason, opened.revision)
    assert any(line.startswith(f"{reason}: ") for line in eventually(desk.events))
    assert desk.read()["status"]["history"]["lastClosedReason"] == reason
    eventually(lambda: transition(desk, reason))


def transition(desk: Any, reason: str) -> bool:
    """Whether the leader's metrics count a closing for this reason."""
    wanted = ("golive_gate_transitions_total", f'namespace="{desk.namespace}"', 'state="Closed"', reason)
    lines = desk.operated.scrape(desk.operated.leader()).splitlines()
    return any(all(part in line for part in wanted) for line in lines)


def test_what_was_done_is_recorded_in_a_chain(desk: Any) -> None:
    """Asked, approved, opened, closed: in this order, each bound to the one before."""
    desk.open()
    desk.edit(activation="Disabled")
    desk.await_gate("Closed", "ActivationDisabled")
    eventually(lambda: desk.records("Closed"))
    acts = ("Requested", "Approved", "Opened", "Closed")
    chain = [GoLiveRecordSpec.model_validate(spec) for spec in desk.records()]
    told = [record for record in chain if record.act in acts]
    assert breaks(chain) == []
    assert [record.act for record in told] == list(acts)
    assert [record.users for record in told[:3]] == [["trader"], ["approver"], ["trader", "approver"]]
    eventually(lambda: desk.read()["status"]["recorded"]["hash"] == desk.records()[-1]["hash"])
