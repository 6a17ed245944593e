"""Orders and executions in Bybit's notation: numbers as texts, what is absent as nought or empty."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from golive_simulator.dialect.bybit.identity import Found, of_order, text_of
from golive_simulator.market import FUNDING_RATE
from golive_simulator.orders import ZERO, AlgoStatus, OrderStatus, OrderType, TimeInForce, WorkingType

if TYPE_CHECKING:
    from decimal import Decimal

    from golive_simulator.accounts import Account
    from golive_simulator.exchange import Exchange
    from golive_simulator.instruments import Instrument
    from golive_simulator.orders import AlgoRequest, Fill, Income, Order, OrderRequest, Side

Payload = dict[str, Any]

STATUSES = {
    OrderStatus.NEW: "New",
    OrderStatus.PARTIALLY_FILLED: "PartiallyFilled",
    OrderStatus.FILLED: "Filled",
    OrderStatus.CANCELED: "Cancelled",
    OrderStatus.EXPIRED: "Cancelled",
}
"""Status of an order that has reached the book."""

WAITING_STATUSES = {AlgoStatus.NEW: "Untriggered", AlgoStatus.REJECTED: "Rejected"}
"""Status of a conditional order that has not; any other is ``Deactivated``."""

TIMES_IN_FORCE = {
    TimeInForce.GTC: "GTC",
    TimeInForce.IOC: "IOC",
    TimeInForce.FOK: "FOK",
    TimeInForce.GTX: "PostOnly",
}
"""How long an order may live."""

NO_ID = "0"
"""Where an id might stand and there is none."""


def plain(value: Decimal) -> str:
    """A number without superfluous digits."""
    return f"{value.normalize():f}" if value else "0"


def price(instrument: Instrument, value: Decimal) -> str:
    """A price with the contract's decimals, a plain nought if there is none."""
    return f"{value:.{instrument.price_precision}f}" if value else "0"


def quantity(instrument: Instrument, value: Decimal) -> str:
    """A quantity with the contract's decimals."""
    return f"{value:.{instrument.quantity_precision}f}"


def side(which: Side) -> str:
    """Buy or Sell."""
    return which.capitalize()


def trigger_by(algo: AlgoRequest) -> str:
    """The price a trigger watches."""
    return "MarkPrice" if algo.working_type is WorkingType.MARK_PRICE else "LastPrice"


def is_take_profit(algo: AlgoRequest) -> bool:
    """Whether it waits for a better price."""
    return algo.order_type in {OrderType.TAKE_PROFIT, OrderType.TAKE_PROFIT_MARKET}


def stop_order_type(algo: AlgoRequest) -> str:
    """What a conditional order is called."""
    if not algo.ends_with_position:
        return "Stop"
    return "TakeProfit" if is_take_profit(algo) else "StopLoss"


def trigger_direction(algo: AlgoRequest) -> int:
    """1 for a trigger that waits for a rise, 2 for a fall."""
    rises = (algo.side.sign > 0) is not is_take_profit(algo)
    return 1 if rises else 2


def order(exchange: Exchange, account: Account, found: Found) -> Payload:
    """An order, whether it waits, rests or has ended."""
    instrument = exchange.market.instruments[found.symbol]
    body = _booked(account, instrument, found.order) if found.order else _waiting(account, instrument, found)
    algo = found.algo.request if found.algo else None
    return {
        "orderId": found.order_id,
        "orderLinkId": found.client_id,
        "blockTradeId": "",
        "symbol": found.symbol,
        "isLeverage": "",
        "positionIdx": 0,
        **body,
        "stopOrderType": stop_order_type(algo) if algo else "",
        "orderIv": "",
        "triggerPrice": price(instrument, algo.trigger_price if algo else ZERO),
        "triggerDirection": trigger_direction(algo) if algo else 0,
        "triggerBy": trigger_by(algo) if algo else "",
        "lastPriceOnCreated": "0",
        "closeOnTrigger": bool(algo and algo.close_position),
        "smpType": "None",
        "smpGroup": 0,
        "smpOrderId": NO_ID,
        "tpslMode": "Full",
        "tpLimitPrice": "0",
        "slLimitPrice": "0",
        "placeType": "",
        "createdTime": str(found.created_ms),
    }


def _asked(instrument: Instrument, request: OrderRequest | AlgoRequest, held: Decimal) -> Payload:
    """What an order asks for, in the book or before it."""
    profit = next((row.trigger_price for row in request.attached if is_take_profit(row)), ZERO)
    loss = next((row.trigger_price for row in request.attached if not is_take_profit(row)), ZERO)
    rests = request.order_type.rests_at_a_price
    return {
        "price": price(instrument, request.price),
        "qty": quantity(instrument, held),
        "side": side(request.side),
        "timeInForce": TIMES_IN_FORCE[request.time_in_force if rests else TimeInForce.IOC],
        "orderType": "Limit" if rests else "Market",
        "takeProfit": price(instrument, profit),
        "stopLoss": price(instrument, loss),
        "tpTriggerBy": "LastPrice" if profit else "",
        "slTriggerBy": "LastPrice" if loss else "",
    }


