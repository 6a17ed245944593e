"""The order desk of one seat: writes an order down, sends it once, and asks until its outcome is known."""

import asyncio
import contextlib
import logging
from collections.abc import Callable, Collection, Sequence
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
    ImpossibleTransitionError,
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
    OrderKind,
    OutcomeUnknownError,
    Purpose,
    RefusedError,
    Side,
    Trade,
    UnavailableError,
    Venue,
    WithheldError,
)

LastLook = Callable[[Intent], Reason | None]
"""Asked when everything is ready to be sent: None lets the order go."""

ASKED_AGAIN = 20
"""How many of a symbol's newest orders are asked about again when its position can't be explained."""

CLOCK_MARGIN_SECONDS = 2.0
"""How far the venue's clock may be behind ours when its trades are asked for."""

_log = logging.getLogger(__name__)


class OrderDesk:
    """One account's orders and positions on one venue, as the journal knows them.

    Args:
        account: Name of the account.
        engine: Name of the engine; it marks our orders on the venue.
        venue: Where to send.
        journal: Where to write first; desks of one engine share it, and with it the numbers of orders.
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
        self._opened = 0.0
        self.prefix = f"gl{sha256([engine, account])[:6]}"
        self.ledger = Ledger()
        self.sent_ids: set[str] = set()

    async def open(self) -> None:
        """Read the journal: positions from its fills, and the orders that still need asking."""
        async with self._lock:
            orders = await asyncio.to_thread(self._journal.orders, self._account, self._venue.name)
            fills = await asyncio.to_thread(self._journal.fills, self._account, self._venue.name)
            await asyncio.to_thread(self._journal.catch_up)
            self._opened = self._clock.wall()
            self.ledger = Ledger(await asyncio.to_thread(self._journal.last_release))
            for fill in fills:
                self.ledger.take(fill)
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

    def resting(self, symbol: str) -> tuple[Order, ...]:
        """Stop losses and take profits that wait on the venue, or may do so."""
        return tuple(o for o in self._unsettled.values() if o.symbol == symbol and o.kind.is_conditional)

    def exposures(self) -> dict[str, Exposure]:
        """Every symbol with a position or an unsettled order; stop losses and take profits add nothing."""
        found = {symbol: Exposure(quantity) for symbol, quantity in self.ledger.positions().items()}
        for order in self._unsettled.values():
            if not order.kind.is_conditional:
                found[order.symbol] = _with(found.get(order.symbol, Exposure(ZERO)), order)
        return found

    def next_id(self) -> str:
        """The client order id that the next order gets, unless another desk orders before."""
        return self._id(self._journal.next_number)

    def _id(self, number: int) -> str:
        """Letters and digits only: engine and account, journal, number."""
        return f"{self.prefix}{self._journal.identity}{number:08d}"

    async def place(self, intent: Intent) -> Order:
        """Write an order down, then send it, once; returns it in whatever state it then is.

        Raises:
            JournalError: It could not be written down, and was not sent.
        """
        async with self._lock:
            order = Order(
                self._id(self._journal.take_number()),
                self._account,
                self._venue.name,
                intent.symbol,
                intent.side,
                intent.quantity,
                intent.reduce_only,
                self._clock.wall(),
                kind=intent.kind,
                price=intent.limit_price if intent.trigger_price is None else intent.trigger_price,
                purpose=intent.purpose,
                strategy=intent.strategy,
            )
            await self._add(order)
            order = await self._send(intent, order)
            if order.state is OrderState.WORKING and order.kind is OrderKind.MARKET:
                # Some venues answer with ids only: the fill is known at once to who asks for it.
                with contextlib.suppress(UnavailableError):
                    order = await self._ask(order)
            return order

    async def _add(self, order: Order) -> None:
        """Write a new order down."""
        self.sent_ids.add(order.client_order_id)
        await asyncio.to_thread(self._journal.add_order, order)
        self._unsettled[order.client_order_id] = order

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
        return await self._hear(order, execution)

    async def cancel(self, client_order_id: str) -> Order | None:
        """Ask the venue to cancel an unsettled order, then what became of it; None if there is none.

        A venue may still call it working for a moment. Raises UnavailableError if it does not answer.
        """
        async with self._lock:
            order = self._unsettled.get(client_order_id)
            if order is None:
                return None
            await self._venue.cancel(order.symbol, client_order_id, order.kind)
            return await self._ask(order)

    async def settle(self, symbols: Collection[str] | None = None) -> None:
        """Ask the venue about every unsettled order, or those of some symbols; unknown outcomes first.

        Raises:
            UnavailableError: It does not answer.
        """
        due = [order for order in self._unsettled.values() if symbols is None or order.symbol in symbols]
        for order in sorted(due, key=_urgency):
            async with self._lock:
                current = self._unsettled.get(order.client_order_id)
                if current is not None:
                    await self._ask(current)

    async def _ask(self, order: Order) -> Order:
        """Ask about one order. Not known counts as refused only when its receive window is long over."""
        execution = await self._venue.ask(order.symbol, order.client_order_id, order.kind)
        if execution is not None:
            return await self._hear(order, execution)
        if may_count_as_refused(order, self._clock.wall(), self._settle_seconds):
            # a venue forgets old orders without fills: what it confirmed once has ended, not been refused
            event = OrderEvent.ENDS if order.state is OrderState.WORKING else OrderEvent.REFUSES
            return await self._keep(order, order.after(event, "the venue does not know it"))
        if order.state is OrderState.PENDING:
            return await self._keep(order, order.after(OrderEvent.LOST, "found pending"))
        return order

    async def _hear(self, order: Order, execution: Execution) -> Order:
        """Take in the venue's report of an order; one that can't be true tells nothing."""
        try:
            return await self._keep(order, order.reported(execution))
        except ImpossibleTransitionError as error:
            _log.error("report not believed: %s", error)
            return await self._keep(order, order.after(OrderEvent.LOST, str(error)))

    async def adopt(self, execution: Execution) -> None:
        """Take over a resting order of ours whose last word, as the journal has it, is another one, or none."""
        async with self._lock:
            name = execution.client_order_id
            if name in self._unsettled:
                return
            order = next((o for o in await self._journalled() if o.client_order_id == name), None)
            if order is None:
                order = _found(execution, self._account, self._venue.name, self._clock.wall())
                await self._add(order)
                await self._hear(order, execution)
            elif order.state is not OrderState.FILLED:  # a list may lag behind what was just filled
                await self._revive(order, execution)

    async def ask_again(self, symbol: str) -> None:
        """Ask about a symbol's newest orders that are over: was that the last word?

        Raises:
            UnavailableError: The venue does not answer.
        """
        async with self._lock:
            over = (OrderState.ENDED, OrderState.REFUSED)
            orders = [o for o in await self._journalled() if o.symbol == symbol and o.state in over]
            for order in orders[-ASKED_AGAIN:]:
                execution = await self._venue.ask(symbol, order.client_order_id, order.kind)
                if execution is not None and execution.filled_quantity > order.filled:
                    await self._revive(order, execution)

    async def _revive(self, order: Order, execution: Execution) -> None:
        """Go on with an order that was thought to be over."""
        _log.warning("order reappeared", extra={"client_order_id": order.client_order_id, "was": order.state})
        revived = await self._keep(order, order.after(OrderEvent.REAPPEARS, f"reappeared after {order.state}"))
        await self._hear(revived, execution)

    async def trades_of_others(self, symbol: str) -> list[Trade]:
        """The account's newest trades of a symbol that are in no fill and of no order of ours, oldest first.

        Those since the last fill; without one, since the journal was opened.

        Raises:
            UnavailableError: The venue does not answer.
        """
        last = self.ledger.last_fill_time(symbol)
        since = self._opened if last is None else last
        trades = await self._venue.trades(symbol, since - CLOCK_MARGIN_SECONDS)
        fills = await asyncio.to_thread(self._journal.fills, self._account, self._venue.name)
        ours = {order.venue_order_id for order in await self._journalled() if order.symbol == symbol}
        booked = {fill.trade_id for fill in fills if fill.symbol == symbol}
        return [t for t in trades if t.venue_order_id not in ours and t.trade_id not in booked]

    async def book(self, trades: Sequence[Trade]) -> None:
        """Write down trades that somebody else made on this account, at their true prices."""
        await self._add_fills([_foreign(trade, self._account, self._venue.name) for trade in trades])

    async def correct(self, symbol: str, signed: Decimal, price: Decimal) -> None:
        """Make the journal agree with a position on the venue that no known order or trade explains.

        The fill's id tells how many went before it: written twice, by whomever, it counts once.
        """
        name, now = f"inferred-{self.ledger.fill_count(symbol) + 1}", self._clock.wall()
        await self._add_fills([Fill(self._account, self._venue.name, symbol, None, signed, price, now, name)])

    async def _add_fills(self, fills: list[Fill]) -> None:
        """Write fills without an order down, and only then count them."""
        async with self._lock:
            await asyncio.to_thread(self._journal.add_fills, fills)
            for fill in fills:
                self.ledger.take(fill)

    async def _journalled(self) -> list[Order]:
        """Every order, as the journal has it."""
        return await asyncio.to_thread(self._journal.orders, self._account, self._venue.name)

    async def _keep(self, before: Order, after: Order) -> Order:
        """Write a change down, with the fill that came with it, and only then act on it."""
        if after == before:
            return before
        fill, now = None, self._clock.wall()
        if (filled := fill_between(before, after)) is not None:
            name = after.client_order_id
            fill = Fill(self._account, self._venue.name, after.symbol, name, *filled, now)
        await asyncio.to_thread(self._journal.update_order, before, after, fill, now)
        if fill is not None:
            self.ledger.take(fill)
        if after.state in UNSETTLED:
            self._unsettled[after.client_order_id] = after
        else:
            self._unsettled.pop(after.client_order_id, None)
        _log.info("order %s", after.state, extra=_shown(after))
        self._on_outcome(after)
        return after


def _urgency(order: Order) -> int:
    """What is asked first: unknown outcomes, then what is in the book, then what waits for its trigger."""
    if order.state in OUTCOME_UNKNOWN:
        return 0
    return 2 if order.kind.is_conditional else 1


def _with(exposure: Exposure, order: Order) -> Exposure:
    """An exposure with what an order may still fill."""
    reducing = exposure.reducing + (order.remaining if order.reduce_only else ZERO)
    if order.side is Side.BUY:
        return replace(exposure, buying=exposure.buying + order.remaining, reducing=reducing)
    return replace(exposure, selling=exposure.selling + order.remaining, reducing=reducing)


def _found(execution: Execution, account: str, venue: str, now: float) -> Order:
    """An order that only the venue knows."""
    return Order(
        execution.client_order_id,
        account,
        venue,
        execution.symbol,
        execution.side,
        execution.quantity,
        execution.reduce_only,
        now,
        kind=execution.kind,
        price=execution.price,
        purpose=Purpose.PROTECT if execution.kind.is_conditional else Purpose.TRADE,
        reason="adopted",
    )


def _foreign(trade: Trade, account: str, venue: str) -> Fill:
    """Somebody else's trade as a fill."""
    signed = trade.quantity * trade.side.sign
    return Fill(account, venue, trade.symbol, None, signed, trade.price, trade.time, trade.trade_id)


def _shown(order: Order) -> dict[str, object]:
    """What the log tells of an order."""
    names = ("client_order_id", "venue", "symbol", "side", "kind", "quantity", "price", "filled")
    return {name: getattr(order, name) for name in (*names, "average_price", "purpose", "reason")}
