"""What holds of any facts: nothing missing or garbled opens, danger never helps, nothing raises."""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import fields, is_dataclass, replace
from datetime import datetime, timedelta
from types import NoneType
from typing import Any, get_args, get_type_hints

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from golive_api.engine_report import REQUIRED_SERIES
from golive_api.gate import GateRecord, GateUnreadableError
from golive_api.golive import GateState, GoLiveSpec
from golive_api.policy import Effect, Window
from golive_api.values import WireModel
from golive_decisions.deciding import Plan, decide
from golive_decisions.facts import Facts, GateFacts, StopFacts
from golive_decisions.preflight_run import Answer

Change = Callable[[Facts, Mapping[str, object]], Facts]
CarryOn = Callable[..., Facts]

NO_EVIDENCE = (
    r"subject\.spec_error",  # why there is no spec
    r"subject\.spec\.requestedBy",  # anybody but an approver; the API server keeps it from changing
    r"subject\.spec\.approvals\.0\.(user|comment)",  # anybody but the requester, as the API server proves
    r"gate\.state_text",  # what stands there is replaced by what is decided
    r"profile\.error",  # why there are no limits
    r"engine\.(acknowledgement.*|shown_state)",  # shown, never needed for opening
    r"engine\.report\.error",  # why there is no answer
    r"engine\.report\.text\.(time|cycles|live|ready)",  # for people; the endpoints are asked themselves
    r"engine\.report\.text\.(riskReasons|gate|accounts\.1)\b.*",  # for people; not asked for
    r"engine\.report\.text\.accounts\.0\.(venue|equity)",  # judged order by order
    r"engine\.report\.text\.accounts\.0\.venues\.0\.(breaker|reconciled)",  # the same
    r"engine\.report\.text\.accounts\.0\.venues",  # without them the one that it trades on counts
    r"run",  # what the leader before this one found stands in status, and counts as long
    r"run\.\w+\.error",  # why there is no answer
    r"run\.(live|ready)\.text",  # for people
    r"run\.(ended|request)",  # for people
    r"run\.engine\.text\.time",  # for people
    r"run\.engine\.text\.checklist",  # nothing of it is required here
)
"""Paths whose value, well-formed or not, is no evidence for opening."""

UNIMPORTANT = re.compile("|".join(NO_EVIDENCE))
"""The same as one pattern."""

NOT_TRIED = re.compile(
    r"subject\.(namespace|name|uid|generation|status.*|preflight_requested)|terms.*|gate\.exists|epoch"
    r"|gate\.record\..+"
)
"""Paths that are the API server's and the operator's own, or whose reader gives all or nothing."""

SLOW = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
"""Enough to have found every planted defect, in seconds."""


def children(value: Any) -> dict[str, Any]:
    """What a dotted path can go on with."""
    if is_dataclass(value) and not isinstance(value, type):
        return {field.name: getattr(value, field.name) for field in fields(value)}
    if isinstance(value, WireModel):
        return value.wire()
    if isinstance(value, str) and value.startswith("{"):
        return dict(json.loads(value))
    if isinstance(value, dict):
        return value
    return {str(at): item for at, item in enumerate(value)} if isinstance(value, list | tuple) else {}


def paths(value: Any, prefix: str = "", *, wire: bool = False) -> Iterator[tuple[str, Any, bool]]:
    """Every path below a value, what is there, and whether None may stand in its place."""
    hints = get_type_hints(type(value)) if is_dataclass(value) else {}
    inside = wire or isinstance(value, WireModel | str | dict)
    for name, child in children(value).items():
        path = f"{prefix}{name}"
        yield path, child, inside or NoneType in get_args(hints.get(name))
        yield from paths(child, f"{path}.", wire=inside)


def garbled(value: Any, *, nullable: bool) -> list[object]:  # noqa: PLR0911  # one return for each type
    """Values that are not the one that should be there."""
    garbage: list[object] = [None] if nullable else []
    if isinstance(value, bool):
        return [*garbage, not value]
    if isinstance(value, int):
        return [*garbage, -1]
    if isinstance(value, str):
        return [*garbage, "", "garbage", "\x00", *([] if "\n" in value else [value + "~"])]
    if isinstance(value, datetime):
        return [value - timedelta(days=1), value + timedelta(days=1)]
    if isinstance(value, dict):
        return [*garbage, {}, "garbage"]
    if isinstance(value, list):
        return [*garbage, [], "garbage", [{}]]
    return [*garbage, type(value)()] if isinstance(value, tuple | frozenset) else garbage


def corruptions(facts: Facts) -> list[tuple[str, object]]:
    """Every path of the facts with each value that does not belong there."""
    return [
        (path, wrong)
        for path, value, nullable in paths(facts)
        for wrong in garbled(value, nullable=nullable)
        if wrong != value and not NOT_TRIED.fullmatch(path)
    ]


