"""Emergency stops: applied without an operator, listed, and lifted by name and with a cause."""

import json
import re
from datetime import UTC, datetime
from typing import Any

import pytest

from golive_api.acknowledgement import Acknowledgement
from golive_api.values import render_time
from golive_dev.waiting import eventually
from kubectl_golive.cluster import lease_path, stop_path
from kubectl_golive.problems import RefusedError

CAUSE = "the feed was wrong; repaired and compared with two venues"


def stops(desk: Any) -> list[dict[str, Any]]:
    """Every stop of the namespace."""
    found: list[dict[str, Any]] = desk.bench.admin.call("GET", stop_path(desk.namespace))["items"]
    return found


@pytest.fixture
def trading(desk: Any, engine: Any) -> Any:
    """Give a namespace in which an engine obeys an open gate, and somebody may lift stops."""
    desk.grant("officer", "golive-releaser")
    desk.request()
    follower = engine()
    desk.open_gate()
    eventually(lambda: follower.obeys("Open"))
    return desk


def heed(desk: Any) -> None:
    """Let the engine write that it has stopped, and why."""
    word = Acknowledgement(
        state="Closed", reason="EmergencyStopApplied", acknowledged_time=render_time(datetime.now(UTC))
    )
    path = lease_path(desk.namespace, "golive-engine-perps-engine")
    patch = {"metadata": {"annotations": word.annotations()}}
    desk.bench.admin.call("PATCH", path, patch, kind="merge-patch+json")


def test_a_stop_ends_with_the_engines_own_word_and_its_time(trading: Any) -> None:
    """Without a name it is called by the time; without engines it is about all."""
    process = trading.start("stop", "--reason", "prices look wrong", "-o", "json")
    eventually(lambda: stops(trading), 30)
    heed(trading)

    with process:
        stdout, stderr = process.communicate(timeout=60)
    assert process.returncode == 0, stderr
    told = json.loads(stdout)
    (stop,) = stops(trading)
    assert re.fullmatch(r"stop-\d{8}-\d{6}-[0-9a-f]{4}", stop["metadata"]["name"])
    assert told["name"] == stop["metadata"]["name"]
    assert stop["spec"] == {"reason": "prices look wrong", "engines": []}
    assert told["applied"]
    assert told["engines"]["perps-engine"]["stopped"]
    assert told["engines"]["perps-engine"]["pod"] == "perps-engine-0"
    assert 0 < told["engines"]["perps-engine"]["milliseconds"] < 10_000


def test_a_stop_tells_a_person_the_same_in_words(trading: Any) -> None:
    """And how it is lifted."""
    process = trading.start("stop", "halt", "--engine", "perps-engine", "--reason", "drill")
    eventually(lambda: stops(trading), 30)
    heed(trading)

    with process:
        stdout, stderr = process.communicate(timeout=60)
    assert process.returncode == 0, stderr
    first, second, third = stdout.splitlines()
    assert re.fullmatch(r"EmergencyStop halt applied \(\d+\.\d ms\)", first)
    assert re.fullmatch(
        r"engine perps-engine: pod perps-engine-0 obeys Closed \(EmergencyStopApplied\), \d+\.\d ms after the "
        r"request was sent; \d+\.\d ms by the engine's clock",
        second,
    )
    assert third == f"lift it with: kubectl golive release halt -n {trading.namespace} --root-cause TEXT"
    assert stops(trading)[0]["spec"]["engines"] == ["perps-engine"]


def test_an_engine_that_does_not_answer_is_unknown(trading: Any) -> None:
    """Applied, and nobody knows about the engine."""
    done = trading.run("stop", "--reason", "drill", "--timeout", "0.5")

    assert done.returncode == 3
    assert len(stops(trading)) == 1
    assert "pod perps-engine-0 has NOT said that it has stopped" in done.stdout


DOUBTS = {
    "a misspelt engine": (
        ["--engine", "prep-engine"],
        "namespace NAMESPACE has no Lease of an engine prep-engine",
    ),
    "a namespace without engines": (
        [],
        "no engine of namespace NAMESPACE has a Lease: is it the right namespace?",
    ),
}


@pytest.mark.parametrize(("options", "doubt"), DOUBTS.values(), ids=DOUBTS)
def test_a_stop_that_may_have_stopped_nobody_does_not_look_like_one(
    desk: Any, options: list[str], doubt: str
) -> None:
    """The person at the brake must not walk away believing that it worked."""
    done = desk.run("stop", "--reason", "drill", *options)

    assert done.returncode == 3
    assert doubt.replace("NAMESPACE", desk.namespace) in done.stderr


def test_a_stop_that_is_refused_fails_loudly(desk: Any) -> None:
    """Nothing was stopped, and that is the first thing to read."""
    done = desk.run("stop", "--reason", "drill", user="mallory")

    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr.startswith(f"error: NOT STOPPED in namespace {desk.namespace}: ")


