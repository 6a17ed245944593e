"""The order desk of a seat: every kind of order, written first, sent once, asked until it is known."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from golive_engine.journal import Fill, Journal
from golive_engine.ledger import Ledger, losses_in_a_row
from golive_engine.orders import ID_LENGTH, OrderState
from golive_engine.situation import Exposure
from golive_engine.trading import Intent, OrderKind, Purpose, Side, UnavailableError

D = Decimal
BUY = Intent("BTCUSDT", Side.BUY, D(2), strategy="baseline-perps")
LIMIT = Intent("BTCUSDT", Side.BUY, D(1), limit_price=D(95), strategy="baseline-perps")
EXIT = Intent("BTCUSDT", Side.SELL, D(1), reduce_only=True, limit_price=D(120))
STOP = Intent("BTCUSDT", Side.SELL, D(2), reduce_only=True, trigger_price=D(88), purpose=Purpose.PROTECT)
PROFIT = replace(STOP, trigger_price=D(110), takes_profit=True)

KINDS = {
    "a market order": (BUY, OrderKind.MARKET, None),
    "a limit order": (LIMIT, OrderKind.LIMIT, D(95)),
    "a stop loss": (STOP, OrderKind.STOP_LOSS, D(88)),
    "a take profit": (PROFIT, OrderKind.TAKE_PROFIT, D(110)),
}


@pytest.mark.parametrize(("intent", "kind", "price"), KINDS.values(), ids=KINDS)
async def test_all_that_was_wanted_is_written_of(
    room: Any, intent: Intent, kind: OrderKind, price: Decimal | None
) -> None:
    """Venue, kind, price, purpose and strategy, and the venue's own id."""
    order = await room.desk.place(intent)
    assert room.journal.orders("main", "okx") == [order]
    assert (order.venue, order.kind, order.price) == ("okx", kind, price)
    assert (order.purpose, order.strategy) == (intent.purpose, intent.strategy)
    assert order.venue_order_id == room.venue.orders[order.client_order_id].venue_order_id


async def test_every_venue_takes_the_ids(room: Any) -> None:
    """Letters and digits only, 32 at most; the next one is known before."""
    expected = room.desk.next_id()
    order = await room.desk.place(BUY)
    assert order.client_order_id == expected
    assert order.client_order_id.isalnum()
    assert order.client_order_id.isascii()
    assert len(order.client_order_id) == 22 <= ID_LENGTH
    assert order.client_order_id.startswith(room.desk.prefix)


async def test_no_two_seats_use_one_id(make_room: Callable[..., Any]) -> None:
    """Not even at the same time; and each knows only its own orders and positions."""
    seats = [await make_room(name="okx"), await make_room(name="bybit")]
    assert seats[0].desk.prefix == seats[1].desk.prefix
    placed = await asyncio.gather(*(seat.desk.place(LIMIT) for seat in seats for _ in range(20)))
    assert len({order.client_order_id for order in placed}) == 40
    for seat in seats:
        await seat.desk.open()
        assert seat.desk.sent_ids == set(seat.venue.orders)
        assert len(seat.desk.unsettled) == 20


async def test_another_account_marks_its_orders_otherwise(make_room: Callable[..., Any]) -> None:
    """Two accounts at one exchange never take each other's orders for their own."""
    assert (await make_room()).desk.prefix != (await make_room(account="paper")).desk.prefix


async def test_a_pod_that_takes_over_counts_on(
    room: Any, make_room: Callable[..., Any], tmp_path: Path
) -> None:
    """It opened the journal long before, while the other one traded."""
    standby = Journal(f"sqlite:///{tmp_path}/journal.db")
    last = [await room.desk.place(LIMIT) for _ in range(3)][-1]
    other = await make_room(room.venue, pod=standby)
    placed = await other.desk.place(LIMIT)
    standby.close()
    assert int(placed.client_order_id[-8:]) == int(last.client_order_id[-8:]) + 1


async def test_a_fill_that_the_answer_does_not_tell_is_asked_for_at_once(room: Any) -> None:
    """Some venues answer with ids only; a market order is filled by then."""
    room.venue.fault = "ids"
    order = await room.desk.place(BUY)
    assert order.state is OrderState.FILLED
    assert room.desk.ledger.positions() == {"BTCUSDT": D(2)}
    assert room.venue.asked("ask") == [order.client_order_id]


async def test_a_venue_that_does_not_answer_then_costs_nothing(room: Any) -> None:
    """The order works, counts in full, and is asked about in the next turn."""
    room.venue.fault, room.venue.down = "ids", True
    order = await room.desk.place(BUY)
    assert order.state is OrderState.WORKING
    assert room.desk.exposures()["BTCUSDT"].buying == D(2)
    room.venue.down = False
    await room.desk.settle()
    assert room.desk.ledger.positions() == {"BTCUSDT": D(2)}


