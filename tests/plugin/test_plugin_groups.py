"""For which groups an approver speaks: membership is the API server's word, what is asked for the policies'."""

from typing import Any

import pytest


@pytest.fixture
def requested(desk: Any) -> Any:
    """Give a namespace with a request that the operator has seen."""
    desk.request()
    desk.decide(approvalSummary="0/1")
    return desk


def member(desk: Any, user: str, *groups: str) -> list[str]:
    """Options by which somebody signs in with groups."""
    return ["--kubeconfig", str(desk.bench.plane.kubeconfig(user, groups))]


def test_an_approver_speaks_for_those_groups_that_the_policy_asks_for(requested: Any) -> None:
    """And for no other, however many they are a member of."""
    policy = requested.bound(approvals={"requiredGroups": ["risk", "desk"]})
    requested.decide(policies=[policy])

    done = requested.run("approve", "perps", "--yes", *member(requested, "approver", "risk", "golf"))

    assert done.returncode == 0, done.stderr
    assert [approval["groups"] for approval in requested.read()["spec"]["approvals"]] == [["risk"]]
    assert "you speak for risk of desk, risk" in done.stdout
    assert "perps approved by approver, for risk, revision 1" in done.stdout


def test_a_group_can_be_named_by_its_members_only(requested: Any) -> None:
    """Where the policies can't be read it has to be named."""
    groups = member(requested, "approver", "risk")
    named = requested.run("approve", "perps", "--yes", "--group", "risk", *groups)
    foreign = requested.run("approve", "perps", "--yes", "--group", "board", *groups)

    assert named.returncode == 0, named.stderr
    assert [approval["groups"] for approval in requested.read()["spec"]["approvals"]] == [["risk"]]
    assert (foreign.returncode, foreign.stderr) == (
        1,
        "error: approver is not a member of board, by the API server's word\n",
    )


def test_a_group_that_is_asked_for_later_is_added_to_the_approval(requested: Any) -> None:
    """Otherwise nobody could speak for it who has approved before."""
    groups = member(requested, "approver", "risk")
    assert requested.run("approve", "perps", "--yes", *groups).returncode == 0
    requested.decide(policies=[requested.bound(approvals={"requiredGroups": ["risk"]})])

    assert requested.run("approve", "perps", "--yes", *groups).returncode == 0

    assert [approval["groups"] for approval in requested.read()["spec"]["approvals"]] == [["risk"]]
