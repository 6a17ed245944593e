"""What happens at a venue and what it then tells, side by side at all three."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import ccxt
import pytest

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from golive_simulator.client import Admin

BTC, LTC = "BTC/USDT:USDT", "LTC/USDT:USDT"
LTC_START = 146.5
VENUE_NAMES = ("binanceusdm", "bybit", "okx")
LTC_NAMES = {"binanceusdm": "LTCUSDT", "bybit": "LTCUSDT", "okx": "LTC-USDT-SWAP"}

everywhere = pytest.mark.parametrize("venue", VENUE_NAMES)


@pytest.fixture(autouse=True)
async def steady_price(admin: Admin) -> AsyncIterator[None]:
    """Every test finds the contract it may move where it belongs."""
    await admin.price("LTCUSDT", LTC_START)
    yield
    await admin.price("LTCUSDT", LTC_START)


async def set_off(desk: Any) -> dict[str, Any]:
    """A protected position whose stop goes off; returns the stop as its placement answered it."""
    await desk.client.create_order(LTC, "market", "buy", 2)
    named = {"binanceusdm": "clientAlgoId", "bybit": "orderLinkId", "okx": "algoClOrdId"}[desk.venue.name]
    wanted = {"stopLossPrice": 140, "reduceOnly": True, named: "stop1"}
    placed = dict(await desk.client.create_order(LTC, "market", "sell", 2, None, wanted))
    await desk.admin.price("LTCUSDT", 139)
    return placed


async def test_binance_tells_the_order_a_trigger_made(desk: Callable[..., Any]) -> None:
    """The algo order is finished and names the actual order, which the ordinary service tells whole."""
    opened = await desk("binanceusdm")
    placed = await set_off(opened)
    algo = await opened.client.fapiPrivateGetAlgoOrder({"clientAlgoId": "stop1"})
    child = await opened.client.fetch_order(algo["actualOrderId"], LTC)

    assert (str(algo["algoId"]), algo["algoStatus"], algo["actualQty"]) == (placed["id"], "FINISHED", "2.000")
    assert (child["status"], child["filled"], child["reduceOnly"]) == ("closed", 2, True)
    assert child["info"]["origType"] == "STOP_MARKET"
    assert await opened.client.fapiPrivateGetOpenAlgoOrders({"symbol": "LTCUSDT"}) == []


async def test_bybit_tells_the_same_order_before_and_after(desk: Callable[..., Any]) -> None:
    """One id and one name, first untriggered and then filled."""
    opened = await desk("bybit")
    placed = await set_off(opened)
    named = {"category": "linear", "symbol": "LTCUSDT", "orderLinkId": "stop1"}
    (realtime,) = (await opened.client.privateGetV5OrderRealtime(named))["result"]["list"]
    (history,) = (await opened.client.privateGetV5OrderHistory(named))["result"]["list"]
    (execution,) = (await opened.client.privateGetV5ExecutionList(named))["result"]["list"]

    assert realtime == history
    assert (history["orderId"], history["orderStatus"], history["cumExecQty"]) == (
        placed["id"],
        "Filled",
        "2.000",
    )
    assert (execution["orderId"], execution["orderLinkId"]) == (placed["id"], "stop1")


async def test_okx_tells_the_order_a_trigger_made(desk: Callable[..., Any]) -> None:
    """The algo order is effective and lists the order, which bears the algo's names and none of its own."""
    opened = await desk("okx")
    placed = await set_off(opened)
    (algo,) = (await opened.client.privateGetTradeOrderAlgo({"algoClOrdId": "stop1"}))["data"]
    asked = {"ordType": "conditional", "state": "effective"}
    (past,) = (await opened.client.privateGetTradeOrdersAlgoHistory(asked))["data"]
    (number,) = algo["ordIdList"]
    (child,) = (await opened.client.privateGetTradeOrder({"instId": "LTC-USDT-SWAP", "ordId": number}))["data"]

    assert (algo["algoId"], algo["state"], algo["actualSz"]) == (placed["id"], "effective", "2")
    assert past == algo
    assert (child["state"], child["accFillSz"]) == ("filled", "2")
    assert (child["algoId"], child["algoClOrdId"], child["clOrdId"]) == (placed["id"], "stop1", "")


