"""Judges what was seen, by rules of its own that share no code with what is judged."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from typing import Any

from golive_dev.faults.prober import Yes

DELIVERY_SECONDS = 1.5
"""Longest time until what is written is seen by a watch on a machine that is busy."""

EXPIRY_SECONDS = 0.05
"""An engine asks its own clock, so nothing delays an expiry."""

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Seen:
    """One version of an object."""

    version: int
    """metadata.resourceVersion: one count for all objects."""
    moment: float
    """When it was seen, in seconds since 1970: never before it was written."""
    body: Json | None
    """None where there is no object."""
    listed: bool = False
    """Found by a list: what led to it was not seen."""


@dataclass(frozen=True, slots=True)
class Law:
    """What is asked of a history."""

    quorum: int = 1
    """People who have to approve."""
    ttl_seconds: float = 5.0
    """Nothing passes longer than this after it had ceased to be lawful."""
    clocks_agree: bool = True
    """Whether times in the gate mean anything."""


def is_lawful(golive: Json | None, quorum: int) -> bool:
    """Whether enough other people have agreed to exactly this, and nobody has taken it back."""
    if golive is None or "deletionTimestamp" in golive["metadata"]:
        return False
    spec, status, metadata = golive["spec"], golive.get("status") or {}, golive["metadata"]
    agreed = {
        each["user"].casefold()
        for each in spec.get("approvals") or []
        if (each["revision"], each["uid"]) == (spec["revision"], metadata["uid"])
        and each["digest"] == status.get("digest")
    }
    burned = (status.get("gate") or {}).get("burnedRevision") or 0
    consent = len(agreed - {spec["requestedBy"].casefold()}) >= quorum
    return spec.get("activation") == "Enabled" and consent and burned < spec["revision"]


def breaches(
    requests: Sequence[Seen], gates: Sequence[Seen], yeses: Sequence[Yes], law: Law = Law()
) -> list[str]:
    """Everything in a history that must not be; empty is good."""
    lawful = list(_lawful_times(requests, law.quorum))
    found = [*_claims(requests, law), *_counting(gates), *_openings(gates, lawful, law)]
    for yes in yeses:
        if not any(
            begins <= yes.began + DELIVERY_SECONDS and yes.ended <= ends + law.ttl_seconds + DELIVERY_SECONDS
            for _, begins, ends in lawful
        ):
            found.append(f"an order could pass at {_clock(yes.ended)}, beyond the bound")
        if not any(_covers(gate, until, yes, law) for gate, until in _lives(gates)):
            found.append(f"an order could pass at {_clock(yes.ended)} without an open gate")
    return found


def _lives(versions: Sequence[Seen]) -> Iterator[tuple[Seen, float]]:
    """Each version, and until when it stood."""
    for seen, after in pairwise(versions):
        yield seen, after.moment
    if versions:
        yield versions[-1], float("inf")


def _lawful_times(requests: Sequence[Seen], quorum: int) -> Iterator[tuple[int, float, float]]:
    """Version, begin and end of each time in which the request was lawful."""
    for seen, until in _lives(requests):
        if is_lawful(seen.body, quorum):
            yield seen.version, seen.moment, until


def _claims(requests: Sequence[Seen], law: Law) -> Iterator[str]:
    """Status never says Open of a request that nobody has agreed to; epochs never go back."""
    epoch = 0
    for seen in requests:
        gate = ((seen.body or {}).get("status") or {}).get("gate") or {}
        if seen.body is None or not gate:
            epoch = 0
            continue
        told = seen.body["status"].get("observedGeneration") == seen.body["metadata"]["generation"]
        if told and gate["state"] == "Open" and not is_lawful(seen.body, law.quorum):
            yield f"status of version {seen.version} says Open without consent"
        if gate["epoch"] < epoch:
            yield f"status of version {seen.version} goes back from epoch {epoch} to {gate['epoch']}"
        epoch = gate["epoch"]


def _counting(gates: Sequence[Seen]) -> Iterator[str]:
    """Epoch and serial of one GoLive's gate only grow, but for a person who closes it."""
    before: tuple[str, int, int] = ("", 0, 0)
    for seen in gates:
        data = (seen.body or {}).get("data")
        if not data:
            continue
        now = (data["uid"], int(data["epoch"]), int(data["serial"]))
        if now[0] == before[0] and now[1:] < before[1:]:
            yield f"the gate of version {seen.version} goes back from {before[1:]} to {now[1:]}"
        before = now


def _openings(gates: Sequence[Seen], lawful: Sequence[tuple[int, float, float]], law: Law) -> Iterator[str]:
    """An open gate rests on a request that was lawful when it was read, and is valid no longer than its TTL."""
    for seen in gates:
        data = (seen.body or {}).get("data") or {}
        if data.get("state") != "Open" or seen.listed or not law.clocks_agree:
            continue
        issued, until = _seconds(data["issuedTime"]), _seconds(data["validUntil"])
        if not any(version < seen.version and issued <= ends for version, _, ends in lawful):
            yield f"the gate of version {seen.version} was opened without consent"
        if until - issued > law.ttl_seconds + EXPIRY_SECONDS or until > seen.moment + law.ttl_seconds:
            yield f"the gate of version {seen.version} is valid for too long"


def _covers(gate: Seen, stood_until: float, yes: Yes, law: Law) -> bool:
    """Whether this version of the gate accounts for a yes."""
    data = (gate.body or {}).get("data") or {}
    if data.get("state") != "Open":
        return False
    ends = _seconds(data["validUntil"]) if law.clocks_agree else float("inf")
    return (
        gate.moment <= yes.began + DELIVERY_SECONDS
        and yes.began <= stood_until + DELIVERY_SECONDS
        and yes.ended <= min(ends + EXPIRY_SECONDS, stood_until + DELIVERY_SECONDS)
    )


def _seconds(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()


def _clock(seconds: float) -> str:
    return datetime.fromtimestamp(seconds).astimezone().isoformat()
