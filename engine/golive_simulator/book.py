"""The order book around a price. Pure: the same price, seed and sequence give the same book."""

from __future__ import annotations

import random
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from golive_simulator.instruments import Instrument
    from golive_simulator.orders import Side

DEPTH = 100
"""Price levels on each side."""

TOUCH_VALUE_USDT = 40_000.0
"""Typical value resting at the best price."""

GROWTH_PER_LEVEL = 0.15
"""By how much each further level is larger than the touch."""

LEVEL_GAP = 0.00003
"""Typical distance between levels as a part of the price."""


class Level(NamedTuple):
    """A price and the quantity that rests there."""

    price: Decimal
    """Price."""
    quantity: Decimal
    """Base asset resting there."""


@dataclass(frozen=True, slots=True)
class Book:
    """Both sides, best price first."""

    bids: tuple[Level, ...]
    """Buyers."""
    asks: tuple[Level, ...]
    """Sellers."""

    def against(self, side: Side) -> tuple[Level, ...]:
        """The levels an order of ``side`` would take."""
        return self.asks if side.sign > 0 else self.bids


def ladder(instrument: Instrument, price: Decimal, seed: str) -> Book:
    """A book whose best bid is ``price`` and whose best ask is one tick above."""
    dice = random.Random(seed)  # noqa: S311 - reproducible books, no secret
    return Book(
        bids=_levels(instrument, price, -1, dice),
        asks=_levels(instrument, price + instrument.tick, 1, dice),
    )


def _levels(instrument: Instrument, best: Decimal, direction: int, dice: random.Random) -> tuple[Level, ...]:
    """One side, away from its best price: gaps and sizes grow with the distance."""
    rows: list[Level] = []
    price = best
    gap_ticks = max(1, int(float(best) * LEVEL_GAP / float(instrument.tick)))
    for index in range(DEPTH):
        if price < instrument.tick:
            break
        value = TOUCH_VALUE_USDT * (1 + index * GROWTH_PER_LEVEL) * dice.uniform(0.5, 1.5)
        quantity = instrument.round_quantity(Decimal(repr(value)) / price)
        rows.append(Level(price, max(quantity, instrument.step)))
        price += direction * instrument.tick * dice.randint(1, gap_ticks * 2)
    return tuple(rows)
