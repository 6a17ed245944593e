"""The summary of what has happened: how often a gate was opened, by whom, how long with which profile."""

from collections.abc import Sequence
from datetime import datetime

from golive_api.golive import GateState, History, RungTime
from golive_api.values import parse_time, render_time

MOST_PEOPLE = 17
"""The requester and as many approvers as a GoLive holds."""

MOST_RUNGS = 32
"""Profiles whose time is kept; beyond them the one with the least time is forgotten."""


def advance(  # noqa: PLR0913  # one decision, told by its parts, so that no other room's types are needed
    before: History | None,
    *,
    revision: int,
    requester: str,
    approvers: Sequence[str],
    profile: str,
    was_open_since: datetime | None,
    was: GateState,
    now_state: GateState,
    now: datetime,
    last_valid_until: datetime | None,
    reason: str = "",
) -> History:
    """The summary after one more decision; renewals change nothing.

    Args:
        before: The summary as status has it, None where there is none yet.
        revision: spec.revision of the decision.
        requester: Who asked for that revision.
        approvers: Who approved it.
        profile: The profile with which the gate was open.
        was_open_since: When the opening began, where the summary itself does not know.
        was: The gate before the decision.
        now_state: The gate as it was decided.
        now: When the facts were read.
        last_valid_until: Until when the gate was valid before the decision: it was open no longer than that.
        reason: Why the gate is as it was decided.
    """
    history, opens = _first_sight(before or History(), revision, now), now_state is GateState.OPEN
    if opens and (was is not GateState.OPEN or not history.activations):
        return _opened(history, revision, (requester, *approvers), now)
    ended = min(now, last_valid_until or now)
    if was is not GateState.OPEN or (opens and ended == now):
        return history
    history = _counted(history, profile, was_open_since, ended)
    return _renewed(history, now) if opens else _closed(history, ended, now, reason)


def _first_sight(history: History, revision: int, now: datetime) -> History:
    if history.request_revision == revision:
        return history
    return history.model_copy(update={"request_revision": revision, "request_time": render_time(now)})


def _opened(history: History, revision: int, people: Sequence[str], now: datetime) -> History:
    return history.model_copy(
        update={
            "activations": history.activations + 1,
            "last_activated_time": render_time(now),
            "last_activated_revision": revision,
            "last_operators": [person for person in people if person][:MOST_PEOPLE],
            "open_since": render_time(now),
        }
    )


def _renewed(history: History, now: datetime) -> History:
    """It had lapsed: the gap is not open time, and what follows it is no other activation."""
    return history.model_copy(update={"open_since": render_time(now)})


def _closed(history: History, ended: datetime, now: datetime, reason: str) -> History:
    changes = {
        "open_since": None,
        "last_open_time": render_time(ended),
        "last_closed_time": render_time(now),
        "last_closed_reason": reason,
    }
    return history.model_copy(update=changes)


def _counted(history: History, profile: str, was_open_since: datetime | None, ended: datetime) -> History:
    """Add the time from the opening's start to its end; a clock that went back adds nothing."""
    began = parse_time(history.open_since) if history.open_since else was_open_since
    seconds = int((ended - began).total_seconds()) if began else 0
    if seconds <= 0 or not profile:
        return history
    times = {rung.profile: rung.open_seconds for rung in history.rungs}
    times[profile] = times.get(profile, 0) + seconds
    kept = sorted(times.items(), key=lambda rung: rung[1], reverse=True)[:MOST_RUNGS]
    rungs = [RungTime(profile=name, open_seconds=total) for name, total in sorted(kept)]
    return history.model_copy(update={"rungs": rungs})
