"""Bybit's refusals in its own words, and what ccxt makes of them."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

import ccxt
import pytest

from golive_simulator.dialect.bybit.signing import signature_of

if TYPE_CHECKING:
    from collections.abc import Callable

    import aiohttp

    from golive_simulator.client import Admin

SYMBOL = "BTC/USDT:USDT"
ORDER_URL = "https://api.bybit.com/v5/order/create"
BALANCE_URL = "https://api.bybit.com/v5/account/wallet-balance"

# promise: side, type, quantity, price as a part of the last one, parameters, ccxt's error, code, words
REFUSED_ORDERS: dict[str, tuple[Any, ...]] = {
    "a quantity of nought": ("Buy", "Market", "0", None, {}, ccxt.BadRequest, 10001, "Qty invalid"),
    "a quantity finer than the contract's": (
        *("Buy", "Market", "0.0001", None, {}, ccxt.BadRequest, 10001, "Qty invalid"),
    ),
    "a quantity above the largest": (
        *("Buy", "Market", "100000", None, {}, ccxt.BadRequest, 10001),
        "The number of contracts exceeds maximum limit allowed: too large",
    ),
    "a price off the tick": ("Buy", "Limit", "0.01", "40000.05", {}, ccxt.BadRequest, 10001, "Price invalid"),
    "a buy far above the mark": (
        *("Buy", "Limit", "0.01", 1.2, {}, ccxt.InvalidOrder, 110003),
        "Order price exceeds the allowable range.",
    ),
    "a sell far below the mark": (
        *("Sell", "Limit", "0.01", 0.3, {}, ccxt.InvalidOrder, 110003),
        "Order price exceeds the allowable range.",
    ),
    "an order worth too little": (
        *("Buy", "Limit", "0.001", 0.1, {}, ccxt.InvalidOrder, 110094),
        "Order does not meet minimum order value 10USDT",
    ),
    "more than the margin covers": (
        *("Buy", "Market", "20", None, {}, ccxt.InsufficientFunds, 110007),
        "ab not enough for new order",
    ),
    "reducing without a position": (
        *("Sell", "Market", "0.01", None, {"reduceOnly": True}, ccxt.InvalidOrder, 110017),
        "current position is zero, cannot fix reduce-only order qty",
    ),
    "a client id of 37 characters": (
        *("Buy", "Market", "0.01", None, {"orderLinkId": "x" * 37}, ccxt.BadRequest, 10001),
        "params error: OrderLinkID is invalid",
    ),
    "a position index of hedge mode": (
        *("Buy", "Market", "0.01", None, {"positionIdx": 1}, ccxt.BadRequest, 10001),
        "position idx not match position mode",
    ),
    "a trigger that should rise and lies below": (
        *("Buy", "Market", "0.01", None, {"triggerPrice": "100", "triggerDirection": 1}, ccxt.InvalidOrder),
        *(110092, "expect Rising, but trigger_price[100] <= current["),
    ),
    "a trigger that should fall and lies above": (
        *("Sell", "Market", "0.01", None, {"triggerPrice": "99999", "triggerDirection": 2}, ccxt.InvalidOrder),
        *(110093, "expect Falling, but trigger_price[99999] >= current["),
    ),
    "a trigger without a direction": (
        *("Sell", "Market", "0.01", None, {"triggerPrice": "100"}, ccxt.BadRequest, 10001),
        "params error: triggerDirection invalid",
    ),
    "a negative trigger": (
        *("Sell", "Market", "0.01", None, {"triggerPrice": "-5", "triggerDirection": 2}, ccxt.BadRequest),
        *(10001, "params error: triggerPrice invalid"),
    ),
    "a stop loss off the tick": (
        *("Buy", "Market", "0.01", None, {"stopLoss": "100.05"}, ccxt.BadRequest, 10001),
        "params error: stopLoss invalid",
    ),
    "a stop loss above a long": (
        *("Buy", "Market", "0.01", None, {"stopLoss": "99999"}, ccxt.BadRequest, 10001),
        "StopLoss:99999 set for Buy position should be lower than base_price:",
    ),
    "a take profit above a short": (
        *("Sell", "Market", "0.01", None, {"takeProfit": "99999"}, ccxt.BadRequest, 10001),
        "TakeProfit:99999 set for Sell position should be lower than base_price:",
    ),
    "protection of a part of the position": (
        *("Buy", "Market", "0.01", None, {"stopLoss": "100", "tpslMode": "Partial"}, ccxt.BadRequest, 10001),
        "params error: tpslMode invalid",
    ),
    "an unknown side": ("Hold", "Market", "0.01", None, {}, ccxt.BadRequest, 10001, "side invalid"),
    "an unknown type": ("Buy", "Hope", "0.01", None, {}, ccxt.BadRequest, 10001, "orderType invalid"),
    "an unknown time in force": (
        *("Buy", "Limit", "0.01", 0.99, {"timeInForce": "GTX"}, ccxt.BadRequest, 10001, "timeInForce invalid"),
    ),
    "no quantity": ("Buy", "Market", None, None, {}, ccxt.BadRequest, 10001, "qty invalid"),
    "a limit order without a price": (
        *("Buy", "Limit", "0.01", None, {}, ccxt.BadRequest, 10001, "price invalid"),
    ),
    "a negative quantity": ("Buy", "Market", "-1", None, {}, ccxt.BadRequest, 10001, "Qty invalid"),
    "a number with an exponent": ("Buy", "Market", "1e99", None, {}, ccxt.BadRequest, 10001, "qty invalid"),
    "a contract there is not": (
        *("Buy", "Market", "1", None, {"symbol": "NOPEUSDT"}, ccxt.BadRequest, 10001),
        "params error: symbol invalid",
    ),
    "a contract of another category": (
        *("Buy", "Market", "1", None, {"category": "inverse"}, ccxt.BadRequest, 10001),
        "params error: symbol invalid",
    ),
    "no category": ("Buy", "Market", "1", None, {"category": None}, ccxt.BadRequest, 10001, "category invalid"),
}


@pytest.mark.parametrize("promise", REFUSED_ORDERS)
async def test_an_order_is_refused_in_bybits_words(bybit: Any, admin: Admin, promise: str) -> None:
    """Code, sentence and ccxt's exception are those of the real venue, and nothing is placed."""
    side, kind, quantity, price, parameters, exception, code, words = REFUSED_ORDERS[promise]
    last = float((await admin.state())["prices"]["BTCUSDT"])
    request = {"category": "linear", "symbol": "BTCUSDT", "side": side, "orderType": kind} | parameters
    if quantity is not None:
        request["qty"] = quantity
    if price is not None:
        request["price"] = price if isinstance(price, str) else f"{last * price:.1f}"

    with pytest.raises(exception) as caught:
        await bybit.privatePostV5OrderCreate(request)

    kept = (await admin.account("bybit-production", bybit.apiKey))["counts"]
    assert type(caught.value) is exception
    assert f'"retCode": {code},' in str(caught.value)
    assert words in str(caught.value)
    assert (kept["orders"], kept["algos"]) == (0, 0)


