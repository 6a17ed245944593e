"""One account over all its venues: what it is worth, what it has done, and the situation of its next order."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal

from golive_api.profiles import Limits
from golive_api.reasons import Reason
from golive_engine.clock import Clock, utc_day, utc_week
from golive_engine.correlation import Correlations
from golive_engine.journal import Journal
from golive_engine.ledger import losses_in_a_row
from golive_engine.order_rate import RATE_SECONDS, REPEAT_SECONDS, repeated
from golive_engine.pool import Failover, Pool
from golive_engine.recent_prices import medians
from golive_engine.risk import Standing
from golive_engine.safety import Safety
from golive_engine.seat import Seat
from golive_engine.settings import AccountSettings, Mode, Settings
from golive_engine.situation import Bounds, Situation
from golive_engine.trading import ZERO

DAY_SECONDS = 86_400
"""Length of a UTC day; leap seconds don't exist on this clock."""


@dataclass(frozen=True, slots=True)
class Permissions:
    """What the engine as a whole says about an account, asked anew for every decision."""

    gate: Callable[[], Reason]
    """The gate's answer for this account."""
    leading: Callable[[], bool]
    """Whether this pod holds the Lease."""
    limits: Callable[[], Limits | None]
    """The limits that hold now, None if there are none."""
    stop_applied: Callable[[], bool | None]
    """Whether an EmergencyStop object holds this account, None if that is not known."""


@dataclass(frozen=True, slots=True)
class Marks:
    """What losses are measured from, in quote currency."""

    day_start: Decimal
    """Equity at the first look after 00:00 UTC."""
    week_start: Decimal
    """Equity at the first look after Monday 00:00 UTC."""
    peak: Decimal
    """Highest equity ever seen, or since a stop was released."""


