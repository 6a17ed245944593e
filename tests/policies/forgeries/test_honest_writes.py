"""What honest people may do, on each kind of server: to refuse everything would be no guard."""

import json
import uuid
from typing import Any

import pytest

from golive_dev.waiting import eventually

STOPS = "/apis/golive.dev/v1alpha1/namespaces/{}/emergencystops"
RECORDS = "/apis/golive.dev/v1alpha1/namespaces/{}/goliverecords"
CAUSE = "a stale price feed, replaced by a live one"
JSON_PATCH = "application/json-patch+json"
APPLY = "application/apply-patch+yaml"
ABSENT = 404


@pytest.fixture
def name(stage: Any) -> str:
    """Give a fresh GoLive that the trader asked for, and whose digest is shown."""
    called = f"h{uuid.uuid4().hex[:8]}"
    stage.ask(called)
    return called


def spec(stage: Any, name: str) -> Any:
    """What is stored."""
    return stage.read(name)["spec"]


def write(stage: Any, who: str, name: str, **changes: Any) -> None:
    """Merge-patch a spec."""
    stage.done(who, "PATCH", stage.path(name), {"spec": changes})


def again(stage: Any, name: str, who: str) -> dict[str, Any]:
    """What a person writes besides, where nobody fills it in, to enable a request anew."""
    revision = spec(stage, name)["revision"] + 1
    return {"activation": "Enabled", "requestedBy": who, "revision": revision, "approvals": []}


def test_two_people_approve_each_for_a_group_of_their_own(stage: Any, name: str) -> None:
    """Groups of which the API server knows that they are members."""
    stage.consent("approver@risk,desk", name, groups=["risk"])
    stage.consent("deputy@ops", name, groups=["ops"], comment="looked at limits")

    given = [(entry["user"], entry["groups"]) for entry in spec(stage, name)["approvals"]]
    assert given == [("approver", ["risk"]), ("deputy", ["ops"])]


def test_approving_by_json_patch_and_by_apply(stage: Any, name: str) -> None:
    """Whatever way a client writes it."""
    first, second = stage.approval("approver", name), stage.approval("deputy", name)
    added = [{"op": "add", "path": "/spec/approvals", "value": [first]}]
    stage.done("approver", "PATCH", stage.path(name), added, JSON_PATCH)
    head = {"apiVersion": "golive.dev/v1alpha1", "kind": "GoLive", "metadata": {"name": name}}
    body = head | {"spec": {"approvals": [second]}}
    stage.done("deputy", "PATCH", f"{stage.path(name)}?fieldManager=deputy&force=true", body, APPLY)

    assert [entry["user"] for entry in spec(stage, name)["approvals"]] == ["approver", "deputy"]


@pytest.mark.parametrize("who", ["approver", "mallory", "trader", "closer", "admin"])
def test_anybody_drops_an_approval(stage: Any, name: str, who: str) -> None:
    """Fewer approvals close, and closing is free."""
    stage.consent("approver", name)

    write(stage, who, name, approvals=[])

    assert spec(stage, name)["approvals"] == []


def test_a_rejection_is_taken_back_by_whoever_gave_it(stage: Any, name: str) -> None:
    """It stands while they want it to."""
    stage.consent("approver", name, verdict="Rejected")
    write(stage, "approver", name, approvals=[stage.approval("approver", name)])
    stage.consent("deputy", name, verdict="Rejected")
    write(stage, "deputy", name, approvals=[stage.approval("approver", name)])

    assert [entry["user"] for entry in spec(stage, name)["approvals"]] == ["approver"]


def test_an_approval_is_turned_into_a_rejection(stage: Any, name: str) -> None:
    """Second thoughts are free."""
    stage.consent("approver", name)

    write(stage, "approver", name, approvals=[stage.approval("approver", name, verdict="Rejected")])

    assert spec(stage, name)["approvals"][0]["verdict"] == "Rejected"


def test_rejecting_waits_for_no_digest(stage: Any) -> None:
    """Neither for one to be known, nor for one that has just changed."""
    name = f"h{uuid.uuid4().hex[:8]}"
    stage.ask(name, shown=False)
    stage.consent("approver", name, verdict="Rejected")
    shown = stage.cluster.gate_status()
    stage.done("operator", "PATCH", stage.path(name, "/status"), shown)
    stage.consent("deputy", name, verdict="Rejected", digest=".".join(["f" * 64] * 3))

    assert [entry["verdict"] for entry in spec(stage, name)["approvals"]] == ["Rejected"] * 2


def test_a_rejection_blocks_neither_closing_nor_asking_anew(stage: Any, name: str) -> None:
    """Disabling may drop it, for enabling again is another revision."""
    stage.consent("approver", name, verdict="Rejected")

    write(stage, "mallory", name, activation="Disabled", approvals=[])
    write(stage, "mallory", name, **again(stage, name, "mallory"))

    assert (spec(stage, name)["revision"], spec(stage, name)["approvals"]) == (2, [])


