"""Orders, fills and money in Binance's notation: prices, quantities and sums as texts with fixed decimals."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

from golive_simulator.margin import largest_notional, liquidation_price
from golive_simulator.orders import MarginMode, Order, OrderType, TimeInForce

if TYPE_CHECKING:
    from golive_simulator.accounts import Account
    from golive_simulator.equity import Equity, SymbolMargin
    from golive_simulator.exchange import Exchange
    from golive_simulator.instruments import Instrument
    from golive_simulator.orders import AlgoOrder, AlgoRequest, Fill, Income

Payload = dict[str, Any]

AVERAGE_DECIMALS = 5
"""Decimals of an average price, unless the contract's prices have more."""


def money(amount: Decimal) -> str:
    """A sum of money with the venue's eight decimals."""
    return f"{amount:.8f}"


def price(instrument: Instrument, value: Decimal) -> str:
    """A price with the contract's decimals."""
    return f"{value:.{instrument.price_precision}f}"


def quantity(instrument: Instrument, value: Decimal) -> str:
    """A quantity with the contract's decimals."""
    return f"{value:.{instrument.quantity_precision}f}"


def average(instrument: Instrument, value: Decimal) -> str:
    """An average price, which may lie between ticks."""
    return f"{value:.{max(AVERAGE_DECIMALS, instrument.price_precision + 1)}f}"


def cost(instrument: Instrument, value: Decimal) -> str:
    """Price times quantity, exactly."""
    return f"{value:.{instrument.price_precision + instrument.quantity_precision}f}"


def order(account: Account, instrument: Instrument, row: Order) -> Payload:
    """An order as its query answers it."""
    request = row.request
    algo = account.algos[row.algo_id].request if row.algo_id is not None else None
    is_limit = request.order_type is OrderType.LIMIT
    time_in_force = request.time_in_force if is_limit else TimeInForce.GTC
    kind = request.order_type if request.order_type is not OrderType.LIQUIDATION else OrderType.LIMIT
    return {
        "orderId": row.order_id,
        "symbol": request.symbol,
        "status": str(row.status),
        "clientOrderId": request.client_order_id,
        "price": price(instrument, request.price),
        "avgPrice": average(instrument, row.average_price),
        "origQty": quantity(instrument, row.quantity),
        "executedQty": quantity(instrument, row.filled_quantity),
        "cumQuote": cost(instrument, row.filled_cost),
        "timeInForce": str(time_in_force),
        "type": str(kind),
        "reduceOnly": request.reduce_only,
        "closePosition": bool(algo and algo.close_position),
        "side": str(request.side),
        "positionSide": "BOTH",
        "stopPrice": price(instrument, algo.trigger_price if algo else Decimal(0)),
        "workingType": str(algo.working_type) if algo else "CONTRACT_PRICE",
        "priceProtect": bool(algo and algo.price_protect),
        "origType": str(algo.order_type if algo else kind),
        "priceMatch": "NONE",
        "selfTradePreventionMode": "EXPIRE_MAKER",
        "goodTillDate": 0,
        "time": row.created_ms,
        "updateTime": row.updated_ms,
    } | (_trailing(instrument, algo) if algo else {})


def _trailing(instrument: Instrument, algo: AlgoRequest) -> Payload:
    """The fields only a trailing stop has."""
    if algo.order_type is not OrderType.TRAILING_STOP_MARKET:
        return {}
    return {
        "activatePrice": price(instrument, algo.activate_price),
        "priceRate": f"{algo.callback_rate_percent:.1f}",
    }


def new_order(account: Account, instrument: Instrument, row: Order) -> Payload:
    """An order as its placement or cancellation answers it."""
    shown = order(account, instrument, row)
    del shown["time"]
    return shown | {
        "cumQty": shown["executedQty"],
    }


