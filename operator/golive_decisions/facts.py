"""What was read before deciding. A missing input is None, and None never opens a gate."""

from dataclasses import dataclass
from datetime import datetime

from golive_api.acknowledgement import Acknowledgement
from golive_api.gate import GateRecord
from golive_api.golive import GoLiveSpec, GoLiveStatus
from golive_api.profiles import Limits
from golive_decisions.preflight_run import Answer, PreflightRun
from golive_decisions.terms import Terms


@dataclass(frozen=True, slots=True)
class Subject:
    """The GoLive itself, from a live read."""

    namespace: str
    name: str
    uid: str
    generation: int
    deleting: bool
    spec: GoLiveSpec | None
    """None when it holds a value that this version does not know."""
    spec_error: str
    status: GoLiveStatus
    preflight_requested: str = ""
    """Value of the annotation golive.dev/preflight-requested."""


@dataclass(frozen=True, slots=True)
class ProfileFacts:
    """The requested CapitalProfile."""

    limits: Limits | None
    """None when it is missing or can't be read."""
    error: str = ""
    """Why it can't be read; empty when it is missing."""


@dataclass(frozen=True, slots=True)
class PodFacts:
    """One pod of the engine's Deployment that has not ended."""

    name: str
    follows_template: bool
    """Its ReplicaSet has the Deployment's present template."""
    differences: tuple[str, ...] = ()
    """Where its containers differ from that template."""


@dataclass(frozen=True, slots=True)
class StopFacts:
    """One EmergencyStop that selects the engine."""

    name: str
    reason: str
    released_by: str = ""
    """Who released it; empty while it holds."""
    root_cause: str = ""
    """What the releaser wrote."""


@dataclass(frozen=True, slots=True)
class EngineFacts:
    """The engine's Deployment, its pods and what the trading one says."""

    exists: bool
    missing_objects: tuple[str, ...] = ()
    """ConfigMaps and Secrets that the template needs and that do not exist."""
    identity: object | None = None
    """Template and mounted configuration as JSON, None unless all of it was read."""
    config_digests: frozenset[str] = frozenset()
    """SHA-256 of each mounted ConfigMap value."""
    pods: tuple[PodFacts, ...] = ()
    holder: str | None = None
    """The pod that holds the engine's Lease, None when nobody does or it has lapsed."""
    acknowledgement: Acknowledgement | None = None
    report: Answer | None = None
    """What the trading pod answers on /status; None where there is no pod to ask."""
    shown_state: str = ""
    """What the Deployment's label tells people of the gate."""


@dataclass(frozen=True, slots=True)
class GateFacts:
    """The gate's ConfigMap."""

    exists: bool
    record: GateRecord | None = None
    """None when it does not exist or can't be read."""
    state_text: str = ""
    """data.state as it stands."""


@dataclass(frozen=True, slots=True)
class Facts:
    """Everything that a decision rests on."""

    read_time: datetime
    """Taken before the first read: leases count from here."""
    epoch: int
    """This leader's generation."""
    subject: Subject
    gate: GateFacts
    guard_errors: tuple[str, ...] | None = None
    """Forged writes that the API server did not refuse; None when that was not tried."""
    policy_error: str = ""
    """Why the policies can't be read; empty when they can."""
    terms: Terms | None = None
    """The strictest of policies and request; None where no policy applies or one can't be read."""
    stops: tuple[StopFacts, ...] | None = None
    """EmergencyStops that select the engine, released ones too; None when they were not read."""
    rivals: tuple[str, ...] = ()
    """Other enabled GoLives for the same engine."""
    profile: ProfileFacts | None = None
    engine: EngineFacts | None = None
    run: PreflightRun | None = None
    """The last finished run of preflight."""
