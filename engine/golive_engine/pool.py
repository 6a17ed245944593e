"""The venues of one account, in order of preference, and which of them takes new positions now. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

from golive_api.engine_report import Breaker


@dataclass(frozen=True, slots=True)
class Failover:
    """New positions have moved from one venue to another; an empty name stands for none at all."""

    source: str
    """Where they were opened before."""
    target: str
    """Where they are opened now."""


class Pool:
    """Chooses the first venue whose circuit breaker is closed.

    A breaker that is half open has not shown yet that its venue is back. Only new positions move: what was
    opened elsewhere stays there, counts in every limit, and is closed where it is.

    Args:
        venues: Names, the preferred one first.
    """

    def __init__(self, venues: Sequence[str]) -> None:
        self._venues = tuple(venues)
        self.active = self._venues[0]

    def choose(self, breakers: Sequence[Breaker]) -> Failover | None:
        """Take in the state of each venue's breaker, in the same order; returns the move if there is one."""
        chosen = next((v for v, b in zip(self._venues, breakers, strict=True) if b is Breaker.CLOSED), "")
        if chosen == self.active:
            return None
        moved = Failover(self.active, chosen)
        self.active = chosen
        return moved
