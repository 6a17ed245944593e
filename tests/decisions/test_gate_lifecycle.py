"""A gate's life over several looks: born, opened, renewed, shut, burned, opened anew."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import timedelta

import pytest

from golive_api.gate import GateRecord
from golive_api.golive import GateState
from golive_api.policy import Effect, Window
from golive_api.reasons import Reason
from golive_api.values import parse_time, render_time
from golive_decisions import scheduling
from golive_decisions.deciding import Plan, decide
from golive_decisions.facts import Facts, GateFacts, StopFacts

Change = Callable[[Facts, Mapping[str, object]], Facts]
CarryOn = Callable[..., Facts]

ABSENT = GateFacts(exists=False)
UNREADABLE = GateFacts(exists=True, state_text="Open")
STOPPED = {"engine.report.text.emergencyStop": "Active"}


def look(facts: Facts) -> Plan:
    """One decision, with a resync of five seconds."""
    return decide(facts, 5)


def written(facts: Facts) -> GateRecord:
    """The record that the next plan writes."""
    record = look(facts).gate
    assert record is not None
    return record


def test_a_gate_is_born_closed_and_opens_on_the_next_look(born: Facts, carry_on: CarryOn) -> None:
    """Even with nothing against it, the first record says Closed and asks to be looked at again at once."""
    first = look(born)
    second = look(carry_on(born, first))
    assert (first.state, first.reason, first.look_again_seconds) == (GateState.CLOSED, Reason.WAITING, 0.0)
    assert (written(born).state, written(born).serial) == (GateState.CLOSED, 1)
    assert (second.state, second.reason) == (GateState.OPEN, Reason.OPEN)


@pytest.mark.parametrize("start", ["good", "opened"])
def test_an_unreadable_gate_is_first_rewritten_closed(start: str, request: pytest.FixtureRequest) -> None:
    """What can't be read is not trusted to have been ours: it is closed before it may open."""
    facts = replace(request.getfixturevalue(start), gate=UNREADABLE)
    plan = look(facts)
    assert (plan.state, plan.reason) == (GateState.CLOSED, Reason.WAITING)
    assert written(facts).state is GateState.CLOSED


def test_a_lease_counts_from_when_the_facts_were_read(good: Facts) -> None:
    """The read is issuedTime and validUntil exactly one time to live later."""
    record = written(good)
    assert parse_time(record.issued_time) == good.read_time
    assert (record.expires - good.read_time).total_seconds() == record.ttl_seconds == 15


def test_a_lease_never_reaches_into_a_shut_window(good: Facts, change: Change) -> None:
    """An operator that dies before the boundary leaves no gate open beyond it."""
    soon = good.read_time + timedelta(seconds=4)
    freeze = Window(
        name="freeze", effect=Effect.DENY, start=soon.strftime("%Y-%m-%dT%H:%M:%S"), duration_seconds=60
    )
    record = written(change(good, {"terms.windows": ((freeze,),)}))
    assert record.expires == soon


@pytest.mark.parametrize(
    ("seconds", "renewed"), [(0, False), (4.4, False), (4.5, True), (14, True), (60, True)]
)
def test_an_open_gate_is_renewed_only_when_due(
    seconds: float, good: Facts, carry_on: CarryOn, *, renewed: bool
) -> None:
    """No write before nine tenths of a third of the time to live, and one from there on."""
    later = carry_on(good, look(good), seconds)
    plan = look(later)
    assert plan.state is GateState.OPEN
    assert (plan.gate is not None) == renewed
    if renewed:
        assert written(later).expires > written(good).expires


def test_a_closed_gate_is_not_renewed(good: Facts, change: Change, carry_on: CarryOn) -> None:
    """Nothing expires about a closed gate, so an hour later there is nothing to write."""
    stopped = change(good, STOPPED)
    assert look(carry_on(stopped, look(stopped), 3600)).gate is None


@pytest.mark.parametrize(("resync_seconds", "ttl_seconds", "expected"), [(5, 15, 5), (60, 15, 5), (60, 30, 10)])
def test_an_open_gate_is_looked_at_again_in_time_for_its_renewal(
    resync_seconds: float, ttl_seconds: int, expected: float, good: Facts, change: Change, approve: CarryOn
) -> None:
    """The earlier of resync and a third of the time to live."""
    facts = approve(change(good, {"subject.spec.request.gate.ttlSeconds": ttl_seconds}), "approver")
    assert decide(facts, resync_seconds).look_again_seconds == expected


