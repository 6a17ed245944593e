"""Every row of the table of calls, at every venue, by the asynchronous and the synchronous ccxt as they are."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import ccxt
import pytest

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

BTC = "BTC/USDT:USDT"
VENUE_NAMES = ("binanceusdm", "bybit", "okx")
KINDS = ("async", "sync")


async def last_price(desk: Any) -> float:
    """The last price."""
    return float((await desk.client.fetch_ticker(BTC))["last"])


async def bought(desk: Any, bitcoin: float = 0.01, **parameters: object) -> dict[str, Any]:
    """A market order, as a query tells it."""
    placed = await desk.client.create_order(BTC, "market", "buy", desk.lots(bitcoin), None, parameters)
    return dict(await desk.client.fetch_order(placed["id"], BTC, desk.venue.known))


async def rested(desk: Any, **parameters: object) -> dict[str, Any]:
    """A limit order below the price, as its placement answers."""
    price = await last_price(desk) * 0.98
    amount = desk.lots(0.01)
    return dict(await desk.client.create_order(BTC, "limit", "buy", amount, price, parameters))


async def stopped(desk: Any, **parameters: object) -> dict[str, Any]:
    """A stop loss below the price, as its placement answers."""
    wanted = {"stopLossPrice": round(await last_price(desk) * 0.9, 1)} | parameters
    return dict(await desk.client.create_order(BTC, "market", "sell", desk.lots(0.01), None, wanted))


async def held(desk: Any) -> list[Any]:
    """The open positions."""
    return [row for row in await desk.client.fetch_positions([BTC]) if row["contracts"]]


async def waiting(desk: Any) -> list[Any]:
    """The conditional orders that wait."""
    return list(await desk.client.fetch_open_orders(BTC, None, None, desk.venue.stops))


def trigger_of(order: dict[str, Any]) -> float:
    """Where an order goes off, in whichever words ccxt puts it."""
    return float(order["stopLossPrice"] or order["takeProfitPrice"] or order["triggerPrice"])


async def loads_markets(desk: Any) -> bool:
    """Contracts with the size that the venue cuts them to."""
    desk.plain.options["fetchCurrencies"] = True
    found = await desk.client.load_markets(True)
    return bool(found[BTC]["contractSize"] == desk.venue.contract)


async def tells_time(desk: Any) -> bool:
    """The machine's own, as no fault skews it."""
    return bool(abs(await desk.client.fetch_time() - time.time() * 1000) < 5_000)


async def tells_a_ticker(desk: Any) -> bool:
    """With a last price between those of the day."""
    told = await desk.client.fetch_ticker(BTC)
    return bool(told["low"] <= told["last"] <= told["high"])


async def tells_a_balance(desk: Any) -> bool:
    """What was paid in."""
    return bool((await desk.client.fetch_balance())["USDT"]["total"] == 10_000)


async def tells_positions(desk: Any) -> bool:
    """None, and then the one that was opened; who names a contract at Bybit gets a row of size nought."""
    before = await held(desk)
    await bought(desk)
    (position,) = await held(desk)
    return before == [] and (position["side"], position["contracts"]) == ("long", desk.lots(0.01))


async def sets_leverage(desk: Any) -> bool:
    """And the account keeps it."""
    await desk.client.set_leverage(7, BTC)
    return bool((await desk.account())["leverages"] == {desk.venue.btc: 7})


async def fills_a_market_order(desk: Any) -> bool:
    """Whole and at once."""
    order = await bought(desk)
    return (order["status"], order["filled"]) == ("closed", desk.lots(0.01))


async def rests_a_limit_order(desk: Any) -> bool:
    """Among the open ones, under the id of its placement."""
    placed = await rested(desk)
    (listed,) = await desk.client.fetch_open_orders(BTC)
    return bool(listed["id"] == placed["id"])


async def reduces_only(desk: Any) -> bool:
    """A sale ten times as large as the position closes it."""
    await bought(desk)
    await desk.client.create_order(BTC, "market", "sell", desk.lots(0.1), None, {"reduceOnly": True})
    return await held(desk) == []


async def holds_a_stop_loss(desk: Any) -> bool:
    """Beside the book, found with its trigger."""
    placed = await stopped(desk)
    (listed,) = await waiting(desk)
    return bool(listed["id"] == placed["id"] and trigger_of(listed) < await last_price(desk))


async def holds_a_take_profit(desk: Any) -> bool:
    """The same on the other side of the price."""
    trigger = round(await last_price(desk) * 1.1, 1)
    await desk.client.create_order(BTC, "market", "sell", desk.lots(0.01), None, {"takeProfitPrice": trigger})
    (listed,) = await waiting(desk)
    return bool(trigger_of(listed) == trigger)


