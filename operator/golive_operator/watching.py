"""kopf as the watcher, and two lean watches: events say that something has changed, never what is true."""

import asyncio
import contextlib
import logging
import os
import signal
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import kopf

from golive_api import GROUP, VERSION
from golive_api.acknowledgement import LEASE_PREFIX
from golive_api.gate import GATE_LABEL
from golive_api.golive import GateState
from golive_operator import paths
from golive_operator.claims import engine_of
from golive_operator.cluster import Cluster, ClusterError, Object
from golive_operator.metrics import Metrics
from golive_operator.own_writes import Echoes
from golive_operator.workers import Workers

log = logging.getLogger(__name__)


PAUSES = (0.1, 0.5, 1.0, 2.0, 4.0)
"""Seconds before a watch that has broken begins again, the first time and each further time."""


class Watches:
    """Wakes workers. Bodies that are handed over are looked at for names alone."""

    def __init__(self, workers: Workers, metrics: Metrics, echoes: Echoes) -> None:
        self._workers, self._metrics, self._echoes = workers, metrics, echoes
        self._leases: dict[tuple[str, str], Any] = {}
        self.registry = kopf.OperatorRegistry()
        self._register()

    def _register(self) -> None:
        registry = self.registry
        kopf.on.login(registry=registry)(sign_in)
        kopf.on.startup(registry=registry)(configure)
        kopf.on.event(GROUP, VERSION, "golives", registry=registry)(self.golive_changed)
        kopf.on.event(GROUP, VERSION, "capitalprofiles", registry=registry)(self.bounds_changed)
        kopf.on.event(GROUP, VERSION, "activationpolicies", registry=registry)(self.bounds_changed)
        kopf.on.event(GROUP, VERSION, "emergencystops", registry=registry)(self.stop_changed)

    async def golive_changed(self, namespace: str | None, name: str | None, event: Any, **_: Any) -> None:
        """The object itself, also when it is gone: the worker finds that out by a live read."""
        self._heard()
        if namespace and name:
            seen = event["object"]
            is_open = ((seen.get("status") or {}).get("gate") or {}).get("state") == GateState.OPEN.value
            wake = partial(self._workers.wake, is_open=is_open)
            self._unless_own(
                event["type"], seen["metadata"], partial(self._wake_claimants, seen, wake), namespace, name
            )

    def _wake_claimants(
        self, golive: Object, wake: Callable[[str, str], None], namespace: str, name: str
    ) -> None:
        """The object itself, and all others that are about the same engine."""
        wake(namespace, name)
        others = self._workers.interests.of_engine(namespace, engine_of(golive))
        self._workers.wake_each(key for key in others if key != (namespace, name))

    async def bounds_changed(self, **_: Any) -> None:
        """Profiles and policies are read by every object that they may bound."""
        self._heard()
        self._workers.wake_all()

    async def stop_changed(self, namespace: str | None, **_: Any) -> None:
        """An EmergencyStop may select any engine of its namespace."""
        self._heard()
        if namespace:
            self._workers.wake_namespace(namespace)

    def deployment_changed(self, kind: str, deployment: Object) -> None:
        """A Deployment may be an engine; that it shows its gate now is no news."""
        self._heard()
        metadata, workers = deployment["metadata"], self._workers
        namespace, name = metadata["namespace"], metadata["name"]

        def wake() -> None:
            workers.wake_each(workers.interests.of_engine(namespace, name))

        if kind == "MODIFIED":
            self._echoes.heard(metadata, wake)
        else:
            wake()

    def pod_changed(self, kind: str, pod: Object) -> None:
        """A pod may be an engine's."""
        del kind
        self._heard()
        metadata, interests = pod["metadata"], self._workers.interests
        self._workers.wake_each(interests.of_pod(metadata["namespace"], metadata.get("labels") or {}))

    def config_map_changed(self, kind: str, config_map: Object) -> None:
        """A gate wakes its own object; any other ConfigMap those whose engines mount it."""
        self._heard()
        metadata, workers = config_map["metadata"], self._workers
        namespace, name = metadata["namespace"], metadata["name"]
        gate_of = (metadata.get("labels") or {}).get(GATE_LABEL)
        if gate_of:
            self._unless_own(kind, metadata, workers.wake_known, namespace, gate_of)
        else:
            workers.wake_each(workers.interests.of_config_map(namespace, name))

    def lease_changed(self, kind: str, lease: Object) -> None:
        """An engine's acknowledgement or holder; mere renewals wake nobody."""
        self._heard()
        metadata = lease["metadata"]
        namespace, name = metadata["namespace"], metadata["name"]
        if not name.startswith(LEASE_PREFIX):
            return
        said = (kind == "DELETED", lease["spec"].get("holderIdentity"), metadata.get("annotations"))
        if self._leases.get((namespace, name)) != said:
            self._leases[namespace, name] = said
            engine = name.removeprefix(LEASE_PREFIX)
            self._workers.wake_for_lease(self._workers.interests.of_engine(namespace, engine))

    def _unless_own(
        self, kind: str, metadata: Any, wake: Callable[[str, str], None], namespace: str, name: str
    ) -> None:
        """Wake, unless this is only our own last write, coming back."""
        if kind == "DELETED":
            self._echoes.forget(metadata.get("uid", ""))
            wake(namespace, name)
        else:
            self._echoes.heard(metadata, partial(wake, namespace, name))

    def _heard(self) -> None:
        self._metrics.last_event.set(time.time())

    async def follow(self, cluster: Cluster, namespaces: tuple[str, ...]) -> None:
        """Watch what programs change, which is most of it, without kopf's bookkeeping for each object."""
        async with asyncio.TaskGroup() as group:
            for namespace in namespaces or ("",):
                for path, changed in (
                    (paths.all_core(namespace, "configmaps"), self.config_map_changed),
                    (paths.all_core(namespace, "pods"), self.pod_changed),
                    (paths.all_deployments(namespace), self.deployment_changed),
                ):
                    group.create_task(_ever(cluster, path, changed, metadata=True))
                group.create_task(_ever(cluster, paths.all_leases(namespace), self.lease_changed))


