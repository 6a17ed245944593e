"""The venue's clock, the only place that asks the machine for the time."""

from __future__ import annotations

import time
from dataclasses import dataclass


@dataclass(slots=True)
class VenueClock:
    """Wall time as the venue tells it."""

    skew_ms: int = 0
    """By how much the venue's clock is ahead of the machine's; a fault on request."""

    def now_ms(self) -> int:
        """Milliseconds since 1970 as the venue counts them."""
        return time.time_ns() // 1_000_000 + self.skew_ms
