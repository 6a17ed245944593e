from typing import Any

from golive_dev.waiting import eventually

PROFILES = "/apis/golive.dev/v1alpha1/capitalprofiles"


def test_a_changed_profile_shuts_the_gate_until_it_is_as_approved(desk: Any) -> None:
    """The reason says what changed; the old limits open again without anybody; new ones need approval."""
    path = f"{PROFILES}/aggressive"
    was = desk.admin.call("GET", path)["spec"]["limits"]["maxPositions"]
    desk.apply(profile="aggressive")
    desk.await_gate("Closed", "ApprovalsMissing")
    desk.approve_when_shown()
    desk.await_open()
    desk.admin.call("PATCH", path, {"spec": {"limits": {"maxPositions": was + 1}}})
    desk.await_gate("Closed", "ProfileChanged")
    desk.admin.call("PATCH", path, {"spec": {"limits": {"maxPositions": was}}})
    desk.await_open()
    desk.admin.call("PATCH", path, {"spec": {"limits": {"maxPositions": was + 1}}})
    desk.await_gate("Closed", "ProfileChanged")
    desk.approve_when_shown()
    widened = desk.await_open()
    desk.admin.call("DELETE", path)
    desk.await_gate("Closed", "ProfileMissing")
    assert widened.limits.max_positions == was + 1


def test_a_changed_pod_template_shuts_the_gate_until_it_is_as_approved(shared_desk: Any) -> None:
    """Back on the approved template, and with only its pods left, the old approval opens again."""
    note = {"spec": {"template": {"metadata": {"annotations": {"note": "other"}}}}}
    shared_desk.admin.call("PATCH", shared_desk.deployment_path, note)
    shared_desk.await_gate("Closed", "EngineChanged")
    note["spec"]["template"]["metadata"]["annotations"] = {"note": None}  # type: ignore[dict-item]  # JSON null
    shared_desk.admin.call("PATCH", shared_desk.deployment_path, note)
    assert shared_desk.await_open(40).revision == 1


def test_changed_settings_shut_the_gate_until_they_are_as_approved(shared_desk: Any) -> None:
    """A ConfigMap that the engine mounts counts by its content."""
    path = shared_desk.core("configmaps", "settings")
    shared_desk.admin.call("PATCH", path, {"data": {"engine.yaml": "a: 2\n"}})
    shared_desk.await_gate("Closed", "EngineChanged")
    shared_desk.admin.call("PATCH", path, {"data": {"engine.yaml": "a: 1\n"}})
    assert shared_desk.await_open().revision == 1


def test_a_changed_secret_shuts_the_gate_until_it_is_approved_anew(shared_desk: Any) -> None:
    """A Secret counts by its version, since its contents are never read: even the old value is a new one."""
    path = shared_desk.core("secrets", "keys")
    approved = shared_desk.read()["status"]["digest"]
    shared_desk.admin.call("PATCH", path, {"stringData": {"KEY": "two"}})
    shared_desk.await_gate("Closed", "EngineChanged")
    changed = shared_desk.read()["status"]["digest"]
    shared_desk.admin.call("PATCH", path, {"stringData": {"KEY": "one"}})
    eventually(lambda: shared_desk.read()["status"]["digest"] != changed)
    reverted = shared_desk.read()["status"]["digest"]
    shared_desk.await_gate("Closed", "EngineChanged")
    eventually(shared_desk.approve)
    shared_desk.await_open()
    assert len({approved, changed, reverted}) == 3


def test_a_vanished_secret_shuts_the_gate_and_is_named(desk: Any) -> None:
    """What can't be read nobody can have approved."""
    desk.open()
    desk.admin.call("DELETE", desk.core("secrets", "keys"))
    desk.await_gate("Closed", "EngineConfigMissing")
    assert desk.message() == "missing: secrets/keys"


def test_an_edited_request_voids_its_approvals(shared_desk: Any) -> None:
    """The revision grows, the approvals go, and the editor can't be the one who approves."""
    before = shared_desk.read()
    shared_desk.edit(request={**before["spec"]["request"], "safety": {"minTestnetTrades": 4}})
    record = shared_desk.await_gate("Closed", "ApprovalsMissing")
    after = shared_desk.read()
    shared_desk.approve_when_shown("third")
    opened = shared_desk.await_open()
    assert after["spec"]["revision"] == before["spec"]["revision"] + 1 == record.revision
    assert not after["spec"].get("approvals")
    assert opened.approvers == ["third"]
    assert after["status"]["approvalSummary"] == "0/1"
