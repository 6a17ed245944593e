"""Refusals in the venue's own words, and what ccxt makes of them."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import ccxt
import pytest

from golive_simulator.dialect.binance.signing import signature_of

if TYPE_CHECKING:
    from collections.abc import Callable

    import aiohttp

    from golive_simulator.client import Admin

SYMBOL = "BTC/USDT:USDT"
ORDER_URL = "https://fapi.binance.com/fapi/v1/order"

# promise: side, type, quantity, price as a part of the last one, parameters, ccxt's error, code, words
REFUSED_ORDERS: dict[str, tuple[Any, ...]] = {
    "a quantity of nought": ("buy", "market", "0", None, {}, ccxt.BadRequest, -4003, "Quantity less than"),
    "a quantity finer than the contract's": (
        *("buy", "market", "0.0001", None, {}, ccxt.BadRequest, -1111),
        "Precision is over the maximum defined for this asset.",
    ),
    "a quantity above the largest": (
        *("buy", "market", "100000", None, {}, ccxt.BadRequest, -4005),
        "Quantity greater than max quantity.",
    ),
    "a price off the tick": (
        *("buy", "limit", "0.01", "40000.05", {}, ccxt.BadRequest, -4014),
        "Price not increased by tick size.",
    ),
    "a price finer than the contract's": (
        *("buy", "limit", "0.01", "40000.001", {}, ccxt.BadRequest, -1111),
        "Precision is over the maximum defined for this asset.",
    ),
    "a buy far above the mark": ("buy", "limit", "0.01", 1.2, {}, ccxt.BadRequest, -4016, "Limit price can't"),
    "a sell far below the mark": (
        *("sell", "limit", "0.01", 0.3, {}, ccxt.BadRequest, -4024),
        "Limit price can't",
    ),
    "an order worth too little": (
        *("buy", "limit", "0.001", 0.1, {}, ccxt.InvalidOrder, -4164),
        "Order's notional must be no smaller than 10 (unless you choose reduce only).",
    ),
    "more than the margin covers": (
        *("buy", "market", "20", None, {}, ccxt.InsufficientFunds, -2019),
        "Margin is insufficient.",
    ),
    "reducing without a position": (
        *("sell", "market", "0.01", None, {"reduceOnly": True}, ccxt.InvalidOrder, -2022),
        "ReduceOnly Order is rejected.",
    ),
    "a post-only order that would take": (
        *("buy", "limit", "0.01", 1.01, {"timeInForce": "GTX"}, ccxt.OrderNotFillable, -5022),
        "Due to the order could not be executed as maker, the Post Only order will be rejected.",
    ),
    "a fill-or-kill order out of reach": (
        *("buy", "limit", "0.01", 0.99, {"timeInForce": "FOK"}, ccxt.OrderNotFillable, -5021),
        "Due to the order could not be filled immediately, the FOK order has been rejected.",
    ),
    "a client id of 37 characters": (
        *("buy", "market", "0.01", None, {"newClientOrderId": "x" * 37}, ccxt.BadRequest, -4015),
        "Client order id is not valid.",
    ),
    "a stop where ordinary orders go": (
        *("sell", "STOP_MARKET", "0.01", None, {"stopPrice": "40000"}, ccxt.InvalidOrder, -4120),
        "Order type not supported for this endpoint. Please use the Algo Order API endpoints instead.",
    ),
    "a position side in one-way mode": (
        *("buy", "market", "0.01", None, {"positionSide": "LONG"}, ccxt.OperationRejected, -4061),
        "Order's position side does not match user's setting.",
    ),
    "an unknown side": ("hold", "market", "0.01", None, {}, ccxt.BadRequest, -1117, "Invalid side."),
    "an unknown type": ("buy", "hope", "0.01", None, {}, ccxt.BadRequest, -1116, "Invalid orderType."),
    "no quantity": (
        *("buy", "market", None, None, {}, ccxt.BadRequest, -1102),
        "Mandatory parameter 'quantity' was not sent, was empty/null, or malformed.",
    ),
    "a limit order without a price": (
        *("buy", "limit", "0.01", None, {"timeInForce": "GTC"}, ccxt.BadRequest, -1102),
        "Mandatory parameter 'price' was not sent, was empty/null, or malformed.",
    ),
    "a negative quantity": (
        *("buy", "market", "-1", None, {}, ccxt.BadRequest, -1100),
        "Illegal characters found in parameter 'quantity'",
    ),
    "a number with an exponent": (
        *("buy", "market", "1e9999", None, {}, ccxt.BadRequest, -1100),
        "Illegal characters found in parameter 'quantity'",
    ),
}


@pytest.mark.parametrize("promise", REFUSED_ORDERS)
async def test_an_order_is_refused_in_the_venues_words(trader: Any, promise: str) -> None:
    """Code, sentence and ccxt's exception are those of the real venue, and nothing is placed."""
    side, kind, quantity, price, parameters, exception, code, words = REFUSED_ORDERS[promise]
    last = (await trader.fetch_ticker(SYMBOL))["last"]
    request = {"symbol": "BTCUSDT", "side": side.upper(), "type": kind.upper()} | parameters
    if kind == "limit":
        request.setdefault("timeInForce", "GTC")
    if quantity is not None:
        request["quantity"] = quantity
    if price is not None:
        request["price"] = trader.price_to_precision(SYMBOL, last * price) if price != str(price) else price

    with pytest.raises(exception) as caught:
        await trader.fapiPrivatePostOrder(request)

    assert f'"code": {code}' in str(caught.value)
    assert words in str(caught.value)
    assert await trader.fetch_orders(SYMBOL) == []


