"""The journal on SQLite and on a real PostgreSQL server: the same promises, upgrades, two pods at once."""

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
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.runtime.migration import MigrationContext

from golive_api.reasons import Reason
from golive_dev.waiting import eventually
from golive_engine import journal_tables
from golive_engine.clock import FakeClock
from golive_engine.decisions import Decisions
from golive_engine.journal import (
    Decision,
    Fill,
    Journal,
    JournalError,
    OrderChange,
    Stop,
)
from golive_engine.journal_database import UPGRADE_LOCK, VERSION_TABLE
from golive_engine.orders import Order, OrderEvent, OrderState
from golive_engine.situation import Denial
from golive_engine.trading import Intent, OrderKind, Purpose, Side

D = Decimal
ORDER = Order(
    "gl00000001", "main", "binanceusdm", "BTCUSDT", Side.BUY, D("0.001"), reduce_only=False, created=100.0
)
FILL = Fill("main", "binanceusdm", "BTCUSDT", "gl00000001", D("0.00100000"), D("45109.600000000000001"), 101.0)
FILLED = replace(ORDER.after(OrderEvent.FILLS), filled=D("0.001"), average_price=FILL.price, venue_order_id="7")
STOP_LOSS = replace(
    ORDER,
    client_order_id="gl00000002",
    venue="okx",
    side=Side.SELL,
    reduce_only=True,
    kind=OrderKind.STOP_LOSS,
    price=D("44000.10"),
    purpose=Purpose.PROTECT,
    strategy="baseline-perps",
)
FOREIGN = Fill("main", "okx", "BTCUSDT", None, D(-1), D(44_000), 99.5, "t-9")
BUY = Intent("BTCUSDT", Side.BUY, D("0.001"))

OLDER = {
    "before revisions": "journal_before_revisions.sql",
    "revision 2": "journal_revision_2.sql",
}
"""Journals as the engine wrote them once."""

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
    assert len(journal.order_changes(ORDER.client_order_id)) == 1


def test_what_was_written_is_read_back_to_the_last_digit(journal: Journal) -> None:
    """Money is text there, never a float."""
    journal.add_order(ORDER)
    journal.update_order(ORDER, FILLED, FILL, 101.0)
    assert journal.orders("main") == [FILLED]
    assert journal.fills("main") == [FILL]
    assert journal.filled_orders("main") == 1
    assert journal.filled_orders("paper") == 0


def test_each_venue_has_its_own_orders_and_fills(journal: Journal) -> None:
    """Kind, price, purpose and strategy come back; without a venue in the question, all do."""
    journal.add_order(ORDER)
    journal.add_order(STOP_LOSS)
    journal.add_fills([FOREIGN])
    journal.update_order(ORDER, FILLED, FILL, 101.0)
    assert journal.orders("main", "okx") == journal.unsettled("main") == [STOP_LOSS]
    assert journal.orders("main") == [FILLED, STOP_LOSS]
    assert journal.unsettled("main", "binanceusdm") == journal.orders("paper") == []
    assert (journal.fills("main", "okx"), journal.fills("main")) == ([FOREIGN], [FOREIGN, FILL])
    assert journal.filled_orders("main") == 1


def test_a_trade_is_booked_once(journal: Journal) -> None:
    """By account, venue and symbol; fills without a trade of their own are not held up."""
    journal.add_fills([FOREIGN, replace(FOREIGN, venue="bybit"), replace(FOREIGN, account="paper")])
    journal.add_fills([replace(FOREIGN, trade_id=None), replace(FOREIGN, trade_id=None)])
    before = journal.fills("main")
    with pytest.raises(JournalError):
        journal.add_fills([replace(FOREIGN, trade_id="t-10"), FOREIGN])
    assert journal.fills("main") == before


def test_a_number_is_given_out_once(open_journal: Callable[[], Journal]) -> None:
    """In every thread, after a restart, and above what another pod, or an adopted order, has used."""
    first, second = open_journal(), open_journal()
    with ThreadPoolExecutor(4) as pool:
        numbers = list(pool.map(lambda _: first.take_number(), range(200)))
    assert sorted(numbers) == list(range(1, 201))
    first.catch_up()
    assert first.next_number == 201, "taken, if not written yet"
    first.add_order(replace(ORDER, client_order_id="gl00000500"))
    assert (first.take_number(), second.take_number()) == (501, 1)
    second.catch_up()
    assert second.take_number() == open_journal().take_number() == 501