# promise: how to call, ccxt's error, code, words
REFUSED_CALLS: dict[str, tuple[Any, ...]] = {
    "cancelling an order that never was": (
        *(lambda x: x.cancel_order("1", SYMBOL), ccxt.OrderNotFound, 110001),
        "order not exists or too late to cancel",
    ),
    "naming no order to cancel": (
        *(lambda x: x.privatePostV5OrderCancel({"category": "linear", "symbol": "BTCUSDT"}), ccxt.BadRequest),
        *(10001, "params error: orderId or orderLinkId invalid"),
    ),
    "positions of nothing in particular": (
        *(lambda x: x.privateGetV5PositionList({"category": "linear"}), ccxt.BadRequest, 10001),
        "Missing some parameters that must be filled in, symbol or settleCoin",
    ),
    "too much leverage": (
        *(lambda x: x.set_leverage(126, SYMBOL), ccxt.BadRequest, 110013),
        "cannot set leverage [126] gt maxLeverage by risk limit",
    ),
    "the leverage there is": (
        *(lambda x: x.set_leverage(20, SYMBOL), ccxt.BadRequest, 110043, "leverage not modified"),
    ),
    "the position mode there is": (
        *(lambda x: x.set_position_mode(False, SYMBOL), ccxt.NoChange, 110025, "Position mode is not modified"),
    ),
    "hedge mode": (*(lambda x: x.set_position_mode(True, SYMBOL), ccxt.BadRequest, 10001, "mode invalid"),),
    "protection of no position": (
        *(lambda x: _protect(x, "stopLoss"), ccxt.BadRequest, 10001, "can not set tp/sl/ts for zero position"),
    ),
    "an unknown interval": (
        *(lambda x: x.publicGetV5MarketKline(_contract() | {"interval": "7"}), ccxt.BadRequest, 10001),
        "interval invalid",
    ),
    "a silence too short to be told from a pause": (
        *(lambda x: x.cancel_all_orders_after(1000), ccxt.BadRequest, 10001, "timeWindow invalid"),
    ),
    "another kind of account": (
        *(lambda x: x.privateGetV5AccountWalletBalance({"accountType": "SPOT"}), ccxt.BadRequest, 10001),
        "accountType only support UNIFIED.",
    ),
    "an endpoint that does not exist": (
        *(lambda x: x.privateGetV5AccountCollateralInfo(), ccxt.ExchangeError, 10404, "Request path not found"),
    ),
}