async def attaches_exits(desk: Any) -> bool:
    """Bybit and OKX do; at Binance the same words leave a position without any protection."""
    last = await last_price(desk)
    exits = {
        "stopLoss": {"triggerPrice": round(last * 0.9, 1)},
        "takeProfit": {"triggerPrice": round(last * 1.1, 1)},
    }
    await desk.client.create_order(BTC, "market", "buy", desk.lots(0.01), None, exits)
    return bool(
        (await desk.account())["counts"]["open_algos"] == (0 if desk.venue.name == "binanceusdm" else 2)
    )


async def lists_open_orders(desk: Any) -> bool:
    """Stops need a question of their own at Binance and OKX; Bybit lists all."""
    await rested(desk)
    await stopped(desk)
    listed = await desk.client.fetch_open_orders(BTC)
    return len(listed) == (2 if desk.venue.name == "bybit" else 1) and len(await waiting(desk)) == 1


async def cancels_all(desk: Any) -> bool:
    """Binance leaves the stops, Bybit takes them too, and OKX has no such call."""
    await rested(desk)
    await stopped(desk)
    if desk.venue.name == "okx":
        with pytest.raises(ccxt.NotSupported):
            await desk.client.cancel_all_orders(BTC)
        return len(await waiting(desk)) == 1
    await desk.client.cancel_all_orders(BTC)
    left = len(await waiting(desk))
    await desk.client.cancel_all_orders(BTC, {"trigger": True})
    return left == (1 if desk.venue.name == "binanceusdm" else 0) and await waiting(desk) == []


async def arms_the_dead_mans_switch(desk: Any) -> bool:
    """Unified at Bybit and OKX, by its own name at Binance; it is armed, and takes nothing yet."""
    await rested(desk)
    if desk.venue.name == "binanceusdm":
        with pytest.raises(ccxt.NotSupported):
            await desk.client.cancel_all_orders_after(20_000)
        wanted = {"symbol": "BTCUSDT", "countdownTime": 20_000}
        await desk.client.fapiPrivatePostCountdownCancelAll(wanted)
    else:
        await desk.client.cancel_all_orders_after(20_000)
    account = await desk.account()
    return bool(account["countdowns"] or account["silence_ms"]) and account["counts"]["open_orders"] == 1


async def finds_by_client_id(desk: Any) -> bool:
    """By the parameter that the venue knows it under."""
    placed = await rested(desk, clientOrderId="golive7")
    named = desk.venue.known | {desk.venue.client_id: "golive7"}
    return bool((await desk.client.fetch_order("", BTC, named))["id"] == placed["id"])


async def cancels_by_client_id(desk: Any) -> bool:
    """And it is gone."""
    await rested(desk, clientOrderId="golive8")
    await desk.client.cancel_order("", BTC, {desk.venue.client_id: "golive8"})
    return bool(await desk.client.fetch_open_orders(BTC) == [])


async def tells_trades(desk: Any) -> bool:
    """Of the order that made them, since a moment before."""
    since = await desk.client.fetch_time() - 1_000
    order = await bought(desk)
    trades = await desk.client.fetch_my_trades(BTC, since)
    return [row["order"] for row in trades] == [order["id"]]


