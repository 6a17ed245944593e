"""Market sentiment from a feed: shown to strategies, never needed by one."""

import asyncio
import json
import logging
from collections.abc import Collection
from decimal import Decimal
from typing import Any, NoReturn, Protocol

import aiohttp

from golive_engine.cache import Cache, Key
from golive_engine.clock import Clock
from golive_engine.settings import SentimentSettings, SettingsError

PLACEHOLDER = "{symbol}"
"""What an address has in place of the symbol."""

MOST_BYTES = 65_536
"""A longer answer is none."""

AT_ONCE = 8
"""Requests that run side by side."""

NEGATIVE_SECONDS = 30.0
"""How long a symbol without a score is not asked about again."""

_PLACES = Decimal("0.000001")

_log = logging.getLogger(__name__)


class SentimentSource(Protocol):
    """Whoever knows what a market feels like."""

    async def score(self, symbol: str) -> Decimal | None:
        """From -1, all fear, to 1, all greed; None if that can't be told, for whatever reason."""

    async def close(self) -> None:
        """Let go of connections."""


class HttpSentiment:
    """A web service that answers {"score": number} as JSON.

    Args:
        url: Address with {symbol} in it.
        timeout_seconds: Longest wait for an answer.
    """

    def __init__(self, url: str, timeout_seconds: float) -> None:
        self._url = url
        self._timeout = aiohttp.ClientTimeout(total=timeout_seconds)
        self._session: aiohttp.ClientSession | None = None

    async def score(self, symbol: str) -> Decimal | None:
        """Ask once; every failure is logged and no score."""
        try:
            return _score(await self._body(symbol))
        except (aiohttp.ClientError, OSError, TimeoutError, ValueError, RecursionError) as error:
            _log.info("no sentiment: %s", error or type(error).__name__, extra={"symbol": symbol})
            return None

    async def _body(self, symbol: str) -> bytes:
        """The answer's body; raises ValueError for an answer that is none."""
        if self._session is None:  # not earlier: a session belongs to a running event loop
            self._session = aiohttp.ClientSession(timeout=self._timeout)
        url = self._url.replace(PLACEHOLDER, symbol)
        async with self._session.get(url, allow_redirects=False) as response:
            if response.status != 200:  # noqa: PLR2004  # OK, and nothing else
                raise ValueError(f"HTTP {response.status}")
            body = b""
            async for chunk in response.content.iter_any():
                body += chunk
                if len(body) > MOST_BYTES:
                    raise ValueError("the answer is too long")
            return body

    async def close(self) -> None:
        """Let go of connections."""
        if self._session is not None:
            await self._session.close()


def _score(body: bytes) -> Decimal:
    """The score in an answer; raises ValueError if there is none from -1 to 1."""

    def refuse(constant: str) -> NoReturn:
        raise ValueError(f"{constant} is no score")

    answer = json.loads(body, parse_float=Decimal, parse_int=Decimal, parse_constant=refuse)
    score = answer.get("score") if isinstance(answer, dict) else None
    if not isinstance(score, Decimal):
        raise ValueError("no score")  # noqa: TRY004  # said by an answer, not by a caller
    return _bounded(score)


def _bounded(score: Decimal) -> Decimal:
    """A score of at most six places; raises ValueError if it is beyond -1 or 1."""
    if not -1 <= score <= 1:
        raise ValueError("the score is not from -1 to 1")
    return score.quantize(_PLACES)


class SentimentFeed:
    """Scores from the cache, or else from their source, within one bounded time for all of them.

    Args:
        source: Asked on a miss; None if there is no feed.
        cache: Where scores are kept.
        clock: For their age.
        settings: How long they are good, and how long to wait.
    """

    def __init__(
        self, source: SentimentSource | None, cache: Cache, clock: Clock, settings: SentimentSettings
    ) -> None:
        self._source = source
        self._cache = cache
        self._clock = clock
        self._seconds = settings.ttl_seconds
        self._timeout_seconds = settings.timeout_seconds

    async def scores(self, symbols: Collection[str]) -> dict[str, Decimal]:
        """Score by symbol; those that can't be told in time are left out, and left alone for a while."""
        if self._source is None or not symbols:
            return {}
        at_once = asyncio.Semaphore(AT_ONCE)
        found: dict[str, Decimal] = {}

        async def look(source: SentimentSource, symbol: str) -> None:
            async with at_once:
                found.update(await self._look(source, symbol))

        asked = self._clock.wall()
        tasks = {asyncio.create_task(look(self._source, symbol)): symbol for symbol in symbols}
        _, late = await asyncio.wait(tasks, timeout=self._timeout_seconds)
        for task in late:
            task.cancel()
            await self._keep(tasks[task], None, asked)
        for outcome in await asyncio.gather(*tasks, return_exceptions=True):
            if isinstance(outcome, Exception):
                _log.error("sentiment failed", exc_info=outcome)
        return found

    async def _look(self, source: SentimentSource, symbol: str) -> dict[str, Decimal]:
        """One symbol with its score, nothing if it has none."""
        kept = await self._cache.get(_key(symbol), self._seconds, lambda value: _kept(symbol, value))
        if kept is not None:
            return kept
        asked = self._clock.wall()
        score = await source.score(symbol)
        await self._keep(symbol, score, asked)
        return {} if score is None else {symbol: score}

    async def _keep(self, symbol: str, score: Decimal | None, asked: float) -> None:
        """Keep a score, or for a short time that there is none."""
        seconds = self._seconds if score is not None else min(self._seconds, NEGATIVE_SECONDS)
        await self._cache.set(_key(symbol), None if score is None else f"{score:f}", seconds, asked)

    async def close(self) -> None:
        """Let go of connections."""
        if self._source is not None:
            await self._source.close()


def _key(symbol: str) -> Key:
    """Where a symbol's score is kept."""
    return Key("sentiment", symbol)


def _kept(symbol: str, value: Any) -> dict[str, Decimal]:
    """A cached score, read as strictly as the feed's own answer; nothing for a symbol that has none."""
    return {} if value is None else {symbol: _bounded(Decimal(value))}


def open_sentiment(settings: SentimentSettings, cache: Cache, clock: Clock) -> SentimentFeed:
    """The feed that the settings want; nothing is connected yet. Raises SettingsError."""
    if settings.url is None:
        return SentimentFeed(None, cache, clock, settings)
    if PLACEHOLDER not in settings.url:
        raise SettingsError(f"sentiment.url: {PLACEHOLDER} is missing")
    return SentimentFeed(HttpSentiment(settings.url, settings.timeout_seconds), cache, clock, settings)
