"""What an account is worth and what it may still risk, at given marks. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from golive_simulator.margin import initial_margin, maintenance_margin
from golive_simulator.orders import ZERO, MarginMode, Side

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from decimal import Decimal

    from golive_simulator.accounts import Account
    from golive_simulator.instruments import Instrument

    Marks = Callable[[str], Decimal]


@dataclass(frozen=True, slots=True)
class SymbolMargin:
    """One contract's part in an account's margin, in the quote asset."""

    symbol: str
    """Contract."""
    mode: MarginMode
    """Margin mode."""
    leverage: int
    """Leverage set."""
    notional: Decimal
    """Signed value of the position."""
    unrealized: Decimal
    """Its open profit."""
    bid_notional: Decimal
    """Value of resting buys."""
    ask_notional: Decimal
    """Value of resting sells."""
    position_margin: Decimal
    """Initial margin of the position."""
    order_margin: Decimal
    """Further initial margin of the resting orders."""
    maintenance: Decimal
    """Maintenance margin."""
    isolated_wallet: Decimal
    """Money set aside."""

    @property
    def initial(self) -> Decimal:
        """Margin for the position and its resting orders together."""
        return self.position_margin + self.order_margin


@dataclass(frozen=True, slots=True)
class Equity:
    """An account's money at one moment, in the quote asset."""

    wallet: Decimal
    """All money, without open profit."""
    isolated_wallet: Decimal
    """The part set aside for isolated positions."""
    symbols: dict[str, SymbolMargin]
    """Contracts with a position or an open order."""

    def _sum(self, name: str, mode: MarginMode | None = None) -> Decimal:
        """Sum of one column, over all contracts or those of one margin mode."""
        rows = self.symbols.values()
        return sum((getattr(row, name) for row in rows if mode in {None, row.mode}), ZERO)

    @property
    def unrealized(self) -> Decimal:
        """Open profit of all positions."""
        return self._sum("unrealized")

    @property
    def cross_unrealized(self) -> Decimal:
        """Open profit of the crossed positions."""
        return self._sum("unrealized", MarginMode.CROSSED)

    @property
    def cross_wallet(self) -> Decimal:
        """Wallet money not set aside for isolated positions."""
        return self.wallet - self.isolated_wallet

    @property
    def initial(self) -> Decimal:
        """Initial margin of everything."""
        return self._sum("initial")

    @property
    def position_initial(self) -> Decimal:
        """Initial margin of the positions."""
        return self._sum("position_margin")

    @property
    def order_initial(self) -> Decimal:
        """Initial margin of the resting orders."""
        return self._sum("order_margin")

    @property
    def maintenance(self) -> Decimal:
        """Maintenance margin of everything."""
        return self._sum("maintenance")

    @property
    def cross_maintenance(self) -> Decimal:
        """Maintenance margin of the crossed positions."""
        return self._sum("maintenance", MarginMode.CROSSED)

    @property
    def free(self) -> Decimal:
        """Money that may back new risk; negative when there is too much risk already."""
        committed = self._sum("initial", MarginMode.CROSSED) + self._sum("order_margin", MarginMode.ISOLATED)
        return self.cross_wallet + self.cross_unrealized - committed

    @property
    def available(self) -> Decimal:
        """``free`` as the venue shows it: never below nought."""
        return max(ZERO, self.free)


@dataclass(frozen=True, slots=True)
class Addition:
    """An order that is being weighed, as if it rested already."""

    symbol: str
    """Contract."""
    side: Side
    """Direction."""
    notional: Decimal
    """Value it would add; nought if it only reduces."""


def weigh(
    account: Account,
    instruments: Mapping[str, Instrument],
    marks: Marks,
    addition: Addition | None = None,
) -> Equity:
    """Sum an account up at ``marks``, with one more resting order if ``addition`` is given."""
    symbols = account.symbols_at_risk() | ({addition.symbol} if addition else set())
    return Equity(
        wallet=account.wallet,
        isolated_wallet=account.isolated_money(),
        symbols={
            symbol: _weigh_symbol(account, instruments[symbol], marks(symbol), addition)
            for symbol in sorted(symbols)
        },
    )


def _weigh_symbol(
    account: Account, instrument: Instrument, mark: Decimal, addition: Addition | None
) -> SymbolMargin:
    """One contract's part."""
    symbol = instrument.symbol
    position, leverage = account.position(symbol), account.leverage(symbol)
    notional = position.notional(mark)
    resting = {side: _resting(account, symbol, side, mark) for side in Side}
    if addition and addition.symbol == symbol:
        resting[addition.side] += addition.notional
    position_margin = abs(notional) / leverage
    whole = initial_margin(notional, resting[Side.BUY], resting[Side.SELL], leverage)
    return SymbolMargin(
        symbol=symbol,
        mode=account.margin_mode(symbol),
        leverage=leverage,
        notional=notional,
        unrealized=position.unrealized(mark),
        bid_notional=resting[Side.BUY],
        ask_notional=resting[Side.SELL],
        position_margin=position_margin,
        order_margin=max(ZERO, whole - position_margin),
        maintenance=maintenance_margin(notional, instrument.brackets),
        isolated_wallet=position.isolated_wallet,
    )


def _resting(account: Account, symbol: str, side: Side, mark: Decimal) -> Decimal:
    """Notional of the resting orders of one side; orders that only reduce need no margin."""
    return sum(
        (
            order.remaining * (order.request.price or mark)
            for order in account.open_orders(symbol)
            if order.request.side is side and not order.request.reduce_only
        ),
        ZERO,
    )
