"""An order's states: one table, final states final, fills counted once."""

from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from golive_engine.orders import (
    OUTCOME_UNKNOWN,
    TRANSITIONS,
    UNSETTLED,
    ImpossibleTransitionError,
    Order,
    OrderEvent,
    OrderState,
    fill_between,
    may_count_as_refused,
)
from golive_engine.trading import Execution, ExecutionStatus, Side

D = Decimal
ORDER = Order("gl-1", "main", "okx", "BTCUSDT", Side.SELL, D(4), reduce_only=False, created=100.0)


def report(status: ExecutionStatus, filled: Decimal, price: int = 10) -> Execution:
    """What the venue says of the order."""
    return Execution("gl-1", "7", "BTCUSDT", Side.SELL, D(4), status, filled, D(price))


@pytest.mark.parametrize("state", list(OrderState))
def test_the_table_names_every_state(state: OrderState) -> None:
    """No state without a row."""
    assert state in TRANSITIONS


FINAL = [OrderState.FILLED, OrderState.ENDED, OrderState.REFUSED, OrderState.WITHHELD]


@pytest.mark.parametrize("state", FINAL)
def test_no_report_moves_what_is_final(state: OrderState) -> None:
    """Nothing but reconciliation goes on with a filled, ended, refused or withheld order."""
    assert state not in UNSETTLED
    for event in set(OrderEvent) - {OrderEvent.REAPPEARS}:
        with pytest.raises(ImpossibleTransitionError):
            replace(ORDER, state=state).after(event)


@pytest.mark.parametrize("state", [state for state in OrderState if state not in FINAL[1:]])
def test_only_what_was_thought_to_be_over_reappears(state: OrderState) -> None:
    """A full fill is the last word; what is asked about anyway needs no such event."""
    with pytest.raises(ImpossibleTransitionError):
        replace(ORDER, state=state).after(OrderEvent.REAPPEARS)


def test_what_reappears_works_and_counts_in_full() -> None:
    """It goes on from what was filled before."""
    ended = ORDER.reported(report(ExecutionStatus.ENDED, D(1), 10))
    again = ended.after(OrderEvent.REAPPEARS)
    assert (again.state, again.remaining) == (OrderState.WORKING, D(3))
    assert fill_between(again, again.reported(report(ExecutionStatus.ENDED, D(3), 12))) == (D(-2), D(13))


UNBELIEVABLE = {
    "of another side": replace(report(ExecutionStatus.FILLED, D(4)), side=Side.BUY),
    "of another symbol": replace(report(ExecutionStatus.FILLED, D(4)), symbol="ETHUSDT"),
    "with more filled than ordered": report(ExecutionStatus.FILLED, D(40)),
    "with fills that have no price": report(ExecutionStatus.WORKING, D(1), 0),
}


@pytest.mark.parametrize("execution", UNBELIEVABLE.values(), ids=UNBELIEVABLE)
def test_no_order_takes_a_report(execution: Execution) -> None:
    """An id used twice, or contracts taken for coins, must not become a position."""
    with pytest.raises(ImpossibleTransitionError):
        ORDER.reported(execution)


def test_the_venues_own_id_is_kept() -> None:
    """The last one told; a report without one takes it away from nobody."""
    first = ORDER.reported(report(ExecutionStatus.WORKING, D(1)))
    assert first.venue_order_id == "7"
    assert (
        first.reported(replace(report(ExecutionStatus.WORKING, D(2)), venue_order_id="")).venue_order_id == "7"
    )


def test_an_order_that_may_have_been_sent_is_never_withheld() -> None:
    """Withheld means that no byte left, which nobody can say of an unknown order."""
    with pytest.raises(ImpossibleTransitionError):
        ORDER.after(OrderEvent.LOST).after(OrderEvent.WITHHOLDS)


def test_a_confirmed_order_is_never_refused() -> None:
    """The venue had it: silence later is no refusal."""
    with pytest.raises(ImpossibleTransitionError):
        ORDER.after(OrderEvent.WORKS).after(OrderEvent.REFUSES)


def test_pending_counts_as_unknown() -> None:
    """After a crash nobody knows whether a written order was sent."""
    assert OrderState.PENDING in OUTCOME_UNKNOWN
    assert ORDER.remaining == D(4)


def test_fills_are_what_is_new_since_the_last_report() -> None:
    """Two reports, two fills, each at its own price."""
    first = ORDER.reported(report(ExecutionStatus.WORKING, D(1), 10))
    second = first.reported(report(ExecutionStatus.FILLED, D(4), 13))
    assert fill_between(ORDER, first) == (D(-1), D(10))
    assert fill_between(first, second) == (D(-3), D(14))
    assert fill_between(second, second) is None


def test_an_older_report_changes_nothing() -> None:
    """Answers may arrive out of order."""
    first = ORDER.reported(report(ExecutionStatus.WORKING, D(2)))
    assert first.reported(report(ExecutionStatus.WORKING, D(1))) == first


@pytest.mark.parametrize(("age", "refused"), [(0.0, False), (24.9, False), (25.0, True), (-5.0, False)])
def test_not_found_counts_as_refused_only_after_the_settle_time(age: float, refused: bool) -> None:  # noqa: FBT001  # data
    """Before that the request may still be on its way."""
    assert may_count_as_refused(ORDER, 100.0 + age, 25.0) is refused


@given(st.lists(st.integers(0, 4), max_size=8))
def test_fills_add_up_to_the_filled_quantity(filled: list[int]) -> None:
    """However reports are ordered, nothing is counted twice and nothing is lost."""
    order, total = ORDER, D(0)
    for quantity in filled:
        if order.state not in UNSETTLED:
            break
        status = ExecutionStatus.FILLED if quantity == 4 else ExecutionStatus.WORKING
        after = order.reported(report(status, D(quantity)))
        fill = fill_between(order, after)
        total += fill[0] if fill else 0
        order = after
    assert total == -order.filled
    assert order.filled == max([D(0), *map(D, filled)])
