"""Global Risk and the emergency stop's triggers, judged from equity with open PnL. Pure."""

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from golive_api.golive import RiskState


class Trigger(StrEnum):
    """What can start an emergency stop."""

    CAPITAL_LOSS = "capital_loss"
    DAILY_DRAWDOWN = "daily_drawdown"
    CONSECUTIVE_LOSSES = "consecutive_losses"
    MANUAL = "manual"
    APPLIED = "applied"
    """A person has applied an EmergencyStop object."""


@dataclass(frozen=True, slots=True)
class Threshold:
    """One measure, and what it means where."""

    trigger: Trigger
    """What is measured: a fall in percent, or a number of trades."""
    stop_above: Decimal
    """Beyond this everything stops."""
    warn_from: Decimal
    """From here on Global Risk is WARNING."""
    calm_below: Decimal
    """Once it has warned, it does so until the measure is below this."""
    is_doubtful: bool
    """Whether one reading may be wrong, so that only a second one in a row stops everything."""


THRESHOLDS = (
    Threshold(Trigger.CAPITAL_LOSS, Decimal(10), Decimal(5), Decimal(4), is_doubtful=True),
    Threshold(Trigger.DAILY_DRAWDOWN, Decimal(5), Decimal("2.5"), Decimal(2), is_doubtful=True),
    Threshold(Trigger.CONSECUTIVE_LOSSES, Decimal(5), Decimal(4), Decimal(4), is_doubtful=False),
)
"""Percent of the capital, percent of the day's peak, closed trades.

Equity is a venue's answer and can be wrong for once; losses in a row are counted from the journal's own fills.
"""


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
    """Closing orders at a loss since the last gain."""


@dataclass(frozen=True, slots=True)
class Assessment:
    """Global Risk with its reasons, and what the next reading is judged by."""

    state: RiskState
    """The verdict."""
    reasons: tuple[str, ...]
    """Why it is not OK."""
    warned: frozenset[Trigger] = frozenset()
    """Measures that warn, until they are calm."""
    beyond: frozenset[Trigger] = frozenset()
    """Measures that lay beyond their threshold in the last reading."""
    triggers: frozenset[Trigger] = frozenset()
    """Measures that were confirmed beyond it. None ever leaves: after a person's release all starts over."""


UNREAD = Assessment(RiskState.CRITICAL, ("not read yet",))
"""What holds before the first reading."""


def assess(before: Assessment | None, reading: Standing | None) -> Assessment:
    """Judge an account by what was known of it and by a new reading.

    The first reading of an equity beyond a threshold makes it CRITICAL at once: no new risk. The second in a
    row is a trigger. A good one in between starts that count over. No reading at all, or one that is no
    number, changes nothing: an account that can't be read in the middle of a crash has not recovered.
    """
    known = before or UNREAD
    if reading is None or not reading.equity.is_finite():
        return known
    warned, beyond, triggers, reasons = set[Trigger](), set[Trigger](), set(known.triggers), list[str]()
    for threshold, value in zip(THRESHOLDS, _measures(reading), strict=True):
        name = threshold.trigger
        if value >= (threshold.calm_below if name in known.warned else threshold.warn_from):
            warned.add(name)
        if value > threshold.stop_above:
            beyond.add(name)
            if name in known.beyond or not threshold.is_doubtful:
                triggers.add(name)
        if name in warned | triggers:
            word = " (confirmed)" if name in triggers else " (one reading)" if name in beyond else ""
            reasons.append(f"{name}={value:.2f} of {threshold.stop_above}{word}")
    state = RiskState.CRITICAL if beyond | triggers else RiskState.WARNING if warned else RiskState.OK
    return Assessment(state, tuple(reasons), frozenset(warned), frozenset(beyond), frozenset(triggers))


def worst(states: list[RiskState]) -> RiskState:
    """The worst of several states; OK of none."""
    order = list(RiskState)
    return max(states, key=order.index, default=RiskState.OK)


def _measures(reading: Standing) -> tuple[Decimal, Decimal, Decimal]:
    """What is compared with each threshold, in their order."""
    return (
        _fall_percent(reading.capital, reading.equity),
        _fall_percent(reading.day_peak, reading.equity),
        Decimal(reading.losses_in_a_row),
    )


def _fall_percent(start: Decimal, now: Decimal) -> Decimal:
    """How far an equity fell from where it was, in percent; everything, if there was nothing."""
    if start <= 0:
        return Decimal(100)
    return (start - now) / start * 100
