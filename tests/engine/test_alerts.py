"""Alerts to people: delivered to a real HTTP receiver, retried, never twice, and never in anybody's way."""

import asyncio
import logging
from collections import Counter
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from aiohttp import web

from golive_engine.clock import FakeClock
from golive_notices.delivery import MOST_PENDING, REPEAT_SECONDS, Deliveries, Result


class Receiver:
    """A pager that writes down what it is told, and fails when it is told to."""

    def __init__(self) -> None:
        self.told: list[dict[str, Any]] = []
        self.attempts = 0
        self.failures = 0
        self.url = ""
        self.answering = asyncio.Event()
        self.answering.set()

    async def hear(self, request: web.Request) -> web.Response:
        """Take one alert."""
        self.attempts += 1
        body = await request.json()
        await self.answering.wait()
        if self.attempts <= self.failures:
            return web.Response(status=503)
        self.told.append(body)
        return web.Response()


async def _receiver() -> AsyncIterator[Receiver]:
    receiver, app = Receiver(), web.Application()
    app.router.add_post("/pager", receiver.hear)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    host, port = runner.addresses[0][:2]
    receiver.url = f"json://{host}:{port}/pager"
    yield receiver
    receiver.answering.set()
    await runner.cleanup()


@pytest.fixture
async def pager() -> AsyncIterator[Receiver]:
    """A receiver."""
    async for receiver in _receiver():
        yield receiver


@pytest.fixture
async def second_pager() -> AsyncIterator[Receiver]:
    """Another one."""
    async for receiver in _receiver():
        yield receiver


class Told:
    """Alerts, their clock, and what became of each."""

    def __init__(self, *urls: str, retry_seconds: tuple[float, ...] = (0.01, 0.01)) -> None:
        self.clock = FakeClock()
        self.results: Counter[Result] = Counter()
        self.alerts = Deliveries(urls, self.clock.monotonic, self._count, retry_seconds)

    def _count(self, result: Result) -> None:
        self.results[result] += 1

    async def until(self, condition: Callable[[], bool]) -> None:
        """Let deliveries go on until something is so."""
        async with asyncio.timeout(10):
            while not condition():  # noqa: ASYNC110  # what is waited for has no event
                await asyncio.sleep(0.005)


async def test_an_alert_reaches_its_receiver(pager: Receiver) -> None:
    """With subject and text, as something that failed."""
    told = Told(pager.url)
    told.alerts.send("emergency stop: manual (*)", "SIGUSR1")
    await told.alerts.close(10)
    (body,) = pager.told
    assert (body["title"], body["message"], body["type"]) == (
        "emergency stop: manual (*)",
        "SIGUSR1",
        "failure",
    )
    assert told.results == {"sent": 1}


async def test_sending_does_not_wait_for_the_receiver(pager: Receiver) -> None:
    """A receiver that takes its time takes nobody else's."""
    pager.answering.clear()
    told = Told(pager.url)
    told.alerts.send("slow", "")
    await told.until(lambda: pager.attempts == 1)
    assert not told.results
    pager.answering.set()
    await told.alerts.close(10)
    assert told.results == {"sent": 1}


async def test_a_failed_delivery_is_tried_again(pager: Receiver) -> None:
    """Until it succeeds, and no more than once after that."""
    pager.failures = 2
    told = Told(pager.url)
    told.alerts.send("stop", "")
    await told.alerts.close(10)
    assert (pager.attempts, len(pager.told), told.results) == (3, 1, {"sent": 1})


async def test_a_delivery_is_given_up_and_may_then_be_repeated(pager: Receiver) -> None:
    """After the last attempt it counts as failed; the same alert is news again."""
    pager.failures = 3
    told = Told(pager.url)
    told.alerts.send("stop", "")
    await told.until(lambda: told.results["failed"] == 1)
    assert pager.attempts == 3
    told.alerts.send("stop", "")
    await told.alerts.close(10)
    assert told.results == {"failed": 1, "sent": 1}


