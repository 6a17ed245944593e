"""Who sent a request, and whether it is fresh: API key, HMAC signature, timestamp."""

from __future__ import annotations

import hashlib
import hmac
from typing import TYPE_CHECKING

from golive_simulator.dialect.bybit.complaints import Complaint

if TYPE_CHECKING:
    from golive_simulator.accounts import Account
    from golive_simulator.dialect.seam import Asked
    from golive_simulator.exchange import Exchange

DEFAULT_WINDOW_MS = 5_000
"""How old a request may be when it does not say."""

LEAD_MS = 1_000
"""How far a request's clock may be ahead."""


def signature_of(secret: str, payload: str) -> str:
    """HMAC-SHA256, in hex."""
    return hmac.new(secret.encode(), payload.encode(), hashlib.sha256).hexdigest()


def identify(exchange: Exchange, asked: Asked) -> Account:
    """The account that signed a fresh request.

    Raises:
        Complaint: when the key is not of this environment, or signature or time are wrong.
    """
    account = exchange.accounts.get(asked.headers.get("X-BAPI-API-KEY", ""))
    if account is None:
        raise Complaint(10003, "API key is invalid.")
    sent = asked.headers.get("X-BAPI-TIMESTAMP", "")
    window = asked.headers.get("X-BAPI-RECV-WINDOW", "")
    _refuse_stale(sent, window, asked.now_ms)
    payload = f"{sent}{account.api_key}{window}{asked.body if asked.method == 'POST' else asked.query}"
    given = asked.headers.get("X-BAPI-SIGN", "")
    if not hmac.compare_digest(given.encode(), signature_of(account.secret, payload).encode()):
        raise Complaint(10004, f"error sign! origin_string[{payload}]")
    return account


def _refuse_stale(sent: str, window: str, now_ms: int) -> None:
    """Refuse a request from another time."""
    window_ms = int(window) if window.isdecimal() else DEFAULT_WINDOW_MS
    if not sent.isdecimal() or not now_ms - window_ms <= int(sent) < now_ms + LEAD_MS:
        raise Complaint(
            10002,
            "invalid request, please check your server timestamp or recv_window param. "
            f"req_timestamp[{sent}],server_timestamp[{now_ms}],recv_window[{window_ms}]",
        )
