"""What an act rested on, as short texts by name, for its record."""

from collections import Counter
from collections.abc import Mapping
from typing import Any

from golive_api.digest import canonical
from golive_api.golive import Approval, Attestation, GoLiveSpec
from golive_api.values import parse_time
from golive_decisions.acts import Sight
from golive_decisions.facts import StopFacts

MOST_LETTERS = 4096
"""A longer text is cut: a record must fit into one object, whatever people write."""

Evidence = dict[str, str]
"""What stands in a record."""


def tidy(**values: Any) -> Evidence:
    """Texts as they are, anything else as canonical JSON; what is empty is left out."""
    texts = {
        key: value if isinstance(value, str) else canonical(value)
        for key, value in values.items()
        if value not in ("", None, [], {})
    }
    return {key: text[:MOST_LETTERS] for key, text in texts.items()}


def of_request(sight: Sight, spec: GoLiveSpec) -> Evidence:
    """All that was asked for."""
    return tidy(
        activation=spec.activation.value,
        request=spec.request.wire(),
        policies=sight.status.policies,
        profile=sight.status.profile,
        admission=admission(sight),
    )


def of_word(sight: Sight, word: Approval | Attestation) -> Evidence:
    """What a person said, and whether the API server vouches for who it was."""
    said = {
        key: value for key, value in word.wire().items() if key not in {"user", "uid", "revision", "digest"}
    }
    return tidy(**said, admission=admission(sight))


def of_stop(stop: StopFacts) -> Evidence:
    """Which stop, and why."""
    return tidy(stop=stop.name, reason=stop.reason, rootCause=stop.root_cause)


def of_opening(sight: Sight) -> Evidence:
    """What the gate was opened on; only its number where it has changed since."""
    number = sight.history.activations
    gate, status = sight.gate, sight.status
    if gate is None or gate.revision != sight.history.last_activated_revision:
        return tidy(activation=number, late="recorded after the gate had changed again")
    checks = status.preflight.checks if status.preflight else []
    return tidy(
        activation=number,
        engine=gate.engine,
        pod=status.engine.pod if status.engine else None,
        environment=gate.environment.value,
        accounts=gate.accounts,
        profile=gate.profile,
        limits=gate.limits.wire() if gate.limits else None,
        requestedBy=gate.requested_by,
        approvers=gate.approvers,
        policies=status.policies,
        epoch=gate.epoch,
        ttlSeconds=gate.ttl_seconds,
        checklist=_counts(sight),
        admission=admission(sight),
    ) | {f"preflight/{check.name}": f"{check.result} {check.reason} {check.checked_time}" for check in checks}


def of_closing(sight: Sight, *, burned: bool, record: int) -> Evidence:
    """How long the gate was open, and what that opening's record is."""
    history = sight.history
    ends = [time for time in (history.last_open_time, history.last_closed_time) if time]
    seconds = None
    if ends and history.last_activated_time:
        span = min(map(parse_time, ends)) - parse_time(history.last_activated_time)
        seconds = max(0, int(span.total_seconds()))
    return tidy(
        activation=history.activations,
        openedBy=str(record or ""),
        openSeconds=seconds,
        burned="yes" if burned else "no",
    )


def of_attempt(sight: Sight) -> Evidence:
    """What stood against it."""
    return tidy(
        approvals=sight.status.approval_summary, policies=sight.status.policies, checklist=_counts(sight)
    )


def admission(sight: Sight) -> str:
    """Whether the API server was seen to refuse forged names: only then a user's name is that user's."""
    return sight.condition("AdmissionGuarded")[1]


def _counts(sight: Sight) -> Mapping[str, int]:
    items = sight.status.preflight.checklist if sight.status.preflight else []
    return Counter(item.state.value for item in items)
