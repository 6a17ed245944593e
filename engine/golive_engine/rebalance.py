"""What to trim of positions that have outgrown their limits, by a change of profile or of price. Pure."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import ROUND_CEILING, Decimal

from golive_api.values import percent_of
from golive_engine.situation import Bounds
from golive_engine.trading import ZERO, Instrument, Intent, Purpose, Side


@dataclass(frozen=True, slots=True)
class Holding:
    """A position on one venue."""

    venue: str
    """Where it is, and where alone it can be trimmed."""
    position: Decimal
    """Signed, not flat."""
    price: Decimal
    """Of one unit of base currency, above zero."""
    instrument: Instrument
    """As the venue lists it."""

    @property
    def symbol(self) -> str:
        """Which instrument."""
        return self.instrument.symbol

    @property
    def notional(self) -> Decimal:
        """Its absolute value."""
        return abs(self.position) * self.price


@dataclass(frozen=True, slots=True)
class Trim:
    """An order that makes a position smaller, and where to send it."""

    venue: str
    """Which one."""
    intent: Intent
    """Reduce-only, at market."""


def plan(holdings: Sequence[Holding], bounds: Bounds, equity: Decimal | None) -> tuple[Trim, ...]:
    """The orders that bring an account back within its limits, the largest first; nothing is ever opened.

    Held to: notional of each symbol on all venues together, number of positions (the smallest are closed),
    and exposure of all together, of which nothing is asked while equity is not known. Not held to: margin
    and leverage, which a venue defines, and correlation, an estimate that wavers: new orders are held to
    those.

    Args:
        holdings: Every position of the account with a known price, on all venues.
        bounds: Its limits.
        equity: Now, with open PnL.
    """
    cuts = [ZERO] * len(holdings)
    by_symbol: dict[str, list[int]] = defaultdict(list)
    for index, holding in enumerate(holdings):
        by_symbol[holding.symbol].append(index)
    for indices in by_symbol.values():
        _cut(holdings, cuts, indices, bounds.position_notional)
    for symbol in _beyond_count(holdings, cuts, by_symbol, bounds.positions):
        _cut(holdings, cuts, by_symbol[symbol], ZERO)
    if equity is not None:
        _cut(holdings, cuts, range(len(holdings)), percent_of(bounds.exposure_percent, equity))
    trims = [
        (cut * holding.price, _trim(holding, cut)) for holding, cut in zip(holdings, cuts, strict=True) if cut
    ]
    return tuple(trim for _, trim in sorted(trims, key=lambda entry: entry[0], reverse=True))


def _left(holding: Holding, cut: Decimal) -> Decimal:
    """What a position is worth after a cut."""
    return holding.notional - cut * holding.price


def _cut(holdings: Sequence[Holding], cuts: list[Decimal], indices: Iterable[int], most: Decimal) -> None:
    """Cut further until these positions together are worth no more than that, the largest first."""
    ordered = sorted(indices, key=lambda index: _left(holdings[index], cuts[index]), reverse=True)
    excess = sum((_left(holdings[index], cuts[index]) for index in ordered), ZERO) - most
    for index in ordered:
        if excess <= ZERO:
            return
        holding, before = holdings[index], cuts[index]
        cuts[index] = _orderable(holding, before + excess / holding.price)
        excess -= (cuts[index] - before) * holding.price


def _orderable(holding: Holding, quantity: Decimal) -> Decimal:
    """The smallest order of at least a quantity, and of no more than the position."""
    lot = holding.instrument.lot_size
    whole = (quantity / lot).to_integral_value(ROUND_CEILING) * lot
    return min(max(whole, holding.instrument.min_quantity), abs(holding.position))


def _beyond_count(
    holdings: Sequence[Holding], cuts: Sequence[Decimal], by_symbol: dict[str, list[int]], most: int
) -> list[str]:
    """The symbols that are too many: those worth least."""
    worth = {
        symbol: sum((_left(holdings[index], cuts[index]) for index in indices), ZERO)
        for symbol, indices in by_symbol.items()
    }
    held = [symbol for symbol, value in worth.items() if value > ZERO]
    return sorted(held, key=worth.__getitem__, reverse=True)[most:]


def _trim(holding: Holding, cut: Decimal) -> Trim:
    """The order for a cut; what is more than one order may be is left to the next run."""
    side = Side.SELL if holding.position > ZERO else Side.BUY
    lot = holding.instrument.lot_size
    quantity = min(cut, holding.instrument.max_quantity // lot * lot)
    return Trim(
        holding.venue,
        Intent(holding.symbol, side, quantity, reduce_only=True, purpose=Purpose.REBALANCE),
    )
