"""What keeps a position protected: one stop loss and one take profit that rest on the venue. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from typing import Protocol

from golive_engine.trading import ZERO, Instrument, Intent, OrderKind, Purpose, Side

PROTECTING = (OrderKind.STOP_LOSS, OrderKind.TAKE_PROFIT)
"""Both sorts, the one that limits a loss first."""


class Resting(Protocol):
    """An order that waits on the venue, as the journal or the venue knows it."""

    @property
    def client_order_id(self) -> str:
        """Our id."""

    @property
    def side(self) -> Side:
        """Which way."""

    @property
    def quantity(self) -> Decimal:
        """As ordered."""

    @property
    def kind(self) -> OrderKind:
        """How it waits."""

    @property
    def price(self) -> Decimal | None:
        """Its trigger price."""


@dataclass(frozen=True, slots=True)
class Place:
    """Send an order."""

    intent: Intent
    """Reduce-only: a stop loss, a take profit, or the market order that closes the position."""


@dataclass(frozen=True, slots=True)
class Cancel:
    """Take back an order that protects nothing any more."""

    client_order_id: str
    """Which one."""
    kind: OrderKind
    """Where the venue keeps it."""


Step = Place | Cancel
"""One thing to do; a step that is not confirmed leaves those behind it for the next look."""


@dataclass(frozen=True, slots=True)
class Holding:
    """One symbol's position, and how far it may run."""

    instrument: Instrument
    """What is held."""
    quantity: Decimal
    """Signed; zero if flat."""
    entry: Decimal
    """Average price at which it was opened; zero if nobody knows, or if flat."""
    stop_percent: Decimal
    """How far from the entry its loss ends, 2 to 5."""
    profit_percent: Decimal
    """How far from the entry its gain is taken, 4 to 15."""


def plan(
    holding: Holding, resting: Sequence[Resting], refused: frozenset[OrderKind] = frozenset()
) -> tuple[Step, ...]:
    """What to do so that a position has one stop loss and one take profit of its own size, and nothing else.

    A new order is placed before an old one is cancelled, so that at no moment none rests. A position that can't
    have a stop loss, because the venue has refused it or nobody knows the entry, is closed at market; what
    rests is left until that has happened. A take profit that was refused is merely tried again at the next
    look, for the stop loss still holds.

    Args:
        holding: The position.
        resting: Every conditional order on its symbol, none of them of unknown outcome.
        refused: What the venue has refused during this look.
    """
    if not holding.quantity:
        return _cancelled(resting)
    steps: list[Step] = []
    for kind in PROTECTING:
        wanted = _wanted(holding, kind)
        rests = [order for order in resting if order.kind is kind]
        fitting = [order for order in rests if _fits(order, wanted)]
        if not fitting and (kind in refused or not wanted.trigger_price):
            if kind is OrderKind.STOP_LOSS:
                return (Place(_exit(holding)),)
            continue
        if not fitting:
            steps.append(Place(wanted))
        steps += _cancelled([order for order in rests if order not in fitting[:1]])
    return tuple(steps)


def _wanted(holding: Holding, kind: OrderKind) -> Intent:
    """The order of one kind that a position should have; rounded towards the entry, so never too far."""
    is_stop, is_long = kind is OrderKind.STOP_LOSS, holding.quantity > ZERO
    percent = holding.stop_percent if is_stop else holding.profit_percent
    lies_below = is_stop == is_long
    exact = holding.entry * (1 - percent / 100 if lies_below else 1 + percent / 100)
    ticks = exact / holding.instrument.tick_size
    whole = ticks.to_integral_value(ROUND_CEILING if lies_below else ROUND_FLOOR)
    return Intent(
        holding.instrument.symbol,
        Side.SELL if is_long else Side.BUY,
        abs(holding.quantity),
        reduce_only=True,
        trigger_price=whole * holding.instrument.tick_size,
        takes_profit=not is_stop,
        purpose=Purpose.PROTECT,
    )


def _exit(holding: Holding) -> Intent:
    """The market order that closes a position, or as much of it as one order may."""
    return Intent(
        holding.instrument.symbol,
        Side.SELL if holding.quantity > ZERO else Side.BUY,
        min(abs(holding.quantity), holding.instrument.max_quantity),
        reduce_only=True,
        purpose=Purpose.PROTECT,
    )


def _fits(order: Resting, wanted: Intent) -> bool:
    """Whether an order is the wanted one."""
    return (order.side, order.quantity, order.price) == (wanted.side, wanted.quantity, wanted.trigger_price)


def _cancelled(orders: Sequence[Resting]) -> tuple[Cancel, ...]:
    """Each of some orders, taken back."""
    return tuple(Cancel(order.client_order_id, order.kind) for order in orders)
