"""Prints what is done and what came of it: commands, their output, the closing table."""

import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from rich.console import Console
from rich.table import Table
from rich.text import Text


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the closing table."""

    step: str
    expected: str
    seen: str
    seconds: float
    holds: bool


class Narrator:
    """Colour and spinners on a terminal, plain lines elsewhere and under NO_COLOR."""

    def __init__(self, *, quiet: bool = False) -> None:
        plain = "NO_COLOR" in os.environ or not sys.stdout.isatty()
        width = None if sys.stdout.isatty() else 140
        self._console = Console(no_color=plain, highlight=False, width=width, soft_wrap=True, quiet=quiet)
        self.rows: list[Row] = []
        self._began = time.monotonic()

    def chapter(self, number: int, title: str) -> None:
        """A step's heading."""
        self._console.print(f"\n[bold]{number}. {title}[/bold]")
        self._began = time.monotonic()

    def say(self, text: str) -> None:
        """A sentence between commands."""
        self._console.print(Text(text, style="dim"))

    def command(self, words: str, output: str) -> None:
        """A command as it was run, and what it printed."""
        self._console.print(Text(f"$ {words}", style="cyan"))
        for line in output.rstrip().splitlines():
            self._console.print(Text(f"  {line}"))

    def saw(self, step: str, expected: str, seen: str, *, holds: bool, seconds: float | None = None) -> None:
        """Note one result for the closing table, and show it at once."""
        took = time.monotonic() - self._began if seconds is None else seconds
        self.rows.append(Row(step, expected, seen, took, holds))
        mark, style = ("ok", "green") if holds else ("DIFFERS", "bold red")
        self._console.print(Text(f"  {mark}: {step}: {seen} ({short_time(took)})", style=style))

    @contextmanager
    def waiting(self, what: str) -> Iterator[None]:
        """A spinner on a terminal while something is awaited."""
        if self._console.is_terminal:
            with self._console.status(f"waiting for {what}"):
                yield
        else:
            yield

    def summary(self, total_seconds: float) -> bool:
        """The closing table; returns whether everything was as expected."""
        table = Table(title="What was expected, what was seen", title_justify="left")
        for heading, side in (("step", "left"), ("expected", "left"), ("seen", "left"), ("time", "right")):
            table.add_column(heading, justify="right" if side == "right" else "left", overflow="fold")
        table.add_column("")
        for row in self.rows:
            mark = Text("ok", style="green") if row.holds else Text("DIFFERS", style="bold red")
            table.add_row(row.step, row.expected, row.seen, short_time(row.seconds), mark)
        self._console.print()
        self._console.print(table)
        wrong = sum(not row.holds for row in self.rows)
        verdict = "everything as expected" if not wrong else f"{wrong} results differ"
        self._console.print(
            Text(f"{verdict}, {total_seconds:.0f} s", style="green" if not wrong else "bold red")
        )
        return not wrong


def short_time(seconds: float) -> str:
    """Milliseconds below a second, else seconds."""
    return f"{seconds * 1000:.0f} ms" if seconds < 1 else f"{seconds:.1f} s"
