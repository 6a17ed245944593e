"""The kill protocol, step by step: three venues made of lists, each of which can fail in its own way."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from golive_engine.kill import NO_ANSWER, KillBounds, Target, kill
from golive_engine.kill_report import KillReport, SymbolReport, TargetReport
from golive_engine.trading import (
    ZERO,
    Execution,
    ExecutionStatus,
    Intent,
    OrderKind,
    Purpose,
    Side,
    Snapshot,
    UnavailableError,
    Venue,
    VenueName,
)

D = Decimal
BTC, ETH = "BTCUSDT", "ETHUSDT"
FAST = KillBounds(rounds=4, poll_seconds=0.0, most_seconds=10.0)
VENUES: tuple[VenueName, ...] = ("binanceusdm", "bybit", "okx")


def order(
    name: str, symbol: str = BTC, kind: OrderKind = OrderKind.LIMIT, *, closes: bool = False
) -> Execution:
    """A resting order; its venue id is its name."""
    working = ExecutionStatus.WORKING
    return Execution(name, name, symbol, Side.BUY, D(1), working, ZERO, ZERO, kind, reduce_only=closes)


def stop(name: str, symbol: str = BTC) -> Execution:
    """A stop loss."""
    return order(name, symbol, OrderKind.STOP_LOSS, closes=True)


class Lists:
    """A venue of two lists; what was done to it is in a third one."""

    def __init__(self, name: VenueName, orders: list[Execution], positions: dict[str, Decimal]) -> None:
        self.name = name
        self.orders = orders
        self.positions = positions
        self.done: list[str] = []
        self.fails: set[str] = set()
        self.hangs = False
        self.fills = D(1)

    async def _begin(self, what: str) -> None:
        """Fail or hang, if so told."""
        if self.hangs:
            await asyncio.Event().wait()
        if what in self.fails:
            raise UnavailableError(f"{what} failed")

    async def open_orders(self) -> list[Execution]:
        """All of them."""
        await self._begin("open_orders")
        return list(self.orders)

    async def snapshot(self) -> Snapshot:
        """Positions, and money that does not matter."""
        await self._begin("snapshot")
        return Snapshot(D(1000), ZERO, dict(self.positions))

    async def cancel(self, symbol: str, client_order_id: str, kind: OrderKind) -> None:
        """One order, found as the venues do: by symbol, id and sort."""
        await self._begin("cancel")
        await self._begin(f"cancel {client_order_id}")
        self._remove(lambda o: (o.symbol, o.client_order_id, o.kind) == (symbol, client_order_id, kind))
        self.done.append(f"cancel {client_order_id}")

    async def cancel_all(self, symbol: str, *, conditional: bool) -> None:
        """One sort of a symbol's orders."""
        await self._begin("cancel_all")
        self._remove(lambda o: o.symbol == symbol and o.kind.is_conditional == conditional)
        self.done.append(f"cancel all {symbol} {'conditional' if conditional else 'book'}")

    def _remove(self, goes: Callable[[Execution], bool]) -> None:
        self.orders = [order for order in self.orders if not goes(order)]

    def close(self, intent: Intent) -> None:
        """Fill a reduce-only market order, in full or in part."""
        assert intent.reduce_only
        assert intent.purpose is Purpose.KILL
        assert intent.kind is OrderKind.MARKET
        left = self.positions[intent.symbol] + intent.signed * self.fills
        self.done.append(f"close {intent.symbol} {intent.signed:f}")
        self.positions = {s: q for s, q in (self.positions | {intent.symbol: left}).items() if q}


def busy(name: VenueName = "binanceusdm") -> Lists:
    """A venue with two entries, one of them conditional, two stops, and a position."""
    entry = order("trigger", BTC, OrderKind.TAKE_PROFIT)
    return Lists(name, [stop("sl"), order("entry"), entry, stop("eth sl", ETH)], {BTC: D(2), ETH: D(-3)})


