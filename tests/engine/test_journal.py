"""The journal: durable, unique, and what is latched in it stays until a person releases it."""

import asyncio
import sqlite3
import threading
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest

from golive_api.golive import RiskState
from golive_api.reasons import Reason
from golive_engine.clock import FakeClock
from golive_engine.journal import EVERY_ACCOUNT, Fill, Journal, JournalError, Stop
from golive_engine.orders import Order, OrderEvent
from golive_engine.risk import Standing, Trigger
from golive_engine.safety import Safety
from golive_engine.situation import Denial
from golive_engine.skips import Skips, sentence
from golive_engine.trading import Intent, Purpose, Side

D = Decimal
ORDER = Order("gl-1", "main", "binanceusdm", "BTCUSDT", Side.BUY, D("0.001"), reduce_only=False, created=100.0)
BUY = Intent("BTCUSDT", Side.BUY, D("0.001"))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where the journal is."""
    return tmp_path / "journal.db"


@pytest.fixture
def journal(path: Path) -> Iterator[Journal]:
    """An empty journal."""
    made = Journal(f"sqlite:///{path}")
    yield made
    made.close()


def test_a_commit_survives_a_power_cut(journal: Journal, path: Path) -> None:
    """Write-ahead log and full synchronization, on the connection that writes."""
    with journal._engine.connect() as connection:  # noqa: SLF001  # the setting is of the connection
        assert connection.exec_driver_sql("PRAGMA synchronous").scalar() == 2
        assert connection.exec_driver_sql("PRAGMA journal_mode").scalar() == "wal"
    assert path.exists()


def test_an_order_and_its_fill_are_written_together(journal: Journal, path: Path) -> None:
    """Both, or neither."""
    journal.add_order(ORDER)
    filled = replace(ORDER.after(OrderEvent.FILLS), filled=D("0.001"))
    with sqlite3.connect(path) as other:
        other.execute("DROP TABLE fills")
    other.close()
    fill = Fill("main", "binanceusdm", "BTCUSDT", "gl-1", D("0.001"), D(50_000), 101.0)
    with pytest.raises(JournalError):
        journal.update_order(ORDER, filled, fill)
    assert journal.orders("main") == [ORDER]


def test_two_journals_never_make_the_same_ids(journal: Journal, tmp_path: Path) -> None:
    """After a lost journal the numbers start anew, the ids don't."""
    other = Journal(f"sqlite:///{tmp_path}/other.db")
    assert other.identity != journal.identity
    other.close()


def test_a_journal_that_cannot_be_opened_says_so_in_one_line(tmp_path: Path) -> None:
    """No statement, no traceback."""
    with pytest.raises(JournalError) as failed:
        Journal(f"sqlite:///{tmp_path}/missing/journal.db")
    assert "\n" not in str(failed.value)


def quiet(_subject: str, _text: str) -> None:
    """Nobody is told."""


def standing(equity: int) -> Standing:
    """An account that began with 1000."""
    return Standing(D(equity), D(1000), D(1000), D(1000), 0)


async def test_trouble_with_real_money_stops_everything_until_it_is_released(journal: Journal) -> None:
    """Latched over a restart; a recovery of the equity releases nothing."""
    triggers: list[Trigger] = []
    accounts = {"main": "production", "paper": "testnet"}
    safety = Safety(accounts, journal, FakeClock(), triggers.append, quiet)
    assert safety.stopped("main"), "while nobody has read the journal"
    await safety.refresh()
    assert not safety.stopped("main")
    assert safety.global_risk is RiskState.CRITICAL, "while nobody has looked"
    for _ in range(2):
        await safety.judge("main", standing(940))
    assert (safety.emergency, safety.stopped("paper"), triggers) == (True, True, [Trigger.DAILY_DRAWDOWN])
    await safety.judge("main", standing(1000))
    again = Safety(accounts, journal, FakeClock(), triggers.append, quiet)
    await again.refresh()
    assert again.stopped("main")
    assert journal.active_stops() == [Stop(EVERY_ACCOUNT, Trigger.DAILY_DRAWDOWN)]

    assert journal.release_stops("alice", "found it", 1.0) == 1
    assert await again.refresh(), "losses are counted anew after a release"
    assert not again.stopped("main")
    assert triggers == [Trigger.DAILY_DRAWDOWN]


async def test_a_stop_holds_before_it_is_written(journal: Journal) -> None:
    """A journal that is just being read, and is slow, does not delay it or make it forgotten."""
    safety = Safety({"main": "production"}, journal, FakeClock(), lambda _trigger: None, quiet)
    await safety.refresh()
    reading = asyncio.create_task(safety.refresh())
    writing = asyncio.create_task(safety.latch(EVERY_ACCOUNT, Trigger.MANUAL, "drill"))
    seen = []
    while not writing.done() or not reading.done():
        await asyncio.sleep(0)
        seen.append(safety.emergency)
    assert all(seen)
    assert safety.emergency
    assert journal.active_stops() == [Stop(EVERY_ACCOUNT, Trigger.MANUAL)]


