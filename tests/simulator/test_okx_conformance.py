"""Every call a trader makes at OKX, by unmodified ccxt over TLS."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from golive_simulator.client import Admin

SYMBOL = "BTC/USDT:USDT"
NAME = "BTC-USDT-SWAP"
CONTRACT = 0.01
"""BTC in one contract."""

READS: dict[str, tuple[Callable[[Any], Awaitable[Any]], Callable[[Any], bool]]] = {
    "markets load with currencies": (
        lambda x: x.load_markets(True),
        lambda it: {SYMBOL, "LINK/USDT:USDT"} <= set(it) and it[SYMBOL]["contractSize"] == CONTRACT,
    ),
    "currencies have chains": (lambda x: x.fetch_currencies(), lambda it: it["USDT"]["networks"]),
    "the venue's clock is the machine's": (
        lambda x: x.fetch_time(),
        lambda it: abs(it - time.time() * 1000) < 5000,
    ),
    "a ticker has a last price": (lambda x: x.fetch_ticker(SYMBOL), lambda it: it["last"] > 0),
    "tickers of ten contracts": (lambda x: x.fetch_tickers(), lambda it: len(it) == 10),
    "twenty candles for a moving average": (
        lambda x: x.fetch_ohlcv(SYMBOL, "1m", None, 20),
        lambda it: len(it) == 20 and it == sorted(it),
    ),
    "candles since a moment": (
        lambda x: x.fetch_ohlcv(SYMBOL, "1m", x.milliseconds() - 600_000, 5),
        lambda it: len(it) == 5,
    ),
    "hourly candles": (lambda x: x.fetch_ohlcv(SYMBOL, "1h", None, 5), lambda it: len(it) == 5),
    "daily candles": (lambda x: x.fetch_ohlcv(SYMBOL, "1d", None, 1), lambda it: len(it) == 1),
    "a book of the depth asked for": (
        lambda x: x.fetch_order_book(SYMBOL, 20),
        lambda it: len(it["bids"]) == len(it["asks"]) == 20,
    ),
    "the market's trades": (lambda x: x.fetch_trades(SYMBOL, None, 5), lambda it: len(it) == 5),
    "the mark price": (lambda x: x.fetch_mark_price(SYMBOL), lambda it: it["markPrice"] > 0),
    "the funding rate": (lambda x: x.fetch_funding_rate(SYMBOL), lambda it: it["fundingRate"] == 0.0001),
    "past funding rates": (lambda x: x.fetch_funding_rate_history(SYMBOL, None, 3), lambda it: len(it) == 3),
    "price limits": (
        lambda x: x.publicGetPublicPriceLimit({"instId": NAME}),
        lambda it: it["data"][0]["buyLmt"] > it["data"][0]["sellLmt"],
    ),
    "a balance": (lambda x: x.fetch_balance(), lambda it: it["USDT"]["free"] == 10_000),
    "no positions at first": (lambda x: x.fetch_positions(), lambda it: it == []),
    "no open orders at first": (lambda x: x.fetch_open_orders(SYMBOL), lambda it: it == []),
    "margin tables": (lambda x: x.fetch_market_leverage_tiers(SYMBOL), lambda it: len(it) == 8),
    "fees": (lambda x: x.fetch_trading_fee(SYMBOL), lambda it: (it["maker"], it["taker"]) == (0.0002, 0.0005)),
    "one-way mode": (lambda x: x.fetch_position_mode(), lambda it: it["hedged"] is False),
    "key permissions": (
        lambda x: x.privateGetAccountConfig(),
        lambda it: it["data"][0]["perm"] == "read_only,trade",
    ),
}


@pytest.mark.parametrize("promise", READS)
async def test_a_client_of_okx_can_read(okx: Any, promise: str) -> None:
    """Each reading call of ccxt is answered with something it can parse and use."""
    ask, holds = READS[promise]

    assert holds(await ask(okx))


async def test_markets_of_okx_load_without_keys(okx: Any) -> None:
    """Public data needs no account; types that are not listed are empty lists, not errors."""
    okx.apiKey = okx.secret = okx.password = None

    assert {market["type"] for market in (await okx.load_markets()).values()} == {"swap"}


async def test_an_amount_is_a_number_of_contracts(okx: Any, trader: Any) -> None:
    """The same 0.01 is a hundredth of a contract here and a hundredth of a bitcoin elsewhere."""
    await okx.create_order(SYMBOL, "market", "buy", 0.01)
    await trader.create_order(SYMBOL, "market", "buy", 0.01)
    (here,), (there,) = await okx.fetch_positions([SYMBOL]), await trader.fetch_positions([SYMBOL])

    assert (here["contracts"], here["contractSize"]) == (0.01, CONTRACT)
    assert here["notional"] == pytest.approx(there["notional"] / 100)


async def test_a_market_order_at_okx_fills_at_once(okx: Any) -> None:
    """Order, trade, position and balance tell the same story; the answer itself only names the order."""
    placed = await okx.create_order(SYMBOL, "market", "buy", 1, None, {"clientOrderId": "golive1"})
    order = await okx.fetch_order("", SYMBOL, {"clientOrderId": "golive1"})
    (trade,) = await okx.fetch_my_trades(SYMBOL)
    (position,) = await okx.fetch_positions([SYMBOL])
    balance = await okx.fetch_balance()

    assert (placed["id"], placed["status"]) == (order["id"], None)
    assert (order["status"], order["filled"], order["clientOrderId"]) == ("closed", 1, "golive1")
    assert trade["order"] == order["id"]
    assert trade["price"] == order["average"] == position["entryPrice"]
    assert (position["side"], position["contracts"], position["hedged"]) == ("long", 1, False)
    assert trade["fee"]["cost"] == pytest.approx(order["cost"] * 0.0005) == order["fee"]["cost"]
    assert balance["USDT"]["total"] == pytest.approx(10_000 - trade["fee"]["cost"] + position["unrealizedPnl"])


async def test_a_short_position_is_a_negative_number(okx: Any) -> None:
    """One-way mode: the sign tells the side."""
    await okx.create_order(SYMBOL, "market", "sell", 2)
    (position,) = await okx.fetch_positions([SYMBOL])

    assert (position["side"], position["contracts"], position["info"]["pos"]) == ("short", 2, "-2")
    assert position["liquidationPrice"] > position["entryPrice"]


async def test_a_limit_order_at_okx_rests_until_it_is_cancelled(okx: Any) -> None:
    """Found by number, by client id and among the open ones; closed after its cancellation."""
    last = (await okx.fetch_ticker(SYMBOL))["last"]
    placed = await okx.create_order(SYMBOL, "limit", "buy", 1, last * 0.98, {"clientOrderId": "golive2"})
    by_number = await okx.fetch_order(placed["id"], SYMBOL)
    (open_one,) = await okx.fetch_open_orders(SYMBOL)
    held = (await okx.fetch_balance())["USDT"]["used"]
    await okx.cancel_order("", SYMBOL, {"clientOrderId": "golive2"})
    after = await okx.fetch_order("", SYMBOL, {"clientOrderId": "golive2"})

    assert placed["id"] == by_number["id"] == open_one["id"] == after["id"]
    assert (by_number["status"], after["status"]) == ("open", "canceled")
    assert held == pytest.approx(CONTRACT * by_number["price"] / 20)
    assert await okx.fetch_open_orders(SYMBOL) == []
    assert [row["id"] for row in await okx.fetch_canceled_orders(SYMBOL)] == [placed["id"]]


# promise: parameters, limit as a part of the last price, state, contracts filled
IMMEDIATE = {
    "immediate-or-cancel fills what its limit allows": ({"timeInForce": "IOC"}, 1.01, "closed", 1),
    "immediate-or-cancel is cancelled when nothing is in reach": ({"timeInForce": "IOC"}, 0.99, "canceled", 0),
    "fill-or-kill fills whole": ({"timeInForce": "FOK"}, 1.01, "closed", 1),
    "fill-or-kill out of reach is accepted and cancelled": ({"timeInForce": "FOK"}, 0.99, "canceled", 0),
    "post-only rests": ({"postOnly": True}, 0.99, "open", 0),
    "post-only that would take is accepted and cancelled": ({"postOnly": True}, 1.01, "canceled", 0),
}


@pytest.mark.parametrize("promise", IMMEDIATE)
async def test_time_in_force_at_okx(okx: Any, promise: str) -> None:
    """The order is accepted whatever becomes of it: only a query tells."""
    parameters, factor, status, filled = IMMEDIATE[promise]
    last = (await okx.fetch_ticker(SYMBOL))["last"]

    placed = await okx.create_order(SYMBOL, "limit", "buy", 1, last * factor, parameters)
    order = await okx.fetch_order(placed["id"], SYMBOL)

    assert (order["status"], order["filled"]) == (status, filled)


async def test_a_reduce_only_order_at_okx_shrinks_to_the_position(okx: Any) -> None:
    """It can close, never turn."""
    await okx.create_order(SYMBOL, "market", "buy", 2)

    placed = await okx.create_order(SYMBOL, "market", "sell", 500, None, {"reduceOnly": True})
    order = await okx.fetch_order(placed["id"], SYMBOL)

    assert (order["amount"], order["filled"], order["reduceOnly"]) == (2, 2, True)
    assert await okx.fetch_positions([SYMBOL]) == []


STOPS: dict[str, tuple[str, dict[str, Any], str]] = {
    "a stop loss": ("conditional", {"stopLossPrice": 0.9}, "slTriggerPx"),
    "a take profit": ("conditional", {"takeProfitPrice": 1.1}, "tpTriggerPx"),
    "both at once": ("oco", {"stopLossPrice": 0.9, "takeProfitPrice": 1.1}, "tpTriggerPx"),
    "a trigger": ("trigger", {"triggerPrice": 0.9}, "triggerPx"),
    "a trailing stop": ("move_order_stop", {"trailingPercent": "1"}, "callbackRatio"),
}


@pytest.mark.parametrize("promise", STOPS)
async def test_conditional_orders_are_listed_by_kind_only(okx: Any, promise: str) -> None:
    """Each kind has to be asked for; neither the ordinary list nor another kind's shows it."""
    kind, factors, field = STOPS[promise]
    last = (await okx.fetch_ticker(SYMBOL))["last"]
    parameters = {name: value if kind == "move_order_stop" else last * value for name, value in factors.items()}
    named = parameters | {"reduceOnly": True, "algoClOrdId": "stop1"}

    placed = await okx.create_order(SYMBOL, "market", "sell", 1, None, named)
    listed = {
        other: await okx.fetch_open_orders(SYMBOL, None, None, {"trigger": True, "ordType": other})
        for other in ("conditional", "oco", "trigger", "move_order_stop")
    }
    by_client_id = await okx.fetch_order("", SYMBOL, {"trigger": True, "clientOrderId": "stop1"})
    await okx.cancel_orders([placed["id"]], SYMBOL, {"trigger": True})
    after = await okx.fetch_order(placed["id"], SYMBOL, {"trigger": True})

    assert {other for other, rows in listed.items() if rows} == {kind}
    assert [row["id"] for row in listed[kind]] == [placed["id"]] == [by_client_id["id"]]
    assert listed[kind][0]["info"][field] != ""
    assert (by_client_id["status"], after["status"]) == ("open", "canceled")
    assert await okx.fetch_open_orders(SYMBOL) == []


