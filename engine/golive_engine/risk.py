"""Global Risk and the emergency stop's triggers, judged from equity with open PnL. Pure."""

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from golive_api.golive import RiskState

CAPITAL_LOSS_PERCENT = Decimal(10)
"""Loss of the capital first seen, above which everything stops."""

DAILY_DRAWDOWN_PERCENT = Decimal(5)
"""Fall from the day's highest equity, above which everything stops."""

LOSSES_IN_A_ROW = 5
"""Losing trades in a row, above which everything stops."""

WARNING_SHARE = Decimal("0.5")
"""Share of a threshold from which on Global Risk is WARNING."""


class Trigger(StrEnum):
    """What can start an emergency stop."""

    CAPITAL_LOSS = "capital_loss"
    DAILY_DRAWDOWN = "daily_drawdown"
    CONSECUTIVE_LOSSES = "consecutive_losses"
    MANUAL = "manual"


@dataclass(frozen=True, slots=True)
class Standing:
    """How an account stands against its own past, in quote currency."""

    equity: Decimal
    """Now, with open PnL."""
    capital: Decimal
    """When the account was first seen, or when a stop was last released."""
    day_start: Decimal
    """At the first look after 00:00 UTC."""
    day_peak: Decimal
    """Highest since then."""
    losses_in_a_row: int
    """Closing fills at a loss since the last gain."""


@dataclass(frozen=True, slots=True)
class Assessment:
    """Global Risk with its reasons, and the triggers whose threshold was passed."""

    state: RiskState
    """The verdict."""
    reasons: tuple[str, ...]
    """Every measure beyond half its threshold."""
    triggers: tuple[Trigger, ...]
    """Every measure beyond its threshold."""


def assess(standing: Standing) -> Assessment:
    """Judge an account: WARNING from half a threshold on, CRITICAL and a trigger beyond it."""
    measures = (
        (Trigger.CAPITAL_LOSS, _fall_percent(standing.capital, standing.equity), CAPITAL_LOSS_PERCENT),
        (Trigger.DAILY_DRAWDOWN, _fall_percent(standing.day_peak, standing.equity), DAILY_DRAWDOWN_PERCENT),
        (Trigger.CONSECUTIVE_LOSSES, Decimal(standing.losses_in_a_row), Decimal(LOSSES_IN_A_ROW)),
    )
    noted = [(name, value, bound) for name, value, bound in measures if value >= bound * WARNING_SHARE]
    triggers = tuple(name for name, value, bound in noted if value > bound)
    state = RiskState.CRITICAL if triggers else RiskState.WARNING if noted else RiskState.OK
    return Assessment(state, tuple(f"{name}={value:.2f} of {bound}" for name, value, bound in noted), triggers)


def worst(states: list[RiskState]) -> RiskState:
    """The worst of several states; OK of none."""
    order = list(RiskState)
    return max(states, key=order.index, default=RiskState.OK)


def _fall_percent(start: Decimal, now: Decimal) -> Decimal:
    """How far an equity fell from where it was, in percent; everything, if there was nothing."""
    if start <= 0:
        return Decimal(100)
    return (start - now) / start * 100
