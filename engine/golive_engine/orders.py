"""What can become of an order: one table of states, and the order as the journal keeps it. Pure."""

from dataclasses import dataclass, replace
from decimal import Decimal
from enum import StrEnum

from golive_engine.trading import ZERO, Execution, ExecutionStatus, OrderKind, Purpose, Side

ID_LENGTH = 32
"""Longest client order id that every venue takes; only letters and digits do everywhere."""


class OrderState(StrEnum):
    """Where an order stands; its outcome is confirmed, refused or unknown."""

    PENDING = "pending"
    """Written down; about to be sent. After a crash nobody knows whether it was."""
    UNKNOWN = "unknown"
    """Sent, perhaps carried out: counts in full until the venue says what became of it."""
    WORKING = "working"
    """Confirmed; resting, waiting for its trigger, or filled in part."""
    FILLED = "filled"
    """Confirmed and filled in full."""
    ENDED = "ended"
    """Confirmed, then cancelled or expired, perhaps filled in part."""
    REFUSED = "refused"
    """There is no such order on the venue and there will be none."""
    WITHHELD = "withheld"
    """The gate shut between decision and sending: no byte left."""


class OrderEvent(StrEnum):
    """What can happen to an order."""

    LOST = "lost"
    """No answer, or none that can be trusted."""
    WORKS = "works"
    """The venue has it."""
    FILLS = "fills"
    """The venue filled all of it."""
    ENDS = "ends"
    """The venue will fill no more of it."""
    REFUSES = "refuses"
    """The venue does not have it and never will."""
    WITHHOLDS = "withholds"
    """It was stopped before a byte left."""
    REAPPEARS = "reappears"
    """The venue has it, or filled more of it, after all: the last word heard of it was wrong."""


_P, _U, _W = OrderState.PENDING, OrderState.UNKNOWN, OrderState.WORKING
TRANSITIONS: dict[OrderState, dict[OrderEvent, OrderState]] = {
    _P: {
        OrderEvent.LOST: _U,
        OrderEvent.WORKS: _W,
        OrderEvent.FILLS: OrderState.FILLED,
        OrderEvent.ENDS: OrderState.ENDED,
        OrderEvent.REFUSES: OrderState.REFUSED,
        OrderEvent.WITHHOLDS: OrderState.WITHHELD,
    },
    _U: {
        OrderEvent.LOST: _U,
        OrderEvent.WORKS: _W,
        OrderEvent.FILLS: OrderState.FILLED,
        OrderEvent.ENDS: OrderState.ENDED,
        OrderEvent.REFUSES: OrderState.REFUSED,
    },
    _W: {
        OrderEvent.LOST: _W,
        OrderEvent.WORKS: _W,
        OrderEvent.FILLS: OrderState.FILLED,
        OrderEvent.ENDS: OrderState.ENDED,
    },
    OrderState.FILLED: {},
    OrderState.ENDED: {OrderEvent.REAPPEARS: _W},
    OrderState.REFUSED: {OrderEvent.REAPPEARS: _W},
    OrderState.WITHHELD: {OrderEvent.REAPPEARS: _W},
}
"""Every transition there is: what is not in here can't happen. Only reconciliation sees an order reappear."""

OUTCOME_UNKNOWN = frozenset({OrderState.PENDING, OrderState.UNKNOWN})
"""States in which nobody knows whether the venue has the order."""

UNSETTLED = OUTCOME_UNKNOWN | {OrderState.WORKING}
"""States that count in full against limits and that the venue is asked about."""

_REPORTED = {
    ExecutionStatus.WORKING: OrderEvent.WORKS,
    ExecutionStatus.FILLED: OrderEvent.FILLS,
    ExecutionStatus.ENDED: OrderEvent.ENDS,
}


class ImpossibleTransitionError(Exception):
    """Something happened to an order that can't happen in its state, or to this order at all."""


@dataclass(frozen=True, slots=True)
class Order:
    """One order; quantities in base, prices in quote currency, times in seconds since 1970."""

    client_order_id: str
    """Ours, unique for ever."""
    account: str
    """Whose."""
    venue: str
    """On which exchange."""
    symbol: str
    """Which instrument."""
    side: Side
    """Which way."""
    quantity: Decimal
    """As ordered."""
    reduce_only: bool
    """Whether it may only shrink a position."""
    created: float
    """When it was written down, just before it was sent."""
    kind: OrderKind = OrderKind.MARKET
    """How it waits for its price."""
    price: Decimal | None = None
    """Limit or trigger price, None for a market order."""
    purpose: Purpose = Purpose.TRADE
    """Why it was wanted."""
    strategy: str = ""
    """Which strategy wanted it; empty for the engine's own."""
    state: OrderState = OrderState.PENDING
    """Where it stands."""
    filled: Decimal = ZERO
    """How much, as last reported."""
    average_price: Decimal = ZERO
    """Over all fills so far."""
    venue_order_id: str = ""
    """The venue's id, as last reported; empty until it is."""
    reason: str = ""
    """Why it was refused, withheld or lost."""

    @property
    def remaining(self) -> Decimal:
        """What may still fill."""
        return self.quantity - self.filled if self.state in UNSETTLED else ZERO

    def after(self, event: OrderEvent, reason: str = "") -> "Order":
        """The order after an event; raises ImpossibleTransitionError if the table has no such transition."""
        state = TRANSITIONS[self.state].get(event)
        if state is None:
            raise ImpossibleTransitionError(f"{self.client_order_id}: {event} while {self.state}")
        return replace(self, state=state, reason=reason or self.reason)

    def reported(self, execution: Execution) -> "Order":
        """The order after the venue's own report of it; a report older than the last one changes nothing.

        Raises:
            ImpossibleTransitionError: Also for a report that can't be about this order.
        """
        if (execution.symbol, execution.side) != (self.symbol, self.side):
            raise ImpossibleTransitionError(
                f"{self.client_order_id}: {self.side} {self.symbol} reported as "
                f"{execution.side} {execution.symbol}"
            )
        filled, price = execution.filled_quantity, execution.average_price
        if filled > self.quantity or (filled > ZERO and price <= ZERO):
            raise ImpossibleTransitionError(
                f"{self.client_order_id}: {filled} of {self.quantity} filled at {price}"
            )
        if filled < self.filled:
            return self
        return replace(
            self.after(_REPORTED[execution.status]),
            filled=filled,
            average_price=price,
            venue_order_id=execution.venue_order_id or self.venue_order_id,
        )


def fill_between(before: Order, after: Order) -> tuple[Decimal, Decimal] | None:
    """Signed quantity and price of what was filled from one report to the next, None if nothing was."""
    quantity = after.filled - before.filled
    if quantity <= ZERO:
        return None
    cost = after.filled * after.average_price - before.filled * before.average_price
    return quantity * after.side.sign, cost / quantity


def may_count_as_refused(order: Order, wall: float, settle_seconds: float) -> bool:
    """Whether a venue that does not know the order will never know it: its receive window is long over."""
    return wall - order.created >= settle_seconds
