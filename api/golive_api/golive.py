"""GoLive: the request that an engine may trade with real money, who agreed, and what came of it."""

from enum import StrEnum

from pydantic import Field

from golive_api.conditions import Condition
from golive_api.values import Digest, Name, Timestamp, UserName, WireModel


class Activation(StrEnum):
    """Whether the requester wants the gate open at all."""

    ENABLED = "Enabled"
    DISABLED = "Disabled"


class Environment(StrEnum):
    """Which installation of the engine is meant."""

    PRODUCTION = "production"
    STAGING = "staging"


class Requirement(StrEnum):
    """Whether a check holds the gate."""

    REQUIRED = "Required"
    OPTIONAL = "Optional"


class RiskState(StrEnum):
    """Global Risk, from harmless to harmful."""

    OK = "OK"
    WARNING = "WARNING"
    CRITICAL = "CRITICAL"


class AcceptedRisk(StrEnum):
    """The worst Global Risk at which the gate may be open; CRITICAL is never accepted."""

    OK = "OK"
    WARNING = "WARNING"


class EmergencyStopRequirement(StrEnum):
    """What the emergency stop must be; there is no value that ignores it."""

    INACTIVE = "Inactive"


class EngineRef(WireModel):
    """A Deployment in the same namespace."""

    name: Name
    """Name of the engine's Deployment."""


class Preflight(WireModel):
    """Health, metrics and report of the engine, asked again before every renewal of the gate."""

    requirement: Requirement = Requirement.REQUIRED
    """Required keeps the gate closed while a preflight check fails; Optional only shows the result."""
    max_age_seconds: int = Field(default=300, ge=10, le=3600)
    """A result older than this counts as failed."""


class Safety(WireModel):
    """What the engine must report of itself."""

    risk_state: AcceptedRisk = AcceptedRisk.OK
    """The worst Global Risk at which the gate may be open."""
    emergency_stop: EmergencyStopRequirement = EmergencyStopRequirement.INACTIVE
    """The emergency stop must be inactive."""
    testnet_history: Requirement = Requirement.REQUIRED
    """Whether trades on testnet must come first."""
    min_testnet_trades: int = Field(default=3, ge=0, le=100_000)
    """Filled testnet orders that the engine's journal must hold."""


class GateOptions(WireModel):
    """How the gate expires."""

    ttl_seconds: int = Field(default=15, ge=5, le=60)
    """The gate shuts by itself this long after the facts were last read; it is renewed every third of it."""


class Request(WireModel):
    """All that an approval is about: changing any of it voids the approvals."""

    engine_ref: EngineRef
    """The engine that may trade."""
    environment: Environment = Environment.PRODUCTION
    """An engine obeys only a gate for its own environment."""
    profile: Name = "micro"
    """The CapitalProfile whose limits the gate hands to the engine."""
    accounts: list[Name] = Field(
        min_length=1, max_length=16, json_schema_extra={"x-kubernetes-list-type": "set"}
    )
    """The production accounts that may trade; no other does."""
    preflight: Preflight = Preflight()
    """Checks before and while the gate is open."""
    safety: Safety = Safety()
    """What the engine must report of itself."""
    gate: GateOptions = GateOptions()
    """How the gate expires."""


class Approval(WireModel):
    """One person's consent to exactly one revision and digest of exactly one object."""

    user: UserName
    """The approver; the API server accepts only the caller's own name."""
    revision: int = Field(ge=1)
    """The spec.revision that was read."""
    uid: str = Field(min_length=1, max_length=64)
    """metadata.uid of the object that was read, so that no namesake inherits the approval."""
    digest: Digest
    """The status.digest that was read: the gate closes when today's differs."""
    comment: str = Field(default="", max_length=1024)
    """What the approver checked."""


class GoLiveSpec(WireModel):
    """What is asked for, by whom, and who agreed."""

    activation: Activation = Activation.DISABLED
    """Disabled closes the gate at once, for anyone who may edit; enabling again needs new approvals."""
    request: Request
    """All that an approval is about."""
    revision: int = Field(default=1, ge=1)
    """Grows by one exactly when request changes or activation goes from Disabled to Enabled."""
    requested_by: UserName
    """Who wrote this request; the API server accepts only the caller's own name."""
    approvals: list[Approval] = Field(
        default=[],
        max_length=16,
        json_schema_extra={"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["user"]},
    )
    """Who agreed; add yours with `kubectl golive approve`."""


class GateState(StrEnum):
    """What the engine may do."""

    OPEN = "Open"
    REDUCE_ONLY = "ReduceOnly"
    CLOSED = "Closed"


class GateStatus(WireModel):
    """The gate as the operator last decided it."""

    state: GateState
    """Open, ReduceOnly or Closed."""
    reason: str = Field(max_length=64)
    """Why, as a reason code."""
    epoch: int = Field(ge=0)
    """Leader generation; the API server refuses a lower one."""
    serial: int = Field(ge=0)
    """Counts the writes of this gate."""
    valid_until: Timestamp | None = None
    """When an open gate shuts by itself unless it is renewed."""
    opened_time: Timestamp | None = None
    """When this revision's gate first opened."""
    opened_revision: int | None = Field(default=None, ge=1)
    """The revision that opened_time speaks of."""
    burned_revision: int = Field(default=0, ge=0)
    """This revision and every one before it can never open again."""


class CheckResult(StrEnum):
    """Outcome of a preflight check."""

    PASSED = "Passed"
    FAILED = "Failed"


class PreflightCheck(WireModel):
    """One check's latest result."""

    name: str = Field(max_length=64)
    """Which check."""
    result: CheckResult
    """Passed or Failed."""
    reason: str = Field(max_length=64)
    """A reason code."""
    message: str = Field(default="", max_length=1024)
    """What was seen."""
    checked_time: Timestamp
    """When the result was last different, or first seen; the age that counts is the reading's own."""


class PreflightStatus(WireModel):
    """What preflight found."""

    checks: list[PreflightCheck] = Field(
        default=[],
        max_length=32,
        json_schema_extra={"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["name"]},
    )
    """Every check's latest result, in the order in which they run."""


class EngineStatus(WireModel):
    """The engine as the operator last saw it."""

    pod: str | None = Field(default=None, max_length=253)
    """The pod that holds the engine's Lease, the only one that trades."""
    state_seen: str | None = Field(default=None, max_length=16)
    """The gate state that the engine last acknowledged."""
    epoch_seen: int | None = None
    """The epoch that it last acknowledged."""
    serial_seen: int | None = None
    """The serial of the last change of state that it acknowledged."""
    acknowledged_time: Timestamp | None = None
    """When it acknowledged, by its own clock."""
    testnet_trades: int | None = Field(default=None, ge=0)
    """Filled testnet orders in its journal."""


class GoLiveStatus(WireModel):
    """What the operator observed and decided; nobody else may write it."""

    conditions: list[Condition] = Field(
        default=[],
        max_length=16,
        json_schema_extra={"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["type"]},
    )
    """Ready is the summary; the others say what it consists of."""
    observed_generation: int = Field(default=0, ge=0)
    """The generation that status describes."""
    digest: Digest | None = None
    """What an approval given now would be bound to."""
    approval_summary: str | None = Field(default=None, max_length=16)
    """Valid approvals of needed ones, as 1/2."""
    gate: GateStatus | None = None
    """The gate as last decided."""
    preflight: PreflightStatus | None = None
    """What preflight found."""
    engine: EngineStatus | None = None
    """The engine as last seen."""
