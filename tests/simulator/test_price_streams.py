"""Prices over WebSocket: unmodified ccxt.pro listens, and each venue's own words are kept to."""

from __future__ import annotations

import asyncio
import json
import time
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import aiohttp
import ccxt.pro
import pytest

from golive_simulator.client import redirected_session
from golive_simulator.dialect.binance.streams import BinanceStreams
from golive_simulator.dialect.bybit.streams import BybitStreams
from golive_simulator.dialect.okx import swaps
from golive_simulator.dialect.okx.streams import OkxStreams
from golive_simulator.exchange import Exchange
from golive_simulator.instruments import built_in
from golive_simulator.market import Market
from golive_simulator.streams import Connection

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from golive_simulator.client import Admin
    from golive_simulator.dialect.seam import Streams
    from golive_simulator.process import Child

WATCHED = ["BTC/USDT:USDT", "ETH/USDT:USDT", "XRP/USDT:USDT"]
"""What clients listen to."""

BINANCE = "wss://fstream.binance.com/public/ws/0"
BYBIT = "wss://stream.bybit.com/v5/public/linear"
OKX = "wss://ws.okx.com:443/ws/v5/public"


def open_files() -> int:
    """How many files and sockets this process has open."""
    return len(list(Path("/proc/self/fd").iterdir()))


@pytest.fixture
async def session(simulator: Child) -> AsyncIterator[aiohttp.ClientSession]:
    """A session whose connections are gone after the test: TLS says goodbye in the background."""
    before = open_files()
    async with redirected_session(simulator.address.url, simulator.address.ca_file) as made:
        yield made
    async with asyncio.timeout(5):
        while open_files() > before:  # noqa: ASYNC110  # nothing tells when it has
            await asyncio.sleep(0.01)


@pytest.fixture
async def listener(session: aiohttp.ClientSession) -> AsyncIterator[Callable[..., Any]]:
    """Gives unmodified ccxt.pro clients, pointed at production or at the venue's play money."""
    clients: list[Any] = []

    def opened(name: str, mode: str = "production") -> Any:
        client = getattr(ccxt.pro, name)({"session": session, "enableRateLimit": False})
        client.timeout_on_exit = 0
        if mode == "demo":
            client.enable_demo_trading(True)
        else:
            client.set_sandbox_mode(mode == "testnet")
        clients.append(client)
        return client

    yield opened
    for client in clients:
        await client.close()


async def heard(client: Any, symbol: str, bid: float) -> dict[str, Any]:
    """Listen until a best bid is told, for at most a second."""
    async with asyncio.timeout(1):
        while client.bidsasks.get(symbol, {}).get("bid") != bid:
            await client.watch_bids_asks(WATCHED)
    return dict(client.bidsasks[symbol])


async def subscribed(client: Any) -> asyncio.Task[Any]:
    """Start to listen and wait until the venue has taken the subscription."""
    await client.load_markets()
    first = asyncio.create_task(client.watch_bids_asks(WATCHED))
    async with asyncio.timeout(2):
        while not any(connection.last_message_at for connection in client.clients.values()):  # noqa: ASYNC110  # the library tells of no acknowledgement
            await asyncio.sleep(0.01)
    return first


EXCHANGES = [
    ("binanceusdm", "production"),
    ("binanceusdm", "demo"),
    ("bybit", "production"),
    ("bybit", "testnet"),
    ("bybit", "demo"),
    ("okx", "production"),
    ("okx", "testnet"),
]


@pytest.mark.parametrize(("name", "mode"), EXCHANGES)
async def test_a_moved_price_is_heard_within_a_second_and_is_the_one_of_the_book(
    listener: Callable[..., Any], admin: Admin, name: str, mode: str
) -> None:
    """Best price and size on each side are those that REST tells, at the time of the move."""
    client = listener(name, mode)
    first = await subscribed(client)
    before_ms = time.time() * 1000
    await admin.price("BTCUSDT", 41_000 + EXCHANGES.index((name, mode)) * 100)
    ticker = await heard(client, "BTC/USDT:USDT", 41_000 + EXCHANGES.index((name, mode)) * 100)
    book = await client.fetch_order_book("BTC/USDT:USDT", 5)
    await first

    best = [[ticker["bid"], ticker["bidVolume"]], [ticker["ask"], ticker["askVolume"]]]
    assert best == [book["bids"][0][:2], book["asks"][0][:2]]
    assert before_ms - 50 <= ticker["timestamp"] <= time.time() * 1000
    assert all(symbol in WATCHED for symbol in client.bidsasks)


