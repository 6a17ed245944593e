"""Positions as fills make them: average entry price, realized PnL, losses in a row. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from decimal import Decimal

from golive_engine.records import Fill
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


@dataclass(frozen=True, slots=True)
class Closing:
    """What one order has gained by closing, however many fills it took."""

    time: float
    """Of its last fill that closed something."""
    gain: Decimal
    """Negative is a loss; fees not included."""


class Ledger:
    """Every position of one account on one venue, and what each closing order gained.

    Args:
        counts_from: Closings up to this moment are not counted; a person has released a stop then.
    """

    def __init__(self, counts_from: float = 0.0) -> None:
        self._counts_from = counts_from
        self._positions: dict[str, Position] = {}
        self._fill_counts: dict[str, int] = {}
        self._last_fill_times: dict[str, float] = {}
        self._closings: dict[str, Closing] = {}

    def take(self, fill: Fill) -> None:
        """Take in one fill. One without an order of ours says nothing of loss or gain."""
        before = self._positions.get(fill.symbol, Position())
        after = before.after(fill.signed_quantity, fill.price)
        self._positions[fill.symbol] = after
        self._fill_counts[fill.symbol] = self.fill_count(fill.symbol) + 1
        self._last_fill_times[fill.symbol] = max(fill.time, self._last_fill_times.get(fill.symbol, fill.time))
        gain = after.realized - before.realized
        if fill.client_order_id is not None and gain and fill.time > self._counts_from:
            known = self._closings.get(fill.client_order_id, Closing(fill.time, ZERO))
            self._closings[fill.client_order_id] = Closing(fill.time, known.gain + gain)

    def position(self, symbol: str) -> Decimal:
        """Signed quantity, zero if flat."""
        return self._positions.get(symbol, Position()).quantity

    def positions(self) -> dict[str, Decimal]:
        """Signed quantities, flat ones left out."""
        return {symbol: held.quantity for symbol, held in self._positions.items() if held.quantity}

    def entry(self, symbol: str) -> Decimal | None:
        """Average price at which the position was opened, None if flat."""
        held = self._positions.get(symbol, Position())
        return held.price if held.quantity else None

    def fill_count(self, symbol: str) -> int:
        """How many fills the position is made of, since ever."""
        return self._fill_counts.get(symbol, 0)

    def last_fill_time(self, symbol: str) -> float | None:
        """When the symbol's last fill was, None without one."""
        return self._last_fill_times.get(symbol)

    def closings(self) -> list[Closing]:
        """What closing orders gained."""
        return list(self._closings.values())

    def forget_closings(self) -> None:
        """Count losses anew from here: a person has released a stop."""
        self._closings.clear()

    @property
    def losses_in_a_row(self) -> int:
        """Closing orders at a loss since the last gain."""
        return losses_in_a_row([self])


def losses_in_a_row(ledgers: Iterable[Ledger]) -> int:
    """Closing orders at a loss since the last gain, on all venues of an account together."""
    closings = sorted((c for ledger in ledgers for c in ledger.closings() if c.gain), key=lambda c: c.time)
    count = 0
    for closing in reversed(closings):
        if closing.gain > ZERO:
            break
        count += 1
    return count
