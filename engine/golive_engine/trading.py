"""What orders are about: sides, instruments, quotes, intents, and what a venue answers."""

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import Protocol

from golive_api.reasons import Reason

ZERO = Decimal(0)
"""No quantity, no money."""


class Side(StrEnum):
    """Which way an order moves a position."""

    BUY = "BUY"
    SELL = "SELL"

    @property
    def sign(self) -> int:
        """+1 for BUY, -1 for SELL."""
        return 1 if self is Side.BUY else -1


@dataclass(frozen=True, slots=True)
class Instrument:
    """One perpetual as the venue lists it; quantities in base, prices and notionals in quote currency."""

    symbol: str
    """The venue's own name of it."""
    lot_size: Decimal
    """Quantities are multiples of this."""
    tick_size: Decimal
    """Prices are multiples of this."""
    min_quantity: Decimal
    """Smallest market order."""
    max_quantity: Decimal
    """Largest market order."""
    min_notional: Decimal
    """Smallest order that opens or enlarges a position."""


@dataclass(frozen=True, slots=True)
class Quote:
    """Best prices of one instrument, and when the venue says they were so (seconds since 1970)."""

    symbol: str
    """Which instrument."""
    bid: Decimal
    """Best price to sell at."""
    ask: Decimal
    """Best price to buy at."""
    time: float
    """By the venue's clock."""

    @property
    def middle(self) -> Decimal:
        """Between bid and ask."""
        return (self.bid + self.ask) / 2


@dataclass(frozen=True, slots=True)
class Intent:
    """What a strategy wants; a market order unless it has a limit price."""

    symbol: str
    """Which instrument."""
    side: Side
    """Which way."""
    quantity: Decimal
    """How much, always positive."""
    reduce_only: bool = False
    """Whether it may only shrink a position; the venue enforces it too."""
    limit_price: Decimal | None = None
    """The worst price, or none."""

    @property
    def signed(self) -> Decimal:
        """Quantity with the side's sign."""
        return self.quantity * self.side.sign


class ExecutionStatus(StrEnum):
    """Where an order stands on the venue."""

    WORKING = "working"
    """Resting, or filled in part."""
    FILLED = "filled"
    """Filled in full."""
    ENDED = "ended"
    """Cancelled, expired or rejected, perhaps filled in part."""


@dataclass(frozen=True, slots=True)
class Execution:
    """One order as the venue reports it; ENDED may have filled in part."""

    client_order_id: str
    """Our id."""
    venue_order_id: str
    """The venue's id."""
    symbol: str
    """Which instrument."""
    side: Side
    """Which way."""
    quantity: Decimal
    """As ordered."""
    status: ExecutionStatus
    """Where it stands."""
    filled_quantity: Decimal
    """Filled so far."""
    average_price: Decimal
    """Over all fills so far, zero without one."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """An account at one moment: equity includes open PnL; positions are signed and without flat ones."""

    equity: Decimal
    """Wallet balance plus open PnL."""
    margin_used: Decimal
    """Initial margin of positions and resting orders."""
    positions: dict[str, Decimal]
    """By symbol."""


Permit = Callable[[], Reason | None]
"""Asked before an order's bytes leave: None lets them go, a reason stops them."""


class RefusedError(Exception):
    """The venue said no, or the request provably never left: there is no such order."""


class OutcomeUnknownError(Exception):
    """The request may have been carried out: ask, never send again."""


class UnavailableError(Exception):
    """A read failed; nothing was changed, try in the next cycle."""


class WithheldError(Exception):
    """The permit was refused at the last moment: no byte of the order was sent."""

    def __init__(self, reason: Reason) -> None:
        super().__init__(reason)
        self.reason = reason


class Venue(Protocol):
    """One account on one exchange."""

    async def instruments(self) -> dict[str, Instrument]:
        """Every tradable instrument by symbol."""

    async def quotes(self, symbols: frozenset[str]) -> dict[str, Quote]:
        """Best prices; symbols without one are missing."""

    async def closes(self, symbol: str, count: int) -> tuple[Decimal, ...]:
        """Closing prices of finished one-minute candles, oldest first."""

    async def server_time(self) -> float:
        """The venue's clock, in seconds since 1970."""

    async def snapshot(self) -> Snapshot:
        """Equity, margin and positions, all of one moment."""

    async def set_leverage(self, symbol: str, leverage: int) -> Decimal:
        """Set a symbol's leverage; returns what the venue then says it is."""

    async def send(self, intent: Intent, client_order_id: str, permit: Permit) -> Execution:
        """Send one order, once."""

    async def ask(self, symbol: str, client_order_id: str) -> Execution | None:
        """The order with this client id, None if the venue knows none."""

    async def open_orders(self) -> list[Execution]:
        """Every resting order of the account."""

    async def close(self) -> None:
        """Let go of connections."""
