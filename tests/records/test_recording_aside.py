"""Recording happens beside the worker: no gate waits for a record, and none is forgotten because of that."""

import asyncio
import statistics
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from golive_api.record import Act, breaks
from golive_operator import paths
from golive_operator.chronicle import Chronicle
from golive_operator.cluster import Cluster, Object, UnavailableError
from golive_operator.metrics import Metrics
from golive_operator.own_writes import Echoes
from golive_operator.recording import MOST_WAITING, Recorder


def recorder_of(book: Any) -> Recorder:
    """The operator's recorder."""
    return Recorder(book.chronicle(), book.retention, book.metrics)


def count(metrics: Metrics, series: str, **labels: str) -> float:
    """A counter's value."""
    return metrics.registry.get_sample_value(series, labels) or 0.0


async def until(condition: Callable[[], object]) -> None:
    """Let the recorder go on until something is so."""
    async with asyncio.timeout(30):
        while not condition():  # noqa: ASYNC110  # what is waited for has no event
            await asyncio.sleep(0.005)


async def test_a_look_is_recorded_soon_after_it(book: Any) -> None:
    """And counted."""
    recorder = recorder_of(book)
    recorder.heed(await book.sight())
    await until(lambda: count(book.metrics, "golive_records_total", act="Requested") == 1)
    await recorder.close(10)
    assert [record.act for record in await book.chain()] == [Act.REQUESTED]


