"""The journal on SQLite and on a real PostgreSQL server: the same promises, upgrades, two pods at once."""

import re
import sqlite3
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import psycopg
import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext

from golive_api.reasons import Reason
from golive_dev.waiting import eventually
from golive_engine import journal as journal_module
from golive_engine.clock import FakeClock
from golive_engine.decisions import Decisions
from golive_engine.journal import (
    UPGRADE_LOCK,
    VERSION_TABLE,
    Day,
    Decision,
    Fill,
    Journal,
    JournalError,
    OrderChange,
    Stop,
)
from golive_engine.orders import Order, OrderEvent, OrderState
from golive_engine.situation import Denial
from golive_engine.trading import Intent, Side

D = Decimal
ORDER = Order("gl-1", "main", "BTCUSDT", Side.BUY, D("0.001"), reduce_only=False, created=100.0)
FILL = Fill("main", "BTCUSDT", "gl-1", D("0.00100000"), D("45109.600000000000001"), 101.0)
FILLED = replace(ORDER.after(OrderEvent.FILLS), filled=D("0.001"), average_price=FILL.price)
BUY = Intent("BTCUSDT", Side.BUY, D("0.001"))

BEFORE_REVISIONS = Path(__file__).with_name("journal_before_revisions.sql")
"""A journal as the engine wrote it before journals had revisions."""

NEWER = "UPDATE journal_version SET version_num = '9999'"
"""Makes a journal one of a version that does not exist yet."""


@pytest.fixture
def open_journal(journal_url: str) -> Iterator[Callable[[], Journal]]:
    """Give a function that opens the journal once more, as another pod would."""
    opened: list[Journal] = []

    def make() -> Journal:
        opened.append(Journal(journal_url))
        return opened[-1]

    yield make
    for journal in opened:
        journal.close()


@pytest.fixture
def journal(open_journal: Callable[[], Journal]) -> Journal:
    """An empty journal."""
    return open_journal()


def run_sql(url: str, *statements: str) -> list[tuple[Any, ...]]:
    """Speak to a database behind the journal's back; returns the last statement's rows."""
    engine = sa.create_engine(url.replace("postgresql:", "postgresql+psycopg:"))
    try:
        with engine.begin() as connection:
            results = [connection.exec_driver_sql(statement) for statement in statements]
            return [tuple(row) for row in results[-1]] if results[-1].returns_rows else []
    finally:
        engine.dispose()


def test_a_client_order_id_is_written_once(journal: Journal) -> None:
    """The second one is an error, before anything is sent."""
    journal.add_order(ORDER)
    with pytest.raises(JournalError):
        journal.add_order(ORDER)
    assert len(journal.order_changes("gl-1")) == 1


def test_what_was_written_is_read_back_to_the_last_digit(journal: Journal) -> None:
    """Money is text there, never a float."""
    journal.add_order(ORDER)
    journal.update_order(FILLED, FILL, 101.0)
    assert journal.orders("main") == [FILLED]
    assert journal.fills("main") == [FILL]
    assert journal.filled_orders("main") == 1
    assert journal.filled_orders("paper") == 0
    assert journal.next_sequence() == 2


def test_todays_orders_count_unless_they_never_were(journal: Journal) -> None:
    """Withheld and refused orders, yesterday's and reduce-only ones are left out; unknown ones are not."""
    for number, (created, event, reduce_only) in enumerate(
        [
            (100.0, OrderEvent.FILLS, False),
            (100.0, OrderEvent.LOST, False),
            (100.0, OrderEvent.WITHHOLDS, False),
            (100.0, OrderEvent.REFUSES, False),
            (100.0, OrderEvent.FILLS, True),
            (99.0, OrderEvent.FILLS, False),
        ]
    ):
        order = Order(f"gl-{number}", "main", "BTCUSDT", Side.BUY, D(1), reduce_only, created)
        journal.add_order(order.after(event))
    assert journal.new_risk_orders_since("main", 100.0) == 2


