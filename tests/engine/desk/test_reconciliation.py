"""Journal and venue are made to agree, at start and while trading; until they do, nothing is traded."""

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from golive_engine.journal import Journal, JournalError
from golive_engine.orders import OrderState
from golive_engine.reconciliation import (
    BalanceDoubtfulError,
    DisagreementError,
    differences,
    explaining,
)
from golive_engine.trading import (
    ZERO,
    Execution,
    ExecutionStatus,
    Intent,
    OrderKind,
    Purpose,
    Side,
    Snapshot,
    Trade,
    UnavailableError,
)

D = Decimal
BUY = Intent("BTCUSDT", Side.BUY, D(2))
LIMIT = Intent("BTCUSDT", Side.BUY, D(1), limit_price=D(95))
STOP = Intent("BTCUSDT", Side.SELL, D(2), reduce_only=True, trigger_price=D(88), purpose=Purpose.PROTECT)


def of_ours(room: Any) -> list[tuple[str | None, Decimal, Decimal]]:
    """What the journal's fills belong to, how much they are, and at what price."""
    fills = room.journal.fills("main", "okx")
    return [(fill.client_order_id, fill.signed_quantity, fill.price) for fill in fills]


async def looks(room: Any, times: int) -> list[bool]:
    """Whether journal and venue agree after each of some looks of one start."""
    reconciliation, agreed = room.reconciliation, []
    reconciliation.agreed = True
    for _ in range(times):
        await reconciliation.look()
        agreed.append(reconciliation.agreed)
    return agreed


def test_differences_leave_out_what_is_unknown() -> None:
    """A symbol with an order of unknown outcome may differ; every other may not."""
    ours, theirs = {"A": D(1), "B": D(2), "C": D(3)}, {"A": D(1), "B": D(5), "D": D(-1), "E": D(9)}
    assert differences(ours, theirs, frozenset({"E"})) == {"B": D(3), "C": D(-3), "D": D(-1)}


def trade(number: int, signed: int) -> Trade:
    """One trade by hand."""
    side = Side.BUY if signed > 0 else Side.SELL
    return Trade(f"t{number}", "by-hand", "BTCUSDT", side, D(abs(signed)), D(100), float(number))


EXPLAINED = {
    "all of them": ([1, 2], 3, 2),
    "the newest only": ([5, -1, 2], 2, 1),
    "what was bought and sold again besides": ([2, 3, -3], 2, 3),
    "none, if they add up to something else": ([1, 1], 3, 0),
    "none, if there are none": ([], 3, 0),
}


@pytest.mark.parametrize(("trades", "difference", "number"), EXPLAINED.values(), ids=EXPLAINED)
def test_a_difference_is_explained_by(trades: list[int], difference: int, number: int) -> None:
    """The newest trades that add up to it."""
    listed = [trade(number, signed) for number, signed in enumerate(trades)]
    assert list(explaining(listed, D(difference))) == listed[len(listed) - number :]


async def test_a_seat_in_agreement_is_armed(room: Any) -> None:
    """With positions and resting orders that both sides know."""
    for intent in (BUY, STOP, LIMIT):
        await room.desk.place(intent)
    reconciliation = room.reconciliation
    assert not reconciliation.agreed
    snapshot = await reconciliation.start()
    assert reconciliation.agreed
    assert snapshot.positions == room.desk.ledger.positions() == {"BTCUSDT": D(2)}
    assert len(room.journal.fills("main")) == 1
    reconciliation.forget()
    assert not reconciliation.agreed


async def test_a_seat_is_not_armed_while_an_outcome_is_unknown(room: Any) -> None:
    """The message names the symbol."""
    room.venue.fault = "drop"
    await room.desk.place(BUY)
    reconciliation = room.reconciliation
    with pytest.raises(UnavailableError, match=r"^outcome unknown on BTCUSDT$"):
        await reconciliation.start()
    assert not reconciliation.agreed


async def test_a_start_asks_first_what_became_of_unknown_orders(room: Any) -> None:
    """What was lost on the way is booked to its order, and nothing has to be explained."""
    room.venue.fault = "lose"
    order = await room.desk.place(BUY)
    assert room.desk.unknown_symbols == {"BTCUSDT"}
    await room.reconciliation.start()
    assert of_ours(room) == [(order.client_order_id, D(2), D(100))]


async def test_a_seat_is_not_armed_while_its_venue_does_not_answer(room: Any) -> None:
    """Whoever does not know waits."""
    room.venue.down = True
    reconciliation = room.reconciliation
    with pytest.raises(UnavailableError):
        await reconciliation.start()
    assert not reconciliation.agreed


