"""Sentiment from a real web service: a score that can be trusted, or none."""

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from decimal import Decimal
from typing import Any

import pytest
from aiohttp import web

from golive_dev.redis import RedisServer
from golive_engine.cache import Cache, Key, open_cache
from golive_engine.clock import FakeClock
from golive_engine.sentiment import MOST_BYTES, NEGATIVE_SECONDS, SentimentFeed, open_sentiment
from golive_engine.settings import CacheSettings, SentimentSettings, SettingsError

D = Decimal
TTL_SECONDS = 300.0


class Feed:
    """A web service whose answer a test chooses."""

    def __init__(self) -> None:
        self.body = b'{"score": 0.5}'
        self.status = 200
        self.hangs: set[str] = set()
        self.asked: list[str] = []
        self.url = ""

    async def answer(self, request: web.Request) -> web.Response:
        """Answer one request."""
        symbol = request.match_info["symbol"]
        self.asked.append(symbol)
        if symbol in self.hangs:
            await asyncio.Event().wait()
        location = {"Location": "/ETHUSDT"} if self.status == 302 else {}
        return web.Response(body=self.body, status=self.status, headers=location)


@pytest.fixture
async def web_service() -> AsyncIterator[Feed]:
    """A feed on a port of its own."""
    feed, app = Feed(), web.Application()
    app.router.add_get("/{symbol}", feed.answer)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    feed.url = f"http://127.0.0.1:{runner.addresses[0][1]}/{{symbol}}"
    yield feed
    await runner.cleanup()


@pytest.fixture
def clock() -> FakeClock:
    """A clock that a test moves."""
    return FakeClock()


@pytest.fixture
def cache(clock: FakeClock) -> Cache:
    """An empty one in memory."""
    return open_cache(CacheSettings(), "perps", clock, lambda *_: None)


@pytest.fixture
async def feed(web_service: Feed, cache: Cache, clock: FakeClock) -> AsyncIterator[SentimentFeed]:
    """The engine's side of it."""
    settings = SentimentSettings(url=web_service.url, ttl_seconds=TTL_SECONDS, timeout_seconds=0.5)
    opened = open_sentiment(settings, cache, clock)
    yield opened
    await opened.close()


SCORES: dict[str, tuple[bytes, Decimal]] = {
    "half": (b'{"score": 0.5}', D("0.5")),
    "all fear": (b'{"score": -1}', D(-1)),
    "all greed, and more keys": (b'{"score": 1.0, "source": "x"}', D(1)),
    "more digits than matter": (b'{"score": 0.12345678901234567890}', D("0.123457")),
    "next to nothing": (b'{"score": 1e-999999999}', D(0)),
}


@pytest.mark.parametrize(("body", "score"), SCORES.values(), ids=SCORES)
async def test_a_score_of(web_service: Feed, feed: SentimentFeed, body: bytes, score: Decimal) -> None:
    """It arrives, first from the feed and then from the cache, the same."""
    web_service.body = body
    assert [await feed.scores(["BTCUSDT"]) for _ in range(2)] == [{"BTCUSDT": score}] * 2
    assert web_service.asked == ["BTCUSDT"]


GARBAGE: dict[str, tuple[int, bytes]] = {
    "NaN": (200, b'{"score": NaN}'),
    "infinity": (200, b'{"score": -Infinity}'),
    "more than 1": (200, b'{"score": 1.000001}'),
    "less than -1": (200, b'{"score": -2}'),
    "far more than 1": (200, b'{"score": 1e999999999}'),
    "a text": (200, b'{"score": "0.5"}'),
    "a truth": (200, b'{"score": true}'),
    "nothing": (200, b'{"score": null}'),
    "another key": (200, b'{"sentiment": 0.5}'),
    "a number alone": (200, b"0.5"),
    "a list": (200, b'[{"score": 0.5}]'),
    "HTML": (200, b"<html>0.5</html>"),
    "no text at all": (200, b"\xff\xfe\x00"),
    "an empty answer": (200, b""),
    "JSON deeper than any": (200, b"[" * 50_000),
    "an endless answer": (200, b'{"score": 0.5}' + b" " * MOST_BYTES),
    "not found": (404, b'{"score": 0.5}'),
    "an error": (500, b'{"score": 0.5}'),
    "another success": (206, b'{"score": 0.5}'),
    "a redirect": (302, b'{"score": 0.5}'),
}


