"""Request limits: by address over five seconds, by account and second for orders. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field

SECOND_MS = 1_000
"""Interval of the order limit."""

FIVE_SECONDS_MS = 5_000
"""Interval of the address limit."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What the venue allows; nought means no limit."""

    requests_per_5_seconds: int = 600
    """Requests of one address."""
    orders_per_second: int = 10
    """New orders of one account."""


@dataclass(slots=True)
class Meter:
    """A count that starts anew with each interval of the clock."""

    interval_ms: int
    """Length."""
    used: dict[int, int] = field(default_factory=dict)
    """Count of the present interval, by its number since 1970."""

    def add(self, now_ms: int) -> int:
        """Count one more, and tell how many there are in the present interval."""
        index = now_ms // self.interval_ms
        self.used = {index: self.used.get(index, 0) + 1}
        return self.used[index]

    def resets_ms(self, now_ms: int) -> int:
        """When the present interval ends."""
        return (now_ms // self.interval_ms + 1) * self.interval_ms
