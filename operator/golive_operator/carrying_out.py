"""Writes what a plan says, each write guarded by the version that the plan was made from."""

import hashlib
import logging
from datetime import UTC, datetime
from typing import Any

from golive_api import API_VERSION
from golive_api.gate import GATE_LABEL, GateRecord, gate_name
from golive_api.golive import GateState
from golive_decisions.deciding import Event, Plan
from golive_operator import paths
from golive_operator.cluster import Cluster, ClusterError, ConflictError, MissingError, Object
from golive_operator.own_writes import Echoes, Gates

log = logging.getLogger(__name__)

EVENT_SOURCE = "golive-operator"
"""Component that events name."""


class CarryingOut:
    """The only writer of gates and of status."""

    def __init__(self, cluster: Cluster, identity: str, echoes: Echoes, gates: Gates | None = None) -> None:
        self._cluster, self._identity, self._echoes = cluster, identity, echoes
        self._gates = gates or Gates()

    async def carry_out(self, golive: Object, gate: Object | None, plan: Plan) -> bool:
        """Write status and gate; returns whether status was written.

        Raises:
            ConflictError: Either has changed since: read again, decide again.
        """
        if plan.status_first:
            # If status can't be written the object has changed, and what was decided is void.
            written = await self._write_status(golive, plan)
            await self._write_gate(golive, gate, plan)
        else:
            await self._write_gate(golive, gate, plan)
            written = await self._write_status(golive, plan)
        return written

    async def tell(self, golive: Object, plan: Plan) -> bool:
        """Show people what was done, when it is done; returns whether the Deployment was labelled."""
        for event in plan.events:
            await self._post(golive, event)
        return await self._label(golive, plan)

    async def _write_status(self, golive: Object, plan: Plan) -> bool:
        metadata = golive["metadata"]
        change = merge_patch(golive.get("status") or {}, plan.status.wire())
        if not change and (plan.gate is None or plan.renews):
            return False
        # Also when nothing changes but the gate will be opened: the guard proves that the object still stands.
        body = {"metadata": {"resourceVersion": metadata["resourceVersion"]}, "status": change}
        path = paths.golive(metadata["namespace"], metadata["name"], "status")
        with self._echoes.writing(metadata["uid"]):
            self._echoes.expect(await self._cluster.patch(path, body))
        return True

    async def _write_gate(self, golive: Object, gate: Object | None, plan: Plan) -> None:
        if plan.gate is None:
            return
        metadata = golive["metadata"]
        namespace, body = metadata["namespace"], gate_object(golive, plan.gate)
        if gate is None:
            if plan.gate.state is not GateState.CLOSED:
                raise ConflictError("a gate is born Closed")
            written = await self._cluster.create(paths.core(namespace, "configmaps"), body)
            self._echoes.expect(written)
        else:
            written = await self._change_gate(namespace, metadata["name"], gate, body)
        self._gates.remember(namespace, metadata["name"], written)

    async def _change_gate(self, namespace: str, name: str, gate: Object, body: Object) -> Object:
        body["metadata"]["resourceVersion"] = gate["metadata"]["resourceVersion"]
        body["data"] = merge_patch(gate.get("data") or {}, body["data"])
        try:
            with self._echoes.writing(gate["metadata"]["uid"]):
                written = await self._cluster.patch(paths.core(namespace, "configmaps", gate_name(name)), body)
                self._echoes.expect(written)
        except MissingError as error:
            self._gates.forget(namespace, name)
            raise ConflictError("the gate was deleted meanwhile") from error
        except ClusterError:
            self._gates.forget(namespace, name)
            raise
        return written

    async def _post(self, golive: Object, event: Event) -> None:
        """Events are for people: a lost one changes nothing."""
        metadata = golive["metadata"]
        body = event_object(golive, event, self._identity, datetime.now(UTC))
        path = paths.core(metadata["namespace"], "events")
        try:
            try:
                await self._cluster.create(path, body)
            except ConflictError:
                known = await self._cluster.get(f"{path}/{body['metadata']['name']}")
                again = {"count": int(known.get("count") or 1) + 1, "lastTimestamp": body["lastTimestamp"]}
                await self._cluster.patch(f"{path}/{body['metadata']['name']}", again)
        except ClusterError as error:
            log.warning("event not posted", extra={"error": str(error), "reason": event.reason})

    async def _label(self, golive: Object, plan: Plan) -> bool:
        """Show the gate on the Deployment, for people; never in its pod template."""
        spec, metadata = golive.get("spec") or {}, golive["metadata"]
        engine = spec.get("request", {}).get("engineRef", {}).get("name")
        if not plan.show_state or not engine:
            return False
        body = {"metadata": {"labels": {GATE_LABEL: plan.state.value}}}
        try:
            path = paths.apps(metadata["namespace"], "deployments", engine)
            self._echoes.expect(await self._cluster.patch(path, body))
        except MissingError:
            return False
        except ClusterError as error:
            log.warning("deployment not labelled", extra={"error": str(error), "deployment": engine})
            return False
        return True


def gate_object(golive: Object, record: GateRecord) -> Object:
    """The gate's ConfigMap, owned by the GoLive so that it goes with it."""
    metadata = golive["metadata"]
    owner = {
        "apiVersion": API_VERSION,
        "kind": "GoLive",
        "name": metadata["name"],
        "uid": metadata["uid"],
        "controller": True,
        "blockOwnerDeletion": False,
    }
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {
            "name": gate_name(metadata["name"]),
            "labels": {GATE_LABEL: metadata["name"]},
            "ownerReferences": [owner],
        },
        "data": record.data(),
    }


def event_object(golive: Object, event: Event, identity: str, now: datetime) -> Object:
    """A core/v1 event whose name follows from its content, so that a repeat meets the first one."""
    metadata = golive["metadata"]
    content = "\n".join((metadata["uid"], event.reason, event.message))
    moment = now.strftime("%Y-%m-%dT%H:%M:%SZ")
    return {
        "apiVersion": "v1",
        "kind": "Event",
        "metadata": {"name": f"{metadata['name']}.{hashlib.sha256(content.encode()).hexdigest()[:16]}"},
        "involvedObject": {
            "apiVersion": API_VERSION,
            "kind": "GoLive",
            "name": metadata["name"],
            "namespace": metadata["namespace"],
            "uid": metadata["uid"],
        },
        "type": "Warning" if event.warning else "Normal",
        "reason": event.reason,
        "message": event.message[:1024],
        "source": {"component": EVENT_SOURCE},
        "reportingComponent": EVENT_SOURCE,
        "reportingInstance": identity,
        "firstTimestamp": moment,
        "lastTimestamp": moment,
        "count": 1,
    }


def merge_patch(old: dict[str, Any], new: dict[str, Any]) -> dict[str, Any]:
    """The RFC 7386 patch that turns old into new; empty when they are equal."""
    patch: dict[str, Any] = {key: None for key in old if key not in new}
    for key, value in new.items():
        before = old.get(key)
        if isinstance(before, dict) and isinstance(value, dict):
            if inner := merge_patch(before, value):
                patch[key] = inner
        elif before != value:
            patch[key] = value
    return patch