@pytest.mark.parametrize(("status", "body"), GARBAGE.values(), ids=GARBAGE)
async def test_there_is_no_score_with(
    web_service: Feed, feed: SentimentFeed, status: int, body: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    """Nobody is told anything, and nothing fails: a feed's garbage is no error of the engine."""
    web_service.status, web_service.body = status, body
    assert await feed.scores(["BTCUSDT"]) == {}
    assert web_service.asked == ["BTCUSDT"]
    assert [record.message for record in caplog.records if record.levelname == "ERROR"] == []


async def test_a_score_is_good_for_its_time(web_service: Feed, feed: SentimentFeed, clock: FakeClock) -> None:
    """Then the feed is asked again."""
    await feed.scores(["BTCUSDT"])
    web_service.body = b'{"score": -0.5}'
    clock.advance(TTL_SECONDS - 1)
    assert await feed.scores(["BTCUSDT"]) == {"BTCUSDT": D("0.5")}
    clock.advance(2)
    assert await feed.scores(["BTCUSDT"]) == {"BTCUSDT": D("-0.5")}


async def test_no_score_is_asked_about_again_sooner(
    web_service: Feed, feed: SentimentFeed, clock: FakeClock
) -> None:
    """But not at once: a feed that fails is not asked at each cycle."""
    web_service.status = 500
    assert [await feed.scores(["BTCUSDT"]) for _ in range(3)] == [{}] * 3
    assert len(web_service.asked) == 1
    web_service.status = 200
    clock.advance(NEGATIVE_SECONDS + 1)
    assert await feed.scores(["BTCUSDT"]) == {"BTCUSDT": D("0.5")}


async def test_a_feed_that_hangs_holds_nobody_up(web_service: Feed, feed: SentimentFeed) -> None:
    """Two hundred symbols that don't answer cost one timeout; the others are told."""
    symbols = ["BTCUSDT", *(f"S{number}" for number in range(200))]
    web_service.hangs = set(symbols[1:])
    began = time.monotonic()
    assert await feed.scores(symbols) == {"BTCUSDT": D("0.5")}
    assert 0.4 < time.monotonic() - began < 1.5
    asked = len(web_service.asked)
    assert await feed.scores(symbols) == {"BTCUSDT": D("0.5")}
    assert len(web_service.asked) == asked  # for a while nothing is waited for at all


async def test_a_feed_that_is_not_there_is_no_score(cache: Cache, clock: FakeClock) -> None:
    """Nobody listens on its port."""
    settings = SentimentSettings(url="http://127.0.0.1:9/{symbol}")
    feed = open_sentiment(settings, cache, clock)
    assert await feed.scores(["BTCUSDT", "ETHUSDT"]) == {}
    await feed.close()


async def test_without_a_feed_there_are_no_scores(cache: Cache, clock: FakeClock) -> None:
    """And nothing to close."""
    feed = open_sentiment(SentimentSettings(), cache, clock)
    assert await feed.scores(["BTCUSDT"]) == {}
    await feed.close()


def test_an_address_without_the_symbol_is_a_settings_error(cache: Cache, clock: FakeClock) -> None:
    """It would tell the same of every instrument."""
    with pytest.raises(SettingsError, match=r"sentiment\.url"):
        open_sentiment(SentimentSettings(url="http://127.0.0.1/score"), cache, clock)


TAMPERED: dict[str, Any] = {
    "more than 1": "2",
    "NaN": "NaN",
    "no number": "fear",
    "a list": ["0.5"],
    "a key": {"score": "0.5"},
}


@pytest.mark.parametrize("value", TAMPERED.values(), ids=TAMPERED)
async def test_a_cached_score_is_not_believed_with(
    feed: SentimentFeed, cache: Cache, clock: FakeClock, value: Any
) -> None:
    """The feed is asked instead."""
    await cache.set(Key("sentiment", "BTCUSDT"), value, TTL_SECONDS, clock.wall())
    assert await feed.scores(["BTCUSDT"]) == {"BTCUSDT": D("0.5")}


@pytest.fixture
def own_redis() -> Iterator[RedisServer]:
    """A server that a test may stop."""
    with RedisServer() as server:
        yield server


async def test_scores_go_on_without_redis(web_service: Feed, own_redis: RedisServer, clock: FakeClock) -> None:
    """Killed in the middle, the feed itself is asked."""
    cache = open_cache(CacheSettings(url=own_redis.url), "perps", clock, lambda *_: None)
    feed = open_sentiment(SentimentSettings(url=web_service.url), cache, clock)
    for _ in range(2):
        assert await feed.scores(["BTCUSDT"]) == {"BTCUSDT": D("0.5")}
    assert len(web_service.asked) == 1
    own_redis.kill()
    assert await feed.scores(["BTCUSDT", "ETHUSDT"]) == {"BTCUSDT": D("0.5"), "ETHUSDT": D("0.5")}
    assert len(web_service.asked) == 3
    await feed.close()
    await cache.close()
