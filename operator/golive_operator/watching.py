"""kopf as the watcher: its events say that something has changed, never what is true."""

import asyncio
import contextlib
import os
import signal
import time
from pathlib import Path
from typing import Any

import kopf

from golive_api import GROUP, VERSION
from golive_api.acknowledgement import LEASE_PREFIX
from golive_api.gate import GATE_LABEL
from golive_operator.metrics import Metrics
from golive_operator.workers import Workers


class Watches:
    """Wakes workers. Bodies that kopf hands over are looked at for names alone."""

    def __init__(self, workers: Workers, metrics: Metrics) -> None:
        self._workers, self._metrics = workers, metrics
        self._leases: dict[tuple[str, str], Any] = {}
        self.registry = kopf.OperatorRegistry()
        self._register()

    def _register(self) -> None:
        registry = self.registry
        kopf.on.login(registry=registry)(sign_in)
        kopf.on.startup(registry=registry)(configure)
        kopf.on.event(GROUP, VERSION, "golives", registry=registry)(self.golive_changed)
        kopf.on.event(GROUP, VERSION, "capitalprofiles", registry=registry)(self.profile_changed)
        kopf.on.event("", "v1", "configmaps", registry=registry)(self.config_map_changed)
        kopf.on.event("apps", "v1", "deployments", registry=registry)(self.workload_changed)
        kopf.on.event("", "v1", "pods", registry=registry)(self.workload_changed)
        kopf.on.event("coordination.k8s.io", "v1", "leases", registry=registry)(self.lease_changed)

    async def golive_changed(self, namespace: str | None, name: str | None, **_: Any) -> None:
        """The object itself, also when it is gone: the worker finds that out by a live read."""
        self._heard()
        if namespace and name:
            self._workers.wake(namespace, name)

    async def profile_changed(self, **_: Any) -> None:
        """Limits are read by every object that names the profile."""
        self._heard()
        self._workers.wake_all()

    async def config_map_changed(self, namespace: str | None, labels: Any, **_: Any) -> None:
        """A gate wakes its own object; any other ConfigMap may be mounted by an engine of the namespace."""
        self._heard()
        if not namespace:
            return
        gate_of = labels.get(GATE_LABEL)
        if gate_of:
            self._workers.wake_known(namespace, gate_of)
        else:
            self._workers.wake_namespace(namespace)

    async def workload_changed(self, namespace: str | None, **_: Any) -> None:
        """A Deployment or Pod may be the engine's."""
        self._heard()
        if namespace:
            self._workers.wake_namespace(namespace)

    async def lease_changed(self, namespace: str | None, name: str | None, body: Any, **_: Any) -> None:
        """An engine's acknowledgement or holder; mere renewals wake nobody."""
        self._heard()
        if not namespace or not name or not name.startswith(LEASE_PREFIX):
            return
        said = (body.spec.get("holderIdentity"), dict(body.metadata.get("annotations") or {}))
        if self._leases.get((namespace, name)) != said:
            self._leases[namespace, name] = said
            self._workers.wake_namespace(namespace)

    def _heard(self) -> None:
        self._metrics.last_event.set(time.time())


_SERVICE_ACCOUNT = Path("/var/run/secrets/kubernetes.io/serviceaccount")


def sign_in(**kwargs: Any) -> kopf.ConnectionInfo | None:
    """As the pod's ServiceAccount, or by kubeconfig on a desk; no other client's configuration.

    kopf's own in-cluster sign-in needs cluster DNS, which may be down just when a gate must close;
    the kubelet hands the API server's address to every pod.
    """
    host, port = os.environ.get("KUBERNETES_SERVICE_HOST"), os.environ.get("KUBERNETES_SERVICE_PORT")
    token = _SERVICE_ACCOUNT / "token"
    if not host or not port or not token.is_file():
        return kopf.login_with_kubeconfig(**kwargs)
    return kopf.ConnectionInfo(
        server=f"https://[{host}]:{port}" if ":" in host else f"https://{host}:{port}",
        ca_path=str(_SERVICE_ACCOUNT / "ca.crt"),
        scheme="Bearer",
        token=token.read_text().strip(),
    )


def configure(settings: kopf.OperatorSettings, **_: Any) -> None:
    """Nothing is stored in objects, nobody is told, nothing is scanned: a watcher and no more."""
    settings.persistence.finalizer = f"{GROUP}/finalizer"
    settings.peering.standalone = True
    settings.posting.enabled = False
    settings.scanning.disabled = True
    settings.networking.request_timeout = 10
    settings.networking.connect_timeout = 3
    settings.networking.error_backoffs = (0.5, 1, 2, 4)
    settings.watching.client_timeout = 300
    settings.watching.server_timeout = 240
    settings.execution.default_backoff = 5


async def watch(watches: Watches, namespaces: tuple[str, ...], stop: asyncio.Event) -> None:
    """Run kopf until told to stop; raises when it ends by itself."""

    async def take_signals_back(**_: Any) -> None:
        """Kopf has replaced the process's handlers by its own: its end would look like a loss of leadership."""
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, stop.set)

    kopf.on.startup(registry=watches.registry)(take_signals_back)
    with contextlib.suppress(asyncio.CancelledError):
        await kopf.operator(
            registry=watches.registry,
            standalone=True,
            clusterwide=not namespaces,
            namespaces=namespaces,
            stop_flag=stop,
        )
    if not stop.is_set():
        raise RuntimeError("the watches have ended")
