"""A shadow of the engine on a simulated exchange: told to take turns, and watched from both sides."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

from golive_api.profiles import Limits
from golive_api.reasons import Reason
from golive_engine.account import Permissions
from golive_engine.assembly import Workshop
from golive_engine.cache import open_cache
from golive_engine.clock import SystemClock
from golive_engine.journal import Journal, Stop
from golive_engine.metrics import Metrics
from golive_engine.orders import OrderState
from golive_engine.safety import Safety
from golive_engine.seat import Seat
from golive_engine.sentiment import open_sentiment
from golive_engine.settings import Settings
from golive_engine.skips import Skips
from golive_engine.stress.candles import STARTS
from golive_engine.stress.exchange import KEY, SimulatedExchange, simulated_exchange
from golive_engine.stress.outcome import Finding
from golive_engine.stress.stage import ACCOUNT, Ground, Stage, StagingError
from golive_engine.trader import Shared, Trader
from golive_engine.trading import ZERO, Intent, Side, VenueName
from golive_engine.venues import Credentials

SYMBOLS = tuple(STARTS)
"""What the shadow trades."""

PATIENCE = 4
"""Turns in which a position has to be opened: on a busy machine prices may grow old within one."""


class UnmetError(Exception):
    """An outcome was another one than promised."""


class SkippingClock:
    """The machine's clocks, of which the one that measures waits can be sent ahead."""

    def __init__(self) -> None:
        self._real = SystemClock()
        self._skipped = 0.0

    def monotonic(self) -> float:
        """Seconds that only grow, for deadlines."""
        return self._real.monotonic() + self._skipped

    def wall(self) -> float:
        """Seconds since 1970 UTC; the simulator has the same."""
        return self._real.wall()

    def skip(self, seconds: float) -> None:
        """Let a wait be over."""
        self._skipped += seconds


