"""The market runs away from its own last ten minutes: no new risk, but the way out stays open."""

from decimal import Decimal

from golive_api.reasons import Reason
from golive_engine.recent_prices import MINUTES
from golive_engine.stress.scenario import Scenario
from golive_engine.stress.shadow import SYMBOLS, Shadow
from golive_engine.stress.stage import Stage, capped

BEYOND = Decimal("1.1")
"""How far prices run, as a multiple of what may be."""

WIDEST_PERCENT = 12
"""Most that the profile is let allow: beyond, take profits would go off."""


async def play(shadow: Shadow) -> None:
    """Run up, then stay there until that is what prices are like."""
    await shadow.begin()
    limit = Decimal(shadow.limits.max_price_move_percent)
    await shadow.exchange.jump(limit * BEYOND)
    await shadow.denies_new_risk(SYMBOLS[0], Reason.MARKET_MOVED_TOO_FAR)
    await shadow.exchange.pass_minutes(MINUTES + 1)
    await shadow.recovers(SYMBOLS[0])


SCENARIO = Scenario(
    "volatility-spike",
    "Prices run further than maxPriceMovePercent from their median of ten minutes.",
    "Bitcoin on 2021-05-19, down by 30 % and most of the way back within hours; "
    "RTS 6 article 15(1)(a), collars over a period",
    play,
    Stage(
        venues=("bybit",),
        limits=lambda limits: capped(limits, max_price_move_percent=str(WIDEST_PERCENT)),
        wide_exits=True,
    ),
)
"""Whatever a strategy makes of such a market, it was not made for it."""
