"""What is looked at for acts that are to be recorded, and what such an act consists of."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from golive_api.digest import sha256
from golive_api.gate import GateRecord
from golive_api.golive import GateState, GoLiveSpec, GoLiveStatus, History, Seen
from golive_api.record import Act
from golive_decisions.facts import StopFacts

APPLIED, RELEASED = sha256("applied"), sha256("released")
"""What is remembered of a stop."""

OPEN, SHUT = sha256("open"), sha256("shut")
"""What is remembered of an opening."""

GONE = sha256("gone")
"""What is remembered, in a record's key alone, of something that was taken away."""

Known = Mapping[str, Seen]
"""What has been recorded or told, by key."""


@dataclass(frozen=True, slots=True)
class Sight:
    """A GoLive as it stands after a plan for it was carried out."""

    namespace: str
    name: str
    uid: str
    generation: int
    time: datetime
    """When its facts were read."""
    spec: GoLiveSpec | None
    """None when it can't be read."""
    status: GoLiveStatus
    """As the plan has it."""
    gate: GateRecord | None
    """As it stands after the plan."""
    stops: tuple[StopFacts, ...] | None
    """EmergencyStops that select the engine, released ones too; None when they were not read."""
    test_notice: str = ""
    """Value of the annotation golive.dev/test-notice."""

    @property
    def history(self) -> History:
        """The summary, empty where there is none yet."""
        return self.status.history or History()

    @property
    def revision(self) -> int:
        """The request's, or the last one that could be read."""
        return self.spec.revision if self.spec else self.history.request_revision

    @property
    def state(self) -> GateState:
        """The gate's."""
        return self.status.gate.state if self.status.gate else GateState.CLOSED

    @property
    def reason(self) -> str:
        """Why the gate is as it is."""
        return self.status.gate.reason if self.status.gate else ""

    @property
    def message(self) -> str:
        """The same in a sentence."""
        return self.condition("Ready")[2]

    def condition(self, kind: str) -> tuple[str, str, str]:
        """Status, reason and message of a condition; empty where there is none."""
        found = (each for each in self.status.conditions if each.type == kind)
        return next(((each.status, each.reason, each.message) for each in found), ("", "", ""))


@dataclass(frozen=True, slots=True, kw_only=True)
class DueAct:
    """An act that no record speaks of yet."""

    key: str
    """What it is about, as in status.recorded.seen."""
    hash: str
    """What is remembered of it."""
    act: Act
    message: str
    time: str
    users: tuple[str, ...] = ()
    revision: int
    digest: str = ""
    reason: str
    evidence: Mapping[str, str] = field(default_factory=dict)


STOP, ATTESTATION, ATTEMPT, OPENING = "stop/", "attestation/", "attempt/", "opening/"
"""What keys begin with; a stop's name, an item, a reason or the time of an opening follows."""

PREFLIGHT_NOTICE = "notice/preflight"
"""Key of what was last told of preflight."""


def request_key(revision: int) -> str:
    """The key of a request."""
    return f"request/{revision}"


def approval_key(revision: int, user: str = "") -> str:
    """The key of one person's word on a revision; without a person, what all of them begin with."""
    return f"approval/{revision}/{user}"


def opening_key(history: History) -> str:
    """The key of the last opening; by its time, which no later one shares even where the count was lost."""
    return f"{OPENING}{history.last_activated_time or ''}"


def attempt_hash(sight: Sight) -> str:
    """What the failures of one request have in common, until it opens."""
    return sha256([sight.revision, sight.history.activations])
