"""The traps that cost others money: each is here as it is at the venues."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import ccxt
import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

BTC = "BTC/USDT:USDT"
VENUE_NAMES = ("binanceusdm", "bybit", "okx")
KINDS = ("async", "sync")
JSON_500 = {"code": -1001, "msg": "Internal error", "retCode": 10016, "retMsg": "Internal error"}

both = pytest.mark.parametrize("kind", KINDS)
everywhere = pytest.mark.parametrize("venue", VENUE_NAMES)


@both
@everywhere
async def test_the_same_amount_is_not_the_same_quantity(
    desk: Callable[..., Any], venue: str, kind: str
) -> None:
    """A hundredth is a hundredth of a bitcoin, but at OKX a hundredth of a contract of a hundredth."""
    opened = await desk(venue, kind)

    await opened.client.create_order(BTC, "market", "buy", 0.01)
    (position,) = (await opened.account())["positions"].values()

    assert float(position["quantity"]) == 0.01 * opened.venue.contract


# venue: what a blind second sending raises, and how many orders there are after it
RESENT: dict[str, tuple[type[Exception] | None, int]] = {
    "binanceusdm": (ccxt.ExchangeError, 1),
    "bybit": (None, 2),
    "okx": (ccxt.InvalidOrder, 1),
}


@both
@everywhere
async def test_a_blind_second_sending(
    desk: Callable[..., Any], venue: str, kind: str, gateway_timeout: Callable[..., Any]
) -> None:
    """A client sends again after a 504: under the same id where it makes one up, at Bybit as a second order."""
    opened = await desk(venue, kind)
    price = float((await opened.client.fetch_ticker(BTC))["last"]) * 0.98
    opened.plain.options |= {"maxRetriesOnFailure": 2, "maxRetriesOnFailureDelay": 1}
    await gateway_timeout(opened)
    raised, orders = RESENT[venue]
    error: Exception | None = None

    try:
        await opened.client.create_order(BTC, "limit", "buy", opened.lots(0.01), price)
    except ccxt.BaseError as refusal:
        error = refusal

    assert (error is None) if raised is None else isinstance(error, raised)
    assert (await opened.account())["counts"]["open_orders"] == orders


@pytest.fixture
def gateway_timeout() -> Callable[..., Any]:
    """Lets the venue take one order and its gateway give up on the answer."""

    async def added(opened: Any, **fields: object) -> None:
        named = {"symbol": opened.venue.btc, "method": "POST", "count": 1, "environment": opened.environment}
        paths = {
            "binanceusdm": "/fapi/v1/order",
            "bybit": "/v5/order/create",
            "okx": "/api/v5/trade/batch-orders",
        }
        path = paths[opened.venue.name]
        await opened.admin.add_fault("answer-after-accept", path=path, **named, **fields)

    return added


# venue: what ccxt raises for a 504 with HTML, for a 500 with JSON
UNKNOWN: dict[str, tuple[type[Exception], type[Exception]]] = {
    "binanceusdm": (ccxt.RequestTimeout, ccxt.OperationFailed),
    "bybit": (ccxt.RequestTimeout, ccxt.ExchangeError),
    "okx": (ccxt.RequestTimeout, ccxt.ExchangeError),
}


@both
@everywhere
async def test_an_unknown_outcome_may_look_like_a_refusal(
    desk: Callable[..., Any], venue: str, kind: str, gateway_timeout: Callable[..., Any]
) -> None:
    """HTML is a timeout; JSON is an error like any other at Bybit and OKX, and yet the order stands."""
    opened = await desk(venue, kind)
    raised = []
    for fields in ({}, {"status": 500, "body": JSON_500}):
        await gateway_timeout(opened, **fields)
        with pytest.raises(ccxt.BaseError) as caught:
            await opened.client.create_order(BTC, "market", "buy", opened.lots(0.01))
        raised.append(caught.value)

    assert [isinstance(error, kind_) for error, kind_ in zip(raised, UNKNOWN[venue], strict=True)] == [
        True,
        True,
    ]
    assert isinstance(raised[1], ccxt.ExchangeError) is (venue != "binanceusdm")
    assert (await opened.account())["counts"]["fills"] == 2


@both
async def test_ways_to_play_money(desk: Callable[..., Any], kind: str) -> None:
    """Binance has demo trading and no sandbox, OKX a sandbox and no demo trading, Bybit has both."""
    at_binance, at_bybit, at_okx = [await desk(venue, kind, testnet=True) for venue in VENUE_NAMES]
    before = [
        (await opened.client.fetch_balance())["USDT"]["total"] for opened in (at_binance, at_bybit, at_okx)
    ]
    at_bybit.plain.set_sandbox_mode(False)
    at_bybit.plain.enable_demo_trading(True)
    demo = (await at_bybit.client.fetch_balance())["USDT"]["total"]
    sandboxed = await desk("binanceusdm", kind)
    sandboxed.plain.set_sandbox_mode(True)

    assert [*before, demo] == [10_000] * 4
    with pytest.raises(ccxt.NotSupported):
        await sandboxed.client.fetch_balance()
    with pytest.raises(KeyError, match="demo"):
        (await desk("okx", kind)).plain.enable_demo_trading(True)


@both
@everywhere
async def test_keys_of_play_money_open_no_real_account(desk: Callable[..., Any], venue: str, kind: str) -> None:
    """Production and testnet stand side by side and know nothing of each other's customers."""
    real, play = await desk(venue, kind), await desk(venue, kind, testnet=True)
    await play.client.create_order(BTC, "market", "buy", play.lots(0.01))
    real_fills = (await real.account())["counts"]["fills"]
    real.plain.apiKey, real.plain.secret = play.plain.apiKey, play.plain.secret

    assert real_fills == 0
    with pytest.raises(ccxt.AuthenticationError):
        await real.client.fetch_balance()


@both
async def test_binance_takes_stops_at_the_algo_service_only(desk: Callable[..., Any], kind: str) -> None:
    """The order service sends them away with a code of their own."""
    opened = await desk("binanceusdm", kind)
    stop = {
        "symbol": "BTCUSDT",
        "side": "SELL",
        "type": "STOP_MARKET",
        "quantity": "0.01",
        "stopPrice": "40000",
    }

    with pytest.raises(ccxt.ExchangeError, match="-4120"):
        await opened.client.fapiPrivatePostOrder(stop)


# promise: what is wrong with an order at Binance, and the code it gets
MAPPED: dict[str, tuple[dict[str, Any], str]] = {
    "too little margin": ({"amount": 90}, "-2019"),
    "too large for the leverage": ({"amount": 900}, "-2027"),
    "nothing to reduce": ({"params": {"reduceOnly": True}}, "-2022"),
}


@both
@pytest.mark.parametrize("promise", MAPPED)
async def test_errors_of_binance_keep_their_meaning(desk: Callable[..., Any], promise: str, kind: str) -> None:
    """The client knows Binance's codes by the prefix of the URL: redirected by name, they stay apart."""
    fields, code = MAPPED[promise]
    opened = await desk("binanceusdm", kind)
    wanted = {"symbol": BTC, "type": "market", "side": "sell", "amount": 0.01} | fields

    with pytest.raises(ccxt.BaseError, match=code) as caught:
        await opened.client.create_order(**wanted)

    assert type(caught.value) is not ccxt.ExchangeError
