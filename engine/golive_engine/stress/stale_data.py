"""Prices stand still because the venue's feed does: nothing is opened at a price of yesterday."""

import asyncio

from golive_api.reasons import Reason
from golive_engine.stress.exchange import ENVIRONMENTS
from golive_engine.stress.scenario import Scenario
from golive_engine.stress.shadow import SYMBOLS, Shadow
from golive_engine.stress.stage import Stage
from golive_engine.trading import VenueName

VENUE: VenueName = "okx"
"""Whose feed stands still."""

OLDEST_SECONDS = 3.0
"""Oldest price to trade on here, so that nobody has to wait for half a minute."""


async def play(shadow: Shadow) -> None:
    """Stand still, and move again."""
    await shadow.begin()
    await shadow.exchange.break_by("stale-book", environment=ENVIRONMENTS[VENUE])
    await asyncio.sleep(OLDEST_SECONDS)
    await shadow.denies_new_risk(SYMBOLS[0], Reason.PRICE_STALE)
    await shadow.exchange.repair()
    await shadow.recovers(SYMBOLS[0])


SCENARIO = Scenario(
    "stale-data",
    "Best prices stand still while the venue's clock goes on.",
    "Nasdaq's consolidated feed on 2013-08-22; RTS 6 article 5(4)(d), stressed conditions",
    play,
    Stage(venues=(VENUE,), price_seconds=OLDEST_SECONDS),
)
"""An old price looks like a calm market."""