# what is said, and what is answered; None is any text
WORDS: dict[str, tuple[str, str, dict[str, Any] | str]] = {
    "Binance acknowledges a subscription": (
        BINANCE,
        '{"method": "SUBSCRIBE", "params": ["btcusdt@bookTicker"], "id": 3}',
        {"result": None, "id": 3},
    ),
    "Binance acknowledges a stream that does not exist": (
        BINANCE,
        '{"method": "SUBSCRIBE", "params": ["nothing@bookTicker"], "id": 4}',
        {"result": None, "id": 4},
    ),
    "Binance lists streams, those of the path among them": (
        "wss://fstream.binance.com/ws/btcusdt@bookTicker",
        '{"method": "LIST_SUBSCRIPTIONS", "id": 5}',
        {"result": ["btcusdt@bookTicker"], "id": 5},
    ),
    "Binance refuses what it can't read": (
        BINANCE,
        "hello",
        {"error": {"code": 2, "msg": "Invalid request: JSONDecodeError"}, "id": None},
    ),
    "Binance refuses an unknown method": (
        BINANCE,
        '{"method": "SING", "id": 6}',
        {"error": {"code": 2, "msg": "Invalid request: unknown method"}, "id": 6},
    ),
    "Bybit answers a ping": (
        BYBIT,
        '{"req_id": "1", "op": "ping"}',
        {"success": True, "ret_msg": "pong", "conn_id": "simulator", "req_id": "1", "op": "ping"},
    ),
    "Bybit refuses a topic that does not exist": (
        BYBIT,
        '{"req_id": "2", "op": "subscribe", "args": ["orderbook.1.BTCUSDT", "orderbook.1.NOTHING"]}',
        {
            "success": False,
            "ret_msg": "error:handler not found,topic:orderbook.1.NOTHING",
            "conn_id": "simulator",
            "req_id": "2",
            "op": "subscribe",
        },
    ),
    "Bybit refuses what it can't read": (
        BYBIT,
        "[]",
        {
            "success": False,
            "ret_msg": "error:invalid request",
            "conn_id": "simulator",
            "req_id": "",
            "op": "",
        },
    ),
    "OKX answers a ping": (OKX, "ping", "pong"),
    "OKX acknowledges each subscription": (
        OKX,
        '{"op": "subscribe", "args": [{"channel": "bbo-tbt", "instId": "BTC-USDT-SWAP"}]}',
        {
            "event": "subscribe",
            "arg": {"channel": "bbo-tbt", "instId": "BTC-USDT-SWAP"},
            "connId": "simulator",
        },
    ),
    "OKX refuses an instrument that does not exist": (
        OKX,
        '{"op": "subscribe", "args": [{"channel": "bbo-tbt", "instId": "BTCUSDT"}]}',
        {
            "event": "error",
            "code": "60018",
            "msg": "Wrong URL or channel:bbo-tbt,instId:BTCUSDT doesn't exist. "
            "Please use the correct URL, channel and parameters referring to API document.",
            "connId": "simulator",
        },
    ),
    "OKX refuses what it can't read": (
        OKX,
        '{"op": "sing", "args": []}',
        {
            "event": "error",
            "code": "60012",
            "msg": 'Illegal request: {"op": "sing", "args": []}',
            "connId": "simulator",
        },
    ),
}


@pytest.mark.parametrize("promise", WORDS)
async def test_each_venue_answers_in_its_own_words(session: aiohttp.ClientSession, promise: str) -> None:
    """Acknowledgements, pongs and refusals."""
    url, said, answer = WORDS[promise]
    async with session.ws_connect(url) as socket:
        await socket.send_str(said)
        text = await socket.receive_str(timeout=2)

    assert (text if isinstance(answer, str) else json.loads(text)) == answer


