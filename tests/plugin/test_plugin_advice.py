"""What a person is told to do: first things first, and everything on request."""

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from golive_api.reasons import Reason
from golive_api.values import render_time
from kubectl_golive.advice import ADVICE, BURNED, RERUN
from kubectl_golive.explaining import obstacles
from kubectl_golive.gates import GateNow
from kubectl_golive.next_step import next_step
from kubectl_golive.seen import Seen

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
SOON = render_time(NOW + timedelta(hours=9))
AT = "perps -n trading"


def condition(kind: str, reason: str, message: str = "said so", status: str = "False") -> dict[str, str]:
    """One condition."""
    changed = render_time(NOW)
    return {"type": kind, "status": status, "reason": reason, "message": message, "lastTransitionTime": changed}


def ready(reason: str, message: str = "said so") -> dict[str, Any]:
    """A status whose approvals are complete and whose summary says something else."""
    return {"conditions": [condition("Ready", reason, message), condition("Approved", "Approved", "", "True")]}


def stop(name: str, *, released: bool = False) -> dict[str, Any]:
    """An EmergencyStop."""
    release = {"release": {"user": "officer", "rootCause": "found and repaired"}} if released else {}
    return {"metadata": {"name": name}, "spec": {"reason": "prices look wrong"} | release}


def item(name: str, state: str = "Missing", required: str = "Required") -> dict[str, str]:
    """An item of the checklist."""
    return {"item": name, "state": state, "required": required, "message": ""}


WAITING = [condition("Ready", "ApprovalsMissing"), condition("Approved", "ApprovalsMissing")]
CLOSED = GateNow("Closed", "ApprovalsMissing", "")
OPEN = GateNow("Open", "Open", "", 9.0)
EXPIRED = GateNow("Closed", "GateExpired", "")


def seen(gate: GateNow = CLOSED, stops: tuple[Any, ...] = (), **changes: Any) -> Seen:
    """An object that waits for an approval, with changes."""
    status = {"observedGeneration": 3, "conditions": WAITING, "digest": "d"} | changes.pop("status", {})
    metadata = {"name": "perps", "namespace": "trading", "generation": 3, "uid": "u"} | changes.pop(
        "metadata", {}
    )
    spec = {"activation": "Enabled", "revision": 2, "requestedBy": "trader"} | changes
    golive = {"metadata": metadata, "spec": spec, "status": status}
    return Seen(golive=golive, gate=gate, now=NOW, stops=stops)


NO = {"user": "ben", "revision": 2, "uid": "u", "digest": "d", "verdict": "Rejected", "comment": "too large"}
BURNT = {"state": "Closed", "reason": "RevisionBurned", "burnedRevision": 2}

STEPS = {
    "deleted objects need nothing": (seen(metadata={"deletionTimestamp": "now"}), "nothing: "),
    "a stop comes before everything else": (
        seen(stops=(stop("old", released=True), stop("halt")), activation="Disabled"),
        (
            "find the cause of the emergency stop, then release it with: "
            "kubectl golive release halt -n trading --root-cause TEXT"
        ),
    ),
    "disabled ones are enabled first": (
        seen(activation="Disabled"),
        "enable it with: kubectl patch golive perps",
    ),
    "an unseen change waits for the operator": (seen(metadata={"generation": 4}), "wait until the operator"),
    "an open gate can be stopped": (seen(OPEN), f"stop it at any time with: kubectl golive close {AT}"),
    "an expired gate points at the operator": (seen(EXPIRED), "look whether the operator runs"),
    "a burned revision needs a new one, not approvals": (
        seen(status={"gate": BURNT}),
        "this revision is burned; start a new one with: kubectl patch golive perps",
    ),
    "of a rejection it is told who said it and why": (
        seen(status={"gate": BURNT}, approvals=[NO]),
        'rejected by ben ("too large"): settle that, then start a new revision with: kubectl patch',
    ),
    "of a lapse it is told that nobody watched": (
        seen(status={"gate": BURNT | {"reason": "GateLapsed"}}),
        "nobody watched over the open gate for too long; start a new revision with: kubectl patch",
    ),
    "an expired request is told apart": (
        seen(status={"gate": BURNT, "history": {"lastClosedReason": "RequestExpired"}}),
        "the request has expired; start a new revision with: kubectl patch",
    ),
    "without a policy nobody is asked to approve": (
        seen(status={"conditions": [condition("Ready", "PolicyMissing"), *WAITING[1:]]}),
        "have an administrator apply an ActivationPolicy for namespace trading",
    ),
    "a profile that is not allowed comes before approvals": (
        seen(status={"conditions": [condition("Ready", "ProfileNotAllowed", "high, not low"), *WAITING[1:]]}),
        "name an allowed profile in spec.request, or have an administrator allow this one: high, not low",
    ),
    "so does a rung that is left out": (
        seen(status={"conditions": [condition("Ready", "LadderNotClimbed", "3 s"), *WAITING[1:]]}),
        "ask for the profile that comes before it first: 3 s",
    ),
    "while a window is shut people can approve": (
        seen(status={"conditions": [condition("Ready", "WindowClosed"), *WAITING[1:]]}),
        f"approve with: kubectl golive approve {AT} (not as trader)",
    ),
    "afterwards there is a countdown": (
        seen(status=ready("WindowClosed") | {"window": {"state": "Closed", "nextOpen": SOON}}),
        "wait for the window: opens in 9h (2026-11-20 21:00 UTC)",
    ),
    "a window that never opens is said": (
        seen(status=ready("WindowClosed") | {"window": {"state": "Closed"}}),
        "wait for the window: it never opens again",
    ),
    "missing approvals name the command": (
        seen(),
        f"approve with: kubectl golive approve {AT} (not as trader)",
    ),
    "so does a changed engine": (
        seen(
            status={"conditions": [condition("Ready", "EngineChanged"), condition("Approved", "EngineChanged")]}
        ),
        f"have the changed engine approved again with: kubectl golive approve {AT} (not as trader)",
    ),
    "a missing item names the command, and how many more there are": (
        seen(
            status=ready("ChecklistIncomplete")
            | {
                "preflight": {
                    "checklist": [item("on-call", required="Optional"), item("a"), item("b", "Lapsed")]
                }
            }
        ),
        (
            "vouch for it with: kubectl golive attest perps a -n trading "
            f"(1 more: kubectl golive attest {AT} --list)"
        ),
    ),
    "what a machine measured nobody vouches for": (
        seen(status=ready("ChecklistIncomplete") | {"preflight": {"checklist": [item("metrics", "Failed")]}}),
        "put right what the checklist measures: metrics",
    ),
    "a check that failed is put right and run again": (
        seen(status=ready("DatabaseFailed", "read only")),
        (
            "put right what stands in the way: read only; then have preflight run with: "
            f"kubectl golive preflight {AT}"
        ),
    ),
    "preflight that is not done is waited for": (
        seen(status=ready("PreflightPending")),
        f"wait until preflight has run, or have it run with: kubectl golive preflight {AT}",
    ),
    "anything else is told in the operator's words": (
        seen(status=ready("EmergencyStopActive", "the engine's emergency stop is active")),
        "put right what stands in the way: the engine's emergency stop is active",
    ),
    "of silence it is said that it is silence": (
        seen(status={"conditions": []}),
        "put right what stands in the way: the operator has not said what is missing",
    ),
}


