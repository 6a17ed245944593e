"""The venue's ids: texts like UUIDs, made from the exchange's numbers and turned back into them.

A conditional order keeps its id when it triggers, so the order it becomes goes by that id.
"""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, NamedTuple

from golive_simulator.orders import OrderType

if TYPE_CHECKING:
    from golive_simulator.accounts import Account
    from golive_simulator.orders import AlgoOrder, Order

NAMESPACE = uuid.UUID("6f1d5bd0-8b7e-4c38-9a55-0c7a3f2b9d11")
"""Makes ids of different series look unlike each other."""

DIGITS = 12
"""Hexadecimal digits of an id that hold the number."""


class Found(NamedTuple):
    """An order by the venue's one id: ordinary, waiting, or both once it has triggered."""

    order: Order | None
    """In the book, or once there."""
    algo: AlgoOrder | None
    """Waiting, or once waiting."""

    @property
    def symbol(self) -> str:
        """Contract."""
        row = self.order or self.algo
        return row.request.symbol if row else ""

    @property
    def client_id(self) -> str:
        """The client's name for it, empty if it gave none."""
        if self.order:
            is_own = self.order.request.order_type is not OrderType.LIQUIDATION
            return self.order.request.client_order_id if is_own else ""
        return self.algo.request.client_algo_id if self.algo else ""

    @property
    def created_ms(self) -> int:
        """When it was accepted."""
        row = self.algo or self.order
        return row.created_ms if row else 0

    def age(self) -> tuple[int, int]:
        """What sorts orders by their age."""
        order_id = self.order.order_id if self.order else 0
        return self.created_ms, self.algo.algo_id if self.algo else order_id

    @property
    def is_open(self) -> bool:
        """Whether it may still fill."""
        return self.order.is_open if self.order else bool(self.algo and self.algo.is_open)

    @property
    def is_conditional(self) -> bool:
        """Whether it still waits for its trigger, or ended waiting."""
        return self.order is None

    @property
    def order_id(self) -> str:
        """The venue's id."""
        if self.algo:
            return text_of("algo", self.algo.algo_id)
        return text_of("order", self.order.order_id if self.order else 0)


def text_of(series: str, number: int) -> str:
    """The id of a number of a series."""
    head = uuid.uuid5(NAMESPACE, f"{series}/{number}").hex[:-DIGITS]
    return str(uuid.UUID(f"{head}{number:0{DIGITS}x}"))


def number_of(series: str, text: str) -> int | None:
    """The number behind an id, if it is one of the series."""
    try:
        number = int(text[-DIGITS:], 16)
    except ValueError:
        return None
    return number if text_of(series, number) == text else None


def every(account: Account) -> list[Found]:
    """All orders of an account, newest first."""
    rows = [of_algo(account, algo) for algo in account.algos.values()]
    rows += [Found(order, None) for order in account.orders.values() if order.algo_id is None]
    return sorted(rows, key=Found.age, reverse=True)


def those_open(account: Account) -> list[Found]:
    """The orders that may still fill, newest first."""
    rows = [Found(None, algo) for algo in account.open_algos()]
    rows += [of_order(account, order) for order in account.open_orders()]
    return sorted(rows, key=Found.age, reverse=True)


def of_algo(account: Account, algo: AlgoOrder) -> Found:
    """A conditional order, with the one it became."""
    return Found(account.orders.get(algo.actual_order_id or 0), algo)


def of_order(account: Account, order: Order) -> Found:
    """An order in the book, with the conditional one it was."""
    return Found(order, account.algos.get(order.algo_id or 0))


def by_id(account: Account, text: str) -> Found | None:
    """The order with this id."""
    algo_id, order_id = number_of("algo", text), number_of("order", text)
    if algo_id is not None and algo_id in account.algos:
        return of_algo(account, account.algos[algo_id])
    order = account.orders.get(order_id) if order_id is not None else None
    return Found(order, None) if order else None


def by_client_id(account: Account, client_id: str) -> Found | None:
    """The order to which the client gave this name; there is never more than one."""
    algo = account.algo_of_client(client_id)
    if algo:
        return of_algo(account, algo)
    order = account.order_of_client(client_id)
    return Found(order, None) if order else None
