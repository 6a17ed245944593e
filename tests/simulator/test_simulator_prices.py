"""Candles, the path of prices along them, and what a moving price does to orders."""

from __future__ import annotations

import time
from itertools import islice, pairwise
from typing import TYPE_CHECKING, Any

import ccxt.async_support as ccxt
import pytest

from golive_simulator.candles import (
    CANDLE_SECONDS,
    Candle,
    merged,
    path_inside,
    random_walk,
    read_csv,
    repeated,
    so_far,
)
from golive_simulator.client import redirected_session
from golive_simulator.instruments import built_in
from golive_simulator.market import Market
from golive_simulator.process import simulator_process

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from golive_simulator.client import Admin

SYMBOL = "BTC/USDT:USDT"
RISE, FALL = Candle(0, 10, 13, 9, 12, 100), Candle(60, 12, 14, 8, 9, 100)


def test_a_seed_decides_every_candle() -> None:
    """The same seed gives the same walk, another one another."""
    first, again, other = (list(islice(random_walk(seed, 100.0), 50)) for seed in ("a", "a", "b"))

    assert first == again != other


@pytest.mark.parametrize("source", ["generated", "file"])
def test_candles_are_sound(source: str, candle_file: Path) -> None:
    """High and low enclose open and close; a minute follows a minute."""
    candles = read_csv(candle_file) if source == "file" else list(islice(random_walk("a", 100.0), 2_000))

    assert len(candles) >= 2_000
    assert all(row.low <= min(row.open, row.close) <= max(row.open, row.close) <= row.high for row in candles)
    assert all(after.time_seconds > before.time_seconds for before, after in pairwise(candles))
    assert all(row.volume >= 0 for row in candles)


def test_a_rise_dips_first_and_a_fall_peaks_first() -> None:
    """The path inside a candle touches all four prices."""
    assert path_inside(RISE) == (10, 9, 13, 12)
    assert path_inside(FALL) == (12, 14, 8, 9)


def test_an_unfinished_candle_knows_only_its_past() -> None:
    """After two points of a rise its high is still the open."""
    assert so_far(RISE, 2) == Candle(0, 10, 10, 9, 9, 50)
    assert so_far(RISE, 4) == RISE


def test_merging_keeps_the_extremes() -> None:
    """First open, highest high, lowest low, last close, all volume."""
    assert merged([RISE, FALL]) == Candle(0, 10, 14, 8, 9, 200)


def test_a_file_goes_on_where_it_ended() -> None:
    """Repeated candles continue in time and price."""
    *_, last, again = islice(repeated([RISE, FALL]), 3)

    assert again.open == pytest.approx(last.close)
    assert again.time_seconds == last.time_seconds + CANDLE_SECONDS


@pytest.mark.parametrize(
    "row", ["2022-01-01 00:00:00.000000,1,2,3,1,1", "2022-01-01 00:00:00.000000,0,2,0,1,1"]
)
def test_a_row_that_is_no_candle_is_refused(tmp_path: Path, row: str) -> None:
    """A high below the low or a price of nought stops the start."""
    path = tmp_path / "bad.csv"
    path.write_text(f"timestamp,open,high,low,close,volume\n{row}\n")

    with pytest.raises(ValueError, match="no candle"):
        read_csv(path)


def test_a_jump_is_in_the_candle_and_later_candles_continue_from_it() -> None:
    """The chart shows it, and nothing snaps back."""
    market = Market({"ETHUSDT": built_in()["ETHUSDT"]}, seed=1)
    series = market.series["ETHUSDT"]
    target = series.price * 1.5
    series.jump(target)
    (candle,) = series.newest(1)
    series.advance()

    assert candle.high >= target == candle.close
    assert series.price == pytest.approx(target)


async def test_the_newest_candle_is_of_this_minute(trader: Any, admin: Admin) -> None:
    """Whatever the recorded time, clients see candles that end now, a minute apart."""
    await admin.step(candles=3)
    rows = await trader.fetch_ohlcv(SYMBOL, "1m", None, 30)
    age_ms = time.time() * 1000 - rows[-1][0]

    assert 0 <= age_ms < 120_000
    assert all(after[0] - before[0] == 60_000 for before, after in pairwise(rows))


async def test_recorded_candles_are_served_as_they_are(trader: Any, admin: Admin, candle_file: Path) -> None:
    """The closes a client sees are consecutive closes of the file."""
    closes = [row.close for row in read_csv(candle_file)]
    await admin.step(candles=1)
    seen = [row[4] for row in await trader.fetch_ohlcv(SYMBOL, "1m", None, 21)][:-1]
    starts = [number for number, close in enumerate(closes) if close == pytest.approx(seen[0], rel=1e-5)]

    assert any(seen == pytest.approx(closes[number : number + len(seen)], rel=1e-5) for number in starts)


async def test_any_contract_may_follow_a_file(tmp_path: Path) -> None:
    """Its chart is the file's; the others walk as ever, and OKX shows the same prices."""
    rows = [f"2022-01-01 {number // 60:02d}:{number % 60:02d}:00,7,8,6,7,100" for number in range(1_200)]
    path = tmp_path / "still.csv"
    path.write_text("\n".join(["timestamp,open,high,low,close,volume", *rows]))
    with simulator_process(tmp_path, "--paused", "--unlimited", "--candles", f"ADAUSDT={path}") as child:
        async with redirected_session(child.address.url, child.address.ca_file) as session:
            clients = [ccxt.binanceusdm({"session": session}), ccxt.okx({"session": session})]
            charts = [await client.fetch_ohlcv("ADA/USDT:USDT", "1m", None, 10) for client in clients]
            other = await clients[0].fetch_ohlcv(SYMBOL, "1m", None, 10)
            for client in clients:
                await client.close()

    assert [{tuple(row[1:5]) for row in chart[:-1]} for chart in charts] == [{(7, 8, 6, 7)}] * 2
    assert other[0][1] > 1_000