def test_todays_orders_count_unless_they_never_were(journal: Journal) -> None:
    """Withheld and refused orders, yesterday's and reduce-only ones are left out; unknown ones are not."""
    for number, (created, event, reduce_only, venue) in enumerate(
        [
            (100.0, OrderEvent.FILLS, False, "binanceusdm"),
            (101.0, OrderEvent.LOST, False, "okx"),
            (102.0, OrderEvent.WITHHOLDS, False, "binanceusdm"),
            (103.0, OrderEvent.REFUSES, False, "binanceusdm"),
            (104.0, OrderEvent.FILLS, True, "binanceusdm"),
            (99.0, OrderEvent.FILLS, False, "binanceusdm"),
        ]
    ):
        order = replace(ORDER, client_order_id=f"gl-{number}", venue=venue, reduce_only=reduce_only)
        journal.add_order(replace(order, created=created).after(event))
    assert journal.new_risk_orders_since("main", 100.0) == 2
    assert journal.new_risk_times("main", 100.0) == [
        ("BTCUSDT", Side.BUY, 100.0),
        ("BTCUSDT", Side.BUY, 101.0),
    ]
    assert journal.order_times_since("main", 100.0) == [100.0, 101.0, 103.0, 104.0]
    assert journal.new_risk_orders_since("paper", 0.0) == len(journal.order_times_since("paper", 0.0)) == 0


def test_each_step_of_an_order_stays_a_row(journal: Journal) -> None:
    """With its time, its fill so far and its reason, whatever odd characters the venue put there."""
    lost = ORDER.after(OrderEvent.LOST, "no\0 answer \ud800")
    journal.add_order(ORDER)
    journal.update_order(ORDER, lost, time=100.5)
    journal.update_order(lost, replace(FILLED, reason=""), FILL, 101.0)
    assert journal.order_changes(ORDER.client_order_id) == [
        OrderChange(100.0, OrderState.PENDING, D(0), D(0), ""),
        OrderChange(100.5, OrderState.UNKNOWN, D(0), D(0), "no answer ?"),
        OrderChange(101.0, OrderState.FILLED, D("0.001"), FILL.price, ""),
    ]


async def test_a_decision_is_a_row_when_it_changes(journal: Journal) -> None:
    """By symbol and side; the same answer again is none, other values with the same reason neither."""
    decisions = Decisions("main", "okx", journal, FakeClock())
    closed = Denial(Reason.GATE_CLOSED)
    large = Denial(Reason.LEVERAGE_EXCEEDED, (("leverage", D(2)), ("limit", 1)))
    larger = Denial(Reason.LEVERAGE_EXCEEDED, (("leverage", D(3)), ("limit", 1)))
    sell = replace(BUY, side=Side.SELL, reduce_only=True)
    stop = replace(sell, trigger_price=D(40_000), purpose=Purpose.PROTECT)
    for intent, denial in (
        (BUY, closed),
        (sell, None),
        (stop, closed),
        (sell, None),
        (BUY, closed),
        (BUY, large),
        (BUY, larger),
        (BUY, None),
    ):
        await decisions.note(intent, denial)
    now = FakeClock().wall()
    row = Decision(now, "main", "okx", "BTCUSDT", Side.BUY, D("0.001"), False, "GateClosed", {})
    out = replace(row, side=Side.SELL, reduce_only=True)
    assert journal.decisions("main") == [
        row,
        replace(out, reason=""),
        replace(out, kind=OrderKind.STOP_LOSS, purpose=Purpose.PROTECT),
        replace(row, reason="LeverageExceeded", details={"leverage": "2", "limit": "1"}),
        replace(row, reason=""),
    ]


