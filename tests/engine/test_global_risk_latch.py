"""Emergency stops: latched in a real journal, told to people, and released by a person only."""

import asyncio
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from decimal import Decimal
from pathlib import Path

import pytest

from golive_api.golive import RiskState
from golive_engine.clock import FakeClock
from golive_engine.journal import EVERY_ACCOUNT, Journal, JournalError, Stop
from golive_engine.risk import Standing, Trigger
from golive_engine.safety import Safety

OK, WARNING, CRITICAL = RiskState.OK, RiskState.WARNING, RiskState.CRITICAL
MAIN, PAPER = "main", "paper"


def standing(equity: int, losses: int = 0) -> Standing:
    """An account that began with 1000."""
    return Standing(Decimal(equity), Decimal(1000), Decimal(1000), Decimal(1000), losses)


CALM, CRASH = standing(1000), standing(949)


class Desk:
    """One engine's safety on a journal file, and everything that it told."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self.clock = FakeClock()
        self.journal = Journal(f"sqlite:///{file}")
        self.triggers: list[Trigger] = []
        self.alerts: list[tuple[str, str]] = []
        self.safety = self.restarted()

    def restarted(self) -> Safety:
        """The same after a restart: nothing but the journal is left."""
        environments = {MAIN: "production", PAPER: "testnet"}

        def alert(subject: str, text: str) -> None:
            self.alerts.append((subject, text))

        self.safety = Safety(environments, self.journal, self.clock, self.triggers.append, alert)
        return self.safety

    async def judge(self, *readings: Standing | None, account: str = MAIN) -> None:
        """Several readings, oldest first."""
        for reading in readings:
            await self.safety.judge(account, reading)

    def release(self) -> None:
        """What a person does, by another process."""
        self.clock.advance(1)
        self.journal.release_stops("alice", "a bad feed", self.clock.wall())

    def rename(self, table: str, name: str) -> None:
        """Take a table of the journal away, or bring it back."""
        with closing(sqlite3.connect(self.file)) as hand:
            hand.executescript(f"ALTER TABLE {table} RENAME TO {name}")

    def levels(self) -> list[tuple[str, str]]:
        """Every change of level in the journal."""
        return [(change.scope, change.value) for change in self.journal.state_changes("global-risk")]


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    """An engine's safety with an empty journal."""
    desk = Desk(tmp_path / "journal.db")
    yield desk
    desk.journal.close()


async def test_nothing_is_allowed_before_the_journal_was_read(desk: Desk) -> None:
    """Nobody knows yet whether a stop is active, nor how any account stands."""
    assert desk.safety.stopped(MAIN)
    await desk.safety.refresh()
    assert not desk.safety.stopped(MAIN)
    assert desk.safety.risk_state(MAIN) is CRITICAL
    assert desk.safety.reasons == ["main: not read yet"]


async def test_one_bad_reading_suspends_new_risk_and_stops_nothing(desk: Desk) -> None:
    """CRITICAL at once, and over with the next good reading."""
    await desk.safety.refresh()
    await desk.judge(CALM, CRASH)
    assert (desk.safety.risk_state(MAIN), desk.safety.stopped(MAIN)) == (CRITICAL, False)
    await desk.judge(CALM)
    assert (desk.safety.risk_state(MAIN), desk.triggers, desk.alerts) == (OK, [], [])


async def test_the_second_one_stops_everything_and_tells_people_once(desk: Desk) -> None:
    """Counted, alerted and written down once, however often the account is judged."""
    await desk.safety.refresh()
    await desk.judge(CRASH, None, CRASH, CRASH, CALM)
    await desk.safety.refresh()
    await desk.judge(CRASH, CRASH)
    assert (desk.safety.emergency, desk.safety.stopped(PAPER)) == (True, True)
    assert desk.triggers == [Trigger.DAILY_DRAWDOWN]
    assert desk.journal.active_stops() == [Stop(EVERY_ACCOUNT, "daily_drawdown")]
    ((subject, text),) = desk.alerts
    assert subject == "emergency stop: daily_drawdown (*)"
    assert text.startswith("account=main; ")
    assert "daily_drawdown=5.10 of 5 (confirmed)" in text


async def test_play_money_stops_only_itself(desk: Desk) -> None:
    """A testnet account says little about real money."""
    await desk.safety.refresh()
    await desk.judge(CALM)
    await desk.judge(CRASH, CRASH, account=PAPER)
    assert (desk.safety.stopped(PAPER), desk.safety.stopped(MAIN), desk.safety.emergency) == (
        True,
        False,
        False,
    )
    assert (desk.safety.risk_state(PAPER), desk.safety.risk_state(MAIN)) == (CRITICAL, OK)


