"""Request parameters, read strictly: what the venue would call wrong is refused in its words."""

from __future__ import annotations

import json
import re
from decimal import Decimal
from enum import StrEnum
from typing import TypeVar
from urllib.parse import parse_qsl

from golive_simulator.dialect.bybit.complaints import Complaint, wrong

DECIMAL = re.compile(r"-?[0-9]{1,20}(\.[0-9]{1,20})?", re.ASCII)
"""How a decimal number may be written: no exponent."""

Choice = TypeVar("Choice", bound=StrEnum)


class Parameters:
    """The parameters of one request: a query, or a JSON object."""

    def __init__(self, query: str, body: str = "") -> None:
        self.values = dict(parse_qsl(query)) | _object(body)

    def text(self, name: str) -> str:
        """A parameter that must be there."""
        value = self.optional(name)
        if value is None:
            raise wrong(name)
        return value

    def optional(self, name: str) -> str | None:
        """A parameter that may be absent; an empty one counts as absent."""
        return self.values.get(name) or None

    def decimal(self, name: str) -> Decimal:
        """A mandatory decimal number."""
        return _decimal(name, self.text(name))

    def optional_decimal(self, name: str) -> Decimal:
        """A decimal number that is not negative, nought when absent."""
        value = self.optional(name)
        number = Decimal(0) if value is None else _decimal(name, value)
        if number < 0:
            raise wrong(name)
        return number

    def integer(self, name: str) -> int:
        """A mandatory whole number."""
        return _integer(name, self.text(name))

    def optional_integer(self, name: str, default: int) -> int:
        """A whole number, or ``default``."""
        value = self.optional(name)
        return default if value is None else _integer(name, value)

    def flag(self, name: str) -> bool:
        """A true/false parameter, false when absent."""
        value = self.optional(name) or "false"
        if value not in {"true", "false"}:
            raise wrong(name)
        return value == "true"

    def choice(self, name: str, kind: type[Choice], default: Choice | None = None) -> Choice:
        """One of an enumeration, or ``default`` when absent."""
        if default is not None and self.optional(name) is None:
            return default
        try:
            return kind(self.text(name))
        except ValueError:
            raise wrong(name) from None


def _object(body: str) -> dict[str, str]:
    """A JSON object with its values as texts, so that numbers and texts read alike."""
    if not body:
        return {}
    try:
        read = json.loads(body, parse_float=str, parse_int=str)
    except (json.JSONDecodeError, RecursionError):
        raise Complaint(10001, "Request parameter error: body is no JSON.") from None
    if not isinstance(read, dict):
        raise Complaint(10001, "Request parameter error: body is no JSON object.")
    return {name: _text(value) for name, value in read.items() if value is not None}


def _text(value: object) -> str:
    """A JSON value as a query would write it."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def _decimal(name: str, value: str) -> Decimal:
    """A number without exponent."""
    if not DECIMAL.fullmatch(value):
        raise wrong(name)
    return Decimal(value)


def _integer(name: str, value: str) -> int:
    """A whole number."""
    try:
        return int(value)
    except ValueError:
        raise wrong(name) from None
