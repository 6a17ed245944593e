"""Whose look comes first when many wait: what is open is kept open, what is new waits."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from enum import Enum

AT_ONCE = 12
"""Looks of one kind that are under way; others wait.

More would only have each request wait longer, and one that waits too long counts as failed.
"""

LEAST = 2
"""Looks of a kind that may be under way although others come first."""


class Turn(Enum):
    """Why a look is due; what stands first comes first."""

    OPEN_WITH_NEWS = "open with news"
    """Something has happened to what is open, perhaps what shuts it: no crowd of renewals comes before that."""
    OPEN = "open"
    """The gate is open, or opens on this look: preflight has just run for it, and its results age."""
    NEWS = "news"
    """Something has happened."""
    ROUTINE = "routine"
    """The object is new, or looked at for its own sake."""


class Turns:
    """Lets looks begin: some of each kind at a time, and few while others that come first have to wait."""

    def __init__(self) -> None:
        self._free = dict.fromkeys(Turn, AT_ONCE)
        self._waiting: dict[Turn, deque[asyncio.Future[None]]] = {turn: deque() for turn in Turn}

    @asynccontextmanager
    async def take(self, turn: Turn) -> AsyncIterator[None]:
        """Wait for one's turn, and have it."""
        begins = asyncio.get_running_loop().create_future()
        self._waiting[turn].append(begins)
        self._begin_next()
        try:
            await begins
        except asyncio.CancelledError:
            if not begins.cancelled():  # it had been let in already
                self._end(turn)
            raise
        try:
            yield
        finally:
            self._end(turn)

    def _end(self, turn: Turn) -> None:
        self._free[turn] += 1
        self._begin_next()

    def _begin_next(self) -> None:
        kept = 0
        for turn, queue in self._waiting.items():
            while queue and self._free[turn] > kept:
                begins = queue.popleft()
                if not begins.done():
                    self._free[turn] -= 1
                    begins.set_result(None)
            if queue:
                kept = AT_ONCE - LEAST
