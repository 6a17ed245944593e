"""Faults on request at OKX: what the client sees, what really happened, and how a query settles it."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import ccxt
import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from golive_simulator.client import Admin

SYMBOL = "BTC/USDT:USDT"
ORDERS = "/api/v5/trade/batch-orders"
JSON_500 = {"code": "50026", "data": [], "msg": "System error. Try again later"}
JSON_504 = {"code": "50004", "data": [], "msg": "API endpoint request timeout."}

# promise: fault, its fields, what ccxt raises, whether the order stands at the venue
UNANSWERED: dict[str, tuple[str, dict[str, Any], type[Exception], bool]] = {
    "a connection that breaks before the order arrives": ("drop-before-accept", {}, ccxt.NetworkError, False),
    "a connection that breaks after the order was taken": ("drop-after-accept", {}, ccxt.NetworkError, True),
    "a gateway that gives up on an order that arrived": ("answer-after-accept", {}, ccxt.RequestTimeout, True),
    "a gateway that gives up on an order that did not": (
        "answer-before-accept",
        {},
        ccxt.RequestTimeout,
        False,
    ),
    "a system error after the order was taken": (
        *("answer-after-accept", {"status": 500, "body": JSON_500}, ccxt.ExchangeNotAvailable, True),
    ),
    "an error with words ccxt has never heard, after the order was taken": (
        *(
            "answer-after-accept",
            {"status": 504, "body": {"code": "99999", "msg": "?"}},
            ccxt.ExchangeError,
            True,
        ),
    ),
    "a timeout in JSON": (
        *("answer-after-accept", {"status": 400, "body": JSON_504}, ccxt.RequestTimeout, True),
    ),
    "a rate limit": ("rate-limit", {}, ccxt.RateLimitExceeded, False),
    "a margin that is not there": ("insufficient-margin", {}, ccxt.InsufficientFunds, False),
}


@pytest.mark.parametrize("promise", UNANSWERED)
async def test_an_order_to_okx_with_a_fault_on_its_way(okx: Any, admin: Admin, promise: str) -> None:
    """A JSON error looks like a rejection although the order stands; asking by client id settles it."""
    kind, fields, exception, stands = UNANSWERED[promise]
    await okx.load_markets()
    await admin.add_fault(kind, method="POST", path=ORDERS, count=1, **fields)

    with pytest.raises(exception):
        await okx.create_order(SYMBOL, "market", "buy", 1, None, {"clientOrderId": "unsure"})

    (logged,) = [row for row in await admin.requests(new_orders=True) if kind in row["faults"]][-1:]
    assert (logged["accepted"], logged["client_order_id"]) == (stands, "unsure")
    assert len(await okx.fetch_my_trades(SYMBOL)) == int(stands)
    if stands:
        assert (await okx.fetch_order("", SYMBOL, {"clientOrderId": "unsure"}))["filled"] == 1
    else:
        with pytest.raises(ccxt.OrderNotFound, match="51603"):
            await okx.fetch_order("", SYMBOL, {"clientOrderId": "unsure"})


async def test_a_refused_order_is_logged_as_refused(okx: Any, admin: Admin) -> None:
    """Status 200 does not make an order."""
    with pytest.raises(ccxt.InsufficientFunds):
        await okx.create_order(SYMBOL, "market", "buy", 5000)

    logged = (await admin.requests(new_orders=True))[-1]
    assert (logged["accepted"], logged["status"], logged["code"]) == (False, 200, 51008)
    assert (logged["symbol"], logged["side"], logged["environment"]) == (
        "BTC-USDT-SWAP",
        "BUY",
        "okx-production",
    )


async def test_a_whole_venue_is_out_while_the_others_go_on(okx: Any, trader: Any, admin: Admin) -> None:
    """A fault for an environment meets every request to it, and no request to another venue."""
    await okx.load_markets()
    await admin.add_fault("drop-before-accept", environment="okx-production")

    with pytest.raises(ccxt.NetworkError):
        await okx.fetch_ticker(SYMBOL)

    assert (await trader.fetch_ticker(SYMBOL))["last"] > 0


async def test_a_late_and_a_partial_fill_at_okx(okx: Any, admin: Admin) -> None:
    """Accepted first and filled later; filled in part and still resting."""
    last = (await okx.fetch_ticker(SYMBOL))["last"]
    late_fault = await admin.add_fault("late-fill", delay_ms=200, count=1)
    placed = await okx.create_order(SYMBOL, "market", "buy", 1)
    first = await okx.fetch_order(placed["id"], SYMBOL)
    deadline = time.monotonic() + 10
    while (await okx.fetch_order(placed["id"], SYMBOL))["status"] == "open":
        assert time.monotonic() < deadline
    await admin.clear_faults(late_fault["fault_id"])
    await admin.add_fault("partial-fill", ratio="0.5", count=1)
    partial = await okx.create_order(SYMBOL, "limit", "buy", 2, last * 1.01)
    rest = await okx.fetch_order(partial["id"], SYMBOL)

    assert (first["status"], first["filled"]) == ("open", 0)
    assert (rest["info"]["state"], rest["filled"], rest["remaining"]) == ("partially_filled", 1, 1)


async def test_a_skewed_clock_of_okx_refuses_what_looks_old(okx: Any, admin: Admin) -> None:
    """Half a minute is the window."""
    await okx.load_markets()
    fault = await admin.add_fault("clock-skew", skew_ms=60_000)

    with pytest.raises(ccxt.InvalidNonce, match="50102"):
        await okx.fetch_balance()

    await admin.clear_faults(fault["fault_id"])
    assert (await okx.fetch_balance())["USDT"]["total"] == 10_000


async def test_a_stale_book_of_okx_stands_still(okx: Any, trader: Any, admin: Admin) -> None:
    """Its time gives it away; the same contract elsewhere moves on."""
    symbol = "AVAX/USDT:USDT"
    before = await okx.fetch_order_book(symbol, 5)
    await admin.add_fault("stale-book", symbol="AVAX-USDT-SWAP")
    await admin.price("AVAXUSDT", round(before["bids"][0][0] * 1.03, 3))
    after = await okx.fetch_order_book(symbol, 5)
    elsewhere = await trader.fetch_ticker(symbol)

    assert (before["bids"], before["timestamp"] <= after["timestamp"]) == (after["bids"], True)
    assert elsewhere["last"] == pytest.approx(before["bids"][0][0] * 1.03, rel=0.001)


async def test_a_restart_of_the_venue_keeps_what_is_at_okx(okx: Any, admin: Admin) -> None:
    """Position, resting order with its exits, and both halves of a conditional order."""
    last = (await okx.fetch_ticker(SYMBOL))["last"]
    kind = {"trigger": True, "ordType": "oco"}
    both = {"stopLossPrice": last * 0.8, "takeProfitPrice": last * 1.2, "reduceOnly": True}
    await okx.create_order(SYMBOL, "market", "buy", 1)
    await okx.create_order(SYMBOL, "market", "sell", 1, None, both)
    await okx.create_order(SYMBOL, "limit", "buy", 1, last * 0.98, {"stopLoss": {"triggerPrice": last * 0.8}})
    before = [
        await okx.fetch_positions(),
        await okx.fetch_open_orders(),
        await okx.fetch_open_orders(SYMBOL, None, None, kind),
    ]
    await admin.restart()

    assert [len(rows) for rows in before] == [1, 1, 1]
    assert [
        await okx.fetch_positions(),
        await okx.fetch_open_orders(),
        await okx.fetch_open_orders(SYMBOL, None, None, kind),
    ] == before


async def test_environments_of_okx_are_separate_in_the_log(
    okx_customer: Callable[..., Any], admin: Admin
) -> None:
    """A header decides, and the log tells."""
    testnet = await okx_customer("okx-testnet")
    await testnet.create_order(SYMBOL, "market", "buy", 1)

    assert (await admin.requests(new_orders=True))[-1]["environment"] == "okx-testnet"
