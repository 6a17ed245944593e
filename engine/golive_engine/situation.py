"""What the RiskGate's decisions rest on: limits, exposures, and the whole situation at one moment. Pure."""

from collections.abc import Container, Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal

from golive_api.golive import RiskState
from golive_api.profiles import Limits
from golive_api.reasons import Reason
from golive_engine.trading import ZERO, Depth, Instrument, Quote

_HUNDREDTH = Decimal("0.01")
"""One percent."""


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
    weekly_loss_percent: Decimal
    """Of the equity on Monday at 00:00 UTC."""
    drawdown_percent: Decimal
    """Of the highest equity."""
    trade_risk_percent: Decimal
    """Loss of one order at its stop, of equity."""
    correlated_exposure_percent: Decimal
    """Symbols that move together, of equity."""
    price_deviation_percent: Decimal
    """An order's price off the market."""
    price_move_percent: Decimal
    """The market off its recent median."""
    daily_trades: int
    """Orders that bring new risk."""
    orders_per_minute: int
    """Orders of any kind."""
    repeated_orders: int
    """Orders with new risk on one symbol and side in ten minutes."""

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
            Decimal(limits.max_weekly_loss_percent),
            Decimal(limits.max_drawdown_percent),
            Decimal(limits.max_trade_risk_percent),
            Decimal(limits.max_correlated_exposure_percent),
            Decimal(limits.max_price_deviation_percent),
            Decimal(limits.max_price_move_percent),
            limits.max_daily_trades,
            limits.max_orders_per_minute,
            limits.max_repeated_orders,
        )

    def shrunk(self, percent: Decimal) -> "Bounds":
        """The same with only a share of the notional that one symbol may have."""
        return replace(self, position_notional=_share(self.position_notional, percent))


NO_BOUNDS = Bounds(ZERO, 0, ZERO, ZERO, ZERO, ZERO, ZERO, ZERO, ZERO, ZERO, ZERO, ZERO, 0, 0, 0)
"""What an account without limits may do: nothing."""


@dataclass(frozen=True, slots=True)
class Exposure:
    """One symbol: its position, and what in-flight, resting and unknown orders may still add on each side."""

    position: Decimal
    """Signed, from fills that are in the journal."""
    buying: Decimal = ZERO
    """What unsettled buy orders may still fill."""
    selling: Decimal = ZERO
    """What unsettled sell orders may still fill."""
    elsewhere: Decimal = ZERO
    """Largest absolute position of the symbol on the account's other venues, which nothing here offsets."""
    reducing: Decimal = ZERO
    """What unsettled reduce-only orders may still fill; stop losses and take profits not counted."""
    longest: Decimal = field(init=False)
    """The position if every buy order fills, with what is elsewhere."""
    shortest: Decimal = field(init=False)
    """The position if every sell order fills, sign turned: one of the two is its largest absolute value."""

    def __post_init__(self) -> None:
        """Add up once what every order is then judged by; an overfilled order has nothing left to fill."""
        object.__setattr__(self, "longest", self.elsewhere + self.position + max(self.buying, ZERO))
        object.__setattr__(self, "shortest", self.elsewhere - self.position + max(self.selling, ZERO))

    @property
    def at_risk(self) -> bool:
        """Whether there is a position, or an order that may make one."""
        return bool(self.position or self.buying or self.selling or self.elsewhere)

    def worst(self) -> Decimal:
        """Largest absolute position if all of one side fills."""
        return self.longest if self.longest > self.shortest else self.shortest  # noqa: FURB136  # twice as fast


@dataclass(slots=True)
class Room:
    """What the limits leave at one moment, in money; zero where anything is unknown, so it lets nothing pass.

    Computed once per situation: the checks compare, and need not ask whether they may.
    """

    bounds: Bounds
    """The limits themselves."""
    exposure: Decimal
    """Largest sum of all worst cases."""
    correlated: Decimal
    """Largest sum of the worst cases of symbols that move together."""
    margin: Decimal
    """What is left for unsettled orders and the next one, on this venue."""
    trade_risk: Decimal
    """What one order may lose until its stop."""
    daily_loss: Decimal
    """What may still be lost today."""
    weekly_loss: Decimal
    """What may still be lost this week."""
    drawdown: Decimal
    """What may still be lost until the drawdown from the peak is too deep."""


