"""Makes journal and venue agree, order by order and position by position: nothing is traded before they do."""

import logging
from collections.abc import Mapping, Sequence
from decimal import Decimal

from golive_engine.desk import OrderDesk
from golive_engine.trading import ZERO, Snapshot, Trade, UnavailableError, Venue

DOUBT_SHARE = Decimal("0.01")
"""Share of wallet and positions by which an equity may differ from its parts; prices move between two reads."""

_log = logging.getLogger(__name__)


class BalanceDoubtfulError(UnavailableError):
    """Wallet, open PnL and equity of one reading don't add up: it is no reading."""


class DisagreementError(UnavailableError):
    """Journal and venue disagree about a position: nothing may be traded."""


def differences(
    ours: Mapping[str, Decimal], theirs: Mapping[str, Decimal], left_out: frozenset[str]
) -> dict[str, Decimal]:
    """What the venue has more than the journal, by symbol."""
    return {
        symbol: difference
        for symbol in sorted((ours.keys() | theirs.keys()) - left_out)
        if (difference := theirs.get(symbol, ZERO) - ours.get(symbol, ZERO))
    }


def explaining(trades: Sequence[Trade], difference: Decimal) -> Sequence[Trade]:
    """The newest trades that add up to a difference; none if they don't."""
    total = ZERO
    for start in range(len(trades) - 1, -1, -1):
        total += trades[start].quantity * trades[start].side.sign
        if total == difference:
            return trades[start:]
    return ()


class Reconciliation:
    """One seat's agreement with its venue."""

    def __init__(self, desk: OrderDesk, venue: Venue) -> None:
        self._desk = desk
        self._venue = venue
        self._last: dict[str, Decimal] = {}
        self.agreed = False

    def forget(self) -> None:
        """Start over: another pod may have traded meanwhile."""
        self.agreed = False
        self._last = {}

    async def start(self) -> Snapshot:
        """A look that ends in agreement: before the first one, nothing is believed and nothing is sent.

        Raises:
            UnavailableError: The venue does not answer, or an order's outcome is still unknown.
            BalanceDoubtfulError: Its figures don't add up.
            DisagreementError: Positions differ; if the next start sees the same, they are taken over.
        """
        snapshot = await self.look()
        if unknown := self._desk.unknown_symbols:
            self.agreed = False
            raise UnavailableError(f"outcome unknown on {', '.join(sorted(unknown))}")
        if not self.agreed:
            raise DisagreementError(self._told(self._last, snapshot))
        return snapshot

    async def look(self) -> Snapshot:
        """Compare everything: unsettled orders, resting ones, positions, balance.

        Raises:
            UnavailableError: As `check` does.
        """
        await self._desk.settle()
        await self._adopt()
        snapshot = await self._venue.snapshot()
        await self.check(snapshot)
        return snapshot

    async def check(self, snapshot: Snapshot) -> None:
        """Compare positions and balance; a difference stops the seat, one that stays is taken over.

        A fill that the venue has booked and not yet told looks the same as a foreign trade for a moment.

        Raises:
            UnavailableError: The venue does not answer.
            BalanceDoubtfulError: Its figures don't add up; the seat is stopped until they do.
        """
        await self._doubt(snapshot)
        if found := self._differences(snapshot):
            await self._desk.settle(found.keys())  # one of our orders may have filled between two reads
            found = self._differences(snapshot)
        if found and found == self._last:
            await self._explain(found, snapshot)
            found = self._differences(snapshot)
        if found:
            _log.warning("positions differ: %s", self._told(found, snapshot))
        self._last = found
        self.agreed = not found

    async def _doubt(self, snapshot: Snapshot) -> None:
        """Refuse a reading whose equity is not its wallet and open PnL; a venue may tell no wallet."""
        if snapshot.wallet is None:
            return
        symbols = frozenset(snapshot.positions)
        quotes = await self._venue.quotes(symbols) if symbols else {}
        if missing := sorted(symbols - (quotes.keys() & snapshot.entries.keys())):
            self.agreed = False
            raise BalanceDoubtfulError(
                f"no price or no entry of {', '.join(missing)}: equity can't be verified"
            )
        marks = {symbol: quotes[symbol].middle for symbol in symbols}
        profit = sum((q * (marks[s] - snapshot.entries[s]) for s, q in snapshot.positions.items()), ZERO)
        gross = sum((abs(q) * marks[s] for s, q in snapshot.positions.items()), ZERO)
        expected = snapshot.wallet + profit
        if abs(expected - snapshot.equity) > DOUBT_SHARE * max(abs(snapshot.equity), gross):
            self.agreed = False
            raise BalanceDoubtfulError(
                f"equity {snapshot.equity:f} is not wallet {snapshot.wallet:f} and open PnL {profit:f}"
            )

    async def _adopt(self) -> None:
        """Take over resting orders of ours that the journal does not know, or believes to be over."""
        for execution in await self._venue.open_orders():
            if execution.client_order_id.startswith(self._desk.prefix):
                await self._desk.adopt(execution)

    def _differences(self, snapshot: Snapshot) -> dict[str, Decimal]:
        """Differences on symbols whose orders' outcomes are known; the others are blocked anyway."""
        return differences(self._desk.ledger.positions(), snapshot.positions, self._desk.unknown_symbols)

    async def _explain(self, found: Mapping[str, Decimal], snapshot: Snapshot) -> None:
        """Book what our orders and the venue's trades tell; what then still differs is taken over."""
        for symbol in found:
            await self._desk.ask_again(symbol)
        for symbol, difference in self._differences(snapshot).items():
            told = self._told({symbol: difference}, snapshot)
            if trades := explaining(await self._desk.trades_of_others(symbol), difference):
                _log.warning("trades of somebody else booked: %s", told, extra={"trades": len(trades)})
                await self._desk.book(trades)
            else:
                price = await self._price(symbol, snapshot)
                _log.warning("position taken over: %s", told, extra={"price": price})
                await self._desk.correct(symbol, difference, price)

    async def _price(self, symbol: str, snapshot: Snapshot) -> Decimal:
        """The venue's entry for a position that is all new to us, else today's price: the true one is lost."""
        if not self._desk.ledger.position(symbol) and symbol in snapshot.entries:
            return snapshot.entries[symbol]
        quotes = await self._venue.quotes(frozenset({symbol}))
        if symbol not in quotes:
            raise UnavailableError(f"no price of {symbol}, whose position has to be taken over")
        return quotes[symbol].middle

    def _told(self, found: Mapping[str, Decimal], snapshot: Snapshot) -> str:
        """Differences for a person: symbol and both numbers."""
        theirs, ours = snapshot.positions, self._desk.ledger
        return ", ".join(
            f"{symbol}: the journal has {ours.position(symbol):f}, "
            f"{self._venue.name} has {theirs.get(symbol, ZERO):f}"
            for symbol in found
        )