# where, and words that are JSON and make no sense
ODD_WORDS = [
    (BINANCE, '{"method": "SUBSCRIBE", "params": [{}, null, 1], "id": 1}'),
    (BINANCE, '{"method": {}, "id": []}'),
    (BINANCE, "[]"),
    (BYBIT, '{"op": "subscribe", "args": [{}, ["orderbook.1.BTCUSDT"]]}'),
    (BYBIT, '{"op": "subscribe", "args": ["BTCUSDT"]}'),
    (BYBIT, '{"op": [], "args": 3}'),
    (BYBIT, "null"),
    (OKX, '{"op": {}, "args": []}'),
    (OKX, '{"op": "subscribe", "args": [3]}'),
    (OKX, "17"),
]


@pytest.mark.parametrize(("url", "said"), ODD_WORDS)
async def test_a_senseless_word_is_answered_and_nothing_is_told(
    session: aiohttp.ClientSession, admin: Admin, url: str, said: str
) -> None:
    """The connection lives on, and hears no price."""
    async with session.ws_connect(url) as socket:
        await socket.send_str(said)
        first = await socket.receive_str(timeout=2)
        await admin.price("BTCUSDT", 42_900)
        with pytest.raises(TimeoutError):
            await socket.receive_str(timeout=0.1)
        await socket.send_str("ping")
        second = await socket.receive_str(timeout=2)

    assert first
    assert second


# where, how a topic is asked for, how it is given up
LEAVINGS = {
    "Binance": (
        BINANCE,
        '{"method": "SUBSCRIBE", "params": ["btcusdt@bookTicker"], "id": 1}',
        '{"method": "UNSUBSCRIBE", "params": ["btcusdt@bookTicker"], "id": 2}',
    ),
    "Bybit": (
        BYBIT,
        '{"op": "subscribe", "args": ["orderbook.1.BTCUSDT"]}',
        '{"op": "unsubscribe", "args": ["orderbook.1.BTCUSDT"]}',
    ),
    "OKX": (
        OKX,
        '{"op": "subscribe", "args": [{"channel": "bbo-tbt", "instId": "BTC-USDT-SWAP"}]}',
        '{"op": "unsubscribe", "args": [{"channel": "bbo-tbt", "instId": "BTC-USDT-SWAP"}]}',
    ),
}
PROBE = {"Binance": '{"method": "LIST_SUBSCRIPTIONS", "id": 9}', "Bybit": '{"op": "ping"}', "OKX": "ping"}
"""Questions whose answers come after everything that was due before them."""


@pytest.mark.parametrize("name", LEAVINGS)
async def test_who_unsubscribes_hears_no_more(session: aiohttp.ClientSession, admin: Admin, name: str) -> None:
    """After the acknowledgement comes nothing but answers, however prices move."""
    url, ask, give_up = LEAVINGS[name]
    async with session.ws_connect(url) as socket:
        await socket.send_str(ask)
        await socket.receive_str(timeout=2)
        await admin.price("BTCUSDT", 43_000)
        told = await socket.receive_str(timeout=2)
        await socket.send_str(give_up)
        while is_price(await socket.receive_str(timeout=2)):
            pass
        await admin.price("BTCUSDT", 43_100)
        await asyncio.sleep(0.1)
        await socket.send_str(PROBE[name])
        after = await socket.receive_str(timeout=2)

    assert is_price(told)
    assert not is_price(after)


def is_price(text: str) -> bool:
    """Whether a message tells prices."""
    return any(name in text for name in ('"bookTicker"', '"snapshot"', '"bids"'))


@pytest.mark.parametrize("url", [BINANCE, BYBIT, OKX])
async def test_a_ping_of_the_protocol_is_answered(session: aiohttp.ClientSession, url: str) -> None:
    """With the same payload."""
    async with session.ws_connect(url, autoping=False) as socket:
        await socket.ping(b"there?")
        answer = await socket.receive(timeout=2)

    assert (answer.type, bytes(answer.data)) == (aiohttp.WSMsgType.PONG, b"there?")


@pytest.mark.parametrize("url", ["wss://fstream.binance.com/other", "wss://fapi.binance.com/ws"])
async def test_nothing_is_told_where_the_venue_has_no_streams(session: aiohttp.ClientSession, url: str) -> None:
    """A wrong path and a host of REST answer 404."""
    with pytest.raises(aiohttp.WSServerHandshakeError, match="404"):
        await session.ws_connect(url)