def algo_order(account: Account, instrument: Instrument, row: AlgoOrder) -> Payload:
    """A conditional order as the algo service answers it."""
    request = row.request
    actual = account.orders.get(row.actual_order_id) if row.actual_order_id is not None else None
    is_trailing = request.order_type is OrderType.TRAILING_STOP_MARKET
    return {
        "algoId": row.algo_id,
        "clientAlgoId": request.client_algo_id,
        "algoType": "CONDITIONAL",
        "orderType": str(request.order_type),
        "type": str(request.order_type),
        "symbol": request.symbol,
        "side": str(request.side),
        "positionSide": "BOTH",
        "timeInForce": str(request.time_in_force),
        "quantity": quantity(instrument, request.quantity),
        "algoStatus": str(row.status),
        "actualOrderId": str(row.actual_order_id) if row.actual_order_id is not None else "",
        "actualPrice": average(instrument, actual.average_price if actual else Decimal(0)),
        "actualQty": quantity(instrument, actual.filled_quantity if actual else Decimal(0)),
        "triggerPrice": price(instrument, request.trigger_price),
        "price": price(instrument, request.price),
        "icebergQuantity": None,
        "tpTriggerPrice": price(instrument, Decimal(0)),
        "tpPrice": price(instrument, Decimal(0)),
        "slTriggerPrice": price(instrument, Decimal(0)),
        "slPrice": price(instrument, Decimal(0)),
        "tpOrderType": "",
        "selfTradePreventionMode": "EXPIRE_MAKER",
        "workingType": str(request.working_type),
        "priceMatch": "NONE",
        "closePosition": request.close_position,
        "priceProtect": request.price_protect,
        "reduceOnly": request.reduce_only,
        "activatePrice": price(instrument, request.activate_price) if is_trailing else "",
        "callbackRate": f"{request.callback_rate_percent:.1f}" if is_trailing else "",
        "createTime": row.created_ms,
        "updateTime": row.updated_ms,
        "triggerTime": row.trigger_ms,
        "goodTillDate": 0,
    }


def trade(instrument: Instrument, fill: Fill) -> Payload:
    """One of an account's trades."""
    return {
        "symbol": fill.symbol,
        "id": fill.trade_id,
        "orderId": fill.order_id,
        "side": str(fill.side),
        "price": price(instrument, fill.price),
        "qty": quantity(instrument, fill.quantity),
        "realizedPnl": money(fill.realized_pnl),
        "marginAsset": "USDT",
        "quoteQty": cost(instrument, fill.price * fill.quantity),
        "commission": money(fill.commission),
        "commissionAsset": "USDT",
        "time": fill.time_ms,
        "positionSide": "BOTH",
        "buyer": fill.side.sign > 0,
        "maker": fill.is_maker,
    }


def income(row: Income) -> Payload:
    """One booking of an account."""
    return {
        "symbol": row.symbol,
        "incomeType": row.kind,
        "income": money(row.amount),
        "asset": "USDT",
        "time": row.time_ms,
        "info": row.kind,
        "tranId": row.income_id,
        "tradeId": "" if row.trade_id is None else str(row.trade_id),
    }


def position_side(account: Account, symbol: str) -> str:
    """The side a position is listed under: its own where long and short ones are kept apart."""
    if not account.is_hedged:
        return "BOTH"
    return "LONG" if account.position(symbol).quantity >= 0 else "SHORT"


def position_risk(exchange: Exchange, account: Account, equity: Equity, instrument: Instrument) -> Payload:
    """A position as version 3 of its endpoint answers it."""
    symbol = instrument.symbol
    held, mark = account.position(symbol), exchange.market.mark(symbol)
    part = equity.symbols.get(symbol)
    isolated_margin = held.isolated_wallet + held.unrealized(mark) if held.isolated_wallet else Decimal(0)
    return {
        "symbol": symbol,
        "positionSide": position_side(account, symbol),
        "positionAmt": quantity(instrument, held.quantity),
        "entryPrice": average(instrument, held.entry_price),
        "breakEvenPrice": average(instrument, held.entry_price),
        "markPrice": money(mark),
        "unRealizedProfit": money(held.unrealized(mark)),
        "liquidationPrice": _liquidation_price(account, equity, instrument, mark),
        "isolatedMargin": money(isolated_margin),
        "notional": money(held.notional(mark)),
        "marginAsset": "USDT",
        "isolatedWallet": money(held.isolated_wallet),
        "initialMargin": money(part.initial if part else Decimal(0)),
        "maintMargin": money(part.maintenance if part else Decimal(0)),
        "positionInitialMargin": money(part.position_margin if part else Decimal(0)),
        "openOrderInitialMargin": money(part.order_margin if part else Decimal(0)),
        "adl": 0 if not held.is_open else 1,
        "bidNotional": money(part.bid_notional if part else Decimal(0)),
        "askNotional": money(part.ask_notional if part else Decimal(0)),
        "updateTime": held.updated_ms,
    }


def _liquidation_price(account: Account, equity: Equity, instrument: Instrument, mark: Decimal) -> str:
    """Where the position would be closed; crossed ones lean on all that is free of the others."""
    held = account.position(instrument.symbol)
    if not held.is_open:
        return "0"
    part = equity.symbols[instrument.symbol]
    collateral = held.isolated_wallet
    if part.mode is MarginMode.CROSSED:
        others = equity.cross_unrealized - part.unrealized - (equity.cross_maintenance - part.maintenance)
        collateral = equity.cross_wallet + others
    value = liquidation_price(held, collateral, mark, instrument.brackets)
    return f"{value:.8f}" if value else "0"


