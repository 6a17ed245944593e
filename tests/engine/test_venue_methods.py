"""Every method of a venue, on each of the three, through unmodified ccxt against the simulator."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from decimal import Decimal
from itertools import count
from typing import Any

import pytest

from golive_engine.trading import (
    Execution,
    ExecutionStatus,
    Intent,
    OrderKind,
    OutcomeUnknownError,
    Quote,
    RefusedError,
    Side,
    Snapshot,
    UnavailableError,
)

SYMBOL = "BTCUSDT"
QUANTITY = Decimal("0.002")
NUMBERS = count(1)


def new_id() -> str:
    """A client order id that every venue takes."""
    return f"gl0a1b2c3d4e5f{next(NUMBERS):08d}"


async def price_of(door: Any) -> Decimal:
    """The middle of the book."""
    quotes: dict[str, Quote] = await door.venue.quotes(frozenset({SYMBOL}))
    return quotes[SYMBOL].middle


async def buy(door: Any, quantity: Decimal = QUANTITY) -> Execution:
    """A market order, asked about until it is filled: two venues answer with ids only."""
    client_order_id = new_id()
    await door.venue.send(Intent(SYMBOL, Side.BUY, quantity), client_order_id, lambda: None)
    found: Execution | None = await door.venue.ask(SYMBOL, client_order_id, OrderKind.MARKET)
    assert found is not None
    return found


async def test_instruments_are_told_in_base_currency(door: Any) -> None:
    """Lots, least and most are of the coin, also where the venue counts in contracts."""
    found = (await door.venue.instruments())[SYMBOL]
    lots = {"binanceusdm": ("0.001", "1"), "bybit": ("0.001", "1"), "okx": ("0.0001", "0.01")}
    expected = tuple(map(Decimal, lots[door.venue.name]))
    assert (found.lot_size, found.contract_size) == expected
    assert Decimal(1) < found.max_quantity <= Decimal(1000)
    assert found.tick_size == Decimal("0.1")


async def test_quotes_of_many_symbols_are_those_asked_for(door: Any) -> None:
    """Both sides, and the venue's own time."""
    quotes = await door.venue.quotes(frozenset({SYMBOL, "ETHUSDT", "NOSUCHUSDT"}))
    assert quotes.keys() == {SYMBOL, "ETHUSDT"}
    assert all(Decimal(0) < quote.bid < quote.ask for quote in quotes.values())
    assert abs(quotes[SYMBOL].time - await door.venue.server_time()) < 60


async def test_a_frozen_book_shows_its_age(door: Any) -> None:
    """Prices that stand still are told with the time at which they stopped."""
    await door.admin.add_fault("stale-book")
    before = (await door.venue.quotes(frozenset({SYMBOL})))[SYMBOL].time
    await door.admin.step(points=1)
    assert (await door.venue.quotes(frozenset({SYMBOL})))[SYMBOL].time == before


@pytest.mark.parametrize("wanted", [5, 450, 1001])
async def test_closes_are_finished_minutes_oldest_first(door: Any, wanted: int, until: Any) -> None:
    """As many as asked for, over several pages where a venue gives fewer at once, alike everywhere."""
    # The simulator dates its newest candle by the wall clock: at the turn of a minute its pages would not fit.
    await until(lambda: time.time() % 60 < 55)
    await door.admin.step(candles=1)
    closes = await door.venue.closes(SYMBOL, wanted)
    assert len(closes) == wanted
    await door.admin.step(candles=1)
    assert (await door.venue.closes(SYMBOL, wanted))[:-1] == closes[1:]


async def test_depth_is_in_base_currency_and_grows_with_the_share(door: Any) -> None:
    """A wider look holds more; both sides are there."""
    near, far = [await door.venue.depth(SYMBOL, Decimal(share)) for share in ("0.01", "5")]
    assert Decimal(0) < near.bids <= far.bids
    assert Decimal(0) < near.asks <= far.asks
    account = (await door.admin.state())["prices"]
    assert SYMBOL in account
    assert abs(far.time - await door.venue.server_time()) < 60


