"""Endpoints that place and cancel orders, ordinary and conditional alike."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Any

from golive_simulator.attached import follow_positions
from golive_simulator.conditional import cancel_algo, place_algo, watched_price
from golive_simulator.dialect.bybit.call import Call, Endpoint, Security
from golive_simulator.dialect.bybit.complaints import Complaint, wrong
from golive_simulator.dialect.bybit.identity import Found, by_client_id, by_id, those_open
from golive_simulator.dialect.bybit.protection import read_protection, refuse_other_mode
from golive_simulator.orders import (
    ZERO,
    AlgoRequest,
    OrderRequest,
    OrderType,
    Side,
    TimeInForce,
    WorkingType,
)
from golive_simulator.refusals import Reason, Refused

if TYPE_CHECKING:
    from golive_simulator.dialect.bybit.parameters import Parameters

SHORTEST_SILENCE_SECONDS = 3
"""The shortest window of disconnection protection."""

LONGEST_SILENCE_SECONDS = 300
"""The longest window of disconnection protection."""


class Direction(StrEnum):
    """Where the price has to go to set a trigger off."""

    RISE = "1"
    FALL = "2"


class Way(StrEnum):
    """Side as the venue spells it."""

    BUY = "Buy"
    SELL = "Sell"

    @property
    def side(self) -> Side:
        """The side itself."""
        return Side(self.value.upper())


class Kind(StrEnum):
    """How a price is found."""

    LIMIT = "Limit"
    MARKET = "Market"


class Life(StrEnum):
    """Time in force as the venue spells it."""

    GTC = "GTC"
    IOC = "IOC"
    FOK = "FOK"
    POST_ONLY = "PostOnly"

    @property
    def time_in_force(self) -> TimeInForce:
        """The time in force itself."""
        return TimeInForce.GTX if self is Life.POST_ONLY else TimeInForce(self.value)


class Watched(StrEnum):
    """Price that a trigger watches."""

    LAST = "LastPrice"
    MARK = "MarkPrice"
    INDEX = "IndexPrice"

    @property
    def working_type(self) -> WorkingType:
        """The index is the mark here."""
        return WorkingType.CONTRACT_PRICE if self is Watched.LAST else WorkingType.MARK_PRICE


CONDITIONAL_TYPES = {
    (True, Kind.MARKET): OrderType.STOP_MARKET,
    (True, Kind.LIMIT): OrderType.STOP,
    (False, Kind.MARKET): OrderType.TAKE_PROFIT_MARKET,
    (False, Kind.LIMIT): OrderType.TAKE_PROFIT,
}
"""What a trigger makes of an order, by whether it waits for a worse price."""


def place(call: Call) -> dict[str, Any]:
    """Place an order, or let a conditional one wait."""
    call.instrument()
    parameters = call.parameters
    refuse_other_mode(call)
    client_id = parameters.optional("orderLinkId") or ""
    if client_id and by_client_id(call.account, client_id):
        # unlike elsewhere, an id is never free again: a blind resend doubles nothing
        raise Refused(Reason.CLIENT_ID_IN_USE)
    is_conditional = parameters.optional_decimal("triggerPrice") > 0
    found = _place_conditional(call, client_id) if is_conditional else _place_ordinary(call, client_id)
    follow_positions(call.exchange, call.now_ms)
    return _named(found)


def _named(found: Found) -> dict[str, str]:
    """An order's two names: an id the client did not give stays empty."""
    return {"orderId": found.order_id, "orderLinkId": found.client_id}


def _place_ordinary(call: Call, client_id: str) -> Found:
    """Place an order in the book; one that the book won't have is accepted, and ended."""
    request = read_order(call, client_id)
    try:
        order = call.exchange.place(call.account, request, call.now_ms, call.handling)
    except Refused as refusal:
        if refusal.reason not in {Reason.WOULD_TAKE, Reason.WOULD_NOT_FILL}:
            raise
        order = call.exchange.place_in_vain(call.account, request, call.now_ms)
    return Found(order, None)


def read_order(call: Call, client_id: str) -> OrderRequest:
    """An ordinary order as the request describes it.

    Raises:
        Complaint: when a parameter is missing or not one the venue knows.
    """
    parameters = call.parameters
    kind, way = parameters.choice("orderType", Kind), parameters.choice("side", Way)
    is_limit = kind is Kind.LIMIT
    life = parameters.choice("timeInForce", Life, Life.GTC)
    return OrderRequest(
        symbol=parameters.text("symbol"),
        side=way.side,
        order_type=OrderType.LIMIT if is_limit else OrderType.MARKET,
        quantity=parameters.decimal("qty"),
        client_order_id=client_id,
        price=parameters.decimal("price") if is_limit else ZERO,
        time_in_force=life.time_in_force if is_limit else TimeInForce.GTC,
        reduce_only=_only_reduces(parameters),
        attached=read_protection(call, way.side),
    )


