"""Jobs beside the cycle: each at its own interval, one run of it at a time, only on the pod that trades."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from golive_api.engine_report import JobReport
from golive_engine.clock import Clock
from golive_engine.logs import correlated

EXECUTION_REBALANCE = "execution-rebalance"
"""Trims positions that have outgrown their limits, and renews what protects the others."""

LIQUIDITY_REFRESH = "liquidity-refresh"
"""Looks into the order books."""

JOBS = (EXECUTION_REBALANCE, LIQUIDITY_REFRESH)
"""Every job."""

STANDBY_SECONDS = 0.5
"""How often a standby looks whether it leads."""

FIRST_RETRY_SECONDS = 1.0
"""Time until a failed run is tried again; doubled by each failure in a row, up to the interval."""

Status = Literal["ok", "error"]
"""How a run ended."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Job:
    """What is done, how often, and for how long at the most."""

    name: str
    """Which one."""
    interval_seconds: float
    """Time between the end of a run and the start of the next."""
    limit_seconds: float
    """A run that takes longer is cancelled, and failed."""
    run: Callable[[], Awaitable[None]]
    """Raises whatever it likes: that is a failed run."""


class _State:
    """What is known of a job's runs."""

    def __init__(self) -> None:
        self.lock = asyncio.Lock()
        self.status: Status | None = None
        self.seconds = 0.0
        self.errors = 0
        self.errors_in_a_row = 0


class Jobs:
    """Runs jobs while this pod leads.

    Args:
        jobs: Each with a name of its own.
        leading: Whether this pod may trade; asked before each run.
        clock: For durations.
        observe: Told name, status and duration in seconds of each run.
    """

    def __init__(
        self,
        jobs: Sequence[Job],
        leading: Callable[[], bool],
        clock: Clock,
        observe: Callable[[str, Status, float], None],
    ) -> None:
        self._jobs = {job.name: job for job in jobs}
        self._states = {job.name: _State() for job in jobs}
        self._leading = leading
        self._clock = clock
        self._observe = observe

    async def run(self) -> None:
        """Run every job for ever, each for the first time as soon as this pod leads."""
        async with asyncio.TaskGroup() as group:
            for name in self._jobs:
                group.create_task(self._repeat(name))

    async def run_now(self, name: str) -> Status | None:
        """Run a job once, after the run in progress if there is one; None if this pod does not lead."""
        job, state = self._jobs[name], self._states[name]
        async with state.lock:
            if not self._leading():
                return None
            began = self._clock.monotonic()
            state.status = await _outcome(job)
            state.seconds = self._clock.monotonic() - began
            failed = state.status == "error"
            state.errors += failed
            state.errors_in_a_row = state.errors_in_a_row + 1 if failed else 0
            self._observe(name, state.status, state.seconds)
            return state.status

    def reports(self) -> list[JobReport]:
        """How the last run of each job ended."""
        return [_report(name, state) for name, state in self._states.items()]

    async def _repeat(self, name: str) -> None:
        """Run one job for ever."""
        while True:
            status = await self.run_now(name)
            await asyncio.sleep(STANDBY_SECONDS if status is None else self._pause_seconds(name))

    def _pause_seconds(self, name: str) -> float:
        """Time until the next run: the interval, or less after a failure."""
        interval, failures = self._jobs[name].interval_seconds, self._states[name].errors_in_a_row
        if not failures:
            return interval
        return min(interval, FIRST_RETRY_SECONDS * 2.0 ** min(failures - 1, 20))


async def _outcome(job: Job) -> Status:
    """Run a job within its time; whatever goes wrong is logged and ends only this run."""
    with correlated(job=job.name):
        try:
            async with asyncio.timeout(job.limit_seconds):
                await job.run()
        except TimeoutError as error:
            _log.error("job failed: %s", error or f"not done within {job.limit_seconds:g} s")
            return "error"
        except asyncio.CancelledError:
            if _being_cancelled():
                raise
            _log.exception("job failed")  # it waited for something that was cancelled; nobody cancels the job
            return "error"
        except Exception:  # noqa: BLE001  # a job never ends the engine, whatever it is
            _log.exception("job failed")
            return "error"
    return "ok"


def _being_cancelled() -> bool:
    """Whether somebody asked this very task to end."""
    task = asyncio.current_task()
    return task is None or task.cancelling() > 0


def _report(name: str, state: _State) -> JobReport:
    """What /status tells of a job."""
    if state.status is None:
        return JobReport(name=name, status="never")
    return JobReport(
        name=name, status=state.status, duration_seconds=f"{state.seconds:.3f}", errors=state.errors
    )
