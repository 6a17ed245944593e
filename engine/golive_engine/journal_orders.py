"""The part of the journal that is about orders: each before it is sent, its steps, its fills."""

import threading
from typing import Any

import sqlalchemy as sa

from golive_engine import journal_tables as tables
from golive_engine.journal_database import Database, JournalError
from golive_engine.orders import UNSETTLED, Order, OrderState
from golive_engine.records import (
    Fill,
    OrderChange,
    change_from,
    fill_columns,
    fill_from,
    order_columns,
    order_from,
)
from golive_engine.trading import Side

_orders, _fills, _order_changes = tables.orders, tables.fills, tables.order_changes


class OrderJournal(Database):
    """Orders and fills. One without a venue in a question means all of the account's."""

    def __init__(self, url: str, engine: str | None = None) -> None:
        super().__init__(url, engine)
        self._counting = threading.Lock()
        self._number = 0
        self.catch_up()

    def catch_up(self) -> None:
        """Count on from the highest number in the journal: another pod may have written orders."""
        columns = (_orders.c.number, _orders.c.sequence)  # older versions numbered orders by row
        query = sa.select(*(sa.func.coalesce(sa.func.max(column), 0) for column in columns))
        highest = max(self._read(query)[0])
        with self._counting:
            self._number = max(self._number, highest)

    @property
    def next_number(self) -> int:
        """What the next order would get, if nobody takes it before."""
        return self._number + 1

    def take_number(self) -> int:
        """A number that no order has, nor will have; safe in every thread."""
        with self._counting:
            self._number += 1
            return self._number

    def add_order(self, order: Order) -> None:
        """Write an order down; raises JournalError if its client id exists."""
        row = order_columns(order)
        self._write(sa.insert(_orders).values(**row), _change_insert(order, order.created))
        with self._counting:
            self._number = max(self._number, row["number"] or 0)

    def update_order(
        self, before: Order, after: Order, fill: Fill | None = None, time: float | None = None
    ) -> None:
        """Write an order's new state, that step, and the fill that came with it: all or nothing.

        Raises:
            JournalError: Also if the journal stands elsewhere than the caller believes. Then another pod, or a
                commit whose answer was lost, has written this already, and the fill must not count twice.
        """
        same = (_orders.c.client_order_id == after.client_order_id) & (_orders.c.state == before.state.value)
        same &= _orders.c.filled == str(before.filled)

        def write(connection: sa.Connection) -> None:
            if connection.execute(sa.update(_orders).where(same).values(**order_columns(after))).rowcount != 1:
                raise JournalError(f"{after.client_order_id}: the journal knows otherwise")
            connection.execute(_change_insert(after, time))
            if fill is not None:
                connection.execute(_fill_insert(fill))

        self._transact(write)

    def order_changes(self, client_order_id: str) -> list[OrderChange]:
        """Every step of an order, oldest first."""
        query = sa.select(_order_changes).where(_order_changes.c.client_order_id == client_order_id)
        return [change_from(row) for row in self._read(query.order_by(_order_changes.c.sequence))]

    def add_fills(self, fills: list[Fill]) -> None:
        """Write fills without an order, all or none; raises JournalError if a trade is there already."""
        self._write(*map(_fill_insert, fills))

    def orders(self, account: str, venue: str | None = None) -> list[Order]:
        """Every order, oldest first."""
        query = _of(_orders, account, venue).order_by(_orders.c.sequence)
        return [order_from(row) for row in self._read(query)]

    def unsettled(self, account: str, venue: str | None = None) -> list[Order]:
        """Orders whose last word has not been heard, oldest first."""
        query = _of(_orders, account, venue).where(_orders.c.state.in_([state.value for state in UNSETTLED]))
        return [order_from(row) for row in self._read(query.order_by(_orders.c.sequence))]

    def fills(self, account: str, venue: str | None = None) -> list[Fill]:
        """Every fill, oldest first."""
        query = _of(_fills, account, venue).order_by(_fills.c.sequence)
        return [fill_from(row) for row in self._read(query)]

    def filled_orders(self, account: str) -> int:
        """How many of an account's orders have a fill."""
        query = sa.select(sa.func.count(sa.distinct(_fills.c.client_order_id)))
        return int(self._read(query.where(_fills.c.account == account))[0][0])

    def new_risk_orders_since(self, account: str, start: float) -> int:
        """How many orders that are not reduce-only were sent, or may have been, since a moment."""
        return len(self.new_risk_times(account, start))

    def new_risk_times(self, account: str, start: float) -> list[tuple[str, Side, float]]:
        """Symbol, side and time of each of them, oldest first."""
        never = [OrderState.WITHHELD.value, OrderState.REFUSED.value]
        query = (
            sa.select(_orders.c.symbol, _orders.c.side, _orders.c.created)
            .where(_orders.c.account == account, _orders.c.created >= start)
            .where(sa.not_(_orders.c.reduce_only), _orders.c.state.not_in(never))
            .order_by(_orders.c.created)
        )
        return [(row.symbol, Side(row.side), row.created) for row in self._read(query)]

    def order_times_since(self, account: str, start: float) -> list[float]:
        """When orders of any kind were sent, or may have been, refused ones too; oldest first."""
        query = (
            sa.select(_orders.c.created)
            .where(_orders.c.account == account, _orders.c.created >= start)
            .where(_orders.c.state != OrderState.WITHHELD.value)
            .order_by(_orders.c.created)
        )
        return [row.created for row in self._read(query)]


def _of(table: sa.Table, account: str, venue: str | None) -> sa.Select[Any]:
    """An account's rows, on one venue or on all."""
    query = sa.select(table).where(table.c.account == account)
    return query if venue is None else query.where(table.c.venue == venue)


def _change_insert(order: Order, time: float | None) -> sa.Insert:
    """An order's step as a statement."""
    row = order_columns(order)
    columns = ("client_order_id", "state", "filled", "average_price", "reason")
    return sa.insert(_order_changes).values(time=time, **{column: row[column] for column in columns})


def _fill_insert(fill: Fill) -> sa.Insert:
    """A fill as a statement."""
    return sa.insert(_fills).values(**fill_columns(fill))