async def test_a_position_of_unknown_origin_is_taken_over_by_the_second_start(room: Any) -> None:
    """The first one refuses in one sentence, with both numbers: a venue may show a position late.

    It is taken over at the entry that the venue tells, once; a lost journal costs history, not control.
    """
    room.venue.hidden = D(3)
    reconciliation = room.reconciliation
    with pytest.raises(DisagreementError, match=r"^BTCUSDT: the journal has 0, okx has 3$"):
        await reconciliation.start()
    assert (reconciliation.agreed, of_ours(room)) == (False, [])
    for _ in range(2):
        await reconciliation.start()
    assert reconciliation.agreed
    assert of_ours(room) == [(None, D(3), D(90))]
    assert room.desk.ledger.positions() == {"BTCUSDT": D(3)}


async def test_a_start_that_sees_another_position_than_the_one_before_refuses_again(room: Any) -> None:
    """And so does one that has forgotten what it saw."""
    reconciliation = room.reconciliation
    for hidden in (D(1), D(2)):
        room.venue.hidden = hidden
        with pytest.raises(DisagreementError):
            await reconciliation.start()
    reconciliation.forget()
    with pytest.raises(DisagreementError):
        await reconciliation.start()
    assert of_ours(room) == []


async def test_a_trade_by_hand_stops_the_seat_and_is_booked_when_it_stays(
    room: Any, caplog: pytest.LogCaptureFixture
) -> None:
    """At its true price and under its own id; both numbers are told."""
    await room.desk.place(BUY)
    room.clock.advance(60)
    room.venue.price = D(97)
    room.venue.trade(Side.SELL, D("0.5"))
    room.venue.price = D(80)
    assert await looks(room, 3) == [False, True, True]
    assert of_ours(room)[1:] == [(None, D("-0.5"), D(97))]
    assert room.journal.fills("main")[1].trade_id == room.venue.booked[-1].trade_id
    assert "BTCUSDT: the journal has 2, okx has 1.5" in caplog.text
    assert room.desk.ledger.losses_in_a_row == 0


async def test_a_trade_by_hand_on_a_symbol_without_fills_is_found(room: Any) -> None:
    """Trades count from when the journal was opened."""
    room.clock.advance(60)
    room.venue.trade(Side.BUY, D(1))
    assert await looks(room, 2) == [False, True]
    assert of_ours(room) == [(None, D(1), D(100))]


async def test_each_trade_by_hand_is_booked_once(room: Any) -> None:
    """Also where the next one follows within the tolerance of the clocks."""
    for price in (D(97), D(98)):
        room.venue.price = price
        room.venue.trade(Side.BUY, D(1))
        assert await looks(room, 2) == [False, True]
    assert of_ours(room) == [(None, D(1), D(97)), (None, D(1), D(98))]


async def test_a_booked_trade_explains_nothing_more(room: Any) -> None:
    """Also within the tolerance of the clocks: what comes after it has to be inferred."""
    room.venue.trade(Side.BUY, D(1))
    assert await looks(room, 2) == [False, True]
    room.venue.hidden = D(1)
    assert await looks(room, 2) == [False, True]
    ids = [fill.trade_id for fill in room.journal.fills("main")]
    assert ids == [room.venue.booked[0].trade_id, "inferred-2"]


async def test_a_trade_of_ours_is_never_taken_for_somebody_elses(room: Any) -> None:
    """It is known by the venue's id of its order."""
    room.venue.price = D(97)
    room.venue.trade(Side.BUY, D(1))
    room.venue.price = D(100)
    await room.desk.place(BUY)
    assert await looks(room, 2) == [False, True]
    assert [(signed, price) for _, signed, price in of_ours(room)] == [(D(2), D(100)), (D(1), D(97))]


async def test_trades_from_before_the_journal_was_opened_are_not_searched(
    room: Any, make_room: Callable[..., Any]
) -> None:
    """A position that was always there has an entry, which the venue tells; its history is not needed."""
    room.venue.trade(Side.BUY, D(1))
    room.clock.advance(60)
    later = await make_room(room.venue)
    assert await looks(later, 2) == [False, True]
    assert of_ours(later) == [(None, D(1), D(90))]


async def test_what_no_trade_explains_is_taken_over_at_todays_price(room: Any) -> None:
    """Once it has stayed over two looks; its id tells that it was inferred."""
    await room.desk.place(BUY)
    room.venue.hidden = D(-1)
    room.venue.price = D(93)
    assert await looks(room, 2) == [False, True]
    assert of_ours(room)[1:] == [(None, D(-1), D(93))]
    assert room.journal.fills("main")[1].trade_id == "inferred-2"


