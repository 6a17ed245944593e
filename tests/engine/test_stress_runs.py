"""Runs of the stress scenarios: in a process of their own, counted, written down, and never left behind."""

import asyncio
import io
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from golive_api.engine_report import StressReport
from golive_dev.linux import descendants, is_alive
from golive_engine import stress_runs
from golive_engine.clock import FakeClock
from golive_engine.journal import Journal
from golive_engine.settings import StressSettings
from golive_engine.stress.catalogue import CATALOGUE
from golive_engine.stress.outcome import Finding, Outcome
from golive_engine.stress.table import Table
from golive_engine.stress_runs import SCENARIOS, StressRuns

EVENTS = list[tuple[str, str]]

PARENT = """
import asyncio, json, sys
from golive_engine.clock import SystemClock
from golive_engine.journal import Journal
from golive_engine.settings import StressSettings
from golive_engine.stress_runs import StressRuns

def count(scenario, result):
    print(json.dumps([scenario, result]), flush=True)

runs = StressRuns(StressSettings(on_start=True), Journal(sys.argv[1], "perps"), SystemClock(), count)
asyncio.run(runs.run())
"""
"""A process that runs the scenarios as an engine does."""


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a killed run leaves behind goes with the test."""
    monkeypatch.setenv("TMPDIR", str(tmp_path))


@pytest.fixture
def url(tmp_path: Path) -> str:
    """A journal's address."""
    return f"sqlite:///{tmp_path}/journal.db"


@pytest.fixture
def journal(url: str) -> Iterator[Journal]:
    """A journal."""
    opened = Journal(url, "perps")
    yield opened
    opened.close()


def runs_of(journal: Journal, counted: EVENTS, config: Path | None = None, **settings: Any) -> StressRuns:
    """Runs that tell what they count."""
    return StressRuns(
        StressSettings(**settings),
        journal,
        FakeClock(),
        lambda scenario, result: counted.append((scenario, result)),
        config,
    )


OTHERS: set[int] = set()
"""This process' descendants from before the test: servers that tests share."""


@pytest.fixture(autouse=True)
def _others() -> None:
    """Note what was there before."""
    OTHERS.clear()
    OTHERS.update(descendants(os.getpid()))


def mine() -> list[int]:
    """This process' descendants that live and that the test has started."""
    return [pid for pid in descendants(os.getpid()) if is_alive(pid) and pid not in OTHERS]


def commands(pids: list[int]) -> str:
    """What processes were started with."""
    return " ".join(Path(f"/proc/{pid}/cmdline").read_text().replace("\0", " ") for pid in pids)


async def test_all_scenarios_pass_on_the_engine_as_it_is(
    journal: Journal, tmp_path: Path, until: Callable[..., Any]
) -> None:
    """At the start they run once, are counted and written down, and the report tells."""
    config = tmp_path / "engine.yaml"
    config.write_text((Path(__file__).parents[2] / "config/engine/engine.yaml").read_text())
    counted: EVENTS = []
    runs = runs_of(journal, counted, config, on_start=True)
    assert {report.result for report in await runs.reports()} == {"never"}
    task = asyncio.create_task(runs.run())
    await until(lambda: len(journal.stress_runs()) == len(SCENARIOS), 150.0)
    assert counted == [(name, "passed") for name in SCENARIOS]
    rows = {run.scenario: run for run in journal.stress_runs()}
    assert rows["stale-data"].details["a new one is denied"] == "PriceStale"
    assert all(row.seconds > 0 and "reason" not in row.details for row in rows.values())
    reports = await runs.reports()
    assert [(report.scenario, report.result) for report in reports] == [(name, "passed") for name in SCENARIOS]
    assert all(isinstance(report, StressReport) and report.time for report in reports)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert mine() == []


async def test_a_run_that_can_not_begin_is_an_error_of_every_scenario(journal: Journal, tmp_path: Path) -> None:
    """With its last words as the reason."""
    counted: EVENTS = []
    await runs_of(journal, counted, tmp_path / "missing.yaml").run_now()
    assert counted == [(name, "error") for name in SCENARIOS]
    reasons = {run.details["reason"] for run in journal.stress_runs()}
    assert len(reasons) == 1
    assert "ended with code 2: golive-engine:" in reasons.pop()


async def test_a_run_that_dies_is_an_error_of_what_it_had_not_told(journal: Journal) -> None:
    """What has passed before stays passed."""
    counted: EVENTS = []

    def count(scenario: str, result: str) -> None:
        counted.append((scenario, result))
        if result == "passed":
            os.kill(child_of(mine()), signal.SIGKILL)

    runs = StressRuns(StressSettings(), journal, FakeClock(), count)
    await runs.run_now()
    assert counted == [(SCENARIOS[0], "passed"), *((name, "error") for name in SCENARIOS[1:])]
    assert "ended with code -9" in journal.stress_runs()[-1].details["reason"]


def child_of(pids: list[int]) -> int:
    """The one that runs the scenarios."""
    return next(pid for pid in pids if "golive_engine stress" in commands([pid]))