class Shadow:
    """The engine's own classes, put together as the engine does it.

    Args:
        settings: Its settings.
        exchange: Where it trades.
        findings: Where outcomes are noted.
    """

    def __init__(self, settings: Settings, exchange: SimulatedExchange, findings: list[Finding]) -> None:
        self.exchange = exchange
        self.clock = SkippingClock()
        self._findings = findings
        self.alerts: list[str] = []
        self.settings = settings
        own = settings.accounts[0]
        self.journal = Journal(settings.journal.url, ACCOUNT)
        metrics = Metrics({ACCOUNT: own.environment}, {ACCOUNT: [seat.venue for seat in own.venues]})
        self.safety = Safety({ACCOUNT: own.environment}, self.journal, self.clock, metrics.trigger, self._alert)
        self._cache = open_cache(settings.cache, ACCOUNT, self.clock, metrics.cache)
        shared = Shared(
            journal=self.journal,
            safety=self.safety,
            metrics=metrics,
            skips=Skips(self.journal, self.clock),
            sentiment=open_sentiment(settings.sentiment, self._cache, self.clock),
            clock=self.clock,
            alert=self._alert,
            beat=lambda: None,
        )
        permissions = Permissions(
            gate=lambda: Reason.GATE_OPEN,
            leading=lambda: True,
            limits=lambda: self.limits,
            stop_applied=lambda: False,
        )
        keys = {(ACCOUNT, seat.venue): Credentials(KEY, KEY, "passphrase") for seat in own.venues}
        self.trader: Trader = Workshop(settings, keys, shared, self._cache, lambda _: permissions).trader(own)

    def _alert(self, subject: str, _text: str) -> None:
        """Hear what people are told."""
        self.alerts.append(subject)

    async def close(self) -> None:
        """Let go of everything."""
        for seat in self.trader.account.seats:
            await seat.venue.close()
        await self._cache.close()
        self.journal.close()

    async def turn(self, times: int = 1) -> None:
        """Take a turn as a cycle does, or several."""
        for _ in range(times):
            if await self.safety.refresh():
                self.trader.account.forget_losses()
            await self.trader.turn()

    async def begin(self) -> None:
        """Take the first turns, until a position is held in every symbol; raises StagingError."""
        await self._until_held(SYMBOLS)
        if missing := [symbol for symbol in SYMBOLS if not self.held(symbol)]:
            answers = ", ".join(f"{symbol}: {self.answer(symbol) or 'not wanted'}" for symbol in missing)
            raise StagingError(f"no position even in a calm market ({answers})")
        self.expect("no position is without a stop loss on the venue", await self.naked(), [])

    async def _until_held(self, symbols: Sequence[str]) -> None:
        """Take turns until there is a position in each symbol, or it is clear that there won't be."""
        for _ in range(PATIENCE):
            await self.turn()
            if all(map(self.held, symbols)):
                return

    @property
    def limits(self) -> Limits:
        """The limits that hold."""
        return self.settings.limits_of(ACCOUNT)

    def held(self, symbol: str) -> Decimal:
        """What the shadow believes to hold, on all venues."""
        return self.trader.account.positions().get(symbol, ZERO)

    def seat(self, venue: VenueName) -> Seat:
        """Its place on a venue."""
        return next(seat for seat in self.trader.account.seats if seat.name == venue)

    def answer(self, symbol: str) -> str:
        """The RiskGate's last word on a new position: a reason, or nothing if it was allowed, or not asked."""
        rows = self.journal.decisions(ACCOUNT)
        opening = [row.reason for row in rows if row.symbol == symbol and not row.reduce_only]
        return opening[-1] if opening else ""

    async def shrink(self, symbol: str) -> OrderState | None:
        """Close a position where it is, as the strategy does on a signal; None if that was denied."""
        seat = next(seat for seat in self.trader.account.seats if seat.desk.ledger.position(symbol))
        return await self._order(seat, Intent(symbol, Side.SELL, self.held(symbol), reduce_only=True))

    async def enlarge(self, symbol: str) -> OrderState | None:
        """Double a position where new ones are opened; None if that was denied."""
        account = self.trader.account
        stop = self.settings.strategies[0].stop_loss_percent
        intent = Intent(symbol, Side.BUY, self.held(symbol), stop_percent=stop)
        return await self._order(account.active or account.seats[0], intent)

    async def _order(self, seat: Seat, intent: Intent) -> OrderState | None:
        """Order in the strategy's name, and protect what comes of it."""
        order = await self.trader.order(seat, replace(intent, strategy=self.settings.strategies[0].name))
        await self.trader.guardian.protect(seat, intent.symbol)
        return None if order is None else order.state

    @property
    def active(self) -> str:
        """Where new positions are opened; empty for nowhere."""
        active = self.trader.account.active
        return active.name if active is not None else ""

    async def positions(self, venue: VenueName) -> dict[str, Decimal]:
        """What a venue itself says that is held, in base currency."""
        rows = (await self.exchange.account(venue))["positions"]
        return {_symbol(name): Decimal(row["quantity"]) for name, row in rows.items()}

    async def differences(self) -> list[str]:
        """Venues whose positions are not those of the journal."""
        seats = self.trader.account.seats
        return [
            seat.name for seat in seats if await self.positions(seat.venue.name) != seat.desk.ledger.positions()
        ]

    async def naked(self) -> list[str]:
        """Positions on the venues, as these have them, that no stop loss of their size protects."""
        found = []
        for seat in self.trader.account.seats:
            account = await self.exchange.account(seat.venue.name)
            stops = {
                (row["request"]["symbol"], Decimal(row["request"]["quantity"]))
                for row in account["algos"]
                if row["status"] == "NEW" and row["request"]["order_type"] == "STOP_MARKET"
            }
            held = {symbol: abs(Decimal(row["quantity"])) for symbol, row in account["positions"].items()}
            found += [
                f"{symbol} on {seat.name}" for symbol, size in held.items() if (symbol, size) not in stops
            ]
        return found

    async def denies_new_risk(self, symbol: str, reason: Reason) -> None:
        """Expect that a position may still be closed, and then no new one be opened, for one reason."""
        closed = await self.shrink(symbol)
        self.expect("a position may still be closed", closed, OrderState.FILLED)
        before = await self.exchange.entries()
        await self.turn(2)
        self.expect("a new one is denied", self.answer(symbol), reason)
        reached = set(await self.exchange.entries()) - set(before)
        self.expect("no such order reaches a venue", reached, set())
        self.expect("no position is without a stop loss on the venue", await self.naked(), [])

    async def recovers(self, symbol: str) -> None:
        """Expect that a position is opened now that the trouble is over."""
        await self._until_held([symbol])
        held = self.held(symbol)
        self.confirm("once it is over, it is opened", held, holds=held > ZERO)

    def answers(self) -> set[str]:
        """The last word on each symbol."""
        return {self.answer(symbol) for symbol in SYMBOLS}

    def stops(self) -> list[Stop]:
        """Emergency stops in the journal that nobody has released."""
        return self.journal.active_stops()

    def expect(self, promise: str, seen: object, wanted: object) -> None:
        """Note an outcome; raises UnmetError if it is not the wanted one."""
        self.confirm(promise, seen, holds=seen == wanted, wanted=f", wanted {_told(wanted)}")

    def confirm(self, promise: str, seen: object, *, holds: bool, wanted: str = "") -> None:
        """Note what was seen; raises UnmetError if the promise does not hold."""
        self._findings.append(Finding(promise=promise, seen=_told(seen)))
        if not holds:
            raise UnmetError(f"{promise}: seen {_told(seen)}{wanted}")


def _symbol(name: str) -> str:
    """The engine's name of a contract."""
    return name.removesuffix("-SWAP").replace("-", "")


def _told(value: object) -> str:
    """A value for a person."""
    if isinstance(value, list | set | dict):
        return ", ".join(sorted(map(_told, value))) or "none"
    if isinstance(value, Stop):
        return value.trigger
    return str(value) or "nothing"


@asynccontextmanager
async def shadow_on(
    stage: Stage, ground: Ground, folder: Path, findings: list[Finding]
) -> AsyncIterator[Shadow]:
    """Run a shadow, its exchange in a child process; raises StagingError, ExchangeError."""
    balances = dict.fromkeys(stage.venues, stage.balance(ground))
    async with simulated_exchange(folder, balances) as exchange:
        shadow = Shadow(stage.settings(ground, folder, exchange.ca_file, exchange.host), exchange, findings)
        try:
            yield shadow
        finally:
            await shadow.close()
