"""What the ActivationPolicies in force ask of people, as far as the caller may read them."""

from dataclasses import dataclass
from typing import Any

from kubectl_golive.cluster import Cluster, peek, policy_path

Document = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Bounds:
    """What the policies of one GoLive say; the strictest of them counts."""

    policies: tuple[str, ...]
    """Their names, by the operator's word."""
    required_groups: frozenset[str] | None
    """Groups of which an approver each must speak; None where a policy can't be read."""
    attestation_ttl_seconds: int | None
    """How long an attestation lasts at most; None where nobody says, or a policy can't be read."""


def read_bounds(cluster: Cluster, golive: Document) -> Bounds:
    """Read the policies that status names."""
    names: list[str] = (golive.get("status") or {}).get("policies") or []
    found = [peek(cluster, policy_path(name)) for name in names]
    specs = [policy["spec"] for policy in found if policy]
    if len(specs) < len(names):
        return Bounds(tuple(names), None, None)
    groups = {group for spec in specs for group in spec.get("approvals", {}).get("requiredGroups") or []}
    lasting = [ttl for spec in specs if (ttl := spec.get("checklist", {}).get("attestationTtlSeconds"))]
    return Bounds(tuple(names), frozenset(groups), min(lasting, default=None))
