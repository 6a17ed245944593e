"""Endpoints about the account: money, positions, settings, permissions."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any

from golive_simulator.dialect.bybit import holdings
from golive_simulator.dialect.bybit.call import Call, Endpoint, Security
from golive_simulator.dialect.bybit.complaints import Complaint, wrong
from golive_simulator.dialect.bybit.payloads import plain
from golive_simulator.dialect.bybit.records import paged
from golive_simulator.exchange import MAKER_FEE, TAKER_FEE
from golive_simulator.orders import MarginMode
from golive_simulator.refusals import Reason, Refused

UNIFIED_STATUS = 5
"""The account is a unified one of the second version."""

ONE_WAY, HEDGE = 0, 3
"""Position modes."""

KEY_CREATED_MS = 1_700_000_000_000
"""Creation time told for every API key."""

KINDS_OF_BOOKING = {
    "TRANSFER": "TRANSFER_IN",
    "REALIZED_PNL": "TRADE",
    "COMMISSION": "TRADE",
    "FUNDING_FEE": "SETTLEMENT",
    "INSURANCE_CLEAR": "LIQUIDATION",
}
"""What the venue calls a booking."""

NO_PERMISSIONS = (
    *("Spot", "Options", "CopyTrading", "BlockTrade", "Exchange", "NFT", "Affiliate", "Earn", "FiatP2P"),
    *("FiatBybitPay", "FiatConvertBroker", "FiatGlobalPay", "FiatBitPay", "BitCard", "ByXPost"),
)
"""Fields of permissions that no key has."""


class Margin(StrEnum):
    """Margin mode of the whole account."""

    CROSSED = "REGULAR_MARGIN"
    ISOLATED = "ISOLATED_MARGIN"


def wallet_balance(call: Call) -> dict[str, Any]:
    """The unified account's money."""
    if call.parameters.text("accountType") != "UNIFIED":
        raise Complaint(10001, "accountType only support UNIFIED.")
    return {"list": [holdings.wallet(call.exchange.equity(call.account))]}


def positions(call: Call) -> dict[str, Any]:
    """The position of the contract that is named, or all that are open."""
    equity, account = call.exchange.equity(call.account), call.account
    is_named = call.parameters.optional("symbol") is not None
    rows = [
        holdings.position(call.exchange, account, equity, instrument)
        for instrument in call.scoped_instruments()
        if is_named or account.position(instrument.symbol).is_open
    ]
    page, cursor = paged(call, rows, 20, 200)
    return {"list": page, "nextPageCursor": cursor, "category": call.parameters.text("category")}


def set_leverage(call: Call) -> dict[str, Any]:
    """Set a contract's leverage, the same for both sides."""
    symbol = call.instrument().symbol
    leverage = call.parameters.decimal("buyLeverage")
    if call.parameters.decimal("sellLeverage") != leverage:
        raise Complaint(10001, "buy leverage sell leverage not equal")
    if leverage % 1:
        raise wrong("buyLeverage")
    if leverage == call.account.leverage(symbol):
        raise Complaint(110043, "leverage not modified")
    call.exchange.set_leverage(call.account, symbol, int(leverage))
    return {}


def set_margin_mode(call: Call) -> dict[str, Any]:
    """Set the margin mode of all contracts at once."""
    mode = MarginMode[call.parameters.choice("setMarginMode", Margin).name]
    for symbol in call.exchange.market.instruments:
        try:
            call.exchange.set_margin_mode(call.account, symbol, mode)
        except Refused as refusal:
            if refusal.reason is not Reason.MARGIN_MODE_UNCHANGED:
                reason = {"reasonCode": "3400018", "reasonMsg": f"{symbol} has a position or open orders"}
                return {"reasons": [reason]}
    return {"reasons": []}


def switch_mode(call: Call) -> dict[str, Any]:
    """Go back to one-way mode; refuse what already is, and hedge mode, which the simulator lacks."""
    call.is_linear()
    mode, account = call.parameters.integer("mode"), call.account
    if mode not in {ONE_WAY, HEDGE} or (mode == HEDGE and not account.is_hedged):
        raise wrong("mode")
    if mode == (HEDGE if account.is_hedged else ONE_WAY):
        raise Complaint(110025, "Position mode is not modified")
    if account.open_order_ids or account.open_algo_ids:
        raise Complaint(110028, "You have existing open orders, so cannot switch position mode")
    if any(position.is_open for position in account.positions.values()):
        raise Complaint(110024, "You have an existing position, so position mode cannot be switched")
    account.is_hedged = False
    return {}


