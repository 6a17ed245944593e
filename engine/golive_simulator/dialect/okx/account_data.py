"""Endpoints about the account: money, positions, settings, permissions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from golive_simulator.dialect.okx import payloads
from golive_simulator.dialect.okx.call import Call, Endpoint, Security
from golive_simulator.dialect.okx.complaints import Complaint
from golive_simulator.dialect.okx.trading import MODES
from golive_simulator.exchange import MAKER_FEE, TAKER_FEE

if TYPE_CHECKING:
    from golive_simulator.instruments import Instrument

POSITION_MODES = {"net_mode": False, "long_short_mode": True}
"""Position modes, and whether they are hedged."""


def balance(call: Call) -> list[Any]:
    """All money, unless another currency is asked for."""
    currencies = call.parameters.optional("ccy")
    shown = payloads.balance(call.exchange.equity(call.account), call.now_ms)
    if currencies and "USDT" not in currencies.split(","):
        shown["details"] = []
    return [shown]


def positions(call: Call) -> list[Any]:
    """Open positions."""
    equity = call.exchange.equity(call.account)
    return [
        payloads.position(call.exchange, call.account, equity, instrument)
        for instrument in call.chosen()
        if call.account.position(instrument.symbol).is_open
    ]


def set_leverage(call: Call) -> list[Any]:
    """Set a contract's leverage; the simulator keeps one for both margin modes."""
    instrument = call.instrument()
    call.parameters.choice("mgnMode", MODES)
    call.exchange.set_leverage(call.account, instrument.symbol, call.parameters.integer("lever"))
    return [_leverage(call, instrument)]


def leverage(call: Call) -> list[Any]:
    """A contract's leverage."""
    call.parameters.choice("mgnMode", MODES)
    call.parameters.text("instId")
    return [_leverage(call, instrument) for instrument in call.chosen()]


def _leverage(call: Call, instrument: Instrument) -> dict[str, Any]:
    """The leverage of a contract in the margin mode asked about."""
    return {
        "ccy": "",
        "instId": instrument.symbol,
        "lever": str(call.account.leverage(instrument.symbol)),
        "mgnMode": call.parameters.text("mgnMode"),
        "posSide": "net",
    }


def config(call: Call) -> list[Any]:
    """Settings of the account and permissions of its key."""
    account = call.account
    may = ["read_only"] + ["trade"] * account.may_trade + ["withdraw"] * account.may_withdraw
    absent = "ctIsoMode ip label mgnIsoMode opAuth roleType spotRoleType kycLv feeType settleCcy stgyType"
    return [
        dict.fromkeys(absent.split(), "")
        | {
            "acctLv": "2",
            "acctStpMode": "cancel_maker",
            "autoLoan": False,
            "enableSpotBorrow": False,
            "greeksType": "PA",
            "level": "Lv1",
            "levelTmp": "",
            "liquidationGear": "-1",
            "mainUid": "44705892343619584",
            "perm": ",".join(may),
            "posMode": "long_short_mode" if account.is_hedged else "net_mode",
            "settleCcyList": ["USDT"],
            "spotBorrowAutoRepay": False,
            "spotOffsetType": "",
            "spotTraderInsts": [],
            "traderInsts": [],
            "type": "0",
            "uid": "44705892343619584",
        }
    ]


def set_position_mode(call: Call) -> list[Any]:
    """Accept one-way mode, if nothing stands against a change; hedge mode the simulator does not have."""
    account = call.account
    is_hedged = call.parameters.choice("posMode", POSITION_MODES)
    is_idle = not account.symbols_at_risk() and not account.open_algo_ids
    if is_hedged or (account.is_hedged and not is_idle):
        raise Complaint(
            59000, "Setting failed. Cancel any open orders, close positions, and stop trading bots first."
        )
    account.is_hedged = False
    return [{"posMode": "net_mode"}]


def trade_fee(call: Call) -> list[Any]:
    """The account's fees; what is paid is negative."""
    kind = call.parameters.text("instType")
    maker, taker = payloads.number(-MAKER_FEE), payloads.number(-TAKER_FEE)
    return [
        {
            "category": "1",
            "delivery": "",
            "exercise": "",
            "feeGroup": [{"groupId": "1", "maker": maker, "taker": taker}],
            "fiat": [],
            "instType": kind,
            "level": "Lv1",
            "maker": maker,
            "makerU": maker,
            "makerUSDC": maker,
            "ruleType": "normal",
            "taker": taker,
            "takerU": taker,
            "takerUSDC": taker,
            "ts": str(call.now_ms),
            "uly": call.parameters.optional("uly"),
        }
    ]


def currencies(call: Call) -> list[Any]:
    """Assets and the chain each travels on."""
    names = sorted({row.base for row in call.swaps()} | {"USDT"})
    flags = {"canDep": True, "canInternal": False, "canWd": True, "mainNet": True, "needTag": False}
    return [
        flags
        | {
            "ccy": name,
            "chain": f"{name}-Simulated",
            "ctAddr": "",
            "fee": "0.8",
            "logoLink": "",
            "maxFee": "1.6",
            "maxWd": "1000000",
            "minDep": "0.01",
            "minFee": "0.8",
            "minWd": "2",
            "name": name,
            "usedWdQuota": "0",
            "wdQuota": "10000000",
            "wdTickSz": "6",
        }
        for name in names
    ]


def funding_balances(_call: Call) -> list[Any]:
    """The funding account, which is empty."""
    return []


READ, TRADE = Security.READ, Security.TRADE

ENDPOINTS: dict[tuple[str, str], Endpoint] = {
    ("GET", "/api/v5/account/balance"): Endpoint(balance, security=READ, allowed=10),
    ("GET", "/api/v5/account/positions"): Endpoint(positions, security=READ, allowed=10),
    ("GET", "/api/v5/account/config"): Endpoint(config, security=READ, allowed=5),
    ("GET", "/api/v5/account/leverage-info"): Endpoint(leverage, security=READ),
    ("POST", "/api/v5/account/set-leverage"): Endpoint(set_leverage, security=TRADE),
    ("POST", "/api/v5/account/set-position-mode"): Endpoint(set_position_mode, security=TRADE, allowed=5),
    ("GET", "/api/v5/account/trade-fee"): Endpoint(trade_fee, security=READ, allowed=5),
    ("GET", "/api/v5/asset/currencies"): Endpoint(currencies, security=READ, allowed=12),
    ("GET", "/api/v5/asset/balances"): Endpoint(funding_balances, security=READ, allowed=12),
}
"""Account endpoints by method and path."""
