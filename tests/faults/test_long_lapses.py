import time
from collections.abc import Callable
from typing import Any

from golive_dev.waiting import eventually

MAX_GAP_SECONDS = 10
"""The shortest that a request may ask for."""


def test_a_short_absence_of_all_operators_is_made_good(
    faulty: Any, watched: Any, ask: Callable[..., Any]
) -> None:
    """Shut by itself while nobody renewed; open again when somebody does, without anybody's help."""
    ask()
    watched.await_yes()
    faulty.operated.scale(0)
    watched.await_no()
    faulty.settle()
    watched.await_yes(60)
    assert watched.breaches() == []


def test_after_an_absence_longer_than_the_bound_nothing_opens_by_itself(
    faulty: Any, desk: Any, watched: Any, ask: Callable[..., Any]
) -> None:
    """The operators come back, find a gate that lapsed too long ago, and burn the revision."""
    revision = ask(max_gap_seconds=MAX_GAP_SECONDS).revision
    watched.await_yes()
    faulty.operated.scale(0)
    watched.await_no()
    lapsed = time.monotonic()
    eventually(lambda: time.monotonic() > lapsed + MAX_GAP_SECONDS, MAX_GAP_SECONDS + 5)
    back = time.time()
    faulty.settle()
    faulty.await_burned(desk, revision)
    assert faulty.stays_shut(desk)
    assert any(line.startswith("GateLapsed: ") for line in desk.events())
    assert [yes for yes in watched.prober.yeses if yes.ended > back] == []
    assert ask().revision > revision
    assert watched.breaches() == []