@pytest.mark.parametrize("statement", ["UPDATE {} SET time = 0", "DELETE FROM {}"])
@pytest.mark.parametrize("table", ["fills", "decisions", "order_changes", "state_changes", "stress_runs"])
def test_the_database_refuses_to_change_history(
    journal: Journal, journal_url: str, table: str, statement: str
) -> None:
    """Also to somebody with a shell and the password."""
    journal.add_order(ORDER)
    journal.update_order(ORDER, FILLED, FILL)
    journal.add_decision("main", "okx", BUY, None, 1.0)
    journal.add_state_change("mode", "perps", "live", {}, 1.0)
    journal.add_stress_run("flash-crash", "passed", {}, 1.0, 1.0)
    with pytest.raises(sa.exc.SQLAlchemyError, match=f"{table} is append-only"):
        run_sql(journal_url, statement.format(table))


LOST_ANSWERS = {
    "a fill is written again": (ORDER, FILLED, FILL),
    "a final order moves": (ORDER, ORDER.after(OrderEvent.LOST), None),
    "more is filled than is told": (replace(FILLED, filled=D(0)), FILLED, FILL),
    "nobody wrote the order": (ORDER, replace(FILLED, client_order_id="gl-2"), FILL),
}


@pytest.mark.parametrize(("before", "after", "fill"), LOST_ANSWERS.values(), ids=LOST_ANSWERS)
def test_nothing_is_written_when(journal: Journal, before: Order, after: Order, fill: Fill | None) -> None:
    """A commit whose answer got lost must not count a fill twice when it is repeated."""
    journal.add_order(ORDER)
    journal.update_order(ORDER, FILLED, FILL)
    with pytest.raises(JournalError, match="knows otherwise"):
        journal.update_order(before, after, fill)
    assert (journal.orders("main"), journal.fills("main")) == ([FILLED], [FILL])
    assert len(journal.order_changes(ORDER.client_order_id)) == 2


def test_an_order_that_is_over_elsewhere_does_not_move(journal: Journal) -> None:
    """Nothing was filled in either belief, and only one of them is true."""
    refused = ORDER.after(OrderEvent.REFUSES, "margin")
    journal.add_order(ORDER)
    journal.update_order(ORDER, refused)
    with pytest.raises(JournalError, match="knows otherwise"):
        journal.update_order(ORDER, ORDER.after(OrderEvent.WORKS))
    assert journal.orders("main") == [refused]


def test_two_pods_never_write_the_same_order(open_journal: Callable[[], Journal]) -> None:
    """Both believe that they lead, both read the same number: one of them gets an error, each time."""
    pods, rounds, together = [open_journal(), open_journal()], 20, threading.Barrier(2)

    def trade(journal: Journal) -> int:
        written = 0
        for _ in range(rounds):
            journal.catch_up()
            number = journal.next_number
            together.wait(10)
            try:
                journal.add_order(replace(ORDER, client_order_id=f"gl{journal.identity}{number:08d}"))
                written += 1
            except JournalError:
                pass
            together.wait(10)
        return written

    with ThreadPoolExecutor(2) as pool:
        assert sum(pool.map(trade, pods)) == rounds
    ids = [order.client_order_id for order in pods[0].orders("main")]
    assert len(set(ids)) == len(ids) == rounds
    pods[1].catch_up()
    assert pods[1].next_number > max(int(name[-8:]) for name in ids)


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


