"""Who has approved what: revision, object and digest must all be today's."""

from golive_api.conditions import ConditionType
from golive_api.digest import combined, differing_parts
from golive_api.golive import Approval
from golive_api.reasons import Reason
from golive_decisions.facts import Facts
from golive_decisions.objections import Objection

_CHANGED = {
    "request": Reason.REQUEST_CHANGED,
    "profile": Reason.PROFILE_CHANGED,
    "engine": Reason.ENGINE_CHANGED,
}


def current_digest(facts: Facts) -> str | None:
    """What an approval given now would be bound to; None while any part of it is unknown."""
    spec, profile, engine = facts.subject.spec, facts.profile, facts.engine
    if spec is None or profile is None or profile.limits is None or engine is None or engine.identity is None:
        return None
    return combined(spec.request.wire(), profile.limits.wire(), engine.identity)


def _admissible(facts: Facts) -> list[Approval]:
    """Approvals of this revision of this object by others than the requester, one per person."""
    spec = facts.subject.spec
    if spec is None:
        return []
    requester = spec.requested_by.lower()
    by_person = {
        approval.user.lower(): approval
        for approval in spec.approvals
        if approval.revision == spec.revision
        and approval.uid == facts.subject.uid
        and approval.user.lower() != requester
        and not approval.user.startswith("system:")
    }
    return list(by_person.values())


def valid_approvals(facts: Facts) -> list[Approval]:
    """Admissible approvals that are bound to today's digest."""
    digest = current_digest(facts)
    return [approval for approval in _admissible(facts) if digest is not None and approval.digest == digest]


def approvals_missing(facts: Facts) -> Objection | None:
    """Too few people approved, or what they approved has changed since."""
    valid, needed = valid_approvals(facts), facts.approvals_needed
    if needed >= 1 and len(valid) >= needed:
        return None
    stale = [approval for approval in _admissible(facts) if approval not in valid]
    digest = current_digest(facts)
    if stale and digest is not None:
        parts = differing_parts(stale[0].digest, digest)
        who = ", ".join(approval.user for approval in stale)
        return Objection(
            _CHANGED[parts[-1]],
            f"{' and '.join(parts)} changed since {who} approved: have it approved again",
            ConditionType.APPROVED,
        )
    return Objection(
        Reason.APPROVALS_MISSING,
        f"{len(valid)} of {needed} approvals: another person runs `kubectl golive approve "
        f"{facts.subject.name} -n {facts.subject.namespace}`",
        ConditionType.APPROVED,
    )
