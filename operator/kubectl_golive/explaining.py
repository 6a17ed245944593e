"""Everything that stands between a GoLive and an open gate, each with what to do about it."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from rich.console import Console
from rich.padding import Padding
from rich.text import Text

from golive_api.reasons import Reason
from kubectl_golive import preflight_view
from kubectl_golive.advice import advice, fill, release
from kubectl_golive.approvals import rejections
from kubectl_golive.next_step import next_step
from kubectl_golive.seen import Seen
from kubectl_golive.terminal import cell

Document = dict[str, Any]

_SUMMARIES = frozenset({"Ready", "Reconciling", "Stalled", "PreflightPassed", "EngineObeying"})
"""Conditions that sum up, whose parts are told one by one, or that follow the gate."""


@dataclass(frozen=True, slots=True)
class Obstacle:
    """One thing that stands in the way."""

    what: str
    """What was looked at."""
    reason: str
    """A reason code."""
    message: str
    """What was found."""
    step: str
    """What to do."""


def obstacles(seen: Seen) -> list[Obstacle]:
    """All of them, in the order in which they are dealt with; the operator's summary only if it says more."""
    found = [*_people(seen), *_conditions(seen), *_checks(seen)]
    ready = seen.condition("Ready")
    told = {each.reason for each in found}
    if ready.get("status") == "False" and ready["reason"] not in told:
        found.insert(0, _obstacle(seen, "gate", ready["reason"], ready["message"]))
    return found


def explain(out: Console, seen: Seen) -> None:
    """Print them."""
    found = obstacles(seen)
    gate = f"the gate is {seen.gate.state} ({seen.gate.reason})"
    count = f"{len(found)} thing{'' if len(found) == 1 else 's'} in the way" if found else "nothing in the way"
    out.print(Text(f"{seen.name} in namespace {seen.namespace}: {gate}, {count}", style="bold"))
    if seen.outdated:
        out.print(Text("status speaks of an older version of this object", style="yellow"))
    for number, each in enumerate(found, 1):
        out.print()
        out.print(Text.assemble(f"{number}. ", (each.what, "bold"), ": ", cell(each.reason)))
        out.print(Padding(cell(each.message), (0, 0, 0, 3)))
        out.print(Text.assemble("   ", ("do: ", "bold"), cell(each.step)), soft_wrap=True)
    if unasked := [each["type"] for each in _failing(seen) if each["reason"] == Reason.NOT_EVALUATED]:
        out.print()
        out.print(cell(f"Not looked at before that is put right: {', '.join(unasked)}"))
    out.print()
    out.print(Text.assemble(("Next: ", "bold"), cell(next_step(seen))), soft_wrap=True)


def _obstacle(seen: Seen, what: str, reason: str, message: str) -> Obstacle:
    return Obstacle(what, reason, message, advice(reason, message, seen, told=True))


def _people(seen: Seen) -> Iterator[Obstacle]:
    if seen.spec["activation"] != "Enabled":
        yield Obstacle(
            "activation", "ActivationDisabled", "nobody asks for it", fill("enable it with: {enable}", seen)
        )
    for no in rejections(seen.golive):
        said = f"{no['user']}: {no.get('comment') or 'no comment'}"
        yield _obstacle(seen, "approvals", Reason.REJECTED, said)
    for stop in seen.holding:
        name = stop["metadata"]["name"]
        yield Obstacle(f"stop {name}", "EmergencyStopApplied", stop["spec"]["reason"], release(name, seen))


def _conditions(seen: Seen) -> Iterator[Obstacle]:
    for each in _failing(seen):
        stopped = each["reason"] == Reason.EMERGENCY_STOP_APPLIED and seen.holding
        rejected = each["reason"] == Reason.REJECTED and rejections(seen.golive)
        if each["reason"] != Reason.NOT_EVALUATED and not stopped and not rejected:
            yield _obstacle(seen, each["type"], each["reason"], each["message"])


def _failing(seen: Seen) -> list[Document]:
    conditions: list[Document] = seen.status.get("conditions") or []
    return [each for each in conditions if each["type"] not in _SUMMARIES and each["status"] != "True"]


def _checks(seen: Seen) -> Iterator[Obstacle]:
    items = preflight_view.open_items(seen.preflight)
    for check in seen.preflight.get("checks") or []:
        told_below = check["reason"] == Reason.CHECKLIST_INCOMPLETE and items
        if check["result"] != "Passed" and not told_below:
            yield _obstacle(seen, check["name"], check["reason"], check.get("message", ""))
    for item in items:
        vouch = f"kubectl golive attest {seen.name} {item['item']} -n {seen.namespace}"
        missing = item["state"] in preflight_view.UNVOUCHED
        step = (
            f"vouch for it with: {vouch}"
            if missing
            else f"put that right: {item.get('message') or 'a machine measures it'}"
        )
        yield Obstacle(f"item {item['item']}", item["state"], preflight_view.title(item["item"]), step)
