"""Global Risk and the emergency stop's triggers: which readings, in which order, mean what."""

from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from golive_api.golive import RiskState
from golive_engine.risk import UNREAD, Assessment, Standing, Trigger, assess, worst

OK, WARNING, CRITICAL = RiskState.OK, RiskState.WARNING, RiskState.CRITICAL
CAPITAL, DAY, ROW = Trigger.CAPITAL_LOSS, Trigger.DAILY_DRAWDOWN, Trigger.CONSECUTIVE_LOSSES
LEVELS = list(RiskState)


def standing(equity: object, capital: int = 1000, peak: int = 1000, losses: int = 0) -> Standing:
    """An account that began the day at its peak."""
    return Standing(Decimal(str(equity)), Decimal(capital), Decimal(peak), Decimal(peak), losses)


def after(*readings: Standing | None) -> Assessment:
    """What several readings, oldest first, come to."""
    seen = None
    for reading in readings:
        seen = assess(seen, reading)
    assert seen is not None
    return seen


CALM, CRASH = standing(1000), standing(949)
ONE_READING: dict[str, tuple[Standing, RiskState]] = {
    "nothing lost": (CALM, OK),
    "a gain": (standing(1100), OK),
    "just under half of the daily drawdown": (standing("975.01"), OK),
    "half of the daily drawdown": (standing(975), WARNING),
    "exactly the daily drawdown": (standing(950), WARNING),
    "more than the daily drawdown": (standing("949.99"), CRITICAL),
    "a fall from the day's peak above its start": (standing(1000, peak=1053), CRITICAL),
    "half of the loss of capital": (standing(950, peak=950), WARNING),
    "exactly the loss of capital": (standing(900, peak=900), WARNING),
    "more than the loss of capital": (standing("899.99", peak=900), CRITICAL),
    "three losses in a row": (standing(1000, losses=3), OK),
    "four losses in a row": (standing(1000, losses=4), WARNING),
    "five losses in a row": (standing(1000, losses=5), WARNING),
    "six losses in a row": (standing(1000, losses=6), CRITICAL),
    "no capital at all": (standing(0, capital=0, peak=0), CRITICAL),
}


@pytest.mark.parametrize(("reading", "state"), ONE_READING.values(), ids=ONE_READING)
def test_the_first_reading_shows(reading: Standing, state: RiskState) -> None:
    """The level follows at once, with a reason whenever it is not OK."""
    seen = after(reading)
    assert seen.state == state
    assert bool(seen.reasons) == (state is not OK)


SEQUENCES: dict[str, tuple[tuple[Standing | None, ...], RiskState, set[Trigger]]] = {
    "one crash only suspends new risk": ((CALM, CRASH), CRITICAL, set()),
    "a second crash in a row stops": ((CALM, CRASH, CRASH), CRITICAL, {DAY}),
    "the first two readings of all can stop": ((CRASH, CRASH), CRITICAL, {DAY}),
    "a good reading in between starts over": ((CRASH, CALM, CRASH), CRITICAL, set()),
    "a missing reading in between does not": ((CRASH, None, CRASH), CRITICAL, {DAY}),
    "a reading that is no number does not either": ((CRASH, standing("NaN"), CRASH), CRITICAL, {DAY}),
    "endless equity is no number": ((CRASH, standing("Infinity")), CRITICAL, set()),
    "missing readings alone never stop": ((CRASH, None, None, None), CRITICAL, set()),
    "a missing reading keeps the level": ((standing(970), None), WARNING, set()),
    "a false alarm ends with the next good reading": ((CRASH, CALM), OK, set()),
    "two different measures don't confirm each other": (
        (standing(949), standing(899, peak=899)),
        CRITICAL,
        set(),
    ),
    "losses in a row need no second look": ((CALM, standing(1000, losses=6)), CRITICAL, {ROW}),
    "what stopped stays so when equity is back": ((CRASH, CRASH, CALM, CALM), CRITICAL, {DAY}),
    "what stopped stays so after a gain": ((standing(1000, losses=6), CALM), CRITICAL, {ROW}),
    "a crash of both measures stops for both": ((standing(1), standing(1)), CRITICAL, {CAPITAL, DAY}),
    "nothing was ever read": ((None, None), CRITICAL, set()),
    "a warning lasts until it is calm": ((standing(975), standing(979)), WARNING, set()),
    "a warning ends below two fifths": ((standing(975), standing("980.01")), OK, set()),
    "without a warning before there is none at 2.1 %": ((CALM, standing(979)), OK, set()),
    "a warning for capital ends below two fifths": (
        (standing(950, peak=950), standing("960.01", peak=960)),
        OK,
        set(),
    ),
    "and not sooner": ((standing(950, peak=950), standing(960, peak=960)), WARNING, set()),
}


