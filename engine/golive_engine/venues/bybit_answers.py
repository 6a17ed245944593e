"""What Bybit is told and what it answers, as the engine's own words. Pure."""

from decimal import Decimal
from typing import Any, NamedTuple

from golive_engine.trading import (
    Depth,
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
from golive_engine.venues import reading
from golive_engine.venues.reading import QUOTE_ASSET, number, plain, price_or_none, seconds, truth

CROSSED = "REGULAR_MARGIN"
"""Cross margin, as a setting of the account."""

STATUSES = {
    "New": ExecutionStatus.WORKING,
    "PartiallyFilled": ExecutionStatus.WORKING,
    "Untriggered": ExecutionStatus.WORKING,
    "Triggered": ExecutionStatus.WORKING,
    "Filled": ExecutionStatus.FILLED,
    "PartiallyFilledCanceled": ExecutionStatus.ENDED,
    "Cancelled": ExecutionStatus.ENDED,
    "Rejected": ExecutionStatus.ENDED,
    "Deactivated": ExecutionStatus.ENDED,
}
"""States of an order, conditional or not."""

SIDES = {"Buy": Side.BUY, "Sell": Side.SELL}
"""Ways."""

WAYS = {side: word for word, side in SIDES.items()}
"""The same the other way round."""

RISES, FALLS = 1, 2
"""Where the price goes when it sets off a trigger."""

TRADES = ("Trade", "AdlTrade", "BustTrade")
"""What changes a position, of all that is listed as an execution; funding is not among it."""


class SymbolSettings(NamedTuple):
    """An account's settings of a symbol."""

    is_hedged: bool
    """Whether there are two positions."""
    leverage: Decimal
    """As it applies."""


def codes(answer: Any) -> tuple[int, ...]:
    """The code of an answer that is no success."""
    code = int(answer["retCode"])
    return (code,) if code else ()


def order_of(intent: Intent, client_order_id: str) -> dict[str, Any]:
    """The parameters of an order; without an id of ours this venue would let it go without one."""
    asked: dict[str, Any] = {
        "category": "linear",
        "symbol": intent.symbol,
        "side": WAYS[intent.side],
        "orderType": "Market",
        "qty": plain(intent.quantity),
        "orderLinkId": client_order_id,
        "positionIdx": 0,
        "reduceOnly": intent.reduce_only,
    }
    if intent.trigger_price is not None:
        rises = (intent.side is Side.BUY) != intent.takes_profit
        return asked | {
            "triggerPrice": plain(intent.trigger_price),
            "triggerDirection": RISES if rises else FALLS,
            "triggerBy": "MarkPrice",
        }
    if intent.limit_price is None:
        return asked
    return asked | {"orderType": "Limit", "price": plain(intent.limit_price), "timeInForce": "GTC"}


def accepted(answer: Any, intent: Intent) -> Execution:
    """An order of which nothing is known but that the venue has it."""
    return reading.accepted(intent, answer["result"]["orderLinkId"], answer["result"]["orderId"])


def instruments(rows: Any) -> list[Instrument]:
    """What is traded, perpetual, and quoted and settled in our money."""
    return [
        _instrument(row)
        for row in rows
        if row["status"] == "Trading"
        and row["contractType"] == "LinearPerpetual"
        and row["quoteCoin"] == row["settleCoin"] == QUOTE_ASSET
    ]


def _instrument(row: Any) -> Instrument:
    """One contract; market orders have a limit of their own and the narrower one counts."""
    lot = row["lotSizeFilter"]
    return Instrument(
        symbol=row["symbol"],
        lot_size=number(lot["qtyStep"]),
        tick_size=number(row["priceFilter"]["tickSize"]),
        min_quantity=number(lot["minOrderQty"]),
        max_quantity=min(number(lot["maxOrderQty"]), number(lot["maxMktOrderQty"])),
        min_notional=number(lot["minNotionalValue"]),
    )


def quote_of_book(answer: Any) -> dict[str, Quote]:
    """The first level of an order book, which unlike a ticker tells when it was so."""
    book = answer["result"]
    if not book["b"] or not book["a"]:
        return {}
    return reading.quote(book["s"], book["b"][0][0], book["a"][0][0], book["ts"])


def depth(answer: Any, percent: Decimal) -> Depth:
    """What a book holds near its middle."""
    book = answer["result"]
    return reading.depth(book["s"], book["b"], book["a"], book["ts"], percent)


def positions(rows: Any) -> list[reading.Position]:
    """Open positions; hedge mode has two per symbol, which nothing here is made for."""
    for row in rows:
        if int(row["positionIdx"]):
            raise ValueError(f"{row['symbol']} is in hedge mode; set one-way mode on the venue")
    return [
        reading.Position(row["symbol"], number(row["size"]) * SIDES[row["side"]].sign, number(row["avgPrice"]))
        for row in rows
        if number(row["size"] or 0)
    ]


def snapshot(answer: Any, held: list[reading.Position]) -> Snapshot:
    """The unified account's money in our currency, with its positions."""
    coins = answer["result"]["list"][0]["coin"]
    coin = next(row for row in coins if row["coin"] == QUOTE_ASSET)
    return Snapshot(
        equity=number(coin["equity"]),
        margin_used=number(coin["totalOrderIM"]) + number(coin["totalPositionIM"]),
        positions={position.symbol: position.quantity for position in held},
        entries={position.symbol: position.entry for position in held},
        wallet=number(coin["walletBalance"]),
    )


def rights(answer: Any) -> KeyRights:
    """/v5/user/query-api."""
    key = answer["result"]
    granted = key["permissions"]
    is_writing = int(key["readOnly"]) == 0
    return KeyRights(
        trade=is_writing and {"Order", "Position"} <= set(granted["ContractTrade"]),
        withdraw=is_writing and "Withdraw" in granted["Wallet"],
    )


def symbol_settings(answer: Any) -> SymbolSettings:
    """A symbol's rows of the list of positions: one, or two in hedge mode."""
    rows = answer["result"]["list"]
    return SymbolSettings(any(int(row["positionIdx"]) for row in rows), number(rows[0]["leverage"]))


def is_crossed(answer: Any) -> bool:
    """/v5/account/info: whether margin is shared by all positions."""
    return bool(answer["result"]["marginMode"] == CROSSED)


def executions_of(answer: Any) -> list[Execution]:
    """The orders of an answer."""
    return executions(answer["result"]["list"])


def executions(rows: Any) -> list[Execution]:
    """Orders as /v5/order/realtime tells them."""
    return [_execution(row) for row in rows]


def _execution(row: Any) -> Execution:
    """One order; a conditional one stays that when it has triggered."""
    kind = _kind(row)
    # the price of a market order is how far the venue would have let it slip
    price = row["triggerPrice"] if kind.is_conditional else row["price"]
    return Execution(
        client_order_id=row["orderLinkId"],
        venue_order_id=row["orderId"],
        symbol=row["symbol"],
        side=SIDES[row["side"]],
        quantity=number(row["qty"]),
        status=STATUSES[row["orderStatus"]],
        filled_quantity=number(row["cumExecQty"] or 0),
        average_price=number(row["avgPrice"] or 0),
        kind=kind,
        reduce_only=truth(row["reduceOnly"]) or truth(row["closeOnTrigger"]),
        price=None if kind is OrderKind.MARKET else price_or_none(price),
    )


def _kind(row: Any) -> OrderKind:
    """How an order waits: its own word, or for which way its trigger waits."""
    word = row["stopOrderType"]
    if word in ("", "UNKNOWN"):
        return OrderKind.MARKET if row["orderType"] == "Market" else OrderKind.LIMIT
    rises = int(row["triggerDirection"]) == RISES
    takes_profit = "TakeProfit" in word or (word == "Stop" and rises != (row["side"] == "Buy"))
    return OrderKind.TAKE_PROFIT if takes_profit else OrderKind.STOP_LOSS


def trades(rows: Any) -> list[Trade]:
    """/v5/execution/list."""
    return [
        Trade(
            trade_id=row["execId"],
            venue_order_id=row["orderId"],
            symbol=row["symbol"],
            side=SIDES[row["side"]],
            quantity=number(row["execQty"]),
            price=number(row["execPrice"]),
            time=seconds(row["execTime"]),
        )
        for row in rows
        if row["execType"] in TRADES
    ]
