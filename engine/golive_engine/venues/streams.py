"""Prices over WebSocket, through ccxt.pro as it is; REST answers for whatever is not fresh."""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Literal

import ccxt.pro

from golive_engine.clock import Clock
from golive_engine.settings import VenueSettings
from golive_engine.trading import Quote, Venue, VenueName
from golive_engine.transport import open_session
from golive_engine.venues.connection import Environment

if TYPE_CHECKING:
    from aiohttp import ClientSession

FIRST_DELAY_SECONDS = 0.5
"""Wait before the first new try after a failure; doubles up to the last, and starts anew with any price."""

LAST_DELAY_SECONDS = 30.0
"""Longest wait between two tries."""

SILENCE_SECONDS = 15.0
"""A connection that tells nothing for so long is given up; longer than the library waits for a new one."""

OPTIONS: dict[VenueName, dict[str, Any]] = {
    "binanceusdm": {"fetchCurrencies": False},
    "bybit": {"fetchMarkets": {"types": ["linear"]}},
    "okx": {"fetchMarkets": {"types": ["swap"]}},
}
"""What keeps the library from reading more of a venue than its perpetuals."""

QUOTE_ASSET = "USDT"
"""Contracts are quoted and settled in it."""

Source = Literal["stream", "rest"]
"""Where a price came from."""

Told = Callable[[Source, dict[str, float]], None]
"""Hears after each look where prices came from, and by symbol how many seconds ago."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Heard:
    """The last that was heard of a symbol."""

    ticker: dict[str, Any]
    """As the library keeps it; a new one for every message."""
    quote: Quote | None
    """None where there are no prices in it."""
    at: float
    """By our monotonic clock."""


class QuoteStream:
    """Listens to one venue's best prices for ever; whatever goes wrong there only makes prices missing.

    A connection has a client of its own, and takes all it told with it when it ends: nobody knows what was
    missed. ``reconnects`` counts those that ended or never stood.

    Args:
        name: Which venue.
        environment: Which of its exchanges.
        settings: How to reach it.
        clock: Tells when a price was heard.
        silence_seconds: When a silent connection is given up.
        on_reconnect: Told of each connection that ended or never stood.
    """

    def __init__(
        self,
        name: VenueName,
        environment: Environment,
        settings: VenueSettings,
        clock: Clock,
        silence_seconds: float = SILENCE_SECONDS,
        on_reconnect: Callable[[], None] = lambda: None,
    ) -> None:
        self._name = name
        self._environment = environment
        self._settings = settings
        self._clock = clock
        self._silence_seconds = silence_seconds
        self._on_reconnect = on_reconnect
        self._wanted: frozenset[str] = frozenset()
        self._heard: dict[str, _Heard] = {}
        self._task: asyncio.Task[None] | None = None
        self._session: ClientSession | None = None
        self._closing: set[asyncio.Task[None]] = set()
        self._known: Any = None
        self._delay = FIRST_DELAY_SECONDS
        self.reconnects = 0

    def want(self, symbols: frozenset[str]) -> None:
        """Listen to these symbols too, from now on; starts what does not run."""
        if self._task is not None:
            if symbols <= self._wanted and not self._task.done():
                return
            self._task.cancel()
        self._wanted |= symbols
        self._known = None
        self._task = asyncio.create_task(self._run(), name=f"prices of {self._name}")

    def quotes(self, symbols: frozenset[str], now: float, bound_seconds: float) -> dict[str, Quote]:
        """The prices that were heard no longer ago than the bound; ``now`` is monotonic."""
        heard = {symbol: self._heard[symbol] for symbol in symbols & self._heard.keys()}
        return {
            symbol: entry.quote
            for symbol, entry in heard.items()
            if entry.quote is not None and now - entry.at <= bound_seconds
        }

    def ages(self, now: float) -> dict[str, float]:
        """Seconds since each symbol was last heard of; ``now`` is monotonic."""
        return {symbol: now - entry.at for symbol, entry in self._heard.items()}

    async def close(self) -> None:
        """Stop listening and let go of connections."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        if self._session is not None:
            await self._session.close()
        await asyncio.gather(*self._closing, return_exceptions=True)

    async def _run(self) -> None:
        """Connect, listen, and connect again."""
        while True:
            try:
                await self._listen_once()
            except Exception as error:  # noqa: BLE001  # prices may be missing, but the trader must not fail
                _log.info("%s: price stream lost: %s: %s", self._name, type(error).__name__, error)
            self.reconnects += 1
            self._on_reconnect()
            await asyncio.sleep(self._delay)
            self._delay = min(self._delay * 2, LAST_DELAY_SECONDS)

    async def _listen_once(self) -> None:
        """One connection from its beginning to its end."""
        client = self._client()
        try:
            await self._listen(client)
        finally:
            self._heard = {}
            self._hang_up(client)

    def _client(self) -> Any:
        """A client that has no connection yet; raises OSError for an unusable ca_file."""
        library, settings = getattr(ccxt.pro, self._name), self._settings
        if self._session is None:
            self._session = open_session(settings.ca_file, settings.resolve, library().cafile)
        client = library({"session": self._session, "options": OPTIONS[self._name]})
        client.timeout = int(settings.timeout_seconds * 1000)
        client.timeout_on_exit = 0
        is_bybit_testnet = self._name == "bybit" and settings.bybit_testnet == "testnet"
        if self._environment == "testnet":
            if self._name == "okx" or is_bybit_testnet:
                client.set_sandbox_mode(True)
            else:
                client.enable_demo_trading(True)
        return client

    async def _listen(self, client: Any) -> None:
        """Take prices in until something breaks."""
        if self._known is None:
            await client.load_markets()
            self._known = client
        client.set_markets_from_exchange(self._known)
        names = {_symbol(market): market["symbol"] for market in client.markets.values() if _is_ours(market)}
        wanted = {symbol: names[symbol] for symbol in self._wanted & names.keys()}
        while True:
            # No other wait from the news to the next question: what came meanwhile would wake nobody.
            async with asyncio.timeout(self._silence_seconds):
                await client.watch_bids_asks(sorted(wanted.values()))
            self._delay = FIRST_DELAY_SECONDS
            self._take(client.bidsasks, wanted)

    def _take(self, tickers: dict[str, Any], wanted: dict[str, str]) -> None:
        """Keep what is new among all the library has heard."""
        now = self._clock.monotonic()
        for symbol, name in wanted.items():
            ticker, before = tickers.get(name), self._heard.get(symbol)
            if ticker is not None and (before is None or ticker is not before.ticker):
                self._heard[symbol] = _Heard(ticker, quote_of(symbol, ticker), now)

    def _hang_up(self, client: Any) -> None:
        """Close a connection without waiting: a venue that is silent does not say goodbye."""
        closing = asyncio.create_task(client.close())
        self._closing.add(closing)
        closing.add_done_callback(self._closing.discard)


