"""What a check makes of its answers: Passed is good; what could not be tried is an Error, never a pass."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from golive_api.golive import PreflightCheck
from golive_api.preflight_report import CheckResult
from golive_api.reasons import Reason

MOST_VALUES = 32
"""How many measured values a result shows."""

MOST_TEXT = 200
"""How much of one measured value is shown."""

MOST_MESSAGE = 1024
"""How much of a message is shown."""


class UnusableError(Exception):
    """An answer that says nothing: none at all, none in time, not 200, or not what was asked for."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """One check's outcome."""

    result: CheckResult
    reason: Reason
    message: str
    """One sentence."""
    values: Mapping[str, str] = field(default_factory=dict)
    """What was measured."""

    @property
    def passed(self) -> bool:
        """Whether it is good."""
        return self.result is CheckResult.PASSED

    def check(self, name: str, checked_time: str | None) -> PreflightCheck:
        """As status shows it."""
        cut = {key[:MOST_TEXT]: value[:MOST_TEXT] for key, value in list(self.values.items())[:MOST_VALUES]}
        return PreflightCheck(
            name=name,
            result=self.result,
            reason=self.reason.value,
            message=self.message[:MOST_MESSAGE],
            values=cut,
            checked_time=checked_time,
        )


def passed(message: str, values: Mapping[str, str] | None = None) -> Verdict:
    """It was tried, and all is well."""
    return Verdict(CheckResult.PASSED, Reason.PREFLIGHT_PASSED, message, values or {})


def failed(reason: Reason, message: str, values: Mapping[str, str] | None = None) -> Verdict:
    """It was tried, and something is wrong."""
    return Verdict(CheckResult.FAILED, reason, message, values or {})


def error(
    message: str, values: Mapping[str, str] | None = None, reason: Reason = Reason.CHECK_ERROR
) -> Verdict:
    """It could not be tried, or not in time."""
    return Verdict(CheckResult.ERROR, reason, message, values or {})
