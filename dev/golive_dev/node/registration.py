"""The Node object and its Lease: what makes the scheduler send pods here."""

import asyncio
import logging
import os
import platform
from datetime import UTC, datetime

from golive_dev.node.api_client import ApiClient, ApiError, Json, until_answered
from golive_dev.node.settings import NodeSettings
from golive_dev.node.status import timestamp

log = logging.getLogger(__name__)

LEASE_SECONDS = 40
"""Validity of the node's Lease, the kubelet's."""

KUBELET_VERSION = "v1.37.1"
"""Version of the kubelet whose doings are imitated; the scheduler and kubectl look at it."""

_LEASES = "/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases"

CONFLICT, NOT_FOUND = 409, 404


def machine_resources() -> dict[str, str]:
    """Processors and memory of this machine, and a kubelet's usual number of pods."""
    memory_kib = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 1024
    return {
        "cpu": str(os.cpu_count() or 1),
        "memory": f"{memory_kib}Ki",
        "pods": "110",
        "ephemeral-storage": "100Gi",
    }


def node_object(settings: NodeSettings) -> Json:
    """The Node to create."""
    labels = {
        "kubernetes.io/hostname": settings.name,
        "kubernetes.io/os": "linux",
        "kubernetes.io/arch": {"x86_64": "amd64", "aarch64": "arm64"}.get(platform.machine(), "unknown"),
    }
    return {"apiVersion": "v1", "kind": "Node", "metadata": {"name": settings.name, "labels": labels}}


def node_status(settings: NodeSettings, port: int, ready_since: datetime, now: datetime) -> Json:
    """The Node's status with a heartbeat of `now`."""
    resources = machine_resources()
    condition = {
        "type": "Ready",
        "status": "True",
        "reason": "ProcessNodeReady",
        "message": "runs containers as local processes",
        "lastHeartbeatTime": timestamp(now),
        "lastTransitionTime": timestamp(ready_since),
    }
    return {
        "capacity": resources,
        "allocatable": resources,
        "conditions": [condition],
        "addresses": [
            {"type": "InternalIP", "address": settings.node_address},
            {"type": "Hostname", "address": settings.name},
        ],
        "daemonEndpoints": {"kubeletEndpoint": {"Port": port}},
        "nodeInfo": {
            "architecture": platform.machine(),
            "bootID": "",
            "containerRuntimeVersion": "process://1",
            "kernelVersion": platform.release(),
            "kubeProxyVersion": "",
            "kubeletVersion": KUBELET_VERSION,
            "machineID": "",
            "operatingSystem": "linux",
            "osImage": "none: processes of this machine",
            "systemUUID": "",
        },
    }


class Registration:
    """Keeps the Node and its Lease in being."""

    def __init__(self, client: ApiClient, settings: NodeSettings, port: int) -> None:
        self._client = client
        self._settings = settings
        self._port = port
        self._ready_since = datetime.now(UTC)

    async def keep(self) -> None:
        """Register, then beat for ever; what the server refuses is logged and tried again."""
        while True:
            try:
                await until_answered(self._beat)
            except ApiError as error:
                log.warning("heartbeat refused: %s", error)
            await asyncio.sleep(self._settings.heartbeat_seconds)

    async def _beat(self) -> None:
        """Say that the node is well; register it first if it isn't known."""
        path = f"/api/v1/nodes/{self._settings.name}"
        now = datetime.now(UTC)
        body = {"status": node_status(self._settings, self._port, self._ready_since, now)}
        try:
            node = await self._client.patch(f"{path}/status", body)
        except ApiError as error:
            if error.status != NOT_FOUND:
                raise
            await self._client.create("/api/v1/nodes", node_object(self._settings))
            node = await self._client.patch(f"{path}/status", body)
        await self._renew_lease(node, now)

    async def _renew_lease(self, node: Json, now: datetime) -> None:
        """Renew the Lease, by which the cluster tells a dead node soonest."""
        spec = {
            "holderIdentity": self._settings.name,
            "leaseDurationSeconds": LEASE_SECONDS,
            "renewTime": f"{now:%Y-%m-%dT%H:%M:%S}.{now.microsecond:06d}Z",
        }
        try:
            await self._client.patch(
                f"{_LEASES}/{self._settings.name}", {"spec": spec}, "application/merge-patch+json"
            )
        except ApiError as error:
            if error.status != NOT_FOUND:
                raise
            owner = {
                "apiVersion": "v1",
                "kind": "Node",
                "name": self._settings.name,
                "uid": node["metadata"]["uid"],
            }
            metadata = {"name": self._settings.name, "ownerReferences": [owner]}
            await self._client.create(_LEASES, {"metadata": metadata, "spec": spec})
