"""The kill protocol: cancel entries on every venue, flatten if asked to, stops last; bounded, and reported.

Whoever starts it has latched an emergency stop first, so that nothing new is sent meanwhile.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import TypeVar

from golive_engine.kill_report import KillReport, SymbolReport, TargetReport
from golive_engine.trading import ZERO, Execution, Intent, Purpose, Side, Venue

NO_ANSWER = "no answer in time"
"""What is told of a venue that still hung when time was up."""

T = TypeVar("T")
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Target:
    """One account on one venue."""

    account: str
    """Whose."""
    venue: Venue
    """Where; not behind a circuit breaker."""
    symbols: frozenset[str]
    """What is traded there: its entries are cancelled unseen if the venue does not tell what rests."""


Place = Callable[[Target, Intent], Awaitable[object]]
"""Sends a reduce-only market order through RiskGate and order desk; whatever it raises holds up nothing."""


@dataclass(frozen=True, slots=True)
class KillBounds:
    """How long the protocol may take."""

    rounds: int = 20
    """Looks at each venue."""
    poll_seconds: float = 0.5
    """Time between two looks."""
    most_seconds: float = 60.0
    """All of it: a venue that hangs must not keep the report waiting."""


async def kill(
    targets: Sequence[Target], place: Place, *, flatten: bool, bounds: KillBounds | None = None
) -> KillReport:
    """Carry the protocol out on every venue at once; whatever a venue does, the report comes in time.

    Args:
        targets: Every account on each of its venues.
        place: How orders are sent that close positions.
        flatten: Whether to close positions at all; if not, they stay with their stops.
        bounds: How long it may take.
    """
    bounds = bounds or KillBounds()
    runs = [_Run(target, place, flatten=flatten) for target in targets]
    tasks = [asyncio.create_task(run.carry_out(bounds)) for run in runs]
    try:
        if tasks:
            await asyncio.wait(tasks, timeout=bounds.most_seconds)
    finally:
        for task in tasks:
            task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    report = KillReport(flatten, tuple(run.report() for run in runs))
    _log.critical("kill protocol ended\n%s", report.text())
    return report


class _Run:
    """The protocol on one target: each round looks, then does whatever it sees is still to be done."""

    def __init__(self, target: Target, place: Place, *, flatten: bool) -> None:
        self._target = target
        self._venue = target.venue
        self._place = place
        self._flatten = flatten
        self._rows = dict.fromkeys(target.symbols, SymbolReport())
        self._first: dict[str, Decimal] | None = None
        self._cancelled: set[str] = set()
        self._problems: list[str] = []
        self._problem = NO_ANSWER

    def report(self) -> TargetReport:
        """What is known by now."""
        return TargetReport(self._target.account, self._venue.name, self._problem, dict(self._rows))

    async def carry_out(self, bounds: KillBounds) -> None:
        """Rounds, until one finds nothing to do."""
        for _ in range(bounds.rounds):
            self._problems, self._problem = [], NO_ANSWER
            is_done = await self._round()
            self._problem = "; ".join(dict.fromkeys(self._problems))
            if is_done and not self._problems:
                return
            await asyncio.sleep(bounds.poll_seconds)

    async def _round(self) -> bool:
        """Look and act; returns whether nothing was seen that had to be done.

        Positions are read after entries are cancelled: an entry that filled in between is in them.
        """
        orders = await self._tried(self._venue.open_orders())
        if orders is None:
            await self._cancel_unseen()
        entries = [order for order in orders or () if not order.reduce_only]
        await self._all(map(self._cancel, entries))
        snapshot = await self._tried(self._venue.snapshot())
        positions = None if snapshot is None else snapshot.positions
        self._note(orders if self._flatten or orders is None else entries, positions)
        if not self._flatten:
            return not entries
        await self._all(self._close(symbol, held) for symbol, held in (positions or {}).items())
        if orders is not None and positions is not None:
            busy = {order.symbol for order in entries if _can_be_named(order)} | positions.keys()
            await self._all(self._clear(symbol, orders) for symbol in {o.symbol for o in orders} - busy)
        return not orders and not positions

    async def _cancel_unseen(self) -> None:
        """Cancel what rests in the books without having seen it; stops and take profits are kept elsewhere."""
        await self._all(self._venue.cancel_all(s, conditional=False) for s in sorted(self._target.symbols))

    async def _cancel(self, order: Execution) -> None:
        """Cancel one entry.

        One without a client id was not placed by an engine. In the book it goes with all others there. A
        conditional one could go only together with the stops, so it stays until its symbol is flat.
        """
        if order.client_order_id:
            await self._venue.cancel(order.symbol, order.client_order_id, order.kind)
        elif not order.kind.is_conditional:
            await self._venue.cancel_all(order.symbol, conditional=False)
        if _can_be_named(order):
            self._count([order])

    async def _clear(self, symbol: str, orders: Sequence[Execution]) -> None:
        """Cancel everything on a symbol that is flat: stops and take profits have nothing left to protect."""
        left = [order for order in orders if order.symbol == symbol]
        for conditional in sorted({order.kind.is_conditional for order in left}):
            await self._venue.cancel_all(symbol, conditional=conditional)
        self._count(left)

    async def _close(self, symbol: str, held: Decimal) -> None:
        """Close a position at market, as large as the venue has just said it is."""
        side = Side.SELL if held > ZERO else Side.BUY
        intent = Intent(symbol, side, abs(held), reduce_only=True, purpose=Purpose.KILL)
        await self._place(self._target, intent)

    def _count(self, orders: Sequence[Execution]) -> None:
        """Note orders that were cancelled, each once."""
        for order in orders:
            if order.venue_order_id not in self._cancelled:
                self._cancelled.add(order.venue_order_id)
                row = self._rows.get(order.symbol, SymbolReport())
                self._rows[order.symbol] = replace(row, cancelled=row.cancelled + 1)

    def _note(self, unwanted: Sequence[Execution] | None, positions: dict[str, Decimal] | None) -> None:
        """Keep what this round has seen; what it has not seen stays as it was last seen."""
        symbols = [order.symbol for order in unwanted or ()]
        for symbol in self._rows.keys() | set(symbols) | (positions or {}).keys():
            row = self._rows.get(symbol, SymbolReport())
            if unwanted is not None:
                row = replace(row, orders_left=symbols.count(symbol))
            if positions is not None:
                self._first = positions if self._first is None else self._first
                left = positions.get(symbol, ZERO)
                gone = max(ZERO, abs(self._first.get(symbol, ZERO)) - abs(left))
                row = replace(row, position_left=left, flattened=gone)
            self._rows[symbol] = row

    async def _all(self, requests: Iterable[Awaitable[None]]) -> None:
        """Make requests side by side, each whatever becomes of the others."""
        await asyncio.gather(*map(self._tried, requests))

    async def _tried(self, request: Awaitable[T]) -> T | None:
        """Make a request; whatever goes wrong is a problem to report, and the next thing is done."""
        try:
            return await request
        except Exception as error:  # noqa: BLE001  # of all times not now
            _log.warning("kill protocol: %s", error, extra={"account": self._target.account})
            self._problems.append(f"{type(error).__name__}: {error}")
            return None


def _can_be_named(order: Execution) -> bool:
    """Whether an entry can be cancelled without taking stops along."""
    return bool(order.client_order_id) or not order.kind.is_conditional
