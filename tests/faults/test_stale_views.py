import time
from collections.abc import Callable
from typing import Any

import pytest

from golive_api.values import parse_time
from golive_dev.faults.rules import Fate, Moment, Rule
from golive_dev.waiting import eventually

SLOW_SECONDS = 2.0
"""Less than the operator waits for an answer."""

EDITS: dict[str, Callable[[Any], object]] = {
    "withdraws consent": lambda desk: desk.other_approver.call("PATCH", desk.path, {"spec": {"approvals": []}}),
    "changes the request": lambda desk: desk.other_trader.call(
        "PATCH", desk.path, {"spec": {"request": {"safety": {"minTestnetTrades": 4}}}}
    ),
    "disables it": lambda desk: desk.other_trader.call(
        "PATCH", desk.path, {"spec": {"activation": "Disabled"}}
    ),
}


class Hands:
    """A desk as a rule's `then` may use it: with connections of its own."""

    def __init__(self, faulty: Any, desk: Any, person: Any) -> None:
        self.path = desk.path
        self.other_approver = person(faulty.plane, "approver")
        self.other_trader = person(faulty.plane, "trader")


@pytest.mark.parametrize("edit", EDITS)
def test_nothing_opens_if_between_look_and_write_somebody(
    faulty: Any, desk: Any, watched: Any, ask: Callable[..., Any], person: Any, edit: str
) -> None:
    """The operator has decided to open, and its write is under way: refused with 409, and decided anew."""
    ask(approve=False)
    hands = Hands(faulty, desk, person)
    meanwhile = Rule(Moment.BEFORE, Fate.PASS, method="PATCH", path="/status$", text='"Open"', times=1)
    meanwhile.then = lambda _: EDITS[edit](hands)
    before = len(watched.witness.gates)
    with faulty.proxy.rule(meanwhile):
        desk.approve_when_shown()
        eventually(lambda: meanwhile.hits, 30)
        reason = "ActivationDisabled" if edit == "disables it" else "ApprovalsMissing"
        desk.await_gate("Closed", reason, 60)
    states = [seen.body["data"]["state"] for seen in watched.witness.gates[before:] if seen.body]
    assert "Open" not in states
    assert watched.prober.yeses == []
    assert watched.breaches() == []


def test_consent_given_and_withdrawn_inside_a_gap_of_the_watches_opens_nothing(
    faulty: Any, desk: Any, watched: Any, ask: Callable[..., Any]
) -> None:
    """All watches freeze: what they would have told is not needed, and what they missed not acted upon."""
    ask(approve=False)
    with faulty.proxy.rule(Rule(Moment.FLOWING, Fate.HANG)), faulty.frozen(faulty.leader()):
        desk.approve_when_shown()
        desk.person("approver").call("PATCH", desk.path, {"spec": {"approvals": []}})
    faulty.stays_shut(desk)
    desk.await_gate("Closed", "ApprovalsMissing", 60)
    assert watched.prober.yeses == []
    assert watched.breaches() == []


def test_a_write_that_arrives_late_changes_nothing(
    faulty: Any, desk: Any, watched: Any, ask: Callable[..., Any]
) -> None:
    """A deposed leader's renewal was held up on its way; by then another leads and consent is gone."""
    opened = ask(15)
    old = faulty.leader()
    path = f"/configmaps/golive-gate-{desk.name}$"
    late = Rule(Moment.BEFORE, Fate.WAIT, pod=old, method="PATCH", path=path, seconds=120, times=1)
    with faulty.proxy.rule(late):
        eventually(lambda: late.hits, 60)
        faulty.kill_leader()
        faulty.free_the_lease()
        desk.person("approver").call("PATCH", desk.path, {"spec": {"approvals": []}})
        desk.await_leader_after(opened.epoch, 60)
        desk.await_gate("Closed", "ApprovalsMissing", 60)
        arrived = time.time()
    refused = eventually(lambda: [line for line in faulty.written_by(old, arrived) if "configmaps" in line])
    assert all(line.endswith((" 409", " 403", " 422")) for line in refused)
    assert watched.breaches(ttl_seconds=15) == []


def test_a_slow_look_promises_no_more_than_a_quick_one(
    faulty: Any, desk: Any, watched: Any, ask: Callable[..., Any]
) -> None:
    """A lease counts from when reading began, however long the answers take."""
    opened = ask()
    path = f"/{desk.namespace}/golives(/{desk.name})?$"
    slow = Rule(Moment.AFTER, Fate.WAIT, method="GET", path=path, watches=False, seconds=SLOW_SECONDS)
    with faulty.proxy.rule(slow):
        eventually(lambda: len(slow.hits) > 2 and desk.gate().serial > opened.serial + 2, 30)
        slowly = [seen for seen in watched.witness.gates if seen.moment > slow.hits[0].moment + SLOW_SECONDS]
    promised = [parse_time(seen.body["data"]["validUntil"]).timestamp() - seen.moment for seen in slowly]
    assert promised
    assert max(promised) < opened.ttl_seconds - SLOW_SECONDS / 2
    assert watched.breaches() == []
