"""Approving in one's own name, judged by the real API server and the chart's policies."""

import contextlib
import os
import pty
import re
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from golive_api.values import render_time
from golive_dev.waiting import eventually
from kubectl_golive.cluster import golive_path

MERGE = "merge-patch+json"


@pytest.fixture
def requested(desk: Any) -> Any:
    """Give a namespace with a request that the operator has seen."""
    desk.request()
    desk.decide(approvalSummary="0/1")
    return desk


def test_an_approval_carries_exactly_what_was_shown(requested: Any) -> None:
    """Request, limits, requester and digest are printed, and the digest is what is written down."""
    done = requested.run("approve", "perps", "--yes", "--comment", "limits checked", user="approver")

    assert done.returncode == 0, done.stderr
    golive = requested.read()
    assert golive["spec"]["approvals"] == [
        {
            "user": "approver",
            "revision": 1,
            "uid": golive["metadata"]["uid"],
            "digest": golive["status"]["digest"],
            "verdict": "Approved",
            "groups": [],
            "comment": "limits checked",
        }
    ]
    shown = done.stdout
    assert "approver approves perps in namespace" in shown
    assert "as requested by trader" in shown
    for name, value in (("Engine", "perps-engine"), ("maxPositionNotional", "100"), ("maxLeverage", "1")):
        assert re.search(rf"^ *{name} +{value}$", shown, re.MULTILINE)
    assert ".".join(part[:12] for part in golive["status"]["digest"].split(".")) in shown


def test_approving_twice_is_said_and_harmless(requested: Any) -> None:
    """The second time nothing is written."""
    assert requested.run("approve", "perps", "--yes", user="approver").returncode == 0
    before = requested.read()["metadata"]["resourceVersion"]

    done = requested.run("approve", "perps", user="approver")

    assert (done.returncode, done.stdout) == (0, "perps is already approved by approver, revision 1\n")
    assert requested.read()["metadata"]["resourceVersion"] == before


def test_a_void_approval_is_replaced(requested: Any) -> None:
    """After the engine has changed, the same person approves again, and has one entry."""
    assert requested.run("approve", "perps", "--yes", user="approver").returncode == 0
    digest = requested.read()["status"]["digest"]
    changed = ".".join([*digest.split(".")[:2], "f" * 64])
    requested.decide(digest=changed)

    done = requested.run("approve", "perps", "--yes", user="approver")

    assert done.returncode == 0, done.stderr
    assert [approval["digest"] for approval in requested.read()["spec"]["approvals"]] == [changed]


def test_two_people_at_once_both_count(requested: Any) -> None:
    """Neither write loses the other's approval."""
    people = ["anna", "ben", "cleo"]
    for person in people:
        requested.grant(person, "golive-approver")
    started = [
        requested.start("approve", "perps", "--yes", "--timeout", "0.2", user=person) for person in people
    ]

    for process in started:
        with process:
            _, stderr = process.communicate(timeout=60)
        assert process.returncode == 0, stderr
    approvals = requested.read()["spec"]["approvals"]
    assert sorted(approval["user"] for approval in approvals) == people


def disable(desk: Any) -> None:
    """Trader changes their mind."""
    change = {"spec": {"activation": "Disabled"}}
    desk.bench.call_as("trader", "PATCH", golive_path(desk.namespace, "perps"), change, kind=MERGE)


def change_request(desk: Any) -> None:
    """Trader asks for more."""
    change = {"spec": {"request": {"profile": "low"}, "revision": 2}}
    desk.bench.call_as("trader", "PATCH", golive_path(desk.namespace, "perps"), change, kind=MERGE)


def forge_digest(desk: Any) -> None:
    """The operator has seen other limits."""
    parts = desk.read()["status"]["digest"].split(".")
    desk.decide(digest=".".join([parts[0], "0" * 64, parts[2]]))


def nothing(_desk: Any) -> None:
    """The request as it is."""


