"""Orders, fills and money in OKX's notation: every number a text, sizes in contracts, nothing an empty text."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from golive_simulator.dialect.okx.contracts import to_contracts
from golive_simulator.margin import liquidation_price
from golive_simulator.orders import (
    ZERO,
    AlgoOrder,
    AlgoRequest,
    Fill,
    MarginMode,
    Order,
    OrderStatus,
    OrderType,
    TimeInForce,
)

if TYPE_CHECKING:
    from decimal import Decimal

    from golive_simulator.accounts import Account
    from golive_simulator.equity import Equity
    from golive_simulator.exchange import Exchange
    from golive_simulator.instruments import Instrument

Payload = dict[str, Any]

AT_MARKET = "-1"
"""The limit price of an order that has none once it is triggered."""

ORDER_TYPES = {
    TimeInForce.GTC: "limit",
    TimeInForce.GTX: "post_only",
    TimeInForce.IOC: "ioc",
    TimeInForce.FOK: "fok",
}
"""The venue's types of limit orders."""

STATES = {
    OrderStatus.NEW: "live",
    OrderStatus.PARTIALLY_FILLED: "partially_filled",
    OrderStatus.FILLED: "filled",
    OrderStatus.CANCELED: "canceled",
    OrderStatus.EXPIRED: "canceled",
}
"""States of an order; what expires was cancelled by the venue."""

CANCEL_SOURCES = {TimeInForce.GTX: "31", TimeInForce.IOC: "14", TimeInForce.FOK: "13"}
"""Why the venue itself cancelled an order."""

MARGIN_MODES = {MarginMode.CROSSED: "cross", MarginMode.ISOLATED: "isolated"}
"""Names of the margin modes."""


def number(value: Decimal) -> str:
    """A number without exponent or needless noughts."""
    return f"{value.normalize() + 0:f}"


def size(instrument: Instrument, quantity: Decimal) -> str:
    """A quantity in contracts."""
    return number(to_contracts(instrument, quantity))


def order(account: Account, instrument: Instrument, row: Order) -> Payload:
    """An order as its query answers it."""
    request = row.request
    fills = account.fills_of(row)
    is_limit = request.order_type is OrderType.LIMIT
    algo = halves_of(account, account.algos[row.algo_id])[0] if row.algo_id is not None else None
    return _order_blanks() | {
        "accFillSz": size(instrument, row.filled_quantity),
        "algoClOrdId": algo.request.client_algo_id if algo else "",
        "algoId": str(algo.algo_id) if algo else "",
        "attachAlgoOrds": attached(row, request.attached),
        "avgPx": number(row.average_price) if fills else "",
        "cTime": str(row.created_ms),
        "cancelSource": _cancel_source(row),
        "category": "full_liquidation" if request.order_type is OrderType.LIQUIDATION else "normal",
        "clOrdId": "" if algo else request.client_order_id,
        "fee": number(-sum((fill.commission for fill in fills), start=ZERO)),
        "fillPx": number(fills[-1].price) if fills else "",
        "fillSz": size(instrument, fills[-1].quantity) if fills else "0",
        "fillTime": str(fills[-1].time_ms) if fills else "",
        "instId": request.symbol,
        "lever": str(account.leverage(request.symbol)),
        "ordId": str(row.order_id),
        "ordType": ORDER_TYPES[request.time_in_force] if is_limit else "market",
        "pnl": number(sum((fill.realized_pnl for fill in fills), start=ZERO)),
        "px": number(request.price) if is_limit else "",
        "reduceOnly": str(request.reduce_only).lower(),
        "side": str(request.side).lower(),
        "state": STATES[row.status],
        "sz": size(instrument, row.quantity),
        "tdMode": MARGIN_MODES[account.margin_mode(request.symbol)],
        "tradeId": str(fills[-1].trade_id) if fills else "",
        "uTime": str(row.updated_ms),
    }


def halves_of(account: Account, row: AlgoOrder) -> list[AlgoOrder]:
    """The conditional orders that are one to the venue, in their order: two that cancel each other, or one."""
    group = row.request.group
    return [other for other in account.algos.values() if other.request.group == group] if group else [row]