def test_a_closed_gate_is_looked_at_again_after_the_resync(good: Facts, change: Change) -> None:
    """Nothing has to be renewed, so there is no hurry."""
    assert decide(change(good, STOPPED), 7).look_again_seconds == 7


def test_a_closed_gate_is_looked_at_in_time_for_the_next_run_of_preflight(good: Facts, change: Change) -> None:
    """Its schedule does not depend on how often is looked for nothing."""
    plan = decide(change(good, STOPPED), 42)
    assert scheduling.RETRY_SECONDS < plan.look_again_seconds < scheduling.RETRY_SECONDS + 1


def test_opening_is_recorded_first_and_closing_is_not_kept_waiting(
    born: Facts, good: Facts, opened: Facts, change: Change
) -> None:
    """Status goes first when the gate opens; else the gate goes first, and burns by what it says."""
    order = {
        "born": look(born).status_first,
        "opens": look(good).status_first,
        "renews": look(opened).status_first,
        "closes": look(change(opened, STOPPED)).status_first,
        "burns": look(change(opened, {"gate": ABSENT})).status_first,
    }
    assert order == {"born": False, "opens": True, "renews": True, "closes": False, "burns": False}


BRAKES: dict[str, tuple[Mapping[str, object], Reason]] = {
    "deleted": ({"gate": ABSENT}, Reason.GATE_REMOVED),
    "set to Closed": ({"gate.record.state": "Closed"}, Reason.GATE_CLOSED_BY_PERSON),
}


@pytest.mark.parametrize("brake", BRAKES)
def test_a_revision_whose_gate_a_person_shut_never_opens_again(
    brake: str, opened: Facts, change: Change, carry_on: CarryOn
) -> None:
    """The brake burns the revision; no later look, however good its facts, opens it."""
    changes, reason = BRAKES[brake]
    facts = change(opened, changes)
    shut = look(facts).status.gate
    assert shut is not None
    assert (look(facts).reason, shut.burned_revision) == (reason, 1)
    for epoch in (3, 3, 4, 5):
        facts = replace(carry_on(facts, look(facts), 60), epoch=epoch)
        assert look(facts).reason is Reason.REVISION_BURNED
        assert look(facts).state is GateState.CLOSED


@pytest.mark.parametrize("brake", BRAKES)
def test_only_a_new_revision_with_new_approvals_opens_after_a_burn(
    brake: str, opened: Facts, change: Change, carry_on: CarryOn, approve: CarryOn
) -> None:
    """One more revision alone lacks approvals; approved anew, it opens, and the burn stays on record."""
    braked = change(opened, BRAKES[brake][0])
    shut = carry_on(braked, look(braked))
    bumped = change(shut, {"subject.spec.revision": 2})
    again = approve(bumped, "approver")
    plan = look(again)
    assert look(bumped).reason is Reason.APPROVALS_MISSING
    assert plan.state is GateState.OPEN
    assert plan.status.gate is not None
    assert (plan.status.gate.burned_revision, plan.status.gate.opened_revision) == (1, 2)


CAUSES: dict[str, Mapping[str, object]] = {
    "a stop that was released since": {"stops": (StopFacts("halt", "drill"),)},
    "a rejection that was taken back since": {"subject.spec.approvals.0.verdict": "Rejected"},
    "a removal": {"gate": ABSENT},
    "a close by hand": {"gate.record.state": "Closed"},
    "a stop behind a lost guard": {"stops": (StopFacts("halt", "drill"),), "guard_errors": None},
}


@pytest.mark.parametrize("cause", CAUSES)
def test_a_burn_is_not_lost_when_its_writer_dies_before_status(
    cause: str, opened: Facts, change: Change
) -> None:
    """The closed gate alone tells the next leader, whatever has become of the cause."""
    shut = look(change(opened, CAUSES[cause])).gate
    assert shut is not None
    half = replace(opened, gate=GateFacts(exists=True, record=shut, state_text="Closed"), epoch=4)
    plan = look(half)
    assert (plan.state, plan.reason.value) == (GateState.CLOSED, shut.reason)
    assert plan.status.gate is not None
    assert plan.status.gate.burned_revision == 1