async def _ever(
    cluster: Cluster, path: str, changed: Callable[[str, Object], None], *, metadata: bool = False
) -> None:
    """Follow a collection, whatever breaks."""
    failures = 0
    while True:
        try:
            async for kind, item in cluster.follow(path, metadata=metadata):
                changed(kind, item)
                failures = 0
        except ClusterError as error:
            log.warning("a watch broke", extra={"path": path, "error": str(error)[:300]})
        await asyncio.sleep(PAUSES[min(failures, len(PAUSES) - 1)])
        failures += 1


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


class NoDiffBase(kopf.DiffBaseStorage):
    """Keeps nothing to compare with; what kopf would compare is most of what an event costs it."""

    def build(self, **_: Any) -> kopf.BodyEssence:
        """Nothing is essential."""
        return kopf.BodyEssence({})

    def fetch(self, **_: Any) -> kopf.BodyEssence | None:
        """Nothing was kept."""
        return None

    def store(self, **_: Any) -> None:
        """Keep nothing."""


class NoProgress(kopf.ProgressStorage):
    """Keeps no progress of handlers: those here are called and forgotten."""

    def fetch(self, **_: Any) -> None:
        """Nothing was kept."""

    def store(self, **_: Any) -> None:
        """Keep nothing."""

    def purge(self, **_: Any) -> None:
        """There is nothing to remove."""

    def touch(self, **_: Any) -> None:
        """There is nothing to touch."""

    def clear(self, *, essence: kopf.BodyEssence) -> kopf.BodyEssence:
        """There is nothing to clear."""
        return essence


def configure(settings: kopf.OperatorSettings, **_: Any) -> None:
    """Nothing is stored in objects, nobody is told, nothing is scanned: a watcher and no more."""
    settings.persistence.diffbase_storage = NoDiffBase()
    settings.persistence.progress_storage = NoProgress()
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
