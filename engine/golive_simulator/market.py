"""Prices as they are now: every contract's place in its candles, its book and its mark.

Shared by the environments. Belongs here: moving along the candles. Does not belong here: accounts.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field, replace
from decimal import Decimal
from functools import cached_property
from itertools import islice
from types import MappingProxyType
from typing import TYPE_CHECKING

from golive_simulator.book import WHOLE, Book, ladder
from golive_simulator.candles import (
    POINTS_PER_CANDLE,
    Candle,
    path_inside,
    random_walk,
    repeated,
    scaled,
    so_far,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from golive_simulator.instruments import Instrument
    from golive_simulator.orders import Side

HISTORY_CANDLES = 1_500
"""Candles that are already past when the simulator starts: a day for the 24-hour ticker and some more."""

KEPT_CANDLES = 20_000
"""Past candles that stay available per contract."""

FUNDING_INTERVAL_SECONDS = 8 * 3600
"""Simulated time between two funding payments."""

FUNDING_RATE = Decimal("0.00010000")
"""Rate that longs pay to shorts at each funding time."""

NO_CANDLES: Mapping[str, Sequence[Candle]] = MappingProxyType({})
"""What is recorded where nothing is."""


@dataclass(slots=True)
class Series:
    """One contract's candles: those past, and how far the present one has come."""

    source: Iterator[Candle]
    """Candles to come."""
    past: deque[Candle] = field(default_factory=lambda: deque(maxlen=KEPT_CANDLES))
    """Candles that are over."""
    scale: float = 1.0
    """Factor that jumps have put on all candles to come."""
    point: int = 0
    """Path point reached in the present candle."""
    current: Candle = field(init=False)
    """The present candle, as it will end."""

    def __post_init__(self) -> None:
        self.past.extend(islice(self.source, HISTORY_CANDLES))
        self.current = self._next_candle()

    def _next_candle(self) -> Candle:
        """The next candle, with the jumps so far."""
        return scaled(next(self.source), self.scale)

    @property
    def price(self) -> float:
        """The price at the present path point."""
        return path_inside(self.current)[self.point]

    def advance(self) -> None:
        """Move to the next path point, into the next candle if need be."""
        if self.point < POINTS_PER_CANDLE - 1:
            self.point += 1
            return
        self.past.append(self.current)
        self.current, self.point = self._next_candle(), 0

    def jump(self, price: float) -> None:
        """Let the present candle end at ``price``; the next ones continue from there."""
        self.scale *= price / self.current.close
        seen = so_far(self.current, self.point + 1)
        high, low = max(seen.high, price), min(seen.low, price)
        self.current = Candle(seen.time_seconds, seen.open, high, low, price, seen.volume)
        self.point = POINTS_PER_CANDLE - 1

    def newest(self, count: int) -> list[Candle]:
        """The last ``count`` candles, the unfinished one included."""
        start = max(0, len(self.past) - count + 1)
        return [*islice(self.past, start, None), so_far(self.current, self.point + 1)]


@dataclass(frozen=True)
class Quote:
    """What a contract costs at one moment. The book is only worked out when somebody looks."""

    instrument: Instrument
    """The contract."""
    last: Decimal
    """Price of the last trade."""
    mark: Decimal
    """Price that margin is counted at."""
    seed: str
    """Decides the book, together with the sequence."""
    sequence: int
    """Number of the price move."""
    time_ms: int
    """Wall time that market data tells."""
    share: Decimal = WHOLE
    """Part of the usual quantities that is in the book."""

    @property
    def bid(self) -> Decimal:
        """Best price a seller gets."""
        return self.last

    @property
    def ask(self) -> Decimal:
        """Best price a buyer pays."""
        return self.last + self.instrument.tick

    def best_opposite(self, side: Side) -> Decimal:
        """The best price an order of ``side`` would take."""
        return self.ask if side.sign > 0 else self.bid

    @cached_property
    def book(self) -> Book:
        """Both sides around the last price."""
        seed = f"{self.seed}/{self.instrument.symbol}/{self.sequence}"
        return ladder(self.instrument, self.last, seed, self.share)