async def run(*venues: Any, flatten: bool, place: Any = None, bounds: KillBounds = FAST) -> KillReport:
    """The protocol on some venues."""

    async def fill(target: Target, intent: Intent) -> None:
        venue: Any = target.venue
        venue.close(intent)

    targets = [Target("main", venue, frozenset({BTC})) for venue in venues]
    return await kill(targets, place or fill, flatten=flatten, bounds=bounds)


async def test_entries_go_and_stops_stay_with_their_positions() -> None:
    """Without flattening, nothing is closed and every stop still rests."""
    venue = busy()
    report = await run(venue, flatten=False)
    assert sorted(venue.done) == ["cancel entry", "cancel trigger"]
    assert [left.client_order_id for left in venue.orders] == ["sl", "eth sl"]
    assert (report.is_done, report.is_flat) == (True, False)
    assert report.targets[0].symbols[BTC] == SymbolReport(cancelled=2, position_left=D(2))


async def test_stops_are_cancelled_last_and_only_when_flat() -> None:
    """First entries, then positions, and what protects them only after they are gone."""
    venue = busy()
    report = await run(venue, flatten=True)
    assert sorted(venue.done[:2]) == ["cancel entry", "cancel trigger"]
    assert sorted(venue.done[2:4]) == [f"close {BTC} -2", f"close {ETH} 3"]
    assert sorted(venue.done[4:]) == [f"cancel all {BTC} conditional", f"cancel all {ETH} conditional"]
    assert (report.is_done, report.is_flat, venue.orders, venue.positions) == (True, True, [], {})
    assert report.targets[0].symbols == {
        BTC: SymbolReport(cancelled=3, flattened=D(2), position_left=ZERO),
        ETH: SymbolReport(cancelled=1, flattened=D(3), position_left=ZERO),
    }


async def test_a_position_that_does_not_close_keeps_its_stop() -> None:
    """The order is refused again and again; the report says what is left, and is honest about it."""

    async def refuse(_target: Target, _intent: Intent) -> None:
        raise UnavailableError("no margin, no venue, no luck")

    venue = busy()
    report = await run(venue, flatten=True, place=refuse)
    assert [left.client_order_id for left in venue.orders] == ["sl", "eth sl"]
    assert (report.is_done, report.is_flat) == (False, False)
    assert report.targets[0].symbols[BTC].position_left == D(2)
    assert "no luck" in report.text()


async def test_a_position_without_any_order_is_closed_and_seen_to_be() -> None:
    """Done is what the venue says after the order, not that it was sent."""
    venue = Lists("okx", [], {BTC: D(1)})
    report = await run(venue, flatten=True)
    assert (report.is_done, report.is_flat) == (True, True)


async def test_a_position_that_is_left_is_not_done() -> None:
    """Even where no order is left."""

    async def lost(_target: Target, _intent: Intent) -> None:
        """An order that never arrives, and nobody says so."""

    report = await run(Lists("okx", [], {BTC: D(1)}), flatten=True, place=lost)
    assert (report.is_done, report.is_flat, report.targets[0].problem) == (False, False, "")


async def test_a_venue_that_falls_silent_later_is_not_taken_at_its_first_word() -> None:
    """What it said in the first look is shown, and that it said nothing since."""
    venue = Lists("okx", [], {BTC: D(1)})

    async def falls_silent(_target: Target, _intent: Intent) -> None:
        venue.hangs = True

    bounds = KillBounds(rounds=4, poll_seconds=0.0, most_seconds=0.3)
    report = await run(venue, flatten=True, place=falls_silent, bounds=bounds)
    assert report.targets[0].problem == NO_ANSWER
    assert report.targets[0].symbols[BTC].position_left == D(1)


async def test_what_closes_in_part_is_closed_again() -> None:
    """Each round orders what the venue says is left."""
    venue = busy()
    venue.positions, venue.fills = {BTC: D(8)}, D("0.5")
    report = await run(venue, flatten=True)
    assert [what for what in venue.done if "close" in what] == [
        f"close {BTC} -{size}" for size in ("8", "4.0", "2.00", "1.000")
    ]
    assert not report.is_flat
    assert any(left.client_order_id == "sl" for left in venue.orders)
    assert report.targets[0].symbols[BTC].flattened == D(7)


