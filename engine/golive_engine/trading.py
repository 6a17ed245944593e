"""What orders are about: sides, instruments, quotes, intents, and what a venue answers."""

from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum
from typing import Literal, Protocol

from golive_api.reasons import Reason

ZERO = Decimal(0)
"""No quantity, no money."""


VenueName = Literal["binanceusdm", "bybit", "okx"]
"""An exchange, as ccxt calls it."""


class Side(StrEnum):
    """Which way an order moves a position."""

    BUY = "BUY"
    SELL = "SELL"

    @property
    def sign(self) -> int:
        """+1 for BUY, -1 for SELL."""
        return 1 if self is Side.BUY else -1

    @property
    def opposite(self) -> "Side":
        """The other way."""
        return Side.SELL if self is Side.BUY else Side.BUY


class OrderKind(StrEnum):
    """How an order waits for its price."""

    MARKET = "market"
    """Not at all."""
    LIMIT = "limit"
    """It rests in the book."""
    STOP_LOSS = "stop-loss"
    """The venue keeps it until the market gets worse than its trigger price, then it becomes a market order."""
    TAKE_PROFIT = "take-profit"
    """The same for a market that gets better."""

    @property
    def is_conditional(self) -> bool:
        """Whether the venue keeps it apart from its book until a trigger price is reached."""
        return self in (OrderKind.STOP_LOSS, OrderKind.TAKE_PROFIT)


class Purpose(StrEnum):
    """Why the engine wants an order; decides which of the RiskGate's checks concern it."""

    TRADE = "trade"
    """A strategy wants it."""
    PROTECT = "protect"
    """It is a stop loss or a take profit, or the exit of a position that can't have one."""
    REBALANCE = "rebalance"
    """It trims a position that has outgrown its limits."""
    KILL = "kill"
    """The kill protocol flattens; the only orders that leave through a closed gate, always reduce-only."""


@dataclass(frozen=True, slots=True)
class Instrument:
    """One perpetual as the venue lists it; quantities in base, prices and notionals in quote currency."""

    symbol: str
    """The engine's name of it, the same on every venue: BTCUSDT."""
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
    contract_size: Decimal = Decimal(1)
    """Base currency in one contract of the venue; quantities here are in base currency all the same."""


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
    trigger_price: Decimal | None = None
    """Price at which a stop loss or take profit becomes a market order; none for every other order."""
    takes_profit: bool = False
    """Whether an order with a trigger price is a take profit."""
    purpose: Purpose = Purpose.TRADE
    """Why it is wanted."""
    strategy: str = ""
    """Name of the strategy that wants it; empty for the engine's own orders."""
    stop_percent: Decimal | None = None
    """How far from the price its stop loss will rest; none for orders that bring no new risk."""

    @property
    def signed(self) -> Decimal:
        """Quantity with the side's sign."""
        return self.quantity * self.side.sign

    @property
    def kind(self) -> OrderKind:
        """How it waits for its price."""
        if self.trigger_price is not None:
            return OrderKind.TAKE_PROFIT if self.takes_profit else OrderKind.STOP_LOSS
        return OrderKind.MARKET if self.limit_price is None else OrderKind.LIMIT


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
    kind: OrderKind = OrderKind.MARKET
    """How it waits for its price."""
    reduce_only: bool = False
    """Whether it may only shrink a position."""
    price: Decimal | None = None
    """Limit or trigger price, None for a market order."""


@dataclass(frozen=True, slots=True)
class Trade:
    """One fill as the venue reports it."""

    trade_id: str
    """The venue's id of the fill."""
    venue_order_id: str
    """The venue's id of the order."""
    symbol: str
    """Which instrument."""
    side: Side
    """Which way."""
    quantity: Decimal
    """In base currency."""
    price: Decimal
    """Of this fill."""
    time: float
    """By the venue's clock, in seconds since 1970."""


@dataclass(frozen=True, slots=True)
class Depth:
    """What an order book holds near its middle, in base currency."""

    symbol: str
    """Which instrument."""
    bids: Decimal
    """What can be sold into it."""
    asks: Decimal
    """What can be bought from it."""
    time: float
    """By the venue's clock, in seconds since 1970."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """An account at one moment: equity includes open PnL; positions are signed and without flat ones."""

    equity: Decimal
    """Wallet balance plus open PnL."""
    margin_used: Decimal
    """Initial margin of positions and resting orders."""
    positions: dict[str, Decimal]
    """By symbol."""
    entries: dict[str, Decimal] = field(default_factory=dict)
    """Average entry price of each position, as the venue tells."""
    wallet: Decimal | None = None
    """Equity without open PnL; None where the venue does not tell."""


@dataclass(frozen=True, slots=True)
class KeyRights:
    """What a venue says that an API key may do; None where it does not tell."""

    trade: bool | None
    """Place orders for perpetuals."""
    withdraw: bool | None
    """Take money off the venue, which a trading key must not."""


Permit = Callable[[], Reason | None]
"""Asked before an order's bytes leave: None lets them go, a reason stops them."""


