"""The one place that asks what time it is."""

import time
from datetime import UTC, datetime
from typing import Protocol


class Clock(Protocol):
    """Two clocks: one that people agree on, and one that never goes back."""

    def monotonic(self) -> float:
        """Seconds that only grow, for deadlines."""

    def wall(self) -> float:
        """Seconds since 1970 UTC, for records and for validUntil."""


class SystemClock:
    """The machine's clocks."""

    monotonic = staticmethod(time.monotonic)
    wall = staticmethod(time.time)


class FakeClock:
    """A clock that stands still until it is told to move."""

    def __init__(self, wall: float = 1_800_000_000.0, monotonic: float = 1_000.0) -> None:
        self._wall = wall
        self._monotonic = monotonic

    def monotonic(self) -> float:
        """Seconds that only grow."""
        return self._monotonic

    def wall(self) -> float:
        """Seconds since 1970 UTC."""
        return self._wall

    def advance(self, seconds: float) -> None:
        """Let time pass on both clocks."""
        self._wall += seconds
        self._monotonic += seconds

    def set_wall_back(self, seconds: float) -> None:
        """Step the wall clock back, as a bad time server does."""
        self._wall -= seconds


def moment(wall: float) -> datetime:
    """A wall clock reading as a moment in UTC."""
    return datetime.fromtimestamp(wall, UTC)


def utc_day(wall: float) -> str:
    """The UTC calendar day of a wall clock reading, as 2026-01-31."""
    return moment(wall).date().isoformat()


def utc_week(wall: float) -> str:
    """The ISO week of a wall clock reading in UTC, as 2026-W05; it begins on Monday."""
    year, week, _ = moment(wall).isocalendar()
    return f"{year}-W{week:02d}"
