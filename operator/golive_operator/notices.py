"""Tells people, by the addresses in a file; whoever has something to tell goes on at once."""

import asyncio
import logging
import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

from golive_decisions.noticing import Notice
from golive_notices.delivery import RETRY_SECONDS, Deliveries, Result
from golive_operator.metrics import Metrics

log = logging.getLogger(__name__)

FILE_VARIABLE = "GOLIVE_NOTICES_FILE"
"""Environment variable that names the file with one Apprise URL a line; without it nobody is told."""

MOST_REMEMBERED = 4096
"""Topics of which the last notice is known; the oldest is forgotten first."""

MOST_WAITING = 256
"""Notices that wait to be handed over; a storm of notices is no use to anybody."""

MOST_BYTES = 65_536
"""A longer file is no list of addresses."""

PATIENCE_SECONDS = 120.0
"""How long deliveries to addresses that have been replaced may go on."""


class Notices:
    """Sends each notice once to everybody whom the file names now.

    Args:
        path: The file; read again at each notice, because a mounted Secret changes. None: nobody is told.
        metrics: Counts what becomes of notices.
        monotonic: Seconds that only grow.
        retry_seconds: Waits between the attempts to deliver one.
    """

    def __init__(
        self,
        path: Path | None,
        metrics: Metrics,
        monotonic: Callable[[], float] = time.monotonic,
        retry_seconds: Sequence[float] = RETRY_SECONDS,
    ) -> None:
        self._path, self._metrics = path, metrics
        self._monotonic, self._retry_seconds = monotonic, retry_seconds
        self._told: OrderedDict[str, str] = OrderedDict()
        self._urls: list[str] | None = None
        self._deliveries: Deliveries | None = None
        self._queue: asyncio.Queue[Notice] = asyncio.Queue(MOST_WAITING)
        self._worker: asyncio.Task[None] | None = None
        self._ending: set[asyncio.Task[None]] = set()

    def tell(self, notice: Notice) -> None:
        """Have people told; returns at once, never raises. Call it on the event loop."""
        if self._told.get(notice.topic) == notice.content:
            return
        self._told[notice.topic] = notice.content
        self._told.move_to_end(notice.topic)
        if len(self._told) > MOST_REMEMBERED:
            self._told.popitem(last=False)
        if self._worker is None:
            self._worker = asyncio.create_task(self._work(), name="notices")
        try:
            self._queue.put_nowait(notice)
        except asyncio.QueueFull:
            self._count("dropped")

    async def prepare(self) -> None:
        """Read the addresses now: the first of them costs Apprise a moment, which no gate should wait for."""
        await self._addressed()

    async def close(self, seconds: float) -> None:
        """Let deliveries that are under way end, for a while."""
        began = self._monotonic()
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._queue.join()
        if self._deliveries is not None:
            await self._deliveries.close(max(0.0, seconds - (self._monotonic() - began)))
        tasks = [*self._ending, *([self._worker] if self._worker else [])]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _work(self) -> None:
        """Hand over one notice after the other; what takes its time here is none of the loop's."""
        while True:
            notice = await self._queue.get()
            try:
                deliveries = await self._addressed()
                deliveries.send(notice.subject, notice.text, notice.kind)
            except Exception:
                self._count("failed")
                log.exception("notice not sent")
            finally:
                self._queue.task_done()

    async def _addressed(self) -> Deliveries:
        """Deliveries to whom the file names now; those that are under way go on to whom it named then."""
        urls = await asyncio.to_thread(read_urls, self._path)
        if self._deliveries is not None and urls == self._urls:
            return self._deliveries
        before = self._deliveries
        # In a thread: Apprise reads a hundred modules at the first address.
        self._urls, self._deliveries = urls, await asyncio.to_thread(self._usable, urls)
        if before is not None:
            ending = asyncio.create_task(before.close(PATIENCE_SECONDS))
            self._ending.add(ending)
            ending.add_done_callback(self._ending.discard)
        return self._deliveries

    def _usable(self, urls: list[str]) -> Deliveries:
        """Deliveries to the URLs that can be used: one that is wrong must not silence the others."""
        usable = [url for number, url in enumerate(urls, 1) if self._is_usable(number, url)]
        return Deliveries(usable, self._monotonic, self._count, self._retry_seconds)

    def _is_usable(self, number: int, url: str) -> bool:
        try:
            Deliveries([url], self._monotonic, self._count)
        except ValueError:
            log.error("a notice URL can't be used", extra={"line": number})  # noqa: TRY400  # it would tell the URL
            return False
        return True

    def _count(self, result: Result) -> None:
        self._metrics.notices.labels(result).inc()


def read_urls(path: Path | None) -> list[str]:
    """The URLs in a file, without comments; none where there is no file, or no text in it."""
    if path is None:
        return []
    try:
        with path.open("rb") as file:
            lines = file.read(MOST_BYTES).decode().splitlines()
    except (OSError, UnicodeDecodeError) as error:
        if not isinstance(error, FileNotFoundError):
            log.warning("notice URLs not read", extra={"error": type(error).__name__})
        return []
    return [line.strip() for line in lines if line.strip() and not line.strip().startswith("#")]