@pytest.fixture
async def loose_sol(okx: Any, admin: Admin) -> Any:
    """A client and the last price of a contract whose price a test may move."""
    await admin.price("SOLUSDT", 100)
    return okx


SOL = "SOL/USDT:USDT"


# promise: price to go to, which half goes off
OUTCOMES = {"a fall sets off the stop loss": (94, "sl"), "a rise sets off the take profit": (111, "tp")}


@pytest.mark.parametrize("promise", OUTCOMES)
async def test_one_half_cancels_the_other(loose_sol: Any, admin: Admin, promise: str) -> None:
    """The position is closed once, and nothing is left waiting."""
    price, half = OUTCOMES[promise]
    await loose_sol.create_order(SOL, "market", "buy", 3)
    exits = {"stopLossPrice": 95, "takeProfitPrice": 110, "reduceOnly": True}
    placed = await loose_sol.create_order(SOL, "market", "sell", 3, None, exits)
    await admin.price("SOLUSDT", price)
    order = await loose_sol.fetch_order(placed["id"], SOL, {"trigger": True})
    (closing,) = (row for row in await loose_sol.fetch_closed_orders(SOL) if row["side"] == "sell")

    assert (order["status"], order["info"]["actualSide"]) == ("closed", half)
    assert order["info"]["ordId"] == closing["info"]["ordId"]
    # ccxt gives an order that came from a conditional one the number of that
    assert (closing["id"], closing["filled"]) == (placed["id"], 3)
    assert await loose_sol.fetch_positions([SOL]) == []
    assert await loose_sol.fetch_open_orders(SOL, None, None, {"trigger": True, "ordType": "oco"}) == []


