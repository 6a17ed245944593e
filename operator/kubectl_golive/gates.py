"""The gate as it stands at this moment, judged as an engine judges it."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

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


def gate_from_status(status: dict[str, Any], now: datetime) -> GateNow:
    """Judge a gate by what the operator last wrote, for those who may not read ConfigMaps."""
    gate = status.get("gate")
    if not gate:
        return UNKNOWN
    state, reason = str(gate.get("state")), str(gate.get("reason"))
    if state == GateState.CLOSED:
        return GateNow(state, reason, explained(reason))
    return _while_it_lasts(state, reason, explained(reason), gate.get("validUntil") or "", now, None)


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
