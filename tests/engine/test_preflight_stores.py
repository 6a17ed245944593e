"""Preflight of the engine's stores, on real databases and a real Redis; and what a restart must not forget."""

import logging
import sqlite3
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from golive_api.preflight_report import (
    CACHE_FINDINGS,
    DATABASE_FINDINGS,
    STRESS_SCENARIOS,
    CheckResult,
    Finding,
)
from golive_dev.redis import RedisServer
from golive_engine.cache import Cache, MemoryStore, open_cache
from golive_engine.clock import FakeClock, SystemClock
from golive_engine.error_log import PAUSE_SECONDS, ErrorLog
from golive_engine.journal import Journal
from golive_engine.preflight import stores
from golive_engine.settings import CacheSettings

PASSED, FAILED, ERROR = CheckResult.PASSED, CheckResult.FAILED, CheckResult.ERROR
DAY = 86_400.0


@pytest.fixture
def journal(journal_url: str) -> Iterator[Journal]:
    """A journal in it."""
    opened = Journal(journal_url, "perps-engine")
    yield opened
    opened.close()


def results(findings: list[Finding]) -> dict[str, CheckResult]:
    """By name."""
    return {finding.name: finding.result for finding in findings}


async def test_a_journal_that_keeps_what_is_written_passes(journal: Journal) -> None:
    """Written, read back, of this version; and nothing stays behind."""
    found = await stores.database(journal, SystemClock())
    assert results(found) == dict.fromkeys(DATABASE_FINDINGS, PASSED)
    with journal._engine.connect() as connection:  # noqa: SLF001  # what is really in there
        left = connection.execute(sa.text("select count(*) from meta where key like 'probe%'")).scalar()
    assert left == 0


async def test_a_journal_of_another_version_fails(journal: Journal) -> None:
    """Somebody has gone back to older tables meanwhile, or on to newer ones."""
    with journal._engine.begin() as connection:  # noqa: SLF001  # as another engine would
        connection.execute(sa.text("update journal_version set version_num = '0002'"))
    found = results(await stores.database(journal, SystemClock()))
    assert found == {"write": PASSED, "read-back": PASSED, "migrations": FAILED}


async def test_a_journal_that_forgets_fails(journal: Journal) -> None:
    """What was written is gone when it is read."""
    with journal._engine.begin() as connection:  # noqa: SLF001  # as a broken disk would
        if connection.dialect.name == "sqlite":
            forget = (
                "CREATE TRIGGER forget AFTER INSERT ON meta BEGIN DELETE FROM meta WHERE key = NEW.key; END"
            )
            connection.execute(sa.text(forget))
        else:
            connection.execute(sa.text("CREATE RULE forget AS ON INSERT TO meta DO INSTEAD NOTHING"))
    assert results(await stores.database(journal, SystemClock()))["read-back"] is FAILED


async def test_a_journal_that_can_not_be_written_fails(tmp_path: Path) -> None:
    """Reading back what was not written is an Error: it was not tried."""
    path = tmp_path / "locked.db"
    journal = Journal(f"sqlite:///{path}", "perps-engine")
    with sqlite3.connect(path) as other:
        other.execute("ALTER TABLE meta RENAME TO elsewhere")
    found = results(await stores.database(journal, SystemClock()))
    journal.close()
    assert found == {"write": FAILED, "read-back": ERROR, "migrations": PASSED}


async def test_a_database_that_is_gone_fails(own_postgresql: Any) -> None:
    """And so does everything that is kept in it."""
    journal = Journal(own_postgresql.new_database(), "perps-engine")
    own_postgresql.stop()
    found = results(await stores.database(journal, SystemClock()))
    runs = results(await stores.stress(journal, 0.0, 1.0))
    journal.close()
    own_postgresql.start()
    assert found == {"write": FAILED, "read-back": ERROR, "migrations": FAILED}
    assert set(runs.values()) == {ERROR}


async def test_a_journal_that_hangs_is_an_error(journal: Journal, monkeypatch: pytest.MonkeyPatch) -> None:
    """Within a bound."""
    monkeypatch.setattr(stores, "STORE_SECONDS", 0.01)
    monkeypatch.setattr(journal, "write_probe", lambda *_: time.sleep(0.3))
    found = await stores.database(journal, SystemClock())
    assert (found[0].result, found[0].message) == (ERROR, "not done within 0.01 s")
    assert found[1].result is ERROR


@pytest.fixture
async def redis() -> AsyncIterator[RedisServer]:
    """A Redis of the test's own."""
    with RedisServer() as server:
        yield server


async def test_a_cache_in_memory_passes() -> None:
    """It is written to and read back."""
    found = await stores.cache(Cache(MemoryStore(), "perps", FakeClock(), lambda *_: None), FakeClock())
    assert results(found) == dict.fromkeys(CACHE_FINDINGS, PASSED)


