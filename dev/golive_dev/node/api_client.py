"""The few requests a node makes of the API server, and what can come of them."""

import asyncio
import base64
import json
import ssl
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self, TypeAlias, TypeVar

import aiohttp
import yaml

T = TypeVar("T")

Json: TypeAlias = dict[str, Any]
"""An object as the API server writes it."""

REQUEST_TIMEOUT_SECONDS = 15.0
"""After this a request counts as lost."""

WATCH_SILENCE_SECONDS = 90.0
"""A watch that says nothing for so long is dead: bookmarks come about once a minute."""

STRATEGIC_MERGE = "application/strategic-merge-patch+json"
"""Patch type in which conditions merge by their type."""

MERGE = "application/merge-patch+json"
"""Patch type in which lists are replaced."""


class ApiError(Exception):
    """The API server refused, or could not be asked (`status` 0)."""

    def __init__(self, status: int, reason: str, message: str) -> None:
        super().__init__(f"{status} {reason}: {message}")
        self.status = status
        self.reason = reason
        self.message = message


@dataclass(frozen=True)
class Server:
    """Where the API server is, and with what to sign in."""

    url: str
    """Base address, without a slash at the end."""

    tls: ssl.SSLContext
    """Client certificate and the authority to trust."""

    @classmethod
    def from_kubeconfig(cls, path: Path) -> Self:
        """Read the current context's server and client certificate."""
        config = yaml.safe_load(path.read_text())
        context = _named(config["contexts"], config["current-context"])["context"]
        cluster = _named(config["clusters"], context["cluster"])["cluster"]
        user = _named(config["users"], context["user"])["user"]
        tls = ssl.create_default_context(cadata=_pem(cluster, "certificate-authority"))
        with tempfile.NamedTemporaryFile("w", suffix=".pem") as both:  # OpenSSL reads files only
            both.write(_pem(user, "client-certificate") + "\n" + _pem(user, "client-key"))
            both.flush()
            tls.load_cert_chain(both.name)
        return cls(cluster["server"].rstrip("/"), tls)


def _named(entries: list[Json], name: str) -> Json:
    """The entry of a kubeconfig's list that has this name."""
    return next(entry for entry in entries if entry["name"] == name)


def _pem(holder: Json, field: str) -> str:
    """A certificate or key, embedded or in a file."""
    if embedded := holder.get(f"{field}-data"):
        return base64.b64decode(embedded).decode()
    return Path(holder[field]).read_text()


class ApiClient:
    """Requests to one API server; every failure is an `ApiError`."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(ssl=server.tls, limit=0),
            timeout=aiohttp.ClientTimeout(total=REQUEST_TIMEOUT_SECONDS),
        )

    async def close(self) -> None:
        """Close all connections."""
        await self._session.close()

    async def get(self, path: str, **query: str) -> Json:
        """Read an object or a list."""
        return await self._request("GET", path, params=query)

    async def create(self, path: str, body: Json) -> Json:
        """Create an object, or ask for a subresource such as a token."""
        return await self._request("POST", path, json=body)

    async def patch(self, path: str, body: Json, kind: str = STRATEGIC_MERGE) -> Json:
        """Change part of an object."""
        headers = {"Content-Type": kind}
        return await self._request("PATCH", path, data=json.dumps(body), headers=headers)

    async def delete(self, path: str, body: Json) -> Json:
        """Delete an object; `body` is the DeleteOptions."""
        return await self._request("DELETE", path, json=body)

    async def _request(self, method: str, path: str, **options: Any) -> Json:
        """Send one request; whatever goes wrong on the way is status 0."""
        try:
            async with self._session.request(method, self.server.url + path, **options) as response:
                body: Json = await response.json(content_type=None)
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
            raise ApiError(0, "Unreachable", f"{method} {path}: {error!r}") from error
        if response.status >= 400:  # noqa: PLR2004  # where HTTP's errors begin
            raise ApiError(response.status, body.get("reason", ""), body.get("message", ""))
        return body

    async def watch(self, path: str, **query: str) -> AsyncIterator[tuple[str, Json]]:
        """Yield (type, object) until the server ends the watch; an ERROR event is raised."""
        parameters = {**query, "watch": "true", "allowWatchBookmarks": "true"}
        timeout = aiohttp.ClientTimeout(total=None, sock_read=WATCH_SILENCE_SECONDS)
        try:
            async with self._session.get(
                self.server.url + path, params=parameters, timeout=timeout
            ) as response:
                if response.status >= 400:  # noqa: PLR2004  # where HTTP's errors begin
                    raise ApiError(response.status, "WatchRefused", await response.text())
                async for line in _lines(response.content):
                    event = json.loads(line)
                    if event["type"] == "ERROR":
                        status = event["object"]
                        raise ApiError(
                            status.get("code", 0), status.get("reason", ""), status.get("message", "")
                        )
                    yield event["type"], event["object"]
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
            raise ApiError(0, "WatchBroken", f"{path}: {error!r}") from error


async def _lines(content: aiohttp.StreamReader) -> AsyncIterator[bytes]:
    """Whole lines of any length: aiohttp's own reader stops at 128 KiB."""
    rest = b""
    async for chunk in content.iter_any():
        *whole, rest = (rest + chunk).split(b"\n")
        for line in whole:
            if line:
                yield line


async def until_answered(attempt: Callable[[], Awaitable[T]], *, pause_seconds: float = 1.0) -> T:
    """Repeat a request until the server can be reached; its refusals are raised."""
    while True:
        try:
            return await attempt()
        except ApiError as error:
            if error.status not in {0, 429, 500, 503}:
                raise
        await asyncio.sleep(pause_seconds)
