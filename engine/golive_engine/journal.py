"""The journal: orders before they are sent, their steps, fills, decisions, equity marks, stops, gate changes.

In a SQLite file or a PostgreSQL database. Every method is synchronous and durable when it returns; callers on
the event loop use a thread.
"""

import json
import logging
import secrets
from collections.abc import Callable
from decimal import Decimal
from typing import Any, TypeVar

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import SQLAlchemyError

from golive_engine.orders import UNSETTLED, Order, OrderState
from golive_engine.records import (
    EVERY_ACCOUNT,
    Day,
    Decision,
    Fill,
    OrderChange,
    Stop,
    change_from,
    decision_from,
    fill_columns,
    fill_from,
    order_columns,
    order_from,
)
from golive_engine.situation import Denial
from golive_engine.trading import ZERO, Intent

__all__ = ["EVERY_ACCOUNT", "Day", "Decision", "Fill", "Journal", "JournalError", "OrderChange", "Stop"]

VERSION_TABLE = "journal_version"
"""Where a journal says which revision of its tables it has."""

WAIT_SECONDS = 5
"""How long a database, or a lock in it, is waited for."""

UPGRADE_LOCK = 0x60_11_7E
"""Number of the lock under which one engine at a time brings a PostgreSQL journal up to date."""

_CAPITAL = "capital:"

T = TypeVar("T")
_log = logging.getLogger(__name__)
_integer = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_tables = sa.MetaData()


def _number() -> sa.Column[int]:
    """A row's own number."""
    return sa.Column("sequence", _integer, primary_key=True, autoincrement=True)


_meta = sa.Table("meta", _tables, sa.Column("key", sa.String, primary_key=True), sa.Column("value", sa.String))
_orders = sa.Table(
    "orders",
    _tables,
    _number(),
    sa.Column("client_order_id", sa.String(36), nullable=False, unique=True),
    sa.Column("account", sa.String(63), nullable=False, index=True),
    sa.Column("symbol", sa.String(32), nullable=False),
    sa.Column("side", sa.String(4), nullable=False),
    sa.Column("quantity", sa.String(40), nullable=False),
    sa.Column("reduce_only", sa.Boolean, nullable=False),
    sa.Column("created", sa.Float, nullable=False),
    sa.Column("state", sa.String(16), nullable=False, index=True),
    sa.Column("filled", sa.String(40), nullable=False),
    sa.Column("average_price", sa.String(60), nullable=False),
    sa.Column("reason", sa.String, nullable=False),
)
_fills = sa.Table(
    "fills",
    _tables,
    _number(),
    sa.Column("account", sa.String(63), nullable=False, index=True),
    sa.Column("symbol", sa.String(32), nullable=False),
    sa.Column("client_order_id", sa.String(36)),
    sa.Column("signed_quantity", sa.String(40), nullable=False),
    sa.Column("price", sa.String(60), nullable=False),
    sa.Column("time", sa.Float, nullable=False),
)
_order_changes = sa.Table(
    "order_changes",
    _tables,
    _number(),
    sa.Column("client_order_id", sa.String(36), nullable=False, index=True),
    sa.Column("time", sa.Float),
    sa.Column("state", sa.String(16), nullable=False),
    sa.Column("filled", sa.String(40), nullable=False),
    sa.Column("average_price", sa.String(60), nullable=False),
    sa.Column("reason", sa.String, nullable=False),
)
_decisions = sa.Table(
    "decisions",
    _tables,
    _number(),
    sa.Column("time", sa.Float, nullable=False),
    sa.Column("account", sa.String(63), nullable=False, index=True),
    sa.Column("symbol", sa.String(32), nullable=False),
    sa.Column("side", sa.String(4), nullable=False),
    sa.Column("quantity", sa.String(40), nullable=False),
    sa.Column("reduce_only", sa.Boolean, nullable=False),
    sa.Column("reason", sa.String(64), nullable=False),
    sa.Column("details", sa.String, nullable=False),
)
_denials = sa.Table(
    "denials",
    _tables,
    _number(),
    sa.Column("account", sa.String(63), nullable=False),
    sa.Column("symbol", sa.String(32), nullable=False),
    sa.Column("side", sa.String(4), nullable=False),
    sa.Column("quantity", sa.String(40), nullable=False),
    sa.Column("reason", sa.String(64), nullable=False),
    sa.Column("details", sa.String, nullable=False),
    sa.Column("first_time", sa.Float, nullable=False),
    sa.Column("last_time", sa.Float, nullable=False),
    sa.Column("times", _integer, nullable=False),
)
_days = sa.Table(
    "days",
    _tables,
    sa.Column("account", sa.String(63), primary_key=True),
    sa.Column("day", sa.String(10), primary_key=True),
    sa.Column("start_equity", sa.String(40), nullable=False),
    sa.Column("peak_equity", sa.String(40), nullable=False),
)
_stops = sa.Table(
    "emergency_stops",
    _tables,
    _number(),
    sa.Column("scope", sa.String(63), nullable=False),
    sa.Column("trigger", sa.String(32), nullable=False),
    sa.Column("details", sa.String, nullable=False),
    sa.Column("time", sa.Float, nullable=False),
    sa.Column("released_time", sa.Float),
    sa.Column("released_by", sa.String),
    sa.Column("cause", sa.String),
)
_gate_changes = sa.Table(
    "gate_changes",
    _tables,
    _number(),
    sa.Column("time", sa.Float, nullable=False),
    sa.Column("state", sa.String(16), nullable=False),
    sa.Column("reason", sa.String(64), nullable=False),
    sa.Column("uid", sa.String(64), nullable=False),
    sa.Column("epoch", _integer, nullable=False),
    sa.Column("serial", _integer, nullable=False),
)