async def test_attached_exits_come_with_the_fill(loose_sol: Any, admin: Admin) -> None:
    """Shown with the resting order, listed as one conditional order once it is filled."""
    attached = {"stopLoss": {"triggerPrice": 90}, "takeProfit": {"triggerPrice": 110}}
    kind = {"trigger": True, "ordType": "oco"}
    placed = await loose_sol.create_order(SOL, "limit", "buy", 3, 99, attached)
    resting = await loose_sol.fetch_order(placed["id"], SOL)
    before = await loose_sol.fetch_open_orders(SOL, None, None, kind)
    await admin.price("SOLUSDT", 98)
    (exits,) = await loose_sol.fetch_open_orders(SOL, None, None, kind)

    assert (resting["stopLossPrice"], resting["takeProfitPrice"]) == (90, 110)
    assert before == []
    assert (exits["side"], exits["amount"], exits["reduceOnly"]) == ("sell", 3, True)
    assert (exits["stopLossPrice"], exits["takeProfitPrice"]) == (90, 110)


async def test_a_whole_position_is_closed_by_a_fraction_of_one(loose_sol: Any, admin: Admin) -> None:
    """A stop without size takes whatever there is when it goes off."""
    await loose_sol.create_order(SOL, "market", "buy", 3)
    whole = {"stopLossPrice": 95, "closeFraction": "1", "reduceOnly": True}
    await loose_sol.create_order(SOL, "market", "sell", 3, None, whole)
    await loose_sol.create_order(SOL, "market", "buy", 2)
    await admin.price("SOLUSDT", 94)

    assert await loose_sol.fetch_positions([SOL]) == []