async def test_a_redis_passes_until_it_is_gone(redis: RedisServer) -> None:
    """Then it fails at once, whatever it was a moment ago."""
    cache = open_cache(CacheSettings(url=redis.url), "perps", SystemClock(), lambda *_: None)
    assert results(await stores.cache(cache, SystemClock())) == dict.fromkeys(CACHE_FINDINGS, PASSED)
    redis.kill()
    assert results(await stores.cache(cache, SystemClock())) == {"write": FAILED, "read-back": ERROR}
    await cache.close()


class Forgetful(MemoryStore):
    """A store that keeps nothing."""

    async def set(self, key: str, value: bytes, seconds: float) -> None:
        """Taken."""


async def test_a_cache_that_forgets_fails() -> None:
    """Being written to is not enough."""
    found = await stores.cache(Cache(Forgetful(), "perps", FakeClock(), lambda *_: None), FakeClock())
    assert results(found) == {"write": PASSED, "read-back": FAILED}


NOW = 1_800_000_000.0
RUNS: dict[str, tuple[list[tuple[str, float]], CheckResult]] = {
    "passed an hour ago": ([("passed", 3600.0)], PASSED),
    "passed as long ago as is allowed": ([("passed", 7 * DAY)], PASSED),
    "passed too long ago": ([("passed", 7 * DAY + 60)], FAILED),
    "passed in the future": ([("passed", -60.0)], FAILED),
    "failed since it passed": ([("passed", 7200.0), ("failed", 3600.0)], FAILED),
    "passed since it failed": ([("failed", 7200.0), ("passed", 3600.0)], PASSED),
    "ended in an error": ([("error", 3600.0)], FAILED),
    "never ran": ([], FAILED),
}


@pytest.mark.parametrize(("runs", "expected"), RUNS.values(), ids=RUNS)
async def test_a_scenario_that(tmp_path: Path, runs: list[tuple[str, float]], expected: CheckResult) -> None:
    """Only its last run counts, and only for a while."""
    journal = Journal(f"sqlite:///{tmp_path}/journal.db", "perps-engine")
    for result, ago in runs:
        journal.add_stress_run("flash-crash", result, {}, 1.0, NOW - ago)
    found = results(await stores.stress(journal, NOW, 168.0))
    journal.close()
    assert set(found) == set(STRESS_SCENARIOS)
    assert found["flash-crash"] is expected
    assert found["stale-data"] is FAILED


class Logs:
    """A logger whose errors are counted in a journal, with a clock that moves only when told."""

    def __init__(self, journal: Journal, clock: FakeClock) -> None:
        self.counted = ErrorLog(journal, clock, "engine-0")
        self.logger = logging.Logger("golive_engine.desk")  # noqa: LOG001  # one of the test's own
        self.logger.addHandler(self.counted)


def test_lines_of_errors_are_counted_over_restarts(journal: Journal) -> None:
    """And forgotten after a day; lesser lines never count."""
    clock = FakeClock()
    logs = Logs(journal, clock)
    logs.logger.warning("nothing much")
    assert logs.counted.since(clock.wall() - DAY).lines == 0
    logs.logger.error("an order was lost: %s", "gl1")
    logs.logger.critical("emergency stop")
    found = logs.counted.since(clock.wall() - DAY)
    assert (found.lines, found.last) == (2, "golive_engine.desk: emergency stop")
    logs.counted.keep()

    again = Logs(journal, clock)
    found = again.counted.since(clock.wall() - DAY)
    assert (found.lines, found.last) == (2, "golive_engine.desk: emergency stop")
    again.logger.error("another one")
    assert again.counted.since(clock.wall() - DAY).lines == 3
    again.counted.keep()
    clock.advance(DAY + 1)
    assert again.counted.since(clock.wall() - DAY).lines == 0


def test_a_storm_of_errors_is_a_row_a_minute(journal: Journal) -> None:
    """What was logged while the journal could not be written is written later."""
    clock = FakeClock()
    logs = Logs(journal, clock)
    for _ in range(1000):
        logs.logger.error("again")
    logs.counted.keep()
    logs.counted.keep()
    assert [row.value for row in journal.state_changes("error-lines")] == ["1000"]
    assert clock.monotonic() - logs.counted._written < PAUSE_SECONDS  # noqa: SLF001  # what the loop waits by


def test_errors_that_can_not_be_written_are_kept(tmp_path: Path) -> None:
    """Until they can."""
    path, clock = tmp_path / "journal.db", FakeClock()
    journal = Journal(f"sqlite:///{path}", "perps-engine")
    logs = Logs(journal, clock)
    logs.logger.error("one")
    with sqlite3.connect(path) as other:
        other.execute("ALTER TABLE state_changes RENAME TO elsewhere")
        logs.counted.keep()
        logs.logger.error("two")
        other.execute("ALTER TABLE elsewhere RENAME TO state_changes")
    logs.counted.keep()
    assert logs.counted.since(clock.wall() - DAY).lines == 2
    journal.close()
