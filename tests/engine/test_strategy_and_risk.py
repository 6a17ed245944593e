"""Strategies, positions and Global Risk: pure arithmetic, in tables."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from golive_api.golive import RiskState
from golive_engine.ledger import Ledger, Position
from golive_engine.reconciliation import differences
from golive_engine.risk import Standing, Trigger, assess
from golive_engine.strategies import BaselinePerpsStrategy
from golive_engine.trading import Instrument, Intent, Quote, Side

D = Decimal
BTC = Instrument("BTCUSDT", D("0.001"), D("0.1"), D("0.001"), D(100), D(50))
QUOTE = Quote("BTCUSDT", D(49990), D(50010), 0.0)
FIXED = BaselinePerpsStrategy(2, 4, {"BTCUSDT": D("0.003")}, None)
BY_NOTIONAL = BaselinePerpsStrategy(2, 4, {}, D(120))
RISING, FALLING, FLAT, SHORT = [D(1), D(2), D(3), D(4)], [D(4), D(3), D(2), D(1)], [D(1)] * 4, [D(1)] * 3

INTENTS: dict[str, tuple[BaselinePerpsStrategy, list[Decimal], Decimal, Intent | None]] = {
    "it buys when prices rise": (FIXED, RISING, D(0), Intent("BTCUSDT", Side.BUY, D("0.003"))),
    "it sells when prices fall": (FIXED, FALLING, D(0), Intent("BTCUSDT", Side.SELL, D("0.003"))),
    "it wants nothing when they stand still": (FIXED, FLAT, D(0), None),
    "it wants nothing without enough closes": (FIXED, SHORT, D(0), None),
    "it holds a full position": (FIXED, RISING, D("0.003"), None),
    "it completes a partial position": (FIXED, RISING, D("0.001"), Intent("BTCUSDT", Side.BUY, D("0.002"))),
    "it closes before it turns": (
        FIXED,
        FALLING,
        D("0.002"),
        Intent("BTCUSDT", Side.SELL, D("0.002"), reduce_only=True),
    ),
    "it never enlarges what is larger than full": (FIXED, RISING, D("0.009"), None),
    "it sizes by notional on the lot": (BY_NOTIONAL, RISING, D(0), Intent("BTCUSDT", Side.BUY, D("0.002"))),
    "it holds a position sized by notional": (BY_NOTIONAL, RISING, D("0.001"), None),
}


@pytest.mark.parametrize(("strategy", "closes", "position", "intent"), INTENTS.values(), ids=INTENTS)
def test_the_baseline_strategy_by_averages(
    strategy: BaselinePerpsStrategy, closes: list[Decimal], position: Decimal, intent: Intent | None
) -> None:
    """What it wants at each level of prices and position."""
    assert strategy.intent(closes, position, BTC, QUOTE) == intent


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


def test_losses_in_a_row_count_closings_only() -> None:
    """A gain ends the row; openings and inferred fills leave it."""
    ledger = Ledger()
    for quantity, price in [(1, 10), (-1, 9), (1, 10), (-1, 9)]:
        ledger.fill("BTCUSDT", D(quantity), D(price))
    assert ledger.losses_in_a_row == 2
    ledger.correct("BTCUSDT", D(1), D(10))
    ledger.correct("BTCUSDT", D(-1), D(1))
    assert ledger.losses_in_a_row == 2
    ledger.fill("BTCUSDT", D(1), D(10))
    ledger.fill("BTCUSDT", D(-1), D(11))
    assert ledger.losses_in_a_row == 0


RISK: dict[str, tuple[tuple[int, int, int, int, int], RiskState, tuple[Trigger, ...]]] = {
    "nothing lost": ((1000, 1000, 1000, 1000, 0), RiskState.OK, ()),
    "half of the daily drawdown": ((975, 1000, 1000, 1000, 0), RiskState.WARNING, ()),
    "exactly the daily drawdown": ((950, 1000, 1000, 1000, 0), RiskState.WARNING, ()),
    "more than the daily drawdown": ((949, 1000, 1000, 1000, 0), RiskState.CRITICAL, (Trigger.DAILY_DRAWDOWN,)),
    "a fall from the day's peak": ((1000, 1000, 1000, 1100, 0), RiskState.CRITICAL, (Trigger.DAILY_DRAWDOWN,)),
    "more than a tenth of the capital": ((899, 1000, 899, 899, 0), RiskState.CRITICAL, (Trigger.CAPITAL_LOSS,)),
    "five losses in a row": ((1000, 1000, 1000, 1000, 5), RiskState.WARNING, ()),
    "six losses in a row": ((1000, 1000, 1000, 1000, 6), RiskState.CRITICAL, (Trigger.CONSECUTIVE_LOSSES,)),
    "no capital at all": (
        (0, 0, 0, 0, 0),
        RiskState.CRITICAL,
        (Trigger.CAPITAL_LOSS, Trigger.DAILY_DRAWDOWN),
    ),
}


@pytest.mark.parametrize(("figures", "state", "triggers"), RISK.values(), ids=RISK)
def test_global_risk_with(
    figures: tuple[int, int, int, int, int], state: RiskState, triggers: tuple[Trigger, ...]
) -> None:
    """Equity, capital, day's start, day's peak and losses in a row, judged."""
    equity, capital, start, peak, losses = figures
    seen = assess(Standing(D(equity), D(capital), D(start), D(peak), losses))
    assert (seen.state, seen.triggers) == (state, triggers)
    assert bool(seen.reasons) == (state is not RiskState.OK)


def test_differences_leave_out_what_is_still_moving() -> None:
    """A symbol with an unsettled order may differ; every other may not."""
    ours, theirs = {"A": D(1), "B": D(2), "C": D(3)}, {"A": D(1), "B": D(5), "D": D(-1), "E": D(9)}
    assert differences(ours, theirs, frozenset({"E"})) == {"B": D(3), "C": D(-3), "D": D(-1)}
