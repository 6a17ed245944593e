"""Positions, profit and margin of linear contracts. Pure arithmetic on Decimals."""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import ROUND_HALF_UP, Decimal
from typing import TYPE_CHECKING

from golive_simulator.orders import ZERO

if TYPE_CHECKING:
    from collections.abc import Sequence

    from golive_simulator.instruments import Bracket

CENT_OF_A_CENT = Decimal("0.00000001")
"""The venue books money to eight decimals."""


def money(amount: Decimal) -> Decimal:
    """``amount`` as the venue would book it."""
    return amount.quantize(CENT_OF_A_CENT, ROUND_HALF_UP)


@dataclass(frozen=True, slots=True)
class Position:
    """A net position; ``quantity`` is signed, ``isolated_wallet`` the money set aside for it."""

    quantity: Decimal = ZERO
    """Base asset, negative when short."""
    entry_price: Decimal = ZERO
    """Average price of what is held."""
    isolated_wallet: Decimal = ZERO
    """Money set aside for it."""
    updated_ms: int = 0
    """Wall time of the last fill."""

    @property
    def is_open(self) -> bool:
        """Whether there is anything to hold."""
        return self.quantity != 0

    def unrealized(self, mark: Decimal) -> Decimal:
        """Profit if it were closed at ``mark``."""
        return (mark - self.entry_price) * self.quantity

    def notional(self, mark: Decimal) -> Decimal:
        """Signed value at ``mark``."""
        return self.quantity * mark


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a fill does to a position."""

    position: Position
    """What is held after it."""
    realized: Decimal
    """Profit taken by it."""


def after_fill(position: Position, signed_quantity: Decimal, price: Decimal, now_ms: int) -> Outcome:
    """Net a fill against a position: add to it, take from it, or turn it."""
    closing = min(abs(position.quantity), abs(signed_quantity)) if _opposes(position, signed_quantity) else ZERO
    direction = 1 if position.quantity > 0 else -1
    realized = money((price - position.entry_price) * closing * direction) if closing else ZERO
    quantity = position.quantity + signed_quantity
    return Outcome(
        replace(
            position,
            quantity=quantity,
            entry_price=_entry_price(position, signed_quantity, price, closing),
            updated_ms=now_ms,
        ),
        realized,
    )


def _opposes(position: Position, signed_quantity: Decimal) -> bool:
    """Whether a fill takes from the position."""
    return position.quantity * signed_quantity < 0


def _entry_price(position: Position, signed_quantity: Decimal, price: Decimal, closing: Decimal) -> Decimal:
    """Average after a fill: adding mixes, reducing keeps, turning starts anew."""
    quantity = position.quantity + signed_quantity
    if quantity == 0:
        return ZERO
    if not closing:
        cost = position.entry_price * position.quantity + price * signed_quantity
        return cost / quantity
    turned = abs(signed_quantity) > closing
    return price if turned else position.entry_price


def bracket_of(notional: Decimal, brackets: Sequence[Bracket]) -> Bracket:
    """The bracket in which a position of this size falls; the last one has no end."""
    size = abs(notional)
    return next((row for row in brackets if size <= row.notional_cap), brackets[-1])


def maintenance_margin(notional: Decimal, brackets: Sequence[Bracket]) -> Decimal:
    """The equity below which a position of this size is liquidated."""
    row = bracket_of(notional, brackets)
    return abs(notional) * row.maintenance_ratio - row.cumulative


def largest_notional(leverage: int, brackets: Sequence[Bracket]) -> Decimal:
    """The largest position that may be held at ``leverage``."""
    return max((row.notional_cap for row in brackets if row.max_leverage >= leverage), default=ZERO)


def initial_margin(
    position_notional: Decimal, bid_notional: Decimal, ask_notional: Decimal, leverage: int
) -> Decimal:
    """Margin for a position and its resting orders, counted as if the worse side filled whole."""
    worst = max(abs(position_notional + bid_notional), abs(position_notional - ask_notional))
    return worst / leverage


def liquidation_price(
    position: Position, collateral: Decimal, mark: Decimal, brackets: Sequence[Bracket]
) -> Decimal:
    """The mark price at which ``collateral`` plus the loss equals the maintenance margin.

    ``collateral`` is what backs this position besides its own profit. Nought when no price would do it.
    """
    if not position.is_open:
        return ZERO
    row = bracket_of(position.notional(mark), brackets)
    direction = 1 if position.quantity > 0 else -1
    size = abs(position.quantity)
    numerator = collateral + row.cumulative - direction * size * position.entry_price
    denominator = size * (row.maintenance_ratio - direction)
    return max(ZERO, numerator / denominator)
