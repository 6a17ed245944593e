"""ActivationPolicies on a real API server: quorum, groups, windows, profiles, TTL; the strictest wins."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from golive_api.values import parse_time
from golive_dev.waiting import eventually

LATE_SECONDS = 3.0
"""A busy machine may be this late at a window's boundary."""


def window(name: str, effect: str, start: datetime, seconds: int) -> dict[str, object]:
    """A window that opens once."""
    text = start.strftime("%Y-%m-%dT%H:%M:%S")
    return {"name": name, "effect": effect, "start": text, "durationSeconds": seconds}


def test_two_people_have_to_agree_where_a_policy_says_two(desk: Any) -> None:
    """One approval is not enough, nor one person in two spellings; two people are."""
    desk.policy(approvals={"minimum": 2})
    desk.apply()
    desk.await_gate("Closed", "ApprovalsMissing")
    desk.approve_when_shown()
    eventually(lambda: desk.read()["status"]["approvalSummary"] == "1/2")
    assert desk.gate().state == "Closed"
    desk.approve_when_shown("third")
    record = desk.await_open()
    assert sorted(record.approvers) == ["approver", "third"]


def test_a_group_that_a_policy_requires_has_to_be_among_the_approvers(desk: Any) -> None:
    """Enough people are not enough while none of them speaks for the group."""
    desk.policy(approvals={"minimum": 1, "requiredGroups": ["risk"]})
    desk.operated.join("keeper", "risk")
    desk.grant("keeper", "golive-approver")
    desk.apply()
    desk.await_gate("Closed", "ApprovalsMissing")
    desk.approve_when_shown()
    desk.await_gate("Closed", "ApproverGroupMissing")
    desk.approve_when_shown("keeper", groups=["risk"])
    desk.await_open()


def test_a_gate_closes_with_its_window_and_opens_with_the_next_by_itself(desk: Any) -> None:
    """Closed outside, with the next opening shown; open at the boundary; closed at the window's end."""
    desk.policy()
    desk.open()
    soon = datetime.now(UTC).replace(microsecond=0) + timedelta(seconds=8)
    desk.policy(windows=[window("hours", "Allow", soon, 60)])
    desk.await_gate("Closed", "WindowClosed")
    assert parse_time(desk.read()["status"]["window"]["nextOpen"]) == soon
    desk.await_open(30)
    late = parse_time(desk.gate().issued_time) - soon
    assert late.total_seconds() >= 0
    shut = datetime.now(UTC).replace(microsecond=0) + timedelta(seconds=6)
    desk.policy(windows=[window("hours", "Allow", soon, 60), window("freeze", "Deny", shut, 60)])
    eventually(lambda: parse_time(desk.read()["status"]["window"]["nextClose"]) == shut)
    record = desk.await_gate("Closed", "WindowClosed", 30)
    assert 0 <= (parse_time(record.issued_time) - shut).total_seconds() <= LATE_SECONDS
    assert "freeze" in desk.message()


def test_closing_is_possible_outside_every_window(desk: Any) -> None:
    """No policy stands between a person and the brake."""
    desk.policy(windows=[window("never", "Allow", datetime(2020, 1, 1, tzinfo=UTC), 60)])
    desk.apply()
    desk.await_gate("Closed", "WindowClosed")
    desk.edit(activation="Disabled")
    desk.await_gate("Closed", "ActivationDisabled")


def test_a_profile_that_a_policy_does_not_allow_opens_nothing(new_desk: Callable[..., Any]) -> None:
    """The condition names what is allowed."""
    desk = new_desk(engine=False)
    desk.policy(profiles={"allowed": ["micro"]})
    desk.apply(profile="high")
    desk.await_gate("Closed", "ProfileNotAllowed")
    assert "(allowed: micro)" in desk.message()


def test_a_policy_that_grows_stricter_shuts_an_open_gate(desk: Any) -> None:
    """What was enough yesterday is not enough today; the revision stands, and one more approval opens it."""
    desk.open()
    desk.policy(approvals={"minimum": 2})
    desk.await_gate("Closed", "ApprovalsMissing")
    desk.approve_when_shown("third")
    desk.await_open()


def test_a_policy_cuts_the_time_to_live_that_a_request_asks_for(desk: Any) -> None:
    """The gate carries the policy's bound, not the request's wish."""
    desk.policy(gate={"maxTtlSeconds": 6})
    desk.apply(gate={"ttlSeconds": 60})
    desk.await_gate("Closed", "ApprovalsMissing")
    desk.approve_when_shown()
    assert desk.await_open().ttl_seconds == 6


def test_a_required_item_holds_the_gate_until_somebody_vouches_for_it(desk: Any) -> None:
    """The missing item is named; an attestation by a person with the right opens, and taking it back shuts."""
    desk.policy(checklist={"required": ["team-trained"]})
    desk.grant("approver", "golive-attester")
    desk.apply()
    desk.await_gate("Closed", "ApprovalsMissing")
    desk.approve_when_shown()
    desk.await_gate("Closed", "ChecklistIncomplete")
    desk.attest("approver", "team-trained")
    desk.await_open()
    desk.edit(attestations=[])
    desk.await_gate("Closed", "ChecklistIncomplete")
