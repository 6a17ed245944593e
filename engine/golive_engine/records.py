"""What the journal keeps, as frozen values, and how they become columns and come back; no SQL here."""

import json
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from golive_engine.orders import Order, OrderState
from golive_engine.trading import OrderKind, Purpose, Side

EVERY_ACCOUNT = "*"
"""Scope of an emergency stop that stops every account."""


@dataclass(frozen=True, slots=True)
class Fill:
    """One fill; without a client order id it is somebody else's, or was inferred from the venue's position."""

    account: str
    """Whose."""
    venue: str
    """On which exchange."""
    symbol: str
    """Which instrument."""
    client_order_id: str | None
    """The order that it belongs to."""
    signed_quantity: Decimal
    """Positive is bought."""
    price: Decimal
    """Average over what was new in a report."""
    time: float
    """When it was written down; for somebody else's, when the venue says it was."""
    trade_id: str | None = None
    """The venue's id of it, or ours of an inferred one; None for what an order's report told."""


@dataclass(frozen=True, slots=True)
class OrderChange:
    """One step of an order's life."""

    time: float | None
    """When it was written down; None for orders of journals that did not keep steps yet."""
    state: OrderState
    """Where the order stood from then on."""
    filled: Decimal
    """How much of it was filled."""
    average_price: Decimal
    """Over all its fills."""
    reason: str
    """Why it was refused, withheld or lost."""


@dataclass(frozen=True, slots=True)
class Decision:
    """What the RiskGate answered when its answer changed."""

    time: float
    """When."""
    account: str
    """Whose order it would be."""
    venue: str
    """On which exchange."""
    symbol: str
    """Which instrument."""
    side: Side
    """Which way."""
    quantity: Decimal
    """How much was wanted."""
    reduce_only: bool
    """Whether it may only shrink a position."""
    reason: str
    """The objection; empty if there was none."""
    details: dict[str, str]
    """The values that decided."""
    kind: OrderKind = OrderKind.MARKET
    """How it would wait for its price."""
    purpose: Purpose = Purpose.TRADE
    """Why it was wanted."""
    strategy: str = ""
    """Which strategy wanted it."""


@dataclass(frozen=True, slots=True)
class Day:
    """An account's equity at the first look of a UTC day, and its highest since."""

    start_equity: Decimal
    """The first of the day."""
    peak_equity: Decimal
    """The highest since."""


@dataclass(frozen=True, slots=True)
class Stop:
    """A latched emergency stop; scope is an account, or every account."""

    scope: str
    """An account's name, or every account."""
    trigger: str
    """What began it."""


@dataclass(frozen=True, slots=True)
class StateChange:
    """Something about the engine or one of its parts is otherwise from now on."""

    time: float
    """When."""
    kind: str
    """What sort of state: leadership, global-risk, breaker, failover, kill, mode …"""
    scope: str
    """Whose: an account, an account's venue, or the engine's own name."""
    value: str
    """The new state."""
    details: dict[str, str]
    """What is worth knowing of it."""


@dataclass(frozen=True, slots=True)
class StressRun:
    """One run of one stress scenario."""

    time: float
    """When it ended."""
    scenario: str
    """Which one."""
    result: str
    """How it ended."""
    details: dict[str, str]
    """What was asserted and seen."""
    seconds: float
    """How long it took."""


def order_columns(order: Order) -> dict[str, Any]:
    """An order as columns."""
    digits = order.client_order_id[-8:]
    return {
        "client_order_id": order.client_order_id,
        "number": int(digits) if len(digits) == 8 and digits.isdecimal() else None,  # noqa: PLR2004  # as ids end
        "account": order.account,
        "venue": order.venue,
        "symbol": order.symbol,
        "side": order.side.value,
        "quantity": str(order.quantity),
        "reduce_only": order.reduce_only,
        "created": order.created,
        "kind": order.kind.value,
        "price": None if order.price is None else str(order.price),
        "purpose": order.purpose.value,
        "strategy": order.strategy,
        "state": order.state.value,
        "filled": str(order.filled),
        "average_price": str(order.average_price),
        "venue_order_id": order.venue_order_id,
        "reason": _storable(order.reason),
    }


def order_from(row: Any) -> Order:
    """A row as an order."""
    return Order(
        row.client_order_id,
        row.account,
        row.venue,
        row.symbol,
        Side(row.side),
        Decimal(row.quantity),
        row.reduce_only,
        row.created,
        kind=OrderKind(row.kind),
        price=None if row.price is None else Decimal(row.price),
        purpose=Purpose(row.purpose),
        strategy=row.strategy,
        state=OrderState(row.state),
        filled=Decimal(row.filled),
        average_price=Decimal(row.average_price),
        venue_order_id=row.venue_order_id,
        reason=row.reason,
    )


def change_from(row: Any) -> OrderChange:
    """A row as an order's step."""
    return OrderChange(
        row.time, OrderState(row.state), Decimal(row.filled), Decimal(row.average_price), row.reason
    )


def fill_columns(fill: Fill) -> dict[str, Any]:
    """A fill as columns."""
    return {
        "account": fill.account,
        "venue": fill.venue,
        "symbol": fill.symbol,
        "client_order_id": fill.client_order_id,
        "signed_quantity": str(fill.signed_quantity),
        "price": str(fill.price),
        "time": fill.time,
        "trade_id": fill.trade_id,
    }


def fill_from(row: Any) -> Fill:
    """A row as a fill."""
    return Fill(
        row.account,
        row.venue,
        row.symbol,
        row.client_order_id,
        Decimal(row.signed_quantity),
        Decimal(row.price),
        row.time,
        row.trade_id,
    )


def decision_from(row: Any) -> Decision:
    """A row as a decision."""
    return Decision(
        row.time,
        row.account,
        row.venue,
        row.symbol,
        Side(row.side),
        Decimal(row.quantity),
        row.reduce_only,
        row.reason,
        json.loads(row.details),
        OrderKind(row.kind),
        Purpose(row.purpose),
        row.strategy,
    )


def state_change_from(row: Any) -> StateChange:
    """A row as a change of state."""
    return StateChange(row.time, row.kind, row.scope, row.value, json.loads(row.details))


def stress_run_from(row: Any) -> StressRun:
    """A row as a run."""
    return StressRun(row.time, row.scenario, row.result, json.loads(row.details), row.seconds)


def _storable(text: str) -> str:
    """A venue's words without what a database refuses: an order must not stay open over its reason."""
    return text.replace("\0", "").encode(errors="replace").decode()
