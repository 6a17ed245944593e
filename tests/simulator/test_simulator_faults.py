"""Faults on request: what the client sees, and what really happened at the venue."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import aiohttp
import ccxt
import pytest

if TYPE_CHECKING:
    from golive_simulator.client import Admin
    from golive_simulator.process import Child

SYMBOL = "BTC/USDT:USDT"
JSON_500 = {"code": -1001, "msg": "Internal error; unable to process your request. Please try again."}

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
    "an error answer to an order that was taken": (
        *("answer-after-accept", {"status": 500, "body": JSON_500}, ccxt.OperationFailed, True),
    ),
    "an error answer to an order that was not": (
        *("answer-before-accept", {"status": 503, "body": JSON_500}, ccxt.OperationFailed, False),
    ),
    "a rate limit": ("rate-limit", {}, ccxt.DDoSProtection, False),
    "a ban": ("ban", {"retry_after_seconds": 60}, ccxt.DDoSProtection, False),
    "a margin that is not there": ("insufficient-margin", {}, ccxt.InsufficientFunds, False),
}


@pytest.mark.parametrize("promise", UNANSWERED)
async def test_an_order_with_a_fault_on_its_way(trader: Any, admin: Admin, promise: str) -> None:
    """The client is told something else than what the venue knows; asking by client id settles it."""
    kind, fields, exception, stands = UNANSWERED[promise]
    await trader.load_markets()
    await admin.add_fault(kind, method="POST", path="/fapi/v1/order", count=1, **fields)
    wanted = (SYMBOL, "market", "buy", 0.01, None, {"clientOrderId": "unsure"})

    with pytest.raises(exception):
        await trader.create_order(*wanted)

    orders = await trader.fetch_orders(SYMBOL)
    (logged,) = [row for row in await admin.requests(new_orders=True) if kind in row["faults"]][-1:]
    assert len(orders) == int(stands)
    assert (logged["accepted"], logged["client_order_id"]) == (stands, "unsure")
    if stands:
        assert (await trader.fetch_order("", SYMBOL, {"clientOrderId": "unsure"}))["filled"] == 0.01


async def test_a_delayed_answer_comes_after_the_order_was_taken(trader: Any, admin: Admin) -> None:
    """A client with less patience than that cannot know."""
    await trader.load_markets()
    await admin.add_fault("delay", path="/fapi/v1/order", method="POST", delay_ms=30_000, count=1)
    trader.timeout = 300

    with pytest.raises(ccxt.RequestTimeout):
        await trader.create_order(SYMBOL, "market", "buy", 0.01)

    trader.timeout = 10_000
    assert len(await trader.fetch_orders(SYMBOL)) == 1


async def test_a_late_fill_is_accepted_first_and_filled_later(trader: Any, admin: Admin) -> None:
    """The answer says new; a while later the same order is filled."""
    await admin.add_fault("late-fill", delay_ms=200, count=1)
    order = await trader.create_order(SYMBOL, "market", "buy", 0.01)
    deadline = time.monotonic() + 10
    seen = order
    while seen["status"] == "open":
        assert time.monotonic() < deadline
        seen = await trader.fetch_order(order["id"], SYMBOL)

    assert order["status"] == "open"
    assert (seen["status"], seen["filled"]) == ("closed", 0.01)


async def test_a_partial_fill_leaves_the_rest(trader: Any, admin: Admin) -> None:
    """A market order expires with what it got; a limit order goes on resting."""
    await admin.add_fault("partial-fill", ratio="0.5", count=2)
    last = (await trader.fetch_ticker(SYMBOL))["last"]
    market = await trader.create_order(SYMBOL, "market", "buy", 0.01)
    limit = await trader.create_order(SYMBOL, "limit", "buy", 0.02, last * 1.01)

    assert (market["status"], market["filled"]) == ("expired", 0.005)
    assert (limit["status"], limit["filled"], limit["remaining"]) == ("open", 0.01, 0.01)


async def test_a_skewed_clock_refuses_what_looks_old(trader: Any, admin: Admin) -> None:
    """The venue's clock runs ahead: its time shows it, and signed requests are outside their window."""
    await trader.load_markets()
    fault = await admin.add_fault("clock-skew", skew_ms=60_000)
    ahead_ms = await trader.fetch_time() - time.time() * 1000

    with pytest.raises(ccxt.InvalidNonce, match="-1021"):
        await trader.fetch_balance()

    await admin.clear_faults(fault["fault_id"])
    assert ahead_ms == pytest.approx(60_000, abs=5_000)
    assert (await trader.fetch_balance())["USDT"]["total"] == 10_000


