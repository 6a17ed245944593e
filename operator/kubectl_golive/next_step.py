"""What a person can do next about a gate, as a command where there is one."""

from collections.abc import Callable
from typing import Any

from golive_api.reasons import Reason
from kubectl_golive.gates import GateNow, explained

Document = dict[str, Any]

_PATCH = 'kubectl patch golive {name} -n {namespace} --type merge -p \'{{"spec":{{"activation":"{value}"}}}}\''


def _being_deleted(golive: Document, _gate: GateNow) -> str | None:
    return "nothing: it is being deleted" if golive["metadata"].get("deletionTimestamp") else None


def _disabled(golive: Document, _gate: GateNow) -> str | None:
    if golive["spec"]["activation"] == "Enabled":
        return None
    return f"enable it with: {_PATCH.format(**_address(golive), value='Enabled')}"


def _unseen(golive: Document, _gate: GateNow) -> str | None:
    if golive.get("status", {}).get("observedGeneration", 0) >= golive["metadata"]["generation"]:
        return None
    return "wait until the operator has seen the latest change; if that takes seconds, look whether it runs"


def _not_closed(golive: Document, gate: GateNow) -> str | None:
    if gate.state not in {"Open", "ReduceOnly"}:
        return None
    return "stop it at any time with: kubectl golive close {name} -n {namespace}".format(**_address(golive))


def _expired(_golive: Document, gate: GateNow) -> str | None:
    if gate.reason != Reason.GATE_EXPIRED:
        return None
    return "look whether the operator runs: it has stopped renewing the gate"


def _burned(golive: Document, _gate: GateNow) -> str | None:
    gate = golive.get("status", {}).get("gate", {})
    if gate.get("burnedRevision", 0) < golive["spec"]["revision"]:
        return None
    disable = _PATCH.format(**_address(golive), value="Disabled")
    return f"this revision is burned; start a new one with: {disable} and then the same with Enabled"


def _unapproved(golive: Document, _gate: GateNow) -> str | None:
    if _condition(golive, "Approved").get("reason") != Reason.APPROVALS_MISSING:
        return None
    command = "kubectl golive approve {name} -n {namespace}".format(**_address(golive))
    return f"approve with: {command} (not as {golive['spec']['requestedBy']})"


def _something_else(golive: Document, _gate: GateNow) -> str | None:
    ready = _condition(golive, "Ready")
    cause = ready.get("message") or explained(ready.get("reason", ""))
    return f"put right what stands in the way: {cause or 'the operator has not said what is missing'}"


STEPS: tuple[Callable[[Document, GateNow], str | None], ...] = (
    _being_deleted,  # nothing helps any more
    _disabled,  # no other step matters while nobody wants it open
    _unseen,  # all that follows is read from status
    _not_closed,
    _expired,  # status still says what held when the operator stopped
    _burned,  # an approval would be in vain
    _unapproved,
    _something_else,
)
"""What may stand in the way, in the order in which a person has to deal with it."""


def next_step(golive: Document, gate: GateNow) -> str:
    """One sentence about the first thing that stands in the way."""
    return next(step for find in STEPS if (step := find(golive, gate)))


def _address(golive: Document) -> dict[str, str]:
    return {key: golive["metadata"][key] for key in ("name", "namespace")}


def _condition(golive: Document, kind: str) -> Document:
    conditions: list[Document] = golive.get("status", {}).get("conditions", [])
    return next((condition for condition in conditions if condition["type"] == kind), {})
