"""Refusals in OKX's own words, and what ccxt makes of them."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import ccxt
import pytest

from golive_simulator.dialect.okx.complaints import WORDS
from golive_simulator.dialect.okx.signing import signature_of
from golive_simulator.dialect.okx.trading import IN_VAIN
from golive_simulator.refusals import Reason

if TYPE_CHECKING:
    from collections.abc import Callable

    import aiohttp

    from golive_simulator.client import Admin

SYMBOL = "BTC/USDT:USDT"
NAME = "BTC-USDT-SWAP"
BALANCE_PATH = "/api/v5/account/balance"

MARKET = {"instId": NAME, "tdMode": "cross", "side": "buy", "ordType": "market", "sz": "1"}
LIMIT = MARKET | {"ordType": "limit", "px": "45000"}
STOP = MARKET | {"ordType": "conditional", "side": "sell", "slOrdPx": "-1"}

# promise: the order, ccxt's error, code, words
REFUSED_ORDERS: dict[str, tuple[dict[str, Any], type[Exception], str, str]] = {
    "a contract that is not listed": (
        MARKET | {"instId": "NOPE-USDT-SWAP"},
        ccxt.BadSymbol,
        "51001",
        "doesn't exist",
    ),
    "a contract by another venue's name": (
        MARKET | {"instId": "BTCUSDT"},
        ccxt.BadSymbol,
        "51001",
        "doesn't exist",
    ),
    "less than the smallest size": (
        MARKET | {"sz": "0.001"},
        ccxt.InvalidOrder,
        "51020",
        "minimum order amount",
    ),
    "a size off the lot": (MARKET | {"sz": "1.005"}, ccxt.InvalidOrder, "51121", "multiple of the lot size"),
    "more than a market order may have": (
        MARKET | {"sz": "12001"},
        ccxt.InvalidOrder,
        "51202",
        "exceeds the maximum",
    ),
    "a size of nought": (MARKET | {"sz": "0"}, ccxt.BadRequest, "51000", "Parameter sz error"),
    "a negative size": (MARKET | {"sz": "-1"}, ccxt.BadRequest, "51000", "Parameter sz error"),
    "a size with an exponent": (MARKET | {"sz": "1e3"}, ccxt.BadRequest, "51000", "Parameter sz error"),
    "no size": (MARKET | {"sz": ""}, ccxt.BadRequest, "50014", "Parameter sz can not be empty."),
    "no margin mode": (MARKET | {"tdMode": ""}, ccxt.BadRequest, "50014", "Parameter tdMode can not be empty."),
    "a margin mode of spot": (MARKET | {"tdMode": "cash"}, ccxt.BadRequest, "51000", "Parameter tdMode error"),
    "an unknown side": (MARKET | {"side": "hold"}, ccxt.BadRequest, "51000", "Parameter side error"),
    "an unknown type": (MARKET | {"ordType": "hope"}, ccxt.BadRequest, "51000", "Parameter ordType error"),
    "a position side in one-way mode": (
        MARKET | {"posSide": "long"},
        ccxt.BadRequest,
        "51000",
        "Parameter posSide",
    ),
    "a client id with a dash": (
        MARKET | {"clOrdId": "golive-1"},
        ccxt.BadRequest,
        "51000",
        "Parameter clOrdId",
    ),
    "a client id of 33 characters": (
        MARKET | {"clOrdId": "x" * 33},
        ccxt.BadRequest,
        "51000",
        "Parameter clOrdId",
    ),
    "a limit order without a price": (LIMIT | {"px": ""}, ccxt.BadRequest, "50014", "Parameter px can not be"),
    "a price off the tick": (LIMIT | {"px": "45000.05"}, ccxt.ExchangeError, "51150", "precision"),
    "a buy far above the mark": (LIMIT | {"px": "90000"}, ccxt.InvalidOrder, "51137", "highest price limit"),
    "a sell far below the mark": (
        LIMIT | {"side": "sell", "px": "9000"},
        ccxt.InvalidOrder,
        "51138",
        "lowest price limit",
    ),
    "more than the margin covers": (
        MARKET | {"sz": "1000"},
        ccxt.InsufficientFunds,
        "51008",
        "Insufficient USDT",
    ),
    "more than the leverage's largest position": (
        LIMIT | {"sz": "30000"},
        ccxt.InvalidOrder,
        "51004",
        "under current leverage",
    ),
    "reducing without a position": (
        MARKET | {"reduceOnly": True},
        ccxt.ExchangeError,
        "51169",
        "don't have any",
    ),
    "exits attached to a reducing order": (
        MARKET | {"reduceOnly": True, "attachAlgoOrds": [{"slTriggerPx": "40000", "slOrdPx": "-1"}]},
        ccxt.InvalidOrder,
        "51100",
        "cannot be added to reduce-only",
    ),
    "an attached stop on the wrong side of the limit": (
        LIMIT | {"attachAlgoOrds": [{"slTriggerPx": "45001", "slOrdPx": "-1"}]},
        ccxt.InvalidOrder,
        "51047",
        "must be lower than the order price",
    ),
    "an attached profit on the wrong side of the market": (
        MARKET | {"attachAlgoOrds": [{"tpTriggerPx": "100", "tpOrdPx": "-1"}]},
        ccxt.ExchangeError,
        "51050",
        "must be higher than the best ask price",
    ),
}


@pytest.mark.parametrize("promise", REFUSED_ORDERS)
async def test_an_order_is_refused_in_okx_words(okx: Any, promise: str) -> None:
    """The envelope says that all failed, the row why; nothing is placed."""
    order, exception, code, words = REFUSED_ORDERS[promise]
    await okx.load_markets()

    with pytest.raises(exception) as caught:
        await okx.privatePostTradeBatchOrders([order])

    assert type(caught.value) is exception
    said = json.loads(str(caught.value).removeprefix("okx "))
    assert (said["code"], said["data"][0]["sCode"]) == ("1", code)
    assert words in said["data"][0]["sMsg"]
    assert (
        await okx.fetch_open_orders() == await okx.fetch_positions() == await okx.fetch_my_trades(SYMBOL) == []
    )


def test_every_reason_has_okx_words() -> None:
    """But those that never get as far: orders ended instead of refused, triggers worded by their side."""
    wordless = IN_VAIN | {Reason.TRIGGERS_AT_ONCE, Reason.MARGIN_MODE_UNCHANGED}

    assert set(Reason) - set(WORDS) == wordless


REFUSED_STOPS: dict[str, tuple[dict[str, Any], type[Exception], str, str]] = {
    "a long's stop above the price": (
        STOP | {"slTriggerPx": "90000"},
        ccxt.InvalidOrder,
        "51280",
        "cannot be higher",
    ),
    "a short's stop below the price": (
        STOP | {"side": "buy", "slTriggerPx": "9000"},
        ccxt.InvalidOrder,
        "51278",
        "cannot be lower",
    ),
    "a long's profit below the price": (
        STOP | {"tpTriggerPx": "9000", "tpOrdPx": "-1"},
        ccxt.InvalidOrder,
        "51279",
        "cannot be lower",
    ),
    "a profit past the mark": (
        STOP | {"tpTriggerPx": "9000", "tpOrdPx": "-1", "tpTriggerPxType": "mark"},
        ccxt.ExchangeError,
        "51303",
        "the mark price",
    ),
    "a good stop with a profit below the price": (
        STOP | {"ordType": "oco", "slTriggerPx": "9000", "tpTriggerPx": "9100", "tpOrdPx": "-1"},
        ccxt.InvalidOrder,
        "51279",
        "cannot be lower",
    ),
    "a stop without a trigger": (STOP, ccxt.BadRequest, "50014", "slTriggerPx can not be empty"),
    "one half of two": (
        STOP | {"ordType": "oco", "slTriggerPx": "9000"},
        ccxt.BadRequest,
        "50014",
        "tpTriggerPx",
    ),
    "a stop off the tick": (STOP | {"slTriggerPx": "9000.05"}, ccxt.ExchangeError, "51150", "precision"),
    "a fraction of a position that may grow": (
        STOP | {"slTriggerPx": "9000", "closeFraction": "1"},
        ccxt.InvalidOrder,
        "51328",
        "only available for reduceOnly",
    ),
    "a kind that is not kept": (
        MARKET | {"ordType": "twap"},
        ccxt.BadRequest,
        "51000",
        "Parameter ordType error",
    ),
}


@pytest.mark.parametrize("promise", REFUSED_STOPS)
async def test_a_conditional_order_is_refused_in_okx_words(okx: Any, promise: str) -> None:
    """Of two halves neither is left when the other is refused."""
    order, exception, code, words = REFUSED_STOPS[promise]

    with pytest.raises(exception) as caught:
        await okx.privatePostTradeOrderAlgo(dict(order))

    said = json.loads(str(caught.value).removeprefix("okx "))
    assert (said["code"], said["data"][0]["sCode"]) == ("1", code)
    assert words in said["data"][0]["sMsg"]
    for kind in ("conditional", "oco"):
        assert await okx.fetch_open_orders(SYMBOL, None, None, {"trigger": True, "ordType": kind}) == []


# promise: how to call, ccxt's error, code
REFUSED_CALLS: dict[str, tuple[Callable[[Any], Any], type[Exception], str]] = {
    "querying an order that never was": (lambda x: x.fetch_order("1", SYMBOL), ccxt.OrderNotFound, "51603"),
    "querying no order": (lambda x: x.fetch_order("", SYMBOL), ccxt.ExchangeError, "50015"),
    "cancelling an order that never was": (lambda x: x.cancel_order("1", SYMBOL), ccxt.OrderNotFound, "51400"),
    "cancelling a stop that never was": (
        lambda x: x.cancel_orders(["1"], SYMBOL, {"trigger": True}),
        ccxt.OrderNotFound,
        "51400",
    ),
    "listing stops of no kind": (
        lambda x: x.privateGetTradeOrdersAlgoPending({"instId": NAME}),
        ccxt.BadRequest,
        "50014",
    ),
    "a leverage above the highest": (lambda x: x.set_leverage(101, SYMBOL), ccxt.ExchangeError, "59102"),
    "hedge mode": (lambda x: x.set_position_mode(hedged=True), ccxt.ExchangeError, "59000"),
    "a dead man's switch that is too short": (
        lambda x: x.cancel_all_orders_after(5_000),
        ccxt.BadRequest,
        "51000",
    ),
    "an unknown interval": (
        lambda x: x.publicGetMarketCandles({"instId": NAME, "bar": "7m"}),
        ccxt.BadRequest,
        "51000",
    ),
    "too many orders at once": (
        lambda x: x.privatePostTradeBatchOrders([MARKET] * 21),
        ccxt.BadRequest,
        "51111",
    ),
}


@pytest.mark.parametrize("promise", REFUSED_CALLS)
async def test_a_call_is_refused_in_okx_words(okx: Any, promise: str) -> None:
    """Code and exception are those of the real venue."""
    ask, exception, code = REFUSED_CALLS[promise]

    with pytest.raises(exception, match=f'ode": "{code}"'):
        await ask(okx)


async def test_a_client_id_at_okx_is_taken_while_its_order_rests(okx: Any) -> None:
    """The second order is refused, and the first one stands."""
    last = (await okx.fetch_ticker(SYMBOL))["last"]
    wanted = (SYMBOL, "limit", "buy", 1, last * 0.98, {"clientOrderId": "twice"})
    await okx.create_order(*wanted)

    with pytest.raises(ccxt.InvalidOrder, match="51016"):
        await okx.create_order(*wanted)

    assert len(await okx.fetch_open_orders(SYMBOL)) == 1


async def test_a_stop_at_okx_has_a_client_id_of_its_own(okx: Any) -> None:
    """The same name twice is refused in other words."""
    wanted = STOP | {"slTriggerPx": "30000", "algoClOrdId": "twice"}
    await okx.privatePostTradeOrderAlgo(dict(wanted))

    with pytest.raises(ccxt.ExchangeError, match="51065"):
        await okx.privatePostTradeOrderAlgo(dict(wanted))


async def test_reducing_in_the_positions_own_direction_is_refused(okx: Any) -> None:
    """In words that differ from those for no position at all."""
    await okx.create_order(SYMBOL, "market", "buy", 1)

    with pytest.raises(ccxt.ExchangeError, match="51170"):
        await okx.create_order(SYMBOL, "market", "buy", 1, None, {"reduceOnly": True})


async def test_the_other_margin_mode_is_refused_while_a_position_is_open(okx: Any) -> None:
    """One mode for each contract at a time."""
    await okx.create_order(SYMBOL, "market", "buy", 1)

    with pytest.raises(ccxt.BadRequest, match="tdMode"):
        await okx.create_order(SYMBOL, "market", "buy", 1, None, {"marginMode": "isolated"})


async def test_a_batch_that_fails_in_part_is_no_error_to_ccxt(okx: Any, admin: Admin) -> None:
    """The envelope says 2: whoever looks no further takes the refused order for placed."""
    rows = [MARKET | {"clOrdId": "good"}, MARKET | {"clOrdId": "bad", "sz": "0.001"}]
    said = await okx.privatePostTradeBatchOrders(rows)
    logged = (await admin.requests(new_orders=True))[-1]

    assert (said["code"], [row["sCode"] for row in said["data"]]) == ("2", ["0", "51020"])
    assert (logged["accepted"], logged["client_order_id"]) == (True, "good")
    assert [row["clOrdId"] for row in said["data"]] == ["good", "bad"]


Change = dict[str, str | None]


def headers(key: str, secret: str, moment: datetime, **changes: str | None) -> dict[str, str]:
    """What proves who sent a request for the balance, with faults."""
    timestamp = changes.get("TIMESTAMP") or moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    proof = {"KEY": key, "PASSPHRASE": "pass", "TIMESTAMP": timestamp}
    proof["SIGN"] = signature_of(secret, f"{timestamp}GET{BALANCE_PATH}")
    return {f"OK-ACCESS-{name}": value for name, value in (proof | changes).items() if value is not None}


# promise: changed headers, seconds the clock is off, code
UNPROVEN: dict[str, tuple[Change, int, str]] = {
    "no key": ({"KEY": None}, 0, "50103"),
    "no passphrase": ({"PASSPHRASE": None}, 0, "50104"),
    "a wrong passphrase": ({"PASSPHRASE": "other"}, 0, "50105"),
    "no signature": ({"SIGN": None}, 0, "50106"),
    "no timestamp": ({"TIMESTAMP": None}, 0, "50107"),
    "an unknown key": ({"KEY": "nobody"}, 0, "50111"),
    "a timestamp that is none": ({"TIMESTAMP": "yesterday"}, 0, "50112"),
    "a wrong signature": ({"SIGN": "bm90aGluZw=="}, 0, "50113"),
    "an old timestamp": ({}, -31, "50102"),
    "a timestamp from the future": ({}, 31, "50102"),
    "the header of demo trading": ({}, 0, "50111"),
}


@pytest.mark.parametrize("promise", UNPROVEN)
async def test_a_request_that_does_not_prove_its_sender(
    okx: Any, session: aiohttp.ClientSession, promise: str
) -> None:
    """Each fault has a code of its own and status 401."""
    changes, seconds, code = UNPROVEN[promise]
    moment = datetime.now(UTC) + timedelta(seconds=seconds)
    sent = headers(okx.apiKey, okx.secret, moment, **changes)
    if "demo" in promise:
        sent["x-simulated-trading"] = "1"
    async with session.get(f"https://www.okx.com{BALANCE_PATH}", headers=sent) as answer:
        said = await answer.json()

    assert (answer.status, said["code"], said["data"]) == (401, code, [])


async def test_what_proves_its_sender_is_answered(okx: Any, session: aiohttp.ClientSession) -> None:
    """The same request without a fault, so that the refusals above are for their faults."""
    sent = headers(okx.apiKey, okx.secret, datetime.now(UTC))
    async with session.get(f"https://www.okx.com{BALANCE_PATH}", headers=sent) as answer:
        assert (answer.status, (await answer.json())["code"]) == (200, "0")


AUTHENTICATION = {
    "a wrong secret": ({"secret": "other"}, ccxt.AuthenticationError, "50113"),
    "a wrong passphrase": ({"password": "other"}, ccxt.AuthenticationError, "50105"),
    "an unknown key": ({"apiKey": "nobody"}, ccxt.AuthenticationError, "50111"),
}


@pytest.mark.parametrize("promise", AUTHENTICATION)
async def test_ccxt_knows_what_okx_does_not_believe(okx: Any, promise: str) -> None:
    """Wrong credentials are an authentication error, whichever is wrong."""
    fields, exception, code = AUTHENTICATION[promise]
    await okx.load_markets()
    for name, value in fields.items():
        setattr(okx, name, value)

    with pytest.raises(exception, match=code):
        await okx.fetch_balance()


async def test_a_key_that_may_only_read_places_nothing(okx_customer: Callable[..., Any]) -> None:
    """Reading goes on."""
    reader = await okx_customer(may_trade=False)

    with pytest.raises(ccxt.ExchangeError, match="50120"):
        await reader.create_order(SYMBOL, "market", "buy", 1)

    assert (await reader.fetch_balance())["USDT"]["total"] == 10_000


BODIES = {
    "nothing": ("", "50000"),
    "no JSON": ("{", "50002"),
    "a number": ("1", "50002"),
    "no order": ("[]", "50002"),
    "too many digits": ("9" * 5000, "50002"),
    "too many brackets": ("[" * 100_000, "50002"),
}


@pytest.mark.parametrize("promise", BODIES)
async def test_a_body_that_makes_no_sense(okx: Any, session: aiohttp.ClientSession, promise: str) -> None:
    """Refused as a whole, with status 400."""
    body, code = BODIES[promise]
    path, timestamp = "/api/v5/trade/batch-orders", okx.iso8601(okx.milliseconds())
    sent = headers(okx.apiKey, okx.secret, datetime.now(UTC), TIMESTAMP=timestamp)
    sent["OK-ACCESS-SIGN"] = signature_of(okx.secret, f"{timestamp}POST{path}{body}")
    async with session.post(f"https://www.okx.com{path}", headers=sent, data=body) as answer:
        assert (answer.status, (await answer.json())["code"]) == (400, code)


async def test_a_path_that_is_not_there(session: aiohttp.ClientSession) -> None:
    """No endpoint, no success."""
    async with session.get("https://www.okx.com/api/v5/nothing") as answer:
        assert (answer.status, (await answer.json())["code"]) == (404, "404")