# promise: how to call, ccxt's error, code, words
REFUSED_CALLS: dict[str, tuple[Any, ...]] = {
    "an unknown symbol": (
        lambda x: x.fapiPublicGetDepth({"symbol": "NOPEUSDT"}),
        ccxt.BadSymbol,
        -1121,
        "Invalid symbol.",
    ),
    "querying an order that never was": (
        lambda x: x.fetch_order("1", SYMBOL),
        ccxt.OrderNotFound,
        -2013,
        "Order does not exist.",
    ),
    "cancelling an order that never was": (
        lambda x: x.cancel_order("1", SYMBOL),
        ccxt.OrderNotFound,
        -2011,
        "Unknown order sent.",
    ),
    "naming no order": (
        lambda x: x.fapiPrivateGetOrder({"symbol": "BTCUSDT"}),
        ccxt.BadRequest,
        -1102,
        "Param 'origClientOrderId' or 'orderId' must be sent, but both were empty/null!",
    ),
    "too much leverage": (
        lambda x: x.fapiPrivatePostLeverage({"symbol": "BTCUSDT", "leverage": 126}),
        ccxt.BadRequest,
        -4028,
        "Leverage 126 is not valid",
    ),
    "the margin mode there is": (
        lambda x: x.set_margin_mode("cross", SYMBOL),
        ccxt.MarginModeAlreadySet,
        -4046,
        "No need to change margin type.",
    ),
    "the position mode there is": (
        lambda x: x.set_position_mode(False),
        ccxt.OperationRejected,
        -4059,
        "No need to change position side.",
    ),
    "an unknown interval": (
        lambda x: x.fapiPublicGetKlines({"symbol": "BTCUSDT", "interval": "7m"}),
        ccxt.BadRequest,
        -1120,
        "Invalid interval.",
    ),
    "a stop that would trigger at once": (
        lambda x: _stop(x, "sell", 1.01),
        ccxt.OrderImmediatelyFillable,
        -2021,
        "Order would immediately trigger.",
    ),
    "a take-profit that would trigger at once": (
        lambda x: _stop(x, "sell", 0.99, "takeProfitPrice"),
        ccxt.OrderImmediatelyFillable,
        -2021,
        "Order would immediately trigger.",
    ),
    "an endpoint that does not exist": (
        lambda x: x.fapiPrivateGetPmAccountInfo({"asset": "USDT"}),
        ccxt.ExchangeError,
        -5000,
        "Path /fapi/v1/pmAccountInfo, Method GET is invalid",
    ),
}


async def _stop(client: Any, side: str, factor: float, name: str = "stopLossPrice") -> Any:
    last = (await client.fetch_ticker(SYMBOL))["last"]
    return await client.create_order(SYMBOL, "market", side, 0.01, None, {name: last * factor})


@pytest.mark.parametrize("promise", REFUSED_CALLS)
async def test_a_call_is_refused_in_the_venues_words(trader: Any, promise: str) -> None:
    """Code, sentence and ccxt's exception are those of the real venue."""
    ask, exception, code, words = REFUSED_CALLS[promise]

    with pytest.raises(exception) as caught:
        await ask(trader)

    assert f'"code": {code}' in str(caught.value)
    assert words in str(caught.value)


async def test_a_client_id_is_unique_among_open_orders(trader: Any) -> None:
    """The second order of the same id is refused while the first one rests."""
    last = (await trader.fetch_ticker(SYMBOL))["last"]
    wanted = (SYMBOL, "limit", "buy", 0.01, last * 0.98, {"clientOrderId": "once"})
    await trader.create_order(*wanted)

    with pytest.raises(ccxt.InvalidOrder, match=r'"code": -4116, "msg": "ClientOrderId is duplicated\."'):
        await trader.create_order(*wanted)

    assert len(await trader.fetch_orders(SYMBOL)) == 1


async def test_a_market_order_needs_a_price_near_the_mark(trader: Any, admin: Admin) -> None:
    """A book that has run away from the mark takes no market orders."""
    last = float((await admin.state())["prices"]["LINKUSDT"])
    await admin.price("LINKUSDT", round(last, 2), mark=round(last / 1.2, 2))

    with pytest.raises(ccxt.ExchangeError, match=r"-4131.*does not meet the PERCENT_PRICE filter limit"):
        await trader.create_order("LINK/USDT:USDT", "market", "buy", 10)

    await admin.price("LINKUSDT", round(last, 2))