def test_a_day_keeps_its_first_equity_and_its_highest(journal: Journal) -> None:
    """Falling equity moves neither."""
    for equity in (D(100), D(110), D(90)):
        day = journal.mark_equity("main", "2026-01-01", equity)
    assert day == Day(D(100), D(110))
    assert journal.mark_equity("main", "2026-01-02", D(90)) == Day(D(90), D(90))


def test_what_is_latched_stays_until_it_is_released(journal: Journal) -> None:
    """And losses are counted anew from there."""
    assert [journal.capital("main", equity) for equity in (D(100), D(50))] == [D(100), D(100)]
    journal.latch_stop(Stop("main", "manual"), "drill", 1.0)
    assert journal.active_stops() == [Stop("main", "manual")]
    assert journal.release_stops("alice", "found it", 2.0) == 1
    assert (journal.active_stops(), journal.last_release()) == ([], 2.0)
    assert journal.capital("main", D(50)) == D(50)


def test_every_other_row_is_taken(journal: Journal) -> None:
    """Denials are counted under their own number; a gate's serial may be large."""
    number = journal.add_denial(
        "main", {"symbol": "BTCUSDT", "side": "BUY", "quantity": "1", "reason": "GateClosed"}, {}, 1.0
    )
    journal.count_denial(number, 4, 2.0)
    change: dict[str, str | int] = {"state": "Open", "reason": "Open", "uid": "u", "epoch": 1, "serial": 2**40}
    journal.add_gate_change(change, 1.0)
    assert number == 1


def test_each_step_of_an_order_stays_a_row(journal: Journal) -> None:
    """With its time, its fill so far and its reason, whatever odd characters the venue put there."""
    lost = ORDER.after(OrderEvent.LOST, "no\0 answer \ud800")
    journal.add_order(ORDER)
    journal.update_order(lost, time=100.5)
    journal.update_order(replace(FILLED, reason=""), FILL, 101.0)
    assert journal.order_changes("gl-1") == [
        OrderChange(100.0, OrderState.PENDING, D(0), D(0), ""),
        OrderChange(100.5, OrderState.UNKNOWN, D(0), D(0), "no answer ?"),
        OrderChange(101.0, OrderState.FILLED, D("0.001"), FILL.price, ""),
    ]


async def test_a_decision_is_a_row_when_it_changes(journal: Journal) -> None:
    """By symbol and side; the same answer again is none, other values with the same reason neither."""
    decisions = Decisions("main", journal, FakeClock())
    closed = Denial(Reason.GATE_CLOSED)
    large = Denial(Reason.LEVERAGE_EXCEEDED, (("leverage", D(2)), ("limit", 1)))
    larger = Denial(Reason.LEVERAGE_EXCEEDED, (("leverage", D(3)), ("limit", 1)))
    sell = replace(BUY, side=Side.SELL, reduce_only=True)
    for intent, denial in (
        (BUY, closed),
        (sell, None),
        (BUY, closed),
        (BUY, large),
        (BUY, larger),
        (BUY, None),
    ):
        await decisions.note(intent, denial)
    now = FakeClock().wall()
    row = Decision(now, "main", "BTCUSDT", Side.BUY, D("0.001"), False, "GateClosed", {})
    assert journal.decisions("main") == [
        row,
        replace(row, side=Side.SELL, reduce_only=True, reason=""),
        replace(row, reason="LeverageExceeded", details={"leverage": "2", "limit": "1"}),
        replace(row, reason=""),
    ]