async def test_a_repeat_is_not_sent(pager: Receiver) -> None:
    """Not within five minutes, even with another text; other subjects are."""
    told = Told(pager.url)
    told.alerts.send("stop", "loss=5.1")
    told.alerts.send("stop", "loss=5.2")
    told.alerts.send("another", "")
    await told.until(lambda: told.results["sent"] == 2)
    told.clock.advance(REPEAT_SECONDS)
    told.alerts.send("stop", "loss=5.3")
    await told.alerts.close(10)
    assert sorted(body["message"] for body in pager.told) == ["another", "loss=5.1", "loss=5.3"]
    assert told.results == {"sent": 3, "repeated": 1}


async def test_a_retry_reaches_only_the_receiver_that_failed(pager: Receiver, second_pager: Receiver) -> None:
    """Nobody is woken twice because somebody else could not be."""
    second_pager.failures = 2
    told = Told(pager.url, second_pager.url)
    told.alerts.send("stop", "")
    await told.alerts.close(10)
    assert (pager.attempts, second_pager.attempts, told.results) == (1, 3, {"sent": 2})


async def test_a_receiver_that_hangs_holds_up_no_other(pager: Receiver, second_pager: Receiver) -> None:
    """The second one is told while the first does not answer."""
    pager.answering.clear()
    told = Told(pager.url, second_pager.url)
    told.alerts.send("stop", "")
    await told.until(lambda: told.results == {"sent": 1})
    assert len(second_pager.told) == 1
    pager.answering.set()
    await told.alerts.close(10)


async def test_the_end_waits_only_so_long(pager: Receiver) -> None:
    """An engine that stops does not wait for a pager that is down."""
    pager.failures = 100
    told = Told(pager.url, retry_seconds=(3600.0,))
    told.alerts.send("stop", "")
    await told.until(lambda: pager.attempts == 1)
    async with asyncio.timeout(5):
        await told.alerts.close(0.05)
    assert not told.results


async def test_a_storm_is_bounded(pager: Receiver) -> None:
    """What is too much is dropped and counted, not kept."""
    pager.failures = 10_000
    told = Told(pager.url, retry_seconds=(3600.0,))
    for number in range(MOST_PENDING + 5):
        told.alerts.send(f"alert {number}", "")
    assert told.results == {"dropped": 5}
    await told.alerts.close(0)


async def test_an_alert_after_the_end_is_given_up(pager: Receiver) -> None:
    """Whatever goes wrong inside a delivery, nobody who sends alerts ever hears of it."""
    told = Told(pager.url)
    await told.alerts.close(1)
    told.alerts.send("late", "")
    await told.until(lambda: told.results["failed"] == 1)
    assert pager.attempts == 0


async def test_without_receivers_alerts_are_logged(caplog: pytest.LogCaptureFixture) -> None:
    """The log is the only place then, and the count says that nobody was told."""
    told = Told()
    with caplog.at_level(logging.WARNING):
        told.alerts.send("stop", "loss=5.1")
    await told.alerts.close(1)
    assert "alert: stop" in caplog.messages
    assert told.results == {"unaddressed": 1}


def test_an_unusable_url_is_refused_without_telling_its_secret(caplog: pytest.LogCaptureFixture) -> None:
    """At the start, and only by its place in the list."""
    with caplog.at_level(logging.DEBUG), pytest.raises(ValueError, match="alert URL number 2") as refusal:
        Deliveries(["json://127.0.0.1/", "nonsense://hunter2@host"], FakeClock().monotonic, lambda _: None)
    assert "hunter2" not in str(refusal.value)
    assert "hunter2" not in caplog.text


async def test_at_debug_level_the_log_holds_no_webhooks_path(
    pager: Receiver, caplog: pytest.LogCaptureFixture
) -> None:
    """The path is the secret; the library below writes every request down, and every failure of one."""
    pager.failures = 1
    told = Told(pager.url, "json://127.0.0.1:1/pager")
    with caplog.at_level(logging.DEBUG):
        told.alerts.send("stop", "")
        await told.alerts.close(10)
        logging.getLogger("urllib3.connectionpool").debug("a request of somebody else")
    assert told.results == {"sent": 1, "failed": 1}
    lines = [record.getMessage() for record in caplog.records if record.name != "aiohttp.access"]
    assert "alert: stop" in lines
    assert not [line for line in lines if "pager" in line]
    assert "a request of somebody else" in lines
