"""What OKX is told and what it answers, as the engine's own words: contracts become base currency. Pure."""

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from golive_engine.trading import (
    ZERO,
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
from golive_engine.venues.reading import QUOTE_ASSET, Algo, number, plain, price_or_none, seconds, truth

SUFFIX = f"-{QUOTE_ASSET}-SWAP"
"""How the name of a perpetual ends that is quoted and settled in our money."""

ONE_WAY = "net_mode"
"""One position per contract."""

AT_MARKET = "-1"
"""The limit price of a conditional order that has none once it is triggered."""

STATUSES = {
    "live": ExecutionStatus.WORKING,
    "partially_filled": ExecutionStatus.WORKING,
    "filled": ExecutionStatus.FILLED,
    "canceled": ExecutionStatus.ENDED,
    "mmp_canceled": ExecutionStatus.ENDED,
}
"""States of an order."""

ALGO_STATUSES = {
    "live": ExecutionStatus.WORKING,
    "pause": ExecutionStatus.WORKING,
    "partially_effective": ExecutionStatus.WORKING,
    "effective": ExecutionStatus.WORKING,
    "canceled": ExecutionStatus.ENDED,
    "order_failed": ExecutionStatus.ENDED,
    "partially_failed": ExecutionStatus.ENDED,
}
"""States of a conditional order; of an effective one, the order that it made tells more."""

MARKET_TYPES = ("market", "optimal_limit_ioc")
"""Types of orders that take what the book gives."""

SIDES = {"buy": Side.BUY, "sell": Side.SELL}
"""Ways."""

WAYS = {side: word for word, side in SIDES.items()}
"""The same the other way round."""


def codes(answer: Any) -> tuple[int, ...]:
    """The codes of the rows that failed, else that of an answer that is no success."""
    failed = tuple(int(row["sCode"]) for row in answer["data"] if int(row.get("sCode", 0)))
    code = int(answer["code"])
    return failed or ((code,) if code else ())


def name_of(symbol: str) -> str:
    """OKX's name of a perpetual."""
    return symbol.removesuffix(QUOTE_ASSET) + SUFFIX


def symbol_of(name: str) -> str:
    """The engine's name of a perpetual."""
    return name.removesuffix(SUFFIX) + QUOTE_ASSET


def ours(rows: Any) -> list[Any]:
    """Those of a list's rows that are about perpetuals in our money."""
    return [row for row in rows if row["instId"].endswith(SUFFIX)]


def names(key: str) -> Callable[[Any], list[dict[str, str]]]:
    """A reader of orders' names, for cancelling them."""
    return lambda rows: [{"instId": row["instId"], key: row[key]} for row in rows]


@dataclass(frozen=True, slots=True)
class Contracts:
    """How much base currency a contract is, and everything that is told in contracts."""

    sizes: dict[str, Decimal]
    """By symbol."""

    def knows(self, symbol: str) -> bool:
        """Whether quantities of this symbol can be told."""
        return symbol in self.sizes

    def base(self, symbol: str, contracts: Any) -> Decimal:
        """Base currency in so many contracts; raises ValueError for a contract that is not listed."""
        if symbol not in self.sizes:
            raise ValueError(f"the contract size of {symbol} is not known")
        return number(contracts) * self.sizes[symbol]

    def order_of(self, intent: Intent, client_order_id: str) -> dict[str, Any]:
        """The parameters of an order."""
        asked: dict[str, Any] = {
            "instId": name_of(intent.symbol),
            "tdMode": "cross",
            "side": WAYS[intent.side],
            "sz": plain(intent.quantity / self.sizes[intent.symbol]),
            "reduceOnly": intent.reduce_only,
            # Also for conditional orders: the library would make up a clOrdId otherwise.
            "clOrdId": client_order_id,
        }
        if intent.trigger_price is not None:
            half = "tp" if intent.takes_profit else "sl"
            return asked | {
                "ordType": "conditional",
                "algoClOrdId": client_order_id,
                f"{half}TriggerPx": plain(intent.trigger_price),
                f"{half}TriggerPxType": "mark",
                f"{half}OrdPx": AT_MARKET,
            }
        if intent.limit_price is None:
            return asked | {"ordType": "market"}
        return asked | {"ordType": "limit", "px": plain(intent.limit_price)}

    def depth(self, symbol: str, answer: Any, percent: Decimal) -> Depth:
        """What a book holds near its middle."""
        book = answer["data"][0]
        bids, asks = ([(row[0], self.base(symbol, row[1])) for row in book[side]] for side in ("bids", "asks"))
        return reading.depth(symbol, bids, asks, book["ts"], percent)

    def positions(self, answer: Any) -> list[reading.Position]:
        """Open positions; hedge mode has two per contract, which nothing here is made for."""
        found = []
        for row in ours(answer["data"]):
            symbol = symbol_of(row["instId"])
            if row["posSide"] != "net":
                raise ValueError(f"{symbol} is in hedge mode; set one-way mode on the venue")
            if quantity := self.base(symbol, row["pos"] or 0):
                found.append(reading.Position(symbol, quantity, number(row["avgPx"])))
        return found

    def answered(self, answer: Any) -> Execution:
        """The one order of an answer."""
        return self._execution(answer["data"][0])

    def executions(self, rows: Any) -> list[Execution]:
        """Orders as they are listed."""
        return [self._execution(row) for row in ours(rows)]

    def _execution(self, row: Any) -> Execution:
        """An order; one that a conditional order made has no client id of its own."""
        symbol, is_market = symbol_of(row["instId"]), row["ordType"] in MARKET_TYPES
        return Execution(
            client_order_id=row["clOrdId"],
            venue_order_id=row["ordId"],
            symbol=symbol,
            side=SIDES[row["side"]],
            quantity=self.base(symbol, row["sz"]),
            status=STATUSES[row["state"]],
            filled_quantity=self.base(symbol, row["accFillSz"] or 0),
            average_price=number(row["avgPx"] or 0),
            kind=OrderKind.MARKET if is_market else OrderKind.LIMIT,
            reduce_only=truth(row["reduceOnly"]),
            price=None if is_market else price_or_none(row["px"]),
        )

    def answered_algo(self, answer: Any) -> Algo:
        """The one conditional order of an answer, and where to ask what became of it."""
        row = answer["data"][0]
        made = next(iter(row.get("ordIdList") or [row["ordId"]]), "")
        return Algo(self._algo(row), str(made) or None)

    def algos(self, rows: Any) -> list[Execution]:
        """Conditional orders as they are listed."""
        return [self._algo(row) for row in ours(rows)]

    def _algo(self, row: Any) -> Execution:
        """A conditional order, without what it became; of a stop loss with take profit, the stop loss."""
        symbol = symbol_of(row["instId"])
        trigger = row["slTriggerPx"] or row["triggerPx"] or row["tpTriggerPx"]
        takes_profit = bool(row["tpTriggerPx"]) and not row["slTriggerPx"]
        return Execution(
            client_order_id=row["algoClOrdId"],
            venue_order_id=row["algoId"],
            symbol=symbol,
            side=SIDES[row["side"]],
            quantity=self.base(symbol, row["sz"] or 0),
            status=ALGO_STATUSES[row["state"]],
            filled_quantity=ZERO,
            average_price=ZERO,
            kind=OrderKind.TAKE_PROFIT if takes_profit else OrderKind.STOP_LOSS,
            reduce_only=truth(row["reduceOnly"]) or row["closeFraction"] == "1",
            price=price_or_none(trigger),
        )

    def trades(self, rows: Any) -> list[Trade]:
        """The account's fills as they are listed."""
        return [self._trade(symbol_of(row["instId"]), row) for row in ours(rows)]

    def _trade(self, symbol: str, row: Any) -> Trade:
        """One fill."""
        return Trade(
            trade_id=row["tradeId"],
            venue_order_id=row["ordId"],
            symbol=symbol,
            side=SIDES[row["side"]],
            quantity=self.base(symbol, row["fillSz"]),
            price=number(row["fillPx"]),
            time=seconds(row["ts"]),
        )


def listed(answer: Any) -> tuple[Contracts, dict[str, Instrument]]:
    """The size of every contract in our money, and the instruments that are traded."""
    rows = [
        row for row in ours(answer["data"]) if row["settleCcy"] == QUOTE_ASSET and row["ctType"] == "linear"
    ]
    # A contract whose size is not told yet is not trading: it stays unknown.
    sizes = {
        symbol_of(row["instId"]): number(row["ctVal"]) * number(row["ctMult"] or 1)
        for row in rows
        if row["ctVal"]
    }
    live = [_instrument(row, sizes) for row in rows if row["state"] == "live"]
    return Contracts(sizes), {instrument.symbol: instrument for instrument in live}


def _instrument(row: Any, sizes: dict[str, Decimal]) -> Instrument:
    """One contract, its grid in base currency; this venue has no least notional."""
    symbol = symbol_of(row["instId"])
    size = sizes[symbol]
    return Instrument(
        symbol=symbol,
        lot_size=number(row["lotSz"]) * size,
        tick_size=number(row["tickSz"]),
        min_quantity=number(row["minSz"]) * size,
        max_quantity=min(number(row["maxMktSz"]), number(row["maxLmtSz"])) * size,
        min_notional=ZERO,
        contract_size=size,
    )


def quotes(answer: Any) -> dict[str, Quote]:
    """Tickers: one row, or one for each contract."""
    found: dict[str, Quote] = {}
    for row in ours(answer["data"]):
        found |= reading.quote(symbol_of(row["instId"]), row["bidPx"], row["askPx"], row["ts"])
    return found


def snapshot(answer: Any, held: list[reading.Position]) -> Snapshot:
    """The account's money in our currency, with its positions; what can't be used any more is margin."""
    detail = next(row for row in answer["data"][0]["details"] if row["ccy"] == QUOTE_ASSET)
    equity = number(detail["eq"])
    return Snapshot(
        equity=equity,
        margin_used=equity - number(detail["availEq"]),
        positions={position.symbol: position.quantity for position in held},
        entries={position.symbol: position.entry for position in held},
        wallet=number(detail["cashBal"]),
    )


def leverage(answer: Any) -> Decimal:
    """A contract's leverage in cross margin mode and one-way mode."""
    row = next(row for row in answer["data"] if row["posSide"] in ("net", ""))
    return number(row["lever"])


def is_hedged(answer: Any) -> bool:
    """Whether there are two positions per contract."""
    return bool(answer["data"][0]["posMode"] != ONE_WAY)


def rights(answer: Any) -> KeyRights:
    """/api/v5/account/config: the words of perm; a key that can at least read has one."""
    words = answer["data"][0]["perm"].split(",")
    if "read_only" not in words:
        raise ValueError(f"perm {words!r} says nothing")
    return KeyRights(trade="trade" in words, withdraw="withdraw" in words)


def accepted(answer: Any, intent: Intent) -> Execution:
    """An order of which nothing is known but that the venue has it; raises ValueError if the row failed."""
    row = answer["data"][0]
    if int(row["sCode"]):
        raise ValueError(f"refused with {row['sCode']}")
    if intent.kind.is_conditional:
        return reading.accepted(intent, row["algoClOrdId"], row["algoId"])
    return reading.accepted(intent, row["clOrdId"], row["ordId"])
