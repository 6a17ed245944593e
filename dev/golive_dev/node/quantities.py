"""Kubernetes quantities: `100m`, `1.5Gi`, `1e3`."""

import re
from decimal import ROUND_CEILING, Decimal

_FACTORS = {
    "": Decimal(1),
    "n": Decimal("1e-9"),
    "u": Decimal("1e-6"),
    "m": Decimal("1e-3"),
    **{suffix: Decimal(1000) ** (power + 1) for power, suffix in enumerate("kMGTPE")},
    **{f"{suffix}i": Decimal(1024) ** (power + 1) for power, suffix in enumerate("KMGTPE")},
}

_QUANTITY = re.compile(r"([+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+))(?:([eE][+-]?[0-9]+)|([numkMGTPE]i?|Ki)?)")


def parse_quantity(text: str) -> Decimal:
    """The number that `text` stands for.

    Raises:
        ValueError: Not a quantity.
    """
    match = _QUANTITY.fullmatch(text)
    if not match or (match[3] or "") not in _FACTORS:
        raise ValueError(f"not a quantity: {text!r}")
    return Decimal(match[1] + (match[2] or "")) * _FACTORS[match[3] or ""]


def in_units_of(quantity: str, divisor: str) -> str:
    """`quantity` divided by `divisor`, rounded up, as the downward API writes resources."""
    unit = parse_quantity(divisor)
    parts = parse_quantity(quantity) / (unit or Decimal(1))
    return str(int(parts.to_integral_value(rounding=ROUND_CEILING)))
