"""``python -m golive_engine stress``: run scenarios one after the other, and tell how they end."""

import asyncio
import logging
import signal
import sys
from collections.abc import Sequence
from contextlib import closing
from typing import Protocol

from golive_engine.clock import SystemClock
from golive_engine.journal import Journal, JournalError
from golive_engine.settings import Settings
from golive_engine.stress.catalogue import CATALOGUE
from golive_engine.stress.outcome import Outcome
from golive_engine.stress.scenario import Scenario, run
from golive_engine.stress.stage import Ground, ground_of
from golive_engine.stress.table import Table


class Teller(Protocol):
    """Whoever tells how it goes."""

    def begin(self, scenario: Scenario, number: int, total: int) -> None:
        """One begins."""

    def end(self, scenario: Scenario, outcome: Outcome) -> None:
        """It has ended."""

    def foot(self, outcomes: Sequence[Outcome]) -> None:
        """All have ended."""


class Lines:
    """Tells a program: a line of JSON for each scenario as it ends, and nothing else."""

    def begin(self, scenario: Scenario, number: int, total: int) -> None:
        """Say nothing."""

    def end(self, _scenario: Scenario, outcome: Outcome) -> None:
        """Say all there is to say."""
        sys.stdout.write(f"{outcome.model_dump_json()}\n")
        sys.stdout.flush()

    def foot(self, outcomes: Sequence[Outcome]) -> None:
        """Say nothing."""


def stress(settings: Settings | None, names: Sequence[str], *, as_json: bool, record: bool) -> int:
    """Run the named scenarios, or all of them.

    Args:
        settings: Whose limits and strategy to take; None is the ladder's first rung.
        names: Which scenarios; none stands for all.
        as_json: Whether a program reads.
        record: Whether to write each result into the journal of the settings.

    Returns:
        0 if all have passed, 1 if not or if a result could not be written down, 130 if interrupted.
    """
    logging.getLogger().addHandler(logging.NullHandler())  # alarms are part of the play
    ground = ground_of(settings)
    teller: Teller = Lines() if as_json else Table(sys.stdout, f"profile {ground.profile}")
    scenarios = [scenario for name, scenario in CATALOGUE.items() if name in names or not names]
    try:
        outcomes = asyncio.run(_run(scenarios, ground, teller, settings if record else None))
    except JournalError as error:
        sys.stderr.write(f"golive-engine: result not written down: {error}\n")
        return 1
    except (KeyboardInterrupt, asyncio.CancelledError):
        return 130
    return int(any(outcome.result != "passed" for outcome in outcomes))


async def _run(
    scenarios: Sequence[Scenario], ground: Ground, teller: Teller, keeper: Settings | None
) -> list[Outcome]:
    """Run scenarios; ends in order on SIGTERM, the simulator first. Raises JournalError."""
    task = asyncio.current_task()
    if task is not None:
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    clock, outcomes = SystemClock(), list[Outcome]()
    for number, scenario in enumerate(scenarios, 1):
        teller.begin(scenario, number, len(scenarios))
        outcome = await run(scenario, ground, clock)
        teller.end(scenario, outcome)
        outcomes.append(outcome)
        if keeper is not None:
            _write_down(outcome, keeper, clock.wall())
    teller.foot(outcomes)
    return outcomes


def _write_down(outcome: Outcome, settings: Settings, now: float) -> None:
    """Keep a result where /status finds it; raises JournalError."""
    with closing(Journal(settings.journal.url)) as journal:
        journal.add_stress_run(outcome.scenario, outcome.result, outcome.details(), outcome.seconds, now)
