"""Field types of the wire format: names, decimal money, times, digests."""

import re
from datetime import UTC, datetime
from decimal import Decimal
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

DECIMAL_PATTERN = r"^[0-9]{1,18}(\.[0-9]{1,8})?$"
"""Plain, non-negative decimal notation; no sign, no exponent."""

MOST = 10**15
"""Larger counts are garbage; every JSON reader keeps this one exactly."""

Name = Annotated[str, Field(min_length=1, max_length=63, pattern=r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?$")]
"""An RFC 1123 label: usable as object name and as label value."""

DecimalString = Annotated[str, Field(min_length=1, max_length=27, pattern=DECIMAL_PATTERN)]
"""Money or percentage as text, so that no float ever rounds it."""

UserName = Annotated[str, Field(min_length=1, max_length=256)]
"""An authenticated user's name, as the API server knows it."""

Group = Annotated[str, Field(min_length=1, max_length=128)]
"""A group's name as the API server knows it."""

ObjectName = Annotated[str, Field(max_length=253)]
"""Name of a cluster-wide object: any RFC 1123 subdomain."""

MeasuredValue = Annotated[str, Field(max_length=512)]
"""What was measured, as text."""

Timestamp = Annotated[str, Field(max_length=40, json_schema_extra={"format": "date-time"})]
"""RFC 3339 in UTC with a trailing Z."""

Digest = Annotated[str, Field(max_length=200, pattern=r"^[0-9a-f]{64}\.[0-9a-f]{64}\.[0-9a-f]{64}$")]
"""SHA-256 of request, profile limits and engine, in this order, joined by dots."""

_TIMESTAMP = re.compile(r"^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d{1,9})?Z$")


class WireModel(BaseModel):
    """A part of an object on the wire: camelCase there, unknown fields refused, immutable here."""

    model_config = ConfigDict(
        alias_generator=to_camel,
        populate_by_name=True,
        extra="forbid",
        frozen=True,
        use_attribute_docstrings=True,
    )

    def wire(self) -> dict[str, object]:
        """The JSON form, without fields that are None."""
        return self.model_dump(mode="json", by_alias=True, exclude_none=True)


def render_time(moment: datetime) -> str:
    """RFC 3339 in UTC with microseconds, which a Lease insists on."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def parse_time(text: str) -> datetime:
    """Read RFC 3339 in UTC; anything else, also another zone, raises ValueError."""
    if not _TIMESTAMP.match(text):
        raise ValueError(f"not an RFC 3339 time in UTC: {text!r}")
    whole, _, fraction = text[:-1].partition(".")
    return datetime.fromisoformat(f"{whole}.{(fraction or '0')[:6]:0<6}+00:00")


def percent_of(percent: Decimal, amount: Decimal) -> Decimal:
    """That many percent of an amount."""
    return amount * percent / 100
