"""Circuit breakers: when a venue is left alone, for how long, and who may try whether it is back."""

from collections.abc import Awaitable, Callable
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from golive_api.engine_report import Breaker
from golive_engine.breaker import GAUGE, CircuitBreaker, GuardedVenue
from golive_engine.clock import FakeClock
from golive_engine.settings import BreakerSettings
from golive_engine.trading import (
    Execution,
    Intent,
    OrderKind,
    OutcomeUnknownError,
    Permit,
    RefusedError,
    Side,
    UnavailableError,
    Venue,
    VenueName,
    WithheldError,
)

CLOSED, HALF_OPEN, OPEN = Breaker.CLOSED, Breaker.HALF_OPEN, Breaker.OPEN
SETTINGS = BreakerSettings(failures=3, open_seconds=30, most_open_seconds=100)


def opened(now: float = 0.0) -> CircuitBreaker:
    """A breaker that has just opened."""
    breaker = CircuitBreaker(SETTINGS)
    for _ in range(3):
        breaker.failed(now)
    return breaker


def test_it_opens_after_failures_in_a_row() -> None:
    """Two are not enough, and an answer in between starts the count over."""
    breaker = CircuitBreaker(SETTINGS)
    for _ in range(5):
        breaker.failed(0)
        breaker.failed(0)
        assert breaker.state(0) is CLOSED
        assert breaker.allows(0)
        breaker.succeeded()
    for _ in range(3):
        breaker.failed(0)
    assert breaker.state(0) is OPEN
    assert not breaker.allows(29.9)


def test_half_open_lets_exactly_one_request_try() -> None:
    """The first one after the wait; all others are still turned away."""
    breaker = opened()
    assert breaker.state(30) is HALF_OPEN
    assert [breaker.allows(30) for _ in range(3)] == [True, False, False]
    assert breaker.state(31) is HALF_OPEN


def test_a_trial_that_succeeds_closes_it() -> None:
    """And the next failures are counted, and waited for, from the beginning."""
    breaker = opened()
    assert breaker.allows(30)
    breaker.failed(30)
    assert breaker.allows(90)
    breaker.succeeded()
    assert breaker.state(90) is CLOSED
    assert all(breaker.allows(90) for _ in range(3))
    for _ in range(3):
        breaker.failed(100)
    assert breaker.state(129) is OPEN
    assert breaker.state(130) is HALF_OPEN


def test_waits_double_with_each_trial_that_fails_up_to_the_most() -> None:
    """30, 60, then 100 for ever."""
    breaker, now, waits = opened(), 0.0, []
    for _ in range(5):
        began = now
        while not breaker.allows(now):
            now += 1
        waits.append(now - began)
        breaker.failed(now)
    assert waits == [30, 60, 100, 100, 100]


def test_a_trial_without_an_end_is_followed_by_another_after_the_wait() -> None:
    """A task that was cancelled in the middle blocks nobody for ever."""
    breaker = opened()
    assert breaker.allows(30)
    assert not breaker.allows(59)
    assert breaker.allows(60)


def test_a_late_answer_does_not_close_what_is_open() -> None:
    """It belongs to a request from before the failures."""
    breaker = opened()
    breaker.succeeded()
    assert breaker.state(1) is OPEN


def test_retry_after_opens_at_once_and_is_waited_for() -> None:
    """One answer of too many requests is enough; the wait is the venue's own."""
    breaker = CircuitBreaker(SETTINGS)
    breaker.failed(0, 5)
    assert breaker.state(4.9) is OPEN
    assert breaker.state(5) is HALF_OPEN


def trying() -> CircuitBreaker:
    """A breaker whose trial is under way at 30 seconds."""
    breaker = opened()
    assert breaker.allows(30)
    return breaker


RETRY_AFTER: dict[str, Callable[[], CircuitBreaker]] = {
    "while it counts": lambda: CircuitBreaker(SETTINGS),
    "while it is open": opened,
    "of a trial": trying,
}


@pytest.mark.parametrize("make", RETRY_AFTER.values(), ids=RETRY_AFTER)
def test_retry_after_is_respected(make: Callable[[], CircuitBreaker]) -> None:
    """However long, beyond the longest wait of our own too."""
    breaker = make()
    breaker.failed(30, 5_000)
    assert not breaker.allows(5_029)
    assert breaker.allows(5_030)


