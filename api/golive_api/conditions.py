"""Standard Kubernetes conditions."""

from enum import StrEnum

from pydantic import Field

from golive_api.values import Timestamp, WireModel


class ConditionType(StrEnum):
    """What a condition speaks of, in the order in which status lists them."""

    READY = "Ready"
    ADMISSION_GUARDED = "AdmissionGuarded"
    WINDOW_OPEN = "WindowOpen"
    APPROVED = "Approved"
    PREFLIGHT_PASSED = "PreflightPassed"
    SAFETY_CLEAR = "SafetyClear"
    ENGINE_OBEYING = "EngineObeying"
    RECONCILING = "Reconciling"
    STALLED = "Stalled"


class Condition(WireModel):
    """One observation about the object; not a step of a state machine."""

    type: str = Field(
        max_length=316,
        pattern=r"^([a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*/)?(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])$",
    )
    """What is observed."""
    status: str = Field(json_schema_extra={"enum": ["True", "False", "Unknown"]})
    """True, False or Unknown."""
    observed_generation: int = Field(default=0, ge=0)
    """The generation that this observation describes."""
    last_transition_time: Timestamp
    """When status last changed."""
    reason: str = Field(min_length=1, max_length=1024, pattern=r"^[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?$")
    """A reason code; docs/reference/reasons.md explains each."""
    message: str = Field(max_length=32768)
    """One sentence for a person, with values."""


def carry_times(old: list[Condition], new: list[Condition]) -> list[Condition]:
    """Keep lastTransitionTime of each condition whose status has not changed."""
    before = {condition.type: condition for condition in old}
    return [
        condition.model_copy(update={"last_transition_time": before[condition.type].last_transition_time})
        if condition.type in before and before[condition.type].status == condition.status
        else condition
        for condition in new
    ]