def _only_reduces(parameters: Parameters) -> bool:
    """Whether an order may only take off a position."""
    return parameters.flag("reduceOnly") or parameters.flag("closeOnTrigger")


def _place_conditional(call: Call, client_id: str) -> Found:
    """Let an order wait for its trigger."""
    request = read_conditional(call, client_id)
    direction = call.parameters.choice("triggerDirection", Direction)
    _refuse_past_trigger(direction, request, call)
    return Found(None, place_algo(call.exchange, call.account, request, call.now_ms))


def read_conditional(call: Call, client_id: str) -> AlgoRequest:
    """A conditional order as the request describes it.

    Raises:
        Complaint: when a parameter is missing or not one the venue knows.
    """
    ordinary, parameters = read_order(call, client_id), call.parameters
    rises = parameters.choice("triggerDirection", Direction) is Direction.RISE
    is_stop = rises is (ordinary.side is Side.BUY)
    return AlgoRequest(
        symbol=ordinary.symbol,
        side=ordinary.side,
        order_type=CONDITIONAL_TYPES[is_stop, parameters.choice("orderType", Kind)],
        quantity=ordinary.quantity,
        client_algo_id=client_id,
        trigger_price=parameters.decimal("triggerPrice"),
        price=ordinary.price,
        time_in_force=ordinary.time_in_force,
        working_type=parameters.choice("triggerBy", Watched, Watched.LAST).working_type,
        reduce_only=ordinary.reduce_only,
        attached=ordinary.attached,
    )


def _refuse_past_trigger(direction: Direction, request: AlgoRequest, call: Call) -> None:
    """Refuse a trigger that the price has passed already."""
    now = watched_price(call.exchange, request)
    told = f"trigger_price[{request.trigger_price:f}]"
    if direction is Direction.RISE and request.trigger_price <= now:
        raise Complaint(110092, f"expect Rising, but {told} <= current[{now.normalize():f}]??LastPrice")
    if direction is Direction.FALL and request.trigger_price >= now:
        raise Complaint(110093, f"expect Falling, but {told} >= current[{now.normalize():f}]??LastPrice")


def cancel(call: Call) -> dict[str, Any]:
    """Cancel one order by either of its names."""
    symbol, account = call.instrument().symbol, call.account
    order_id, client_id = call.parameters.optional("orderId"), call.parameters.optional("orderLinkId")
    if order_id is None and client_id is None:
        raise wrong("orderId or orderLinkId")
    found = by_id(account, order_id) if order_id else by_client_id(account, client_id or "")
    if found is None or found.symbol != symbol:
        raise Refused(Reason.ORDER_UNKNOWN)
    _cancel(call, found)
    return _named(found)


def _cancel(call: Call, found: Found) -> None:
    """Cancel an order in the book, or one that waits.

    Raises:
        Refused: when it has ended.
    """
    if found.order:
        call.exchange.cancel(call.account, found.order, call.now_ms)
    elif found.algo:
        cancel_algo(call.account, found.algo, call.now_ms)


def of_filter(found: Found, wanted: str | None) -> bool:
    """Whether an order is of the kind that ``orderFilter`` names; without it, any is."""
    if wanted in {"StopOrder", "tpslOrder"}:
        return found.is_conditional
    return wanted is None or not found.is_conditional


def cancel_all(call: Call) -> dict[str, Any]:
    """Cancel all open orders of a contract or coin; conditional ones too, unless a filter says otherwise."""
    symbols = {instrument.symbol for instrument in call.scoped_instruments()}
    wanted = call.parameters.optional("orderFilter")
    found = [row for row in those_open(call.account) if row.symbol in symbols and of_filter(row, wanted)]
    for row in found:
        _cancel(call, row)
    return {"list": [_named(row) for row in found], "success": "1"}


def cancel_when_disconnected(call: Call) -> dict[str, Any]:
    """Set the silence after which all orders in the book are cancelled; it stays until it is set anew."""
    seconds = call.parameters.integer("timeWindow")
    if not SHORTEST_SILENCE_SECONDS <= seconds <= LONGEST_SILENCE_SECONDS:
        raise wrong("timeWindow")
    call.account.silence_ms, call.account.heard_ms = seconds * 1000, call.now_ms
    return {}


ENDPOINTS: dict[tuple[str, str], Endpoint] = {
    ("POST", "/v5/order/create"): Endpoint(place, Security.TRADE, counts_as_order=True),
    ("POST", "/v5/order/cancel"): Endpoint(cancel, Security.TRADE),
    ("POST", "/v5/order/cancel-all"): Endpoint(cancel_all, Security.TRADE),
    ("POST", "/v5/order/disconnected-cancel-all"): Endpoint(cancel_when_disconnected, Security.TRADE),
}
"""Endpoints that change orders, by method and path."""
