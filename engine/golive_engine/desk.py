"""The order desk of one account: writes an order down, sends it once, and asks until its outcome is known."""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal

from golive_api.digest import sha256
from golive_api.reasons import Reason
from golive_engine.clock import Clock
from golive_engine.journal import Fill, Journal
from golive_engine.ledger import Ledger
from golive_engine.orders import (
    OUTCOME_UNKNOWN,
    UNSETTLED,
    Order,
    OrderEvent,
    OrderState,
    fill_between,
    may_count_as_refused,
)
from golive_engine.situation import Exposure
from golive_engine.trading import (
    ZERO,
    Execution,
    Intent,
    OutcomeUnknownError,
    RefusedError,
    Side,
    Venue,
    WithheldError,
)

LastLook = Callable[[Intent], Reason | None]
"""Asked when everything is ready to be sent: None lets the order go."""

_log = logging.getLogger(__name__)


class OrderDesk:
    """One account's orders and positions, as the journal knows them.

    Args:
        account: Name of the account.
        engine: Name of the engine; it marks our orders on the venue.
        venue: Where to send.
        journal: Where to write first.
        clock: For the times of orders.
        last_look: Asked with the connection open and the order signed.
        settle_seconds: After this long an order that the venue does not know was never received.
        on_outcome: Told the state of each order whenever it changes.
    """

    def __init__(
        self,
        account: str,
        engine: str,
        venue: Venue,
        journal: Journal,
        clock: Clock,
        last_look: LastLook,
        settle_seconds: float,
        on_outcome: Callable[[Order], None],
    ) -> None:
        self._account = account
        self._venue = venue
        self._journal = journal
        self._clock = clock
        self._last_look = last_look
        self._settle_seconds = settle_seconds
        self._on_outcome = on_outcome
        self._lock = asyncio.Lock()
        self._unsettled: dict[str, Order] = {}
        self._sequence = 0
        self.prefix = f"gl-{sha256([engine, account])[:6]}-"
        self.ledger = Ledger()
        self.sent_ids: set[str] = set()

    async def open(self) -> None:
        """Read the journal: positions from its fills, and the orders that still need asking."""
        async with self._lock:
            await self._open()

    async def _open(self) -> None:
        """Read, while nothing is written."""
        orders = await asyncio.to_thread(self._journal.orders, self._account)
        fills = await asyncio.to_thread(self._journal.fills, self._account)
        self._sequence = await asyncio.to_thread(self._journal.next_sequence)
        released = await asyncio.to_thread(self._journal.last_release)
        self.ledger = Ledger()
        for fill in fills:
            counts = fill.client_order_id is not None and fill.time > released
            take = self.ledger.fill if counts else self.ledger.correct
            take(fill.symbol, fill.signed_quantity, fill.price)
        self.sent_ids = {order.client_order_id for order in orders}
        self._unsettled = {order.client_order_id: order for order in orders if order.state in UNSETTLED}

    @property
    def unsettled(self) -> tuple[Order, ...]:
        """Orders whose last word has not been heard."""
        return tuple(self._unsettled.values())

    @property
    def unknown_symbols(self) -> frozenset[str]:
        """Symbols on which an order's outcome is unknown."""
        return frozenset(o.symbol for o in self._unsettled.values() if o.state in OUTCOME_UNKNOWN)

    def next_id(self) -> str:
        """The client order id of the next order: engine, account, journal and number."""
        return f"{self.prefix}{self._journal.identity}-{self._sequence:08d}"

    def exposures(self) -> dict[str, Exposure]:
        """Every symbol with a position or an unsettled order."""
        found = {symbol: Exposure(quantity) for symbol, quantity in self.ledger.positions().items()}
        for order in self._unsettled.values():
            exposure = found.get(order.symbol, Exposure(ZERO))
            if order.side is Side.BUY:
                found[order.symbol] = replace(exposure, buying=exposure.buying + order.remaining)
            else:
                found[order.symbol] = replace(exposure, selling=exposure.selling + order.remaining)
        return found

    async def place(self, intent: Intent) -> Order:
        """Write an order down, then send it, once; returns it in whatever state it then is.

        Raises:
            JournalError: It could not be written down, and was not sent.
        """
        async with self._lock:
            order = Order(
                self.next_id(),
                self._account,
                intent.symbol,
                intent.side,
                intent.quantity,
                intent.reduce_only,
                self._clock.wall(),
            )
            self._sequence += 1
            self.sent_ids.add(order.client_order_id)
            await asyncio.to_thread(self._journal.add_order, order)
            self._unsettled[order.client_order_id] = order
            return await self._send(intent, order)

    async def _send(self, intent: Intent, order: Order) -> Order:
        """Send an order that is written down, and write its outcome."""
        try:
            execution = await self._venue.send(intent, order.client_order_id, lambda: self._last_look(intent))
        except WithheldError as withheld:
            return await self._keep(order, order.after(OrderEvent.WITHHOLDS, withheld.reason))
        except RefusedError as refusal:
            return await self._keep(order, order.after(OrderEvent.REFUSES, str(refusal)))
        except OutcomeUnknownError as unknown:
            return await self._keep(order, order.after(OrderEvent.LOST, str(unknown)))
        return await self._keep(order, order.reported(execution))

    async def settle(self) -> None:
        """Ask the venue about every unsettled order; raises UnavailableError if it does not answer."""
        for client_order_id in tuple(self._unsettled):
            async with self._lock:
                order = self._unsettled.get(client_order_id)
                if order is not None:
                    await self._ask(order)

    async def _ask(self, order: Order) -> None:
        """Ask about one order. Not known counts as refused only when its receive window is long over."""
        execution = await self._venue.ask(order.symbol, order.client_order_id)
        if execution is not None:
            await self._keep(order, order.reported(execution))
        elif may_count_as_refused(order, self._clock.wall(), self._settle_seconds):
            # a venue forgets old orders without fills: what it confirmed once has ended, not been refused
            event = OrderEvent.ENDS if order.state is OrderState.WORKING else OrderEvent.REFUSES
            await self._keep(order, order.after(event, "the venue does not know it"))
        elif order.state is OrderState.PENDING:
            await self._keep(order, order.after(OrderEvent.LOST, "found pending"))

    async def adopt(self, execution: Execution) -> None:
        """Take over an order of ours that the venue has and the journal lost."""
        order = Order(
            execution.client_order_id,
            self._account,
            execution.symbol,
            execution.side,
            execution.quantity,
            False,
            self._clock.wall(),
            reason="adopted",
        )
        async with self._lock:
            self.sent_ids.add(order.client_order_id)
            await asyncio.to_thread(self._journal.add_order, order)
            self._unsettled[order.client_order_id] = order
            await self._keep(order, order.reported(execution))

    async def correct(self, symbol: str, signed: Decimal, price: Decimal) -> None:
        """Make the journal agree with a position on the venue that no known order explains."""
        fill = Fill(self._account, symbol, None, signed, price, self._clock.wall())
        async with self._lock:
            await asyncio.to_thread(self._journal.add_fill, fill)
            self.ledger.correct(symbol, signed, price)

    async def _keep(self, before: Order, after: Order) -> Order:
        """Write a change down, with the fill that came with it, and only then act on it."""
        if after == before:
            return after
        fill, now = None, self._clock.wall()
        if (filled := fill_between(before, after)) is not None:
            signed, price = filled
            fill = Fill(self._account, after.symbol, after.client_order_id, signed, price, now)
        await asyncio.to_thread(self._journal.update_order, after, fill, now)
        if fill is not None:
            self.ledger.fill(fill.symbol, fill.signed_quantity, fill.price)
        if after.state in UNSETTLED:
            self._unsettled[after.client_order_id] = after
        else:
            self._unsettled.pop(after.client_order_id, None)
        _log.info(
            "order %s",
            after.state,
            extra={
                "client_order_id": after.client_order_id,
                "symbol": after.symbol,
                "side": after.side,
                "quantity": after.quantity,
                "filled": after.filled,
                "average_price": after.average_price,
                "reason": after.reason,
            },
        )
        self._on_outcome(after)
        return after
