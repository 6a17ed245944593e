"""GoLive: the request that an engine may trade with real money, who agreed, and what came of it."""

from enum import StrEnum

from pydantic import Field, JsonValue

from golive_api.conditions import Condition
from golive_api.preflight_report import CheckResult
from golive_api.values import (
    MOST,
    Digest,
    Group,
    MeasuredValue,
    Name,
    ObjectName,
    Timestamp,
    UserName,
    WireModel,
)

PREFLIGHT_ANNOTATION = "golive.dev/preflight-requested"
"""A new value of this annotation has preflight run at once."""

NOTICE_ANNOTATION = "golive.dev/test-notice"
"""A new value of this annotation has a test notice sent."""

TEST_NOTICE_KEY = "notice/test"
"""Key of the entry in status.recorded.seen that remembers the value that was answered, by its hash."""

_ATOMIC: dict[str, JsonValue] = {"x-kubernetes-list-type": "atomic"}
"""A list that one writer writes whole: fields of single entries need no owner, and keep the object small."""


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
    """The six checks, the policy's own and the checklist: on a schedule, on demand, before every opening."""

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


class Observation(WireModel):
    """How closely an open gate is watched."""

    max_gap_seconds: int = Field(default=300, ge=10, le=3600)
    """A gate that lapsed for longer than this, because nobody renewed it, never opens by itself again."""


class Request(WireModel):
    """All that an approval is about: changing any of it voids the approvals."""

    engine_ref: EngineRef
    """The engine that may trade."""
    environment: Environment = Environment.PRODUCTION
    """An engine obeys only a gate for its own environment."""
    profile: Name | None = None
    """The CapitalProfile whose limits the gate hands to the engine; without one, the policy's default."""
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
    observation: Observation = Observation()
    """How closely an open gate is watched."""


class Verdict(StrEnum):
    """What a person says to a request."""

    APPROVED = "Approved"
    REJECTED = "Rejected"


class Approval(WireModel):
    """One person's word on exactly one revision and digest of exactly one object; one Rejected wins."""

    user: UserName
    """The approver; the API server accepts only the caller's own name."""
    revision: int = Field(ge=1)
    """The spec.revision that was read."""
    uid: str = Field(min_length=1, max_length=64)
    """metadata.uid of the object that was read, so that no namesake inherits the approval."""
    digest: Digest
    """The status.digest that was read: the gate closes when today's differs."""
    verdict: Verdict = Verdict.APPROVED
    """Approved, or Rejected, which shuts this revision for good."""
    groups: list[Group] = Field(default=[], max_length=8, json_schema_extra={"x-kubernetes-list-type": "set"})
    """Groups in which the approver speaks; the API server accepts only the caller's own."""
    comment: str = Field(default="", max_length=1024)
    """What the approver checked."""


