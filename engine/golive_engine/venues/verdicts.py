"""What a failed request means: no order, perhaps an order, or something that could not be read. Pure."""

import json
import re
from collections.abc import Callable, Container, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from golive_engine.trading import NEVER_SENT, OutcomeUnknownError, RefusedError, UnavailableError
from golive_engine.transport import Attempt

SIGNED_PART = re.compile(r"(?<=://)([^\s?]*)\?\S*")
"""An address with a query, as the library tells it: Binance's signature is in it."""

LONGEST_MESSAGE = 300
"""Characters of a failure's message that are kept."""

PACING_STATUSES = (HTTPStatus.TOO_MANY_REQUESTS, 418)
"""Too many requests, and Binance's ban for not heeding that."""

USUAL_WAIT_SECONDS = 60.0
"""How long to wait where neither answer nor code tells."""


@dataclass(frozen=True, slots=True)
class Codes:
    """What one venue's own codes mean."""

    read: Callable[[Any], tuple[int, ...]]
    """The codes of an answer that is no success; nothing if it is not in the venue's form."""
    refuses: Container[int]
    """Codes after which there certainly is no order."""
    outages: Container[int]
    """Codes that tell of the venue's own trouble, or that it does not know us."""
    waits: Mapping[int, float]
    """Codes that ask to slow down, and the seconds to wait if the answer does not tell."""


class SaidNoError(UnavailableError):
    """The venue answered a request that is no order with its own codes."""

    def __init__(self, message: str, codes: tuple[int, ...], *, is_outage: bool, wait: float | None) -> None:
        super().__init__(message, is_outage=is_outage, retry_after=wait)
        self.codes = codes


def order_error(error: Exception, attempt: Attempt, codes: Codes) -> Exception:
    """Refused only where that is certain: nothing left, or the venue itself said a code that means it.

    A server error is never certain, whatever it says: it may come from a proxy in front of a venue that has
    the order.
    """
    message, wait = _sentence(error), wait_seconds(attempt, codes)
    if not attempt.sent:
        is_outage = isinstance(error, UnavailableError | OSError)
        return RefusedError(f"{NEVER_SENT}: {message}", is_outage=is_outage)
    said = codes_of(attempt, codes)
    if said and all(code in codes.refuses for code in said):
        return RefusedError(message, is_outage=wait is not None, retry_after=wait)
    return OutcomeUnknownError(message)


def read_error(error: Exception, attempt: Attempt, codes: Codes) -> UnavailableError:
    """The same for a request that is no order."""
    if isinstance(error, UnavailableError):
        return error
    said, wait = codes_of(attempt, codes), wait_seconds(attempt, codes)
    if not said:
        return UnavailableError(_sentence(error), retry_after=wait)
    troubled = wait is not None or attempt.status == HTTPStatus.UNAUTHORIZED
    return SaidNoError(
        _sentence(error),
        said,
        is_outage=troubled or any(code in codes.outages for code in said),
        wait=wait,
    )


def wait_seconds(attempt: Attempt, codes: Codes) -> float | None:
    """How long the venue wants to be left alone; None if it did not ask for that."""
    waits = [codes.waits[code] for code in codes_of(attempt, codes) if code in codes.waits]
    if not waits and attempt.status not in PACING_STATUSES:
        return None
    return attempt.retry_after if attempt.retry_after is not None else max(waits, default=USUAL_WAIT_SECONDS)


def codes_of(attempt: Attempt, codes: Codes) -> tuple[int, ...]:
    """The venue's own codes in an answer; none in a server error, nor in what some proxy says."""
    if attempt.status >= HTTPStatus.INTERNAL_SERVER_ERROR or attempt.status == HTTPStatus.REQUEST_TIMEOUT:
        return ()
    try:
        return codes.read(json.loads(attempt.body))
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return ()


def _sentence(error: Exception) -> str:
    """A failure in one line, with what caused it, and without the signed part of an address."""
    cause = f" ({error.__cause__})" if error.__cause__ is not None else ""
    text = SIGNED_PART.sub(r"\1", f"{type(error).__name__}: {error}{cause}")
    return " ".join(text.split())[:LONGEST_MESSAGE]
