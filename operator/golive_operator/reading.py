"""Objects of the API server as facts: what can't be read is said, and never guessed."""

from collections.abc import Iterable
from typing import Any, TypeVar

from pydantic import ValidationError

from golive_api.emergency_stop import EmergencyStopSpec, selects
from golive_api.gate import GateRecord, GateUnreadableError
from golive_api.golive import (
    PREFLIGHT_ANNOTATION,
    GateState,
    GateStatus,
    GoLiveSpec,
    GoLiveStatus,
    History,
    Recorded,
)
from golive_api.policy import ActivationPolicySpec
from golive_api.profiles import CapitalProfileSpec
from golive_api.reasons import Reason
from golive_api.values import WireModel
from golive_decisions.facts import GateFacts, ProfileFacts, StopFacts, Subject
from golive_decisions.terms import Policy, Terms, applying, in_force
from golive_operator.cluster import Object

Part = TypeVar("Part", bound=WireModel)


def read_subject(golive: Object) -> Subject:
    """The GoLive as facts; a spec with unknown values is None, and status that can't be read is empty."""
    metadata = golive["metadata"]
    spec, error = None, ""
    try:
        spec = GoLiveSpec.model_validate(golive.get("spec"))
    except ValidationError as invalid:
        error = _first(invalid)
    try:
        status = GoLiveStatus.model_validate(golive.get("status") or {})
    except ValidationError as invalid:
        spec, error, status = None, f"status: {_first(invalid)}", _burned(golive)
    return Subject(
        namespace=metadata["namespace"],
        name=metadata["name"],
        uid=metadata["uid"],
        generation=metadata.get("generation", 0),
        deleting="deletionTimestamp" in metadata,
        spec=spec,
        spec_error=error,
        status=status,
        preflight_requested=str((metadata.get("annotations") or {}).get(PREFLIGHT_ANNOTATION, ""))[:64],
    )


def _burned(golive: Object) -> GoLiveStatus:
    """In place of a status that can't be read: it may hold a burn, so this revision counts as burned.

    What can be read of the history is kept: the place in the chain of records must not be lost.
    """
    said = (golive.get("spec", {}).get("revision"), _burned_revision(golive))
    gate = GateStatus(
        state=GateState.CLOSED,
        reason=Reason.SPEC_UNREADABLE.value,
        epoch=0,
        serial=0,
        burned_revision=max((number for number in said if isinstance(number, int)), default=1),
    )
    status = golive["status"]
    return GoLiveStatus(
        gate=gate,
        history=_if_readable(History, status.get("history")),
        recorded=_if_readable(Recorded, status.get("recorded")),
    )


def _if_readable(kind: type[Part], value: object) -> Part | None:
    try:
        return kind.model_validate(value)
    except ValidationError:
        return None


def _burned_revision(golive: Object) -> Any:
    gate = golive["status"].get("gate")
    return gate.get("burnedRevision") if isinstance(gate, dict) else None


def read_gate(gate: Object | None) -> GateFacts:
    """The gate's ConfigMap as facts."""
    if gate is None:
        return GateFacts(exists=False)
    data = gate.get("data") or {}
    try:
        return GateFacts(exists=True, record=GateRecord.from_data(data), state_text=data.get("state", ""))
    except GateUnreadableError:
        return GateFacts(exists=True, state_text=data.get("state", ""))


def _first(error: ValidationError) -> str:
    detail = error.errors()[0]
    return f"{'.'.join(map(str, detail['loc']))}: {detail['msg']}"[:500]


def read_terms(policies: Iterable[Object], namespace: str, spec: GoLiveSpec) -> tuple[Terms | None, str]:
    """What is in force, or why it can't be known: a policy that can't be read shuts all that it may bound."""
    read: list[Policy] = []
    for policy in policies:
        name = policy["metadata"]["name"]
        try:
            read.append(Policy(name, ActivationPolicySpec.model_validate(policy.get("spec"))))
        except ValidationError as invalid:
            return None, f"ActivationPolicy {name}: {_first(invalid)}"
    return in_force(applying(read, namespace), spec), ""


def read_stops(stops: Iterable[Object], engine: str) -> tuple[StopFacts, ...]:
    """EmergencyStops that select an engine; one that can't be read selects every engine."""
    found = []
    for stop in stops:
        name = stop["metadata"]["name"]
        try:
            spec = EmergencyStopSpec.model_validate(stop.get("spec"))
        except ValidationError as invalid:
            found.append(StopFacts(name, f"unreadable: {_first(invalid)}"))
            continue
        if selects(spec, engine):
            by = (spec.release.user, spec.release.root_cause) if spec.release else ("", "")
            found.append(StopFacts(name, spec.reason, *by))
    return tuple(sorted(found, key=lambda stop: stop.name))


def read_profile(profile: Object | None) -> ProfileFacts:
    """The limits of a CapitalProfile."""
    if profile is None:
        return ProfileFacts(None)
    try:
        return ProfileFacts(CapitalProfileSpec.model_validate(profile.get("spec")).limits)
    except ValidationError as error:
        return ProfileFacts(None, _first(error))
