"""What administrators say: guard, policies, windows, emergency stops, the ladder."""

from golive_api.conditions import ConditionType
from golive_api.golive import GateState, WindowStatus
from golive_api.reasons import Reason
from golive_decisions import windows
from golive_decisions.facts import Facts
from golive_decisions.objections import Objection


def admission_unguarded(facts: Facts) -> Objection | None:
    """Forged writes are not refused, so nothing that the object says can be trusted."""
    if facts.guard_errors is not None and not facts.guard_errors:
        return None
    message = "; ".join(facts.guard_errors) if facts.guard_errors else "the API server's guard was not tried"
    return Objection(Reason.ADMISSION_UNGUARDED, message, ConditionType.ADMISSION_GUARDED)


def policy_missing(facts: Facts) -> Objection | None:
    """Nobody said what may be asked for, or not in a way that can be read."""
    if facts.terms is not None and not facts.policy_error:
        return None
    if facts.policy_error:
        return Objection(Reason.POLICY_UNREADABLE, facts.policy_error, ConditionType.READY)
    message = (
        f"no ActivationPolicy applies to namespace {facts.subject.namespace}: an administrator applies one"
    )
    return Objection(Reason.POLICY_MISSING, message, ConditionType.READY)


def profile_not_allowed(facts: Facts) -> Objection | None:
    """The request names a rung that a policy does not allow."""
    terms = facts.terms
    if terms is None or terms.profile in terms.allowed_profiles:
        return None
    allowed = ", ".join(sorted(terms.allowed_profiles)) or "none"
    message = f"profile {terms.profile} is not allowed by {', '.join(terms.policies)} (allowed: {allowed})"
    return Objection(Reason.PROFILE_NOT_ALLOWED, message, ConditionType.READY)


def ladder_not_climbed(facts: Facts) -> Objection | None:
    """The rung before this one has not been stood on long enough."""
    terms, history = facts.terms, facts.subject.status.history
    stood = {rung.profile: rung.open_seconds for rung in history.rungs} if history else {}
    for step in terms.ladder if terms else ():
        seconds = stood.get(step.after, 0)
        if seconds < step.minimum_open_seconds:
            message = (
                f"profile {step.profile} needs {step.minimum_open_seconds} s open with {step.after} first, "
                f"so far {seconds} s"
            )
            return Objection(Reason.LADDER_NOT_CLIMBED, message, ConditionType.READY)
    return None


def window_now(facts: Facts) -> WindowStatus | str:
    """What the windows say now, or why they can't be read."""
    try:
        return windows.judge(facts.terms.windows if facts.terms else (), facts.read_time)
    except windows.WindowUnreadableError as error:
        return str(error)


def window_closed(facts: Facts) -> Objection | None:
    """Outside every Allow window, or inside a Deny window."""
    window = window_now(facts)
    if isinstance(window, str):
        return Objection(Reason.WINDOW_UNREADABLE, window, ConditionType.WINDOW_OPEN)
    if facts.terms is None:
        return Objection(Reason.WINDOW_CLOSED, "no policy, no window", ConditionType.WINDOW_OPEN)
    if window.state is GateState.OPEN:
        return None
    again = f"; next open {window.next_open}" if window.next_open else "; no next opening in sight"
    return Objection(Reason.WINDOW_CLOSED, window.reason + again, ConditionType.WINDOW_OPEN)


def emergency_stop_applied(facts: Facts) -> Objection | None:
    """A person stopped the engine by an object."""
    if facts.stops is None:
        message = "EmergencyStops were not read"
        return Objection(Reason.EMERGENCY_STOP_UNKNOWN, message, ConditionType.SAFETY_CLEAR)
    holding = [stop for stop in facts.stops if not stop.released_by]
    if not holding:
        return None
    message = "; ".join(f"EmergencyStop {stop.name}: {stop.reason}" for stop in holding)
    return Objection(Reason.EMERGENCY_STOP_APPLIED, message, ConditionType.SAFETY_CLEAR)
