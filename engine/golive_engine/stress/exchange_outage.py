"""The preferred venue answers nothing but errors: new positions move on, what is left behind still counts."""

from decimal import Decimal

from golive_api.engine_report import Breaker
from golive_api.reasons import Reason
from golive_engine.stress.scenario import Scenario
from golive_engine.stress.shadow import SYMBOLS, Shadow
from golive_engine.stress.stage import Stage
from golive_engine.trading import VenueName

FAILING: VenueName = "binanceusdm"
"""Preferred, and out of order."""

NEXT: VenueName = "okx"
"""The one after it, which counts in contracts."""

KEPT, WANTED = SYMBOLS[0], SYMBOLS[2]
"""Held on the failing venue; wanted while it fails."""

PATIENCE = 2
"""Turns that a move may take besides those that the circuit breaker waits."""


async def play(shadow: Shadow) -> None:
    """Fail, and be repaired."""
    await shadow.begin()
    await shadow.shrink(WANTED)
    before = await shadow.exchange.entries()
    breaker = shadow.settings.venue.breaker
    await shadow.exchange.break_by("answer-before-accept", environment="production", status=503)
    await shadow.turn(breaker.failures + PATIENCE)
    shadow.expect("the venue's circuit breaker is open", shadow.seat(FAILING).venue.state, Breaker.OPEN)
    shadow.expect("new positions move to the next one", shadow.active, NEXT)
    opened = set(await shadow.exchange.entries()) - set(before)
    shadow.expect("what was wanted meanwhile is ordered once", len(opened), 1)
    await _counts_in_base_currency(shadow)
    await shadow.enlarge(KEPT)
    reason = Reason.POSITION_NOTIONAL_EXCEEDED
    shadow.expect("what is left behind counts: more elsewhere is denied", shadow.answer(KEPT), reason)
    await shadow.exchange.repair()
    shadow.clock.skip(breaker.most_open_seconds)
    await shadow.turn(PATIENCE)
    shadow.expect("new positions come back", shadow.active, FAILING)
    shadow.expect("each venue holds what the journal says", await shadow.differences(), [])
    taken = await shadow.exchange.taken()
    shadow.expect("no order was taken twice", len(taken), len(set(taken)))
    shadow.expect("no position is without a stop loss on the venue", await shadow.naked(), [])


async def _counts_in_base_currency(shadow: Shadow) -> None:
    """Expect a position of the usual size where contracts are a thousand coins."""
    size = Decimal(shadow.settings.strategies[0].notional or 0)
    held = (await shadow.positions(NEXT)).get(WANTED, Decimal(0))
    notional = held * shadow.seat(NEXT).market.prices[WANTED]
    seen = f"{held:f} worth {notional:.2f} of {size:f}"
    shadow.confirm("its size is converted", seen, holds=size / 2 < notional <= size)


SCENARIO = Scenario(
    "exchange-outage",
    "The preferred venue answers every request with 503, and later recovers.",
    "Binance, Coinbase and Kraken on 2021-05-19; RTS 6 article 14(2), adverse scenarios",
    play,
    Stage(venues=(FAILING, NEXT, "bybit")),
)
"""Venues fail when it matters most."""
