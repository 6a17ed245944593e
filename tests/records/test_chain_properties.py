"""Whatever is done to a chain of records is found, and what was not done to it is not."""

import json
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from golive_api.record import FIRST_HASH, Act, GoLiveRecordSpec, breaks, digest_of
from golive_api.record_file import (
    Header,
    Link,
    RecordsUnreadableError,
    faults,
    read_lines,
    read_link,
    to_lines,
)
from golive_api.values import render_time

NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
PATIENT = settings(max_examples=200, deadline=None)
TEXT = st.text(max_size=40)
HASHES = st.text("0123456789abcdef", min_size=64, max_size=64)
CONTENT = st.fixed_dictionaries(
    {
        "uid": st.sampled_from(["uid-1", "uid-2"]),
        "act": st.sampled_from(Act),
        "users": st.lists(st.text(min_size=1, max_size=10), max_size=3),
        "revision": st.integers(0, 10**15),
        "digest": TEXT,
        "key": TEXT,
        "reason": TEXT,
        "message": TEXT,
        "evidence": st.dictionaries(TEXT, TEXT, max_size=3),
    }
)
CHANGES: dict[str, st.SearchStrategy[Any]] = {
    "golive": st.sampled_from(["other", "perp"]),
    "uid": st.sampled_from(["uid-1", "uid-2", "uid-3"]),
    "sequence": st.integers(1, 10**15),
    "time": st.integers(0, 10**6).map(lambda seconds: render_time(NOON + timedelta(seconds=seconds))),
    "act": st.sampled_from(Act),
    "users": st.lists(st.text(min_size=1, max_size=10), max_size=3),
    "revision": st.integers(0, 10**15),
    "digest": TEXT,
    "key": TEXT,
    "reason": TEXT,
    "message": TEXT,
    "evidence": st.dictionaries(TEXT, TEXT, max_size=3),
    "previous_hash": HASHES,
    "hash": HASHES,
}
"""For each field of a record, what somebody might put in its place."""


def chained(contents: list[dict[str, Any]], start: Link) -> Iterator[GoLiveRecordSpec]:
    """Records that follow each other."""
    sequence, digest = start.sequence, start.hash
    for content in contents:
        sequence += 1
        record = GoLiveRecordSpec(
            golive="perps",
            sequence=sequence,
            time=render_time(NOON + timedelta(seconds=sequence)),
            previous_hash=digest,
            hash=FIRST_HASH,
            **content,
        ).sealed()
        digest = record.hash
        yield record


STARTS = st.one_of(st.just(Link()), st.builds(Link, sequence=st.integers(1, 10**9), hash=HASHES))


@st.composite
def chains(draw: st.DrawFn, least: int = 1) -> tuple[Link, list[GoLiveRecordSpec]]:
    """A sound chain and what it follows."""
    start = draw(STARTS)
    return start, list(chained(draw(st.lists(CONTENT, min_size=least, max_size=8)), start))


def found(start: Link, records: list[GoLiveRecordSpec]) -> list[str]:
    """What is wrong with the chain, with the end that it should have unknown."""
    return breaks(records, (start.sequence, start.hash))


def header(start: Link, records: list[GoLiveRecordSpec]) -> Header:
    """What an export says of itself."""
    last = Link(sequence=records[-1].sequence, hash=records[-1].hash) if records else start
    time = render_time(NOON)
    return Header(
        namespace="trading", golive="perps", export_time=time, count=len(records), anchor=start, head=last
    )


def test_every_field_of_a_record_can_be_edited_in_these_tests() -> None:
    """A new field is one more that somebody might edit."""
    assert set(CHANGES) == set(GoLiveRecordSpec.model_fields)


@PATIENT
@given(chains())
def test_a_chain_that_nobody_touched_is_whole(chain: tuple[Link, list[GoLiveRecordSpec]]) -> None:
    """Also after retention, and after a way through a file."""
    start, records = chain
    assert found(start, records) == []
    read, again = read_lines(list(to_lines(header(start, records), records)))
    assert (read, again) == (header(start, records), records)
    assert faults(read, again) == []


@PATIENT
@given(chains(), st.data())
def test_any_edit_of_any_field_is_found(
    chain: tuple[Link, list[GoLiveRecordSpec]], data: st.DataObject
) -> None:
    """Of the first, the last and every record between them."""
    start, records = chain
    at = data.draw(st.integers(0, len(records) - 1))
    name = data.draw(st.sampled_from(sorted(CHANGES)))
    value = data.draw(CHANGES[name])
    assume(value != getattr(records[at], name))
    records[at] = records[at].model_copy(update={name: value})
    assert found(start, records)


@PATIENT
@given(chains(least=2), st.data())
def test_an_edit_with_a_new_hash_is_found_by_the_next_record(
    chain: tuple[Link, list[GoLiveRecordSpec]], data: st.DataObject
) -> None:
    """Whoever knows how hashes are made gains one record, and has to make every later one anew."""
    start, records = chain
    at = data.draw(st.integers(0, len(records) - 2))
    edited = records[at].model_copy(update={"users": ["mallory"]}).sealed()
    assume(edited.hash != records[at].hash)
    records[at] = edited
    assert found(start, records)


@PATIENT
@given(chains(least=2), st.data())
def test_any_removal_before_the_end_is_found(
    chain: tuple[Link, list[GoLiveRecordSpec]], data: st.DataObject
) -> None:
    """Of one record or several, at the beginning too."""
    start, records = chain
    first = data.draw(st.integers(0, len(records) - 2))
    last = data.draw(st.integers(first, len(records) - 2))
    assert found(start, records[:first] + records[last + 1 :])


