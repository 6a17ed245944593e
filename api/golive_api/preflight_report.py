"""What an engine answers on POST /preflight: findings that need its credentials."""

from enum import StrEnum
from typing import Literal

from pydantic import Field

from golive_api.values import Timestamp, WireModel

PREFLIGHT = "/preflight"
"""POST with the operator's bearer token; answers an EnginePreflight as JSON."""

AUDIENCE = "golive.dev/engine"
"""Audience of that token: the API server takes it from nobody, so an engine can't use it elsewhere."""

VERB = "preflight"
"""The caller must be allowed this verb on golives.golive.dev in the engine's namespace."""

EXCHANGE_FINDINGS = ("time", "clock-skew", "credentials", "permissions", "markets", "balance")
"""What is tried of each account on each of its venues; findings are called account/venue/<one of these>."""

DATABASE_FINDINGS = ("write", "read-back", "migrations")
"""What is tried of the journal."""

CACHE_FINDINGS = ("write", "read-back")
"""What is tried of the cache."""

STRESS_SCENARIOS = (
    "flash-crash",
    "volatility-spike",
    "exchange-outage",
    "liquidity-drought",
    "correlation-break",
    "stale-data",
    "rejected-stops",
)
"""Scenarios that every engine must have registered, and passed lately."""


class CheckResult(StrEnum):
    """Outcome of a check; only Passed is good."""

    PASSED = "Passed"
    FAILED = "Failed"
    """It was tried, and something is wrong."""
    ERROR = "Error"
    """It could not be tried, or not in time."""


class Finding(WireModel):
    """One thing that was tried."""

    name: str = Field(min_length=1, max_length=200)
    """What."""
    result: CheckResult
    """Passed, Failed or Error."""
    message: str = Field(default="", max_length=500)
    """What was seen; no secrets."""
    values: dict[str, str] = Field(default={}, max_length=16)
    """Measured values with units in their names, as clockSkewSeconds."""


class EnginePreflight(WireModel):
    """Every finding of one run."""

    version: Literal["v1alpha1"]
    """Version of this report."""
    engine: str = Field(max_length=63)
    """The Deployment that this engine says it is."""
    pod: str = Field(max_length=253)
    """The pod that answers."""
    time: Timestamp
    """When the run began, by the engine's clock."""
    exchange: list[Finding] = Field(max_length=1024)
    """Accounts and venues."""
    database: list[Finding] = Field(max_length=16)
    """The journal."""
    cache: list[Finding] = Field(max_length=16)
    """The cache."""
    stress: list[Finding] = Field(max_length=32)
    """Each registered scenario, by name: Passed only if its last run passed, recently."""
    checklist: list[Finding] = Field(default=[], max_length=64)
    """Items of the checklist that only the engine can check, by their ids."""
