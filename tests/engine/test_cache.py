"""The cache on a real Redis and in memory: a help while it works, and never a danger."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Iterator
from decimal import Decimal
from typing import Any

import pytest
from redis.asyncio import Redis

from golive_dev.redis import RedisServer
from golive_engine.cache import REST_SECONDS, Cache, CachedCloses, Key, StoreError, open_cache
from golive_engine.clock import FakeClock
from golive_engine.settings import CacheSettings, SettingsError
from golive_engine.trading import UnavailableError

BTC = Key("closes", "BTCUSDT", "bybit testnet:3")
PRICES = (Decimal("50000.10"), Decimal("50001.00"), Decimal("49999.9"))
SECONDS = 5.0


class Counts(dict[tuple[str, str, str], int]):
    """How often each kind, symbol and result was told."""

    def __call__(self, kind: str, symbol: str, result: str) -> None:
        """Take one in."""
        self[kind, symbol, result] = self.get((kind, symbol, result), 0) + 1

    def of(self, result: str) -> int:
        """How often a result was told."""
        return sum(count for key, count in self.items() if key[2] == result)


class Prices:
    """Where closes come from, and how often it was asked."""

    def __init__(self) -> None:
        self.asked = 0
        self.fails = False

    async def __call__(self, _symbol: str, count: int) -> tuple[Decimal, ...]:
        """Answer as a venue does."""
        self.asked += 1
        if self.fails:
            raise UnavailableError("no venue")
        return PRICES[-count:]


@pytest.fixture(scope="module")
def shared_redis() -> Iterator[RedisServer]:
    """A server that keeps running."""
    with RedisServer() as server:
        yield server


@pytest.fixture
def redis(shared_redis: RedisServer) -> RedisServer:
    """The same, empty."""
    assert shared_redis.ask("FLUSHALL") == "+OK"
    return shared_redis


@pytest.fixture
def own_redis() -> Iterator[RedisServer]:
    """A server that a test may kill."""
    with RedisServer() as server:
        yield server


@pytest.fixture
def counts() -> Counts:
    """Nothing counted yet."""
    return Counts()


@pytest.fixture
def clock() -> FakeClock:
    """A clock that a test moves."""
    return FakeClock()


@pytest.fixture
async def opened() -> AsyncIterator[list[Cache]]:
    """Caches to close."""
    caches: list[Cache] = []
    yield caches
    for cache in caches:
        await cache.close()


@pytest.fixture(params=["memory", "redis"])
def cache(request: pytest.FixtureRequest, clock: FakeClock, counts: Counts, opened: list[Cache]) -> Cache:
    """An empty cache of each kind."""
    url = request.getfixturevalue("redis").url if request.param == "redis" else None
    opened.append(open_cache(CacheSettings(url=url), "perps", clock, counts))
    return opened[-1]


@pytest.fixture
def on_redis(clock: FakeClock, counts: Counts, opened: list[Cache]) -> Any:
    """A way to open caches on a server."""

    def opens(server: RedisServer, namespace: str = "perps", timeout_seconds: float = 0.2) -> Cache:
        settings = CacheSettings(url=server.url, timeout_seconds=timeout_seconds)
        opened.append(open_cache(settings, namespace, clock, counts))
        return opened[-1]

    return opens


def as_it_is(value: Any) -> Any:
    """Read JSON without looking."""
    return value


async def plant(server: RedisServer, key: Key, raw: bytes, namespace: str = "perps") -> None:
    """Write into Redis what nobody should have written, without an expiry."""
    async with Redis.from_url(server.url) as client:
        await client.set(":".join((namespace, *key)), raw)


async def test_what_was_kept_is_found(cache: Cache, clock: FakeClock, counts: Counts) -> None:
    """A value comes back as JSON brings it; the first look is a miss, the second a hit."""
    assert await cache.get(BTC, SECONDS, as_it_is) is None
    await cache.set(BTC, ["1.50", {"a": [None, 2]}], SECONDS, clock.wall())
    assert await cache.get(BTC, SECONDS, as_it_is) == ["1.50", {"a": [None, 2]}]
    assert counts == {("closes", "BTCUSDT", "miss"): 1, ("closes", "BTCUSDT", "hit"): 1}


async def test_what_is_too_old_is_not_found(cache: Cache, clock: FakeClock) -> None:
    """To the second; the age counts from when the source was asked."""
    await cache.set(BTC, 1, SECONDS, clock.wall() - 1)
    clock.advance(SECONDS - 1)
    assert await cache.get(BTC, SECONDS, as_it_is) == 1
    clock.advance(0.01)
    assert await cache.get(BTC, SECONDS, as_it_is) is None


async def test_another_key_is_another_value(cache: Cache, clock: FakeClock) -> None:
    """Kind, symbol and variant each tell values apart."""
    await cache.set(BTC, 1, SECONDS, clock.wall())
    for other in (BTC._replace(kind="sentiment"), BTC._replace(symbol="ETHUSDT"), BTC._replace(variant="x")):
        assert await cache.get(other, SECONDS, as_it_is) is None


class ForgetfulStore:
    """A store that takes everything and has nothing, as a Redis does that is full."""

    async def get(self, key: str) -> None:
        """Nothing."""

    async def set(self, key: str, value: bytes, seconds: float) -> None:
        """Taken."""

    async def close(self) -> None:
        """Nothing to let go of."""


async def self_test(cache: Cache) -> str:
    """What is wrong with a cache that is written to and read back; nothing if it works."""
    try:
        return "" if await cache.write_probe() == await cache.read_probe() else "it forgets"
    except StoreError as error:
        return f"the cache failed: {error}"


async def test_a_cache_that_forgets_fails_its_self_test(clock: FakeClock, counts: Counts) -> None:
    """Being written to is not enough."""
    assert await self_test(Cache(ForgetfulStore(), "perps", clock, counts)) == "it forgets"


async def test_a_working_cache_passes_its_self_test(cache: Cache, counts: Counts) -> None:
    """It is written, read back, and not counted as a request."""
    assert await self_test(cache) == ""
    assert counts == {}


def kept(age: float = 0.0, seconds: Any = SECONDS, value: Any = 1, **more: Any) -> bytes:
    """A value as it lies in Redis."""
    return json.dumps({"time": FakeClock().wall() - age, "seconds": seconds, "value": value} | more).encode()


BAD: dict[str, bytes] = {
    "one that Redis kept for too long": kept(age=SECONDS + 0.1),
    "one that another pod found good for longer": kept(age=SECONDS + 0.1, seconds=3600),
    "one that was good for less": kept(age=2, seconds=1),
    "one from the future": kept(age=-0.1),
    "no JSON": b"\x80\x81 not JSON",
    "no object": b"[1, 2]",
    "one without an age": b'{"seconds": 5, "value": 1}',
    "an age that is no number": kept(time="yesterday"),
    "an age that is NaN": kept(time=float("nan")),
    "an age beyond all numbers": b'{"time": 1' + b"0" * 400 + b', "seconds": 5, "value": 1}',
    "JSON deeper than any": b"[" * 100_000,
}


@pytest.mark.parametrize("raw", BAD.values(), ids=BAD)
async def test_redis_is_not_believed_with(
    on_redis: Any, redis: RedisServer, counts: Counts, raw: bytes
) -> None:
    """Whatever lies there, it is a miss and no exception."""
    await plant(redis, BTC, raw)
    assert await on_redis(redis).get(BTC, SECONDS, as_it_is) is None
    assert counts == {("closes", "BTCUSDT", "miss"): 1}


async def test_two_engines_never_read_each_others_values(
    on_redis: Any, redis: RedisServer, clock: FakeClock
) -> None:
    """On one Redis, by namespace."""
    await on_redis(redis, "one").set(BTC, 1, SECONDS, clock.wall())
    assert await on_redis(redis, "two").get(BTC, SECONDS, as_it_is) is None
    assert await on_redis(redis, "one").get(BTC, SECONDS, as_it_is) == 1


async def test_redis_forgets_by_itself(on_redis: Any, redis: RedisServer, clock: FakeClock) -> None:
    """Every key has an expiry, so that a Redis never fills up."""
    await on_redis(redis).set(BTC, 1, SECONDS, clock.wall())
    expiry = int(redis.ask(f'PTTL "{":".join(("perps", *BTC))}"').removeprefix(":"))
    assert 0 < expiry <= SECONDS * 1000


async def test_a_redis_that_is_not_there_is_a_miss(
    on_redis: Any, own_redis: RedisServer, counts: Counts, clock: FakeClock
) -> None:
    """Killed in the middle: no exception, errors counted, and used again once it is back."""
    cache = on_redis(own_redis, timeout_seconds=10.0)
    await cache.set(BTC, 1, SECONDS, clock.wall())
    own_redis.kill()
    assert await cache.get(BTC, SECONDS, as_it_is) is None
    await cache.set(BTC, 2, SECONDS, clock.wall())
    assert counts == {("closes", "BTCUSDT", "error"): 2}
    began = time.monotonic()
    assert "cache failed" in await self_test(cache)
    assert (
        time.monotonic() - began < 0.5
    )  # of ten seconds that it might wait: nobody listens, that is an answer
    own_redis.start()
    assert await self_test(cache) == ""
    clock.advance(REST_SECONDS)
    await cache.set(BTC, 3, SECONDS, clock.wall())
    assert await cache.get(BTC, SECONDS, as_it_is) == 3


async def test_a_redis_that_hangs_costs_one_timeout(
    on_redis: Any, own_redis: RedisServer, counts: Counts, clock: FakeClock
) -> None:
    """Then it is left alone for a while: two hundred symbols don't wait one after the other."""
    cache = on_redis(own_redis, timeout_seconds=0.2)
    await cache.set(BTC, 1, SECONDS, clock.wall())
    own_redis.freeze()
    began = time.monotonic()
    for number in range(200):
        assert await cache.get(Key("closes", f"S{number}"), SECONDS, as_it_is) is None
    assert 0.2 <= time.monotonic() - began < 0.5
    assert counts.of("error") == 200
    own_redis.thaw()
    clock.advance(REST_SECONDS)
    await cache.set(BTC, 1, SECONDS, clock.wall())
    assert await cache.get(BTC, SECONDS, as_it_is) == 1


