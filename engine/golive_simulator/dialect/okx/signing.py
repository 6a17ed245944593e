"""Who sent a request, and whether it is fresh: API key, passphrase, signature, timestamp."""

from __future__ import annotations

import base64
import hashlib
import hmac
from datetime import datetime
from typing import TYPE_CHECKING

from golive_simulator.dialect.okx.complaints import UNAUTHORIZED, Complaint

if TYPE_CHECKING:
    from golive_simulator.accounts import Account
    from golive_simulator.dialect.seam import Asked
    from golive_simulator.exchange import Exchange

WINDOW_MS = 30_000
"""How far a request's timestamp may be from the venue's clock, either way."""

HEADERS = {"KEY": 50103, "PASSPHRASE": 50104, "SIGN": 50106, "TIMESTAMP": 50107}
"""The headers of a private request, and the code of each one's absence."""


def signature_of(secret: str, message: str) -> str:
    """HMAC-SHA256, in Base64, of timestamp, method, path with query, and body."""
    digest = hmac.new(secret.encode(), message.encode(), hashlib.sha256).digest()
    return base64.b64encode(digest).decode()


def identify(exchange: Exchange, asked: Asked) -> Account:
    """The account behind a private request.

    Raises:
        Complaint: when it does not prove who sent it, or when.
    """
    given = {name: asked.headers.get(f"OK-ACCESS-{name}", "") for name in HEADERS}
    for name, code in HEADERS.items():
        if not given[name]:
            raise Complaint(code, f'Request header "OK-ACCESS-{name}" cannot be empty.', UNAUTHORIZED)
    account = exchange.accounts.get(given["KEY"])
    if account is None:
        raise Complaint(50111, "Invalid OK-ACCESS-KEY.", UNAUTHORIZED)
    if abs(asked.now_ms - _milliseconds(given["TIMESTAMP"])) > WINDOW_MS:
        raise Complaint(50102, "Timestamp request expired.", UNAUTHORIZED)
    if not _same(given["PASSPHRASE"], account.passphrase):
        raise Complaint(50105, 'Request header "OK-ACCESS-PASSPHRASE" incorrect.', UNAUTHORIZED)
    path = f"{asked.path}?{asked.query}" if asked.query else asked.path
    expected = signature_of(account.secret, f"{given['TIMESTAMP']}{asked.method}{path}{asked.body}")
    if not _same(given["SIGN"], expected):
        raise Complaint(50113, "Invalid signature.", UNAUTHORIZED)
    return account


def _same(given: str, expected: str) -> bool:
    """Whether two secrets are equal, in the same time whatever they are."""
    return hmac.compare_digest(given.encode(errors="replace"), expected.encode())


def _milliseconds(timestamp: str) -> int:
    """An ISO 8601 moment in UTC as milliseconds since 1970."""
    try:
        moment = datetime.fromisoformat(timestamp)
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        raise Complaint(50112, "Invalid OK-ACCESS-TIMESTAMP.", UNAUTHORIZED)
    return int(moment.timestamp() * 1000)