class Attestation(WireModel):
    """A person's word for one item of the checklist."""

    item: Name
    """The item's id; docs/reference/checklist.md lists them all."""
    user: UserName
    """Who vouches; the API server accepts only the caller's own name."""
    uid: str = Field(min_length=1, max_length=64)
    """metadata.uid of the object, so that no namesake inherits it."""
    time: Timestamp
    """When; it lapses the policy's attestationTtlSeconds later, and does not count while in the future."""
    lapse_time: Timestamp | None = None
    """When it lapses, if earlier than that."""
    comment: str = Field(default="", max_length=1024)
    """What was looked at."""


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
    attestations: list[Attestation] = Field(
        default=[],
        max_length=64,
        json_schema_extra={"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["item"]},
    )
    """Items of the checklist that only a person can vouch for; add yours with `kubectl golive attest`."""


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
    """Counts the writes of this gate, renewals since then left out."""
    valid_until: Timestamp | None = None
    """Until when the gate was open when this was written; the gate itself says how far it has been renewed."""
    opened_time: Timestamp | None = None
    """When this revision's gate first opened."""
    opened_revision: int | None = Field(default=None, ge=1)
    """The revision that opened_time speaks of."""
    burned_revision: int = Field(default=0, ge=0)
    """This revision and every one before it can never open again."""


class PreflightCheck(WireModel):
    """One check's latest result."""

    name: str = Field(max_length=80)
    """Which check; webhook/<name> and query/<name> are the policies' own."""
    result: CheckResult
    """Passed, Failed, or Error where it could not be tried; only Passed is good."""
    reason: str = Field(max_length=64)
    """A reason code."""
    message: str = Field(default="", max_length=1024)
    """What was seen."""
    values: dict[str, MeasuredValue] = Field(default={}, max_length=32)
    """Measured values, units in their names."""
    checked_time: Timestamp | None = None
    """When it was last tried: its age counts from here; absent while it has not been tried."""


class ItemState(StrEnum):
    """How an item of the checklist stands."""

    PASSED = "Passed"
    """A machine checked it."""
    ATTESTED = "Attested"
    """A person vouches for it."""
    FAILED = "Failed"
    """A machine checked it, and something is wrong."""
    ERROR = "Error"
    """A machine could not check it."""
    MISSING = "Missing"
    """Nobody vouches for it."""
    LAPSED = "Lapsed"
    """Somebody's word for it has lapsed."""


class ChecklistItem(WireModel):
    """One item of the checklist, as it stands."""

    item: str = Field(max_length=63)
    """Its id."""
    state: ItemState
    """How it stands."""
    required: Requirement
    """Whether it holds the gate."""
    by: str = Field(default="", max_length=256)
    """Who vouches for it; empty where a machine checked it."""
    message: str = Field(default="", max_length=500)
    """What was seen or said."""


class PreflightStatus(WireModel):
    """What preflight found."""

    checks: list[PreflightCheck] = Field(
        default=[],
        max_length=64,
        json_schema_extra=_ATOMIC,
    )
    """Every check's latest result, in the order in which they run."""
    checklist: list[ChecklistItem] = Field(
        default=[],
        max_length=96,
        json_schema_extra=_ATOMIC,
    )
    """What has to hold before trading, what is required and what somebody vouches for, as it stands."""
    run_time: Timestamp | None = None
    """When the last run began."""
    request_seen: str = Field(default="", max_length=64)
    """Value of the annotation golive.dev/preflight-requested that the last run answered."""


class WindowStatus(WireModel):
    """Whether the policies' windows let the gate open now."""

    state: GateState
    """Open inside an Allow window and outside every Deny window, or without any; else Closed."""
    reason: str = Field(default="", max_length=256)
    """Which window says so."""
    next_open: Timestamp | None = None
    """When it may open next; absent while it may, or if never again."""
    next_close: Timestamp | None = None
    """When it will shut next; absent while it is shut, or if never."""


class RungTime(WireModel):
    """How long the gate has been open with one profile."""

    profile: Name
    """Which one."""
    open_seconds: int = Field(default=0, ge=0, le=MOST)
    """All finished openings together."""


class Seen(WireModel):
    """An entry of spec that has been recorded."""

    key: str = Field(max_length=512)
    """What it is."""
    hash: str = Field(max_length=64)
    """SHA-256 of its content."""
    sequence: int = Field(default=0, ge=0, le=MOST)
    """The record that speaks of it; 0 where only a notice does."""


class History(WireModel):
    """A summary of what has happened, and where the chain of records stands."""

    request_revision: int = Field(default=0, ge=0)
    """The revision that request_time speaks of."""
    request_time: Timestamp | None = None
    """When that revision was first seen."""
    activations: int = Field(default=0, ge=0, le=MOST)
    """How often the gate was opened, renewals not counted."""
    last_activated_time: Timestamp | None = None
    """When it was last opened."""
    last_activated_revision: int = Field(default=0, ge=0)
    """The revision that was opened then."""
    last_operators: list[UserName] = Field(default=[], max_length=17)
    """Who asked and who approved then, the requester first."""
    open_since: Timestamp | None = None
    """Since when it is open without a lapse; absent while it is not."""
    last_open_time: Timestamp | None = None
    """When it was last seen open by a decision that closed it, or that held it shut."""
    last_closed_time: Timestamp | None = None
    """When a decision last closed it."""
    last_closed_reason: str = Field(default="", max_length=64)
    """Why it did, as a reason code."""
    rungs: list[RungTime] = Field(
        default=[],
        max_length=32,
        json_schema_extra=_ATOMIC,
    )
    """Time open by profile."""


class Recorded(WireModel):
    """Where the chain of records stands."""

    sequence: int = Field(default=0, ge=0, le=MOST)
    """Of the last record."""
    hash: str = Field(default="0" * 64, max_length=64)
    """Of the last record."""
    anchor_sequence: int = Field(default=0, ge=0, le=MOST)
    """Of the last record that retention removed."""
    anchor_hash: str = Field(default="0" * 64, max_length=64)
    """Of the last record that retention removed."""
    seen: list[Seen] = Field(
        default=[],
        max_length=128,
        json_schema_extra=_ATOMIC,
    )
    """What has been recorded of spec and gate, so that each act is recorded once."""


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
    policies: list[ObjectName] = Field(default=[], max_length=32, json_schema_extra=_ATOMIC)
    """ActivationPolicies that bound this object."""
    profile: str | None = Field(default=None, max_length=63)
    """The CapitalProfile that is in force for it."""
    gate: GateStatus | None = None
    """The gate as last decided."""
    window: WindowStatus | None = None
    """Whether the policies' windows let the gate open now."""
    history: History | None = None
    """A summary of what has happened."""
    recorded: Recorded | None = None
    """Where the chain of records stands."""
    preflight: PreflightStatus | None = None
    """What preflight found."""
    engine: EngineStatus | None = None
    """The engine as last seen."""
