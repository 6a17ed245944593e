"""What an engine is, as read from its Deployment, pods and mounted objects; how long that may stand."""

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from golive_api.engine_report import HTTP_PORT_NAME
from golive_api.gate import GATE_LABEL
from golive_decisions.facts import EngineFacts
from golive_decisions.identity import (
    Mounted,
    identity,
    judge_pods,
    mounted_objects,
    template_of,
    value_digests,
)
from golive_operator import paths
from golive_operator.cluster import Cluster, MissingError, Object

SECONDS_PER_OBJECT = 0.05
"""So that all engines together are read at most twenty times a second, however many there are."""

SECONDS_PER_CLOSED_GATE = 0.1
"""So that closed gates are looked at for their own sake at most ten times a second."""

LEAST_SECONDS = 3.0
"""With few objects every look finds what it reads itself."""

MOST_SECONDS = 60.0
"""What no watch tells of, a Secret above all, is noticed within this while the gate is open."""

MOST_SECONDS_CLOSED = 120.0
"""The same while it is closed; nothing that was read before opens it."""


def relied_on_seconds(objects: int) -> float:
    """How long what an engine is may be relied on while nothing is heard of it."""
    return max(LEAST_SECONDS, min(MOST_SECONDS, objects * SECONDS_PER_OBJECT))


def closed_seconds(objects: int) -> float:
    """How long a closed gate may be left alone while nothing is heard, however soon it would be looked at."""
    return min(MOST_SECONDS_CLOSED, objects * SECONDS_PER_CLOSED_GATE)


@dataclass(frozen=True, slots=True)
class Engine:
    """One engine as it was read: everything but its Lease and its own report."""

    began: float
    """Monotonic time before the first read."""
    facts: EngineFacts
    selector: tuple[tuple[str, str], ...] = ()
    """Labels by which the Deployment selects its pods."""
    mounted: frozenset[str] = frozenset()
    """Names of the ConfigMaps behind the template."""
    addresses: Mapping[str, tuple[str, int]] = field(default_factory=dict)
    """Where each of its pods answers."""


class Engines:
    """Reads engines; one that was read a while ago stands for a look that may rest on it."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self._read: dict[tuple[str, str], Engine] = {}

    async def read(self, namespace: str, name: str, not_before: float) -> Engine:
        """The engine, as it was at that monotonic moment or later. Raises ClusterError."""
        known = self._read.get((namespace, name))
        if known is None or known.began < not_before:
            known = self._read[namespace, name] = await self._look(namespace, name)
        return known

    def labelled(self, namespace: str, name: str, state: str) -> None:
        """Its Deployment shows this state from now on."""
        if known := self._read.get((namespace, name)):
            self._read[namespace, name] = replace(known, facts=replace(known.facts, shown_state=state))

    async def _look(self, namespace: str, name: str) -> Engine:
        began = time.monotonic()
        deployment = await self._optional(paths.apps(namespace, "deployments", name))
        if deployment is None:
            return Engine(began, EngineFacts(exists=False))
        template, selector = template_of(deployment), _selector(deployment)
        wanted = ",".join(f"{key}={value}" for key, value in selector)
        contents, replica_sets, pods = await asyncio.gather(
            self._contents(namespace, mounted_objects(template)),
            self._cluster.list(paths.apps(namespace, "replicasets"), labelSelector=wanted),
            self._cluster.list(paths.core(namespace, "pods"), labelSelector=wanted),
        )
        missing = tuple(
            f"{mounted.kind}/{mounted.name}"
            for mounted, found in contents.items()
            if found is None and not mounted.optional
        )
        config_maps = {each: found for each, found in contents.items() if each.kind == "configmaps"}
        facts = EngineFacts(
            exists=True,
            missing_objects=missing,
            identity=None if missing else identity(template, contents),
            config_digests=value_digests(found for found in config_maps.values() if found),
            pods=judge_pods(deployment, replica_sets, pods),
            shown_state=(deployment["metadata"].get("labels") or {}).get(GATE_LABEL, ""),
        )
        found = ((pod["metadata"]["name"], address_of(pod)) for pod in pods)
        addresses = {pod: address for pod, address in found if address}
        return Engine(began, facts, selector, frozenset(each.name for each in config_maps), addresses)

    async def _optional(self, path: str) -> Object | None:
        try:
            return await self._cluster.get(path)
        except MissingError:
            return None

    async def _contents(self, namespace: str, objects: tuple[Mounted, ...]) -> dict[Mounted, Object | None]:
        async def read(mounted: Mounted) -> Object | None:
            path = paths.core(namespace, mounted.kind, mounted.name)
            try:
                if mounted.kind == "secrets":
                    return await self._cluster.metadata(path)
                return await self._cluster.get(path)
            except MissingError:
                return None

        found = await asyncio.gather(*(read(mounted) for mounted in objects))
        return dict(zip(objects, found, strict=True))


def address_of(pod: Object) -> tuple[str, int] | None:
    """Where a pod answers; None while it has no address."""
    host, port = pod.get("status", {}).get("podIP"), _http_port(pod)
    return (host, port) if host and port else None


def _http_port(pod: Object) -> int | None:
    for container in pod.get("spec", {}).get("containers") or []:
        for port in container.get("ports") or []:
            if port.get("name") == HTTP_PORT_NAME:
                return int(port["containerPort"])
    return None


def _selector(deployment: Object) -> tuple[tuple[str, str], ...]:
    labels = deployment.get("spec", {}).get("selector", {}).get("matchLabels") or {}
    return tuple(sorted(labels.items()))
