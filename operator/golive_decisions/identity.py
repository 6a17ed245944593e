"""What an engine is: its pod template and what that mounts, and whether its pods are just that."""

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from golive_api.gate import GATE_PREFIX
from golive_decisions.facts import PodFacts

Json = Mapping[str, Any]
"""A Kubernetes object, or a part of one."""

_HASH_LABEL = "pod-template-hash"
_COMPARED = ("image", "command", "args", "env", "envFrom", "workingDir", "ports", "securityContext")
"""Fields of a container in which a pod must equal its template; admission may add volume mounts."""


@dataclass(frozen=True, slots=True, order=True)
class Mounted:
    """A ConfigMap or Secret that the template refers to."""

    kind: str
    """configmaps or secrets, as in the API's path."""
    name: str
    optional: bool
    """Whether the pod starts without it."""


_COMPARED_OF_POD = ("hostAliases", "dnsConfig", "hostNetwork", "shareProcessNamespace")
"""Fields of a pod in which it must equal its template."""

_TOKEN_VOLUME = "kube-api-access-"  # noqa: S105  # a volume's name, no password
"""The volume that admission adds to every pod."""


def template_of(workload: Json) -> dict[str, Any]:
    """The pod template, without the label that only a ReplicaSet's copy has."""
    template = dict(workload.get("spec", {}).get("template", {}))
    metadata = {
        key: value for key, value in (template.get("metadata") or {}).items() if key != "creationTimestamp"
    }
    labels = {key: value for key, value in (metadata.get("labels") or {}).items() if key != _HASH_LABEL}
    return {**template, "metadata": {**metadata, "labels": labels}}


def _containers(spec: Json) -> Iterator[Json]:
    yield from spec.get("initContainers") or []
    yield from spec.get("containers") or []


def _references(spec: Json) -> Iterator[tuple[str, str, bool]]:
    """Every (kind, name, optional) in volumes and environment."""
    for volume in spec.get("volumes") or []:
        sources = [volume, *((volume.get("projected") or {}).get("sources") or [])]
        for source in sources:
            config, secret = source.get("configMap"), source.get("secret")
            if config:
                yield "configmaps", config.get("name", ""), bool(config.get("optional"))
            if secret:
                name = secret.get("secretName") or secret.get("name", "")
                yield "secrets", name, bool(secret.get("optional"))
    for container in _containers(spec):
        for variable in container.get("env") or []:
            source = variable.get("valueFrom") or {}
            yield from _environment(source.get("configMapKeyRef"), source.get("secretKeyRef"))
        for source in container.get("envFrom") or []:
            yield from _environment(source.get("configMapRef"), source.get("secretRef"))


def _environment(config: Json | None, secret: Json | None) -> Iterator[tuple[str, str, bool]]:
    if config:
        yield "configmaps", config.get("name", ""), bool(config.get("optional"))
    if secret:
        yield "secrets", secret.get("name", ""), bool(secret.get("optional"))


def mounted_objects(template: Json) -> tuple[Mounted, ...]:
    """ConfigMaps and Secrets behind the template, gates left out: they change with every renewal."""
    strict: dict[tuple[str, str], bool] = {}
    for kind, name, optional in _references(template.get("spec", {})):
        if kind == "configmaps" and name.startswith(GATE_PREFIX):
            continue
        strict[kind, name] = strict.get((kind, name), True) and optional
    return tuple(sorted(Mounted(kind, name, optional) for (kind, name), optional in strict.items()))


def identity(template: Json, contents: Mapping[Mounted, Json | None]) -> dict[str, Any]:
    """What an approval is bound to: the template, ConfigMaps by content, Secrets by version."""
    parts: dict[str, Any] = {}
    for mounted, found in contents.items():
        key = f"{mounted.kind}/{mounted.name}"
        if found is None:
            parts[key] = None
        elif mounted.kind == "configmaps":
            parts[key] = {"data": found.get("data") or {}, "binaryData": found.get("binaryData") or {}}
        else:
            metadata = found.get("metadata", {})
            parts[key] = {"uid": metadata.get("uid"), "resourceVersion": metadata.get("resourceVersion")}
    return {"template": template, "mounted": parts}


def value_digests(config_maps: Iterable[Json]) -> frozenset[str]:
    """SHA-256 of each value, as an engine reports of the files that it has loaded."""
    return frozenset(
        hashlib.sha256(str(value).encode()).hexdigest()
        for config_map in config_maps
        for value in (config_map.get("data") or {}).values()
    )


def _controller(owned: Json) -> str | None:
    owners = owned.get("metadata", {}).get("ownerReferences") or []
    return next((owner.get("uid") for owner in owners if owner.get("controller")), None)


def _differences(template: Json, pod: Json) -> tuple[str, ...]:
    spec, wanted = pod.get("spec", {}), template.get("spec", {})
    found = ["ephemeral container"] if spec.get("ephemeralContainers") else []
    found += [field for field in _COMPARED_OF_POD if (spec.get(field) or None) != (wanted.get(field) or None)]
    volumes = [volume for volume in spec.get("volumes") or [] if not volume["name"].startswith(_TOKEN_VOLUME)]
    found += ["volumes"] if volumes != (wanted.get("volumes") or []) else []
    running = {container["name"]: container for container in _containers(spec)}
    for container in _containers(wanted):
        actual = running.pop(container["name"], {})
        found += [
            f"{container['name']}.{field}"
            for field in _COMPARED
            if (actual.get(field) or None) != (container.get(field) or None)
        ]
    return tuple(found + [f"unknown container {name}" for name in running])


def _ended(pod: Json) -> bool:
    return pod.get("status", {}).get("phase") in {"Succeeded", "Failed"}


def judge_pods(deployment: Json, replica_sets: Iterable[Json], pods: Iterable[Json]) -> tuple[PodFacts, ...]:
    """The Deployment's pods that have not ended, each compared with the present template."""
    template = template_of(deployment)
    uid = deployment.get("metadata", {}).get("uid")
    owned = {
        replica_set["metadata"]["uid"]: template_of(replica_set) == template
        for replica_set in replica_sets
        if _controller(replica_set) == uid
    }
    return tuple(
        PodFacts(
            name=pod["metadata"]["name"],
            follows_template=owned[owner],
            differences=_differences(template, pod) if owned[owner] else (),
        )
        for pod in pods
        if (owner := _controller(pod)) in owned and owner is not None and not _ended(pod)
    )
