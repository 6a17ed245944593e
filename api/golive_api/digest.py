"""Digests of what an approval is bound to."""

import hashlib
import json
from typing import Any


def canonical(value: Any) -> str:
    """JSON with sorted keys and no spaces, so that equal values have equal text."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True)


def sha256(value: Any) -> str:
    """Hex SHA-256 of a value's canonical JSON."""
    return hashlib.sha256(canonical(value).encode()).hexdigest()


def combined(request: Any, limits: Any, engine: Any) -> str:
    """The digest that an approver sees: request, profile limits and engine, joined by dots."""
    return ".".join(sha256(part) for part in (request, limits, engine))


def differing_parts(approved: str, current: str) -> tuple[str, ...]:
    """Names of the parts in which two combined digests differ, of request, profile, engine."""
    pairs = zip(("request", "profile", "engine"), approved.split("."), current.split("."), strict=True)
    return tuple(name for name, left, right in pairs if left != right)
