"""Approving in one's own name, judged by the real API server and the chart's policies."""

import contextlib
import os
import pty
import re
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest

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
    started = [requested.start("approve", "perps", "--yes", user=person) for person in people]

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

    done = requested.run("approve", "perps", *options, user=user)

    assert done.returncode == 1
    assert done.stderr == f"error: {message.replace('NAMESPACE', requested.namespace)}\n"
    assert not requested.read()["spec"].get("approvals")


def test_before_the_operator_has_spoken_nothing_can_be_approved(desk: Any) -> None:
    """Without a digest there is nothing that an approval could be bound to."""
    desk.request()

    done = desk.run("approve", "perps", "--yes", user="approver")

    assert done.returncode == 1
    assert done.stderr == (
        "error: perps has no status.digest yet: the operator has not seen what would be approved\n"
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
