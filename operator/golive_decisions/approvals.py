"""Who has said what: revision, object and digest must all be today's, and one no outweighs every yes."""

from datetime import timedelta

from golive_api.conditions import ConditionType
from golive_api.digest import combined, differing_parts
from golive_api.golive import Approval, GateState, Verdict
from golive_api.reasons import Reason
from golive_api.values import parse_time
from golive_decisions.facts import Facts
from golive_decisions.objections import Objection
from golive_decisions.once import once

_CHANGED = {
    "request": Reason.REQUEST_CHANGED,
    "profile": Reason.PROFILE_CHANGED,
    "engine": Reason.ENGINE_CHANGED,
}


@once
def current_digest(facts: Facts) -> str | None:
    """What an approval given now would be bound to; None while any part of it is unknown."""
    spec, profile, engine = facts.subject.spec, facts.profile, facts.engine
    if spec is None or profile is None or profile.limits is None or engine is None or engine.identity is None:
        return None
    return combined(spec.request.wire(), profile.limits.wire(), engine.identity)


def admissible(facts: Facts, verdict: Verdict) -> list[Approval]:
    """Such words about this revision of this object by others than the requester, one per person."""
    spec = facts.subject.spec
    if spec is None:
        return []
    requester = spec.requested_by.lower()
    by_person = {
        approval.user.lower(): approval
        for approval in spec.approvals
        if approval.verdict is verdict
        and approval.revision == spec.revision
        and approval.uid == facts.subject.uid
        and approval.user.lower() != requester
        and not approval.user.startswith("system:")
    }
    return list(by_person.values())


@once
def valid_approvals(facts: Facts) -> list[Approval]:
    """Admissible approvals that are bound to today's digest."""
    digest = current_digest(facts)
    approvals = admissible(facts, Verdict.APPROVED)
    return [approval for approval in approvals if digest is not None and approval.digest == digest]


def rejected(facts: Facts) -> Objection | None:
    """Somebody said no, to whatever digest."""
    no = admissible(facts, Verdict.REJECTED)
    if not no:
        return None
    said = "; ".join(f"{each.user}: {each.comment or 'no comment'}" for each in no)
    message = f"rejected by {said}; change the request, or set activation Disabled, then Enabled"
    return Objection(Reason.REJECTED, message, ConditionType.APPROVED)


def request_expired(facts: Facts) -> Objection | None:
    """Nobody got this revision open in time, or open again."""
    spec, terms, history = facts.subject.spec, facts.terms, facts.subject.status.history
    if spec is None or terms is None or history is None or history.request_revision != spec.revision:
        return None  # it is seen for the first time
    gate = facts.subject.status.gate
    if gate is not None and gate.state is GateState.OPEN and gate.opened_revision == spec.revision:
        return None
    was_open = gate is not None and gate.opened_revision == spec.revision
    times = [history.request_time, history.last_open_time if was_open else None]
    latest = max((parse_time(time) for time in times if time), default=facts.read_time)
    if facts.read_time - latest <= timedelta(seconds=terms.pending_ttl_seconds):
        return None
    message = (
        f"revision {spec.revision} has not been open for {terms.pending_ttl_seconds} s; "
        "set activation Disabled, then Enabled, and have it approved again"
    )
    return Objection(Reason.REQUEST_EXPIRED, message, ConditionType.APPROVED)


def approvals_missing(facts: Facts) -> Objection | None:
    """Too few people approved, or what they approved has changed since."""
    valid, needed = valid_approvals(facts), facts.terms.approvals_needed if facts.terms else 0
    if needed >= 1 and len(valid) >= needed:
        return None
    stale = [approval for approval in admissible(facts, Verdict.APPROVED) if approval not in valid]
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


def approver_group_missing(facts: Facts) -> Objection | None:
    """A group that has to agree has not."""
    required = facts.terms.required_groups if facts.terms else ()
    spoken = {group for approval in valid_approvals(facts) for group in approval.groups}
    missing = [group for group in required if group not in spoken]
    if not missing:
        return None
    message = f"no approver speaks for {', '.join(missing)}"
    return Objection(Reason.APPROVER_GROUP_MISSING, message, ConditionType.APPROVED)
