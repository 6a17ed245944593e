"""Rate limits: weight by address, orders by account."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import ccxt
import pytest

from golive_simulator.dialect.binance.limits import BAN_MS, STRIKES_BEFORE_BAN, WeightMeter, Window

if TYPE_CHECKING:
    from pathlib import Path

    import aiohttp

TIME_URL = "https://fapi.binance.com/fapi/v1/time"
TICKERS_URL = "https://demo-fapi.binance.com/fapi/v1/ticker/24hr"


@pytest.fixture(scope="module")
def arguments(candle_file: Path) -> list[str]:
    """With limits, unlike the other modules."""
    return ["--paused", "--candles", str(candle_file)]


def test_a_window_starts_anew_with_each_interval() -> None:
    """Counts belong to the clock's intervals, and the wait is until the next one."""
    window = Window(60_000)

    assert [window.add(2, now) for now in (0, 59_999, 60_000)] == [2, 4, 2]
    assert [window.ends_in_seconds(now) for now in (0, 30_500, 59_999)] == [60, 30, 1]


def test_an_address_that_does_not_listen_is_banned() -> None:
    """After a number of refusals within a minute."""
    meter = WeightMeter()
    bans = [meter.strike(1_000) for _ in range(STRIKES_BEFORE_BAN + 1)]

    assert bans == [False] * STRIKES_BEFORE_BAN + [True]
    assert meter.banned_until_ms == 1_000 + BAN_MS


async def test_every_answer_tells_the_weight_used(session: aiohttp.ClientSession) -> None:
    """So that a client can slow down in time."""
    used = []
    for _ in range(2):
        async with session.get(TIME_URL) as answer:
            used.append(int(answer.headers["X-MBX-USED-WEIGHT-1M"]))

    assert used[1] - used[0] in {1, 1 - used[0]}


async def test_too_many_orders_are_refused_and_counted(trader: Any) -> None:
    """The 301st order of ten seconds, or one soon after if the clock's interval changed meanwhile."""
    await trader.load_markets()
    order = {"symbol": "BTCUSDT", "side": "BUY", "type": "MARKET", "quantity": "0"}
    errors: list[ccxt.ExchangeError | ccxt.NetworkError] = []
    while len(errors) < 700:
        with pytest.raises((ccxt.BadRequest, ccxt.DDoSProtection)) as caught:
            await trader.fapiPrivatePostOrder(order)
        errors.append(caught.value)
        if isinstance(caught.value, ccxt.DDoSProtection):
            break

    headers = {name.lower(): value for name, value in trader.last_response_headers.items()}
    assert 300 < len(errors) < 700
    assert "-1015" in str(errors[-1])
    assert int(headers["x-mbx-order-count-10s"]) == 301
    assert 1 <= int(headers["retry-after"]) <= 10


async def test_too_much_weight_is_refused_and_then_banned(session: aiohttp.ClientSession) -> None:
    """429 with the time to wait; whoever goes on gets 418."""
    statuses = []
    for _ in range(150):
        async with session.get(TICKERS_URL) as answer:
            statuses.append(answer.status)
            if answer.status != 200:
                assert int(answer.headers["Retry-After"]) >= 1
                assert (await answer.json())["code"] == -1003
        if answer.status == 418:
            break

    assert statuses[0] == 200
    assert statuses.count(429) >= STRIKES_BEFORE_BAN
    assert statuses[-1] == 418