# venue: the shortest silence that its dead man's switch may be set to, in seconds
SILENCES = {"binanceusdm": 1, "bybit": 3, "okx": 10}


@everywhere
async def test_a_dead_mans_switch_times_out(desk: Callable[..., Any], venue: str) -> None:
    """A real silence, by the wall clock: resting orders go, not before; stops stay."""
    opened, seconds = await desk(venue), SILENCES[venue]
    await opened.client.create_order(LTC, "limit", "buy", 1, 145)
    await opened.client.create_order(LTC, "market", "sell", 1, None, {"stopLossPrice": 130})
    begun = time.monotonic()
    if venue == "binanceusdm":
        switch = {"symbol": "LTCUSDT", "countdownTime": seconds * 1000}
        await opened.client.fapiPrivatePostCountdownCancelAll(switch)
    else:
        await opened.client.cancel_all_orders_after(seconds * 1000)
    while (counts := (await opened.account())["counts"])["open_orders"]:
        assert time.monotonic() < begun + seconds + 10
    took = time.monotonic() - begun

    assert took >= seconds * 0.99
    assert (counts["orders"], counts["open_algos"]) == (1, 1)


@everywhere
@pytest.mark.parametrize("depth", [5, 50, 500, 1_000])
async def test_a_book_is_as_deep_as_asked(desk: Callable[..., Any], venue: str, depth: int) -> None:
    """So many levels on each side, from the best to the worst, without a gap between the sides."""
    opened = await desk(venue)

    book = await opened.client.fetch_order_book(BTC, depth)
    bids, asks = [row[0] for row in book["bids"]], [row[0] for row in book["asks"]]

    assert len(bids) == len(asks) == depth
    assert bids == sorted(bids, reverse=True)
    assert asks == sorted(asks)
    assert bids[0] < asks[0]


@everywhere
async def test_funding_is_told(desk: Callable[..., Any], venue: str) -> None:
    """The long pays a ten-thousandth of its value; Bybit lists it among the trades, and nobody as a trade."""
    opened = await desk(venue)
    await opened.client.create_order(BTC, "market", "buy", opened.lots(0.1))
    await opened.admin.step(candles=480)
    (paid,) = await opened.client.fetch_funding_history(BTC)
    booked = [row for row in (await opened.account())["incomes"] if row["kind"] == "FUNDING_FEE"]

    assert abs(paid["amount"]) == pytest.approx(-float(booked[0]["amount"]))
    assert len(await opened.client.fetch_my_trades(BTC)) == 1
    if venue == "bybit":
        every = await opened.client.privateGetV5ExecutionList({"category": "linear"})
        assert [row["execType"] for row in every["result"]["list"]] == ["Funding", "Trade"]


@everywhere
async def test_a_liquidation_is_told(desk: Callable[..., Any], venue: str) -> None:
    """The position and what rests are gone, the money nearly so, and the venue's own order says why."""
    opened = await desk(venue, balance=100)
    await opened.client.create_order(LTC, "market", "buy", 10)
    await opened.client.create_order(LTC, "limit", "sell", 1, 150)
    await opened.admin.price("LTCUSDT", 136)
    account = await opened.account()
    if venue == "bybit":
        asked = {"category": "linear", "symbol": "LTCUSDT", "execType": "BustTrade"}
        (told,) = (await opened.client.privateGetV5ExecutionList(asked))["result"]["list"]
    else:
        told = (await opened.client.fetch_my_trades(LTC))[-1]
        order = await opened.client.fetch_order(told["order"], LTC)
        reason = order["info"]["clientOrderId" if venue == "binanceusdm" else "category"]
        assert reason.startswith("autoclose-" if venue == "binanceusdm" else "full_liquidation")

    assert (account["positions"], account["counts"]["open_orders"]) == ({}, 0)
    assert 0 <= float(account["wallet"]) < 100
    assert told


