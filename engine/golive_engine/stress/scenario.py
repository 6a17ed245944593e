"""What a scenario is, how it is run, and how it ends."""

import asyncio
import tempfile
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

from golive_engine.clock import Clock
from golive_engine.stress.outcome import Finding, Outcome, Result
from golive_engine.stress.shadow import Shadow, UnmetError, shadow_on
from golive_engine.stress.stage import Ground, Stage, StagingError

LIMIT_SECONDS = 90.0
"""How long one scenario may take on a busy machine."""


@dataclass(frozen=True, slots=True)
class Scenario:
    """One event, and what has to come of it."""

    name: str
    """What it is called, in metrics too."""
    description: str
    """What happens, in a sentence."""
    source: str
    """The event or the rule that it is taken from."""
    play: Callable[[Shadow], Awaitable[None]]
    """Let it happen to a shadow; raises UnmetError for the first outcome that is not as promised."""
    stage: Stage
    """What it starts from."""


async def run(scenario: Scenario, ground: Ground, clock: Clock) -> Outcome:
    """Play a scenario to a new shadow; whatever goes wrong is its result."""
    began = clock.monotonic()
    findings: list[Finding] = []
    result, reason = await _played(scenario, ground, findings)
    return Outcome(
        scenario=scenario.name,
        result=result,
        seconds=round(clock.monotonic() - began, 3),
        reason=reason,
        findings=tuple(findings),
    )


async def _played(scenario: Scenario, ground: Ground, findings: list[Finding]) -> tuple[Result, str]:
    """Result and reason."""
    try:
        with tempfile.TemporaryDirectory(prefix="golive-stress-") as folder:
            async with (
                asyncio.timeout(LIMIT_SECONDS),
                shadow_on(scenario.stage, ground, Path(folder), findings) as shadow,
            ):
                await scenario.play(shadow)
    except UnmetError as error:
        return "failed", str(error)
    except StagingError as error:
        return "error", str(error)
    except TimeoutError as error:
        return "error", str(error) or f"not done within {LIMIT_SECONDS:g} s"
    except Exception as error:  # noqa: BLE001  # a scenario that can't be played has not passed, whatever it is
        return "error", f"{type(error).__name__}: {error}"
    return "passed", ""
