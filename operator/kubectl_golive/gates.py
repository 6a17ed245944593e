"""The gate as it stands at this moment, judged as an engine judges it."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from golive_api.acknowledgement import read_acknowledgement
from golive_api.gate import GateRecord, GateUnreadableError
from golive_api.golive import GateState
from golive_api.reasons import Reason
from golive_api.values import parse_time
from kubectl_golive.exits import Exit


@dataclass(frozen=True, slots=True)
class GateNow:
    """What a gate allows now."""

    state: str
    """Open, ReduceOnly, Closed, or Unknown where nobody could be asked."""
    reason: str
    """A reason code."""
    sentence: str
    """Why, for a person."""
    seconds_left: float | None = None
    """How long it stays so unless it is renewed; None for a gate that is not open."""
    record: GateRecord | None = None
    """The record behind it, where one was read."""

    @property
    def exit_code(self) -> Exit:
        """What scripts get to know."""
        if self.state == GateState.OPEN:
            return Exit.OK
        return Exit.UNKNOWN if self.state == "Unknown" else Exit.CLOSED


Document = dict[str, Any]

UNRENEWED = "Status is too old to tell whether the gate was renewed, and you may not read the gate itself."
"""What an open gate's status is worth once its time is over."""

_SENTENCES = {reason.value: reason.sentence for reason in Reason}

UNKNOWN = GateNow("Unknown", "ReadFailed", "Neither the gate nor status.gate could be read.")
"""Nothing is known; whoever has to assume something assumes the worse."""


def explained(reason: str) -> str:
    """The sentence of a reason code; a newer operator may know more codes."""
    return _SENTENCES.get(reason, "")


def gate_now(data: dict[str, str] | None, now: datetime) -> GateNow:
    """Judge a gate by its ConfigMap's data; None means there is no ConfigMap."""
    if data is None:
        return GateNow(GateState.CLOSED, Reason.GATE_MISSING, Reason.GATE_MISSING.sentence)
    try:
        record = GateRecord.from_data(data)
    except GateUnreadableError as error:
        return GateNow(GateState.CLOSED, Reason.GATE_UNREADABLE, " ".join(str(error).split())[:200])
    sentence = record.message or explained(record.reason)
    if record.state is GateState.CLOSED:
        return GateNow(record.state, record.reason, sentence, record=record)
    return _while_it_lasts(record.state, record.reason, sentence, record.valid_until, now, record)


def gate_from_status(golive: Document, lease: Document | None, now: datetime) -> GateNow:
    """Judge a gate by the operator's and the engine's words, for those who may not read ConfigMaps.

    status says until when an open gate was valid when status was written. How far it has been renewed since
    stands in the gate; whether it was, the engine's Lease tells.
    """
    gate = (golive.get("status") or {}).get("gate")
    if not gate:
        return UNKNOWN
    state, reason = str(gate.get("state")), str(gate.get("reason"))
    if state == GateState.CLOSED:
        return GateNow(state, reason, explained(reason))
    told = _while_it_lasts(state, reason, explained(reason), gate.get("validUntil") or "", now, None)
    if told.state != GateState.CLOSED:
        return told
    return _by_the_engine(golive, lease, now) or GateNow("Unknown", told.reason, f"{UNRENEWED} (said {state})")


def _by_the_engine(golive: Document, lease: Document | None, now: datetime) -> GateNow | None:
    """The state that the trading pod obeys; None where no pod has said so lately, or of another object."""
    spec = (lease or {}).get("spec") or {}
    word = read_acknowledgement(((lease or {}).get("metadata") or {}).get("annotations") or {})
    if word is None or not spec.get("holderIdentity") or word.uid not in {"", golive["metadata"]["uid"]}:
        return None
    try:
        silent = (now - parse_time(spec.get("renewTime") or "")).total_seconds()
    except ValueError:
        return None
    if silent > spec.get("leaseDurationSeconds", 15):
        return None
    return GateNow(word.state, word.reason, "By the word of the engine; you may not read the gate itself.")


def _while_it_lasts(
    state: str, reason: str, sentence: str, valid_until: str, now: datetime, record: GateRecord | None
) -> GateNow:
    """A gate that is not closed, unless its time is over or can't be read."""
    try:
        left = (parse_time(valid_until) - now).total_seconds()
    except ValueError:
        return GateNow(GateState.CLOSED, Reason.GATE_UNREADABLE, f"validUntil is {valid_until!r}", None, record)
    if left <= 0:
        over = f"{Reason.GATE_EXPIRED.sentence} It ran out {-left:.0f} s ago: is the operator running?"
        return GateNow(GateState.CLOSED, Reason.GATE_EXPIRED, over, None, record)
    return GateNow(state, reason, sentence, left, record)
