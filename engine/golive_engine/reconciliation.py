"""Makes journal and venue agree: nothing is traded on an account before they do."""

import logging
from collections.abc import Mapping
from decimal import Decimal

from golive_engine.desk import OrderDesk
from golive_engine.trading import ZERO, Snapshot, UnavailableError, Venue

_log = logging.getLogger(__name__)


def differences(
    ours: Mapping[str, Decimal], theirs: Mapping[str, Decimal], unsettled: frozenset[str]
) -> dict[str, Decimal]:
    """What the venue has more than the journal, by symbol; symbols with unsettled orders may differ."""
    return {
        symbol: difference
        for symbol in sorted((ours.keys() | theirs.keys()) - unsettled)
        if (difference := theirs.get(symbol, ZERO) - ours.get(symbol, ZERO))
    }


class Reconciliation:
    """One account's agreement with its venue."""

    def __init__(self, desk: OrderDesk, venue: Venue) -> None:
        self._desk = desk
        self._venue = venue
        self._last: dict[str, Decimal] = {}
        self.agreed = False

    def forget(self) -> None:
        """Start over: another pod may have traded meanwhile."""
        self.agreed = False

    async def start(self) -> Snapshot:
        """Ask about unsettled orders, adopt lost ones, take over positions nobody can explain.

        Raises:
            UnavailableError: The venue does not answer, or an order's outcome is still unknown.
        """
        await self._desk.settle()
        if self._desk.unknown_symbols:
            raise UnavailableError(f"outcome unknown on {', '.join(sorted(self._desk.unknown_symbols))}")
        await self._adopt()
        snapshot = await self._venue.snapshot()
        await self._correct(self._differences(snapshot))
        self.agreed = True
        return snapshot

    async def check(self, snapshot: Snapshot) -> None:
        """Compare while trading; a difference stops the account, one that stays is taken over.

        A fill that the venue has booked and not yet told looks the same as a foreign trade for a moment.
        """
        found = self._differences(snapshot)
        if found and found == self._last:
            await self._correct(found)
            found = {}
        if found:
            _log.warning("positions differ", extra={"differences": found})
        self._last = found
        self.agreed = not found

    async def _adopt(self) -> None:
        """Take over resting orders of ours that the journal does not know."""
        for execution in await self._venue.open_orders():
            ours = execution.client_order_id.startswith(self._desk.prefix)
            if ours and execution.client_order_id not in self._desk.sent_ids:
                _log.warning("adopted", extra={"client_order_id": execution.client_order_id})
                await self._desk.adopt(execution)

    def _differences(self, snapshot: Snapshot) -> dict[str, Decimal]:
        """Differences on symbols without unsettled orders."""
        unsettled = frozenset(order.symbol for order in self._desk.unsettled)
        return differences(self._desk.ledger.positions(), snapshot.positions, unsettled)

    async def _correct(self, found: dict[str, Decimal]) -> None:
        """Write a fill for each difference, at today's price: the true one is not known."""
        for symbol, difference in found.items():
            _log.warning("position taken over", extra={"symbol": symbol, "difference": difference})
            quotes = await self._venue.quotes(frozenset({symbol}))
            price = quotes[symbol].middle if symbol in quotes else ZERO
            await self._desk.correct(symbol, difference, price)