async def test_all_orders_go_by_listing_and_cancelling_in_batches(okx: Any) -> None:
    """The venue has no call for it: ordinary and conditional orders each by their own batch."""
    last = (await okx.fetch_ticker(SYMBOL))["last"]
    orders = [
        {"symbol": SYMBOL, "type": "limit", "side": "buy", "amount": size, "price": last * 0.98}
        for size in (1, 2)
    ]
    await okx.create_orders(orders)
    for trigger in (0.9, 0.91):
        await okx.create_order(SYMBOL, "market", "sell", 1, None, {"stopLossPrice": last * trigger})
    kind = {"trigger": True, "ordType": "conditional"}
    ordinary = [row["id"] for row in await okx.fetch_open_orders(SYMBOL)]
    waiting = [row["id"] for row in await okx.fetch_open_orders(SYMBOL, None, None, kind)]
    await okx.cancel_orders(ordinary, SYMBOL)
    still_waiting = await okx.fetch_open_orders(SYMBOL, None, None, kind)
    await okx.cancel_orders(waiting, SYMBOL, {"trigger": True})

    assert (len(ordinary), len(waiting), len(still_waiting)) == (2, 2, 2)
    assert await okx.fetch_open_orders(SYMBOL) == []
    assert await okx.fetch_open_orders(SYMBOL, None, None, kind) == []


async def test_the_dead_mans_switch_of_okx_cancels_everything_resting(okx: Any, admin: Admin) -> None:
    """A client that falls silent loses its resting orders in every contract; stops stay."""
    last = (await okx.fetch_ticker(SYMBOL))["last"]
    for symbol in (SYMBOL, "ETH/USDT:USDT"):
        price = (await okx.fetch_ticker(symbol))["last"] * 0.98
        await okx.create_order(symbol, "limit", "buy", 1, price)
    await okx.create_order(SYMBOL, "market", "sell", 1, None, {"stopLossPrice": last * 0.9})
    armed = await okx.cancel_all_orders_after(20_000)
    open_before = len(await okx.fetch_open_orders())
    skew = await admin.add_fault("clock-skew", skew_ms=25_000)
    deadline = time.monotonic() + 5
    while await okx.fetch_open_orders():
        assert time.monotonic() < deadline
    await admin.clear_faults(skew["fault_id"])

    assert (armed["data"][0]["triggerTime"] > armed["data"][0]["ts"], open_before) == (True, 2)
    assert await okx.fetch_open_orders(SYMBOL, None, None, {"trigger": True, "ordType": "conditional"})


async def test_settings_are_kept_at_okx(okx: Any) -> None:
    """Leverage is set before, the margin mode comes with the order."""
    await okx.set_leverage(5, SYMBOL, {"marginMode": "isolated"})
    await okx.create_order(SYMBOL, "market", "buy", 1, None, {"marginMode": "isolated"})
    (position,) = await okx.fetch_positions([SYMBOL])

    assert (position["leverage"], position["marginMode"]) == (5, "isolated")
    assert position["initialMargin"] == pytest.approx(CONTRACT * position["entryPrice"] / 5)
    assert (await okx.fetch_leverage(SYMBOL, {"marginMode": "isolated"}))["longLeverage"] == 5


async def test_a_header_tells_demo_trading_from_production(okx_customer: Callable[..., Any]) -> None:
    """The same host is two exchanges at the same prices."""
    production, testnet = await okx_customer(), await okx_customer("okx-testnet")

    await testnet.create_order(SYMBOL, "market", "buy", 1)

    assert len(await testnet.fetch_positions([SYMBOL])) == 1
    assert await production.fetch_positions([SYMBOL]) == []
    assert (await production.fetch_ticker(SYMBOL))["last"] == (await testnet.fetch_ticker(SYMBOL))["last"]


async def test_venues_have_one_price_and_contracts_of_their_own(okx: Any, trader: Any, admin: Admin) -> None:
    """A jump is seen at both; neither lists what the other calls its contracts."""
    await admin.price("XRPUSDT", 0.9)
    symbol = "XRP/USDT:USDT"

    assert (await okx.fetch_ticker(symbol))["last"] == (await trader.fetch_ticker(symbol))["last"] == 0.9
    assert {market["id"] for market in (await trader.load_markets()).values()}.isdisjoint(
        market["id"] for market in (await okx.load_markets()).values()
    )
