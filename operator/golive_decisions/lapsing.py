"""A gate that was shut for longer than the bound does not open by itself."""

from datetime import timedelta

from golive_api.conditions import ConditionType
from golive_api.golive import GateState
from golive_api.reasons import Reason
from golive_api.values import parse_time
from golive_decisions.facts import Facts
from golive_decisions.objections import Objection
from golive_decisions.ways_back import PATIENT


def _max_gap(facts: Facts) -> timedelta:
    spec, terms = facts.subject.spec, facts.terms
    asked = spec.request.observation.max_gap_seconds if spec else 0
    return timedelta(seconds=terms.max_gap_seconds if terms else asked)


def gate_lapsed(facts: Facts) -> Objection | None:
    """Nobody renewed the open gate, or something held it shut, for too long."""
    shut_since = _lapsed_since(facts) or _held_since(facts)
    if shut_since is None:
        return None
    gap, most = facts.read_time - parse_time(shut_since), _max_gap(facts)
    if gap <= most:
        return None
    message = (
        f"not open since {shut_since}, longer than {most.total_seconds():.0f} s; "
        "set activation Disabled, then Enabled, and have it approved again"
    )
    return Objection(Reason.GATE_LAPSED, message, ConditionType.READY)


def _lapsed_since(facts: Facts) -> str | None:
    """When this revision's open gate ran out."""
    record, spec = facts.gate.record, facts.subject.spec
    if record is None or spec is None or record.state is GateState.CLOSED:
        return None
    same = record.uid == facts.subject.uid and record.revision == spec.revision
    return record.valid_until if same else None


def _held_since(facts: Facts) -> str | None:
    """Since when this revision, once open, is held shut by something that may go away by itself."""
    gate, spec, history = facts.subject.status.gate, facts.subject.spec, facts.subject.status.history
    if gate is None or spec is None or history is None or gate.opened_revision != spec.revision:
        return None
    if gate.state is not GateState.CLOSED or gate.reason in PATIENT:
        return None
    return history.last_open_time
