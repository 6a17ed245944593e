"""Notices arrive: by mail and by HTTP, again after a failure, once, and in nobody's way."""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from email import message_from_bytes, policy
from email.message import EmailMessage
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from aiosmtpd.smtp import SMTP, Envelope

from golive_decisions.noticing import Notice
from golive_operator.metrics import Metrics
from golive_operator.notices import MOST_WAITING, Notices, read_urls

OPENED = Notice(
    "uid/opening/1", "open", "trading/perps: OPEN with profile micro (12:00)", "Who: trader\nNext: watch it"
)


class Mailbox:
    """A mail server that keeps what it is given."""

    def __init__(self) -> None:
        self.mails: list[tuple[str, list[str], EmailMessage]] = []
        self.port = 0

    async def handle_DATA(self, _server: object, _session: object, envelope: Envelope) -> str:  # noqa: N802  # its protocol
        """Take one mail."""
        content = message_from_bytes(envelope.original_content or b"", policy=policy.default)
        assert isinstance(content, EmailMessage)
        self.mails.append((str(envelope.mail_from), list(map(str, envelope.rcpt_tos)), content))
        return "250 OK"


@pytest.fixture
async def mailbox() -> AsyncIterator[Mailbox]:
    """Give a real mail server on loopback."""
    mailbox = Mailbox()
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: SMTP(mailbox, loop=loop), "127.0.0.1", 0)
    mailbox.port = server.sockets[0].getsockname()[1]
    yield mailbox
    server.close()
    await server.wait_closed()


class Hook:
    """A web server that keeps what it is told, answers as it is told to, or does not answer."""

    def __init__(self) -> None:
        self.told: list[dict[str, Any]] = []
        self.answers: list[int] = []
        self.attempts = 0
        self.answering = asyncio.Event()
        self.answering.set()
        self.url = ""

    async def hear(self, request: web.Request) -> web.Response:
        """Take one notice."""
        self.attempts += 1
        body = await request.json()
        await self.answering.wait()
        status = self.answers.pop(0) if self.answers else 200
        if status == 200:
            self.told.append(body)
        return web.Response(status=status)


Make = Callable[[], Awaitable[Hook]]


@pytest.fixture
async def new_hook() -> AsyncIterator[Make]:
    """Give a function that starts a web server on loopback."""
    started: list[tuple[Hook, web.AppRunner]] = []

    async def make() -> Hook:
        hook, application = Hook(), web.Application()
        application.router.add_post("/hook", hook.hear)
        runner = web.AppRunner(application, access_log=None, shutdown_timeout=0.1)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        host, port = runner.addresses[0][:2]
        hook.url = f"json://{host}:{port}/hook"
        started.append((hook, runner))
        return hook

    yield make
    for hook, runner in started:
        hook.answering.set()
        await runner.cleanup()


class Desk:
    """Notices, the file that names receivers, and what became of each."""

    def __init__(self, file: Path | None) -> None:
        self.file, self.metrics = file, Metrics()
        self.notices = Notices(file, self.metrics, retry_seconds=(0.01, 0.01))

    def address(self, *lines: str) -> None:
        """Write the file as a mounted Secret is written."""
        assert self.file is not None
        part = self.file.with_suffix(".part")
        part.write_text("\n".join(lines) + "\n")
        part.replace(self.file)

    def count(self, result: str) -> float:
        """What golive_notices_total says."""
        return self.metrics.registry.get_sample_value("golive_notices_total", {"result": result}) or 0.0

    def reached(self, result: str) -> bool:
        """Whether one notice has come to that."""
        return self.count(result) == 1

    async def until(self, condition: Callable[[], object]) -> None:
        """Let deliveries go on until something is so."""
        async with asyncio.timeout(20):
            while not condition():  # noqa: ASYNC110  # what is waited for has no event
                await asyncio.sleep(0.005)


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    """Give a desk whose file does not exist yet."""
    desk = Desk(tmp_path / "urls")
    yield desk
    await desk.notices.close(5)


async def test_a_notice_arrives_by_mail(desk: Desk, mailbox: Mailbox) -> None:
    """With its subject, its text line by line, from and to the addresses of the URL."""
    desk.address(f"mailto://127.0.0.1:{mailbox.port}?from=golive@example.org&to=desk@example.org&mode=insecure")
    desk.notices.tell(OPENED)
    await desk.until(lambda: mailbox.mails)
    sender, receivers, mail = mailbox.mails[0]
    assert (sender, receivers) == ("golive@example.org", ["desk@example.org"])
    assert mail["Subject"] == OPENED.subject
    assert mail.get_content().strip().splitlines() == ["Who: trader", "Next: watch it"]
    await desk.until(lambda: desk.count("sent") == 1)


async def test_a_notice_arrives_at_a_web_hook(desk: Desk, new_hook: Make) -> None:
    """As JSON."""
    hook = await new_hook()
    desk.address("# people on duty", "", hook.url)
    desk.notices.tell(OPENED)
    await desk.until(lambda: hook.told)
    assert (hook.told[0]["title"], hook.told[0]["message"]) == (OPENED.subject, OPENED.text)


