"""Every call a trader makes, by unmodified ccxt over TLS."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

SYMBOL = "BTC/USDT:USDT"

READS: dict[str, tuple[Callable[[Any], Awaitable[Any]], Callable[[Any], bool]]] = {
    "markets load with currencies": (
        lambda x: x.load_markets(True),
        lambda it: {"BTC/USDT:USDT", "LINK/USDT:USDT"} <= set(it),
    ),
    "the venue's clock is the machine's": (
        lambda x: x.fetch_time(),
        lambda it: abs(it - time.time() * 1000) < 5000,
    ),
    "a ticker has a last price": (lambda x: x.fetch_ticker(SYMBOL), lambda it: it["last"] > 0),
    "tickers of ten contracts or more": (lambda x: x.fetch_tickers(), lambda it: len(it) >= 10),
    "best prices of a contract": (
        lambda x: x.fetch_bids_asks([SYMBOL]),
        lambda it: it[SYMBOL]["bid"] < it[SYMBOL]["ask"],
    ),
    "twenty candles for a moving average": (
        lambda x: x.fetch_ohlcv(SYMBOL, "1m", None, 20),
        lambda it: len(it) == 20,
    ),
    "hourly candles": (lambda x: x.fetch_ohlcv(SYMBOL, "1h", None, 5), lambda it: len(it) == 5),
    "a book of the depth asked for": (
        lambda x: x.fetch_order_book(SYMBOL, 20),
        lambda it: len(it["bids"]) == len(it["asks"]) == 20,
    ),
    "the market's trades": (lambda x: x.fetch_trades(SYMBOL, None, 5), lambda it: len(it) == 5),
    "the funding rate": (lambda x: x.fetch_funding_rate(SYMBOL), lambda it: it["fundingRate"] == 0.0001),
    "past funding rates": (lambda x: x.fetch_funding_rate_history(SYMBOL, None, 3), lambda it: len(it) == 3),
    "open interest": (lambda x: x.fetch_open_interest(SYMBOL), lambda it: it["openInterestAmount"] > 0),
    "a balance": (lambda x: x.fetch_balance(), lambda it: it["USDT"]["free"] == 10_000),
    "no positions at first": (lambda x: x.fetch_positions(), lambda it: it == []),
    "no open orders at first": (lambda x: x.fetch_open_orders(SYMBOL), lambda it: it == []),
    "margin tables": (lambda x: x.fetch_leverage_tiers([SYMBOL]), lambda it: len(it[SYMBOL]) == 8),
    "fees": (lambda x: x.fetch_trading_fee(SYMBOL), lambda it: (it["maker"], it["taker"]) == (0.0002, 0.0005)),
    "the deposit in the ledger": (lambda x: x.fetch_ledger(), lambda it: it[0]["amount"] == 10_000),
    "one-way mode": (lambda x: x.fetch_position_mode(), lambda it: it["hedged"] is False),
    "leverage settings": (lambda x: x.fetch_leverages([SYMBOL]), lambda it: it[SYMBOL]["longLeverage"] == 20),
    "margin modes": (
        lambda x: x.fetch_margin_modes([SYMBOL]),
        lambda it: it[SYMBOL]["marginMode"] == "cross",
    ),
    "key permissions": (
        lambda x: x.sapiGetAccountApiRestrictions(),
        lambda it: it["enableFutures"] and not it["enableWithdrawals"],
    ),
    "no trading restrictions": (lambda x: x.fapiPrivateGetApiTradingStatus(), lambda it: not it["indicators"]),
}


@pytest.mark.parametrize("promise", READS)
async def test_a_client_can_read(trader: Any, promise: str) -> None:
    """Each reading call of ccxt is answered with something it can parse and use."""
    ask, holds = READS[promise]

    assert holds(await ask(trader))


async def test_markets_load_without_currencies_and_without_keys(customer: Callable[..., Any]) -> None:
    """Public data needs no account."""
    client = await customer()
    client.options["fetchCurrencies"], client.apiKey, client.secret = False, None, None

    assert "BTC/USDT:USDT" in await client.load_markets()


async def test_a_market_order_fills_at_once(trader: Any) -> None:
    """Order, trade, position and balance tell the same story."""
    order = await trader.create_order(SYMBOL, "market", "buy", 0.01, None, {"clientOrderId": "golive-1"})
    (trade,) = await trader.fetch_my_trades(SYMBOL)
    (position,) = await trader.fetch_positions([SYMBOL])
    balance = await trader.fetch_balance()

    assert (order["status"], order["filled"], order["clientOrderId"]) == ("closed", 0.01, "golive-1")
    assert trade["order"] == order["id"]
    assert trade["price"] == order["average"] == position["entryPrice"]
    assert (position["side"], position["contracts"]) == ("long", 0.01)
    assert balance["USDT"]["total"] == pytest.approx(10_000 - trade["fee"]["cost"])
    assert trade["fee"]["cost"] == pytest.approx(order["cost"] * 0.0005)


async def test_a_large_order_takes_several_levels(trader: Any) -> None:
    """Slippage: what does not fit the best price fills at worse ones."""
    book = await trader.fetch_order_book(SYMBOL, 5)
    beyond_touch = book["asks"][0][1] + 0.5

    order = await trader.create_order(SYMBOL, "market", "buy", beyond_touch)
    trades = await trader.fetch_my_trades(SYMBOL)

    assert order["status"] == "closed"
    assert len(trades) > 1
    assert book["asks"][0][0] < order["average"]


async def test_a_limit_order_rests_until_it_is_cancelled(trader: Any) -> None:
    """Found by number, by client id and among the open ones; gone after its cancellation."""
    last = (await trader.fetch_ticker(SYMBOL))["last"]
    order = await trader.create_order(SYMBOL, "limit", "buy", 0.01, last * 0.98, {"clientOrderId": "golive-2"})
    by_number = await trader.fetch_order(order["id"], SYMBOL)
    by_client_id = await trader.fetch_order("", SYMBOL, {"clientOrderId": "golive-2"})
    (open_one,) = await trader.fetch_open_orders(SYMBOL)
    held = (await trader.fetch_balance())["USDT"]["used"]
    await trader.cancel_order("", SYMBOL, {"clientOrderId": "golive-2"})
    after = await trader.fetch_order(order["id"], SYMBOL)

    assert order["id"] == by_number["id"] == by_client_id["id"] == open_one["id"]
    assert order["status"] == "open"
    assert held == pytest.approx(0.01 * order["price"] / 20)
    assert after["status"] == "canceled"
    assert await trader.fetch_open_orders(SYMBOL) == []


async def test_a_client_id_is_free_again_once_its_order_closed(trader: Any) -> None:
    """As the venue documents it: unique among open orders only, so a blind resend doubles a filled order."""
    for _ in range(2):
        await trader.create_order(SYMBOL, "market", "buy", 0.01, None, {"clientOrderId": "golive-3"})

    (position,) = await trader.fetch_positions([SYMBOL])

    assert position["contracts"] == 0.02


IMMEDIATE = {
    "immediate-or-cancel fills what its limit allows": ({"timeInForce": "IOC"}, 1.01, "closed", 0.01),
    "immediate-or-cancel expires when nothing is in reach": ({"timeInForce": "IOC"}, 0.99, "expired", 0),
    "fill-or-kill fills whole": ({"timeInForce": "FOK"}, 1.01, "closed", 0.01),
    "post-only rests": ({"postOnly": True}, 0.99, "open", 0),
}


@pytest.mark.parametrize("promise", IMMEDIATE)
async def test_time_in_force(trader: Any, promise: str) -> None:
    """Each time in force does what its name says."""
    parameters, factor, status, filled = IMMEDIATE[promise]
    last = (await trader.fetch_ticker(SYMBOL))["last"]

    order = await trader.create_order(SYMBOL, "limit", "buy", 0.01, last * factor, parameters)

    assert (order["status"], order["filled"]) == (status, filled)


async def test_a_reduce_only_order_shrinks_to_the_position(trader: Any) -> None:
    """It can close, never turn."""
    await trader.create_order(SYMBOL, "market", "buy", 0.02)

    order = await trader.create_order(SYMBOL, "market", "sell", 5, None, {"reduceOnly": True})

    assert (order["status"], order["amount"], order["filled"]) == ("closed", 0.02, 0.02)
    assert await trader.fetch_positions([SYMBOL]) == []


async def test_conditional_orders_live_beside_ordinary_ones(trader: Any) -> None:
    """Cancelling all orders leaves the stops; they need a second call."""
    last = (await trader.fetch_ticker(SYMBOL))["last"]
    await trader.create_order(SYMBOL, "limit", "buy", 0.01, last * 0.98)
    await trader.create_order(
        SYMBOL, "market", "sell", 0.01, None, {"stopLossPrice": last * 0.95, "clientOrderId": "stop-1"}
    )
    await trader.create_order(SYMBOL, "limit", "sell", 0.01, last * 1.05, {"takeProfitPrice": last * 1.04})
    await trader.cancel_all_orders(SYMBOL)
    ordinary = await trader.fetch_open_orders(SYMBOL)
    waiting = await trader.fetch_open_orders(SYMBOL, None, None, {"trigger": True})
    one = await trader.fetch_order("", SYMBOL, {"clientOrderId": "stop-1", "trigger": True})
    await trader.cancel_all_orders(SYMBOL, {"trigger": True})

    assert ordinary == []
    assert [row["info"]["orderType"] for row in waiting] == ["STOP_MARKET", "TAKE_PROFIT"]
    assert one["id"] == waiting[0]["id"]
    assert await trader.fetch_open_orders(SYMBOL, None, None, {"trigger": True}) == []


async def test_the_dead_mans_switch_cancels_when_not_renewed(trader: Any) -> None:
    """A client that falls silent loses its resting orders."""
    last = (await trader.fetch_ticker(SYMBOL))["last"]
    order = await trader.create_order(SYMBOL, "limit", "buy", 0.01, last * 0.98)
    await trader.fapiPrivatePostCountdownCancelAll({"symbol": "BTCUSDT", "countdownTime": 50})
    deadline = time.monotonic() + 5
    while (await trader.fetch_order(order["id"], SYMBOL))["status"] == "open":
        assert time.monotonic() < deadline


async def test_settings_are_kept(trader: Any) -> None:
    """Leverage and margin mode show in positions and margins."""
    await trader.set_leverage(5, SYMBOL)
    await trader.set_margin_mode("isolated", SYMBOL)
    await trader.create_order(SYMBOL, "market", "buy", 0.01)
    (position,) = await trader.fetch_positions([SYMBOL], {"useV2": True})

    assert (position["leverage"], position["marginMode"]) == (5, "isolated")
    assert float(position["info"]["isolatedWallet"]) == pytest.approx(
        position["contracts"] * position["entryPrice"] / 5
    )


async def test_several_orders_go_in_one_batch(trader: Any) -> None:
    """Each order of a batch has its own answer."""
    last = (await trader.fetch_ticker(SYMBOL))["last"]
    wanted = [
        {"symbol": SYMBOL, "type": "limit", "side": "buy", "amount": amount, "price": last * 0.98}
        for amount in (0.01, 0.02)
    ]

    placed = await trader.create_orders(wanted)

    assert [order["amount"] for order in placed] == [0.01, 0.02]
    assert len(await trader.fetch_open_orders(SYMBOL)) == 2


async def test_environments_are_separate_exchanges(customer: Callable[..., Any]) -> None:
    """An order on demo trading leaves production as it was, at the same prices."""
    production, testnet = await customer("production"), await customer("testnet")

    await testnet.create_order(SYMBOL, "market", "buy", 0.01)

    assert len(await testnet.fetch_positions([SYMBOL])) == 1
    assert await production.fetch_positions([SYMBOL]) == []
    assert (await testnet.fetch_ticker(SYMBOL))["last"] == (await production.fetch_ticker(SYMBOL))["last"]
