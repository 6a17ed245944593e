"""What Binance is told and what it answers, as the engine's own words. Pure."""

from decimal import Context, Decimal
from typing import Any, NamedTuple

from golive_engine.trading import (
    ZERO,
    Execution,
    ExecutionStatus,
    Instrument,
    Intent,
    KeyRights,
    OrderKind,
    Quote,
    Side,
    Snapshot,
    Trade,
)
from golive_engine.venues.reading import (
    QUOTE_ASSET,
    Algo,
    number,
    plain,
    price_or_none,
    quote,
    seconds,
    truth,
)

CROSSED = "CROSSED"
"""Cross margin."""

SUCCESS = 200
"""What stands for success where a code is answered at all."""

ENTRY = Context(prec=12)
"""Digits of an entry price, which this venue does not tell and its sums do to so many digits."""

STATUSES = {
    "NEW": ExecutionStatus.WORKING,
    "PARTIALLY_FILLED": ExecutionStatus.WORKING,
    "FILLED": ExecutionStatus.FILLED,
    "CANCELED": ExecutionStatus.ENDED,
    "EXPIRED": ExecutionStatus.ENDED,
    "EXPIRED_IN_MATCH": ExecutionStatus.ENDED,
    "REJECTED": ExecutionStatus.ENDED,
}
"""States of an order."""

ALGO_STATUSES = {
    "NEW": ExecutionStatus.WORKING,
    "TRIGGERING": ExecutionStatus.WORKING,
    "TRIGGERED": ExecutionStatus.WORKING,
    "FINISHED": ExecutionStatus.ENDED,
    "CANCELED": ExecutionStatus.ENDED,
    "EXPIRED": ExecutionStatus.ENDED,
    "REJECTED": ExecutionStatus.ENDED,
}
"""States of a conditional order; what it became tells more once there is that."""

TYPES = {OrderKind.STOP_LOSS: "STOP_MARKET", OrderKind.TAKE_PROFIT: "TAKE_PROFIT_MARKET"}
"""Types of conditional orders."""


class SymbolSettings(NamedTuple):
    """An account's settings of a symbol."""

    margin_mode: str
    """CROSSED or ISOLATED."""
    leverage: int
    """As it applies."""


def codes(answer: Any) -> tuple[int, ...]:
    """The code of an answer that is no success."""
    code = int(answer.get("code", SUCCESS))
    return () if code == SUCCESS else (code,)


def order_of(intent: Intent, client_order_id: str) -> dict[str, str]:
    """The parameters of an order."""
    asked = {"symbol": intent.symbol, "side": intent.side.value, "quantity": plain(intent.quantity)}
    if intent.reduce_only:
        asked["reduceOnly"] = "true"
    if intent.trigger_price is not None:
        return asked | {
            "algoType": "CONDITIONAL",
            "type": TYPES[intent.kind],
            "triggerPrice": plain(intent.trigger_price),
            "workingType": "MARK_PRICE",
            "clientAlgoId": client_order_id,
        }
    # RESULT: the answer to a market order tells its fills
    asked |= {"newClientOrderId": client_order_id, "newOrderRespType": "RESULT"}
    if intent.limit_price is None:
        return asked | {"type": "MARKET"}
    return asked | {"type": "LIMIT", "price": plain(intent.limit_price), "timeInForce": "GTC"}


def instruments(answer: Any) -> dict[str, Instrument]:
    """exchangeInfo: what is traded, perpetual, and quoted in our money."""
    return {
        row["symbol"]: _instrument(row)
        for row in answer["symbols"]
        if row["status"] == "TRADING"
        and row["contractType"] == "PERPETUAL"
        and row["quoteAsset"] == row["marginAsset"] == QUOTE_ASSET
    }


def _instrument(row: Any) -> Instrument:
    """One contract; market orders have a range of their own and the narrower one counts."""
    filters = {entry["filterType"]: entry for entry in row["filters"]}
    lot, market = filters["LOT_SIZE"], filters.get("MARKET_LOT_SIZE", filters["LOT_SIZE"])
    return Instrument(
        symbol=row["symbol"],
        lot_size=number(lot["stepSize"]),
        tick_size=number(filters["PRICE_FILTER"]["tickSize"]),
        min_quantity=max(number(lot["minQty"]), number(market["minQty"])),
        max_quantity=min(number(lot["maxQty"]), number(market["maxQty"])),
        min_notional=number(filters["MIN_NOTIONAL"]["notional"]),
    )


