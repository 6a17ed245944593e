"""Do the guard's policies stand as they were built: bound everywhere, denying, understood by the API server?

A forged dry run shows that this account is refused, in this namespace. A policy from a file is not listed; then
what it refuses is all there is to see.
"""

import asyncio
import time
from dataclasses import dataclass
from typing import Any

from golive_operator.cluster import Cluster, ClusterError, MissingError, Object

POLICIES = (
    "golive-identity",
    "golive-status",
    "golive-gate",
    "golive-emergency-stop",
    "golive-records",
    "golive-operator-identity",
    "golive-operator-reach",
)
"""Every validating policy of the chart."""

_NARROW = "golive-operator-identity"
"""The one that is about a single namespace."""

_ADMISSION = "/apis/admissionregistration.k8s.io/v1"
_NARROWINGS = ("namespaceSelector", "objectSelector", "excludeResourceRules", "resourceRules")
_SHARED_SECONDS = 3.0
"""Objects that are looked at together share one look at the policies."""


@dataclass(frozen=True, slots=True)
class Standing:
    """What one look at all policies showed."""

    started: float
    """Monotonic time before the first read."""
    weak: tuple[str, ...]
    """What is wrong, in words."""
    unlisted: frozenset[str]
    """Policies that the API does not list: gone, or from a file."""


class Policies:
    """Reads the policies and their bindings, for all objects together."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self._lock = asyncio.Lock()
        self._seen: Standing | None = None

    async def standing(self) -> Standing:
        """What stands now, or stood a moment ago."""
        async with self._lock:
            if self._seen is None or time.monotonic() - self._seen.started > _SHARED_SECONDS:
                self._seen = await self._look()
            return self._seen

    async def _look(self) -> Standing:
        started = time.monotonic()
        found = await asyncio.gather(*(self._weaknesses(name) for name in POLICIES))
        unlisted = [name for name, weak in zip(POLICIES, found, strict=True) if weak is None]
        return Standing(started, tuple(line for weak in found for line in weak or ()), frozenset(unlisted))

    async def _weaknesses(self, name: str) -> tuple[str, ...] | None:
        """None where the API knows no policy of this name."""
        try:
            policy = await self._cluster.get(f"{_ADMISSION}/validatingadmissionpolicies/{name}")
        except MissingError:
            return None
        except ClusterError as error:
            return (f"policy {name} could not be read: {error}",)
        try:
            binding = await self._cluster.get(f"{_ADMISSION}/validatingadmissionpolicybindings/{name}")
        except ClusterError as error:
            return (f"the binding of policy {name} is missing or unreadable: {error}",)
        return tuple(f"policy {name} {weak}" for weak in (*policy_weaknesses(policy), *unbound(name, binding)))


def policy_weaknesses(policy: Object) -> list[str]:
    """Why a policy may refuse less than it says; empty is good."""
    spec, status, metadata = policy.get("spec") or {}, policy.get("status") or {}, policy["metadata"]
    constraints = spec.get("matchConstraints") or {}
    narrowings = [key for key in _NARROWINGS if key != "resourceRules" and _narrows(constraints.get(key))]
    if metadata["name"] == _NARROW and "namespaceSelector" in narrowings:
        narrowings.remove("namespaceSelector")
    found = []
    if spec.get("failurePolicy", "Fail") != "Fail":
        found.append("lets pass what it fails to judge")
    if narrowings:
        found.append(f"leaves something out by {', '.join(narrowings)}")
    if "deletionTimestamp" in metadata:
        found.append("is being deleted")
    if status.get("observedGeneration") != metadata.get("generation"):
        found.append("has not been checked by the API server since its last change")
    warnings = (status.get("typeChecking") or {}).get("expressionWarnings") or []
    if warnings:
        found.append(f"is not understood by the API server: {str(warnings[0].get('warning'))[:200]}")
    return found


def unbound(policy: str, binding: Object) -> list[str]:
    """Why a binding may not have the policy deny everywhere; empty is good."""
    spec = binding.get("spec") or {}
    resources: dict[str, Any] = spec.get("matchResources") or {}
    found = []
    if spec.get("policyName") != policy:
        found.append("is not bound: its binding names another policy")
    if "Deny" not in (spec.get("validationActions") or []):
        found.append("does not deny: its binding only reports")
    narrowings = [key for key in _NARROWINGS if _narrows(resources.get(key))]
    if narrowings or spec.get("paramRef"):
        found.append(f"is not bound everywhere: {', '.join(narrowings) or 'its binding takes parameters'}")
    if "deletionTimestamp" in binding["metadata"]:
        found.append("is about to be unbound")
    return found


def _narrows(part: Any) -> bool:
    """Whether a selector or list of rules leaves anything out; an empty one takes everything."""
    return any(part.values()) if isinstance(part, dict) else bool(part)