def _order_blanks() -> Payload:
    """What is the same in every order."""
    absent = """attachAlgoClOrdId cancelSourceReason pxType pxUsd pxVol quickMgnType slOrdPx slTriggerPx
        slTriggerPxType source stpId tag tgtCcy tpOrdPx tpTriggerPx tpTriggerPxType"""
    return dict.fromkeys(absent.split(), "") | {
        "ccy": "USDT",
        "feeCcy": "USDT",
        "instType": "SWAP",
        "isTpLimit": "false",
        "linkedAlgoOrd": {"algoId": ""},
        "posSide": "net",
        "rebate": "0",
        "rebateCcy": "USDT",
        "stpMode": "cancel_maker",
    }


def _cancel_source(row: Order) -> str:
    """Who cancelled an order."""
    if row.status is OrderStatus.CANCELED:
        return "1"
    return CANCEL_SOURCES.get(row.request.time_in_force, "") if row.status is OrderStatus.EXPIRED else ""


def attached(row: Order, requests: tuple[AlgoRequest, ...]) -> list[Payload]:
    """The stop loss and take profit that come with an order."""
    if not requests:
        return []
    absent = ("slTriggerPx", "slOrdPx", "slTriggerPxType", "tpTriggerPx", "tpOrdPx", "tpTriggerPxType")
    merged: Payload = dict.fromkeys(absent, "")
    for request in requests:
        merged |= trigger_fields(request)
    named = {"attachAlgoId": f"{row.order_id}00", "attachAlgoClOrdId": requests[0].client_algo_id}
    return [named | merged]


def trigger_fields(request: AlgoRequest) -> Payload:
    """Trigger, limit and watched price of one half of a stop loss with take profit."""
    is_profit = request.order_type in {OrderType.TAKE_PROFIT, OrderType.TAKE_PROFIT_MARKET}
    prefix = "tp" if is_profit else "sl"
    return {
        f"{prefix}TriggerPx": number(request.trigger_price),
        f"{prefix}OrdPx": limit_price(request),
        f"{prefix}TriggerPxType": watched(request),
    }


def limit_price(request: AlgoRequest) -> str:
    """The limit price an order gets once it is triggered."""
    return number(request.price) if request.order_type.rests_at_a_price else AT_MARKET


def watched(request: AlgoRequest) -> str:
    """The price a trigger watches."""
    return "mark" if request.working_type == "MARK_PRICE" else "last"


def fill(account: Account, instrument: Instrument, row: Fill) -> Payload:
    """A trade of the account."""
    return {
        "instType": "SWAP",
        "instId": row.symbol,
        "tradeId": str(row.trade_id),
        "ordId": str(row.order_id),
        "clOrdId": "" if account.orders[row.order_id].algo_id else row.client_order_id,
        "billId": str(row.trade_id),
        "subType": "1" if row.side == "BUY" else "2",
        "tag": "",
        "fillPx": number(row.price),
        "fillSz": size(instrument, row.quantity),
        "fillIdxPx": number(row.price),
        "fillPnl": number(row.realized_pnl),
        "fillPxVol": "",
        "fillPxUsd": "",
        "fillMarkVol": "",
        "fillFwdPx": "",
        "fillMarkPx": number(row.price),
        "side": str(row.side).lower(),
        "posSide": "net",
        "execType": "M" if row.is_maker else "T",
        "feeCcy": "USDT",
        "fee": number(-row.commission),
        "ts": str(row.time_ms),
        "fillTime": str(row.time_ms),
        "feeRate": number(-row.commission / (row.price * row.quantity)),
    }


def since_flat(account: Account, symbol: str) -> list[Fill]:
    """The trades that made the present position, oldest first."""
    found: list[Fill] = []
    held = ZERO
    for row in account.fills:
        if row.symbol == symbol:
            found.append(row)
            held += row.quantity * row.side.sign
            found = found if held else []
    return found


def position_side(account: Account, held: Decimal) -> str:
    """The side a position is listed under: its own where long and short ones are kept apart."""
    if not account.is_hedged:
        return "net"
    return "long" if held > 0 else "short"


