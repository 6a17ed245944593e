"""A circuit breaker for each seat, and a venue whose every request goes through one."""

from collections.abc import Awaitable, Callable
from decimal import Decimal
from typing import TypeVar

from golive_api.engine_report import Breaker
from golive_engine.clock import Clock
from golive_engine.settings import BreakerSettings
from golive_engine.trading import (
    NEVER_SENT,
    Depth,
    Execution,
    Instrument,
    Intent,
    KeyRights,
    OrderKind,
    OutcomeUnknownError,
    Permit,
    Purpose,
    Quote,
    RefusedError,
    Snapshot,
    Trade,
    UnavailableError,
    Venue,
    VenueName,
)

GAUGE = {Breaker.CLOSED: 0.0, Breaker.HALF_OPEN: 0.5, Breaker.OPEN: 1.0}
"""What a gauge shows of each state."""

T = TypeVar("T")


class CircuitBreaker:
    """Leaves a venue alone that fails, and lets one request at a time find out whether it is back. Pure.

    Args:
        settings: After how many failures, and for how long.
    """

    def __init__(self, settings: BreakerSettings) -> None:
        self._settings = settings
        self._failures = 0
        self._wait_seconds = settings.open_seconds
        self._retry_at: float | None = None
        self._is_trying = False

    def state(self, now: float) -> Breaker:
        """What holds now: half open from the end of a wait until the trial's answer."""
        if self._retry_at is None:
            return Breaker.CLOSED
        return Breaker.HALF_OPEN if self._is_trying or now >= self._retry_at else Breaker.OPEN

    def allows(self, now: float) -> bool:
        """Whether a request may be made; the first one after a wait is the trial, and the next wait begins.

        A trial that never tells how it ended, because its task was cancelled, thus holds up nothing for ever.
        """
        if self._retry_at is None:
            return True
        if now < self._retry_at:
            return False
        self._retry_at = now + self._wait_seconds
        self._is_trying = True
        return True

    def succeeded(self) -> None:
        """Note an answer. While open it is a late one, to a request from before, and proves nothing."""
        if self._retry_at is None or self._is_trying:
            self._failures = 0
            self._wait_seconds = self._settings.open_seconds
            self._retry_at = None
            self._is_trying = False

    def failed(self, now: float, retry_after: float | None = None) -> None:
        """Note a failure, with the seconds for which the venue wants to be left alone, if it says so."""
        at_least = retry_after or 0.0
        if self._is_trying:
            self._wait_seconds = min(2 * self._wait_seconds, self._settings.most_open_seconds)
            self._is_trying = False
            self._retry_at = now + max(self._wait_seconds, at_least)
        elif self._retry_at is not None:
            self._retry_at = max(self._retry_at, now + at_least)
        else:
            self._failures += 1
            if self._failures >= self._settings.failures:
                at_least = max(self._wait_seconds, at_least)
            if at_least > 0:
                self._retry_at = now + at_least


