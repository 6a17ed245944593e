"""Request parameters, read strictly: what the venue would call empty or wrong is refused in its words."""

from __future__ import annotations

import json
import re
from decimal import Decimal
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import parse_qsl

from golive_simulator.dialect.okx.complaints import BAD_REQUEST, Complaint, empty, wrong

if TYPE_CHECKING:
    from collections.abc import Mapping

    from golive_simulator.dialect.seam import Asked

DECIMAL = re.compile(r"[0-9]{1,20}(\.[0-9]{1,20})?", re.ASCII)
"""How a number may be written: no sign, no exponent."""

CLIENT_ID = re.compile(r"[A-Za-z0-9]{1,32}", re.ASCII)
"""What a client's own name for an order may look like."""

Value = TypeVar("Value")


class Parameters:
    """The parameters of one request, or of one row of a batch. Numbers and texts are the same to the venue."""

    def __init__(self, values: Mapping[str, Any]) -> None:
        self.values = values

    def optional(self, name: str) -> str:
        """A parameter that may be absent, which is as good as empty."""
        value = self.values.get(name)
        if isinstance(value, bool):
            return str(value).lower()
        return "" if value is None else str(value)

    def text(self, name: str) -> str:
        """A parameter that must be there."""
        value = self.optional(name)
        if not value:
            raise empty(name)
        return value

    def decimal(self, name: str) -> Decimal:
        """A mandatory number."""
        value = self.text(name)
        if not DECIMAL.fullmatch(value):
            raise wrong(name)
        return Decimal(value)

    def optional_decimal(self, name: str) -> Decimal:
        """A number, nought when absent."""
        return self.decimal(name) if self.optional(name) else Decimal(0)

    def integer(self, name: str) -> int:
        """A mandatory whole number."""
        value = self.decimal(name)
        if value != int(value):
            raise wrong(name)
        return int(value)

    def optional_integer(self, name: str, default: int) -> int:
        """A whole number, or ``default`` when absent."""
        return self.integer(name) if self.optional(name) else default

    def flag(self, name: str) -> bool:
        """A true/false parameter, false when absent."""
        value = self.optional(name) or "false"
        if value not in {"true", "false"}:
            raise wrong(name)
        return value == "true"

    def choice(self, name: str, choices: Mapping[str, Value], default: str = "") -> Value:
        """What a word of a list stands for."""
        value = (self.optional(name) or default) if default else self.text(name)
        if value not in choices:
            raise wrong(name)
        return choices[value]

    def client_id(self, name: str) -> str:
        """The client's own name for an order, if it gives one."""
        value = self.optional(name)
        if value and not CLIENT_ID.fullmatch(value):
            raise wrong(name)
        return value

    def rows(self, name: str) -> list[Parameters]:
        """Objects inside this one."""
        rows = self.values.get(name) or []
        if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
            raise wrong(name)
        return [Parameters(row) for row in rows]


def read(asked: Asked) -> list[Parameters]:
    """Parameters of a request: those of its query, or of each object in its body.

    Raises:
        Complaint: when the body is no JSON, or no object or list of objects.
    """
    if asked.method == "GET":
        return [Parameters(dict(parse_qsl(asked.query, keep_blank_values=True)))]
    if not asked.body:
        raise Complaint(50000, "Body for POST request cannot be empty.", BAD_REQUEST)
    try:
        said = json.loads(asked.body)
    except (ValueError, RecursionError):
        raise Complaint(50002, "JSON syntax error", BAD_REQUEST) from None
    rows = said if isinstance(said, list) else [said]
    if not rows or not all(isinstance(row, dict) for row in rows):
        raise Complaint(50002, "JSON syntax error", BAD_REQUEST)
    return [Parameters(row) for row in rows]
