"""The emergency brake against a real API server, without any operator."""

import json
from typing import Any

import pytest

from golive_api.acknowledgement import LEASE_PREFIX, lease_name
from golive_api.gate import GATE_PREFIX, gate_name
from golive_dev.waiting import eventually
from kubectl_golive import brake, obedience
from kubectl_golive.cluster import config_map_path, lease_path
from kubectl_golive.problems import RefusedError

LEASES = ("coordination.k8s.io", "leases", "get,list,watch")


@pytest.fixture
def trading(desk: Any, engine: Any) -> Any:
    """Give a namespace in which an engine obeys an open gate."""
    desk.request()
    follower = engine()
    desk.open_gate()
    eventually(lambda: follower.obeys("Open"))
    return desk


def gate_is_gone(desk: Any) -> bool:
    """Whether the API server has no gate any more."""
    try:
        desk.bench.admin.call("GET", config_map_path(desk.namespace, gate_name("perps")))
    except RefusedError as refused:
        return refused.code == 404
    return False


def test_close_shuts_both_ways_and_prints_when_the_engine_obeyed(trading: Any) -> None:
    """One command deletes the gate, disables the GoLive, and ends with the engine's own word and time."""
    done = trading.run("close", "perps", "--reason", "spread looks odd", "-o", "json", "-v")
    told = json.loads(done.stdout)

    assert done.returncode == 0, done.stderr
    assert gate_is_gone(trading)
    golive = trading.read()
    assert golive["spec"]["activation"] == "Disabled"
    assert golive["metadata"]["annotations"]["golive.dev/close-reason"] == "spread looks odd"
    assert told["shots"] == {"gate": "done", "activation": "done"}
    assert told["acknowledged"]
    assert told["pod"] == "perps-engine-0"
    assert 0 < told["acknowledgedMilliseconds"] < 2000
    assert 0 < told["engineClockMilliseconds"] <= told["acknowledgedMilliseconds"]
    assert "process start to request sent: " in done.stderr


def test_close_tells_a_person_the_same_in_words(trading: Any) -> None:
    """The text names what was done, the pod, and both times."""
    done = trading.run("close", "perps")

    assert done.returncode == 0, done.stderr
    lines = sorted(done.stdout.splitlines())
    assert lines[0].startswith("closed: engine pod perps-engine-0 acknowledged (GateMissing) ")
    assert lines[0].endswith(" ms by the engine's clock")
    assert lines[1].startswith("gate ConfigMap golive-gate-perps deleted (")
    assert lines[2].startswith("spec.activation is Disabled (")


def test_deleting_the_gate_alone_closes(trading: Any) -> None:
    """Who may not edit the GoLive still stops the engine."""
    trading.grant_only("guard", ("", "configmaps", "delete"), ("golive.dev", "golives", "get"), LEASES)

    done = trading.run("close", "perps", user="guard")

    assert done.returncode == 0, done.stderr
    assert "acknowledged (GateMissing)" in done.stdout
    assert done.stderr.startswith('warning: activation: User "guard" cannot patch resource "golives"')


def test_disabling_alone_is_reported_as_unconfirmed_with_the_time_at_which_trust_ends(trading: Any) -> None:
    """Without an operator nobody tells the engine: the plugin says until when the gate is trusted."""
    trading.grant_only("editor", ("golive.dev", "golives", "get,patch"), LEASES)

    done = trading.run("close", "perps", "--timeout", "0.3", user="editor")

    assert done.returncode == 3
    assert trading.read()["spec"]["activation"] == "Disabled"
    assert "shut, but engine pod perps-engine-0 has not acknowledged; its trust in the gate ends" in done.stdout
    assert done.stderr.startswith('warning: gate: User "editor" cannot delete resource "configmaps"')


def test_close_without_any_right_fails_loudly(trading: Any) -> None:
    """Nothing was closed, and that is the first thing to read."""
    done = trading.run("close", "perps", user="mallory")

    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr.startswith(f"error: NOT CLOSED in namespace {trading.namespace}: ")
    assert len(done.stderr.splitlines()) == 1
    assert not gate_is_gone(trading)


def test_a_misspelt_name_closes_nothing_and_says_so(desk: Any) -> None:
    """The person at the brake must not walk away believing that it worked."""
    done = desk.run("close", "prep")

    assert done.returncode == 1
    assert done.stderr.startswith(f"error: NOT CLOSED in namespace {desk.namespace}: ")
    assert "there is no GoLive prep" in done.stderr


def test_a_gate_that_is_not_there_does_not_count_as_closed_if_the_golive_stays_enabled(desk: Any) -> None:
    """It may be about to open, and nothing has been done against that."""
    desk.request()
    desk.grant_only("guard", ("", "configmaps", "delete"), LEASES)

    done = desk.run("close", "perps", user="guard")

    assert done.returncode == 1
    assert "NOT CLOSED" in done.stderr


@pytest.mark.parametrize("holder", [None, ""], ids=["no Lease", "a Lease that was released"])
def test_no_engine_is_said_at_once(desk: Any, holder: str | None) -> None:
    """Nobody holds the Lease, so nobody trades, and nobody has to be waited for."""
    desk.request()
    desk.open_gate()
    if holder is not None:
        lease = {"metadata": {"name": lease_name("perps-engine")}, "spec": {"holderIdentity": holder}}
        desk.bench.admin.call("POST", lease_path(desk.namespace), lease)

    done = desk.run("close", "perps")

    assert done.returncode == 0, done.stderr
    assert "closed: no engine pod holds the Lease, so none trades" in done.stdout


def test_an_engine_that_does_not_answer_is_unknown(desk: Any, engine: Any) -> None:
    """The gate is gone, and the plugin says that it does not know about the engine."""
    desk.request()
    engine(deaf=True)
    desk.open_gate()

    done = desk.run("close", "perps", "--timeout", "0.3")

    assert done.returncode == 3
    assert gate_is_gone(desk)
    assert "has not acknowledged" in done.stdout


def test_closing_twice_is_harmless(trading: Any) -> None:
    """The second close finds the engine obeying and says since when."""
    assert trading.run("close", "perps").returncode == 0

    done = trading.run("close", "perps")

    assert done.returncode == 0, done.stderr
    assert "warning: there is no gate ConfigMap golive-gate-perps" in done.stderr
    assert "closed: engine pod perps-engine-0 " in done.stdout


def test_an_api_server_that_drops_connections_is_tried_again(trading: Any, relay: Any) -> None:
    """A brake that gives up at the first broken connection is no brake."""
    drops = relay(drop=4)

    done = trading.run("close", "perps", "--kubeconfig", drops.kubeconfig("trader"))

    assert done.returncode == 0, done.stderr
    assert drops.dropped == 4
    assert gate_is_gone(trading)


def test_names_are_those_of_the_contract() -> None:
    """The brake spells them out, because importing the contract's models would delay it."""
    assert (brake.GATE_PREFIX, brake.LEASE_PREFIX) == (GATE_PREFIX, LEASE_PREFIX)
    assert obedience.STATE == "golive.dev/state"