NEVER_SENT = "never sent"
"""How a refusal begins that is not the venue's: no byte of the order left."""


class RefusedError(Exception):
    """The venue said no, or the request provably never left: there is no such order.

    Args:
        message: What was said, or why it never left.
        is_outage: Whether the venue failed: it could not be reached, or wants no requests for a while.
        retry_after: Seconds until it wants requests again, if it says so.
    """

    def __init__(self, message: str, *, is_outage: bool = False, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.is_outage = is_outage
        self.retry_after = retry_after


class OutcomeUnknownError(Exception):
    """The request may have been carried out: ask, never send again."""


class UnavailableError(Exception):
    """A read failed; nothing was changed, try in the next cycle.

    Args:
        message: What happened.
        is_outage: Whether the venue failed, or what it said could not be read; not so if we asked wrongly.
        retry_after: Seconds until it wants requests again, if it says so.
    """

    def __init__(self, message: str, *, is_outage: bool = True, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.is_outage = is_outage
        self.retry_after = retry_after


class WithheldError(Exception):
    """The permit was refused at the last moment: no byte of the order was sent."""

    def __init__(self, reason: Reason) -> None:
        super().__init__(reason)
        self.reason = reason


class Venue(Protocol):
    """One account on one exchange. Quantities are in base currency, whatever the venue counts in.

    Reads raise UnavailableError. A venue keeps an order's client id for ever, or long enough to be asked.
    """

    name: VenueName
    """Which exchange."""

    async def instruments(self) -> dict[str, Instrument]:
        """Every tradable instrument by symbol."""

    async def quotes(self, symbols: frozenset[str]) -> dict[str, Quote]:
        """Best prices; symbols without one are missing."""

    async def closes(self, symbol: str, count: int) -> tuple[Decimal, ...]:
        """Closing prices of finished one-minute candles, oldest first."""

    async def depth(self, symbol: str, percent: Decimal) -> Depth:
        """What the book holds within a share of its middle price."""

    async def server_time(self) -> float:
        """The venue's clock, in seconds since 1970."""

    async def snapshot(self) -> Snapshot:
        """Equity, margin and positions, all of one moment where the venue has one answer for them."""

    async def rights(self) -> KeyRights:
        """What the account's API key may do."""

    async def set_leverage(self, symbol: str, leverage: int) -> Decimal:
        """Set a symbol's leverage, and one-way, cross margin mode with it; returns what the venue then says."""

    async def send(self, intent: Intent, client_order_id: str, permit: Permit) -> Execution:
        """Send one order, once. A venue that answers with ids only is reported as WORKING, nothing filled.

        Raises:
            WithheldError: The permit was refused; nothing was sent.
            RefusedError: There is no such order.
            OutcomeUnknownError: Perhaps there is.
        """

    async def ask(self, symbol: str, client_order_id: str, kind: OrderKind) -> Execution | None:
        """The order with this client id, None if the venue knows none.

        Of a conditional order this tells what became of the order that its trigger made, too.
        """

    async def trades(self, symbol: str, since: float) -> list[Trade]:
        """The account's fills since a moment (seconds since 1970), oldest first."""

    async def open_orders(self) -> list[Execution]:
        """Every resting order of the account, conditional ones among them."""

    async def cancel(self, symbol: str, client_order_id: str, kind: OrderKind) -> None:
        """Cancel one order; one that is not there any more is no error. Raises UnavailableError."""

    async def cancel_all(self, symbol: str, *, conditional: bool) -> None:
        """Cancel every resting order of a symbol: those in the book, or the conditional ones."""

    async def cancel_unless_renewed(self, seconds: int, symbols: frozenset[str]) -> None:
        """Dead-man switch: the venue cancels resting orders unless told again in time; 0 switches it off.

        What it covers is the venue's own choice: conditional orders stay on each of the three.
        """

    async def close(self) -> None:
        """Let go of connections."""
