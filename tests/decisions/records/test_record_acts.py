"""Each act is recorded once, whenever it is seen, and never because of a look alone."""

from typing import Any

import pytest

from golive_api.gate import GateRecord
from golive_api.golive import History, PreflightStatus
from golive_api.record import Act, breaks
from golive_api.values import render_time
from golive_decisions import chaining
from golive_decisions.facts import StopFacts
from golive_decisions.recording import MOST_ATTEMPTS, MOST_STOPS, due_acts

OPENED = {
    "activations": 1,
    "lastActivatedTime": "2026-11-20T12:00:00.000000Z",
    "lastActivatedRevision": 1,
    "lastOperators": ["trader", "approver"],
    "openSince": "2026-11-20T12:00:00.000000Z",
}
LIMITS = {
    "maxPositionNotional": "100",
    "maxPositions": 2,
    "maxLeverage": "2",
    "maxExposurePercent": "20",
    "maxMarginPercent": "10",
    "maxDailyLossPercent": "1.5",
    "maxWeeklyLossPercent": "10",
    "maxDrawdownPercent": "10",
    "maxTradeRiskPercent": "10",
    "maxCorrelatedExposurePercent": "10",
    "maxPriceDeviationPercent": "10",
    "maxPriceMovePercent": "10",
    "maxDailyTrades": 10,
    "maxOrdersPerMinute": 1000,
    "maxRepeatedOrders": 1000,
}
GATE = {
    "namespace": "trading",
    "name": "perps",
    "uid": "uid-1",
    "engine": "perps-engine",
    "environment": "production",
    "state": "Open",
    "reason": "Open",
    "epoch": 3,
    "serial": 2,
    "revision": 1,
    "digest": ".".join(["a" * 64, "b" * 64, "c" * 64]),
    "profile": "micro",
    "limits": LIMITS,
    "accounts": ["main"],
    "approvers": ["approver"],
    "requestedBy": "trader",
    "issuedTime": "2026-11-20T12:00:00.000000Z",
    "validUntil": "2026-11-20T12:00:15.000000Z",
    "ttlSeconds": 15,
}
CLOSED = {
    **OPENED,
    "openSince": None,
    "lastClosedTime": "2026-11-20T12:01:30.000000Z",
    "lastOpenTime": "2026-11-20T12:01:30.000000Z",
    "lastClosedReason": "PreflightStale",
}


def test_a_request_is_recorded_once_with_all_that_was_asked(watcher: Any) -> None:
    """Looks without news record nothing."""
    assert watcher.look() == [Act.REQUESTED]
    assert watcher.look() == []
    assert (watcher.last.users, watcher.last.revision, watcher.last.time) == (
        ["trader"],
        1,
        "2026-11-20T12:00:01.000000Z",
    )
    assert '"accounts":["main"]' in watcher.last.evidence["request"]
    assert watcher.last.evidence["admission"] == "Guarded"


def test_every_revision_is_a_request(watcher: Any) -> None:
    """And the approvals of the one before are no longer followed."""
    watcher.look()
    assert watcher.look(spec=watcher.spec(revision=2)) == [Act.REQUESTED]
    assert [seen.key for seen in watcher.recorded.seen] == ["request/2"]


def test_approvals_are_recorded_in_the_name_and_with_the_digest_of_each(watcher: Any, approval: Any) -> None:
    """One record for one person."""
    watcher.look()
    both = [approval("approver"), approval("deputy", comment="")]
    assert watcher.look(spec=watcher.spec(approvals=both)) == [Act.APPROVED, Act.APPROVED]
    assert [record.users for record in watcher.chain[1:]] == [["approver"], ["deputy"]]
    assert watcher.last.digest == approval("deputy")["digest"]
    assert watcher.chain[1].evidence["comment"] == "limits checked"
    assert watcher.look() == []


def test_a_rejection_is_recorded_as_one(watcher: Any, approval: Any) -> None:
    """Also where the same person had approved before."""
    watcher.look(spec=watcher.spec(approvals=[approval("approver")]))
    rejected = [approval("approver", verdict="Rejected")]
    assert watcher.look(spec=watcher.spec(approvals=rejected)) == [Act.REJECTED]


def test_an_approval_that_is_taken_back_is_recorded_and_may_come_again(watcher: Any, approval: Any) -> None:
    """The object does not say who took it away, so the record names nobody."""
    watcher.look(spec=watcher.spec(approvals=[approval("approver")]))
    assert watcher.look(spec=watcher.spec()) == [Act.REVOKED]
    assert (watcher.last.users, watcher.last.evidence["record"]) == ([], "2")
    assert watcher.look() == []
    assert watcher.look(spec=watcher.spec(approvals=[approval("approver")])) == [Act.APPROVED]


