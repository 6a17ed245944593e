"""Every call a trader makes at Bybit, by unmodified ccxt over TLS."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from golive_simulator.client import Admin

SYMBOL = "BTC/USDT:USDT"
KNOWN = {"acknowledged": True}

READS: dict[str, tuple[Callable[[Any], Awaitable[Any]], Callable[[Any], bool]]] = {
    "markets load with currencies": (
        lambda x: x.load_markets(True),
        lambda it: {"BTC/USDT:USDT", "LINK/USDT:USDT"} <= set(it) and it[SYMBOL]["contractSize"] == 1,
    ),
    "the venue's clock is the machine's": (
        lambda x: x.fetch_time(),
        lambda it: abs(it - time.time() * 1000) < 5000,
    ),
    "a ticker has a last price": (lambda x: x.fetch_ticker(SYMBOL), lambda it: it["last"] > 0),
    "tickers of ten contracts or more": (lambda x: x.fetch_tickers(), lambda it: len(it) >= 10),
    "twenty candles for a moving average": (
        lambda x: x.fetch_ohlcv(SYMBOL, "1m", None, 20),
        lambda it: len(it) == 20 and it == sorted(it),
    ),
    "hourly candles": (lambda x: x.fetch_ohlcv(SYMBOL, "1h", None, 5), lambda it: len(it) == 5),
    "candles since a time": (
        lambda x: x.fetch_ohlcv(SYMBOL, "1m", int(time.time() * 1000) - 600_000, 5),
        lambda it: len(it) == 5 and it[0][0] < time.time() * 1000 - 480_000,
    ),
    "candles of the mark": (
        lambda x: x.fetch_mark_ohlcv(SYMBOL, "1m", None, 5),
        lambda it: len(it) == 5,
    ),
    "a book of the depth asked for": (
        lambda x: x.fetch_order_book(SYMBOL, 20),
        lambda it: len(it["bids"]) == len(it["asks"]) == 20 and it["bids"][0][0] < it["asks"][0][0],
    ),
    "the market's trades": (lambda x: x.fetch_trades(SYMBOL, None, 5), lambda it: len(it) == 5),
    "the funding rate": (lambda x: x.fetch_funding_rate(SYMBOL), lambda it: it["fundingRate"] == 0.0001),
    "past funding rates": (lambda x: x.fetch_funding_rate_history(SYMBOL, None, 3), lambda it: len(it) == 3),
    "a balance": (lambda x: x.fetch_balance(), lambda it: it["USDT"]["free"] == 10_000),
    "no positions at first": (lambda x: x.fetch_positions(), lambda it: it == []),
    "no open orders at first": (lambda x: x.fetch_open_orders(SYMBOL), lambda it: it == []),
    "margin tables": (lambda x: x.fetch_leverage_tiers([SYMBOL]), lambda it: len(it[SYMBOL]) == 8),
    "fees": (lambda x: x.fetch_trading_fee(SYMBOL), lambda it: (it["maker"], it["taker"]) == (0.0002, 0.0005)),
    "the deposit in the ledger": (lambda x: x.fetch_ledger(), lambda it: it[0]["amount"] == 10_000),
    "key permissions": (
        lambda x: x.privateGetV5UserQueryApi(),
        lambda it: it["result"]["uta"] == 1 and it["result"]["permissions"]["Wallet"] == [],
    ),
    "leverage settings": (lambda x: x.fetch_leverage(SYMBOL), lambda it: it["longLeverage"] == 20),
}


@pytest.mark.parametrize("promise", READS)
async def test_reading(bybit: Any, promise: str) -> None:
    """The answer is understood, and says what it should."""
    ask, is_right = READS[promise]
    assert is_right(await ask(bybit))


async def test_a_market_order_makes_a_position(bybit: Any) -> None:
    """Placed, filled with a fee, shown in position, trades and balance."""
    placed = await bybit.create_order(SYMBOL, "market", "buy", 0.01, None, {"clientOrderId": "golive-1"})
    order = await bybit.fetch_order(placed["id"], SYMBOL, KNOWN)
    (trade,) = await bybit.fetch_my_trades(SYMBOL)
    (position,) = await bybit.fetch_positions([SYMBOL])
    balance = await bybit.fetch_balance()

    assert placed["clientOrderId"] == order["clientOrderId"] == "golive-1"
    assert (order["status"], order["filled"]) == ("closed", 0.01)
    assert trade["order"] == placed["id"]
    assert (position["side"], position["contracts"]) == ("long", 0.01)
    assert balance["USDT"]["total"] == pytest.approx(10_000 - trade["fee"]["cost"])
    assert trade["fee"]["cost"] == pytest.approx(order["cost"] * 0.0005)


async def test_the_venue_makes_up_no_client_id(bybit: Any, admin: Admin) -> None:
    """An order sent without one has none, anywhere: sent twice, it is two orders."""
    placed = [await bybit.create_order(SYMBOL, "market", "buy", 0.01) for _ in range(2)]
    seen = await bybit.fetch_order(placed[0]["id"], SYMBOL, KNOWN)
    (position,) = await bybit.fetch_positions([SYMBOL])
    kept = (await admin.account("bybit-production", bybit.apiKey))["orders"]

    assert placed[0]["id"] != placed[1]["id"]
    assert placed[0]["clientOrderId"] is seen["clientOrderId"] is None
    assert seen["info"]["orderLinkId"] == ""
    assert [row["request"]["client_order_id"] for row in kept] == ["", ""]
    assert position["contracts"] == 0.02


async def test_a_limit_order_rests_until_it_is_cancelled(bybit: Any) -> None:
    """Found by id, by client id and among the open ones; gone after its cancellation."""
    last = (await bybit.fetch_ticker(SYMBOL))["last"]
    order = await bybit.create_order(SYMBOL, "limit", "buy", 0.01, last * 0.98, {"clientOrderId": "golive-2"})
    by_id = await bybit.fetch_order(order["id"], SYMBOL, KNOWN)
    by_client_id = await bybit.fetch_order("", SYMBOL, {**KNOWN, "orderLinkId": "golive-2"})
    (open_one,) = await bybit.fetch_open_orders(SYMBOL)
    held = (await bybit.fetch_balance())["USDT"]["used"]
    await bybit.cancel_order("", SYMBOL, {"orderLinkId": "golive-2"})
    after = await bybit.fetch_order(order["id"], SYMBOL, KNOWN)

    assert order["id"] == by_id["id"] == by_client_id["id"] == open_one["id"]
    assert held == pytest.approx(0.01 * by_id["price"] / 20)
    assert (by_id["status"], after["status"]) == ("open", "canceled")
    assert await bybit.fetch_open_orders(SYMBOL) == []
    assert [row["id"] for row in await bybit.fetch_canceled_orders(SYMBOL)] == [order["id"]]


IMMEDIATE = {
    "immediate-or-cancel fills what its limit allows": ({"timeInForce": "IOC"}, 1.01, "closed", 0.01),
    "immediate-or-cancel ends when nothing is in reach": ({"timeInForce": "IOC"}, 0.99, "canceled", 0),
    "fill-or-kill fills whole": ({"timeInForce": "FOK"}, 1.01, "closed", 0.01),
    "fill-or-kill out of reach is accepted, and ended": ({"timeInForce": "FOK"}, 0.99, "canceled", 0),
    "post-only rests": ({"postOnly": True}, 0.99, "open", 0),
    "post-only that would take is accepted, and ended": ({"postOnly": True}, 1.01, "canceled", 0),
}


@pytest.mark.parametrize("promise", IMMEDIATE)
async def test_time_in_force(bybit: Any, promise: str) -> None:
    """Each time in force does what its name says."""
    parameters, factor, status, filled = IMMEDIATE[promise]
    last = (await bybit.fetch_ticker(SYMBOL))["last"]

    placed = await bybit.create_order(SYMBOL, "limit", "buy", 0.01, last * factor, parameters)
    order = await bybit.fetch_order(placed["id"], SYMBOL, KNOWN)

    assert (order["status"], order["filled"]) == (status, filled)


async def test_a_reduce_only_order_shrinks_to_the_position(bybit: Any) -> None:
    """It can close, never turn."""
    await bybit.create_order(SYMBOL, "market", "buy", 0.02)

    placed = await bybit.create_order(SYMBOL, "market", "sell", 5, None, {"reduceOnly": True})
    order = await bybit.fetch_order(placed["id"], SYMBOL, KNOWN)

    assert (order["status"], order["amount"], order["filled"]) == ("closed", 0.02, 0.02)
    assert await bybit.fetch_positions() == []
    assert (await bybit.fetch_my_trades(SYMBOL))[-1]["info"]["closedSize"] == "0.020"


async def test_a_conditional_order_keeps_its_id_when_it_triggers(bybit: Any, admin: Admin) -> None:
    """Untriggered among the stop orders, then an order of the same id and name."""
    symbol = "ETH/USDT:USDT"
    last = (await bybit.fetch_ticker(symbol))["last"]
    await bybit.create_order(symbol, "market", "buy", 0.1)
    trigger = {"triggerPrice": last * 0.99, "triggerDirection": "descending", "reduceOnly": True}
    placed = await bybit.create_order(symbol, "market", "sell", 0.1, None, {**trigger, "clientOrderId": "stop"})
    (waiting,) = await bybit.fetch_open_orders(symbol, None, None, {"trigger": True})
    ordinary = await bybit.fetch_open_orders(symbol, None, None, {"orderFilter": "Order"})
    await admin.price("ETHUSDT", round(last * 0.98, 2))
    order = await bybit.fetch_order("", symbol, {**KNOWN, "orderLinkId": "stop"})
    last_trade = (await bybit.fetch_my_trades(symbol))[-1]

    assert placed["id"] == waiting["id"] == order["id"] == last_trade["order"]
    assert (waiting["info"]["orderStatus"], waiting["info"]["stopOrderType"]) == ("Untriggered", "Stop")
    assert ordinary == []
    assert (order["status"], order["filled"]) == ("closed", 0.1)
    assert await bybit.fetch_positions() == []


TRIGGERS: dict[str, tuple[str, str, float]] = {
    "a stop loss of a long": ("sell", "stopLossPrice", 0.98),
    "a take profit of a long": ("sell", "takeProfitPrice", 1.02),
    "a stop loss of a short": ("buy", "stopLossPrice", 1.02),
    "a take profit of a short": ("buy", "takeProfitPrice", 0.98),
}


@pytest.mark.parametrize("promise", TRIGGERS)
async def test_stops_wait_on_the_side_they_belong(bybit: Any, promise: str) -> None:
    """Side and direction together say what an order waits for."""
    side, name, factor = TRIGGERS[promise]
    last = (await bybit.fetch_ticker(SYMBOL))["last"]

    await bybit.create_order(SYMBOL, "market", side, 0.01, None, {name: last * factor})
    (waiting,) = await bybit.fetch_open_orders(SYMBOL, None, None, {"trigger": True})

    assert waiting[name] == pytest.approx(last * factor, abs=0.1)
    assert waiting["info"]["triggerDirection"] == (1 if factor > 1 else 2)


async def test_attached_protection_lives_and_dies_with_the_position(bybit: Any, admin: Admin) -> None:
    """It comes with the first fill; when one closes the position the venue takes the other back."""
    symbol = "SOL/USDT:USDT"
    last = (await bybit.fetch_ticker(symbol))["last"]
    protection = {"stopLoss": {"triggerPrice": last * 0.95}, "takeProfit": {"triggerPrice": last * 1.05}}
    entry = await bybit.create_order(symbol, "limit", "buy", 1, last * 0.999, protection)
    before = await bybit.fetch_open_orders(symbol, None, None, {"trigger": True})
    await admin.price("SOLUSDT", round(last * 0.998, 2))
    waiting = await bybit.fetch_open_orders(symbol, None, None, {"trigger": True})
    (position,) = await bybit.fetch_positions([symbol])
    await admin.price("SOLUSDT", round(last * 0.94, 2))
    closed = await bybit.fetch_closed_orders(symbol)

    assert before == []
    assert {row["info"]["stopOrderType"] for row in waiting} == {"StopLoss", "TakeProfit"}
    assert {row["amount"] for row in waiting} == {1.0}
    assert position["stopLossPrice"] == pytest.approx(last * 0.95, abs=0.01)
    assert position["takeProfitPrice"] == pytest.approx(last * 1.05, abs=0.01)
    assert await bybit.fetch_positions() == []
    assert await bybit.fetch_open_orders(symbol) == []
    assert {row["id"] for row in closed} > {entry["id"]}


async def test_protection_is_set_on_a_position_and_replaced(bybit: Any) -> None:
    """A second stop loss takes the first one's place; nought takes it away."""
    last = (await bybit.fetch_ticker(SYMBOL))["last"]
    await bybit.create_order(SYMBOL, "market", "sell", 0.01)
    request = {"category": "linear", "symbol": "BTCUSDT", "positionIdx": 0, "tpslMode": "Full"}
    stops = []
    for factor in (1.02, 1.03):
        await bybit.privatePostV5PositionTradingStop(request | {"stopLoss": f"{last * factor:.1f}"})
        stops.append(await bybit.fetch_open_orders(SYMBOL))
    await bybit.privatePostV5PositionTradingStop(request | {"stopLoss": "0"})

    assert [len(rows) for rows in stops] == [1, 1]
    assert stops[1][0]["triggerPrice"] == pytest.approx(last * 1.03, abs=0.1)
    assert await bybit.fetch_open_orders(SYMBOL) == []


