"""Strategies: pure functions from what they are shown to what they want."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import IntEnum
from typing import Protocol

from golive_engine.settings import AccountSettings, Settings, StrategySettings
from golive_engine.trading import ZERO, Instrument, Intent, Quote, Side


@dataclass(frozen=True, slots=True)
class View:
    """Everything that a strategy is shown of one symbol, at one moment."""

    symbol: str
    """Which instrument."""
    closes: Sequence[Decimal]
    """Closing prices of finished one-minute candles, oldest first."""
    position: Decimal
    """What the account holds, signed."""
    instrument: Instrument
    """As the venue lists it."""
    quote: Quote
    """Best prices."""
    sentiment: Decimal | None = None
    """From -1, all fear, to 1, all greed; None without a feed, and whenever the feed has no answer."""


class Strategy(Protocol):
    """Wants orders; whether one is sent is for others to decide."""

    @property
    def name(self) -> str:
        """What accounts call it."""

    @property
    def symbols(self) -> tuple[str, ...]:
        """What it trades."""

    @property
    def closes(self) -> int:
        """How many closing prices it has to be shown."""

    def intent(self, view: View) -> Intent | None:
        """What it wants now, None if nothing."""


class Direction(IntEnum):
    """Which way a strategy wants to be positioned."""

    SHORT = -1
    NONE = 0
    LONG = 1


@dataclass(frozen=True, slots=True)
class BaselinePerpsStrategy:
    """Long while the short moving average is above the long one, short while below (default: 5 and 20 closes).

    Level-based: as long as a position differs from its target there is an intent, however often it was
    denied. A position on the wrong side is closed first, reduce-only, and turned in a later cycle.
    Sentiment is shown to it and ignored: it trades the same with a feed and without.
    """

    name: str
    """What accounts call it."""
    symbols: tuple[str, ...]
    """What it trades."""
    short_ma: int
    """Closes in the short moving average."""
    long_ma: int
    """Closes in the long moving average."""
    quantities: Mapping[str, Decimal]
    """Size of a full position by symbol, in base currency."""
    notional: Decimal | None
    """Size of a full position in quote currency, for symbols without a quantity."""
    stop_percent: Decimal
    """How far from the price the stop loss of a new position will rest."""

    @property
    def closes(self) -> int:
        """As many as the long moving average is made of."""
        return self.long_ma

    def direction(self, closes: Sequence[Decimal]) -> Direction:
        """What the averages say; NONE without enough closes."""
        if len(closes) < self.long_ma:
            return Direction.NONE
        short = sum(closes[-self.short_ma :], ZERO) / self.short_ma
        long = sum(closes[-self.long_ma :], ZERO) / self.long_ma
        return Direction((short > long) - (short < long))

    def intent(self, view: View) -> Intent | None:
        """The order that brings a position closer to its target, None if it is there or nothing is wanted."""
        direction = self.direction(view.closes)
        if direction is Direction.NONE:
            return None
        side = Side.BUY if direction is Direction.LONG else Side.SELL
        if view.position * direction < ZERO:
            return Intent(view.symbol, side, abs(view.position), reduce_only=True, strategy=self.name)
        missing = self._missing(view)
        if missing < view.instrument.min_quantity:
            return None
        return Intent(view.symbol, side, missing, strategy=self.name, stop_percent=self.stop_percent)

    def _missing(self, view: View) -> Decimal:
        """What is left to buy or sell until the position is full, on the lot size."""
        held = abs(view.position)
        fixed = self.quantities.get(view.symbol)
        if fixed is not None:
            return max(fixed - held, ZERO)
        if held or self.notional is None:
            return ZERO
        lots = (self.notional / view.quote.middle) // view.instrument.lot_size
        return lots * view.instrument.lot_size


def _baseline(settings: StrategySettings, symbols: tuple[str, ...]) -> Strategy:
    """BaselinePerpsStrategy as the settings want it."""
    return BaselinePerpsStrategy(
        settings.name,
        symbols,
        settings.short_ma,
        settings.long_ma,
        {symbol: Decimal(quantity) for symbol, quantity in settings.quantity.items()},
        Decimal(settings.notional) if settings.notional else None,
        settings.stop_loss_percent,
    )


KINDS: Mapping[str, Callable[[StrategySettings, tuple[str, ...]], Strategy]] = {"baseline-perps": _baseline}
"""How each kind of strategy is made of its settings and symbols."""


def strategies_of(settings: Settings, account: AccountSettings) -> tuple[Strategy, ...]:
    """The strategies that may trade an account; no symbol belongs to two of them."""
    mapped = settings.strategies_of(account)
    return tuple(KINDS[strategy.kind](strategy, settings.symbols_of(strategy)) for strategy in mapped)