@everywhere
async def test_a_trade_by_hand_is_told_without_a_name(desk: Callable[..., Any], venue: str) -> None:
    """Position and trade are there; the order has no name of ours, and the base asset counts everywhere."""
    opened = await desk(venue)
    key = opened.plain.apiKey
    done = await opened.admin.trade(opened.environment, key, "LTCUSDT", "buy", "3")
    await opened.admin.trade(opened.environment, key, LTC_NAMES[venue], "buy", "1", price=140)
    (position,) = (row for row in await opened.client.fetch_positions([LTC]) if row["contracts"])
    (trade,) = await opened.client.fetch_my_trades(LTC)
    (resting,) = await opened.client.fetch_open_orders(LTC)

    assert (position["contracts"], trade["amount"], resting["price"]) == (3, 3, 140)
    assert done["status"] == "FILLED"
    assert (resting["clientOrderId"] or "").removesuffix(resting["id"]) in {"", "web_"}


@everywhere
async def test_an_equity_that_is_set_is_told(desk: Callable[..., Any], venue: str) -> None:
    """Open profit included; one below what a position needs is its end."""
    opened = await desk(venue)
    key = opened.plain.apiKey
    await opened.client.create_order(LTC, "market", "buy", 10)
    await opened.admin.price("LTCUSDT", 150)
    await opened.admin.set_equity(opened.environment, key, 8_000)
    account = await opened.account()
    told = (await opened.client.fetch_balance())["info"]
    await opened.admin.set_equity(opened.environment, key, 1)
    after = await opened.account()

    assert float(account["wallet"]) + float(account["unrealized"]) == pytest.approx(8_000)
    assert account["positions"]
    assert "8000" in str(told)
    assert after["positions"] == {}


@everywhere
async def test_hedge_mode_is_told_and_left(desk: Callable[..., Any], venue: str) -> None:
    """An account in it takes no order of one-way mode until its own API has changed it back."""
    opened = await desk(venue)
    await opened.admin.position_mode(opened.environment, opened.plain.apiKey, is_hedged=True)
    if venue != "bybit":
        assert (await opened.client.fetch_position_mode(BTC))["hedged"]
    with pytest.raises(ccxt.ExchangeError):
        await opened.client.create_order(LTC, "market", "buy", 1)
    with pytest.raises(ccxt.ExchangeError):
        await opened.client.create_order(LTC, "market", "sell", 1, None, {"stopLossPrice": 130})
    counts = (await opened.account())["counts"]
    await opened.client.set_position_mode(False, LTC)
    await opened.client.create_order(LTC, "market", "buy", 1)

    assert (counts["orders"], counts["algos"]) == (0, 0)
    assert (await opened.account())["counts"]["orders"] == 1


# venue: where the side of a position stands, and what it says of a short one of two modes
SIDES = {
    "binanceusdm": ("positionSide", "BOTH", "SHORT"),
    "bybit": ("positionIdx", "0", "2"),
    "okx": ("posSide", "net", "short"),
}


@everywhere
async def test_positions_in_hedge_mode_have_a_side(desk: Callable[..., Any], venue: str) -> None:
    """Whoever reads only the quantity can see that he must not; and with a position there is no way back."""
    opened = await desk(venue)
    name, *expected = SIDES[venue]
    await opened.client.create_order(LTC, "market", "sell", 1)
    seen = []
    for is_hedged in (False, True):
        await opened.admin.position_mode(opened.environment, opened.plain.apiKey, is_hedged=is_hedged)
        (position,) = await opened.client.fetch_positions([LTC])
        seen.append(str(position["info"][name]))

    assert seen == expected
    with pytest.raises(ccxt.BaseError):
        await opened.client.set_position_mode(False, LTC)
    if venue == "bybit":
        stop = {"category": "linear", "symbol": "LTCUSDT", "positionIdx": 0, "stopLoss": "160"}
        with pytest.raises(ccxt.ExchangeError, match="position idx"):
            await opened.client.privatePostV5PositionTradingStop(stop)


