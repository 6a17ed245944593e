"""What a pod may be told about itself: fields and resources of the downward API."""

import re
from collections.abc import Mapping

from golive_dev.node.api_client import Json
from golive_dev.node.quantities import in_units_of

_KEYED = re.compile(r"metadata\.(labels|annotations)\['(.+)'\]")


class FieldError(ValueError):
    """A field path that this node can't resolve."""


def pod_field(pod: Json, path: str) -> str:
    """The value of a `fieldRef`, with addresses from the pod's own status.

    Raises:
        FieldError: Not a field of the downward API.
    """
    metadata, spec, status = pod["metadata"], pod["spec"], pod.get("status", {})
    if keyed := _KEYED.fullmatch(path):
        return str((metadata.get(keyed[1]) or {}).get(keyed[2], ""))
    if path in {"metadata.labels", "metadata.annotations"}:
        return _formatted_map(metadata.get(path.partition(".")[2]) or {})
    plain = {
        "metadata.name": metadata["name"],
        "metadata.namespace": metadata["namespace"],
        "metadata.uid": metadata["uid"],
        "spec.nodeName": spec.get("nodeName", ""),
        "spec.serviceAccountName": spec.get("serviceAccountName", ""),
        "status.podIP": status.get("podIP", ""),
        "status.podIPs": ",".join(entry["ip"] for entry in status.get("podIPs", ())),
        "status.hostIP": status.get("hostIP", ""),
        "status.hostIPs": ",".join(entry["ip"] for entry in status.get("hostIPs", ())),
    }
    if path not in plain:
        raise FieldError(f"unsupported fieldPath: {path}")
    return str(plain[path])


def _formatted_map(entries: Mapping[str, str]) -> str:
    """Sorted `key="escaped value"` lines, as in a downward API volume."""
    escape = str.maketrans({"\\": r"\\", '"': r"\"", "\n": r"\n"})
    return "\n".join(f'{key}="{entries[key].translate(escape)}"' for key in sorted(entries))


def container_resource(container: Json, selector: Json, allocatable: Mapping[str, str]) -> str:
    """The value of a `resourceFieldRef`; a missing limit is all that the node has.

    Raises:
        FieldError: Not a resource of the downward API.
    """
    kind, _, name = selector["resource"].partition(".")
    if kind not in {"limits", "requests"} or not name:
        raise FieldError(f"unsupported resource: {selector['resource']}")
    resources = container.get("resources") or {}
    stated = (resources.get(kind) or {}).get(name)
    fallback = allocatable.get(name, "0") if kind == "limits" else "0"
    divisor = str(selector.get("divisor") or "1")
    return in_units_of(str(stated or fallback), "1" if divisor == "0" else divisor)
