"""Who may approve what: the API server's word, so it holds with the operator down."""

from typing import Any

import pytest

OTHER_DIGEST = ".".join(["d" * 64] * 3)


def approval(golive: Any, person: str, **changes: Any) -> dict[str, Any]:
    """An approval of exactly what is shown."""
    return {
        "user": person,
        "revision": golive["spec"]["revision"],
        "uid": golive["metadata"]["uid"],
        "digest": golive["status"]["digest"],
        **changes,
    }


def approve(cluster: Any, golive: Any, who: str, *approvals: dict[str, Any]) -> Any:
    """Patch the list of approvals, as somebody; the operator gets past its other policy as a dry run only."""
    change = {"spec": {"approvals": list(approvals)}}
    words = ["--dry-run=server"] if who == "operator" else []
    return cluster.patch(who, f"golives {golive['metadata']['name']}", change, *words)


FORGERIES = {
    "mallory can't approve in the approver's name": ("mallory", {"user": "approver"}, "in your own name only"),
    "the operator can't approve in anybody's name": ("operator", {"user": "approver"}, "in your own name only"),
    "an administrator can't approve in another's name": ("admin", {"user": "deputy"}, "which is admin"),
    "without the verb approve nobody approves": ("mallory", {}, "needs the verb 'approve'"),
    "the operator can't approve in its own name": (
        "operator",
        {"user": "system:serviceaccount:golive-system:golive-operator"},
        "service accounts and system users cannot approve",
    ),
    "an approval of an earlier revision is refused": ("approver", {"revision": 7}, "must be for this revision"),
    "an approval of a deleted namesake is refused": ("approver", {"uid": "u-0"}, "metadata.uid"),
    "an approval of a digest that status does not show is refused": (
        "approver",
        {"digest": OTHER_DIGEST},
        "the digest that status shows",
    ),
    "the requester can't approve, verb or not": ("trader", {}, "the requester"),
    "the requester can't approve under a name in other letter case": ("Trader", {}, "the requester"),
}


@pytest.mark.parametrize(("who", "changes", "complaint"), FORGERIES.values(), ids=FORGERIES)
def test_forged_approval_is_refused(
    cluster: Any, golive: Any, who: str, changes: dict[str, Any], complaint: str
) -> None:
    """The API server refuses it and says why."""
    answer = approve(cluster, golive, who, approval(golive, who, **changes))

    assert not answer.accepted
    assert complaint in answer.said


def test_right_approval_is_accepted_and_can_be_withdrawn(cluster: Any, golive: Any) -> None:
    """An approver with the verb adds their own approval and takes it back."""
    given = approve(cluster, golive, "approver", approval(golive, "approver", comment="limits checked"))
    withdrawn = approve(cluster, golive, "approver")

    assert [entry["user"] for entry in given.json()["spec"]["approvals"]] == ["approver"]
    assert withdrawn.json()["spec"]["approvals"] == []


def test_consent_is_renewed_for_what_is_shown_now(cluster: Any, golive: Any, name: str) -> None:
    """After a change of the engine the approver consents anew, under the same revision."""
    approve(cluster, golive, "approver", approval(golive, "approver")).json()
    shown = {"status": {"digest": OTHER_DIGEST}}
    cluster.patch("operator", f"golives {name}", shown, "--subresource=status").json()

    late = approve(cluster, golive, "deputy", approval(golive, "approver"), approval(golive, "deputy"))
    renewed = approve(cluster, golive, "approver", approval(golive, "approver", digest=OTHER_DIGEST))

    assert late.refused_by("golive-identity")
    assert renewed.json()["spec"]["approvals"][0]["digest"] == OTHER_DIGEST


def test_anybody_who_may_edit_may_drop_approvals(cluster: Any, golive: Any) -> None:
    """Closing is free, and fewer approvals close."""
    approve(cluster, golive, "approver", approval(golive, "approver")).json()

    assert approve(cluster, golive, "mallory").json()["spec"]["approvals"] == []


def test_another_approval_can_not_be_edited_on_the_way(cluster: Any, golive: Any) -> None:
    """A second approver can't reword or redate the first one's consent."""
    first = approval(golive, "approver")
    approve(cluster, golive, "approver", first).json()

    answer = approve(cluster, golive, "deputy", {**first, "comment": "all fine"}, approval(golive, "deputy"))

    assert answer.refused_by("golive-identity")


def test_one_person_in_two_letter_cases_is_one_vote(cluster: Any, golive: Any) -> None:
    """The names approver and Approver can't both stand in the list."""
    first = approval(golive, "approver")
    approve(cluster, golive, "approver", first).json()

    answer = approve(cluster, golive, "Approver", first, approval(golive, "Approver"))

    assert not answer.accepted
    assert "approvers must differ in more than letter case" in answer.said


def test_nothing_can_be_approved_before_status_shows_a_digest(cluster: Any, name: str) -> None:
    """Without a digest there is nothing that consent could be bound to."""
    fresh = cluster.create("trader", cluster.golive_body(name)).json()
    guess = approval({**fresh, "status": {"digest": OTHER_DIGEST}}, "approver")

    answer = approve(cluster, fresh, "approver", guess)

    assert answer.refused_by("golive-identity")
    assert "status.digest is not known yet" in answer.said


def test_an_object_in_deletion_can_not_be_approved(cluster: Any, golive: Any, name: str) -> None:
    """Consent to what is going away could only serve a trick."""
    cluster.patch("admin", f"golives {name}", {"metadata": {"finalizers": ["test.golive.dev/hold"]}}).json()
    cluster.ask("trader", "delete", "golives", name, "--wait=false")

    answer = approve(cluster, golive, "approver", approval(golive, "approver"))

    cluster.patch("admin", f"golives {name}", {"metadata": {"finalizers": []}}).json()
    assert answer.refused_by("golive-identity")
    assert "being deleted" in answer.said


def test_the_operators_own_probe_is_refused_by_policy(cluster: Any, golive: Any, name: str) -> None:
    """The dry run by which the operator tests its guard passes RBAC and schema, then meets the policy."""
    forged = {"spec": {"approvals": [approval(golive, "golive-guard-probe")]}}

    answer = cluster.patch("operator", f"golives {name}", forged, "--dry-run=server")

    assert answer.refused_by("golive-identity")
