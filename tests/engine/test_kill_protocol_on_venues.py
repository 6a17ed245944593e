"""The kill protocol and protection on three venues at once: real clients, a simulated exchange, real faults."""

from collections.abc import Callable
from decimal import Decimal
from itertools import count
from typing import Any

import pytest

from golive_engine.breaker import CircuitBreaker, GuardedVenue
from golive_engine.clock import SystemClock
from golive_engine.kill import KillBounds, Target, kill
from golive_engine.kill_report import KillReport
from golive_engine.protection import Cancel, Holding, Place, plan
from golive_engine.settings import BreakerSettings
from golive_engine.trading import Intent, OrderKind, RefusedError, Side, UnavailableError, Venue, VenueName

D = Decimal
BTC = "BTCUSDT"
SIZE = D("0.02")
VENUES: tuple[VenueName, ...] = ("binanceusdm", "bybit", "okx")
STOP, PROFIT = OrderKind.STOP_LOSS, OrderKind.TAKE_PROFIT
NUMBERS = count(1)
BOUNDS = KillBounds(rounds=20, poll_seconds=0.1, most_seconds=30.0)


class Hand:
    """Sends orders on one venue, with ids that count up."""

    def __init__(self, door: Any) -> None:
        self.door = door
        self.venue: Venue = door.venue
        self.sent = 0

    async def send(self, side: Side, quantity: Decimal, **wanted: Any) -> None:
        """One order."""
        self.sent += 1
        await self.venue.send(Intent(BTC, side, quantity, **wanted), f"glkill{self.sent:08d}", lambda: None)

    async def carry_out(self, step: Place | Cancel) -> None:
        """One step of a plan."""
        if isinstance(step, Cancel):
            await self.venue.cancel(BTC, step.client_order_id, step.kind)
        else:
            self.sent += 1
            await self.venue.send(step.intent, f"glkill{self.sent:08d}", lambda: None)

    async def held(self) -> Decimal:
        """The position."""
        return (await self.venue.snapshot()).positions.get(BTC, D(0))

    async def rests(self) -> list[tuple[OrderKind, bool]]:
        """Kind and reduce-only of everything that rests."""
        return sorted((order.kind, order.reduce_only) for order in await self.venue.open_orders())

    async def holding(self) -> Holding:
        """The position as it is to be protected."""
        instrument = (await self.venue.instruments())[BTC]
        snapshot = await self.venue.snapshot()
        entry = snapshot.entries.get(BTC, D(0))
        return Holding(instrument, snapshot.positions.get(BTC, D(0)), entry, D(2), D(4))

    async def protect(self) -> None:
        """Carry a plan out."""
        for step in plan(await self.holding(), await self.venue.open_orders()):
            await self.carry_out(step)


async def ready(open_door: Callable[..., Any], name: VenueName, **settings: Any) -> Hand:
    """A seat that may trade."""
    hand = Hand(open_door(name, **settings))
    await hand.venue.instruments()
    await hand.venue.set_leverage(BTC, 5)
    return hand


async def trading(open_door: Callable[..., Any], name: VenueName, **settings: Any) -> Hand:
    """A seat with a protected position, two entries in the book, and one that waits for its trigger."""
    hand = await ready(open_door, name, **settings)
    price = (await hand.venue.quotes(frozenset({BTC})))[BTC].middle
    await hand.send(Side.BUY, SIZE)
    await hand.protect()
    for share in (D("0.8"), D("0.9")):
        await hand.send(Side.BUY, SIZE, limit_price=(price * share).quantize(D(1)))
    await hand.send(Side.BUY, SIZE, trigger_price=(price * D("1.2")).quantize(D(1)))
    assert await hand.held() == SIZE
    assert len(await hand.rests()) == 5
    return hand


async def flatten(target: Target, intent: Intent) -> None:
    """Send what the protocol wants."""
    await target.venue.send(intent, f"glflat{next(NUMBERS):08d}", lambda: None)


async def run(hands: list[Hand], *, flat: bool, bounds: KillBounds = BOUNDS) -> KillReport:
    """The protocol on every seat."""
    targets = [Target("main", hand.venue, frozenset({BTC})) for hand in hands]
    return await kill(targets, flatten, flatten=flat, bounds=bounds)


async def test_entries_go_on_all_venues_and_protection_stays(open_door: Callable[..., Any]) -> None:
    """Conditional entries among them, wherever the venue keeps those; positions keep stop and take profit."""
    hands = [await trading(open_door, name) for name in VENUES]
    report = await run(hands, flat=False)
    print(report.text())
    assert report.is_done
    assert not report.is_flat
    for hand, target in zip(hands, report.targets, strict=True):
        assert await hand.rests() == [(STOP, True), (PROFIT, True)]
        assert await hand.held() == SIZE
        assert target.symbols[BTC].cancelled == 3