async def test_a_silent_run_is_ended_with_all_it_has_started(
    journal: Journal, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is an error of every scenario that it had not told of."""
    monkeypatch.setattr(stress_runs, "LIMIT_SECONDS", 3.5)
    counted: EVENTS = []
    await runs_of(journal, counted).run_now()
    assert ([name for name, _ in counted], counted[-1]) == (list(SCENARIOS), (SCENARIOS[-1], "error"))
    last = {run.scenario: run for run in journal.stress_runs()}[SCENARIOS[-1]]
    assert last.details == {"reason": "the run was not done within 3.5 s"}
    assert mine() == []


async def test_nothing_is_left_when_the_engine_stops(
    journal: Journal, until: Callable[..., Any], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Run and simulator end and leave no folder; until then they are of low priority and know no keys."""
    monkeypatch.setenv("MAIN_BINANCE_SECRET", "very-secret")
    task = asyncio.create_task(runs_of(journal, [], on_start=True).run())
    await until(lambda: "golive_simulator" in commands(mine()))
    pids = mine()
    priorities = [os.getpriority(os.PRIO_PROCESS, pid) - os.getpriority(os.PRIO_PROCESS, 0) for pid in pids]
    assert priorities == [10, 10]
    assert "very-secret" not in environments(pids)
    assert folders(tmp_path)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert mine() == []
    assert folders(tmp_path) == []


def environments(pids: list[int]) -> str:
    """What processes were told by their environment."""
    return " ".join(Path(f"/proc/{pid}/environ").read_text() for pid in pids)


def folders(where: Path) -> list[str]:
    """Folders of runs."""
    return [path.name for path in where.glob("golive-stress-*")]


async def test_nothing_is_left_when_the_engine_is_killed(
    run_script: Callable[..., Any], url: str, until: Callable[..., Any]
) -> None:
    """The kernel ends the run with its parent, and the simulator with the run."""
    script = run_script(PARENT, url)
    await until(lambda: "golive_simulator" in commands(list(descendants(script.process.pid))))
    pids = list(descendants(script.process.pid))
    assert len(pids) == 2
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)  # what stands still can't end by itself
    script.process.kill()
    script.process.wait()
    try:
        await until(lambda: not any(map(is_alive, pids)))
    finally:
        for pid in filter(is_alive, pids):
            os.kill(pid, signal.SIGKILL)


async def test_without_being_asked_for_nothing_runs(journal: Journal) -> None:
    """By default."""
    task = asyncio.create_task(runs_of(journal, []).run())
    await asyncio.sleep(0)
    assert (mine(), task.done()) == ([], False)
    task.cancel()


@pytest.fixture
def command(tmp_path: Path, url: str) -> Callable[..., "subprocess.CompletedProcess[str]"]:
    """Give the command as a person types it."""
    settings = yaml.safe_load((Path(__file__).parents[2] / "config/engine/engine.yaml").read_text())
    (tmp_path / "engine.yaml").write_text(yaml.safe_dump(settings | {"journal": {"url": url}}))

    def run(*words: str) -> "subprocess.CompletedProcess[str]":
        line = [sys.executable, "-P", "-m", "golive_engine", "stress", *words]
        return subprocess.run(line, capture_output=True, text=True, cwd=tmp_path, timeout=120, check=False)

    return run


def test_a_person_sees_what_was_looked_at(command: Callable[..., Any], journal: Journal) -> None:
    """Without a terminal plain; written down only on request."""
    done = command("--config", "engine.yaml", "--scenario", "liquidity-drought", "--record")
    assert (done.returncode, done.stderr) == (0, "")
    head, row, *found, foot = done.stdout.splitlines()
    assert head == "stress scenarios, profile micro"
    assert row.split()[:2] == ["passed", "liquidity-drought"]
    assert "  + a new one is denied" in "".join(found)
    assert foot.startswith("1 of 1 scenarios passed in ")
    assert "\x1b" not in done.stdout
    assert [(run.scenario, run.result) for run in journal.stress_runs()] == [("liquidity-drought", "passed")]


def test_a_scenario_that_has_not_passed_makes_the_command_fail(
    command: Callable[..., Any], tmp_path: Path
) -> None:
    """Whatever the reason."""
    settings = yaml.safe_load((tmp_path / "engine.yaml").read_text())
    (tmp_path / "engine.yaml").write_text(yaml.safe_dump(settings | {"venue": {"leverage": 5}}))
    done = command("--config", "engine.yaml", "--scenario", "stale-data")
    assert done.returncode == 1
    assert done.stdout.splitlines()[1].startswith("error     stale-data")
    assert "LeverageExceeded" in done.stdout


@pytest.mark.parametrize("words", [("--record",), ("--scenario", "none-such"), ("--config", "missing.yaml")])
def test_wrong_words_run_nothing(command: Callable[..., Any], words: tuple[str, ...]) -> None:
    """Code 2, and why."""
    done = command(*words)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr


class Terminal(io.StringIO):
    """A stream in front of a person."""

    def isatty(self) -> bool:
        """Say so."""
        return True


FAILED = Outcome(
    scenario="stale-data",
    result="failed",
    seconds=1.5,
    reason="a new one is denied: seen nothing, wanted PriceStale",
    findings=(
        Finding(promise="it is open", seen="yes"),
        Finding(promise="a new one is denied", seen="nothing"),
    ),
)


@pytest.mark.parametrize(("no_colour", "mark"), [("", "\x1b[31m-\x1b[0m"), ("1", "-")])
def test_a_terminal_shows_what_runs_and_marks_what_failed(
    no_colour: str, mark: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In colour unless NO_COLOR is set; what was running is taken back."""
    monkeypatch.setenv("NO_COLOR", no_colour)
    terminal = Terminal()
    table = Table(terminal, "profile micro")
    table.begin(CATALOGUE["stale-data"], 1, 1)
    assert terminal.getvalue().endswith("\rrunning   stale-data         1 of 1")
    table.end(CATALOGUE["stale-data"], FAILED)
    table.foot([FAILED])
    shown = terminal.getvalue()
    assert "\r\x1b[K" in shown
    assert f"{mark} a new one is denied" in shown
    assert f"{mark} it is open" not in shown
    assert "0 of 1 scenarios passed in 1.5 s" in shown
