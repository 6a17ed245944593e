"""The journal: orders before they are sent, fills, denials, equity marks, emergency stops, gate changes.

Every method is synchronous and durable when it returns; callers on the event loop use a thread.
"""

import json
import secrets
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import SQLAlchemyError

from golive_engine.orders import UNSETTLED, Order, OrderState
from golive_engine.trading import Side

EVERY_ACCOUNT = "*"
"""Scope of an emergency stop that stops every account."""

_CAPITAL = "capital:"

_tables = sa.MetaData()
_meta = sa.Table("meta", _tables, sa.Column("key", sa.String, primary_key=True), sa.Column("value", sa.String))
_orders = sa.Table(
    "orders",
    _tables,
    sa.Column("sequence", sa.Integer, primary_key=True, autoincrement=True),
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
    sa.Column("sequence", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("account", sa.String(63), nullable=False, index=True),
    sa.Column("symbol", sa.String(32), nullable=False),
    sa.Column("client_order_id", sa.String(36)),
    sa.Column("signed_quantity", sa.String(40), nullable=False),
    sa.Column("price", sa.String(60), nullable=False),
    sa.Column("time", sa.Float, nullable=False),
)
_denials = sa.Table(
    "denials",
    _tables,
    sa.Column("sequence", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("account", sa.String(63), nullable=False),
    sa.Column("symbol", sa.String(32), nullable=False),
    sa.Column("side", sa.String(4), nullable=False),
    sa.Column("quantity", sa.String(40), nullable=False),
    sa.Column("reason", sa.String(64), nullable=False),
    sa.Column("details", sa.String, nullable=False),
    sa.Column("first_time", sa.Float, nullable=False),
    sa.Column("last_time", sa.Float, nullable=False),
    sa.Column("times", sa.Integer, nullable=False),
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
    sa.Column("sequence", sa.Integer, primary_key=True, autoincrement=True),
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
    sa.Column("sequence", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("time", sa.Float, nullable=False),
    sa.Column("state", sa.String(16), nullable=False),
    sa.Column("reason", sa.String(64), nullable=False),
    sa.Column("uid", sa.String(64), nullable=False),
    sa.Column("epoch", sa.Integer, nullable=False),
    sa.Column("serial", sa.Integer, nullable=False),
)


class JournalError(Exception):
    """The journal can't be read or written: nothing may be sent."""


@dataclass(frozen=True, slots=True)
class Fill:
    """One fill; without a client order id it was inferred from the venue's position."""

    account: str
    """Whose."""
    symbol: str
    """Which instrument."""
    client_order_id: str | None
    """The order that it belongs to."""
    signed_quantity: Decimal
    """Positive is bought."""
    price: Decimal
    """Average over what was new in a report."""
    time: float
    """When it was written down."""


@dataclass(frozen=True, slots=True)
class Day:
    """An account's equity at the first look of a UTC day, and its highest since."""

    start_equity: Decimal
    """The first of the day."""
    peak_equity: Decimal
    """The highest since."""


@dataclass(frozen=True, slots=True)
class Stop:
    """A latched emergency stop; scope is an account, or every account."""

    scope: str
    """An account's name, or every account."""
    trigger: str
    """What began it."""


class Journal:
    """One engine's journal in one database."""

    def __init__(self, url: str) -> None:
        try:
            self._engine = sa.create_engine(url)
            if self._engine.dialect.name == "sqlite":
                sa.event.listen(self._engine, "connect", _make_durable)
            _tables.create_all(self._engine)
            self.identity = self._own_identity()
        except SQLAlchemyError as error:
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
        self._write(sa.insert(_orders).values(**_row(order)))

    def update_order(self, order: Order, fill: Fill | None = None) -> None:
        """Write an order's new state and the fill that came with it, both or neither."""
        key = _orders.c.client_order_id == order.client_order_id
        statements: list[sa.Executable] = [sa.update(_orders).where(key).values(**_row(order))]
        if fill is not None:
            statements.append(_fill_insert(fill))
        self._write(*statements)

    def add_fill(self, fill: Fill) -> None:
        """Write a fill without an order."""
        self._write(_fill_insert(fill))

    def orders(self, account: str) -> list[Order]:
        """Every order of an account, oldest first."""
        query = sa.select(_orders).where(_orders.c.account == account).order_by(_orders.c.sequence)
        return [_order(row) for row in self._read(query)]

    def unsettled(self, account: str) -> list[Order]:
        """Orders whose last word has not been heard."""
        return [order for order in self.orders(account) if order.state in UNSETTLED]

    def fills(self, account: str) -> list[Fill]:
        """Every fill of an account, oldest first."""
        query = sa.select(_fills).where(_fills.c.account == account).order_by(_fills.c.sequence)
        return [
            Fill(
                row.account,
                row.symbol,
                row.client_order_id,
                Decimal(row.signed_quantity),
                Decimal(row.price),
                row.time,
            )
            for row in self._read(query)
        ]

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
            self._write(sa.insert(_days).values(account=account, day=day, **values))
            return Day(equity, equity)
        known = Day(Decimal(rows[0].start_equity), Decimal(rows[0].peak_equity))
        if equity > known.peak_equity:
            self._write(sa.update(_days).where(key).values(peak_equity=str(equity)))
        return Day(known.start_equity, max(known.peak_equity, equity))

    def capital(self, account: str, equity: Decimal) -> Decimal:
        """The equity from which losses of capital are counted: the first ever seen, or since a release."""
        key = f"{_CAPITAL}{account}"
        rows = self._read(sa.select(_meta.c.value).where(_meta.c.key == key))
        if rows:
            return Decimal(rows[0][0])
        self._write(sa.insert(_meta).values(key=key, value=str(equity)))
        return equity

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

    def _own_identity(self) -> str:
        """Six characters that no other journal has, so that client ids never repeat after a lost journal."""
        rows = self._read(sa.select(_meta.c.value).where(_meta.c.key == "identity"))
        if rows:
            return str(rows[0][0])
        identity = secrets.token_hex(3)
        self._write(sa.insert(_meta).values(key="identity", value=identity))
        return identity

    def _read(self, query: sa.Select[Any]) -> list[sa.Row[Any]]:
        """Every row of a query."""
        try:
            with self._engine.connect() as connection:
                return list(connection.execute(query))
        except SQLAlchemyError as error:
            raise JournalError(_first_line(error)) from error

    def _write(self, *statements: sa.Executable) -> int:
        """All statements in one transaction; returns the last new row's number, if there is one."""
        try:
            with self._engine.begin() as connection:
                results = [connection.execute(statement) for statement in statements]
                keys = results[-1].inserted_primary_key if results[-1].is_insert else None
                return int(keys[0]) if keys and isinstance(keys[0], int) else 0
        except SQLAlchemyError as error:
            raise JournalError(_first_line(error)) from error


def _make_durable(connection: Any, _record: object) -> None:
    """Let a commit return only when it survives a power cut."""
    cursor = connection.cursor()
    cursor.execute("PRAGMA journal_mode=WAL")
    cursor.execute("PRAGMA synchronous=FULL")
    cursor.execute("PRAGMA busy_timeout=5000")
    cursor.close()


def _row(order: Order) -> dict[str, Any]:
    """An order as a row."""
    return {
        "client_order_id": order.client_order_id,
        "account": order.account,
        "symbol": order.symbol,
        "side": order.side.value,
        "quantity": str(order.quantity),
        "reduce_only": order.reduce_only,
        "created": order.created,
        "state": order.state.value,
        "filled": str(order.filled),
        "average_price": str(order.average_price),
        "reason": order.reason,
    }


def _order(row: sa.Row[Any]) -> Order:
    """A row as an order."""
    return Order(
        row.client_order_id,
        row.account,
        row.symbol,
        Side(row.side),
        Decimal(row.quantity),
        row.reduce_only,
        row.created,
        OrderState(row.state),
        Decimal(row.filled),
        Decimal(row.average_price),
        row.reason,
    )


def _fill_insert(fill: Fill) -> sa.Insert:
    """A fill as a statement."""
    return sa.insert(_fills).values(
        account=fill.account,
        symbol=fill.symbol,
        client_order_id=fill.client_order_id,
        signed_quantity=str(fill.signed_quantity),
        price=str(fill.price),
        time=fill.time,
    )


def _first_line(error: Exception) -> str:
    """An error's own words, without the statement."""
    return str(error).splitlines()[0]
