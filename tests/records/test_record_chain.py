"""Records on a real API server: none lost, none doubled, wherever an operator dies, whoever else is at work."""

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from golive_api.digest import sha256
from golive_api.record import Act, GoLiveRecordSpec, breaks
from golive_operator import paths
from golive_operator.cluster import Cluster, ConflictError, Object, RejectedError, UnavailableError
from golive_operator.record_store import record_object
from golive_operator.recording import has_news

OPENED = {
    "activations": 1,
    "lastActivatedTime": "2026-11-20T12:00:00.000000Z",
    "lastActivatedRevision": 1,
    "lastOperators": ["trader", "approver"],
}


def acts(chain: list[GoLiveRecordSpec]) -> list[Act]:
    """What was recorded."""
    return [record.act for record in chain]


async def wipe_status(book: Any) -> None:
    """As a restore without status does."""
    golive = await book.read()
    path = paths.golive(book.namespace, book.name, "status")
    await book.cluster.patch(path, {"status": dict.fromkeys(golive["status"])})


async def test_acts_become_a_chain_that_status_knows_the_end_of(book: Any) -> None:
    """Request, approvals and opening, each once."""
    await book.chronicle().follow(await book.sight())
    await book.edit("approver", "deputy")
    await book.chronicle().follow(await book.sight("Open", "Open", **OPENED))
    await book.chronicle().follow(await book.sight("Open", "Open", **OPENED))
    chain = await book.chain()
    assert acts(chain) == [Act.REQUESTED, Act.APPROVED, Act.APPROVED, Act.OPENED]
    assert breaks(chain) == []
    recorded = (await book.read())["status"]["recorded"]
    assert (recorded["sequence"], recorded["hash"]) == (4, chain[-1].hash)


async def test_a_record_is_an_object_that_nothing_owns_and_nobody_changes(book: Any) -> None:
    """It outlives its GoLive, and the kind itself refuses an edit."""
    await book.chronicle().follow(await book.sight())
    path = paths.records(book.namespace, "perps-0000000001")
    found = await book.cluster.get(path)
    assert found["metadata"]["labels"] == {"golive.dev/golive": "perps"}
    assert "ownerReferences" not in found["metadata"]
    with pytest.raises(RejectedError, match="immutable"):
        await book.cluster.patch(path, {"spec": {"users": ["mallory"]}})


async def test_a_crash_between_record_and_status_doubles_nothing(book: Any, monkeypatch: Any) -> None:
    """The record stands, status does not know it: the next operator takes it up and goes on."""
    sight = await book.sight()
    dying = book.chronicle()

    async def die(*_: object) -> None:
        raise UnavailableError("the operator dies here")

    monkeypatch.setattr(dying, "_remember", die)
    with pytest.raises(UnavailableError):
        await dying.follow(sight)
    assert "recorded" not in (await book.read())["status"]
    await book.edit("approver")
    await book.chronicle().follow(await book.sight())
    chain = await book.chain()
    assert acts(chain) == [Act.REQUESTED, Act.APPROVED]
    assert breaks(chain) == []


async def test_the_same_look_recorded_twice_from_an_old_status_doubles_nothing(book: Any) -> None:
    """Status is put back to what it was before the second record."""
    await book.chronicle().follow(await book.sight())
    old = (await book.read())["status"]["recorded"]
    await book.edit("approver")
    await book.chronicle().follow(await book.sight())
    path = paths.golive(book.namespace, book.name, "status")
    await book.cluster.patch(path, {"status": {"recorded": old}})
    await book.chronicle().follow(await book.sight())
    chain = await book.chain()
    assert acts(chain) == [Act.REQUESTED, Act.APPROVED]
    assert (await book.read())["status"]["recorded"]["sequence"] == 2


async def test_a_lost_status_continues_the_chain(book: Any) -> None:
    """What was recorded is read from the records; what is new follows them."""
    await book.edit("approver")
    await book.chronicle().follow(await book.sight())
    await wipe_status(book)
    await book.edit("approver", "deputy")
    await book.chronicle().follow(await book.sight())
    chain = await book.chain()
    assert acts(chain) == [Act.REQUESTED, Act.APPROVED, Act.APPROVED]
    assert breaks(chain) == []


async def test_a_namesake_continues_the_chain_and_ends_what_was_left_open(book: Any) -> None:
    """Deleting a GoLive and making it anew hides nothing."""
    await book.chronicle().follow(await book.sight("Open", "Open", **OPENED))
    first = (await book.read())["metadata"]["uid"]
    await book.cluster.delete(paths.golive(book.namespace, book.name))
    await book.create()
    await book.chronicle().follow(await book.sight())
    chain = await book.chain()
    assert acts(chain) == [Act.REQUESTED, Act.OPENED, Act.CLOSED, Act.REQUESTED]
    assert [record.uid == first for record in chain] == [True, True, True, False]
    assert chain[2].reason == "BeingDeleted"
    assert breaks(chain) == []


async def test_a_deletion_while_open_is_recorded_and_told(book: Any) -> None:
    """Once, however often the operator hears of it."""
    await book.chronicle().follow(await book.sight("Open", "Open", **OPENED))
    await book.cluster.delete(paths.golive(book.namespace, book.name))
    book.told.clear()
    await book.chronicle().bury(book.namespace, book.name)
    await book.chronicle().bury(book.namespace, book.name)
    chain = await book.chain()
    assert acts(chain) == [Act.REQUESTED, Act.OPENED, Act.CLOSED]
    assert breaks(chain) == []
    assert [notice.subject.split(" (")[0] for notice in book.told] == [
        f"{book.namespace}/perps: CLOSED: BeingDeleted"
    ]