async def test_a_late_answer_is_never_taken_for_anothers(
    on_redis: Any, own_redis: RedisServer, clock: FakeClock
) -> None:
    """A request that was given up leaves no answer behind for the next one to read."""
    cache = on_redis(own_redis, timeout_seconds=0.2)
    ours, other = Key("closes", "BTCUSDT"), Key("closes", "ETHUSDT")
    await cache.set(ours, "ours", 100, clock.wall())
    await cache.set(other, "other", 100, clock.wall())
    own_redis.freeze()
    assert await cache.get(other, 100, as_it_is) is None
    own_redis.thaw()
    clock.advance(REST_SECONDS)
    assert [await cache.get(ours, 100, as_it_is) for _ in range(3)] == ["ours"] * 3


async def test_a_redis_that_wants_a_password_gets_it(
    own_redis: RedisServer, counts: Counts, clock: FakeClock, opened: list[Cache]
) -> None:
    """Apart from the URL, which stands in a ConfigMap; without it the self test fails."""
    assert own_redis.ask("CONFIG SET requirepass secret") == "+OK"
    settings = CacheSettings(url=own_redis.url)
    opened += [open_cache(settings, "perps", clock, counts, password) for password in (None, "secret")]
    without, with_it = opened
    assert "cache failed" in await self_test(without)
    assert await self_test(with_it) == ""


