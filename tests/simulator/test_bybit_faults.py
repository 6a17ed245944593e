"""Faults on request at Bybit: what the client sees, and what really happened at the venue."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import ccxt
import pytest

if TYPE_CHECKING:
    from golive_simulator.client import Admin

SYMBOL = "BTC/USDT:USDT"
KNOWN = {"acknowledged": True}
JSON_500 = {"retCode": 10016, "retMsg": "System error. Please try again later.", "result": {}}

# promise: fault, its fields, what ccxt raises, whether the order stands at the venue
UNANSWERED: dict[str, tuple[str, dict[str, Any], type[Exception], bool]] = {
    "a connection that breaks before the order arrives": ("drop-before-accept", {}, ccxt.NetworkError, False),
    "a connection that breaks after the order was taken": ("drop-after-accept", {}, ccxt.NetworkError, True),
    "a gateway that gives up on an order that arrived": ("answer-after-accept", {}, ccxt.RequestTimeout, True),
    "a gateway that gives up on an order that did not": (
        *("answer-before-accept", {}, ccxt.RequestTimeout, False),
    ),
    "an error answer to an order that was taken, which looks like a refusal": (
        *("answer-after-accept", {"status": 500, "body": JSON_500}, ccxt.ExchangeError, True),
    ),
    "an error answer to an order that was not": (
        *("answer-before-accept", {"status": 503, "body": JSON_500}, ccxt.ExchangeError, False),
    ),
    "a rate limit": ("rate-limit", {}, ccxt.RateLimitExceeded, False),
    "a ban": ("ban", {"retry_after_seconds": 60}, ccxt.RateLimitExceeded, False),
    "a margin that is not there": ("insufficient-margin", {}, ccxt.InsufficientFunds, False),
}


@pytest.mark.parametrize("promise", UNANSWERED)
async def test_a_bybit_order_with_a_fault_on_its_way(bybit: Any, admin: Admin, promise: str) -> None:
    """The client is told something else than what the venue knows; asking by client id settles it."""
    kind, fields, exception, stands = UNANSWERED[promise]
    await bybit.load_markets()
    await bybit.is_unified_enabled()
    await admin.add_fault(kind, environment="bybit-production", path="/v5/order/create", count=1, **fields)

    with pytest.raises(exception):
        await bybit.create_order(SYMBOL, "market", "buy", 0.01, None, {"clientOrderId": "unsure"})

    orders = await bybit.fetch_closed_orders(SYMBOL)
    (logged,) = [row for row in await admin.requests(new_orders=True) if kind in row["faults"]][-1:]
    assert len(orders) == int(stands)
    assert (logged["accepted"], logged["client_order_id"]) == (stands, "unsure")
    if stands:
        found = await bybit.fetch_order("", SYMBOL, {**KNOWN, "orderLinkId": "unsure"})
        assert (found["filled"], found["id"]) == (0.01, logged["order_id"])


async def test_no_order_doubles_when_every_doubtful_one_is_sent_again(bybit: Any, admin: Admin) -> None:
    """With a client id a resend is refused where the first one stands, and placed where it does not."""
    await bybit.load_markets()
    await bybit.is_unified_enabled()
    for kind, nth in (("drop-before-accept", 2), ("drop-after-accept", 4), ("answer-after-accept", 6)):
        await admin.add_fault(kind, path="/v5/order/create", nth=nth, count=1)
    for number in range(6):
        wanted = (SYMBOL, "market", "buy", 0.01, None, {"clientOrderId": f"resent-{number}"})
        try:
            await bybit.create_order(*wanted)
        except ccxt.NetworkError:
            try:
                await bybit.create_order(*wanted)
            except ccxt.InvalidOrder as duplicate:
                assert "110072" in str(duplicate)  # noqa: PT017 - only a resend may end here

    account = await admin.account("bybit-production", bybit.apiKey)
    assert account["counts"]["orders"] == 6
    assert float(account["positions"]["BTCUSDT"]["quantity"]) == pytest.approx(0.06)


async def test_the_log_tells_refusals_from_orders_that_stand(bybit: Any, admin: Admin) -> None:
    """Though both are answered with a status of 200."""
    placed = await bybit.create_order(SYMBOL, "market", "buy", 0.01, None, {"clientOrderId": "logged"})
    with pytest.raises(ccxt.InvalidOrder):
        await bybit.create_order(SYMBOL, "market", "buy", 0.01, None, {"clientOrderId": "logged"})

    first, second = (await admin.requests(new_orders=True))[-2:]

    assert (first["accepted"], first["code"], first["order_id"]) == (True, None, placed["id"])
    assert (second["accepted"], second["code"], second["order_id"]) == (False, 110072, None)
    assert first["status"] == second["status"] == 200
    assert (first["symbol"], first["side"]) == ("BTCUSDT", "BUY")


async def test_a_late_fill_at_bybit_is_accepted_first_and_filled_later(bybit: Any, admin: Admin) -> None:
    """New at first; a while later the same order is filled."""
    await admin.add_fault("late-fill", delay_ms=1_000, count=1)
    order = await bybit.create_order(SYMBOL, "market", "buy", 0.01)
    seen = [await bybit.fetch_order(order["id"], SYMBOL, KNOWN)]
    deadline = time.monotonic() + 10
    while seen[-1]["status"] == "open":
        assert time.monotonic() < deadline
        seen.append(await bybit.fetch_order(order["id"], SYMBOL, KNOWN))

    assert seen[0]["status"] == "open"
    assert (seen[-1]["status"], seen[-1]["filled"]) == ("closed", 0.01)


async def test_a_partial_fill_at_bybit_leaves_the_rest(bybit: Any, admin: Admin) -> None:
    """A market order ends with what it got; the rest of a limit order rests until the price moves to it."""
    last = (await bybit.fetch_ticker(SYMBOL))["last"]
    await admin.add_fault("partial-fill", ratio="0.5", count=2)
    placed = [
        await bybit.create_order(SYMBOL, "market", "buy", 0.01),
        await bybit.create_order(SYMBOL, "limit", "buy", 0.02, last * 1.01),
    ]
    await admin.price("BTCUSDT", last)
    market = await bybit.fetch_order(placed[0]["id"], SYMBOL, KNOWN)
    trades = [row for row in await bybit.fetch_my_trades(SYMBOL) if row["order"] == placed[1]["id"]]

    assert (market["status"], market["filled"]) == ("canceled", 0.005)
    assert [(row["amount"], row["takerOrMaker"]) for row in trades] == [(0.01, "taker"), (0.01, "maker")]


async def test_a_skewed_clock_at_bybit_refuses_what_looks_old(bybit: Any, admin: Admin) -> None:
    """The venue's clock runs ahead: its time shows it, and signed requests are outside their window."""
    await bybit.load_markets()
    await bybit.is_unified_enabled()
    fault = await admin.add_fault("clock-skew", skew_ms=60_000)
    ahead_ms = await bybit.fetch_time() - time.time() * 1000

    with pytest.raises(ccxt.InvalidNonce, match="10002"):
        await bybit.fetch_balance()

    await admin.clear_faults(fault["fault_id"])
    assert ahead_ms == pytest.approx(60_000, abs=5_000)
    assert (await bybit.fetch_balance())["USDT"]["total"] == 10_000