async def test_a_position_shows_with_entry_money_and_margin(door: Any) -> None:
    """Equity is wallet and open profit; entries are average prices; margin is used."""
    filled = await buy(door)
    snapshot: Snapshot = await door.venue.snapshot()
    assert snapshot.positions == {SYMBOL: QUANTITY}
    assert snapshot.entries[SYMBOL] == pytest.approx(filled.average_price, rel=Decimal("1e-6"))
    assert snapshot.wallet is not None
    assert abs(snapshot.equity - snapshot.wallet) < 10
    assert snapshot.margin_used > 50


async def test_a_short_position_is_negative_with_its_entry(door: Any) -> None:
    """The sign is the side's, the entry a price all the same."""
    price = await price_of(door)
    await door.venue.send(Intent(SYMBOL, Side.SELL, QUANTITY), new_id(), lambda: None)
    snapshot = await door.venue.snapshot()
    assert snapshot.positions == {SYMBOL: -QUANTITY}
    assert snapshot.entries[SYMBOL] == pytest.approx(price, rel=Decimal("0.01"))


async def test_leverage_is_what_the_venue_then_says(door: Any) -> None:
    """Set, read again, and no complaint when it is so already."""
    assert [await door.venue.set_leverage("ETHUSDT", lever) for lever in (3, 3, 2)] == [3, 3, 2]


async def test_a_market_order_is_filled_once_and_told_with_its_price(door: Any) -> None:
    """Asked by our id: quantity in base currency, average price, kind."""
    found = await buy(door)
    assert (found.status, found.filled_quantity, found.quantity) == (ExecutionStatus.FILLED, QUANTITY, QUANTITY)
    assert found.average_price == pytest.approx(await price_of(door), rel=Decimal("0.01"))
    assert (found.kind, found.price, found.reduce_only) == (OrderKind.MARKET, None, False)
    assert len(await door.orders()) == 1


async def test_a_limit_order_rests_is_listed_and_cancelled_by_our_id(door: Any) -> None:
    """A second cancel finds nothing to do, and says nothing."""
    client_order_id, limit = new_id(), (await price_of(door) * Decimal("0.9")).quantize(Decimal(1))
    intent = Intent(SYMBOL, Side.BUY, QUANTITY, limit_price=limit)
    sent = await door.venue.send(intent, client_order_id, lambda: None)
    listed = await door.venue.open_orders()
    assert [(row.client_order_id, row.venue_order_id) for row in listed] == [
        (client_order_id, sent.venue_order_id)
    ]
    assert (listed[0].kind, listed[0].price, listed[0].quantity) == (OrderKind.LIMIT, limit, QUANTITY)
    for _ in range(2):
        await door.venue.cancel(SYMBOL, client_order_id, OrderKind.LIMIT)
    asked = await door.venue.ask(SYMBOL, client_order_id, OrderKind.LIMIT)
    assert asked is not None
    assert (asked.status, asked.filled_quantity) == (ExecutionStatus.ENDED, Decimal(0))
    assert await door.venue.open_orders() == []


@pytest.mark.parametrize("kind", [OrderKind.MARKET, OrderKind.STOP_LOSS])
async def test_an_order_that_never_was_is_not_known(door: Any, kind: OrderKind) -> None:
    """None, not an error; and cancelling it is no error either."""
    assert await door.venue.ask(SYMBOL, new_id(), kind) is None
    await door.venue.cancel(SYMBOL, new_id(), kind)


def protection(side: Side, price: Decimal, *, takes_profit: bool) -> Intent:
    """A stop loss or take profit of a position that was opened by the other side."""
    away = side.sign * (1 if not takes_profit else -1)
    trigger = (price * (1 + away * Decimal("0.03"))).quantize(Decimal(1))
    return Intent(SYMBOL, side, QUANTITY, reduce_only=True, trigger_price=trigger, takes_profit=takes_profit)


