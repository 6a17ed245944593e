"""Endpoints that place, find and cancel ordinary orders."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Any

from golive_simulator.attached import follow_positions
from golive_simulator.dialect.okx import payloads
from golive_simulator.dialect.okx.algo_reading import NO_POSITION_SIDES, SIDES, read_attached
from golive_simulator.dialect.okx.call import Call, Endpoint, Security
from golive_simulator.dialect.okx.complaints import BAD_REQUEST, SAME_DIRECTION, Complaint, either, wrong
from golive_simulator.dialect.okx.contracts import to_base
from golive_simulator.orders import ZERO, MarginMode, Order, OrderRequest, OrderType, Side, TimeInForce
from golive_simulator.refusals import Reason, Refused

if TYPE_CHECKING:
    from golive_simulator.dialect.okx.parameters import Parameters
    from golive_simulator.instruments import Instrument

LARGEST_BATCH = 20
"""Orders in one batch."""

MODES = {"cross": MarginMode.CROSSED, "isolated": MarginMode.ISOLATED}
"""Margin modes of swaps."""

KINDS = {
    "market": (OrderType.MARKET, TimeInForce.GTC),
    "optimal_limit_ioc": (OrderType.MARKET, TimeInForce.GTC),
    "limit": (OrderType.LIMIT, TimeInForce.GTC),
    "post_only": (OrderType.LIMIT, TimeInForce.GTX),
    "ioc": (OrderType.LIMIT, TimeInForce.IOC),
    "fok": (OrderType.LIMIT, TimeInForce.FOK),
}
"""Types of ordinary orders."""

IN_VAIN = frozenset({Reason.WOULD_TAKE, Reason.WOULD_NOT_FILL})
"""What the venue cancels after it has accepted it, rather than refuse it."""

FILTERS = ("instType", "instId", "ordType", "state")
"""What narrows a list of orders; each may name several values."""

SHORTEST_SILENCE_SECONDS, LONGEST_SILENCE_SECONDS = 10, 120
"""Bounds of the dead man's switch."""


def read_order(call: Call, parameters: Parameters, instrument: Instrument) -> OrderRequest:
    """An order as one row describes it.

    Raises:
        Complaint: when a parameter is missing or not one the venue knows.
    """
    side = parameters.choice("side", SIDES)
    kind, time_in_force = parameters.choice("ordType", KINDS)
    if call.account.is_hedged or parameters.optional("posSide") not in NO_POSITION_SIDES:
        raise wrong("posSide")
    quantity = to_base(instrument, parameters.decimal("sz"))
    price = parameters.decimal("px") if kind is OrderType.LIMIT else ZERO
    reduce_only = parameters.flag("reduceOnly")
    attached = read_attached(call, parameters, instrument, side, quantity, price)
    if attached and reduce_only:
        raise Complaint(
            51100,
            "Unable to place order. Take profit/Stop loss conditions cannot be added to reduce-only orders.",
        )
    return OrderRequest(
        symbol=instrument.symbol,
        side=side,
        order_type=kind,
        quantity=quantity,
        client_order_id=parameters.client_id("clOrdId"),
        price=price,
        time_in_force=time_in_force,
        reduce_only=reduce_only,
        attached=attached,
    )


def choose_margin_mode(call: Call, parameters: Parameters, instrument: Instrument) -> None:
    """Let the contract's margin mode be the one the order names; a position in the other one forbids it."""
    mode = parameters.choice("tdMode", MODES)
    if call.account.margin_mode(instrument.symbol) is not mode:
        call.exchange.set_margin_mode(call.account, instrument.symbol, mode)


def place(call: Call, parameters: Parameters) -> dict[str, Any]:
    """Place one order."""
    instrument = call.named(parameters.text("instId"))
    request = read_order(call, parameters, instrument)
    choose_margin_mode(call, parameters, instrument)
    order = _place(call, request)
    follow_positions(call.exchange, call.now_ms)
    return _acknowledged(order) | {"tag": parameters.optional("tag")}


def _place(call: Call, request: OrderRequest) -> Order:
    """Hand an order to the exchange, in the venue's own way where that differs."""
    try:
        return call.exchange.place(call.account, request, call.now_ms, call.handling)
    except Refused as refusal:
        if refusal.reason in IN_VAIN:
            return call.exchange.place_in_vain(call.account, request, call.now_ms)
        if refusal.reason is Reason.NOTHING_TO_REDUCE and call.account.position(request.symbol).is_open:
            raise SAME_DIRECTION from refusal
        raise


def _acknowledged(order: Order) -> dict[str, Any]:
    """An order's names, which is all the venue answers with."""
    return {
        "ordId": str(order.order_id),
        "clOrdId": order.request.client_order_id,
        "ts": str(order.updated_ms),
    }


def _named_order(call: Call, parameters: Parameters) -> Order:
    """The order that a row names by either id."""
    symbol = call.named(parameters.text("instId")).symbol
    number, client_id = parameters.optional_integer("ordId", 0), parameters.optional("clOrdId")
    if not number and not client_id:
        raise either("ordId", "clOrdId")
    return call.exchange.find(call.account, symbol, number or None, client_id)


def query(call: Call) -> list[Any]:
    """One order, open or not."""
    return [_shown(call, _named_order(call, call.parameters))]


def _shown(call: Call, order: Order) -> dict[str, Any]:
    """An order in the notation of its contract."""
    return payloads.order(call.account, call.exchange.instrument(order.request.symbol), order)


def cancel(call: Call, parameters: Parameters) -> dict[str, Any]:
    """Cancel one order; one that is not open is as unknown as one that never was."""
    try:
        order = _named_order(call, parameters)
    except Refused as refusal:
        if refusal.reason is Reason.ORDER_UNKNOWN:
            raise Refused(Reason.ORDER_NOT_OPEN) from refusal
        raise
    call.exchange.cancel(call.account, order, call.now_ms)
    return _acknowledged(order)


