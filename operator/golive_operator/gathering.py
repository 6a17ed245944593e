"""Reads everything that a decision rests on, live, in one pass, into frozen facts."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

from pydantic import ValidationError

from golive_api.acknowledgement import lease_name, read_acknowledgement
from golive_api.engine_report import HTTP_PORT_NAME
from golive_api.gate import GATE_LABEL, GateRecord, GateUnreadableError, gate_name
from golive_api.golive import Activation, GateState, GateStatus, GoLiveSpec, GoLiveStatus
from golive_api.profiles import CapitalProfileSpec
from golive_api.reasons import Reason
from golive_api.values import parse_time
from golive_decisions.facts import EngineFacts, Facts, GateFacts, Preflight, ProfileFacts, Subject
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
from golive_operator.guarding import Guard
from golive_operator.probing import Prober


class Gatherer:
    """Turns one GoLive's name into facts. Raises ClusterError when anything could not be read."""

    def __init__(self, cluster: Cluster, guard: Guard, prober: Prober, approvals_needed: int) -> None:
        self._cluster, self._guard, self._prober = cluster, guard, prober
        self._approvals_needed = approvals_needed

    async def gather(self, namespace: str, name: str, epoch: int) -> tuple[Object, Object | None, Facts]:
        """The GoLive and its gate as read, and the facts. Raises MissingError when there is no GoLive."""
        read_time = datetime.now(UTC)
        golive = await self._cluster.get(paths.golive(namespace, name))
        subject = read_subject(golive)
        gate = await self._optional(paths.core(namespace, "configmaps", gate_name(name)))
        facts = Facts(read_time, epoch, self._approvals_needed, subject, read_gate(gate))
        spec = subject.spec
        if spec is None or subject.deleting or spec.activation is not Activation.ENABLED:
            return golive, gate, facts
        guard, rivals, profile, engine = await asyncio.gather(
            self._guard.errors(golive),
            self._rivals(subject, spec),
            self._profile(spec.request.profile),
            self._engine(namespace, spec.request.engine_ref.name, read_time),
        )
        full = Facts(
            read_time=read_time,
            epoch=epoch,
            approvals_needed=self._approvals_needed,
            subject=subject,
            gate=read_gate(gate),
            guard_errors=guard,
            rivals=rivals,
            profile=profile,
            engine=engine,
        )
        return golive, gate, full

    async def _optional(self, path: str) -> Object | None:
        try:
            return await self._cluster.get(path)
        except MissingError:
            return None

    async def _rivals(self, subject: Subject, spec: GoLiveSpec) -> tuple[str, ...]:
        """Other GoLives that want this engine's gate open."""
        others = await self._cluster.list(paths.golives(subject.namespace))
        return tuple(
            sorted(
                other["metadata"]["name"]
                for other in others
                if other["metadata"]["uid"] != subject.uid
                and other["spec"].get("activation") == Activation.ENABLED.value
                and other["spec"].get("request", {}).get("engineRef", {}).get("name")
                == spec.request.engine_ref.name
            )
        )

    async def _profile(self, name: str) -> ProfileFacts:
        found = await self._optional(paths.capital_profile(name))
        if found is None:
            return ProfileFacts(None)
        try:
            return ProfileFacts(CapitalProfileSpec.model_validate(found.get("spec")).limits)
        except ValidationError as error:
            return ProfileFacts(None, _first(error))

    async def _engine(self, namespace: str, name: str, read_time: datetime) -> EngineFacts:
        deployment = await self._optional(paths.apps(namespace, "deployments", name))
        if deployment is None:
            return EngineFacts(exists=False)
        template = template_of(deployment)
        contents, replica_sets, pods, lease = await asyncio.gather(
            self._contents(namespace, mounted_objects(template)),
            self._cluster.list(paths.apps(namespace, "replicasets")),
            self._cluster.list(paths.core(namespace, "pods"), labelSelector=_selector(deployment)),
            self._optional(paths.lease(namespace, lease_name(name))),
        )
        missing = tuple(
            f"{mounted.kind}/{mounted.name}"
            for mounted, found in contents.items()
            if found is None and not mounted.optional
        )
        judged = judge_pods(deployment, replica_sets, pods)
        holder = _holder(lease, read_time)
        trading = next((pod for pod in pods if pod["metadata"]["name"] == holder), None)
        return EngineFacts(
            exists=True,
            missing_objects=missing,
            identity=None if missing else identity(template, contents),
            config_digests=value_digests(
                found for mounted, found in contents.items() if found and mounted.kind == "configmaps"
            ),
            pods=judged,
            holder=holder,
            acknowledgement=_acknowledgement(lease) if holder else None,
            preflight=await self._ask(trading, read_time) if trading else None,
            shown_state=(deployment["metadata"].get("labels") or {}).get(GATE_LABEL, ""),
        )

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

    async def _ask(self, pod: Object, read_time: datetime) -> Preflight | None:
        host, port = pod.get("status", {}).get("podIP"), _http_port(pod)
        return await self._prober.ask(host, port, read_time) if host and port else None