def position(exchange: Exchange, account: Account, equity: Equity, instrument: Instrument) -> Payload:
    """An open position."""
    symbol = instrument.symbol
    held, part, quote = account.position(symbol), equity.symbols[symbol], exchange.market.quote(symbol)
    is_isolated = part.mode is MarginMode.ISOLATED
    others = equity.cross_unrealized - part.unrealized - equity.cross_maintenance + part.maintenance
    backing = held.isolated_wallet if is_isolated else equity.cross_wallet + others
    fills = since_flat(account, symbol)
    fee = -sum((row.commission for row in fills), start=ZERO)
    pnl = sum((row.realized_pnl for row in fills), start=ZERO)
    return _position_blanks() | {
        "instId": symbol,
        "posSide": position_side(account, held.quantity),
        "mgnMode": MARGIN_MODES[part.mode],
        "posId": f"{instrument.info['instIdCode']}",
        "pos": size(instrument, abs(held.quantity) if account.is_hedged else held.quantity),
        "fee": number(fee),
        "lever": str(part.leverage),
        "last": number(quote.last),
        "markPx": number(quote.mark),
        "liqPx": number(liquidation_price(held, backing, quote.mark, instrument.brackets)),
        "mmr": number(part.maintenance),
        "imr": "" if is_isolated else number(part.position_margin),
        "tradeId": str(fills[-1].trade_id) if fills else "",
        "notionalUsd": number(abs(part.notional)),
        "avgPx": number(held.entry_price),
        "upl": number(part.unrealized),
        "uplRatio": number(part.unrealized * part.leverage / abs(held.quantity * held.entry_price)),
        "uTime": str(held.updated_ms),
        "cTime": str(fills[0].time_ms) if fills else str(held.updated_ms),
        "margin": number(held.isolated_wallet) if is_isolated else "",
        "mgnRatio": number((backing + part.unrealized) / part.maintenance) if part.maintenance else "",
        "realizedPnl": number(pnl + fee),
        "uplLastPx": number(held.unrealized(quote.last)),
        "uplRatioLastPx": number(part.unrealized * part.leverage / abs(held.quantity * held.entry_price)),
        "bePx": number(held.entry_price),
        "idxPx": number(quote.mark),
        "pnl": number(pnl),
    }


def _position_blanks() -> Payload:
    """What is the same in every position."""
    absent = """availPos baseBal optVal pendingCloseOrdLiabVal posCcy quoteBal quoteBorrowed quoteInterest
        spotInUseAmt spotInUseCcy liab liabCcy interest baseBorrowed baseInterest deltaBS deltaPA gammaBS
        gammaPA thetaBS thetaPA vegaBS vegaPA bizRefId bizRefType clSpotInUseAmt maxSpotInUseAmt"""
    return dict.fromkeys(absent.split(), "") | {
        "instType": "SWAP",
        "ccy": "USDT",
        "adl": "1",
        "fundingFee": "0",
        "liqPenalty": "0",
        "usdPx": "1",
        "closeOrderAlgo": [],
    }


def balance(equity: Equity, now_ms: int) -> Payload:
    """All money of an account, which is in one currency."""
    total = equity.wallet + equity.unrealized
    isolated = equity.isolated_wallet + equity.unrealized - equity.cross_unrealized
    used = total - equity.available
    absent = """accAvgPx borrowFroz clSpotInUseAmt crossLiab interest isoLiab liab maxLoan maxSpotInUseAmt
        openAvgPx spotBal spotInUseAmt spotUpl spotUplRatio totalPnl totalPnlRatio uplLiab"""
    noughts = "fixedBal notionalLever rewardBal smtSyncEq spotCopyTradingEq spotIsoBal stgyEq twap"
    detail: Payload = dict.fromkeys(absent.split(), "") | dict.fromkeys(noughts.split(), "0")
    detail |= {
        "availBal": number(equity.available),
        "availEq": number(equity.available),
        "cashBal": number(equity.wallet),
        "ccy": "USDT",
        "coinUsdPrice": "1",
        "colBorrAutoConversion": "0",
        "collateralEnabled": False,
        "collateralRestrict": False,
        "disEq": number(total),
        "eq": number(total),
        "eqUsd": number(total),
        "frozenBal": number(used),
        "imr": number(equity.initial),
        "isoEq": number(isolated),
        "isoUpl": number(equity.unrealized - equity.cross_unrealized),
        "mgnRatio": number(total / equity.maintenance) if equity.maintenance else "",
        "mmr": number(equity.maintenance),
        "ordFrozen": number(equity.order_initial),
        "uTime": str(now_ms),
        "upl": number(equity.unrealized),
    }
    unknown = """adjEq borrowFroz imr mgnRatio mmr notionalUsd notionalUsdForBorrow notionalUsdForFutures
        notionalUsdForOption notionalUsdForSwap ordFroz upl"""
    return dict.fromkeys(unknown.split(), "") | {
        "details": [detail],
        "isoEq": number(isolated),
        "totalEq": number(total),
        "uTime": str(now_ms),
    }