@pytest.mark.parametrize("takes_profit", [False, True], ids=["stop loss", "take profit"])
@pytest.mark.parametrize("entry", list(Side))
async def test_protection_rests_on_the_venue_until_its_price(
    door: Any, entry: Side, *, takes_profit: bool
) -> None:
    """It is listed with kind and trigger, and what it became is told under our id."""
    price = await price_of(door)
    await door.venue.send(Intent(SYMBOL, entry, QUANTITY), new_id(), lambda: None)
    intent, client_order_id = protection(entry.opposite, price, takes_profit=takes_profit), new_id()
    sent = await door.venue.send(intent, client_order_id, lambda: None)
    assert sent.status is ExecutionStatus.WORKING
    listed = await door.venue.open_orders()
    assert [(row.client_order_id, row.kind, row.price, row.quantity, row.reduce_only) for row in listed] == [
        (client_order_id, intent.kind, intent.trigger_price, QUANTITY, True)
    ]
    waiting = await door.venue.ask(SYMBOL, client_order_id, intent.kind)
    assert waiting is not None
    assert (waiting.status, waiting.filled_quantity) == (ExecutionStatus.WORKING, Decimal(0))

    assert intent.trigger_price is not None
    beyond = Decimal(1) + (Decimal("0.005") if intent.trigger_price > price else -Decimal("0.005"))
    await door.admin.price(SYMBOL, (intent.trigger_price * beyond).quantize(Decimal(1)))

    done = await door.venue.ask(SYMBOL, client_order_id, intent.kind)
    assert done is not None
    assert (done.status, done.filled_quantity, done.kind) == (ExecutionStatus.FILLED, QUANTITY, intent.kind)
    assert done.client_order_id == client_order_id
    assert done.average_price == pytest.approx(intent.trigger_price, rel=Decimal("0.02"))
    assert (await door.venue.snapshot()).positions == {}
    trades = await door.venue.trades(SYMBOL, 0.0)
    assert trades[-1].venue_order_id == done.venue_order_id
    await door.admin.price(SYMBOL, price)


async def test_a_cancelled_stop_has_ended(door: Any) -> None:
    """Cancelled by our id, where conditional orders are kept."""
    await buy(door)
    client_order_id = new_id()
    intent = protection(Side.SELL, await price_of(door), takes_profit=False)
    await door.venue.send(intent, client_order_id, lambda: None)
    await door.venue.cancel(SYMBOL, client_order_id, OrderKind.STOP_LOSS)
    found = await door.venue.ask(SYMBOL, client_order_id, OrderKind.STOP_LOSS)
    assert found is not None
    assert found.status is ExecutionStatus.ENDED


async def test_a_stop_that_would_trigger_at_once_is_refused(door: Any) -> None:
    """A certain no: the position has to be left another way."""
    await buy(door)
    price = await price_of(door)
    wrong = Intent(
        SYMBOL, Side.SELL, QUANTITY, reduce_only=True, trigger_price=(price * 2).quantize(Decimal(1))
    )
    with pytest.raises(RefusedError):
        await door.venue.send(wrong, new_id(), lambda: None)


@pytest.mark.parametrize("conditional", [False, True], ids=["in the book", "conditional"])
async def test_cancel_all_takes_one_sort_of_orders_and_leaves_the_other(
    door: Any, *, conditional: bool
) -> None:
    """Entries can go while stops stay, and the other way round; more than one request can name."""
    await buy(door)
    price = await price_of(door)
    resting = Intent(SYMBOL, Side.BUY, QUANTITY, limit_price=(price * Decimal("0.9")).quantize(Decimal(1)))
    stop = protection(Side.SELL, price, takes_profit=False)
    # more than one request can name, where each has to be named; elsewhere fewer may rest
    count = 21 if door.venue.name == "okx" else 5
    for intent in (resting, stop):
        for _ in range(count):
            await door.venue.send(intent, new_id(), lambda: None)
    await door.venue.cancel_all(SYMBOL, conditional=conditional)
    left = await door.venue.open_orders()
    assert [row.kind.is_conditional for row in left] == [not conditional] * count
    await door.venue.cancel_all("ETHUSDT", conditional=conditional)