async def test_a_failed_delivery_is_tried_again(desk: Desk, new_hook: Make) -> None:
    """500, then 200."""
    hook = await new_hook()
    hook.answers = [500]
    desk.address(hook.url)
    desk.notices.tell(OPENED)
    await desk.until(lambda: desk.count("sent") == 1)
    assert (hook.attempts, len(hook.told)) == (2, 1)


async def test_a_receiver_that_hangs_holds_up_nobody(desk: Desk, new_hook: Make) -> None:
    """Neither the other receivers, nor whoever tells."""
    hanging, hook = await new_hook(), await new_hook()
    hanging.answering.clear()
    desk.address(hanging.url, hook.url)
    began = time.monotonic()
    desk.notices.tell(OPENED)
    assert time.monotonic() - began < 0.05
    await desk.until(lambda: hanging.attempts and desk.count("sent"))
    assert (len(hook.told), len(hanging.told), desk.count("sent")) == (1, 0, 1)


async def test_a_notice_is_sent_once_however_often_it_is_told(desk: Desk, new_hook: Make) -> None:
    """As when its record fails, and is tried at each look, each with a time of its own."""
    hook = await new_hook()
    desk.address(hook.url)
    for look in range(5):
        desk.notices.tell(replace(OPENED, subject=f"{OPENED.subject} {look}"))
    desk.notices.tell(Notice("another", "x", "another subject", "text"))
    await desk.notices.close(20)
    assert [body["title"] for body in hook.told] == [f"{OPENED.subject} 0", "another subject"]


async def test_news_about_the_same_thing_are_sent_each(desk: Desk, new_hook: Make) -> None:
    """Approved, taken back, approved again: the third is no repeat of the first."""
    hook = await new_hook()
    desk.address(hook.url)
    for content, subject in ("yes", "approved (1)"), ("gone", "taken back"), ("yes", "approved (2)"):
        desk.notices.tell(Notice("approval", content, subject, "text"))
    await desk.until(lambda: len(hook.told) == 3)


async def test_the_file_is_read_again_when_it_changes(desk: Desk, new_hook: Make) -> None:
    """A Secret is rotated while the operator runs; what is under way to the old address goes on."""
    first, second = await new_hook(), await new_hook()
    first.answering.clear()
    desk.address(first.url)
    desk.notices.tell(OPENED)
    await desk.until(lambda: first.attempts)
    desk.address(second.url)
    desk.notices.tell(Notice("another", "x", "another subject", "text"))
    await desk.until(lambda: second.told)
    first.answering.set()
    await desk.until(lambda: desk.count("sent") == 2)
    assert [body["title"] for body in first.told] == [OPENED.subject]
    assert [body["title"] for body in second.told] == ["another subject"]


async def test_a_wrong_url_silences_no_other_and_is_not_logged(
    desk: Desk, new_hook: Make, caplog: pytest.LogCaptureFixture
) -> None:
    """Only its place in the file is told, for URLs hold secrets."""
    hook = await new_hook()
    desk.address("nonsense://hunter2@host", hook.url)
    with caplog.at_level(logging.DEBUG):
        desk.notices.tell(OPENED)
        await desk.until(lambda: hook.told)
    lines = [line for line in caplog.records if line.message == "a notice URL can't be used"]
    assert [line.__dict__["line"] for line in lines] == [1]
    assert "hunter2" not in caplog.text
    assert "/hook" not in caplog.text


async def test_addresses_can_be_read_before_there_is_anything_to_tell(desk: Desk, new_hook: Make) -> None:
    """A standby has the time for it; a leader has not."""
    await desk.notices.prepare()
    hook = await new_hook()
    desk.address(hook.url)
    await desk.notices.prepare()
    desk.notices.tell(OPENED)
    await desk.notices.close(20)
    assert len(hook.told) == 1


async def test_without_a_file_nobody_is_told_and_nothing_fails(tmp_path: Path) -> None:
    """Missing is none; so is no path at all."""
    for desk in (Desk(None), Desk(tmp_path / "missing")):
        desk.notices.tell(OPENED)
        await desk.until(partial(desk.reached, "unaddressed"))
        await desk.notices.close(5)


async def test_a_storm_of_notices_is_bounded(desk: Desk) -> None:
    """What is too much is counted, not kept."""
    for number in range(MOST_WAITING + 10):
        desk.notices.tell(Notice(f"topic {number}", "x", f"subject {number}", ""))
    assert desk.count("dropped") == 10


async def test_the_end_waits_for_what_is_under_way_but_not_for_ever(desk: Desk, new_hook: Make) -> None:
    """An operator that hands over delivers what it can."""
    hook = await new_hook()
    desk.address(hook.url)
    desk.notices.tell(OPENED)
    await desk.notices.close(20)
    assert len(hook.told) == 1
    hanging = await new_hook()
    hanging.answering.clear()
    other = Desk(desk.file)
    other.address(hanging.url)
    other.notices.tell(OPENED)
    await other.until(lambda: hanging.attempts)
    began = time.monotonic()
    await other.notices.close(0.1)
    assert time.monotonic() - began < 5


@pytest.mark.parametrize("content", [b"\xff\xfe", b"", b"# only a comment\n"])
def test_a_file_without_a_usable_line_names_nobody(tmp_path: Path, content: bytes) -> None:
    """Garbage is no address."""
    file = tmp_path / "urls"
    file.write_bytes(content)
    assert read_urls(file) == []
    assert read_urls(tmp_path) == []
