"""Endpoints that place, find and cancel ordinary orders."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from golive_simulator.dialect.binance import payloads
from golive_simulator.dialect.binance.call import Call, Endpoint, Security
from golive_simulator.dialect.binance.complaints import (
    Complaint,
    invalid_type,
    missing,
    missing_either,
    stop_on_wrong_endpoint,
    worded,
)
from golive_simulator.dialect.binance.parameters import Parameters
from golive_simulator.orders import (
    CONDITIONAL_TYPES,
    ZERO,
    Order,
    OrderRequest,
    OrderType,
    Side,
    TimeInForce,
)
from golive_simulator.refusals import Reason, Refused

if TYPE_CHECKING:
    from golive_simulator.accounts import Account

ALL_CANCELLED = {"code": 200, "msg": "The operation of cancel all open order is done."}
"""What the venue says after cancelling all of a symbol's orders."""

LARGEST_BATCH = 5
"""Orders in one batch request."""


def read_order(parameters: Parameters, account: Account, fallback_id: str) -> OrderRequest:
    """An order as the request describes it.

    Raises:
        Complaint: when a parameter is missing or not one the venue knows.
    """
    symbol = parameters.text("symbol")
    side = parameters.choice("side", Side, -1117, "Invalid side.")
    kind = _order_type(parameters)
    refuse_other_mode(parameters, account)
    is_limit = kind is OrderType.LIMIT
    if is_limit and not parameters.optional("timeInForce"):
        raise missing("timeinforce")
    return OrderRequest(
        symbol=symbol,
        side=side,
        order_type=kind,
        quantity=parameters.decimal("quantity"),
        client_order_id=parameters.optional("newClientOrderId") or fallback_id,
        price=parameters.decimal("price") if is_limit else ZERO,
        time_in_force=_time_in_force(parameters) if is_limit else TimeInForce.GTC,
        reduce_only=parameters.flag("reduceOnly"),
    )


def refuse_other_mode(parameters: Parameters, account: Account) -> None:
    """Refuse an order that is not for one-way mode, and any at all of an account that is not in it."""
    if account.is_hedged or parameters.optional("positionSide") not in {None, "BOTH"}:
        raise Complaint(-4061, "Order's position side does not match user's setting.")


def _order_type(parameters: Parameters) -> OrderType:
    """An ordinary type; conditional ones belong to the algo service."""
    kind = parameters.choice("type", OrderType, -1116, "Invalid orderType.")
    if kind in CONDITIONAL_TYPES:
        raise stop_on_wrong_endpoint()
    if kind is OrderType.LIQUIDATION:
        raise invalid_type()
    return kind


def _time_in_force(parameters: Parameters) -> TimeInForce:
    """How long a limit order may live."""
    return parameters.optional_choice("timeInForce", TimeInForce.GTC, -1115, "Invalid timeInForce.")


def place(call: Call) -> dict[str, Any]:
    """Place an order."""
    return _place(call, call.parameters)


def _place(call: Call, parameters: Parameters) -> dict[str, Any]:
    """Place one order, alone or of a batch."""
    instrument = call.exchange.instrument(parameters.text("symbol"))
    request = read_order(parameters, call.account, f"simulated-{call.exchange.counters.order_id}")
    order = call.exchange.place(call.account, request, call.now_ms, call.handling)
    return payloads.new_order(call.account, instrument, order)


def test(call: Call) -> dict[str, Any]:
    """Say whether an order would be accepted, without placing it."""
    call.instrument()
    call.exchange.check(call.account, read_order(call.parameters, call.account, "test"))
    return {}


def place_batch(call: Call) -> list[dict[str, Any]]:
    """Place up to five orders, each with an answer of its own."""
    rows = _batch(call.parameters.text("batchOrders"), "batchOrders")
    return [_or_complaint(_place, call, Parameters(urlencode(row))) for row in rows]


def _batch(text: str, name: str) -> list[Any]:
    """The rows of a batch."""
    try:
        rows = json.loads(text)
    except json.JSONDecodeError:
        raise missing(name) from None
    if not isinstance(rows, list) or not 0 < len(rows) <= LARGEST_BATCH:
        raise Complaint(-4082, "Invalid number of batch place orders.")
    return rows


def _or_complaint(handler: Any, call: Call, argument: Any) -> dict[str, Any]:
    """A row's answer, or its complaint in its place."""
    try:
        answer: dict[str, Any] = handler(call, argument)
    except Refused as refusal:
        complaint = worded(refusal)
    except Complaint as raised:
        complaint = raised
    else:
        return answer
    return {"code": complaint.code, "msg": complaint.message}


def _named_order(call: Call) -> Order:
    """The order that the request names by either id."""
    symbol = call.instrument().symbol
    order_id = call.parameters.optional_integer("orderId")
    client_order_id = call.parameters.optional("origClientOrderId")
    if order_id is None and client_order_id is None:
        raise missing_either("origClientOrderId", "orderId")
    return call.exchange.find(call.account, symbol, order_id, client_order_id)


def query(call: Call) -> dict[str, Any]:
    """One order, open or not."""
    return payloads.order(call.account, call.instrument(), _named_order(call))


def query_open(call: Call) -> dict[str, Any]:
    """One order, if it is open."""
    order = _named_order(call)
    if not order.is_open:
        raise Refused(Reason.ORDER_UNKNOWN)
    return payloads.order(call.account, call.instrument(), order)


