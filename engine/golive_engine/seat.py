"""An account's place on one venue: what is known of it there, and whether that is known at all."""

from dataclasses import dataclass, replace

from golive_api.engine_report import Breaker, VenueReport
from golive_engine.breaker import GuardedVenue
from golive_engine.desk import OrderDesk
from golive_engine.market import Market
from golive_engine.reconciliation import Reconciliation
from golive_engine.situation import Exposure
from golive_engine.trading import ZERO, Snapshot


@dataclass(frozen=True, slots=True)
class Traded:
    """What a seat has to know about to be traded on."""

    symbols: tuple[str, ...]
    """Every symbol of the account's strategies."""
    leverage: int
    """To be set for each."""
    closes: int
    """How many closes are looked back."""


class Seat:
    """One account on one venue.

    Args:
        venue: The venue behind its circuit breaker.
        desk: The account's orders and positions there.
        market: The venue's market.
        traded: What has to be known.
    """

    def __init__(self, venue: GuardedVenue, desk: OrderDesk, market: Market, traded: Traded) -> None:
        self.venue = venue
        self.desk = desk
        self.market = market
        self.reconciliation = Reconciliation(desk, venue)
        self.snapshot: Snapshot | None = None
        self.last: Snapshot | None = None
        self.unprotected: frozenset[str] = frozenset()
        self._traded = traded

    @property
    def symbols(self) -> tuple[str, ...]:
        """Every symbol of the account's strategies."""
        return self._traded.symbols

    @property
    def name(self) -> str:
        """The venue's name."""
        return self.venue.name

    def forget(self) -> None:
        """Believe nothing any more: another pod may have traded this account."""
        self.snapshot = self.last = None
        self.reconciliation.forget()

    async def agree(self) -> None:
        """Bring journal, venue and our view of both together.

        Raises:
            UnavailableError: The venue did not answer; until it does, nothing is ordered here.
            JournalError: The journal did not.
        """
        self.snapshot = None
        snapshot = await self.know()
        await self.market.look(frozenset(self.symbols) | self.desk.exposures().keys())
        await self.market.look_back(self.symbols, self._traded.closes)
        if not self.market.depths:
            await self.look_deep()
        # Last: a seat counts as readable only when everything about it was read.
        self.snapshot = self.last = snapshot

    async def know(self) -> Snapshot:
        """Make the journal agree with the venue: anew if nothing is believed, else by a look.

        Raises:
            UnavailableError: The venue did not answer.
            JournalError: The journal did not.
        """
        if self.last is not None:
            return await self.reconciliation.look()
        await self.desk.open()
        await self.market.open(self.symbols, self._traded.leverage)
        return await self.reconciliation.start()

    async def refresh(self) -> None:
        """Read the account anew after an order: margin and equity have changed."""
        self.snapshot = None
        snapshot = await self.venue.snapshot()
        await self.reconciliation.check(snapshot)
        self.snapshot = self.last = snapshot

    async def look_deep(self) -> None:
        """Read the order books."""
        await self.market.look_deep(self.symbols)

    @property
    def unknown_symbols(self) -> frozenset[str] | None:
        """Symbols whose position here is not known; None if that is true of all.

        While the venue can't be read, orders that it has may fill: those that bring new risk make their
        symbol unknown; those that shrink a position can only make it smaller than what is counted.
        """
        if self.last is None or not self.reconciliation.agreed:
            return None
        if self.snapshot is not None:
            return self.desk.unknown_symbols
        growing = {order.symbol for order in self.desk.unsettled if not order.reduce_only}
        return self.desk.unknown_symbols | growing

    def exposures(self, others: "list[Seat]") -> dict[str, Exposure]:
        """Every symbol with a position or an order, here or on one of the other seats."""
        found = self.desk.exposures()
        for other in others:
            for symbol, theirs in other.desk.exposures().items():
                ours = found.get(symbol, Exposure(ZERO))
                found[symbol] = replace(ours, elsewhere=ours.elsewhere + theirs.worst())
        return found

    def report(self) -> VenueReport:
        """What /status tells of it."""
        skew = self.market.skew_seconds
        return VenueReport(
            venue=self.name,
            breaker=self.venue.state,
            reconciled=self.reconciliation.agreed,
            clock_skew_seconds=None if skew is None else f"{skew:.3f}",
            equity=f"{self.last.equity:f}" if self.last else None,
            positions={symbol: f"{quantity:f}" for symbol, quantity in self.desk.ledger.positions().items()},
            unprotected=sorted(self.unprotected),
        )

    @property
    def available(self) -> bool:
        """Whether its circuit breaker lets requests through."""
        return self.venue.state is Breaker.CLOSED