def test_the_same_stop_twice_is_one_and_another_of_the_name_is_refused(trading: Any) -> None:
    """A request whose answer was lost is sent again; that must not read as a failure."""
    first = trading.run("stop", "halt", "--reason", "drill", "--timeout", "0.2")
    again = trading.run("stop", "halt", "--reason", "drill", "--timeout", "0.2")
    other = trading.run("stop", "halt", "--reason", "something else", "--timeout", "0.2")

    assert (first.returncode, again.returncode, other.returncode) == (3, 3, 1)
    assert "NOT STOPPED" in other.stderr
    assert len(stops(trading)) == 1


def test_an_api_server_that_drops_connections_is_tried_again(trading: Any, relay: Any) -> None:
    """A brake that gives up at the first broken connection is no brake."""
    drops = relay(drop=4)

    done = trading.run(
        "stop", "--reason", "drill", "--timeout", "3", "--kubeconfig", drops.kubeconfig("trader")
    )

    assert done.returncode in {0, 3}, done.stderr
    assert drops.dropped == 4
    assert len(stops(trading)) == 1


def test_a_release_is_written_in_the_callers_name_and_says_what_is_next(trading: Any) -> None:
    """Another stop that still holds is named, and so is what the gate needs."""
    for name in ("halt", "other"):
        trading.run("stop", name, "--reason", f"{name} it", "--timeout", "0")

    done = trading.run("release", "halt", "--root-cause", CAUSE, "--yes", user="officer")

    assert done.returncode == 0, done.stderr
    released = {stop["metadata"]["name"]: stop["spec"].get("release") for stop in stops(trading)}
    assert released == {"halt": {"user": "officer", "rootCause": CAUSE}, "other": None}
    assert "EmergencyStop halt released by officer" in done.stdout
    assert "still holding: EmergencyStop other: other it" in done.stdout
    assert f"  kubectl golive explain perps -n {trading.namespace}" in done.stdout.splitlines()


def test_releasing_twice_is_said_and_harmless(trading: Any) -> None:
    """By the same person; of somebody else's release the name is told."""
    trading.grant("anna", "golive-releaser")
    trading.run("stop", "halt", "--reason", "drill", "--timeout", "0")
    trading.run("release", "halt", "--root-cause", CAUSE, "--yes", user="officer")

    again = trading.run("release", "halt", "--root-cause", CAUSE, user="officer")
    other = trading.run("release", "halt", "--root-cause", CAUSE, user="anna")

    assert (again.returncode, again.stdout) == (0, "EmergencyStop halt is already released by officer\n")
    assert (other.returncode, other.stderr) == (
        1,
        f"error: EmergencyStop halt was released by officer: {CAUSE}\n",
    )


REFUSALS = {
    "without a terminal and without --yes": (
        ["halt", "--root-cause", CAUSE],
        "officer",
        "not released: there is no terminal to ask at, give --yes",
    ),
    "without the verb": (
        ["halt", "--root-cause", CAUSE, "--yes"],
        "trader",
        (
            "trader lacks the verb release on emergencystops in namespace NAMESPACE: "
            "an administrator can bind the role golive-releaser"
        ),
    ),
    "without a root cause worth the name": (
        ["halt", "--root-cause", "fixed", "--yes"],
        "officer",
        "say in --root-cause what happened and what was done about it",
    ),
    "of a stop that is not there": (
        ["hold", "--root-cause", CAUSE, "--yes"],
        "officer",
        'emergencystops.golive.dev "hold" not found',
    ),
}


@pytest.mark.parametrize(("arguments", "user", "message"), REFUSALS.values(), ids=REFUSALS)
def test_nothing_is_lifted(trading: Any, arguments: list[str], user: str, message: str) -> None:
    """It goes on holding, and stderr says why."""
    trading.run("stop", "halt", "--reason", "drill", "--timeout", "0")

    done = trading.run("release", *arguments, user=user)

    assert done.returncode == 1
    assert done.stderr == f"error: {message.replace('NAMESPACE', trading.namespace)}\n"
    assert [stop["spec"].get("release") for stop in stops(trading)] == [None]


def test_the_list_has_those_that_hold_first(trading: Any) -> None:
    """With who lifted the others, and why."""
    for name in ("halt", "other"):
        trading.run("stop", name, "--reason", f"{name} it", "--timeout", "0")
    trading.run("release", "halt", "--root-cause", CAUSE, "--yes", user="officer")

    lines = trading.run("stop", "--list").stdout.splitlines()

    assert lines[0].split() == ["STOP", "STATE", "ENGINES", "AGE", "WHY"]
    assert lines[1].split()[:3] == ["other", "holds", "all"]
    assert lines[2].split()[:3] == ["halt", "released", "all"]
    assert lines[2].endswith(f"halt it (released by officer: {CAUSE})")


def test_deleting_lifts_nothing(trading: Any) -> None:
    """The API server sees to it that only a release does."""
    trading.run("stop", "halt", "--reason", "drill", "--timeout", "0")

    with pytest.raises(RefusedError, match="deleting does not lift a stop"):
        trading.bench.call_as("officer", "DELETE", stop_path(trading.namespace, "halt"))
