"""When an order's first byte leaves: one hook below TLS, the same for every client of this process."""

import time
from asyncio import selector_events
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from golive_engine.metrics import Metrics
from golive_engine.trading import Intent

Send = Callable[[Intent], Awaitable[int]]
"""Sends one order; returns the nanosecond at which its outcome was known."""


@dataclass(frozen=True, slots=True)
class Times:
    """Milliseconds from one intent."""

    wire: float
    """Until the first byte left."""
    heard: float
    """Until the outcome was known; the engine has written it down by then."""
    ended: float
    """Until the call ended; the engine has read and counted the account anew by then."""


class Heard(Metrics):
    """The engine's series, and when it last knew what became of an order."""

    last = 0

    def order_latency(self, account: str, venue: str, seconds: float) -> None:
        """Called by the engine at that moment."""
        self.last = time.perf_counter_ns()
        super().order_latency(account, venue, seconds)


class Wire:
    """When a socket was first written to since it was last asked about."""

    def __init__(self) -> None:
        transport = selector_events._SelectorSocketTransport  # type: ignore[attr-defined]  # noqa: SLF001  # below TLS there is no public seam
        write = transport.write
        self._first = 0

        def noted(itself: object, data: bytes) -> None:
            self._first = self._first or time.perf_counter_ns()
            write(itself, data)

        transport.write = noted

    async def timed(self, send: Send, intent: Intent) -> Times:
        """One order."""
        self._first = 0
        began = time.perf_counter_ns()
        heard = await send(intent)
        ended = time.perf_counter_ns()
        return Times(*((moment - began) / 1e6 for moment in (self._first, heard, ended)))
