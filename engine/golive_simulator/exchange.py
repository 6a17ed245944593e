"""One environment of the venue: accepts, matches and cancels orders of its accounts.

Belongs here: what happens to orders when they arrive and when prices move.
Does not belong here: how a request looked on the wire, or which clock made the prices move.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

from golive_simulator.bookkeeping import Terms, book_fill, book_income, end_order
from golive_simulator.equity import Addition, Equity, weigh
from golive_simulator.matching import Execution, crosses, cut, reducible, take, total
from golive_simulator.orders import (
    ZERO,
    Counters,
    MarginMode,
    Order,
    OrderRequest,
    OrderStatus,
    OrderType,
    TimeInForce,
)
from golive_simulator.refusals import Reason, Refused
from golive_simulator.rules import ORDER_RULES, OrderFacts, first_objection

if TYPE_CHECKING:
    from golive_simulator.accounts import Account
    from golive_simulator.instruments import Instrument
    from golive_simulator.market import Market, Quote

MAKER_FEE = Decimal("0.000200")
"""Fee of an order that rested, as a part of its value."""

TAKER_FEE = Decimal("0.000500")
"""Fee of an order that took."""


@dataclass(frozen=True, slots=True)
class Handling:
    """How an accepted order is to be treated; anything but the default is a fault on request."""

    hold_ms: int = 0
    """Wait before it is matched."""
    fill_ratio: Decimal = Decimal(1)
    """Part of the quantity that may fill at once."""


AS_USUAL = Handling()
"""No fault."""


class Exchange:
    """Accounts that trade one market in one environment."""

    def __init__(self, environment: str, market: Market) -> None:
        self.environment = environment
        self.market = market
        self.accounts: dict[str, Account] = {}
        self.counters = Counters()
        self.frozen: dict[str, Quote] = {}
        self.weighed_at = (0, 0)

    def open_account(self, account: Account, now_ms: int) -> None:
        """Let a customer in, with the deposit its wallet names."""
        deposit, account.wallet = account.wallet, ZERO
        book_income(account, self.counters, "TRANSFER", deposit, now_ms)
        self.accounts[account.api_key] = account

    def instrument(self, symbol: str) -> Instrument:
        """The contract called ``symbol``.

        Raises:
            Refused: when there is none.
        """
        found = self.market.contracts.get(symbol)
        if found is None:
            raise Refused(Reason.SYMBOL_UNKNOWN)
        return found

    def shown(self, symbol: str, now_ms: int) -> Quote:
        """The prices market data shows here: the market's, unless they were frozen for this environment."""
        return self.frozen.get(symbol) or self.market.shown(symbol, now_ms)

    def equity(self, account: Account, addition: Addition | None = None) -> Equity:
        """What an account is worth now."""
        return weigh(account, self.market.contracts, self.market.mark, addition)

    def check(self, account: Account, request: OrderRequest) -> None:
        """Raise what the venue would object to, without placing anything.

        Raises:
            Refused: for the first rule the order breaks.
        """
        objection = first_objection(self._facts(account, request), ORDER_RULES)
        if objection is not None:
            raise objection

    def place(
        self,
        account: Account,
        request: OrderRequest,
        now_ms: int,
        handling: Handling = AS_USUAL,
        algo_id: int | None = None,
    ) -> Order:
        """Accept an order and match it at once.

        Raises:
            Refused: for the first rule the order breaks.
        """
        self.check(account, request)
        order = self._accept(account, request, now_ms, algo_id)
        if handling.hold_ms:
            order.held_until_ms = now_ms + handling.hold_ms
        else:
            self._take(account, order, now_ms, handling.fill_ratio)
        return order

    def place_in_vain(self, account: Account, request: OrderRequest, now_ms: int) -> Order:
        """Accept an order that the book won't have: it ends at once, without a fill."""
        order = self._accept(account, request, now_ms, None)
        end_order(account, order, OrderStatus.EXPIRED, now_ms)
        return order

    def _accept(self, account: Account, request: OrderRequest, now_ms: int, algo_id: int | None) -> Order:
        """Give an order its number and let it be open."""
        quantity = request.quantity
        if request.reduce_only:
            quantity = min(quantity, reducible(account.position(request.symbol).quantity, request.side))
        number = self.counters.next("order_id")
        order = Order(number, request, quantity, now_ms, now_ms, algo_id=algo_id)
        # what it can take now it takes at once; what then rests waits for the price to move
        order.seen_sequence = self.market.sequence
        account.accept(order)
        if request.attached:
            account.unarmed_order_ids.add(number)
        return order

    def _take(self, account: Account, order: Order, now_ms: int, fill_ratio: Decimal = Decimal(1)) -> None:
        """Match a new order against the book; what does not fill rests or ends, as its kind has it."""
        request = order.request
        levels = self.market.quote(request.symbol).book.against(request.side)
        is_market = request.order_type is not OrderType.LIMIT
        found = take(levels, request.side, order.remaining, None if is_market else request.price)
        if fill_ratio < 1:
            allowed = self.instrument(request.symbol).round_quantity(order.remaining * fill_ratio)
            found = cut(found, allowed)
        for execution in found:
            self._book(account, order, execution, now_ms, is_maker=False)
        may_rest = not is_market and request.time_in_force in {TimeInForce.GTC, TimeInForce.GTX}
        if order.is_open and not may_rest:
            end_order(account, order, OrderStatus.EXPIRED, now_ms)

    def _book(
        self, account: Account, order: Order, execution: Execution, now_ms: int, *, is_maker: bool
    ) -> None:
        """Book one execution at the fee of its role."""
        fee_rate = MAKER_FEE if is_maker else TAKER_FEE
        book_fill(account, self.counters, order, execution, Terms(fee_rate, is_maker, now_ms))

    def match_resting(self, now_ms: int) -> None:
        """Fill resting orders that the price has reached, and orders a fault has held long enough."""
        for account in self.accounts.values():
            for order in account.open_orders():
                # an earlier fill of this round may have ended it
                if order.is_open and order.held_until_ms <= now_ms:
                    self._match_one(account, order, now_ms)

    def _match_one(self, account: Account, order: Order, now_ms: int) -> None:
        """Match one open order against the present price."""
        if order.held_until_ms:
            order.held_until_ms = 0
            self._take(account, order, now_ms)
            return
        if order.seen_sequence == self.market.sequence:
            return
        order.seen_sequence = self.market.sequence
        request, quote = order.request, self.market.quote(order.request.symbol)
        if crosses(request.side, request.price, quote.best_opposite(request.side)):
            # no more than the other side offers: one move of the price does not fill an order of any size
            met = take(quote.book.against(request.side), request.side, order.remaining, request.price)
            self._book(account, order, Execution(request.price, total(met)), now_ms, is_maker=True)

    def find(self, account: Account, symbol: str, order_id: int | None, client_order_id: str | None) -> Order:
        """An order by either of its names.

        Raises:
            Refused: when the account has no such order in this contract.
        """
        order = account.orders.get(order_id) if order_id is not None else None
        if order is None and order_id is None and client_order_id:
            order = account.order_of_client(client_order_id)
        if order is None or order.request.symbol != symbol:
            raise Refused(Reason.ORDER_UNKNOWN)
        return order

    def cancel(self, account: Account, order: Order, now_ms: int) -> None:
        """Cancel an open order.

        Raises:
            Refused: when it is not open any more.
        """
        if not order.is_open:
            raise Refused(Reason.ORDER_NOT_OPEN)
        end_order(account, order, OrderStatus.CANCELED, now_ms)

    def cancel_all(self, account: Account, symbol: str, now_ms: int) -> None:
        """Cancel every open order of a contract; conditional orders stay."""
        for order in account.open_orders(symbol):
            end_order(account, order, OrderStatus.CANCELED, now_ms)

    def run_countdowns(self, now_ms: int) -> None:
        """Cancel the orders of clients that did not renew their dead man's switch."""
        for account in self.accounts.values():
            expired = [symbol for symbol, due_ms in account.countdowns.items() if due_ms <= now_ms]
            for symbol in expired:
                del account.countdowns[symbol]
                self.cancel_all(account, symbol, now_ms)
            if account.silence_ms and now_ms - account.heard_ms >= account.silence_ms:
                for order in account.open_orders():
                    end_order(account, order, OrderStatus.CANCELED, now_ms)

    def set_leverage(self, account: Account, symbol: str, leverage: int) -> None:
        """Set a contract's leverage.

        Raises:
            Refused: when the contract or the account's risk does not allow it.
        """
        instrument = self.instrument(symbol)
        if not 1 <= leverage <= instrument.brackets[0].max_leverage:
            raise Refused(Reason.LEVERAGE_INVALID, str(leverage))
        before = account.leverage(symbol)
        is_isolated = account.margin_mode(symbol) is MarginMode.ISOLATED
        if leverage < before and is_isolated and account.position(symbol).is_open:
            raise Refused(Reason.LEVERAGE_HELD_BY_ISOLATED)
        account.leverages[symbol] = leverage
        if leverage < before and self.equity(account).free < 0:
            account.leverages[symbol] = before
            raise Refused(Reason.MARGIN_INSUFFICIENT)

    def set_margin_mode(self, account: Account, symbol: str, mode: MarginMode) -> None:
        """Set a contract's margin mode.

        Raises:
            Refused: when nothing changes, or orders or a position stand against it.
        """
        self.instrument(symbol)
        if account.margin_mode(symbol) is mode:
            raise Refused(Reason.MARGIN_MODE_UNCHANGED)
        if account.open_orders(symbol):
            raise Refused(Reason.MARGIN_MODE_HAS_ORDERS)
        if account.position(symbol).is_open:
            raise Refused(Reason.MARGIN_MODE_HAS_POSITION)
        account.margin_modes[symbol] = mode

    def _facts(self, account: Account, request: OrderRequest) -> OrderFacts:
        """All that the rules look at, read at one moment."""
        symbol = request.symbol
        instrument, quote = self.instrument(symbol), self.market.quote(symbol)
        price = request.price or quote.best_opposite(request.side)
        notional = ZERO if request.reduce_only else request.quantity * price
        now = self.equity(account)
        after = self.equity(account, Addition(symbol, request.side, notional))
        open_orders = account.open_orders(symbol)
        return OrderFacts(
            request=request,
            instrument=instrument,
            quote=quote,
            position=account.position(symbol).quantity,
            leverage=account.leverage(symbol),
            client_id_is_open=bool(request.client_order_id)
            and any(
                order.request.client_order_id == request.client_order_id for order in account.open_orders()
            ),
            open_order_count=len(open_orders),
            free_after=after.free - notional * TAKER_FEE,
            adds_risk=after.initial > now.initial,
        )
