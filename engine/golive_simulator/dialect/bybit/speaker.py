"""The dialect itself: from an HTTP request to an endpoint and back, with limits, signature and errors."""

from __future__ import annotations

from collections import defaultdict
from functools import partial
from typing import TYPE_CHECKING, Any

from golive_simulator.dialect.bybit import account_data, market_data, protection, records, trading
from golive_simulator.dialect.bybit.call import Call, Endpoint, Security
from golive_simulator.dialect.bybit.complaints import (
    OK,
    Complaint,
    access_too_frequent,
    no_such_path,
    too_many_visits,
    worded,
)
from golive_simulator.dialect.bybit.limits import FIVE_SECONDS_MS, SECOND_MS, Limits, Meter
from golive_simulator.dialect.bybit.parameters import Parameters
from golive_simulator.dialect.bybit.signing import identify
from golive_simulator.dialect.seam import Answer, Asked
from golive_simulator.faults import RequestFacts
from golive_simulator.refusals import Reason, Refused

if TYPE_CHECKING:
    from collections.abc import Mapping

    from golive_simulator.accounts import Account
    from golive_simulator.exchange import Exchange

ENDPOINTS: dict[tuple[str, str], Endpoint] = (
    market_data.ENDPOINTS
    | trading.ENDPOINTS
    | protection.ENDPOINTS
    | records.ENDPOINTS
    | account_data.ENDPOINTS
)
"""Every endpoint by method and path."""

OK_CODE = 0
"""The return code of what was done."""

TOO_MANY_REQUESTS = 429
"""The simulator's word for a rate limit, which this venue tells with a status of 200."""


class BybitDialect:
    """Bybit v5: production, and testnet as well as demo trading as the test environment."""

    hosts: Mapping[str, str] = {
        "api.bybit.com": "bybit-production",
        "api-testnet.bybit.com": "bybit-testnet",
        "api-demo.bybit.com": "bybit-testnet",
    }

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self._addresses: dict[tuple[str, str], Meter] = defaultdict(partial(Meter, FIVE_SECONDS_MS))
        self._orders: dict[tuple[str, str], Meter] = defaultdict(partial(Meter, SECOND_MS))

    def facts(self, environment: str, asked: Asked) -> RequestFacts:
        """What a request is about, for faults and for the log."""
        try:
            values = Parameters(asked.query, asked.body).values
        except Complaint:
            values = {}
        endpoint = ENDPOINTS.get((asked.method, asked.path))
        return RequestFacts(
            environment=environment,
            method=asked.method,
            path=asked.path,
            symbol=values.get("symbol", ""),
            side=values.get("side", "").upper(),
            client_order_id=values.get("orderLinkId", ""),
            is_new_order=endpoint is not None and endpoint.counts_as_order,
        )

    def answer(self, exchange: Exchange, asked: Asked) -> Answer:
        """Do what is asked and say what the venue would say."""
        headers: dict[str, str] = {}
        try:
            result = self._perform(exchange, asked, headers)
        except Refused as refusal:
            return _refuse(worded(refusal), asked.now_ms, headers)
        except Complaint as complaint:
            return _refuse(complaint, asked.now_ms, headers)
        body = _envelope(OK_CODE, "OK", result, asked.now_ms)
        return Answer(OK, body, headers, order_id=result.get("orderId"))

    def _perform(self, exchange: Exchange, asked: Asked, headers: dict[str, str]) -> dict[str, Any]:
        """Count the request, prove the sender, do what the endpoint does."""
        used = self._addresses[exchange.environment, asked.peer].add(asked.now_ms)
        if self.limits.requests_per_5_seconds and used > self.limits.requests_per_5_seconds:
            raise access_too_frequent()
        endpoint = ENDPOINTS.get((asked.method, asked.path))
        if endpoint is None:
            raise no_such_path()
        sender = None
        if endpoint.security is not Security.NONE:
            sender = identify(exchange, asked)
            sender.heard_ms = asked.now_ms
            if endpoint.security is Security.TRADE and not sender.may_trade:
                raise Complaint(10005, "Permission denied, please check your API key permissions.")
            if endpoint.counts_as_order:
                self._count_order(exchange.environment, sender, asked.now_ms, headers)
        parameters = Parameters(asked.query, asked.body)
        call = Call(exchange, parameters, asked.now_ms, asked.handling, sender)
        result: dict[str, Any] = endpoint.handler(call)
        return result

    def _count_order(self, environment: str, account: Account, now_ms: int, headers: dict[str, str]) -> None:
        """Count a new order, and refuse it when there are too many."""
        meter, limit = self._orders[environment, account.api_key], self.limits.orders_per_second
        if not limit:
            return
        used = meter.add(now_ms)
        headers["X-Bapi-Limit"] = str(limit)
        headers["X-Bapi-Limit-Status"] = str(max(0, limit - used))
        headers["X-Bapi-Limit-Reset-Timestamp"] = str(meter.resets_ms(now_ms))
        if used > limit:
            raise too_many_visits()

    def margin_refusal(self) -> Answer:
        """The venue's words for too little margin."""
        return _refuse(worded(Refused(Reason.MARGIN_INSUFFICIENT)), 0, {})

    def rate_limited(self, status: int, retry_after_seconds: int) -> Answer:
        """The venue's words for too many requests of an account, or of an address (a ban)."""
        complaint = too_many_visits() if status == TOO_MANY_REQUESTS else access_too_frequent()
        headers = {"X-Bapi-Limit-Status": "0", "Retry-After": str(retry_after_seconds)}
        return _refuse(complaint, 0, headers)


def _envelope(code: int, message: str, result: dict[str, Any], now_ms: int) -> dict[str, Any]:
    """What every answer is wrapped in."""
    return {"retCode": code, "retMsg": message, "result": result, "retExtInfo": {}, "time": now_ms}


def _refuse(complaint: Complaint, now_ms: int, headers: dict[str, str]) -> Answer:
    """A refusal, told with a status of 200 as often as not."""
    body = _envelope(complaint.code, complaint.message, {}, now_ms)
    return Answer(complaint.status, body, headers, is_refusal=True, code=complaint.code)