def account_info(call: Call) -> dict[str, Any]:
    """The account's general settings."""
    symbols = call.exchange.market.instruments
    isolated = all(call.account.margin_mode(symbol) is MarginMode.ISOLATED for symbol in symbols)
    seconds = call.account.silence_ms // 1000
    return {
        "marginMode": str(Margin.ISOLATED if isolated else Margin.CROSSED),
        "updatedTime": str(KEY_CREATED_MS),
        "unifiedMarginStatus": UNIFIED_STATUS,
        "dcpStatus": "ON" if seconds else "OFF",
        "timeWindow": seconds or 10,
        "smpGroup": 0,
        "isMasterTrader": False,
        "spotHedgingStatus": "OFF",
    }


def query_api(call: Call) -> dict[str, Any]:
    """What the API key may do."""
    account = call.account
    created = datetime.fromtimestamp(KEY_CREATED_MS / 1000, UTC)
    return {
        "id": "1",
        "note": "simulated",
        "apiKey": account.api_key,
        "readOnly": int(not account.may_trade),
        "secret": "",
        "permissions": {
            **{name: [] for name in NO_PERMISSIONS},
            "ContractTrade": ["Order", "Position"] if account.may_trade else [],
            "Wallet": ["AccountTransfer", "Withdraw"] if account.may_withdraw else [],
            "Derivatives": ["DerivativesTrade"] if account.may_trade else [],
        },
        "ips": ["127.0.0.1"],
        "type": 1,
        "deadlineDay": -2,
        "expiredAt": "1970-01-01T00:00:00Z",
        "createdAt": f"{created:%Y-%m-%dT%H:%M:%SZ}",
        "unified": 0,
        "uta": 1,
        "userID": 1,
        "inviterID": 0,
        "vipLevel": "No VIP",
        "mktMakerLevel": "0",
        "affiliateID": 0,
        "rsaPublicKey": "",
        "isMaster": True,
        "parentUid": "0",
        "kycLevel": "LEVEL_DEFAULT",
        "kycRegion": "",
        **dict.fromkeys(("userIDInt64", "inviterIDInt64", "affiliateIDInt64"), "0"),
    }


def fee_rate(call: Call) -> dict[str, Any]:
    """The account's fees by contract."""
    return {
        "list": [
            {
                "symbol": instrument.symbol,
                "takerFeeRate": plain(TAKER_FEE),
                "makerFeeRate": plain(MAKER_FEE),
                "baseCoin": "",
            }
            for instrument in call.instruments()
        ]
    }


def transaction_log(call: Call) -> dict[str, Any]:
    """Bookings on the wallet, newest first."""
    balance, rows = Decimal(0), []
    for income in call.account.incomes:
        balance += income.amount
        is_withdrawal = income.kind == "TRANSFER" and income.amount < 0
        rows.append(
            {
                "id": str(income.income_id),
                "symbol": income.symbol,
                "category": "linear",
                "side": "None",
                "transactionTime": str(income.time_ms),
                "type": "TRANSFER_OUT" if is_withdrawal else KINDS_OF_BOOKING[income.kind],
                "qty": "0",
                "size": "0",
                "currency": "USDT",
                "tradePrice": "0",
                "funding": plain(income.amount) if income.kind == "FUNDING_FEE" else "",
                "fee": plain(-income.amount) if income.kind == "COMMISSION" else "0",
                "cashFlow": "0" if income.kind == "COMMISSION" else plain(income.amount),
                "change": plain(income.amount),
                "cashBalance": plain(balance),
                "feeRate": "",
                "bonusChange": "",
                "tradeId": str(income.trade_id or ""),
                "orderId": "",
                "orderLinkId": "",
            }
        )
    page, cursor = paged(call, rows[::-1], 20, 50)
    return {"nextPageCursor": cursor, "list": page}


def coins(call: Call) -> dict[str, Any]:
    """Coins of the wallet; none can be moved."""
    names = sorted({instrument.base for instrument in call.contracts().values()} | {"USDT"})
    return {"rows": [{"name": name, "coin": name, "remainAmount": "0", "chains": []} for name in names]}


SIGNED = Security.SIGNED
"""What reading an account asks for."""

ENDPOINTS: dict[tuple[str, str], Endpoint] = {
    ("GET", "/v5/account/wallet-balance"): Endpoint(wallet_balance, SIGNED),
    ("GET", "/v5/account/info"): Endpoint(account_info, SIGNED),
    ("GET", "/v5/account/fee-rate"): Endpoint(fee_rate, SIGNED),
    ("GET", "/v5/account/transaction-log"): Endpoint(transaction_log, SIGNED),
    ("POST", "/v5/account/set-margin-mode"): Endpoint(set_margin_mode, Security.TRADE),
    ("GET", "/v5/position/list"): Endpoint(positions, SIGNED),
    ("POST", "/v5/position/set-leverage"): Endpoint(set_leverage, Security.TRADE),
    ("POST", "/v5/position/switch-mode"): Endpoint(switch_mode, Security.TRADE),
    ("GET", "/v5/user/query-api"): Endpoint(query_api, SIGNED),
    ("GET", "/v5/asset/coin/query-info"): Endpoint(coins, SIGNED),
}
"""Endpoints about the account by method and path."""