def close_position(call: Call) -> list[Any]:
    """Close a whole position at the market; with ``autoCxl`` what rests to close it goes first."""
    parameters, instrument = call.parameters, call.instrument()
    mode, held = parameters.choice("mgnMode", MODES), call.account.position(instrument.symbol).quantity
    if parameters.optional("posSide") not in NO_POSITION_SIDES:
        raise wrong("posSide")
    if not held or call.account.margin_mode(instrument.symbol) is not mode:
        raise Complaint(51023, "Position does not exist.")
    closing = [row for row in call.account.open_orders(instrument.symbol) if row.request.side.sign * held < 0]
    if closing and not parameters.flag("autoCxl"):
        raise Complaint(51112, "Close order size exceeds your available size.")
    for row in closing:
        call.exchange.cancel(call.account, row, call.now_ms)
    request = OrderRequest(
        symbol=instrument.symbol,
        side=Side.SELL if held > 0 else Side.BUY,
        order_type=OrderType.MARKET,
        quantity=abs(held),
        client_order_id=parameters.client_id("clOrdId"),
        reduce_only=True,
    )
    order = _place(call, request)
    named = {"clOrdId": order.request.client_order_id, "tag": parameters.optional("tag")}
    return [named | {"instId": instrument.symbol, "posSide": "net"}]


def pending(call: Call) -> list[Any]:
    """Open orders, newest first."""
    return _page(call, call.account.open_orders())


def history(call: Call) -> list[Any]:
    """Closed orders, newest first."""
    call.parameters.text("instType")
    return _page(call, [order for order in call.account.orders.values() if not order.is_open])


def _page(call: Call, orders: list[Order]) -> list[Any]:
    """The newest of the orders asked for by contract, type and state."""
    given = call.parameters
    after, before = given.optional_integer("after", 0), given.optional_integer("before", 0)
    asked = {name: given.text(name).split(",") for name in FILTERS if given.optional(name)}
    found = (
        shown
        for row in reversed(orders)
        if row.order_id > before and (not after or row.order_id < after)
        for shown in (_shown(call, row),)
        if all(shown[name] in values for name, values in asked.items())
    )
    return list(islice(found, most(call)))


def most(call: Call) -> int:
    """Rows of a page."""
    return min(call.parameters.optional_integer("limit", 100), 100)


def fills(call: Call) -> list[Any]:
    """The account's trades, newest first."""
    given, instruments = call.parameters, {row.symbol: row for row in call.chosen()}
    number, after = given.optional("ordId"), given.optional_integer("after", 0)
    begin, end = given.optional_integer("begin", 0), given.optional_integer("end", call.now_ms)
    found = [
        fill
        for fill in reversed(call.account.fills)
        if fill.symbol in instruments
        and number in {"", str(fill.order_id)}
        and (not after or fill.trade_id < after)
        and begin <= fill.time_ms <= end
    ]
    return [payloads.fill(call.account, instruments[fill.symbol], fill) for fill in found[: most(call)]]


def fills_history(call: Call) -> list[Any]:
    """The same, for a type of contract that must be named."""
    call.parameters.text("instType")
    return fills(call)


def cancel_all_after(call: Call) -> list[Any]:
    """Arm, renew or disarm the dead man's switch of the whole account; conditional orders stay."""
    seconds = call.parameters.integer("timeOut")
    if seconds and not SHORTEST_SILENCE_SECONDS <= seconds <= LONGEST_SILENCE_SECONDS:
        raise Complaint(51000, "Parameter timeOut error", BAD_REQUEST)
    due_ms = call.now_ms + seconds * 1000
    call.account.countdowns = {row.symbol: due_ms for row in call.swaps()} if seconds else {}
    return [{"triggerTime": str(due_ms) if seconds else "0", "tag": "", "ts": str(call.now_ms)}]


TRADE, READ = Security.TRADE, Security.READ

ENDPOINTS: dict[tuple[str, str], Endpoint] = {
    ("POST", "/api/v5/trade/order"): Endpoint(
        row_handler=place, security=TRADE, allowed=60, places_orders=True
    ),
    ("POST", "/api/v5/trade/batch-orders"): Endpoint(
        row_handler=place, security=TRADE, allowed=300, most_rows=LARGEST_BATCH, places_orders=True
    ),
    ("POST", "/api/v5/trade/cancel-order"): Endpoint(row_handler=cancel, security=TRADE, allowed=60),
    ("POST", "/api/v5/trade/cancel-batch-orders"): Endpoint(
        row_handler=cancel, security=TRADE, allowed=300, most_rows=LARGEST_BATCH
    ),
    ("POST", "/api/v5/trade/cancel-all-after"): Endpoint(cancel_all_after, security=TRADE, allowed=2),
    ("POST", "/api/v5/trade/close-position"): Endpoint(close_position, security=TRADE, places_orders=True),
    ("GET", "/api/v5/trade/order"): Endpoint(query, security=READ, allowed=60),
    ("GET", "/api/v5/trade/orders-pending"): Endpoint(pending, security=READ, allowed=60),
    ("GET", "/api/v5/trade/orders-history"): Endpoint(history, security=READ, allowed=40),
    ("GET", "/api/v5/trade/orders-history-archive"): Endpoint(history, security=READ, allowed=20),
    ("GET", "/api/v5/trade/fills"): Endpoint(fills, security=READ, allowed=60),
    ("GET", "/api/v5/trade/fills-history"): Endpoint(fills_history, security=READ, allowed=10),
}
"""Endpoints of ordinary orders by method and path."""