# promise: what is done, and the requests that it is known to make at each venue
Row = tuple["Callable[[Any], Awaitable[bool]]", dict[str, tuple[str, ...]]]
ROWS: dict[str, Row] = {
    "load_markets": (
        loads_markets,
        {
            "binanceusdm": (
                *("GET /sapi/v1/capital/config/getall", "GET /sapi/v1/margin/allPairs"),
                "GET /fapi/v1/exchangeInfo",
            ),
            "bybit": ("GET /v5/asset/coin/query-info", "GET /v5/market/instruments-info"),
            "okx": ("GET /api/v5/asset/currencies", "GET /api/v5/public/instruments"),
        },
    ),
    "fetch_time": (
        tells_time,
        {
            "binanceusdm": ("GET /fapi/v1/time",),
            "bybit": ("GET /v5/market/time",),
            "okx": ("GET /api/v5/public/time",),
        },
    ),
    "fetch_ticker": (
        tells_a_ticker,
        {
            "binanceusdm": ("GET /fapi/v1/ticker/24hr",),
            "bybit": ("GET /v5/market/tickers",),
            "okx": ("GET /api/v5/market/ticker",),
        },
    ),
    "fetch_balance": (
        tells_a_balance,
        {
            "binanceusdm": ("GET /fapi/v3/account",),
            "bybit": (
                *("GET /v5/user/query-api", "GET /v5/account/info"),
                "GET /v5/account/wallet-balance",
            ),
            "okx": ("GET /api/v5/account/balance",),
        },
    ),
    "fetch_positions": (
        tells_positions,
        {
            "binanceusdm": ("GET /fapi/v1/leverageBracket", "GET /fapi/v3/positionRisk"),
            "bybit": ("GET /v5/position/list",),
            "okx": ("GET /api/v5/account/positions",),
        },
    ),
    "set_leverage": (
        sets_leverage,
        {
            "binanceusdm": ("POST /fapi/v1/leverage",),
            "bybit": ("POST /v5/position/set-leverage",),
            "okx": ("POST /api/v5/account/set-leverage",),
        },
    ),
    "create_order at the market": (
        fills_a_market_order,
        {
            "binanceusdm": ("POST /fapi/v1/order",),
            "bybit": ("POST /v5/order/create",),
            "okx": ("POST /api/v5/trade/batch-orders",),
        },
    ),
    "create_order with a limit": (
        rests_a_limit_order,
        {
            "binanceusdm": ("POST /fapi/v1/order",),
            "bybit": ("POST /v5/order/create",),
            "okx": ("POST /api/v5/trade/batch-orders",),
        },
    ),
    "create_order that only reduces": (
        reduces_only,
        {
            "binanceusdm": ("POST /fapi/v1/order",),
            "bybit": ("POST /v5/order/create",),
            "okx": ("POST /api/v5/trade/batch-orders",),
        },
    ),
    "create_order with stopLossPrice": (
        holds_a_stop_loss,
        {
            "binanceusdm": ("POST /fapi/v1/algoOrder",),
            "bybit": ("POST /v5/order/create",),
            "okx": ("POST /api/v5/trade/order-algo",),
        },
    ),
    "create_order with takeProfitPrice": (
        holds_a_take_profit,
        {
            "binanceusdm": ("POST /fapi/v1/algoOrder",),
            "bybit": ("POST /v5/order/create",),
            "okx": ("POST /api/v5/trade/order-algo",),
        },
    ),
    "create_order with stopLoss and takeProfit attached": (
        attaches_exits,
        {
            "binanceusdm": ("POST /fapi/v1/order",),
            "bybit": ("POST /v5/order/create",),
            "okx": ("POST /api/v5/trade/batch-orders",),
        },
    ),
    "fetch_open_orders": (
        lists_open_orders,
        {
            "binanceusdm": ("GET /fapi/v1/openOrders", "GET /fapi/v1/openAlgoOrders"),
            "bybit": ("GET /v5/order/realtime",),
            "okx": ("GET /api/v5/trade/orders-pending", "GET /api/v5/trade/orders-algo-pending"),
        },
    ),
    "cancel_all_orders": (
        cancels_all,
        {
            "binanceusdm": ("DELETE /fapi/v1/allOpenOrders", "DELETE /fapi/v1/algoOpenOrders"),
            "bybit": ("POST /v5/order/cancel-all",),
            "okx": (),
        },
    ),
    "cancel_all_orders_after": (
        arms_the_dead_mans_switch,
        {
            "binanceusdm": ("POST /fapi/v1/countdownCancelAll",),
            "bybit": ("POST /v5/order/disconnected-cancel-all",),
            "okx": ("POST /api/v5/trade/cancel-all-after",),
        },
    ),
    "fetch_order by client id": (
        finds_by_client_id,
        {
            "binanceusdm": ("GET /fapi/v1/order",),
            "bybit": ("GET /v5/order/realtime",),
            "okx": ("GET /api/v5/trade/order",),
        },
    ),
    "cancel_order by client id": (
        cancels_by_client_id,
        {
            "binanceusdm": ("DELETE /fapi/v1/order",),
            "bybit": ("POST /v5/order/cancel",),
            "okx": ("POST /api/v5/trade/cancel-order",),
        },
    ),
    "fetch_my_trades": (
        tells_trades,
        {
            "binanceusdm": ("GET /fapi/v1/userTrades",),
            "bybit": ("GET /v5/execution/list",),
            "okx": ("GET /api/v5/trade/fills-history",),
        },
    ),
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("venue", VENUE_NAMES)
@pytest.mark.parametrize("promise", ROWS)
async def test_a_call_of_ccxt(desk: Callable[..., Any], promise: str, venue: str, kind: str) -> None:
    """The client asks where it is known to ask, understands the answer, and the venue has done it."""
    call, expected = ROWS[promise]
    opened = await desk(venue, kind)
    earlier = len(await opened.admin.requests())

    assert await call(opened)

    asked = {f"{row['method']} {row['path']}" for row in (await opened.admin.requests())[earlier:]}
    assert asked >= set(expected[venue])
