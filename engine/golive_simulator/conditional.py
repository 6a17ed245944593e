"""The algo service: conditional orders that wait for a price and then become ordinary ones."""

from __future__ import annotations

from typing import TYPE_CHECKING

from golive_simulator.matching import is_triggered, trailing_extreme
from golive_simulator.orders import (
    ZERO,
    AlgoOrder,
    AlgoRequest,
    AlgoStatus,
    OrderRequest,
    OrderType,
    Side,
    WorkingType,
)
from golive_simulator.refusals import Reason, Refused
from golive_simulator.rules import ALGO_RULES, AlgoFacts, first_objection

if TYPE_CHECKING:
    from decimal import Decimal

    from golive_simulator.accounts import Account
    from golive_simulator.exchange import Exchange


def watched_price(exchange: Exchange, request: AlgoRequest) -> Decimal:
    """The price this order's trigger looks at."""
    quote = exchange.market.quote(request.symbol)
    return quote.mark if request.working_type is WorkingType.MARK_PRICE else quote.last


def place_algo(exchange: Exchange, account: Account, request: AlgoRequest, now_ms: int) -> AlgoOrder:
    """Accept a conditional order.

    Raises:
        Refused: for the first rule it breaks.
    """
    waiting = account.open_algos()
    facts = AlgoFacts(
        request=request,
        instrument=exchange.instrument(request.symbol),
        watched_price=watched_price(exchange, request),
        client_id_is_open=bool(request.client_algo_id)
        and any(row.request.client_algo_id == request.client_algo_id for row in waiting),
        open_algo_count=sum(row.request.symbol == request.symbol for row in waiting),
    )
    objection = first_objection(facts, ALGO_RULES)
    if objection is not None:
        raise objection
    return hold_algo(exchange, account, request, now_ms)


def hold_algo(exchange: Exchange, account: Account, request: AlgoRequest, now_ms: int) -> AlgoOrder:
    """Let a conditional order wait that no rule need look at."""
    order = AlgoOrder(exchange.counters.next("algo_id"), request, now_ms, now_ms)
    _follow(order, watched_price(exchange, request))
    account.hold(order)
    return order


def find_algo(account: Account, algo_id: int | None, client_algo_id: str | None) -> AlgoOrder:
    """A conditional order by either of its names.

    Raises:
        Refused: when the account has none.
    """
    order = account.algos.get(algo_id) if algo_id is not None else None
    if order is None and algo_id is None and client_algo_id:
        order = account.algo_of_client(client_algo_id)
    if order is None:
        raise Refused(Reason.ORDER_UNKNOWN)
    return order


def cancel_algo(account: Account, order: AlgoOrder, now_ms: int) -> None:
    """Cancel a waiting conditional order.

    Raises:
        Refused: when it waits no more.
    """
    if not order.is_open:
        raise Refused(Reason.ORDER_NOT_OPEN)
    _end(account, order, AlgoStatus.CANCELED, now_ms)


def cancel_all_algos(account: Account, symbol: str, now_ms: int) -> None:
    """Cancel every waiting conditional order of a contract."""
    for order in account.open_algos(symbol):
        _end(account, order, AlgoStatus.CANCELED, now_ms)


def _end(account: Account, order: AlgoOrder, status: AlgoStatus, now_ms: int) -> None:
    """Stop waiting."""
    order.status, order.updated_ms = status, now_ms
    account.open_algo_ids.discard(order.algo_id)
    for other in account.open_algos(order.request.symbol):
        if order.request.group and other.request.group == order.request.group:
            _end(account, other, AlgoStatus.CANCELED, now_ms)


def run_triggers(exchange: Exchange, now_ms: int) -> None:
    """Send the conditional orders that the present price sets off."""
    for account in exchange.accounts.values():
        for order in account.open_algos():
            price = watched_price(exchange, order.request)
            _follow(order, price)
            # one of its group may have gone in this round
            if order.is_open and is_triggered(order.request, price, order.extreme_price):
                _send(exchange, account, order, now_ms)


def _follow(order: AlgoOrder, price: Decimal) -> None:
    """Let a trailing stop remember the best price it has seen."""
    if order.request.order_type is OrderType.TRAILING_STOP_MARKET:
        order.extreme_price = trailing_extreme(order.request, price, order.extreme_price)


def _send(exchange: Exchange, account: Account, algo: AlgoOrder, now_ms: int) -> None:
    """Turn a triggered conditional order into an ordinary one, or end it if the book won't have it."""
    algo.trigger_ms = now_ms
    try:
        request = _actual_request(account, algo.request)
        _end(account, algo, AlgoStatus.TRIGGERED, now_ms)
        placed = exchange.place(account, request, now_ms, algo_id=algo.algo_id)
    except Refused as refusal:
        is_idle = refusal.reason is Reason.NOTHING_TO_REDUCE
        _end(account, algo, AlgoStatus.EXPIRED if is_idle else AlgoStatus.REJECTED, now_ms)
        return
    algo.actual_order_id = placed.order_id


def _actual_request(account: Account, request: AlgoRequest) -> OrderRequest:
    """The ordinary order that a triggered one becomes."""
    quantity, side = request.quantity, request.side
    if request.close_position:
        held = account.position(request.symbol).quantity
        quantity, side = abs(held), Side.SELL if held > 0 else Side.BUY
        if not held or side is not request.side:
            raise Refused(Reason.NOTHING_TO_REDUCE)
    rests = request.order_type.rests_at_a_price
    return OrderRequest(
        symbol=request.symbol,
        side=side,
        order_type=OrderType.LIMIT if rests else OrderType.MARKET,
        quantity=quantity,
        client_order_id=request.client_algo_id,
        price=request.price if rests else ZERO,
        time_in_force=request.time_in_force,
        reduce_only=request.reduce_only or request.close_position,
        attached=request.attached,
    )