async def test_dropped_streams_break_and_may_be_opened_again(
    session: aiohttp.ClientSession, admin: Admin
) -> None:
    """The fault meets every connection that is open, of its environment, and no later one."""
    async with session.ws_connect(BYBIT) as broken, session.ws_connect(OKX) as spared:
        await admin.add_fault("stream-drop", environment="bybit-production")
        end = await broken.receive(timeout=2)
        await spared.send_str("ping")
        spared_text = await spared.receive_str(timeout=2)
    async with session.ws_connect(BYBIT) as later:
        await later.send_str('{"op": "ping"}')
        later_text = await later.receive_str(timeout=2)

    assert end.type in {aiohttp.WSMsgType.CLOSED, aiohttp.WSMsgType.ERROR}
    assert spared_text == "pong"
    assert "pong" in later_text


@pytest.mark.parametrize("name", LEAVINGS)
async def test_silent_streams_stay_open_and_tell_nothing(
    session: aiohttp.ClientSession, admin: Admin, name: str
) -> None:
    """No price, no answer; all of it goes on when the fault is gone."""
    url, ask, _ = LEAVINGS[name]
    async with session.ws_connect(url, autoping=False) as socket:
        await socket.send_str(ask)
        await socket.receive_str(timeout=2)
        await admin.price("BTCUSDT", 43_200)
        while "43200" not in await socket.receive_str(timeout=2):
            pass
        await admin.add_fault("stream-silent")
        await admin.price("BTCUSDT", 43_300)
        await socket.send_str(PROBE[name])
        await socket.ping()
        with pytest.raises(TimeoutError):
            await socket.receive(timeout=0.3)
        await admin.clear_faults()
        told = await socket.receive_str(timeout=2)

    assert "43300" in told


async def test_one_contract_may_fall_silent_alone(session: aiohttp.ClientSession, admin: Admin) -> None:
    """Others are still told."""
    both = '{"op": "subscribe", "args": ["orderbook.1.BTCUSDT", "orderbook.1.ETHUSDT"]}'
    async with session.ws_connect(BYBIT) as socket:
        await socket.send_str(both)
        for _ in range(3):
            await socket.receive_str(timeout=2)
        await admin.add_fault("stream-silent", symbol="BTCUSDT")
        await admin.price("BTCUSDT", 43_400)
        told = json.loads(await socket.receive_str(timeout=2))
        await socket.send_str(PROBE["Bybit"])
        while "pong" not in (text := await socket.receive_str(timeout=2)):
            assert "ETHUSDT" in text

    assert told["topic"] == "orderbook.1.ETHUSDT"


async def test_refused_streams_can_not_be_opened(session: aiohttp.ClientSession, admin: Admin) -> None:
    """The handshake is answered with 503 while the fault holds; open ones live on, and other exchanges."""
    async with session.ws_connect(OKX) as earlier:
        await admin.add_fault("stream-refused", environment="okx-production")
        with pytest.raises(aiohttp.WSServerHandshakeError, match="503"):
            await session.ws_connect(OKX)
        async with session.ws_connect(BYBIT):
            pass
        await earlier.send_str("ping")
        text = await earlier.receive_str(timeout=2)

    assert text == "pong"


async def test_a_restart_breaks_streams(session: aiohttp.ClientSession, admin: Admin) -> None:
    """And none is opened before the venue is back."""
    async with session.ws_connect(OKX) as socket:
        await admin.restart(down_ms=300)
        end = await socket.receive(timeout=2)
        with pytest.raises(aiohttp.WSServerHandshakeError, match="503"):
            await session.ws_connect(OKX)
    async with asyncio.timeout(3):
        while True:
            try:
                async with session.ws_connect(OKX):
                    break
            except aiohttp.WSServerHandshakeError:
                await asyncio.sleep(0.05)

    assert end.type in {aiohttp.WSMsgType.CLOSED, aiohttp.WSMsgType.ERROR}


NOBODY: frozenset[str] = frozenset()
TOPICS = {"BTCUSDT": "BTCUSDT", "ETHUSDT": "ETHUSDT"}
SWAP_TOPICS = {"BTC-USDT-SWAP": "BTC-USDT-SWAP"}


def exchange(seed: int = 1) -> Exchange:
    """An exchange of the built-in contracts."""
    return Exchange("production", Market(built_in(), seed, variants=swaps(built_in())))


