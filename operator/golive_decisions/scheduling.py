"""When preflight has to be run again, and when a window's boundary has to be met."""

from datetime import timedelta

from golive_api.golive import GateState, WindowStatus
from golive_api.values import parse_time
from golive_decisions import windows
from golive_decisions.admission import window_now
from golive_decisions.approvals import current_digest
from golive_decisions.facts import Facts
from golive_decisions.objections import Objection
from golive_decisions.preflight import all_passed
from golive_decisions.ways_back import PATIENT

RUNS_PER_AGE = 3
"""Preflight is run this often within maxAgeSeconds, so that one lost run does not shut the gate."""

READY_SECONDS = 20
"""A request that waits for nothing but people, or its window, is kept ready by a run this often."""

SHARE_IN_A_CROWD = 0.7
"""After this share of maxAgeSeconds instead, where each of many objects is looked at less often than that."""

OPENING_SECONDS = 30
"""No gate opens on a run older than this: it is run once more first."""

RETRY_SECONDS = 10
"""What did not pass is tried again after this time."""


AFTERWARDS_SECONDS = 0.05
"""A look that is to find something due comes this much later."""


def is_open(facts: Facts) -> bool:
    """Whether this revision's gate stands open now: to keep it so is no opening."""
    record, spec = facts.gate.record, facts.subject.spec
    return (
        record is not None
        and spec is not None
        and record.state is GateState.OPEN
        and (record.uid, record.revision) == (facts.subject.uid, spec.revision)
        and facts.read_time < parse_time(record.valid_until)
    )


def _began(facts: Facts) -> timedelta | None:
    """Age of the last run for what stands there now; None without one."""
    run, status = facts.run, facts.subject.status
    engine, digest = facts.engine, current_digest(facts)
    if engine is None or digest is None:
        return None
    if run is not None:
        return facts.read_time - run.began if (run.pod, run.digest) == (engine.holder, digest) else None
    before = status.preflight  # another leader's run
    if before is None or before.run_time is None or status.digest != digest:
        return None
    same_pod = status.engine is not None and status.engine.pod == engine.holder
    return facts.read_time - parse_time(before.run_time) if same_pod else None


def run_age(facts: Facts) -> float | None:
    """Seconds since the last run for what stands there now began; None without one, or from the future."""
    age = _began(facts)
    return age.total_seconds() if age is not None and age >= timedelta(0) else None


def too_old_to_open(facts: Facts) -> bool:
    """Whether preflight has to be run before the gate may open."""
    if facts.terms is not None and not facts.terms.preflight_required:
        return False
    age = run_age(facts)
    return age is None or age > OPENING_SECONDS


def run_due(facts: Facts, blocking: list[Objection], resync_seconds: float) -> bool:
    """Whether to run preflight now: on a schedule, on demand, before an opening."""
    terms, engine = facts.terms, facts.engine
    if terms is None or engine is None or engine.report is None or current_digest(facts) is None:
        return False  # nobody to ask, or nothing that a result could speak of
    age = run_age(facts)
    if age is None or _asked_for(facts):
        return True
    if not blocking and not is_open(facts) and too_old_to_open(facts):
        return True
    return age >= _period(facts, blocking, resync_seconds)


def until_run(facts: Facts, blocking: list[Objection], resync_seconds: float) -> float | None:
    """Seconds until preflight is due by its schedule; None where nobody can be asked, or it is due already."""
    age = run_age(facts)
    if age is None or facts.terms is None or facts.engine is None or facts.engine.report is None:
        return None
    left = _period(facts, blocking, resync_seconds) - age
    return left + AFTERWARDS_SECONDS if left > 0 else None


def _asked_for(facts: Facts) -> bool:
    before = facts.subject.status.preflight
    seen = facts.run.request if facts.run else (before.request_seen if before else "")
    return bool(facts.subject.preflight_requested) and facts.subject.preflight_requested != seen


def _waits_patiently(blocking: list[Objection]) -> bool:
    return bool(blocking) and all(objection.reason.value in PATIENT for objection in blocking)


def _period(facts: Facts, blocking: list[Objection], resync_seconds: float) -> float:
    """Seconds from one run's begin to the next one's."""
    most = facts.terms.max_age_seconds if facts.terms else 0
    usual = most / RUNS_PER_AGE
    if not all_passed(facts):
        return min(usual, RETRY_SECONDS)
    if _waits_patiently(blocking):
        # In a crowd nobody is kept ready: preflight runs once more when people have agreed.
        return most * SHARE_IN_A_CROWD if resync_seconds > READY_SECONDS else min(usual, READY_SECONDS)
    return usual


def until_boundary(facts: Facts) -> float | None:
    """Seconds until the windows' verdict changes; None if it never does."""
    window = window_now(facts)
    if facts.terms is None or not isinstance(window, WindowStatus):
        return None
    return windows.until_next(window, facts.read_time)
