"""The kinds as CustomResourceDefinitions: names, columns, CEL rules around the models' schemas."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from golive_api import GROUP, VERSION
from golive_api.emergency_stop import EmergencyStopSpec
from golive_api.golive import GoLiveSpec, GoLiveStatus
from golive_api.policy import ActivationPolicySpec
from golive_api.profiles import CapitalProfileSpec
from golive_api.record import GoLiveRecordSpec
from golive_api.schema import structural
from golive_api.values import WireModel

Rule = dict[str, str]
"""A CEL rule with its message."""

_CHANGED = (
    "(self.request != oldSelf.request || (oldSelf.activation == 'Disabled' && self.activation == 'Enabled'))"
)
"""What makes a new revision: closing and opening again counts, else the old approvals would open it."""

SPEC_RULES = [
    {
        "rule": f"self.revision == oldSelf.revision + ({_CHANGED} ? 1 : 0)",
        "message": "revision must grow by one exactly when request changes or activation goes from Disabled "
        "to Enabled",
        "fieldPath": ".revision",
    },
    {
        "rule": f"!{_CHANGED} || !has(self.approvals) || self.approvals.size() == 0",
        "message": "changing the request, or enabling again, voids all approvals",
        "fieldPath": ".approvals",
    },
    {
        "rule": f"{_CHANGED} || self.requestedBy == oldSelf.requestedBy",
        "message": "requestedBy is immutable while the request stands",
        "fieldPath": ".requestedBy",
    },
    {
        "rule": "!has(self.approvals) || self.approvals.all(a, a.revision == self.revision && "
        "a.user.lowerAscii() != self.requestedBy.lowerAscii())",
        "message": "approvals must be for this revision and not by the requester",
        "fieldPath": ".approvals",
    },
    {
        "rule": "!has(self.approvals) || self.approvals.all(a, "
        "self.approvals.exists_one(b, b.user.lowerAscii() == a.user.lowerAscii()))",
        "message": "approvers must differ in more than letter case",
        "fieldPath": ".approvals",
    },
]
"""Rules of GoLive's spec that hold on every server, with or without admission policies."""

STOP_RULES = [
    {
        "rule": "self.reason == oldSelf.reason && has(self.engines) == has(oldSelf.engines) && "
        "(!has(self.engines) || self.engines == oldSelf.engines)",
        "message": "engines and reason are immutable: apply another EmergencyStop to stop more",
    },
    {
        "rule": "!has(oldSelf.release) || (has(self.release) && self.release == oldSelf.release)",
        "message": "a release is final: apply another EmergencyStop to stop again",
        "fieldPath": ".release",
    },
]
"""An EmergencyStop only ever gains its release."""

RECORD_RULES = [{"rule": "self == oldSelf", "message": "records are immutable"}]
"""A record is written once."""

NAME_RULE = {
    "rule": "self.metadata.name.size() <= 63 && self.metadata.name.matches('^[a-z0-9]([-a-z0-9]*[a-z0-9])?$')",
    "message": "metadata.name must be an RFC 1123 label of at most 63 characters: it names and labels the gate",
}
"""A GoLive's name goes into its gate's name and label."""

READY = '.status.conditions[?(@.type=="Ready")]'

Column = tuple[str, str, str] | tuple[str, str, str, int]
"""Heading, type, JSON path, and 1 where only `-o wide` shows it."""

AGE: Column = ("Age", "date", ".metadata.creationTimestamp")
"""Of the object."""


@dataclass(frozen=True, slots=True)
class Kind:
    """What a CustomResourceDefinition says besides the schema."""

    name: str
    plural: str
    short: str
    scope: Literal["Namespaced", "Cluster"]
    description: str
    columns: tuple[Column, ...]
    """What `kubectl get` shows."""
    spec: type[WireModel]
    status: type[WireModel] | None = None
    spec_rules: Sequence[Rule] = ()
    """CEL rules of spec."""
    rules: Sequence[Rule] = ()
    """CEL rules of the whole object."""
    selectable: tuple[str, ...] = ()
    """JSON paths that field selectors know."""


