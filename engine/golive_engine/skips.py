"""Orders that were wanted and not sent: logged when something changes, counted always."""

import asyncio
import logging
from dataclasses import dataclass

from golive_api.reasons import Reason
from golive_engine.clock import Clock
from golive_engine.gate import CLOSED_REASONS
from golive_engine.journal import Journal
from golive_engine.situation import Denial
from golive_engine.trading import Intent, Purpose, Side

_log = logging.getLogger(__name__)


@dataclass(slots=True)
class _Standing:
    """A denial that keeps being repeated."""

    side: Side
    reason: Reason
    number: int
    times: int = 1


class Skips:
    """Remembers what each seat's symbols were last denied for, by purpose of the order."""

    def __init__(self, journal: Journal, clock: Clock) -> None:
        self._journal = journal
        self._clock = clock
        self._standing: dict[tuple[str, str, str, Purpose], _Standing] = {}

    async def note(self, account: str, venue: str, intent: Intent, denial: Denial) -> None:
        """Log and write a denial that differs from the last one of this symbol, count one that does not."""
        key = (account, venue, intent.symbol, intent.purpose)
        known = self._standing.get(key)
        if known is not None and (known.side, known.reason) == (intent.side, denial.reason):
            known.times += 1
            if known.times & (known.times - 1) == 0:  # at 2, 4, 8 …: the journal needs no row per cycle
                await self._count(known)
            return
        await self.clear(*key)
        _log.warning(
            sentence(intent, denial),
            extra={"account": account, "venue": venue, "symbol": intent.symbol, "reason": denial.reason},
        )
        number = await asyncio.to_thread(
            self._journal.add_denial,
            {
                "account": account,
                "venue": venue,
                "symbol": intent.symbol,
                "side": intent.side.value,
                "quantity": str(intent.quantity),
                "purpose": intent.purpose.value,
                "reason": denial.reason.value,
            },
            {key: str(value) for key, value in denial.values},
            self._clock.wall(),
        )
        self._standing[key] = _Standing(intent.side, denial.reason, number)

    async def clear(self, account: str, venue: str, symbol: str, purpose: Purpose = Purpose.TRADE) -> None:
        """Forget a symbol's denial, because there is none any more, or another one."""
        known = self._standing.pop((account, venue, symbol, purpose), None)
        if known is not None:
            await self._count(known)

    async def _count(self, known: _Standing) -> None:
        """Write how often a denial was repeated."""
        await asyncio.to_thread(self._journal.count_denial, known.number, known.times, self._clock.wall())


def sentence(intent: Intent, denial: Denial) -> str:
    """The line that people grep for."""
    if denial.reason in CLOSED_REASONS:
        why = "GO-LIVE not activated"
    else:
        why = " ".join([denial.reason.value, *(f"{key}={value}" for key, value in denial.values)])
    return f"[ORDER_SKIPPED] {intent.side} {intent.symbol} qty={intent.quantity:f} - {why}"