def test_a_url_of_something_else_is_a_settings_error(clock: FakeClock, counts: Counts) -> None:
    """With the key that is wrong, and before anything starts."""
    with pytest.raises(SettingsError, match=r"cache\.url"):
        open_cache(CacheSettings(url="postgresql://somewhere"), "perps", clock, counts)


@pytest.fixture
def prices() -> Prices:
    """A source that works."""
    return Prices()


async def test_closes_are_asked_for_once(cache: Cache, clock: FakeClock, prices: Prices) -> None:
    """Until they are too old; they come back exactly."""
    closes = CachedCloses(prices, "bybit testnet", cache, clock, SECONDS)
    assert [await closes("BTCUSDT", 3) for _ in range(3)] == [PRICES] * 3
    assert prices.asked == 1
    clock.advance(SECONDS + 0.01)
    assert await closes("BTCUSDT", 3) == PRICES
    assert prices.asked == 2


async def test_closes_differ_by_origin_and_count(cache: Cache, clock: FakeClock, prices: Prices) -> None:
    """Prices of play money never reach an account with real money."""
    testnet, production = (CachedCloses(prices, name, cache, clock, SECONDS) for name in ("okx t", "okx p"))
    assert await testnet("BTCUSDT", 3) == await production("BTCUSDT", 3) == PRICES
    assert await testnet("BTCUSDT", 2) == PRICES[-2:]
    assert prices.asked == 3


