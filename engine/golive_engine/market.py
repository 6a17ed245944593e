"""What is known of a venue's market: instruments, leverage, prices and their age."""

from typing import TYPE_CHECKING

from golive_engine.clock import Clock
from golive_engine.settings import Settings
from golive_engine.trading import Instrument, Quote, UnavailableError, Venue

if TYPE_CHECKING:
    from decimal import Decimal


class Market:
    """One venue's market, as of the last look."""

    def __init__(self, venue: Venue, clock: Clock) -> None:
        self._venue = venue
        self._clock = clock
        self.instruments: dict[str, Instrument] = {}
        self.leverages: dict[str, Decimal] = {}
        self.quotes: dict[str, Quote] = {}
        self._venue_time = 0.0
        self._heard = 0.0

    async def open(self, settings: Settings) -> None:
        """Read the instruments and set each traded symbol's leverage, once.

        Raises:
            UnavailableError: The venue did not answer, or does not list a symbol of the settings.
        """
        if not self.instruments:
            self.instruments = await self._venue.instruments()
        missing = [symbol for symbol in settings.symbols if symbol not in self.instruments]
        if missing:
            raise UnavailableError(f"the venue does not list {', '.join(missing)}")
        for symbol in settings.symbols:
            if symbol not in self.leverages:
                self.leverages[symbol] = await self._venue.set_leverage(symbol, settings.venue.leverage)

    async def look(self, symbols: frozenset[str]) -> None:
        """Read prices, and the venue's clock that they are dated by."""
        asked = self._clock.monotonic()
        self._venue_time = await self._venue.server_time()
        self._heard = asked
        self.quotes = await self._venue.quotes(symbols)

    def ages(self) -> dict[str, float]:
        """Seconds since each quote was true: by the venue's clock until it was asked, by ours since."""
        now = self._venue_time + self._clock.monotonic() - self._heard
        return {symbol: now - quote.time for symbol, quote in self.quotes.items()}