async def test_trades_tell_every_fill_once_oldest_first(door: Any) -> None:
    """With the venue's ids; more of them than one answer holds."""
    orders = [await buy(door) for _ in range(3)]
    trades = await door.venue.trades(SYMBOL, 0.0)
    assert [trade.venue_order_id for trade in trades] == [order.venue_order_id for order in orders]
    assert [(trade.side, trade.quantity) for trade in trades] == [(Side.BUY, QUANTITY)] * 3
    assert len({trade.trade_id for trade in trades}) == 3
    assert await door.venue.trades(SYMBOL, trades[-1].time + 1) == []
    assert await door.venue.trades("ETHUSDT", 0.0) == []


async def test_the_dead_man_switch_cancels_what_rests_in_the_book(door: Any) -> None:
    """Set, and gone when nobody renews it; each venue within its own bounds."""
    limit = (await price_of(door) * Decimal("0.9")).quantize(Decimal(1))
    await door.venue.send(Intent(SYMBOL, Side.BUY, QUANTITY, limit_price=limit), new_id(), lambda: None)
    await door.venue.cancel_unless_renewed(1, frozenset({SYMBOL}))
    deadline = asyncio.get_running_loop().time() + 15
    while (await door.account())["counts"]["open_orders"]:
        assert asyncio.get_running_loop().time() < deadline
        await asyncio.sleep(0.2)


async def test_the_dead_man_switch_can_be_let_go(door: Any) -> None:
    """Nought is taken on every venue."""
    await door.venue.cancel_unless_renewed(30, frozenset({SYMBOL}))
    await door.venue.cancel_unless_renewed(0, frozenset({SYMBOL}))
    limit = (await price_of(door) * Decimal("0.9")).quantize(Decimal(1))
    await door.venue.send(Intent(SYMBOL, Side.BUY, QUANTITY, limit_price=limit), new_id(), lambda: None)
    assert len(await door.venue.open_orders()) == 1


@pytest.mark.parametrize("name", ["binanceusdm", "bybit", "okx"])
async def test_testnet_orders_stay_off_production(name: str, open_door: Callable[..., Any]) -> None:
    """Each venue's play money is reached by the mode that ccxt really has for it."""
    testnet, production = open_door(name, "testnet"), open_door(name, "production")
    await testnet.venue.instruments()
    await testnet.venue.set_leverage(SYMBOL, 1)
    await buy(testnet)
    assert (len(await testnet.orders()), len(await production.orders())) == (1, 0)


async def test_bybit_demo_is_a_testnet_too(open_door: Callable[..., Any]) -> None:
    """By another host, if the settings say so."""
    demo = open_door("bybit", "testnet", bybit_testnet="demo")
    await buy(demo)
    assert len(await demo.orders()) == 1


async def test_many_orders_at_once_keep_their_own_verdicts(door: Any) -> None:
    """What one request learns is never taken for the answer to another that runs beside it."""
    await door.admin.add_fault("drop-after-accept", count=1, nth=2)
    ids = [new_id() for _ in range(4)]
    huge = Decimal(90)
    quantities = [QUANTITY, huge, QUANTITY, huge]
    sends: list[Awaitable[Execution]] = [
        door.venue.send(Intent(SYMBOL, Side.BUY, quantity), client_order_id, lambda: None)
        for client_order_id, quantity in zip(ids, quantities, strict=True)
    ]
    results = await asyncio.gather(*sends, return_exceptions=True)
    unknown = [row for row in results if isinstance(row, OutcomeUnknownError)]
    assert len(unknown) == 1
    for client_order_id, quantity, result in zip(ids, quantities, results, strict=True):
        known = await door.venue.ask(SYMBOL, client_order_id, OrderKind.MARKET) is not None
        if isinstance(result, Execution):
            assert known
        if isinstance(result, RefusedError):
            assert not known
            assert quantity == huge


async def test_a_closed_venue_is_unavailable(door: Any) -> None:
    """After close nothing is read any more."""
    await door.venue.close()
    with pytest.raises(UnavailableError):
        await door.venue.server_time()
