"""Conditional orders that belong to a position: they come with its first fill and go with its last."""

from __future__ import annotations

from typing import TYPE_CHECKING

from golive_simulator.conditional import cancel_algo, hold_algo

if TYPE_CHECKING:
    from golive_simulator.accounts import Account
    from golive_simulator.exchange import Exchange
    from golive_simulator.orders import AlgoRequest


def follow_positions(exchange: Exchange, now_ms: int) -> None:
    """Arm what came with orders that have begun to fill, and take back what has no position any more."""
    for account in exchange.accounts.values():
        for number in sorted(account.unarmed_order_ids):
            order = account.orders[number]
            if order.filled_quantity:
                for request in order.request.attached:
                    protect(exchange, account, request, now_ms)
            if order.filled_quantity or not order.is_open:
                account.unarmed_order_ids.discard(number)
        for algo in account.open_algos():
            if algo.request.ends_with_position and not account.position(algo.request.symbol).is_open:
                cancel_algo(account, algo, now_ms)


def protect(exchange: Exchange, account: Account, request: AlgoRequest, now_ms: int) -> None:
    """Let a conditional order protect the position, in the place of one of its kind."""
    take_back(account, request, now_ms)
    hold_algo(exchange, account, request, now_ms)


def take_back(account: Account, request: AlgoRequest, now_ms: int) -> None:
    """Cancel what protects the position in the same way as ``request`` would."""
    for algo in account.open_algos(request.symbol):
        if algo.request.ends_with_position and algo.request.order_type is request.order_type:
            cancel_algo(account, algo, now_ms)
