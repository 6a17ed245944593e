"""The venue takes positions and refuses their stop losses: each is left at market, and not entered again."""

from golive_api.profiles import Limits
from golive_api.reasons import Reason
from golive_engine.stress.exchange import ENVIRONMENTS
from golive_engine.stress.scenario import Scenario
from golive_engine.stress.shadow import SYMBOLS, Shadow
from golive_engine.stress.stage import Stage, capped
from golive_engine.trading import VenueName

VENUE: VenueName = "binanceusdm"
"""Keeps stop losses in a service of its own, which can fail by itself."""

REFUSAL = {"code": -4045, "msg": "Reach max stop order limit."}
"""Its answer."""

ENTRIES = 1
"""Entries of one symbol in ten minutes until it is locked: before the losses in a row stop everything."""


async def play(shadow: Shadow) -> None:
    """Refuse every stop loss."""
    await shadow.exchange.break_by(
        "answer-before-accept",
        environment=ENVIRONMENTS[VENUE],
        method="POST",
        path="/fapi/v1/algoOrder",
        status=400,
        body=REFUSAL,
    )
    await shadow.turn()
    shadow.expect("each symbol was entered", len(await shadow.exchange.entries()), ENTRIES * len(SYMBOLS))
    shadow.expect("a position that can't be protected is left at once", await shadow.positions(VENUE), {})
    await shadow.turn(2)
    shadow.expect("whoever tries again and again is locked", shadow.answers(), {Reason.SYMBOL_LOCKED})
    shadow.expect("nothing more is entered", len(await shadow.exchange.entries()), ENTRIES * len(SYMBOLS))
    await shadow.exchange.repair()
    await shadow.turn()
    shadow.expect("only a person unlocks it", shadow.answers(), {Reason.SYMBOL_LOCKED})
    shadow.expect("no position is without a stop loss on the venue", await shadow.naked(), [])


def _limits(limits: Limits) -> Limits:
    """A symbol is locked soon."""
    return capped(limits, max_repeated_orders=ENTRIES)


SCENARIO = Scenario(
    "rejected-stops",
    "The venue opens positions, but refuses every stop loss.",
    "Binance since 2025-12-09: stop losses by the old endpoint are refused with -4120 (freqtrade issue 12610)",
    play,
    Stage(limits=_limits),
)
"""A position without a stop loss has no largest loss."""
