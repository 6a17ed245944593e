"""Prices over WebSocket, with REST where they are not fresh: real clients and a simulated exchange."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from golive_engine.clock import SystemClock
from golive_engine.settings import SeatSettings, VenueSettings
from golive_engine.trading import Quote, UnavailableError, Venue, VenueName
from golive_engine.venues import Credentials, Environment, open_venue
from golive_engine.venues.streams import QuoteStream, StreamedVenue, quote_of
from golive_simulator.client import Admin
from golive_simulator.dialect.binance import BinanceDialect
from golive_simulator.dialect.bybit import BybitDialect
from golive_simulator.dialect.okx import OkxDialect
from golive_simulator.process import Child
from golive_simulator.streams import HOSTS

CLOCK = SystemClock()
SYMBOLS = frozenset({"BTCUSDT", "ETHUSDT"})
BOUND_SECONDS = 1.0
REST_HOSTS = (*BinanceDialect.hosts, *BybitDialect.hosts, *OkxDialect.hosts)
# venue, environment, Bybit's kind of testnet, whose prices are heard
HEARD: dict[str, tuple[VenueName, Environment, str, str]] = {
    "Binance": ("binanceusdm", "production", "testnet", "production"),
    "Binance's demo": ("binanceusdm", "testnet", "testnet", "testnet"),
    "Bybit": ("bybit", "production", "testnet", "bybit-production"),
    "Bybit's testnet": ("bybit", "testnet", "testnet", "bybit-testnet"),
    "Bybit's demo, which listens to production": ("bybit", "testnet", "demo", "bybit-production"),
    "OKX": ("okx", "production", "testnet", "okx-production"),
    "OKX's demo": ("okx", "testnet", "testnet", "okx-testnet"),
}
VENUES: list[VenueName] = ["binanceusdm", "bybit", "okx"]


@pytest.fixture
def reached(simulator: Child) -> VenueSettings:
    """Every host of REST and of streams leads to the simulator, and no other name is known."""
    address = simulator.address.url.removeprefix("https://")
    return VenueSettings(
        ca_file=Path(simulator.address.ca_file), resolve=dict.fromkeys([*REST_HOSTS, *HOSTS], address)
    )


@pytest.fixture
async def listen(reached: VenueSettings) -> AsyncIterator[Callable[..., QuoteStream]]:
    """Gives streams; none of their connections is left after the test."""
    before, streams = open_files(), list[QuoteStream]()

    def start(
        name: VenueName,
        environment: Environment = "production",
        settings: VenueSettings = reached,
        silence_seconds: float = 30.0,
    ) -> QuoteStream:
        streams.append(QuoteStream(name, environment, settings, CLOCK, silence_seconds))
        streams[-1].want(SYMBOLS)
        return streams[-1]

    yield start
    for stream in streams:
        await stream.close()
    await until(lambda: open_files() <= before)


class Streamed:
    """A venue with a stream, and where the prices of its last look came from."""

    def __init__(self, name: VenueName, settings: VenueSettings) -> None:
        passphrase_env = "KEY" if name == "okx" else None
        seat = SeatSettings(venue=name, api_key_env="KEY", secret_env="KEY", passphrase_env=passphrase_env)
        self.rest = open_venue(seat, "production", Credentials("key", "secret", "passphrase"), settings)
        stream = QuoteStream(name, "production", settings, CLOCK)
        self.venue = StreamedVenue(self.rest, stream, CLOCK, BOUND_SECONDS, self._told)
        self.sources: dict[str, str] = {}
        self.ages: dict[str, float] = {}

    def _told(self, source: str, ages: dict[str, float]) -> None:
        """Remember where each price came from, and how old it was."""
        self.sources |= dict.fromkeys(ages, source)
        self.ages |= ages

    async def come_from(self, admin: Admin, price: int, sources: dict[str, str]) -> None:
        """Move the price and look until prices come from where they should."""
        async with asyncio.timeout(20):
            while self.sources != sources:
                await admin.price("BTCUSDT", price)
                await asyncio.sleep(0.05)
                await self.venue.quotes(SYMBOLS)


@pytest.fixture
async def streamed(reached: VenueSettings) -> AsyncIterator[Callable[[VenueName], Streamed]]:
    """Gives venues with a stream."""
    before, venues = open_files(), list[Streamed]()

    def opened(name: VenueName) -> Streamed:
        venues.append(Streamed(name, reached))
        return venues[-1]

    yield opened
    for made in venues:
        await made.venue.close()
    await until(lambda: open_files() <= before)


def open_files() -> int:
    """How many files and sockets this process has open."""
    return len(list(Path("/proc/self/fd").iterdir()))


async def until(condition: Callable[[], Any], deadline_seconds: float = 10.0) -> Any:
    """The first truthy answer."""
    async with asyncio.timeout(deadline_seconds):
        while not (seen := condition()):  # noqa: ASYNC110  # the condition is another task's doing
            await asyncio.sleep(0.005)
    return seen


def fresh(stream: QuoteStream, bound_seconds: float = BOUND_SECONDS) -> dict[str, Quote]:
    """What the stream would give now."""
    return stream.quotes(SYMBOLS, CLOCK.monotonic(), bound_seconds)


def has(stream: QuoteStream, price: int) -> bool:
    """Whether the stream has a bid for bitcoin."""
    quote = fresh(stream).get("BTCUSDT")
    return quote is not None and quote.bid == price


async def moved(admin: Admin, stream: QuoteStream, price: int) -> None:
    """Move the price until the stream has heard of it: Binance tells changes only."""
    async with asyncio.timeout(20):
        while not has(stream, price):
            await admin.price("BTCUSDT", price)
            await asyncio.sleep(0.05)


@pytest.mark.parametrize("promise", HEARD)
async def test_a_move_is_heard_within_a_second(
    listen: Callable[..., QuoteStream], admin: Admin, reached: VenueSettings, promise: str
) -> None:
    """From the right exchange, with its own time; the moments from move to knowledge are shown."""
    name, environment, kind, heard = HEARD[promise]
    for other in {row[-1] for row in HEARD.values()} - {heard}:
        await admin.add_fault("stream-silent", environment=other)
    stream = listen(name, environment, reached.model_copy(update={"bybit_testnet": kind}))
    await moved(admin, stream, 40_000)
    lags = []
    for price in range(41_000, 41_010):
        started = time.monotonic()
        asked = time.time()
        await admin.price("BTCUSDT", price)
        await until(partial(has, stream, price), 1.0)
        lags.append(time.monotonic() - started)
        quote = fresh(stream)["BTCUSDT"]
        assert asked - 0.002 <= quote.time <= time.time()
        assert quote.ask == price + Decimal("0.1")
    print(f"{promise}: {sorted(lags)[5] * 1000:.1f} ms median, {max(lags) * 1000:.1f} ms at most")

    assert stream.reconnects == 0


async def test_only_what_was_heard_within_the_bound_is_given(
    listen: Callable[..., QuoteStream], admin: Admin
) -> None:
    """A price stays away once it is older than the bound, though nothing has replaced it."""
    stream = listen("okx")
    await moved(admin, stream, 40_100)
    now = CLOCK.monotonic()
    age = stream.ages(now)["BTCUSDT"]

    assert set(stream.quotes(SYMBOLS, now - age + 1.0, 1.0)) == SYMBOLS
    assert stream.quotes(frozenset({"BTCUSDT"}), now - age + 1.001, 1.0) == {}


@pytest.mark.parametrize("name", VENUES)
async def test_rest_takes_over_from_a_stalled_stream_within_the_bound(
    streamed: Callable[[VenueName], Streamed], admin: Admin, name: VenueName
) -> None:
    """The connection stays open and silent while prices move on: none older than the bound is seen."""
    made = streamed(name)
    await made.come_from(admin, 40_200, dict.fromkeys(SYMBOLS, "stream"))
    await admin.add_fault("stream-silent")
    stalled = time.monotonic()
    await admin.price("BTCUSDT", 40_300)
    while (await made.venue.quotes(SYMBOLS))["BTCUSDT"].bid != 40_300:
        assert made.ages["BTCUSDT"] <= BOUND_SECONDS
    waited = time.monotonic() - stalled
    quotes = await made.venue.quotes(SYMBOLS)

    assert waited < BOUND_SECONDS + 1.0
    assert made.sources == dict.fromkeys(quotes, "rest") == dict.fromkeys(SYMBOLS, "rest")


async def test_rest_is_asked_only_for_what_is_missing(
    streamed: Callable[[VenueName], Streamed], admin: Admin
) -> None:
    """One symbol falls silent: it alone grows old and comes by REST. The age of each price is told."""
    made = streamed("bybit")
    await made.come_from(admin, 40_400, dict.fromkeys(SYMBOLS, "stream"))
    await admin.add_fault("stream-silent", symbol="ETHUSDT")
    await made.come_from(admin, 40_400, {"BTCUSDT": "stream", "ETHUSDT": "rest"})

    assert all(0 <= age <= BOUND_SECONDS for age in made.ages.values())


async def test_a_venue_that_does_not_answer_either_is_unavailable(
    streamed: Callable[[VenueName], Streamed], admin: Admin
) -> None:
    """No stream and no REST: no price is made up."""
    made = streamed("bybit")
    await admin.add_fault("stream-refused")
    await admin.add_fault("answer-before-accept")

    with pytest.raises(UnavailableError):
        await made.venue.quotes(SYMBOLS)


@pytest.mark.parametrize("name", VENUES)
async def test_a_dropped_stream_forgets_and_connects_again(
    listen: Callable[..., QuoteStream], admin: Admin, name: VenueName
) -> None:
    """What was missed meanwhile is not known, so nothing of before is given."""
    stream = listen(name)
    await moved(admin, stream, 40_500)
    await admin.add_fault("stream-drop")
    await until(lambda: not fresh(stream, 3600.0))
    await admin.clear_faults()
    await moved(admin, stream, 40_600)

    assert stream.reconnects >= 1


@pytest.mark.parametrize("name", VENUES)
async def test_a_silent_stream_is_given_up_and_opened_anew(
    listen: Callable[..., QuoteStream], admin: Admin, name: VenueName
) -> None:
    """The venue answers no ping and says no goodbye; when it speaks again, it is heard."""
    stream = listen(name, silence_seconds=1.0)
    await moved(admin, stream, 40_700)
    await admin.add_fault("stream-silent")
    await until(lambda: stream.reconnects >= 1)
    await admin.clear_faults()
    await moved(admin, stream, 40_800)


async def test_a_refused_stream_is_tried_again_ever_more_rarely(
    listen: Callable[..., QuoteStream], admin: Admin
) -> None:
    """Half a second, one, two: and prices as soon as it is let in."""
    await admin.add_fault("stream-refused")
    stream = listen("binanceusdm")
    await until(lambda: stream.reconnects == 1)
    started = time.monotonic()
    await until(lambda: stream.reconnects == 3)
    waited = time.monotonic() - started
    await admin.clear_faults()
    await moved(admin, stream, 40_900)

    assert 1.4 < waited < 5


async def test_symbols_may_grow(listen: Callable[..., QuoteStream], admin: Admin) -> None:
    """One more is heard, and those of before still are; a contract that nobody lists is nobody's fault."""
    stream = listen("binanceusdm")
    await moved(admin, stream, 42_000)
    stream.want(frozenset({"SOLUSDT", "NOTHINGUSDT"}))
    await until(lambda: not stream.ages(CLOCK.monotonic()))
    await moved(admin, stream, 42_100)
    wanted = SYMBOLS | {"SOLUSDT"}
    await until(lambda: stream.quotes(wanted, CLOCK.monotonic(), 5.0).keys() == wanted)

    assert stream.reconnects == 0


