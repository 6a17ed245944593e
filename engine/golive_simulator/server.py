"""Sockets and the passing of time: HTTPS for clients, HTTP for the admin API, a clock for prices."""

from __future__ import annotations

import asyncio
import json
import sys
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from aiohttp import web

from golive_simulator import admin, certificates, state, streams
from golive_simulator.candles import POINTS_PER_CANDLE
from golive_simulator.dialect import Asked

if TYPE_CHECKING:
    import ssl
    from collections.abc import AsyncIterator
    from pathlib import Path

    from golive_simulator.venue import Venue

HEARTBEAT_SECONDS = 0.02
"""How often time is looked at: the latest a late fill or a countdown comes too late."""

SAVE_INTERVAL_SECONDS = 1.0
"""How often a venue with a state file writes it."""


@dataclass(frozen=True, slots=True)
class Settings:
    """Where and how to serve."""

    folder: Path
    """Where ``ca.pem`` is written."""
    host: str = "127.0.0.1"
    """IP address of both ports."""
    port: int = 0
    """HTTPS port; 0 takes a free one."""
    admin_port: int = 0
    """Admin port; 0 takes a free one."""
    admin_token: str = ""
    """Bearer token the admin API asks for, if any."""
    candles_per_second: float = 1.0
    """One-minute candles per second of wall time."""
    certificate: Path | None = None
    """TLS certificate to use instead of one of an own CA."""
    key: Path | None = None
    """Key of the certificate."""
    state_file: Path | None = None
    """Where the venue's memory is kept over restarts."""
    is_verbose: bool = False
    """Whether each request is told on standard error."""


@dataclass(frozen=True, slots=True)
class Address:
    """Where a running simulator is found."""

    url: str
    """HTTPS address that the venue's hosts are to lead to."""
    ca_file: str
    """Certificate authority to trust."""
    admin_url: str
    """HTTP address of the admin API."""

    def as_json(self) -> str:
        """One line of JSON."""
        return json.dumps(asdict(self))


@dataclass(frozen=True, slots=True)
class Running:
    """A venue that is being served."""

    address: Address
    clock: asyncio.Task[None]
    """Moves time; it only ever ends by failing."""


@asynccontextmanager
async def running(venue: Venue, settings: Settings) -> AsyncIterator[Running]:
    """Serve the venue for as long as the context lasts."""
    if settings.state_file is not None and settings.state_file.exists():
        state.restore(venue, settings.state_file.read_bytes())
    runner = web.AppRunner(_public(venue, settings), access_log=None)
    admin_runner = web.AppRunner(admin.application(venue, settings.admin_token), access_log=None)
    clock = asyncio.create_task(_run_clock(venue, settings))
    try:
        port = await _listen(runner, settings.host, settings.port, _context(venue, settings))
        admin_port = await _listen(admin_runner, settings.host, settings.admin_port, None)
        address = Address(
            url=f"https://{settings.host}:{port}",
            ca_file=str(settings.folder / "ca.pem"),
            admin_url=f"http://{settings.host}:{admin_port}",
        )
        yield Running(address, clock)
    finally:
        clock.cancel()
        await asyncio.gather(clock, return_exceptions=True)
        await runner.cleanup()
        await admin_runner.cleanup()
        if settings.state_file is not None:
            state.save(venue, settings.state_file)


def _context(venue: Venue, settings: Settings) -> ssl.SSLContext:
    """The given certificate, or one of an own authority."""
    if settings.certificate is not None and settings.key is not None:
        return certificates.server_context(settings.certificate, settings.key)
    names = [name for dialect in venue.dialects for name in dialect.hosts] + list(streams.HOSTS)
    return certificates.make(settings.folder, names, settings.host)


async def _listen(runner: web.AppRunner, host: str, port: int, context: ssl.SSLContext | None) -> int:
    """Open a port and tell its number."""
    await runner.setup()
    await web.TCPSite(runner, host, port, ssl_context=context, shutdown_timeout=0.5).start()
    return int(runner.addresses[0][1])


def _public(venue: Venue, settings: Settings) -> web.Application:
    """One handler for every host and path: the dialect decides what exists."""

    async def handle(request: web.Request) -> web.StreamResponse:
        """Carry one request to the venue and its answer back."""
        if request.headers.get("Upgrade", "").lower() == "websocket":
            return await streams.serve(request, venue)
        path, _, query = request.raw_path.partition("?")
        asked = Asked(
            host=request.host.partition(":")[0].lower(),
            method=request.method,
            path=path,
            query=query,
            body=(await request.read()).decode(errors="replace"),
            headers=request.headers,
            peer=request.remote or "",
            now_ms=venue.clock.now_ms(),
        )
        delivery = venue.serve(asked)
        if settings.is_verbose and venue.requests:
            sys.stderr.write(json.dumps(asdict(venue.requests[-1])) + "\n")
        if delivery.delay_ms:
            await asyncio.sleep(delivery.delay_ms / 1000)
        if delivery.answer is None:
            return _reset(request)
        answer = delivery.answer
        if isinstance(answer.body, str):
            return web.Response(
                text=answer.body, status=answer.status, headers=answer.headers, content_type="text/html"
            )
        return web.json_response(answer.body, status=answer.status, headers=answer.headers)

    app = web.Application(client_max_size=1_000_000)
    app.router.add_route("*", "/{tail:.*}", handle)
    return app


def _reset(request: web.Request) -> web.Response:
    """Break the connection; the response goes nowhere."""
    if request.transport is not None:
        request.transport.abort()
    return web.Response()


async def _run_clock(venue: Venue, settings: Settings) -> None:
    """Move prices at the asked speed, and let late things happen even while prices stand still."""
    loop = asyncio.get_running_loop()
    before, owed, saved = loop.time(), 0.0, loop.time()
    while True:
        await asyncio.sleep(HEARTBEAT_SECONDS)
        now = loop.time()
        owed += (now - before) * settings.candles_per_second * POINTS_PER_CANDLE
        before = now
        if venue.is_paused:
            owed = 0.0
        venue.pass_time(int(owed))
        owed -= int(owed)
        venue.settle(venue.clock.now_ms())
        if settings.state_file is not None and now - saved > SAVE_INTERVAL_SECONDS:
            state.save(venue, settings.state_file)
            saved = now
