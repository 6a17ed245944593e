"""What a market's recent prices say: the median that the collar over a period compares with. Pure."""

import statistics
from collections.abc import Mapping, Sequence
from decimal import Decimal

from golive_engine.trading import ZERO

MINUTES = 10
"""Closes of one minute each that the median is taken of."""


def medians(closes: Mapping[str, Sequence[Decimal]]) -> dict[str, Decimal]:
    """Median of the last ten closes by symbol; a symbol with fewer, or with one that is no price, has none."""
    recent = {symbol: past[-MINUTES:] for symbol, past in closes.items()}
    return {symbol: statistics.median(past) for symbol, past in recent.items() if _are_prices(past)}


def _are_prices(past: Sequence[Decimal]) -> bool:
    """Whether there are enough, and each is a price."""
    return len(past) == MINUTES and all(close.is_finite() and close > ZERO for close in past)