async def test_cancelling_all_takes_conditional_orders_too(bybit: Any) -> None:
    """Unlike elsewhere one call is enough; with a filter it takes only one kind."""
    last = (await bybit.fetch_ticker(SYMBOL))["last"]
    stop = {"triggerPrice": last * 0.9, "triggerDirection": "descending"}

    async def placed() -> None:
        await bybit.create_order(SYMBOL, "limit", "buy", 0.01, last * 0.98)
        await bybit.create_order(SYMBOL, "market", "sell", 0.01, None, stop)

    await placed()
    await bybit.cancel_all_orders(SYMBOL, {"trigger": True})
    left = await bybit.fetch_open_orders(SYMBOL)
    await placed()
    await bybit.cancel_all_orders(SYMBOL)

    assert [row["type"] for row in left] == ["limit"]
    assert await bybit.fetch_open_orders(SYMBOL) == []


async def test_a_silent_clients_orders_are_cancelled(bybit: Any, admin: Admin) -> None:
    """The window is the silence allowed, any signed request breaks it; what waits for a trigger stays."""
    last = (await bybit.fetch_ticker(SYMBOL))["last"]
    await bybit.create_order(SYMBOL, "limit", "buy", 0.01, last * 0.98)
    stop = {"triggerPrice": last * 0.9, "triggerDirection": "descending"}
    await bybit.create_order(SYMBOL, "market", "sell", 0.01, None, stop)
    await bybit.cancel_all_orders_after(10_000)
    await admin.add_fault("clock-skew", skew_ms=4_000)
    await bybit.fetch_balance()
    await admin.add_fault("clock-skew", skew_ms=12_000)
    await admin.price("LINKUSDT", 20)
    still = (await admin.account("bybit-production", bybit.apiKey))["counts"]
    await admin.add_fault("clock-skew", skew_ms=15_000)
    await admin.price("LINKUSDT", 20)
    after = (await admin.account("bybit-production", bybit.apiKey))["counts"]

    assert (still["open_orders"], still["open_algos"]) == (1, 1)
    assert (after["open_orders"], after["open_algos"]) == (0, 1)