async def test_a_position_may_not_outgrow_its_leverage(customer: Callable[..., Any]) -> None:
    """At 125x only the first bracket is open."""
    client = await customer(balance=100_000)
    await client.set_leverage(125, SYMBOL)

    with pytest.raises(ccxt.ExchangeError, match=r"-2027.*Exceeded the maximum allowable position"):
        await client.create_order(SYMBOL, "market", "buy", 2)


async def test_a_read_only_key_may_not_trade(customer: Callable[..., Any]) -> None:
    """It reads its balance, and that is all."""
    client = await customer(may_trade=False)

    assert (await client.fetch_balance())["USDT"]["total"] == 10_000
    with pytest.raises(ccxt.AuthenticationError, match="-2015"):
        await client.create_order(SYMBOL, "market", "buy", 0.01)


def _now_ms() -> int:
    return int(time.time() * 1000)


# promise: API key, what is sent, secret it is signed with, HTTP status, code
UNSIGNED: dict[str, tuple[str | None, Callable[[], str], str, int, int]] = {
    "no key": (None, lambda: f"symbol=BTCUSDT&timestamp={_now_ms()}", "signer-secret", 401, -2014),
    "an unknown key": (
        "stranger",
        lambda: f"symbol=BTCUSDT&timestamp={_now_ms()}",
        "signer-secret",
        401,
        -2015,
    ),
    "a wrong secret": ("signer", lambda: f"symbol=BTCUSDT&timestamp={_now_ms()}", "other", 400, -1022),
    "no timestamp": ("signer", lambda: "symbol=BTCUSDT", "signer-secret", 400, -1102),
    "an old request": (
        "signer",
        lambda: f"symbol=BTCUSDT&timestamp={_now_ms() - 9000}",
        "signer-secret",
        400,
        -1021,
    ),
    "a request from the future": (
        *("signer", lambda: f"symbol=BTCUSDT&timestamp={_now_ms() + 9000}", "signer-secret", 400, -1021),
    ),
    "an old request with a short window": (
        "signer",
        lambda: f"symbol=BTCUSDT&timestamp={_now_ms() - 900}&recvWindow=100",
        "signer-secret",
        400,
        -1021,
    ),
    "a window too wide": (
        "signer",
        lambda: f"symbol=BTCUSDT&timestamp={_now_ms()}&recvWindow=60001",
        "signer-secret",
        400,
        -1131,
    ),
    "a parameter sent twice": (
        "signer",
        lambda: f"symbol=BTCUSDT&symbol=ETHUSDT&timestamp={_now_ms()}",
        "signer-secret",
        400,
        -1101,
    ),
}


@pytest.mark.parametrize("promise", UNSIGNED)
async def test_a_request_that_does_not_prove_itself_is_refused(
    admin: Admin, session: aiohttp.ClientSession, promise: str
) -> None:
    """Key, signature, freshness and form are checked before anything else."""
    key, build, secret, status, code = UNSIGNED[promise]
    if "signer" not in (await admin.state())["environments"]["production"]["accounts"]:
        await admin.add_account("production", "signer", "signer-secret")
    query = build()
    url = f"{ORDER_URL}?{query}&signature={signature_of(secret, query, '')}"

    async with session.get(url, headers={} if key is None else {"X-MBX-APIKEY": key}) as answer:
        body = await answer.json()

    assert (answer.status, body["code"]) == (status, code)


async def test_every_signed_byte_counts(admin: Admin, session: aiohttp.ClientSession) -> None:
    """A quantity changed on the way is noticed, and nothing is placed."""
    await admin.add_account("production", "changed", "changed-secret")
    body = f"symbol=BTCUSDT&side=BUY&type=MARKET&quantity=0.01&timestamp={_now_ms()}"
    signed = f"{body}&signature={signature_of('changed-secret', '', body)}".replace("0.01", "0.02")
    headers = {"X-MBX-APIKEY": "changed", "Content-Type": "application/x-www-form-urlencoded"}

    async with session.post(ORDER_URL, data=signed, headers=headers) as answer:
        said = await answer.json()

    assert said == {"code": -1022, "msg": "Signature for this request is not valid."}
    assert (await admin.account("production", "changed"))["counts"]["orders"] == 0


async def test_a_key_of_one_environment_is_unknown_to_the_other(customer: Callable[..., Any]) -> None:
    """Demo keys do not open production."""
    client = await customer("testnet")
    client.enable_demo_trading(False)
    client.options["fetchCurrencies"] = False

    with pytest.raises(ccxt.AuthenticationError, match="-2015"):
        await client.fetch_balance()


async def test_an_unknown_host_is_not_served(session: aiohttp.ClientSession) -> None:
    """A client that reaches the simulator for another venue hears so."""
    async with session.get("https://localhost/fapi/v1/time") as answer:
        assert answer.status == 421
