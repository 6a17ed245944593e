"""How many orders an account sent lately: all of them in a minute, repeated ones in ten. Pure.

Both count what the journal holds, so that a restart does not begin anew.
"""

from collections import Counter
from collections.abc import Iterable, Mapping

from golive_engine.trading import Side

RATE_SECONDS = 60.0
"""Window in which orders of any kind are counted."""

REPEAT_SECONDS = 600.0
"""Window in which orders with new risk on one symbol and side are counted."""


def repeated(
    orders: Iterable[tuple[str, Side, float]], released: Mapping[str, float], most: int
) -> frozenset[str]:
    """Symbols on which one more order with new risk would be one too many.

    Such a symbol is denied like one that is locked, and that denial is what locks it until a person re-arms it.

    Args:
        orders: Symbol, side and time of those of the last ten minutes.
        released: When a person last re-armed a symbol; what was sent before does not count any more.
        most: Orders on one symbol and side.
    """
    counts = Counter((symbol, side) for symbol, side, time in orders if time > released.get(symbol, 0.0))
    return frozenset(symbol for (symbol, _), count in counts.items() if count >= most)
