"""Who carries the kill protocol out: the engine that trades, or, if none answers, the person's own process."""

import asyncio
import logging
from collections.abc import Iterable, Sequence
from dataclasses import replace

from golive_engine.clock import Clock
from golive_engine.journal import EVERY_ACCOUNT, Journal, JournalError, Stop
from golive_engine.kill import KillBounds, Target, kill
from golive_engine.kill_report import KillReport
from golive_engine.records import StateChange
from golive_engine.risk import Trigger
from golive_engine.seat import Seat
from golive_engine.trader import Trader
from golive_engine.trading import Intent, UnavailableError

REQUESTED, TAKEN, ENDED = "kill-requested", "kill-taken", "kill-ended"
"""Kinds of state change: a person asks, an engine begins, it is over."""

FLATTEN, CANCEL = "flatten", "cancel"
"""What is asked for: to close positions too, or only to cancel what may open some."""

TAKE_SECONDS = 5.0
"""How long a running engine has to begin; it looks once a second."""

POLL_SECONDS = 0.2
"""How often the journal is looked into for an answer."""

_log = logging.getLogger(__name__)


async def carry_out(
    traders: Sequence[Trader],
    journal: Journal,
    clock: Clock,
    *,
    flatten: bool,
    bounds: KillBounds | None = None,
) -> KillReport:
    """Kill on every venue of every account, past circuit breakers and without waiting for a turn in progress.

    Whoever calls has latched a stop that holds every account. A journal that fails keeps no venue from being
    cleared; only closing positions needs it.
    """
    seats = {(t.account.name, seat.name): (t, seat) for t in traders for seat in t.account.seats}
    targets = [
        Target(account, seat.venue.inner, frozenset(seat.symbols)) for (account, _), (_, seat) in seats.items()
    ]

    async def place(target: Target, intent: Intent) -> object:
        trader, seat = seats[target.account, target.venue.name]
        await _know(seat)
        return await trader.order(seat, _sendable(intent, seat))

    report = await kill(targets, place, flatten=flatten, bounds=bounds)
    verdict = "done" if report.is_done else "not done"
    details = {"report": report.json(), "text": report.text()}
    try:
        await asyncio.to_thread(journal.add_state_change, ENDED, EVERY_ACCOUNT, verdict, details, clock.wall())
    except JournalError as error:
        _log.error("journal failed: %s", error)  # the report is in the log
    return report


def _sendable(intent: Intent, seat: Seat) -> Intent:
    """No more than one order may be; the next round closes the rest."""
    instrument = seat.market.instruments.get(intent.symbol)
    if instrument is None or intent.quantity <= instrument.max_quantity:
        return intent
    return replace(intent, quantity=instrument.max_quantity // instrument.lot_size * instrument.lot_size)


async def _know(seat: Seat) -> None:
    """Learn what the RiskGate has to know of a reduction: the instrument and the position."""
    try:
        await seat.know()
    except UnavailableError as error:
        _log.warning("kill protocol: %s", error, extra={"venue": seat.name})


def request(journal: Journal, clock: Clock, name: str, cause: str, *, flatten: bool) -> float:
    """Latch a stop and ask the engine that trades to kill; returns when. Raises JournalError."""
    now = clock.wall()
    journal.latch_stop(Stop(EVERY_ACCOUNT, Trigger.MANUAL), f"killed by {name}: {cause}", now)
    what = FLATTEN if flatten else CANCEL
    journal.add_state_change(REQUESTED, EVERY_ACCOUNT, what, {"by": name, "cause": cause}, now)
    return now


def pending(journal: Journal, since: float) -> StateChange | None:
    """The last request since a moment that nobody has taken; raises JournalError."""
    requests = [row for row in journal.state_changes(REQUESTED) if row.time >= since]
    if not requests or _after(journal.state_changes(TAKEN), requests[-1].time):
        return None
    return requests[-1]


def take(journal: Journal, clock: Clock, taker: str) -> None:
    """Tell the person that a request is being carried out; raises JournalError."""
    journal.add_state_change(TAKEN, taker, "", {}, clock.wall())


async def ended(journal: Journal, since: float, seconds: float) -> StateChange | None:
    """How a kill that an engine has begun since a moment ended; None if none did. Raises JournalError."""
    for kind, most in ((TAKEN, TAKE_SECONDS), (ENDED, seconds)):
        found = None
        for _ in range(int(most / POLL_SECONDS)):
            found = _after(await asyncio.to_thread(journal.state_changes, kind), since)
            if found is not None:
                break
            await asyncio.sleep(POLL_SECONDS)
        if found is None:
            return None
    return found


def _after(changes: Iterable[StateChange], since: float) -> StateChange | None:
    """The first of some changes since a moment."""
    return next((change for change in changes if change.time >= since), None)
