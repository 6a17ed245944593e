"""A seat's desk and reconciliation against the simulated exchanges, through unmodified ccxt."""

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from golive_engine.clock import SystemClock
from golive_engine.desk import OrderDesk
from golive_engine.journal import Journal
from golive_engine.orders import OrderState
from golive_engine.reconciliation import DisagreementError, Reconciliation
from golive_engine.trading import Intent, OrderKind, Purpose, Side, UnavailableError

D = Decimal
BUY = Intent("BTCUSDT", Side.BUY, D("0.002"))
SELL = replace(BUY, side=Side.SELL, reduce_only=True, purpose=Purpose.PROTECT)

OpenDesk = Callable[..., Any]


@pytest.fixture
def open_desk(door: Any, tmp_path: Path) -> Any:
    """Give a function that opens a desk on the venue, with a journal of a name."""
    opened: list[Journal] = []

    async def make(name: str = "desk") -> tuple[OrderDesk, Journal]:
        opened.append(journal := Journal(f"sqlite:///{tmp_path}/{name}.db"))
        desk = OrderDesk(
            "main", f"e-{door.key}", door.venue, journal, SystemClock(), lambda _: None, 20.0, lambda _: None
        )
        await desk.open()
        return desk, journal

    yield make
    for journal in opened:
        journal.close()


async def price(door: Any) -> Decimal:
    """Middle of the book, on the tick."""
    quotes = await door.venue.quotes(frozenset({"BTCUSDT"}))
    return Decimal(quotes["BTCUSDT"].middle.quantize(D(1)))


async def test_a_stop_that_the_venue_triggers_closes_the_position(door: Any, open_desk: OpenDesk) -> None:
    """Its fill is booked to the stop, at the price that the venue got, and everybody agrees."""
    desk, journal = await open_desk()
    assert (await desk.place(BUY)).state is OrderState.FILLED
    now = await price(door)
    stop = await desk.place(replace(SELL, trigger_price=(now * D("0.97")).quantize(D(1))))
    profit = replace(SELL, trigger_price=(now * D("1.05")).quantize(D(1)), takes_profit=True)
    gain = await desk.place(profit)
    assert [order.state for order in (stop, gain)] == [OrderState.WORKING] * 2
    await desk.settle()
    assert desk.resting("BTCUSDT") == desk.unsettled
    assert desk.exposures()["BTCUSDT"].reducing == 0

    await door.admin.price("BTCUSDT", now * D("0.95"))
    await desk.settle()

    assert [fill.client_order_id for fill in journal.fills("main", door.venue.name)][1:] == [
        stop.client_order_id
    ]
    assert journal.fills("main")[1].price < now * D("0.97")
    assert (desk.ledger.positions(), desk.ledger.losses_in_a_row) == ({}, 1)
    ended = await desk.cancel(gain.client_order_id)
    assert ended is None or ended.state is OrderState.ENDED, "a venue may have taken it back itself"
    reconciliation = Reconciliation(desk, door.venue)
    await reconciliation.look()
    assert (reconciliation.agreed, desk.unsettled) == (True, ())


async def test_a_trade_by_hand_is_booked_with_its_price_and_id(door: Any, open_desk: OpenDesk) -> None:
    """The seat stops for a look; the venue's own trades explain the difference."""
    desk, journal = await open_desk()
    reconciliation = Reconciliation(desk, door.venue)
    await reconciliation.start()
    await desk.place(BUY)
    await door.admin.trade(door.environment, door.key, "BTCUSDT", "SELL", "0.001")
    agreed = []
    for _ in range(2):
        await reconciliation.look()
        agreed.append(reconciliation.agreed)
    assert agreed == [False, True]
    ours, foreign = journal.fills("main")
    assert (foreign.client_order_id, foreign.signed_quantity) == (None, D("-0.001"))
    listed = await door.venue.trades("BTCUSDT", 0.0)
    assert [trade.trade_id for trade in listed][1:] == [foreign.trade_id]
    assert foreign.price == listed[1].price
    assert ours.client_order_id in desk.sent_ids


async def test_a_lost_journal_costs_history_not_control(door: Any, open_desk: OpenDesk) -> None:
    """The second start takes the position over at the venue's entry; what rests is adopted as what it is."""
    desk, _ = await open_desk()
    filled = await desk.place(BUY)
    now = await price(door)
    stop = await desk.place(replace(SELL, trigger_price=(now * D("0.97")).quantize(D(1))))
    limit = await desk.place(replace(BUY, limit_price=(now * D("0.9")).quantize(D(1))))
    await door.admin.price("BTCUSDT", now * D("1.02"))

    desk, journal = await open_desk("anew")
    reconciliation = Reconciliation(desk, door.venue)
    with pytest.raises(DisagreementError, match=r"BTCUSDT: the journal has 0, \w+ has 0.002$"):
        await reconciliation.start()
    await reconciliation.start()

    assert reconciliation.agreed
    assert [(fill.client_order_id, fill.price) for fill in journal.fills("main")] == [
        (None, filled.average_price)
    ]
    kinds = {order.client_order_id: (order.kind, order.price, order.reduce_only) for order in desk.unsettled}
    assert kinds == {
        stop.client_order_id: (OrderKind.STOP_LOSS, stop.price, True),
        limit.client_order_id: (OrderKind.LIMIT, limit.price, False),
    }
    for order in desk.unsettled:
        ended = await desk.cancel(order.client_order_id)
        assert ended is not None
        assert ended.state is OrderState.ENDED


async def test_a_profit_that_is_open_is_no_doubt(door: Any, open_desk: OpenDesk) -> None:
    """Wallet and open PnL give the equity on every venue, before and after the market has moved."""
    desk, _ = await open_desk()
    reconciliation = Reconciliation(desk, door.venue)
    await reconciliation.start()
    await desk.place(BUY)
    for move in ("1.05", "0.9"):
        await door.admin.price("BTCUSDT", (await price(door)) * D(move))
        snapshot = await reconciliation.look()
        assert reconciliation.agreed
        assert snapshot.wallet is not None
        assert abs(snapshot.equity - snapshot.wallet) > D("0.5")


async def test_a_seat_in_hedge_mode_is_not_armed(door: Any, open_desk: OpenDesk) -> None:
    """Two positions on one symbol are not what limits are made for."""
    desk, _ = await open_desk()
    await door.admin.position_mode(door.environment, door.key, is_hedged=True)
    await door.admin.trade(door.environment, door.key, "BTCUSDT", "BUY", "0.001")
    reconciliation = Reconciliation(desk, door.venue)
    with pytest.raises(UnavailableError, match="one-way"):
        await reconciliation.start()
    assert not reconciliation.agreed
