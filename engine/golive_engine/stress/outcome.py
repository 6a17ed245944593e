"""How a run of a scenario ended, as a line of JSON and as a row of the journal. Pure."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from golive_engine.stress.names import SCENARIOS

Result = Literal["passed", "failed", "error"]
"""Every outcome as promised; one that was not; or nobody knows."""


class _Record(BaseModel):
    """Immutable, unknown fields refused."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)


class Finding(_Record):
    """One thing that a scenario has looked at."""

    promise: str
    """What should be, in a sentence."""
    seen: str
    """What was."""


class Outcome(_Record):
    """How one run ended."""

    scenario: Literal[SCENARIOS]  # type: ignore[valid-type]  # one of the names
    """Which one."""
    result: Result
    """How it ended."""
    seconds: float = Field(ge=0, allow_inf_nan=False)
    """How long it took."""
    reason: str = ""
    """Why it has not passed; empty if it has."""
    findings: tuple[Finding, ...] = ()
    """What was looked at, in order; of a failed run the last one is what failed."""

    def details(self) -> dict[str, str]:
        """What the journal keeps besides."""
        found = {finding.promise: finding.seen for finding in self.findings}
        return found | ({"reason": self.reason} if self.reason else {})
