"""Retention: the oldest records go, and what is left can still be verified."""

import time
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from golive_api.record import Act, GoLiveRecordSpec, breaks
from golive_api.values import render_time
from golive_operator import paths
from golive_operator.cluster import UnavailableError
from golive_operator.record_store import RecordStore, record_object
from golive_operator.retention import MOST_REMOVED, Retention


async def fill(book: Any, count: int, *, age_days: int = 0) -> None:
    """Have a chain of so many records stand, and status know its end."""
    uid = (await book.read())["metadata"]["uid"]
    recorded = (await book.read()).get("status", {}).get("recorded") or {"sequence": 0, "hash": "0" * 64}
    sequence, digest = recorded["sequence"], recorded["hash"]
    time = render_time(datetime.now(UTC) - timedelta(days=age_days))
    for number in range(sequence + 1, sequence + count + 1):
        record = GoLiveRecordSpec(
            golive="perps",
            uid=uid,
            sequence=number,
            time=time,
            act=Act.ATTEMPT_FAILED,
            revision=1,
            key=f"attempt/Old{number}@{'0' * 64}",
            reason="EngineNotRunning",
            previous_hash=digest,
            hash="0" * 64,
        ).sealed()
        digest = record.hash
        await book.cluster.create(paths.records(book.namespace), record_object(record))
    status = {"recorded": {"sequence": sequence + count, "hash": digest}}
    await book.cluster.patch(paths.golive(book.namespace, "perps", "status"), {"status": status})


async def anchor(book: Any) -> tuple[int, str]:
    """What status says that the chain continues."""
    recorded = (await book.read())["status"]["recorded"]
    return recorded["anchorSequence"], recorded["anchorHash"]


async def test_records_beyond_the_count_are_removed_and_the_rest_verifies(book: Any) -> None:
    """Some at each look, until as many are left as shall be kept."""
    await fill(book, 70)
    book.retention = Retention(keep=10, days=400)
    looks = 0
    while len(await book.chain()) > 10:
        await book.chronicle().follow(await book.sight())
        looks += 1
        assert breaks(await book.chain(), await anchor(book)) == []
    assert looks == 2
    chain = await book.chain()
    assert [record.sequence for record in chain] == list(range(62, 72))
    assert (await anchor(book))[0] == 61
    assert breaks(chain)  # without the anchor the beginning is missing


async def test_records_beyond_the_age_are_removed_but_for_the_last(book: Any) -> None:
    """A chain never loses its end: the next record has to continue something."""
    await fill(book, 5, age_days=401)
    await book.chronicle().follow(await book.sight())
    chain = await book.chain()
    assert [record.act for record in chain] == [Act.REQUESTED]
    assert breaks(chain, await anchor(book)) == []


async def test_a_crash_between_the_anchor_and_the_removal_leaves_a_chain_that_verifies(
    book: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is left over is no part of it, and the next operator removes it."""
    await fill(book, 20)
    book.retention = Retention(keep=10, days=400)
    removed = 0
    delete = RecordStore.delete

    async def dying(self: RecordStore, namespace: str, record: GoLiveRecordSpec) -> None:
        nonlocal removed
        if removed == 4:
            raise UnavailableError("the operator dies here")
        removed += 1
        await delete(self, namespace, record)

    monkeypatch.setattr(RecordStore, "delete", dying)
    with pytest.raises(UnavailableError):
        await book.chronicle().follow(await book.sight())
    monkeypatch.undo()
    sequence, digest = await anchor(book)
    assert sequence == 11
    assert [record.sequence for record in await book.chain()] == list(range(5, 22))
    assert breaks([r for r in await book.chain() if r.sequence > sequence], (sequence, digest)) == []
    book.retention = Retention(keep=10, days=400)
    await book.chronicle().follow(await book.sight())
    assert [record.sequence for record in await book.chain()] == list(range(12, 22))


async def test_a_lost_status_finds_the_anchor_in_what_is_left(book: Any) -> None:
    """And the sequence does not begin anew, over records that were removed."""
    await fill(book, 30)
    book.retention = Retention(keep=10, days=400)
    await book.chronicle().follow(await book.sight())
    status = (await book.read())["status"]
    await book.cluster.patch(paths.golive(book.namespace, "perps", "status"), {"status": dict.fromkeys(status)})
    await book.edit("approver")
    await book.chronicle().follow(await book.sight())
    chain = await book.chain()
    assert chain[-1].sequence == 32
    assert breaks(chain, await anchor(book)) == []


async def test_a_look_at_the_oldest_is_taken_once_an_hour(book: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not at each look: a chain at rest costs one list an hour."""
    asked = []
    oldest = RecordStore.oldest

    async def counted(self: RecordStore, *words: Any) -> list[GoLiveRecordSpec]:
        asked.append(words)
        return await oldest(self, *words)

    monkeypatch.setattr(RecordStore, "oldest", counted)
    for _ in range(3):
        await book.chronicle().follow(await book.sight())
    assert len(asked) == 1
    uid = (await book.read())["metadata"]["uid"]
    assert not book.retention.due(uid, time.monotonic())


async def test_a_removal_is_bounded(book: Any) -> None:
    """However much there is to remove, one look removes a page."""
    await fill(book, MOST_REMOVED + 20)
    book.retention = Retention(keep=1, days=400)
    await book.chronicle().follow(await book.sight())
    assert len(await book.chain()) == 21
    assert (await anchor(book))[0] == MOST_REMOVED