def test_approvals_that_a_new_request_voids_are_not_taken_back(watcher: Any, approval: Any) -> None:
    """The request's own record says that they are void."""
    watcher.look(spec=watcher.spec(approvals=[approval("approver")]))
    assert watcher.look(spec=watcher.spec(revision=2)) == [Act.REQUESTED]


def test_the_approval_of_a_namesake_is_no_act(watcher: Any, approval: Any) -> None:
    """It is bound to another object's uid."""
    watcher.look()
    assert watcher.look(spec=watcher.spec(approvals=[approval("approver", uid="uid-0")])) == []


def test_attestations_are_recorded_renewed_and_taken_back(watcher: Any, attestation: Any) -> None:
    """A later word for the same item is another act."""
    watcher.look()
    first, second = attestation("runbooks"), attestation("runbooks", comment="seen again")
    assert watcher.look(spec=watcher.spec(attestations=[first])) == [Act.ATTESTED]
    assert watcher.look(spec=watcher.spec(attestations=[second])) == [Act.ATTESTED]
    assert watcher.last.evidence["comment"] == "seen again"
    assert watcher.look(spec=watcher.spec()) == [Act.REVOKED]


def test_an_opening_and_its_end_are_recorded_once_each(watcher: Any, status: Any) -> None:
    """At the time at which they were decided, and with the reason of that decision."""
    watcher.look()
    assert watcher.look(status=status("Open", "Open", **OPENED)) == [Act.OPENED]
    assert (watcher.last.users, watcher.last.time) == (["trader", "approver"], OPENED["lastActivatedTime"])
    assert watcher.look() == []
    assert watcher.look(status=status("Closed", "PreflightStale", **CLOSED)) == [Act.CLOSED]
    assert (watcher.last.reason, watcher.last.time) == ("PreflightStale", CLOSED["lastClosedTime"])
    assert watcher.last.evidence == {"activation": "1", "openedBy": "2", "openSeconds": "90", "burned": "no"}
    assert watcher.look() == []


def test_an_opening_tells_what_it_rested_on(watcher: Any, status: Any) -> None:
    """The limits that were handed out, the people, every preflight result, and what was approved."""
    checks = [
        {"name": name, "result": "Passed", "reason": "PreflightPassed", "checkedTime": "2026-11-20T11:59:58Z"}
        for name in ("check_risk_system", "check_database_redis")
    ]
    items = [
        {"item": "runbooks", "state": "Attested", "required": "Required"},
        {"item": "services", "state": "Passed", "required": "Required"},
    ]
    found = PreflightStatus.model_validate({"checks": checks, "checklist": items})
    opened = status("Open", "Open", **OPENED)
    opened = opened.model_copy(update={"preflight": found, "policies": ["default"]})
    watcher.look()
    assert watcher.look(status=opened, gate=GateRecord.model_validate(GATE)) == [Act.OPENED]
    said = watcher.last.evidence
    assert watcher.last.digest == GATE["digest"]
    assert (said["profile"], said["requestedBy"], said["approvers"]) == ("micro", "trader", '["approver"]')
    assert '"maxPositions":2' in said["limits"]
    assert (said["policies"], said["admission"]) == ('["default"]', "Guarded")
    assert said["preflight/check_risk_system"] == "Passed PreflightPassed 2026-11-20T11:59:58Z"
    assert said["checklist"] == '{"Attested":1,"Passed":1}'
    assert "late" not in said


def test_an_opening_that_nobody_recorded_in_time_is_recorded_with_its_end(watcher: Any, status: Any) -> None:
    """The operator died in between; the summary in status knows of both, and why it was shut."""
    watcher.look()
    assert watcher.look(status=status("Closed", "RevisionBurned", burned=1, **CLOSED)) == [
        Act.OPENED,
        Act.CLOSED,
    ]
    assert watcher.last.reason == "PreflightStale"
    assert watcher.last.evidence["burned"] == "yes"
    assert "late" in watcher.chain[-2].evidence


def test_a_second_opening_is_another_one(watcher: Any, status: Any) -> None:
    """Even where the count was lost with status."""
    watcher.look(status=status("Open", "Open", **OPENED))
    watcher.look(status=status("Closed", "PreflightStale", **CLOSED))
    again = {**OPENED, "lastActivatedTime": "2026-11-20T13:00:00.000000Z"}
    assert watcher.look(status=status("Open", "Open", **again)) == [Act.OPENED]