async def test_settings_are_kept(bybit: Any) -> None:
    """Leverage and margin mode show in positions and margins."""
    await bybit.set_leverage(5, SYMBOL)
    await bybit.set_margin_mode("isolated")
    await bybit.create_order(SYMBOL, "market", "buy", 0.01)
    (position,) = await bybit.fetch_positions([SYMBOL])

    assert position["leverage"] == 5
    assert position["info"]["tradeMode"] == 1
    assert position["initialMargin"] == pytest.approx(position["notional"] / 5, rel=0.01)


async def test_open_orders_come_in_pages(bybit: Any) -> None:
    """A cursor leads from page to page, and is empty at the end."""
    last = (await bybit.fetch_ticker(SYMBOL))["last"]
    placed = [(await bybit.create_order(SYMBOL, "limit", "buy", 0.001, last * 0.98))["id"] for _ in range(3)]
    request = {"category": "linear", "symbol": "BTCUSDT", "limit": 2}
    first = (await bybit.privateGetV5OrderRealtime(request))["result"]
    second = (await bybit.privateGetV5OrderRealtime(request | {"cursor": first["nextPageCursor"]}))["result"]

    assert [row["orderId"] for row in first["list"] + second["list"]] == placed[::-1]
    assert second["nextPageCursor"] == ""