class StreamedVenue:
    """A venue whose prices come from a stream where they are fresh; for all else the venue itself is asked.

    Args:
        venue: The venue.
        stream: Its prices.
        clock: The one that the stream has.
        bound_seconds: Oldest price that is taken from the stream.
        told: Hears where prices came from.
    """

    def __init__(
        self, venue: Venue, stream: QuoteStream, clock: Clock, bound_seconds: float, told: Told
    ) -> None:
        self._venue = venue
        self._stream = stream
        self._clock = clock
        self._bound_seconds = bound_seconds
        self._told = told
        self.name = venue.name
        self.instruments = venue.instruments
        self.closes = venue.closes
        self.depth = venue.depth
        self.server_time = venue.server_time
        self.snapshot = venue.snapshot
        self.rights = venue.rights
        self.set_leverage = venue.set_leverage
        self.send = venue.send
        self.ask = venue.ask
        self.trades = venue.trades
        self.open_orders = venue.open_orders
        self.cancel = venue.cancel
        self.cancel_all = venue.cancel_all
        self.cancel_unless_renewed = venue.cancel_unless_renewed

    async def quotes(self, symbols: frozenset[str]) -> dict[str, Quote]:
        """Best prices; raises UnavailableError where the venue had to be asked and did not answer."""
        self._stream.want(symbols)
        now = self._clock.monotonic()
        streamed = self._stream.quotes(symbols, now, self._bound_seconds)
        ages = self._stream.ages(now)
        self._told("stream", {symbol: ages[symbol] for symbol in streamed})
        missing = symbols - streamed.keys()
        if not missing:
            return streamed
        asked = await self._venue.quotes(missing)
        self._told("rest", dict.fromkeys(asked, self._clock.monotonic() - now))
        return streamed | asked

    async def close(self) -> None:
        """Let go of both."""
        await self._stream.close()
        await self._venue.close()


def _is_ours(market: dict[str, Any]) -> bool:
    """Whether it is a perpetual in our money."""
    return bool(market["swap"] and market["linear"] and market["quote"] == market["settle"] == QUOTE_ASSET)


def _symbol(market: dict[str, Any]) -> str:
    """The engine's name of a perpetual: BTCUSDT, of BTC-USDT-SWAP too."""
    return str(market["id"]).removesuffix("-SWAP").replace("-", "")


def quote_of(symbol: str, ticker: dict[str, Any]) -> Quote | None:
    """Prices as the library tells them; None where a side is missing, or both are the wrong way round."""
    bid, ask = ticker["bid"], ticker["ask"]
    # Binance tells when its matching engine had the prices, besides when they were told.
    time = ticker["info"].get("T", ticker["timestamp"])
    if bid is None or ask is None or time is None or not 0 < bid <= ask:
        return None
    return Quote(symbol, Decimal(str(bid)), Decimal(str(ask)), int(time) / 1000)