@pytest.mark.parametrize("start", ["good", "opened"])
def test_no_single_input_missing_or_garbled_opens_the_gate(
    start: str, request: pytest.FixtureRequest, change: Change
) -> None:
    """Every value at every path, one at a time: closed, unless the value is no evidence at all."""
    facts, opens = request.getfixturevalue(start), []
    tried = corruptions(facts)
    for path, wrong in tried:
        corrupted = change(facts, {path: wrong})
        if corrupted != facts and decide(corrupted, 5).state is not GateState.CLOSED:
            opens.append((path, wrong))
    assert len(tried) > 250
    assert [(path, wrong) for path, wrong in opens if not UNIMPORTANT.fullmatch(path)] == []


@SLOW
@given(data=st.data())
def test_no_combination_of_missing_and_garbled_inputs_opens_the_gate(
    good: Facts, change: Change, data: st.DataObject
) -> None:
    """Two wrongs never make a right: any set of corruptions with one of evidence among them is closed."""
    choices = st.sampled_from(corruptions(good))
    evidence = data.draw(choices.filter(lambda choice: not UNIMPORTANT.fullmatch(choice[0])))
    alone = change(good, dict([evidence]))
    if alone == good:  # a default in the place of itself
        return
    corrupted = tolerant(change, good, [evidence, *data.draw(st.lists(choices, max_size=6))])
    if corrupted is not None and evidence_stands(corrupted, alone, evidence[0]):
        assert decide(corrupted, 5).state is GateState.CLOSED


def tolerant(change: Change, facts: Facts, changes: list[tuple[str, object]]) -> Facts | None:
    """The facts after all changes; None where one took away what the next would have changed."""
    for path, wrong in changes:
        try:
            facts = change(facts, {path: wrong})
        except (ValueError, IndexError, TypeError, AttributeError):
            return None
    return facts


def at(value: Any, path: str) -> object:
    """What stands at a path, None where it ends early."""
    for name in path.split("."):
        value = children(value).get(name)
    return value


def evidence_stands(facts: Facts, alone: Facts, path: str) -> bool:
    """Whether later changes have left the corrupted value as it was.

    Two times that are garbled alike are simply another day, whose gate nobody believes today.
    """
    return at(facts, path) == at(alone, path) and preflight_age(facts) == preflight_age(alone)


def preflight_age(facts: Facts) -> object:
    """What preflight is judged by, as far as there is anything to judge."""
    try:
        return facts.read_time - facts.run.began  # type: ignore[union-attr]  # garbage is what this is about
    except (TypeError, AttributeError):
        return None


FREEZE = Window(name="freeze", effect=Effect.DENY, start="2026-11-20T00:00:00", duration_seconds=86_400)

DANGERS: tuple[Mapping[str, object], ...] = (
    {"subject.deleting": True},
    {"subject.spec": None},
    {"subject.spec.activation": "Disabled"},
    {"subject.spec.approvals": []},
    {"subject.status.gate.burnedRevision": 5},
    {"gate": GateFacts(exists=False)},
    {"guard_errors": ("a forged gate passed",)},
    {"guard_errors": None},
    {"rivals": ("other",)},
    {"terms.approvals_needed": 2},
    {"terms.allowed_profiles": frozenset()},
    {"terms.windows": ((FREEZE,),)},
    {"terms": None},
    {"policy_error": "ActivationPolicy strict: windows"},
    {"stops": None},
    {"stops": (StopFacts("fat-finger", "too large"),)},
    {"subject.spec.approvals.0.verdict": "Rejected"},
    {"profile": None},
    {"profile.limits.maxPositions": 9},
    {"engine": None},
    {"engine.exists": False},
    {"engine.missing_objects": ("secrets/s",)},
    {"engine.identity.template": None},
    {"engine.holder": "stranger"},
    {"engine.pods.0.follows_template": False},
    {"engine.pods.0.differences": ("engine.args",)},
    {"run": None, "subject.status.preflight": None},
    {"run.live": Answer(None, error="hangs")},
    {"run.ready": Answer(503)},
    {"run.metrics": Answer(200, "")},
    {"engine.report": Answer(200, "{}")},
    {"engine.report.text.emergencyStop": "Active"},
    {"engine.report.text.riskState": "CRITICAL"},
    {"engine.report.text.riskState": "WARNING"},
    {"engine.report.text.testnetTrades": 0},
    {"engine.report.text.armed": False},
    {"engine.report.text.leading": False},
    {"engine.report.text.accounts": []},
)
"""Changes that each speak against opening."""

LENIENT = {
    "subject.spec.request.preflight.requirement": "Optional",
    "subject.spec.request.safety.riskState": "WARNING",
    "subject.spec.request.safety.testnetHistory": "Optional",
}
"""A request that asks for as little as can be asked for."""


