"""Saying no, and taking a yes back, judged by the real API server and the chart's policies."""

from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from typing import Any

import pytest

from golive_dev.waiting import eventually
from kubectl_golive.approvals import NO_DIGEST
from kubectl_golive.changing import CONFLICTS, add, take
from kubectl_golive.cluster import Cluster
from kubectl_golive.kubeconfig import read_access
from kubectl_golive.problems import Problem


@pytest.fixture
def requested(desk: Any) -> Any:
    """Give a namespace with a request that the operator has seen."""
    desk.request()
    desk.decide(approvalSummary="0/1")
    return desk


def test_a_rejection_carries_name_reason_and_the_digest_that_was_shown(requested: Any) -> None:
    """It is bound to this revision of this very object."""
    done = requested.run("reject", "perps", "--comment", "leverage too high", user="approver")

    assert done.returncode == 0, done.stderr
    golive = requested.read()
    assert golive["spec"]["approvals"] == [
        {
            "user": "approver",
            "revision": 1,
            "uid": golive["metadata"]["uid"],
            "digest": golive["status"]["digest"],
            "verdict": "Rejected",
            "groups": [],
            "comment": "leverage too high",
        }
    ]
    assert done.stdout == "perps rejected by approver, revision 1: it never opens again\n"


def test_a_request_can_be_rejected_before_the_operator_has_spoken(desk: Any) -> None:
    """A no needs no digest."""
    desk.request()

    done = desk.run("reject", "perps", "--comment", "not today", user="approver")

    assert done.returncode == 0, done.stderr
    assert [word["digest"] for word in desk.read()["spec"]["approvals"]] == [NO_DIGEST]


def test_a_rejection_takes_the_place_of_ones_own_approval_and_leaves_the_others(requested: Any) -> None:
    """Nobody has two words, and nobody else's is lost."""
    requested.grant("anna", "golive-approver")
    for user in ("anna", "approver"):
        requested.run("approve", "perps", "--yes", "--timeout", "0", user=user)

    assert requested.run("reject", "perps", "--comment", "on second thought", user="approver").returncode == 0

    said = {word["user"]: word["verdict"] for word in requested.read()["spec"]["approvals"]}
    assert said == {"anna": "Approved", "approver": "Rejected"}


def test_rejecting_twice_is_said_and_harmless(requested: Any) -> None:
    """The second time nothing is written."""
    requested.run("reject", "perps", "--comment", "no", user="approver")
    before = requested.read()["metadata"]["resourceVersion"]

    done = requested.run("reject", "perps", "--comment", "no", user="approver")

    assert (done.returncode, done.stdout) == (0, "perps is already rejected by approver, revision 1\n")
    assert requested.read()["metadata"]["resourceVersion"] == before


def test_the_requester_is_told_how_to_stop_instead(requested: Any) -> None:
    """Four eyes; the brake needs no second pair."""
    done = requested.run("reject", "perps", "--comment", "mine")

    assert done.returncode == 1
    assert done.stderr == (
        "error: perps is your own request, trader: another person can reject it; "
        f"stop it with: kubectl golive close perps -n {requested.namespace}\n"
    )


@pytest.fixture
def contested(requested: Any) -> Iterator[Any]:
    """Give an approver's connection, and a change that always comes too late, so many times."""
    access = read_access(str(requested.bench.plane.kubeconfig("approver")), None)

    def late(times: int) -> Callable[[dict[str, Any]], dict[str, Any]]:
        left = list(range(times))

        def change(_seen: dict[str, Any]) -> dict[str, Any]:
            if left:
                requested.edit({"metadata": {"labels": {"count": str(left.pop())}}})
            return {"approvals": []}

        return change

    with closing(Cluster(replace(access, namespace=requested.namespace))) as cluster:
        yield cluster, late


def test_taking_trust_away_gets_through_however_often_others_write(contested: Any) -> None:
    """The closing side never fails on a conflict."""
    cluster, late = contested

    assert take(cluster, "perps", late(CONFLICTS * 2))


