"""Where objects live on the API server."""

from golive_api import GROUP, VERSION

_GOLIVE = f"/apis/{GROUP}/{VERSION}"


def golives(namespace: str = "") -> str:
    """All GoLives, of a namespace or of the cluster."""
    return f"{_GOLIVE}/namespaces/{namespace}/golives" if namespace else f"{_GOLIVE}/golives"


def golive(namespace: str, name: str, subresource: str = "") -> str:
    """One GoLive."""
    return f"{golives(namespace)}/{name}" + (f"/{subresource}" if subresource else "")


def capital_profile(name: str) -> str:
    """One CapitalProfile."""
    return f"{_GOLIVE}/capitalprofiles/{name}"


def core(namespace: str, plural: str, name: str = "") -> str:
    """Objects of the core group: configmaps, secrets, pods, events."""
    return f"/api/v1/namespaces/{namespace}/{plural}" + (f"/{name}" if name else "")


def apps(namespace: str, plural: str, name: str = "") -> str:
    """Deployments and ReplicaSets."""
    return f"/apis/apps/v1/namespaces/{namespace}/{plural}" + (f"/{name}" if name else "")


def lease(namespace: str, name: str = "") -> str:
    """Leases."""
    return f"/apis/coordination.k8s.io/v1/namespaces/{namespace}/leases" + (f"/{name}" if name else "")