@everywhere
async def test_a_thin_book_fills_in_parts(desk: Callable[..., Any], venue: str) -> None:
    """Less is shown, a market order slips further, and a resting order gets what one move brings it."""
    opened = await desk(venue)
    usual = await opened.client.fetch_order_book(LTC, 5)
    fault = await opened.admin.add_fault("thin-book", ratio="0.01", symbol=LTC_NAMES[venue])
    thin = await opened.client.fetch_order_book(LTC, 5)
    bought = await opened.client.create_order(LTC, "market", "buy", 30)
    average = (await opened.client.fetch_order(bought["id"], LTC, opened.venue.known))["average"]
    resting = await opened.client.create_order(LTC, "limit", "sell", 30, 147)
    await opened.admin.price("LTCUSDT", 147.1)
    partly = await opened.client.fetch_order(resting["id"], LTC, opened.venue.known)
    await opened.admin.clear_faults(fault["fault_id"])
    await opened.admin.price("LTCUSDT", 147.2)
    wholly = await opened.client.fetch_order(resting["id"], LTC, opened.venue.known)

    assert thin["asks"][0][1] < usual["asks"][0][1] / 50
    assert [row[0] for row in thin["asks"]] == [row[0] for row in usual["asks"]]
    assert average > usual["asks"][0][0]
    assert 0 < partly["filled"] < 30
    assert (partly["status"], partly["average"]) == ("open", 147)
    assert (wholly["status"], wholly["filled"]) == ("closed", 30)


async def test_a_book_may_be_stale_at_one_venue_only(desk: Callable[..., Any]) -> None:
    """Whoever looks elsewhere sees the price move on."""
    at_binance, at_bybit = await desk("binanceusdm"), await desk("bybit")
    fault = await at_binance.admin.add_fault("stale-book", environment="production")
    await at_binance.admin.price("LTCUSDT", 160)
    stale, fresh = [(await opened.client.fetch_ticker(LTC))["last"] for opened in (at_binance, at_bybit)]
    await at_binance.admin.clear_faults(fault["fault_id"])

    assert (stale, fresh) == (LTC_START, 160)
    assert (await at_binance.client.fetch_ticker(LTC))["last"] == 160


async def test_okx_closes_a_position_as_a_whole(desk: Callable[..., Any]) -> None:
    """At the market, under the client's name; what rests to close it goes only if the client says so."""
    opened = await desk("okx")
    wanted = {"instId": "LTC-USDT-SWAP", "mgnMode": "cross"}
    with pytest.raises(ccxt.ExchangeError, match="51023"):
        await opened.client.privatePostTradeClosePosition(wanted)
    await opened.client.create_order(LTC, "market", "buy", 3)
    await opened.client.create_order(LTC, "limit", "sell", 1, 150, {"reduceOnly": True})
    with pytest.raises(ccxt.ExchangeError, match="51112"):
        await opened.client.privatePostTradeClosePosition(wanted)
    await opened.client.privatePostTradeClosePosition(wanted | {"autoCxl": True, "clOrdId": "close1"})

    assert await opened.client.fetch_positions([LTC]) == []
    assert await opened.client.fetch_open_orders(LTC) == []
    assert (await opened.client.fetch_order("", LTC, {"clientOrderId": "close1"}))["filled"] == 3


async def test_what_is_left_after_the_first_match_waits_for_the_price(desk: Callable[..., Any]) -> None:
    """A limit order that was filled in part rests until the price moves again."""
    opened = await desk("binanceusdm")
    await opened.admin.add_fault("partial-fill", ratio="0.5", count=1)
    placed = await opened.client.create_order(LTC, "limit", "buy", 2, 147)
    late = await desk("binanceusdm")
    await late.admin.add_fault("late-fill", delay_ms=100, count=1)
    other = await late.client.create_order(LTC, "market", "buy", 1)
    deadline = time.monotonic() + 10
    while (await late.client.fetch_order(other["id"], LTC))["status"] != "closed":
        assert time.monotonic() < deadline
    still = await opened.client.fetch_order(placed["id"], LTC)
    await opened.admin.price("LTCUSDT", 146.4)

    assert (still["status"], still["filled"]) == ("open", 1)
    assert (await opened.client.fetch_order(placed["id"], LTC))["status"] == "closed"