async def test_a_position_is_taken_over_once_whoever_does_it(room: Any, make_room: Callable[..., Any]) -> None:
    """Two pods that read the same journal would write the same fill: the second one is refused."""
    second = await make_room(room.venue)
    await room.desk.correct("BTCUSDT", D(1), D(100))
    with pytest.raises(JournalError):
        await second.desk.correct("BTCUSDT", D(1), D(100))
    assert len(room.journal.fills("main")) == 1
    await room.desk.correct("BTCUSDT", D(-1), D(100))
    await room.desk.correct("BTCUSDT", D(1), D(100))
    assert len(room.journal.fills("main")) == 3


async def test_a_difference_that_changes_is_not_taken_over(room: Any) -> None:
    """It has to stay the same over two looks."""
    reconciliation = room.reconciliation
    for hidden in (1, 2, 3):
        room.venue.hidden = D(hidden)
        await reconciliation.look()
        assert not reconciliation.agreed
    assert of_ours(room) == []
    room.venue.hidden = ZERO
    await reconciliation.look()
    assert reconciliation.agreed


async def test_a_fill_between_two_reads_is_no_difference(room: Any) -> None:
    """Our orders are asked about once more before anybody is stopped."""
    order = await room.desk.place(LIMIT)
    snapshot = room.venue.snapshot

    async def late() -> Snapshot:
        room.venue.snapshot = snapshot
        room.venue.fill(order.client_order_id, D(1))
        told: Snapshot = await snapshot()
        return told

    room.venue.snapshot = late
    assert await looks(room, 1) == [True]
    assert of_ours(room) == [(order.client_order_id, D(1), D(100))]


async def test_a_stop_loss_hides_no_difference(room: Any) -> None:
    """It rests for as long as there is a position: that must not be for as long as nobody looks."""
    for intent in (BUY, STOP):
        await room.desk.place(intent)
    room.venue.hidden = D(-1)
    assert await looks(room, 1) == [False]


async def test_the_symbol_of_an_unknown_order_does_not_stop_the_others(room: Any) -> None:
    """The RiskGate blocks it by itself; the seat trades on."""
    room.venue.fault = "drop"
    await room.desk.place(BUY)
    room.venue.hidden = D(1)
    assert await looks(room, 2) == [True, True]
    assert of_ours(room) == []


async def test_a_fill_of_an_order_that_counted_as_refused_is_booked_to_it(room: Any) -> None:
    """It arrived after all: the order is asked about again before anything is taken over."""
    room.venue.fault = "lose"
    lost = await room.desk.place(BUY)
    kept, room.venue.orders = room.venue.orders, {}
    room.clock.advance(20)
    await room.desk.settle()
    assert room.journal.orders("main")[0].state is OrderState.REFUSED
    room.venue.orders = kept
    assert await looks(room, 2) == [False, True]
    assert of_ours(room) == [(lost.client_order_id, D(2), D(100))]
    assert room.journal.orders("main")[0].state is OrderState.FILLED
    steps = [change.state.value for change in room.journal.order_changes(lost.client_order_id)]
    assert steps == ["pending", "unknown", "refused", "working", "filled"]


async def test_the_last_fill_of_a_cancelled_order_is_booked_to_it(room: Any) -> None:
    """The venue told of the cancellation first."""
    order = await room.desk.place(LIMIT)
    await room.desk.cancel(order.client_order_id)
    room.venue.fill(order.client_order_id, D("0.25"))
    assert await looks(room, 2) == [False, True]
    assert of_ours(room) == [(order.client_order_id, D("0.25"), D(100))]
    after = room.journal.orders("main")[0]
    assert (after.state, after.filled) == (OrderState.ENDED, D("0.25"))


def resting(name: str, kind: OrderKind = OrderKind.LIMIT) -> Execution:
    """An order on the venue."""
    reduces = kind is not OrderKind.LIMIT
    return Execution(
        name,
        "v77",
        "BTCUSDT",
        Side.SELL,
        D(2),
        ExecutionStatus.WORKING,
        ZERO,
        ZERO,
        kind,
        reduces,
        D(120),
    )


async def test_resting_orders_of_ours_that_the_journal_lost_are_adopted(room: Any) -> None:
    """With kind, price and purpose; orders of others are left alone."""
    names = [f"{room.desk.prefix}abcdef00000{number}" for number in (907, 908)]
    for execution in (
        resting(names[0]),
        resting(names[1], OrderKind.STOP_LOSS),
        resting("gl000000abcdef00000001"),
    ):
        room.venue.orders[execution.client_order_id] = execution
    await room.reconciliation.start()
    limit, stop = room.desk.unsettled
    assert [limit.client_order_id, stop.client_order_id] == names
    assert (limit.kind, limit.price, limit.purpose) == (OrderKind.LIMIT, D(120), Purpose.TRADE)
    assert (stop.kind, stop.price, stop.purpose) == (OrderKind.STOP_LOSS, D(120), Purpose.PROTECT)
    assert room.desk.exposures()["BTCUSDT"].selling == D(2)
    assert room.journal.orders("main", "okx") == [limit, stop]
    assert int(room.desk.next_id()[-8:]) == 909, "an order of a newer journal than this one"
    await room.reconciliation.start()
    assert len(room.journal.orders("main")) == 2