def position_risk_v2(exchange: Exchange, account: Account, equity: Equity, instrument: Instrument) -> Payload:
    """A position as version 2 of its endpoint answers it: with settings, without margins."""
    newer = position_risk(exchange, account, equity, instrument)
    symbol = instrument.symbol
    kept = (
        "symbol",
        "positionAmt",
        "entryPrice",
        "breakEvenPrice",
        "markPrice",
        "unRealizedProfit",
        "liquidationPrice",
        "isolatedMargin",
        "positionSide",
        "notional",
        "isolatedWallet",
        "updateTime",
    )
    is_cross = account.margin_mode(symbol) is MarginMode.CROSSED
    return {name: newer[name] for name in kept} | {
        "leverage": str(account.leverage(symbol)),
        "maxNotionalValue": _largest(account, instrument),
        "marginType": "cross" if is_cross else "isolated",
        "isAutoAddMargin": "false",
    }


def _largest(account: Account, instrument: Instrument) -> str:
    """The largest position at the account's leverage."""
    return f"{largest_notional(account.leverage(instrument.symbol), instrument.brackets):f}"


def asset(equity: Equity, now_ms: int) -> Payload:
    """The account's one asset, with its sums."""
    return {
        "asset": "USDT",
        "walletBalance": money(equity.wallet),
        "unrealizedProfit": money(equity.unrealized),
        "marginBalance": money(equity.wallet + equity.unrealized),
        "maintMargin": money(equity.maintenance),
        "initialMargin": money(equity.initial),
        "positionInitialMargin": money(equity.position_initial),
        "openOrderInitialMargin": money(equity.order_initial),
        "crossWalletBalance": money(equity.cross_wallet),
        "crossUnPnl": money(equity.cross_unrealized),
        "availableBalance": money(equity.available),
        "maxWithdrawAmount": money(equity.available),
        "marginAvailable": True,
        "updateTime": now_ms,
    }


def account_totals(equity: Equity) -> Payload:
    """The sums over all assets."""
    return {
        "totalInitialMargin": money(equity.initial),
        "totalMaintMargin": money(equity.maintenance),
        "totalWalletBalance": money(equity.wallet),
        "totalUnrealizedProfit": money(equity.unrealized),
        "totalMarginBalance": money(equity.wallet + equity.unrealized),
        "totalPositionInitialMargin": money(equity.position_initial),
        "totalOpenOrderInitialMargin": money(equity.order_initial),
        "totalCrossWalletBalance": money(equity.cross_wallet),
        "totalCrossUnPnl": money(equity.cross_unrealized),
        "availableBalance": money(equity.available),
        "maxWithdrawAmount": money(equity.available),
    }


def account_position(account: Account, instrument: Instrument, part: SymbolMargin | None) -> Payload:
    """A position as the account endpoint lists it."""
    held = account.position(instrument.symbol)
    nought = Decimal(0)
    return {
        "symbol": instrument.symbol,
        "initialMargin": money(part.initial if part else nought),
        "maintMargin": money(part.maintenance if part else nought),
        "unrealizedProfit": money(part.unrealized if part else nought),
        "positionInitialMargin": money(part.position_margin if part else nought),
        "openOrderInitialMargin": money(part.order_margin if part else nought),
        "leverage": str(account.leverage(instrument.symbol)),
        "isolated": account.margin_mode(instrument.symbol) is MarginMode.ISOLATED,
        "entryPrice": average(instrument, held.entry_price),
        "breakEvenPrice": average(instrument, held.entry_price),
        "maxNotional": _largest(account, instrument),
        "bidNotional": money(part.bid_notional if part else nought),
        "askNotional": money(part.ask_notional if part else nought),
        "positionSide": position_side(account, instrument.symbol),
        "positionAmt": quantity(instrument, held.quantity),
        "notional": money(part.notional if part else nought),
        "isolatedMargin": money(
            held.isolated_wallet + part.unrealized if part and part.isolated_wallet else nought
        ),
        "isolatedWallet": money(held.isolated_wallet),
        "updateTime": held.updated_ms,
    }


def symbol_config(account: Account, instrument: Instrument) -> Payload:
    """An account's settings for a contract."""
    return {
        "symbol": instrument.symbol,
        "marginType": str(account.margin_mode(instrument.symbol)),
        "isAutoAddMargin": False,
        "leverage": account.leverage(instrument.symbol),
        "maxNotionalValue": _largest(account, instrument),
    }


def leverage_brackets(instrument: Instrument) -> Payload:
    """A contract's margin table; numbers here, not texts, as the venue has it."""
    return {
        "symbol": instrument.symbol,
        "brackets": [
            {
                "bracket": row.number,
                "initialLeverage": row.max_leverage,
                "notionalCap": int(row.notional_cap),
                "notionalFloor": int(row.notional_floor),
                "maintMarginRatio": float(row.maintenance_ratio),
                "cum": float(row.cumulative),
            }
            for row in instrument.brackets
        ],
    }
