"""How a GoLive is drawn: pure, apart from printing to the console that it is given."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from rich.console import Console
from rich.text import Text

from golive_api.acknowledgement import read_acknowledgement
from golive_api.values import parse_time
from kubectl_golive.approvals import short, why_void
from kubectl_golive.gates import GateNow
from kubectl_golive.next_step import next_step
from kubectl_golive.terminal import PLAIN_WIDTH, age, cell, fields, indented, table

Document = dict[str, Any]


def many(
    out: Console, rows: Sequence[tuple[Document, GateNow]], now: datetime, *, with_namespace: bool
) -> None:
    """Print a line for each, in the columns of `kubectl get golive`."""
    titles = ["NAME", "GATE", "READY", "REASON", "PROFILE", "APPROVALS", "ENGINE", "AGE"]
    drawn = [_row(golive, gate, now) for golive, gate in rows]
    if with_namespace:
        titles = ["NAMESPACE", *titles]
        drawn = [
            [golive["metadata"]["namespace"], *line] for (golive, _), line in zip(rows, drawn, strict=True)
        ]
    out.print(table(titles, drawn), width=PLAIN_WIDTH, crop=False)


def _row(golive: Document, gate: GateNow, now: datetime) -> list[object]:
    metadata, spec, status = golive["metadata"], golive["spec"], golive.get("status", {})
    ready = _condition(golive, "Ready") or {}
    return [
        metadata["name"],
        gate.state,
        ready.get("status"),
        gate.reason if gate.state == "Closed" and ready.get("status") == "True" else ready.get("reason"),
        spec["request"]["profile"],
        status.get("approvalSummary"),
        spec["request"]["engineRef"]["name"],
        age(now - parse_time(metadata["creationTimestamp"])),
    ]


def one(out: Console, golive: Document, gate: GateNow, lease: Document | None, now: datetime) -> None:
    """Print all that a person needs to see why a gate is as it is."""
    metadata, spec, status = golive["metadata"], golive["spec"], golive.get("status", {})
    out.print(Text(f"{metadata['name']} in namespace {metadata['namespace']}", style="bold"))
    out.print(
        fields(
            [
                ("Gate", _gate(gate)),
                ("Why", f"{gate.reason}: {gate.sentence}".removesuffix(": ")),
                ("Requested", _requested(spec)),
                ("Engine", spec["request"]["engineRef"]["name"]),
                ("Obeys", _obeys(lease, now)),
                ("Digest", short(status.get("digest"))),
            ]
        )
    )
    _section(
        out,
        "Conditions",
        ("TYPE", "STATUS", "REASON", "MESSAGE"),
        [[c["type"], c["status"], c["reason"], c["message"]] for c in status.get("conditions", [])],
    )
    _section(
        out,
        "Preflight",
        ("CHECK", "RESULT", "REASON", "SEEN"),
        [
            [c["name"], c["result"], c["reason"], c.get("message", "")]
            for c in status.get("preflight", {}).get("checks", [])
        ],
    )
    _section(
        out,
        f"Approvals {status.get('approvalSummary', '')}".rstrip(),
        ("USER", "COUNTS", "WHY", "COMMENT"),
        [_approval(approval, golive) for approval in spec.get("approvals") or []],
    )
    out.print()
    # Not wrapped, so that the command can be copied.
    out.print(Text.assemble(("Next: ", "bold"), cell(next_step(golive, gate))), soft_wrap=True)


def _section(out: Console, heading: str, titles: tuple[str, ...], rows: list[list[object]]) -> None:
    out.print()
    out.print(Text(heading + ("" if rows else ": none"), style="bold"))
    if rows:
        out.print(indented(table(titles, rows)))


def _gate(gate: GateNow) -> Text:
    left = f" for {gate.seconds_left:.0f} s more unless renewed" if gate.seconds_left is not None else ""
    return Text.assemble(cell(gate.state), left)


def _requested(spec: Document) -> str:
    request = spec["request"]
    return (
        f"by {spec['requestedBy']}, revision {spec['revision']}, {spec['activation']}, "
        f"{request['environment']}, accounts {', '.join(request['accounts'])}, profile {request['profile']}"
    )


def _obeys(lease: Document | None, now: datetime) -> str:
    """What the trading pod says that it obeys."""
    if lease is None:
        return "unknown: you may not read the engine's Lease"
    spec = lease.get("spec", {})
    pod = spec.get("holderIdentity")
    if not pod:
        return "no engine pod holds the Lease, so none trades"
    silent = (now - parse_time(spec["renewTime"])).total_seconds() if spec.get("renewTime") else 0.0
    if silent > spec.get("leaseDurationSeconds", 15):
        return f"pod {pod} held the Lease, last renewed {silent:.0f} s ago"
    word = read_acknowledgement(lease["metadata"].get("annotations") or {})
    try:
        since = age(now - parse_time(word.acknowledged_time if word else ""))
    except ValueError:
        word = None
    if word is None:
        return f"pod {pod} has not acknowledged anything readable"
    return (
        f"pod {pod} obeys {word.state} ({word.reason}) since {since}, epoch {word.epoch}, serial {word.serial}"
    )


def _approval(approval: Document, golive: Document) -> list[object]:
    void = why_void(approval, golive)
    return [approval["user"], "void" if void else "valid", void or "", approval.get("comment", "")]


def _condition(golive: Document, kind: str) -> Document | None:
    conditions: list[Document] = golive.get("status", {}).get("conditions", [])
    return next((condition for condition in conditions if condition["type"] == kind), None)
