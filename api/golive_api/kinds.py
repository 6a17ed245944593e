"""The kinds as CustomResourceDefinitions: names, columns, CEL rules around the models' schemas."""

from typing import Any

from golive_api import GROUP, VERSION
from golive_api.golive import GoLiveSpec, GoLiveStatus
from golive_api.profiles import CapitalProfileSpec
from golive_api.schema import structural

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

NAME_RULE = {
    "rule": "self.metadata.name.size() <= 63 && self.metadata.name.matches('^[a-z0-9]([-a-z0-9]*[a-z0-9])?$')",
    "message": "metadata.name must be an RFC 1123 label of at most 63 characters: it names and labels the gate",
}
"""A GoLive's name goes into its gate's name and label."""

READY = '.status.conditions[?(@.type=="Ready")]'


def _columns(*rows: tuple[str, str, str, int]) -> list[dict[str, Any]]:
    return [
        {"name": name, "type": kind, "jsonPath": path} | ({"priority": priority} if priority else {})
        for name, kind, path, priority in rows
    ]


def _definition(names: dict[str, Any], scope: str, version: dict[str, Any]) -> dict[str, Any]:
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {
            "name": f"{names['plural']}.{GROUP}",
            "annotations": {"helm.sh/resource-policy": "keep"},
        },
        "spec": {
            "group": GROUP,
            "scope": scope,
            "names": {**names, "listKind": f"{names['kind']}List", "categories": ["trading"]},
            "versions": [{"name": VERSION, "served": True, "storage": True} | version],
        },
    }


def _root(description: str, properties: dict[str, Any], rules: list[dict[str, str]]) -> dict[str, Any]:
    standard = {
        "apiVersion": {"type": "string", "description": f"{GROUP}/{VERSION}."},
        "kind": {"type": "string", "description": "The kind's name."},
        "metadata": {"type": "object"},
    }
    root = {
        "type": "object",
        "description": description,
        "required": ["spec"],
        "properties": standard | properties,
    }
    return {"openAPIV3Schema": root | ({"x-kubernetes-validations": rules} if rules else {})}


def golive_definition() -> dict[str, Any]:
    """GoLive, namespaced."""
    spec = structural(GoLiveSpec) | {"x-kubernetes-validations": SPEC_RULES}
    columns = _columns(
        ("Gate", "string", ".status.gate.state", 0),
        ("Ready", "string", f"{READY}.status", 0),
        ("Reason", "string", f"{READY}.reason", 0),
        ("Profile", "string", ".spec.request.profile", 0),
        ("Approvals", "string", ".status.approvalSummary", 0),
        ("Engine", "string", ".spec.request.engineRef.name", 0),
        ("Revision", "integer", ".spec.revision", 1),
        ("Requester", "string", ".spec.requestedBy", 1),
        ("Obeyed", "string", ".status.engine.stateSeen", 1),
        ("Until", "string", ".status.gate.validUntil", 1),
        ("Message", "string", f"{READY}.message", 1),
        ("Age", "date", ".metadata.creationTimestamp", 0),
    )
    version = {
        "subresources": {"status": {}},
        "selectableFields": [
            {"jsonPath": ".spec.activation"},
            {"jsonPath": ".spec.request.engineRef.name"},
            {"jsonPath": ".status.gate.state"},
        ],
        "additionalPrinterColumns": columns,
        "schema": _root(
            "GoLive asks that an engine may trade with real money, and records who agreed and what came of it.",
            {"spec": spec, "status": structural(GoLiveStatus)},
            [NAME_RULE],
        ),
    }
    names = {"kind": "GoLive", "plural": "golives", "singular": "golive", "shortNames": ["gl"]}
    return _definition(names, "Namespaced", version)


def profile_definition() -> dict[str, Any]:
    """CapitalProfile, cluster-wide."""
    version = {
        "additionalPrinterColumns": _columns(
            ("Position", "string", ".spec.limits.maxPositionNotional", 0),
            ("Positions", "integer", ".spec.limits.maxPositions", 0),
            ("Leverage", "string", ".spec.limits.maxLeverage", 0),
            ("Exposure%", "string", ".spec.limits.maxExposurePercent", 0),
            ("DailyLoss%", "string", ".spec.limits.maxDailyLossPercent", 0),
            ("Trades/day", "integer", ".spec.limits.maxDailyTrades", 0),
            ("Age", "date", ".metadata.creationTimestamp", 0),
        ),
        "schema": _root(
            "CapitalProfile holds the limits of one rung of the ladder from micro to aggressive.",
            {"spec": structural(CapitalProfileSpec)},
            [],
        ),
    }
    names = {
        "kind": "CapitalProfile",
        "plural": "capitalprofiles",
        "singular": "capitalprofile",
        "shortNames": ["cprof"],
    }
    return _definition(names, "Cluster", version)


def definitions() -> list[dict[str, Any]]:
    """Every kind, in the order in which crds/ lists them."""
    return [golive_definition(), profile_definition()]
