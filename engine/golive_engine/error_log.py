"""Lines of level ERROR and above, counted over restarts: a new process must not forget what was logged."""

import asyncio
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from golive_engine.clock import Clock
from golive_engine.journal import Journal, JournalError

KIND = "error-lines"
"""Kind of state change in the journal; its value is how many lines there were."""

PAUSE_SECONDS = 60.0
"""Least time between two rows: a storm of errors must not become one of rows."""

LOOK_SECONDS = 1.0
"""How often it is looked whether there is anything to write."""

MOST_TEXT = 200
"""Characters of the last line that are kept."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Errors:
    """What was logged since a moment."""

    lines: int
    """How many lines of ERROR or above."""
    last: str = ""
    """The last one of them: logger and message."""


class ErrorLog(logging.Handler):
    """Counts lines, and keeps the counts in the journal.

    Args:
        journal: Where they are kept.
        clock: For the times of rows.
        scope: Which pod counts.
    """

    def __init__(self, journal: Journal, clock: Clock, scope: str) -> None:
        super().__init__(logging.ERROR)
        self._journal = journal
        self._clock = clock
        self._scope = scope
        self._pending = Errors(0)
        self._written = float("-inf")

    def emit(self, record: logging.LogRecord) -> None:
        """Count one line."""
        self.count(f"{record.name}: {record.getMessage()}")

    def count(self, line: str) -> None:
        """Count what is about to become a line, when nobody will be there any more to count it."""
        with self._locked():
            self._pending = Errors(self._pending.lines + 1, line[:MOST_TEXT])

    async def run(self) -> None:
        """Write counts down for ever: the first line of a while at once, what follows it together."""
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            if self._clock.monotonic() - self._written >= PAUSE_SECONDS:
                await asyncio.to_thread(self.keep)

    def keep(self) -> None:
        """Write down what is not written yet; what can't be written now is tried again."""
        with self._locked():
            pending, self._pending = self._pending, Errors(0)
        if not pending.lines:
            return
        row = (KIND, self._scope, str(pending.lines), {"last": pending.last}, self._clock.wall())
        try:
            self._journal.add_state_change(*row)
        except JournalError:
            with self._locked():
                self._pending = Errors(pending.lines + self._pending.lines, self._pending.last or pending.last)
            return
        self._written = self._clock.monotonic()

    def since(self, time: float) -> Errors:
        """Everything that was logged since a moment, by whichever pod. Raises JournalError."""
        with self._locked():
            pending = self._pending
        rows = self._journal.state_changes(KIND, time)
        lines = sum(int(row.value) for row in rows) + pending.lines
        return Errors(lines, pending.last or (rows[-1].details.get("last", "") if rows else ""))

    @contextmanager
    def _locked(self) -> Iterator[None]:
        """Keep lines from being counted meanwhile."""
        self.acquire()
        try:
            yield
        finally:
            self.release()
