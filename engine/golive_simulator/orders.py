"""What an account may ask for, and what becomes of it. Data only: nothing here decides or computes money."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum

ZERO = Decimal(0)
"""The Decimal nought, so that nobody mixes in a float."""


class Side(StrEnum):
    """Direction of an order."""

    BUY = "BUY"
    SELL = "SELL"

    @property
    def sign(self) -> int:
        """+1 for a buy, -1 for a sell."""
        return 1 if self is Side.BUY else -1


class OrderType(StrEnum):
    """How a price is found. The conditional kinds live in the algo service until they trigger."""

    LIMIT = "LIMIT"
    MARKET = "MARKET"
    STOP = "STOP"
    STOP_MARKET = "STOP_MARKET"
    TAKE_PROFIT = "TAKE_PROFIT"
    TAKE_PROFIT_MARKET = "TAKE_PROFIT_MARKET"
    TRAILING_STOP_MARKET = "TRAILING_STOP_MARKET"
    LIQUIDATION = "LIQUIDATION"

    @property
    def rests_at_a_price(self) -> bool:
        """Whether the order that reaches the book carries a limit price."""
        return self in {OrderType.LIMIT, OrderType.STOP, OrderType.TAKE_PROFIT}


CONDITIONAL_TYPES = frozenset(
    {
        OrderType.STOP,
        OrderType.STOP_MARKET,
        OrderType.TAKE_PROFIT,
        OrderType.TAKE_PROFIT_MARKET,
        OrderType.TRAILING_STOP_MARKET,
    }
)
"""Types that wait for a trigger price."""


class TimeInForce(StrEnum):
    """How long an order may live; GTX is post-only."""

    GTC = "GTC"
    IOC = "IOC"
    FOK = "FOK"
    GTX = "GTX"


class OrderStatus(StrEnum):
    """State of an order in the matching engine."""

    NEW = "NEW"
    PARTIALLY_FILLED = "PARTIALLY_FILLED"
    FILLED = "FILLED"
    CANCELED = "CANCELED"
    EXPIRED = "EXPIRED"


class AlgoStatus(StrEnum):
    """State of a conditional order in the algo service."""

    NEW = "NEW"
    TRIGGERED = "TRIGGERED"
    FINISHED = "FINISHED"
    CANCELED = "CANCELED"
    REJECTED = "REJECTED"
    EXPIRED = "EXPIRED"


class WorkingType(StrEnum):
    """Which price a trigger watches: the last trade or the mark."""

    CONTRACT_PRICE = "CONTRACT_PRICE"
    MARK_PRICE = "MARK_PRICE"


class MarginMode(StrEnum):
    """Whether a position may draw on the whole wallet."""

    CROSSED = "CROSSED"
    ISOLATED = "ISOLATED"


@dataclass(frozen=True, slots=True)
class OrderRequest:
    """An order as it was asked for, before any rule has looked at it."""

    symbol: str
    """Contract."""
    side: Side
    """Direction."""
    order_type: OrderType
    """Limit or market."""
    quantity: Decimal
    """Base asset asked for."""
    client_order_id: str
    """The client's own name for it."""
    price: Decimal = ZERO
    """Limit; nought for a market order."""
    time_in_force: TimeInForce = TimeInForce.GTC
    """How long it may live."""
    reduce_only: bool = False
    """Whether it may only take off a position."""
    attached: tuple[AlgoRequest, ...] = ()
    """Conditional orders that come into being with its first fill."""


@dataclass(frozen=True, slots=True)
class AlgoRequest:
    """A conditional order as it was asked for."""

    symbol: str
    """Contract."""
    side: Side
    """Direction."""
    order_type: OrderType
    """One of the conditional types."""
    quantity: Decimal
    """Base asset; nought when the position is to be closed."""
    client_algo_id: str
    """The client's own name for it."""
    trigger_price: Decimal = ZERO
    """Price that sets it off; nought for a trailing stop."""
    price: Decimal = ZERO
    """Limit once triggered; nought for the market types."""
    time_in_force: TimeInForce = TimeInForce.GTC
    """How long the triggered order may live."""
    working_type: WorkingType = WorkingType.CONTRACT_PRICE
    """The price its trigger watches."""
    reduce_only: bool = False
    """Whether it may only take off a position."""
    close_position: bool = False
    """Whether it takes whatever position there is when it triggers."""
    price_protect: bool = False
    """Kept and shown; the simulated mark never parts far enough for it to act."""
    activate_price: Decimal = ZERO
    """Where a trailing stop begins to follow; nought for at once."""
    callback_rate_percent: Decimal = ZERO
    """Recoil that sets a trailing stop off."""
    kind: str = ""
    """The venue's own word for what it is, where ``order_type`` does not tell."""
    group: str = ""
    """Conditional orders of one group cancel each other: when one goes, none of the others stays."""
    ends_with_position: bool = False
    """Whether the venue takes it back once there is no position for it to close."""
    attached: tuple[AlgoRequest, ...] = ()
    """Conditional orders that come into being with the first fill after its trigger."""


