"""What the RiskGate last answered on each symbol and side of one seat, written down when it changes."""

import asyncio

from golive_engine.clock import Clock
from golive_engine.journal import Journal
from golive_engine.situation import Denial
from golive_engine.trading import Intent, OrderKind, Purpose, Side


class Decisions:
    """Remembers one seat's last answers, so that the journal gets a row per change and none per cycle."""

    def __init__(self, account: str, venue: str, journal: Journal, clock: Clock) -> None:
        self._account = account
        self._venue = venue
        self._journal = journal
        self._clock = clock
        self._last: dict[tuple[str, Side, OrderKind, Purpose], str] = {}

    async def note(self, intent: Intent, denial: Denial | None) -> None:
        """Write an answer that differs from the last one; raises JournalError, then nothing may be sent."""
        key = (intent.symbol, intent.side, intent.kind, intent.purpose)
        reason = denial.reason.value if denial else ""
        if self._last.get(key) == reason:
            return
        now = self._clock.wall()
        await asyncio.to_thread(self._journal.add_decision, self._account, self._venue, intent, denial, now)
        self._last[key] = reason