async def test_flattening_leaves_nothing_on_any_venue(open_door: Callable[..., Any]) -> None:
    """No order of any sort, and no position; seen by the venues' own answers."""
    hands = [await trading(open_door, name) for name in VENUES]
    report = await run(hands, flat=True)
    print(report.text())
    assert (report.is_done, report.is_flat) == (True, True)
    for hand, target in zip(hands, report.targets, strict=True):
        assert await hand.rests() == []
        assert await hand.held() == 0
        assert (target.symbols[BTC].cancelled, target.symbols[BTC].flattened) == (5, SIZE)


@pytest.mark.parametrize("down", VENUES)
async def test_two_venues_are_done_while_one_is_down(open_door: Callable[..., Any], down: VenueName) -> None:
    """It is reported as what it is: not known, so neither flat nor done; and done when it is back."""
    hands = [await trading(open_door, name, timeout_seconds=1.0) for name in VENUES]
    failed = hands[VENUES.index(down)]
    await failed.door.admin.add_fault("drop-before-accept", environment=failed.door.environment)
    report = await run(hands, flat=True, bounds=KillBounds(rounds=3, poll_seconds=0.1, most_seconds=20.0))
    print(report.text())
    assert [target.is_flat and target.is_clear for target in report.targets] == [n != down for n in VENUES]
    assert (report.is_done, report.is_flat) == (False, False)
    await failed.door.admin.clear_faults()
    assert await failed.held() == SIZE
    assert (await run(hands, flat=True)).is_done


async def test_the_report_comes_in_time_from_a_venue_that_hangs(open_door: Callable[..., Any]) -> None:
    """Answers that take a minute are not waited for."""
    hands = [await trading(open_door, name, timeout_seconds=60.0) for name in VENUES]
    slow = hands[1].door
    await slow.admin.add_fault("delay", environment=slow.environment, delay_ms=60_000)
    report = await run(hands, flat=False, bounds=KillBounds(rounds=20, poll_seconds=0.1, most_seconds=3.0))
    assert [target.is_clear for target in report.targets] == [True, False, True]
    assert report.targets[1].problem == "no answer in time"


@pytest.mark.parametrize("name", VENUES)
async def test_a_cancelled_stop_is_created_anew_on(open_door: Callable[..., Any], name: VenueName) -> None:
    """And a second look finds nothing to do: what the venue tells equals what was asked for."""
    hand = await ready(open_door, name)
    await hand.send(Side.SELL, SIZE)
    await hand.protect()
    assert plan(await hand.holding(), await hand.venue.open_orders()) == ()
    stop = next(order for order in await hand.venue.open_orders() if order.kind is STOP)
    await hand.venue.cancel(BTC, stop.client_order_id, STOP)
    assert await hand.rests() == [(PROFIT, True)]
    await hand.protect()
    assert await hand.rests() == [(STOP, True), (PROFIT, True)]
    assert plan(await hand.holding(), await hand.venue.open_orders()) == ()


@pytest.mark.parametrize("name", VENUES)
async def test_a_grown_position_gets_one_larger_stop_on(open_door: Callable[..., Any], name: VenueName) -> None:
    """The old ones go after the new ones rest."""
    hand = await ready(open_door, name)
    for _ in range(2):
        await hand.send(Side.BUY, SIZE)
        await hand.protect()
    rests = await hand.venue.open_orders()
    assert sorted((order.kind, order.quantity) for order in rests) == [(STOP, 2 * SIZE), (PROFIT, 2 * SIZE)]


@pytest.mark.parametrize("name", VENUES)
async def test_a_stop_on_the_wrong_side_of_the_market_is_refused_and_the_position_closed_on(
    open_door: Callable[..., Any], name: VenueName
) -> None:
    """The market has run past the stop before it rested."""
    hand = await ready(open_door, name)
    price = (await hand.venue.quotes(frozenset({BTC})))[BTC].middle
    await hand.send(Side.BUY, SIZE)
    holding = await hand.holding()
    await hand.door.admin.price(BTC, (price * D("0.97")).quantize(D(1)))
    try:
        first = plan(holding, [])[0]
        with pytest.raises(RefusedError):
            await hand.carry_out(first)
        (leave,) = plan(holding, [], frozenset({STOP}))
        await hand.carry_out(leave)
        assert await hand.held() == 0
    finally:
        await hand.door.admin.price(BTC, price.quantize(D(1)))


async def test_an_open_breaker_keeps_nobody_from_killing(open_door: Callable[..., Any]) -> None:
    """The protocol goes around it; everything else is turned away without a request."""
    hand = await trading(open_door, "bybit", timeout_seconds=1.0)
    breaker = CircuitBreaker(BreakerSettings(failures=1, open_seconds=3600, most_open_seconds=3600))
    guarded = GuardedVenue(hand.venue, breaker, SystemClock())
    await hand.door.admin.add_fault("drop-before-accept", environment=hand.door.environment)
    with pytest.raises(UnavailableError):
        await guarded.snapshot()
    await hand.door.admin.clear_faults()
    with pytest.raises(UnavailableError, match="circuit open"):
        await guarded.open_orders()
    report = await kill([Target("main", guarded.inner, frozenset({BTC}))], flatten, flatten=True, bounds=BOUNDS)
    assert report.is_done
    assert await hand.rests() == []