def test_adding_trust_gives_up_when_others_write_all_the_time(contested: Any) -> None:
    """Nobody has looked at what they wrote."""
    cluster, late = contested

    assert add(cluster, "perps", late(CONFLICTS - 1))
    with pytest.raises(Problem, match="perps is being written all the time: nothing was added"):
        add(cluster, "perps", late(CONFLICTS))


@pytest.mark.parametrize("words", [["--comment", "no"], []], ids=["without the verb", "without a reason"])
def test_a_rejection_needs_the_verb_and_a_reason(requested: Any, words: list[str]) -> None:
    """Nothing is written otherwise."""
    requested.grant("reader", "golive-closer")

    done = requested.run("reject", "perps", *words, user="reader")

    assert done.returncode == 1
    assert not requested.read()["spec"].get("approvals")


def test_revoking_takes_ones_own_approval_out_and_says_that_the_gate_shuts(requested: Any) -> None:
    """The other approval stays."""
    requested.grant("anna", "golive-approver")
    for user in ("anna", "approver"):
        assert requested.run("approve", "perps", "--yes", "--timeout", "0", user=user).returncode == 0
    requested.decide(approvalSummary="2/2")

    done = requested.run("revoke", "perps", user="approver")

    assert done.returncode == 0, done.stderr
    assert [word["user"] for word in requested.read()["spec"]["approvals"]] == ["anna"]
    assert done.stdout == (
        "perps: approval by approver revoked, revision 1; the gate shuts as soon as the operator sees it, "
        "and by itself within 15 s if there is none\n"
    )


def test_revoking_where_enough_others_remain_does_not_promise_a_shut_gate(requested: Any) -> None:
    """What is said is what happens."""
    requested.grant("anna", "golive-approver")
    for user in ("anna", "approver"):
        requested.run("approve", "perps", "--yes", "--timeout", "0", user=user)
    requested.decide(approvalSummary="2/1")

    done = requested.run("revoke", "perps", "--wait", user="approver")

    assert (done.returncode, done.stdout) == (
        0,
        "perps: approval by approver revoked, revision 1; 1 of 1 needed remain, so the gate may stay open\n",
    )


def test_revoking_with_wait_ends_with_the_engines_own_word(requested: Any, engine: Any) -> None:
    """The operator shuts the gate, and the engine says so with its time."""
    requested.run("approve", "perps", "--yes", user="approver")
    follower = engine()
    requested.open_gate()
    eventually(lambda: follower.obeys("Open"))
    requested.decide(approvalSummary="1/1")
    process = requested.start("revoke", "perps", "--wait", user="approver")
    eventually(lambda: not requested.read()["spec"].get("approvals"), 30)
    shut(requested)

    with process:
        stdout, stderr = process.communicate(timeout=60)
    assert process.returncode == 0, stderr
    told = stdout.splitlines()[-1]
    assert told.startswith("engine perps-engine: pod perps-engine-0 obeys Closed (GateMissing), ")
    assert told.endswith(" ms by the engine's clock")


def shut(desk: Any) -> None:
    """Take the gate away, as far as the engine is concerned."""
    path = f"/api/v1/namespaces/{desk.namespace}/configmaps/golive-gate-perps"
    desk.bench.admin.call("DELETE", path)


def test_revoking_with_wait_says_when_the_engine_does_not_answer(requested: Any, engine: Any) -> None:
    """Exit code 3: revoked, and nobody knows about the engine."""
    requested.run("approve", "perps", "--yes", user="approver")
    engine(deaf=True)

    done = requested.run("revoke", "perps", "--wait", "--timeout", "0.5", user="approver")

    assert done.returncode == 3
    assert "pod perps-engine-0 has NOT said that it has stopped" in done.stdout
    assert not requested.read()["spec"].get("approvals")


def test_there_must_be_something_to_revoke(requested: Any) -> None:
    """Neither nothing nor a rejection is an approval."""
    nothing = requested.run("revoke", "perps", user="approver")
    requested.run("reject", "perps", "--comment", "no", user="approver")
    rejection = requested.run("revoke", "perps", user="approver")

    assert nothing.stderr == "error: approver has not approved perps: nothing to revoke\n"
    assert rejection.stderr == (
        "error: approver has rejected perps: a rejection stands, start a new revision instead\n"
    )
    assert len(requested.read()["spec"]["approvals"]) == 1