class JournalError(Exception):
    """The journal can't be read or written: nothing may be sent."""


class Journal:
    """One engine's journal in one database.

    Raises:
        JournalError: There is no such database, or a newer engine has written there.
    """

    def __init__(self, url: str) -> None:
        try:
            self._engine = _connect(url)
        except (SQLAlchemyError, ValueError) as error:
            raise JournalError(_first_line(error)) from error
        try:
            with self._engine.connect() as connection:
                _lock(connection)
                _bring_up_to_date(connection)
                self.identity = _own_identity(connection)
                connection.commit()
        except (SQLAlchemyError, CommandError, JournalError) as error:
            self.close()
            raise JournalError(_first_line(error)) from error

    def close(self) -> None:
        """Let go of the database."""
        self._engine.dispose()

    def next_sequence(self) -> int:
        """A number higher than any order's."""
        rows = self._read(sa.select(sa.func.coalesce(sa.func.max(_orders.c.sequence), 0)))
        return int(rows[0][0]) + 1

    def add_order(self, order: Order) -> None:
        """Write an order down; raises JournalError if its client id exists."""
        self._write(sa.insert(_orders).values(**order_columns(order)), _change_insert(order, order.created))

    def update_order(self, order: Order, fill: Fill | None = None, time: float | None = None) -> None:
        """Write an order's new state, that step, and the fill that came with it: all or nothing.

        Raises:
            JournalError: Also if the journal stands elsewhere than the caller believes. Then another pod, or a
                commit whose answer was lost, has written this already, and the fill must not count twice.
        """
        before = order.filled - (abs(fill.signed_quantity) if fill else ZERO)

        def write(connection: sa.Connection) -> None:
            key = _orders.c.client_order_id == order.client_order_id
            known = connection.execute(sa.select(_orders.c.state, _orders.c.filled).where(key)).one_or_none()
            if known is None or known.state not in UNSETTLED or Decimal(known.filled) != before:
                raise JournalError(f"{order.client_order_id}: the journal knows otherwise")
            same = key & (_orders.c.state == known.state) & (_orders.c.filled == known.filled)
            if connection.execute(sa.update(_orders).where(same).values(**order_columns(order))).rowcount != 1:
                raise JournalError(f"{order.client_order_id}: written by somebody else meanwhile")
            connection.execute(_change_insert(order, time))
            if fill is not None:
                connection.execute(_fill_insert(fill))

        self._transact(write)

    def order_changes(self, client_order_id: str) -> list[OrderChange]:
        """Every step of an order, oldest first."""
        query = sa.select(_order_changes).where(_order_changes.c.client_order_id == client_order_id)
        return [change_from(row) for row in self._read(query.order_by(_order_changes.c.sequence))]

    def add_fill(self, fill: Fill) -> None:
        """Write a fill without an order."""
        self._write(_fill_insert(fill))

    def orders(self, account: str) -> list[Order]:
        """Every order of an account, oldest first."""
        query = sa.select(_orders).where(_orders.c.account == account).order_by(_orders.c.sequence)
        return [order_from(row) for row in self._read(query)]

    def unsettled(self, account: str) -> list[Order]:
        """Orders whose last word has not been heard."""
        return [order for order in self.orders(account) if order.state in UNSETTLED]

    def fills(self, account: str) -> list[Fill]:
        """Every fill of an account, oldest first."""
        query = sa.select(_fills).where(_fills.c.account == account).order_by(_fills.c.sequence)
        return [fill_from(row) for row in self._read(query)]

    def filled_orders(self, account: str) -> int:
        """How many of an account's orders have a fill."""
        query = sa.select(sa.func.count(sa.distinct(_fills.c.client_order_id))).where(
            _fills.c.account == account
        )
        return int(self._read(query)[0][0])

    def new_risk_orders_since(self, account: str, start: float) -> int:
        """How many orders that are not reduce-only were sent, or may have been, since a moment."""
        query = (
            sa.select(sa.func.count())
            .select_from(_orders)
            .where(_orders.c.account == account, _orders.c.created >= start)
            .where(sa.not_(_orders.c.reduce_only))
            .where(_orders.c.state.not_in([OrderState.WITHHELD, OrderState.REFUSED]))
        )
        return int(self._read(query)[0][0])

    def mark_equity(self, account: str, day: str, equity: Decimal) -> Day:
        """Note an equity; returns the day's first and its highest."""
        key = (_days.c.account == account) & (_days.c.day == day)
        rows = self._read(sa.select(_days).where(key))
        if not rows:
            values = {"start_equity": str(equity), "peak_equity": str(equity)}
            self._write_if_new(_days, account=account, day=day, **values)
            rows = self._read(sa.select(_days).where(key))
        known = Day(Decimal(rows[0].start_equity), Decimal(rows[0].peak_equity))
        if equity > known.peak_equity:
            self._write(sa.update(_days).where(key).values(peak_equity=str(equity)))
        return Day(known.start_equity, max(known.peak_equity, equity))

    def capital(self, account: str, equity: Decimal) -> Decimal:
        """The equity from which losses of capital are counted: the first ever seen, or since a release."""
        query = sa.select(_meta.c.value).where(_meta.c.key == f"{_CAPITAL}{account}")
        rows = self._read(query)
        if not rows:
            self._write_if_new(_meta, key=f"{_CAPITAL}{account}", value=str(equity))
            rows = self._read(query)
        return Decimal(rows[0][0])

    def add_decision(self, account: str, intent: Intent, denial: Denial | None, time: float) -> None:
        """Write down what the RiskGate answered to an intent; None is a yes."""
        values = denial.values if denial else ()
        self._write(
            sa.insert(_decisions).values(
                time=time,
                account=account,
                symbol=intent.symbol,
                side=intent.side.value,
                quantity=str(intent.quantity),
                reduce_only=intent.reduce_only,
                reason=denial.reason.value if denial else "",
                details=json.dumps({key: str(value) for key, value in values}),
            )
        )

    def decisions(self, account: str) -> list[Decision]:
        """Every change of the RiskGate's answers on an account, oldest first."""
        query = sa.select(_decisions).where(_decisions.c.account == account).order_by(_decisions.c.sequence)
        return [decision_from(row) for row in self._read(query)]

    def add_denial(self, account: str, denied: dict[str, str], details: dict[str, str], time: float) -> int:
        """Write a denial down; returns its number, under which repeats are counted."""
        row = {**denied, "account": account, "details": json.dumps(details), "first_time": time}
        return self._write(sa.insert(_denials).values(**row, last_time=time, times=1))

    def count_denial(self, number: int, times: int, time: float) -> None:
        """Note how often a denial has been repeated."""
        self._write(
            sa.update(_denials).where(_denials.c.sequence == number).values(times=times, last_time=time)
        )

    def latch_stop(self, stop: Stop, details: str, time: float) -> None:
        """Start an emergency stop that lasts until a person releases it."""
        self._write(
            sa.insert(_stops).values(scope=stop.scope, trigger=stop.trigger, details=details, time=time)
        )

    def active_stops(self) -> list[Stop]:
        """Emergency stops that nobody has released."""
        query = sa.select(_stops).where(_stops.c.released_time.is_(None)).order_by(_stops.c.sequence)
        return [Stop(row.scope, row.trigger) for row in self._read(query)]

    def release_stops(self, name: str, cause: str, time: float) -> int:
        """Release every active stop and count losses anew from here; returns how many stops there were."""
        active = _stops.c.released_time.is_(None)
        count = len(self._read(sa.select(_stops.c.sequence).where(active)))
        values = {"released_time": time, "released_by": name, "cause": cause}
        self._write(
            sa.delete(_meta).where(_meta.c.key.startswith(_CAPITAL)),
            sa.update(_days).values(peak_equity="0"),
            sa.update(_stops).where(active).values(**values),
        )
        return count

    def last_release(self) -> float:
        """When a stop was last released, 0 if never."""
        return float(self._read(sa.select(sa.func.coalesce(sa.func.max(_stops.c.released_time), 0)))[0][0])

    def add_gate_change(self, change: dict[str, str | int], time: float) -> None:
        """Note what gate is obeyed from now on."""
        self._write(sa.insert(_gate_changes).values(**change, time=time))

    def _read(self, query: sa.Select[Any]) -> list[sa.Row[Any]]:
        """Every row of a query."""
        return self._transact(lambda connection: list(connection.execute(query)))

    def _write(self, *statements: sa.Executable) -> int:
        """All statements in one transaction; returns the last new row's number, if there is one."""

        def write(connection: sa.Connection) -> int:
            results = [connection.execute(statement) for statement in statements]
            keys = results[-1].inserted_primary_key if results[-1].is_insert else None
            return int(keys[0]) if keys and isinstance(keys[0], int) else 0

        return self._transact(write)

    def _write_if_new(self, table: sa.Table, **values: str) -> None:
        """A row, unless another pod has just written the same one."""
        if self._engine.dialect.name == "postgresql":
            self._write(postgresql.insert(table).values(**values).on_conflict_do_nothing())
        else:
            self._write(sqlite.insert(table).values(**values).on_conflict_do_nothing())

    def _transact(self, work: Callable[[sa.Connection], T]) -> T:
        """Do something in one transaction."""
        try:
            with self._engine.begin() as connection:
                return work(connection)
        except SQLAlchemyError as error:
            raise JournalError(_first_line(error)) from error


