"""EmergencyStop: its existence stops every engine it selects, until a person releases it with a root cause."""

from pydantic import Field

from golive_api.values import Name, UserName, WireModel


class Release(WireModel):
    """A verified person's word that the cause is found and gone."""

    user: UserName
    """Who releases; the API server accepts only the caller's own name, and only with the verb release."""
    root_cause: str = Field(min_length=10, max_length=4096)
    """What happened, and what was done about it."""


class EmergencyStopSpec(WireModel):
    """Which engines stop, and why. Immutable, but for the release that is added once."""

    engines: list[Name] = Field(default=[], max_length=64, json_schema_extra={"x-kubernetes-list-type": "set"})
    """Deployments of this namespace; empty means every engine of it."""
    reason: str = Field(min_length=1, max_length=1024)
    """Why trading has to stop."""
    release: Release | None = None
    """Lifts the stop. Nothing else does; a released stop may be deleted."""


def selects(spec: EmergencyStopSpec, engine: str) -> bool:
    """Whether the stop, released or not, is about this engine."""
    return not spec.engines or engine in spec.engines
