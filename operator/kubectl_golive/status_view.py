"""How a GoLive is drawn: pure, apart from printing to the console that it is given."""

from collections.abc import Iterator, Sequence
from typing import Any

from rich.console import Console
from rich.text import Text

from golive_api.acknowledgement import read_acknowledgement
from golive_api.values import parse_time
from kubectl_golive import preflight_view
from kubectl_golive.advice import window
from kubectl_golive.approvals import rejects, short, why_void, words
from kubectl_golive.gates import GateNow
from kubectl_golive.next_step import next_step
from kubectl_golive.seen import Seen, profile_of
from kubectl_golive.stop_view import applied
from kubectl_golive.terminal import PLAIN_WIDTH, age, cell, fields, section, since, table

Document = dict[str, Any]


def many(out: Console, rows: Sequence[Seen], *, with_namespace: bool) -> None:
    """Print a line for each, in the columns of `kubectl get golive`."""
    titles = ["NAME", "GATE", "READY", "REASON", "PROFILE", "APPROVALS", "ENGINE", "AGE"]
    drawn = [_row(seen) for seen in rows]
    if with_namespace:
        titles = ["NAMESPACE", *titles]
        drawn = [[seen.namespace, *line] for seen, line in zip(rows, drawn, strict=True)]
    out.print(table(titles, drawn), width=PLAIN_WIDTH, crop=False)


def _row(seen: Seen) -> list[object]:
    ready, gate = seen.condition("Ready"), seen.gate
    return [
        seen.name,
        gate.state,
        ready.get("status"),
        gate.reason if gate.state == "Closed" and ready.get("status") == "True" else ready.get("reason"),
        profile_of(seen.golive),
        seen.status.get("approvalSummary"),
        seen.spec["request"]["engineRef"]["name"],
        age(seen.now - parse_time(seen.golive["metadata"]["creationTimestamp"])),
    ]


def one(out: Console, seen: Seen) -> None:
    """Print all that a person needs to see why a gate is as it is."""
    out.print(Text(f"{seen.name} in namespace {seen.namespace}", style="bold"))
    out.print(fields(_summary(seen)))
    _conditions(out, seen)
    preflight_view.checks(out, seen.preflight, seen.now)
    preflight_view.checklist(out, seen.preflight)
    _approvals(out, seen)
    if seen.stops:
        section(out, "Emergency stops", *applied(seen.stops, seen.now))
    out.print()
    # Not wrapped, so that the command can be copied.
    out.print(Text.assemble(("Next: ", "bold"), cell(next_step(seen))), soft_wrap=True)


def _summary(seen: Seen) -> Iterator[tuple[str, object]]:
    """The lines at the top."""
    status, gate = seen.status, seen.gate
    yield "Gate", _gate(gate)
    yield "Why", f"{gate.reason}: {gate.sentence}".removesuffix(": ")
    yield "Requested", _requested(seen)
    yield "Engine", seen.spec["request"]["engineRef"]["name"]
    yield "Obeys", _obeys(seen)
    yield "Digest", short(status.get("digest"))
    yield "Policies", ", ".join(status.get("policies") or []) or None
    if said := status.get("window"):
        yield "Window", Text.assemble(cell(said["state"]), f", {window(seen)}", _because(said.get("reason")))
    if seen.stops is None:
        yield "Stops", "unknown: you may not read EmergencyStops"
    yield from _history(seen)
    if seen.outdated:
        yield "Note", "status speaks of an older version of this object"


def _because(reason: str | None) -> Text:
    return cell(f": {reason}" if reason else "")


def _history(seen: Seen) -> Iterator[tuple[str, object]]:
    """What has happened to it so far."""
    history, recorded = seen.status.get("history") or {}, seen.status.get("recorded") or {}
    if history.get("activations"):
        last = since(history.get("lastActivatedTime"), seen.now)
        people = ", ".join(history.get("lastOperators") or [])
        revision = (
            f", revision {history['lastActivatedRevision']}" if history.get("lastActivatedRevision") else ""
        )
        yield "Opened", f"{history['activations']} times, last {last} ago{revision}, by {people}"
    if history.get("lastClosedTime"):
        yield "Shut", f"{since(history['lastClosedTime'], seen.now)} ago: {history.get('lastClosedReason')}"
    if recorded.get("sequence"):
        yield "Records", recorded["sequence"]


def _conditions(out: Console, seen: Seen) -> None:
    rows = [[c["type"], c["status"], c["reason"], c["message"]] for c in seen.status.get("conditions", [])]
    section(out, "Conditions", ("TYPE", "STATUS", "REASON", "MESSAGE"), rows)


def _approvals(out: Console, seen: Seen) -> None:
    """Who agreed or refused, for which groups, and what of it counts."""
    summary = seen.status.get("approvalSummary", "")
    rows = [_approval(approval, seen.golive) for approval in words(seen.golive)]
    section(out, f"Approvals {summary}".rstrip(), ("USER", "COUNTS", "GROUPS", "WHY", "COMMENT"), rows)


def _approval(approval: Document, golive: Document) -> list[object]:
    void = why_void(approval, golive)
    counts = "void" if void else "Rejected" if rejects(approval) else "valid"
    groups = ",".join(approval.get("groups") or [])
    return [approval["user"], counts, groups, void or "", approval.get("comment", "")]


def _gate(gate: GateNow) -> Text:
    left = f" for {gate.seconds_left:.0f} s more unless renewed" if gate.seconds_left is not None else ""
    return Text.assemble(cell(gate.state), left)


def _requested(seen: Seen) -> str:
    spec, request = seen.spec, seen.spec["request"]
    accounts, profile = ", ".join(request["accounts"]), profile_of(seen.golive)
    return (
        f"by {spec['requestedBy']}, revision {spec['revision']}, {spec['activation']}, "
        f"{request['environment']}, accounts {accounts}, profile {profile}"
    )


def _obeys(seen: Seen) -> str:
    """What the trading pod says that it obeys."""
    if seen.lease is None:
        return "unknown: you may not read the engine's Lease"
    spec = seen.lease.get("spec", {})
    pod = spec.get("holderIdentity")
    if not pod:
        return "no engine pod holds the Lease, so none trades"
    silent = (seen.now - parse_time(spec["renewTime"])).total_seconds() if spec.get("renewTime") else 0.0
    if silent > spec.get("leaseDurationSeconds", 15):
        return f"pod {pod} held the Lease, last renewed {silent:.0f} s ago"
    word = read_acknowledgement(seen.lease["metadata"].get("annotations") or {})
    if word is None:
        return f"pod {pod} has not acknowledged anything readable"
    told = since(word.acknowledged_time, seen.now)
    return (
        f"pod {pod} obeys {word.state} ({word.reason}) since {told}, epoch {word.epoch}, serial {word.serial}"
    )
