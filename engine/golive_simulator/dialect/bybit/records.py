"""Endpoints that read orders and executions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from golive_simulator.dialect.bybit import payloads
from golive_simulator.dialect.bybit.call import Call, Endpoint, Security
from golive_simulator.dialect.bybit.identity import Found, by_client_id, by_id, every, those_open
from golive_simulator.dialect.bybit.trading import of_filter
from golive_simulator.exchange import MAKER_FEE, TAKER_FEE
from golive_simulator.orders import ZERO

if TYPE_CHECKING:
    from collections.abc import Iterator
    from decimal import Decimal

    from golive_simulator.accounts import Account
    from golive_simulator.orders import Fill, Income

Row = dict[str, Any]

MOST_ORDERS = 50
"""Orders in one answer."""

MOST_EXECUTIONS = 100
"""Executions in one answer."""


def paged(call: Call, rows: list[Any], usual: int, most: int) -> tuple[list[Any], str]:
    """The page that the request's cursor asks for, and the cursor of the next one, empty at the end."""
    size = max(1, min(call.parameters.optional_integer("limit", usual), most))
    start = max(0, call.parameters.optional_integer("cursor", 0))
    end = start + size
    return rows[start:end], str(end) if end < len(rows) else ""


def _named(call: Call) -> list[Found] | None:
    """The order that the request names, nothing if it names none."""
    order_id, client_id = call.parameters.optional("orderId"), call.parameters.optional("orderLinkId")
    if order_id is None and client_id is None:
        return None
    found = by_id(call.account, order_id) if order_id else by_client_id(call.account, client_id or "")
    return [found] if found else []


def _answer(call: Call, found: list[Found], symbols: set[str]) -> Row:
    """Orders of these contracts, page by page."""
    wanted = call.parameters.optional("orderFilter")
    kept = [row for row in found if row.symbol in symbols and of_filter(row, wanted)]
    page, cursor = paged(call, kept, 20, MOST_ORDERS)
    return {
        "category": call.parameters.text("category"),
        "nextPageCursor": cursor,
        "list": [payloads.order(call.exchange, call.account, row) for row in page],
    }


def open_orders(call: Call) -> Row:
    """Open orders, or the one that is named whether open or not."""
    named = _named(call)
    instruments = call.scoped_instruments() if named is None else call.instruments()
    if named is None:
        only_closed = call.parameters.optional("openOnly") == "1"
        named = _closed(call.account) if only_closed else those_open(call.account)
    return _answer(call, named, {instrument.symbol for instrument in instruments})


def _closed(account: Account) -> list[Found]:
    """Orders that have ended, newest first."""
    return [row for row in every(account) if not row.is_open]


def order_history(call: Call) -> Row:
    """Orders that have ended, newest first."""
    named = _named(call)
    found = _closed(call.account) if named is None else named
    return _answer(call, found, {instrument.symbol for instrument in call.instruments()})


def executions(call: Call) -> Row:
    """What changed the account's positions, and the funding paid on them, newest first."""
    parameters, account = call.parameters, call.account
    symbols = {instrument.symbol for instrument in call.instruments()}
    named, kind = _named(call), parameters.optional("execType")
    start_ms = parameters.optional_integer("startTime", 0)
    end_ms = parameters.optional_integer("endTime", call.now_ms)
    rows = [
        payloads.execution(call.exchange, account, fill, closed, MAKER_FEE if fill.is_maker else TAKER_FEE)
        for fill, closed in _with_closed_size(account)
        if fill.symbol in symbols and start_ms <= fill.time_ms <= end_ms
    ]
    rows += [
        payloads.funding(call.exchange, income, _held_at(account, income))
        for income in account.incomes
        if income.kind == "FUNDING_FEE" and income.symbol in symbols and start_ms <= income.time_ms <= end_ms
    ]
    ids = None if named is None else {found.order_id for found in named}
    kept = [row for row in rows if (ids is None or row["orderId"] in ids) and kind in {None, row["execType"]}]
    kept.sort(key=lambda row: int(row["execTime"]))
    page, cursor = paged(call, kept[::-1], 50, MOST_EXECUTIONS)
    return {"nextPageCursor": cursor, "category": parameters.text("category"), "list": page}


def _held_at(account: Account, income: Income) -> Decimal:
    """The signed position at the time of a booking."""
    before = (row for row in account.fills if row.symbol == income.symbol and row.time_ms <= income.time_ms)
    return sum((row.quantity * row.side.sign for row in before), ZERO)


def _with_closed_size(account: Account) -> Iterator[tuple[Fill, Decimal]]:
    """Each trade with how much of it took from a position, oldest first."""
    held: dict[str, Decimal] = {}
    for fill in account.fills:
        before, signed = held.get(fill.symbol, ZERO), fill.quantity * fill.side.sign
        yield fill, min(abs(before), fill.quantity) if before * signed < 0 else ZERO
        held[fill.symbol] = before + signed


ENDPOINTS: dict[tuple[str, str], Endpoint] = {
    ("GET", "/v5/order/realtime"): Endpoint(open_orders, Security.SIGNED),
    ("GET", "/v5/order/history"): Endpoint(order_history, Security.SIGNED),
    ("GET", "/v5/execution/list"): Endpoint(executions, Security.SIGNED),
}
"""Endpoints that read orders, by method and path."""