def _contract() -> dict[str, str]:
    return {"category": "linear", "symbol": "BTCUSDT"}


async def _protect(client: Any, name: str) -> Any:
    return await client.privatePostV5PositionTradingStop(_contract() | {name: "100"})


@pytest.mark.parametrize("promise", REFUSED_CALLS)
async def test_a_call_is_refused_in_bybits_words(bybit: Any, promise: str) -> None:
    """Code, sentence and ccxt's exception are those of the real venue."""
    ask, exception, code, words = REFUSED_CALLS[promise]

    with pytest.raises(exception) as caught:
        await ask(bybit)

    assert f'"retCode": {code},' in str(caught.value)
    assert words in str(caught.value)


@pytest.mark.parametrize("kind", ["resting", "filled", "waiting"])
async def test_a_client_id_is_never_free_again(bybit: Any, kind: str) -> None:
    """Whatever became of its order: a blind resend doubles nothing."""
    last = (await bybit.fetch_ticker(SYMBOL))["last"]
    named = {"clientOrderId": f"once-{kind}"}
    stop = {"triggerPrice": last * 0.9, "triggerDirection": "descending"}
    wanted = {
        "resting": (SYMBOL, "limit", "buy", 0.01, last * 0.98, named),
        "filled": (SYMBOL, "market", "buy", 0.01, None, named),
        "waiting": (SYMBOL, "market", "sell", 0.01, None, named | stop),
    }[kind]
    await bybit.create_order(*wanted)

    with pytest.raises(ccxt.InvalidOrder, match=r'"retCode": 110072, "retMsg": "OrderLinkedID is duplicate"'):
        await bybit.create_order(*wanted)

    rows = (await bybit.fetch_open_orders(SYMBOL)) + (await bybit.fetch_closed_orders(SYMBOL))
    assert len(rows) == 1


async def test_an_order_that_has_ended_cannot_be_cancelled(bybit: Any) -> None:
    """Too late is the same as never there."""
    order = await bybit.create_order(SYMBOL, "market", "buy", 0.01)

    with pytest.raises(ccxt.OrderNotFound, match="110001"):
        await bybit.cancel_order(order["id"], SYMBOL)


async def test_an_order_of_another_account_is_not_found(bybit_customer: Callable[..., Any]) -> None:
    """Ids of one customer mean nothing to another."""
    first, second = await bybit_customer(), await bybit_customer()
    order = await first.create_order(SYMBOL, "market", "buy", 0.01)

    with pytest.raises(ccxt.OrderNotFound):
        await second.fetch_order(order["id"], SYMBOL, {"acknowledged": True})


async def test_a_read_only_key_may_not_trade_at_bybit(bybit_customer: Callable[..., Any]) -> None:
    """It reads its balance, and that is all."""
    client = await bybit_customer(may_trade=False)

    assert (await client.fetch_balance())["USDT"]["total"] == 10_000
    with pytest.raises(ccxt.PermissionDenied, match=r"10005.*Permission denied"):
        await client.create_order(SYMBOL, "market", "buy", 0.01)