steps = st.lists(
    st.tuples(st.sampled_from(["ask", "answer", "fail", "wait"]), st.floats(0, 200) | st.none()), max_size=40
)


@given(steps)
def test_no_request_ever_leaves_before_its_time(history: list[tuple[str, float | None]]) -> None:
    """Not within a Retry-After, and after the first failures never two at once in one wait."""
    breaker, now, not_before = CircuitBreaker(SETTINGS), 0.0, 0.0
    for what, figure in history:
        if what == "wait":
            now += figure or 0
        elif what == "fail":
            breaker.failed(now, figure)
            not_before = max(not_before, now + (figure or 0)) if breaker.state(now) is not CLOSED else 0
        elif what == "answer" and breaker.state(now) is not OPEN:
            breaker.succeeded()
        elif what == "ask" and breaker.allows(now):
            assert now >= not_before or breaker.state(now) is CLOSED
            assert breaker.state(now) is CLOSED or not breaker.allows(now)


def test_the_gauge_shows_closed_as_zero() -> None:
    """As dashboards of the field expect it."""
    assert GAUGE == {CLOSED: 0.0, HALF_OPEN: 0.5, OPEN: 1.0}


class OneAnswer:
    """A venue of which every request ends the same way."""

    name: VenueName = "binanceusdm"

    def __init__(self) -> None:
        self.requests = 0
        self.outcome: object = None
        self.closed = False

    async def close(self) -> None:
        """Note it."""
        self.closed = True

    def __getattr__(self, _name: str) -> Callable[..., Awaitable[Any]]:
        async def answer(*_positional: object, **_named: object) -> Any:
            self.requests += 1
            if isinstance(self.outcome, Exception):
                raise self.outcome
            return self.outcome

        return answer


def guarded() -> tuple[GuardedVenue, OneAnswer, FakeClock, list[bool]]:
    """A guarded venue, what is inside, its clock, and the results that were told."""
    venue, clock, results = OneAnswer(), FakeClock(), list[bool]()
    inner: Venue = venue  # type: ignore[assignment]  # every method at once
    return GuardedVenue(inner, CircuitBreaker(SETTINGS), clock, results.append), venue, clock, results


INTENT = Intent("BTCUSDT", Side.BUY, Decimal(1))
NO_PERMIT: Permit = lambda: None  # noqa: E731  # a constant answer
SYMBOLS = frozenset({"BTCUSDT"})
REQUESTS: dict[str, Callable[[Venue], Awaitable[object]]] = {
    "instruments": lambda v: v.instruments(),
    "quotes": lambda v: v.quotes(SYMBOLS),
    "closes": lambda v: v.closes("BTCUSDT", 20),
    "depth": lambda v: v.depth("BTCUSDT", Decimal(1)),
    "server_time": lambda v: v.server_time(),
    "snapshot": lambda v: v.snapshot(),
    "rights": lambda v: v.rights(),
    "set_leverage": lambda v: v.set_leverage("BTCUSDT", 1),
    "send": lambda v: v.send(INTENT, "gl1", NO_PERMIT),
    "ask": lambda v: v.ask("BTCUSDT", "gl1", OrderKind.MARKET),
    "trades": lambda v: v.trades("BTCUSDT", 0.0),
    "open_orders": lambda v: v.open_orders(),
    "cancel": lambda v: v.cancel("BTCUSDT", "gl1", OrderKind.MARKET),
    "cancel_all": lambda v: v.cancel_all("BTCUSDT", conditional=True),
    "cancel_unless_renewed": lambda v: v.cancel_unless_renewed(60, SYMBOLS),
}


def test_every_request_of_a_venue_is_in_the_table() -> None:
    """A method that is added to the protocol is guarded, too."""
    methods = {name for name, what in vars(Venue).items() if callable(what) and not name.startswith("_")}
    assert REQUESTS.keys() == methods - {"close"}


