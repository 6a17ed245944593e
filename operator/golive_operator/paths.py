"""Where objects live on the API server."""

from golive_api import GROUP, VERSION

_GOLIVE = f"/apis/{GROUP}/{VERSION}"


def golives(namespace: str = "") -> str:
    """All GoLives, of a namespace or of the cluster."""
    return f"{_GOLIVE}/namespaces/{namespace}/golives" if namespace else f"{_GOLIVE}/golives"


def golive(namespace: str, name: str, subresource: str = "") -> str:
    """One GoLive."""
    return f"{golives(namespace)}/{name}" + (f"/{subresource}" if subresource else "")


def capital_profiles() -> str:
    """All CapitalProfiles."""
    return f"{_GOLIVE}/capitalprofiles"


def activation_policies() -> str:
    """All ActivationPolicies."""
    return f"{_GOLIVE}/activationpolicies"


def emergency_stops(namespace: str) -> str:
    """All EmergencyStops of a namespace."""
    return f"{_GOLIVE}/namespaces/{namespace}/emergencystops"


def records(namespace: str, name: str = "") -> str:
    """All GoLiveRecords of a namespace, or one."""
    return f"{_GOLIVE}/namespaces/{namespace}/goliverecords" + (f"/{name}" if name else "")


def core(namespace: str, plural: str, name: str = "") -> str:
    """Objects of the core group: configmaps, secrets, pods, events."""
    return f"/api/v1/namespaces/{namespace}/{plural}" + (f"/{name}" if name else "")


def apps(namespace: str, plural: str, name: str = "") -> str:
    """Deployments and ReplicaSets."""
    return f"/apis/apps/v1/namespaces/{namespace}/{plural}" + (f"/{name}" if name else "")


def lease(namespace: str, name: str = "") -> str:
    """Leases."""
    return f"/apis/coordination.k8s.io/v1/namespaces/{namespace}/leases" + (f"/{name}" if name else "")


def all_core(namespace: str, plural: str) -> str:
    """Objects of the core group of a namespace, or of the cluster."""
    return core(namespace, plural) if namespace else f"/api/v1/{plural}"


def all_deployments(namespace: str = "") -> str:
    """Deployments of a namespace, or of the cluster."""
    return apps(namespace, "deployments") if namespace else "/apis/apps/v1/deployments"


def all_leases(namespace: str = "") -> str:
    """Leases of a namespace, or of the cluster."""
    return lease(namespace) if namespace else "/apis/coordination.k8s.io/v1/leases"
