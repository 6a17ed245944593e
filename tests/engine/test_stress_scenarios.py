"""Each scenario fails once the guard that it examines is taken out; all of them pass on the engine as it is."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from golive_engine import checks, protection, riskgate
from golive_engine.breaker import CircuitBreaker
from golive_engine.clock import SystemClock
from golive_engine.safety import Safety
from golive_engine.seat import Seat
from golive_engine.stress.catalogue import CATALOGUE
from golive_engine.stress.names import SCENARIOS
from golive_engine.stress.scenario import run
from golive_engine.stress.shadow import shadow_on
from golive_engine.stress.stage import Stage, ground_of

TakeOut = Callable[[pytest.MonkeyPatch], None]
"""Takes a guard out of the engine."""


def check(taken_out: riskgate.Check) -> TakeOut:
    """One check of the RiskGate."""

    def take_out(patch: pytest.MonkeyPatch) -> None:
        chain = riskgate._NEW_RISK  # noqa: SLF001  # taken out where it stands
        assert taken_out in chain
        patch.setattr(riskgate, "_NEW_RISK", tuple(each for each in chain if each is not taken_out))

    return take_out


def exit_of_unprotected_positions(patch: pytest.MonkeyPatch) -> None:
    """Let a position be whose stop loss was refused."""
    plan = protection.plan

    def without(holding: Any, resting: Any, refused: Any = frozenset()) -> Any:
        return () if refused else plan(holding, resting, refused)

    patch.setattr(protection, "plan", without)


def latch(patch: pytest.MonkeyPatch) -> None:
    """Let no emergency stop begin."""

    async def nothing(*_: object) -> None:
        """Do nothing."""

    patch.setattr(Safety, "latch", nothing)


def breaker(patch: pytest.MonkeyPatch) -> None:
    """Never leave a venue alone."""
    patch.setattr(CircuitBreaker, "failed", lambda *_: None)


def other_seats(patch: pytest.MonkeyPatch) -> None:
    """Forget what is held elsewhere."""
    patch.setattr(Seat, "exposures", lambda seat, _: seat.desk.exposures())


GUARDS: dict[str, tuple[str, TakeOut, str]] = {
    "the emergency stop": ("flash-crash", check(checks.emergency_stop_is_active), "it holds when prices are"),
    "its latch": ("flash-crash", latch, "the second one latches the emergency stop"),
    "the collar over a period": ("volatility-spike", check(checks.market_moved_too_far), "a new one is denied"),
    "the circuit breaker": ("exchange-outage", breaker, "circuit breaker is open"),
    "counting other venues": ("exchange-outage", other_seats, "what is left behind counts"),
    "the look into the book": ("liquidity-drought", check(checks.liquidity_is_too_thin), "a new one is denied"),
    "correlation": (
        "correlation-break",
        check(checks.correlated_exposure_grows_too_large),
        "a new one is denied",
    ),
    "the age of prices": ("stale-data", check(checks.price_is_stale), "a new one is denied"),
    "the exit at market": (
        "rejected-stops",
        exit_of_unprotected_positions,
        "a position that can't be protected is left at once",
    ),
    "the lock": ("rejected-stops", check(checks.symbol_is_locked), "whoever tries again and again is locked"),
}


@pytest.mark.parametrize(("name", "take_out", "promise"), GUARDS.values(), ids=GUARDS)
async def test_a_scenario_fails_without(
    name: str, take_out: TakeOut, promise: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the guard taken out, the scenario says which promise was broken."""
    take_out(monkeypatch)
    outcome = await run(CATALOGUE[name], ground_of(None), SystemClock())
    assert (outcome.result, promise in outcome.reason) == ("failed", True), outcome.reason
    assert promise in outcome.findings[-1].promise


async def test_where_nothing_is_ever_opened_nothing_has_been_examined() -> None:
    """Settings by which the engine can't trade at all make an error, and no pass."""
    too_much = replace(ground_of(None), leverage=5)
    outcome = await run(CATALOGUE["stale-data"], too_much, SystemClock())
    assert outcome.result == "error"
    assert outcome.reason.startswith("no position even in a calm market (BTCUSDT: LeverageExceeded")


async def test_a_position_without_a_stop_loss_is_found_on_the_venue_itself(tmp_path: Path) -> None:
    """What the shadow believes does not count."""
    async with shadow_on(Stage(), ground_of(None), tmp_path, []) as shadow:
        await shadow.begin()
        assert await shadow.naked() == []
        for order in shadow.seat("binanceusdm").desk.resting("ETHUSDT"):
            await shadow.seat("binanceusdm").venue.cancel("ETHUSDT", order.client_order_id, order.kind)
        assert await shadow.naked() == ["ETHUSDT on binanceusdm"]


def test_seven_scenarios_are_registered_each_with_where_it_comes_from() -> None:
    """The catalogue is what the engine reports."""
    assert tuple(CATALOGUE) == SCENARIOS
    assert len(SCENARIOS) == 7
    assert all(scenario.source and scenario.description.endswith(".") for scenario in CATALOGUE.values())