@pytest.fixture(params=list(OLDER.values()), ids=list(OLDER))
def old(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """A journal of an older version."""
    path = tmp_path / "old.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(Path(__file__).with_name(request.param).read_text())
    return path


def rows(path: Path) -> dict[str, list[tuple[Any, ...]]]:
    """Every row of every table but the version's."""
    with closing(sqlite3.connect(path)) as connection:
        tables = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
        return {
            name: connection.execute(f"SELECT * FROM {name} ORDER BY 1").fetchall()  # noqa: S608  # its own
            for (name,) in tables
            if name != VERSION_TABLE
        }


def test_a_journal_of_an_older_version_is_upgraded_in_place(old: Path) -> None:
    """Not a row is lost or changed, columns only come behind; once is enough."""
    before = rows(old)
    assert sum(map(len, before.values())) >= 11
    for _ in range(2):
        Journal(f"sqlite:///{old}").close()
        after = rows(old)
        for table, kept in before.items():
            assert [row[: len(kept[0])] for row in after[table][: len(kept)]] == kept


def test_what_an_older_version_wrote_is_understood(old: Path) -> None:
    """Every order was a market order on the one venue; its history begins where it stood, numbers go on."""
    journal = Journal(f"sqlite:///{old}")
    assert (journal.identity, journal.next_number) == ("2b4220", 4)
    orders = journal.orders("main", "binanceusdm") + journal.orders("paper", "binanceusdm")
    for order in orders:
        begin = journal.order_changes(order.client_order_id)[0]
        assert begin == OrderChange(None, order.state, order.filled, order.average_price, order.reason)
    assert [order.state for order in orders] == [OrderState.FILLED, OrderState.UNKNOWN, OrderState.REFUSED]
    assert {(o.kind, o.price, o.purpose, o.strategy, o.venue_order_id) for o in orders} == {
        (OrderKind.MARKET, None, Purpose.TRADE, "", "")
    }
    assert [fill.symbol for fill in journal.fills("main", "binanceusdm")] == ["BTCUSDT", "SOLUSDT"]
    assert journal.active_stops() == [Stop("paper", "daily_drawdown")]
    assert journal.capital("main", D(1)) == D(10_000)
    assert journal.peak("main", D(1)) == D("10010.5")
    assert all(decision.venue == "binanceusdm" for decision in journal.decisions("main"))
    journal.close()


def test_an_upgrade_keeps_the_rows_of_either_database(journal_url: str) -> None:
    """Append-only tables get their new columns, too."""
    engine = sa.create_engine(journal_url.replace("postgresql:", "postgresql+psycopg:"))
    with engine.begin() as connection:
        config = Config()
        config.set_main_option("script_location", "golive_engine:migrations")
        config.attributes.update(connection=connection, version_table=VERSION_TABLE)
        command.upgrade(config, "0002")
        connection.exec_driver_sql(
            "INSERT INTO fills (account, symbol, signed_quantity, price, time) "
            "VALUES ('main', 'BTCUSDT', '0.10', '9.50', 1)"
        )
    engine.dispose()
    journal = Journal(journal_url)
    assert journal.fills("main", "binanceusdm") == [
        Fill("main", "binanceusdm", "BTCUSDT", None, D("0.10"), D("9.50"), 1.0)
    ]
    journal.close()


def test_a_pod_of_the_version_before_goes_on_meanwhile(journal: Journal, journal_url: str) -> None:
    """It names no new column, and numbers its orders by row."""
    journal.add_order(ORDER)
    run_sql(
        journal_url,
        "INSERT INTO orders (client_order_id, account, symbol, side, quantity, reduce_only, created, state, "
        "filled, average_price, reason) VALUES ('gl-5f2c1a-2b4220-00000002', 'main', 'BTCUSDT', 'BUY', '1', "
        "false, 1, 'filled', '1', '9', '')",
        "INSERT INTO fills (account, symbol, client_order_id, signed_quantity, price, time) VALUES "
        "('main', 'BTCUSDT', 'gl-5f2c1a-2b4220-00000002', '1', '9', 1)",
    )
    journal.catch_up()
    assert journal.next_number == 3
    assert [order.venue for order in journal.orders("main")] == ["binanceusdm"] * 2
    assert journal.fills("main", "binanceusdm")[0].trade_id is None


def test_an_upgrade_that_fails_changes_nothing(old: Path) -> None:
    """All revisions are one transaction."""
    with closing(sqlite3.connect(old)) as connection:
        connection.execute("CREATE TABLE symbol_locks (mine TEXT)")
        before = list(connection.iterdump())
    with pytest.raises(JournalError, match="symbol_locks already exists"):
        Journal(f"sqlite:///{old}")
    with closing(sqlite3.connect(old)) as connection:
        assert list(connection.iterdump()) == before


def differences(url: str) -> list[Any]:
    """What the tables have and the code does not, or the other way round."""
    engine = sa.create_engine(url.replace("postgresql:", "postgresql+psycopg:"))
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"version_table": VERSION_TABLE})
        found = compare_metadata(context, journal_tables.TABLES)
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
