"""Memory of a real engine process under load: as many cycles as an hour has seconds, orders flowing.

One account, ten symbols, sixty times the market's pace, jobs every few seconds. The strategy loses often enough
to trip the emergency stop: it is released at once, as a person would, so that orders go on.
"""

import argparse
import os
import re
import statistics
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import yaml
from measuring import machine
from stage import PASSPHRASE, document, scratch, simulator

from golive_dev.ports import free_ports
from golive_dev.waiting import eventually
from golive_engine.journal import Journal
from golive_engine.settings import DEFAULT_SYMBOLS

CYCLES = 3600
"""An hour of one cycle a second."""

LONGEST_SECONDS = 170.0
"""When the measurement ends, however many cycles there were."""

SAMPLE_SECONDS = 1.0
"""Time between two looks."""

BOUND_MB = 1.0
"""What 1,000 cycles of the second half may add."""

PACE = 1
"""Candles of one minute in a second."""

ROWS = 20
"""Of the plot."""

BAR = 60
"""Letters of its longest bar."""


@dataclass(frozen=True, slots=True)
class Look:
    """One sample."""

    cycles: int
    """Finished so far."""
    orders: int
    """Filled so far."""
    megabytes: float
    """Resident."""


@contextmanager
def engine(folder: Path, port: int, settings: dict[str, object]) -> Iterator[subprocess.Popen[bytes]]:
    """An engine in a process of its own."""
    config, log = folder / "engine.yaml", folder / "engine.log"
    config.write_text(yaml.safe_dump(settings))
    words = [sys.executable, "-P", "-m", "golive_engine", "--config", str(config)]
    unset = ("KUBECONFIG", "KUBERNETES_SERVICE_HOST")
    environment = {name: value for name, value in os.environ.items() if name not in unset}
    keys = {"KEY": "engine", "PASSPHRASE": PASSPHRASE}
    with log.open("wb") as stream:
        process = subprocess.Popen(words, stdout=stream, stderr=stream, env=environment | keys)  # noqa: S603  # our own
    try:
        eventually(lambda: process.poll() is None and series(port)["golive_engine_cycles_total"] > 1, 30)
        yield process
    finally:
        process.terminate()
        process.wait(20)


def series(port: int) -> dict[str, float]:
    """Every series of the engine's page, labels of one name added up."""
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=5) as page:
        text = page.read().decode()
    found: dict[str, float] = {}
    for name, labels, value in re.findall(r"^(\w+)(\{.*\})? (\S+)$", text, re.MULTILINE):
        if "result=" not in labels or 'result="filled"' in labels:
            found[name] = found.get(name, 0.0) + float(value)
    return found


def resident_megabytes(pid: int) -> float:
    """What a process holds in memory."""
    kilobytes = re.search(r"VmRSS:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text())
    if kilobytes is None:
        raise SystemExit("this system does not tell a process's memory")
    return int(kilobytes[1]) / 1024


def watch(process: subprocess.Popen[bytes], port: int, journal: Journal, cycles: int) -> list[Look]:
    """Look until there were so many cycles, or it takes too long; stops are released as they come."""
    looks, deadline = list[Look](), time.monotonic() + LONGEST_SECONDS
    while (not looks or looks[-1].cycles < cycles) and time.monotonic() < deadline:
        now = series(port)
        done, filled = now["golive_engine_cycles_total"], now["golive_engine_orders_total"]
        looks.append(Look(int(done), int(filled), resident_megabytes(process.pid)))
        if journal.active_stops():
            journal.release_stops("bench", "a measurement of memory goes on", time.time())
        time.sleep(SAMPLE_SECONDS)
    return looks


def slope(looks: list[Look]) -> float:
    """Megabytes that 1,000 cycles of the second half add, by least squares."""
    half = [look for look in looks if look.cycles >= looks[-1].cycles / 2]
    line = statistics.linear_regression([look.cycles for look in half], [look.megabytes for look in half])
    return line.slope * 1000


def plot(looks: list[Look]) -> None:
    """Print memory by cycle, bars from zero."""
    highest = max(look.megabytes for look in looks)
    for look in looks[:: max(1, len(looks) // ROWS)]:
        bar = "█" * round(BAR * look.megabytes / highest)
        print(f"{look.cycles:>6} cycles {look.orders:>6} filled {look.megabytes:>7.1f} MB {bar}")


def main() -> int:
    """Measure, print, and fail where memory grows."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cycles", type=int, default=CYCLES)
    parser.add_argument(
        "--pace", type=float, default=PACE, help="candles in a second: more of them, more orders"
    )
    options = parser.parse_args()
    with scratch() as folder, simulator(folder, ("engine",), "--speed", str(options.pace)) as child:
        port = free_ports(1)[0]
        settings = document(
            child,
            folder,
            ["binanceusdm"],
            DEFAULT_SYMBOLS,
            "testnet",
            interval_seconds=0.001,
            cache={"candles_seconds": 0.2},
            jobs={"execution_rebalance_seconds": 5, "liquidity_refresh_seconds": 5},
            http={"host": "127.0.0.1", "port": port},
        )
        with engine(folder, port, settings) as process:
            began, journal = time.monotonic(), Journal(settings["journal"]["url"])
            looks = watch(process, port, journal, options.cycles)
            took = time.monotonic() - began
            journal.close()
    grown, first, last = slope(looks), looks[0], looks[-1]
    print(f"Memory of an engine, ten symbols: {machine()}")
    plot(looks)
    print(
        f"{last.cycles} cycles with {last.orders} filled orders, and those that protect them, in {took:.0f} s"
    )
    print(f"{first.megabytes:.1f} MB at first, {last.megabytes:.1f} MB at last")
    print(f"second half: {grown:+.2f} MB per 1,000 cycles; bound: at most {BOUND_MB:g}\n")
    return int(grown > BOUND_MB)


if __name__ == "__main__":
    sys.exit(main())