def _booked(account: Account, instrument: Instrument, row: Order) -> Payload:
    """The part of an order that differs once it has reached the book."""
    request = row.request
    fees = sum((fill.commission for fill in account.fills_of(row)), ZERO)
    left = row.remaining if row.is_open else ZERO
    return _asked(instrument, request, row.quantity) | {
        "orderStatus": STATUSES[row.status],
        "cancelType": "CancelByUser" if row.status is OrderStatus.CANCELED else "UNKNOWN",
        "rejectReason": reject_reason(row),
        "avgPrice": plain(row.average_price) if row.filled_quantity else "",
        "leavesQty": quantity(instrument, left),
        "leavesValue": plain(left * request.price),
        "cumExecQty": quantity(instrument, row.filled_quantity),
        "cumExecValue": plain(row.filled_cost),
        "cumExecFee": plain(fees),
        "cumFeeDetail": {instrument.quote: plain(fees)} if row.filled_quantity else {},
        "reduceOnly": request.reduce_only,
        "updatedTime": str(row.updated_ms),
    }


def reject_reason(row: Order) -> str:
    """Why the venue ended an order by itself."""
    if row.status is not OrderStatus.EXPIRED:
        return "EC_NoError"
    if row.request.time_in_force is TimeInForce.GTX:
        return "EC_PostOnlyWillTakeLiquidity"
    return "EC_NoImmediateQtyToFill"


def _waiting(account: Account, instrument: Instrument, found: Found) -> Payload:
    """The part of an order that differs before it has reached the book."""
    algo = found.algo
    if algo is None:
        raise LookupError("an order that is neither in the book nor waiting")
    request = algo.request
    whole = abs(account.position(request.symbol).quantity)
    size = whole if request.close_position else request.quantity
    left = size if algo.is_open else ZERO
    return _asked(instrument, request, size) | {
        "orderStatus": WAITING_STATUSES.get(algo.status, "Deactivated"),
        "cancelType": "CancelByUser" if algo.status is AlgoStatus.CANCELED else "UNKNOWN",
        "rejectReason": "EC_NoError",
        "avgPrice": "",
        "leavesQty": quantity(instrument, left),
        "leavesValue": plain(left * request.price),
        "cumExecQty": "0",
        "cumExecValue": "0",
        "cumExecFee": "0",
        "cumFeeDetail": {},
        "reduceOnly": request.reduce_only or request.close_position,
        "updatedTime": str(algo.updated_ms),
    }


def execution(exchange: Exchange, account: Account, fill: Fill, closed: Decimal, fee_rate: Decimal) -> Payload:
    """One trade of the account; ``closed`` is how much of it took from a position."""
    instrument, row = exchange.market.instruments[fill.symbol], account.orders[fill.order_id]
    found, mark = of_order(account, row), exchange.market.mark(fill.symbol)
    is_liquidation = row.request.order_type is OrderType.LIQUIDATION
    rests = row.request.order_type.rests_at_a_price
    return {
        "symbol": fill.symbol,
        "orderId": found.order_id,
        "orderLinkId": found.client_id,
        "side": side(fill.side),
        "orderPrice": price(instrument, row.request.price or fill.price),
        "orderQty": quantity(instrument, row.quantity),
        "leavesQty": quantity(instrument, row.remaining if row.is_open else ZERO),
        "createType": "CreateByLiq" if is_liquidation else "CreateByUser",
        "orderType": "Limit" if rests else "Market",
        "stopOrderType": stop_order_type(found.algo.request) if found.algo else "",
        "execFee": plain(fill.commission),
        "execId": f"{fill.trade_id:08x}-0000-5000-8000-{fill.order_id:012x}",
        "execPrice": price(instrument, fill.price),
        "execQty": quantity(instrument, fill.quantity),
        "execType": "BustTrade" if is_liquidation else "Trade",
        "execValue": plain(fill.price * fill.quantity),
        "execTime": str(fill.time_ms),
        "feeCurrency": instrument.quote,
        "isMaker": fill.is_maker,
        "feeRate": plain(fee_rate),
        "tradeIv": "",
        "markIv": "",
        "markPrice": price(instrument, mark),
        "indexPrice": price(instrument, mark),
        "underlyingPrice": "",
        "blockTradeId": "",
        "closedSize": quantity(instrument, closed),
        "seq": fill.trade_id,
    }


def funding(exchange: Exchange, income: Income, held: Decimal) -> Payload:
    """A funding payment, which the venue lists among the trades; a fee above nought was paid."""
    instrument = exchange.market.instruments[income.symbol]
    value = abs(income.amount) / FUNDING_RATE
    paid_at = price(instrument, value / abs(held) if held else ZERO)
    noughts = ("orderPrice", "orderQty", "leavesQty", "closedSize")
    absent = ("orderLinkId", "createType", "tradeIv", "markIv", "indexPrice", "underlyingPrice", "blockTradeId")
    return (
        dict.fromkeys(noughts, "0")
        | dict.fromkeys(absent, "")
        | {
            "symbol": income.symbol,
            "orderId": text_of("funding", income.income_id),
            "side": "Buy" if held > 0 else "Sell",
            "orderType": "UNKNOWN",
            "stopOrderType": "UNKNOWN",
            "execFee": plain(-income.amount),
            "execId": f"{income.income_id:08x}-0000-5000-8000-000000000000",
            "execPrice": paid_at,
            "execQty": quantity(instrument, abs(held)),
            "execType": "Funding",
            "execValue": plain(value),
            "execTime": str(income.time_ms),
            "feeCurrency": "",
            "isMaker": False,
            "feeRate": plain(FUNDING_RATE),
            "markPrice": paid_at,
            "seq": income.income_id,
        }
    )
