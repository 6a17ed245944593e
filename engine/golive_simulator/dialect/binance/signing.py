"""Who sent a request, and whether it is fresh: API key, HMAC signature, timestamp."""

from __future__ import annotations

import hashlib
import hmac
import re
from typing import TYPE_CHECKING

from golive_simulator.dialect.binance.complaints import UNAUTHORIZED, Complaint

if TYPE_CHECKING:
    from golive_simulator.accounts import Account
    from golive_simulator.dialect.binance.parameters import Parameters
    from golive_simulator.dialect.seam import Asked
    from golive_simulator.exchange import Exchange

DEFAULT_WINDOW_MS = 5_000
"""How old a request may be when it does not say."""

LONGEST_WINDOW_MS = 60_000
"""The longest window a request may ask for."""

LEAD_MS = 1_000
"""How far a request's clock may be ahead."""

SIGNATURE = re.compile(r"(?:^|&)signature=([^&]*)")
"""The signature parameter, wherever it stands."""


def signature_of(secret: str, query: str, body: str) -> str:
    """HMAC-SHA256, in hex, of the query and body exactly as sent, without the signature itself."""
    payload = SIGNATURE.sub("", query) + SIGNATURE.sub("", body)
    return hmac.new(secret.encode(), payload.encode(), hashlib.sha256).hexdigest()


def identify(exchange: Exchange, asked: Asked) -> Account:
    """The account of the request's API key.

    Raises:
        Complaint: when there is no key, or it is not of this environment.
    """
    key = asked.headers.get("X-MBX-APIKEY", "")
    if not key:
        raise Complaint(-2014, "API-key format invalid.", UNAUTHORIZED)
    account = exchange.accounts.get(key)
    if account is None:
        raise Complaint(-2015, "Invalid API-key, IP, or permissions for action.", UNAUTHORIZED)
    return account


def verify(account: Account, asked: Asked, parameters: Parameters) -> None:
    """Check signature and freshness of a signed request.

    Raises:
        Complaint: when either is wrong.
    """
    given = parameters.text("signature")
    expected = signature_of(account.secret, asked.query, asked.body)
    if not hmac.compare_digest(given.encode(), expected.encode()):
        raise Complaint(-1022, "Signature for this request is not valid.")
    sent_ms = parameters.integer("timestamp")
    window_ms = parameters.optional_integer("recvWindow")
    window_ms = DEFAULT_WINDOW_MS if window_ms is None else window_ms
    if window_ms > LONGEST_WINDOW_MS:
        raise Complaint(-1131, "recvWindow must be less than 60000.")
    if sent_ms > asked.now_ms + LEAD_MS:
        raise Complaint(-1021, "Timestamp for this request was 1000ms ahead of the server's time.")
    if asked.now_ms - sent_ms > window_ms:
        raise Complaint(-1021, "Timestamp for this request is outside of the recvWindow.")
