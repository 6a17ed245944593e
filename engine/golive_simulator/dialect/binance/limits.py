"""Rate limits: request weight by address, new orders by account, in windows aligned to the clock. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field

MINUTE_MS = 60_000
TEN_SECONDS_MS = 10_000

STRIKES_BEFORE_BAN = 10
"""Refused requests within a window after which an address is banned."""

BAN_MS = 120_000
"""Length of a ban."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What the venue allows; nought means no limit."""

    weight_per_minute: int = 2_400
    orders_per_minute: int = 1_200
    orders_per_10_seconds: int = 300


@dataclass(slots=True)
class Window:
    """A count that starts anew with each interval of the clock."""

    interval_ms: int
    index: int = -1
    used: int = 0

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
    strikes: Window = field(default_factory=lambda: Window(MINUTE_MS))
    banned_until_ms: int = 0

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
    ten_seconds: Window = field(default_factory=lambda: Window(TEN_SECONDS_MS))
