"""How each item of the checklist stands, and whether what is required is complete."""

from collections.abc import Iterable

from golive_api.checklist import BY_ID, ITEMS, Item, Phase
from golive_api.conditions import ConditionType
from golive_api.golive import ChecklistItem, ItemState, PreflightCheck, Requirement
from golive_api.preflight_report import CheckResult
from golive_api.reasons import Reason
from golive_api.values import render_time
from golive_decisions import attestations
from golive_decisions.engine_report_checks import read_report
from golive_decisions.facts import Facts
from golive_decisions.machine_items import measure
from golive_decisions.objections import Objection
from golive_decisions.once import once
from golive_decisions.preflight_results import Evidence
from golive_decisions.runs_that_count import inherited_items, uncounted
from golive_decisions.verdicts import error, failed, passed

MOST_ITEMS = 96
"""As many items are shown, the required ones first."""

MOST_MESSAGE = 500
"""How much of a message is shown."""

SUMMARY = "checklist"
"""Name of the check that sums it up."""

_STATES = {
    CheckResult.PASSED: ItemState.PASSED,
    CheckResult.FAILED: ItemState.FAILED,
    CheckResult.ERROR: ItemState.ERROR,
}
_GOOD = frozenset({ItemState.PASSED, ItemState.ATTESTED})
_MEASURED_BADLY = frozenset({ItemState.FAILED, ItemState.ERROR})


@once
def items(facts: Facts) -> tuple[ChecklistItem, ...]:
    """What has to hold before trading, what is required, and what somebody vouches for."""
    spec, terms = facts.subject.spec, facts.terms
    if spec is None or terms is None:
        return ()
    required = terms.checks.checklist_required
    spoken_for = {attestation.item for attestation in spec.attestations} | required
    named = [item.id for item in ITEMS if item.phase is Phase.BEFORE or item.id in spoken_for]
    wanted = [*named, *sorted(required - BY_ID.keys())]
    shown = frozenset(sorted(wanted, key=lambda name: name not in required)[:MOST_ITEMS])
    return _standing(facts, [name for name in wanted if name in shown])


@once
def _required(facts: Facts) -> tuple[ChecklistItem, ...]:
    """Every required item, however many there are."""
    return _standing(facts, sorted(facts.terms.checks.checklist_required)) if facts.terms else ()


def _standing(facts: Facts, names: Iterable[str]) -> tuple[ChecklistItem, ...]:
    """How these items stand now."""
    spec, terms, run, why = facts.subject.spec, facts.terms, facts.run, uncounted(facts)
    if spec is None or terms is None:
        return ()
    evidence = Evidence(run, read_report(facts), spec, terms) if run is not None and why is None else None
    found: list[ChecklistItem] = []
    for name in names:
        item = BY_ID.get(name)
        measured = _measured(facts, item, evidence, why[1] if why else "") if item else None
        required = Requirement.REQUIRED if name in terms.checks.checklist_required else Requirement.OPTIONAL
        found.append(_stands(facts, name, measured).model_copy(update={"required": required}))
    return tuple(found)


def _measured(facts: Facts, item: Item, evidence: Evidence | None, why: str) -> ChecklistItem | None:
    """What a machine says of an item; None where there is no machine."""
    if item.machine is None:
        return None
    if evidence is not None:
        verdict = measure(evidence, item)
        return _shown(item.id, _STATES[verdict.result], verdict.message) if verdict else None
    return inherited_items(facts).get(item.id) or _shown(item.id, ItemState.ERROR, why)


def _stands(facts: Facts, name: str, measured: ChecklistItem | None) -> ChecklistItem:
    """What a machine says; else what a person says. A person's word never outweighs a machine's."""
    if measured is not None:
        return measured
    if name not in BY_ID:
        return _shown(name, ItemState.MISSING, "no such item")
    spec, terms = facts.subject.spec, facts.terms
    said = next((each for each in spec.attestations if each.item == name), None) if spec else None
    ttl_seconds = terms.checks.attestation_ttl_seconds if terms else 0
    state, message = attestations.judge(said, facts.subject.uid, ttl_seconds, facts.read_time)
    if said is None and BY_ID[name].machine is not None:
        message = f"no policy names what measures it ({BY_ID[name].machine}), and {message}"
    return _shown(name, state, message, said.user if said and state is not ItemState.MISSING else "")


def _shown(name: str, state: ItemState, message: str, by: str = "") -> ChecklistItem:
    return ChecklistItem(
        item=name, state=state, required=Requirement.OPTIONAL, by=by, message=message[:MOST_MESSAGE]
    )


def summary(facts: Facts) -> PreflightCheck | None:
    """The checklist as one check, after the others; None where no item is required."""
    required = _required(facts)
    if not required:
        return None
    good = sum(item.state in _GOOD for item in required)
    values = {"required": str(len(required)), "holding": str(good)}
    verdict = passed(f"all {good} required items hold", values)
    if message := _incomplete(required):
        tried = any(item.state is not ItemState.ERROR for item in required if item.state not in _GOOD)
        verdict = (
            failed(Reason.CHECKLIST_INCOMPLETE, message, values)
            if tried
            else error(message, values, Reason.CHECKLIST_INCOMPLETE)
        )
    return verdict.check(SUMMARY, render_time(facts.run.began) if facts.run else None)


def _incomplete(required: Iterable[ChecklistItem]) -> str:
    """Every item that does not hold, and why; empty where all hold."""
    return "; ".join(
        f"{item.item}: {item.state} ({item.message})" for item in required if item.state not in _GOOD
    )


def checklist_incomplete(facts: Facts) -> Objection | None:
    """A required item is neither measured well nor vouched for; a policy's word, so never optional."""
    if not (message := _incomplete(_required(facts))):
        return None
    return Objection(Reason.CHECKLIST_INCOMPLETE, message, ConditionType.PREFLIGHT_PASSED)


def measured_badly(facts: Facts) -> bool:
    """Whether a required item waits for a machine: a new run may find it better."""
    return any(item.state in _MEASURED_BADLY for item in _required(facts))