@pytest.mark.parametrize("statement", ["UPDATE {} SET symbol = 'x'", "DELETE FROM {}"])
@pytest.mark.parametrize("table", ["fills", "decisions", "order_changes"])
def test_the_database_refuses_to_change_history(
    journal: Journal, journal_url: str, table: str, statement: str
) -> None:
    """Also to somebody with a shell and the password."""
    journal.add_order(ORDER)
    journal.update_order(FILLED, FILL)
    journal.add_decision("main", BUY, None, 1.0)
    statement = statement.format(table).replace("symbol", "reason" if table == "order_changes" else "symbol")
    with pytest.raises(sa.exc.SQLAlchemyError, match=f"{table} is append-only"):
        run_sql(journal_url, statement)


LOST_ANSWERS = {
    "a fill is written again": (FILLED, FILL),
    "a final order moves": (ORDER.after(OrderEvent.LOST), None),
    "nobody wrote the order": (replace(FILLED, client_order_id="gl-2"), FILL),
}


@pytest.mark.parametrize(("order", "fill"), LOST_ANSWERS.values(), ids=LOST_ANSWERS)
def test_nothing_is_written_when(journal: Journal, order: Order, fill: Fill | None) -> None:
    """A commit whose answer got lost must not count a fill twice when it is repeated."""
    journal.add_order(ORDER)
    journal.update_order(FILLED, FILL)
    with pytest.raises(JournalError, match="knows otherwise"):
        journal.update_order(order, fill)
    assert (journal.orders("main"), journal.fills("main")) == ([FILLED], [FILL])
    assert len(journal.order_changes("gl-1")) == 2


def test_two_pods_never_write_the_same_order(open_journal: Callable[[], Journal]) -> None:
    """Both believe that they lead, both read the same number: one of them gets an error, each time."""
    pods, rounds, together = [open_journal(), open_journal()], 20, threading.Barrier(2)

    def trade(journal: Journal) -> int:
        written = 0
        for _ in range(rounds):
            number = journal.next_sequence()
            together.wait(10)
            try:
                journal.add_order(replace(ORDER, client_order_id=f"gl-{journal.identity}-{number:08d}"))
                written += 1
            except JournalError:
                pass
            together.wait(10)
        return written

    with ThreadPoolExecutor(2) as pool:
        assert sum(pool.map(trade, pods)) == rounds
    ids = [order.client_order_id for order in pods[0].orders("main")]
    assert len(set(ids)) == len(ids) == rounds
    assert pods[1].next_sequence() > max(int(name[-8:]) for name in ids)


OPEN = (
    "import sys; from golive_engine.journal import Journal; print('\"' + Journal(sys.argv[1]).identity + '\"')"
)


def test_pods_that_start_at_once_make_one_journal(journal_url: str, run_script: Callable[..., Any]) -> None:
    """Real processes on an empty database: one of them creates the tables, all have one identity."""
    pods = [run_script(OPEN, journal_url) for _ in range(3)]
    assert len({pod.read() for pod in pods}) == 1
    assert run_sql(journal_url, "SELECT count(*) FROM journal_version") == [(1,)]


def test_a_pod_that_starts_waits_for_the_one_that_upgrades(
    postgresql: Any, run_script: Callable[..., Any]
) -> None:
    """It looks at no table before it has the lock to itself."""
    address = postgresql.new_database()
    with psycopg.connect(address) as upgrading:
        upgrading.execute("SELECT pg_advisory_xact_lock(%s)", (UPGRADE_LOCK,))
        pod = run_script(OPEN, address)
        waiting = "SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"
        eventually(lambda: upgrading.execute(waiting).fetchone(), 20)
        assert upgrading.execute("SELECT to_regclass('orders')").fetchone() == (None,)
    assert len(pod.read()) == 6


def dump(path: Path) -> list[str]:
    """Every row of the tables that there were before revisions."""
    with closing(sqlite3.connect(path)) as connection:
        rows = [line for line in connection.iterdump() if line.startswith("INSERT")]
    return [row for row in rows if not re.match(rf'INSERT INTO "({VERSION_TABLE}|order_changes)"', row)]


@pytest.fixture
def old(tmp_path: Path) -> Path:
    """A journal from before revisions."""
    path = tmp_path / "old.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(BEFORE_REVISIONS.read_text())
    return path


