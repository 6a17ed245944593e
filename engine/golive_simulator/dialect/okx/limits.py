"""Rate limits: each endpoint counts its requests per sender in windows of two seconds. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field

WINDOW_MS = 2_000
"""Length of every window."""


@dataclass(slots=True)
class Meter:
    """Requests of every sender to every endpoint in the present window."""

    is_limited: bool = True
    """Whether anything is ever too much."""
    window: int = -1
    """Number of the present window since 1970."""
    used: dict[tuple[str, str], int] = field(default_factory=dict)
    """Requests by sender and path."""

    def is_overrun(self, sender: str, path: str, allowed: int, now_ms: int) -> bool:
        """Count a request, and tell whether it is one too many."""
        if now_ms // WINDOW_MS != self.window:
            self.window, self.used = now_ms // WINDOW_MS, {}
        self.used[sender, path] = self.used.get((sender, path), 0) + 1
        return self.is_limited and self.used[sender, path] > allowed
