"""Strategies: pure functions from prices and positions to intents."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import IntEnum
from typing import Self

from golive_engine.settings import StrategySettings
from golive_engine.trading import ZERO, Instrument, Intent, Quote, Side


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
    """

    short_ma: int
    long_ma: int
    quantities: Mapping[str, Decimal]
    notional: Decimal | None

    @classmethod
    def of(cls, settings: StrategySettings) -> Self:
        """As the settings want it."""
        quantities = {symbol: Decimal(quantity) for symbol, quantity in settings.quantity.items()}
        notional = Decimal(settings.notional) if settings.notional else None
        return cls(settings.short_ma, settings.long_ma, quantities, notional)

    def direction(self, closes: Sequence[Decimal]) -> Direction:
        """What the averages say; NONE without enough closes."""
        if len(closes) < self.long_ma:
            return Direction.NONE
        short = sum(closes[-self.short_ma :], ZERO) / self.short_ma
        long = sum(closes[-self.long_ma :], ZERO) / self.long_ma
        return Direction((short > long) - (short < long))

    def intent(
        self, closes: Sequence[Decimal], position: Decimal, instrument: Instrument, quote: Quote
    ) -> Intent | None:
        """The order that brings a position closer to its target, None if it is there or nothing is wanted."""
        direction = self.direction(closes)
        if direction is Direction.NONE:
            return None
        side = Side.BUY if direction is Direction.LONG else Side.SELL
        if position * direction < ZERO:
            return Intent(instrument.symbol, side, abs(position), reduce_only=True)
        missing = self._missing(abs(position), instrument, quote)
        if missing < instrument.min_quantity:
            return None
        return Intent(instrument.symbol, side, missing)

    def _missing(self, held: Decimal, instrument: Instrument, quote: Quote) -> Decimal:
        """What is left to buy or sell until the position is full, on the lot size."""
        fixed = self.quantities.get(instrument.symbol)
        if fixed is not None:
            return max(fixed - held, ZERO)
        if held or self.notional is None:
            return ZERO
        lots = (self.notional / quote.middle) // instrument.lot_size
        return lots * instrument.lot_size