async def test_longer_candles_contain_the_shorter_ones(trader: Any) -> None:
    """Five minutes are five minutes' extremes."""
    minutes = await trader.fetch_ohlcv(SYMBOL, "1m", None, 30)
    fives = await trader.fetch_ohlcv(SYMBOL, "5m", None, 3)
    inside = [row for row in minutes if fives[1][0] <= row[0] < fives[2][0]]

    assert len(inside) == 5
    assert fives[1][2] == max(row[2] for row in inside)
    assert fives[1][3] == min(row[3] for row in inside)


async def test_candles_since_a_time_start_there(trader: Any) -> None:
    """With a start the oldest ones count."""
    since = (await trader.fetch_ohlcv(SYMBOL, "1m", None, 50))[0][0]
    rows = await trader.fetch_ohlcv(SYMBOL, "1m", since, 5)

    assert (rows[0][0], len(rows)) == (since, 5)


# promise: side of the stop, ccxt parameter, jump to, what becomes of it, position after
STOPS: dict[str, tuple[str, float, float, str, float]] = {
    "a stop loss sells when the price falls": ("stopLossPrice", 0.97, 0.96, "FINISHED", 0),
    "a stop loss waits while it does not": ("stopLossPrice", 0.97, 0.98, "NEW", 0.01),
    "a take profit sells when the price rises": ("takeProfitPrice", 1.03, 1.04, "FINISHED", 0),
}


@pytest.mark.parametrize("promise", STOPS)
async def test_protective_orders(customer: Callable[..., Any], admin: Admin, promise: str) -> None:
    """A protected position is closed at its trigger, and only there."""
    parameter, trigger, jump, status, held = STOPS[promise]
    trader, symbol = await customer(), "LTC/USDT:USDT"
    last = (await trader.fetch_ticker(symbol))["last"]
    await trader.create_order(symbol, "market", "buy", 1)
    parameters = {parameter: last * trigger, "reduceOnly": True}
    order = await trader.create_order(symbol, "market", "sell", 1, None, parameters)
    await admin.price("LTCUSDT", round(last * jump, 2))
    after = await trader.fetch_order(order["id"], symbol, {"trigger": True})
    positions = await trader.fetch_positions([symbol])
    await admin.price("LTCUSDT", last)

    assert after["info"]["algoStatus"] == status
    assert sum(row["contracts"] for row in positions) == (1 if held else 0)
    if status == "FINISHED":
        assert (await trader.fetch_order(after["info"]["actualOrderId"], symbol))["filled"] == 1


async def test_a_stop_on_the_mark_ignores_the_last_price(trader: Any, admin: Admin) -> None:
    """The working type decides which price counts."""
    symbol = "BCH/USDT:USDT"
    last = (await trader.fetch_ticker(symbol))["last"]
    await trader.create_order(symbol, "market", "buy", 1)
    parameters = {"stopLossPrice": last * 0.97, "reduceOnly": True, "workingType": "MARK_PRICE"}
    order = await trader.create_order(symbol, "market", "sell", 1, None, parameters)
    statuses = []
    for mark in (last, round(last * 0.96, 2)):
        await admin.price("BCHUSDT", round(last * 0.96, 2), mark=mark)
        row = await trader.fetch_order(order["id"], symbol, {"trigger": True})
        statuses.append(row["info"]["algoStatus"])

    assert statuses == ["NEW", "FINISHED"]


async def test_a_stop_that_closes_the_position_needs_no_quantity(trader: Any, admin: Admin) -> None:
    """ClosePosition takes what there is when it triggers, and expires when there is nothing."""
    symbol = "XRP/USDT:USDT"
    last = (await trader.fetch_ticker(symbol))["last"]
    await trader.create_order(symbol, "market", "buy", 200)
    price = trader.price_to_precision(symbol, last * 0.97)
    common = {"symbol": "XRPUSDT", "algoType": "CONDITIONAL", "closePosition": "true", "side": "SELL"}
    ids = [
        (await trader.fapiPrivatePostAlgoOrder(common | {"type": "STOP_MARKET", "triggerPrice": price}))[
            "algoId"
        ]
        for _ in range(2)
    ]
    await admin.price("XRPUSDT", round(last * 0.96, 4))
    statuses = [(await trader.fapiPrivateGetAlgoOrder({"algoId": number}))["algoStatus"] for number in ids]

    assert statuses == ["FINISHED", "EXPIRED"]
    assert await trader.fetch_positions([symbol]) == []


async def test_funding_is_paid_every_eight_simulated_hours(trader: Any, admin: Admin) -> None:
    """Ten simulated hours see one or two payments, each the rate times the position's value."""
    await trader.create_order(SYMBOL, "market", "buy", 0.1)
    await admin.step(candles=600)
    paid = await trader.fetch_funding_history(SYMBOL)

    assert len(paid) in {1, 2}
    assert all(-1 < row["amount"] < -0.1 for row in paid)