def test_a_book_that_grows_thin_is_told() -> None:
    """Though its prices stand still."""
    prices = exchange()
    connection = Connection(OkxStreams(), prices, dict(SWAP_TOPICS), 0)
    before = json.loads(connection.due(0, NOBODY)[0])["data"][0]["bids"][0]
    prices.market.thin("BTC-USDT-SWAP", Decimal("0.1"))
    after = json.loads(connection.due(1, NOBODY)[0])["data"][0]["bids"][0]

    assert before[0] == after[0]
    assert float(after[1]) < float(before[1]) / 5


def test_the_same_seed_tells_the_same() -> None:
    """Word by word, and another seed something else."""
    texts = []
    for seed in (7, 7, 8):
        prices = exchange(seed)
        connection = Connection(BybitStreams(), prices, dict(TOPICS), 0)
        prices.market.advance(1_000)
        texts.append(connection.due(1_000, NOBODY))

    assert texts[0] == texts[1] != texts[2]


# speech, topics, messages at once, after nine seconds without and then with a move
OPENINGS: dict[str, tuple[Streams, dict[str, str], tuple[int, int, int]]] = {
    "Binance tells changes only": (BinanceStreams(), TOPICS, (0, 0, 2)),
    "Bybit tells at once and repeats after three seconds": (BybitStreams(), TOPICS, (2, 2, 2)),
    "OKX tells at once and then changes only": (OkxStreams(), SWAP_TOPICS, (1, 0, 1)),
}


@pytest.mark.parametrize("promise", OPENINGS)
def test_each_venue_tells_when_it_would(promise: str) -> None:
    """At the beginning, while prices stand still, and when they move."""
    speech, topics, counts = OPENINGS[promise]
    prices = exchange()
    connection = Connection(speech, prices, dict(topics), 0)
    first = len(connection.due(0, NOBODY))
    standing = len(connection.due(3_000, NOBODY))
    prices.market.advance(3_001)
    moved = len(connection.due(3_001, NOBODY))

    assert (first, standing, moved) == counts
    assert connection.due(3_002, NOBODY) == []


@pytest.mark.parametrize("promise", OPENINGS)
def test_a_stale_book_tells_nothing_until_it_moves_again(promise: str) -> None:
    """Neither changes nor repetitions; the present prices once it is over."""
    speech, topics, _ = OPENINGS[promise]
    prices = exchange()
    connection = Connection(speech, prices, dict(topics), 0)
    connection.due(0, NOBODY)
    for symbol in topics:
        prices.frozen[symbol] = prices.shown(symbol, 0)
    prices.market.advance(100)
    stale = connection.due(60_000, NOBODY)
    prices.frozen.clear()

    assert stale == []
    assert len(connection.due(60_001, NOBODY)) == len(topics)


# speech, milliseconds of silence on both sides, whether the venue hangs up, whether it pings
SILENCES: dict[str, tuple[Streams, int, bool, bool]] = {
    "OKX waits half a minute": (OkxStreams(), 30_000, False, False),
    "OKX then hangs up": (OkxStreams(), 30_001, True, False),
    "Binance pings after three minutes": (BinanceStreams(), 180_000, False, True),
    "Binance hangs up on who does not answer for ten": (BinanceStreams(), 600_001, True, True),
    "Bybit waits ten minutes": (BybitStreams(), 600_000, False, False),
}


@pytest.mark.parametrize("promise", SILENCES)
def test_each_venue_hangs_up_when_it_would(promise: str) -> None:
    """On a client that says nothing."""
    speech, now_ms, is_idle, wants_ping = SILENCES[promise]
    connection = Connection(speech, exchange(), {}, 0)

    assert (connection.is_idle(now_ms), connection.wants_ping(now_ms)) == (is_idle, wants_ping)


def test_what_is_told_keeps_a_line_open_only_where_the_client_pings() -> None:
    """OKX counts its own messages; Binance wants its pings answered."""
    okx, binance = (Connection(speech, exchange(), {}, 0) for speech in (OkxStreams(), BinanceStreams()))
    okx.told_ms = binance.told_ms = 599_000

    assert not okx.is_idle(600_001)
    assert binance.is_idle(600_001)
