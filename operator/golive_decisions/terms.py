"""What is in force for one GoLive: of every policy that applies and the request itself, the strictest."""

from collections.abc import Iterable
from dataclasses import dataclass

from golive_api.golive import AcceptedRisk, GoLiveSpec, Requirement
from golive_api.ladder import RUNGS
from golive_api.policy import ActivationPolicySpec, Observability, Query, Rung, Webhook, Window


@dataclass(frozen=True, slots=True)
class Policy:
    """One ActivationPolicy by name."""

    name: str
    spec: ActivationPolicySpec


@dataclass(frozen=True, slots=True)
class Checks:
    """What policies want checked besides the six."""

    checklist_required: frozenset[str] = frozenset()
    """Items that hold the gate."""
    attestation_ttl_seconds: int = 0
    """After this a person's word for an item lapses."""
    webhooks: tuple[Webhook, ...] = ()
    """Every policy's; a name that two policies use counts twice."""
    queries: tuple[Query, ...] = ()
    """Every policy's."""
    observability: tuple[Observability, ...] = ()
    """Of each policy that names anything."""


@dataclass(frozen=True, slots=True)
class Terms:
    """The strictest of policies and request."""

    policies: tuple[str, ...]
    """Names of the policies, sorted."""
    approvals_needed: int
    required_groups: tuple[str, ...]
    """At least one approver speaks for each."""
    pending_ttl_seconds: int
    """A revision that has not been open for this long expires."""
    profile: str
    """The CapitalProfile that is asked for, or the lowest default."""
    allowed_profiles: frozenset[str]
    """What every policy allows."""
    ladder: tuple[Rung, ...]
    """Steps that lead to the profile, of every policy."""
    windows: tuple[tuple[Window, ...], ...]
    """Each policy's windows, of those that have any: all of them must let the gate open."""
    preflight_required: bool
    max_age_seconds: int
    risk_state: AcceptedRisk
    """The worst Global Risk that is accepted."""
    testnet_trades_needed: int
    """0 where no history is asked for."""
    ttl_seconds: int
    max_gap_seconds: int
    checks: Checks = Checks()


def applying(policies: Iterable[Policy], namespace: str) -> tuple[Policy, ...]:
    """Those that bound a namespace, by name."""
    found = [policy for policy in policies if not policy.spec.namespaces or namespace in policy.spec.namespaces]
    return tuple(sorted(found, key=lambda policy: policy.name))


def in_force(policies: tuple[Policy, ...], spec: GoLiveSpec) -> Terms | None:
    """The strictest of all; None where no policy applies, and then nothing may open."""
    if not policies:
        return None
    specs, request = [policy.spec for policy in policies], spec.request
    profile = request.profile or _lowest(each.profiles.default for each in specs)
    requirements = [request.preflight.requirement, *(each.preflight.requirement for each in specs)]
    ages = [request.preflight.max_age_seconds, *(each.preflight.max_age_seconds for each in specs)]
    gaps = [request.observation.max_gap_seconds, *(each.gate.max_gap_seconds for each in specs)]
    return Terms(
        policies=tuple(policy.name for policy in policies),
        approvals_needed=max(each.approvals.minimum for each in specs),
        required_groups=tuple(sorted({group for each in specs for group in each.approvals.required_groups})),
        pending_ttl_seconds=min(each.approvals.pending_ttl_seconds for each in specs),
        profile=profile,
        allowed_profiles=frozenset.intersection(*(frozenset(each.profiles.allowed) for each in specs)),
        ladder=tuple(step for each in specs for step in each.ladder if step.profile == profile),
        windows=tuple(tuple(each.windows) for each in specs if each.windows),
        preflight_required=Requirement.REQUIRED in requirements,
        max_age_seconds=min(ages),
        risk_state=_calmest([request.safety.risk_state, *(each.safety.risk_state for each in specs)]),
        testnet_trades_needed=max(_asked_trades(spec), *(each.safety.min_testnet_trades for each in specs)),
        ttl_seconds=_ttl_seconds(request.gate.ttl_seconds, specs),
        max_gap_seconds=min(gaps),
        checks=_checks(specs),
    )


def _checks(specs: list[ActivationPolicySpec]) -> Checks:
    """Everything that any policy wants checked."""
    return Checks(
        checklist_required=frozenset(item for each in specs for item in each.checklist.required),
        attestation_ttl_seconds=min(each.checklist.attestation_ttl_seconds for each in specs),
        webhooks=tuple(webhook for each in specs for webhook in each.webhooks),
        queries=tuple(query for each in specs for query in each.queries),
        observability=tuple(each.observability for each in specs if each.observability != Observability()),
    )


def _lowest(profiles: Iterable[str]) -> str:
    """The lowest rung; a profile that is no rung stands above all of them."""
    return min(profiles, key=lambda name: (RUNGS.index(name) if name in RUNGS else len(RUNGS), name))


def _calmest(states: Iterable[AcceptedRisk]) -> AcceptedRisk:
    return AcceptedRisk.OK if AcceptedRisk.OK in states else AcceptedRisk.WARNING


def _asked_trades(spec: GoLiveSpec) -> int:
    safety = spec.request.safety
    return safety.min_testnet_trades if safety.testnet_history is Requirement.REQUIRED else 0


def _ttl_seconds(asked: int, specs: list[ActivationPolicySpec]) -> int:
    """Raised to the highest minimum, then cut to the lowest maximum: sooner shut is stricter."""
    raised = max(asked, *(each.gate.min_ttl_seconds for each in specs))
    return min(raised, *(each.gate.max_ttl_seconds for each in specs))