REFUSALS = {
    "the requester can't approve their own request": (
        nothing,
        "trader",
        ["--yes"],
        "perps is your own request, trader: another person has to approve it",
    ),
    "without the verb the missing role is named": (
        nothing,
        "reader",
        ["--yes"],
        (
            "reader lacks the verb approve on golives in namespace NAMESPACE: "
            "an administrator can bind the role golive-approver"
        ),
    ),
    "a Disabled request is not approved": (
        disable,
        "approver",
        ["--yes"],
        "perps is Disabled: enabling it starts a new revision, approve that one",
    ),
    "a request that changed since the digest is not approved": (
        change_request,
        "approver",
        ["--yes"],
        "status.digest is not yet about the request and limits as they are: try again in a moment",
    ),
    "limits other than those in the digest are not approved": (
        forge_digest,
        "approver",
        ["--yes"],
        "status.digest is not yet about the limits as they are: try again in a moment",
    ),
    "away from a terminal nothing is approved without --yes": (
        nothing,
        "approver",
        [],
        "not approved: there is no terminal to ask at, give --yes",
    ),
}


@pytest.mark.parametrize(("prepare", "user", "options", "message"), REFUSALS.values(), ids=REFUSALS)
def test_refusals_are_one_clear_line(
    requested: Any, prepare: Any, user: str, options: list[str], message: str
) -> None:
    """Nothing is written, and stderr says why."""
    requested.grant("reader", "golive-view")
    prepare(requested)

    done = requested.run("approve", "perps", "--timeout", "0.2", *options, user=user)

    assert done.returncode == 1
    assert done.stderr.splitlines()[-1] == f"error: {message.replace('NAMESPACE', requested.namespace)}"
    assert not requested.read()["spec"].get("approvals")


def test_before_the_operator_has_spoken_nothing_can_be_approved(desk: Any) -> None:
    """Without a digest there is nothing that an approval could be bound to."""
    desk.request()

    done = desk.run("approve", "perps", "--yes", "--timeout", "0.2", user="approver")

    assert done.returncode == 1
    assert done.stderr.splitlines()[-1] == (
        "error: perps has no status.digest yet: the operator has not seen what would be approved"
    )


def test_an_object_that_is_gone_is_named(desk: Any) -> None:
    """A misspelt name gives one line."""
    done = desk.run("approve", "prep", "--yes", user="approver")

    assert (done.returncode, done.stderr) == (1, 'error: golives.golive.dev "prep" not found\n')


@pytest.mark.parametrize("length", [64, 12, 4])
def test_a_digest_prefix_that_fits_is_accepted(requested: Any, length: int) -> None:
    """The beginning of each part is enough."""
    prefix = ".".join(part[:length] for part in requested.read()["status"]["digest"].split("."))

    done = requested.run("approve", "perps", "--yes", "--digest-prefix", prefix, user="approver")

    assert done.returncode == 0, done.stderr


def test_a_digest_prefix_of_something_else_is_refused(requested: Any) -> None:
    """Who compared another digest does not approve this one."""
    done = requested.run("approve", "perps", "--yes", "--digest-prefix", "....", user="approver")
    other = requested.run("approve", "perps", "--yes", "--digest-prefix", "zz", user="approver")

    assert (done.returncode, other.returncode) == (1, 1)
    assert "not zz: not approved" in other.stderr
    assert not requested.read()["spec"].get("approvals")


class Terminal:
    """The plugin at a pseudo-terminal of 100 columns."""

    def __init__(self, desk: Any, user: str, *arguments: str) -> None:
        self._own, other = pty.openpty()
        self.text = ""
        environment = {"KUBECONFIG": str(desk.bench.plane.kubeconfig(user)), "TERM": "xterm", "COLUMNS": "100"}
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-m", "kubectl_golive", *arguments, "-n", desk.namespace],
            stdin=other,
            stdout=other,
            stderr=other,
            env=os.environ | environment,
        )
        os.close(other)
        os.set_blocking(self._own, False)

    def read(self) -> str:
        """All that it has printed so far."""
        with contextlib.suppress(OSError):
            self.text += os.read(self._own, 65536).decode()
        return self.text

    def asked(self, times: int) -> bool:
        """Whether it has asked so often."""
        return self.read().count("Approve real orders within these limits? [y/N]: ") == times

    def answer(self, text: str) -> None:
        """Type a line."""
        os.write(self._own, f"{text}\n".encode())

    def code(self) -> int:
        """Its exit code, once it has ended."""
        eventually(lambda: self.read() and self._process.poll() is not None, 30)
        self.read()
        return self._process.wait()

    def close(self) -> None:
        """Hang up."""
        self._process.kill()
        self._process.wait()
        os.close(self._own)


