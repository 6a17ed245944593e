"""Endpoints of the algo service: conditional orders."""

from __future__ import annotations

from typing import Any

from golive_simulator.conditional import cancel_algo, cancel_all_algos, find_algo, place_algo
from golive_simulator.dialect.binance import payloads
from golive_simulator.dialect.binance.call import Call, Endpoint, Security
from golive_simulator.dialect.binance.complaints import invalid_type, missing_either
from golive_simulator.dialect.binance.trading import ALL_CANCELLED, refuse_other_mode
from golive_simulator.orders import (
    CONDITIONAL_TYPES,
    ZERO,
    AlgoOrder,
    AlgoRequest,
    OrderType,
    Side,
    TimeInForce,
    WorkingType,
)
from golive_simulator.refusals import Reason, Refused


def read_algo(call: Call) -> AlgoRequest:
    """A conditional order as the request describes it.

    Raises:
        Complaint: when a parameter is missing or not one the venue knows.
    """
    parameters = call.parameters
    parameters.text("algoType")
    kind = parameters.choice("type", OrderType, -1116, "Invalid orderType.")
    if kind not in CONDITIONAL_TYPES:
        raise invalid_type()
    refuse_other_mode(parameters, call.account)
    is_trailing = kind is OrderType.TRAILING_STOP_MARKET
    closes = parameters.flag("closePosition")
    return AlgoRequest(
        symbol=call.instrument().symbol,
        side=parameters.choice("side", Side, -1117, "Invalid side."),
        order_type=kind,
        quantity=parameters.optional_decimal("quantity") if closes else parameters.decimal("quantity"),
        client_algo_id=parameters.optional("clientAlgoId") or f"simulated-{call.exchange.counters.algo_id}",
        trigger_price=ZERO if is_trailing else parameters.decimal("triggerPrice"),
        price=parameters.decimal("price") if kind.rests_at_a_price else ZERO,
        time_in_force=parameters.optional_choice("timeInForce", TimeInForce.GTC, -1115, "Invalid timeInForce."),
        working_type=parameters.optional_choice(
            "workingType", WorkingType.CONTRACT_PRICE, -4031, "Invalid parameter working type."
        ),
        reduce_only=parameters.flag("reduceOnly"),
        close_position=closes,
        price_protect=parameters.flag("priceProtect"),
        activate_price=parameters.optional_decimal("activatePrice"),
        callback_rate_percent=parameters.decimal("callbackRate") if is_trailing else ZERO,
    )


def place(call: Call) -> dict[str, Any]:
    """Hand a conditional order to the algo service."""
    order = place_algo(call.exchange, call.account, read_algo(call), call.now_ms)
    return _shown(call, order)


def _shown(call: Call, order: AlgoOrder) -> dict[str, Any]:
    """A conditional order in the notation of its contract."""
    instrument = call.exchange.instrument(order.request.symbol)
    return payloads.algo_order(call.account, instrument, order)


def _named_algo(call: Call) -> AlgoOrder:
    """The conditional order that the request names by either id."""
    algo_id = call.parameters.optional_integer("algoId")
    client_algo_id = call.parameters.optional("clientAlgoId")
    if algo_id is None and client_algo_id is None:
        raise missing_either("algoid", "clientalgoid")
    return find_algo(call.account, algo_id, client_algo_id)


def query(call: Call) -> dict[str, Any]:
    """One conditional order, waiting or not."""
    return _shown(call, _named_algo(call))


def cancel(call: Call) -> dict[str, Any]:
    """Cancel one conditional order."""
    try:
        order = _named_algo(call)
    except Refused as refusal:
        raise Refused(Reason.ORDER_NOT_OPEN) from refusal
    cancel_algo(call.account, order, call.now_ms)
    return {
        "algoId": order.algo_id,
        "clientAlgoId": order.request.client_algo_id,
        "code": "200",
        "msg": "success",
    }


def cancel_all(call: Call) -> dict[str, Any]:
    """Cancel a contract's conditional orders; its ordinary ones stay."""
    cancel_all_algos(call.account, call.instrument().symbol, call.now_ms)
    return ALL_CANCELLED


def open_algos(call: Call) -> list[dict[str, Any]]:
    """Waiting conditional orders, of one contract or of all."""
    symbol = call.instrument().symbol if call.parameters.optional("symbol") else None
    return [_shown(call, order) for order in call.account.open_algos(symbol)]


def all_algos(call: Call) -> list[dict[str, Any]]:
    """A contract's conditional orders in every state, oldest first."""
    symbol = call.instrument().symbol
    limit = min(call.parameters.optional_integer("limit") or 500, 1000)
    found = [order for order in call.account.algos.values() if order.request.symbol == symbol]
    return [_shown(call, order) for order in found[-limit:]]


ENDPOINTS: dict[tuple[str, str], Endpoint] = {
    ("POST", "/fapi/v1/algoOrder"): Endpoint(place, Security.TRADE, weight=0, counts_as_order=True),
    ("GET", "/fapi/v1/algoOrder"): Endpoint(query, Security.SIGNED),
    ("DELETE", "/fapi/v1/algoOrder"): Endpoint(cancel, Security.TRADE),
    ("GET", "/fapi/v1/openAlgoOrders"): Endpoint(open_algos, Security.SIGNED, weight_without_symbol=40),
    ("GET", "/fapi/v1/allAlgoOrders"): Endpoint(all_algos, Security.SIGNED, weight=5),
    ("DELETE", "/fapi/v1/algoOpenOrders"): Endpoint(cancel_all, Security.TRADE),
}
"""Endpoints of conditional orders by method and path."""