class Market:
    """All contracts' prices, moved together along their candles.

    ``instruments`` have candles of their own; the ``variants`` are the same contracts under a venue's other
    names and on its other grid, and follow the candles of their pair. ``contracts`` are both. A pair without
    ``recorded`` candles walks at random.
    """

    def __init__(
        self,
        instruments: Mapping[str, Instrument],
        seed: int,
        recorded: Mapping[str, Sequence[Candle]] = NO_CANDLES,
        variants: Mapping[str, Instrument] | None = None,
    ) -> None:
        self.instruments = instruments
        self.variants = variants or {}
        self.contracts = {**instruments, **self.variants}
        self.seed = seed
        self.sequence = 1
        self.moved_ms = 0
        self.frozen: dict[str, Quote] = {}
        self._shares: dict[str, Decimal] = {}
        self._mark_ratio: dict[str, Decimal] = {}
        self._quotes: dict[str, Quote] = {}
        self.series = {
            symbol: Series(_source(instrument, seed, recorded)) for symbol, instrument in instruments.items()
        }

    def source(self, symbol: str) -> str:
        """Whose candles a contract follows: its own, or those of its pair."""
        return symbol if symbol in self.series else self.contracts[symbol].pair

    @property
    def simulated_seconds(self) -> int:
        """Simulated time of the present candle."""
        return next(iter(self.series.values())).current.time_seconds

    def advance(self, now_ms: int) -> None:
        """Move every contract one path point on."""
        for series in self.series.values():
            series.advance()
        self._moved(now_ms)

    def set_price(self, symbol: str, price: Decimal, mark: Decimal | None, now_ms: int) -> None:
        """Let a contract jump to ``price``; its mark follows unless ``mark`` says otherwise."""
        self.series[symbol].jump(float(price))
        self._mark_ratio[symbol] = mark / price if mark else Decimal(1)
        self._moved(now_ms)

    def _moved(self, now_ms: int) -> None:
        """Tell that prices are new."""
        self.sequence += 1
        self.moved_ms = now_ms
        self._quotes.clear()

    def quote(self, symbol: str) -> Quote:
        """The present prices of a contract, the ones orders meet."""
        found = self._quotes.get(symbol)
        if found is None:
            found = self._quotes[symbol] = self._compute(symbol)
        return found

    def shown(self, symbol: str, now_ms: int) -> Quote:
        """The prices market data shows: the present ones, unless they were frozen."""
        if symbol in self.frozen:
            return self.frozen[symbol]
        return replace(self.quote(symbol), time_ms=now_ms)

    def thin(self, symbol: str, share: Decimal) -> None:
        """Leave only a part of the usual quantities in a contract's book; one is the whole of them."""
        self._shares[symbol] = share
        self._quotes.pop(symbol, None)

    def _compute(self, symbol: str) -> Quote:
        """The present prices of a contract."""
        instrument, source = self.contracts[symbol], self.source(symbol)
        last = instrument.round_price(self.series[source].price)
        mark = (last * self._mark_ratio.get(source, Decimal(1))).quantize(Decimal("0.00000001"))
        share = self._shares.get(symbol, WHOLE)
        return Quote(instrument, last, mark, str(self.seed), self.sequence, self.moved_ms, share)

    def mark(self, symbol: str) -> Decimal:
        """The price that margin is counted at."""
        return self.quote(symbol).mark


def _source(instrument: Instrument, seed: int, recorded: Mapping[str, Sequence[Candle]]) -> Iterator[Candle]:
    """A contract's candles: those recorded of its pair again and again, or its pair's own walk."""
    if instrument.pair in recorded:
        return repeated(recorded[instrument.pair])
    return random_walk(f"{seed}/{instrument.pair}", float(instrument.start_price))