@pytest.fixture
def terminal(requested: Any) -> Iterator[Any]:
    """Give a function that runs the plugin at a terminal."""
    terminals: list[Terminal] = []

    def start(*arguments: str, user: str = "approver") -> Terminal:
        terminals.append(Terminal(requested, user, *arguments))
        return terminals[-1]

    yield start
    for one in terminals:
        one.close()


def test_a_person_is_asked_and_no_means_no(requested: Any, terminal: Any) -> None:
    """Anything but yes leaves the object as it is."""
    screen = terminal("approve", "perps")
    eventually(lambda: screen.asked(1), 30)

    screen.answer("n")

    assert screen.code() == 1
    assert "error: not approved" in screen.text
    assert not requested.read()["spec"].get("approvals")


def test_what_changed_while_asking_is_shown_and_asked_again(requested: Any, terminal: Any) -> None:
    """Nobody's yes to one digest is used for another."""
    screen = terminal("approve", "perps")
    eventually(lambda: screen.asked(1), 30)
    parts = requested.read()["status"]["digest"].split(".")
    changed = ".".join([*parts[:2], "e" * 64])
    requested.decide(digest=changed)

    screen.answer("y")
    eventually(lambda: screen.asked(2), 30)
    assert not requested.read()["spec"].get("approvals")
    screen.answer("y")

    assert screen.code() == 0
    assert screen.text.count("approver approves perps") == 2
    assert "e" * 12 in screen.text
    assert [approval["digest"] for approval in requested.read()["spec"]["approvals"]] == [changed]


def test_a_change_that_is_not_approved_does_not_ask_again(requested: Any, terminal: Any) -> None:
    """A label written meanwhile only costs a second attempt."""
    screen = terminal("approve", "perps")
    eventually(lambda: screen.asked(1), 30)
    label = {"metadata": {"labels": {"team": "perps"}}}
    requested.bench.call_as("trader", "PATCH", golive_path(requested.namespace, "perps"), label, kind=MERGE)

    screen.answer("y")

    assert screen.code() == 0
    assert screen.asked(1)
    assert [approval["user"] for approval in requested.read()["spec"]["approvals"]] == ["approver"]


def test_limits_that_the_approver_may_not_read_are_not_approved(requested: Any) -> None:
    """An approval of unseen limits is worth nothing."""
    change = {"spec": {"request": {"profile": "ghost"}, "revision": 2}}
    requested.bench.call_as("trader", "PATCH", golive_path(requested.namespace, "perps"), change, kind=MERGE)

    done = requested.run("approve", "perps", "--yes", user="approver")

    assert done.returncode == 1
    assert done.stderr.startswith("error: the limits of profile ghost can't be shown: ")


def test_what_is_shown_besides_the_digest_is_what_the_operator_knows(requested: Any) -> None:
    """Policies, window, preflight with its age, open items of the checklist, and who has agreed so far."""
    policy = requested.bound()
    now = datetime.now(UTC)
    seen = {"name": "check_risk_system", "result": "Passed", "reason": "PreflightPassed", "message": "OK"}
    missing = {
        "item": "on-call",
        "state": "Missing",
        "required": "Required",
        "message": "nobody vouches for it",
    }
    requested.decide(
        approvalSummary="0/2",
        policies=[policy],
        window={"state": "Open", "nextClose": render_time(now + timedelta(hours=9, minutes=30))},
        preflight={
            "runTime": render_time(now - timedelta(minutes=45)),
            "checks": [seen | {"checkedTime": render_time(now - timedelta(minutes=45))}],
            "checklist": [missing],
        },
    )

    shown = requested.run("approve", "perps", "--yes", "--timeout", "0", user="approver").stdout

    lines = [line.split() for line in shown.splitlines()]
    assert ["Policies", policy] in lines
    assert ["Window", "Open,", "shuts", "in", "9h"] in [line[:5] for line in lines]
    assert ["Approvals", "0/2"] in lines
    assert ["Preflight,", "last", "run", "45m", "ago"] in lines
    assert ["check_risk_system", "Passed", "PreflightPassed", "45m", "OK"] in lines
    assert ["Checklist:", "0", "of", "1", "required", "items", "hold"] in lines
    assert ["on-call", "Missing"] in [line[:2] for line in lines]
    parts = requested.read()["status"]["digest"].split(".")
    for name, part in zip(("request", "limits", "engine"), parts, strict=True):
        assert ["Digest", "of", name, part[:12]] in lines