async def test_operators_that_race_write_one_sound_chain(book: Any) -> None:
    """Of two that record the same look at the same moment, each place of the chain has one winner."""
    for approvers in (), ("a",), ("a", "b"), ("a", "b", "c", "d", "e"), ("e",):
        await book.edit(*approvers)
        sight = await book.sight()
        outcomes = await asyncio.gather(
            *(book.chronicle().follow(sight) for _ in range(4)), return_exceptions=True
        )
        assert all(
            isinstance(outcome, ConflictError) or not isinstance(outcome, Exception) for outcome in outcomes
        )
    await book.chronicle().follow(await book.sight())
    chain = await book.chain()
    assert sorted(acts(chain)) == sorted([Act.REQUESTED] + [Act.APPROVED] * 5 + [Act.REVOKED] * 4)
    assert breaks(chain) == []
    assert (await book.read())["status"]["recorded"]["hash"] == chain[-1].hash


async def test_a_look_that_is_out_of_date_records_nothing(book: Any) -> None:
    """The request has changed since, or a later leader is at work: theirs is the next word."""
    old = await book.sight()
    await book.edit("approver")
    assert await book.chronicle().follow(old) is None
    current = await book.sight()
    path = paths.golive(book.namespace, book.name, "status")
    await book.cluster.patch(path, {"status": {"gate": {"epoch": 2}}})
    assert await book.chronicle().follow(current) is None
    assert await book.chain() == []


async def test_a_forged_record_in_the_next_place_hides_nothing(book: Any) -> None:
    """Past every guard: the chain goes on after it, its word is not taken, verification finds it."""
    await book.edit("approver")
    sight = await book.sight()
    await book.chronicle().follow(sight)
    _, approved = await book.chain()
    await book.cluster.delete(paths.golive(book.namespace, book.name))
    await book.create()
    await book.chronicle().follow(await book.sight())
    await book.edit("approver")
    sight = await book.sight()
    spec = sight.spec.approvals[0]
    forged = approved.model_copy(
        update={
            "uid": sight.uid,
            "sequence": 4,
            "users": ["mallory"],
            "key": f"approval/1/approver@{sha256(spec.wire())}",
        }
    ).sealed()
    await book.cluster.create(paths.records(book.namespace), record_object(forged))
    await book.chronicle().follow(sight)
    chain = await book.chain()
    assert [record.users for record in chain[3:]] == [["mallory"], ["approver"]]
    assert breaks(chain) == ["record 4 does not continue the chain: what came before was changed"]


async def test_what_another_operator_has_recorded_meanwhile_is_not_forgotten(
    book: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The slower one may not write into status what it knew before: it looks again."""
    slow, go_on = book.chronicle(), asyncio.Event()
    remember: Any = slow._remember  # noqa: SLF001  # the moment before status is written

    async def late(*words: Any) -> Object:
        await go_on.wait()
        answer: Object = await remember(*words)
        return answer

    monkeypatch.setattr(slow, "_remember", late)
    waiting = asyncio.create_task(slow.follow(await book.sight()))
    while not await book.chain():  # noqa: ASYNC110  # nothing tells
        await asyncio.sleep(0.02)
    await book.edit("approver")
    await book.chronicle().follow(await book.sight())
    go_on.set()
    with pytest.raises(ConflictError):
        await waiting
    assert (await book.read())["status"]["recorded"]["sequence"] == 2


async def test_a_missing_tail_is_not_papered_over(book: Any) -> None:
    """Whoever deletes the last record leaves a gap that every verification finds."""
    await book.edit("a")
    await book.chronicle().follow(await book.sight())
    await book.cluster.delete(paths.records(book.namespace, "perps-0000000002"))
    await book.edit("a", "b")
    await book.chronicle().follow(await book.sight())
    assert breaks(await book.chain()) == [
        "record 3 follows 1: one is missing, doubled or out of order",
    ]


@pytest.mark.parametrize("fails_at", range(6))
async def test_a_failure_at_any_request_loses_nothing(
    book: Any, fails_at: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before or after the API server has done what was asked."""
    await book.edit("a", "b")
    sight = await book.sight()
    count = 0
    real: Any = Cluster._request  # noqa: SLF001  # the seam below every request

    async def failing(self: Cluster, *words: Any, **more: Any) -> Object:
        nonlocal count
        count += 1
        answer: Object = await real(self, *words, **more)
        if count == fails_at + 1:
            raise UnavailableError("the answer is lost")
        return answer

    monkeypatch.setattr(Cluster, "_request", failing)
    with pytest.raises(UnavailableError):
        await book.chronicle().follow(sight)
    monkeypatch.undo()
    await book.chronicle().follow(await book.sight())
    chain = await book.chain()
    assert acts(chain) == [Act.REQUESTED, Act.APPROVED, Act.APPROVED]
    assert breaks(chain) == []


async def test_a_look_without_news_asks_the_api_server_for_nothing(book: Any) -> None:
    """A thousand GoLives at rest cost no request."""
    await book.chronicle().follow(await book.sight())
    sight = await book.sight()
    assert not has_news(sight)
    assert has_news(replace(sight, test_notice="now"))
