"""What a journal keeps besides orders, on both databases: marks of equity, latches, changes of state."""

from collections.abc import Callable, Iterator
from decimal import Decimal

import pytest

from golive_engine.journal import Day, Journal, JournalError, StateChange, Stop, StressRun

D = Decimal


@pytest.fixture
def open_journal(journal_url: str) -> Iterator[Callable[[], Journal]]:
    """Give a function that opens the journal once more, as another pod would."""
    opened: list[Journal] = []

    def make() -> Journal:
        opened.append(Journal(journal_url))
        return opened[-1]

    yield make
    for journal in opened:
        journal.close()


@pytest.fixture
def journal(open_journal: Callable[[], Journal]) -> Journal:
    """An empty journal."""
    return open_journal()


def test_a_day_keeps_its_first_equity_and_its_highest(journal: Journal) -> None:
    """Falling equity moves neither."""
    for equity in (D(100), D(110), D(90)):
        day = journal.mark_equity("main", "2026-01-01", equity)
    assert day == Day(D(100), D(110))
    assert journal.mark_equity("main", "2026-01-02", D(90)) == Day(D(90), D(90))


def test_a_week_keeps_its_first_equity(journal: Journal) -> None:
    """Whatever comes after, and by account."""
    assert [journal.mark_week("main", "2026-W47", equity) for equity in (D(100), D(110), D(90))] == [D(100)] * 3
    assert journal.mark_week("main", "2026-W48", D(90)) == D(90)
    assert journal.mark_week("paper", "2026-W47", D(5)) == D(5)


def test_the_peak_is_the_highest_ever_until_a_release(journal: Journal) -> None:
    """Over days; another account's does not count."""
    for day, equity in (("2026-01-01", D(120)), ("2026-01-02", D(90))):
        journal.mark_equity("main", day, equity)
    assert journal.peak("main", D(90)) == D(120)
    assert journal.peak("main", D(1000)) == D(1000)
    assert journal.peak("paper", D(7)) == D(7)
    journal.latch_stop(Stop("main", "manual"), "drill", 1.0)
    journal.release_stops("alice", "found it", 2.0)
    assert journal.peak("main", D(90)) == D(90)


def test_a_locked_symbol_stays_locked_until_a_person_releases_it(
    journal: Journal, open_journal: Callable[[], Journal]
) -> None:
    """Over a restart; locking it again adds nothing, releasing one leaves the others."""
    for symbol in ("BTCUSDT", "BTCUSDT", "ETHUSDT"):
        journal.lock_symbol("main", symbol, {"orders": "9"}, 1.0)
    journal.lock_symbol("paper", "BTCUSDT", {}, 1.0)
    assert open_journal().locked_symbols("main") == {"BTCUSDT", "ETHUSDT"}
    assert journal.lock_releases("main") == {}
    assert journal.release_locks("main", "BTCUSDT", "alice", "bad feed", 2.0) == 1
    assert journal.locked_symbols("main") == {"ETHUSDT"}
    assert journal.release_locks("main", None, "alice", "bad feed", 3.0) == 1
    assert journal.release_locks("main", None, "alice", "bad feed", 4.0) == 0
    assert [journal.locked_symbols(name) for name in ("main", "paper")] == [set(), {"BTCUSDT"}]
    assert journal.lock_releases("main") == {"BTCUSDT": 2.0, "ETHUSDT": 3.0}
    journal.lock_symbol("main", "BTCUSDT", {}, 5.0)
    assert journal.locked_symbols("main") == {"BTCUSDT"}


def test_changes_of_state_and_stress_runs_are_rows(journal: Journal) -> None:
    """Changes by kind, oldest first; of each scenario the last run."""
    journal.add_state_change("breaker", "main/okx", "open", {"failures": "3"}, 1.0)
    journal.add_state_change("mode", "perps-engine", "live", {}, 2.0)
    breaker = StateChange(1.0, "breaker", "main/okx", "open", {"failures": "3"})
    assert journal.state_changes("breaker") == [breaker]
    assert journal.state_changes() == [breaker, StateChange(2.0, "mode", "perps-engine", "live", {})]
    assert journal.stress_runs() == []
    journal.add_stress_run("flash-crash", "passed", {"orders": "0"}, 1.5, 10.0)
    journal.add_stress_run("stale-data", "passed", {}, 0.5, 11.0)
    journal.add_stress_run("flash-crash", "failed", {}, 2.5, 12.0)
    assert journal.stress_runs() == [
        StressRun(12.0, "flash-crash", "failed", {}, 2.5),
        StressRun(11.0, "stale-data", "passed", {}, 0.5),
    ]


def test_a_journal_is_one_engines(journal_url: str) -> None:
    """Accounts of the same name would be taken for one; a person's tools ask for none."""
    for engine in ("perps", None, "perps"):
        Journal(journal_url, engine).close()
    with pytest.raises(JournalError, match=r"^the journal belongs to engine perps: give spot one of its own$"):
        Journal(journal_url, "spot")


def test_what_is_latched_stays_until_it_is_released(journal: Journal) -> None:
    """And losses are counted anew from there."""
    assert [journal.capital("main", equity) for equity in (D(100), D(50))] == [D(100), D(100)]
    journal.latch_stop(Stop("main", "manual"), "drill", 1.0)
    assert journal.active_stops() == [Stop("main", "manual")]
    assert journal.release_stops("alice", "found it", 2.0) == 1
    assert (journal.active_stops(), journal.last_release()) == ([], 2.0)
    assert journal.capital("main", D(50)) == D(50)


def test_every_other_row_is_taken(journal: Journal) -> None:
    """Denials are counted under their own number; a gate's serial may be large."""
    denied = {"account": "main", "venue": "okx", "symbol": "BTCUSDT", "side": "BUY", "purpose": "trade"}
    number = journal.add_denial({**denied, "quantity": "1", "reason": "GateClosed"}, {}, 1.0)
    journal.count_denial(number, 4, 2.0)
    change: dict[str, str | int] = {"state": "Open", "reason": "Open", "uid": "u", "epoch": 1, "serial": 2**40}
    journal.add_gate_change(change, 1.0)
    assert number == 1
