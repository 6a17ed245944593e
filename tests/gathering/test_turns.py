"""Whose look waits for whose: no crowd keeps an open gate from its renewal."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextvars import ContextVar
from typing import Any

import pytest

from golive_operator.gathering import Since
from golive_operator.interests import Interest, Key
from golive_operator.metrics import Metrics
from golive_operator.turns import AT_ONCE, LEAST, Turn, Turns
from golive_operator.workers import Looked, Workers

OPEN, BUSY = ("trading", "open"), "crowd"
EVENT: ContextVar[object] = ContextVar("event", default=None)
"""What a watcher keeps for those whom it calls."""


class Reconciler:
    """Looks at what it is told to, as slowly as it is told to."""

    def __init__(self) -> None:
        self.looks: list[Key] = []
        self.held = False
        self.heard: set[object] = set()
        """What the looks know of the event that woke them."""
        self._go_on = asyncio.Event()

    async def reconcile(self, key: Key, woken: float, since: Since, wake: Callable[[], None]) -> Looked:
        """One look; held up where it is one of the crowd."""
        del woken, since, wake
        self.looks.append(key)
        self.heard.add(EVENT.get())
        if self.held and key[0] == BUSY:
            await self._go_on.wait()
        is_open = key == OPEN
        return Looked(0.1 if is_open else 60.0, "1", Interest(), is_open, wrote=False)

    def forget(self, key: Key) -> None:
        """Nothing is kept."""

    def count(self, namespace: str) -> int:
        """Looks at the objects of a namespace."""
        return sum(key[0] == namespace for key in self.looks)


@pytest.fixture
async def looking() -> AsyncIterator[tuple[Workers, Reconciler]]:
    """Give workers, with an open gate among them."""
    reconciler: Any = Reconciler()
    workers = Workers(reconciler, Metrics())
    workers.wake(*OPEN)
    yield workers, reconciler
    await workers.stop()


async def test_newcomers_keep_no_open_gate_waiting(looking: tuple[Workers, Reconciler], until: Any) -> None:
    """As many as may be under way hang; the open gate is looked at again and again."""
    workers, reconciler = looking
    reconciler.held = True
    for number in range(3 * AT_ONCE):
        workers.wake(BUSY, str(number))
    await until(lambda: reconciler.count(BUSY) == AT_ONCE)
    seen = reconciler.count("trading")
    await until(lambda: reconciler.count("trading") >= seen + 3)
    assert reconciler.count(BUSY) == AT_ONCE


async def test_a_crowd_with_news_keeps_neither_an_open_gate_nor_a_newcomer_waiting(
    looking: tuple[Workers, Reconciler], until: Any
) -> None:
    """A thousand approvals in one minute, say."""
    workers, reconciler = looking
    crowd = [str(number) for number in range(3 * AT_ONCE)]
    for name in crowd:
        workers.wake(BUSY, name)
    await until(lambda: reconciler.count(BUSY) == len(crowd))
    reconciler.held = True
    for name in crowd:
        workers.wake(BUSY, name)
    await until(lambda: reconciler.count(BUSY) == len(crowd) + AT_ONCE)
    seen = reconciler.count("trading")
    workers.wake("new", "one")
    await until(lambda: reconciler.count("trading") >= seen + 3 and reconciler.count("new") == 1)
    assert reconciler.count(BUSY) == len(crowd) + AT_ONCE


async def begun(turns: Turns, turn: Turn, count: int, log: list[Turn]) -> list[asyncio.Task[None]]:
    """Have so many looks of a kind wait for their turn, and keep it."""

    async def look() -> None:
        async with turns.take(turn):
            log.append(turn)
            await asyncio.Event().wait()

    tasks = [asyncio.create_task(look()) for _ in range(count)]
    await asyncio.sleep(0)
    return tasks


async def end(*tasks: asyncio.Task[None]) -> None:
    """End looks."""
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def test_what_is_open_comes_first_and_a_few_of_each_kind_go_on() -> None:
    """More open gates wait than can be looked at: of all else, few looks at a time."""
    turns, log = Turns(), list[Turn]()
    tasks = await begun(turns, Turn.OPEN, AT_ONCE + 2, log)
    news = await begun(turns, Turn.NEWS, LEAST + 2, log)
    assert log == [Turn.OPEN] * AT_ONCE + [Turn.NEWS] * LEAST
    await end(news[0])
    assert log[AT_ONCE:] == [Turn.NEWS] * (LEAST + 1)
    await end(*tasks[:2])
    assert log[AT_ONCE + LEAST + 1 :] == [Turn.OPEN, Turn.OPEN, Turn.NEWS]
    await end(*tasks, *news)


async def test_who_ends_while_waiting_leaves_no_turn_taken() -> None:
    """Also in the very moment in which it is let in."""
    turns, log = Turns(), list[Turn]()
    first = await begun(turns, Turn.OPEN, AT_ONCE, log)
    waiting = await begun(turns, Turn.OPEN, 2, log)
    waiting[0].cancel()
    first[0].cancel()
    await asyncio.sleep(0)
    waiting[1].cancel()
    await end(*first, *waiting)
    log.clear()
    await end(*await begun(turns, Turn.OPEN, AT_ONCE, log))
    assert log == [Turn.OPEN] * AT_ONCE


async def test_news_of_an_open_gate_comes_before_a_crowd_of_renewals() -> None:
    """A stop, or a consent withdrawn, does not wait until hundreds have been renewed."""
    turns, log = Turns(), list[Turn]()
    renewals = await begun(turns, Turn.OPEN, 3 * AT_ONCE, log)
    news = await begun(turns, Turn.OPEN_WITH_NEWS, 1, log)
    assert log == [Turn.OPEN] * AT_ONCE + [Turn.OPEN_WITH_NEWS]
    await end(*renewals, *news)


async def test_a_worker_whose_open_gate_has_news_waits_in_the_first_line(
    looking: tuple[Workers, Reconciler], monkeypatch: pytest.MonkeyPatch, until: Any
) -> None:
    """What merely is due waits in the second."""
    workers, reconciler = looking
    taken, take = list[Turn](), Turns.take

    def noted(turns: Turns, turn: Turn) -> Any:
        taken.append(turn)
        return take(turns, turn)

    monkeypatch.setattr(Turns, "take", noted)
    await until(lambda: reconciler.count("trading") >= 2)
    workers.wake(*OPEN)
    await until(lambda: Turn.OPEN_WITH_NEWS in taken)
    await until(lambda: Turn.OPEN in taken)


async def test_a_worker_keeps_nothing_of_the_event_that_began_it(
    looking: tuple[Workers, Reconciler], until: Any
) -> None:
    """It lives as long as the object; the first event's copy of the object need not."""
    workers, reconciler = looking
    EVENT.set("the whole object")
    workers.wake("trading", "new")
    await until(lambda: ("trading", "new") in reconciler.looks)
    assert reconciler.heard == {None}