async def test_a_stale_book_stands_still_while_trading_goes_on(trader: Any, admin: Admin) -> None:
    """Its time gives it away; orders meet the real price."""
    symbol = "SOL/USDT:USDT"
    before = await trader.fetch_order_book(symbol, 5)
    await admin.add_fault("stale-book", symbol="SOLUSDT")
    await admin.price("SOLUSDT", round(before["bids"][0][0] * 1.03, 2))
    stale = await trader.fetch_order_book(symbol, 5)
    order = await trader.create_order(symbol, "market", "buy", 1)
    await admin.clear_faults()
    after = await trader.fetch_order_book(symbol, 5)

    assert (stale["bids"], stale["asks"]) == (before["bids"], before["asks"])
    assert order["average"] > before["asks"][0][0] * 1.02
    assert after["timestamp"] > stale["timestamp"]
    assert after["bids"] != stale["bids"]


async def test_a_fault_hits_the_nth_matching_request_and_no_other(trader: Any, admin: Admin) -> None:
    """Conditions and counts: only buys of this symbol, only the second one."""
    await admin.add_fault("insufficient-margin", symbol="BTCUSDT", side="BUY", nth=2, count=1)
    outcomes = []
    for side in ("buy", "sell", "buy", "buy"):
        try:
            outcomes.append((await trader.create_order(SYMBOL, "market", side, 0.01))["status"])
        except ccxt.InsufficientFunds:
            outcomes.append("refused")
    (fault,) = await admin.faults()

    assert outcomes == ["closed", "closed", "refused", "closed"]
    assert fault["met"] == 3


async def test_a_restart_keeps_orders_positions_and_money(trader: Any, admin: Admin) -> None:
    """The venue is away for a moment and comes back with everything a venue keeps."""
    last = (await trader.fetch_ticker(SYMBOL))["last"]
    await trader.create_order(SYMBOL, "market", "buy", 0.02)
    await trader.create_order(SYMBOL, "limit", "buy", 0.01, last * 0.98, {"clientOrderId": "kept"})
    await trader.create_order(SYMBOL, "market", "sell", 0.01, None, {"stopLossPrice": last * 0.95})
    before = await admin.account("production", trader.apiKey)
    await admin.restart(down_ms=300)

    with pytest.raises(ccxt.NetworkError):
        await trader.fetch_balance()

    deadline = time.monotonic() + 10
    while True:
        try:
            order = await trader.fetch_order("", SYMBOL, {"clientOrderId": "kept"})
            break
        except ccxt.NetworkError:
            assert time.monotonic() < deadline
    after = await admin.account("production", trader.apiKey)
    volatile = {"unrealized", "available"}
    assert order["status"] == "open"
    assert {name: before[name] for name in before.keys() - volatile} == {
        name: after[name] for name in after.keys() - volatile
    }


REFUSED_FAULTS = {
    "an unknown kind": {"kind": "gremlins"},
    "an unknown field": {"kind": "delay", "colour": "red"},
    "a ratio above one": {"kind": "partial-fill", "ratio": "1.5"},
    "a count of nought": {"kind": "delay", "count": 0},
    "no kind": {},
}


@pytest.mark.parametrize("promise", REFUSED_FAULTS)
async def test_a_fault_that_makes_no_sense_is_refused(simulator: Child, admin: Admin, promise: str) -> None:
    """With a reason, and nothing is put in force."""
    async with (
        aiohttp.ClientSession() as session,
        session.post(f"{simulator.address.admin_url}/admin/faults", json=REFUSED_FAULTS[promise]) as answer,
    ):
        said = await answer.json()

    assert answer.status == 400
    assert said["error"][0]["msg"]
    assert await admin.faults() == []