@dataclass(slots=True)
class Order:
    """An order the venue has accepted."""

    order_id: int
    """The venue's number."""
    request: OrderRequest
    """What was asked for."""
    quantity: Decimal
    """What may fill: less than asked for when reduce-only shrank it."""
    created_ms: int
    """Wall time of acceptance."""
    updated_ms: int
    """Wall time of the last change."""
    status: OrderStatus = OrderStatus.NEW
    """Where it is in its life."""
    filled_quantity: Decimal = ZERO
    """Base asset filled so far."""
    filled_cost: Decimal = ZERO
    """Quote asset of the fills so far."""
    held_until_ms: int = 0
    """Wall time before which a fault keeps the order from matching."""
    algo_id: int | None = None
    """The conditional order this one came from."""
    seen_sequence: int = 0
    """The last price move that it has met."""
    fill_places: list[int] = field(default_factory=list)
    """Where its trades stand among those of the account."""

    @property
    def remaining(self) -> Decimal:
        """Quantity still to be filled."""
        return self.quantity - self.filled_quantity

    @property
    def is_open(self) -> bool:
        """Whether the order may still fill."""
        return self.status in {OrderStatus.NEW, OrderStatus.PARTIALLY_FILLED}

    @property
    def average_price(self) -> Decimal:
        """Volume-weighted fill price, nought when nothing filled."""
        return self.filled_cost / self.filled_quantity if self.filled_quantity else ZERO

    def close(self, status: OrderStatus, now_ms: int) -> None:
        """End the order's life in ``status``."""
        self.status = status
        self.updated_ms = now_ms


@dataclass(slots=True)
class AlgoOrder:
    """A conditional order the algo service holds."""

    algo_id: int
    """The algo service's number."""
    request: AlgoRequest
    """What was asked for."""
    created_ms: int
    """Wall time of acceptance."""
    updated_ms: int
    """Wall time of the last change."""
    status: AlgoStatus = AlgoStatus.NEW
    """Where it is in its life."""
    trigger_ms: int = 0
    """Wall time of its trigger; nought before."""
    actual_order_id: int | None = None
    """The ordinary order it became."""
    extreme_price: Decimal = ZERO
    """Best price seen since a trailing stop became active; nought while it is not."""

    @property
    def is_open(self) -> bool:
        """Whether the order still waits for its trigger."""
        return self.status is AlgoStatus.NEW


@dataclass(frozen=True, slots=True)
class Fill:
    """One trade of one order."""

    trade_id: int
    """The venue's number."""
    order_id: int
    """Order it belongs to."""
    client_order_id: str
    """That order's client id."""
    symbol: str
    """Contract."""
    side: Side
    """Direction."""
    price: Decimal
    """Price of the trade."""
    quantity: Decimal
    """Base asset traded."""
    realized_pnl: Decimal
    """Profit taken by it."""
    commission: Decimal
    """Fee paid in the quote asset."""
    is_maker: bool
    """Whether the order rested."""
    time_ms: int
    """Wall time of the trade."""


@dataclass(frozen=True, slots=True)
class Income:
    """One booking on the wallet; their sum is the wallet."""

    income_id: int
    """The venue's number."""
    kind: str
    """What for, in the words of the venue."""
    amount: Decimal
    """Signed change of the wallet."""
    time_ms: int
    """Wall time of the booking."""
    symbol: str = ""
    """Contract, if of one."""
    trade_id: int | None = None
    """Trade, if from one."""


@dataclass(slots=True)
class Counters:
    """The next number of each series of an exchange."""

    order_id: int = 1_000_001
    """Next order."""
    algo_id: int = 2_000_001
    """Next conditional order."""
    trade_id: int = 3_000_001
    """Next trade."""
    income_id: int = 4_000_001
    """Next booking."""

    def next(self, series: str) -> int:
        """The next number of ``series`` (``order_id``, ``algo_id``, ``trade_id``, ``income_id``)."""
        value: int = getattr(self, series)
        setattr(self, series, value + 1)
        return value