# how the stream's host is reached: without an address, or with a certificate that nobody trusts
@pytest.mark.parametrize("promise", ["no other host is asked", "no other certificate is trusted"])
async def test_a_stream_that_can_not_be_trusted_gives_nothing(
    listen: Callable[..., QuoteStream], reached: VenueSettings, promise: str
) -> None:
    """And fails nobody: it goes on trying."""
    known = {host: address for host, address in reached.resolve.items() if host not in HOSTS}
    change: dict[str, Any] = {"resolve": known} if promise == "no other host is asked" else {"ca_file": None}
    stream = listen("bybit", settings=reached.model_copy(update=change))
    await until(lambda: stream.reconnects >= 2)

    assert fresh(stream, 3600.0) == {}


# ticker as the library tells it, whether it is a quote
TICKERS: dict[str, tuple[dict[str, Any], bool]] = {
    "both sides": ({"bid": 9.0, "ask": 9.5, "timestamp": 1_000, "info": {}}, True),
    "no buyer": ({"bid": None, "ask": 9.5, "timestamp": 1_000, "info": {}}, False),
    "no seller": ({"bid": 9.0, "ask": None, "timestamp": 1_000, "info": {}}, False),
    "a price of nought": ({"bid": 0.0, "ask": 9.5, "timestamp": 1_000, "info": {}}, False),
    "the wrong way round": ({"bid": 9.6, "ask": 9.5, "timestamp": 1_000, "info": {}}, False),
    "no time": ({"bid": 9.0, "ask": 9.5, "timestamp": None, "info": {}}, False),
}