async def test_a_stale_book_at_bybit_gives_its_age_away(bybit: Any, admin: Admin) -> None:
    """Its time stands still; orders meet the real price."""
    symbol = "LTC/USDT:USDT"
    before = await bybit.fetch_order_book(symbol, 5)
    await admin.add_fault("stale-book", symbol="LTCUSDT")
    await admin.price("LTCUSDT", round(before["bids"][0][0] * 1.03, 2))
    stale = [await bybit.fetch_order_book(symbol, 5) for _ in range(2)]
    placed = await bybit.create_order(symbol, "market", "buy", 1)
    order = await bybit.fetch_order(placed["id"], symbol, KNOWN)

    assert stale[0]["bids"] == stale[1]["bids"] == before["bids"]
    assert stale[0]["timestamp"] == stale[1]["timestamp"]
    assert order["average"] > before["asks"][0][0] * 1.02


async def test_orders_and_protection_survive_a_restart_of_the_venue(bybit: Any, admin: Admin) -> None:
    """Open orders, what is attached to them, and the silence allowed are kept."""
    last = (await bybit.fetch_ticker(SYMBOL))["last"]
    protection = {"stopLoss": {"triggerPrice": last * 0.9}}
    order = await bybit.create_order(SYMBOL, "limit", "buy", 0.01, last * 0.99, protection)
    await bybit.cancel_all_orders_after(300_000)
    await admin.restart()
    await admin.price("BTCUSDT", round(last * 0.985, 1))
    seen = await bybit.fetch_order(order["id"], SYMBOL, KNOWN)
    (stop,) = await bybit.fetch_open_orders(SYMBOL)

    assert seen["status"] == "closed"
    assert stop["info"]["stopOrderType"] == "StopLoss"
    assert (await admin.account("bybit-production", bybit.apiKey))["silence_ms"] == 300_000
