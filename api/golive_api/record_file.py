"""A chain of records as JSON Lines: what it begins after and should end with, then one record a line."""

import json
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import rfc8785
from pydantic import Field, ValidationError

from golive_api import VERSION
from golive_api.record import FIRST_HASH, GoLiveRecordSpec, Hash, breaks
from golive_api.values import MOST, Name, Timestamp, WireModel


class RecordsUnreadableError(ValueError):
    """A line is no header, or no record, that this version knows."""


class Link(WireModel):
    """One place of the chain."""

    sequence: int = Field(default=0, ge=0, le=MOST)
    """Of a record; 0 stands before the first one."""
    hash: Hash = Field(default=FIRST_HASH, pattern=r"^[0-9a-f]{64}$")
    """Of the same record."""

    def __str__(self) -> str:
        """As people write it down and hand it over."""
        return f"{self.sequence}:{self.hash}"


class Header(WireModel):
    """The first line of an exported chain."""

    records: str = Field(default=VERSION, pattern=f"^{VERSION}$")
    """Version of the records in this file."""
    namespace: Name
    """Namespace of the GoLive."""
    golive: Name
    """Its name."""
    export_time: Timestamp
    """When the chain was read, by the clock of whoever read it."""
    count: int = Field(ge=0, le=MOST)
    """Records that follow."""
    anchor: Link = Link()
    """The last record that retention had removed; 0 and 64 zeros where all are there."""
    head: Link | None = None
    """The last record that status.recorded knew before the chain was read."""


def read_link(text: str) -> Link:
    """Read sequence:hash. Raises ValueError for anything else."""
    sequence, _, digest = text.strip().partition(":")
    return Link(sequence=int(sequence), hash=digest)


def to_lines(header: Header, records: Iterable[GoLiveRecordSpec]) -> Iterator[str]:
    """The lines of the file, without their ends; the same chain makes the same lines."""
    for each in (header, *records):
        content: Any = each.wire()
        yield rfc8785.dumps(content).decode()


def read_lines(lines: Iterable[str]) -> tuple[Header, list[GoLiveRecordSpec]]:
    """Read a file. Raises RecordsUnreadableError that names the line."""
    header, records, number = None, [], 0
    try:
        for number, line in enumerate(lines, 1):
            if number == 1:
                header = Header.model_validate(_parsed(line))
            elif line.strip():
                records.append(GoLiveRecordSpec.model_validate(_parsed(line)))
    except ValidationError as error:
        detail = error.errors()[0]
        where = ".".join(map(str, detail["loc"]))
        raise RecordsUnreadableError(f"line {number}: {where}: {detail['msg']}") from error
    except ValueError as error:
        raise RecordsUnreadableError(f"line {number}: {error}") from error
    if header is None:
        raise RecordsUnreadableError("there is no line")
    return header, records


def _parsed(line: str) -> Any:
    """JSON that says everything once: of two values for one name, readers would show different ones."""
    return json.loads(line, object_pairs_hook=_once)


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name stands there twice")
    return found


def faults(header: Header, records: Sequence[GoLiveRecordSpec], witnesses: Iterable[Link] = ()) -> list[str]:
    """What is wrong with an exported chain, in words; empty when nothing is.

    Args:
        header: What the file says of itself.
        records: In the order in which they stand there.
        witnesses: Places that somebody has written down elsewhere: the file's own header proves nothing
            against whoever has edited the file.
    """
    found = breaks(records, (header.anchor.sequence, header.anchor.hash))
    if len(records) != header.count:
        found.append(f"the header speaks of {header.count} records, there are {len(records)}")
    found += [
        f"record {record.sequence} is one of {record.golive}, not of {header.golive}"
        for record in records
        if record.golive != header.golive
    ]
    hashes = {record.sequence: record.hash for record in records}
    hashes[header.anchor.sequence] = header.anchor.hash
    named = [("status.recorded", header.head)] if header.head else []
    for source, link in [*named, *(("what was written down", link) for link in witnesses)]:
        present = hashes.get(link.sequence)
        if present is None and link.sequence > header.anchor.sequence:
            found.append(f"record {link.sequence} is missing: {source} knows it, so the end was cut off")
        elif present is None:
            found.append(f"record {link.sequence} was removed by retention: {source} can't be compared")
        elif present != link.hash:
            found.append(f"record {link.sequence} is not the one that {source} knows: the chain was replaced")
    return found
