"""Trimming positions that have outgrown their limits: never opens, never turns, ends within limits."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from golive_api.ladder import LADDER
from golive_engine.rebalance import Holding, plan
from golive_engine.situation import Bounds
from golive_engine.trading import Instrument, Purpose, Side

D = Decimal
MICRO = Bounds.of(LADDER["micro"])
BOUNDS = replace(MICRO, position_notional=D(100), positions=2, exposure_percent=D(50))
"""100 for each symbol, two symbols, and half of the equity."""

RICH = D(1_000_000)
"""An equity of which exposure is no part to speak of."""


def instrument(symbol: str, **changes: Any) -> Instrument:
    """One with a lot size of 0.1."""
    return replace(Instrument(symbol, D("0.1"), D("0.1"), D("0.1"), D(1000), D(5)), **changes)


def held(symbol: str, position: str, price: str = "10", venue: str = "okx", **changes: Decimal) -> Holding:
    """A position."""
    return Holding(venue, D(position), D(price), instrument(symbol, **changes))


Wanted = tuple[str, str, Side, str]
"""Venue, symbol, side and quantity of an order."""

PLANS: dict[str, tuple[list[Holding], Decimal | None, list[Wanted]]] = {
    "nothing of nothing": ([], RICH, []),
    "nothing within limits": ([held("A", "10"), held("B", "-10")], RICH, []),
    "what a long is too large": ([held("A", "12.5")], RICH, [("okx", "A", Side.SELL, "2.5")]),
    "what a short is too large": ([held("A", "-12.5")], RICH, [("okx", "A", Side.BUY, "2.5")]),
    "whole lots, rather too many": ([held("A", "10", "10.01")], RICH, [("okx", "A", Side.SELL, "0.1")]),
    "whole lots of a larger excess": ([held("A", "12.5", "10.05")], RICH, [("okx", "A", Side.SELL, "2.6")]),
    "the least order, rather too much": (
        [held("A", "10.1", min_quantity=D(3))],
        RICH,
        [("okx", "A", Side.SELL, "3")],
    ),
    "a position smaller than the least order": (
        [held("A", "2", "60", min_quantity=D(3))],
        RICH,
        [("okx", "A", Side.SELL, "2")],
    ),
    "no more than the largest order": (
        [held("A", "50", max_quantity=D("5.05"))],
        RICH,
        [("okx", "A", Side.SELL, "5.0")],
    ),
    "the largest of one symbol on two venues": (
        [held("A", "4", venue="binanceusdm"), held("A", "9", venue="bybit")],
        RICH,
        [("bybit", "A", Side.SELL, "3.0")],
    ),
    "both of one symbol that is far too large": (
        [held("A", "-9", "50", venue="binanceusdm"), held("A", "1", "50", venue="bybit")],
        RICH,
        [("binanceusdm", "A", Side.BUY, "8.0")],
    ),
    "the smallest of too many": (
        [held("A", "5"), held("B", "-1"), held("C", "9")],
        RICH,
        [("okx", "B", Side.BUY, "1")],
    ),
    "the largest of too much together": (
        [held("A", "9"), held("B", "7")],
        D(200),
        [("okx", "A", Side.SELL, "6.0")],
    ),
    "everything without equity left": (
        [held("A", "2"), held("B", "-9")],
        D(-5),
        [("okx", "B", Side.BUY, "9"), ("okx", "A", Side.SELL, "2")],
    ),
    "nothing for an equity that is not known": ([held("A", "9"), held("B", "9")], None, []),
    "the largest excess first": (
        [held("A", "11"), held("B", "20")],
        RICH,
        [("okx", "B", Side.SELL, "10.0"), ("okx", "A", Side.SELL, "1.0")],
    ),
}


@pytest.mark.parametrize(("holdings", "equity", "wanted"), PLANS.values(), ids=PLANS)
def test_it_trims(holdings: list[Holding], equity: Decimal | None, wanted: list[Wanted]) -> None:
    """Reduce-only, at market, and of no strategy."""
    trims = plan(holdings, BOUNDS, equity)
    assert [(t.venue, t.intent.symbol, t.intent.side, t.intent.quantity) for t in trims] == [
        (venue, symbol, side, D(quantity)) for venue, symbol, side, quantity in wanted
    ]
    for trim in trims:
        assert trim.intent.reduce_only
        assert (trim.intent.purpose, trim.intent.strategy) == (Purpose.REBALANCE, "")
        assert (trim.intent.limit_price, trim.intent.trigger_price) == (None, None)


@st.composite
def portfolios(draw: st.DrawFn) -> list[Holding]:
    """Any positions on lots of any size, each symbol at most once on a venue."""
    keys = draw(
        st.lists(
            st.tuples(st.sampled_from(["okx", "bybit"]), st.sampled_from("ABCDEF")), max_size=10, unique=True
        )
    )
    found = []
    for venue, symbol in keys:
        lot = draw(st.sampled_from([D("0.001"), D("0.1"), D(1), D(100)]))
        lots = draw(st.integers(-10_000, 10_000).filter(bool))
        least, most = lot * draw(st.integers(1, 50)), lot * draw(st.integers(60, 20_000))
        price = draw(st.decimals("0.0001", 100_000, places=4))
        limits = {"lot_size": lot, "min_quantity": least, "max_quantity": most}
        found.append(Holding(venue, lots * lot, price, instrument(symbol, **limits)))
    return found


bounds = st.builds(
    lambda notional, count, percent: replace(
        MICRO, position_notional=notional, positions=count, exposure_percent=percent
    ),
    st.decimals(0, 100_000, places=2),
    st.integers(1, 6),
    st.decimals(0, 500, places=1),
)


def after(holdings: list[Holding], limits: Bounds, equity: Decimal | None) -> list[Holding]:
    """What is left when every order has filled; each shrinks one position and turns none."""
    left = {(holding.venue, holding.symbol): holding for holding in holdings}
    for trim in plan(holdings, limits, equity):
        before = left[trim.venue, trim.intent.symbol]
        position = before.position + trim.intent.signed
        assert position * before.position >= 0
        assert abs(position) < abs(before.position)
        assert trim.intent.quantity % before.instrument.lot_size == 0
        assert trim.intent.quantity <= before.instrument.max_quantity
        left[trim.venue, trim.intent.symbol] = replace(before, position=position)
    return [holding for holding in left.values() if holding.position]


@given(portfolios(), bounds, st.decimals(-1000, 10**7, places=2))
def test_it_ends_within_limits(holdings: list[Holding], limits: Bounds, equity: Decimal) -> None:
    """As soon as its orders, as large as one may be, have filled; then it wants nothing more."""
    for _ in range(400):
        if not plan(holdings, limits, equity):
            break
        holdings = after(holdings, limits, equity)
    assert plan(holdings, limits, equity) == ()
    worth = {symbol: sum(h.notional for h in holdings if h.symbol == symbol) for symbol in "ABCDEF"}
    assert max(worth.values()) <= limits.position_notional
    assert len({holding.symbol for holding in holdings}) <= limits.positions
    assert sum(worth.values()) <= max(equity, D(0)) * limits.exposure_percent / 100


@given(portfolios(), bounds)
def test_more_is_never_trimmed_than_without_equity(holdings: list[Holding], limits: Bounds) -> None:
    """An equity that is not known sells nothing on its own account."""
    blind = {(t.venue, t.intent.symbol): t.intent.quantity for t in plan(holdings, limits, None)}
    poor = {(t.venue, t.intent.symbol): t.intent.quantity for t in plan(holdings, limits, D(1))}
    assert all(poor.get(key, D(0)) >= quantity for key, quantity in blind.items())
