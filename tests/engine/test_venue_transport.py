"""The last thing before the wire: a check for every request, and one write for an order."""

from collections.abc import AsyncIterator, Awaitable, Callable

import aiohttp
import certifi
import pytest
from aiohttp import web

from golive_engine.transport import guarded, open_session


class Stop(Exception):  # noqa: N818  # it stands for a verdict, not for an error
    """What a check raises."""


Start = Callable[..., Awaitable[str]]


@pytest.fixture
async def start() -> AsyncIterator[tuple[list[str], Start]]:
    """A server that writes down what reaches it, and answers as it is told."""
    seen: list[str] = []
    runners: list[web.AppRunner] = []

    async def run(status: int = 200, headers: dict[str, str] | None = None, text: str = "") -> str:
        async def answer(request: web.Request) -> web.Response:
            seen.append(f"{request.method} {request.path}")
            return web.Response(status=status, headers=headers or {}, text=text)

        app = web.Application()
        app.router.add_route("*", "/{tail:.*}", answer)
        runner = web.AppRunner(app)
        await runner.setup()
        runners.append(runner)
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        return f"127.0.0.1:{runner.addresses[0][1]}"

    yield seen, run
    for runner in runners:
        await runner.cleanup()


@pytest.fixture
async def session(
    start: tuple[list[str], Start],
) -> AsyncIterator[Callable[..., Awaitable[aiohttp.ClientSession]]]:
    """Sessions that know a venue's name."""
    opened: list[aiohttp.ClientSession] = []

    async def run(**answer: object) -> aiohttp.ClientSession:
        opened.append(open_session(None, {"venue.test": await start[1](**answer)}, certifi.where()))
        return opened[-1]

    yield run
    for one in opened:
        await one.close()


Open = Callable[..., Awaitable[aiohttp.ClientSession]]
Seen = tuple[list[str], Start]


async def test_a_redirected_order_is_written_once(start: Seen, session: Open) -> None:
    """307 asks to send the same body again, perhaps to somebody else."""
    client = await session(status=307, headers={"Location": "http://venue.test/again"})
    refused = pytest.raises(aiohttp.ClientConnectionError, match="written only once")
    with guarded(lambda: None, is_order=True) as attempt, refused:
        await client.post("http://venue.test/order", data=b"buy")
    assert start[0] == ["POST /order"]
    assert attempt.sent


async def test_a_read_may_be_redirected(start: Seen, session: Open) -> None:
    """Nothing is doubled by reading twice; each request is checked."""
    checks: list[int] = []
    client = await session(status=307, headers={"Location": "http://venue.test/again"})
    with guarded(lambda: checks.append(1)), pytest.raises(aiohttp.TooManyRedirects):
        await client.get("http://venue.test/read", max_redirects=2)
    assert len(start[0]) == len(checks) == 2


async def test_a_check_stops_the_request_before_its_first_byte(start: Seen, session: Open) -> None:
    """The connection stands, and is good for the next request."""
    client = await session()

    def refuse() -> None:
        raise Stop

    with guarded(refuse, is_order=True) as attempt, pytest.raises(Stop):
        await client.post("http://venue.test/order", data=b"buy")
    assert not attempt.sent
    assert start[0] == []
    with guarded(lambda: None):
        await client.get("http://venue.test/read")
    assert start[0] == ["GET /read"]


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("7", 7.0),
        ("0.5", 0.5),
        ("", None),
        ("-1", None),
        ("nan", None),
        ("Fri, 20 Nov 2026 18:00:00 GMT", None),
    ],
)
async def test_an_attempt_keeps_status_body_and_retry_after(
    session: Open, header: str, expected: float | None
) -> None:
    """All that a verdict needs, as it came."""
    client = await session(status=429, headers={"Retry-After": header}, text="slow down")
    with guarded(lambda: None) as attempt:
        answer = await client.get("http://venue.test/read")
        await answer.read()
    assert (attempt.status, attempt.body, attempt.retry_after) == (429, b"slow down", expected)
