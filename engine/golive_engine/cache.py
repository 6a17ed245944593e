"""Market data and sentiment kept for a moment, in memory or in Redis. No failure of it reaches trading."""

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable
from decimal import Decimal
from typing import Any, NamedTuple, Protocol, TypeVar
from uuid import uuid4

from redis.asyncio import Redis
from redis.exceptions import RedisError

from golive_engine.clock import Clock
from golive_engine.market import Closes
from golive_engine.settings import CacheSettings, SettingsError

REST_SECONDS = 5.0
"""How long a store that failed is left alone: waiting for it at each symbol would delay the cycle."""

CHECK_SECONDS = 10.0
"""How long the self test's value may stay behind."""

Count = Callable[[str, str, str], None]
"""Told kind, symbol and result (hit, miss, error) of each request."""

_T = TypeVar("_T")
_log = logging.getLogger(__name__)


class StoreError(Exception):
    """The store failed or did not answer in time."""


class Store(Protocol):
    """Where values are kept. Every method raises StoreError."""

    async def get(self, key: str) -> bytes | None:
        """The value of a key, None if there is none."""

    async def set(self, key: str, value: bytes, seconds: float) -> None:
        """Keep a value; it may be forgotten after so long."""

    async def close(self) -> None:
        """Let go of connections."""


class MemoryStore:
    """A store that lives and dies with the process."""

    def __init__(self) -> None:
        self._values: dict[str, bytes] = {}

    async def get(self, key: str) -> bytes | None:
        """The last value of a key, however old: each carries its age."""
        return self._values.get(key)

    async def set(self, key: str, value: bytes, seconds: float) -> None:  # noqa: ARG002  # see above
        """Keep a value; keys name symbols, so there are only so many of them."""
        self._values[key] = value

    async def close(self) -> None:
        """Forget everything."""
        self._values.clear()


class RedisStore:
    """A Redis server.

    Args:
        url: redis://, rediss:// or unix:// URL.
        password: For a URL that has none.
        timeout_seconds: Longest wait for one answer.

    Raises:
        ValueError: The URL is none of a Redis.
    """

    def __init__(self, url: str, password: str | None, timeout_seconds: float) -> None:
        self._timeout_seconds = timeout_seconds
        self._redis = Redis.from_url(url, password=password)

    async def get(self, key: str) -> bytes | None:
        """GET."""
        value: bytes | None = await self._answer(self._redis.get(key))
        return value

    async def set(self, key: str, value: bytes, seconds: float) -> None:
        """SET with an expiry in milliseconds."""
        await self._answer(self._redis.set(key, value, px=max(1, round(seconds * 1000))))

    async def close(self) -> None:
        """Let go of connections."""
        await self._answer(self._redis.aclose())

    async def _answer(self, request: Awaitable[Any]) -> Any:
        """Wait for an answer, connecting included."""
        try:
            async with asyncio.timeout(self._timeout_seconds):
                return await request
        except TimeoutError:
            raise StoreError(f"no answer within {self._timeout_seconds:g} s") from None
        except (RedisError, OSError) as error:
            raise StoreError(str(error) or type(error).__name__) from error


class Key(NamedTuple):
    """What a value is about; kind and symbol are the labels it is counted by."""

    kind: str
    """What it is: closes, sentiment."""
    symbol: str
    """Which instrument."""
    variant: str = ""
    """What else makes it another value, such as its source."""