async def test_a_key_of_testnet_is_unknown_to_production(bybit_customer: Callable[..., Any]) -> None:
    """Testnet keys do not open production."""
    client = await bybit_customer("bybit-testnet")
    client.set_sandbox_mode(False)

    with pytest.raises(ccxt.AuthenticationError, match=r"10003.*API key is invalid"):
        await client.fetch_balance()


# promise: API key, age of the request in ms, its window, secret it is signed with, code
UNPROVEN: dict[str, tuple[str, int, str, str, int]] = {
    "no key": ("", 0, "5000", "signer-secret", 10003),
    "an unknown key": ("stranger", 0, "5000", "signer-secret", 10003),
    "a wrong secret": ("signer", 0, "5000", "other", 10004),
    "an old request": ("signer", 9_000, "5000", "signer-secret", 10002),
    "an old request without a window": ("signer", 9_000, "", "signer-secret", 10002),
    "a request from the future": ("signer", -9_000, "5000", "signer-secret", 10002),
    "an old request with a short window": ("signer", 900, "100", "signer-secret", 10002),
    "nothing wrong": ("signer", 0, "5000", "signer-secret", 0),
}


@pytest.mark.parametrize("promise", UNPROVEN)
async def test_a_request_that_does_not_prove_itself_is_refused_by_bybit(
    admin: Admin, session: aiohttp.ClientSession, promise: str
) -> None:
    """Key, freshness and signature are checked before anything else."""
    key, age_ms, window, secret, code = UNPROVEN[promise]
    if "signer" not in (await admin.state())["environments"]["bybit-production"]["accounts"]:
        await admin.add_account("bybit-production", "signer", "signer-secret")
    query, sent = "accountType=UNIFIED", str(int(time.time() * 1000) - age_ms)
    headers = {
        "X-BAPI-API-KEY": key,
        "X-BAPI-TIMESTAMP": sent,
        "X-BAPI-RECV-WINDOW": window,
        "X-BAPI-SIGN": signature_of(secret, f"{sent}{key}{window}{query}"),
    }

    async with session.get(f"{BALANCE_URL}?{query}", headers=headers) as answer:
        body = await answer.json()

    assert (answer.status, body["retCode"]) == (200, code)
    assert body.keys() == {"retCode", "retMsg", "result", "retExtInfo", "time"}


async def test_every_signed_byte_counts_at_bybit(admin: Admin, session: aiohttp.ClientSession) -> None:
    """A quantity changed on the way is noticed, and nothing is placed."""
    await admin.add_account("bybit-production", "changed", "changed-secret")
    body = json.dumps(_contract() | {"side": "Buy", "orderType": "Market", "qty": "0.01"})
    sent = str(int(time.time() * 1000))
    headers = {
        "X-BAPI-API-KEY": "changed",
        "X-BAPI-TIMESTAMP": sent,
        "X-BAPI-RECV-WINDOW": "5000",
        "X-BAPI-SIGN": signature_of("changed-secret", f"{sent}changed5000{body}"),
    }

    async with session.post(ORDER_URL, data=body.replace("0.01", "0.02"), headers=headers) as answer:
        said = await answer.json()

    assert (said["retCode"], said["retMsg"][:11]) == (10004, "error sign!")
    assert (await admin.account("bybit-production", "changed"))["counts"]["orders"] == 0


async def test_a_body_that_is_no_json_is_refused(admin: Admin, session: aiohttp.ClientSession) -> None:
    """Signed as it may be."""
    await admin.add_account("bybit-production", "garbler", "garbler-secret")
    sent, body = str(int(time.time() * 1000)), "{"
    headers = {
        "X-BAPI-API-KEY": "garbler",
        "X-BAPI-TIMESTAMP": sent,
        "X-BAPI-SIGN": signature_of("garbler-secret", f"{sent}garbler{body}"),
    }

    async with session.post(ORDER_URL, data=body, headers=headers) as answer:
        said = await answer.json()

    assert said["retCode"] == 10001
