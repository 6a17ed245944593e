"""Endpoints about the account: money, positions, settings, permissions."""

from __future__ import annotations

from typing import Any

from golive_simulator.dialect.binance import payloads
from golive_simulator.dialect.binance.call import Call, Endpoint, Security
from golive_simulator.dialect.binance.complaints import Complaint
from golive_simulator.exchange import MAKER_FEE, TAKER_FEE
from golive_simulator.orders import MarginMode

SUCCESS = {"code": 200, "msg": "success"}
"""What the venue says when a setting is changed."""

KEY_CREATED_MS = 1_700_000_000_000
"""Creation time told for every API key."""


def account_v3(call: Call) -> dict[str, Any]:
    """Sums, the asset, and the positions that are open or have orders."""
    equity = call.exchange.equity(call.account)
    return payloads.account_totals(equity) | {
        "assets": [payloads.asset(equity, call.now_ms)],
        "positions": [
            payloads.account_position(call.account, call.exchange.instrument(symbol), part)
            for symbol, part in equity.symbols.items()
        ],
    }


def account_v2(call: Call) -> dict[str, Any]:
    """As version 3, with permissions and every contract."""
    equity, account = call.exchange.equity(call.account), call.account
    return {
        "feeTier": 0,
        "canTrade": account.may_trade,
        "canDeposit": True,
        "canWithdraw": account.may_withdraw,
        "updateTime": 0,
        "multiAssetsMargin": False,
        "tradeGroupId": -1,
        **payloads.account_totals(equity),
        "assets": [payloads.asset(equity, call.now_ms)],
        "positions": [
            payloads.account_position(account, instrument, equity.symbols.get(instrument.symbol))
            for instrument in call.exchange.market.instruments.values()
        ],
    }


def balance(call: Call) -> list[dict[str, Any]]:
    """The account's one asset."""
    asset = payloads.asset(call.exchange.equity(call.account), call.now_ms)
    kept = (
        "crossWalletBalance",
        "crossUnPnl",
        "availableBalance",
        "maxWithdrawAmount",
        "marginAvailable",
        "updateTime",
    )
    named = {"accountAlias": "Simulated", "asset": asset["asset"], "balance": asset["walletBalance"]}
    return [named | {name: asset[name] for name in kept}]


def position_risk_v3(call: Call) -> list[dict[str, Any]]:
    """Positions that are open or have orders."""
    equity = call.exchange.equity(call.account)
    return [
        payloads.position_risk(call.exchange, call.account, equity, instrument)
        for instrument in call.instruments()
        if instrument.symbol in equity.symbols
    ]


def position_risk_v2(call: Call) -> list[dict[str, Any]]:
    """Positions of every contract, open or not."""
    equity = call.exchange.equity(call.account)
    return [
        payloads.position_risk_v2(call.exchange, call.account, equity, instrument)
        for instrument in call.instruments()
    ]


def set_leverage(call: Call) -> dict[str, Any]:
    """Set a contract's leverage."""
    instrument, leverage = call.instrument(), call.parameters.integer("leverage")
    call.exchange.set_leverage(call.account, instrument.symbol, leverage)
    most = payloads.symbol_config(call.account, instrument)["maxNotionalValue"]
    return {"leverage": leverage, "maxNotionalValue": most, "symbol": instrument.symbol}


def set_margin_type(call: Call) -> dict[str, Any]:
    """Set a contract's margin mode."""
    mode = call.parameters.choice("marginType", MarginMode, -4013, "Invalid marginType.")
    call.exchange.set_margin_mode(call.account, call.instrument().symbol, mode)
    return SUCCESS


def position_mode(call: Call) -> dict[str, Any]:
    """Whether long and short positions are kept apart."""
    return {"dualSidePosition": call.account.is_hedged}


def set_position_mode(call: Call) -> dict[str, Any]:
    """Go back to one-way mode; refuse what already is, and hedge mode, which the simulator does not keep."""
    call.parameters.text("dualSidePosition")
    is_hedged, account = call.parameters.flag("dualSidePosition"), call.account
    if is_hedged is account.is_hedged:
        raise Complaint(-4059, "No need to change position side.")
    if is_hedged:
        raise Complaint(-4084, "Method is not allowed currently. Upcoming soon.")
    if account.open_order_ids or account.open_algo_ids:
        raise Complaint(-4067, "Position side cannot be changed if there exists open orders.")
    if any(position.is_open for position in account.positions.values()):
        raise Complaint(-4068, "Position side cannot be changed if there exists position.")
    account.is_hedged = False
    return SUCCESS


def multi_assets_mode(_call: Call) -> dict[str, Any]:
    """Single-asset mode, the only one there is."""
    return {"multiAssetsMargin": False}


def leverage_bracket(call: Call) -> list[dict[str, Any]]:
    """Margin tables."""
    return [payloads.leverage_brackets(instrument) for instrument in call.instruments()]


def commission_rate(call: Call) -> dict[str, Any]:
    """The account's fees in a contract."""
    return {
        "symbol": call.instrument().symbol,
        "makerCommissionRate": f"{MAKER_FEE.normalize():f}",
        "takerCommissionRate": f"{TAKER_FEE.normalize():f}",
    }


def symbol_config(call: Call) -> list[dict[str, Any]]:
    """The account's settings by contract."""
    return [payloads.symbol_config(call.account, instrument) for instrument in call.instruments()]


def account_config(call: Call) -> dict[str, Any]:
    """The account's general settings."""
    return {
        "feeTier": 0,
        "canTrade": call.account.may_trade,
        "canDeposit": True,
        "canWithdraw": call.account.may_withdraw,
        "dualSidePosition": call.account.is_hedged,
        "updateTime": 0,
        "multiAssetsMargin": False,
        "tradeGroupId": -1,
    }


