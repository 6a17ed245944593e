"""What a person can do next about a gate: the first of all the things that stand in the way."""

from collections.abc import Callable

from golive_api.reasons import Reason
from kubectl_golive.advice import BURNED, PLAIN_BURNED, advice, fill, release
from kubectl_golive.approvals import rejections
from kubectl_golive.gates import explained
from kubectl_golive.seen import Seen

IN_VAIN = frozenset(
    {
        Reason.ADMISSION_UNGUARDED,
        Reason.POLICY_MISSING,
        Reason.POLICY_UNREADABLE,
        Reason.PROFILE_NOT_ALLOWED,
        Reason.WINDOW_UNREADABLE,
        Reason.EMERGENCY_STOP_UNKNOWN,
        Reason.ENGINE_CONTESTED,
        Reason.LADDER_NOT_CLIMBED,
    }
)
"""Reasons to be dealt with before anybody approves."""


def _being_deleted(seen: Seen) -> str | None:
    return "nothing: it is being deleted" if seen.golive["metadata"].get("deletionTimestamp") else None


def _stopped(seen: Seen) -> str | None:
    if not seen.holding:
        return None
    first = seen.holding[0]["metadata"]["name"]
    also = f" (and {len(seen.holding) - 1} more)" if seen.holding[1:] else ""
    return f"find the cause of the emergency stop, then release it with: {release(first, seen)}{also}"


def _disabled(seen: Seen) -> str | None:
    return fill("enable it with: {enable}", seen) if seen.spec["activation"] != "Enabled" else None


def _unseen(seen: Seen) -> str | None:
    if not seen.outdated:
        return None
    return "wait until the operator has seen the latest change; if that takes seconds, look whether it runs"


def _not_closed(seen: Seen) -> str | None:
    if seen.gate.state not in {"Open", "ReduceOnly"}:
        return None
    return fill("stop it at any time with: kubectl golive close {name} -n {namespace}", seen)


def _expired(seen: Seen) -> str | None:
    if seen.gate.reason != Reason.GATE_EXPIRED:
        return None
    return "look whether the operator runs: it has stopped renewing the gate"


def _burned(seen: Seen) -> str | None:
    if not seen.burned:
        return None
    return fill(next((BURNED[cause] for cause in _causes(seen) if cause in BURNED), PLAIN_BURNED), seen)


def _causes(seen: Seen) -> tuple[str, ...]:
    """What may have burned the revision: from the next look on the operator says no more than that it is."""
    rejected = (Reason.REJECTED.value,) if rejections(seen.golive) else ()
    gate, history = seen.status.get("gate") or {}, seen.status.get("history") or {}
    return (*rejected, gate.get("reason", ""), history.get("lastClosedReason", ""))


def _in_vain(seen: Seen) -> str | None:
    """What no approval can mend; without a digest there is nothing to approve either."""
    ready = seen.condition("Ready")
    reason = ready.get("reason", "")
    if reason in IN_VAIN or (reason and "digest" not in seen.status and reason != Reason.APPROVALS_MISSING):
        return _about(ready, seen)
    return None


def _unapproved(seen: Seen) -> str | None:
    approved = seen.condition("Approved")
    return _about(approved, seen) if approved.get("status") == "False" else None


def _something_else(seen: Seen) -> str | None:
    return _about(seen.condition("Ready"), seen)


def _about(condition: dict[str, str], seen: Seen) -> str:
    reason = condition.get("reason", "")
    message = condition.get("message") or explained(reason)
    return advice(reason, message or "the operator has not said what is missing", seen)


STEPS: tuple[Callable[[Seen], str | None], ...] = (
    _being_deleted,  # nothing helps any more
    _stopped,  # a person stopped the engine, whatever the gate says
    _disabled,  # no other step matters while nobody wants it open
    _unseen,  # all that follows is read from status
    _not_closed,
    _expired,  # status still says what held when the operator stopped
    _burned,  # an approval would be in vain
    _in_vain,  # here too
    _unapproved,  # while people are asked, a window may open
    _something_else,
)
"""What may stand in the way, in the order in which a person has to deal with it."""


def next_step(seen: Seen) -> str:
    """One sentence about the first thing that stands in the way."""
    return next(step for find in STEPS if (step := find(seen)))