async def test_an_entry_that_fills_while_it_is_cancelled_is_flattened() -> None:
    """Positions are read after entries are gone."""
    venue = Lists("okx", [order("entry")], {})
    cancel = venue.cancel

    async def fills_first(symbol: str, client_order_id: str, kind: OrderKind) -> None:
        venue.positions = {symbol: D(1)}
        await cancel(symbol, client_order_id, kind)

    venue.cancel = fills_first  # type: ignore[method-assign]  # a race that no clock can time
    report = await run(venue, flatten=True)
    assert report.is_flat
    assert f"close {BTC} -1" in venue.done


async def test_an_entry_that_can_not_be_cancelled_keeps_the_symbols_stops() -> None:
    """It may still fill, and then something has to protect the position."""
    venue = Lists("okx", [order("entry"), stop("sl")], {})
    venue.fails = {"cancel entry"}
    report = await run(venue, flatten=True)
    assert [left.client_order_id for left in venue.orders] == ["entry", "sl"]
    assert not report.is_done
    assert report.targets[0].symbols[BTC].orders_left == 2


async def test_one_order_that_resists_holds_up_no_other() -> None:
    """Every other entry is cancelled all the same."""
    venue = Lists("okx", [order("entry"), order("other"), order("third", ETH)], {})
    venue.fails = {"cancel entry"}
    report = await run(venue, flatten=False)
    assert [left.client_order_id for left in venue.orders] == ["entry"]
    assert "cancel entry failed" in report.text()


async def test_unseen_entries_are_cancelled_in_the_book() -> None:
    """A venue that does not tell what rests is told to cancel; stops are kept elsewhere and stay."""
    venue = busy()
    venue.fails = {"open_orders"}
    report = await run(venue, flatten=False)
    assert venue.done == [f"cancel all {BTC} book"] * 4
    assert any(left.client_order_id == "sl" for left in venue.orders)
    assert not report.is_done
    assert "open_orders failed" in report.text()


async def test_positions_are_closed_although_orders_can_not_be_seen() -> None:
    """Their stops stay, for an entry that nobody saw may fill; and it is not done."""
    venue = busy()
    venue.fails = {"open_orders"}
    report = await run(venue, flatten=True)
    assert venue.positions == {}
    assert any(left.client_order_id == "sl" for left in venue.orders)
    assert not report.is_done


async def test_positions_that_can_not_be_read_are_neither_flat_nor_done() -> None:
    """Entries are cancelled; the rest is not known and says so."""
    venue = busy()
    venue.fails = {"snapshot"}
    report = await run(venue, flatten=True)
    assert sorted(venue.done) == ["cancel entry", "cancel trigger"]
    assert (report.is_done, report.is_flat) == (False, False)
    assert report.targets[0].symbols[BTC].position_left is None
    assert "unknown" in report.text()


async def test_an_order_of_somebody_else_without_an_id_goes_with_the_book() -> None:
    """Orders by hand have no client id on some venues."""
    venue = Lists("bybit", [replace(order("by hand"), client_order_id=""), stop("sl")], {BTC: D(1)})
    report = await run(venue, flatten=False)
    assert venue.done == [f"cancel all {BTC} book"]
    assert report.is_done


async def test_a_conditional_order_of_somebody_else_waits_until_its_symbol_is_flat() -> None:
    """It can go only together with the stops: it is reported, and cancelled after flattening."""
    orders = [replace(order("by hand", BTC, OrderKind.STOP_LOSS), client_order_id=""), stop("sl")]
    venue = Lists("bybit", list(orders), {BTC: D(1)})
    assert not (await run(venue, flatten=False)).is_done
    assert venue.orders == orders
    assert (await run(venue, flatten=True)).is_done
    assert venue.orders == []


