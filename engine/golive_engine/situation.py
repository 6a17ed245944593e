"""What the RiskGate's decisions rest on: limits, exposures, and the whole situation at one moment. Pure."""

from collections.abc import Container, Mapping
from dataclasses import dataclass, field
from decimal import Decimal

from golive_api.golive import RiskState
from golive_api.profiles import Limits
from golive_api.reasons import Reason
from golive_engine.trading import ZERO, Instrument, Side

_BUY = Side.BUY
"""Read once: Python 3.11 runs a Python function for each `Side.BUY`."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """Profile limits as numbers."""

    position_notional: Decimal
    """Of one symbol, absolute."""
    positions: int
    """Symbols at the same time."""
    leverage: Decimal
    """As set on the venue."""
    exposure_percent: Decimal
    """All symbols together, of equity."""
    margin_percent: Decimal
    """Of equity."""
    daily_loss_percent: Decimal
    """Of the equity at 00:00 UTC."""
    daily_trades: int
    """Orders that bring new risk."""

    @classmethod
    def of(cls, limits: Limits) -> "Bounds":
        """Read the decimal text once, not at every order."""
        return cls(
            Decimal(limits.max_position_notional),
            limits.max_positions,
            Decimal(limits.max_leverage),
            Decimal(limits.max_exposure_percent),
            Decimal(limits.max_margin_percent),
            Decimal(limits.max_daily_loss_percent),
            limits.max_daily_trades,
        )


@dataclass(frozen=True, slots=True)
class Exposure:
    """One symbol: its position, and what in-flight, resting and unknown orders may still add on each side."""

    position: Decimal
    """Signed, from fills that are in the journal."""
    buying: Decimal = ZERO
    """What unsettled buy orders may still fill."""
    selling: Decimal = ZERO
    """What unsettled sell orders may still fill."""
    longest: Decimal = field(init=False)
    """The position if every buy order fills."""
    shortest: Decimal = field(init=False)
    """The position if every sell order fills, sign turned: one of the two is its largest absolute value."""

    def __post_init__(self) -> None:
        """Add up once what every order is then judged by; an overfilled order has nothing left to fill."""
        object.__setattr__(self, "longest", self.position + max(self.buying, ZERO))
        object.__setattr__(self, "shortest", max(self.selling, ZERO) - self.position)

    @property
    def at_risk(self) -> bool:
        """Whether there is a position, or an order that may make one."""
        return bool(self.position or self.buying or self.selling)

    def worst(self) -> Decimal:
        """Largest absolute position if all of one side fills."""
        return self.longest if self.longest > self.shortest else self.shortest  # noqa: FURB136  # twice as fast

    def worst_with(self, side: Side, quantity: Decimal) -> Decimal:
        """The same with one more order."""
        longest, shortest = self.longest, self.shortest
        if side is _BUY:
            longest += quantity
        else:
            shortest += quantity
        return longest if longest > shortest else shortest  # noqa: FURB136  # twice as fast


@dataclass(frozen=True, slots=True)
class Situation:
    """Everything a decision rests on, at one moment; None means not known, and denies.

    Money is in the account's quote currency, quantities are in base currency.
    """

    gate: Reason | None
    """What the gate answers for this account."""
    leading: bool | None
    """Whether this pod holds the Lease."""
    reconciled: bool | None
    """Whether journal and venue agree."""
    stopped: bool | None
    """Whether an emergency stop holds this account."""
    risk_state: RiskState | None
    """Global Risk."""
    equity: Decimal | None
    """Now, with open PnL."""
    day_start_equity: Decimal | None
    """At the first look after 00:00 UTC."""
    margin_used: Decimal | None
    """Now, as the venue tells."""
    instruments: Mapping[str, Instrument]
    """By symbol."""
    prices: Mapping[str, Decimal]
    """Middle of the book by symbol."""
    price_ages: Mapping[str, float]
    """Seconds since each price was true."""
    price_age_bound: float
    """Seconds from which on a price is too old."""
    exposures: Mapping[str, Exposure]
    """Symbols with a position or an unsettled order."""
    gross_notional: Decimal | None
    """Sum of all worst cases, None if one can't be valued."""
    leverages: Mapping[str, Decimal]
    """As the venue confirmed when it was set."""
    bounds: Bounds | None
    """The limits that hold for this account."""
    trades_today: int | None
    """Orders since 00:00 UTC that brought new risk, unsettled ones included."""
    unknown_symbols: frozenset[str] | None
    """Symbols on which an order's outcome is unknown."""
    sent_ids: Container[str] | None
    """Client order ids that were ever used."""


@dataclass(slots=True)  # not frozen, which would triple what a denial costs
class Denial:
    """Why an order may not be sent, with the values that decided."""

    reason: Reason
    """Which objection."""
    values: tuple[tuple[str, object], ...] = ()
    """What was compared, in the order in which a person reads it."""


def gross_notional(exposures: Mapping[str, Exposure], prices: Mapping[str, Decimal]) -> Decimal | None:
    """Sum of all worst cases, None if one of them has no price."""
    total = ZERO
    for symbol, exposure in exposures.items():
        price = prices.get(symbol)
        if price is None:
            return None
        total += exposure.worst() * price
    return total