async def test_heeding_takes_no_time_even_where_records_hang(
    book: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The API server does not answer about records: whoever looks goes on within a millisecond or so."""
    hanging = asyncio.Event()
    real: Any = Cluster._request  # noqa: SLF001  # the seam below every request

    async def hang(self: Cluster, method: str, path: str, **more: Any) -> Object:
        if "goliverecords" in path:
            await hanging.wait()
        answer: Object = await real(self, method, path, **more)
        return answer

    monkeypatch.setattr(Cluster, "_request", hang)
    recorder, sight = recorder_of(book), await book.sight()
    took = []
    for _ in range(200):
        began = time.perf_counter()
        recorder.heed(sight)
        took.append(time.perf_counter() - began)
        await asyncio.sleep(0)
    print(f"heed: median {statistics.median(took) * 1e6:.0f} µs, worst {max(took) * 1e6:.0f} µs")
    assert statistics.median(took) < 0.005
    hanging.set()
    await recorder.close(20)
    assert [record.act for record in await book.chain()] == [Act.REQUESTED]


async def test_a_look_at_rest_is_told_from_one_with_news_in_microseconds(book: Any) -> None:
    """It is done at each renewal of each gate."""
    await book.chronicle().follow(await book.sight())
    recorder, sight = recorder_of(book), await book.sight()
    began = time.perf_counter()
    for _ in range(1000):
        recorder.heed(sight)
    each = (time.perf_counter() - began) / 1000
    print(f"a look without news: {each * 1e6:.0f} µs")
    assert not recorder._tasks  # noqa: SLF001  # nothing was begun
    assert each < 0.005


async def test_a_crowd_is_not_kept_in_memory(book: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Records hang, and more objects have news than may wait: theirs is due at the next look, too."""
    hanging = asyncio.Event()

    async def hang(*_: Any) -> None:
        await hanging.wait()

    monkeypatch.setattr(Chronicle, "follow", hang)
    recorder, sight = recorder_of(book), await book.sight()
    for number in range(MOST_WAITING + 5):
        recorder.heed(replace(sight, name=f"other-{number}"))
    assert len(recorder._tasks) == MOST_WAITING  # noqa: SLF001  # what it keeps
    monkeypatch.undo()
    hanging.set()
    await until(lambda: not recorder._tasks)  # noqa: SLF001  # what it keeps
    recorder.heed(sight)
    await until(lambda: not recorder._tasks)  # noqa: SLF001  # what it keeps
    assert [record.act for record in await book.chain()] == [Act.REQUESTED]


async def test_what_is_recorded_in_status_needs_no_look(book: Any) -> None:
    """The object stood as a look had left it, so nothing in it is new."""
    echoes, sight = Echoes(), await book.sight()
    echoes.expect(await book.read())
    await book.chronicle(echoes).follow(sight)
    assert echoes.is_one((await book.read())["metadata"])


async def test_what_somebody_else_changed_meanwhile_is_looked_at(book: Any) -> None:
    """A watch may tell of both changes at once, and then the later one must count as news."""
    echoes, sight = Echoes(), await book.sight()
    echoes.expect(await book.read())
    annotated = {"metadata": {"annotations": {"golive.dev/preflight-requested": "now"}}}
    await book.cluster.patch(paths.golive(book.namespace, book.name), annotated)
    await book.chronicle(echoes).follow(sight)
    assert (await book.read())["status"]["recorded"]["sequence"] == 1
    assert not echoes.is_one((await book.read())["metadata"])


async def test_a_failure_is_counted_logged_and_made_good_at_the_next_look(
    book: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """People are told meanwhile: a record that can't be written hides nothing from them."""
    real: Any = Cluster.create

    async def refuse(self: Cluster, path: str, body: Object, **more: Any) -> Object:
        if "goliverecords" in path:
            raise UnavailableError("no quota")
        answer: Object = await real(self, path, body, **more)
        return answer

    monkeypatch.setattr(Cluster, "create", refuse)
    recorder = recorder_of(book)
    for _ in range(2):
        recorder.heed(await book.sight())
        await recorder.close(10)
    assert count(book.metrics, "golive_records_failed_total", error="UnavailableError") == 2
    assert "not recorded, tried again at the next look" in caplog.text
    assert len({(notice.topic, notice.content) for notice in book.told}) == 1
    monkeypatch.undo()
    recorder.heed(await book.sight())
    await until(lambda: count(book.metrics, "golive_records_total", act="Requested") == 1)
    await recorder.close(10)
    assert breaks(await book.chain()) == []


async def test_looks_that_come_fast_are_recorded_one_after_the_other(book: Any) -> None:
    """The latest stands for those that waited: it knows all that they knew."""
    recorder = recorder_of(book)
    approvers: tuple[str, ...] = ()
    for name in "abcde":
        approvers += (name,)
        await book.edit(*approvers)
        sight = await book.sight()
        for _ in range(3):
            recorder.heed(sight)
    await recorder.close(30)
    recorder.heed(await book.sight())
    await recorder.close(30)
    chain = await book.chain()
    assert [record.act for record in chain] == [Act.REQUESTED] + [Act.APPROVED] * 5
    assert breaks(chain) == []


async def test_a_deletion_is_recorded_aside_too(book: Any) -> None:
    """The worker of an object that is gone ends at once."""
    recorder = recorder_of(book)
    opened = {
        "activations": 1,
        "lastActivatedTime": "2026-11-20T12:00:00.000000Z",
        "lastActivatedRevision": 1,
        "lastOperators": ["trader"],
    }
    recorder.heed(await book.sight("Open", "Open", **opened))
    await recorder.close(10)
    await book.cluster.delete(paths.golive(book.namespace, book.name))
    recorder.gone(book.namespace, book.name)
    await recorder.close(10)
    assert [record.act for record in await book.chain()] == [Act.REQUESTED, Act.OPENED, Act.CLOSED]


async def test_a_defect_in_recording_ends_nothing(book: Any) -> None:
    """It is logged and counted, and the next object is recorded."""
    recorder = recorder_of(book)
    sight = await book.sight()
    recorder.heed(replace(sight, time=None))
    await until(
        lambda: any(count(book.metrics, "golive_records_failed_total", error=e) for e in ("AttributeError",))
    )
    recorder.heed(sight)
    await recorder.close(10)
    assert len(await book.chain()) == 1


async def test_the_end_does_not_wait_for_ever(book: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is left is found by the next leader."""

    async def hang(*_: object) -> None:
        await asyncio.Event().wait()

    chronicle = book.chronicle()
    monkeypatch.setattr(chronicle, "follow", hang)
    recorder = Recorder(chronicle, book.retention, book.metrics)
    recorder.heed(await book.sight())
    await asyncio.sleep(0)
    async with asyncio.timeout(5):
        await recorder.close(0.05)
