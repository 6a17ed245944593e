"""Global Risk and the emergency stop of one engine: judged every cycle, latched in the journal."""

import asyncio
import logging
from collections.abc import Callable

from golive_api.golive import RiskState
from golive_engine.clock import Clock
from golive_engine.journal import EVERY_ACCOUNT, Journal, JournalError, Stop
from golive_engine.risk import UNREAD, Assessment, Standing, Trigger, assess, worst

_log = logging.getLogger(__name__)


class Safety:
    """What every account's orders depend on besides the gate.

    Trouble on a production account stops every account; trouble on a testnet account stops only that one,
    because play money says little about real money.

    Args:
        environments: Environment of each account by name.
        journal: Where stops are latched.
        clock: For the times of stops.
        on_trigger: Told each trigger that starts a stop.
        alert: Tells people, by subject and text; returns at once.
    """

    def __init__(
        self,
        environments: dict[str, str],
        journal: Journal,
        clock: Clock,
        on_trigger: Callable[[Trigger], None],
        alert: Callable[[str, str], None],
    ) -> None:
        self._environments = environments
        self._journal = journal
        self._clock = clock
        self._on_trigger = on_trigger
        self._alert = alert
        self._stops: list[Stop] = []
        self._is_read = False
        self._unwritten: dict[Stop, tuple[str, float]] = {}
        self._lock = asyncio.Lock()
        self._released: float | None = None
        self._assessments: dict[str, Assessment] = {}
        self._levels: dict[str, RiskState] = {}

    async def refresh(self) -> bool:
        """Read the latched stops; returns whether a person has released one since the last time.

        Raises:
            JournalError: It could not be read; every account is stopped until it can be.
        """
        async with self._lock:
            try:
                stops = await asyncio.to_thread(self._journal.active_stops)
                released, before = await asyncio.to_thread(self._journal.last_release), self._released
                if self._is_read:
                    self._tell([stop for stop in stops if stop not in self._stops])
                # Not before: a report made while the journal is read would tell of a stop that nobody started.
                self._stops = stops
                await self._write_down()
            except JournalError:
                self._is_read = False
                raise
            self._released, self._is_read = released, True
        is_released = before is not None and released > before
        if is_released:
            self._assessments.clear()  # the journal counts capital and peak anew: so does what was confirmed
        return is_released

    def _tell(self, stops: list[Stop]) -> None:
        """Count and tell of stops that somebody else has begun in the journal: the kill command does."""
        for stop in stops:
            self._on_trigger(Trigger(stop.trigger))
            self._alert(f"emergency stop: {stop.trigger} ({stop.scope})", "begun in the journal")

    async def judge(self, account: str, reading: Standing | None) -> None:
        """Assess an account, on all its venues together, and latch what is confirmed.

        Args:
            account: Which one.
            reading: How it stands; None if that can't be known now, which clears nothing.

        Raises:
            JournalError: Something could not be written; it holds all the same.
        """
        assessment = assess(self._assessments.get(account), reading)
        self._assessments[account] = assessment
        scope = EVERY_ACCOUNT if self._environments[account] == "production" else account
        for trigger in sorted(assessment.triggers):
            await self.latch(scope, trigger, "; ".join((f"account={account}", *assessment.reasons)))
        await self._write_level(account, assessment)

    def doubts(self, account: str) -> bool:
        """Whether its last reading lay beyond a threshold, and waits for a second one to confirm it."""
        assessment = self._assessments.get(account)
        return assessment is not None and bool(assessment.beyond - assessment.triggers)

    async def _write_level(self, account: str, assessment: Assessment) -> None:
        """Write a change of an account's level down."""
        level, reasons = assessment.state, "; ".join(assessment.reasons)
        if self._levels.get(account) is not level:
            change = ("global-risk", account, level.value, {"reasons": reasons}, self._clock.wall())
            await asyncio.to_thread(self._journal.add_state_change, *change)
            self._levels[account] = level
            _log.warning("global risk %s", level, extra={"account": account, "reasons": reasons})

    async def latch(self, scope: str, trigger: Trigger, details: str) -> None:
        """Start an emergency stop, unless the same one is active; it holds before it is written.

        Raises:
            JournalError: It holds all the same, and is written at the next refresh that succeeds.
        """
        stop = Stop(scope, trigger)
        if stop in [*self._stops, *self._unwritten]:
            return
        self._unwritten[stop] = (details, self._clock.wall())
        self._on_trigger(trigger)
        self._alert(f"emergency stop: {trigger} ({scope})", details)
        _log.critical("emergency stop", extra={"scope": scope, "trigger": trigger, "details": details})
        async with self._lock:
            await self._write_down()

    async def _write_down(self) -> None:
        """Write stops that are not in the journal yet, those from while it could not be written among them."""
        for stop, (details, time) in list(self._unwritten.items()):
            await asyncio.to_thread(self._journal.latch_stop, stop, details, time)
            self._stops = [*self._stops, stop]
            del self._unwritten[stop]

    def stopped(self, account: str) -> bool:
        """Whether an emergency stop holds this account; true while the journal has not been read."""
        return self._holds({EVERY_ACCOUNT, account})

    @property
    def emergency(self) -> bool:
        """Whether everything is stopped."""
        return self._holds({EVERY_ACCOUNT})

    def _holds(self, scopes: set[str]) -> bool:
        """Whether a stop of one of these scopes is active, written or not."""
        return not self._is_read or any(stop.scope in scopes for stop in [*self._stops, *self._unwritten])

    def risk_state(self, account: str) -> RiskState:
        """What an account's orders have to reckon with: real money looks at all real money."""
        if self._environments[account] == "production":
            return self.global_risk
        return self._state(account)

    @property
    def global_risk(self) -> RiskState:
        """The worst of all production accounts; of all accounts, if none is."""
        return worst([self._state(account) for account in self._judged()])

    @property
    def reasons(self) -> list[str]:
        """Why Global Risk is not OK."""
        found = []
        for account in self._judged():
            reasons = self._assessments.get(account, UNREAD).reasons
            found += [f"{account}: {reason}" for reason in reasons]
        return found[:16]

    def _judged(self) -> list[str]:
        """The accounts that Global Risk is about."""
        production = [name for name, environment in self._environments.items() if environment == "production"]
        return production or list(self._environments)

    def _state(self, account: str) -> RiskState:
        """An account's risk; CRITICAL while nobody has looked."""
        return self._assessments.get(account, UNREAD).state
