"""/healthz, /readyz and /metrics of the operator."""

import time
from dataclasses import dataclass, field

from aiohttp import web
from prometheus_client import generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST

from golive_operator.leadership import Leadership
from golive_operator.metrics import Metrics
from golive_operator.workers import Workers

MOST_SILENCE_SECONDS = 30.0
"""Without a finished look, or an answered Lease attempt, for this long the process is not alive."""


@dataclass
class Health:
    """What this process is doing, for whoever asks."""

    leadership: Leadership
    workers: Workers | None = None
    """None while another pod leads."""
    started: float = field(default_factory=time.monotonic)

    def trouble(self) -> str:
        """Why this process is not making progress; empty when it is."""
        now = time.monotonic()
        if now - self.leadership.attempted > MOST_SILENCE_SECONDS:
            return "no answer from the API server about the Lease"
        if self.workers is not None and now - self.workers.oldest_look > MOST_SILENCE_SECONDS:
            return "an object has not been looked at"
        return ""


async def serve(host: str, port: int, health: Health, metrics: Metrics) -> web.AppRunner:
    """Start serving; returns what to clean up. Raises OSError when the address is taken."""

    async def alive(_: web.Request) -> web.Response:
        trouble = health.trouble()
        return web.Response(status=500 if trouble else 200, text=trouble or "ok")

    async def scrape(_: web.Request) -> web.Response:
        body = generate_latest(metrics.registry)
        return web.Response(body=body, headers={"Content-Type": CONTENT_TYPE_LATEST})

    application = web.Application()
    application.add_routes([web.get("/healthz", alive), web.get("/readyz", alive), web.get("/metrics", scrape)])
    runner = web.AppRunner(application, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, host, port).start()
    return runner
