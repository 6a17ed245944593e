"""What the answers of all venues are made of; whatever is odd raises ValueError. Pure but for waiting."""

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import replace
from decimal import Decimal
from typing import Any, NamedTuple, TypeVar

from golive_engine.trading import (
    ZERO,
    Depth,
    Execution,
    ExecutionStatus,
    Intent,
    Quote,
    UnavailableError,
)

QUOTE_ASSET = "USDT"
"""What contracts are quoted and settled in; equity and limits are in it."""

BOOK_LEVELS = 100
"""Levels that are read of each side of a book. What lies deeper is taken to be not there."""

HISTORY_SECONDS = 90 * 86_400.0
"""How far back trades are read: as far as the venue that keeps them shortest."""

CANDLE_MS = 60_000
"""Length of a candle."""

MOST_PAGES = 100
"""Pages after which an answer that does not end is none."""

_T = TypeVar("_T")


class Candle(NamedTuple):
    """One minute of prices."""

    opened_ms: int
    """When it began, in milliseconds since 1970."""
    close: Decimal
    """Its last price."""


class Position(NamedTuple):
    """One open position."""

    symbol: str
    """Which instrument."""
    quantity: Decimal
    """With its sign."""
    entry: Decimal
    """Average entry price."""


class Algo(NamedTuple):
    """A conditional order, with the number of the order that it made."""

    execution: Execution
    """By itself."""
    child_id: str | None
    """None until it triggers."""


def number(text: Any) -> Decimal:
    """A finite number."""
    value = Decimal(str(text))
    if not value.is_finite():
        raise ValueError(f"{text!r} is no number")
    return value


def price_or_none(text: Any) -> Decimal | None:
    """A price, None where the venue writes nothing or nought for none."""
    value = number(text or 0)
    return value if value > ZERO else None


def truth(value: Any) -> bool:
    """A flag, as JSON has it or as a text; raises ValueError for anything else."""
    if value in (True, "true"):
        return True
    if value in (False, "false", ""):
        return False
    raise ValueError(f"{value!r} is neither true nor false")


def seconds(milliseconds: Any) -> float:
    """A moment in seconds since 1970."""
    return int(milliseconds) / 1000


def plain(value: Decimal) -> str:
    """A number as venues take it: without exponent or needless noughts."""
    return f"{value.normalize():f}"


def quote(symbol: str, bid: Any, ask: Any, time_ms: Any) -> dict[str, Quote]:
    """A quote by its symbol, nothing where a side is empty."""
    prices = number(bid or 0), number(ask or 0)
    if min(prices) <= ZERO:
        return {}
    return {symbol: Quote(symbol, *prices, seconds(time_ms))}


def depth(symbol: str, bids: Iterable[Any], asks: Iterable[Any], time_ms: Any, percent: Decimal) -> Depth:
    """What a book holds within a share of its middle, in the unit that the venue counts in."""
    below = [(number(row[0]), number(row[1])) for row in bids]
    above = [(number(row[0]), number(row[1])) for row in asks]
    middle = (below[0][0] + above[0][0]) / 2
    reach = middle * percent / 100
    return Depth(
        symbol,
        bids=sum((size for price, size in below if price >= middle - reach), ZERO),
        asks=sum((size for price, size in above if price <= middle + reach), ZERO),
        time=seconds(time_ms),
    )


def candles(rows: Any) -> list[Candle]:
    """Candles in the venue's order; all three write the opening first and the close fifth."""
    return [Candle(int(row[0]), number(row[4])) for row in rows]


def closes(newest_first: list[Candle], count: int) -> tuple[Decimal, ...]:
    """The newest closes, oldest first, without that of the newest candle, which is still moving.

    Raises:
        UnavailableError: There are none.
    """
    found = tuple(candle.close for candle in newest_first[count:0:-1])
    if not found:
        raise UnavailableError("no candles", is_outage=False)
    return found


async def newest_candles(page: Callable[[int | None], Awaitable[list[Candle]]], count: int) -> list[Candle]:
    """So many candles or a few more, newest first, as far as there are.

    Args:
        page: Gives the candles before a moment in milliseconds, or the newest ones, newest first.
        count: How many are needed.
    """
    found: list[Candle] = []
    while len(found) < count:
        oldest = found[-1].opened_ms if found else None
        rows = [row for row in await page(oldest) if oldest is None or row.opened_ms < oldest]
        if not rows:
            break
        found += rows
    return found


def accepted(intent: Intent, client_order_id: str, venue_order_id: str) -> Execution:
    """An order of which a venue says no more than that it has it."""
    return Execution(
        client_order_id=client_order_id,
        venue_order_id=venue_order_id,
        symbol=intent.symbol,
        side=intent.side,
        quantity=intent.quantity,
        status=ExecutionStatus.WORKING,
        filled_quantity=ZERO,
        average_price=ZERO,
        kind=intent.kind,
        reduce_only=intent.reduce_only,
        price=intent.limit_price if intent.trigger_price is None else intent.trigger_price,
    )


def grown_up(algo: Execution, child: Execution) -> Execution:
    """A triggered conditional order: it stands where the order stands that it made, under our id."""
    return replace(
        algo,
        venue_order_id=child.venue_order_id,
        status=child.status,
        filled_quantity=child.filled_quantity,
        average_price=child.average_price,
    )


def windows(since: float, now: float, span_seconds: float) -> list[tuple[int, int | None]]:
    """Consecutive times in milliseconds from a moment to now; the last one has no end."""
    start = max(since, now - HISTORY_SECONDS)
    found: list[tuple[int, int | None]] = []
    while start + span_seconds < now:
        found.append((int(start * 1000), int((start + span_seconds) * 1000)))
        start += span_seconds
    return [*found, (int(start * 1000), None)]


async def every_page(page: Callable[[str], Awaitable[tuple[list[_T], str]]]) -> list[_T]:
    """The rows of all pages; each tells the cursor of the next one, empty at the end.

    Raises:
        UnavailableError: There is no end to them.
    """
    found: list[_T] = []
    cursor = ""
    for _ in range(MOST_PAGES):
        rows, cursor = await page(cursor)
        found += rows
        if not cursor:
            return found
    raise UnavailableError(f"more than {MOST_PAGES} pages", is_outage=False)
