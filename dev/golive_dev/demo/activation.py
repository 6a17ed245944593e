"""The chapters about asking and agreeing: quorum, a window, and the emergency stop with its release."""

import json
import signal
import time
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

import yaml

from golive_api.values import parse_time
from golive_dev.demo.stage import GOLIVE, NAMESPACE, SYSTEM, Stage, process_of, send, settled
from golive_dev.waiting import eventually

APPROVERS = ("approver", "second")
"""Two people, as the policy of the desk asks for."""

FREEZE_SECONDS = 72
"""How long the window refuses."""

TOLERANCE_SECONDS = 2.0
"""How much later than the window's boundary the gate may open: preflight may have to run once more."""


def _apply(stage: Stage, body: dict[str, Any], user: str, show: str) -> None:
    """`kubectl apply -f -` of one object."""
    done = stage.plane.kubectl("apply", "-f", "-", stdin=yaml.safe_dump(body), user=user)
    stage.narrator.command(show + (f"   # as {user}" if user != "admin" else ""), done.stdout)


def _object(kind: str, name: str, spec: dict[str, Any], namespace: str = "") -> dict[str, Any]:
    metadata = {"name": name} | ({"namespace": namespace} if namespace else {})
    return {"apiVersion": "golive.dev/v1alpha1", "kind": kind, "metadata": metadata, "spec": spec}


def administrator_bounds(stage: Stage) -> None:
    """Two people have to agree; profile micro only."""
    spec = {"namespaces": [NAMESPACE], "approvals": {"minimum": 2}, "profiles": {"allowed": ["micro"]}}
    body = _object("ActivationPolicy", "desk", spec)
    _apply(stage, body, "admin", "kubectl apply -f desk-policy.yaml   # two approvals, profile micro only")


def approve(stage: Stage, user: str, *, quietly: bool = False) -> None:
    """One person's consent, as soon as there is something to consent to."""
    words = ("kubectl", "golive", "approve", GOLIVE, "-n", NAMESPACE, "--yes", "--comment", "limits checked")

    def agreed() -> bool:
        return stage.plane.run(*words, user=user, check=False).returncode == 0

    if quietly:
        eventually(agreed, 20)
        return
    eventually(lambda: stage.golive()["status"].get("digest"), 20)
    stage.run(*words, user=user, show=" ".join(words[:-1]) + ' "limits checked"')


def preflight_passes(stage: Stage) -> None:
    """The six checks, asked for by a person; the stress scenarios must have been played by then."""
    began = time.monotonic()
    with stage.narrator.waiting("the stress scenarios"):
        eventually(lambda: _scenarios_passed(stage), 150)
    words = ("kubectl", "golive", "preflight", GOLIVE, "-n", NAMESPACE)
    eventually(lambda: stage.plane.run(*words, user="trader", check=False).returncode == 0, 40)
    code, _ = stage.run(*words, user="trader")
    checks = stage.golive()["status"]["preflight"]["checks"]
    passed = sum(check["result"] == "Passed" for check in checks)
    stage.narrator.saw(
        "preflight",
        "six checks pass, all real",
        f"{passed} of {len(checks)} passed",
        holds=code == 0 and passed == len(checks),
        seconds=time.monotonic() - began,
    )


def _scenarios_passed(stage: Stage) -> bool:
    return all(scenario["result"] == "passed" for scenario in stage.engine_report()["stress"])


def quorum_and_window(stage: Stage) -> None:
    """One approval of two opens nothing; two don't either while a freeze lasts; then it opens by itself."""
    approve(stage, "approver")
    eventually(lambda: stage.golive()["status"].get("approvalSummary") == "1/2", 20)
    eventually(lambda: stage.ready() == ("Closed", "ApprovalsMissing"), 20)
    stage.narrator.saw("one approval of two", "Closed, 1/2", f"{'/'.join(stage.ready())}, 1/2", holds=True)
    began, now = time.monotonic(), datetime.now(UTC)
    start = now - timedelta(seconds=60)
    freeze = {
        "name": "release-freeze",
        "effect": "Deny",
        "start": start.strftime("%Y-%m-%dT%H:%M:%S"),
        "durationSeconds": FREEZE_SECONDS,
    }
    spec = {"namespaces": [NAMESPACE], "windows": [freeze]}
    body = _object("ActivationPolicy", "freeze", spec)
    _apply(stage, body, "admin", "kubectl apply -f freeze.yaml   # Deny for some seconds more")
    approve(stage, "second")
    eventually(lambda: stage.ready() == ("Closed", "WindowClosed"), 20)
    window = stage.golive()["status"]["window"]
    stage.run("kubectl", "get", "golive", "-n", NAMESPACE)
    stage.narrator.saw(
        "a window refuses two approvals",
        "Closed, WindowClosed, next opening shown",
        f"{window['reason']}, next {window['nextOpen']}",
        holds="release-freeze" in window["reason"],
        seconds=time.monotonic() - began,
    )
    with stage.narrator.waiting("the freeze to end"):
        settled(stage, "Open", FREEZE_SECONDS)
    opened = parse_time(stage.golive()["status"]["gate"]["openedTime"])
    late = (opened - parse_time(window["nextOpen"])).total_seconds()
    stage.narrator.saw(
        "the gate opens with the window",
        f"by itself, within {TOLERANCE_SECONDS:.0f} s, not before",
        f"{late * 1000:.0f} ms after the boundary",
        holds=0 <= late <= TOLERANCE_SECONDS,
        seconds=late,
    )
    stage.plane.kubectl("delete", "activationpolicy", "freeze")


