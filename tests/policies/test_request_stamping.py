"""Who asked, and for which revision: stamped where the server can, verified everywhere."""

from pathlib import Path
from typing import Any

import pytest
import yaml

SAMPLES = Path(__file__).parents[2] / "config" / "samples"


def approved(cluster: Any, golive: Any) -> Any:
    """The object with the approver's consent."""
    entry = {
        "user": "approver",
        "revision": golive["spec"]["revision"],
        "uid": golive["metadata"]["uid"],
        "digest": golive["status"]["digest"],
    }
    target = f"golives {golive['metadata']['name']}"
    return cluster.patch("approver", target, {"spec": {"approvals": [entry]}}).json()


@pytest.mark.parametrize(
    ("fixture", "sample"),
    [("cluster", "golive.yaml"), ("unstamped_cluster", "golive-pre-1.36.yaml")],
    ids=["from 1.36 on", "before 1.36"],
)
def test_sample_applies_as_the_trader(request: pytest.FixtureRequest, fixture: str, sample: str) -> None:
    """The sample for this server is accepted as it stands, and names the trader as requester."""
    cluster = request.getfixturevalue(fixture)
    body = yaml.safe_load((SAMPLES / sample).read_text())

    applied = cluster.ask("trader", "apply", "-f", "-", "-o", "json", "--dry-run=server", body=body)

    spec = applied.json()["spec"]
    assert (spec["requestedBy"], spec["revision"], spec["approvals"]) == ("trader", 1, [])


def test_forged_requester_is_replaced_by_the_caller(cluster: Any, name: str) -> None:
    """Where the server stamps, a lie about who asked is corrected."""
    body = cluster.golive_body(name, requestedBy="approver", revision=9)

    spec = cluster.create("mallory", body).json()["spec"]

    assert (spec["requestedBy"], spec["revision"]) == ("mallory", 1)


def test_editing_the_request_voids_approvals_and_makes_the_editor_the_requester(
    cluster: Any, golive: Any, name: str
) -> None:
    """Approve-then-edit gains nothing."""
    approved(cluster, golive)

    edited = cluster.patch("mallory", f"golives {name}", {"spec": {"request": {"profile": "aggressive"}}})

    spec = edited.json()["spec"]
    assert (spec["requestedBy"], spec["revision"], spec["approvals"]) == ("mallory", 2, [])


def test_closing_and_enabling_again_voids_approvals(cluster: Any, golive: Any, name: str) -> None:
    """Disabling keeps the approvals for the record; enabling again is a new revision without any."""
    approved(cluster, golive)

    disabled = cluster.patch("closer", f"golives {name}", {"spec": {"activation": "Disabled"}}).json()["spec"]
    enabled = cluster.patch("mallory", f"golives {name}", {"spec": {"activation": "Enabled"}}).json()["spec"]

    assert (disabled["revision"], len(disabled["approvals"])) == (1, 1)
    assert (enabled["requestedBy"], enabled["revision"], enabled["approvals"]) == ("mallory", 2, [])


@pytest.mark.parametrize("mode", ["--server-side=false", "--server-side=true"])
def test_applying_the_same_file_again_changes_nothing(cluster: Any, name: str, mode: str) -> None:
    """A GitOps loop that applies every minute voids no approval."""
    body, words = cluster.golive_body(name), ("apply", "-f", "-", "-o", "json", mode)
    cluster.ask("trader", *words, body=body).json()
    status = cluster.gate_status()
    approved(cluster, cluster.patch("operator", f"golives {name}", status, "--subresource=status").json())

    again = cluster.ask("trader", *words, body=body)

    spec = again.json()["spec"]
    assert (spec["revision"], len(spec["approvals"])) == (1, 1)


