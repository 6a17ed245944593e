"""Asking an engine's pod: four requests at once, each bounded in time and size."""

import asyncio
from datetime import datetime

import aiohttp

from golive_api.engine_report import HEALTH_LIVE, HEALTH_READY, METRICS, STATUS
from golive_decisions.facts import Answer, Preflight

TIMEOUT_SECONDS = 2.0
"""An engine that needs longer to say how it is counts as silent."""

MOST_BYTES = 4 * 1024 * 1024
"""Longer answers are garbage."""


class Prober:
    """Asks pods by their address; no redirects, no cookies, no proxies."""

    def __init__(self) -> None:
        self._session = aiohttp.ClientSession(
            timeout=aiohttp.ClientTimeout(total=TIMEOUT_SECONDS), cookie_jar=aiohttp.DummyCookieJar()
        )

    async def close(self) -> None:
        """Close the connections."""
        await self._session.close()

    async def ask(self, host: str, port: int, read_time: datetime) -> Preflight:
        """All four answers of one pod."""
        base = f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
        paths = (HEALTH_LIVE, HEALTH_READY, METRICS, STATUS)
        live, ready, metrics, report = await asyncio.gather(*(self._answer(base + path) for path in paths))
        return Preflight(read_time, live, ready, metrics, report)

    async def _answer(self, url: str) -> Answer:
        try:
            async with self._session.get(url, allow_redirects=False) as response:
                body = await response.content.read(MOST_BYTES + 1)
                while len(body) <= MOST_BYTES and (more := await response.content.read(MOST_BYTES)):
                    body += more
        except TimeoutError:
            return Answer(None, error=f"no answer within {TIMEOUT_SECONDS:g} s")
        except (aiohttp.ClientError, OSError, ValueError) as error:
            return Answer(None, error=f"{type(error).__name__}: {error}"[:300])
        if len(body) > MOST_BYTES:
            return Answer(None, error=f"answer longer than {MOST_BYTES} bytes")
        return Answer(response.status, body.decode(errors="replace"))
