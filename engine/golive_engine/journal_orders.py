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

# Made once, values given when executed: a statement that holds its values costs more than the disk does.
_add_order, _add_change, _add_fill = sa.insert(_orders), sa.insert(_order_changes), sa.insert(_fills)
_take_step = sa.update(_orders).where(
    _orders.c.client_order_id == sa.bindparam("own"),
    _orders.c.state == sa.bindparam("state_before"),
    _orders.c.filled == sa.bindparam("filled_before"),
)


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

        def write(connection: sa.Connection) -> None:
            connection.execute(_add_order, row)
            connection.execute(_add_change, _change_columns(row, order.created))

        self._transact(write)
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
        row = order_columns(after)
        same = {"state_before": before.state.value, "filled_before": str(before.filled)}

        def write(connection: sa.Connection) -> None:
            if connection.execute(_take_step, row | same | {"own": after.client_order_id}).rowcount != 1:
                raise JournalError(f"{after.client_order_id}: the journal knows otherwise")
            connection.execute(_add_change, _change_columns(row, time))
            if fill is not None:
                connection.execute(_add_fill, fill_columns(fill))

        self._transact(write)

    def order_changes(self, client_order_id: str) -> list[OrderChange]:
        """Every step of an order, oldest first."""
        query = sa.select(_order_changes).where(_order_changes.c.client_order_id == client_order_id)
        return [change_from(row) for row in self._read(query.order_by(_order_changes.c.sequence))]

    def add_fills(self, fills: list[Fill]) -> None:
        """Write fills without an order, all or none; raises JournalError if a trade is there already."""
        rows = [fill_columns(fill) for fill in fills]
        if rows:
            self._transact(lambda connection: connection.execute(_add_fill, rows))

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
        query = _new_risk(sa.select(sa.func.count()), account, start)
        return int(self._read(query)[0][0])

    def new_risk_times(self, account: str, start: float) -> list[tuple[str, Side, float]]:
        """Symbol, side and time of each of them, oldest first."""
        columns = sa.select(_orders.c.symbol, _orders.c.side, _orders.c.created)
        query = _new_risk(columns, account, start).order_by(_orders.c.created)
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


def _new_risk(query: sa.Select[Any], account: str, start: float) -> sa.Select[Any]:
    """Only orders since a moment that are not reduce-only and were sent, or may have been."""
    never = [OrderState.WITHHELD.value, OrderState.REFUSED.value]
    query = query.where(_orders.c.account == account, _orders.c.created >= start)
    return query.where(sa.not_(_orders.c.reduce_only), _orders.c.state.not_in(never))


def _change_columns(row: dict[str, Any], time: float | None) -> dict[str, Any]:
    """The step that an order's columns tell, as columns of its own."""
    columns = ("client_order_id", "state", "filled", "average_price", "reason")
    return {"time": time, **{column: row[column] for column in columns}}
