"""Request parameters, read strictly: what the venue would call missing or malformed is refused in its words."""

from __future__ import annotations

import re
from decimal import Decimal
from enum import StrEnum
from typing import TypeVar
from urllib.parse import parse_qsl

from golive_simulator.dialect.binance.complaints import Complaint, missing

DECIMAL = re.compile(r"^([0-9]{1,20})(\.[0-9]{1,20})?$", re.ASCII)
"""How a decimal number may be written: no sign, no exponent."""

Choice = TypeVar("Choice", bound=StrEnum)


class Parameters:
    """The parameters of one request, query and body together."""

    def __init__(self, query: str, body: str = "") -> None:
        pairs = parse_qsl(query, keep_blank_values=True) + parse_qsl(body, keep_blank_values=True)
        self.values = dict(pairs)
        self._has_duplicates = len(pairs) != len(self.values)

    def refuse_duplicates(self) -> None:
        """Refuse a request that names a parameter twice: nobody could say which one was meant."""
        if self._has_duplicates:
            raise Complaint(-1101, "Duplicate values for a parameter detected.")

    def text(self, name: str) -> str:
        """A parameter that must be there."""
        value = self.values.get(name)
        if not value:
            raise missing(name)
        return value

    def optional(self, name: str) -> str | None:
        """A parameter that may be absent; an empty one counts as absent."""
        return self.values.get(name) or None

    def decimal(self, name: str) -> Decimal:
        """A mandatory decimal number."""
        return _decimal(name, self.text(name))

    def optional_decimal(self, name: str) -> Decimal:
        """A decimal number, nought when absent."""
        value = self.optional(name)
        return Decimal(0) if value is None else _decimal(name, value)

    def integer(self, name: str) -> int:
        """A mandatory whole number."""
        return _integer(name, self.text(name))

    def optional_integer(self, name: str) -> int | None:
        """A whole number, or nothing."""
        value = self.optional(name)
        return None if value is None else _integer(name, value)

    def flag(self, name: str) -> bool:
        """A true/false parameter, false when absent."""
        value = (self.optional(name) or "false").lower()
        if value not in {"true", "false"}:
            raise Complaint(-1130, f"Data sent for parameter '{name}' is not valid.")
        return value == "true"

    def choice(self, name: str, kind: type[Choice], code: int, message: str) -> Choice:
        """One of an enumeration, else the complaint given."""
        try:
            return kind(self.text(name))
        except ValueError:
            raise Complaint(code, message) from None

    def optional_choice(self, name: str, default: Choice, code: int, message: str) -> Choice:
        """One of an enumeration, or ``default`` when absent."""
        return self.choice(name, type(default), code, message) if self.optional(name) else default


def _decimal(name: str, value: str) -> Decimal:
    """A number without sign or exponent."""
    if not DECIMAL.fullmatch(value):
        sentence = f"Illegal characters found in parameter '{name}'; legal range is '{DECIMAL.pattern}'."
        raise Complaint(-1100, sentence)
    return Decimal(value)


def _integer(name: str, value: str) -> int:
    """A whole number."""
    try:
        return int(value)
    except ValueError:
        raise missing(name) from None