@pytest.mark.parametrize("mode", ["--server-side=false", "--server-side=true"])
def test_applying_a_changed_file_voids_approvals(cluster: Any, name: str, mode: str) -> None:
    """A file from another person is another person's request."""
    body, words = cluster.golive_body(name), ("apply", "-f", "-", "-o", "json", mode)
    cluster.ask("trader", *words, body=body).json()
    status = cluster.gate_status()
    approved(cluster, cluster.patch("operator", f"golives {name}", status, "--subresource=status").json())
    body["spec"]["request"]["profile"] = "low"

    spec = cluster.ask("mallory", *words, "--field-manager=mallory", body=body).json()["spec"]

    assert (spec["requestedBy"], spec["revision"], spec["approvals"]) == ("mallory", 2, [])


def test_replacing_without_requester_and_revision_keeps_the_stored_ones(
    cluster: Any, golive: Any, name: str
) -> None:
    """A PUT of what a person wrote is not a new request."""
    body = cluster.golive_body(name)
    body["metadata"]["resourceVersion"] = golive["metadata"]["resourceVersion"]

    replaced = cluster.ask("mallory", "replace", "-f", "-", "-o", "json", body=body).json()

    assert (replaced["spec"]["requestedBy"], replaced["spec"]["revision"]) == ("trader", 1)


BIRTHS = {
    "a requester who is not the caller": (
        {"requestedBy": "approver", "revision": 1},
        "must be the caller: mallory",
    ),
    "a revision other than 1": ({"requestedBy": "mallory", "revision": 2}, "starts at spec.revision 1"),
    "an approval": (
        {
            "requestedBy": "mallory",
            "revision": 1,
            "approvals": [{"user": "x", "revision": 1, "uid": "u", "digest": ".".join(["a" * 64] * 3)}],
        },
        "starts without approvals",
    ),
}


@pytest.mark.parametrize(("spec", "complaint"), BIRTHS.values(), ids=BIRTHS)
def test_unstamped_object_is_refused_if_born_with(
    unstamped_cluster: Any, name: str, spec: dict[str, Any], complaint: str
) -> None:
    """Before 1.36 a person writes these, and the policy verifies them."""
    answer = unstamped_cluster.create("mallory", unstamped_cluster.golive_body(name, **spec))

    assert answer.refused_by("golive-identity")
    assert complaint in answer.said


CHANGES = {
    "changing the request without a new revision": (
        {"request": {"profile": "low"}, "requestedBy": "mallory"},
        "revision must grow by one",
    ),
    "changing the request in the first requester's name": (
        {"request": {"profile": "low"}, "revision": 2},
        "must be the caller: mallory",
    ),
    "taking over a request that stands": ({"requestedBy": "mallory"}, "requestedBy is immutable"),
    "a new revision of a request that stands": ({"revision": 2}, "revision must grow by one"),
    "skipping a revision": (
        {"request": {"profile": "low"}, "requestedBy": "mallory", "revision": 3},
        "revision must grow by one",
    ),
}


@pytest.mark.parametrize(("change", "complaint"), CHANGES.values(), ids=CHANGES)
def test_unstamped_change_is_refused(
    unstamped_cluster: Any, name: str, change: dict[str, Any], complaint: str
) -> None:
    """Before 1.36 every change of the request carries the editor's name and the next revision."""
    body = unstamped_cluster.golive_body(name, requestedBy="trader", revision=1)
    unstamped_cluster.create("trader", body).json()

    answer = unstamped_cluster.patch("mallory", f"golives {name}", {"spec": change})

    assert not answer.accepted
    assert complaint in answer.said


def test_unstamped_enabling_again_needs_a_new_revision(unstamped_cluster: Any, name: str) -> None:
    """The old revision, and with it the old approvals, can't be enabled again."""
    body = unstamped_cluster.golive_body(name, requestedBy="trader", revision=1, activation="Disabled")
    unstamped_cluster.create("trader", body).json()
    target = f"golives {name}"

    plain = unstamped_cluster.patch("trader", target, {"spec": {"activation": "Enabled"}})
    bumped = unstamped_cluster.patch("trader", target, {"spec": {"activation": "Enabled", "revision": 2}})

    assert "revision must grow by one" in plain.said
    assert bumped.json()["spec"]["activation"] == "Enabled"
