"""Faults on request: what goes wrong, for which requests, how often."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum

from pydantic import BaseModel, ConfigDict, Field, model_validator


class FaultKind(StrEnum):
    """What goes wrong."""

    DROP_BEFORE_ACCEPT = "drop-before-accept"
    DROP_AFTER_ACCEPT = "drop-after-accept"
    DELAY = "delay"
    ANSWER_BEFORE_ACCEPT = "answer-before-accept"
    ANSWER_AFTER_ACCEPT = "answer-after-accept"
    RATE_LIMIT = "rate-limit"
    BAN = "ban"
    INSUFFICIENT_MARGIN = "insufficient-margin"
    LATE_FILL = "late-fill"
    PARTIAL_FILL = "partial-fill"
    CLOCK_SKEW = "clock-skew"
    STALE_BOOK = "stale-book"
    THIN_BOOK = "thin-book"
    STREAM_DROP = "stream-drop"
    STREAM_SILENT = "stream-silent"
    STREAM_REFUSED = "stream-refused"


STANDING_KINDS = frozenset(
    {
        FaultKind.CLOCK_SKEW,
        FaultKind.STALE_BOOK,
        FaultKind.THIN_BOOK,
        FaultKind.STREAM_DROP,
        FaultKind.STREAM_SILENT,
        FaultKind.STREAM_REFUSED,
    }
)
"""Faults that hold from when they are added until they are removed, whatever is asked."""

SHARED_KINDS = frozenset({FaultKind.CLOCK_SKEW, FaultKind.THIN_BOOK})
"""Faults that cannot be narrowed to one environment."""

NEW_ORDER_KINDS = frozenset(
    {
        FaultKind.DROP_AFTER_ACCEPT,
        FaultKind.INSUFFICIENT_MARGIN,
        FaultKind.LATE_FILL,
        FaultKind.PARTIAL_FILL,
    }
)
"""Faults that meet only new orders, unless a path says otherwise."""

GATEWAY_TIMEOUT_HTML = "<html><head><title>504 Gateway Time-out</title></head><body>504</body></html>"
"""What a load balancer says when the venue behind it is slow."""


class Fault(BaseModel):
    """One fault: a kind, the requests it meets, and its measure."""

    model_config = ConfigDict(extra="forbid", use_attribute_docstrings=True)

    fault_id: int = 0
    """Number given when it is added."""
    kind: FaultKind
    """What goes wrong."""
    environment: str | None = None
    """Only requests to this environment."""
    method: str | None = None
    """Only requests with this HTTP method."""
    path: str | None = None
    """Only requests to exactly this path."""
    symbol: str | None = None
    """Only requests that name this symbol."""
    side: str | None = None
    """Only requests that name this side."""
    nth: int = Field(default=1, ge=1)
    """The first request, counted among those that match, that it hits."""
    count: int | None = Field(default=None, ge=1)
    """How many requests it hits; without it, all."""
    delay_ms: int = Field(default=0, ge=0, le=600_000)
    """Wait before the answer, or before a late fill."""
    status: int = Field(default=504, ge=100, le=599)
    """HTTP status of a forced answer."""
    body: str | dict[str, object] = GATEWAY_TIMEOUT_HTML
    """Body of a forced answer: an object is sent as JSON, a text as HTML."""
    ratio: Decimal = Field(default=Decimal("0.5"), ge=0, le=1)
    """Part of the quantity that fills at once, or of the usual quantities that is left in a thin book."""
    skew_ms: int = 0
    """By how much the venue's clock runs ahead."""
    retry_after_seconds: int = Field(default=1, ge=0)
    """What a rate limit or ban asks for."""

    @model_validator(mode="after")
    def _meets_whom_it_says(self) -> Fault:
        """Refuse to narrow what all environments share: their clock, and the quantities in their books."""
        if self.environment is not None and self.kind in SHARED_KINDS:
            raise ValueError(f"{self.kind} meets every environment")
        return self


@dataclass(frozen=True, slots=True)
class RequestFacts:
    """What a fault may look at."""

    environment: str
    """Which exchange."""
    method: str
    """HTTP method."""
    path: str
    """HTTP path."""
    symbol: str = ""
    """Contract, if one is named."""
    side: str = ""
    """Direction, if one is named."""
    client_order_id: str = ""
    """The client's name for the order, if one is given."""
    is_new_order: bool = False
    """Whether an order is to be placed."""


def concerns(fault: Fault, facts: RequestFacts) -> bool:
    """Whether a fault's conditions fit a request."""
    if fault.kind in NEW_ORDER_KINDS and fault.path is None and not facts.is_new_order:
        return False
    return all(
        wanted in {None, getattr(facts, name)}
        for name in ("environment", "method", "path", "symbol", "side")
        for wanted in (getattr(fault, name),)
    )


@dataclass(slots=True)
class FaultBook:
    """The faults now in force, and how often each has met a request."""

    faults: list[Fault] = field(default_factory=list)
    """In force, oldest first."""
    met: dict[int, int] = field(default_factory=dict)
    """Matching requests so far, by fault."""
    next_id: int = 1
    """Number of the next fault."""

    def add(self, fault: Fault) -> Fault:
        """Put a fault in force under a number of its own."""
        numbered = fault.model_copy(update={"fault_id": self.next_id})
        self.next_id += 1
        self.faults.append(numbered)
        return numbered

    def clear(self, fault_id: int | None = None) -> list[Fault]:
        """Take one fault, or all, out of force; returns those removed."""
        removed = [fault for fault in self.faults if fault_id in {None, fault.fault_id}]
        self.faults = [fault for fault in self.faults if fault not in removed]
        return removed

    def hitting(self, facts: RequestFacts) -> list[Fault]:
        """The faults that this request suffers; each meeting is counted."""
        return [
            fault
            for fault in self.faults
            if fault.kind not in STANDING_KINDS and concerns(fault, facts) and self._is_due(fault)
        ]

    def _is_due(self, fault: Fault) -> bool:
        """Count a meeting, and tell whether the fault hits this one."""
        number = self.met[fault.fault_id] = self.met.get(fault.fault_id, 0) + 1
        last = None if fault.count is None else fault.nth + fault.count - 1
        return number >= fault.nth and (last is None or number <= last)