def test_changing_a_rejected_request_asks_anew(stage: Any, name: str) -> None:
    """The rejection was of what stood there."""
    stage.consent("approver", name, verdict="Rejected")

    write(stage, "trader", name, **again(stage, name, "trader"), request={"profile": "low"})

    assert (spec(stage, name)["revision"], spec(stage, name)["approvals"]) == (2, [])


@pytest.mark.parametrize("who", ["attester", "approver", "trader"])
def test_an_item_is_attested_by(stage: Any, name: str, who: str) -> None:
    """The requester may: it is about facts, not about consent."""
    stage.attest(who, name, "api-keys-secured")
    write(stage, "mallory", name, attestations=[])

    assert spec(stage, name)["attestations"] == []


def test_a_full_list_of_attestations_is_written_at_once(stage: Any, name: str) -> None:
    """The longest list with the longest comments stays within what the API server spends on a policy."""
    entries = [stage.attestation("attester", name, f"item-{n}", comment="x" * 1024) for n in range(64)]
    write(stage, "attester", name, attestations=entries)
    renewed = [{**entry, "time": "2026-11-21T12:00:00Z"} for entry in entries]
    write(stage, "attester", name, attestations=renewed)

    assert len(spec(stage, name)["attestations"]) == 64


def test_attestations_survive_a_change_of_the_request(stage: Any, name: str) -> None:
    """They are bound to the object and to time, not to a revision."""
    stage.attest("attester", name, "api-keys-secured")

    write(stage, "trader", name, **again(stage, name, "trader"), request={"profile": "low"})

    assert [entry["user"] for entry in spec(stage, name)["attestations"]] == ["attester"]


def test_status_goes_forward(stage: Any, name: str) -> None:
    """The operator counts up, and retention moves the anchor after it."""
    for sequence, anchor in ((1, 0), (2, 0), (2, 1), (5, 5)):
        recorded = {"sequence": sequence, "hash": "1" * 64, "anchorSequence": anchor}
        stage.done("operator", "PATCH", stage.path(name, "/status"), {"status": {"recorded": recorded}})

    assert stage.read(name)["status"]["recorded"]["anchorSequence"] == 5


def test_the_operator_writes_records_and_retires_them(stage: Any, name: str) -> None:
    """From a running pod; everybody who may look, looks."""
    path = RECORDS.format("trading")
    stage.done("operator", "POST", path, stage.cluster.record_body(name, 1))
    stage.done("reader", "GET", f"{path}/{name}-1")
    stage.done("operator", "DELETE", f"{path}/{name}-1")

    assert stage.send("admin", "GET", f"{path}/{name}-1").status == ABSENT


@pytest.mark.parametrize("who", ["mallory", "trader", "closer", "releaser", "admin", "robot"])
def test_a_stop_is_made_by(stage: Any, name: str, who: str) -> None:
    """Stopping asks for no role of its own, and a program may stop."""
    stage.done(who, "POST", STOPS.format("trading"), stage.cluster.stop_body(name, engines=[f"{name}-engine"]))


def test_a_stop_with_an_empty_release_is_a_stop(stage: Any, name: str) -> None:
    """A client that writes null stops, and does not make what could be deleted."""
    path = STOPS.format("trading")
    stage.done("mallory", "POST", path, stage.cluster.stop_body(name, release=None))

    refused = stage.send("admin", "DELETE", f"{path}/{name}")

    assert (refused.status, refused.by) == (403, "golive-emergency-stop")


def test_a_stop_is_released_labelled_and_then_deleted(stage: Any, name: str) -> None:
    """By who may, in their own name; what lies there afterwards is only paper."""
    path = f"{STOPS.format('trading')}/{name}"
    stage.done("mallory", "POST", STOPS.format("trading"), stage.cluster.stop_body(name))
    stage.done("fixer", "PATCH", path, {"metadata": {"labels": {"incident": "42"}}})
    stage.done("releaser", "PATCH", path, {"spec": {"release": {"user": "releaser", "rootCause": CAUSE}}})
    stage.done("releaser", "DELETE", path)

    assert stage.send("admin", "GET", path).status == ABSENT


def test_a_namespace_goes_with_its_stops_and_records(stage: Any, name: str) -> None:
    """Deleting it hangs on neither an unreleased stop nor a record."""
    space = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}
    stage.done("admin", "POST", "/api/v1/namespaces", space)
    stop, record = stage.cluster.stop_body("halt"), stage.cluster.record_body("swaps", 1)
    stage.done("admin", "POST", STOPS.format(name), stop | {"metadata": {"name": "halt"}})
    stage.done("operator", "POST", RECORDS.format(name), record | {"metadata": {"name": "swaps-1"}})
    refused = stage.send("admin", "DELETE", f"{STOPS.format(name)}/halt")

    stage.done("admin", "DELETE", f"/api/v1/namespaces/{name}")

    eventually(lambda: stage.send("admin", "GET", f"/api/v1/namespaces/{name}").status == ABSENT, 60)
    assert refused.by == "golive-emergency-stop"


