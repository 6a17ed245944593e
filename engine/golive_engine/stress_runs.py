"""The stress scenarios as the engine knows them: which there are, when they run, how they ended."""

import asyncio
import logging
import os
import signal
import sys
from asyncio.subprocess import DEVNULL, PIPE, STDOUT, Process
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path

from pydantic import ValidationError

from golive_api.engine_report import StressReport
from golive_api.values import render_time
from golive_engine.clock import Clock, moment
from golive_engine.journal import Journal, JournalError
from golive_engine.settings import ENVIRONMENT_PREFIX, StressSettings
from golive_engine.stress.names import SCENARIOS
from golive_engine.stress.offspring import step_back_and_die_with_parent
from golive_engine.stress.outcome import Outcome

__all__ = ["SCENARIOS", "StressRuns"]

LIMIT_SECONDS = 600.0
"""How long a run of all scenarios may take: they step back behind the engine on a busy machine."""

STOP_SECONDS = 5.0
"""Longest wait for the orderly end of a run that has to end."""

INHERITED = frozenset({"HOME", "LANG", "LC_ALL", "LD_LIBRARY_PATH", "PATH", "TMPDIR"})
"""Environment variables that a run gets besides Python's and the engine's settings: no keys are among them."""

_log = logging.getLogger(__name__)


class StressRuns:
    """Runs the scenarios in a process of their own, and tells of the last runs.

    Args:
        settings: When to run.
        journal: Where runs are written down.
        clock: For their times.
        count: Told scenario and result of each run.
        config: The engine's settings file, whose limits and strategies the scenarios take; None for none.
    """

    def __init__(
        self,
        settings: StressSettings,
        journal: Journal,
        clock: Clock,
        count: Callable[[str, str], None],
        config: Path | None = None,
    ) -> None:
        self._settings = settings
        self._journal = journal
        self._clock = clock
        self._count = count
        self._command = [sys.executable, "-P", "-m", "golive_engine", "stress", "--json"]
        if config is not None:
            self._command += ["--config", str(config)]

    async def run(self) -> None:
        """Run when the settings want it, for ever."""
        if self._settings.on_start:
            await self.run_now()
        while self._settings.interval_hours is not None:
            await asyncio.sleep(self._settings.interval_hours * 3600)
            await self.run_now()
        await asyncio.Event().wait()

    async def run_now(self) -> None:
        """Run all scenarios once; whichever does not tell how it ended has ended in an error."""
        missing = list(SCENARIOS)
        try:
            reason = await self._listen(missing)
        except TimeoutError:
            reason = f"the run was not done within {LIMIT_SECONDS:g} s"
        except (OSError, ValueError) as error:  # it could not be started, or speaks without end
            reason = f"no run: {error}"
        for name in missing:
            await self._note(Outcome(scenario=name, result="error", seconds=0.0, reason=reason))

    async def _listen(self, missing: list[str]) -> str:
        """Run a child, and take what it tells of from the missing ones; returns its last words."""
        words = ""
        async with asyncio.timeout(LIMIT_SECONDS), _child(self._command) as process:
            assert process.stdout is not None  # noqa: S101  # it is a pipe
            async for line in process.stdout:
                try:
                    outcome = Outcome.model_validate_json(line)
                except ValidationError:
                    words = line.decode(errors="replace").strip() or words
                    continue
                if outcome.scenario in missing:
                    missing.remove(outcome.scenario)
                    await self._note(outcome)
            code = await process.wait()
        return f"the run ended with code {code}: {words}"

    async def _note(self, outcome: Outcome) -> None:
        """Count a result and write it down."""
        self._count(outcome.scenario, outcome.result)
        level = logging.INFO if outcome.result == "passed" else logging.ERROR
        _log.log(level, "stress scenario %s", outcome.result, extra=outcome.model_dump(include=_TOLD))
        row = (outcome.scenario, outcome.result, outcome.details(), outcome.seconds, self._clock.wall())
        try:
            await asyncio.to_thread(self._journal.add_stress_run, *row)
        except JournalError as error:
            _log.error("journal failed: %s", error)

    async def reports(self) -> list[StressReport]:
        """The last run of each scenario."""
        last = {run.scenario: run for run in await asyncio.to_thread(self._journal.stress_runs)}
        return [
            StressReport(scenario=name, result=last[name].result, time=render_time(moment(last[name].time)))
            if name in last
            else StressReport(scenario=name, result="never")
            for name in SCENARIOS
        ]


_TOLD = {"scenario", "reason", "seconds"}


@asynccontextmanager
async def _child(command: list[str]) -> AsyncIterator[Process]:
    """Run a process in a group of its own, which ends with the context; raises OSError."""
    process = await asyncio.create_subprocess_exec(
        *command,
        stdin=DEVNULL,
        stdout=PIPE,
        stderr=STDOUT,
        env={name: value for name, value in os.environ.items() if _is_inherited(name)},
        start_new_session=True,
        preexec_fn=step_back_and_die_with_parent,
    )
    try:
        yield process
    finally:
        await _end(process)


def _is_inherited(name: str) -> bool:
    """Whether a run gets an environment variable."""
    return name in INHERITED or name.startswith(("PYTHON", ENVIRONMENT_PREFIX))


async def _end(process: Process) -> None:
    """End a process with all that it has started, politely first."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        if process.returncode is not None:
            return
        with suppress(ProcessLookupError):
            os.killpg(process.pid, number)
        with suppress(TimeoutError):
            async with asyncio.timeout(STOP_SECONDS):
                await process.wait()