KINDS = (
    Kind(
        "GoLive",
        "golives",
        "gl",
        "Namespaced",
        "GoLive asks that an engine may trade with real money, and records who agreed and what came of it.",
        (
            ("Gate", "string", ".status.gate.state"),
            ("Ready", "string", f"{READY}.status"),
            ("Reason", "string", f"{READY}.reason"),
            ("Profile", "string", ".status.profile"),
            ("Approvals", "string", ".status.approvalSummary"),
            ("Engine", "string", ".spec.request.engineRef.name"),
            ("Revision", "integer", ".spec.revision", 1),
            ("Requester", "string", ".spec.requestedBy", 1),
            ("Obeyed", "string", ".status.engine.stateSeen", 1),
            ("Opened", "date", ".status.gate.openedTime", 1),
            ("Message", "string", f"{READY}.message", 1),
            AGE,
        ),
        GoLiveSpec,
        GoLiveStatus,
        spec_rules=SPEC_RULES,
        rules=(NAME_RULE,),
        selectable=(".spec.activation", ".spec.request.engineRef.name", ".status.gate.state"),
    ),
    Kind(
        "CapitalProfile",
        "capitalprofiles",
        "cprof",
        "Cluster",
        "CapitalProfile holds the limits of one rung of the ladder from micro to aggressive.",
        (
            ("Position", "string", ".spec.limits.maxPositionNotional"),
            ("Positions", "integer", ".spec.limits.maxPositions"),
            ("Leverage", "string", ".spec.limits.maxLeverage"),
            ("Exposure%", "string", ".spec.limits.maxExposurePercent"),
            ("DailyLoss%", "string", ".spec.limits.maxDailyLossPercent"),
            ("Trades/day", "integer", ".spec.limits.maxDailyTrades"),
            AGE,
        ),
        CapitalProfileSpec,
    ),
    Kind(
        "ActivationPolicy",
        "activationpolicies",
        "apol",
        "Cluster",
        "ActivationPolicy bounds what GoLives may ask for; the strictest of policies and request wins.",
        (
            ("Approvals", "integer", ".spec.approvals.minimum"),
            ("Profiles", "string", ".spec.profiles.allowed"),
            ("Windows", "string", ".spec.windows[*].name"),
            ("Namespaces", "string", ".spec.namespaces", 1),
            AGE,
        ),
        ActivationPolicySpec,
    ),
    Kind(
        "EmergencyStop",
        "emergencystops",
        "estop",
        "Namespaced",
        "EmergencyStop stops every engine that it selects, until a person releases it with a root cause.",
        (
            ("Reason", "string", ".spec.reason"),
            ("Engines", "string", ".spec.engines"),
            ("Released by", "string", ".spec.release.user"),
            AGE,
        ),
        EmergencyStopSpec,
        spec_rules=STOP_RULES,
    ),
    Kind(
        "GoLiveRecord",
        "goliverecords",
        "glr",
        "Namespaced",
        "GoLiveRecord is one link of the hash-chained history of a GoLive.",
        (
            ("GoLive", "string", ".spec.golive"),
            ("Seq", "integer", ".spec.sequence"),
            ("Act", "string", ".spec.act"),
            ("Users", "string", ".spec.users"),
            ("Revision", "integer", ".spec.revision"),
            ("Reason", "string", ".spec.reason"),
            ("Time", "string", ".spec.time"),
        ),
        GoLiveRecordSpec,
        spec_rules=RECORD_RULES,
        selectable=(".spec.golive", ".spec.act"),
    ),
)
"""Every kind, in the order in which crds/ lists them."""


def _column(name: str, kind: str, path: str, priority: int = 0) -> dict[str, Any]:
    wide = {"priority": priority} if priority else {}
    return {"name": name, "type": kind, "jsonPath": path} | wide


def _schema(kind: Kind) -> dict[str, Any]:
    """The whole object's schema."""
    spec = structural(kind.spec)
    if kind.spec_rules:
        spec |= {"x-kubernetes-validations": list(kind.spec_rules)}
    properties = {
        "apiVersion": {"type": "string", "description": f"{GROUP}/{VERSION}."},
        "kind": {"type": "string", "description": "The kind's name."},
        "metadata": {"type": "object"},
        "spec": spec,
    }
    if kind.status:
        properties["status"] = structural(kind.status)
    root = {
        "type": "object",
        "description": kind.description,
        "required": ["spec"],
        "properties": properties,
    }
    return root | ({"x-kubernetes-validations": list(kind.rules)} if kind.rules else {})


def _definition(kind: Kind) -> dict[str, Any]:
    version: dict[str, Any] = {"name": VERSION, "served": True, "storage": True}
    if kind.status:
        version["subresources"] = {"status": {}}
    if kind.selectable:
        version["selectableFields"] = [{"jsonPath": path} for path in kind.selectable]
    version["additionalPrinterColumns"] = [_column(*column) for column in kind.columns]
    version["schema"] = {"openAPIV3Schema": _schema(kind)}
    names = {
        "kind": kind.name,
        "plural": kind.plural,
        "singular": kind.name.lower(),
        "shortNames": [kind.short],
        "listKind": f"{kind.name}List",
        "categories": ["trading"],
    }
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {
            "name": f"{kind.plural}.{GROUP}",
            "annotations": {"helm.sh/resource-policy": "keep"},
        },
        "spec": {"group": GROUP, "scope": kind.scope, "names": names, "versions": [version]},
    }


def definitions() -> list[dict[str, Any]]:
    """Every kind as a CustomResourceDefinition."""
    return [_definition(kind) for kind in KINDS]
