"""Health, metrics, status and preflight over HTTP."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from http import HTTPStatus

from aiohttp import web

from golive_api.engine_report import HEALTH_LIVE, HEALTH_READY, METRICS, STATUS, EngineReport
from golive_api.preflight_report import PREFLIGHT, EnginePreflight
from golive_engine.callers import CallerError

METRICS_TYPE = "text/plain; version=0.0.4"
"""Content type of Prometheus' text format."""


@dataclass(frozen=True, slots=True)
class Answers:
    """What the engine says when it is asked."""

    live: Callable[[], bool]
    """Whether there is progress."""
    ready: Callable[[], bool]
    """Whether this pod does its part."""
    metrics: Callable[[], bytes]
    """Prometheus text."""
    report: Callable[[], Awaitable[EngineReport]]
    """The engine's account of itself."""
    preflight: Callable[[str], Awaitable[EnginePreflight]]
    """Findings, for who may ask; given the Authorization header. Raises CallerError."""


async def serve(answers: Answers, host: str, port: int) -> tuple[web.AppRunner, int]:
    """Listen; returns the runner to clean up and the port. Raises OSError if the address is taken."""

    async def live(_request: web.Request) -> web.Response:
        return _health(answers.live(), "no progress")

    async def ready(_request: web.Request) -> web.Response:
        return _health(answers.ready(), "not reconciled")

    async def metrics(_request: web.Request) -> web.Response:
        return web.Response(body=answers.metrics(), headers={"Content-Type": METRICS_TYPE})

    async def status(_request: web.Request) -> web.Response:
        return web.json_response((await answers.report()).wire())

    async def preflight(request: web.Request) -> web.Response:
        try:
            found = await answers.preflight(request.headers.get("Authorization", ""))
        except CallerError as refusal:
            challenge = {"WWW-Authenticate": "Bearer"} if refusal.status == HTTPStatus.UNAUTHORIZED else {}
            return web.Response(status=refusal.status, text=f"{refusal}\n", headers=challenge)
        return web.json_response(found.wire())

    app = web.Application()
    app.router.add_post(PREFLIGHT, preflight)
    for path, handler in ((HEALTH_LIVE, live), (HEALTH_READY, ready), (METRICS, metrics), (STATUS, status)):
        app.router.add_get(path, handler)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0)
    await runner.setup()
    site = web.TCPSite(runner, host, port)
    await site.start()
    return runner, int(runner.addresses[0][1])


def _health(well: bool, otherwise: str) -> web.Response:  # noqa: FBT001  # a verdict, not a switch
    """200 or 503, with a word for people."""
    return web.Response(text="ok\n") if well else web.Response(status=503, text=f"{otherwise}\n")
