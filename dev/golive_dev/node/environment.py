"""A container's environment and command line, from its spec and what the spec refers to."""

import base64
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from golive_dev.node.api_client import Json
from golive_dev.node.downward import FieldError, container_resource, pod_field

_REFERENCE = re.compile(r"\$(\$|\(([^()]*)\))")

ObjectKey = tuple[str, str]
"""Plural kind (`configmaps` or `secrets`) and name, in the pod's namespace."""


class ConfigError(Exception):
    """The container can't be created as its spec stands; the kubelet's CreateContainerConfigError."""


@dataclass(frozen=True)
class Sources:
    """Everything that an environment may draw from."""

    pod: Json
    """The pod, with its address in the status."""

    objects: Mapping[ObjectKey, Json | None]
    """ConfigMaps and Secrets referred to; None where there is none."""

    allocatable: Mapping[str, str]
    """The node's resources."""


def referenced_objects(container: Json) -> Iterator[ObjectKey]:
    """The ConfigMaps and Secrets that a container's environment refers to."""
    for origin in container.get("envFrom", ()):
        for field, plural in (("configMapRef", "configmaps"), ("secretRef", "secrets")):
            if field in origin:
                yield plural, origin[field]["name"]
    for variable in container.get("env", ()):
        origin = variable.get("valueFrom") or {}
        for field, plural in (("configMapKeyRef", "configmaps"), ("secretKeyRef", "secrets")):
            if field in origin:
                yield plural, origin[field]["name"]


def object_data(plural: str, found: Json) -> dict[str, bytes]:
    """All keys of a ConfigMap or Secret as bytes."""
    if plural == "secrets":
        return {key: base64.b64decode(value) for key, value in (found.get("data") or {}).items()}
    text = {key: value.encode() for key, value in (found.get("data") or {}).items()}
    binary = {key: base64.b64decode(value) for key, value in (found.get("binaryData") or {}).items()}
    return text | binary


def resolve_environment(container: Json, base: Mapping[str, str], sources: Sources) -> dict[str, str]:
    """The container's variables: `base`, then envFrom, then env, with `$(NAME)` expanded in order.

    Raises:
        ConfigError: Something required is missing, worded as the kubelet words it.
    """
    variables = dict(base)
    for origin in container.get("envFrom", ()):
        variables.update(_all_keys(origin, sources))
    for variable in container.get("env", ()):
        if origin := variable.get("valueFrom"):
            value = _value_from(origin, container, sources)
            if value is not None:
                variables[variable["name"]] = value
        else:
            variables[variable["name"]] = expand(variable.get("value", ""), variables)
    return variables


def _all_keys(origin: Json, sources: Sources) -> dict[str, str]:
    """All keys of one object, each with the prefix before it."""
    field, plural = ("configMapRef", "configmaps") if "configMapRef" in origin else ("secretRef", "secrets")
    reference = origin[field]
    found = sources.objects.get((plural, reference["name"]))
    if found is None:
        if reference.get("optional"):
            return {}
        raise ConfigError(_not_found(plural, reference["name"]))
    prefix = origin.get("prefix", "")
    return {prefix + key: _text(value) for key, value in object_data(plural, found).items()}


def _value_from(origin: Json, container: Json, sources: Sources) -> str | None:
    """One variable's value; None leaves it unset, which only `optional` allows."""
    try:
        if "fieldRef" in origin:
            return pod_field(sources.pod, origin["fieldRef"]["fieldPath"])
        if "resourceFieldRef" in origin:
            return container_resource(container, origin["resourceFieldRef"], sources.allocatable)
    except (FieldError, ValueError) as error:
        raise ConfigError(str(error)) from error
    if "configMapKeyRef" in origin:
        return _key_of("configmaps", origin["configMapKeyRef"], sources)
    if "secretKeyRef" in origin:
        return _key_of("secrets", origin["secretKeyRef"], sources)
    raise ConfigError(f"unsupported valueFrom: {', '.join(origin)}")


def _key_of(plural: str, reference: Json, sources: Sources) -> str | None:
    """One key of one object; None where it is missing and may be."""
    name, key = reference["name"], reference["key"]
    found = sources.objects.get((plural, name))
    data = object_data(plural, found) if found else {}
    if key in data:
        return _text(data[key])
    if reference.get("optional"):
        return None
    if found is None:
        raise ConfigError(_not_found(plural, name))
    kind = {"configmaps": "ConfigMap", "secrets": "Secret"}[plural]
    raise ConfigError(f"couldn't find key {key} in {kind} {sources.pod['metadata']['namespace']}/{name}")


def _not_found(plural: str, name: str) -> str:
    """The kubelet's words for an object that isn't there."""
    return f'{plural.removesuffix("s")} "{name}" not found'


def _text(value: bytes) -> str:
    """Bytes as a process gets them in its environment."""
    return value.decode(errors="surrogateescape")


def expand(text: str, variables: Mapping[str, str]) -> str:
    """`$(NAME)` replaced, `$$` as one dollar, unknown names left as they stand."""

    def replacement(match: re.Match[str]) -> str:
        return "$" if match[1] == "$" else variables.get(match[2], match[0])

    return _REFERENCE.sub(replacement, text)


def command_line(container: Json, variables: Mapping[str, str]) -> list[str]:
    """The container's command and arguments, expanded.

    Raises:
        ConfigError: No command; an image would have one, and this node has no images.
    """
    if not container.get("command"):
        raise ConfigError("no command specified: this node runs no images, so the container has to name one")
    return [expand(part, variables) for part in (*container["command"], *container.get("args", ()))]