def income(call: Call) -> list[dict[str, Any]]:
    """Bookings, oldest first."""
    parameters = call.parameters
    symbol, kind = parameters.optional("symbol"), parameters.optional("incomeType")
    start_ms = parameters.optional_integer("startTime") or 0
    end_ms = parameters.optional_integer("endTime") or call.now_ms
    found = [
        payloads.income(row)
        for row in call.account.incomes
        if symbol in {None, row.symbol} and kind in {None, row.kind} and start_ms <= row.time_ms <= end_ms
    ]
    limit = min(parameters.optional_integer("limit") or 100, 1000)
    return found[:limit] if start_ms else found[-limit:]


def api_trading_status(call: Call) -> dict[str, Any]:
    """No indicator is breached."""
    return {"indicators": {}, "updateTime": call.now_ms}


def order_rate_limits(call: Call) -> list[dict[str, Any]]:
    """How many orders the account may send."""
    rows = (("SECOND", 10, call.limits.orders_per_10_seconds), ("MINUTE", 1, call.limits.orders_per_minute))
    return [
        {"rateLimitType": "ORDERS", "interval": interval, "intervalNum": number, "limit": limit}
        for interval, number, limit in rows
    ]


def api_restrictions(call: Call) -> dict[str, Any]:
    """What the API key may do."""
    account = call.account
    return {
        "ipRestrict": True,
        "createTime": KEY_CREATED_MS,
        "enableReading": True,
        "enableWithdrawals": account.may_withdraw,
        "enableInternalTransfer": account.may_withdraw,
        "enableMargin": False,
        "enableFutures": account.may_trade,
        "permitsUniversalTransfer": account.may_withdraw,
        "enableVanillaOptions": False,
        "enableFixApiTrade": False,
        "enableFixReadOnly": False,
        "enableSpotAndMarginTrading": False,
        "enablePortfolioMarginTrading": False,
    }


def coins(call: Call) -> list[dict[str, Any]]:
    """Assets of the spot wallet, all empty."""
    names = sorted({row.base for row in call.exchange.market.instruments.values()} | {"USDT"})
    noughts = ("free", "locked", "freeze", "withdrawing", "ipoing", "ipoable", "storage")
    return [
        {
            "coin": name,
            "depositAllEnable": True,
            "withdrawAllEnable": True,
            "name": name,
            **dict.fromkeys(noughts, "0"),
            "isLegalMoney": False,
            "trading": True,
            "networkList": [],
        }
        for name in names
    ]


def nothing(_call: Call) -> list[Any]:
    """An empty list, for spot and margin matters."""
    return []


def system_status(_call: Call) -> dict[str, Any]:
    """No maintenance."""
    return {"status": 0, "msg": "normal"}


SIGNED = Security.SIGNED
"""What reading an account asks for."""

ENDPOINTS: dict[tuple[str, str], Endpoint] = {
    ("GET", "/fapi/v3/account"): Endpoint(account_v3, SIGNED, weight=5),
    ("GET", "/fapi/v2/account"): Endpoint(account_v2, SIGNED, weight=5),
    ("GET", "/fapi/v3/balance"): Endpoint(balance, SIGNED, weight=5),
    ("GET", "/fapi/v2/balance"): Endpoint(balance, SIGNED, weight=5),
    ("GET", "/fapi/v3/positionRisk"): Endpoint(position_risk_v3, SIGNED, weight=5),
    ("GET", "/fapi/v2/positionRisk"): Endpoint(position_risk_v2, SIGNED, weight=5),
    ("POST", "/fapi/v1/leverage"): Endpoint(set_leverage, Security.TRADE),
    ("POST", "/fapi/v1/marginType"): Endpoint(set_margin_type, Security.TRADE),
    ("GET", "/fapi/v1/positionSide/dual"): Endpoint(position_mode, SIGNED, weight=30),
    ("POST", "/fapi/v1/positionSide/dual"): Endpoint(set_position_mode, Security.TRADE),
    ("GET", "/fapi/v1/multiAssetsMargin"): Endpoint(multi_assets_mode, SIGNED, weight=30),
    ("GET", "/fapi/v1/leverageBracket"): Endpoint(leverage_bracket, SIGNED),
    ("GET", "/fapi/v1/commissionRate"): Endpoint(commission_rate, SIGNED, weight=20),
    ("GET", "/fapi/v1/symbolConfig"): Endpoint(symbol_config, SIGNED, weight=5),
    ("GET", "/fapi/v1/accountConfig"): Endpoint(account_config, SIGNED, weight=5),
    ("GET", "/fapi/v1/income"): Endpoint(income, SIGNED, weight=30),
    ("GET", "/fapi/v1/apiTradingStatus"): Endpoint(api_trading_status, SIGNED, weight_without_symbol=10),
    ("GET", "/fapi/v1/rateLimit/order"): Endpoint(order_rate_limits, SIGNED),
    ("GET", "/sapi/v1/account/apiRestrictions"): Endpoint(api_restrictions, SIGNED),
    ("GET", "/sapi/v1/capital/config/getall"): Endpoint(coins, SIGNED, weight=10),
    ("GET", "/sapi/v1/margin/allPairs"): Endpoint(nothing, SIGNED),
    ("GET", "/sapi/v1/margin/allAssets"): Endpoint(nothing, SIGNED),
    ("GET", "/sapi/v1/system/status"): Endpoint(system_status),
}
"""Account endpoints by method and path."""
