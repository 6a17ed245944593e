"""What a person's word for an item of the checklist is worth now."""

from datetime import UTC, datetime, timedelta

from golive_api.golive import Attestation, ItemState
from golive_api.values import parse_time

MOST_LEAD = timedelta(seconds=60)
"""A word from further in the future does not count: nobody has given it yet."""

END = datetime.max.replace(tzinfo=UTC)
"""No time is later."""


def judge(said: Attestation | None, uid: str, ttl_seconds: int, now: datetime) -> tuple[ItemState, str]:
    """How an item stands by a person's word, and why."""
    if said is None:
        return ItemState.MISSING, "nobody vouches for it"
    if wrong := _worthless(said, uid, now):
        return ItemState.MISSING, wrong
    if now >= _ends(said, ttl_seconds):
        return ItemState.LAPSED, f"{said.user} vouched for it at {said.time}, which has lapsed"
    return ItemState.ATTESTED, said.comment


def _worthless(said: Attestation, uid: str, now: datetime) -> str:
    """Why nobody has given this word about this object; empty if somebody has."""
    if not said.user.strip():
        return "an attestation names nobody"
    if said.uid != uid:
        return f"{said.user} vouched for another object of this name"
    try:
        given = parse_time(said.time)
        _ = said.lapse_time is not None and parse_time(said.lapse_time)
    except ValueError:
        return f"the time of {said.user}'s attestation can't be read"
    if given - now > MOST_LEAD:
        return f"{said.user} vouches for it from {said.time}, which is in the future"
    return ""


def _ends(said: Attestation, ttl_seconds: int) -> datetime:
    """When it lapses: after the policy's time, or earlier if it says so itself."""
    given, ttl = parse_time(said.time), timedelta(seconds=ttl_seconds)
    ends = given + ttl if given < END - ttl else END
    return ends if said.lapse_time is None else min(ends, parse_time(said.lapse_time))
