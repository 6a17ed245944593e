"""Symbols that moved by themselves fall into step: what was three risks is one, three times as large."""

from decimal import Decimal

from golive_api.profiles import Limits
from golive_api.reasons import Reason
from golive_engine.stress import candles
from golive_engine.stress.scenario import Scenario
from golive_engine.stress.shadow import SYMBOLS, Shadow
from golive_engine.stress.stage import Stage, capped, lifted

ROOM = Decimal("1.5")
"""Positions that may move together."""

MARGIN = 2
"""Minutes more than there are returns: the first return after a change is of both sorts."""


async def play(shadow: Shadow) -> None:
    """Fall into step, and out of it again."""
    await shadow.begin()
    window = shadow.settings.correlation.returns + MARGIN
    await shadow.exchange.pass_minutes(candles.APART + window)
    await shadow.denies_new_risk(SYMBOLS[0], Reason.CORRELATED_EXPOSURE_EXCEEDED)
    await shadow.exchange.pass_minutes(candles.TOGETHER)
    await shadow.recovers(SYMBOLS[0])


def _limits(limits: Limits) -> Limits:
    """Other limits on the same sum are lifted; the one that is left leaves margin for three positions."""
    others = ("max_exposure_percent", "max_trade_risk_percent", "max_margin_percent")
    return capped(lifted(limits, *others), max_correlated_exposure_percent="20")


def _equity(limits: Limits, size: Decimal) -> Decimal:
    """As much as leaves room for so many positions."""
    return ROOM * size * 100 / Decimal(limits.max_correlated_exposure_percent)


SCENARIO = Scenario(
    "correlation-break",
    "Symbols that moved by themselves all move together.",
    "The quant crisis of 2007-08-06; all crypto assets on 2020-03-12",
    play,
    Stage(limits=_limits, equity=_equity, wide_exits=True),
)
"""Diversification fails when it is needed."""
