"""What to do about each reason, as a command where there is one."""

import shlex

from golive_api.reasons import Reason
from kubectl_golive.approvals import rejections
from kubectl_golive.preflight_view import UNVOUCHED, open_items
from kubectl_golive.seen import Seen
from kubectl_golive.terminal import until

_PATCH = 'kubectl patch golive {name} -n {namespace} --type merge -p \'{{"spec":{{"activation":"{value}"}}}}\''

PLAIN_BURNED = "this revision is burned; start a new one with: {anew}"
"""What to do about a burned revision whatever the reason was."""

ADVICE: dict[str, str] = {
    Reason.GATE_REMOVED: PLAIN_BURNED,
    Reason.GATE_CLOSED_BY_PERSON: PLAIN_BURNED,
    Reason.REVISION_BURNED: PLAIN_BURNED,
    Reason.POLICY_MISSING: "have an administrator apply an ActivationPolicy for namespace {namespace}",
    Reason.POLICY_UNREADABLE: "have an administrator correct the ActivationPolicy: {message}",
    Reason.PROFILE_NOT_ALLOWED: "name an allowed profile in spec.request, or have an administrator allow this "
    "one: {message}",
    Reason.LADDER_NOT_CLIMBED: "ask for the profile that comes before it first: {message}",
    Reason.WINDOW_CLOSED: "wait for the window: {window}",
    Reason.WINDOW_UNREADABLE: "have an administrator correct the ActivationPolicy's windows: {message}",
    Reason.ADMISSION_UNGUARDED: "have an administrator install the chart again: {message}",
    Reason.EMERGENCY_STOP_UNKNOWN: "look whether the kind EmergencyStop is installed: {message}",
    Reason.ENGINE_CONTESTED: "disable all but one of the GoLives for this engine: {message}",
    Reason.APPROVALS_MISSING: "approve with: {approve} (not as {requester})",
    Reason.ENGINE_CHANGED: "have the changed engine approved again with: {approve} (not as {requester})",
    Reason.PROFILE_CHANGED: "have the changed limits approved again with: {approve} (not as {requester})",
    Reason.REQUEST_CHANGED: "have the changed request approved again with: {approve} (not as {requester})",
    Reason.APPROVER_GROUP_MISSING: "have a member of the group approve with: {approve} ({message})",
    Reason.PREFLIGHT_PENDING: "wait until preflight has run, or have it run with: {preflight}",
    Reason.PREFLIGHT_STALE: "have preflight run with: {preflight}",
    Reason.CHECKLIST_INCOMPLETE: "{attest}",
    Reason.WAITING: "wait: the gate opens on the operator's next look",
}
"""What to do, by reason; for every other one the operator's own words say it."""

BURNED: dict[str, str] = {
    Reason.REJECTED: "{rejected}: settle that, then start a new revision with: {anew}",
    Reason.GATE_LAPSED: "nobody watched over the open gate for too long; start a new revision with: {anew}",
    Reason.REQUEST_EXPIRED: "the request has expired; start a new revision with: {anew}",
}
"""The same for what says more than that the revision is burned."""

RERUN = frozenset(
    {
        Reason.CHECK_ERROR,
        Reason.HEALTH_LIVE_FAILED,
        Reason.HEALTH_READY_FAILED,
        Reason.METRICS_MISSING,
        Reason.EXCHANGE_UNCONNECTED,
        Reason.DATABASE_FAILED,
        Reason.STRESS_SCENARIOS_FAILED,
        Reason.WEBHOOK_FAILED,
        Reason.QUERY_FAILED,
    }
)
"""Reasons that a check gives: when the cause is gone, preflight can be run at once."""


def advice(reason: str, message: str, seen: Seen, *, told: bool = False) -> str:
    """What to do about one reason.

    Args:
        reason: Its code.
        message: The operator's own words.
        seen: What was read.
        told: Those words stand above already.
    """
    if text := ADVICE.get(reason) or BURNED.get(reason):
        return fill(text, seen, message)
    again = "; then have preflight run with: {preflight}" if reason in RERUN else ""
    cause = "put that right" if told else "put right what stands in the way: " + message
    return cause + fill(again, seen)


def fill(text: str, seen: Seen, message: str = "") -> str:
    """Put names and commands in."""
    where = {"name": seen.name, "namespace": seen.namespace}
    address = "{name} -n {namespace}".format(**where)
    return text.format(
        **where,
        message=message,
        requester=seen.spec["requestedBy"],
        approve=f"kubectl golive approve {address}",
        preflight=f"kubectl golive preflight {address}",
        enable=_PATCH.format(**where, value="Enabled"),
        anew=f"{_PATCH.format(**where, value='Disabled')} and then the same with Enabled",
        window=window(seen),
        attest=_attest(seen, address),
        rejected=_rejected(seen),
    )


def window(seen: Seen) -> str:
    """When the windows let the gate open or shut next."""
    said = seen.status.get("window") or {}
    if said.get("state") == "Open":
        return f"shuts {until(said['nextClose'], seen.now)}" if said.get("nextClose") else "never shuts"
    return f"opens {until(said['nextOpen'], seen.now)}" if said.get("nextOpen") else "it never opens again"


def release(stop: str, seen: Seen) -> str:
    """How a stop is lifted."""
    return f"kubectl golive release {shlex.quote(stop)} -n {seen.namespace} --root-cause TEXT"


def _attest(seen: Seen, address: str) -> str:
    """Vouching for what only a person can; what a machine measured wrongly nobody can vouch for."""
    missing = open_items(seen.preflight)
    vouched = [item["item"] for item in missing if item["state"] in UNVOUCHED]
    measured = [item["item"] for item in missing if item["state"] not in UNVOUCHED]
    if vouched:
        more = f" ({len(vouched) - 1} more: kubectl golive attest {address} --list)" if vouched[1:] else ""
        return f"vouch for it with: kubectl golive attest {address.replace(' ', f' {vouched[0]} ', 1)}{more}"
    if measured:
        return f"put right what the checklist measures: {', '.join(measured)}"
    return f"look at the checklist: kubectl golive attest {address} --list"


def _rejected(seen: Seen) -> str:
    said = [
        f'{no["user"]} ("{no["comment"]}")' if no.get("comment") else no["user"]
        for no in rejections(seen.golive)
    ]
    return f"rejected by {', '.join(said)}" if said else "the request was rejected"
