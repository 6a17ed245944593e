"""One run at a time of everything that is tried, within a bound."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from golive_api.preflight_report import CheckResult, EnginePreflight, Finding
from golive_api.values import render_time
from golive_engine.account import Account
from golive_engine.cache import Cache
from golive_engine.clock import Clock, moment
from golive_engine.error_log import ErrorLog
from golive_engine.gate import Gate
from golive_engine.journal import Journal
from golive_engine.preflight import stores
from golive_engine.preflight.checklist import Seen, checklist
from golive_engine.preflight.findings import error
from golive_engine.preflight.seats import exchange
from golive_engine.settings import Settings

RUN_SECONDS = 8.0
"""How long a run may take; parts that are not done by then end in an Error."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a run looks at."""

    settings: Settings
    """What the engine was told."""
    pod: str
    """Who answers."""
    clock: Clock
    """Both clocks."""
    accounts: Callable[[], Sequence[Account]]
    """Every account."""
    journal: Journal
    """The database."""
    cache: Cache
    """The cache."""
    gate: Gate
    """The gate as it is obeyed."""
    errors: ErrorLog
    """Lines of errors."""


class Preflight:
    """Runs what is tried; whoever asks while a run is under way gets that one's result."""

    def __init__(self, surroundings: Surroundings) -> None:
        self._around = surroundings
        self._running: asyncio.Task[EnginePreflight] | None = None

    async def run(self) -> EnginePreflight:
        """Every finding; whoever stops waiting ends the run for nobody else."""
        if self._running is None or self._running.done():
            self._running = asyncio.create_task(self._run())
        return await asyncio.shield(self._running)

    async def close(self) -> None:
        """End a run that is under way."""
        if self._running is not None:
            self._running.cancel()
            await asyncio.gather(self._running, return_exceptions=True)

    async def _run(self) -> EnginePreflight:
        """Everything side by side; only the checklist waits for what the venues say."""
        around, clock = self._around, self._around.clock
        began, wall = clock.monotonic(), clock.wall()
        hours = around.settings.stress.max_age_hours
        parts = await asyncio.gather(
            self._part("exchange", began, self._exchange()),
            self._part("database", began, stores.database(around.journal, clock)),
            self._part("cache", began, stores.cache(around.cache, clock)),
            self._part("stress", began, stores.stress(around.journal, wall, hours)),
        )
        items = await self._part("checklist", began, checklist(self._seen(parts[0], wall)))
        report = EnginePreflight(
            version="v1alpha1",
            engine=around.settings.engine,
            pod=around.pod,
            time=render_time(moment(wall)),
            exchange=parts[0],
            database=parts[1],
            cache=parts[2],
            stress=parts[3],
            checklist=items,
        )
        _tell([*parts[0], *parts[1], *parts[2], *parts[3], *items], clock.monotonic() - began)
        return report

    async def _exchange(self) -> list[Finding]:
        """Every account on each of its venues."""
        around = self._around
        bound = around.settings.venue.max_clock_skew_seconds
        return await exchange(around.accounts(), around.clock, bound)

    async def _part(self, name: str, began: float, work: Awaitable[list[Finding]]) -> list[Finding]:
        """A part's findings; one that is not done when the run has to be is an Error of its name."""
        left = max(0.0, RUN_SECONDS - (self._around.clock.monotonic() - began))
        try:
            async with asyncio.timeout(left):
                return await work
        except TimeoutError:
            return [error(name, f"not done within {RUN_SECONDS:g} s")]
        except Exception as problem:  # noqa: BLE001  # whatever it is, the other parts are told all the same
            _log.exception("preflight failed", extra={"part": name})
            return [error(name, f"{type(problem).__name__}: {problem}")]

    def _seen(self, answered: list[Finding], now: float) -> Seen:
        """What the checklist is judged by."""
        around = self._around
        return Seen(around.settings, around.accounts(), answered, around.gate.profile, around.errors, now)


def _tell(findings: Sequence[Finding], seconds: float) -> None:
    """Log what did not pass; not as an error, which preflight would then find."""
    bad = [finding for finding in findings if finding.result is not CheckResult.PASSED]
    _log.info(
        "preflight",
        extra={
            "seconds": round(seconds, 3),
            "findings": len(findings),
            "bad": [f"{finding.name}: {finding.message}" for finding in bad],
        },
    )