def _connect(url: str) -> sa.Engine:
    """An engine whose commits are durable; raises ValueError for other databases."""
    parsed = sa.make_url(url)
    backend = parsed.get_backend_name()
    if backend == "sqlite":
        engine = sa.create_engine(parsed)
        sa.event.listen(engine, "connect", _sqlite_durable)
        return engine
    if backend != "postgresql":
        raise ValueError(f"journal.url: sqlite or postgresql, not {backend}")
    arguments = {"connect_timeout": WAIT_SECONDS, "tcp_user_timeout": WAIT_SECONDS * 1000}
    engine = sa.create_engine(
        parsed.set(drivername="postgresql+psycopg"),
        connect_args={"application_name": "golive-engine", **arguments},
        pool_pre_ping=True,  # a server that was restarted between two cycles is no failure
    )
    sa.event.listen(engine, "connect", _postgresql_durable)
    return engine


def _sqlite_durable(connection: Any, _record: object) -> None:
    """Let a commit return only when it survives a power cut."""
    cursor = connection.cursor()
    cursor.execute(f"PRAGMA busy_timeout={WAIT_SECONDS * 1000}")
    cursor.execute("PRAGMA journal_mode=WAL")
    cursor.execute("PRAGMA synchronous=FULL")
    cursor.close()


