"""Aligned plain tables, coloured only for a person who looks at a terminal."""

import os
import sys
from collections.abc import Callable, Iterable, Sequence
from datetime import timedelta

import click
from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

PLAIN_WIDTH = 10_000
"""Wide enough that nothing wraps where no person looks."""

_STYLES = {
    "Open": "bold green",
    "True": "green",
    "Passed": "green",
    "valid": "green",
    "ReduceOnly": "yellow",
    "Unknown": "yellow",
    "Closed": "bold red",
    "False": "red",
    "Failed": "red",
    "void": "red",
}


def console() -> Console:
    """Standard output, as wide as the terminal; rich itself heeds NO_COLOR and TERM."""
    if sys.stdout.isatty():
        plain = "NO_COLOR" in os.environ
        return Console(highlight=False, soft_wrap=False, color_system=None if plain else "auto")
    return Console(highlight=False, width=PLAIN_WIDTH, color_system=None, force_terminal=False)


def page(draw: Callable[[Console], None]) -> None:
    """Print in one go what is drawn, without the spaces that fill a table's last column."""
    out = console()
    with out.capture() as drawn:
        draw(out)
    click.echo("\n".join(line.rstrip() for line in drawn.get().splitlines()), color=True)


def cell(value: object) -> Text:
    """A value in the colour of its meaning; never read as markup."""
    text = "<none>" if value is None else "".join(c if c.isprintable() else "�" for c in str(value))
    return Text(text, style=_STYLES.get(text, ""))


def table(titles: Sequence[str], rows: Iterable[Sequence[object]]) -> Table:
    """Columns as kubectl draws them; the last one wraps on a narrow terminal."""
    drawn = Table(box=None, pad_edge=False, padding=(0, 3, 0, 0), show_header=bool(titles), header_style="")
    for index, title in enumerate(titles):
        drawn.add_column(title, no_wrap=index < len(titles) - 1, overflow="fold")
    for row in rows:
        drawn.add_row(*(cell(value) for value in row))
    return drawn


def fields(pairs: Iterable[tuple[str, object]]) -> Padding:
    """Names and values below each other."""
    drawn = Table.grid(padding=(0, 3, 0, 0))
    drawn.add_column(no_wrap=True)
    drawn.add_column(overflow="fold")
    for name, value in pairs:
        drawn.add_row(Text(name, style="dim"), value if isinstance(value, Text) else cell(value))
    return indented(drawn)


def indented(drawn: Table) -> Padding:
    """Below a heading."""
    return Padding(drawn, (0, 0, 0, 2), expand=False)


def age(span: timedelta) -> str:
    """A span as kubectl writes it: the two largest units while they matter."""
    seconds = max(0, int(span.total_seconds()))
    for size, unit, next_size, next_unit, enough in (
        (86400, "d", 3600, "h", 8),
        (3600, "h", 60, "m", 8),
        (60, "m", 1, "s", 10),
    ):
        count, rest = divmod(seconds, size)
        smaller = rest // next_size
        if seconds >= 2 * size or (count and size == 86400):  # noqa: PLR2004  kubectl's own thresholds
            return f"{count}{unit}" + (f"{smaller}{next_unit}" if smaller and count < enough else "")
    return f"{seconds}s"
