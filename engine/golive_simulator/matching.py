"""Whose order meets what. Pure: levels and wishes in, executions out."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from golive_simulator.orders import ZERO, AlgoRequest, OrderType, Side

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from decimal import Decimal

    from golive_simulator.book import Level


class Execution(NamedTuple):
    """A quantity that changed hands at one price."""

    price: Decimal
    """Price."""
    quantity: Decimal
    """Base asset."""


def crosses(side: Side, limit: Decimal, price: Decimal) -> bool:
    """Whether an order of ``side`` limited to ``limit`` may trade at ``price``."""
    return (limit - price) * side.sign >= 0


def take(levels: Iterable[Level], side: Side, quantity: Decimal, limit: Decimal | None) -> list[Execution]:
    """Executions of a taker that walks the levels until filled, out of levels or past its limit."""
    executions: list[Execution] = []
    remaining = quantity
    for level in levels:
        if remaining <= 0 or (limit is not None and not crosses(side, limit, level.price)):
            break
        portion = min(remaining, level.quantity)
        executions.append(Execution(level.price, portion))
        remaining -= portion
    return executions


def total(executions: Sequence[Execution]) -> Decimal:
    """Quantity of all executions together."""
    return sum((execution.quantity for execution in executions), ZERO)


def cut(executions: Sequence[Execution], quantity: Decimal) -> list[Execution]:
    """The first executions, up to ``quantity`` in all."""
    kept: list[Execution] = []
    for price, portion in executions:
        room = quantity - total(kept)
        if room <= 0:
            break
        kept.append(Execution(price, min(portion, room)))
    return kept


def reducible(position: Decimal, side: Side) -> Decimal:
    """How much an order of ``side`` could take off a signed position without turning it."""
    return max(ZERO, -position * side.sign)


def is_triggered(request: AlgoRequest, price: Decimal, extreme: Decimal) -> bool:
    """Whether ``price`` sets off a conditional order.

    A stop fires when the price moves against its side's wait (a buy stop at or above, a sell stop at or below);
    a take-profit fires the other way round. A trailing stop measures from ``extreme``.
    """
    if request.order_type is OrderType.TRAILING_STOP_MARKET:
        return bool(extreme) and _has_recoiled(request, price, extreme)
    direction = request.side.sign
    if request.order_type in {OrderType.TAKE_PROFIT, OrderType.TAKE_PROFIT_MARKET}:
        direction = -direction
    return (price - request.trigger_price) * direction >= 0


def _has_recoiled(request: AlgoRequest, price: Decimal, extreme: Decimal) -> bool:
    """Whether the price has come back from its extreme by the callback rate."""
    recoil = extreme * request.callback_rate_percent / 100
    return (price - extreme) * request.side.sign >= recoil


def trailing_extreme(request: AlgoRequest, price: Decimal, extreme: Decimal) -> Decimal:
    """The best price a trailing stop has seen, nought until its activation price is reached."""
    if not extreme:
        activated = not request.activate_price or crosses(request.side, request.activate_price, price)
        return price if activated else ZERO
    return min(extreme, price) if request.side is Side.BUY else max(extreme, price)