@pytest.mark.parametrize(("about", "beginning"), STEPS.values(), ids=STEPS)
def test_the_next_step_is_the_first_thing_in_the_way(about: Seen, beginning: str) -> None:
    """One sentence, with a command where there is one."""
    assert next_step(about).startswith(beginning)


def test_without_a_digest_the_cause_comes_before_approvals() -> None:
    """There would be nothing to approve."""
    about = seen(status={"conditions": [condition("Ready", "EngineMissing", "no Deployment"), *WAITING[1:]]})
    del about.golive["status"]["digest"]

    assert next_step(about) == "put right what stands in the way: no Deployment"


def test_every_reason_with_advice_is_one_that_the_operator_gives() -> None:
    """A misspelt code would never be found."""
    known = {reason.value for reason in Reason}
    assert {*ADVICE, *BURNED, *RERUN} <= known


def test_everything_in_the_way_is_told_each_with_its_step() -> None:
    """Not only the first thing, and nothing twice."""
    conditions = [
        condition("Ready", "EmergencyStopApplied"),
        condition("AdmissionGuarded", "Guarded", "", "True"),
        condition("WindowOpen", "WindowClosed"),
        condition("Approved", "ApprovalsMissing"),
        condition("PreflightPassed", "DatabaseFailed"),
        condition("SafetyClear", "EmergencyStopApplied"),
        condition("EngineObeying", "EngineSilent", "", "Unknown"),
        condition("Reconciling", "Reconciled"),
    ]
    checks = [
        {"name": "check_health_endpoints", "result": "Passed", "reason": "PreflightPassed"},
        {
            "name": "check_database_redis",
            "result": "Failed",
            "reason": "DatabaseFailed",
            "message": "read only",
        },
        {"name": "checklist", "result": "Failed", "reason": "ChecklistIncomplete"},
    ]
    preflight = {"checks": checks, "checklist": [item("a"), item("b", "Failed"), item("c", "Passed")]}
    about = seen(stops=(stop("halt"),), status={"conditions": conditions, "preflight": preflight})

    found = [(each.what, each.reason) for each in obstacles(about)]

    assert found == [
        ("stop halt", "EmergencyStopApplied"),
        ("WindowOpen", "WindowClosed"),
        ("Approved", "ApprovalsMissing"),
        ("check_database_redis", "DatabaseFailed"),
        ("item a", "Missing"),
        ("item b", "Failed"),
    ]
    assert all(each.step for each in obstacles(about))


def test_what_only_the_summary_says_is_told_as_well() -> None:
    """Some objections have no condition of their own."""
    about = seen(status=ready("EngineContested", "also enabled: other"))

    assert [(each.what, each.reason) for each in obstacles(about)] == [("gate", "EngineContested")]


def test_a_rejection_and_a_burned_revision_are_told_once_each() -> None:
    """Both need a new revision."""
    conditions = [condition("Ready", "RevisionBurned", "shut for good"), condition("Approved", "Rejected")]
    about = seen(approvals=[NO], status={"conditions": conditions, "gate": BURNT})

    found = obstacles(about)

    assert [(each.what, each.reason) for each in found] == [
        ("gate", "RevisionBurned"),
        ("approvals", "Rejected"),
    ]
    assert all("start a new" in each.step for each in found)


def test_explain_prints_them_all_and_exits_as_status_does(desk: Any) -> None:
    """Numbered, each with what to do; what was not looked at is named."""
    desk.request()
    unread = condition("SafetyClear", "NotEvaluated", "not looked at", "Unknown")
    desk.decide(conditions=[*WAITING, condition("WindowOpen", "WindowClosed"), unread])

    done = desk.run("explain", "perps")

    assert done.returncode == 2, done.stderr
    assert done.stdout.startswith(
        f"perps in namespace {desk.namespace}: the gate is Closed (GateMissing), 2 things"
    )
    assert "1. Approved: ApprovalsMissing" in done.stdout
    assert "2. WindowOpen: WindowClosed" in done.stdout
    assert "Not looked at before that is put right: SafetyClear" in done.stdout
    assert len(re.findall(r"^   do: ", done.stdout, re.MULTILINE)) == 2
