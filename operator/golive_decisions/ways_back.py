"""The states of a gate, and what it takes to open again after each reason for which it is closed.

One table: what burns, what waits for a person, and the diagram in the docs all follow from it.
"""

from enum import StrEnum

from golive_api.reasons import Reason


class WayBack(StrEnum):
    """What it takes until the gate may open again."""

    BY_ITSELF = "by itself, once the cause is gone; after maxGapSeconds only by a new revision"
    WITH_A_WINDOW = "by itself, with the next window"
    BY_CONSENT = "when people have agreed to what stands there now"
    BY_REVISION = "never; a new revision, agreed to anew, may open"


WAYS_BACK: dict[Reason, WayBack] = {
    Reason.SPEC_UNREADABLE: WayBack.BY_CONSENT,
    Reason.BEING_DELETED: WayBack.BY_CONSENT,
    Reason.ACTIVATION_DISABLED: WayBack.BY_CONSENT,
    Reason.GATE_REMOVED: WayBack.BY_REVISION,
    Reason.GATE_CLOSED_BY_PERSON: WayBack.BY_REVISION,
    Reason.GATE_LAPSED: WayBack.BY_REVISION,
    Reason.REVISION_BURNED: WayBack.BY_REVISION,
    Reason.ADMISSION_UNGUARDED: WayBack.BY_ITSELF,
    Reason.POLICY_MISSING: WayBack.BY_ITSELF,
    Reason.POLICY_UNREADABLE: WayBack.BY_ITSELF,
    Reason.PROFILE_NOT_ALLOWED: WayBack.BY_ITSELF,
    Reason.WINDOW_CLOSED: WayBack.WITH_A_WINDOW,
    Reason.WINDOW_UNREADABLE: WayBack.BY_ITSELF,
    Reason.EMERGENCY_STOP_APPLIED: WayBack.BY_REVISION,
    Reason.EMERGENCY_STOP_UNKNOWN: WayBack.BY_ITSELF,
    Reason.REJECTED: WayBack.BY_REVISION,
    Reason.REQUEST_EXPIRED: WayBack.BY_REVISION,
    Reason.ENGINE_CONTESTED: WayBack.BY_ITSELF,
    Reason.LADDER_NOT_CLIMBED: WayBack.BY_ITSELF,
    Reason.PROFILE_MISSING: WayBack.BY_ITSELF,
    Reason.PROFILE_UNREADABLE: WayBack.BY_ITSELF,
    Reason.ENGINE_MISSING: WayBack.BY_ITSELF,
    Reason.ENGINE_CONFIG_MISSING: WayBack.BY_ITSELF,
    Reason.APPROVALS_MISSING: WayBack.BY_CONSENT,
    Reason.APPROVER_GROUP_MISSING: WayBack.BY_CONSENT,
    Reason.ENGINE_CHANGED: WayBack.BY_CONSENT,
    Reason.PROFILE_CHANGED: WayBack.BY_CONSENT,
    Reason.REQUEST_CHANGED: WayBack.BY_CONSENT,
    Reason.ENGINE_NOT_RUNNING: WayBack.BY_ITSELF,
    Reason.ENGINE_ROLLING_OUT: WayBack.BY_ITSELF,
    Reason.ENGINE_POD_DIFFERS: WayBack.BY_ITSELF,
    Reason.ENGINE_UNREACHABLE: WayBack.BY_ITSELF,
    Reason.ENGINE_REPORT_UNREADABLE: WayBack.BY_ITSELF,
    Reason.ENGINE_CONFIG_STALE: WayBack.BY_ITSELF,
    Reason.ACCOUNT_NOT_TRADED: WayBack.BY_ITSELF,
    Reason.EMERGENCY_STOP_ACTIVE: WayBack.BY_ITSELF,
    Reason.RISK_NOT_ACCEPTABLE: WayBack.BY_ITSELF,
    Reason.TESTNET_HISTORY_SHORT: WayBack.BY_ITSELF,
    Reason.PREFLIGHT_PENDING: WayBack.BY_ITSELF,
    Reason.PREFLIGHT_STALE: WayBack.BY_ITSELF,
    Reason.HEALTH_LIVE_FAILED: WayBack.BY_ITSELF,
    Reason.HEALTH_READY_FAILED: WayBack.BY_ITSELF,
    Reason.METRICS_MISSING: WayBack.BY_ITSELF,
    Reason.EXCHANGE_UNCONNECTED: WayBack.BY_ITSELF,
    Reason.DATABASE_FAILED: WayBack.BY_ITSELF,
    Reason.STRESS_SCENARIOS_FAILED: WayBack.BY_ITSELF,
    Reason.WEBHOOK_FAILED: WayBack.BY_ITSELF,
    Reason.QUERY_FAILED: WayBack.BY_ITSELF,
    Reason.CHECK_ERROR: WayBack.BY_ITSELF,
    Reason.CHECKLIST_INCOMPLETE: WayBack.BY_CONSENT,
    Reason.WAITING: WayBack.BY_CONSENT,
}
"""Every reason for which a gate is closed, in the chain's order."""

PATIENT = frozenset(
    reason.value for reason, way in WAYS_BACK.items() if way in (WayBack.WITH_A_WINDOW, WayBack.BY_CONSENT)
)
"""Reasons that wait for a person or for the next window: what opens after them does not open by itself."""


BURNING = {reason.value: reason for reason, way in WAYS_BACK.items() if way is WayBack.BY_REVISION}
"""Reasons for which a revision that is closed can never open again, by their codes."""


def burns(reason: Reason) -> bool:
    """Whether a revision that is closed for this reason can never open again."""
    return reason.value in BURNING
