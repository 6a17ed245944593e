"""People are told what happened to which gate, why, by whom, and what to run next; each of it once."""

from dataclasses import replace
from typing import Any

import pytest

from golive_api.conditions import Condition
from golive_api.golive import Recorded
from golive_api.values import render_time
from golive_decisions import chaining, noticing
from golive_decisions.facts import StopFacts
from golive_decisions.recording import due_acts

OPENED = {
    "activations": 1,
    "lastActivatedTime": "2026-11-20T12:00:00.000000Z",
    "lastActivatedRevision": 1,
    "lastOperators": ["trader", "approver"],
}
CLOSED = {
    **OPENED,
    "lastClosedTime": "2026-11-20T12:01:30.000000Z",
    "lastOpenTime": "2026-11-20T12:01:30.000000Z",
    "lastClosedReason": "PreflightStale",
}
STOPS = (StopFacts("s1", "loss"),)
RELEASED = (StopFacts("s1", "loss", "chief", "a bad tick, the venue confirmed it"),)


def told(watcher: Any, **changes: Any) -> list[noticing.Notice]:
    """The notices of whatever is new."""
    sight = replace(watcher.sight, **changes)
    notices = [noticing.of_act(act, sight) for act in due_acts(sight, watcher.recorded)]
    return [notice for notice in notices if notice is not None]


def what(notice: noticing.Notice) -> str:
    """The subject without gate and time."""
    return notice.subject.removeprefix("trading/perps: ").rpartition(" (")[0]


def test_each_act_that_people_wait_for_is_told(watcher: Any, approval: Any, status: Any) -> None:
    """In the words of its subject."""
    watcher.look()
    said = watcher.spec(approvals=[approval("approver"), approval("deputy", verdict="Rejected")])
    table = {
        "approver approved revision 1 (1 of 2)": {"spec": said},
        "deputy rejected revision 1": {"spec": said},
        "EMERGENCY STOP s1": {"stops": STOPS},
        "emergency stop s1 is lifted": {"stops": RELEASED},
        "OPEN with profile unknown (activation 1, revision 1)": {"status": status("Open", "Open", **OPENED)},
        "CLOSED: PreflightStale": {"status": status("Closed", "PreflightStale", **CLOSED)},
        "ROLLED BACK: PreflightStale": {"status": status("Closed", "PreflightStale", burned=1, **CLOSED)},
    }
    missing = {
        subject for subject, changes in table.items() if subject not in map(what, told(watcher, **changes))
    }
    assert missing == set()


def test_a_request_tells_who_asks_and_how_to_approve(watcher: Any) -> None:
    """A notice is something that a person can act on."""
    (notice,) = told(watcher)
    assert what(notice) == "trader requested revision 1"
    assert "Reason: ApprovalsMissing: Fewer people than needed have approved this revision." in notice.text
    assert "By: trader" in notice.text
    assert (
        notice.text.splitlines()[-1]
        == "Next: somebody else reads and runs kubectl golive approve perps -n trading"
    )


def test_a_comment_is_told(watcher: Any, approval: Any) -> None:
    """It says what was checked."""
    watcher.look()
    (notice,) = told(watcher, spec=watcher.spec(approvals=[approval("approver")]))
    assert "Comment: limits checked" in notice.text


def test_an_approval_that_is_taken_back_is_told(watcher: Any, approval: Any) -> None:
    """The gate may have shut because of it."""
    watcher.look(spec=watcher.spec(approvals=[approval("approver")]))
    assert [what(notice) for notice in told(watcher, spec=watcher.spec())] == [
        "taken back: approval/1/approver"
    ]


def test_attestations_and_failed_attempts_are_told_by_no_notice_of_their_own(
    watcher: Any, attestation: Any, status: Any
) -> None:
    """There are too many of them; they stand in the records and in status."""
    watcher.look()
    assert told(watcher, spec=watcher.spec(attestations=[attestation("runbooks")])) == []
    assert told(watcher, status=status(reason="EngineNotRunning")) == []


def test_news_never_repeat_a_subject_nor_what_was_last_said(watcher: Any, approval: Any) -> None:
    """Approved, taken back, approved again: deliveries of the same subject are not sent."""
    agreed = watcher.spec(approvals=[approval("approver")])
    notices = []
    for spec in agreed, watcher.spec(), agreed:
        notices += told(watcher, spec=spec)
        watcher.look(spec=spec)
    subjects = [notice.subject for notice in notices]
    assert len(set(subjects)) == len(subjects) == 4
    about = [notice.content for notice in notices if notice.topic == "uid-1/approval/1/approver"]
    assert len(about) == 3
    assert about[0] != about[1] != about[2]


def with_preflight(sight: Any, value: str, reason: str) -> Any:
    """The look with another result of preflight."""
    time = render_time(sight.time)
    condition = Condition(
        type="PreflightPassed", status=value, reason=reason, message="seen", last_transition_time=time
    )
    kept = [each for each in sight.status.conditions if each.type != "PreflightPassed"]
    return replace(sight, status=sight.status.model_copy(update={"conditions": [*kept, condition]}))


def test_preflight_that_begins_to_fail_is_told_once(watcher: Any) -> None:
    """Not while it goes on failing, even for other reasons, and again after it has passed."""
    recorded, subjects = Recorded(), []
    for value, reason in [
        ("Unknown", "NotEvaluated"),
        ("False", "PreflightPending"),
        ("False", "HealthLiveFailed"),
        ("False", "MetricsMissing"),
        ("True", "PreflightPassed"),
        ("False", "MetricsMissing"),
    ]:
        news = noticing.marks(with_preflight(watcher.sight, value, reason), recorded)
        recorded = chaining.marked(recorded, [seen for seen, _ in news])
        subjects += [what(notice) for _, notice in news if notice]
    assert subjects == ["preflight failed: HealthLiveFailed", "preflight failed: MetricsMissing"]


def test_a_test_notice_is_sent_once_for_each_value(watcher: Any) -> None:
    """Whoever asks again changes the value."""
    recorded, subjects = Recorded(), []
    for value in "", "now", "now", "later":
        news = noticing.marks(replace(watcher.sight, test_notice=value), recorded)
        recorded = chaining.marked(recorded, [seen for seen, _ in news])
        subjects += [notice.subject for _, notice in news if notice]
    assert subjects == ["trading/perps: test notice (now)", "trading/perps: test notice (later)"]


@pytest.mark.parametrize("letters", [1, 5000])
def test_a_notice_is_never_too_long(watcher: Any, approval: Any, letters: int) -> None:
    """Chat services refuse long ones."""
    watcher.look()
    (notice,) = told(
        watcher, spec=watcher.spec(approvals=[approval("a" * 200, comment="c" * min(letters, 1024))])
    )
    assert len(notice.subject) <= 250
    assert len(notice.text) <= noticing.MOST_TEXT
