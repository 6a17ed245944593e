"""The RiskGate beside the gates of two trading engines: how long they take, and which bad orders they stop.

Each peer runs in an environment of its own, installed from hashes on first use. The contenders take turns.
"""

import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from textwrap import shorten
from typing import Any

from measuring import Sample, machine, show
from rich.console import Console
from rich.table import Table
from telling import CORRECTED, MARKER, SENT, SILENT

HERE = Path(__file__).parent
PEERS = HERE / "peers"
CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "golive" / "peers"
"""Where the peers' environments stay; deleting it is safe."""

CALLS = 10_000
"""Calls per contender and round; a tenth for a gate that asks a database."""

ROUNDS = 3
"""Interleaved, so that a busy moment meets every contender."""

INSTALL_SECONDS = 900
"""What an installation may take before the peer counts as absent."""

RUN_SECONDS = 300
"""The same for one round."""


WORDS = 56
"""Letters of a peer's reason that are printed."""


class AbsentError(Exception):
    """A peer can't be asked; the message says why."""


@dataclass
class Contender:
    """One system, and what it has told so far."""

    name: str
    script: str
    version: str = ""
    samples: dict[str, list[float]] = field(default_factory=dict)
    verdicts: dict[str, str] = field(default_factory=dict)
    absence: str = ""
    """Why it can't be asked, empty while it can."""

    @property
    def title(self) -> str:
        """Name and version."""
        return f"{self.name} {self.version}".strip()

    def ask(self) -> None:
        """One round; the verdicts are the same in each."""
        if self.absence:
            return
        try:
            told = self._told(self._python())
        except AbsentError as error:
            self.absence = f"absent: {error}"
            return
        self.verdicts = told["verdicts"]
        for name, values in told["samples"].items():
            self.samples.setdefault(name, []).extend(values)

    def _told(self, python: Path) -> dict[str, Any]:
        """The last line that the script prints."""
        environment = os.environ | {"PYTHONPATH": str(HERE)}
        words = [str(python), "-P", str(PEERS / self.script), str(CALLS)]
        output = run(words, RUN_SECONDS, environment)
        told: dict[str, Any] = json.loads(output.splitlines()[-1])
        return told

    def _python(self) -> Path:
        """The interpreter of its environment, which is set up if need be."""
        if not self.version:
            return Path(sys.executable)
        requirements = PEERS / f"{self.name}.txt"
        digest = hashlib.sha256(requirements.read_bytes()).hexdigest()
        folder = CACHE / f"{self.name}-{self.version}"
        python, ready = folder / "bin" / "python", folder / ".ready"
        if ready.is_file() and ready.read_text() == digest:
            return python
        sys.stdout.write(f"setting up {self.title} in {folder} (a minute, once)\n")
        sys.stdout.flush()
        run([sys.executable, "-m", "venv", "--clear", str(folder)], INSTALL_SECONDS)
        pip = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--retries", "1"]
        run([*pip, "--require-hashes", "-r", str(requirements)], INSTALL_SECONDS)
        ready.write_text(digest)
        return python


def run(words: list[str], seconds: float, environment: Mapping[str, str] | None = None) -> str:
    """What the program prints.

    Raises:
        AbsentError: It failed, or took too long.
    """
    try:
        done = subprocess.run(  # noqa: S603  # this folder's own scripts, and pip with hashes
            words,
            capture_output=True,
            text=True,
            timeout=seconds,
            check=True,
            env=environment,
        )
    except subprocess.TimeoutExpired as error:
        raise AbsentError(f"no answer in {seconds:g} s") from error
    except subprocess.CalledProcessError as error:
        lines = error.stderr.strip().splitlines() or [f"exit status {error.returncode}"]
        raise AbsentError(lines[-1]) from error
    except OSError as error:
        raise AbsentError(str(error)) from error
    return done.stdout


def latencies(contenders: Iterable[Contender]) -> list[Sample]:
    """Every contender's measurements, the marker file last; an absent one as a row without figures."""
    found, marker = [], Sample("Path.exists of a marker file", [])
    for contender in contenders:
        if contender.absence:
            found.append(Sample(f"{contender.title}: {contender.absence}", []))
        for name, values in contender.samples.items():
            if name == MARKER:
                marker = Sample(marker.name, values)
            else:
                found.append(Sample(f"{contender.title}: {name}", values))
    return [*found, marker]


def stopped(verdict: str) -> bool:
    """Whether nothing left in this order's place."""
    return verdict != SENT and not verdict.startswith(CORRECTED)


def show_verdicts(contenders: list[Contender]) -> None:
    """Print which system stops which order, with the words that it used."""
    table = Table("order")
    for contender in contenders:
        table.add_column(contender.title)
    for order in contenders[0].verdicts:
        table.add_row(order, *(cell(contender, order) for contender in contenders))
    table.add_section()
    table.add_row("together", *(total(contender) for contender in contenders))
    console = Console(width=None if os.isatty(1) else 120)
    console.print("Bad orders for a perpetual: who stops them, found by running each system", style="bold")
    console.print(table, markup=False)
    console.print("A system that has no setting for a limit sends what is beyond it.\n", highlight=False)


def cell(contender: Contender, order: str) -> str:
    """A short verdict."""
    if contender.absence:
        return "absent"
    verdict = contender.verdicts.get(order, "not asked")
    if verdict == SILENT or not stopped(verdict):
        return "stops" if stopped(verdict) else verdict
    return f"stops: {shorten(verdict, WORDS)}"


def total(contender: Contender) -> str:
    """How many it stopped, or why it could not be asked."""
    if contender.absence:
        return contender.absence
    verdicts = contender.verdicts.values()
    corrected = sum(verdict.startswith(CORRECTED) for verdict in verdicts)
    more = f", corrects {corrected}" if corrected else ""
    return f"stops {sum(map(stopped, verdicts))} of {len(verdicts)}{more}"


def main() -> int:
    """Ask all in turn and print; only the engine's own failure is one."""
    ours = Contender("golive", "ask_golive.py")
    nautilus = Contender("nautilus_trader", "ask_nautilus.py", "1.221.0")
    freqtrade = Contender("freqtrade", "ask_freqtrade.py", "2026.9")
    contenders = [ours, nautilus, freqtrade]
    for _ in range(ROUNDS):
        for contender in contenders:
            contender.ask()
    if ours.absence:
        raise SystemExit(ours.absence)
    aim = "aim: median 2.5 µs, p99 6 µs for the whole chain; 0.3 µs halted. The ratio is to the marker file"
    show("One decision before an order", "µs", latencies(contenders), machine(), aim)
    show_verdicts(contenders)
    return 0


if __name__ == "__main__":
    sys.exit(main())
