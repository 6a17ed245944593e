"""The market that scenarios start from: prices that rise without a dip, by themselves or all together. Pure."""

import random
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from types import MappingProxyType

STARTS: Mapping[str, float] = MappingProxyType({"BTCUSDT": 10_000.0, "ETHUSDT": 1_000.0, "DOGEUSDT": 0.1})
"""What is traded, and its first price: small, so that one lot fits into the smallest profile."""

PAST = 1_500
"""Minutes that are over when the exchange opens; it keeps as many."""

APART = 40
"""Minutes after that in which each symbol still moves by itself."""

TOGETHER = 100
"""Minutes after those in which all symbols move as one, before each goes its own way again."""

LAST = 400
"""Minutes in which they do."""

RISE = 0.0002
"""Growth in a minute; steady, so that a moving average of fewer closes is always above one of more."""

WOBBLE = 0.00005
"""Most that a close is off that growth: less than half of it, so that no close is below the one before."""

TURNOVER = 2_000_000
"""Quote currency traded in a minute."""

_BEGIN = datetime(2026, 1, 1, tzinfo=UTC)


def files() -> dict[str, str]:
    """Candles of each symbol as CSV; the same ones every time."""
    common = random.Random("together")  # noqa: S311  # prices, no secret
    shared = [common.uniform(-WOBBLE, WOBBLE) for _ in range(TOGETHER)]
    return {symbol: "\n".join(_rows(symbol, start, shared)) for symbol, start in STARTS.items()}


def _rows(symbol: str, start: float, shared: list[float]) -> Iterator[str]:
    """One symbol's file, line by line."""
    yield "timestamp,open,high,low,close,volume"
    own = random.Random(symbol)  # noqa: S311  # same
    before = [own.uniform(-WOBBLE, WOBBLE) for _ in range(PAST + APART)]
    after = [own.uniform(-WOBBLE, WOBBLE) for _ in range(LAST)]
    opened = start
    for minute, wobble in enumerate([*before, *shared, *after]):
        closed = start * (1 + RISE) ** (minute + 1) * (1 + wobble)
        time = _BEGIN + timedelta(minutes=minute)
        yield f"{time:%Y-%m-%dT%H:%M:%S},{opened!r},{closed!r},{opened!r},{closed!r},{TURNOVER}"
        opened = closed
