"""What was read about one GoLive at one moment: everything that is shown, explained and advised rests on it."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from kubectl_golive.gates import GateNow

Document = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """One GoLive with what stands around it."""

    golive: Document
    """The object."""
    gate: GateNow
    """Its gate, judged by the clock."""
    now: datetime
    """When it was read."""
    lease: Document | None = None
    """The engine's Lease; empty if there is none, None if the caller may not read it."""
    stops: tuple[Document, ...] | None = ()
    """EmergencyStops that select the engine, released ones too; None if the caller may not read them."""

    @property
    def name(self) -> str:
        """Its name."""
        return str(self.golive["metadata"]["name"])

    @property
    def namespace(self) -> str:
        """Its namespace."""
        return str(self.golive["metadata"]["namespace"])

    @property
    def spec(self) -> Document:
        """What is asked for, by whom, and who agreed."""
        return dict(self.golive["spec"])

    @property
    def status(self) -> Document:
        """What the operator says; empty before it has spoken."""
        return dict(self.golive.get("status") or {})

    @property
    def preflight(self) -> Document:
        """What preflight found; empty before its first run."""
        return dict(self.status.get("preflight") or {})

    @property
    def burned(self) -> bool:
        """Whether this revision is shut for good."""
        return int((self.status.get("gate") or {}).get("burnedRevision", 0)) >= int(self.spec["revision"])

    @property
    def outdated(self) -> bool:
        """Whether status speaks of an older version of the object."""
        return outdated(self.golive)

    @property
    def holding(self) -> tuple[Document, ...]:
        """Stops that nobody has released."""
        return tuple(stop for stop in self.stops or () if not stop["spec"].get("release"))

    def condition(self, kind: str) -> Document:
        """One condition; empty where status does not have it."""
        return condition(self.golive, kind)


def condition(golive: Document, kind: str) -> Document:
    """One condition of an object; empty where status does not have it."""
    conditions: list[Document] = (golive.get("status") or {}).get("conditions") or []
    return next((each for each in conditions if each["type"] == kind), {})


def outdated(golive: Document) -> bool:
    """Whether status speaks of an older version of the object."""
    seen: int = (golive.get("status") or {}).get("observedGeneration", 0)
    return seen < int(golive["metadata"]["generation"])


def profile_of(golive: Document) -> str | None:
    """The CapitalProfile in force: the request's own, or by the operator's word the policies' default."""
    named: str | None = golive["spec"]["request"].get("profile")
    return named or (golive.get("status") or {}).get("profile")


def selects(stop: Document, engine: str) -> bool:
    """Whether an EmergencyStop is about an engine; one without a list is about every engine."""
    engines: list[str] = stop["spec"].get("engines") or []
    return not engines or engine in engines
