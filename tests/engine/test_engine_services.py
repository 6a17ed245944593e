"""One engine process with all that is beside it: PostgreSQL, Redis, sentiment, streams, a pager."""

from collections.abc import AsyncIterator, Iterator
from typing import Any

import psycopg
import pytest
from aiohttp import web

from golive_api.engine_report import METRICS, REQUIRED_SERIES
from golive_dev.redis import RedisServer
from golive_simulator.client import Admin
from golive_simulator.streams import HOSTS


class Services:
    """A web server that is both the sentiment feed and the pager."""

    def __init__(self) -> None:
        self.url = ""
        self.asked: set[str] = set()
        self.pages: list[str] = []

    async def score(self, request: web.Request) -> web.Response:
        """Tell a market's mood."""
        self.asked.add(request.match_info["symbol"])
        return web.json_response({"score": 0.25})

    async def page(self, request: web.Request) -> web.Response:
        """Take an alert."""
        self.pages.append((await request.json())["title"])
        return web.Response()


@pytest.fixture
async def services() -> AsyncIterator[Services]:
    """Both, on a port of their own."""
    made, app = Services(), web.Application()
    app.router.add_get("/score/{symbol}", made.score)
    app.router.add_post("/page", made.page)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    made.url = f"127.0.0.1:{runner.addresses[0][1]}"
    yield made
    await runner.cleanup()


@pytest.fixture
def redis() -> Iterator[RedisServer]:
    """A Redis of the test's own."""
    with RedisServer() as server:
        yield server


async def test_an_engine_uses_every_service_and_outlives_its_cache(
    start_engine: Any,
    settings: dict[str, Any],
    until: Any,
    admin: Admin,
    services: Services,
    redis: RedisServer,
    postgresql: Any,
    api_key: str,
) -> None:
    """Each is seen to be used from outside; without its cache and its streams the engine trades on."""
    address = settings["venue"]["resolve"]["fapi.binance.com"]
    settings["venue"] |= {
        "stream": True,
        "resolve": settings["venue"]["resolve"] | dict.fromkeys(HOSTS, address),
    }
    database = postgresql.new_database()
    settings["journal"] = {"url": database}
    settings["cache"] = {"url": redis.url, "candles_seconds": 30}
    settings["sentiment"] = {"url": f"http://{services.url}/score/{{symbol}}"}
    settings["alerts"] = {"urls_env": "PAGERS"}
    settings["stress"] = {"on_start": False}
    engine = start_engine(settings, PAGERS=f"json://{services.url}/page")
    await until(lambda: engine.filled("paper") >= 1)
    cycles = engine.report().cycles
    await until(lambda: engine.report().cycles > cycles + 3)

    def series(name: str) -> float:
        lines = [line for line in engine.get(METRICS)[1].splitlines() if line.startswith(name)]
        return sum(float(line.rsplit(" ", 1)[1]) for line in lines)

    await admin.price("BTCUSDT", "45110")
    await until(lambda: series('golive_engine_prices_total{account="paper",source="stream"') >= 1)
    assert series('cache_requests_total{kind="closes",result="hit",symbol="BTCUSDT"}') >= 1
    assert services.asked == {"BTCUSDT"}
    assert redis.ask("DBSIZE") != ":0"
    text = engine.get(METRICS)[1]
    assert [name for name in REQUIRED_SERIES if f"\n{name}" not in text] == []
    with psycopg.connect(database) as journal:
        rows = journal.execute("select kind, state from orders order by sequence").fetchall()
    assert ("market", "filled") in rows

    redis.kill()
    cycles = engine.report().cycles
    await until(lambda: engine.report().cycles > cycles + 3)
    assert series('cache_requests_total{kind="closes",result="error"') >= 1

    await admin.set_equity("testnet", api_key, 1000)
    await until(lambda: any("emergency stop" in page for page in services.pages))
    assert series("ess_triggers_total") >= 1
    assert [page for page in services.pages if "(paper)" in page] == services.pages
    assert engine.report().emergency_stop == "Inactive"
