"""How long a venue wants to be left alone. Pure."""


class HoldOff:
    """Remembers until when a venue wants no requests."""

    def __init__(self) -> None:
        self._until = 0.0

    def extend(self, now: float, seconds: float) -> None:
        """Wait at least so long from now; an earlier, longer wait stays."""
        self._until = max(self._until, now + seconds)

    def left(self, now: float) -> float:
        """Seconds still to wait."""
        return max(0.0, self._until - now)
