"""What the journal keeps, as frozen values, and how they become columns and come back; no SQL here."""

import json
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from golive_engine.orders import Order, OrderState
from golive_engine.trading import Side

EVERY_ACCOUNT = "*"
"""Scope of an emergency stop that stops every account."""


@dataclass(frozen=True, slots=True)
class Fill:
    """One fill; without a client order id it was inferred from the venue's position."""

    account: str
    """Whose."""
    symbol: str
    """Which instrument."""
    client_order_id: str | None
    """The order that it belongs to."""
    signed_quantity: Decimal
    """Positive is bought."""
    price: Decimal
    """Average over what was new in a report."""
    time: float
    """When it was written down."""


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


def order_columns(order: Order) -> dict[str, Any]:
    """An order as columns."""
    return {
        "client_order_id": order.client_order_id,
        "account": order.account,
        "symbol": order.symbol,
        "side": order.side.value,
        "quantity": str(order.quantity),
        "reduce_only": order.reduce_only,
        "created": order.created,
        "state": order.state.value,
        "filled": str(order.filled),
        "average_price": str(order.average_price),
        "reason": _storable(order.reason),
    }


def order_from(row: Any) -> Order:
    """A row as an order."""
    return Order(
        row.client_order_id,
        row.account,
        row.symbol,
        Side(row.side),
        Decimal(row.quantity),
        row.reduce_only,
        row.created,
        OrderState(row.state),
        Decimal(row.filled),
        Decimal(row.average_price),
        row.reason,
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
        "symbol": fill.symbol,
        "client_order_id": fill.client_order_id,
        "signed_quantity": str(fill.signed_quantity),
        "price": str(fill.price),
        "time": fill.time,
    }


def fill_from(row: Any) -> Fill:
    """A row as a fill."""
    quantity, price = Decimal(row.signed_quantity), Decimal(row.price)
    return Fill(row.account, row.symbol, row.client_order_id, quantity, price, row.time)


def decision_from(row: Any) -> Decision:
    """A row as a decision."""
    return Decision(
        row.time,
        row.account,
        row.symbol,
        Side(row.side),
        Decimal(row.quantity),
        row.reduce_only,
        row.reason,
        json.loads(row.details),
    )


def _storable(text: str) -> str:
    """A venue's words without what a database refuses: an order must not stay open over its reason."""
    return text.replace("\0", "").encode(errors="replace").decode()
