"""Bookings on an account: fills, funding, and what they do to wallet, position and resting orders."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from golive_simulator.margin import Position, after_fill, money
from golive_simulator.matching import Execution, reducible
from golive_simulator.orders import (
    ZERO,
    AlgoStatus,
    Counters,
    Fill,
    Income,
    MarginMode,
    Order,
    OrderStatus,
)

if TYPE_CHECKING:
    from decimal import Decimal

    from golive_simulator.accounts import Account


@dataclass(frozen=True, slots=True)
class Terms:
    """How a fill comes about."""

    fee_rate: Decimal
    """Fee as a part of the value."""
    is_maker: bool
    """Whether the order rested."""
    now_ms: int
    """Wall time."""


def book_income(
    account: Account,
    counters: Counters,
    kind: str,
    amount: Decimal,
    now_ms: int,
    symbol: str = "",
    trade_id: int | None = None,
) -> None:
    """Book ``amount`` on the wallet; nought leaves no row."""
    if not amount:
        return
    account.wallet += amount
    account.incomes.append(Income(counters.next("income_id"), kind, amount, now_ms, symbol, trade_id))


def book_fill(account: Account, counters: Counters, order: Order, execution: Execution, terms: Terms) -> None:
    """Book one execution of an open order: position, profit, fee, and the order itself."""
    request = order.request
    before = account.position(request.symbol)
    signed = execution.quantity * request.side.sign
    outcome = after_fill(before, signed, execution.price, terms.now_ms)
    commission = money(execution.quantity * execution.price * terms.fee_rate)
    fill = Fill(
        trade_id=counters.next("trade_id"),
        order_id=order.order_id,
        client_order_id=request.client_order_id,
        symbol=request.symbol,
        side=request.side,
        price=execution.price,
        quantity=execution.quantity,
        realized_pnl=outcome.realized,
        commission=commission,
        is_maker=terms.is_maker,
        time_ms=terms.now_ms,
    )
    order.fill_places.append(len(account.fills))
    account.fills.append(fill)
    account.positions[request.symbol] = _with_isolated_money(account, request.symbol, before, outcome.position)
    book_income(
        account, counters, "REALIZED_PNL", outcome.realized, terms.now_ms, request.symbol, fill.trade_id
    )
    book_income(account, counters, "COMMISSION", -commission, terms.now_ms, request.symbol, fill.trade_id)
    _progress(order, execution, terms.now_ms)
    if not order.is_open:
        retire(account, order)
    shrink_reduce_only(account, request.symbol, terms.now_ms)


def _progress(order: Order, execution: Execution, now_ms: int) -> None:
    """Count an execution towards its order."""
    order.filled_quantity += execution.quantity
    order.filled_cost += execution.quantity * execution.price
    order.updated_ms = now_ms
    order.status = OrderStatus.PARTIALLY_FILLED if order.remaining else OrderStatus.FILLED


def _with_isolated_money(account: Account, symbol: str, before: Position, after: Position) -> Position:
    """Move wallet money to or from an isolated position as it grows, shrinks or turns."""
    if account.margin_mode(symbol) is MarginMode.CROSSED or not after.is_open:
        return replace(after, isolated_wallet=ZERO)
    leverage = account.leverage(symbol)
    if before.quantity * after.quantity <= 0:
        return replace(after, isolated_wallet=money(abs(after.quantity) * after.entry_price / leverage))
    if abs(after.quantity) < abs(before.quantity):
        kept = before.isolated_wallet * after.quantity / before.quantity
        return replace(after, isolated_wallet=money(kept))
    cost = abs(after.quantity * after.entry_price) - abs(before.quantity * before.entry_price)
    return replace(after, isolated_wallet=before.isolated_wallet + money(cost / leverage))


def end_order(account: Account, order: Order, status: OrderStatus, now_ms: int) -> None:
    """Close an open order without a further fill."""
    order.close(status, now_ms)
    retire(account, order)


def retire(account: Account, order: Order) -> None:
    """Take a closed order out of the open ones, and finish the conditional order it came from."""
    account.open_order_ids.discard(order.order_id)
    algo = account.algos.get(order.algo_id) if order.algo_id is not None else None
    if algo is not None and algo.status is AlgoStatus.TRIGGERED:
        algo.status, algo.updated_ms = AlgoStatus.FINISHED, order.updated_ms


def shrink_reduce_only(account: Account, symbol: str, now_ms: int) -> None:
    """Keep resting reduce-only orders from ever turning the position: cut them to it, or end them."""
    for order in account.open_orders(symbol):
        if not order.request.reduce_only:
            continue
        room = reducible(account.position(symbol).quantity, order.request.side)
        if not room:
            end_order(account, order, OrderStatus.EXPIRED, now_ms)
        elif order.remaining > room:
            order.quantity, order.updated_ms = order.filled_quantity + room, now_ms
