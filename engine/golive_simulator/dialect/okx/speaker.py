"""The dialect itself: from an HTTP request to an endpoint and back, with limits, signature and errors."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from golive_simulator.dialect.okx import account_data, algo_trading, bills, market_data, trading
from golive_simulator.dialect.okx.call import Call, Endpoint, Security
from golive_simulator.dialect.okx.complaints import OK, TOO_MANY_REQUESTS, Complaint, worded
from golive_simulator.dialect.okx.limits import Meter
from golive_simulator.dialect.okx.parameters import Parameters, read
from golive_simulator.dialect.okx.signing import identify
from golive_simulator.dialect.seam import Answer, Asked
from golive_simulator.faults import RequestFacts
from golive_simulator.refusals import Reason, Refused

if TYPE_CHECKING:
    from collections.abc import Mapping

    from golive_simulator.accounts import Account
    from golive_simulator.exchange import Exchange

ENDPOINTS: dict[tuple[str, str], Endpoint] = (
    market_data.ENDPOINTS
    | account_data.ENDPOINTS
    | bills.ENDPOINTS
    | trading.ENDPOINTS
    | algo_trading.ENDPOINTS
)
"""Every endpoint by method and path."""

ALL_FAILED = 1
"""The envelope's code when no row succeeded."""

SOME_FAILED = 2
"""The envelope's code when some rows did."""

SENTENCES = {0: "", ALL_FAILED: "All operations failed", SOME_FAILED: "Bulk operation partially succeeded."}
"""What the envelope says with each code."""


class OkxDialect:
    """OKX v5: production, and demo trading on the same host for requests that say so in a header."""

    hosts: Mapping[str, str] = {
        "www.okx.com": "okx-production",
        "aws.okx.com": "okx-production",
    }

    def __init__(self, *, is_limited: bool = True) -> None:
        self._meter = Meter(is_limited=is_limited)

    def facts(self, environment: str, asked: Asked) -> RequestFacts:
        """What a request is about, for faults and for the log; of a batch, its first order."""
        is_demo = asked.headers.get("x-simulated-trading") == "1"
        endpoint = ENDPOINTS.get((asked.method, asked.path))
        try:
            first = read(asked)[0]
        except Complaint:
            first = Parameters({})
        names = ("clOrdId", "algoClOrdId")
        return RequestFacts(
            environment="okx-testnet" if is_demo else environment,
            method=asked.method,
            path=asked.path,
            symbol=first.optional("instId"),
            side=first.optional("side").upper(),
            client_order_id=next((first.optional(name) for name in names if first.optional(name)), ""),
            is_new_order=endpoint is not None and endpoint.places_orders,
        )

    def answer(self, exchange: Exchange, asked: Asked) -> Answer:
        """Do what is asked and say what the venue would say."""
        endpoint = ENDPOINTS.get((asked.method, asked.path))
        if endpoint is None:
            return Answer(404, {"code": "404", "data": [], "msg": "Not Found"}, code=404)
        sender = asked.headers.get("OK-ACCESS-KEY") or asked.peer
        if self._meter.is_overrun(
            f"{exchange.environment}/{sender}", asked.path, endpoint.allowed, asked.now_ms
        ):
            return self.rate_limited(TOO_MANY_REQUESTS, 1)
        try:
            return self._perform(endpoint, exchange, asked)
        except Refused as refusal:
            return _complain(worded(refusal))
        except Complaint as complaint:
            return _complain(complaint)

    def _perform(self, endpoint: Endpoint, exchange: Exchange, asked: Asked) -> Answer:
        """Prove the sender, then do what the endpoint does."""
        sender = _sender(endpoint, exchange, asked)
        rows = read(asked)
        if len(rows) > endpoint.most_rows:
            raise Complaint(51111, f"Maximum {endpoint.most_rows} orders can be placed in bulk.")
        call = Call(exchange, rows[0], asked.now_ms, asked.handling, sender)
        if endpoint.handler is not None:
            return Answer(OK, {"code": "0", "data": endpoint.handler(call), "msg": ""})
        return _answer_rows([_row(endpoint, call, row) for row in rows], asked.now_ms)

    def margin_refusal(self) -> Answer:
        """The venue's words for too little margin."""
        complaint = worded(Refused(Reason.MARGIN_INSUFFICIENT))
        return _answer_rows([{"ordId": "", "clOrdId": "", "tag": ""} | _failed(complaint)], 0)

    def rate_limited(self, status: int, retry_after_seconds: int) -> Answer:
        """The venue's words for too many requests, the same for a ban."""
        body = {"code": "50011", "data": [], "msg": "Too Many Requests"}
        return Answer(status, body, {"Retry-After": str(retry_after_seconds)}, is_refusal=True, code=50011)


def _sender(endpoint: Endpoint, exchange: Exchange, asked: Asked) -> Account | None:
    """Whose request it is, where that matters."""
    if endpoint.security is Security.NONE:
        return None
    sender = identify(exchange, asked)
    if endpoint.security is Security.TRADE and not sender.may_trade:
        raise Complaint(50120, "This API key doesn't have permission to use this function")
    return sender


def _row(endpoint: Endpoint, call: Call, row: Parameters) -> dict[str, Any]:
    """A row's answer, or its complaint in its place."""
    if endpoint.row_handler is None:
        raise LookupError("an endpoint without handler was asked")
    try:
        return endpoint.row_handler(call, row) | {"sCode": "0", "sMsg": ""}
    except Refused as refusal:
        complaint = worded(refusal)
    except Complaint as raised:
        complaint = raised
    named = {name: row.optional(name) for name in (*endpoint.names, "tag")}
    return named | _failed(complaint)


def _failed(complaint: Complaint) -> dict[str, Any]:
    """What a row says that failed."""
    return {"sCode": str(complaint.code), "sMsg": complaint.message}


def _answer_rows(rows: list[dict[str, Any]], now_ms: int) -> Answer:
    """Rows in their envelope, whose code tells whether all, some or none succeeded."""
    failed = [row for row in rows if row["sCode"] != "0"]
    code = 0 if not failed else ALL_FAILED if len(failed) == len(rows) else SOME_FAILED
    body = {
        "code": str(code),
        "data": rows,
        "inTime": f"{now_ms}000",
        "msg": SENTENCES[code],
        "outTime": f"{now_ms}500",
    }
    return Answer(
        OK,
        body,
        is_refusal=code == ALL_FAILED,
        code=int(rows[0]["sCode"]),
        order_id=rows[0].get("ordId") or rows[0].get("algoId"),
    )


def _complain(complaint: Complaint) -> Answer:
    """An error answer to a whole request."""
    body = {"code": str(complaint.code), "data": [], "msg": complaint.message}
    return Answer(complaint.status, body, is_refusal=True, code=complaint.code)
