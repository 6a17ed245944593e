"""What an engine writes on its Lease: which gate it obeys.

The Lease makes its holder the one pod that trades; its annotations are the acknowledgement.
"""

from pydantic import Field

from golive_api.values import MOST, Timestamp, WireModel, parse_time

ANNOTATION_PREFIX = "golive.dev/"
"""Prefix of the acknowledgement's annotations."""

LEASE_PREFIX = "golive-engine-"
"""An engine's Lease is named golive-engine-<name of its Deployment>."""


class Acknowledgement(WireModel):
    """The gate as the engine obeys it now; renewed at each change of state and with each Lease renewal."""

    state: str = Field(max_length=16)
    """Open, ReduceOnly or Closed, as obeyed: an expired or missing gate is Closed."""
    reason: str = Field(max_length=64)
    """The engine's own reason code."""
    uid: str = Field(default="", max_length=64)
    """uid in the gate record, empty while there is none."""
    epoch: int = Field(default=0, ge=0, le=MOST)
    """Epoch of the gate record, 0 while there is none."""
    serial: int = Field(default=0, ge=0, le=MOST)
    """Serial of the gate record, 0 while there is none."""
    acknowledged_time: Timestamp
    """When the engine began to obey this state, by its own clock."""

    def annotations(self) -> dict[str, str]:
        """As annotations of the Lease."""
        return {f"{ANNOTATION_PREFIX}{key}": str(value) for key, value in self.wire().items()}


def read_acknowledgement(annotations: dict[str, str]) -> Acknowledgement | None:
    """The acknowledgement on a Lease, or None where there is none or it can't be read."""
    fields = {
        key.removeprefix(ANNOTATION_PREFIX): value
        for key, value in annotations.items()
        if key.startswith(ANNOTATION_PREFIX)
    }
    try:
        said = Acknowledgement.model_validate(fields, by_alias=True, by_name=False)
        parse_time(said.acknowledged_time)
    except ValueError:
        return None
    return said


def lease_name(engine: str) -> str:
    """Name of an engine's Lease."""
    return f"{LEASE_PREFIX}{engine}"
