"""One account's turn in a cycle: settle, look, judge, order, protect."""

import asyncio
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from golive_api.reasons import Reason
from golive_engine import riskgate
from golive_engine.account import Account
from golive_engine.clock import Clock
from golive_engine.decisions import Decisions
from golive_engine.guardian import Distances, Guardian
from golive_engine.journal import Journal
from golive_engine.logs import correlated
from golive_engine.metrics import Metrics
from golive_engine.orders import Order, OrderState
from golive_engine.safety import Safety
from golive_engine.seat import Seat
from golive_engine.sentiment import SentimentFeed
from golive_engine.showing import show
from golive_engine.situation import Denial
from golive_engine.skips import Skips
from golive_engine.strategies import Strategy, View
from golive_engine.trading import ZERO, Intent, Purpose, UnavailableError

if TYPE_CHECKING:
    from decimal import Decimal

FAILOVER = "failover"
"""Kind of state change in the journal."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Shared:
    """What all accounts of an engine have in common."""

    journal: Journal
    """Where everything is written down."""
    safety: Safety
    """Global Risk and emergency stops."""
    metrics: Metrics
    """What Prometheus sees."""
    skips: Skips
    """What was not sent, and why."""
    sentiment: SentimentFeed
    """What strategies are shown besides prices."""
    clock: Clock
    """Both clocks."""
    alert: Callable[[str, str], None]
    """Tells people, by subject and text; returns at once."""
    beat: Callable[[], None]
    """Called after each step, to show that there is progress."""


class Trader:
    """Trades one account.

    Args:
        account: Which one.
        strategies: What to trade by; no symbol belongs to two of them.
        distances: How far from its entry a position of each symbol may run.
        shared: Everything else.
    """

    def __init__(
        self,
        account: Account,
        strategies: tuple[Strategy, ...],
        distances: Mapping[str, Distances],
        shared: Shared,
    ) -> None:
        self.account = account
        self.lock = asyncio.Lock()
        self.guardian = Guardian(account, self.order, distances, shared.alert)
        self._strategies = strategies
        self._shared = shared
        self._decisions = {
            seat.name: Decisions(account.name, seat.name, shared.journal, shared.clock)
            for seat in account.seats
        }
        self._sentiment: dict[str, Decimal] = {}
        self._silent: set[str] = set()

    def forget(self) -> None:
        """Believe nothing any more: another pod may have traded this account."""
        self.account.forget()

    async def turn(self) -> None:
        """Do what there is to do on this account now.

        Raises:
            JournalError: The journal did not answer; nothing more was sent.
        """
        async with self.lock:
            with correlated(account=self.account.name):
                await self._take_turn()

    async def _take_turn(self) -> None:
        """Read, judge, protect, order."""
        await self._agree_everywhere()
        await self._fail_over()
        await self.account.take_stock()
        await self.account.judge()
        await self.guardian.protect_all()
        symbols = [symbol for strategy in self._strategies for symbol in strategy.symbols]
        self._sentiment = await self._shared.sentiment.scores(symbols)
        for strategy in self._strategies:
            for symbol in strategy.symbols:
                await self._consider(strategy, symbol)
                self._shared.beat()
        show(self.account, self._shared.metrics)

    async def settle(self) -> None:
        """Ask about orders of unknown outcome; raises JournalError."""
        for seat in self.account.seats:
            if unknown := seat.desk.unknown_symbols:
                try:
                    await seat.desk.settle(unknown)
                except UnavailableError as error:
                    _log.warning("venue unavailable: %s", error, extra={"venue": seat.name})

    async def rebalance(self) -> None:
        """Trim what has outgrown its limits, and look after what protects the rest; raises JournalError."""
        async with self.lock:
            with correlated(account=self.account.name):
                await self.guardian.rebalance()

    async def look_deep(self) -> None:
        """Read the order books of every available venue; raises UnavailableError if one does not answer."""
        for seat in self.account.seats:
            if seat.available:
                await seat.look_deep()

    async def _agree_everywhere(self) -> None:
        """Read all venues side by side; raises JournalError once every one of them has ended."""
        ends = await asyncio.gather(*map(self._agree, self.account.seats), return_exceptions=True)
        for end in ends:
            if end is not None:
                raise end

    async def _agree(self, seat: Seat) -> None:
        """Read one venue; one that does not answer ends nobody else's turn, and is told of once."""
        try:
            await seat.agree()
            self._silent.discard(seat.name)
        except UnavailableError as error:
            level = logging.INFO if seat.name in self._silent else logging.WARNING
            _log.log(level, "venue unavailable: %s", error, extra={"venue": seat.name})
            self._silent.add(seat.name)
        self._shared.beat()

    async def _fail_over(self) -> None:
        """Let new positions go where a venue is available."""
        moved = self.account.choose()
        if moved is None:
            return
        name, now = self.account.name, self._shared.clock.wall()
        self._shared.metrics.failover(name, moved.source, moved.target)
        _log.warning("failover", extra={"source": moved.source, "target": moved.target})
        details = {"source": moved.source}
        await asyncio.to_thread(
            self._shared.journal.add_state_change, FAILOVER, name, moved.target, details, now
        )

    async def _consider(self, strategy: Strategy, symbol: str) -> None:
        """Ask a strategy about one symbol, and order what it wants if every check lets it."""
        seat = self.account.active or self.account.seats[0]
        view = self._view(seat, symbol)
        if view is None:
            _log.info("nothing to show a strategy", extra={"symbol": symbol, "venue": seat.name})
            return
        intent = strategy.intent(view)
        if intent is None:
            await self._shared.skips.clear(self.account.name, seat.name, symbol)
            return
        for holder, part in self._routed(intent, seat):
            if await self.order(holder, part) is not None:
                await self.guardian.protect(holder, symbol)

    def _view(self, seat: Seat, symbol: str) -> View | None:
        """What a strategy is shown of a symbol, None while something is missing."""
        market = seat.market
        instrument, quote, closes = (
            market.instruments.get(symbol),
            market.quotes.get(symbol),
            market.closes.get(symbol),
        )
        if instrument is None or quote is None or closes is None:
            return None
        held = self.account.positions().get(symbol, ZERO)
        return View(symbol, closes, held, instrument, quote, self._sentiment.get(symbol))

    def _routed(self, intent: Intent, active: Seat) -> list[tuple[Seat, Intent]]:
        """Where an order goes: what shrinks a position, to those that hold it; all else, to the active one."""
        if not intent.reduce_only:
            return [(active, intent)]
        parts, left = [], intent.quantity
        for seat in self.account.seats:
            held = seat.desk.ledger.position(intent.symbol)
            part = min(left, abs(held)) if held * intent.side.sign < ZERO else ZERO
            if part > ZERO:
                parts.append((seat, replace(intent, quantity=part)))
                left -= part
        return parts

    async def order(self, seat: Seat, intent: Intent) -> Order | None:
        """Let the RiskGate judge an order, and place it if it has no objection; None if it was not placed.

        Every order of the engine goes through here.
        """
        client_order_id = seat.desk.next_id()
        denial = riskgate.judge(intent, client_order_id, self.account.situation(seat))
        self._shared.metrics.decision(denial.reason if denial else None)
        await self._decisions[seat.name].note(intent, denial)
        if denial is not None:
            if denial.reason is Reason.SYMBOL_LOCKED:
                await self.account.lock(intent.symbol)
            await self._skip(seat, intent, denial)
            return None
        began = self._shared.clock.monotonic()
        with correlated(client_order_id=client_order_id, venue=seat.name):
            order = await seat.desk.place(intent)
            self._shared.metrics.order_latency(
                self.account.name, seat.name, self._shared.clock.monotonic() - began
            )
            if order.state is OrderState.WITHHELD:
                await self._skip(seat, intent, Denial(Reason(order.reason)))  # type: ignore[call-arg]  # looked up by value
                return None
            await self._shared.skips.clear(self.account.name, seat.name, intent.symbol, intent.purpose)
            await self._after(seat)
        return order

    async def _after(self, seat: Seat) -> None:
        """Read the account anew: margin, equity and counts have changed."""
        try:
            await seat.refresh()
        except UnavailableError as error:
            _log.warning("venue unavailable: %s", error, extra={"venue": seat.name})
        await self.account.take_stock()

    async def _skip(self, seat: Seat, intent: Intent, denial: Denial) -> None:
        """Count and note an order that was not sent."""
        self._shared.metrics.order(self.account.name, "skipped")
        await self._shared.skips.note(self.account.name, seat.name, intent, denial)

    def last_look(self, intent: Intent) -> Reason | None:
        """Why an order that is signed and connected must still not go; from memory only."""
        permissions = self.account.permissions
        if not permissions.leading():
            return Reason.STANDBY
        if intent.purpose is Purpose.KILL:
            return None if intent.reduce_only else Reason.REDUCE_ONLY_VIOLATED
        if self._shared.safety.stopped(self.account.name):
            return Reason.EMERGENCY_STOP_ACTIVE
        if (applied := permissions.stop_applied()) is not False:
            return Reason.EMERGENCY_STOP_APPLIED if applied else Reason.EMERGENCY_STOP_UNKNOWN
        gate = permissions.gate()
        if gate is Reason.GATE_OPEN or (gate is Reason.GATE_REDUCE_ONLY and intent.reduce_only):
            return None
        return gate