@pytest.mark.parametrize("promise", TICKERS)
def test_half_a_price_is_none(promise: str) -> None:
    """Whatever is missing or makes no sense is left to REST."""
    ticker, is_quote = TICKERS[promise]

    assert (quote_of("X", ticker) is not None) == is_quote


def test_the_time_of_the_matching_engine_comes_first() -> None:
    """Binance tells both; the other is when the message was made."""
    ticker = {"bid": 0.1, "ask": 0.3, "timestamp": 2_000, "info": {"T": 1_500}}

    assert quote_of("X", ticker) == Quote("X", Decimal("0.1"), Decimal("0.3"), 1.5)


async def test_all_but_prices_is_the_venues_own(streamed: Callable[[VenueName], Streamed]) -> None:
    """Every method of the protocol goes straight there."""
    made = streamed("okx")
    typed: Venue = made.venue
    names = {name for name in vars(Venue) if not name.startswith("_")} - {"quotes", "close"}

    assert typed.name == "okx"
    assert {name: getattr(typed, name) for name in names} == {name: getattr(made.rest, name) for name in names}


async def test_a_stream_that_was_killed_is_started_by_the_next_look(
    listen: Callable[..., QuoteStream], admin: Admin
) -> None:
    """Whatever ends it, the next who wants prices begins anew."""
    stream = listen("okx")
    await moved(admin, stream, 42_200)
    (task,) = [task for task in asyncio.all_tasks() if task.get_name() == "prices of okx"]
    task.cancel()
    await until(task.done)
    stream.want(SYMBOLS)
    await moved(admin, stream, 42_300)
