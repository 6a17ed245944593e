"""One account's turn in a cycle: settle, look, judge, order."""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from golive_api.profiles import Limits
from golive_api.reasons import Reason
from golive_engine import riskgate
from golive_engine.clock import Clock, utc_day
from golive_engine.decisions import Decisions
from golive_engine.desk import OrderDesk
from golive_engine.journal import Journal
from golive_engine.logs import correlated
from golive_engine.market import Market
from golive_engine.metrics import Metrics
from golive_engine.orders import OrderState
from golive_engine.reconciliation import Reconciliation
from golive_engine.risk import Standing
from golive_engine.safety import Safety
from golive_engine.settings import AccountSettings, Settings
from golive_engine.situation import Bounds, Denial, Situation, gross_notional
from golive_engine.skips import Skips
from golive_engine.strategies import BaselinePerpsStrategy
from golive_engine.trading import Intent, Snapshot, Venue

if TYPE_CHECKING:
    from decimal import Decimal

DAY_SECONDS = 86_400
"""Length of a UTC day; leap seconds don't exist on this clock."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Shared:
    """What all accounts of an engine have in common."""

    settings: Settings
    """What the engine was told."""
    journal: Journal
    """Where everything is written down."""
    safety: Safety
    """Global Risk and emergency stops."""
    metrics: Metrics
    """What Prometheus sees."""
    skips: Skips
    """What was not sent, and why."""
    clock: Clock
    """Both clocks."""


@dataclass(frozen=True, slots=True)
class Permissions:
    """What the engine as a whole says about an account, asked anew for every decision."""

    gate: Callable[[], Reason]
    """The gate's answer for this account."""
    leading: Callable[[], bool]
    """Whether this pod holds the Lease."""
    limits: Callable[[], Limits | None]
    """The limits that hold now, None if there are none."""


