"""Which symbols move together: by clusters of the settings, and by their one-minute returns. Pure."""

import math
from collections.abc import Collection, Mapping, Sequence
from decimal import Decimal
from itertools import combinations, pairwise
from operator import mul

Vector = tuple[float, ...]
"""Returns about their mean, of length one, so that the product of two is their correlation."""

_LEAST_SPREAD = 1e-12
"""A sum of squared returns below this is rounding error: the price stood still."""


class Correlations:
    """Groups of symbols, computed anew only when a minute has passed: 200 symbols have 20,000 pairs.

    Args:
        clusters: Symbols that count as one, whatever their returns say.
        threshold: Absolute correlation from which on two symbols count as one. A symbol that falls whenever
            another rises doubles a risk too, held the other way.
        returns: How many returns are compared.
    """

    def __init__(self, clusters: Collection[Collection[str]], threshold: float, returns: int) -> None:
        self._clusters = tuple(frozenset(cluster) for cluster in clusters)
        self._threshold = threshold
        self._returns = returns
        self._closes: dict[str, tuple[Decimal, ...]] = {}
        self._found: dict[str, frozenset[str]] = {}

    def of(self, closes: Mapping[str, Sequence[Decimal]]) -> Mapping[str, frozenset[str]]:
        """By symbol, every other one that moves with it.

        A symbol that can't be compared is left out, which means that it moves with all of them.
        """
        past = {symbol: tuple(prices) for symbol, prices in closes.items()}
        if past != self._closes:
            self._closes, self._found = past, self._compare(past)
        return self._found

    def _compare(self, closes: Mapping[str, tuple[Decimal, ...]]) -> dict[str, frozenset[str]]:
        """Compare each pair once."""
        vectors = {symbol: vector for symbol, past in closes.items() if (vector := self._vector(past))}
        together: dict[str, set[str]] = {symbol: set() for symbol in vectors}
        for (one, ones), (other, others) in combinations(vectors.items(), 2):
            if self._move_together(ones, others):
                together[one].add(other)
                together[other].add(one)
        for cluster in self._clusters:
            for symbol in cluster & together.keys():
                together[symbol] |= cluster - {symbol}
        return {symbol: frozenset(others) for symbol, others in together.items()}

    def _move_together(self, ones: Vector, others: Vector) -> bool:
        """Whether they do in the same minutes, or shifted by one: closes may be read around its end."""
        shifts = ((ones, others), (ones[1:], others), (ones, others[1:]))
        return any(abs(sum(map(mul, *pair))) >= self._threshold for pair in shifts)

    def _vector(self, closes: tuple[Decimal, ...]) -> Vector | None:
        """A symbol's returns, None if there are too few, or a close is no price, or nothing has moved."""
        prices = [float(close) for close in closes[-self._returns - 1 :]]
        if len(prices) <= self._returns or not all(0 < price < math.inf for price in prices):
            return None
        returns = [math.log(after / before) for before, after in pairwise(prices)]
        mean = sum(returns) / len(returns)
        spread = sum((value - mean) ** 2 for value in returns)
        if spread < _LEAST_SPREAD:
            return None
        return tuple((value - mean) / math.sqrt(spread) for value in returns)