@dataclass(frozen=True, slots=True)
class Situation:
    """Everything a decision rests on, at one moment; None means not known, and denies.

    Money is in the account's quote currency, quantities are in base currency.
    """

    gate: Reason | None
    """What the gate answers for this account."""
    leading: bool | None
    """Whether this pod holds the Lease."""
    venue_available: bool | None
    """Whether the venue's circuit breaker lets requests through."""
    clock_skew: float | None
    """Seconds between the venue's clock and ours, absolute."""
    clock_skew_bound: float
    """Seconds above which the two clocks differ too much."""
    strategies: frozenset[str] | None
    """Strategies that may trade the account."""
    dry_run: bool | None
    """Whether nothing may be sent at all."""
    reconciled: bool | None
    """Whether journal and venue agree."""
    stopped: bool | None
    """Whether an emergency stop of the engine's own holds this account."""
    stop_applied: bool | None
    """Whether an EmergencyStop object does."""
    risk_state: RiskState | None
    """Global Risk."""
    equity: Decimal | None
    """Now, with open PnL, on every venue that can be read."""
    day_start_equity: Decimal | None
    """At the first look after 00:00 UTC."""
    week_start_equity: Decimal | None
    """At the first look after Monday 00:00 UTC."""
    peak_equity: Decimal | None
    """The highest ever seen, or since a stop was released."""
    loss_equity: Decimal | None
    """Equity to compare with these three: with the last reading of venues that can't be read."""
    venue_equity: Decimal | None
    """Now, on this venue."""
    margin_used: Decimal | None
    """Now, on this venue, as it tells."""
    instruments: Mapping[str, Instrument]
    """By symbol."""
    prices: Mapping[str, Decimal]
    """Middle of the book by symbol."""
    quotes: Mapping[str, Quote]
    """Best bid and ask by symbol."""
    medians: Mapping[str, Decimal]
    """Median price of the last ten minutes by symbol."""
    depths: Mapping[str, Depth]
    """What the book holds near its middle, by symbol."""
    correlated: Mapping[str, frozenset[str]]
    """By symbol, every other one that moves with it; a symbol that is not here moves with all of them."""
    price_ages: Mapping[str, float]
    """Seconds since each price was true."""
    price_age_bound: float
    """Seconds from which on a price is too old."""
    depth_ages: Mapping[str, float]
    """Seconds since each depth was true."""
    depth_age_bound: float
    """Seconds from which on a depth is too old."""
    exposures: Mapping[str, Exposure]
    """Symbols with a position or an unsettled order."""
    leverages: Mapping[str, Decimal]
    """As the venue confirmed when it was set."""
    bounds: Bounds | None
    """The limits that hold for this account."""
    trades_today: int | None
    """Orders since 00:00 UTC that brought new risk, unsettled ones included."""
    orders_last_minute: int | None
    """Orders of any kind in the last 60 seconds."""
    locked_symbols: frozenset[str] | None
    """Symbols that repeated orders have locked."""
    unknown_symbols: frozenset[str] | None
    """Symbols on which an order's outcome is unknown."""
    unknown_elsewhere: frozenset[str] | None
    """Symbols whose position on another venue of the account is not known; None if none of them is."""
    sent_ids: Container[str] | None
    """Client order ids that were ever used."""
    valued: bool = field(init=False)
    """Whether each symbol at risk has a price."""
    notionals: Mapping[str, Decimal] = field(init=False)
    """Worst case of each symbol at risk, at its price."""
    gross_notional: Decimal = field(init=False)
    """Sum of all of them."""
    room: Room = field(init=False)
    """What the limits leave."""

    def __post_init__(self) -> None:
        """Add up once what several checks compare with."""
        at_risk = [symbol for symbol, exposure in self.exposures.items() if exposure.at_risk]
        notionals = {
            symbol: self.exposures[symbol].worst() * self.prices[symbol]
            for symbol in at_risk
            if self.prices.get(symbol, ZERO) > ZERO
        }
        object.__setattr__(self, "valued", len(notionals) == len(at_risk))
        object.__setattr__(self, "notionals", notionals)
        object.__setattr__(self, "gross_notional", sum(notionals.values(), ZERO))
        object.__setattr__(self, "room", _room(self))


@dataclass(slots=True)  # not frozen, which would triple what a denial costs
class Denial:
    """Why an order may not be sent, with the values that decided."""

    reason: Reason
    """Which objection."""
    values: tuple[tuple[str, object], ...] = ()
    """What was compared, in the order in which a person reads it."""


def _room(now: Situation) -> Room:
    """What is left of each limit."""
    bounds, equity, used = now.bounds or NO_BOUNDS, now.equity or ZERO, now.margin_used
    return Room(
        bounds,
        exposure=_share(equity, bounds.exposure_percent),
        correlated=_share(equity, bounds.correlated_exposure_percent),
        margin=ZERO if used is None else _share(now.venue_equity or ZERO, bounds.margin_percent) - used,
        trade_risk=_share(equity, bounds.trade_risk_percent),
        daily_loss=_loss_left(now.day_start_equity, now.loss_equity, bounds.daily_loss_percent),
        weekly_loss=_loss_left(now.week_start_equity, now.loss_equity, bounds.weekly_loss_percent),
        drawdown=_loss_left(now.peak_equity, now.loss_equity, bounds.drawdown_percent),
    )


def _share(whole: Decimal, percent: Decimal) -> Decimal:
    """A share of something."""
    return whole * percent * _HUNDREDTH


def _loss_left(start: Decimal | None, equity: Decimal | None, percent: Decimal) -> Decimal:
    """What may still be lost; nothing if it is not known what there was, or what there is."""
    if start is None or equity is None or start <= ZERO:
        return ZERO
    return equity - start + start * percent * _HUNDREDTH