class Trader:
    """Trades one account.

    Args:
        account: Which one.
        venue: Where.
        desk: Its orders and positions.
        permissions: Gate, Lease and limits.
        shared: Everything else.
        beat: Called after each step, to show that there is progress.
    """

    def __init__(
        self,
        account: AccountSettings,
        venue: Venue,
        desk: OrderDesk,
        permissions: Permissions,
        shared: Shared,
        beat: Callable[[], None],
    ) -> None:
        self.account = account
        self.venue = venue
        self.desk = desk
        self.reconciliation = Reconciliation(desk, venue)
        self.snapshot: Snapshot | None = None
        self._permissions = permissions
        self._shared = shared
        self._beat = beat
        self._market = Market(venue, shared.clock)
        self._opened = False
        self._day_start: Decimal | None = None
        self._trades_today: int | None = None
        self._strategy = BaselinePerpsStrategy.of(shared.settings.strategy)
        self._decisions = Decisions(account.name, shared.journal, shared.clock)

    def forget(self) -> None:
        """Believe nothing any more: another pod may have traded this account."""
        self._opened = False
        self.snapshot = None
        self.reconciliation.forget()

    async def turn(self) -> None:
        """Do what there is to do on this account now.

        Raises:
            UnavailableError: The venue did not answer; nothing more was done.
            JournalError: The journal did not; nothing more was sent.
        """
        with correlated(account=self.account.name):
            await self._agree()
            for symbol in self._shared.settings.symbols:
                await self._consider(symbol)
                self._beat()

    async def _agree(self) -> None:
        """Bring journal, venue and our view of both together."""
        if not self._opened:
            await self.desk.open()
            self._opened = True
        if not self.reconciliation.agreed and self.snapshot is None:
            await self._market.open(self._shared.settings)
            await self._take(await self.reconciliation.start())
            _log.info("reconciled", extra={"positions": self.desk.ledger.positions()})
        else:
            await self.desk.settle()
            await self._refresh()
        self._beat()
        symbols = frozenset(self._shared.settings.symbols) | self.desk.exposures().keys()
        await self._market.look(symbols)
        self._beat()

    async def _refresh(self) -> None:
        """Read the account anew and compare it with the journal."""
        snapshot = await self.venue.snapshot()
        await self.reconciliation.check(snapshot)
        await self._take(snapshot)

    async def _take(self, snapshot: Snapshot) -> None:
        """Judge where the account stands today."""
        name, shared = self.account.name, self._shared
        now = shared.clock.wall()
        day = await asyncio.to_thread(shared.journal.mark_equity, name, utc_day(now), snapshot.equity)
        capital = await asyncio.to_thread(shared.journal.capital, name, snapshot.equity)
        since = now - now % DAY_SECONDS
        self._trades_today = await asyncio.to_thread(shared.journal.new_risk_orders_since, name, since)
        self._day_start = day.start_equity
        losses = self.desk.ledger.losses_in_a_row
        await shared.safety.judge(
            name, Standing(snapshot.equity, capital, day.start_equity, day.peak_equity, losses)
        )
        self.snapshot = snapshot
        shared.metrics.account(name, snapshot.equity, len(self.desk.unknown_symbols))

    async def _consider(self, symbol: str) -> None:
        """Ask the strategy about one symbol, and order what it wants if every check lets it."""
        instrument, quote = self._market.instruments.get(symbol), self._market.quotes.get(symbol)
        if instrument is None or quote is None:
            _log.warning("no instrument or no price", extra={"symbol": symbol})
            return
        closes = await self.venue.closes(symbol, self._shared.settings.strategy.long_ma)
        intent = self._strategy.intent(closes, self.desk.ledger.position(symbol), instrument, quote)
        if intent is None:
            await self._shared.skips.clear(self.account.name, symbol)
            return
        client_order_id = self.desk.next_id()
        denial = riskgate.judge(intent, client_order_id, self.situation())
        self._shared.metrics.decision(denial.reason if denial else None)
        await self._decisions.note(intent, denial)
        if denial is not None:
            await self._skip(intent, denial)
            return
        with correlated(client_order_id=client_order_id):
            await self._order(intent)

    async def _order(self, intent: Intent) -> None:
        """Place an order that passed; read the account anew, because margin and equity have changed."""
        order = await self.desk.place(intent)
        if order.state is OrderState.WITHHELD:
            reason = Reason(order.reason)  # type: ignore[call-arg]  # looked up by value
            await self._skip(intent, Denial(reason))
            return
        await self._shared.skips.clear(self.account.name, intent.symbol)
        await self._refresh()

    async def _skip(self, intent: Intent, denial: Denial) -> None:
        """Count and note an order that was not sent."""
        self._shared.metrics.order(self.account.name, "skipped")
        await self._shared.skips.note(self.account.name, intent, denial)

    def last_look(self, intent: Intent) -> Reason | None:
        """Why an order that is signed and connected must still not go; from memory only."""
        gate = self._permissions.gate()
        if not self._permissions.leading():
            return Reason.STANDBY
        if self._shared.safety.stopped(self.account.name):
            return Reason.EMERGENCY_STOP_ACTIVE
        if gate is Reason.GATE_OPEN or (gate is Reason.GATE_REDUCE_ONLY and intent.reduce_only):
            return None
        return gate

    def situation(self) -> Situation:
        """Everything that a decision rests on, as of now."""
        limits = self._permissions.limits()
        exposures = self.desk.exposures()
        prices = {symbol: quote.middle for symbol, quote in self._market.quotes.items()}
        snapshot, safety = self.snapshot, self._shared.safety
        return Situation(
            gate=self._permissions.gate(),
            leading=self._permissions.leading(),
            reconciled=self.reconciliation.agreed,
            stopped=safety.stopped(self.account.name),
            risk_state=safety.risk_state(self.account.name),
            equity=snapshot.equity if snapshot else None,
            day_start_equity=self._day_start,
            margin_used=snapshot.margin_used if snapshot else None,
            instruments=self._market.instruments,
            prices=prices,
            price_ages=self._market.ages(),
            price_age_bound=self._shared.settings.staleness.price_seconds,
            exposures=exposures,
            gross_notional=gross_notional(exposures, prices),
            leverages=self._market.leverages,
            bounds=Bounds.of(limits) if limits else None,
            trades_today=self._trades_today,
            unknown_symbols=self.desk.unknown_symbols,
            sent_ids=self.desk.sent_ids,
        )