async def test_what_rests_is_not_asked_about_at_once(room: Any) -> None:
    """Nobody expects it to be filled already."""
    for intent in (LIMIT, STOP):
        await room.desk.place(intent)
    assert room.venue.asked("ask") == []


async def test_exposure_counts_what_may_still_fill(room: Any) -> None:
    """Limits by side, reduce-only ones also as reducing; stop loss and take profit not at all."""
    for intent in (BUY, LIMIT, EXIT, STOP, PROFIT):
        await room.desk.place(intent)
    assert room.desk.exposures() == {"BTCUSDT": Exposure(D(2), buying=D(1), selling=D(1), reducing=D(1))}
    assert [order.kind for order in room.desk.resting("BTCUSDT")] == [
        OrderKind.STOP_LOSS,
        OrderKind.TAKE_PROFIT,
    ]
    assert room.desk.resting("ETHUSDT") == ()


async def test_an_unknown_stop_loss_blocks_its_symbol_like_any_order(room: Any) -> None:
    """Whether the position is protected is not known either."""
    room.venue.fault = "drop"
    await room.desk.place(STOP)
    assert room.desk.unknown_symbols == {"BTCUSDT"}
    assert room.desk.exposures() == {}
    assert len(room.desk.resting("BTCUSDT")) == 1


async def test_unknown_outcomes_are_asked_about_first(room: Any) -> None:
    """Then what is in the book, then what waits for its trigger; each once per call."""
    stop, limit = await room.desk.place(STOP), await room.desk.place(LIMIT)
    room.venue.fault = "lose"
    lost = await room.desk.place(replace(BUY, symbol="ETHUSDT"))
    await room.desk.settle()
    assert room.venue.asked("ask") == [o.client_order_id for o in (lost, limit, stop)]
    room.venue.requests.clear()
    await room.desk.settle({"ETHUSDT"})
    assert room.venue.asked("ask") == []


async def test_a_stop_that_was_triggered_is_booked_like_any_fill(room: Any) -> None:
    """In parts, each at its price; then nothing rests any more."""
    await room.desk.place(BUY)
    stop = await room.desk.place(STOP)
    for price, quantity in ((D(88), D("0.5")), (D(86), D("1.5"))):
        room.venue.price = price
        room.venue.fill(stop.client_order_id, quantity)
        await room.desk.settle()
    fills = room.journal.fills("main", "okx")[1:]
    assert [(fill.client_order_id, fill.signed_quantity) for fill in fills] == [
        (stop.client_order_id, D("-0.5")),
        (stop.client_order_id, D("-1.5")),
    ]
    assert [fill.price for fill in fills] == [D(88), D(86)]
    assert (room.desk.ledger.positions(), room.desk.resting("BTCUSDT")) == ({}, ())
    assert room.desk.ledger.losses_in_a_row == 1


async def test_a_cancelled_order_is_over_when_the_venue_says_so(room: Any) -> None:
    """Asked for where the venue keeps that kind, then asked about; the last fill is not lost."""
    order = await room.desk.place(LIMIT)
    room.venue.fill(order.client_order_id, D("0.25"))
    ended = await room.desk.cancel(order.client_order_id)
    assert room.venue.asked("cancel") == [f"BTCUSDT limit {order.client_order_id}"]
    assert (ended.state, ended.filled) == (OrderState.ENDED, D("0.25"))
    assert room.desk.ledger.positions() == {"BTCUSDT": D("0.25")}
    assert await room.desk.cancel(order.client_order_id) is None, "it is over"
    assert len(room.venue.asked("cancel")) == 1


async def test_an_order_that_could_not_be_cancelled_goes_on_counting(room: Any) -> None:
    """Silence is no cancellation."""
    order = await room.desk.place(LIMIT)
    room.venue.down = True
    with pytest.raises(UnavailableError):
        await room.desk.cancel(order.client_order_id)
    assert room.desk.exposures()["BTCUSDT"].buying == D(1)


async def test_a_report_that_cannot_be_true_is_no_outcome(room: Any) -> None:
    """More filled than ordered, as when contracts are taken for coins: unknown, and no position of it."""
    room.venue.fault = "ids"
    room.venue.down = True
    order = await room.desk.place(BUY)
    room.venue.down = False
    told = room.venue.orders[order.client_order_id]
    room.venue.orders[order.client_order_id] = replace(told, filled_quantity=D(200))
    for _ in range(3):
        await room.desk.settle()
    assert room.desk.ledger.positions() == {}
    assert room.desk.exposures()["BTCUSDT"].buying == D(2)
    assert len(room.journal.order_changes(order.client_order_id)) == 3, "told once, not per look"
    room.venue.orders[order.client_order_id] = told
    await room.desk.settle()
    assert room.desk.unsettled == ()