async def test_a_failing_source_is_passed_on(cache: Cache, clock: FakeClock, prices: Prices) -> None:
    """What the source raises is the caller's, and nothing is kept."""
    prices.fails = True
    closes = CachedCloses(prices, "okx production", cache, clock, SECONDS)
    for _ in range(2):
        with pytest.raises(UnavailableError):
            await closes("BTCUSDT", 3)
    assert prices.asked == 2


async def test_a_slow_source_makes_old_closes(cache: Cache, clock: FakeClock) -> None:
    """They are as old as the question, not as the answer."""
    asked = 0

    async def slow(_symbol: str, _count: int) -> tuple[Decimal, ...]:
        nonlocal asked
        asked += 1
        clock.advance(SECONDS)
        return PRICES

    closes = CachedCloses(slow, "okx production", cache, clock, SECONDS)
    await closes("BTCUSDT", 3)
    clock.advance(0.01)
    await closes("BTCUSDT", 3)
    assert asked == 2


WRONG: dict[str, Any] = {
    "a text": "123",
    "numbers": [1.5, 2.5, 3.5],
    "no numbers": ["1", "two", "3"],
    "NaN": ["1", "NaN", "3"],
    "infinity": ["1", "Infinity", "3"],
    "a price of nothing": ["1", "0", "3"],
    "a negative price": ["1", "-2", "3"],
    "nothing": None,
}


@pytest.mark.parametrize("value", WRONG.values(), ids=WRONG)
async def test_cached_closes_are_not_believed_with(
    on_redis: Any, redis: RedisServer, clock: FakeClock, prices: Prices, value: Any
) -> None:
    """The venue is asked instead."""
    await plant(redis, BTC, kept(value=value))
    assert await CachedCloses(prices, "bybit testnet", on_redis(redis), clock, SECONDS)("BTCUSDT", 3) == PRICES
    assert prices.asked == 1


async def test_closes_go_on_without_redis(
    on_redis: Any, own_redis: RedisServer, clock: FakeClock, prices: Prices
) -> None:
    """Killed in the middle, with requests side by side: every one gets its closes."""
    closes = CachedCloses(prices, "bybit testnet", on_redis(own_redis), clock, SECONDS)
    assert await closes("BTCUSDT", 3) == PRICES
    own_redis.kill()
    assert await asyncio.gather(*(closes(f"S{number}", 3) for number in range(20))) == [PRICES] * 20
