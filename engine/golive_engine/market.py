"""What is known of one venue's market: instruments, leverage, prices, closes, depth, and how old each is."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from decimal import Decimal
from typing import TypeVar

from golive_engine.clock import Clock
from golive_engine.trading import Depth, Instrument, Quote, UnavailableError, Venue

AT_ONCE = 8
"""Requests to one venue that run side by side."""

DEPTH_PERCENT = Decimal(1)
"""How far from the middle an order book counts as near."""

Closes = Callable[[str, int], Awaitable[tuple[Decimal, ...]]]
"""Symbol and count to closing prices."""

_T = TypeVar("_T")


class Market:
    """One venue's market, as of the last look.

    Args:
        venue: Whose.
        clock: Both clocks.
        closes: Where closing prices come from; the venue itself, or a cache before it.
    """

    def __init__(self, venue: Venue, clock: Clock, closes: Closes) -> None:
        self._venue = venue
        self._clock = clock
        self._closes = closes
        self.instruments: dict[str, Instrument] = {}
        self.leverages: dict[str, Decimal] = {}
        self.quotes: dict[str, Quote] = {}
        self.prices: dict[str, Decimal] = {}
        self.closes: dict[str, tuple[Decimal, ...]] = {}
        self.depths: dict[str, Depth] = {}
        self.skew_seconds: float | None = None
        self._venue_time = 0.0
        self._heard = 0.0

    async def close(self) -> None:
        """Let go of the venue, and of its stream if there is one."""
        await self._venue.close()

    async def open(self, symbols: tuple[str, ...], leverage: int) -> None:
        """Read the instruments and set each traded symbol's leverage, once.

        Raises:
            UnavailableError: The venue did not answer, or does not list a symbol.
        """
        if not self.instruments:
            self.instruments = await self._venue.instruments()
        missing = [symbol for symbol in symbols if symbol not in self.instruments]
        if missing:
            raise UnavailableError(f"{self._venue.name} does not list {', '.join(missing)}")

        async def leveraged(symbol: str) -> Decimal:
            return await self._venue.set_leverage(symbol, leverage)

        unset = [symbol for symbol in symbols if symbol not in self.leverages]
        self.leverages |= await _side_by_side(unset, leveraged)

    async def look(self, symbols: frozenset[str]) -> None:
        """Read prices, and the venue's clock that they are dated by."""
        self.quotes, self.prices = {}, {}
        asked, wall = self._clock.monotonic(), self._clock.wall()
        self._venue_time = await self._venue.server_time()
        travelled = self._clock.monotonic() - asked
        # The answer was made somewhere between question and arrival: half of the way is the best guess.
        self.skew_seconds = self._venue_time - (wall + travelled / 2)
        self._heard = asked
        self.quotes = await self._venue.quotes(symbols)
        self.prices = {symbol: quote.middle for symbol, quote in self.quotes.items()}

    async def look_back(self, symbols: Iterable[str], count: int) -> None:
        """Read the closes of every symbol."""

        async def closes(symbol: str) -> tuple[Decimal, ...]:
            return await self._closes(symbol, count)

        self.closes = {}
        self.closes = await _side_by_side(symbols, closes)

    async def look_deep(self, symbols: Iterable[str]) -> None:
        """Read every order book."""

        async def depth(symbol: str) -> Depth:
            return await self._venue.depth(symbol, DEPTH_PERCENT)

        self.depths = await _side_by_side(symbols, depth)

    def ages(self) -> dict[str, float]:
        """Seconds since each quote was true: by the venue's clock until it was asked, by ours since."""
        now = self._now()
        return {symbol: now - quote.time for symbol, quote in self.quotes.items()}

    def depth_ages(self) -> dict[str, float]:
        """Seconds since each book looked so."""
        now = self._now()
        return {symbol: now - depth.time for symbol, depth in self.depths.items()}

    def _now(self) -> float:
        """The venue's time."""
        return self._venue_time + self._clock.monotonic() - self._heard


async def _side_by_side(symbols: Iterable[str], ask: Callable[[str], Awaitable[_T]]) -> dict[str, _T]:
    """The answer for each symbol, a few requests at a time; raises what the first failing one raises."""
    free = asyncio.Semaphore(AT_ONCE)

    async def one(symbol: str) -> tuple[str, _T]:
        async with free:
            return symbol, await ask(symbol)

    tasks = [asyncio.ensure_future(one(symbol)) for symbol in symbols]
    try:
        return dict(await asyncio.gather(*tasks))
    finally:
        for task in tasks:
            task.cancel()