def stopped_without_operators(stage: Stage) -> None:
    """Both operators stand still, and an EmergencyStop stops the engine all the same; release needs a cause."""
    pids = [process_of(pod) for pod in stage.pods(SYSTEM)]
    for pid in pids:
        send(pid, signal.SIGSTOP)
    try:
        stage.narrator.command(f"kill -STOP {' '.join(map(str, pids))}   # both operators", "")
        body = _object("EmergencyStop", "fat-finger", {"reason": "orders ten times too large"}, NAMESPACE)
        began = time.monotonic()
        _apply(stage, body, "trader", "kubectl apply -f stop.yaml   # EmergencyStop fat-finger")
        eventually(lambda: stage.engine_report()["emergencyStop"] == "Active", 10, poll_seconds=0.02)
        took = time.monotonic() - began
        eventually(lambda: _skipped_by_stop(stage), 10)
    finally:
        for pid in pids:
            with suppress(ProcessLookupError):
                send(pid, signal.SIGCONT)
    stage.narrator.saw(
        "EmergencyStop, operators frozen",
        "the engine stops by itself",
        _skipped_by_stop(stage) or "nothing",
        holds=True,
        seconds=took,
    )
    stage.narrator.command(f"kill -CONT {' '.join(map(str, pids))}", "")
    took = settled(stage, "Closed", 40)
    eventually(lambda: stage.ready()[1] in ("EmergencyStopApplied", "RevisionBurned"), 20)
    stage.narrator.saw("the gate follows", "Closed for good", "/".join(stage.ready()), holds=True, seconds=took)


def _skipped_by_stop(stage: Stage) -> str:
    """The first order that the stop denied."""
    lines = [line.get("message", "") for line in stage.engine_log()]
    return next((line for line in lines if "[ORDER_SKIPPED]" in line and "mergency" in line), "")


def released_with_a_cause(stage: Stage) -> None:
    """Neither deleting nor somebody without the right lifts it; a named person with a root cause does."""
    words = ("kubectl", "delete", "emergencystop", "fat-finger", "-n", NAMESPACE)
    deleted, output = stage.run(*words, user="trader")
    release = {"spec": {"release": {"user": "trader", "rootCause": "it was nothing, really"}}}
    patch = ("kubectl", "patch", "emergencystop", "fat-finger", "-n", NAMESPACE, "--type=merge", "-p")
    forged, said = stage.run(*patch, json.dumps(release), user="trader", show=" ".join(patch) + " '…release…'")
    stage.narrator.saw(
        "lifting it without the right",
        "refused twice",
        _reason(output) + "; " + _reason(said),
        holds=deleted != 0 and forged != 0,
    )
    cause = "quantity was entered in coins, not in contracts; form corrected"
    release_it = ("kubectl", "golive", "release", "fat-finger", "-n", NAMESPACE, "--yes", "--root-cause")
    began = time.monotonic()
    code, _ = stage.run(*release_it, cause, user="approver", show=" ".join(release_it) + f' "{cause}"')
    eventually(lambda: stage.engine_report()["emergencyStop"] == "Inactive", 10, poll_seconds=0.02)
    took = time.monotonic() - began
    state = stage.ready()
    stage.narrator.saw(
        "released by name, with a root cause",
        "engine free, gate still Closed",
        "/".join(state),
        holds=code == 0 and state[0] == "Closed",
        seconds=took,
    )


def _reason(output: str) -> str:
    """The end of a refusal, where its reason is."""
    last = output.splitlines()[-1] if output else ""
    return last.rsplit("denied request: ", 1)[-1].rsplit("Forbidden: ", 1)[-1][:90]


def asked_again(stage: Stage) -> None:
    """A closed revision never opens again: the trader asks anew, both approvers approve anew."""
    for value in ("Disabled", "Enabled"):
        patch = json.dumps({"spec": {"activation": value}})
        stage.run(
            *("kubectl", "patch", "golive", GOLIVE, "-n", NAMESPACE, "--type=merge", "-p", patch),
            user="trader",
            show=f"kubectl patch golive {GOLIVE} -n {NAMESPACE} --type=merge -p '{patch}'",
        )
    revision = stage.golive()["spec"]["revision"]
    eventually(lambda: stage.golive()["status"]["history"]["requestRevision"] == revision, 20)
    for user in APPROVERS:
        approve(stage, user, quietly=True)
    stage.narrator.command(
        f"kubectl golive approve {GOLIVE} -n {NAMESPACE} --yes   # as approver, as second", ""
    )
    settled(stage, "Open", 60)
    eventually(lambda: stage.engine_report()["gate"]["state"] == "Open", 20)


def records_verify(stage: Stage) -> None:
    """The history is exported, verified offline, and an edit is found."""
    path = stage.plane.directory / "records.jsonl"
    export = ("kubectl", "golive", "records", "export", GOLIVE, "-n", NAMESPACE)
    stage.run(*export, "-f", str(path), show=" ".join(export) + " -f records.jsonl")
    text = path.read_text()
    verify = ("kubectl", "golive", "records", "verify", "-f")
    code, output = stage.run(
        *verify, str(path), show=" ".join(verify) + " records.jsonl   # without any cluster"
    )
    edited = stage.plane.directory / "edited.jsonl"
    edited.write_text(text.replace("limits checked", "limits ignored", 1))
    stage.narrator.command("sed 's/limits checked/limits ignored/' records.jsonl > edited.jsonl", "")
    wrong, said = stage.run(*verify, str(edited), show=" ".join(verify) + " edited.jsonl")
    stage.narrator.saw(
        "records verified offline",
        "sound; one edited word is found",
        (output.splitlines() or [""])[-1][:90] + " | " + (said.splitlines() or [""])[-1][:90],
        holds=code == 0 and wrong != 0,
    )
