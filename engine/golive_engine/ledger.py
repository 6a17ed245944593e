"""Positions as fills make them: average entry price, realized PnL, losses in a row. Pure."""

from dataclasses import dataclass, replace
from decimal import Decimal

from golive_engine.trading import ZERO


@dataclass(frozen=True, slots=True)
class Position:
    """One symbol's position; quantity is signed, price is the average entry."""

    quantity: Decimal = ZERO
    """Positive is long."""
    price: Decimal = ZERO
    """Average entry, zero if flat."""
    realized: Decimal = ZERO
    """Gains less losses of everything closed so far, fees not included."""

    def after(self, signed: Decimal, price: Decimal) -> "Position":
        """The position after a fill of a signed quantity at a price."""
        if self.quantity * signed >= ZERO:
            total = self.quantity + signed
            cost = self.quantity * self.price + signed * price
            return replace(self, quantity=total, price=cost / total if total else ZERO)
        closed = min(abs(signed), abs(self.quantity))
        sign = 1 if self.quantity > ZERO else -1
        realized = self.realized + (price - self.price) * closed * sign
        rest = self.quantity + signed
        if rest == ZERO:
            return Position(ZERO, ZERO, realized)
        return Position(rest, self.price if rest * self.quantity > ZERO else price, realized)


class Ledger:
    """Every position of one account, and how many closing fills in a row lost money."""

    def __init__(self) -> None:
        self._positions: dict[str, Position] = {}
        self.losses_in_a_row = 0

    def position(self, symbol: str) -> Decimal:
        """Signed quantity, zero if flat."""
        return self._positions.get(symbol, Position()).quantity

    def positions(self) -> dict[str, Decimal]:
        """Signed quantities, flat ones left out."""
        return {symbol: held.quantity for symbol, held in self._positions.items() if held.quantity}

    def fill(self, symbol: str, signed: Decimal, price: Decimal) -> None:
        """Take in one fill."""
        before = self._positions.get(symbol, Position())
        after = before.after(signed, price)
        self._positions[symbol] = after
        if after.realized < before.realized:
            self.losses_in_a_row += 1
        elif after.realized > before.realized:
            self.losses_in_a_row = 0

    def correct(self, symbol: str, signed: Decimal, price: Decimal) -> None:
        """Take in a fill that was only inferred from the venue's position: it says nothing of loss or gain."""
        losses = self.losses_in_a_row
        self.fill(symbol, signed, price)
        self.losses_in_a_row = losses
