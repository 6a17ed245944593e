"""Who counts as an approver, of what, and how many are needed."""

from collections.abc import Callable, Mapping
from dataclasses import replace

import pytest

from golive_api.golive import GateState
from golive_api.reasons import Reason
from golive_decisions.approvals import current_digest, valid_approvals
from golive_decisions.checks import objections
from golive_decisions.deciding import decide
from golive_decisions.facts import Facts

Change = Callable[[Facts, Mapping[str, object]], Facts]
Approve = Callable[..., Facts]


def needing(facts: Facts, people: int) -> Facts:
    """The facts under a policy that wants so many approvals."""
    assert facts.terms is not None
    return replace(facts, terms=replace(facts.terms, approvals_needed=people))


PEOPLE: dict[str, tuple[int, tuple[str, ...], bool]] = {
    "one other person where one is needed": (1, ("approver",), True),
    "the requester": (1, ("trader",), False),
    "the requester in other letter case": (1, ("TRADER",), False),
    "a system user": (1, ("system:serviceaccount:ci:bot",), False),
    "the requester beside another person": (1, ("trader", "approver"), True),
    "one person where two are needed": (2, ("approver",), False),
    "one person twice in different letter case": (2, ("approver", "Approver"), False),
    "one person and a system user where two are needed": (2, ("approver", "system:admin"), False),
    "two people where two are needed": (2, ("approver", "second"), True),
    "three people where two are needed": (2, ("approver", "second", "third"), True),
    "one person where none is needed": (0, ("approver",), False),
    "nobody where none is needed": (0, (), False),
    "one person where fewer than none are needed": (-1, ("approver",), False),
}


@pytest.mark.parametrize("sentence", PEOPLE)
def test_whether_the_gate_opens_on_the_approval_of(sentence: str, good: Facts, approve: Approve) -> None:
    """Distinct people other than the requester, no machines, and never fewer than one."""
    needed, users, opens = PEOPLE[sentence]
    plan = decide(needing(approve(good, *users), needed), 5)
    assert (plan.state is GateState.OPEN) == opens
    assert (plan.reason is Reason.APPROVALS_MISSING) == (not opens)


BINDINGS: dict[str, Mapping[str, object]] = {
    "an earlier revision": {"subject.spec.revision": 2},
    "a later revision": {"subject.spec.approvals.0.revision": 2},
    "a namesake that was deleted since": {"subject.uid": "uid-2"},
    "another object": {"subject.spec.approvals.0.uid": "uid-0"},
}


@pytest.mark.parametrize("sentence", BINDINGS)
def test_no_approval_counts_that_was_given_to(sentence: str, good: Facts, change: Change) -> None:
    """An approval speaks of one revision of one object."""
    facts = change(good, BINDINGS[sentence])
    assert valid_approvals(facts) == []
    assert decide(facts, 5).reason is Reason.APPROVALS_MISSING


TEMPLATE: dict[str, object] = {"engine.identity.template": {"spec": {}}}
MOUNTED: dict[str, object] = {"engine.identity.mounted": {"configmaps/c": {"data": {"a": "b"}}}}
PROFILE: dict[str, object] = {"profile.limits.maxLeverage": "3"}
REQUEST: dict[str, object] = {"subject.spec.request.gate.ttlSeconds": 30}

DIGESTS: dict[str, tuple[Mapping[str, object], Reason, str]] = {
    "the pod template": (TEMPLATE, Reason.ENGINE_CHANGED, "engine changed"),
    "the mounted configuration": (MOUNTED, Reason.ENGINE_CHANGED, "engine changed"),
    "the profile": (PROFILE, Reason.PROFILE_CHANGED, "profile changed"),
    "the request": (REQUEST, Reason.REQUEST_CHANGED, "request changed"),
    "request and profile": (REQUEST | PROFILE, Reason.PROFILE_CHANGED, "request and profile changed"),
    "all": (
        {**REQUEST, **PROFILE, **TEMPLATE},
        Reason.ENGINE_CHANGED,
        "request and profile and engine changed",
    ),
}


@pytest.mark.parametrize("sentence", DIGESTS)
def test_an_approval_is_void_after_a_change_of(sentence: str, opened: Facts, change: Change) -> None:
    """The reason names what changed, the message all of it and who has to look again."""
    changes, reason, words = DIGESTS[sentence]
    facts = change(opened, changes)
    message = next(found.message for found in objections(facts) if found.reason is reason)
    assert decide(facts, 5).state is GateState.CLOSED
    assert message == f"{words} since approver approved: have it approved again"


@pytest.mark.parametrize("sentence", DIGESTS)
def test_the_approval_counts_again_when_the_change_is_undone(
    sentence: str, opened: Facts, change: Change
) -> None:
    """Consent is to content, so the very same content is still consented to."""
    facts = change(opened, DIGESTS[sentence][0])
    undone = replace(facts, engine=opened.engine, profile=opened.profile, subject=opened.subject)
    assert decide(undone, 5).state is GateState.OPEN


def test_one_stale_approval_does_not_count_towards_two(good: Facts, change: Change, approve: Approve) -> None:
    """Two approved, one of them before the engine changed: it is one too few, and the change is named."""
    facts = needing(change(approve(good, "early"), TEMPLATE), 2)
    late = approve(facts, "late")
    assert facts.subject.spec is not None
    assert late.subject.spec is not None
    both = [*facts.subject.spec.approvals, *late.subject.spec.approvals]
    mixed = replace(
        late, subject=replace(late.subject, spec=late.subject.spec.model_copy(update={"approvals": both}))
    )
    assert [approval.user for approval in valid_approvals(mixed)] == ["late"]
    assert decide(mixed, 5).reason is Reason.ENGINE_CHANGED


@pytest.mark.parametrize("part", ["subject.spec", "profile", "profile.limits", "engine", "engine.identity"])
def test_there_is_no_digest_while_a_part_is_unknown(part: str, good: Facts, change: Change) -> None:
    """Nobody is shown something to approve that nobody has read."""
    facts = change(good, {part: None})
    assert current_digest(facts) is None
    assert decide(facts, 5).status.digest is None


def test_the_digest_does_not_depend_on_approvals_revision_or_comments(good: Facts, change: Change) -> None:
    """Agreeing changes nothing of what is agreed to."""
    changes = {"subject.spec.approvals": [], "subject.spec.revision": 7, "subject.spec.requestedBy": "other"}
    assert current_digest(change(good, changes)) == current_digest(good)


def test_status_counts_the_approvals_that_are_valid(good: Facts, change: Change, approve: Approve) -> None:
    """As people read it: valid ones of needed ones."""
    two = needing(approve(good, "approver", "trader", "system:x"), 2)
    assert decide(two, 5).status.approval_summary == "1/2"
    assert decide(change(two, {"engine": None}), 5).status.approval_summary == "0/2"