def quotes(answer: Any) -> dict[str, Quote]:
    """bookTicker: one row, or one for each symbol."""
    found: dict[str, Quote] = {}
    for row in answer if isinstance(answer, list) else [answer]:
        found |= quote(row["symbol"], row["bidPrice"], row["askPrice"], row["time"])
    return found


def snapshot(answer: Any) -> Snapshot:
    """/fapi/v3/account; hedge mode has two positions per symbol, which nothing here is made for."""
    asset = next(row for row in answer["assets"] if row["asset"] == QUOTE_ASSET)
    held = {row["symbol"]: row for row in answer["positions"] if number(row["positionAmt"])}
    for row in answer["positions"]:
        if row["positionSide"] != "BOTH":
            raise ValueError(f"{row['symbol']} is in hedge mode; set one-way mode on the venue")
    return Snapshot(
        equity=number(asset["marginBalance"]),
        margin_used=number(asset["initialMargin"]),
        positions={symbol: number(row["positionAmt"]) for symbol, row in held.items()},
        entries={symbol: _entry(row) for symbol, row in held.items()},
        wallet=number(asset["walletBalance"]),
    )


def _entry(row: Any) -> Decimal:
    """Average entry: the position at mark less its profit, shared among its quantity."""
    amount = number(row["positionAmt"])
    worth = abs(number(row["notional"])).copy_sign(amount)
    return ENTRY.divide(worth - number(row["unrealizedProfit"]), amount)


def symbol_settings(rows: Any, symbol: str) -> SymbolSettings:
    """/fapi/v1/symbolConfig."""
    row = next(row for row in rows if row["symbol"] == symbol)
    return SymbolSettings(row["marginType"], int(row["leverage"]))


def is_hedged(answer: Any) -> bool:
    """/fapi/v1/accountConfig: whether there are two positions per symbol."""
    return truth(answer["dualSidePosition"])


def rights(answer: Any) -> KeyRights:
    """/sapi/v1/account/apiRestrictions."""
    return KeyRights(trade=truth(answer["enableFutures"]), withdraw=truth(answer["enableWithdrawals"]))


def rights_of_account(answer: Any) -> KeyRights:
    """/fapi/v1/accountConfig: what it says of withdrawals is about the account, not about the key."""
    return KeyRights(trade=truth(answer["canTrade"]), withdraw=None)


def execution(row: Any) -> Execution:
    """An order as /fapi/v1/order tells it."""
    return Execution(
        client_order_id=row["clientOrderId"],
        venue_order_id=str(row["orderId"]),
        symbol=row["symbol"],
        side=Side(row["side"]),
        quantity=number(row["origQty"]),
        status=STATUSES[row["status"]],
        filled_quantity=number(row["executedQty"]),
        average_price=number(row["avgPrice"]),
        kind=OrderKind.MARKET if row["type"] == "MARKET" else OrderKind.LIMIT,
        reduce_only=truth(row["reduceOnly"]),
        price=price_or_none(row["price"]),
    )


def executions(rows: Any) -> list[Execution]:
    """Several of them."""
    return [execution(row) for row in rows]


def algo_execution(row: Any) -> Execution:
    """A conditional order as the algo service tells it, without what it became."""
    takes_profit = row["orderType"].startswith("TAKE_PROFIT")
    return Execution(
        client_order_id=row["clientAlgoId"],
        venue_order_id=str(row["algoId"]),
        symbol=row["symbol"],
        side=Side(row["side"]),
        quantity=number(row["quantity"]),
        status=ALGO_STATUSES[row["algoStatus"]],
        filled_quantity=ZERO,
        average_price=ZERO,
        kind=OrderKind.TAKE_PROFIT if takes_profit else OrderKind.STOP_LOSS,
        reduce_only=truth(row["reduceOnly"]) or truth(row["closePosition"]),
        price=price_or_none(row["triggerPrice"]),
    )


def algo_executions(rows: Any) -> list[Execution]:
    """Several of them."""
    return [algo_execution(row) for row in rows]


def algo_with_child(row: Any) -> Algo:
    """A conditional order, and where to ask what became of it."""
    child_id = str(row.get("actualOrderId") or "0")
    return Algo(algo_execution(row), None if child_id == "0" else child_id)


def trades(rows: Any) -> list[Trade]:
    """/fapi/v1/userTrades."""
    return [
        Trade(
            trade_id=str(row["id"]),
            venue_order_id=str(row["orderId"]),
            symbol=row["symbol"],
            side=Side(row["side"]),
            quantity=number(row["qty"]),
            price=number(row["price"]),
            time=seconds(row["time"]),
        )
        for row in rows
    ]
