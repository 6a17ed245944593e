"""What is in a volume: each kind of source as a mapping from file path to content."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from golive_dev.node.api_client import Json
from golive_dev.node.downward import FieldError, container_resource, pod_field
from golive_dev.node.environment import ObjectKey, Sources, object_data

DEFAULT_MODE = 0o644
"""Permission of a file for which the volume names none."""

_REFERRING = {
    "configMap": ("configmaps", "name"),
    "secret": ("secrets", "secretName"),
}


class VolumeError(Exception):
    """The volume can't be set up as things stand; worth trying again."""


@dataclass(frozen=True)
class File:
    """One file of a volume."""

    content: bytes
    """What is in it."""

    mode: int = DEFAULT_MODE
    """Its permission bits."""


Payload = dict[str, File]
"""Relative path → file."""

TokenKey = tuple[str, int]
"""Audience (empty for the API server's own) and lifetime in seconds."""


def payload_sources(volume: Json) -> Iterator[tuple[str, Json]]:
    """The (kind, source) pairs a volume is made from; none for folders such as emptyDir."""
    for kind in ("configMap", "secret", "downwardAPI"):
        if kind in volume:
            yield kind, volume[kind]
    for part in (volume.get("projected") or {}).get("sources") or ():
        yield from part.items()


def volume_objects(volume: Json) -> Iterator[ObjectKey]:
    """The ConfigMaps and Secrets that a volume is made from."""
    for kind, source in payload_sources(volume):
        if kind in _REFERRING:
            yield _object_key(kind, source)


def volume_tokens(volume: Json) -> Iterator[TokenKey]:
    """The ServiceAccount tokens that a volume holds."""
    for kind, source in payload_sources(volume):
        if kind == "serviceAccountToken":
            yield token_key(source)


def token_key(source: Json) -> TokenKey:
    """What makes two tokens of one pod interchangeable."""
    return source.get("audience", ""), int(source.get("expirationSeconds") or 3600)


def _object_key(kind: str, source: Json) -> ObjectKey:
    """In a projected volume a Secret goes by `name`, in a volume of its own by `secretName`."""
    plural, own_field = _REFERRING[kind]
    return plural, source.get(own_field) or source["name"]


def render_volume(volume: Json, sources: Sources, tokens: Mapping[TokenKey, str]) -> Payload:
    """All files of a volume; of two sources with the same path the later wins.

    Raises:
        VolumeError: Something required is missing.
    """
    whole: Json = next(
        (volume[kind] for kind in ("configMap", "secret", "downwardAPI", "projected") if kind in volume), {}
    )
    mode = whole.get("defaultMode", DEFAULT_MODE)
    payload: Payload = {}
    for kind, source in payload_sources(volume):
        payload.update(_render(kind, source, mode, sources, tokens))
    return payload


def _render(kind: str, source: Json, mode: int, sources: Sources, tokens: Mapping[TokenKey, str]) -> Payload:
    """The files of one source."""
    match kind:
        case "configMap" | "secret":
            return _render_object(kind, source, mode, sources)
        case "downwardAPI":
            return {item["path"]: _render_item(item, mode, sources) for item in source.get("items", ())}
        case "serviceAccountToken":
            # Whatever the volume's mode: the pod runs as the node's own user.
            return {source["path"]: File(tokens[token_key(source)].encode(), 0o600)}
        case _:
            raise VolumeError(f"unsupported projected source: {kind}")


def _render_object(kind: str, source: Json, mode: int, sources: Sources) -> Payload:
    """The keys of a ConfigMap or Secret, all or those chosen."""
    plural, name = key = _object_key(kind, source)
    found = sources.objects.get(key)
    optional = bool(source.get("optional"))
    if found is None:
        if optional:
            return {}
        raise VolumeError(f'{plural.removesuffix("s")} "{name}" not found')
    data = object_data(plural, found)
    if "items" not in source:
        return {path: File(content, mode) for path, content in data.items()}
    payload: Payload = {}
    for item in source["items"]:
        if item["key"] in data:
            payload[item["path"]] = File(data[item["key"]], item.get("mode", mode))
        elif not optional:
            raise VolumeError(f"references non-existent {plural.removesuffix('s')} key: {item['key']}")
    return payload


def _render_item(item: Json, mode: int, sources: Sources) -> File:
    """One file of the downward API."""
    try:
        if "fieldRef" in item:
            text = pod_field(sources.pod, item["fieldRef"]["fieldPath"])
        else:
            selector = item["resourceFieldRef"]
            containers = sources.pod["spec"]["containers"]
            container = next(each for each in containers if each["name"] == selector["containerName"])
            text = container_resource(container, selector, sources.allocatable)
    except (FieldError, ValueError, StopIteration) as error:
        raise VolumeError(f"{item['path']}: {error}") from error
    return File(text.encode(), item.get("mode", mode))