def _postgresql_durable(connection: Any, _record: object) -> None:
    """The same, also where the server's own setting says otherwise; and wait for nothing too long."""
    cursor = connection.cursor()
    cursor.execute("SET synchronous_commit = on")
    cursor.execute(f"SET statement_timeout = '{WAIT_SECONDS}s'")
    cursor.close()
    connection.commit()


def _lock(connection: sa.Connection) -> None:
    """Begin a transaction that only one engine at a time can be in."""
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql("BEGIN IMMEDIATE")
    else:
        connection.execute(sa.select(sa.func.pg_advisory_xact_lock(UPGRADE_LOCK)))


def _bring_up_to_date(connection: sa.Connection) -> None:
    """Apply the revisions that a journal lacks; refuses one that has revisions which this engine lacks."""
    config = Config()
    config.set_main_option("script_location", "golive_engine:migrations")
    config.attributes.update(connection=connection, version_table=VERSION_TABLE)
    scripts = ScriptDirectory.from_config(config)
    known = {script.revision for script in scripts.walk_revisions()}
    context = MigrationContext.configure(connection, opts={"version_table": VERSION_TABLE})
    current, newest = context.get_current_revision(), scripts.get_current_head()
    if current is not None and current not in known:
        raise JournalError(
            f"the journal is of a newer version (revision {current}; this engine knows up to {newest}): "
            "run that version, or give this one another journal"
        )
    if current != newest:
        command.upgrade(config, "head")
        _log.info("journal brought up to date", extra={"revision": newest, "before": current})


def _own_identity(connection: sa.Connection) -> str:
    """Six characters that no other journal has, so that client ids never repeat after a lost journal."""
    query = sa.select(_meta.c.value).where(_meta.c.key == "identity")
    known = connection.execute(query).scalar()
    if known is None:
        known = secrets.token_hex(3)
        connection.execute(sa.insert(_meta).values(key="identity", value=known))
    return str(known)


def _change_insert(order: Order, time: float | None) -> sa.Insert:
    """An order's step as a statement."""
    row = order_columns(order)
    columns = ("client_order_id", "state", "filled", "average_price", "reason")
    return sa.insert(_order_changes).values(time=time, **{column: row[column] for column in columns})


def _fill_insert(fill: Fill) -> sa.Insert:
    """A fill as a statement."""
    return sa.insert(_fills).values(**fill_columns(fill))


def _first_line(error: Exception) -> str:
    """An error's own words, without the statement."""
    return str(error).splitlines()[0]
