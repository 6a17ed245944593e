"""One-minute candles: a seeded walk or a file, and the path a price takes inside one.

Pure apart from reading the file; the same seed gives the same candles on every machine.
"""

from __future__ import annotations

import csv
import gzip
import random
from datetime import UTC, datetime
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

POINTS_PER_CANDLE = 4
"""Prices that happen inside a candle: open, both extremes, close."""

CANDLE_SECONDS = 60
"""Length of a candle of the feed, in simulated seconds."""

MINUTE_VOLATILITY = 0.0008
"""Standard deviation of a generated minute's log return, about that of the larger contracts."""

MINUTE_TURNOVER_USDT = 2_000_000.0
"""Typical traded value of a generated minute."""

WALK_EPOCH_SECONDS = 1_700_006_400
"""Simulated time at which generated candles begin: a funding time, so that eight hours come whole."""


class Candle(NamedTuple):
    """One minute of trading; ``time_seconds`` is simulated, ``volume`` in the base asset."""

    time_seconds: int
    """Simulated opening time."""
    open: float
    """First price."""
    high: float
    """Highest price."""
    low: float
    """Lowest price."""
    close: float
    """Last price."""
    volume: float
    """Base asset traded."""


def random_walk(seed: str, start_price: float) -> Iterator[Candle]:
    """Endless candles of a geometric random walk, decided by ``seed`` alone."""
    dice = random.Random(seed)  # noqa: S311 - reproducible prices, no secret
    price, time_seconds = start_price, WALK_EPOCH_SECONDS
    while True:
        candle = _walk_one_minute(dice, price, time_seconds)
        yield candle
        price, time_seconds = candle.close, time_seconds + CANDLE_SECONDS


def _walk_one_minute(dice: random.Random, price: float, time_seconds: int) -> Candle:
    """The minute that follows ``price``."""
    close = price * (1 + dice.gauss(0, MINUTE_VOLATILITY))
    high = max(price, close) * (1 + abs(dice.gauss(0, MINUTE_VOLATILITY / 2)))
    low = min(price, close) * (1 - abs(dice.gauss(0, MINUTE_VOLATILITY / 2)))
    volume = MINUTE_TURNOVER_USDT * dice.lognormvariate(0, 0.5) / price
    return Candle(time_seconds, price, high, low, close, volume)


def read_csv(path: Path) -> list[Candle]:
    """Candles of a CSV file (timestamp in UTC, open, high, low, close, volume), gzipped if named so.

    Raises:
        ValueError: when the file holds no candles or a row makes no sense.
    """
    opener = gzip.open if path.suffix == ".gz" else open
    with opener(path, "rt", encoding="utf-8", newline="") as stream:
        rows = [_read_row(row) for row in csv.DictReader(stream)]
    if not rows:
        raise ValueError(f"{path} holds no candles")
    return rows


def _read_row(row: dict[str, str]) -> Candle:
    """One row of the file."""
    moment = datetime.fromisoformat(row["timestamp"]).replace(tzinfo=UTC)
    prices = [float(row[name]) for name in ("open", "high", "low", "close")]
    if min(prices) <= 0 or max(prices) != prices[1] or min(prices) != prices[2]:
        raise ValueError(f"no candle: {row}")
    # the recorded volume is in the quote asset; clients expect it in the base asset
    opened, high, low, closed = prices
    return Candle(int(moment.timestamp()), opened, high, low, closed, float(row["volume"]) / closed)


def repeated(candles: Sequence[Candle]) -> Iterator[Candle]:
    """The candles again and again, each round scaled to continue where the one before ended."""
    scale, shift = 1.0, 0
    span = candles[-1].time_seconds - candles[0].time_seconds + CANDLE_SECONDS
    while True:
        for candle in candles:
            yield scaled(candle, scale)._replace(time_seconds=candle.time_seconds + shift)
        scale *= candles[-1].close / candles[0].open
        shift += span


def scaled(candle: Candle, scale: float) -> Candle:
    """The same candle at other prices and the same turnover."""
    return Candle(
        candle.time_seconds,
        candle.open * scale,
        candle.high * scale,
        candle.low * scale,
        candle.close * scale,
        candle.volume / scale,
    )


def path_inside(candle: Candle) -> tuple[float, float, float, float]:
    """Prices in the order in which they are taken to happen: a rise dips first, a fall peaks first."""
    if candle.close >= candle.open:
        return candle.open, candle.low, candle.high, candle.close
    return candle.open, candle.high, candle.low, candle.close


def so_far(candle: Candle, points_seen: int) -> Candle:
    """What is known of a candle after the first ``points_seen`` of its four path points."""
    if points_seen >= POINTS_PER_CANDLE:
        return candle
    seen = path_inside(candle)[: max(points_seen, 1)]
    share = len(seen) / POINTS_PER_CANDLE
    return Candle(candle.time_seconds, seen[0], max(seen), min(seen), seen[-1], candle.volume * share)


def merged(candles: Iterable[Candle]) -> Candle:
    """One longer candle from consecutive ones."""
    rows = list(candles)
    return Candle(
        rows[0].time_seconds,
        rows[0].open,
        max(row.high for row in rows),
        min(row.low for row in rows),
        rows[-1].close,
        sum(row.volume for row in rows),
    )
