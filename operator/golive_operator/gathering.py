"""Reads everything that a decision rests on, live, into frozen facts."""

import asyncio
import time
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from golive_api.acknowledgement import lease_name, read_acknowledgement
from golive_api.engine_report import HTTP_PORT_NAME
from golive_api.gate import gate_name
from golive_api.golive import Activation, GoLiveSpec
from golive_api.values import parse_time
from golive_decisions.approvals import current_digest
from golive_decisions.facts import EngineFacts, Facts, Subject
from golive_operator import paths
from golive_operator.cluster import Cluster, MissingError, Object
from golive_operator.engines import Engine, Engines, relied_on_seconds
from golive_operator.guarding import Guard
from golive_operator.interests import Interest
from golive_operator.own_writes import Gates
from golive_operator.preflight_runs import Runs, Target
from golive_operator.probing import Prober
from golive_operator.reading import read_gate, read_profile, read_stops, read_subject, read_terms
from golive_operator.shared_reads import SHARED_SECONDS, Moment, SharedReads


@dataclass(frozen=True, slots=True)
class Since:
    """On what a look may rest. Nothing that was read before anything was heard of the object counts, ever."""

    heard: float
    """Monotonic time at which the object was last heard to have changed."""
    live: bool
    """Whether every read has to have begun with this look, or with what was heard: so for what opens."""
    lists_from: float = 0.0
    """Monotonic time before which no list counts: the engine has a new word, or preflight has run, since."""
    objects: int = 1
    """How many objects share this operator."""


@dataclass(frozen=True, slots=True)
class Gathered:
    """What one look has found."""

    golive: Object
    gate: Object | None
    facts: Facts
    live: bool
    """Whether nothing of it was read before the look, or what it was woken by."""
    interest: Interest
    """What the object depends on, as far as it was read."""


class Gatherer:
    """Turns one GoLive's name into facts. Raises ClusterError when anything could not be read."""

    def __init__(  # each reads a part
        self, cluster: Cluster, guard: Guard, prober: Prober, runs: Runs, gates: Gates | None = None
    ) -> None:
        self._cluster, self._guard, self._prober, self._runs = cluster, guard, prober, runs
        self._shared = SharedReads(cluster)
        self.engines = Engines(cluster)
        self._gates = gates or Gates()

    async def gather(self, namespace: str, name: str, epoch: int, since: Since | None = None) -> Gathered:
        """Everything about one object. Raises MissingError when there is no GoLive."""
        begin = Moment.now()
        since = since or Since(begin.monotonic, live=True)
        lists, engines = _not_before(begin.monotonic, since)
        listed, gate = await asyncio.gather(
            self._shared.list(paths.golives(namespace), lists), self._gate(namespace, name, since)
        )
        golive = next((each for each in listed.items if each["metadata"]["name"] == name), None)
        if golive is None:
            raise MissingError(f"no GoLive {namespace}/{name}")
        subject = read_subject(golive)
        began = _earlier(begin, listed.began)
        facts = Facts(began.time, epoch, subject, read_gate(gate))
        spec = subject.spec
        if spec is None or subject.deleting or spec.activation is not Activation.ENABLED:
            return Gathered(golive, gate, facts, since.live, Interest())
        engine_name = spec.request.engine_ref.name
        guard, engine, stops, leases, policies, profiles = await asyncio.gather(
            self._guard.errors(golive),
            self.engines.read(namespace, engine_name, engines),
            self._shared.list(paths.emergency_stops(namespace), lists),
            self._shared.list(paths.lease(namespace), lists),
            self._shared.list(paths.activation_policies(), lists),
            self._shared.list(paths.capital_profiles(), lists),
        )
        terms, error = read_terms(policies.items, namespace, spec)
        for other in (stops, leases, policies, profiles):
            began = _earlier(began, other.began)
        full = replace(
            facts,
            read_time=began.time,
            guard_errors=guard,
            policy_error=error,
            terms=terms,
            stops=read_stops(stops.items, engine_name),
            rivals=_rivals(listed.items, subject, spec),
            profile=read_profile(_named(profiles.items, terms.profile) if terms else None),
            engine=await self._at_work(engine, _named(leases.items, lease_name(engine_name)), began.time),
            run=self._runs.last(subject.uid),
        )
        interest = Interest(engine_name, engine.selector, engine.mounted)
        return Gathered(golive, gate, full, since.live, interest)

    async def _gate(self, namespace: str, name: str, since: Since) -> Object | None:
        """The gate, as the last write has left it where nothing was heard since: the next write is guarded."""
        oldest = time.monotonic() - relied_on_seconds(since.objects)
        remembered = None if since.live else self._gates.last(namespace, name, since.heard, oldest)
        if remembered is not None:
            return remembered
        return await self._optional(paths.core(namespace, "configmaps", gate_name(name)))

    async def _at_work(self, engine: Engine, lease: Object | None, read_time: datetime) -> EngineFacts:
        """With what changes while an engine works: who holds its Lease, and what that pod says of itself."""
        if not engine.facts.exists:
            return engine.facts
        holder = _holder(lease, read_time)
        trading = (engine.pods or {}).get(holder or "")
        address = address_of(trading) if trading else None
        return replace(
            engine.facts,
            holder=holder,
            acknowledgement=_acknowledgement(lease) if holder else None,
            report=await self._prober.status(*address) if address else None,
        )

    async def _optional(self, path: str) -> Object | None:
        try:
            return await self._cluster.get(path)
        except MissingError:
            return None

    async def target(self, golive: Object, facts: Facts) -> Target | None:
        """Whom preflight asks; None where no pod trades."""
        spec, engine = facts.subject.spec, facts.engine
        if spec is None or engine is None or engine.holder is None:
            return None
        namespace = facts.subject.namespace
        pod = await self._optional(paths.core(namespace, "pods", engine.holder))
        address = address_of(pod) if pod else None
        if address is None:
            return None
        return Target(
            namespace=namespace,
            engine=spec.request.engine_ref.name,
            golive=golive["metadata"]["name"],
            pod=engine.holder,
            host=address[0],
            port=address[1],
            digest=current_digest(facts),
            request=facts.subject.preflight_requested,
        )


def _not_before(begin: float, since: Since) -> tuple[float, float]:
    """Monotonic times before which no list, and nothing about an engine, may have been begun."""
    if since.live:
        return max(since.heard, since.lists_from), since.heard
    return (
        max(since.heard, since.lists_from, begin - SHARED_SECONDS),
        max(since.heard, begin - relied_on_seconds(since.objects)),
    )


def _earlier(one: Moment, other: Moment) -> Moment:
    return one if one.time <= other.time else other


def _named(objects: list[Object], name: str) -> Object | None:
    return next((each for each in objects if each["metadata"]["name"] == name), None)


def _rivals(golives: list[Object], subject: Subject, spec: GoLiveSpec) -> tuple[str, ...]:
    """Other GoLives that want this engine's gate open."""
    return tuple(
        sorted(
            other["metadata"]["name"]
            for other in golives
            if other["metadata"]["uid"] != subject.uid
            and other["spec"].get("activation") == Activation.ENABLED.value
            and other["spec"].get("request", {}).get("engineRef", {}).get("name")
            == spec.request.engine_ref.name
        )
    )


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