@PATIENT
@given(chains(least=2), st.data())
def test_any_swap_is_found(chain: tuple[Link, list[GoLiveRecordSpec]], data: st.DataObject) -> None:
    """Of any two records."""
    start, records = chain
    one, other = data.draw(st.permutations(range(len(records))))[:2]
    records[one], records[other] = records[other], records[one]
    assert found(start, records)


@PATIENT
@given(chains(), st.data(), CONTENT)
def test_any_insertion_is_found(
    chain: tuple[Link, list[GoLiveRecordSpec]], data: st.DataObject, content: dict[str, Any]
) -> None:
    """A copy, or a new record that continues what stands before it; the end alone can't show it."""
    start, records = chain
    at = data.draw(st.integers(0, len(records) - 1))
    before = Link(sequence=records[at - 1].sequence, hash=records[at - 1].hash) if at else start
    forged = next(chained([content], before))
    copied = data.draw(st.sampled_from(records))
    new = data.draw(st.sampled_from([forged, copied]))
    assume(new.hash != records[at].hash or new is copied)
    assert found(start, [*records[:at], new, *records[at:]])


@PATIENT
@given(chains(), st.data())
def test_an_end_that_was_cut_off_is_found_by_whoever_knows_it(
    chain: tuple[Link, list[GoLiveRecordSpec]], data: st.DataObject
) -> None:
    """The chain alone does not show it: status, the file's header or a note does."""
    start, records = chain
    known = header(start, records)
    kept = records[: data.draw(st.integers(0, len(records) - 1))]
    assert found(start, kept) == []
    assert faults(known, kept)
    humble = known.model_copy(update={"count": len(kept), "head": None})
    assert faults(humble, kept) == []
    assert known.head is not None
    assert any("cut off" in fault for fault in faults(humble, kept, [known.head]))


@PATIENT
@given(chains(), CONTENT)
def test_a_chain_that_was_made_anew_is_found_by_whoever_kept_one_hash(
    chain: tuple[Link, list[GoLiveRecordSpec]], content: dict[str, Any]
) -> None:
    """Sound in itself, and another one."""
    start, records = chain
    anew = list(chained([content] * len(records), start))
    assume(anew[-1].hash != records[-1].hash)
    note = read_link(str(header(start, records).head))
    assert faults(header(start, anew), anew) == []
    assert faults(header(start, anew), anew, [note])


@PATIENT
@given(chains(), st.data())
def test_any_letter_of_a_file_that_is_changed_is_found(
    chain: tuple[Link, list[GoLiveRecordSpec]], data: st.DataObject
) -> None:
    """Outside the header, which is compared with what was kept elsewhere."""
    start, records = chain
    lines = list(to_lines(header(start, records), records))
    at = data.draw(st.integers(1, len(records)))
    place = data.draw(st.integers(0, len(lines[at]) - 1))
    letter = data.draw(st.characters(codec="utf-8"))
    line = lines[at][:place] + letter + lines[at][place + 1 :]
    with suppress(ValueError):  # then the line is no JSON, which is found as well
        assume(json.loads(line) != json.loads(lines[at]))
    lines[at] = line
    assert judged(lines)


def judged(lines: list[str]) -> list[str]:
    """What is wrong with a file, readable or not."""
    try:
        return faults(*read_lines(lines))
    except RecordsUnreadableError as error:
        return [str(error)]


def test_a_number_that_was_left_out_is_found_even_where_the_hashes_fit() -> None:
    """A writer that skips one has something to hide."""
    content = {"uid": "u", "act": Act.APPROVED, "revision": 1, "reason": "Open"}
    (first,) = chained([content], Link())
    (third,) = chained([content], Link(sequence=2, hash=first.hash))
    assert breaks([first, third]) == ["record 3 follows 1: one is missing, doubled or out of order"]


def test_a_name_that_stands_twice_in_a_line_is_refused() -> None:
    """Two readers would show two different people."""
    start = Link()
    records = list(
        chained([{"uid": "u", "act": Act.APPROVED, "users": ["a"], "revision": 1, "reason": "Open"}], start)
    )
    lines = list(to_lines(header(start, records), records))
    lines[1] = lines[1].replace('"users":', '"users":["mallory"],"users":')
    with pytest.raises(RecordsUnreadableError, match="line 2: a name stands there twice"):
        read_lines(lines)


def test_hashes_stay_right_when_a_later_version_knows_more_fields() -> None:
    """A field that is empty in an old record does not count."""
    (record,) = chained([{"uid": "u", "act": Act.APPROVED, "revision": 1, "reason": "Open"}], Link())
    wire = record.wire()
    assert record.sound()
    assert digest_of({**wire, "newText": "", "newList": [], "newMap": {}, "newThing": None}) == record.hash
    assert digest_of({key: value for key, value in wire.items() if value not in ("", [], {})}) == record.hash
    assert digest_of({**wire, "newText": "x"}) != record.hash


@pytest.mark.parametrize("text", ["", "12", "x:y", "1:abc", "-1:" + "0" * 64])
def test_a_note_that_is_no_place_of_a_chain_is_refused(text: str) -> None:
    """A typing error must not pass as a comparison."""
    with pytest.raises(ValueError, match=r".+"):
        read_link(text)


def test_a_file_without_lines_is_refused() -> None:
    """An interrupted download is no empty chain."""
    with pytest.raises(RecordsUnreadableError):
        read_lines([])