class Cache:
    """Reads and writes values with their age; whatever goes wrong is a miss.

    The age travels inside the value: neither a store that keeps values for too long, nor another pod with
    longer times in its settings can make an old one pass for new.

    Args:
        store: Where values are kept.
        namespace: Begins every key, so that two engines never read each other's values.
        clock: Both clocks.
        count: Told of every request.
    """

    def __init__(self, store: Store, namespace: str, clock: Clock, count: Count) -> None:
        self._store = store
        self._namespace = namespace
        self._clock = clock
        self._count = count
        self._resting_until: float | None = None
        self._check = Key("check", uuid4().hex)

    async def get(self, key: Key, seconds: float, read: Callable[[Any], _T]) -> _T | None:
        """The value of a key, None if there is none that is good.

        Args:
            key: What it is about.
            seconds: Oldest that it may be.
            read: Makes the value of its JSON; raises ValueError or ArithmeticError for JSON that is none.
        """
        try:
            raw = await self._tried(lambda: self._store.get(self._path(key)))
        except StoreError:
            self._count(key.kind, key.symbol, "error")
            return None
        value = None if raw is None else _fresh(raw, self._clock.wall(), seconds, read)
        self._count(key.kind, key.symbol, "miss" if value is None else "hit")
        return value

    async def set(self, key: Key, value: object, seconds: float, asked: float) -> None:
        """Keep a JSON value.

        Args:
            key: What it is about.
            value: Anything that JSON can hold.
            seconds: How long it is good.
            asked: Wall clock when its source was asked: it may be as old as that.
        """
        raw = json.dumps({"time": asked, "seconds": seconds, "value": value}).encode()
        try:
            await self._tried(lambda: self._store.set(self._path(key), raw, seconds))
        except StoreError:
            self._count(key.kind, key.symbol, "error")

    async def write_probe(self) -> bytes:
        """Write a value of no meaning, however lately the store has failed; returns it. Raises StoreError."""
        value = uuid4().hex.encode()
        await self._store.set(self._path(self._check), value, CHECK_SECONDS)
        return value

    async def read_probe(self) -> bytes | None:
        """Read it back; raises StoreError."""
        return await self._store.get(self._path(self._check))

    async def close(self) -> None:
        """Let go of the store; one that is gone is no error."""
        try:
            await self._store.close()
        except StoreError as error:
            _log.warning("cache not closed in order: %s", error)

    def _path(self, key: Key) -> str:
        """The store's key."""
        return ":".join((self._namespace, *key))

    async def _tried(self, request: Callable[[], Awaitable[_T]]) -> _T:
        """Ask the store, unless it failed a moment ago."""
        now = self._clock.monotonic()
        if self._resting_until is not None and now < self._resting_until:
            raise StoreError("left alone after a failure")
        try:
            answer = await request()
        except StoreError as error:
            if self._resting_until is None:
                _log.warning("cache failed, doing without: %s", error)
            self._resting_until = self._clock.monotonic() + REST_SECONDS
            raise
        if self._resting_until is not None:
            _log.warning("cache is back")
            self._resting_until = None
        return answer


def _fresh(raw: bytes, now: float, seconds: float, read: Callable[[Any], _T]) -> _T | None:
    """The value inside, None if it is too old, from the future, or can't be read."""
    try:
        kept = json.loads(raw)
        bound = min(float(kept["seconds"]), seconds)
        if not 0 <= now - float(kept["time"]) <= bound:
            return None
        return read(kept["value"])
    except (ValueError, TypeError, LookupError, ArithmeticError, RecursionError):  # JSON may be of any form
        return None


def open_cache(
    settings: CacheSettings, namespace: str, clock: Clock, count: Count, password: str | None = None
) -> Cache:
    """The cache that the settings want; nothing is connected yet. Raises SettingsError."""
    if settings.url is None:
        return Cache(MemoryStore(), namespace, clock, count)
    try:
        store = RedisStore(settings.url, password, settings.timeout_seconds)
    except ValueError as error:
        raise SettingsError(f"cache.url: {error}") from error
    return Cache(store, namespace, clock, count)


class CachedCloses:
    """Closing prices from the cache, or else from their source.

    Args:
        source: Asked on a miss; what it raises is passed on.
        origin: Exchange and environment, as "bybit testnet": prices of play money are not those of real money.
        cache: Where they are kept.
        clock: For the age of what the source answers.
        seconds: How long closes are good.
    """

    def __init__(self, source: Closes, origin: str, cache: Cache, clock: Clock, seconds: float) -> None:
        self._source = source
        self._origin = origin
        self._cache = cache
        self._clock = clock
        self._seconds = seconds

    async def __call__(self, symbol: str, count: int) -> tuple[Decimal, ...]:
        """Closes that are no older than they may be; raises UnavailableError as the source does."""
        key = Key("closes", symbol, f"{self._origin}:{count}")
        kept = await self._cache.get(key, self._seconds, _prices)
        if kept is not None:
            return kept
        asked = self._clock.wall()
        closes = await self._source(symbol, count)
        await self._cache.set(key, [str(close) for close in closes], self._seconds, asked)
        return closes


def _prices(value: Any) -> tuple[Decimal, ...]:
    """Prices of their texts; raises ValueError or ArithmeticError for anything else."""
    if not isinstance(value, list) or not all(isinstance(text, str) for text in value):
        raise ValueError("no list of texts")
    prices = tuple(Decimal(text) for text in value)
    if not all(price.is_finite() and price > 0 for price in prices):
        raise ValueError("no prices")
    return prices
