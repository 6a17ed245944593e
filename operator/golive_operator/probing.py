"""Asking over HTTP: every answer bounded in time and size; no redirects, no cookies, no proxies."""

import asyncio
import ssl
from collections.abc import Mapping

import aiohttp

from golive_api.engine_report import STATUS
from golive_decisions.preflight_run import Answer

TIMEOUT_SECONDS = 2.0
"""An engine that needs longer to say how it is counts as silent."""

MOST_BYTES = 4 * 1024 * 1024
"""Longer answers are garbage."""

PLAIN = {"Accept-Encoding": "identity"}
"""Nothing is unpacked, so that a small answer can't become a large one."""


class Prober:
    """Asks pods by their address."""

    def __init__(self) -> None:
        self._session = new_session(aiohttp.TCPConnector())

    async def close(self) -> None:
        """Close the connections."""
        await self._session.close()

    async def status(self, host: str, port: int) -> Answer:
        """What a pod says of itself."""
        return await self.ask(host, port, STATUS)

    async def ask(
        self,
        host: str,
        port: int,
        path: str,
        *,
        method: str = "GET",
        seconds: float = TIMEOUT_SECONDS,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """One answer of a pod."""
        base = f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
        return await ask(self._session, base + path, method=method, seconds=seconds, headers=headers)


def new_session(connector: aiohttp.BaseConnector) -> aiohttp.ClientSession:
    """A session that keeps nothing between two requests but connections."""
    return aiohttp.ClientSession(
        connector=connector, cookie_jar=aiohttp.DummyCookieJar(), auto_decompress=False, trust_env=False
    )


async def ask(
    session: aiohttp.ClientSession,
    url: str,
    *,
    method: str = "GET",
    seconds: float,
    headers: Mapping[str, str] | None = None,
    params: Mapping[str, str] | None = None,
    trust: ssl.SSLContext | bool = True,
) -> Answer:
    """One answer, whatever happens."""
    try:
        async with (
            asyncio.timeout(seconds),
            session.request(
                method,
                url,
                params=params,
                headers={**PLAIN, **(headers or {})},
                ssl=trust,
                allow_redirects=False,
            ) as response,
        ):
            body = bytearray()
            async for part in response.content.iter_any():
                body += part
                if len(body) > MOST_BYTES:
                    return Answer(None, error=f"answer longer than {MOST_BYTES} bytes")
    except TimeoutError:
        return Answer(None, error=f"no answer within {seconds:g} s")
    except (aiohttp.ClientError, OSError, ValueError) as error:
        return Answer(None, error=f"{type(error).__name__}: {error}"[:300])
    return Answer(response.status, body.decode(errors="replace"))