def annotation(desk: Any) -> str | None:
    """What asks for a run of preflight."""
    found: str | None = desk.read()["metadata"].get("annotations", {}).get("golive.dev/preflight-requested")
    return found


RUNS = {"none at all": (None, True), "one of a minute ago": (60, True), "one of just now": (2, False)}


@pytest.mark.parametrize(("seconds", "asked"), RUNS.values(), ids=RUNS)
def test_before_somebody_approves_preflight_is_fresh(
    requested: Any, seconds: int | None, *, asked: bool
) -> None:
    """So that the opening need not wait for a run; no approval is voided by asking for one."""
    if seconds is not None:
        ran = render_time(datetime.now(UTC) - timedelta(seconds=seconds))
        requested.decide(preflight={"runTime": ran})

    done = requested.run("approve", "perps", "--yes", user="approver")

    assert done.returncode == 0, done.stderr
    assert (annotation(requested) is not None) == asked
    assert len(requested.read()["spec"]["approvals"]) == 1


def test_a_run_is_asked_for_before_the_person_is(requested: Any, terminal: Any) -> None:
    """It is done while they read; who says no has changed nothing else."""
    screen = terminal("approve", "perps")
    eventually(lambda: screen.asked(1), 30)

    assert annotation(requested) is not None
    screen.answer("n")
    assert screen.code() == 1
    assert not requested.read()["spec"].get("approvals")


def test_who_may_not_approve_has_no_run_started(requested: Any) -> None:
    """The closer may patch, and is refused before anything is written."""
    requested.grant("closer", "golive-closer")

    assert requested.run("approve", "perps", "--yes", user="closer").returncode == 1
    assert annotation(requested) is None


def test_an_approval_waits_until_the_operator_has_seen_the_latest_change(requested: Any) -> None:
    """What is shown and bound is the request as it is."""
    change_request(requested)
    process = requested.start("approve", "perps", "--yes", "--timeout", "30", user="approver")
    eventually(lambda: process.stderr.readline() == "waiting for the operator to see the latest change\n", 30)
    assert process.poll() is None

    requested.decide()

    with process:
        _, stderr = process.communicate(timeout=60)
    assert process.returncode == 0, stderr
    assert [approval["revision"] for approval in requested.read()["spec"]["approvals"]] == [2]


def test_with_the_operator_down_people_still_agree_on_what_stands_there(requested: Any) -> None:
    """Another approval has made the object newer than status; the digest is still about the very request."""
    requested.grant("anna", "golive-approver")
    assert requested.run("approve", "perps", "--yes", user="anna").returncode == 0

    done = requested.run("approve", "perps", "--yes", "--timeout", "0.3", user="approver")

    assert done.returncode == 0, done.stderr
    assert done.stderr == "waiting for the operator to see the latest change\n"
    assert "status speaks of an older version of the object" in done.stdout
    assert len(requested.read()["spec"]["approvals"]) == 2


def test_a_request_without_a_profile_shows_the_policys_default(desk: Any) -> None:
    """Its limits are in the digest all the same."""
    desk.request(request={"engineRef": {"name": "perps-engine"}, "accounts": ["main"]})
    desk.decide(profile="low")

    done = desk.run("approve", "perps", "--yes", user="approver")

    assert done.returncode == 0, done.stderr
    assert "low (the policy's default)" in done.stdout
    assert re.search(r"^ *maxPositionNotional +500$", done.stdout, re.MULTILINE)


def test_a_revision_that_can_never_open_is_not_approved(requested: Any) -> None:
    """Neither a rejected nor a burned one: the approval would be in vain."""
    requested.grant("anna", "golive-approver")
    requested.run("reject", "perps", "--comment", "no", user="anna")
    rejected = requested.run("approve", "perps", "--yes", user="approver")
    gate = {"state": "Closed", "reason": "Rejected", "epoch": 1, "serial": 1, "burnedRevision": 1}
    requested.edit({"spec": {"approvals": []}}, user="anna")
    requested.decide(gate=gate)
    burned = requested.run("approve", "perps", "--yes", user="approver")

    assert rejected.stderr == "error: revision 1 of perps was rejected by anna: approving is in vain\n"
    assert burned.stderr == "error: revision 1 of perps is burned: only a new revision can be approved\n"
    assert not requested.read()["spec"].get("approvals")
