"""Positions: pure arithmetic, in tables."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from golive_engine.ledger import Position

D = Decimal

FILLS: dict[str, tuple[list[tuple[int, int]], Position]] = {
    "opening": ([(2, 10)], Position(D(2), D(10), D(0))),
    "enlarging averages the price": ([(1, 10), (3, 14)], Position(D(4), D(13), D(0))),
    "closing part keeps the price": ([(4, 10), (-1, 13)], Position(D(3), D(10), D(3))),
    "closing all forgets the price": ([(2, 10), (-2, 9)], Position(D(0), D(0), D(-2))),
    "turning starts at the new price": ([(2, 10), (-5, 12)], Position(D(-3), D(12), D(4))),
    "a short gains when prices fall": ([(-2, 10), (2, 7)], Position(D(0), D(0), D(6))),
}


@pytest.mark.parametrize(("fills", "position"), FILLS.values(), ids=FILLS)
def test_a_position_after(fills: list[tuple[int, int]], position: Position) -> None:
    """Quantity, average entry and realized PnL."""
    held = Position()
    for quantity, price in fills:
        held = held.after(D(quantity), D(price))
    assert held == position


@given(st.lists(st.tuples(st.integers(-5, 5).filter(bool), st.integers(1, 100)), max_size=12))
def test_no_money_appears_from_nothing(fills: list[tuple[int, int]]) -> None:
    """Realized plus open PnL is what was received minus what was paid, at any mark."""
    held, cash = Position(), D(0)
    for quantity, price in fills:
        held = held.after(D(quantity), D(price))
        cash -= D(quantity) * D(price)
    mark = D(50)
    assert abs(cash + held.quantity * mark - (held.realized + held.quantity * (mark - held.price))) < D("1e-18")
