"""Prices gap through every stop loss: the emergency stop latches, and nothing is bought on the way."""

from decimal import Decimal

from golive_api.profiles import Limits
from golive_api.reasons import Reason
from golive_engine.journal import EVERY_ACCOUNT, Stop
from golive_engine.risk import Trigger
from golive_engine.stress.scenario import Scenario
from golive_engine.stress.shadow import SYMBOLS, Shadow
from golive_engine.stress.stage import Stage, lifted

GAP_PERCENT = Decimal(-12)
"""How far prices fall between two trades."""

REBOUND_PERCENT = Decimal("13.6")
"""How far they rise again."""

AT_RISK = Decimal("0.6")
"""Part of the equity that positions are worth: the gap costs 7.2 % of it, more than a day's drawdown may be."""


async def play(shadow: Shadow) -> None:
    """Gap down, and up again."""
    await shadow.begin()
    before = await shadow.exchange.entries()
    await shadow.exchange.jump(GAP_PERCENT)
    await shadow.turn()
    shadow.expect("the first reading takes away new risk", shadow.answers(), {Reason.RISK_CRITICAL})
    await shadow.turn()
    stop = Stop(EVERY_ACCOUNT, Trigger.DAILY_DRAWDOWN)
    shadow.expect("the second one latches the emergency stop", shadow.stops(), [stop])
    told = [alert for alert in shadow.alerts if alert.startswith("emergency stop")]
    shadow.expect("people are told, once", len(told), 1)
    await shadow.exchange.jump(REBOUND_PERCENT)
    await shadow.turn(2)
    shadow.expect("it holds when prices are back", shadow.answers(), {Reason.EMERGENCY_STOP_ACTIVE})
    reached = set(await shadow.exchange.entries()) - set(before)
    shadow.expect("nothing is bought after the gap", reached, set())
    shadow.expect("no position is without a stop loss on the venue", await shadow.naked(), [])


def _limits(limits: Limits) -> Limits:
    """What would keep an account from losing so much at once is lifted: the last line is what is examined."""
    return lifted(
        limits,
        "max_exposure_percent",
        "max_correlated_exposure_percent",
        "max_margin_percent",
        "max_trade_risk_percent",
    )


SCENARIO = Scenario(
    "flash-crash",
    "Prices gap 12 % through every stop loss and come back.",
    "United States equities on 2010-05-06; bitcoin on 2020-03-12, down by half within two days",
    play,
    Stage(limits=_limits, equity=lambda _, size: len(SYMBOLS) * size / AT_RISK),
)
"""The last line of defence, after every limit has failed to keep losses small."""
