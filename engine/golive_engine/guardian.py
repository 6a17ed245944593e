"""Keeps an account's positions protected on their venues, and within limits that have changed."""

import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal

from golive_engine import protection
from golive_engine import rebalance as rebalancing
from golive_engine.account import Account
from golive_engine.orders import Order, OrderState
from golive_engine.protection import Cancel, Place
from golive_engine.seat import Seat
from golive_engine.settings import AccountSettings, Settings
from golive_engine.trading import NEVER_SENT, ZERO, Intent, OrderKind, UnavailableError

LOOKS = 4
"""Plans in a row for one symbol: place, hear a refusal, exit, clear away."""

_log = logging.getLogger(__name__)

PlaceOrder = Callable[[Seat, Intent], Awaitable[Order | None]]
"""Through the RiskGate to a venue; None if it was denied or withheld."""


class _WaitsError(Exception):
    """A step has to wait for the next look."""


@dataclass(frozen=True, slots=True)
class Distances:
    """How far from its entry a position may run, in percent."""

    stop: Decimal
    """Until its loss ends."""
    profit: Decimal
    """Until its gain is taken."""


TIGHTEST = Distances(Decimal(2), Decimal(4))
"""The nearest that either may be."""


class Guardian:
    """Carries out what protection and rebalancing plan.

    Args:
        account: Whose positions.
        place: How orders are sent.
        distances: By symbol; what no strategy of the account trades is held tightest.
        alert: Tells people, by subject and text; returns at once.
    """

    def __init__(
        self,
        account: Account,
        place: PlaceOrder,
        distances: Mapping[str, Distances],
        alert: Callable[[str, str], None],
    ) -> None:
        self._account = account
        self._place = place
        self._distances = distances
        self._alert = alert

    async def protect_all(self) -> None:
        """Look at every position on every venue that can be read."""
        for seat in self._account.seats:
            if seat.snapshot is not None:
                symbols = seat.desk.ledger.positions().keys() | _resting_symbols(seat)
                seat.unprotected &= symbols
                for symbol in sorted(symbols):
                    await self.protect(seat, symbol)

    async def protect(self, seat: Seat, symbol: str) -> None:
        """Give a position its stop loss and take profit, or close it if it can't have a stop loss."""
        seat.unprotected |= {symbol}
        try:
            if await self._is_protected(seat, symbol):
                seat.unprotected -= {symbol}
        except (UnavailableError, _WaitsError) as error:
            subject = f"{self._account.name}: {symbol} on {seat.name} lacks stop loss or take profit"
            self._alert(subject, str(error))

    async def _is_protected(self, seat: Seat, symbol: str) -> bool:
        """Plan and act until there is nothing left to do; False if something has to wait for the next look."""
        refused: frozenset[OrderKind] = frozenset()
        for _ in range(LOOKS):
            holding = self._holding(seat, symbol)
            if holding is None or symbol in seat.desk.unknown_symbols:
                return False
            steps = protection.plan(holding, seat.desk.resting(symbol), refused)
            if not steps:
                return not refused
            for step in steps:
                kind = await self._carried_out(seat, step)
                if kind is not None:
                    refused |= {kind}
                    break
        return False

    async def _carried_out(self, seat: Seat, step: Place | Cancel) -> OrderKind | None:
        """Take one step; returns the kind of an order that the venue refused.

        Raises:
            UnavailableError: The venue did not answer.
            _WaitsError: It was not sent, or not confirmed; what lies behind it waits.
        """
        if isinstance(step, Cancel):
            await seat.desk.cancel(step.client_order_id)
            return None
        order = await self._place(seat, step.intent)
        if order is None:
            raise _WaitsError(f"no {step.intent.kind} may be sent")
        if order.state is OrderState.REFUSED and order.reason.startswith(NEVER_SENT):
            raise _WaitsError(order.reason)
        if order.state is OrderState.REFUSED:
            _log.warning("%s refused", step.intent.kind, extra={"symbol": order.symbol, "reason": order.reason})
            return step.intent.kind
        if order.state in (OrderState.PENDING, OrderState.UNKNOWN):
            raise _WaitsError(f"outcome of the {step.intent.kind} unknown")
        return None

    def _holding(self, seat: Seat, symbol: str) -> protection.Holding | None:
        """A position as the planner wants it, None while the instrument is not known."""
        instrument = seat.market.instruments.get(symbol)
        if instrument is None:
            return None
        ledger, distances = seat.desk.ledger, self._distances.get(symbol, TIGHTEST)
        told = seat.last.entries.get(symbol, ZERO) if seat.last is not None else ZERO
        entry = ledger.entry(symbol) or told  # what was taken over without a price has none of its own
        return protection.Holding(instrument, ledger.position(symbol), entry, distances.stop, distances.profit)

    async def rebalance(self) -> None:
        """Trim positions that have outgrown their limits, and look after what protects the rest."""
        bounds = self._account.bounds()
        if bounds is not None:
            seats = {seat.name: seat for seat in self._account.seats if seat.snapshot is not None}
            for trim in rebalancing.plan(self._holdings(), bounds, self._account.equity):
                if trim.venue in seats:
                    await self._place(seats[trim.venue], trim.intent)
        await self.protect_all()

    def _holdings(self) -> list[rebalancing.Holding]:
        """Every position with a known price and instrument."""
        return [
            rebalancing.Holding(seat.name, quantity, price, seat.market.instruments[symbol])
            for seat in self._account.seats
            for symbol, quantity in seat.desk.ledger.positions().items()
            if symbol in seat.market.instruments and (price := seat.market.prices.get(symbol, ZERO)) > ZERO
        ]


def _resting_symbols(seat: Seat) -> set[str]:
    """Symbols with a stop loss or take profit."""
    return {order.symbol for order in seat.desk.unsettled if order.kind.is_conditional}


def distances_of(settings: Settings, account: AccountSettings) -> dict[str, Distances]:
    """What the strategies of an account ask for their symbols."""
    return {
        symbol: Distances(strategy.stop_loss_percent, strategy.take_profit_percent)
        for strategy in settings.strategies_of(account)
        for symbol in settings.symbols_of(strategy)
    }