def test_a_stop_and_its_release_are_recorded(watcher: Any) -> None:
    """Who released is verified by the API server; who applied it is not known from the object."""
    watcher.look()
    assert watcher.look(stops=(StopFacts("s1", "loss"),)) == [Act.STOPPED]
    assert watcher.last.users == []
    released = StopFacts("s1", "loss", "chief", "a bad tick, the venue confirmed it")
    assert watcher.look(stops=(released,)) == [Act.RELEASED]
    assert watcher.last.users == ["chief"]
    assert watcher.last.evidence["rootCause"].startswith("a bad tick")
    assert watcher.look() == []
    assert watcher.look(stops=()) == []
    assert watcher.look(stops=(StopFacts("s1", "again"),)) == [Act.STOPPED]


def test_a_stop_that_was_released_between_two_looks_is_recorded_as_both(watcher: Any) -> None:
    """It did stop the engine."""
    watcher.look()
    released = StopFacts("s1", "loss", "chief", "a bad tick, the venue confirmed it")
    assert watcher.look(stops=(released,)) == [Act.STOPPED, Act.RELEASED]


def test_a_stop_that_vanishes_without_a_release_is_recorded(watcher: Any) -> None:
    """A policy forbids it: that it happened all the same is what an auditor wants to know."""
    watcher.look(stops=(StopFacts("s1", "loss"),))
    assert watcher.look(stops=None) == []
    assert watcher.look(stops=()) == [Act.RELEASED]
    assert "nobody released it" in watcher.last.message
    assert watcher.look() == []


def test_stops_that_were_over_before_the_object_was_seen_are_not_its_acts(watcher: Any) -> None:
    """A new GoLive in a namespace with a past."""
    over = StopFacts("old", "loss", "chief", "a bad tick, the venue confirmed it")
    assert watcher.look(stops=(over,)) == [Act.REQUESTED]
    assert watcher.look() == []


def test_more_stops_than_fit_into_status_are_followed_as_room_allows(watcher: Any) -> None:
    """A flood of stops must not make status unwritable."""
    watcher.look()
    stops = tuple(StopFacts(f"s{number:02d}", "loss") for number in range(MOST_STOPS + 5))
    assert watcher.look(stops=stops) == [Act.STOPPED] * MOST_STOPS
    assert watcher.look() == []
    assert watcher.look(stops=stops[5:]) == [Act.RELEASED] * 5
    assert watcher.look() == [Act.STOPPED] * 5


def test_a_failed_attempt_is_recorded_once_for_each_reason(watcher: Any, status: Any) -> None:
    """Not at each look, and not again when two reasons take turns."""
    watcher.look()
    assert watcher.look(status=status(reason="EngineNotRunning")) == [Act.ATTEMPT_FAILED]
    assert watcher.last.message == "because of EngineNotRunning"
    assert watcher.look() == []
    assert watcher.look(status=status(reason="PreflightStale")) == [Act.ATTEMPT_FAILED]
    assert watcher.look(status=status(reason="EngineNotRunning")) == []
    again = watcher.spec(revision=2)
    assert watcher.look(spec=again) == [Act.REQUESTED, Act.ATTEMPT_FAILED]


@pytest.mark.parametrize("reason", ["ApprovalsMissing", "PreflightPending", "Waiting", "RevisionBurned"])
def test_waiting_is_no_failure(watcher: Any, status: Any, reason: str) -> None:
    """Nothing has gone wrong, or what has gone wrong has a record of its own."""
    watcher.look()
    assert watcher.look(status=status(reason=reason)) == []


def test_a_disabled_request_fails_no_attempt(watcher: Any, status: Any) -> None:
    """Nobody asked."""
    off = watcher.spec(activation="Disabled")
    assert watcher.look(spec=off, status=status(reason="ActivationDisabled")) == [Act.REQUESTED]


def test_the_reason_of_a_closing_is_no_failed_attempt_besides(watcher: Any, status: Any) -> None:
    """It is in the record of the closing."""
    watcher.look(status=status("Open", "Open", **OPENED))
    assert watcher.look(status=status("Closed", "PreflightStale", **CLOSED)) == [Act.CLOSED]
    assert watcher.look(status=status("Closed", "EngineNotRunning", **CLOSED)) == [Act.ATTEMPT_FAILED]


def test_the_failures_of_one_request_are_bounded(watcher: Any, status: Any) -> None:
    """An engine in trouble must not push everything else out of the records."""
    watcher.look()
    for number in range(MOST_ATTEMPTS):
        assert watcher.look(status=status(reason=f"Reason{number}")) == [Act.ATTEMPT_FAILED]
    assert watcher.look(status=status(reason="OneMore")) == []