@pytest.mark.parametrize("request_", REQUESTS.values(), ids=REQUESTS)
async def test_nothing_leaves_through_an_open_breaker_by(
    request_: Callable[[Venue], Awaitable[object]],
) -> None:
    """Three failures by this very method open it; then it fails at once, and works again after a trial."""
    venue, inside, clock, _ = guarded()
    inside.outcome = UnavailableError("down")
    for _ in range(3):
        with pytest.raises(UnavailableError, match="down"):
            await request_(venue)
    assert venue.state is OPEN
    with pytest.raises((UnavailableError, RefusedError), match="circuit open"):
        await request_(venue)
    assert inside.requests == 3
    clock.advance(30)
    inside.outcome = answer = object()
    assert await request_(venue) in (answer, None)
    assert (venue.state, inside.requests) == (CLOSED, 4)


async def test_an_order_that_is_turned_away_was_never_sent() -> None:
    """There is certainly no such order, so nobody has to ask for it."""
    venue, inside, _, _ = guarded()
    inside.outcome = UnavailableError("down")
    for _ in range(3):
        with pytest.raises(UnavailableError):
            await venue.snapshot()
    with pytest.raises(RefusedError, match="never sent: circuit open") as refusal:
        await venue.send(INTENT, "gl1", NO_PERMIT)
    assert refusal.value.is_outage
    assert inside.requests == 3


FAILURES: dict[str, Exception] = {
    "an outage": UnavailableError("down"),
    "an unknown outcome": OutcomeUnknownError("504"),
    "an order that could not be sent": RefusedError("never sent", is_outage=True),
}
ANSWERS: dict[str, Exception] = {
    "a refusal": RefusedError("insufficient margin"),
    "a request of ours that is wrong": UnavailableError("no such symbol", is_outage=False),
}
NO_EVIDENCE: dict[str, Exception] = {
    "a permit that was refused": WithheldError("GateClosed"),  # type: ignore[arg-type]  # any reason
    "a fault of our own": ValueError("a bug"),
}


async def _three_times(error: Exception, before: int = 0) -> tuple[GuardedVenue, list[bool]]:
    """A venue that has ended some requests in an outage, and then three like this."""
    venue, inside, _, results = guarded()
    for outcome in [UnavailableError("down")] * before + [error] * 3:
        inside.outcome = outcome
        with pytest.raises(type(outcome)):
            await venue.send(INTENT, "gl1", NO_PERMIT)
    return venue, results


@pytest.mark.parametrize("error", FAILURES.values(), ids=FAILURES)
async def test_the_breaker_counts(error: Exception) -> None:
    """Three of them open it."""
    venue, results = await _three_times(error)
    assert (venue.state, results) == (OPEN, [False, False, False])


@pytest.mark.parametrize("error", ANSWERS.values(), ids=ANSWERS)
async def test_the_breaker_takes_for_an_answer(error: Exception) -> None:
    """It ends a row of failures."""
    venue, results = await _three_times(error, before=2)
    assert (venue.state, results) == (CLOSED, [False, False, True, True, True])
    venue, results = await _three_times(error)
    assert results == [True, True, True]


@pytest.mark.parametrize("error", NO_EVIDENCE.values(), ids=NO_EVIDENCE)
async def test_the_breaker_learns_nothing_from(error: Exception) -> None:
    """Neither a failure nor an answer: the row of two goes on."""
    venue, results = await _three_times(error, before=2)
    assert (venue.state, results) == (CLOSED, [False, False])


async def test_retry_after_of_a_refusal_is_respected() -> None:
    """Too many requests: one answer opens it for as long as the venue says."""
    venue, inside, clock, _ = guarded()
    inside.outcome = RefusedError("too many requests", is_outage=True, retry_after=7)
    with pytest.raises(RefusedError, match="too many"):
        await venue.send(INTENT, "gl1", NO_PERMIT)
    clock.advance(6.9)
    assert venue.state is OPEN
    clock.advance(0.2)
    assert venue.state is HALF_OPEN


async def test_the_way_through_and_the_way_out_are_always_open() -> None:
    """The kill protocol asks the venue itself, and connections can always be closed."""
    venue, inside, _, _ = guarded()
    inside.outcome = UnavailableError("down")
    for _ in range(3):
        with pytest.raises(UnavailableError):
            await venue.snapshot()
    inside.outcome = list[Execution]()
    assert await venue.inner.open_orders() == []
    await venue.close()
    assert inside.closed
