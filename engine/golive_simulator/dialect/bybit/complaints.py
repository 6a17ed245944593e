"""Bybit's return codes and sentences.

Source: the error page of the v5 documentation, and answers seen in practice where it is vague.
"""

from __future__ import annotations

from golive_simulator.refusals import Reason, Refused

OK = 200
"""HTTP status of nearly everything, refusals among them."""

FORBIDDEN = 403
"""HTTP status for an address that asks too much."""

NOT_FOUND = 404
"""HTTP status where there is nothing."""


class Complaint(Exception):  # noqa: N818 - an answer of the venue, not an error of the program
    """A refusal of the venue."""

    def __init__(self, code: int, message: str, status: int = OK) -> None:
        super().__init__(f"{code} {message}")
        self.code = code
        self.message = message
        self.status = status


WORDS: dict[Reason, tuple[int, str]] = {
    Reason.SYMBOL_UNKNOWN: (10001, "params error: symbol invalid"),
    Reason.CLIENT_ID_MALFORMED: (10001, "params error: OrderLinkID is invalid"),
    Reason.CLIENT_ID_IN_USE: (110072, "OrderLinkedID is duplicate"),
    Reason.PRECISION_TOO_FINE: (10001, "Qty invalid"),
    Reason.QUANTITY_NOT_POSITIVE: (10001, "Qty invalid"),
    Reason.QUANTITY_TOO_SMALL: (10001, "The number of contracts exceeds minimum limit allowed"),
    Reason.QUANTITY_TOO_LARGE: (10001, "The number of contracts exceeds maximum limit allowed: too large"),
    Reason.QUANTITY_OFF_STEP: (10001, "Qty invalid"),
    Reason.PRICE_NOT_POSITIVE: (10001, "Price invalid"),
    Reason.PRICE_TOO_LOW: (110003, "Order price exceeds the allowable range."),
    Reason.PRICE_TOO_HIGH: (110003, "Order price exceeds the allowable range."),
    Reason.PRICE_OFF_TICK: (10001, "Price invalid"),
    Reason.PRICE_ABOVE_BAND: (110003, "Order price exceeds the allowable range."),
    Reason.PRICE_BELOW_BAND: (110003, "Order price exceeds the allowable range."),
    Reason.MARKET_OUTSIDE_BAND: (110003, "Order price exceeds the allowable range."),
    Reason.NOTIONAL_TOO_SMALL: (110094, "Order does not meet minimum order value {}USDT"),
    Reason.TOO_MANY_OPEN_ORDERS: (110020, "You can only have {} active orders"),
    Reason.TOO_MANY_ALGO_ORDERS: (110009, "The number of stop orders exceeds the maximum allowable limit."),
    Reason.NOTHING_TO_REDUCE: (110017, "current position is zero, cannot fix reduce-only order qty"),
    Reason.POSITION_TOO_LARGE: (110090, "Order placement failed as your position may exceed the max limit."),
    Reason.MARGIN_INSUFFICIENT: (110007, "ab not enough for new order"),
    Reason.TRIGGER_NOT_POSITIVE: (10001, "params error: TriggerPrice invalid"),
    Reason.ORDER_NOT_OPEN: (110001, "order not exists or too late to cancel"),
    Reason.ORDER_UNKNOWN: (110001, "order not exists or too late to cancel"),
    Reason.LEVERAGE_INVALID: (110013, "cannot set leverage [{}] gt maxLeverage by risk limit"),
    Reason.LEVERAGE_HELD_BY_ISOLATED: (110044, "Available margin is insufficient."),
}
"""Code and sentence for each refusal; a blank takes the refusal's value."""


def worded(refusal: Refused) -> Complaint:
    """A refusal in the venue's words."""
    code, sentence = WORDS.get(refusal.reason, (10001, f"Request parameter error. {refusal.reason}"))
    return Complaint(code, sentence.format(refusal.value))


def wrong(name: str) -> Complaint:
    """A parameter is not there or makes no sense."""
    return Complaint(10001, f"params error: {name} invalid")


def needs_scope() -> Complaint:
    """Neither a contract nor a coin narrows a request."""
    return Complaint(10001, "Missing some parameters that must be filled in, symbol or settleCoin or baseCoin")


def no_such_path() -> Complaint:
    """The venue has no such endpoint."""
    return Complaint(10404, "Request path not found", NOT_FOUND)


def too_many_visits() -> Complaint:
    """An account asks too much of an endpoint."""
    return Complaint(10006, "Too many visits. Exceeded the API Rate Limit.")


def access_too_frequent() -> Complaint:
    """An address asks too much altogether."""
    return Complaint(10018, "access too frequent", FORBIDDEN)
