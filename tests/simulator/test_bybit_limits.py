"""Bybit's request limits: by account and second for orders, by address over five seconds."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import ccxt
import pytest

from golive_simulator.dialect import Asked
from golive_simulator.dialect.bybit import BybitDialect
from golive_simulator.dialect.bybit.limits import SECOND_MS, Limits, Meter
from golive_simulator.exchange import Exchange
from golive_simulator.instruments import built_in
from golive_simulator.market import Market

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from golive_simulator.client import Admin

SYMBOL = "BTC/USDT:USDT"


@pytest.fixture(scope="module")
def arguments(candle_file: Path) -> list[str]:
    """With the venue's limits in force."""
    return ["--paused", "--candles", str(candle_file)]


async def outcomes(ask: Callable[[], Any], count: int) -> list[str]:
    """What ccxt makes of a number of calls at once."""
    answers = await asyncio.gather(*(ask() for _ in range(count)), return_exceptions=True)
    return [type(answer).__name__ if isinstance(answer, Exception) else "done" for answer in answers]


async def test_orders_beyond_ten_a_second_are_refused(bybit: Any, admin: Admin) -> None:
    """With a return code, and a header that says when to come again; nothing is placed for them."""
    await bybit.load_markets()
    await bybit.is_unified_enabled()

    seen = await outcomes(lambda: bybit.create_order(SYMBOL, "market", "buy", 0.001), 40)

    counts = (await admin.account("bybit-production", bybit.apiKey))["counts"]
    assert set(seen) == {"done", "RateLimitExceeded"}
    assert seen.count("done") == counts["orders"] < 40
    refused = [row for row in await admin.requests(new_orders=True) if row["code"] == 10006]
    assert {row["status"] for row in refused} == {200}
    assert "X-Bapi-Limit-Reset-Timestamp" in bybit.last_response_headers


def asked(now_ms: int, peer: str = "10.0.0.1") -> Asked:
    """A request for the time."""
    return Asked("api.bybit.com", "GET", "/v5/market/time", "", "", {}, peer, now_ms)


def test_an_address_that_asks_too_much_is_forbidden_until_the_interval_ends() -> None:
    """Other addresses and the next five seconds are free."""
    dialect = BybitDialect(Limits(requests_per_5_seconds=2))
    exchange = Exchange("bybit-production", Market(built_in(), seed=1))
    requests = [asked(5_000), asked(6_000), asked(9_999), asked(9_999, "10.0.0.2"), asked(10_000)]

    answers = [dialect.answer(exchange, request) for request in requests]

    assert [row.status for row in answers] == [200, 200, 403, 200, 200]
    assert answers[2].body["retMsg"] == "access too frequent"


async def test_a_ban_is_a_rate_limit_to_ccxt(bybit: Any, admin: Admin) -> None:
    """The status of 403 says so, whatever the body."""
    await admin.add_fault("ban", path="/v5/market/time", count=1)

    with pytest.raises(ccxt.RateLimitExceeded, match="access too frequent"):
        await bybit.fetch_time()


def test_a_meter_starts_anew_with_each_interval() -> None:
    """Counts belong to intervals of the clock."""
    meter = Meter(SECOND_MS)

    assert [meter.add(now_ms) for now_ms in (1_000, 1_999, 2_000)] == [1, 2, 1]
    assert meter.resets_ms(2_001) == 3_000
