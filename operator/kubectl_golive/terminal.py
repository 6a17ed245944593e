"""Aligned plain tables, coloured only for a person who looks at a terminal."""

import os
import shutil
import sys
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta
from typing import Literal

import click
from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from golive_api.values import parse_time
from kubectl_golive.printable import printable

PLAIN_WIDTH = 10_000
"""Wide enough that nothing wraps where no person looks."""

LEAST_WIDTH = 80
"""On a narrower terminal lines run over instead of losing letters."""

WIDE = 120
"""From this width on tables have room for columns that only some people need."""

_AGES = (
    (120, 1, "s", 0, ""),
    (600, 60, "m", 1, "s"),
    (10_800, 60, "m", 0, ""),
    (28_800, 3600, "h", 60, "m"),
    (172_800, 3600, "h", 0, ""),
    (691_200, 86_400, "d", 3600, "h"),
    (float("inf"), 86_400, "d", 0, ""),
)
"""Below how many seconds which units are used, with their sizes; 0 leaves the smaller one out."""

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
    "Error": "bold red",
    "Attested": "green",
    "Missing": "red",
    "Lapsed": "red",
    "Rejected": "bold red",
    "holds": "bold red",
    "released": "green",
}


def console() -> Console:
    """Standard output, as wide as the terminal, and plain where NO_COLOR is set."""
    if sys.stdout.isatty():
        colours: Literal["auto"] | None = None if os.environ.get("NO_COLOR") else "auto"
        width = max(LEAST_WIDTH, shutil.get_terminal_size().columns)
        return Console(highlight=False, width=width, color_system=colours)
    return Console(highlight=False, width=PLAIN_WIDTH, color_system=None, force_terminal=False)


def page(draw: Callable[[Console], None]) -> None:
    """Print in one go what is drawn, without the spaces that fill a table's last column."""
    out = console()
    with out.capture() as drawn:
        draw(out)
    click.echo("\n".join(line.rstrip() for line in drawn.get().splitlines()), color=True)


def cell(value: object) -> Text:
    """A value in the colour of its meaning; never read as markup."""
    text = "<none>" if value is None else printable(str(value))
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


def section(out: Console, heading: str, titles: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """A table under a heading that says so where there is nothing in it."""
    out.print()
    out.print(Text(printable(heading) + ("" if rows else ": none"), style="bold"))
    if rows:
        out.print(indented(table(titles, rows)))


def indented(drawn: Table) -> Padding:
    """Below a heading."""
    return Padding(drawn, (0, 0, 0, 2), expand=False)


def age(span: timedelta) -> str:
    """A span as kubectl writes it: two units while the smaller one matters."""
    seconds = max(0, int(span.total_seconds()))
    size, unit, smaller_size, smaller = next(row[1:] for row in _AGES if seconds < row[0])
    count, rest = divmod(seconds, size)
    rest = rest // smaller_size if smaller_size else 0
    return f"{count}{unit}{rest}{smaller}" if rest else f"{count}{unit}"


def since(text: str | None, now: datetime) -> str:
    """How long ago a moment of the API was; empty without one, a question mark where it can't be read."""
    try:
        return age(now - parse_time(text)) if text else ""
    except ValueError:
        return "?"


def until(text: str | None, now: datetime) -> str:
    """How long it is until a moment of the API, and when that is."""
    try:
        moment = parse_time(text or "")
    except ValueError:
        return "?"
    return f"in {age(moment - now)} ({moment:%Y-%m-%d %H:%M} UTC)"