@pytest.mark.parametrize(("readings", "state", "triggers"), SEQUENCES.values(), ids=SEQUENCES)
def test_over_several_readings(
    readings: tuple[Standing | None, ...], state: RiskState, triggers: set[Trigger]
) -> None:
    """Level and triggers after the last one."""
    seen = after(*readings)
    assert (seen.state, set(seen.triggers)) == (state, triggers)


def test_reasons_tell_figures_thresholds_and_how_sure_they_are() -> None:
    """A person reads what was measured, in the order of the thresholds."""
    once = after(standing(890, losses=4))
    assert once.reasons == (
        "capital_loss=11.00 of 10 (one reading)",
        "daily_drawdown=11.00 of 5 (one reading)",
        "consecutive_losses=4.00 of 5",
    )
    assert assess(once, standing(890)).reasons[0] == "capital_loss=11.00 of 10 (confirmed)"
    assert UNREAD.reasons == ("not read yet",)


def test_the_worst_of_several_accounts_counts() -> None:
    """No account at all is no risk."""
    assert worst([OK, CRITICAL, WARNING]) is CRITICAL
    assert worst([]) is OK


readings = st.builds(
    standing,
    st.integers(0, 1200),
    capital=st.sampled_from([0, 800, 1000]),
    peak=st.integers(0, 1200),
    losses=st.integers(0, 8),
)
histories = st.lists(st.none() | readings, max_size=6)


def level(seen: Assessment) -> int:
    """How bad it is."""
    return LEVELS.index(seen.state)


@given(histories, readings, st.integers(0, 300), st.integers(0, 3))
def test_more_loss_never_lowers_the_level(
    history: list[Standing | None], reading: Standing, loss: int, losses: int
) -> None:
    """Less equity or more losing trades are never better news, whatever was read before."""
    worse = replace(reading, equity=reading.equity - loss, losses_in_a_row=reading.losses_in_a_row + losses)
    before = after(None, *history)
    usual, bad = assess(before, reading), assess(before, worse)
    assert level(bad) >= level(usual)
    assert bad.triggers >= usual.triggers
    assert bad.warned >= usual.warned
    assert bad.beyond >= usual.beyond


@given(histories, st.integers(1, 5))
def test_missing_readings_change_nothing(history: list[Standing | None], missing: int) -> None:
    """Not the level, not what was suspected, not what was confirmed."""
    seen = after(None, *history)
    assert after(None, *history, *[None] * missing) == seen


@given(histories, histories)
def test_what_is_confirmed_stays_confirmed(
    history: list[Standing | None], later: list[Standing | None]
) -> None:
    """No reading ever takes a trigger back, nor the CRITICAL that comes with it."""
    seen = confirmed = after(None, *history)
    for reading in later:
        seen = assess(seen, reading)
    assert seen.triggers >= confirmed.triggers
    assert not confirmed.triggers or seen.state is CRITICAL


@given(histories)
def test_an_equity_trigger_needs_two_readings_beyond_its_threshold(history: list[Standing | None]) -> None:
    """Never one alone, whatever else was read."""
    beyond = [r for r in history if r is not None and assess(None, r).beyond & {CAPITAL, DAY}]
    assert len(beyond) > 1 or not after(None, *history).triggers & {CAPITAL, DAY}


@given(histories, readings)
def test_every_level_but_ok_has_its_reasons(history: list[Standing | None], reading: Standing) -> None:
    """Reasons are empty exactly when the level is OK."""
    seen = after(None, *history, reading)
    assert bool(seen.reasons) == (seen.state is not OK)