def test_a_brake_pulled_while_disabled_still_burns(opened: Facts, change: Change) -> None:
    """Disabling is what people see, and the deleted gate burns all the same."""
    plan = look(change(opened, {"subject.spec.activation": "Disabled", "gate": ABSENT}))
    assert plan.reason is Reason.ACTIVATION_DISABLED
    assert plan.status.gate is not None
    assert plan.status.gate.burned_revision == 1


def test_a_gate_that_never_stood_is_not_taken_for_a_removed_one(born: Facts) -> None:
    """Without a serial in status there was nothing to delete."""
    assert look(born).reason is Reason.WAITING


def test_closing_for_a_cause_that_passes_does_not_burn(
    opened: Facts, change: Change, carry_on: CarryOn
) -> None:
    """The engine was unwell and is well again: the same revision opens."""
    stopped = change(opened, STOPPED)
    well = change(carry_on(stopped, look(stopped)), {"engine": opened.engine})
    assert look(well).state is GateState.OPEN


def test_a_new_leaders_epoch_is_written_at_once(opened: Facts) -> None:
    """An open gate of an earlier epoch is rewritten though no renewal is due, so the old leader is fenced."""
    assert look(opened).gate is None
    assert written(replace(opened, epoch=4)).epoch == 4
    assert look(replace(opened, epoch=4)).status.gate is not None


def test_the_serial_grows_with_every_write(born: Facts, change: Change, carry_on: CarryOn) -> None:
    """Through opening, renewal, closing, removal and garbage, no serial is ever used twice."""
    serials, facts = [], born
    for changes in ({}, {}, {}, STOPPED, {"gate": UNREADABLE}, {"gate": ABSENT}, {"subject.spec.revision": 2}):
        facts = change(facts, changes)
        serials.append(written(facts).serial)
        facts = carry_on(facts, look(facts), 10)
    assert serials == [1, 2, 3, 4, 5, 6, 7]


def test_the_serial_is_never_below_the_one_in_status(good: Facts, change: Change) -> None:
    """Also when the record that stands there says less."""
    assert written(change(good, {"subject.status.gate.serial": 900})).serial == 901


def test_the_opening_time_is_kept_while_the_revision_stands(
    good: Facts, change: Change, carry_on: CarryOn, approve: CarryOn
) -> None:
    """Kept over renewal, a new leader and a passing closure; fresh with the next revision."""
    facts, opening = good, render_time(good.read_time)
    for changes in ({}, {}, {"epoch": 9}, STOPPED, {"engine": good.engine}):
        facts = change(facts, changes)
        assert written(facts).opened_time == opening
        facts = carry_on(facts, look(facts), 10)
    fresh = approve(change(facts, {"subject.spec.revision": 2}), "approver")
    assert written(fresh).opened_time == render_time(fresh.read_time) != opening


def test_a_gate_that_was_never_open_has_no_opening_time(born: Facts) -> None:
    """Being born is not being opened."""
    assert written(born).opened_time is None


def test_each_change_is_told_once(born: Facts, change: Change, carry_on: CarryOn) -> None:
    """One event for each change of state or reason, none for a renewal; only a shut gate warns."""
    steps: list[tuple[Mapping[str, object], list[tuple[str, bool]]]] = [
        ({}, [("Waiting", False)]),
        ({}, [("Open", False)]),
        ({}, []),
        (STOPPED, [("EmergencyStopActive", True)]),
        ({}, []),
        ({"rivals": ("other",)}, [("EngineContested", False)]),
        ({"rivals": (), "engine": born.engine}, [("Open", False)]),
    ]
    facts, told = born, []
    for changes, _ in steps:
        facts = change(facts, changes)
        told.append([(event.reason, event.warning) for event in look(facts).events])
        facts = carry_on(facts, look(facts), 5)
    assert told == [expected for _, expected in steps]


def test_an_open_gate_carries_all_that_its_engine_needs(good: Facts) -> None:
    """Limits, accounts, approvers, digest and names are those of the facts."""
    record, spec = written(good), good.subject.spec
    assert spec is not None
    assert good.profile is not None
    assert record.limits == good.profile.limits
    assert (record.accounts, record.approvers, record.requested_by) == (["main"], ["approver"], "trader")
    assert (record.namespace, record.name, record.uid) == ("trading", "perps", "uid-1")
    assert (record.engine, record.environment) == ("perps-engine", spec.request.environment)
    assert record.digest == spec.approvals[0].digest