async def test_a_stop_survives_a_restart_and_a_recovery(desk: Desk) -> None:
    """Equity that comes back releases nothing, in this process or the next."""
    await desk.safety.refresh()
    await desk.judge(CRASH, CRASH, CALM)
    assert desk.safety.emergency
    safety = desk.restarted()
    assert not await safety.refresh()
    await desk.judge(CALM, CALM)
    assert safety.emergency
    assert desk.triggers == [Trigger.DAILY_DRAWDOWN]


async def test_only_a_release_ends_a_stop_and_all_is_judged_anew(desk: Desk) -> None:
    """What was confirmed before counts no more; one new bad reading is only one."""
    await desk.safety.refresh()
    await desk.judge(CRASH, CRASH)
    desk.release()
    assert desk.safety.emergency
    assert await desk.safety.refresh()
    assert (desk.safety.emergency, desk.safety.risk_state(MAIN)) == (False, CRITICAL)
    await desk.judge(CRASH)
    assert desk.journal.active_stops() == []
    await desk.judge(CRASH)
    assert len(desk.journal.active_stops()) == 1
    assert not await desk.safety.refresh()


async def test_a_person_can_stop_everything_at_any_time(desk: Desk) -> None:
    """Even before the journal was read; it needs no confirmation."""
    await desk.safety.latch(EVERY_ACCOUNT, Trigger.MANUAL, "SIGUSR1")
    await desk.safety.refresh()
    assert desk.safety.stopped(MAIN)
    assert desk.safety.stopped(PAPER)
    assert desk.alerts == [("emergency stop: manual (*)", "SIGUSR1")]


async def test_losses_in_a_row_stop_at_the_first_look(desk: Desk) -> None:
    """They come from the journal's own fills."""
    await desk.safety.refresh()
    await desk.judge(standing(1000, losses=6))
    assert desk.triggers == [Trigger.CONSECUTIVE_LOSSES]
    assert desk.safety.emergency


async def test_each_change_of_level_is_written_once(desk: Desk) -> None:
    """With its reasons; a level that stays is no change."""
    await desk.safety.refresh()
    await desk.judge(CALM, CALM, standing(970), standing(971), CRASH, None, CALM)
    assert desk.levels() == [(MAIN, "OK"), (MAIN, "WARNING"), (MAIN, "CRITICAL"), (MAIN, "OK")]
    assert desk.journal.state_changes("global-risk")[1].details == {"reasons": "daily_drawdown=3.00 of 5"}


async def test_a_journal_that_fails_stops_everything_and_forgets_nothing(desk: Desk) -> None:
    """The stop holds unwritten, is told once, and is in the journal exactly once when that works again."""
    await desk.safety.refresh()
    await desk.judge(CALM)
    desk.rename("emergency_stops", "away")
    with pytest.raises(JournalError):
        await desk.judge(CRASH, CRASH)
    for _ in range(2):
        with pytest.raises(JournalError):
            await desk.safety.refresh()
        assert desk.safety.stopped(MAIN)
        await desk.judge(CRASH)
    desk.rename("away", "emergency_stops")
    await desk.safety.refresh()
    assert desk.journal.active_stops() == [Stop(EVERY_ACCOUNT, "daily_drawdown")]
    assert (len(desk.triggers), len(desk.alerts)) == (1, 1)
    assert desk.levels() == [(MAIN, "OK"), (MAIN, "CRITICAL")]


async def test_everything_is_stopped_while_the_journal_can_not_be_read(desk: Desk) -> None:
    """Somebody may have stopped everything meanwhile; once it can be read, what it says holds."""
    await desk.safety.refresh()
    await desk.judge(CALM)
    desk.rename("emergency_stops", "away")
    with pytest.raises(JournalError):
        await desk.safety.refresh()
    assert (desk.safety.emergency, desk.safety.stopped(PAPER), desk.alerts) == (True, True, [])
    desk.rename("away", "emergency_stops")
    await desk.safety.refresh()
    assert (desk.safety.emergency, desk.safety.stopped(PAPER)) == (False, False)


async def test_a_stop_that_is_active_already_is_not_started_again_by_an_outage(desk: Desk) -> None:
    """While the journal can't be read, what was read of it last still counts as told."""
    await desk.safety.refresh()
    await desk.judge(CRASH, CRASH)
    desk.rename("emergency_stops", "away")
    with pytest.raises(JournalError):
        await desk.safety.refresh()
    await desk.judge(CRASH)
    desk.rename("away", "emergency_stops")
    await desk.safety.refresh()
    assert len(desk.journal.active_stops()) == 1
    assert (len(desk.triggers), len(desk.alerts)) == (1, 1)


async def test_accounts_that_crash_together_latch_one_stop(desk: Desk) -> None:
    """Judged side by side, as the cycle does."""
    await desk.safety.refresh()
    await desk.judge(CRASH)
    await asyncio.gather(*(desk.safety.judge(MAIN, CRASH) for _ in range(5)))
    assert len(desk.journal.active_stops()) == 1
    assert len(desk.alerts) == 1
