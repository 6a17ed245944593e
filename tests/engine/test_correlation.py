"""Which symbols count as one, and the median that a market is compared with."""

import math
import random
import statistics
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from golive_engine.correlation import Correlations
from golive_engine.recent_prices import medians

RETURNS = 30
Closes = tuple[Decimal, ...]


def walk(returns: list[float]) -> Closes:
    """The closes that these returns make."""
    price, closes = 100.0, [Decimal(100)]
    for value in returns:
        price *= math.exp(value)
        closes.append(Decimal(f"{price:.8f}"))
    return tuple(closes)


def noise(seed: int, length: int = RETURNS) -> list[float]:
    """Returns that know nothing of each other."""
    source = random.Random(seed)  # noqa: S311  # a market, not a secret
    return [source.gauss(0, 0.001) for _ in range(length)]


MARKET = noise(1)
A = walk(MARKET)
ALONE = walk(noise(2))
FALLING = walk([-value for value in MARKET])
LATER = walk([0.0005, *MARKET[:-1]])
CLOSES = {"A": A, "B": walk([2 * value for value in MARKET]), "C": ALONE}


def groups(closes: dict[str, Closes], *clusters: tuple[str, ...]) -> dict[str, frozenset[str]]:
    """What moves together at a threshold of 0.8."""
    return dict(Correlations(clusters, 0.8, RETURNS).of(closes))


def test_symbols_whose_returns_go_together_count_as_one() -> None:
    """However far each of them moves; another one stays alone."""
    assert groups(CLOSES) == {"A": frozenset("B"), "B": frozenset("A"), "C": frozenset()}


TOGETHER = {
    "one falls whenever the other rises": FALLING,
    "one was read a minute later": LATER,
    "they are the same": A,
}


@pytest.mark.parametrize("other", TOGETHER.values(), ids=TOGETHER)
def test_two_symbols_count_as_one_where(other: Closes) -> None:
    """A risk held the other way doubles too, and reading around the end of a minute hides nothing."""
    assert groups({"A": A, "B": other}) == {"A": frozenset("B"), "B": frozenset("A")}
    assert groups({"B": other, "A": A}) == {"A": frozenset("B"), "B": frozenset("A")}


def test_clusters_count_as_one_whatever_their_returns_say() -> None:
    """What the settings name is added to what the returns show, to symbols that are not looked at, too."""
    found = groups(CLOSES, ("B", "C"), ("C", "D"))
    assert found == {"A": frozenset("B"), "B": frozenset("AC"), "C": frozenset("BD")}


UNCOMPARED = {
    "there are no closes": (),
    "there are too few": A[1:],
    "nothing has moved": (Decimal(100),) * (RETURNS + 1),
    "a close is zero": (*A[:-1], Decimal(0)),
    "a close is negative": (*A[:-1], Decimal(-1)),
    "a close is not a number": (*A[:-1], Decimal("NaN")),
    "a close is infinite": (*A[:-1], Decimal("Infinity")),
}


@pytest.mark.parametrize("closes", UNCOMPARED.values(), ids=UNCOMPARED)
def test_a_symbol_is_left_out_where(closes: Closes) -> None:
    """What can't be compared is not in the answer, and so counts with everything, cluster or not."""
    assert groups({"A": A, "B": closes, "C": ALONE}, ("A", "B")) == {"A": frozenset("B"), "C": frozenset()}


def test_only_the_latest_returns_are_compared() -> None:
    """What moved together an hour ago is over."""
    before = [10 * value for value in noise(3)]
    closes = {"A": walk([*before, *MARKET]), "C": walk([*before, *noise(2)])}
    assert groups(closes) == {"A": frozenset(), "C": frozenset()}


def test_a_new_minute_is_seen() -> None:
    """What was found is kept for the same closes only, however they are held."""
    correlations = Correlations((), 0.8, RETURNS)
    first = correlations.of(CLOSES)
    assert correlations.of({symbol: list(closes) for symbol, closes in CLOSES.items()}) is first
    assert correlations.of(CLOSES | {"C": A}) == groups(CLOSES | {"C": A})


@given(st.lists(st.integers(1, 50), min_size=2, max_size=6), st.floats(0.05, 1))
def test_pairs_agree_with_the_textbook(seeds: list[int], threshold: float) -> None:
    """Pearson's coefficient, read in both directions and up to a minute apart."""
    series = {f"S{place}": noise(seed) for place, seed in enumerate(seeds)}
    found = Correlations((), threshold, RETURNS).of({name: walk(values) for name, values in series.items()})
    for one, ones in series.items():
        for other in series.keys() - {one}:
            correlation = abs(statistics.correlation(ones, series[other]))
            if correlation > threshold + 1e-4:
                assert other in found[one]
            assert (other in found[one]) is (one in found[other])


PRICES = tuple(Decimal(price) for price in (1, 9, 2, 8, 3, 7, 4, 6, 5, 100))


def test_the_median_is_of_the_last_ten_closes() -> None:
    """One price that is far off does not move it; older ones don't count."""
    assert medians({"A": (Decimal(500), *PRICES)}) == {"A": Decimal("5.5")}


@pytest.mark.parametrize("last", ["0", "-1", "NaN", "Infinity", None])
def test_there_is_no_median_without_ten_prices(last: str | None) -> None:
    """Better none, which denies, than a wrong one."""
    assert medians({"A": PRICES[1:] if last is None else (*PRICES[1:], Decimal(last))}) == {}
