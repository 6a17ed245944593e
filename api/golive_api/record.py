"""GoLiveRecord: what was done, by whom, on what evidence; each record carries the hash of the one before it."""

import hashlib
from collections.abc import Iterable
from enum import StrEnum
from typing import Any, Self

import rfc8785
from pydantic import Field

from golive_api.values import MOST, Name, Timestamp, UserName, WireModel

FIRST_HASH = "0" * 64
"""The hash before the first record."""

Hash = str
"""SHA-256 in hex."""

RECORD_LABEL = "golive.dev/golive"
"""Label of every record; its value is the GoLive's name."""

_HASH = r"^[0-9a-f]{64}$"
_EMPTY: tuple[Any, ...] = ("", [], {}, None)


class Act(StrEnum):
    """What a record speaks of."""

    REQUESTED = "Requested"
    APPROVED = "Approved"
    REVOKED = "Revoked"
    REJECTED = "Rejected"
    ATTESTED = "Attested"
    OPENED = "Opened"
    CLOSED = "Closed"
    STOPPED = "Stopped"
    RELEASED = "Released"
    ATTEMPT_FAILED = "AttemptFailed"


class GoLiveRecordSpec(WireModel):
    """One act. Written once by the operator, never changed."""

    golive: Name
    """Name of the GoLive, in the same namespace."""
    uid: str = Field(min_length=1, max_length=64)
    """metadata.uid of the GoLive."""
    sequence: int = Field(ge=1, le=MOST)
    """Place in the chain of this GoLive's name; no number is left out."""
    time: Timestamp
    """When the operator saw it, by its own clock."""
    act: Act
    """What was done."""
    users: list[UserName] = Field(default=[], max_length=17)
    """Who did it: as verified by the API server, or empty where it was the operator."""
    revision: int = Field(ge=0, le=MOST)
    """The revision that it was about."""
    digest: str = Field(default="", max_length=200)
    """The digest that it was about, empty where there was none."""
    key: str = Field(default="", max_length=600)
    """What the operator knows the act by; a repetition right after it would be the same act."""
    reason: str = Field(max_length=64)
    """Why the gate stood as it did then, as a reason code."""
    message: str = Field(default="", max_length=1024)
    """One sentence for a person."""
    evidence: dict[str, str] = Field(default={}, max_length=64)
    """What it rested on: profile, limits, results of checks, comments."""
    previous_hash: Hash = Field(pattern=_HASH)
    """hash of the record before this one; 64 zeros for the first."""
    hash: Hash = Field(pattern=_HASH)
    """SHA-256 of all other fields of spec that are not empty, as RFC 8785 canonical JSON."""

    def sealed(self) -> Self:
        """The same with the hash of its content."""
        return self.model_copy(update={"hash": digest_of(self.wire())})

    def sound(self) -> bool:
        """Whether hash is that of the content."""
        return self.hash == digest_of(self.wire())


def record_name(golive: str, sequence: int) -> str:
    """Name of the object that holds a record: one name for one place in the chain, and in its order."""
    return f"{golive}-{sequence:010d}"


def digest_of(spec: dict[str, Any]) -> Hash:
    """The hash that a record with this spec must carry.

    What is empty does not count: so a later version may know more fields, and older hashes stay right.
    """
    content = {key: value for key, value in spec.items() if key != "hash" and value not in _EMPTY}
    return hashlib.sha256(rfc8785.dumps(content)).hexdigest()


def breaks(records: Iterable[GoLiveRecordSpec], anchor: tuple[int, Hash] | None = None) -> list[str]:
    """What is wrong with a chain, in words; empty when nothing is.

    Records that are missing at the end leave no trace in the others: compare the last one's sequence and hash
    with what status.recorded, or somebody who wrote them down, says.

    Args:
        records: In the order in which they were found.
        anchor: Sequence and hash of the last record that retention removed; None for a chain from its start.
    """
    last, found = anchor or (0, FIRST_HASH), []
    for record in records:
        if not record.sound():
            found.append(f"record {record.sequence} was edited: its hash is not that of its content")
        if record.sequence != last[0] + 1:
            found.append(f"record {record.sequence} follows {last[0]}: one is missing, doubled or out of order")
        elif record.previous_hash != last[1]:
            found.append(f"record {record.sequence} does not continue the chain: what came before was changed")
        last = (record.sequence, record.hash)
    return found
