from collections.abc import Callable
from typing import Any

import pytest

from golive_dev.waiting import eventually

HOUR = 3600.0


def test_operators_whose_clock_falls_back_write_leases_that_have_run_out(
    faulty: Any, desk: Any, watched: Any, ask: Callable[..., Any]
) -> None:
    """Every engine sees a gate that expired an hour ago. Set right again, so long a gap needs people."""
    opened = ask()
    watched.await_yes()
    faulty.set_clocks(-HOUR)
    watched.await_no()
    eventually(lambda: desk.gate().expires < opened.expires, 30)
    assert not watched.prober.trades
    faulty.set_clocks(0)
    faulty.await_burned(desk, opened.revision)
    assert faulty.stays_shut(desk)
    assert not watched.prober.trades
    assert watched.breaches(clocks_agree=False) == []


def test_operators_whose_clock_leaps_ahead_keep_nothing_open_beyond_the_bound(
    faulty: Any, desk: Any, watched: Any, ask: Callable[..., Any]
) -> None:
    """Whatever validUntil says, an engine counts the time to live by its own clock from receipt."""
    opened = ask()
    watched.await_yes()
    faulty.set_clocks(HOUR)
    eventually(lambda: desk.gate().state == "Closed" or desk.gate().expires > opened.expires, 30)
    with faulty.operated.frozen():
        watched.await_no()
    faulty.set_clocks(0)
    faulty.await_burned(desk, opened.revision)
    assert faulty.stays_shut(desk)
    assert watched.breaches(clocks_agree=False) == []


@pytest.mark.parametrize("hours", [1, -1])
def test_an_engine_whose_clock_jumps_trades_no_longer_than_the_time_to_live(
    faulty: Any, desk: Any, watched: Any, ask: Callable[..., Any], hours: int
) -> None:
    """Ahead: what it gets has run out. Back: its other clock counts, and does not go back."""
    ask()
    watched.await_yes()
    watched.prober.clock.offset = hours * HOUR
    if hours > 0:
        watched.await_no(1)
        eventually(lambda: desk.gate().serial > desk.shown_gate()["serial"])
        assert not watched.prober.trades
    else:
        watched.await_yes()
    with faulty.operated.frozen():
        watched.await_no()
        watched.prober.clock.offset = 0
        assert not watched.prober.trades
    watched.await_yes()
    assert watched.breaches() == []
