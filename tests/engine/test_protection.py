"""Stop loss and take profit: what is placed, what is taken back, and when a position is closed instead."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from golive_engine.protection import Cancel, Holding, Place, Step, plan
from golive_engine.trading import Execution, ExecutionStatus, Instrument, Intent, OrderKind, Purpose, Side

D = Decimal
STOP, PROFIT = OrderKind.STOP_LOSS, OrderKind.TAKE_PROFIT
BTC = Instrument("BTCUSDT", D("0.001"), D("0.1"), D("0.001"), D(100), D(50))
LONG = Holding(BTC, D("0.5"), D(50_000), D(2), D(4))
SHORT = replace(LONG, quantity=D("-0.5"))
FLAT = replace(LONG, quantity=D(0), entry=D(0))


def resting(name: str, kind: OrderKind, price: str, quantity: str = "0.5", side: Side = Side.SELL) -> Execution:
    """A conditional order as the venue tells of it."""
    working = ExecutionStatus.WORKING
    return Execution(
        name, name, "BTCUSDT", side, D(quantity), working, D(0), D(0), kind, reduce_only=True, price=D(price)
    )


def placed(side: Side, trigger: str | None, *, profit: bool = False, quantity: str = "0.5") -> Place:
    """The step that places an order."""
    price = None if trigger is None else D(trigger)
    return Place(
        Intent(
            "BTCUSDT",
            side,
            D(quantity),
            True,
            trigger_price=price,
            takes_profit=profit,
            purpose=Purpose.PROTECT,
        )
    )


SL, TP = resting("sl", STOP, "49000"), resting("tp", PROFIT, "52000")
NEW_SL, NEW_TP = placed(Side.SELL, "49000.0"), placed(Side.SELL, "52000.0", profit=True)
EXIT = placed(Side.SELL, None)
PLANS: dict[str, tuple[Holding, Sequence[Execution], set[OrderKind], tuple[Step, ...]]] = {
    "a new long gets both, the stop first": (LONG, [], set(), (NEW_SL, NEW_TP)),
    "a new short gets both on its other sides": (
        SHORT,
        [],
        set(),
        (placed(Side.BUY, "51000.0"), placed(Side.BUY, "48000.0", profit=True)),
    ),
    "a protected position is left alone": (LONG, [TP, SL], set(), ()),
    "a cancelled stop is placed again": (LONG, [TP], set(), (NEW_SL,)),
    "a cancelled take profit is placed again": (LONG, [SL], set(), (NEW_TP,)),
    "a stop of another size is replaced, the new one first": (
        LONG,
        [resting("old", STOP, "49000", "0.3"), TP],
        set(),
        (NEW_SL, Cancel("old", STOP)),
    ),
    "a stop at another price is replaced": (
        LONG,
        [resting("old", STOP, "48000"), TP],
        set(),
        (NEW_SL, Cancel("old", STOP)),
    ),
    "a stop on the other side is replaced": (
        LONG,
        [resting("old", STOP, "49000", side=Side.BUY), TP],
        set(),
        (NEW_SL, Cancel("old", STOP)),
    ),
    "the second of two equal stops goes": (
        LONG,
        [SL, resting("twin", STOP, "49000"), TP],
        set(),
        (Cancel("twin", STOP),),
    ),
    "what is left of a position that is flat goes": (
        FLAT,
        [SL, TP],
        set(),
        (Cancel("sl", STOP), Cancel("tp", PROFIT)),
    ),
    "nothing to do while flat": (FLAT, [], set(), ()),
    "a refused stop means out at market, at once": (LONG, [], {STOP}, (EXIT,)),
    "an old stop rests until the exit has filled": (LONG, [resting("old", STOP, "48000")], {STOP}, (EXIT,)),
    "a stop that rests is not given up for one that was refused": (LONG, [SL, TP], {STOP}, ()),
    "a refused take profit is left for the next look": (LONG, [SL], {PROFIT}, ()),
    "an old take profit stays until a new one is taken": (
        LONG,
        [SL, resting("old", PROFIT, "53000")],
        {PROFIT},
        (),
    ),
    "without an entry there is no stop, so out": (replace(LONG, entry=D(0)), [], set(), (EXIT,)),
    "a short stop that rounds to nothing means out": (
        replace(SHORT, entry=D("0.05")),
        [],
        set(),
        (placed(Side.BUY, None),),
    ),
    "an exit is no larger than one order may be": (
        replace(LONG, quantity=D(250)),
        [],
        {STOP},
        (placed(Side.SELL, None, quantity="100"),),
    ),
    "prices are on the tick, never farther than asked": (
        replace(LONG, entry=D("50000.33")),
        [],
        set(),
        (placed(Side.SELL, "49000.4"), placed(Side.SELL, "52000.3", profit=True)),
    ),
    "and for a short": (
        replace(SHORT, entry=D("50000.33")),
        [],
        set(),
        (placed(Side.BUY, "51000.3"), placed(Side.BUY, "48000.4", profit=True)),
    ),
}


@pytest.mark.parametrize(("holding", "orders", "refused", "steps"), PLANS.values(), ids=PLANS)
def test_protection_in_steps(
    holding: Holding, orders: Sequence[Execution], refused: set[OrderKind], steps: tuple[Step, ...]
) -> None:
    """Exactly these, in this order."""
    assert plan(holding, orders, frozenset(refused)) == steps


@dataclass
class Market:
    """A venue as far as protection is concerned: it refuses what would trigger at once."""

    holding: Holding
    price: Decimal
    orders: list[Execution]
    placed: int = 0
    fewest_stops: int = 9

    def stops(self) -> list[Execution]:
        """Stop losses that rest and would close the position."""
        side = Side.SELL if self.holding.quantity > 0 else Side.BUY
        return [order for order in self.orders if order.kind is STOP and order.side is side]

    def carry_out(self, step: Step) -> bool:
        """Do one thing; returns whether the venue took it."""
        if isinstance(step, Cancel):
            self.orders = [order for order in self.orders if order.client_order_id != step.client_order_id]
            return True
        intent = step.intent
        assert intent.reduce_only
        assert intent.signed * self.holding.quantity < 0
        if intent.trigger_price is None:
            self.holding = replace(self.holding, quantity=self.holding.quantity + intent.signed)
            return True
        waits_above = (intent.kind is PROFIT) == (intent.side is Side.SELL)
        if intent.trigger_price <= self.price if waits_above else intent.trigger_price >= self.price:
            return False
        order = resting(
            f"n{self.placed}", intent.kind, str(intent.trigger_price), str(intent.quantity), intent.side
        )
        self.placed += 1
        self.orders.append(order)
        return True

    def look(self) -> None:
        """One look: plan, carry out, and plan again with what was refused."""
        refused: set[OrderKind] = set()
        while steps := plan(self.holding, self.orders, frozenset(refused)):
            for step in steps:
                if not self.carry_out(step):
                    assert isinstance(step, Place)
                    assert step.intent.kind not in refused
                    refused.add(step.intent.kind)
                    break
                self.fewest_stops = min(self.fewest_stops, len(self.stops()))


prices = st.decimals(D(1), D(100_000), places=2)
leftovers = st.lists(
    st.builds(
        resting,
        st.integers(0, 10**9).map(str),
        st.sampled_from([STOP, PROFIT]),
        prices.map(str),
        st.sampled_from(["0.5", "0.3"]),
        st.sampled_from(list(Side)),
    ),
    max_size=4,
    unique_by=lambda order: order.client_order_id,
)
holdings = st.builds(
    Holding,
    st.just(BTC),
    st.integers(-500, 500).map(lambda lots: D(lots) / 1000),
    prices,
    st.decimals(D(2), D(5), places=2),
    st.decimals(D(4), D(15), places=2),
)


@given(holdings, prices, leftovers)
def test_after_a_look_there_is_one_stop_or_no_position(
    holding: Holding, price: Decimal, orders: list[Execution]
) -> None:
    """Never two stops, never none, none on the wrong side, nothing left of what is flat."""
    market = Market(holding, price, list(orders))
    market.look()
    held = market.holding
    if not held.quantity:
        assert not market.orders
        return
    stops = [order for order in market.orders if order.kind is STOP]
    assert [order.quantity for order in stops] == [abs(held.quantity)]
    assert stops == market.stops()
    if stops[0].client_order_id.startswith("n"):
        assert stops[0].price is not None
        assert (stops[0].price < price) == (held.quantity > 0)


@given(holdings, prices, leftovers)
def test_a_position_that_had_a_stop_is_never_without_one(
    holding: Holding, price: Decimal, orders: list[Execution]
) -> None:
    """At no moment in between, until it is closed."""
    market = Market(holding, price, list(orders))
    had = len(market.stops())
    market.look()
    assert market.fewest_stops > 0 or not had or not market.holding.quantity


@given(holdings, st.sampled_from([STOP, PROFIT]))
def test_no_trigger_is_farther_from_the_entry_than_asked(holding: Holding, kind: OrderKind) -> None:
    """And by less than a tick nearer; size and side undo the position exactly."""
    intents = [step.intent for step in plan(holding, []) if isinstance(step, Place)]
    for intent in (intent for intent in intents if intent.kind is kind):
        percent = holding.stop_percent if kind is STOP else holding.profit_percent
        assert intent.trigger_price is not None
        distance, asked = abs(intent.trigger_price - holding.entry), holding.entry * percent / 100
        assert asked - BTC.tick_size < distance <= asked or distance < BTC.tick_size
        assert intent.trigger_price % BTC.tick_size == 0
        assert intent.signed == -holding.quantity
