"""Which API server is meant and where things are on it.

The `kubernetes` package is imported here alone, and only where a kubeconfig names a credential plugin, because
its import takes longer than a whole close.
"""

import dataclasses
import os
import time
from http import HTTPStatus
from pathlib import Path
from urllib.parse import quote

from golive_api import API_VERSION
from kubectl_golive.connection import Connection, Document, tls
from kubectl_golive.kubeconfig import Access, config_files, read_access
from kubectl_golive.problems import Problem, RefusedError

BUSY_SECONDS = 5.0
"""How long a server that says that it is too busy is asked again."""

BUSY_PAUSE_SECONDS = 0.2
"""Pause before that."""


def golive_path(namespace: str | None, name: str | None = None) -> str:
    """Path of one GoLive, of a namespace's, or of all."""
    return _path(f"/apis/{API_VERSION}", namespace, "golives", name)


def config_map_path(namespace: str | None, name: str | None = None) -> str:
    """Path of one ConfigMap, of a namespace's, or of all."""
    return _path("/api/v1", namespace, "configmaps", name)


def lease_path(namespace: str | None, name: str | None = None) -> str:
    """Path of one Lease, of a namespace's, or of all."""
    return _path("/apis/coordination.k8s.io/v1", namespace, "leases", name)


def profile_path(name: str) -> str:
    """Path of one CapitalProfile."""
    return _path(f"/apis/{API_VERSION}", None, "capitalprofiles", name)


def policy_path(name: str | None = None) -> str:
    """Path of one ActivationPolicy, or of all."""
    return _path(f"/apis/{API_VERSION}", None, "activationpolicies", name)


def stop_path(namespace: str | None, name: str | None = None) -> str:
    """Path of one EmergencyStop, of a namespace's, or of all."""
    return _path(f"/apis/{API_VERSION}", namespace, "emergencystops", name)


def record_path(namespace: str) -> str:
    """Path of a namespace's GoLiveRecords."""
    return _path(f"/apis/{API_VERSION}", namespace, "goliverecords", None)


def _path(root: str, namespace: str | None, plural: str, name: str | None) -> str:
    within = f"/namespaces/{quote(namespace, safe='')}" if namespace else ""
    return f"{root}{within}/{plural}" + (f"/{quote(name, safe='')}" if name else "")


class Cluster:
    """One API server with one identity."""

    def __init__(self, access: Access) -> None:
        self.namespace = access.namespace
        self._access = access
        self._context = tls(access) if access.server.startswith("https:") else None
        self._connection = self.connection()

    def connection(self) -> Connection:
        """A further connection, not yet open."""
        return Connection(self._access, self._context)

    def call(self, method: str, path: str, body: Document | None = None, *, kind: str = "json") -> Document:
        """Send a request over the connection that all quiet reading shares; see Connection.call.

        A server that is too busy has done nothing, and is asked again for a while.
        """
        give_up = time.monotonic() + BUSY_SECONDS
        while True:
            try:
                return self._connection.call(method, path, body, kind=kind)
            except RefusedError as refused:
                if refused.code != HTTPStatus.TOO_MANY_REQUESTS or time.monotonic() >= give_up:
                    raise
            time.sleep(BUSY_PAUSE_SECONDS)

    def close(self) -> None:
        """Hang up; the next call connects again."""
        self._connection.close()


def peek(cluster: Cluster, path: str) -> Document | None:
    """Read what may be missing (then it is empty) or may not be for the caller to see (then it is None)."""
    try:
        return cluster.call("GET", path)
    except RefusedError as refused:
        if refused.code == HTTPStatus.NOT_FOUND:
            return {}
        if refused.code == HTTPStatus.FORBIDDEN:
            return None
        raise


def sign_in(kubeconfig: str | None, context: str | None, namespace: str | None) -> Cluster:
    """Use the caller's kubeconfig; sends nothing yet.

    Raises:
        Problem: The kubeconfig does not lead to a server and an identity.
    """
    access = read_access(kubeconfig, context)
    if access.plugin:
        access = _with_plugin(access, kubeconfig, context)
    return Cluster(dataclasses.replace(access, namespace=namespace) if namespace else access)


def _with_plugin(access: Access, kubeconfig: str | None, context: str | None) -> Access:
    """Let the official client run the kubeconfig's credential plugin."""
    from kubernetes import config  # noqa: PLC0415  a quarter of a second that only this case needs

    files = os.pathsep.join(str(path) for path in config_files(kubeconfig))
    try:
        settings = config.new_client_from_config(files, context=context).configuration
    except (config.ConfigException, OSError) as error:
        raise Problem(f"the kubeconfig's credential plugin failed: {error}") from error
    token = (settings.api_key or {}).get("BearerToken")
    if not token and not settings.cert_file:
        raise Problem("the kubeconfig's credential plugin gave no credentials")
    return dataclasses.replace(
        access,
        token=token.removeprefix("Bearer ") if token else None,
        certificate=Path(settings.cert_file).read_bytes() if settings.cert_file else None,
        key=Path(settings.key_file).read_bytes() if settings.key_file else None,
    )