FAILURES: dict[str, Callable[[Lists], None]] = {
    "is down": lambda venue: venue.fails.update({"open_orders", "snapshot", "cancel", "cancel_all"}),
    "hangs": lambda venue: setattr(venue, "hangs", True),
    "raises what nobody expects": lambda venue: setattr(venue, "orders", None),
}


@pytest.mark.parametrize("flatten", [False, True], ids=["entries only", "flatten"])
@pytest.mark.parametrize("breaks", FAILURES.values(), ids=FAILURES)
async def test_no_venue_waits_for_one_that(breaks: Callable[[Lists], None], flatten: bool) -> None:  # noqa: FBT001  # a row
    """The two others are done, in time; the third is reported."""
    venues = [busy(name) for name in VENUES]
    breaks(venues[1])
    bounds = KillBounds(rounds=4, poll_seconds=0.0, most_seconds=0.5)
    report = await asyncio.wait_for(run(*venues, flatten=flatten, bounds=bounds), 5)
    assert [target.is_clear for target in report.targets] == [True, False, True]
    assert [target.is_flat for target in report.targets] == [flatten, False, flatten]
    assert (report.is_done, report.is_flat) == (False, False)
    assert "main on bybit: " in report.text()


async def test_venues_are_cancelled_side_by_side() -> None:
    """The second one is reached while the first has not answered yet."""
    venues, met = [busy(name) for name in VENUES], asyncio.Barrier(3)
    for venue in venues:
        look = venue.open_orders

        async def together(look: Callable[[], Awaitable[list[Execution]]] = look) -> list[Execution]:
            async with asyncio.timeout(5):
                await met.wait()
            return await look()

        venue.open_orders = together  # type: ignore[method-assign]  # answers only when all were asked
    assert (await run(*venues, flatten=False)).is_done


async def test_an_entry_that_appears_late_is_found_in_a_later_round() -> None:
    """An order that was under way when the protocol began."""
    venue = Lists("okx", [order("first")], {})
    cancel = venue.cancel

    async def another_appears(symbol: str, client_order_id: str, kind: OrderKind) -> None:
        await cancel(symbol, client_order_id, kind)
        if client_order_id == "first":
            venue.orders.append(order("late"))

    venue.cancel = another_appears  # type: ignore[method-assign]  # a race that no clock can time
    assert (await run(venue, flatten=False)).is_done
    assert venue.done == ["cancel first", "cancel late"]


async def test_without_a_venue_there_is_nothing_to_do() -> None:
    """An engine without accounts in its reach is flat."""
    assert (await run(flatten=True)).is_done


def test_the_report_as_a_table() -> None:
    """Only symbols with something to tell, and a verdict that can't be overlooked."""
    quiet = SymbolReport(position_left=ZERO)
    rows = {BTC: SymbolReport(2, 1, D("0.5"), D("-0.25")), ETH: quiet}
    report = KillReport(
        flatten=True,
        targets=(
            TargetReport("main", "binanceusdm", "", rows),
            TargetReport("paper", "okx", NO_ANSWER, {BTC: SymbolReport()}),
        ),
    )
    assert report.text().splitlines() == [
        "account  venue        symbol   cancelled  orders left  flattened  position left",
        "main     binanceusdm  BTCUSDT  2          1            0.5        -0.25",
        "paper    okx          BTCUSDT  0          0            0          unknown",
        "paper on okx: no answer in time",
        "NOT FLAT; NOT DONE: look at the venues yourself",
    ]
    kept = json.loads(report.json())
    assert (kept["flat"], kept["done"], kept["flatten"]) == (False, False, True)
    assert kept["targets"][0]["symbols"][BTC]["position_left"] == "-0.25"
    assert kept["targets"][1]["problem"] == NO_ANSWER


def test_the_lists_are_a_venue_as_far_as_the_protocol_goes() -> None:
    """Every method that the protocol calls has the name that a venue has."""
    assert {"open_orders", "snapshot", "cancel", "cancel_all"} <= vars(Venue).keys() & vars(Lists).keys()
