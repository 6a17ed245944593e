"""What people are told, and in which words: who did what to which gate, why, and what to do next."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

from golive_api.digest import sha256
from golive_api.golive import TEST_NOTICE_KEY, Recorded, Seen
from golive_api.reasons import Reason
from golive_api.record import Act
from golive_decisions import acts
from golive_decisions.acts import DueAct, Sight

MOST_TEXT = 1500
"""Letters of a notice: chat services refuse longer ones."""


_KINDS: dict[Act, Literal["info", "success", "warning", "failure"]] = {
    Act.REQUESTED: "info",
    Act.APPROVED: "info",
    Act.OPENED: "success",
    Act.RELEASED: "success",
    Act.STOPPED: "failure",
}
"""Kinds of notices by act; all others warn."""


@dataclass(frozen=True, slots=True)
class Notice:
    """One message to people."""

    topic: str
    """What it is about."""
    content: str
    """What is said of it: the same as the last time is one notice, however often it is asked for."""
    subject: str
    """One line that is like no other notice's, for repeats of a line are not sent."""
    text: str
    """Why, who, and what to run next."""
    kind: Literal["info", "success", "warning", "failure"] = "warning"
    """How it is coloured where it is read."""


def of_act(act: DueAct, sight: Sight) -> Notice | None:
    """The notice of an act; None where nobody needs to be told."""
    words = _WORDS.get(act.act)
    if words is None:
        return None
    what, next_step = words(act, sight)
    lines = [act.message, f"Reason: {_explained(act.reason)}"]
    if act.users:
        lines.append(f"By: {', '.join(act.users)}")
    if comment := act.evidence.get("comment"):
        lines.append(f"Comment: {comment}")
    lines += [f"At: {act.time}", f"Next: {next_step}"]
    return Notice(
        topic=f"{sight.uid}/{act.key}",
        content=act.hash,
        subject=_subject(sight, what, act.time),
        text="\n".join(lines)[:MOST_TEXT],
        kind=_KINDS.get(act.act, "warning"),
    )


def marks(sight: Sight, recorded: Recorded) -> tuple[tuple[Seen, Notice | None], ...]:
    """What is told without a record: preflight that begins to fail, and a test that somebody asked for."""
    known = {seen.key: seen.hash for seen in recorded.seen}
    found = (_preflight(sight, known), _test(sight))
    return tuple(each for each in found if each is not None and known.get(each[0].key) != each[0].hash)


def _preflight(sight: Sight, known: Mapping[str, str]) -> tuple[Seen, Notice | None] | None:
    """Failing is remembered and told, passing remembered after that; what was not tried is neither."""
    status, reason, message = sight.condition("PreflightPassed")
    if status not in {"True", "False"} or reason == Reason.PREFLIGHT_PENDING:
        return None
    seen = Seen(key=acts.PREFLIGHT_NOTICE, hash=sha256(status))
    if status == "True":
        return (seen, None) if seen.key in known else None
    text = (
        f"{message}\nReason: {_explained(reason)}\nThe gate is {sight.state.value}.\n"
        f"Next: {_command('status', sight)}"
    )
    since = next(
        each.last_transition_time for each in sight.status.conditions if each.type == "PreflightPassed"
    )
    subject = _subject(sight, f"preflight failed: {reason}", since)
    return seen, Notice(f"{sight.uid}/{seen.key}", since, subject, text[:MOST_TEXT])


def _test(sight: Sight) -> tuple[Seen, Notice | None] | None:
    if not sight.test_notice:
        return None
    seen = Seen(key=TEST_NOTICE_KEY, hash=sha256(sight.test_notice))
    text = (
        f"This is a test: notices about {sight.namespace}/{sight.name} reach you.\n"
        f"The gate is {sight.state.value}: {_explained(sight.reason)}\nNext: nothing."
    )
    subject = _subject(sight, "test notice", sight.test_notice)
    return seen, Notice(f"{sight.uid}/{seen.key}", seen.hash, subject, text, "info")


def _subject(sight: Sight, what: str, when: str) -> str:
    """Which gate first; the time last, so that no two are alike."""
    return f"{sight.namespace}/{sight.name}: {what} ({when})"[:250]


def _explained(code: str) -> str:
    """A reason code with its sentence."""
    sentences = {reason.value: reason.sentence for reason in Reason}
    return f"{code}: {sentences[code]}" if code in sentences else code


def _command(verb: str, sight: Sight) -> str:
    return f"kubectl golive {verb} {sight.name} -n {sight.namespace}"


def _requested(act: DueAct, sight: Sight) -> tuple[str, str]:
    who = act.users[0] if act.users else "somebody"
    return (
        f"{who} requested revision {act.revision}",
        f"somebody else reads and runs {_command('approve', sight)}",
    )


def _approved(act: DueAct, sight: Sight) -> tuple[str, str]:
    count = (sight.status.approval_summary or "?/?").replace("/", " of ")
    approved = f"{act.users[0]} approved revision {act.revision} ({count})"
    opens = "it opens once every other check holds; to stop it: "
    return approved, opens + _command("close", sight)


def _rejected(act: DueAct, sight: Sight) -> tuple[str, str]:
    again = "set activation Disabled, then Enabled, for a new revision; first see "
    return f"{act.users[0]} rejected revision {act.revision}", again + _command("status", sight)


def _revoked(act: DueAct, sight: Sight) -> tuple[str, str]:
    return f"taken back: {act.evidence.get('what', act.key)}", _command("status", sight)


def _opened(act: DueAct, sight: Sight) -> tuple[str, str]:
    details = f"activation {act.evidence.get('activation', '?')}, revision {act.revision}"
    profile = act.evidence.get("profile", "unknown")
    return f"OPEN with profile {profile} ({details})", f"watch it; to stop it: {_command('close', sight)}"


def _closed(act: DueAct, sight: Sight) -> tuple[str, str]:
    burned = act.evidence.get("burned") == "yes"
    what = "ROLLED BACK" if burned else "CLOSED"
    again = "set activation Disabled, then Enabled, and have it approved again; first see "
    return f"{what}: {act.reason}", (again if burned else "") + _command("status", sight)


def _stopped(act: DueAct, sight: Sight) -> tuple[str, str]:
    stop = act.evidence.get("stop", "")
    release = f"find the cause; then: kubectl golive release {stop} -n {sight.namespace} --root-cause TEXT"
    return f"EMERGENCY STOP {stop}", release


def _released(act: DueAct, sight: Sight) -> tuple[str, str]:
    stop = act.key.removeprefix(acts.STOP)
    return f"emergency stop {stop} is lifted", _command("status", sight)


_WORDS: dict[Act, Callable[[DueAct, Sight], tuple[str, str]]] = {
    Act.REQUESTED: _requested,
    Act.APPROVED: _approved,
    Act.REVOKED: _revoked,
    Act.REJECTED: _rejected,
    Act.OPENED: _opened,
    Act.CLOSED: _closed,
    Act.STOPPED: _stopped,
    Act.RELEASED: _released,
}
"""What the subject says, and what to do next; acts that are not here are told by no notice of their own."""
