"""What a person sees of a gate, and what a script gets to know."""

import json
import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import yaml

from golive_api.acknowledgement import Acknowledgement
from golive_api.gate import GATE_LABEL, gate_name
from golive_api.values import render_time
from golive_dev.waiting import eventually
from kubectl_golive.cluster import config_map_path, stop_path
from kubectl_golive.gates import gate_from_status

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
    "name": "check_health_endpoints",
    "result": "Passed",
    "reason": "PreflightPassed",
    "message": "200 in 3 ms",
    "checkedTime": render_time(NOW),
}


def test_a_waiting_request_says_what_it_waits_for(desk: Any, engine: Any) -> None:
    """Gate, reason, conditions, checks, engine and the command that is next."""
    desk.request()
    engine()
    check = CHECK | {"checkedTime": render_time(datetime.now(UTC) - timedelta(minutes=45))}
    desk.decide(conditions=WAITING, approvalSummary="0/1", preflight={"checks": [check]})

    done = desk.run("status", "perps")

    assert done.returncode == 2, done.stderr
    for line in (
        f"perps in namespace {desk.namespace}",
        "  Gate        Closed",
        "  Why         GateMissing: There is no gate, or it can't be read: GO-LIVE not activated.",
        "  Requested   by trader, revision 1, Enabled, production, accounts main, profile micro",
        "  Approved   False    ApprovalsMissing   0 of 1 approvals are valid",
        "Approvals 0/1: none",
        f"Next: approve with: kubectl golive approve perps -n {desk.namespace} (not as trader)",
    ):
        assert line in done.stdout.splitlines()
    assert re.search(r"pod perps-engine-0 obeys Closed \(GateMissing\) since \d+s", done.stdout)
    assert ["check_health_endpoints", "Passed", "PreflightPassed", "45m", "200", "in", "3", "ms"] in rows(
        done.stdout
    )


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


def test_a_gate_that_was_renewed_since_is_told_by_its_engine(desk: Any, engine: Any) -> None:
    """Status keeps its first validUntil; an approver may read the engine's Lease instead."""
    desk.request()
    follower = engine()
    desk.open_gate(seconds=30)
    eventually(lambda: follower.obeys("Open"))
    gate = desk.read()["status"]["gate"]
    desk.decide(gate=gate | {"validUntil": render_time(datetime.now(UTC) - timedelta(minutes=5))})

    one, many = desk.run("status", "perps", user="approver"), desk.run("status", user="approver")

    assert one.returncode == 0, one.stdout
    assert "By the word of the engine; you may not read the gate itself." in one.stdout
    assert many.stdout.splitlines()[1].split()[:2] == ["perps", "Open"]


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


def test_the_summary_tells_policies_window_history_and_stops(desk: Any) -> None:
    """With a countdown to the window, and who operated it last."""
    desk.request()
    now = datetime.now(UTC)
    stop = {
        "apiVersion": "golive.dev/v1alpha1",
        "kind": "EmergencyStop",
        "metadata": {"name": "halt"},
        "spec": {"reason": "prices look wrong", "engines": ["perps-engine"]},
    }
    desk.bench.call_as("trader", "POST", stop_path(desk.namespace), stop)
    other = stop | {"metadata": {"name": "elsewhere"}, "spec": {"reason": "no", "engines": ["other"]}}
    desk.bench.call_as("trader", "POST", stop_path(desk.namespace), other)
    desk.decide(
        policies=["office-hours", "strict"],
        window={
            "state": "Closed",
            "reason": "outside office-hours",
            "nextOpen": render_time(now + timedelta(hours=9, minutes=30)),
        },
        history={
            "activations": 3,
            "lastActivatedTime": render_time(now - timedelta(days=2, hours=1)),
            "lastActivatedRevision": 4,
            "lastOperators": ["trader", "approver"],
            "lastClosedTime": render_time(now - timedelta(hours=30)),
            "lastClosedReason": "WindowClosed",
        },
        recorded={"sequence": 27, "hash": "0" * 64, "anchorHash": "0" * 64},
    )

    done = desk.run("status", "perps")

    assert done.returncode == 2, done.stderr
    lines = rows(done.stdout)
    assert ["Policies", "office-hours,", "strict"] in lines
    (window,) = [line for line in lines if line[:1] == ["Window"]]
    assert (window[:5], window[-3:]) == (
        ["Window", "Closed,", "opens", "in", "9h"],
        ["UTC):", "outside", "office-hours"],
    )
    assert [
        "Opened",
        "3",
        "times,",
        "last",
        "2d1h",
        "ago,",
        "revision",
        "4,",
        "by",
        "trader,",
        "approver",
    ] in lines
    assert ["Shut", "30h", "ago:", "WindowClosed"] in lines
    assert ["Records", "27"] in lines
    assert ["halt", "holds", "perps-engine"] in [line[:3] for line in lines]
    assert "elsewhere" not in done.stdout
    assert f"kubectl golive release halt -n {desk.namespace} --root-cause TEXT" in done.stdout


