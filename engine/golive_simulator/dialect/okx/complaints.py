"""OKX's error codes and sentences.

Source: the error code page of the v5 documentation.
"""

from __future__ import annotations

from golive_simulator.refusals import Reason, Refused

OK = 200
"""HTTP status of what was done, and of most of what was not."""

BAD_REQUEST = 400
"""HTTP status of a request that makes no sense."""

UNAUTHORIZED = 401
"""HTTP status of a sender who is not known."""

TOO_MANY_REQUESTS = 429
"""HTTP status of a rate limit."""


class Complaint(Exception):  # noqa: N818 - an answer of the venue, not an error of the program
    """An error answer of the venue, for a whole request or for one row of a batch."""

    def __init__(self, code: int, message: str, status: int = OK) -> None:
        super().__init__(f"{code} {message}")
        self.code = code
        self.message = message
        self.status = status


NOT_CANCELLED = "Order cancellation failed as the order has been filled, canceled or does not exist."
"""What the venue says of every cancellation that finds nothing to cancel."""

NO_POSITION = (
    "Order failed because you don't have any positions in this direction for this contract to reduce or close."
)
"""What the venue says of a reduce-only order without a position."""

POSITION_FULL = (
    "Order failed. The sum of current order size, position quantity and pending orders can’t be more "  # noqa: RUF001 - as the venue writes
    "than the maximum position amount under current leverage. Please lower the leverage."
)
"""What the venue says of a position that is too large for its leverage, without its figures."""

WORDS: dict[Reason, tuple[int, str]] = {
    Reason.SYMBOL_UNKNOWN: (51001, "Instrument ID, Instrument ID code or Spread ID doesn't exist."),
    Reason.CLIENT_ID_MALFORMED: (51000, "Parameter clOrdId error"),
    Reason.CLIENT_ID_IN_USE: (51016, "Client order ID already exists."),
    Reason.PRECISION_TOO_FINE: (51150, "The precision of the number of trades or the price exceeds the limit."),
    Reason.QUANTITY_NOT_POSITIVE: (51000, "Parameter sz error"),
    Reason.QUANTITY_TOO_SMALL: (51020, "Your order should meet or exceed the minimum order amount."),
    Reason.QUANTITY_TOO_LARGE: (51202, "Market order amount exceeds the maximum amount."),
    Reason.QUANTITY_OFF_STEP: (51121, "Order quantity must be a multiple of the lot size."),
    Reason.PRICE_NOT_POSITIVE: (51000, "Parameter px error"),
    Reason.PRICE_TOO_LOW: (51122, "Order price should higher than the min price {}"),
    Reason.PRICE_TOO_HIGH: (51116, "Order price or trigger price exceeds {}."),
    Reason.PRICE_OFF_TICK: (51150, "The precision of the number of trades or the price exceeds the limit."),
    Reason.PRICE_ABOVE_BAND: (51137, "The highest price limit for buy orders is {}."),
    Reason.PRICE_BELOW_BAND: (51138, "The lowest price limit for sell orders is {}."),
    Reason.MARKET_OUTSIDE_BAND: (51109, "No available offers."),
    Reason.NOTIONAL_TOO_SMALL: (51020, "Your order should meet or exceed the minimum order amount."),
    Reason.TOO_MANY_OPEN_ORDERS: (
        51102,
        "Order failed, the number of pending orders for this instId can’t be more than 500 (orders)",  # noqa: RUF001 - as the venue writes
    ),
    Reason.TOO_MANY_ALGO_ORDERS: (
        51261,
        "Each user can hold up to 500 pending stop orders at the same time.",
    ),
    Reason.NOTHING_TO_REDUCE: (51169, NO_POSITION),
    Reason.POSITION_TOO_LARGE: (51004, POSITION_FULL),
    Reason.MARGIN_INSUFFICIENT: (51008, "Order failed. Insufficient USDT margin in account"),
    Reason.TRIGGER_NOT_POSITIVE: (51000, "Parameter triggerPx error"),
    Reason.CLOSE_WITH_QUANTITY: (51000, "Parameter sz error"),
    Reason.CALLBACK_MISSING: (
        51311,
        "Failed to place trailing stop order. Callback rate should be within 0<x<=1",
    ),
    Reason.ORDER_NOT_OPEN: (51400, NOT_CANCELLED),
    Reason.ORDER_UNKNOWN: (51603, "Order does not exist."),
    Reason.LEVERAGE_INVALID: (
        59102,
        "Leverage exceeds the maximum limit. Please lower the leverage.",
    ),
    Reason.MARGIN_MODE_HAS_ORDERS: (51000, "Parameter tdMode error"),
    Reason.MARGIN_MODE_HAS_POSITION: (51000, "Parameter tdMode error"),
    Reason.LEVERAGE_HELD_BY_ISOLATED: (
        59109,
        "Account equity less than the required margin amount after adjustment. Please adjust the leverage.",
    ),
}
"""Code and sentence for each refusal; a blank takes the refusal's value.

The rest never gets as far as words: orders that would take or would not fill are accepted and cancelled, and
setting what is set already is no error.
"""

SAME_DIRECTION = Complaint(
    51170,
    "Failed to place order. A reduce-only order can’t be the same trading direction "  # noqa: RUF001 - as the venue writes
    "as your existing positions.",
)
"""A reduce-only order that would add to the position there is."""


def worded(refusal: Refused) -> Complaint:
    """A refusal in the venue's words."""
    code, sentence = WORDS[refusal.reason]
    return Complaint(code, sentence.format(refusal.value))


def empty(name: str) -> Complaint:
    """A mandatory parameter is not there."""
    return Complaint(50014, f"Parameter {name} can not be empty.", BAD_REQUEST)


def either(first: str, second: str) -> Complaint:
    """Neither of two parameters is there."""
    return Complaint(50015, f"Either parameter {first} or {second} is required", BAD_REQUEST)


def wrong(name: str) -> Complaint:
    """A parameter makes no sense."""
    return Complaint(51000, f"Parameter {name} error", BAD_REQUEST)