def test_an_object_that_cannot_be_read_loses_nothing(watcher: Any, approval: Any, status: Any) -> None:
    """Its gate's end is recorded, and what was said before is not taken for taken back."""
    agreed = watcher.spec(approvals=[approval("approver")])
    watcher.look(spec=agreed, status=status("Open", "Open", **OPENED))
    shut = status("Closed", "SpecUnreadable", **OPENED)
    assert watcher.look(spec=None, status=shut) == [Act.CLOSED]
    assert watcher.last.reason == "SpecUnreadable"
    assert watcher.look(spec=agreed, status=status("Closed", "ApprovalsMissing", **OPENED)) == []


def test_what_is_remembered_always_fits_into_status(
    watcher: Any, approval: Any, attestation: Any, status: Any
) -> None:
    """With everything at its most."""
    approvals = [approval(f"approver-{number}") for number in range(16)]
    attestations = [attestation(f"item-{number}") for number in range(64)]
    stops = tuple(StopFacts(f"s{number}", "loss") for number in range(100))
    watcher.look(spec=watcher.spec(approvals=approvals, attestations=attestations), stops=stops)
    for number in range(30):
        watcher.look(status=status(reason=f"Reason{number}", **OPENED))
    assert len(watcher.recorded.seen) <= 128 - 2  # two notices are remembered besides
    assert breaks(watcher.chain) == []


def test_a_lost_status_is_rebuilt_from_the_records(watcher: Any, approval: Any, status: Any) -> None:
    """Nothing is recorded a second time, and the chain goes on."""
    watcher.look(spec=watcher.spec(approvals=[approval("approver")]), stops=(StopFacts("s1", "loss"),))
    watcher.look(status=status("Open", "Open", **OPENED))
    before = watcher.recorded
    watcher.recorded = chaining.rebuilt(watcher.chain, watcher.sight.uid)
    assert watcher.recorded.sequence == before.sequence
    assert due_acts(watcher.sight, watcher.recorded) == ()
    watcher.look(status=status("Closed", "PreflightStale", **CLOSED))
    assert breaks(watcher.chain) == []


def test_records_of_a_namesake_move_the_chain_on_and_nothing_else(watcher: Any) -> None:
    """The new object's acts are all new; its first record follows the old one's last."""
    watcher.look()
    rebuilt = chaining.rebuilt(watcher.chain, "uid-2")
    assert (rebuilt.sequence, rebuilt.hash, rebuilt.seen) == (1, watcher.last.hash, [])


def test_an_opening_that_a_deletion_ended_is_found(watcher: Any, status: Any) -> None:
    """Its owner is gone, so the next one closes it in the records."""
    watcher.look(status=status("Open", "Open", **OPENED))
    assert chaining.left_open(watcher.chain, watcher.sight.uid, watcher.sight.time) is None
    left = chaining.left_open(watcher.chain, "uid-2", watcher.sight.time)
    assert left is not None
    act, owner = left
    assert (act.act, act.reason, owner) == (Act.CLOSED, "BeingDeleted", watcher.sight.uid)
    record = chaining.link(act, "perps", owner, watcher.recorded)
    assert chaining.left_open([*watcher.chain, record], "uid-2", watcher.sight.time) is None


def test_retention_takes_the_oldest_by_count_or_age_and_never_the_last(watcher: Any, status: Any) -> None:
    """Whichever comes first."""
    for number in range(6):
        watcher.look(status=status(reason=f"Reason{number}"))
    now = watcher.sight.time
    few = chaining.outdated(watcher.chain, watcher.recorded, now, keep=5, days=400)
    assert [record.sequence for record in few] == [1, 2]
    old = watcher.chain[:4] + [
        record.model_copy(update={"time": render_time(now)}) for record in watcher.chain[4:]
    ]
    aged = [record.model_copy(update={"time": "2020-01-01T00:00:00Z"}) for record in old[:4]] + old[4:]
    assert len(chaining.outdated(aged, watcher.recorded, now, keep=100, days=400)) == 4
    assert len(chaining.outdated(watcher.chain, watcher.recorded, now, keep=0, days=0)) == 6
    anchored = chaining.anchored(watcher.recorded, few[-1])
    assert breaks(watcher.chain[2:], (anchored.anchor_sequence, anchored.anchor_hash)) == []


def test_a_history_is_optional(watcher: Any, status: Any) -> None:
    """As before the first decision."""
    bare = status().model_copy(update={"history": None, "gate": None, "conditions": []})
    assert watcher.look(status=bare) == [Act.REQUESTED]
    assert watcher.sight.history == History()