async def test_environments_are_separate_exchanges(bybit_customer: Callable[..., Any]) -> None:
    """An order on testnet leaves production as it was, at the same prices; demo trading is the testnet."""
    production, testnet = await bybit_customer(), await bybit_customer("bybit-testnet")

    await testnet.create_order(SYMBOL, "market", "buy", 0.01)
    at_testnet = await testnet.fetch_positions()
    testnet.set_sandbox_mode(False)
    testnet.enable_demo_trading(True)

    assert len(at_testnet) == len(await testnet.fetch_positions()) == 1
    assert await production.fetch_positions() == []
    assert (await testnet.fetch_ticker(SYMBOL))["last"] == (await production.fetch_ticker(SYMBOL))["last"]


async def test_venues_are_separate_exchanges(customer: Callable[..., Any], bybit: Any, admin: Admin) -> None:
    """One key at two venues is two accounts, at the same prices."""
    await admin.add_account("production", bybit.apiKey, bybit.secret)
    binance = await customer()
    binance.apiKey, binance.secret = bybit.apiKey, bybit.secret

    await bybit.create_order(SYMBOL, "market", "buy", 0.01)

    assert await binance.fetch_positions([SYMBOL]) == []
    assert (await bybit.fetch_ticker(SYMBOL))["last"] == (await binance.fetch_ticker(SYMBOL))["last"]
