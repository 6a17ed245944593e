"""ActivationPolicy: what an administrator bounds, and no request can lower."""

from enum import StrEnum
from typing import Annotated

from pydantic import Field, JsonValue

from golive_api.golive import AcceptedRisk, Requirement
from golive_api.values import DecimalString, Group, Name, WireModel

_SET: dict[str, JsonValue] = {"x-kubernetes-list-type": "set"}
_BY_NAME: dict[str, JsonValue] = {"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["name"]}


class Effect(StrEnum):
    """What a window does to openings inside it."""

    ALLOW = "Allow"
    DENY = "Deny"


class Window(WireModel):
    """A span of time, once or again and again; Deny wins over Allow, and closing is never bound to any."""

    name: Name
    """What people call it."""
    effect: Effect = Effect.ALLOW
    """Allow opens inside it, Deny closes inside it."""
    start: str = Field(pattern=r"^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}$", max_length=19)
    """First start, in local time of the zone, as 2026-01-05T09:00:00."""
    duration_seconds: int = Field(ge=60, le=31_622_400)
    """How long each one lasts, in elapsed seconds."""
    time_zone: str = Field(default="UTC", min_length=1, max_length=64, pattern=r"^[A-Za-z0-9_+/-]+$")
    """IANA name of the time zone, as Europe/Berlin."""
    recurrence: str = Field(
        default="", max_length=512, pattern=r"^([A-Z]+=[A-Z0-9,:+-]+(;[A-Z]+=[A-Z0-9,:+-]+)*)?$"
    )
    """RFC 5545 recurrence rule, as FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR; empty means once."""


class ApprovalTerms(WireModel):
    """Who has to agree."""

    minimum: int = Field(default=1, ge=1, le=8)
    """Different people besides the requester who must approve."""
    required_groups: list[Group] = Field(default=[], max_length=4, json_schema_extra=_SET)
    """Groups of which at least one approver each must be a member."""
    pending_ttl_seconds: int = Field(default=86_400, ge=60, le=2_592_000)
    """A revision that has not been open for this long expires, and its approvals with it."""


class ProfileTerms(WireModel):
    """Which rungs may be asked for."""

    allowed: list[Name] = Field(default=["micro"], min_length=1, max_length=16, json_schema_extra=_SET)
    """CapitalProfiles that a request may name."""
    default: Name = "micro"
    """The one that a request gets that names none."""


class Rung(WireModel):
    """One step of the promotion ladder."""

    profile: Name
    """The profile that may be asked for."""
    after: Name
    """The profile whose gate must have been open before."""
    minimum_open_seconds: int = Field(ge=0, le=31_622_400)
    """For how long, all openings of this GoLive together."""


class PreflightTerms(WireModel):
    """How fresh and how complete preflight must be."""

    requirement: Requirement = Requirement.REQUIRED
    """Required overrules a request that says Optional."""
    max_age_seconds: int = Field(default=300, ge=10, le=3600)
    """No request may accept older results."""


class SafetyTerms(WireModel):
    """What the engine must report, at least."""

    risk_state: AcceptedRisk = AcceptedRisk.WARNING
    """The worst Global Risk that a request may accept."""
    min_testnet_trades: int = Field(default=3, ge=0, le=100_000)
    """Testnet orders that must have filled, whatever a request says; 0 leaves it to the request."""


class GateTerms(WireModel):
    """How gates expire."""

    min_ttl_seconds: int = Field(default=5, ge=5, le=60)
    """A request's shorter time to live is raised to this."""
    max_ttl_seconds: int = Field(default=60, ge=5, le=60)
    """A request's longer time to live is cut to this; wins over the minimum."""
    max_gap_seconds: int = Field(default=300, ge=10, le=3600)
    """A gate that lapsed for longer than this never opens by itself again, whatever a request says."""


class ChecklistTerms(WireModel):
    """Which items of the checklist hold the gate."""

    required: list[Name] = Field(default=[], max_length=64, json_schema_extra=_SET)
    """Items that must be checked or attested; docs/reference/checklist.md lists them all."""
    attestation_ttl_seconds: int = Field(default=604_800, ge=60, le=31_622_400)
    """An attestation lapses after this time, or earlier if it says so itself."""


class Webhook(WireModel):
    """An HTTPS address that has to answer with a certain value."""

    name: Name
    """What people call it; the check is called webhook/<name>."""
    url: str = Field(max_length=1024, pattern=r"^https://[^\s@]+$")
    """Where to ask, by GET; credentials belong into the Secret."""
    secret_name: Name | None = None
    """Secret in the operator's namespace whose key `token` is sent as bearer token."""
    ca_bundle: str = Field(default="", max_length=65_536)
    """PEM certificates to trust instead of the system's."""
    json_pointer: str = Field(default="/ok", max_length=256, pattern=r"^(/[^/\s]*)+$")
    """RFC 6901 pointer to the value in the JSON answer."""
    expected: str = Field(default="true", max_length=256)
    """The value as JSON text: true, "green", 3."""
    time_limit_seconds: int = Field(default=3, ge=1, le=10)
    """No answer by then is an Error."""


class Comparison(StrEnum):
    """How a query's value and the threshold must relate."""

    LESS = "Less"
    AT_MOST = "AtMost"
    AT_LEAST = "AtLeast"
    GREATER = "Greater"


class Query(WireModel):
    """A Prometheus query whose every value has to meet a threshold."""

    name: Name
    """What people call it; the check is called query/<name>."""
    query: str = Field(min_length=1, max_length=2048)
    """PromQL, an instant vector or scalar; $namespace, $engine and $pod are replaced."""
    comparison: Comparison
    """How each value must relate to the threshold."""
    threshold: DecimalString
    """What it is compared with."""
    max_age_seconds: int = Field(default=60, ge=1, le=3600)
    """Older samples count as missing."""


class Observability(WireModel):
    """Where observation can be seen to work."""

    prometheus_url: str = Field(default="", max_length=1024, pattern=r"^(https?://[^\s@]+)?$")
    """Prometheus; empty means that the operator scrapes the engine itself and no query can be asked."""
    grafana_url: str = Field(default="", max_length=1024, pattern=r"^(https?://[^\s@]+)?$")
    """Grafana, for the dashboard's item of the checklist."""
    dashboard_uid: str = Field(default="golive", max_length=64)
    """The dashboard that Grafana must have."""
    alert_rules: list[Annotated[str, Field(min_length=1, max_length=128)]] = Field(
        default=[], max_length=32, json_schema_extra=_SET
    )
    """Alert rules that Prometheus must have loaded."""


class ActivationPolicySpec(WireModel):
    """Bounds of some namespaces' GoLives; where several policies apply, the strictest value of each wins."""

    namespaces: list[Name] = Field(default=[], max_length=128, json_schema_extra=_SET)
    """Where it applies; empty means everywhere."""
    approvals: ApprovalTerms = ApprovalTerms()
    """Who has to agree."""
    profiles: ProfileTerms = ProfileTerms()
    """Which rungs may be asked for."""
    ladder: list[Rung] = Field(
        default=[],
        max_length=16,
        json_schema_extra={"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["profile"]},
    )
    """What must come before a rung; a profile without a step here needs nothing before it."""
    windows: list[Window] = Field(default=[], max_length=32, json_schema_extra=_BY_NAME)
    """When a gate may be open; without any, always. With any, outside every Allow window it is closed."""
    preflight: PreflightTerms = PreflightTerms()
    """How fresh and how complete preflight must be."""
    safety: SafetyTerms = SafetyTerms()
    """What the engine must report, at least."""
    gate: GateTerms = GateTerms()
    """How gates expire."""
    checklist: ChecklistTerms = ChecklistTerms()
    """Which items of the checklist hold the gate."""
    webhooks: list[Webhook] = Field(default=[], max_length=8, json_schema_extra=_BY_NAME)
    """Checks of your own: addresses that have to answer."""
    queries: list[Query] = Field(default=[], max_length=16, json_schema_extra=_BY_NAME)
    """Checks of your own: Prometheus queries."""
    observability: Observability = Observability()
    """Where observation can be seen to work."""
