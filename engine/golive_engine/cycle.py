"""The loop that never ends by an error: every account's turn, again and again."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence

from golive_engine.clock import Clock
from golive_engine.journal import JournalError
from golive_engine.logs import correlated
from golive_engine.metrics import Metrics
from golive_engine.safety import Safety
from golive_engine.trader import Trader

SETTLE_SECONDS = 1.0
"""How often unknown outcomes are asked about and stops are looked up, between cycles."""

STANDBY_SECONDS = 1.0
"""How often a standby looks whether it leads."""

LEAST_STALL_SECONDS = 30.0
"""The cycle counts as stuck after three intervals, but never before this."""

_log = logging.getLogger(__name__)


class Cycle:
    """Gives every account its turn while this pod leads."""

    def __init__(
        self,
        interval_seconds: float,
        leading: Callable[[], bool],
        safety: Safety,
        metrics: Metrics,
        clock: Clock,
        on_second: Callable[[], Awaitable[None]],
    ) -> None:
        self.traders: Sequence[Trader] = ()
        self.count = 0
        self._interval_seconds = interval_seconds
        self._leading = leading
        self._safety = safety
        self._metrics = metrics
        self._clock = clock
        self._on_second = on_second
        self._led = False
        self._progress = clock.monotonic()
        self._wake = asyncio.Event()
        self._stopping = False

    def beat(self) -> None:
        """Note that there is progress."""
        self._progress = self._clock.monotonic()

    @property
    def alive(self) -> bool:
        """Whether there was progress lately."""
        bound = max(3 * self._interval_seconds, LEAST_STALL_SECONDS)
        return self._clock.monotonic() - self._progress < bound

    @property
    def armed(self) -> bool:
        """Whether every account agrees with its venue."""
        return bool(self.traders) and all(trader.account.agrees for trader in self.traders)

    def wake(self) -> None:
        """Start the next cycle now: something changed that orders depend on."""
        self._wake.set()

    def stop(self) -> None:
        """End after what is being done now."""
        self._stopping = True
        self._wake.set()

    async def run(self) -> None:
        """Cycle until stopped."""
        while not self._stopping:
            self._wake.clear()
            leads = self._leading()
            if leads and not self._led:
                for trader in self.traders:
                    trader.forget()
            self._led = leads
            if leads:
                await self._once()
            self.beat()
            await self._pause(self._interval_seconds if leads else STANDBY_SECONDS)

    async def settle_for_ever(self) -> None:
        """Between cycles: ask about unknown outcomes, see the stops that a person has started or released."""
        while True:
            await asyncio.sleep(SETTLE_SECONDS)
            if self._led and self._leading():
                await self._refresh_safety()
                await self._on_second()
                for trader in self.traders:
                    await self._guarded(trader, trader.settle)

    async def _once(self) -> None:
        """One cycle over all accounts, side by side: a venue that hangs delays only its own."""
        began = self._clock.monotonic()
        with correlated(cycle=self.count + 1):
            await self._refresh_safety()
            await asyncio.gather(*(self._guarded(trader, trader.turn) for trader in self.traders))
        self.count += 1
        self._metrics.cycles.inc()
        self._metrics.cycle_seconds.observe(self._clock.monotonic() - began)

    async def _refresh_safety(self) -> None:
        """Read the emergency stops; losses are counted anew after a release."""
        try:
            if await self._safety.refresh():
                for trader in self.traders:
                    trader.account.forget_losses()
        except JournalError as error:
            _log.error("journal failed: %s", error)  # every account is stopped until it can be read

    async def _guarded(self, trader: Trader, work: Callable[[], Awaitable[None]]) -> None:
        """Do one account's work; whatever goes wrong is logged and ends only this turn."""
        name = trader.account.name
        try:
            await work()
        except JournalError as error:
            _log.error("journal failed: %s", error, extra={"account": name})
            trader.forget()  # a write whose answer was lost may be there: read everything anew first
        except Exception:  # noqa: BLE001  # a cycle never ends by an error, whatever it is
            _log.exception("turn failed", extra={"account": name})

    async def _pause(self, seconds: float) -> None:
        """Wait for the next cycle, or until woken."""
        try:
            await asyncio.wait_for(self._wake.wait(), seconds)
        except TimeoutError:
            return
