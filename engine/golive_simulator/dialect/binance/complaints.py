"""Binance's error codes and sentences.

Source: the error page of the USD-M futures documentation, and answers seen in practice where it is vague.
"""

from __future__ import annotations

from golive_simulator.refusals import Reason, Refused

BAD_REQUEST = 400
"""HTTP status of most refusals."""

UNAUTHORIZED = 401
"""HTTP status of a refused API key."""


class Complaint(Exception):  # noqa: N818 - an answer of the venue, not an error of the program
    """An error answer of the venue."""

    def __init__(self, code: int, message: str, status: int = BAD_REQUEST) -> None:
        super().__init__(f"{code} {message}")
        self.code = code
        self.message = message
        self.status = status


WORDS: dict[Reason, tuple[int, str]] = {
    Reason.SYMBOL_UNKNOWN: (-1121, "Invalid symbol."),
    Reason.CLIENT_ID_MALFORMED: (-4015, "Client order id is not valid."),
    Reason.CLIENT_ID_IN_USE: (-4116, "ClientOrderId is duplicated."),
    Reason.PRECISION_TOO_FINE: (-1111, "Precision is over the maximum defined for this asset."),
    Reason.QUANTITY_NOT_POSITIVE: (-4003, "Quantity less than or equal to zero."),
    Reason.QUANTITY_TOO_SMALL: (-4004, "Quantity less than min quantity."),
    Reason.QUANTITY_TOO_LARGE: (-4005, "Quantity greater than max quantity."),
    Reason.QUANTITY_OFF_STEP: (-4023, "Qty not increased by step size."),
    Reason.PRICE_NOT_POSITIVE: (-4001, "Price less than 0."),
    Reason.PRICE_TOO_LOW: (-4013, "Price less than min price."),
    Reason.PRICE_TOO_HIGH: (-4002, "Price greater than max price."),
    Reason.PRICE_OFF_TICK: (-4014, "Price not increased by tick size."),
    Reason.PRICE_ABOVE_BAND: (-4016, "Limit price can't be higher than {}."),
    Reason.PRICE_BELOW_BAND: (-4024, "Limit price can't be lower than {}."),
    Reason.MARKET_OUTSIDE_BAND: (
        -4131,
        "The counterparty's best price does not meet the PERCENT_PRICE filter limit.",
    ),
    Reason.NOTIONAL_TOO_SMALL: (
        -4164,
        "Order's notional must be no smaller than {} (unless you choose reduce only).",
    ),
    Reason.TOO_MANY_OPEN_ORDERS: (-2025, "Reach max open order limit."),
    Reason.TOO_MANY_ALGO_ORDERS: (-4045, "Reach max stop order limit."),
    Reason.NOTHING_TO_REDUCE: (-2022, "ReduceOnly Order is rejected."),
    Reason.WOULD_TAKE: (
        -5022,
        "Due to the order could not be executed as maker, the Post Only order will be rejected.",
    ),
    Reason.WOULD_NOT_FILL: (
        -5021,
        "Due to the order could not be filled immediately, the FOK order has been rejected.",
    ),
    Reason.POSITION_TOO_LARGE: (-2027, "Exceeded the maximum allowable position at current leverage."),
    Reason.MARGIN_INSUFFICIENT: (-2019, "Margin is insufficient."),
    Reason.TRIGGER_NOT_POSITIVE: (-4006, "Stop price less than zero."),
    Reason.TRIGGERS_AT_ONCE: (-2021, "Order would immediately trigger."),
    Reason.CLOSE_WITH_QUANTITY: (-4137, "Quantity must be zero with closePosition equals true."),
    Reason.CALLBACK_MISSING: (-2007, "Invalid callBack rate."),
    Reason.ORDER_NOT_OPEN: (-2011, "Unknown order sent."),
    Reason.ORDER_UNKNOWN: (-2013, "Order does not exist."),
    Reason.LEVERAGE_INVALID: (-4028, "Leverage {} is not valid"),
    Reason.MARGIN_MODE_UNCHANGED: (-4046, "No need to change margin type."),
    Reason.MARGIN_MODE_HAS_ORDERS: (-4047, "Margin type cannot be changed if there exists open orders."),
    Reason.MARGIN_MODE_HAS_POSITION: (-4048, "Margin type cannot be changed if there exists position."),
    Reason.LEVERAGE_HELD_BY_ISOLATED: (
        -4161,
        "Leverage reduction is not supported in Isolated Margin Mode with open positions.",
    ),
}
"""Code and sentence for each refusal; a blank takes the refusal's value."""


def worded(refusal: Refused) -> Complaint:
    """A refusal in the venue's words."""
    code, sentence = WORDS[refusal.reason]
    return Complaint(code, sentence.format(refusal.value))


def missing(name: str) -> Complaint:
    """A mandatory parameter is not there or makes no sense."""
    return Complaint(-1102, f"Mandatory parameter '{name}' was not sent, was empty/null, or malformed.")


def missing_either(first: str, second: str) -> Complaint:
    """Neither of two parameters is there."""
    return Complaint(-1102, f"Param '{first}' or '{second}' must be sent, but both were empty/null!")


def invalid_type() -> Complaint:
    """No such order type."""
    return Complaint(-1116, "Invalid orderType.")


def stop_on_wrong_endpoint() -> Complaint:
    """A conditional order was sent where only ordinary ones are taken."""
    sentence = "Order type not supported for this endpoint. Please use the Algo Order API endpoints instead."
    return Complaint(-4120, sentence)


def no_such_path(method: str, path: str) -> Complaint:
    """The venue has no such endpoint."""
    return Complaint(-5000, f"Path {path}, Method {method} is invalid", status=404)


def too_many_requests(limit: int) -> str:
    """The sentence of a 429."""
    return (
        f"Too many requests; current limit is {limit} requests per minute. "
        "Please use the websocket for live updates to avoid polling the API."
    )


def banned(until_ms: int) -> str:
    """The sentence of a 418."""
    return (
        f"Way too many requests; IP banned until {until_ms}. "
        "Please use the websocket for live updates to avoid bans."
    )


def too_many_orders(limit: int, interval: str) -> Complaint:
    """The account sends orders too fast."""
    sentence = f"Too many new orders; current limit is {limit} orders per {interval}."
    return Complaint(-1015, sentence, status=429)