def test_an_unreadable_object_has_its_standing_gate_closed(opened: Facts, change: Change) -> None:
    """The record that stands is shut in place, under this leader's epoch; nothing else of it is touched."""
    facts = change(opened, {"subject.spec": None, "epoch": 8})
    record, standing = written(facts), opened.gate.record
    assert standing is not None
    assert (record.state, record.reason, record.epoch) == (GateState.CLOSED, "SpecUnreadable", 8)
    assert (record.serial, record.limits) == (standing.serial + 1, standing.limits)


def test_an_unreadable_object_without_a_gate_gets_none(born: Facts, change: Change) -> None:
    """There is nothing to write, and nothing that an engine could obey."""
    plan = look(change(born, {"subject.spec": None}))
    assert (plan.state, plan.gate, plan.reason) == (GateState.CLOSED, None, Reason.SPEC_UNREADABLE)


def test_a_brake_on_an_unreadable_object_burns_once_it_can_be_read(
    opened: Facts, change: Change, carry_on: CarryOn
) -> None:
    """The removal is not forgotten while nobody knows which revision to burn."""
    removed = change(opened, {"subject.spec": None, "gate": ABSENT})
    readable = change(carry_on(removed, look(removed)), {"subject.spec": opened.subject.spec})
    assert look(readable).reason is Reason.GATE_REMOVED
    assert look(carry_on(readable, look(readable))).reason is Reason.REVISION_BURNED


@pytest.mark.parametrize(("shown", "expected"), [("Open", False), ("Closed", True), ("", True)])
def test_what_the_deployment_shows_people_is_put_right(opened: Facts, shown: str, expected: bool) -> None:  # noqa: FBT001  # data of a table
    """A label that somebody changed, or that a new Deployment lacks, does not stay wrong."""
    assert opened.engine is not None
    facts = replace(opened, engine=replace(opened.engine, shown_state=shown))
    assert look(facts).events == ()
    assert look(facts).show_state is expected


@pytest.mark.parametrize(("shown", "expected"), [("Open", True), ("Closed", False), ("", False)])
def test_a_closed_gate_needs_no_label(good: Facts, change: Change, shown: str, expected: bool) -> None:  # noqa: FBT001  # data of a table
    """A Deployment that was never activated is left alone."""
    facts = change(good, {"subject.spec.approvals": [], "engine.shown_state": shown})
    assert look(facts).show_state is expected


def test_what_the_next_look_changes_is_no_event(good: Facts, change: Change, carry_on: CarryOn) -> None:
    """Between two people's consent and the opening, preflight runs: nobody is told of that moment."""
    waiting = change(good, {"subject.spec.approvals": []})
    approved = replace(carry_on(waiting, look(waiting)), read_time=good.read_time + timedelta(seconds=40))
    approved = change(
        approved, {"subject.spec.approvals": good.subject.spec.approvals if good.subject.spec else []}
    )
    plan = look(approved)
    assert plan.reason is Reason.PREFLIGHT_PENDING
    assert plan.events == ()


def test_an_open_gate_from_the_future_is_renewed_at_once(opened: Facts) -> None:
    """A clock that stepped back must not let the gate lapse until it has caught up."""
    assert opened.gate.record is not None
    issued = parse_time(opened.gate.record.issued_time)
    facts = replace(opened, read_time=issued - timedelta(seconds=60))
    record = look(facts).gate
    assert record is not None
    assert parse_time(record.issued_time) == facts.read_time


def test_a_predecessors_closed_gate_burns_nothing(opened: Facts) -> None:
    """A gate that a person closed ends with its object: a namesake, another uid, starts anew."""
    assert opened.gate.record is not None
    closed = opened.gate.record.model_copy(update={"state": GateState.CLOSED})
    mine = look(replace(opened, gate=replace(opened.gate, record=closed)))
    orphaned = replace(opened.gate, record=closed.model_copy(update={"uid": "another"}))
    namesakes = look(replace(opened, gate=orphaned))
    assert mine.reason is Reason.GATE_CLOSED_BY_PERSON
    assert namesakes.reason is not Reason.GATE_CLOSED_BY_PERSON
    assert namesakes.status.gate is not None
    assert namesakes.status.gate.burned_revision == 0
