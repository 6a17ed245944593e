"""Jobs beside the cycle: at their interval, one at a time, only on the pod that trades, whatever one raises."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from decimal import Decimal

import pytest

from golive_engine.clock import SystemClock
from golive_engine.jobs import EXECUTION_REBALANCE, LIQUIDITY_REFRESH, Job, Jobs
from golive_engine.metrics import Metrics

REBALANCE, REFRESH = EXECUTION_REBALANCE, LIQUIDITY_REFRESH


class Work:
    """A job's work, and how it went."""

    def __init__(self) -> None:
        self.begun = self.done = self.running = self.most_running = 0
        self.error: BaseException | None = None
        self.may_end = asyncio.Event()
        self.may_end.set()

    async def __call__(self) -> None:
        """Work until allowed to end."""
        self.begun += 1
        self.running += 1
        self.most_running = max(self.most_running, self.running)
        try:
            await self.may_end.wait()
            if self.error is not None:
                raise self.error
            self.done += 1
        finally:
            self.running -= 1


class Bench:
    """Two jobs, their metrics, and whether the pod leads."""

    def __init__(self, limit_seconds: float = 5.0) -> None:
        self.leads = True
        self.asked = 0
        self.metrics = Metrics({})
        self.rebalance, self.refresh = Work(), Work()
        self.jobs = Jobs(
            [
                Job(REBALANCE, 0.02, limit_seconds, self.rebalance),
                Job(REFRESH, 0.02, limit_seconds, self.refresh),
            ],
            self.leading,
            SystemClock(),
            self.metrics.job,
        )

    def leading(self) -> bool:
        """Tell, and count how often it was asked."""
        self.asked += 1
        return self.leads

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Let the jobs run by themselves."""
        task = asyncio.create_task(self.jobs.run())
        yield
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task

    def sample(self, name: str, **labels: str) -> float | None:
        """A series' value."""
        return self.metrics.registry.get_sample_value(name, labels)


Until = Callable[..., Awaitable[object]]
"""Waits for a condition."""


@pytest.fixture
def bench() -> Bench:
    """Jobs that may work."""
    return Bench()


async def test_each_job_runs_again_and_again(bench: Bench, until: Until) -> None:
    """By itself, side by side with the other, from the start."""
    bench.rebalance.may_end.clear()
    async with bench.running():
        await until(lambda: bench.refresh.done >= 3)
        assert bench.rebalance.begun == 1
        bench.rebalance.may_end.set()
        await until(lambda: bench.rebalance.done >= 3)
    assert bench.rebalance.running == bench.refresh.running == 0


async def test_a_standby_runs_no_job(bench: Bench, until: Until) -> None:
    """Not by itself and not by hand; it starts soon after it leads, and stops with the lead."""
    bench.leads = False
    async with bench.running():
        assert await bench.jobs.run_now(REFRESH) is None
        await until(lambda: bench.asked >= 5)
        assert bench.refresh.begun == 0
        bench.leads = True
        await until(lambda: bench.refresh.done)
        bench.leads = False
        begun, asked = bench.refresh.begun, bench.asked
        await until(lambda: bench.asked >= asked + 4)
        assert bench.refresh.begun <= begun + 1
    assert bench.jobs.reports()[1].status == "ok"


async def test_a_pod_that_lost_the_lead_while_waiting_runs_nothing(bench: Bench, until: Until) -> None:
    """The lead is asked when a run begins, not when it is wished for."""
    bench.refresh.may_end.clear()
    first = asyncio.create_task(bench.jobs.run_now(REFRESH))
    await until(lambda: bench.refresh.running)
    second = asyncio.create_task(bench.jobs.run_now(REFRESH))
    await asyncio.sleep(0)
    bench.leads = False
    bench.refresh.may_end.set()
    assert [await first, await second] == ["ok", None]
    assert bench.refresh.begun == 1


async def test_one_run_at_a_time(bench: Bench) -> None:
    """However often it is asked for by hand meanwhile."""
    async with bench.running():
        assert await asyncio.gather(*(bench.jobs.run_now(REFRESH) for _ in range(20))) == ["ok"] * 20
    assert bench.refresh.most_running == 1


ERRORS: dict[str, BaseException] = {
    "an error": RuntimeError("broken"),
    "a timeout of its own": TimeoutError("the venue did not answer"),
    "something inside that was cancelled": asyncio.CancelledError(),
}


@pytest.mark.parametrize("error", ERRORS.values(), ids=ERRORS)
async def test_a_job_fails_and_is_tried_again_after(bench: Bench, until: Until, error: BaseException) -> None:
    """Counted, shown, and no harm to the other job or to the next run."""
    bench.refresh.error = error
    async with bench.running():
        await until(lambda: bench.refresh.begun >= 2 and bench.rebalance.done)
        assert bench.sample("scheduler_job_last_status", job=REFRESH) == 0
        assert bench.sample("scheduler_job_last_status", job=REBALANCE) == 1
        assert {report.name: report.status for report in bench.jobs.reports()} == {
            REBALANCE: "ok",
            REFRESH: "error",
        }
        bench.refresh.error = None
        await until(lambda: bench.refresh.done)
    failed = bench.jobs.reports()[1]
    assert failed.status == "ok"
    assert failed.errors >= 2
    assert bench.sample("scheduler_job_runs_total", job=REFRESH, status="error") == failed.errors
    assert bench.sample("scheduler_job_runs_total", job=REFRESH, status="ok") == bench.refresh.done
    assert bench.sample("scheduler_job_last_status", job=REFRESH) == 1


async def test_a_job_that_hangs_is_cancelled_at_its_limit() -> None:
    """It counts as failed, and the next run begins."""
    bench = Bench(limit_seconds=0.1)
    bench.refresh.may_end.clear()
    assert await bench.jobs.run_now(REFRESH) == "error"
    assert bench.refresh.running == 0
    report = bench.jobs.reports()[1]
    assert (report.status, report.errors) == ("error", 1)
    assert Decimal(report.duration_seconds or "0") >= Decimal("0.1")
    assert bench.sample("scheduler_job_duration_seconds_count", job=REFRESH) == 1
    bench.refresh.may_end.set()
    assert await bench.jobs.run_now(REFRESH) == "ok"


async def test_a_failed_job_is_tried_again_before_its_interval(until: Until) -> None:
    """A look into the books that failed is not missing for five minutes."""
    bench = Bench()
    bench.refresh.error = RuntimeError("broken")
    jobs = Jobs([Job(REFRESH, 300.0, 5.0, bench.refresh)], lambda: True, SystemClock(), bench.metrics.job)
    task = asyncio.create_task(jobs.run())
    await until(lambda: bench.refresh.begun == 1)
    bench.refresh.error = None
    await until(lambda: bench.refresh.done == 1)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_a_stop_ends_a_run_in_progress(bench: Bench, until: Until) -> None:
    """At once, and it counts as nothing."""
    bench.refresh.may_end.clear()
    async with bench.running():
        await until(lambda: bench.refresh.running)
    assert bench.refresh.running == 0
    assert bench.jobs.reports()[1].status == "never"


def test_jobs_are_reported_before_they_ran(bench: Bench) -> None:
    """As never run, neither good nor bad: the status is no number."""
    assert [report.wire() for report in bench.jobs.reports()] == [
        {"name": name, "status": "never", "errors": 0} for name in (REBALANCE, REFRESH)
    ]
    assert f'scheduler_job_last_status{{job="{REFRESH}"}} NaN' in bench.metrics.text().decode()
