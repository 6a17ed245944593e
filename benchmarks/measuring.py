"""Medians and tails in one table; the machine named beside them."""

import gc
import os
import platform
import statistics
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table
from rich.text import Text


@dataclass(frozen=True, slots=True)
class Sample:
    """One contender's measurements."""

    name: str
    values: list[float]

    def at(self, share: float) -> float:
        """The value below which that share of all lies."""
        ordered = sorted(self.values)
        return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def microseconds(calls: int, call: Callable[[], object]) -> list[float]:
    """Durations of single calls, the timer's own cost included, without the garbage collector."""
    clock, values = time.perf_counter_ns, []
    gc.disable()
    for _ in range(calls):
        began = clock()
        call()
        values.append((clock() - began) / 1000)
    gc.enable()
    return values


async def each(calls: int, work: Callable[[], Awaitable[object]]) -> list[float]:
    """The same for what has to be awaited, the garbage collector as it usually is."""
    clock, values = time.perf_counter_ns, []
    for _ in range(calls):
        began = clock()
        await work()
        values.append((clock() - began) / 1000)
    return values


def machine() -> str:
    """Processor, cores and Python of this machine."""
    names = [line.split(":", 1)[1].strip() for line in _cpuinfo() if line.startswith("model name")]
    processor = names[0] if names else platform.machine()
    python = platform.python_version()
    return f"{processor}, {os.cpu_count()} cores, Python {python}, load {os.getloadavg()[0]:.1f}"


def _cpuinfo() -> list[str]:
    path = Path("/proc/cpuinfo")
    return path.read_text().splitlines() if path.is_file() else []


def figure(value: float) -> str:
    """Three digits or so, never with an exponent."""
    return f"{value:.0f}" if value >= 100 else f"{value:.1f}" if value >= 10 else f"{value:.3f}"  # noqa: PLR2004  # powers of ten


def show(title: str, unit: str, samples: list[Sample], where: str, aim: str) -> None:
    """Print one table; the ratio is against the last contender; one without values is named and left blank."""
    table = Table()
    table.add_column("contender")
    for heading in (f"median {unit}", f"p99 {unit}", f"max {unit}", "runs", "ratio"):
        table.add_column(heading, justify="right")
    base = statistics.median(samples[-1].values)
    for sample in samples:
        if not sample.values:
            table.add_row(sample.name)
            continue
        median = statistics.median(sample.values)
        cells = [figure(value) for value in (median, sample.at(0.99), max(sample.values))]
        table.add_row(sample.name, *cells, str(len(sample.values)), f"{median / base:.2f}" if base else "")
    console = Console(width=None if os.isatty(1) else 120)
    console.print(Text(f"{title}: {where}", style="bold"))
    console.print(table)
    console.print(f"{aim}\n", highlight=False)
