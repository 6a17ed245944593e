"""Endpoints that place, find and cancel conditional orders."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from golive_simulator.conditional import cancel_algo, find_algo, place_algo
from golive_simulator.dialect.okx import payloads
from golive_simulator.dialect.okx.algo_reading import PROFIT, read_algo
from golive_simulator.dialect.okx.call import Call, Endpoint, Security
from golive_simulator.dialect.okx.complaints import Complaint, either
from golive_simulator.dialect.okx.trading import LARGEST_BATCH, choose_margin_mode, most
from golive_simulator.orders import AlgoOrder, AlgoRequest, AlgoStatus, OrderType, Side, WorkingType
from golive_simulator.refusals import Reason, Refused

if TYPE_CHECKING:
    from golive_simulator.dialect.okx.parameters import Parameters

STATES = {
    AlgoStatus.TRIGGERED: "effective",
    AlgoStatus.FINISHED: "effective",
    AlgoStatus.NEW: "live",
    AlgoStatus.REJECTED: "order_failed",
    AlgoStatus.EXPIRED: "order_failed",
    AlgoStatus.CANCELED: "canceled",
}
"""States of a conditional order; of two halves the one that stands first here decides."""

# whether it takes profit, whether it buys: code for the last price, code for the mark price
PAST = {
    (True, True): (51277, 51300, "TP trigger price cannot be higher than the {} price"),
    (False, True): (51278, 51302, "SL trigger price cannot be lower than the {} price"),
    (True, False): (51279, 51303, "TP trigger price cannot be lower than the {} price"),
    (False, False): (51280, 51304, "SL trigger price cannot be higher than the {} price"),
}
"""What the venue says of a trigger that the price has passed already."""


def place(call: Call, parameters: Parameters) -> dict[str, Any]:
    """Place a conditional order; of two halves both or none."""
    instrument = call.named(parameters.text("instId"))
    requests = read_algo(call, parameters, instrument)
    choose_margin_mode(call, parameters, instrument)
    placed: list[AlgoOrder] = []
    for request in requests:
        try:
            placed.append(place_algo(call.exchange, call.account, request, call.now_ms))
        except Refused as refusal:
            for half in placed:
                cancel_algo(call.account, half, call.now_ms)
            raise _worded(request, refusal) from refusal
    return {
        "algoId": str(placed[0].algo_id),
        "algoClOrdId": placed[0].request.client_algo_id,
        "clOrdId": "",
        "tag": parameters.optional("tag"),
    }


def _worded(request: AlgoRequest, refusal: Refused) -> Complaint | Refused:
    """The refusals for which conditional orders have words of their own."""
    if refusal.reason is Reason.CLIENT_ID_IN_USE:
        return Complaint(51065, "algoClOrdId already exists.")
    if refusal.reason is not Reason.TRIGGERS_AT_ONCE:
        return refusal
    last, mark, sentence = PAST[request.order_type in PROFIT.values(), request.side is Side.BUY]
    if request.working_type is WorkingType.MARK_PRICE:
        return Complaint(mark, sentence.format("mark"))
    return Complaint(last, sentence.format("last"))


def _named_algo(call: Call, parameters: Parameters) -> list[AlgoOrder]:
    """The halves of the conditional order that a row names by either id."""
    number, client_id = parameters.optional_integer("algoId", 0), parameters.optional("algoClOrdId")
    if not number and not client_id:
        raise either("algoId", "algoClOrdId")
    found = find_algo(call.account, number or None, client_id)
    return payloads.halves_of(call.account, found)


def cancel(call: Call, parameters: Parameters) -> dict[str, Any]:
    """Cancel one conditional order."""
    call.named(parameters.text("instId"))
    try:
        halves = _named_algo(call, parameters)
    except Refused as refusal:
        raise Refused(Reason.ORDER_NOT_OPEN) from refusal
    waiting = [half for half in halves if half.is_open]
    if not waiting:
        raise Refused(Reason.ORDER_NOT_OPEN)
    # the halves cancel each other
    cancel_algo(call.account, waiting[0], call.now_ms)
    return {"algoId": str(halves[0].algo_id), "algoClOrdId": halves[0].request.client_algo_id}


def query(call: Call) -> list[Any]:
    """One conditional order, waiting or not."""
    return [_shown(call, _named_algo(call, call.parameters))]


def pending(call: Call) -> list[Any]:
    """Waiting conditional orders of the kinds named, newest first."""
    return [row for row in _listed(call) if row["state"] == "live"][: most(call)]


def history(call: Call) -> list[Any]:
    """Conditional orders that wait no more, newest first."""
    given = call.parameters
    state, number = given.optional("state"), given.optional("algoId")
    if not state and not number:
        raise either("state", "algoId")
    found = (row for row in _listed(call) if row["state"] != "live")
    wanted = [row for row in found if state in {"", row["state"]} and number in {"", row["algoId"]}]
    return wanted[: most(call)]


def _listed(call: Call) -> list[dict[str, Any]]:
    """Conditional orders of the kinds and the contract asked for."""
    kinds, name = call.parameters.text("ordType").split(","), call.parameters.optional("instId")
    groups = (payloads.halves_of(call.account, row) for row in reversed(call.account.algos.values()))
    heads = {halves[0].algo_id: halves for halves in groups}
    return [
        _shown(call, halves)
        for halves in heads.values()
        if halves[0].request.kind in kinds and name in {"", halves[0].request.symbol}
    ]


def _shown(call: Call, halves: list[AlgoOrder]) -> dict[str, Any]:
    """A conditional order, its halves as one."""
    instrument = call.exchange.instrument(halves[0].request.symbol)
    deciding = min(halves, key=lambda half: list(STATES).index(half.status))
    request, account = deciding.request, call.account
    actual = account.orders.get(deciding.actual_order_id or 0)
    fields: dict[str, Any] = {}
    for half in halves:
        fields |= _trigger_fields(half.request)
    return (
        _blanks()
        | {
            "algoClOrdId": halves[0].request.client_algo_id,
            "algoId": str(halves[0].algo_id),
            "actualPx": payloads.number(actual.average_price) if actual and actual.filled_quantity else "",
            "actualSide": _actual_side(request) if actual else "",
            "actualSz": payloads.size(instrument, actual.filled_quantity) if actual else "0",
            "cTime": str(deciding.created_ms),
            "closeFraction": "1" if request.close_position else "",
            "ctVal": instrument.info["ctVal"],
            "instId": request.symbol,
            "last": payloads.number(call.exchange.market.quote(request.symbol).last),
            "lever": str(account.leverage(request.symbol)),
            "ordId": str(actual.order_id) if actual else "",
            "ordIdList": [str(actual.order_id)] if actual else [],
            "ordType": request.kind,
            "reduceOnly": str(request.reduce_only).lower(),
            "side": str(request.side).lower(),
            "state": STATES[deciding.status],
            "sz": "" if request.close_position else payloads.size(instrument, request.quantity),
            "tdMode": payloads.MARGIN_MODES[account.margin_mode(request.symbol)],
            "triggerTime": str(deciding.trigger_ms) if deciding.trigger_ms else "",
            "uTime": str(deciding.updated_ms),
            "uly": instrument.info["uly"],
        }
        | fields
    )


def _blanks() -> dict[str, Any]:
    """What is the same in every conditional order."""
    absent = """activePx activePxType amendPxOnTriggerType callbackRatio callbackSpread ccy clOrdId failCode
        moveTriggerPx notionalUsd ordPx pxLimit pxSpread pxVar quickMgnType slOrdPx slTriggerPx slTriggerPxType
        szLimit tag tgtCcy timeInterval tpOrdPx tpTriggerPx tpTriggerPxType triggerPx triggerPxType"""
    return dict.fromkeys(absent.split(), "") | {"attachAlgoOrds": [], "instType": "SWAP", "posSide": "net"}


def _trigger_fields(request: AlgoRequest) -> dict[str, Any]:
    """What sets an order off, in the words of its kind."""
    if request.kind == "trigger":
        return {
            "triggerPx": payloads.number(request.trigger_price),
            "ordPx": payloads.limit_price(request),
            "triggerPxType": payloads.watched(request),
        }
    if request.order_type is OrderType.TRAILING_STOP_MARKET:
        return {
            "activePx": payloads.number(request.activate_price) if request.activate_price else "",
            "callbackRatio": payloads.number(request.callback_rate_percent / 100),
        }
    return payloads.trigger_fields(request)


def _actual_side(request: AlgoRequest) -> str:
    """Which half went off."""
    return "tp" if request.order_type in PROFIT.values() else "sl"


TRADE, READ = Security.TRADE, Security.READ

NAMES = ("algoId", "algoClOrdId")
"""How a row names a conditional order."""

ENDPOINTS: dict[tuple[str, str], Endpoint] = {
    ("POST", "/api/v5/trade/order-algo"): Endpoint(
        row_handler=place, security=TRADE, places_orders=True, names=NAMES
    ),
    ("POST", "/api/v5/trade/cancel-algos"): Endpoint(
        row_handler=cancel, security=TRADE, most_rows=LARGEST_BATCH // 2, names=NAMES
    ),
    ("GET", "/api/v5/trade/order-algo"): Endpoint(query, security=READ),
    ("GET", "/api/v5/trade/orders-algo-pending"): Endpoint(pending, security=READ),
    ("GET", "/api/v5/trade/orders-algo-history"): Endpoint(history, security=READ),
}
"""Endpoints of conditional orders by method and path."""
