"""A journal's database, SQLite or PostgreSQL: opened, brought up to date, and durable when a write returns."""

import logging
import secrets
from collections.abc import Callable
from typing import Any, TypeVar

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import SQLAlchemyError

from golive_engine import journal_tables as tables

VERSION_TABLE = "journal_version"
"""Where a journal says which revision of its tables it has."""

WAIT_SECONDS = 5
"""How long a database, or a lock in it, is waited for."""

UPGRADE_LOCK = 0x60_11_7E
"""Number of the lock under which one engine at a time brings a PostgreSQL journal up to date."""

T = TypeVar("T")
_log = logging.getLogger(__name__)


class JournalError(Exception):
    """The journal can't be read or written: nothing may be sent."""


class Database:
    """One engine's database.

    Args:
        url: SQLAlchemy URL.
        engine: Name of the engine, which the journal is then only for; None is for a person's tools.

    Raises:
        JournalError: There is no such database, a newer engine has written there, or another engine has.
    """

    def __init__(self, url: str, engine: str | None = None) -> None:
        try:
            self._engine = _connect(url)
        except (SQLAlchemyError, ValueError) as error:
            raise JournalError(_first_line(error)) from error
        try:
            with self._engine.connect() as connection:
                _lock(connection)
                _bring_up_to_date(connection)
                self.identity = _kept(connection, "identity", secrets.token_hex(3))
                if engine is not None:
                    _claim(connection, engine)
                connection.commit()
        except (SQLAlchemyError, CommandError, JournalError) as error:
            self.close()
            raise JournalError(_first_line(error)) from error

    def close(self) -> None:
        """Let go of the database."""
        self._engine.dispose()

    def write_probe(self, key: str, value: str) -> None:
        """Write something of no meaning, to see that it can be done."""
        self._write(sa.insert(tables.meta).values(key=key, value=value))

    def read_probe(self, key: str) -> str | None:
        """Read it back."""
        rows = self._read(sa.select(tables.meta.c.value).where(tables.meta.c.key == key))
        return str(rows[0].value) if rows else None

    def forget_probe(self, key: str) -> None:
        """Take it away again."""
        self._write(sa.delete(tables.meta).where(tables.meta.c.key == key))

    def revisions(self) -> tuple[str | None, str | None]:
        """Revision of the tables, and the newest one that this engine knows."""
        return self._transact(lambda connection: (_context(connection).get_current_revision(), _newest()))

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
    config = _config()
    config.attributes.update(connection=connection, version_table=VERSION_TABLE)
    known = {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}
    current, newest = _context(connection).get_current_revision(), _newest()
    if current is not None and current not in known:
        raise JournalError(
            f"the journal is of a newer version (revision {current}; this engine knows up to {newest}): "
            "run that version, or give this one another journal"
        )
    if current != newest:
        command.upgrade(config, "head")
        _log.info("journal brought up to date", extra={"revision": newest, "before": current})


def _config() -> Config:
    """Where the revisions are."""
    config = Config()
    config.set_main_option("script_location", "golive_engine:migrations")
    return config


def _newest() -> str | None:
    """The newest revision that this engine knows."""
    return ScriptDirectory.from_config(_config()).get_current_head()


def _context(connection: sa.Connection) -> MigrationContext:
    """What the journal says of its own revision."""
    return MigrationContext.configure(connection, opts={"version_table": VERSION_TABLE})


def _claim(connection: sa.Connection, engine: str) -> None:
    """Refuse another engine's journal: accounts of one name would be taken for one account."""
    owner = _kept(connection, "engine", engine)
    if owner != engine:
        raise JournalError(f"the journal belongs to engine {owner}: give {engine} one of its own")


def _kept(connection: sa.Connection, key: str, value: str) -> str:
    """What the journal says of itself; this value, if it has said nothing yet."""
    known = connection.execute(sa.select(tables.meta.c.value).where(tables.meta.c.key == key)).scalar()
    if known is None:
        connection.execute(sa.insert(tables.meta).values(key=key, value=value))
    return value if known is None else str(known)


def _first_line(error: Exception) -> str:
    """An error's own words, without the statement."""
    return str(error).splitlines()[0]