async def test_a_restart_remembers_what_rests(room: Any, make_room: Callable[..., Any]) -> None:
    """Kind and price come from the journal: a stop loss is asked about as one."""
    placed = [await room.desk.place(intent) for intent in (BUY, STOP)]
    again = await make_room(room.venue)
    assert again.desk.resting("BTCUSDT") == (placed[1],)
    assert again.desk.ledger.entry("BTCUSDT") == D(100)
    await again.desk.settle()
    assert again.desk.unsettled == (placed[1],)


def fill(order: str | None, signed: float, price: int, time: float, symbol: str = "BTCUSDT") -> Fill:
    """One fill."""
    return Fill("main", "okx", symbol, order, D(str(signed)), D(price), time)


LOSSES: dict[str, tuple[list[Fill], int]] = {
    "opening is no loss": ([fill("a", 1, 10, 1)], 0),
    "one exit in three fills is one loss": (
        [fill("a", 3, 10, 1), fill("b", -1, 9, 2), fill("b", -1, 8, 3), fill("b", -1, 7, 4)],
        1,
    ),
    "two exits are two": (
        [fill("a", 2, 10, 1), fill("b", -1, 9, 2), fill("c", -1, 8, 3)],
        2,
    ),
    "an exit that gains in the end is a gain": (
        [fill("a", 2, 10, 1), fill("b", -1, 9, 2), fill("b", -1, 20, 3)],
        0,
    ),
    "an exit that loses in the end is a loss": (
        [fill("a", 2, 10, 1), fill("b", -1, 5, 2), fill("b", -1, 11, 3)],
        1,
    ),
    "an exit that loses in the end ends a row of gains": (
        [fill("a", 4, 10, 1), fill("b", -2, 12, 2), fill("c", -1, 11, 3), fill("c", -1, 1, 4)],
        1,
    ),
    "a gain ends the row": (
        [fill("a", 3, 10, 1), fill("b", -1, 9, 2), fill("c", -1, 11, 3), fill("d", -1, 9, 4)],
        1,
    ),
    "exits on two symbols whose fills alternate are two": (
        [
            fill("a", 2, 10, 1),
            fill("b", 2, 10, 1, "ETHUSDT"),
            fill("c", -1, 9, 2),
            fill("d", -1, 9, 3, "ETHUSDT"),
            fill("c", -1, 9, 4),
            fill("d", -1, 9, 5, "ETHUSDT"),
        ],
        2,
    ),
    "what came out even counts for nothing": (
        [fill("a", 3, 10, 1), fill("b", -1, 9, 2), fill("c", -1, 10, 3), fill("d", -1, 9, 4)],
        2,
    ),
    "what somebody else closed says nothing": (
        [fill("a", 3, 10, 1), fill("b", -1, 9, 2), fill(None, -1, 30, 3), fill(None, -1, 1, 4)],
        1,
    ),
    "what was before a release is forgiven": (
        [fill("a", 3, 10, -3), fill("b", -1, 9, -2), fill("c", -1, 9, -1), fill("d", -1, 9, 1)],
        1,
    ),
}


@pytest.mark.parametrize(("fills", "losses"), LOSSES.values(), ids=LOSSES)
def test_losses_in_a_row_count_orders(fills: list[Fill], losses: int) -> None:
    """Closing orders at a loss since the last gain."""
    ledger = Ledger(counts_from=0.0)
    for one in fills:
        ledger.take(one)
    assert ledger.losses_in_a_row == losses


def test_an_accounts_losses_are_in_a_row_over_its_venues() -> None:
    """By time: a gain on one venue ends a row that began on another."""
    first, second = Ledger(), Ledger()
    for one in (fill("a", 3, 10, 1), fill("b", -1, 9, 2), fill("c", -1, 9, 4)):
        first.take(one)
    for one in (fill("d", 3, 10, 1), fill("e", -1, 11, 3), fill("f", -1, 9, 5)):
        second.take(one)
    assert losses_in_a_row([first, second]) == 2
    assert losses_in_a_row([]) == 0
    first.forget_closings()
    assert losses_in_a_row([first, second]) == 1


def test_the_average_entry_is_known_while_there_is_a_position() -> None:
    """And forgotten with it."""
    ledger = Ledger()
    assert (ledger.entry("BTCUSDT"), ledger.last_fill_time("BTCUSDT")) == (None, None)
    for one in (fill("a", 1, 10, 2), fill("a", 3, 14, 1)):
        ledger.take(one)
    assert ledger.entry("BTCUSDT") == D(13)
    assert (ledger.fill_count("BTCUSDT"), ledger.last_fill_time("BTCUSDT")) == (2, 2)
    ledger.take(fill("b", -4, 13, 3))
    assert ledger.entry("BTCUSDT") is None