@pytest.mark.parametrize("state", [OrderState.REFUSED, OrderState.ENDED, OrderState.WITHHELD])
async def test_a_resting_order_that_was_thought_to_be_over_counts_again(room: Any, state: OrderState) -> None:
    """Also while trading: an order that nobody counts could grow a position beyond every limit."""
    order = await room.desk.place(LIMIT)
    room.journal.update_order(order, replace(order, state=state))
    await room.desk.open()
    assert room.desk.exposures() == {}
    assert await looks(room, 1) == [True]
    assert room.desk.exposures()["BTCUSDT"].buying == D(1)
    assert room.journal.orders("main")[0].state is OrderState.WORKING


async def test_a_look_at_what_is_known_does_not_read_the_journal(room: Any, journal: Journal) -> None:
    """It comes every cycle, and after every order: history may be long."""
    for intent in (BUY, STOP, LIMIT):
        await room.desk.place(intent)
    with journal._engine.begin() as connection:  # noqa: SLF001  # no read would succeed
        connection.exec_driver_sql("ALTER TABLE orders RENAME TO gone")
    assert await looks(room, 2) == [True, True]


async def test_a_filled_order_in_a_list_that_lags_is_left_alone(room: Any) -> None:
    """A full fill is the last word."""
    order = await room.desk.place(BUY)
    told = room.venue.orders[order.client_order_id]
    await room.desk.adopt(replace(told, status=ExecutionStatus.WORKING, filled_quantity=ZERO))
    assert room.desk.unsettled == ()


@pytest.mark.parametrize("bonus", [D(-1000), D(500), D("12")])
async def test_a_balance_that_does_not_add_up_is_no_reading(room: Any, bonus: Decimal) -> None:
    """Wallet and open PnL have to give the equity within a hundredth; until they do, nothing is traded."""
    await room.desk.place(BUY)
    reconciliation = room.reconciliation
    await reconciliation.start()
    room.venue.bonus = bonus
    with pytest.raises(BalanceDoubtfulError, match=r"^equity \d+ is not wallet 1000 and open PnL 20$"):
        await reconciliation.look()
    assert not reconciliation.agreed
    with pytest.raises(BalanceDoubtfulError):
        await room.reconciliation.start()
    room.venue.bonus = D(9)
    await reconciliation.look()
    assert reconciliation.agreed


UNVALUED = {
    "without an entry": Snapshot(D(1000), ZERO, {"BTCUSDT": D(1)}, {}, D(1000)),
    "without a price": Snapshot(D(1000), ZERO, {"XRPUSDT": D(1)}, {"XRPUSDT": D(1)}, D(1000)),
}


@pytest.mark.parametrize("snapshot", UNVALUED.values(), ids=UNVALUED)
async def test_a_balance_is_doubtful_with_a_position(room: Any, snapshot: Snapshot) -> None:
    """Whoever can't add up does not believe; a venue that tells no wallet leaves nothing to add up."""
    [symbol] = snapshot.positions
    await room.desk.correct(symbol, D(1), D(100))
    reconciliation = room.reconciliation
    await reconciliation.check(replace(snapshot, wallet=None))
    assert reconciliation.agreed
    with pytest.raises(BalanceDoubtfulError, match=f"no price or no entry of {symbol}"):
        await reconciliation.check(snapshot)
    assert not reconciliation.agreed


async def test_a_position_without_a_price_is_not_taken_over(room: Any) -> None:
    """At zero it would look like a gain without end."""
    await room.desk.correct("XRPUSDT", D(1), D(1))
    snapshot = Snapshot(D(1000), ZERO, {"XRPUSDT": D(2)})
    reconciliation = room.reconciliation
    await reconciliation.check(snapshot)
    with pytest.raises(UnavailableError, match="no price of XRPUSDT"):
        await reconciliation.check(snapshot)
    assert not reconciliation.agreed


async def test_a_journal_that_fails_leaves_the_seat_unarmed(room: Any, journal: Journal) -> None:
    """Nothing that was not written down is agreed upon."""
    room.venue.hidden = D(3)
    reconciliation = room.reconciliation
    full = "CREATE TRIGGER full BEFORE INSERT ON fills BEGIN SELECT RAISE(ABORT, 'disk full'); END"
    with journal._engine.begin() as connection:  # noqa: SLF001  # somebody breaks it
        connection.exec_driver_sql(full)
    with pytest.raises(DisagreementError):
        await reconciliation.start()
    with pytest.raises(JournalError, match="disk full"):
        await reconciliation.start()
    assert not reconciliation.agreed
    assert room.desk.ledger.positions() == {}