class GuardedVenue:
    """A venue behind its circuit breaker: while that is open, every request fails at once and none is made.

    An answer counts as success, a refusal too. Failures are outages and unknown outcomes; a request that was
    wrong in itself says nothing against the venue.

    Args:
        venue: What is guarded.
        breaker: By what.
        clock: For its waits.
        on_result: Told of each request whether the venue answered it.
    """

    def __init__(
        self,
        venue: Venue,
        breaker: CircuitBreaker,
        clock: Clock,
        on_result: Callable[[bool], None] = lambda _: None,
    ) -> None:
        self.inner = venue
        """The venue itself, for the kill protocol: closing is not kept waiting by a breaker."""
        self.name: VenueName = venue.name
        self._breaker = breaker
        self._clock = clock
        self._on_result = on_result

    @property
    def state(self) -> Breaker:
        """State of the breaker now."""
        return self._breaker.state(self._clock.monotonic())

    async def instruments(self) -> dict[str, Instrument]:
        """Every tradable instrument by symbol."""
        return await self._read(self.inner.instruments)

    async def quotes(self, symbols: frozenset[str]) -> dict[str, Quote]:
        """Best prices."""
        return await self._read(lambda: self.inner.quotes(symbols))

    async def closes(self, symbol: str, count: int) -> tuple[Decimal, ...]:
        """Closing prices, oldest first."""
        return await self._read(lambda: self.inner.closes(symbol, count))

    async def depth(self, symbol: str, percent: Decimal) -> Depth:
        """What the book holds within a share of its middle price."""
        return await self._read(lambda: self.inner.depth(symbol, percent))

    async def server_time(self) -> float:
        """The venue's clock."""
        return await self._read(self.inner.server_time)

    async def snapshot(self) -> Snapshot:
        """Equity, margin and positions."""
        return await self._read(self.inner.snapshot)

    async def rights(self) -> KeyRights:
        """What the key may do."""
        return await self._read(self.inner.rights)

    async def set_leverage(self, symbol: str, leverage: int) -> Decimal:
        """Set a symbol's leverage."""
        return await self._read(lambda: self.inner.set_leverage(symbol, leverage))

    async def send(self, intent: Intent, client_order_id: str, permit: Permit) -> Execution:
        """Send one order, once; RefusedError without a request while the breaker is open.

        The kill protocol's orders go out all the same: closing is not kept waiting by a breaker.
        """
        if not self._breaker.allows(self._clock.monotonic()) and intent.purpose is not Purpose.KILL:
            raise RefusedError(f"{NEVER_SENT}: circuit open", is_outage=True)
        return await self._counted(lambda: self.inner.send(intent, client_order_id, permit))

    async def ask(self, symbol: str, client_order_id: str, kind: OrderKind) -> Execution | None:
        """What became of an order."""
        return await self._read(lambda: self.inner.ask(symbol, client_order_id, kind))

    async def trades(self, symbol: str, since: float) -> list[Trade]:
        """The account's fills since a moment."""
        return await self._read(lambda: self.inner.trades(symbol, since))

    async def open_orders(self) -> list[Execution]:
        """Every resting order."""
        return await self._read(self.inner.open_orders)

    async def cancel(self, symbol: str, client_order_id: str, kind: OrderKind) -> None:
        """Cancel one order."""
        await self._read(lambda: self.inner.cancel(symbol, client_order_id, kind))

    async def cancel_all(self, symbol: str, *, conditional: bool) -> None:
        """Cancel every resting order of a symbol, of one of the two sorts."""
        await self._read(lambda: self.inner.cancel_all(symbol, conditional=conditional))

    async def cancel_unless_renewed(self, seconds: int, symbols: frozenset[str]) -> None:
        """Dead-man switch."""
        await self._read(lambda: self.inner.cancel_unless_renewed(seconds, symbols))

    async def close(self) -> None:
        """Let go of connections, whatever the breaker says."""
        await self.inner.close()

    async def _read(self, request: Callable[[], Awaitable[T]]) -> T:
        """Make a request, if the breaker allows; UnavailableError at once if it does not."""
        if not self._breaker.allows(self._clock.monotonic()):
            raise UnavailableError(f"{self.name}: circuit open")
        return await self._counted(request)

    async def _counted(self, request: Callable[[], Awaitable[T]]) -> T:
        """Make a request and let the breaker know how it went; whatever else it raises tells nothing."""
        try:
            answer = await request()
        except (UnavailableError, RefusedError) as error:
            self._note(answered=not error.is_outage, retry_after=error.retry_after)
            raise
        except OutcomeUnknownError:
            self._note(answered=False)
            raise
        self._note(answered=True)
        return answer

    def _note(self, *, answered: bool, retry_after: float | None = None) -> None:
        """Count one result."""
        if answered:
            self._breaker.succeeded()
        else:
            self._breaker.failed(self._clock.monotonic(), retry_after)
        self._on_result(answered)