def cancel(call: Call) -> dict[str, Any]:
    """Cancel one order; one that is not open is as unknown as one that never was."""
    try:
        order = _named_order(call)
    except Refused as refusal:
        raise Refused(Reason.ORDER_NOT_OPEN) from refusal
    call.exchange.cancel(call.account, order, call.now_ms)
    return payloads.new_order(call.account, call.instrument(), order)


def cancel_batch(call: Call) -> list[dict[str, Any]]:
    """Cancel up to ten orders by number or client id, each with an answer of its own."""
    names = ("orderIdList", "orderidlist", "origClientOrderIdList", "origclientorderidlist")
    name = next((name for name in names if call.parameters.optional(name)), None)
    if name is None:
        raise missing_either("orderIdList", "origClientOrderIdList")
    return [_or_complaint(_cancel_named, call, row) for row in _batch(call.parameters.text(name), name)]


def _cancel_named(call: Call, name: int | str) -> dict[str, Any]:
    """Cancel one order of a batch."""
    instrument, account = call.instrument(), call.account
    order = account.orders.get(name) if isinstance(name, int) else account.order_of_client(name)
    if order is None or order.request.symbol != instrument.symbol:
        raise Refused(Reason.ORDER_NOT_OPEN)
    call.exchange.cancel(account, order, call.now_ms)
    return payloads.new_order(account, instrument, order)


def cancel_all(call: Call) -> dict[str, Any]:
    """Cancel a contract's ordinary orders; its conditional ones stay."""
    call.exchange.cancel_all(call.account, call.instrument().symbol, call.now_ms)
    return ALL_CANCELLED


def open_orders(call: Call) -> list[dict[str, Any]]:
    """Open orders, of one contract or of all."""
    symbol = call.instrument().symbol if call.parameters.optional("symbol") else None
    return [_shown(call, order) for order in call.account.open_orders(symbol)]


def _shown(call: Call, order: Order) -> dict[str, Any]:
    """An order in the notation of its contract."""
    instrument = call.exchange.instrument(order.request.symbol)
    return payloads.order(call.account, instrument, order)


def all_orders(call: Call) -> list[dict[str, Any]]:
    """A contract's orders in every state, oldest first."""
    symbol, parameters = call.instrument().symbol, call.parameters
    first = parameters.optional_integer("orderId") or 0
    start_ms = parameters.optional_integer("startTime") or 0
    end_ms = parameters.optional_integer("endTime") or call.now_ms
    found = [
        order
        for order in call.account.orders.values()
        if order.request.symbol == symbol and order.order_id >= first and start_ms <= order.created_ms <= end_ms
    ]
    limit = min(parameters.optional_integer("limit") or 500, 1000)
    return [_shown(call, order) for order in (found[:limit] if first or start_ms else found[-limit:])]


def user_trades(call: Call) -> list[dict[str, Any]]:
    """A contract's trades of the account, oldest first."""
    instrument, parameters = call.instrument(), call.parameters
    order_id = parameters.optional_integer("orderId")
    first = parameters.optional_integer("fromId") or 0
    start_ms = parameters.optional_integer("startTime") or 0
    end_ms = parameters.optional_integer("endTime") or call.now_ms
    found = [
        fill
        for fill in call.account.fills
        if fill.symbol == instrument.symbol
        and order_id in {None, fill.order_id}
        and fill.trade_id >= first
        and start_ms <= fill.time_ms <= end_ms
    ]
    limit = min(parameters.optional_integer("limit") or 500, 1000)
    return [
        payloads.trade(instrument, fill) for fill in (found[:limit] if first or start_ms else found[-limit:])
    ]


def countdown(call: Call) -> dict[str, Any]:
    """Arm, renew or disarm the dead man's switch of a contract."""
    symbol, milliseconds = call.instrument().symbol, call.parameters.integer("countdownTime")
    if milliseconds > 0:
        call.account.countdowns[symbol] = call.now_ms + milliseconds
    else:
        call.account.countdowns.pop(symbol, None)
    return {"symbol": symbol, "countdownTime": str(milliseconds)}


ENDPOINTS: dict[tuple[str, str], Endpoint] = {
    ("POST", "/fapi/v1/order"): Endpoint(place, Security.TRADE, weight=0, counts_as_order=True),
    ("GET", "/fapi/v1/order"): Endpoint(query, Security.SIGNED),
    ("DELETE", "/fapi/v1/order"): Endpoint(cancel, Security.TRADE),
    ("POST", "/fapi/v1/order/test"): Endpoint(test, Security.TRADE),
    ("POST", "/fapi/v1/batchOrders"): Endpoint(place_batch, Security.TRADE, weight=5, counts_as_order=True),
    ("DELETE", "/fapi/v1/batchOrders"): Endpoint(cancel_batch, Security.TRADE),
    ("GET", "/fapi/v1/openOrder"): Endpoint(query_open, Security.SIGNED),
    ("GET", "/fapi/v1/openOrders"): Endpoint(open_orders, Security.SIGNED, weight_without_symbol=40),
    ("GET", "/fapi/v1/allOrders"): Endpoint(all_orders, Security.SIGNED, weight=5),
    ("DELETE", "/fapi/v1/allOpenOrders"): Endpoint(cancel_all, Security.TRADE),
    ("GET", "/fapi/v1/userTrades"): Endpoint(user_trades, Security.SIGNED, weight=5),
    ("POST", "/fapi/v1/countdownCancelAll"): Endpoint(countdown, Security.TRADE, weight=10),
}
"""Endpoints of ordinary orders by method and path."""
