"""Reads what is known about a GoLive: the object, its gate, its engine's Lease, the stops that hold it."""

from datetime import UTC, datetime
from typing import Any

from golive_api.acknowledgement import lease_name
from golive_api.gate import GATE_LABEL, gate_name
from kubectl_golive.cluster import Cluster, config_map_path, golive_path, lease_path, peek, stop_path
from kubectl_golive.gates import GateNow, gate_from_status, gate_now
from kubectl_golive.seen import Seen, selects

Document = dict[str, Any]


def read_one(cluster: Cluster, name: str) -> Seen:
    """Everything about one GoLive that the caller may see."""
    golive = cluster.call("GET", golive_path(cluster.namespace, name))
    engine = golive["spec"]["request"]["engineRef"]["name"]
    config_map = peek(cluster, config_map_path(cluster.namespace, gate_name(name)))
    lease = peek(cluster, lease_path(cluster.namespace, lease_name(engine)))
    stops = peek(cluster, stop_path(cluster.namespace))
    now = datetime.now(UTC)
    return Seen(
        golive=golive,
        gate=_gate(golive, config_map, lease, now),
        now=now,
        lease=lease,
        stops=None if stops is None else tuple(s for s in stops.get("items") or [] if selects(s, engine)),
    )


def read_all(cluster: Cluster, namespace: str | None) -> list[Seen]:
    """Each GoLive of a namespace, or of all, with its gate."""
    golives: list[Document] = cluster.call("GET", golive_path(namespace))["items"]
    gates = _gates(cluster, namespace, golives)
    leases = peek(cluster, lease_path(namespace)) if None in gates else None
    now = datetime.now(UTC)
    return [
        Seen(golive=golive, gate=_gate(golive, gate, _own_lease(golive, leases), now), now=now)
        for golive, gate in zip(golives, gates, strict=True)
    ]


def _gates(cluster: Cluster, namespace: str | None, golives: list[Document]) -> list[Document | None]:
    """Each GoLive's gate, with the meanings of `peek`: who may not list them may be allowed to read each."""
    listed = peek(cluster, f"{config_map_path(namespace)}?labelSelector={GATE_LABEL}")
    if listed is not None:
        return [_find(golive, listed, gate_name(golive["metadata"]["name"])) for golive in golives]
    found: list[Document | None] = []
    refused: set[str] = set()
    for golive in golives:
        where, name = golive["metadata"]["namespace"], gate_name(golive["metadata"]["name"])
        gate = None if where in refused else peek(cluster, config_map_path(where, name))
        refused |= {where} if gate is None else set()
        found.append(gate)
    return found


def _own_lease(golive: Document, leases: Document | None) -> Document | None:
    """Find its engine's Lease in a list of Leases, with the meanings of `peek`."""
    engine = golive["spec"]["request"]["engineRef"]["name"]
    return None if leases is None else _find(golive, leases, lease_name(engine))


def _find(golive: Document, listed: Document, name: str) -> Document:
    """The object of that name in the GoLive's namespace; empty if there is none."""
    wanted = (golive["metadata"]["namespace"], name)
    items: list[Document] = listed.get("items") or []
    found = (item for item in items if (item["metadata"]["namespace"], item["metadata"]["name"]) == wanted)
    return next(found, {})


def _gate(golive: Document, config_map: Document | None, lease: Document | None, now: datetime) -> GateNow:
    """The gate itself, or the operator's and the engine's words where the caller may not read the gate."""
    if config_map is None:
        return gate_from_status(golive, lease, now)
    return gate_now((config_map.get("data") or {}) if config_map else None, now)
