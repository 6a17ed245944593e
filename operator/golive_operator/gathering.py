"""Reads everything that a decision rests on, live, into frozen facts."""

import asyncio
import time
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from golive_api.acknowledgement import lease_name, read_acknowledgement
from golive_api.gate import gate_name
from golive_api.golive import Activation
from golive_api.values import parse_time
from golive_decisions.approvals import current_digest
from golive_decisions.facts import EngineFacts, Facts
from golive_operator import paths
from golive_operator.claims import Claim, Claims
from golive_operator.cluster import Cluster, MissingError, Object
from golive_operator.engines import Engines, relied_on_seconds
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
    address: tuple[str, int] | None = None
    """Where the trading pod answers."""


class Gatherer:
    """Turns one GoLive's name into facts. Raises ClusterError when anything could not be read."""

    def __init__(  # each reads a part
        self, cluster: Cluster, guard: Guard, prober: Prober, runs: Runs, gates: Gates | None = None
    ) -> None:
        self._cluster, self._guard, self._prober, self._runs = cluster, guard, prober, runs
        self._shared = SharedReads(cluster)
        self.engines, self._claims = Engines(cluster), Claims(self._shared)
        self._gates = gates or Gates()

    async def gather(self, namespace: str, name: str, epoch: int, since: Since | None = None) -> Gathered:
        """Everything about one object. Raises MissingError when there is no GoLive."""
        begin = Moment.now()
        since = since or Since(begin.monotonic, live=True)
        lists, engines = _not_before(begin.monotonic, since)
        if since.live and not self._gates.left_open(namespace, name):
            # What an opening needs is on its way while the object is read; what closes needs nothing else.
            for path in _lists(namespace):
                self._shared.begin(path, lists)
        golive, gate = await asyncio.gather(
            self._golive(namespace, name, since), self._gate(namespace, name, since)
        )
        subject = read_subject(golive)
        facts = Facts(begin.time, epoch, subject, read_gate(gate))
        spec = subject.spec
        if spec is None or subject.deleting or spec.activation is not Activation.ENABLED:
            return Gathered(golive, gate, facts, since.live, Interest())
        engine_name = spec.request.engine_ref.name
        (guard, claims, engine), (stops, leases, policies, profiles) = await asyncio.gather(
            asyncio.gather(
                self._guard.errors(golive),
                self._claims.read(namespace, engines),
                self.engines.read(namespace, engine_name, engines),
            ),
            asyncio.gather(*(self._shared.list(path, lists) for path in _lists(namespace))),
        )
        terms, error = read_terms(policies.items, namespace, spec)
        began = min(
            begin, *(each.began for each in (stops, leases, policies, profiles)), key=lambda at: at.time
        )
        lease = _named(leases.items, lease_name(engine_name)) if engine.facts.exists else None
        holder = _holder(lease, began.time)
        address = engine.addresses.get(holder or "")
        full = replace(
            facts,
            read_time=began.time,
            guard_errors=guard,
            policy_error=error,
            terms=terms,
            stops=read_stops(stops.items, engine_name),
            rivals=_rivals(claims, subject.uid, engine_name),
            profile=read_profile(_named(profiles.items, terms.profile) if terms else None),
            engine=await self._at_work(engine.facts, lease, holder, address),
            run=self._runs.last(subject.uid),
        )
        interest = Interest(engine_name, engine.selector, engine.mounted)
        return Gathered(golive, gate, full, since.live, interest, address)

    async def _golive(self, namespace: str, name: str, since: Since) -> Object:
        """The object. Raises MissingError."""
        if since.live:
            # No list: one waits until the API server's cache has caught up, up to a tenth of a second.
            return await self._cluster.get(paths.golive(namespace, name))
        # A list of one comes out of that cache, and is as fresh as a get, at half the price.
        found = await self._cluster.list(paths.golives(namespace), fieldSelector=f"metadata.name={name}")
        if not found:
            raise MissingError(f"no GoLive {namespace}/{name}")
        return found[0]

    async def _gate(self, namespace: str, name: str, since: Since) -> Object | None:
        """The gate, as the last write has left it where nothing was heard since: the next write is guarded."""
        oldest = time.monotonic() - relied_on_seconds(since.objects)
        remembered = None if since.live else self._gates.last(namespace, name, since.heard, oldest)
        if remembered is not None:
            return remembered
        return await self._optional(paths.core(namespace, "configmaps", gate_name(name)))

    async def _at_work(
        self, engine: EngineFacts, lease: Object | None, holder: str | None, address: tuple[str, int] | None
    ) -> EngineFacts:
        """With what changes while an engine works: who holds its Lease, and what that pod says of itself."""
        return replace(
            engine,
            holder=holder,
            acknowledgement=_acknowledgement(lease) if holder else None,
            report=await self._prober.status(*address) if address else None,
        )

    async def _optional(self, path: str) -> Object | None:
        try:
            return await self._cluster.get(path)
        except MissingError:
            return None


def target_of(found: Gathered) -> Target | None:
    """Whom preflight asks; None where no pod trades."""
    facts = found.facts
    spec, engine = facts.subject.spec, facts.engine
    if spec is None or engine is None or engine.holder is None or found.address is None:
        return None
    return Target(
        namespace=facts.subject.namespace,
        engine=spec.request.engine_ref.name,
        golive=facts.subject.name,
        pod=engine.holder,
        host=found.address[0],
        port=found.address[1],
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


def _lists(namespace: str) -> tuple[str, ...]:
    """Where stops, Leases, policies and profiles are listed."""
    return (
        paths.emergency_stops(namespace),
        paths.lease(namespace),
        paths.activation_policies(),
        paths.capital_profiles(),
    )


def _named(objects: list[Object], name: str) -> Object | None:
    return next((each for each in objects if each["metadata"]["name"] == name), None)


def _rivals(claims: tuple[Claim, ...], uid: str, engine: str) -> tuple[str, ...]:
    """Other GoLives that want this engine's gate open."""
    return tuple(sorted(claim.name for claim in claims if claim.engine == engine and claim.uid != uid))


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
