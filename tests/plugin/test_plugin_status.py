"""What a person sees of a gate, and what a script gets to know."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import yaml

from golive_api.gate import GATE_LABEL, gate_name
from golive_api.values import render_time
from golive_dev.waiting import eventually
from kubectl_golive.cluster import config_map_path
from kubectl_golive.gates import GateNow, gate_from_status
from kubectl_golive.next_step import next_step

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)


def condition(kind: str, status: str, reason: str, message: str) -> dict[str, str]:
    """One condition."""
    changed = render_time(NOW)
    return {"type": kind, "status": status, "reason": reason, "message": message, "lastTransitionTime": changed}


WAITING = [
    condition("Ready", "False", "ApprovalsMissing", "0 of 1 approvals are valid"),
    condition("Approved", "False", "ApprovalsMissing", "0 of 1 approvals are valid"),
]
CHECK = {
    "name": "health-live",
    "result": "Passed",
    "reason": "PreflightPassed",
    "message": "200 in 3 ms",
    "checkedTime": render_time(NOW),
}


def test_a_waiting_request_says_what_it_waits_for(desk: Any, engine: Any) -> None:
    """Gate, reason, conditions, checks, engine and the command that is next."""
    desk.request()
    engine()
    desk.decide(conditions=WAITING, approvalSummary="0/1", preflight={"checks": [CHECK]})

    done = desk.run("status", "perps")

    assert done.returncode == 2, done.stderr
    for line in (
        f"perps in namespace {desk.namespace}",
        "  Gate        Closed",
        "  Why         GateMissing: There is no gate, or it can't be read: GO-LIVE not activated.",
        "  Requested   by trader, revision 1, Enabled, production, accounts main, profile micro",
        "  Approved   False    ApprovalsMissing   0 of 1 approvals are valid",
        "  health-live   Passed   PreflightPassed   200 in 3 ms",
        "Approvals 0/1: none",
        f"Next: approve with: kubectl golive approve perps -n {desk.namespace} (not as trader)",
    ):
        assert line in done.stdout.splitlines()
    assert "pod perps-engine-0 obeys Closed (GateMissing) since 0s" in done.stdout


def test_an_open_gate_says_for_how_long_and_how_to_stop_it(desk: Any, engine: Any) -> None:
    """The engine's word stands beside the gate's."""
    desk.request()
    follower = engine()
    desk.open_gate(seconds=30)
    eventually(lambda: follower.obeys("Open"))

    done = desk.run("status", "perps")

    assert done.returncode == 0, done.stderr
    assert "  Gate        Open for " in done.stdout
    assert "s more unless renewed" in done.stdout
    assert "pod perps-engine-0 obeys Open" in done.stdout
    assert f"Next: stop it at any time with: kubectl golive close perps -n {desk.namespace}" in done.stdout


def test_a_gate_that_nobody_renewed_is_closed_whatever_it_says(desk: Any) -> None:
    """With the operator dead, status still says Open; the clock says otherwise."""
    desk.request()
    desk.open_gate(seconds=-2)

    one, many = desk.run("status", "perps"), desk.run("status")

    assert desk.read()["status"]["gate"]["state"] == "Open"
    assert one.returncode == 2
    assert "  Gate        Closed" in one.stdout
    assert "GateExpired: The gate was not renewed in time. It ran out " in one.stdout
    assert many.stdout.splitlines()[1].split()[:2] == ["perps", "Closed"]


def test_an_unreadable_gate_is_closed(desk: Any) -> None:
    """As the engine has it."""
    desk.request()
    golive = desk.read()
    metadata = {"name": gate_name("perps"), "labels": {GATE_LABEL: "perps"}}
    data = {
        "state": "Closed",
        "name": "perps",
        "namespace": desk.namespace,
        "uid": golive["metadata"]["uid"],
        "epoch": "1",
        "serial": "1",
        "revision": "1",
        "ttlSeconds": "15",
        "validUntil": render_time(NOW),
        "surprise": "from the future",
    }
    body = {"metadata": metadata, "data": data}
    desk.bench.operator.call("POST", config_map_path(desk.namespace), body)

    done = desk.run("status", "perps")

    assert done.returncode == 2
    assert "GateUnreadable" in done.stdout


def test_who_may_not_read_gates_sees_what_the_operator_last_wrote(desk: Any) -> None:
    """An approver has no right to ConfigMaps, and still learns the state."""
    desk.request()
    desk.open_gate(seconds=30)

    assert desk.run("status", "perps", user="approver").returncode == 0
    assert desk.run("status", user="approver").stdout.splitlines()[1].split()[:2] == ["perps", "Open"]


def test_approvals_say_whether_they_count_and_why_not(desk: Any) -> None:
    """A changed engine voids what was approved before."""
    desk.request()
    desk.decide()
    assert desk.run("approve", "perps", "--yes", "--comment", "ok", user="approver").returncode == 0
    assert ["approver", "valid", "ok"] in rows(desk.run("status", "perps").stdout)

    parts = desk.read()["status"]["digest"].split(".")
    desk.decide(digest=".".join([*parts[:2], "f" * 64]))

    assert ["approver", "void", "changed", "since:", "engine", "ok"] in rows(desk.run("status", "perps").stdout)


def rows(text: str) -> list[list[str]]:
    """The words of each line."""
    return [line.split() for line in text.splitlines()]


def test_output_formats_are_kubectls(desk: Any) -> None:
    """Json and yaml are the object, name is what kubectl takes as an argument."""
    desk.request()
    desk.decide()
    expected = desk.read()

    assert json.loads(desk.run("status", "perps", "-o", "json").stdout) == expected
    assert yaml.safe_load(desk.run("status", "perps", "-o", "yaml").stdout) == expected
    assert desk.run("status", "perps", "-o", "name").stdout == "golive.golive.dev/perps\n"
    assert desk.run("status", "-o", "name").stdout == "golive.golive.dev/perps\n"


def test_all_namespaces_are_listed_with_their_names(desk: Any) -> None:
    """Who may see everything sees where it is."""
    desk.request()
    config = str(desk.bench.plane.admin)

    done = desk.run("status", "-A", "--kubeconfig", config)

    assert done.returncode == 0, done.stderr
    assert done.stdout.split()[:2] == ["NAMESPACE", "NAME"]
    assert [desk.namespace, "perps"] in [row[:2] for row in rows(done.stdout)]


def test_an_empty_namespace_is_said(desk: Any) -> None:
    """No table of nothing."""
    done = desk.run("status")

    assert (done.returncode, done.stdout, done.stderr) == (0, "", f"no GoLive in namespace {desk.namespace}\n")


def golive(**changes: Any) -> dict[str, Any]:
    """An object that waits for an approval, with changes."""
    status = {"observedGeneration": 3, "conditions": WAITING} | changes.pop("status", {})
    metadata = {"name": "perps", "namespace": "trading", "generation": 3} | changes.pop("metadata", {})
    return {
        "metadata": metadata,
        "spec": {"activation": "Enabled", "revision": 2, "requestedBy": "trader"} | changes,
        "status": status,
    }


CLOSED = GateNow("Closed", "ApprovalsMissing", "")
OPEN = GateNow("Open", "Open", "", 9.0)
EXPIRED = GateNow("Closed", "GateExpired", "")
BLOCKED = [condition("Ready", "False", "EmergencyStopActive", "the engine's emergency stop is active")]

STEPS = {
    "deleted objects need nothing": (golive(metadata={"deletionTimestamp": "now"}), CLOSED, "nothing: "),
    "disabled ones are enabled first": (golive(activation="Disabled"), CLOSED, "enable it with: kubectl patch"),
    "an unseen change waits for the operator": (golive(metadata={"generation": 4}), CLOSED, "wait until"),
    "an open gate can be stopped": (golive(), OPEN, "stop it at any time with: kubectl golive close perps -n"),
    "an expired gate points at the operator": (golive(), EXPIRED, "look whether the operator runs"),
    "a burned revision needs a new one, not approvals": (
        golive(status={"gate": {"burnedRevision": 2}}),
        CLOSED,
        "this revision is burned",
    ),
    "missing approvals name the command": (
        golive(),
        CLOSED,
        "approve with: kubectl golive approve perps -n trading",
    ),
    "anything else is told in the operator's words": (
        golive(status={"conditions": BLOCKED}),
        CLOSED,
        "put right what stands in the way: the engine's emergency stop is active",
    ),
}


@pytest.mark.parametrize(("seen", "gate", "beginning"), STEPS.values(), ids=STEPS)
def test_the_next_step_is_the_first_thing_in_the_way(
    seen: dict[str, Any], gate: GateNow, beginning: str
) -> None:
    """One sentence, with a command where there is one."""
    assert next_step(seen, gate).startswith(beginning)


STATUSES = {
    "open with time left is open": ({"state": "Open", "reason": "Open", "validUntil": 5}, "Open", 0),
    "open without time left is closed": ({"state": "Open", "reason": "Open", "validUntil": 0}, "Closed", 2),
    "open without an end is closed": ({"state": "Open", "reason": "Open"}, "Closed", 2),
    "reduce-only is not open": ({"state": "ReduceOnly", "reason": "Open", "validUntil": 5}, "ReduceOnly", 2),
    "closed is closed": ({"state": "Closed", "reason": "ApprovalsMissing"}, "Closed", 2),
    "nothing is unknown": (None, "Unknown", 3),
}


@pytest.mark.parametrize(("gate", "state", "code"), STATUSES.values(), ids=STATUSES)
def test_status_alone_is_judged_by_the_clock(gate: dict[str, Any] | None, state: str, code: int) -> None:
    """Nothing but an open gate with time left exits with 0."""
    if gate and "validUntil" in gate:
        gate = gate | {"validUntil": render_time(NOW + timedelta(seconds=gate["validUntil"]))}

    judged = gate_from_status({"gate": gate} if gate else {}, NOW)

    assert (judged.state, judged.exit_code) == (state, code)
