"""The endpoint of bookings on the account: every change of its money, with the balance after it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from golive_simulator.dialect.okx import payloads
from golive_simulator.dialect.okx.call import Call, Endpoint, Security
from golive_simulator.dialect.okx.trading import most
from golive_simulator.orders import ZERO

if TYPE_CHECKING:
    from decimal import Decimal

    from golive_simulator.orders import Income

# kind of booking: type, subtype when money comes in, subtype when it goes out
KINDS = {
    "TRANSFER": ("1", "11", "12"),
    "REALIZED_PNL": ("2", "1", "2"),
    "COMMISSION": ("2", "1", "2"),
    "FUNDING_FEE": ("8", "174", "173"),
    "INSURANCE_CLEAR": ("10", "10", "10"),
}
"""What the venue calls a booking."""


def bills(call: Call) -> list[Any]:
    """Bookings, newest first."""
    given, after = call.parameters, call.parameters.optional_integer("after", 0)
    begin, end = given.optional_integer("begin", 0), given.optional_integer("end", call.now_ms)
    wanted = {name: given.optional(name) for name in ("type", "subType", "instId")}
    rows, balance = [], ZERO
    for income in call.account.incomes:
        balance += income.amount
        shown = _bill(income, balance)
        is_wanted = all(not value or shown[name] == value for name, value in wanted.items())
        if is_wanted and begin <= income.time_ms <= end and (not after or income.income_id < after):
            rows.append(shown)
    return rows[::-1][: most(call)]


def _bill(income: Income, balance: Decimal) -> dict[str, Any]:
    """One booking in the venue's notation."""
    kind, when_in, when_out = KINDS[income.kind]
    absent = "clOrdId earnAmt earnApr execType fillFwdPx fillIdxPx from interest mgnMode notes ordId px tag to"
    is_fee = income.kind == "COMMISSION"
    return dict.fromkeys(absent.split(), "") | {
        "bal": payloads.number(balance),
        "balChg": payloads.number(income.amount),
        "billId": str(income.income_id),
        "ccy": "USDT",
        "fee": payloads.number(income.amount if is_fee else ZERO),
        "fillTime": str(income.time_ms),
        "instId": income.symbol,
        "instType": "SWAP" if income.symbol else "",
        "pnl": payloads.number(ZERO if is_fee else income.amount),
        "posBal": "0",
        "posBalChg": "0",
        "subType": when_in if income.amount > 0 else when_out,
        "sz": payloads.number(abs(income.amount)),
        "tradeId": str(income.trade_id or ""),
        "ts": str(income.time_ms),
        "type": kind,
    }


ENDPOINTS: dict[tuple[str, str], Endpoint] = {
    ("GET", "/api/v5/account/bills"): Endpoint(bills, security=Security.READ, allowed=10),
    ("GET", "/api/v5/account/bills-archive"): Endpoint(bills, security=Security.READ, allowed=10),
}
"""Endpoints of bookings by method and path."""