def read_subject(golive: Object) -> Subject:
    """The GoLive as facts; a spec with unknown values is None, and status that can't be read is empty."""
    metadata = golive["metadata"]
    spec, error = None, ""
    try:
        spec = GoLiveSpec.model_validate(golive.get("spec"))
    except ValidationError as invalid:
        error = _first(invalid)
    try:
        status = GoLiveStatus.model_validate(golive.get("status") or {})
    except ValidationError as invalid:
        spec, error, status = None, f"status: {_first(invalid)}", _burned(golive)
    return Subject(
        namespace=metadata["namespace"],
        name=metadata["name"],
        uid=metadata["uid"],
        generation=metadata.get("generation", 0),
        deleting="deletionTimestamp" in metadata,
        spec=spec,
        spec_error=error,
        status=status,
    )


def _burned(golive: Object) -> GoLiveStatus:
    """In place of a status that can't be read: it may hold a burn, so this revision counts as burned."""
    said = (golive.get("spec", {}).get("revision"), _burned_revision(golive))
    gate = GateStatus(
        state=GateState.CLOSED,
        reason=Reason.SPEC_UNREADABLE.value,
        epoch=0,
        serial=0,
        burned_revision=max((number for number in said if isinstance(number, int)), default=1),
    )
    return GoLiveStatus(gate=gate)


def _burned_revision(golive: Object) -> Any:
    gate = golive["status"].get("gate")
    return gate.get("burnedRevision") if isinstance(gate, dict) else None


def read_gate(gate: Object | None) -> GateFacts:
    """The gate's ConfigMap as facts."""
    if gate is None:
        return GateFacts(exists=False)
    data = gate.get("data") or {}
    try:
        return GateFacts(exists=True, record=GateRecord.from_data(data), state_text=data.get("state", ""))
    except GateUnreadableError:
        return GateFacts(exists=True, state_text=data.get("state", ""))


def _first(error: ValidationError) -> str:
    detail = error.errors()[0]
    return f"{'.'.join(map(str, detail['loc']))}: {detail['msg']}"[:500]


def _selector(deployment: Object) -> str:
    labels = deployment.get("spec", {}).get("selector", {}).get("matchLabels") or {}
    return ",".join(f"{key}={value}" for key, value in sorted(labels.items()))


def _http_port(pod: Object) -> int | None:
    for container in pod.get("spec", {}).get("containers") or []:
        for port in container.get("ports") or []:
            if port.get("name") == HTTP_PORT_NAME:
                return int(port["containerPort"])
    return None


def _holder(lease: Object | None, read_time: datetime) -> str | None:
    """The Lease's holder, while its renewal is younger than its duration."""
    spec: dict[str, Any] = (lease or {}).get("spec") or {}
    try:
        renewed = parse_time(spec.get("renewTime") or "")
    except ValueError:
        return None
    duration = timedelta(seconds=spec.get("leaseDurationSeconds") or 0)
    return (spec.get("holderIdentity") or None) if read_time - renewed < duration else None


def _acknowledgement(lease: Object | None) -> Any:
    return read_acknowledgement((lease or {}).get("metadata", {}).get("annotations") or {})