def test_a_journal_from_before_revisions_is_upgraded_in_place(old: Path) -> None:
    """Not a row is lost or changed; each order's history begins where the order stands; once is enough."""
    before = dump(old)
    for _ in range(2):
        journal = Journal(f"sqlite:///{old}")
        assert journal.identity == "2b4220"
        assert journal.next_sequence() == 4
        states = {}
        for order in journal.orders("main") + journal.orders("paper"):
            [change] = journal.order_changes(order.client_order_id)
            assert change == OrderChange(None, order.state, order.filled, order.average_price, order.reason)
            states[order.client_order_id[-1]] = order.state
        assert states == {"1": OrderState.FILLED, "2": OrderState.UNKNOWN, "3": OrderState.REFUSED}
        assert journal.active_stops() == [Stop("paper", "daily_drawdown")]
        assert journal.capital("main", D(1)) == D(10_000)
        journal.close()
    assert len(before) == 11
    assert dump(old) == before


def test_an_upgrade_that_fails_changes_nothing(old: Path) -> None:
    """All revisions are one transaction."""
    with closing(sqlite3.connect(old)) as connection:
        connection.execute("CREATE TABLE decisions (mine TEXT)")
        before = list(connection.iterdump())
    with pytest.raises(JournalError, match="decisions already exists"):
        Journal(f"sqlite:///{old}")
    with closing(sqlite3.connect(old)) as connection:
        assert list(connection.iterdump()) == before


def differences(url: str) -> list[Any]:
    """What the tables have and the code does not, or the other way round."""
    engine = sa.create_engine(url.replace("postgresql:", "postgresql+psycopg:"))
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"version_table": VERSION_TABLE})
        found = compare_metadata(context, journal_module._tables)  # noqa: SLF001  # what the code believes
    engine.dispose()
    return list(found)


def test_the_revisions_make_the_tables_that_the_code_believes_in(
    journal: Journal, journal_url: str, old: Path
) -> None:
    """On either database, from nothing and from before revisions."""
    Journal(f"sqlite:///{old}").close()
    assert journal.orders("main") == []
    assert differences(journal_url) == []
    assert differences(f"sqlite:///{old}") == []


def test_a_journal_of_a_newer_version_is_refused_in_one_line(journal: Journal, journal_url: str) -> None:
    """An older engine would not understand what is there."""
    journal.add_order(ORDER)
    run_sql(journal_url, NEWER)
    with pytest.raises(JournalError, match=r"^the journal is of a newer version \(revision 9999; .+\)[^\n]+$"):
        Journal(journal_url)
    assert run_sql(journal_url, "SELECT version_num FROM journal_version") == [("9999",)]


def test_an_engine_with_a_journal_of_a_newer_version_ends_with_one_line(
    start_engine: Callable[..., Any], settings: dict[str, Any]
) -> None:
    """No traceback: who reads the log sees what to do."""
    address = settings["journal"]["url"]
    Journal(address).close()
    run_sql(address, NEWER)
    engine = start_engine(settings)
    assert engine.process.wait(20) == 1
    assert [line for line in engine.log.read_text().splitlines() if "newer version" not in line] == []
    assert len(engine.lines()) == 1


UNUSABLE = {
    "another kind of database": ("mysql://localhost/journal", "sqlite or postgresql"),
    "no URL": ("journal.db", "Could not parse"),
    "no server": ("postgresql://postgres:hidden@127.0.0.1:1/journal", "onnection"),
}


@pytest.mark.parametrize(("address", "why"), UNUSABLE.values(), ids=UNUSABLE)
def test_a_database_that_cannot_be_used_is_told_in_one_line(address: str, why: str) -> None:
    """Without the password."""
    with pytest.raises(JournalError, match=why) as failed:
        Journal(address)
    assert "\n" not in str(failed.value)
    assert "hidden" not in str(failed.value)
