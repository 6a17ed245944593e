"""The dialect itself: from an HTTP request to an endpoint and back, with limits, signature and errors."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

from golive_simulator.dialect.binance import account_data, algo_trading, market_data, trading
from golive_simulator.dialect.binance.call import Call, Endpoint, Security
from golive_simulator.dialect.binance.complaints import (
    UNAUTHORIZED,
    Complaint,
    banned,
    no_such_path,
    too_many_orders,
    too_many_requests,
    worded,
)
from golive_simulator.dialect.binance.limits import Limits, OrderMeter, WeightMeter
from golive_simulator.dialect.binance.parameters import Parameters
from golive_simulator.dialect.binance.signing import identify, verify
from golive_simulator.dialect.seam import Answer, Asked
from golive_simulator.faults import RequestFacts
from golive_simulator.refusals import Reason, Refused

if TYPE_CHECKING:
    from collections.abc import Mapping

    from golive_simulator.accounts import Account
    from golive_simulator.exchange import Exchange

ENDPOINTS: dict[tuple[str, str], Endpoint] = (
    market_data.ENDPOINTS | trading.ENDPOINTS | algo_trading.ENDPOINTS | account_data.ENDPOINTS
)
"""Every endpoint by method and path."""

SERVED_PATHS = {
    "fapi.binance.com": ("/fapi/",),
    "api.binance.com": ("/api/", "/sapi/"),
    "demo-fapi.binance.com": ("/fapi/",),
    "demo-api.binance.com": ("/api/",),
}
"""What each host has; demo trading knows no wallet endpoints."""

OK = 200
"""HTTP status of what was done."""

TOO_MANY_REQUESTS = 429
"""HTTP status of a rate limit."""

TEAPOT = 418
"""HTTP status of a ban."""


class BinanceDialect:
    """Binance USD-M futures: production, and demo trading as the test environment."""

    hosts: Mapping[str, str] = {
        "fapi.binance.com": "production",
        "api.binance.com": "production",
        "demo-fapi.binance.com": "testnet",
        "demo-api.binance.com": "testnet",
    }

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self._weights: dict[tuple[str, str], WeightMeter] = defaultdict(WeightMeter)
        self._orders: dict[str, OrderMeter] = defaultdict(OrderMeter)

    def facts(self, environment: str, asked: Asked) -> RequestFacts:
        """What a request is about, for faults and for the log."""
        values = dict(parse_qsl(f"{asked.query}&{asked.body}"))
        endpoint = _endpoint(asked)
        names = ("newClientOrderId", "origClientOrderId", "clientAlgoId")
        return RequestFacts(
            environment=environment,
            method=asked.method,
            path=asked.path,
            symbol=values.get("symbol", ""),
            side=values.get("side", ""),
            client_order_id=next((values[name] for name in names if name in values), ""),
            is_new_order=endpoint is not None and endpoint.counts_as_order,
        )

    def answer(self, exchange: Exchange, asked: Asked) -> Answer:
        """Do what is asked and say what the venue would say."""
        meter = self._weights[exchange.environment, asked.peer]
        if meter.banned_until_ms > asked.now_ms:
            seconds = -(-(meter.banned_until_ms - asked.now_ms) // 1000)
            return self._overrun(TEAPOT, banned(meter.banned_until_ms), seconds)
        endpoint = _endpoint(asked)
        parameters = Parameters(asked.query, asked.body)
        used = meter.use(endpoint.cost(parameters) if endpoint else 1, asked.now_ms)
        if self.limits.weight_per_minute and used > self.limits.weight_per_minute:
            return self._refuse_weight(meter, asked.now_ms)
        headers = {"X-MBX-USED-WEIGHT-1M": str(used)}
        try:
            body = self._perform(endpoint, exchange, asked, parameters, headers)
        except Refused as refusal:
            return _complain(worded(refusal), headers)
        except Complaint as complaint:
            return _complain(complaint, headers)
        return Answer(OK, body, headers)

    def _perform(
        self,
        endpoint: Endpoint | None,
        exchange: Exchange,
        asked: Asked,
        parameters: Parameters,
        headers: dict[str, str],
    ) -> Any:
        """Prove the sender, count the order, do what the endpoint does."""
        if endpoint is None:
            raise no_such_path(asked.method, asked.path)
        parameters.refuse_duplicates()
        sender = None
        if endpoint.security is not Security.NONE:
            sender = identify(exchange, asked)
            verify(sender, asked, parameters)
            if endpoint.security is Security.TRADE and not sender.may_trade:
                raise Complaint(-2015, "Invalid API-key, IP, or permissions for action.", UNAUTHORIZED)
            if endpoint.counts_as_order:
                self._count_order(sender, asked.now_ms, headers)
        call = Call(exchange, parameters, asked.now_ms, asked.handling, self.limits, sender)
        return endpoint.handler(call)

    def _count_order(self, account: Account, now_ms: int, headers: dict[str, str]) -> None:
        """Count a new order, and refuse it when there are too many."""
        meter, limits = self._orders[account.api_key], self.limits
        in_ten_seconds, in_minute = meter.ten_seconds.add(1, now_ms), meter.minute.add(1, now_ms)
        headers["X-MBX-ORDER-COUNT-10S"] = str(in_ten_seconds)
        headers["X-MBX-ORDER-COUNT-1M"] = str(in_minute)
        rows = (
            (limits.orders_per_10_seconds, in_ten_seconds, "10 SECONDS", meter.ten_seconds),
            (limits.orders_per_minute, in_minute, "1 MINUTE", meter.minute),
        )
        for limit, used, interval, window in rows:
            if limit and used > limit:
                headers["Retry-After"] = str(window.ends_in_seconds(now_ms))
                raise too_many_orders(limit, interval)

    def _refuse_weight(self, meter: WeightMeter, now_ms: int) -> Answer:
        """Refuse a request for its weight, and ban an address that goes on."""
        if meter.strike(now_ms):
            seconds = (meter.banned_until_ms - now_ms) // 1000
            return self._overrun(TEAPOT, banned(meter.banned_until_ms), seconds)
        seconds = meter.window.ends_in_seconds(now_ms)
        return self.rate_limited(TOO_MANY_REQUESTS, seconds)

    def margin_refusal(self) -> Answer:
        """The venue's words for too little margin."""
        return _complain(worded(Refused(Reason.MARGIN_INSUFFICIENT)), {})

    def rate_limited(self, status: int, retry_after_seconds: int) -> Answer:
        """The venue's words for too many requests (429) or a ban (418)."""
        return self._overrun(status, too_many_requests(self.limits.weight_per_minute), retry_after_seconds)

    def _overrun(self, status: int, sentence: str, retry_after_seconds: int) -> Answer:
        """An answer to somebody who asks too much."""
        headers = {"Retry-After": str(retry_after_seconds)}
        return Answer(status, {"code": -1003, "msg": sentence}, headers)


def _endpoint(asked: Asked) -> Endpoint | None:
    """What the request's host has at its path."""
    is_served = asked.path.startswith(SERVED_PATHS[asked.host])
    return ENDPOINTS.get((asked.method, asked.path)) if is_served else None


def _complain(complaint: Complaint, headers: dict[str, str]) -> Answer:
    """An error answer."""
    body = {"code": complaint.code, "msg": complaint.message}
    return Answer(complaint.status, body, headers)
