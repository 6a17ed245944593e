"""The order book around a price. Pure: the same price, seed and sequence give the same book."""

from __future__ import annotations

import random
from dataclasses import dataclass
from decimal import Decimal
from itertools import islice
from typing import TYPE_CHECKING, NamedTuple, overload

if TYPE_CHECKING:
    from collections.abc import Iterator

    from golive_simulator.instruments import Instrument
    from golive_simulator.orders import Side

DEPTH = 1_000
"""Price levels on each side: the deepest book that all venues show."""

TOUCH_VALUE_USDT = 40_000.0
"""Typical value resting at the best price."""

GROWTH_PER_LEVEL = 0.15
"""By how much each further level is larger than the touch."""

LARGEST_GROWTH = 15.0
"""Beyond this growth levels stay as large as they are."""

LEVEL_GAP = 0.00003
"""Typical distance between levels as a part of the price."""

WHOLE = Decimal(1)
"""The part of a book's quantities that is there as a rule."""


class Level(NamedTuple):
    """A price and the quantity that rests there."""

    price: Decimal
    """Price."""
    quantity: Decimal
    """Base asset resting there."""


class Levels:
    """One side of a book, best price first; worked out only as far as somebody looks."""

    def __init__(self, rows: Iterator[Level]) -> None:
        self._rows, self._known = rows, list[Level]()

    def _first(self, count: int) -> list[Level]:
        """The best ``count`` levels, or as many as there are."""
        self._known.extend(islice(self._rows, max(0, count - len(self._known))))
        return self._known[:count]

    @overload
    def __getitem__(self, index: int) -> Level: ...
    @overload
    def __getitem__(self, index: slice) -> list[Level]: ...
    def __getitem__(self, index: int | slice) -> Level | list[Level]:
        """A level counted from the best, or the best few (``[:count]``)."""
        if isinstance(index, slice):
            return self._first(DEPTH if index.stop is None else index.stop)[index]
        return self._first(index + 1)[index]

    def __iter__(self) -> Iterator[Level]:
        """All levels, one after the other."""
        index = 0
        while len(self._first(index + 1)) > index:
            yield self._known[index]
            index += 1


@dataclass(frozen=True, slots=True)
class Book:
    """Both sides, best price first."""

    bids: Levels
    """Buyers."""
    asks: Levels
    """Sellers."""

    def against(self, side: Side) -> Levels:
        """The levels an order of ``side`` would take."""
        return self.asks if side.sign > 0 else self.bids


def ladder(instrument: Instrument, price: Decimal, seed: str, share: Decimal = WHOLE) -> Book:
    """A book whose best bid is ``price`` and whose best ask is one tick above.

    ``share`` is the part of the usual quantities that rests in it: a thin book has less at the same prices.
    """
    return Book(
        bids=Levels(_levels(instrument, price, -1, f"{seed}/bids", share)),
        asks=Levels(_levels(instrument, price + instrument.tick, 1, f"{seed}/asks", share)),
    )


def _levels(
    instrument: Instrument, best: Decimal, direction: int, seed: str, share: Decimal
) -> Iterator[Level]:
    """One side, away from its best price: gaps and sizes grow with the distance."""
    dice = random.Random(seed)  # noqa: S311 - reproducible books, no secret
    price, gap_ticks = best, max(1, int(float(best) * LEVEL_GAP / float(instrument.tick)))
    for index in range(DEPTH):
        if price < instrument.tick:
            return
        growth = min(LARGEST_GROWTH, index * GROWTH_PER_LEVEL)
        value = TOUCH_VALUE_USDT * (1 + growth) * dice.uniform(0.5, 1.5)
        quantity = instrument.round_quantity(Decimal(repr(value)) * share / price)
        yield Level(price, max(quantity, instrument.step))
        price += direction * instrument.tick * dice.randint(1, gap_ticks * 2)