@SLOW
@given(
    base=st.lists(st.sampled_from(DANGERS), max_size=3), more=st.sampled_from(DANGERS), lenient=st.booleans()
)
def test_more_evidence_of_danger_never_opens_the_gate(
    good: Facts, change: Change, approve: CarryOn, *, base: list[Mapping[str, object]],
    more: Mapping[str, object], lenient: bool,
) -> None:  # fmt: skip
    """Whatever was decided without it: a closed gate stays closed when another danger comes to light."""
    start = approve(change(good, LENIENT), "approver") if lenient else good
    before = tolerant(change, start, [item for changes in base for item in changes.items()])
    after = None if before is None else tolerant(change, before, list(more.items()))
    # A worse value in the place of a milder one is danger exchanged, not added.
    added = not any(set(more) & set(changes) for changes in base)
    if added and before is not None and after is not None and decide(before, 5).state is GateState.CLOSED:
        assert decide(after, 5).state is GateState.CLOSED


text = st.text(max_size=200)
answers = st.builds(Answer, st.none() | st.sampled_from([200, 204, 302, 500]), text, text)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | text,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(text, inner, max_size=3),
    max_leaves=8,
)
lines = st.sampled_from(REQUIRED_SERIES).flatmap(
    lambda name: st.sampled_from([name, f"{name}_sum 1", f"# {name}"])
)
metrics = st.builds(Answer, st.just(200), text | st.lists(lines | text, max_size=12).map("\n".join))


def sane_plan(facts: Facts) -> Plan:
    """The plan, seen to be the same each time, with one reason everywhere and no unreadable record."""
    plan = decide(facts, 5)
    assert decide(facts, 5) == plan
    assert plan.status.gate is not None
    assert plan.reason.value == plan.status.gate.reason == plan.status.conditions[0].reason
    assert plan.state is plan.status.gate.state
    assert 0 <= plan.look_again_seconds <= 5
    if plan.gate is not None:
        assert GateRecord.from_data(plan.gate.data()) == plan.gate
    return plan


@SLOW
@given(data=st.data())
def test_whatever_an_engine_answers_gets_a_decision(good: Facts, change: Change, data: st.DataObject) -> None:
    """Garbage, half a report, huge numbers, foreign text: decided the same each time, without an error."""
    assert good.engine is not None
    assert good.engine.report is not None
    report = json.loads(good.engine.report.text)
    report |= data.draw(st.dictionaries(st.sampled_from(sorted(report)), json_values, max_size=2))
    reports = answers | json_values.map(lambda value: Answer(200, json.dumps(value)))
    changed = {
        "run.live": data.draw(answers),
        "run.ready": data.draw(answers),
        "run.metrics": data.draw(answers | metrics),
        "engine.report": data.draw(reports | st.just(Answer(200, json.dumps(report)))),
        "engine.holder": data.draw(st.none() | st.text(max_size=400) | st.just(good.engine.holder)),
    }
    sane_plan(change(good, changed))


@SLOW
@given(garbled_data=st.dictionaries(st.sampled_from(sorted(GateRecord.model_fields)) | text, text, max_size=3))
def test_whatever_stands_in_the_gate_gets_a_decision(opened: Facts, garbled_data: dict[str, str]) -> None:
    """A gate edited by hand is read or not; either way there is a plan, and it leaves a readable record."""
    standing = opened.gate.record
    assert standing is not None
    data = standing.data() | garbled_data
    try:
        gate = GateFacts(exists=True, record=GateRecord.from_data(data), state_text=data["state"])
    except GateUnreadableError:
        gate = GateFacts(exists=True, state_text=data.get("state", ""))
    plan = sane_plan(replace(opened, gate=gate))
    assert gate.record is not None or plan.state is GateState.CLOSED


specs = st.fixed_dictionaries(
    {
        "activation": st.sampled_from(["Enabled", "Disabled", "enabled", ""]),
        "request": st.fixed_dictionaries(
            {
                "engineRef": st.just({"name": "perps-engine"}) | st.just({"name": "other"}),
                "accounts": st.lists(st.sampled_from(["main", "paper", "a" * 63]), min_size=1, max_size=3),
            },
            optional={
                "environment": st.sampled_from(["production", "staging", "moon"]),
                "profile": st.sampled_from(["micro", "p" * 63]),
                "preflight": st.fixed_dictionaries({"maxAgeSeconds": st.integers(9, 3601)}),
                "gate": st.fixed_dictionaries({"ttlSeconds": st.integers(4, 61)}),
            },
        ),
        "requestedBy": st.text(min_size=1, max_size=256),
    },
    optional={"revision": st.integers(0, 2**53), "approvals": st.just([])},
)


@SLOW
@given(
    raw=specs,
    users=st.lists(st.text(min_size=1, max_size=256), unique=True, max_size=16),
    epoch=st.integers(0, 2**53),
)
def test_whatever_is_asked_for_gets_a_decision(
    good: Facts, change: Change, approve: CarryOn, raw: dict[str, Any], users: list[str], epoch: int
) -> None:
    """Any request that the models take, approved by anybody, and any that they don't."""
    try:
        facts = approve(change(good, {"subject.spec": GoLiveSpec.model_validate(raw), "epoch": epoch}), *users)
    except ValidationError:
        facts = change(good, {"subject.spec": None, "epoch": epoch})
    sane_plan(facts)