def test_a_rejection_stands_among_the_approvals(desk: Any) -> None:
    """With who said it and why, whatever has changed since."""
    desk.request()
    desk.decide(approvalSummary="0/1")
    desk.run("reject", "perps", "--comment", "too large", user="approver")
    desk.decide(digest=".".join(["f" * 64] * 3))

    assert ["approver", "Rejected", "too", "large"] in rows(desk.run("status", "perps").stdout)


def test_groups_for_which_somebody_speaks_are_shown(desk: Any) -> None:
    """Because a policy may ask for them."""
    desk.request()
    desk.decide()
    config = str(desk.bench.plane.kubeconfig("approver", ["risk"]))
    desk.run("approve", "perps", "--yes", "--group", "risk", "--kubeconfig", config)

    assert ["approver", "valid", "risk"] in rows(desk.run("status", "perps").stdout)


def test_who_may_not_read_stops_is_told_so(desk: Any) -> None:
    """Unknown is not none."""
    desk.request()
    desk.decide()
    desk.grant_only("guest", ("golive.dev", "golives", "get"))

    done = desk.run("status", "perps", user="guest")

    assert "Stops       unknown: you may not read EmergencyStops" in done.stdout


def lease(state: str, *, silent: float = 1, uid: str = "u", holder: str = "pod-0") -> dict[str, Any]:
    """An engine's Lease, last renewed so many seconds ago."""
    word = Acknowledgement(state=state, reason="GateOpen", uid=uid, acknowledged_time=render_time(NOW))
    renewed = render_time(NOW - timedelta(seconds=silent))
    spec = {"holderIdentity": holder, "leaseDurationSeconds": 15, "renewTime": renewed}
    return {"metadata": {"annotations": word.annotations()}, "spec": spec}


OLD = {"state": "Open", "reason": "Open", "validUntil": 0}
STATUSES: dict[str, tuple[dict[str, Any] | None, dict[str, Any] | None, str, int]] = {
    "open with time left is open": ({"state": "Open", "reason": "Open", "validUntil": 5}, None, "Open", 0),
    "open without time left is unknown: it may have been renewed": (OLD, None, "Unknown", 3),
    "open without an end is unknown": ({"state": "Open", "reason": "Open"}, {}, "Unknown", 3),
    "reduce-only is not open": (
        {"state": "ReduceOnly", "reason": "Open", "validUntil": 5},
        None,
        "ReduceOnly",
        2,
    ),
    "closed is closed": ({"state": "Closed", "reason": "ApprovalsMissing"}, lease("Open"), "Closed", 2),
    "nothing is unknown": (None, lease("Open"), "Unknown", 3),
    "an engine that obeys an open gate knows that it was renewed": (OLD, lease("Open"), "Open", 0),
    "one that has seen it lapse knows that too": (OLD, lease("Closed"), "Closed", 2),
    "a pod that is silent knows nothing": (OLD, lease("Open", silent=16), "Unknown", 3),
    "neither does nobody": (OLD, lease("Open", holder=""), "Unknown", 3),
    "nor one that obeys an earlier object of the name": (OLD, lease("Open", uid="v"), "Unknown", 3),
}


@pytest.mark.parametrize(("gate", "engine_lease", "state", "code"), STATUSES.values(), ids=STATUSES)
def test_without_the_gate_status_and_the_engine_tell(
    gate: dict[str, Any] | None, engine_lease: dict[str, Any] | None, state: str, code: int
) -> None:
    """Nothing but an open gate with time left, or that the engine obeys now, exits with 0."""
    if gate and "validUntil" in gate:
        gate = gate | {"validUntil": render_time(NOW + timedelta(seconds=gate["validUntil"]))}
    golive = {"metadata": {"uid": "u"}, "status": {"gate": gate} if gate else {}}

    judged = gate_from_status(golive, engine_lease, NOW)

    assert (judged.state, judged.exit_code) == (state, code)