def test_a_kubelet_mints_the_token_that_engines_believe(stage: Any) -> None:
    """The projected volume of the operator's pod works under the policy."""
    pod = stage.done("admin", "GET", "/api/v1/namespaces/golive-system/pods/operator-0")
    bound = {"apiVersion": "v1", "kind": "Pod", "name": "operator-0", "uid": pod["metadata"]["uid"]}
    spec = {"audiences": ["golive.dev/engine"], "expirationSeconds": 600, "boundObjectRef": bound}
    body = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": spec}
    path = "/api/v1/namespaces/golive-system/serviceaccounts/golive-operator/token"

    token = stage.done("system:node:node-1@system:nodes", "POST", path, body)["status"]["token"]

    review = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenReview"}
    reviews = "/apis/authentication.k8s.io/v1/tokenreviews"
    asked = {"token": token, "audiences": ["golive.dev/engine"]}
    known = stage.done("admin", "POST", reviews, review | {"spec": asked})["status"]
    elsewhere = stage.done("admin", "POST", reviews, review | {"spec": {"token": token}})["status"]
    assert known["user"]["username"] == "system:serviceaccount:golive-system:golive-operator"
    assert not elsewhere.get("authenticated")


def test_whoever_may_impersonate_gets_through_and_is_on_record(stage: Any, name: str) -> None:
    """The right to impersonate is the right to approve; the audit log shows both names and what was done."""
    path, body = stage.path(name), {"spec": {"approvals": [stage.approval("approver", name)]}}

    said = stage.send("admin", "PATCH", path, body, Impersonate_User="approver")

    log = stage.cluster.plane.directory / "audit.log"
    lines = [json.loads(line) for line in log.read_text().splitlines() if f'"{name}"' in line]
    found = [line for line in lines if line.get("impersonatedUser")]
    assert said.status == 200
    assert [(line["user"]["username"], line["impersonatedUser"]["username"]) for line in found] == [
        ("admin", "approver")
    ]
    note = f"golive-identity{stage.server.suffix}/approvals-added"
    assert found[0]["annotations"][note] == "approver approved revision 1"


LATER: dict[str, tuple[str, str, str, Any, str, int]] = {
    "by the requester": ("trader", "PATCH", "", {"user": "trader"}, "", 422),
    "by the requester in other letters": ("Trader", "PATCH", "", {"user": "Trader"}, "", 422),
    "of an earlier revision": ("deputy", "PATCH", "", {"revision": 7}, "", 422),
    "of a digest that is none": ("deputy", "PATCH", "", {"digest": "x"}, "", 422),
    "by the twin of one who has": ("Approver", "PATCH", "", {"user": "Approver"}, "", 422),
    "by strategic merge": ("deputy", "PATCH", "", {}, "application/strategic-merge-patch+json", 415),
    "through the scale": ("admin", "PATCH", "/scale", {}, "", 404),
}


@pytest.mark.parametrize(("who", "method", "sub", "changes", "content", "status"), LATER.values(), ids=LATER)
def test_no_approval_gets_in(
    stage: Any, name: str, who: str, method: str, sub: str, changes: Any, content: str, status: int
) -> None:
    """The kind's own rules and the server itself refuse what is no matter of identity."""
    stage.consent("approver", name)
    entries = [*spec(stage, name)["approvals"], stage.approval("deputy", name, **changes)]

    said = stage.send(who, method, stage.path(name, sub), {"spec": {"approvals": entries}}, content)

    assert said.status == status, said.body
    assert [entry["user"] for entry in spec(stage, name)["approvals"]] == ["approver"]


def test_an_edit_between_look_and_write_voids_the_write(stage: Any, name: str) -> None:
    """Neither an approver nor the operator writes on what has changed since: the version guards both."""
    seen = stage.read(name)["metadata"]["resourceVersion"]
    approval = stage.approval("approver", name)
    write(stage, "trader", name, **again(stage, name, "trader"), request={"profile": "low"})

    late = {"metadata": {"resourceVersion": seen}, "spec": {"approvals": [approval]}}
    opening = {"metadata": {"resourceVersion": seen}, "status": {"gate": {"state": "Open"}}}

    assert stage.send("approver", "PATCH", stage.path(name), late).status == 409
    assert stage.send("operator", "PATCH", stage.path(name, "/status"), opening).status == 409


FINAL: dict[str, Any] = {
    "another reason": {"reason": "never mind"},
    "other engines": {"engines": ["another"]},
    "another root cause": {"release": {"rootCause": "something else entirely"}},
    "no release": {"release": None},
}


@pytest.mark.parametrize("change", FINAL.values(), ids=FINAL)
def test_a_released_stop_does_not_change_to(stage: Any, change: dict[str, Any]) -> None:
    """What was said stays said."""
    said = stage.send("fixer", "PATCH", f"{STOPS.format('trading')}/past", {"spec": change})

    assert said.status == 422


def test_a_record_is_not_rewritten_by_an_administrator(stage: Any) -> None:
    """The kind's own rule, before any policy is asked."""
    said = stage.send("admin", "PATCH", f"{RECORDS.format('trading')}/swaps-7", {"spec": {"message": "x"}})

    assert said.status == 422