async def test_trouble_with_play_money_stops_only_that_account(journal: Journal) -> None:
    """A testnet account says little about real money."""
    safety = Safety(
        {"main": "production", "paper": "testnet"}, journal, FakeClock(), lambda _trigger: None, quiet
    )
    await safety.refresh()
    await safety.judge("main", standing(1000))
    for _ in range(2):
        await safety.judge("paper", standing(500))
    assert (safety.stopped("paper"), safety.stopped("main"), safety.emergency) == (True, False, False)
    assert safety.global_risk is RiskState.OK


async def test_a_journal_that_fails_is_a_stop(journal: Journal, path: Path) -> None:
    """Who can't read whether there is a stop has one."""
    safety = Safety({"main": "production"}, journal, FakeClock(), lambda _trigger: None, quiet)
    await safety.refresh()
    with sqlite3.connect(path) as other:
        other.execute("DROP TABLE emergency_stops")
    other.close()
    with pytest.raises(JournalError):
        await safety.refresh()
    assert safety.stopped("main")
    assert safety.emergency


SENTENCES = {
    "a missing gate": (Denial(Reason.GATE_MISSING), "GO-LIVE not activated"),
    "an expired gate": (Denial(Reason.GATE_EXPIRED), "GO-LIVE not activated"),
    "a limit": (
        Denial(Reason.LEVERAGE_EXCEEDED, (("leverage", 2), ("limit", 1))),
        "LeverageExceeded leverage=2 limit=1",
    ),
    "a gate that only reduces": (Denial(Reason.GATE_REDUCE_ONLY), "GateReduceOnly"),
}


@pytest.mark.parametrize(("denial", "why"), SENTENCES.values(), ids=SENTENCES)
def test_a_skipped_order_is_told_for(denial: Denial, why: str) -> None:
    """The line of the hand-run program, and for other reasons the figures that decided."""
    assert sentence(BUY, denial) == f"[ORDER_SKIPPED] BUY BTCUSDT qty=0.001 - {why}"


async def test_a_repeated_denial_is_one_row_with_a_count(journal: Journal, path: Path) -> None:
    """A change of reason begins a new row and completes the old one; another venue or purpose has its own."""
    skips = Skips(journal, FakeClock())
    exit_ = replace(BUY, side=Side.SELL, reduce_only=True, purpose=Purpose.PROTECT)
    for _ in range(5):
        await skips.note("main", "okx", BUY, Denial(Reason.GATE_CLOSED))
        await skips.note("main", "okx", exit_, Denial(Reason.STANDBY))
    await skips.note("main", "okx", BUY, Denial(Reason.GATE_EXPIRED))
    await skips.note("main", "bybit", BUY, Denial(Reason.GATE_EXPIRED))
    with sqlite3.connect(path) as other:
        rows = other.execute("SELECT venue, purpose, reason, times FROM denials ORDER BY sequence").fetchall()
    other.close()
    assert rows == [
        ("okx", "trade", "GateClosed", 5),
        ("okx", "protect", "Standby", 4),
        ("okx", "trade", "GateExpired", 1),
        ("bybit", "trade", "GateExpired", 1),
    ]


class SlowJournal(Journal):
    """A journal whose disk takes its time: reading the stops ends when it is let."""

    def __init__(self, url: str) -> None:
        super().__init__(url)
        self.reading, self.may_end = threading.Event(), threading.Event()

    def active_stops(self) -> list[Stop]:
        """What was there when reading began."""
        found = super().active_stops()
        self.reading.set()
        self.may_end.wait(10)
        return found


@pytest.fixture
def slow(tmp_path: Path) -> Iterator[SlowJournal]:
    """A slow journal."""
    made = SlowJournal(f"sqlite:///{tmp_path / 'slow.db'}")
    yield made
    made.may_end.set()
    made.close()


async def test_reading_the_stops_again_is_no_stop(slow: SlowJournal) -> None:
    """A report made meanwhile must not shut the gate for nothing."""
    safety = Safety({"main": "production"}, slow, FakeClock(), lambda _trigger: None, quiet)
    slow.may_end.set()
    await safety.refresh()
    slow.may_end.clear()
    slow.reading.clear()
    again = asyncio.create_task(safety.refresh())
    await asyncio.to_thread(slow.reading.wait, 10)
    seen = (safety.emergency, safety.stopped("main"))
    slow.may_end.set()
    await again
    assert seen == (False, False)


async def test_a_stop_that_starts_while_the_stops_are_read_holds_on(slow: SlowJournal) -> None:
    """The older list must not be put over it."""
    safety = Safety({"main": "production"}, slow, FakeClock(), lambda _trigger: None, quiet)
    slow.may_end.set()
    await safety.refresh()
    slow.may_end.clear()
    slow.reading.clear()
    again = asyncio.create_task(safety.refresh())
    await asyncio.to_thread(slow.reading.wait, 10)
    latching = asyncio.create_task(safety.latch(EVERY_ACCOUNT, Trigger.MANUAL, "by hand"))
    await asyncio.sleep(0)
    seen = [safety.emergency]
    slow.may_end.set()
    await again
    seen.append(safety.emergency)
    await latching
    seen.append(safety.emergency)
    assert seen == [True, True, True]
