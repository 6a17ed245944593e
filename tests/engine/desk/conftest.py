"""A small venue whose every answer a test decides, and desks on it with a real journal."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from decimal import Decimal
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from golive_engine.clock import FakeClock
from golive_engine.desk import OrderDesk
from golive_engine.journal import Journal
from golive_engine.orders import Order
from golive_engine.reconciliation import Reconciliation
from golive_engine.trading import (
    ZERO,
    Depth,
    Execution,
    ExecutionStatus,
    Instrument,
    Intent,
    KeyRights,
    OrderKind,
    OutcomeUnknownError,
    Permit,
    Quote,
    RefusedError,
    Side,
    Snapshot,
    Trade,
    UnavailableError,
    VenueName,
    WithheldError,
)

D = Decimal
SETTLE_SECONDS = 20.0
WALLET = D(1000)
PRICE = D(100)


@dataclass
class SmallVenue:
    """One account: market orders fill at once at its price, all others rest until they are told to fill."""

    name: VenueName = "okx"
    clock: FakeClock = field(default_factory=FakeClock)
    fault: str = ""
    """Of the next order: drop, lose, refuse, or ids (it is filled, and the answer does not say so)."""
    down: bool = False
    price: Decimal = PRICE
    orders: dict[str, Execution] = field(default_factory=dict)
    booked: list[Trade] = field(default_factory=list)
    hidden: Decimal = ZERO
    """Position that no trade explains."""
    bonus: Decimal = ZERO
    """Equity that nothing explains."""
    requests: list[tuple[str, str]] = field(default_factory=list)
    numbers: Iterator[int] = field(default_factory=lambda: count(1))

    def _asked(self, what: str, whom: str = "") -> None:
        if self.down:
            raise UnavailableError("no answer")
        self.requests.append((what, whom))

    def asked(self, what: str) -> list[str]:
        """Whom or what requests of one sort were about."""
        return [whom for name, whom in self.requests if name == what]

    def trade(self, side: Side, quantity: Decimal, venue_order_id: str = "by-hand") -> None:
        """A fill on the account."""
        number = str(next(self.numbers))
        now = self.clock.wall()
        trade = Trade(f"t{number}", venue_order_id, "BTCUSDT", side, quantity, self.price, now)
        self.booked.append(trade)

    def fill(self, client_order_id: str, quantity: Decimal) -> None:
        """Fill some of a resting order."""
        order = self.orders[client_order_id]
        self.trade(order.side, quantity, order.venue_order_id)
        filled = order.filled_quantity + quantity
        price = (order.filled_quantity * order.average_price + quantity * self.price) / filled
        status = ExecutionStatus.FILLED if filled == order.quantity else order.status
        self.orders[client_order_id] = replace(
            order, filled_quantity=filled, average_price=price, status=status
        )

    async def send(self, intent: Intent, client_order_id: str, permit: Permit) -> Execution:
        """Send one order."""
        if (reason := permit()) is not None:
            raise WithheldError(reason)
        fault, self.fault = self.fault, ""
        self.requests.append(("send", client_order_id))
        if fault == "refuse":
            raise RefusedError("-2019 margin")
        if fault == "drop":
            raise OutcomeUnknownError("timeout")
        number = f"v{next(self.numbers)}"
        order = Execution(
            client_order_id,
            number,
            intent.symbol,
            intent.side,
            intent.quantity,
            ExecutionStatus.WORKING,
            ZERO,
            ZERO,
            intent.kind,
            intent.reduce_only,
            intent.limit_price if intent.trigger_price is None else intent.trigger_price,
        )
        self.orders[client_order_id] = order
        if intent.kind is OrderKind.MARKET:
            self.fill(client_order_id, intent.quantity)
        if fault == "lose":
            raise OutcomeUnknownError("504")
        return order if fault == "ids" else self.orders[client_order_id]

    async def ask(self, symbol: str, client_order_id: str, kind: OrderKind) -> Execution | None:
        """One order."""
        del symbol, kind
        self._asked("ask", client_order_id)
        return self.orders.get(client_order_id)

    async def trades(self, symbol: str, since: float) -> list[Trade]:
        """Fills since a moment."""
        self._asked("trades", symbol)
        return [trade for trade in self.booked if trade.time >= since]

    async def open_orders(self) -> list[Execution]:
        """Resting orders."""
        self._asked("open_orders")
        return [order for order in self.orders.values() if order.status is ExecutionStatus.WORKING]

    async def cancel(self, symbol: str, client_order_id: str, kind: OrderKind) -> None:
        """Cancel one order."""
        self._asked("cancel", f"{symbol} {kind} {client_order_id}")
        order = self.orders.get(client_order_id)
        if order is not None and order.status is ExecutionStatus.WORKING:
            self.orders[client_order_id] = replace(order, status=ExecutionStatus.ENDED)

    async def snapshot(self) -> Snapshot:
        """The account."""
        self._asked("snapshot")
        held = sum((t.quantity * t.side.sign for t in self.booked), self.hidden)
        entries = {"BTCUSDT": D(90)} if held else {}
        profit = held * (self.price - D(90))
        positions = {"BTCUSDT": held} if held else {}
        return Snapshot(WALLET + profit + self.bonus, ZERO, positions, entries, WALLET)

    async def quotes(self, symbols: frozenset[str]) -> dict[str, Quote]:
        """Best prices."""
        self._asked("quotes")
        return {s: Quote(s, self.price, self.price, 0.0) for s in symbols if s == "BTCUSDT"}

    async def instruments(self) -> dict[str, Instrument]:
        """No test asks."""
        raise NotImplementedError

    async def closes(self, symbol: str, count: int) -> tuple[Decimal, ...]:
        """No test asks."""
        raise NotImplementedError

    async def depth(self, symbol: str, percent: Decimal) -> Depth:
        """No test asks."""
        raise NotImplementedError

    async def server_time(self) -> float:
        """No test asks."""
        raise NotImplementedError

    async def rights(self) -> KeyRights:
        """No test asks."""
        raise NotImplementedError

    async def set_leverage(self, symbol: str, leverage: int) -> Decimal:
        """No test asks."""
        raise NotImplementedError

    async def cancel_all(self, symbol: str, *, conditional: bool) -> None:
        """No test asks."""
        raise NotImplementedError

    async def cancel_unless_renewed(self, seconds: int, symbols: frozenset[str]) -> None:
        """No test asks."""
        raise NotImplementedError

    async def close(self) -> None:
        """Nothing is open."""


@dataclass
class Room:
    """One seat: its desk, its venue, its journal."""

    desk: OrderDesk
    venue: SmallVenue
    journal: Journal
    clock: FakeClock
    outcomes: list[Order]

    @property
    def reconciliation(self) -> Reconciliation:
        """A new one, as after a start."""
        return Reconciliation(self.desk, self.venue)


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    """An empty journal."""
    made = Journal(f"sqlite:///{tmp_path}/journal.db")
    yield made
    made.close()


@pytest.fixture
def make_room(journal: Journal) -> Callable[..., Any]:
    """Give a function that opens a seat."""

    async def make(
        venue: SmallVenue | None = None, account: str = "main", pod: Journal = journal, **fields: Any
    ) -> Room:
        venue = venue or SmallVenue(**fields)
        outcomes: list[Order] = []
        desk = OrderDesk(
            account, "perps", venue, pod, venue.clock, lambda _: None, SETTLE_SECONDS, outcomes.append
        )
        await desk.open()
        return Room(desk, venue, pod, venue.clock, outcomes)

    return make


@pytest.fixture
async def room(make_room: Callable[..., Any]) -> Room:
    """One seat on OKX."""
    made: Room = await make_room()
    return made
