"""The book thins out to less than one order: no new risk, but the way out stays open."""

from decimal import Decimal

from golive_api.reasons import Reason
from golive_engine.stress.scenario import Scenario
from golive_engine.stress.shadow import SYMBOLS, Shadow
from golive_engine.stress.stage import Stage

THIN = SYMBOLS[2]
"""Whose book thins out; its lots are so small that a thin book is one."""

LEFT = Decimal("0.3")
"""What is left near the middle, as a part of one order."""


async def play(shadow: Shadow) -> None:
    """Dry up, and fill again."""
    await shadow.begin()
    depth = shadow.seat("bybit").market.depths[THIN]
    share = LEFT * shadow.held(THIN) / max(depth.asks, depth.bids)
    await shadow.exchange.break_by("thin-book", symbol=THIN, ratio=f"{share:.12f}")
    await shadow.trader.look_deep()
    await shadow.denies_new_risk(THIN, Reason.LIQUIDITY_TOO_THIN)
    await shadow.exchange.repair()
    await shadow.trader.look_deep()
    await shadow.recovers(THIN)


SCENARIO = Scenario(
    "liquidity-drought",
    "The order book near the price holds less than one order.",
    "United States Treasuries on 2014-10-15; E-mini futures on 2010-05-06, below 1 % of the usual depth",
    play,
    Stage(venues=("bybit",)),
)
"""A market order of one's own would be the crash."""
