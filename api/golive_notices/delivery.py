"""Delivery through Apprise; the only module that knows it. Nothing here ever holds up whoever tells."""

import asyncio
import logging
import warnings
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextvars import ContextVar
from dataclasses import dataclass
from functools import partial
from typing import Literal

import apprise

RETRY_SECONDS = (1.0, 2.0, 5.0, 15.0, 30.0, 60.0)
"""Waits between the attempts to deliver one alert; after the last one it is given up."""

REPEAT_SECONDS = 300.0
"""An alert of the same subject counts as a repeat for this long, and is not sent again."""

MOST_PENDING = 100
"""Deliveries at the same time; a storm of alerts is no use to anybody."""

DELIVERING = ContextVar("delivering", default=False)
"""Whether this thread delivers, or works for one that does: Apprise hands the context on to its own threads."""

TELLTALES = ("connection", "connectionpool", "http2.connection", "poolmanager", "response", "util.retry")
"""Loggers of urllib3 that write down what is requested: the path of a webhook is its secret."""

Result = Literal["sent", "failed", "repeated", "dropped", "unaddressed"]
"""What can become of an alert: failed is given up; unaddressed is only logged, for there is nobody to tell."""

Kind = Literal["info", "success", "warning", "failure"]
"""What Apprise knows kinds of messages by."""

_log = logging.getLogger(__name__)


def _tells_no_secret(_line: logging.LogRecord) -> bool:
    """Whether a line comes from anything but a delivery."""
    return not DELIVERING.get()


logging.getLogger("apprise").disabled = True  # it logs URLs whole, secrets and all; what matters is logged here
for _name in TELLTALES:  # at every level: at DEBUG each request, above that each one that fails
    logging.getLogger(f"urllib3.{_name}").addFilter(_tells_no_secret)


@dataclass(frozen=True, slots=True)
class Alert:
    """One message."""

    subject: str
    """One line; what repeats are known by."""
    text: str
    """Everything else."""
    kind: Kind = "failure"
    """How services colour it."""


class Deliveries:
    """Tells people, each at an Apprise URL, in the background.

    Args:
        urls: Whom to tell; none is allowed.
        monotonic: Seconds that only grow, for repeats.
        on_result: Told what became of an alert, once for each receiver.
        retry_seconds: Waits between attempts.

    Raises:
        ValueError: Apprise makes nothing of a URL; the message tells only which one, for URLs hold secrets.
    """

    def __init__(
        self,
        urls: Sequence[str],
        monotonic: Callable[[], float],
        on_result: Callable[[Result], None],
        retry_seconds: Sequence[float] = RETRY_SECONDS,
    ) -> None:
        self._receivers = [_receiver(number, url) for number, url in enumerate(urls, 1)]
        self._monotonic = monotonic
        self._on_result = on_result
        self._retry_seconds = retry_seconds
        self._told: dict[str, float] = {}
        self._pending: set[asyncio.Task[None]] = set()
        # Threads of its own: nobody else's work waits for one behind a receiver that hangs.
        self._threads = ThreadPoolExecutor(max(1, len(urls)), "notices", lambda: DELIVERING.set(True))

    def send(self, subject: str, text: str, kind: Kind = "failure") -> None:
        """Have an alert delivered; returns at once. Call it on the event loop."""
        alert, now = Alert(subject, text, kind), self._monotonic()
        _log.warning("alert: %s", subject, extra={"details": text})
        if now - self._told.get(subject, -REPEAT_SECONDS) < REPEAT_SECONDS:
            self._on_result("repeated")
        elif not self._receivers:
            self._on_result("unaddressed")
        elif len(self._pending) + len(self._receivers) > MOST_PENDING:
            self._on_result("dropped")
        else:
            self._told[subject] = now
            for number, receiver in enumerate(self._receivers, 1):
                task = asyncio.create_task(self._deliver(number, receiver, alert))
                self._pending.add(task)
                task.add_done_callback(self._pending.discard)

    async def close(self, seconds: float) -> None:
        """Let deliveries that are under way end, for a while."""
        if self._pending:
            _, late = await asyncio.wait(self._pending, timeout=seconds)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def _deliver(self, number: int, receiver: apprise.Apprise, alert: Alert) -> None:
        """Try until it is delivered; once given up, the same alert is no repeat any more."""
        for wait_seconds in (*self._retry_seconds, None):
            if await self._attempt(number, receiver, alert):
                self._on_result("sent")
                return
            if wait_seconds is not None:
                await asyncio.sleep(wait_seconds)
        self._told.pop(alert.subject, None)
        self._on_result("failed")
        _log.error("alert not delivered: %s", alert.subject, extra={"receiver": number})

    async def _attempt(self, number: int, receiver: apprise.Apprise, alert: Alert) -> bool:
        """Deliver once; whatever the library raises is a failure to be retried."""
        body = alert.text or alert.subject  # it sends nothing without a body
        # As plain text: else it takes the body for markup, and lines run together.
        plain = apprise.NotifyFormat.TEXT
        send = partial(receiver.notify, body, alert.subject, apprise.NotifyType(alert.kind), body_format=plain)
        try:
            return bool(await asyncio.get_running_loop().run_in_executor(self._threads, send))
        except Exception as error:  # noqa: BLE001  # a hundred services, each with errors of its own
            _log.warning("alert failed: %s", type(error).__name__, extra={"receiver": number})
            return False


def _receiver(number: int, url: str) -> apprise.Apprise:
    """One URL as a receiver of its own, so that a retry reaches nobody twice."""
    receiver = apprise.Apprise()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # it imports imghdr, where there still is one
        if not receiver.add(url):
            raise ValueError(f"alert URL number {number} is none that Apprise knows")
    return receiver