class Account:
    """One account.

    Args:
        own: Its settings.
        seats: Its places on venues, the preferred one first.
        permissions: Gate, Lease and limits.
        settings: What the engine was told.
        journal: Where its past is.
        safety: Global Risk and emergency stops.
        clock: Both clocks.
    """

    def __init__(
        self,
        own: AccountSettings,
        seats: list[Seat],
        permissions: Permissions,
        settings: Settings,
        journal: Journal,
        safety: Safety,
        clock: Clock,
    ) -> None:
        self.name = own.name
        self.own = own
        self.seats = seats
        self.permissions = permissions
        self.equity: Decimal | None = None
        self.loss_equity: Decimal | None = None
        self.marks: Marks | None = None
        self.locked: frozenset[str] | None = None
        self.failovers = 0
        self._pool = Pool([seat.name for seat in seats])
        self._settings = settings
        self._journal = journal
        self._safety = safety
        self._clock = clock
        self._strategies = frozenset(own.strategies)
        self._trades_today: int | None = None
        self._order_times: list[float] | None = None
        self._due: frozenset[str] = frozenset()
        self._limits: Limits | None = None
        self._bounds: Bounds | None = None
        self._witnesses: frozenset[str] = frozenset()
        correlation = settings.correlation
        self._correlations = Correlations(
            correlation.clusters.values(), correlation.threshold, correlation.returns
        )
        self._correlated: Mapping[str, frozenset[str]] = {}
        self._medians: dict[str, Decimal] = {}

    def forget(self) -> None:
        """Believe nothing any more."""
        for seat in self.seats:
            seat.forget()
        self.equity = self.loss_equity = self.marks = self.locked = None
        self._trades_today = self._order_times = None

    def forget_losses(self) -> None:
        """Count losses in a row anew: a person has released a stop."""
        for seat in self.seats:
            seat.desk.ledger.forget_closings()

    @property
    def active(self) -> Seat | None:
        """Where new positions are opened, None while no venue is available."""
        return next((seat for seat in self.seats if seat.name == self._pool.active), None)

    @property
    def agrees(self) -> bool:
        """Whether every venue that was read since this pod leads agrees with the journal, and one was."""
        read = [seat for seat in self.seats if seat.last is not None]
        return bool(read) and all(seat.reconciliation.agreed for seat in read)

    def positions(self) -> dict[str, Decimal]:
        """Signed quantities over all venues, flat ones left out."""
        total: dict[str, Decimal] = {}
        for seat in self.seats:
            for symbol, quantity in seat.desk.ledger.positions().items():
                total[symbol] = total.get(symbol, ZERO) + quantity
        return {symbol: quantity for symbol, quantity in total.items() if quantity}

    def choose(self) -> Failover | None:
        """Let new positions go to the first venue that is available; returns the move if there is one."""
        moved = self._pool.choose([seat.venue.state for seat in self.seats])
        self.failovers += moved is not None
        return moved

    async def take_stock(self) -> None:
        """Take in the last readings of all venues, and what was sent lately.

        A venue that can't be read keeps its last reading in what losses are measured by, and adds nothing to
        what limits are shares of: it must look neither like a loss nor like money that is there.
        """
        fresh = [seat.snapshot.equity for seat in self.seats if seat.snapshot is not None]
        last = [seat.last.equity for seat in self.seats if seat.last is not None]
        self.equity = sum(fresh, ZERO) if fresh else None
        self.loss_equity = sum(last, ZERO) if len(last) == len(self.seats) else None
        await self.count()

    async def judge(self) -> None:
        """Let Global Risk judge where the account stands, once for each time that its venues were read."""
        if self.loss_equity is None:
            await self._safety.judge(self.name, None)
            return
        standing = await self._mark(self.loss_equity)
        read = frozenset(seat.name for seat in self.seats if seat.snapshot is not None)
        # An old reading must not confirm itself: a venue that told of a loss has to tell so again.
        is_news = bool(read) and (read >= self._witnesses or not self._safety.doubts(self.name))
        if is_news:
            self._witnesses = read
        await self._safety.judge(self.name, standing if is_news else None)
        active = self.active
        if active is not None and active.snapshot is not None:
            self._medians = medians(active.market.closes)
            self._correlated = self._correlations.of(active.market.closes)

    async def _mark(self, equity: Decimal) -> Standing:
        """Note what losses are measured from."""
        journal, now = self._journal, self._clock.wall()
        day = await asyncio.to_thread(journal.mark_equity, self.name, utc_day(now), equity)
        week = await asyncio.to_thread(journal.mark_week, self.name, utc_week(now), equity)
        capital = await asyncio.to_thread(journal.capital, self.name, equity)
        peak = await asyncio.to_thread(journal.peak, self.name, equity)
        self.marks = Marks(day.start_equity, week, peak)
        losses = losses_in_a_row(seat.desk.ledger for seat in self.seats)
        return Standing(equity, capital, day.start_equity, day.peak_equity, losses)

    async def count(self) -> None:
        """Count what was sent lately, from the journal: a restart must not start counting anew."""
        bounds, now = self.bounds(), self._clock.wall()
        await asyncio.to_thread(self._count, bounds, now)

    def _count(self, bounds: Bounds | None, now: float) -> None:
        """The same, in one thread: each way there and back costs as much as a look."""
        journal, name = self._journal, self.name
        trades = journal.new_risk_orders_since(name, now - now % DAY_SECONDS)
        times = journal.order_times_since(name, now - RATE_SECONDS)
        recent = journal.new_risk_times(name, now - REPEAT_SECONDS)
        released, locked = journal.lock_releases(name), journal.locked_symbols(name)
        due = repeated(recent, released, bounds.repeated_orders) if bounds else frozenset[str]()
        self._trades_today, self._order_times, self._due, self.locked = trades, times, due, locked

    async def lock(self, symbol: str) -> None:
        """Lock a symbol whose next order would be one too many; only a person unlocks it."""
        if self.locked is not None and symbol in self._due - self.locked:
            await asyncio.to_thread(self._journal.lock_symbol, self.name, symbol, {}, self._clock.wall())
            self.locked |= {symbol}

    def bounds(self) -> Bounds | None:
        """The limits that hold now, as numbers; notionals cut down in mode canary."""
        limits = self.permissions.limits()
        if limits is None:
            return None
        if limits is not self._limits:
            self._limits, bounds = limits, Bounds.of(limits)
            canary = self._settings.mode is Mode.CANARY
            self._bounds = bounds.shrunk(self._settings.canary_percent) if canary else bounds
        return self._bounds

    def situation(self, seat: Seat) -> Situation:
        """Everything that a decision about an order on one of the venues rests on, as of now."""
        others, market, snapshot, marks = self.others(seat), seat.market, seat.snapshot, self.marks
        prices = {
            symbol: price for other in others for symbol, price in other.market.prices.items()
        } | seat.market.prices
        return Situation(
            gate=self.permissions.gate(),
            leading=self.permissions.leading(),
            venue_available=seat.available,
            clock_skew=None if market.skew_seconds is None else abs(market.skew_seconds),
            clock_skew_bound=self._settings.venue.max_clock_skew_seconds,
            strategies=self._strategies,
            dry_run=self._settings.mode is Mode.DRY_RUN,
            reconciled=seat.reconciliation.agreed,
            stopped=self._safety.stopped(self.name),
            stop_applied=self.permissions.stop_applied(),
            risk_state=self._safety.risk_state(self.name),
            equity=self.equity,
            day_start_equity=marks.day_start if marks else None,
            week_start_equity=marks.week_start if marks else None,
            peak_equity=marks.peak if marks else None,
            loss_equity=self.loss_equity,
            venue_equity=snapshot.equity if snapshot else None,
            margin_used=snapshot.margin_used if snapshot else None,
            instruments=market.instruments,
            prices=prices,
            quotes=market.quotes,
            medians=self._medians,
            depths=market.depths,
            correlated=self._correlated,
            price_ages=market.ages(),
            price_age_bound=self._settings.staleness.price_seconds,
            depth_ages=market.depth_ages(),
            depth_age_bound=self._settings.staleness.depth_seconds,
            exposures=seat.exposures(others),
            leverages=market.leverages,
            bounds=self.bounds(),
            trades_today=self._trades_today,
            orders_last_minute=self._orders_last_minute(),
            locked_symbols=None if self.locked is None else self.locked | self._due,
            unknown_symbols=seat.desk.unknown_symbols,
            unknown_elsewhere=self.unknown_elsewhere(seat),
            sent_ids=seat.desk.sent_ids,
        )

    def _orders_last_minute(self) -> int | None:
        """Orders of the last minute, None if they were not counted yet."""
        if self._order_times is None:
            return None
        start = self._clock.wall() - RATE_SECONDS
        return sum(1 for time in self._order_times if time > start)

    def others(self, seat: Seat) -> list[Seat]:
        """Every other seat."""
        return [other for other in self.seats if other is not seat]

    def unknown_elsewhere(self, seat: Seat) -> frozenset[str] | None:
        """Symbols whose position on another venue is not known; None if that is true of all."""
        found: frozenset[str] = frozenset()
        for other in self.others(seat):
            unknown = other.unknown_symbols
            if unknown is None:
                return None
            found |= unknown
        return found
