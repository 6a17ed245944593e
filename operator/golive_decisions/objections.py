"""What a check raises, and what it is about."""

from dataclasses import dataclass

from golive_api.conditions import ConditionType
from golive_api.reasons import Reason
from golive_decisions.ways_back import burns


@dataclass(frozen=True, slots=True)
class Objection:
    """One reason why the gate must be closed."""

    reason: Reason
    message: str
    """One sentence with values, and what to do about it."""
    about: ConditionType
    """The condition that it makes False."""
    optional: bool = False
    """Shown, but does not hold the gate: the request says Optional."""

    @property
    def burns(self) -> bool:
        """Whether this revision can never open again."""
        return burns(self.reason)
