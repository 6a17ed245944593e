"""Telling a person what is being built, how long it has taken and how long it is likely to take."""

import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Protocol, TextIO

from rich.console import Console
from rich.progress import BarColumn, TextColumn, TimeElapsedColumn
from rich.progress import Progress as Bar

HEARTBEAT_SECONDS = 30.0
"""Time between two plain lines while one step lasts."""

NEVER_FULL = 0.97
"""How far a bar goes by time alone; only the end of the step fills it."""

Tick = Callable[[], None]
"""To be called every now and then while a step lasts."""


class Progress(Protocol):
    """Where progress is told."""

    def note(self, text: str) -> None:
        """Tell something once."""

    def step(self, label: str, expected_seconds: float) -> AbstractContextManager[Tick]:
        """Show a step while the context lasts; a step left by an exception is shown as not done."""


def duration(seconds: float) -> str:
    """Return a duration as people say it: `45 s`, `3 min 20 s`."""
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest:02} s" if minutes else f"{rest} s"


class Lines:
    """Progress as plain lines, for logs and pipes."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def note(self, text: str) -> None:
        """Print one line at once."""
        print(text, file=self._stream, flush=True)

    @contextmanager
    def step(self, label: str, expected_seconds: float) -> Iterator[Tick]:
        """Print a line at the start, one now and then, and one at the end."""
        began = told = time.monotonic()
        self.note(f"{label}: started, takes about {duration(expected_seconds)}")

        def tick() -> None:
            nonlocal told
            if time.monotonic() - told >= HEARTBEAT_SECONDS:
                told = time.monotonic()
                self.note(f"{label}: {duration(told - began)} of about {duration(expected_seconds)}")

        yield tick
        self.note(f"{label}: done in {duration(time.monotonic() - began)}")


class Bars:
    """Progress as one bar per step, for a terminal."""

    def __init__(self, console: Console) -> None:
        self._console = console

    def note(self, text: str) -> None:
        """Print one line above the bar."""
        self._console.print(text, highlight=False)

    @contextmanager
    def step(self, label: str, expected_seconds: float) -> Iterator[Tick]:
        """Show a bar that fills with the time a step usually takes."""
        columns = (
            TextColumn("{task.description:<46}"),
            BarColumn(),
            TimeElapsedColumn(),
            TextColumn(f"of about {duration(expected_seconds)}"),
        )
        with Bar(*columns, console=self._console) as bar:
            task = bar.add_task(label, total=expected_seconds)
            began = time.monotonic()

            def tick() -> None:
                passed = time.monotonic() - began
                bar.update(task, completed=min(passed, NEVER_FULL * expected_seconds))

            yield tick
            bar.update(task, completed=expected_seconds)


def to_stream(stream: TextIO | None = None) -> Progress:
    """Return bars for a terminal, plain lines for anything else or where NO_COLOR is set."""
    stream = stream or sys.stderr
    if stream.isatty() and not os.environ.get("NO_COLOR"):
        return Bars(Console(file=stream))
    return Lines(stream)
