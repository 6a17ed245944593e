"""Rate limits: request weight by address, new orders by account, in windows aligned to the clock. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field

MINUTE_MS = 60_000
"""Interval of request weight and of one order limit."""

TEN_SECONDS_MS = 10_000
"""Interval of the other order limit."""

STRIKES_BEFORE_BAN = 10
"""Refused requests within a window after which an address is banned."""

BAN_MS = 120_000
"""Length of a ban."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What the venue allows; nought means no limit."""

    weight_per_minute: int = 2_400
    """Request weight of one address."""
    orders_per_minute: int = 1_200
    """New orders of one account."""
    orders_per_10_seconds: int = 300
    """New orders of one account."""


@dataclass(slots=True)
class Window:
    """A count that starts anew with each interval of the clock."""

    interval_ms: int
    """Length."""
    index: int = -1
    """Number of the present interval since 1970."""
    used: int = 0
    """Count in it."""

    def add(self, amount: int, now_ms: int) -> int:
        """Count ``amount`` and return the sum of the present interval."""
        if now_ms // self.interval_ms != self.index:
            self.index, self.used = now_ms // self.interval_ms, 0
        self.used += amount
        return self.used

    def ends_in_seconds(self, now_ms: int) -> int:
        """Whole seconds until the interval is over, at least one."""
        return max(1, -(-(self.interval_ms - now_ms % self.interval_ms) // 1000))


@dataclass(slots=True)
class WeightMeter:
    """Weight used by one address."""

    window: Window = field(default_factory=lambda: Window(MINUTE_MS))
    """Weight of the minute."""
    strikes: Window = field(default_factory=lambda: Window(MINUTE_MS))
    """Refusals of the minute."""
    banned_until_ms: int = 0
    """End of the ban; nought without one."""

    def use(self, weight: int, now_ms: int) -> int:
        """Count a request's weight and return the minute's sum."""
        return self.window.add(weight, now_ms)

    def strike(self, now_ms: int) -> bool:
        """Count a refused request; true when it brings a ban."""
        if self.strikes.add(1, now_ms) <= STRIKES_BEFORE_BAN:
            return False
        self.banned_until_ms = now_ms + BAN_MS
        return True


@dataclass(slots=True)
class OrderMeter:
    """New orders of one account."""

    minute: Window = field(default_factory=lambda: Window(MINUTE_MS))
    """Orders of the minute."""
    ten_seconds: Window = field(default_factory=lambda: Window(TEN_SECONDS_MS))
    """Orders of the ten seconds."""
