"""The API server: live reads and guarded writes as plain JSON, every failure one of five.

The only module that imports the Kubernetes client. Objects stay dictionaries: the client's models drop
fields that a newer server sends, and what is not understood must not be lost.
"""

import json
import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import aclosing, closing
from types import TracebackType
from typing import Any, Self
from urllib.parse import SplitResult, urlsplit
from urllib.request import getproxies, proxy_bypass

import aiohttp
import orjson
from kubernetes.aio import client, config
from kubernetes.aio.client.exceptions import ApiException
from kubernetes.aio.config import kube_config

Object = dict[str, Any]
"""One Kubernetes object as JSON."""

Objects = list[Object]
"""Several of them."""

TIMEOUT_SECONDS = 3.0
"""Longest wait for one answer; a slower API server is as good as none."""

CONNECTIONS = 64
"""Requests under way at the same time, watches among them; each connection keeps a buffer of 256 KiB."""

WATCH_SECONDS = 240
"""How long one watch lasts; then the next one goes on from there."""

LEAST_WATCH_SECONDS = 0.5
"""A watch that ends sooner is amiss."""

MERGE = "application/merge-patch+json"
"""A merge patch with metadata.resourceVersion in it is refused with 409 when the object has changed."""

PARTIAL = "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1"
"""Asks for metadata alone, so that a Secret's contents never reach this process."""


PARTIAL_LIST = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1"
"""The same for a list."""


class ClusterError(Exception):
    """A request to the API server that did not succeed."""


class MissingError(ClusterError):
    """404: there is no such object."""


class ConflictError(ClusterError):
    """409: the object has changed since it was read, or exists already. Read again."""


class DeniedError(ClusterError):
    """403: refused by a policy or for lack of permission; the message says by which."""


class RejectedError(ClusterError):
    """Any other 4xx: this request can never succeed as it is."""


class UnavailableError(ClusterError):
    """No answer in time, 429, 5xx or a broken connection. Nothing is known; try later."""


_BY_STATUS: dict[int, type[ClusterError]] = {
    403: DeniedError,
    404: MissingError,
    408: UnavailableError,
    409: ConflictError,
    429: UnavailableError,
}


def _translated(status: int, body: str) -> ClusterError:
    kind = _BY_STATUS.get(status, RejectedError if 400 <= status < 500 else UnavailableError)  # noqa: PLR2004  # the 4xx range
    try:
        message = json.loads(body).get("message", body)
    except (ValueError, AttributeError):
        message = body
    return kind(f"{status}: {str(message)[:1000]}")


class Cluster:
    """One connection pool to one API server, signed in as this pod (or by kubeconfig on a desk)."""

    def __init__(self) -> None:
        self._api: client.ApiClient | None = None
        self._may_write: Callable[[], bool] = lambda: True

    async def __aenter__(self) -> Self:
        configuration = client.Configuration()
        try:
            config.load_incluster_config(client_configuration=configuration)
        except config.ConfigException:
            await config.load_kube_config(client_configuration=configuration)
        # Else it would look for proxies and a .netrc anew, in a thread, at each request.
        configuration.client_session_kwargs = {"trust_env": False}
        configuration.connection_pool_maxsize = CONNECTIONS
        configuration.proxy = configuration.proxy or _proxy(urlsplit(configuration.host))
        self._api = client.ApiClient(configuration)
        kube_config._cleanup_temp_files()  # noqa: SLF001  # keys of a kubeconfig, loaded by now, must not lie about
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._api is not None:
            await self._api.close()

    def fenced(self, may_write: Callable[[], bool]) -> "Cluster":
        """The same connections, for work that may change something only while `may_write` says so.

        A process that was frozen goes on where it stood, perhaps between two writes: it is asked before each.
        """
        fenced = Cluster()
        fenced._api, fenced._may_write = self._api, may_write
        return fenced

    async def get(self, path: str) -> Object:
        """A live read: no resourceVersion, so never from the API server's watch cache."""
        return await self._request("GET", path)

    async def metadata(self, path: str) -> Object:
        """A live read of an object's metadata alone."""
        return await self._request("GET", path, accept=PARTIAL)

    async def list_metadata(self, path: str) -> Objects:
        """A live list of objects' metadata alone."""
        answer = await self._request("GET", path, accept=PARTIAL_LIST)
        return [item["metadata"] for item in answer.get("items") or []]

    async def list(self, path: str, **parameters: str) -> list[Object]:
        """A live list."""
        answer = await self._request("GET", path, parameters=parameters)
        return list(answer.get("items") or [])

    async def pages(self, path: str, limit: int, **parameters: str) -> AsyncIterator[Objects]:
        """A live list in pages of at most `limit`, all of one moment."""
        token = ""
        while True:
            page = {**parameters, "limit": str(limit)} | ({"continue": token} if token else {})
            answer = await self._request("GET", path, parameters=page)
            yield answer.get("items") or []
            token = answer.get("metadata", {}).get("continue") or ""
            if not token:
                return

    async def follow(self, path: str, *, metadata: bool = False) -> AsyncIterator[tuple[str, Object]]:
        """Every object there is, as ADDED, then every change, until something is amiss. Raises ClusterError.

        A watch that has had its time is taken up where it ended: a list would have every object looked at.

        Args:
            path: Of a collection.
            metadata: Whether to be told of metadata alone.
        """
        listed = await self._request("GET", path, accept=PARTIAL_LIST if metadata else "application/json")
        version, items = listed["metadata"]["resourceVersion"], listed.pop("items", None) or []
        while items:
            yield "ADDED", items.pop()  # else all of them would be kept for as long as the watch lasts
        lasted = LEAST_WATCH_SECONDS
        while lasted >= LEAST_WATCH_SECONDS:
            began = time.monotonic()
            async with aclosing(self._watch(path, version, metadata=metadata)) as events:
                async for kind, item in events:
                    if kind == "ERROR":  # its history has been compacted, above all
                        return
                    version = item["metadata"]["resourceVersion"]
                    if kind != "BOOKMARK":
                        yield kind, item
            lasted = time.monotonic() - began

    async def _watch(
        self, path: str, version: str, *, metadata: bool
    ) -> AsyncGenerator[tuple[str, Object], None]:
        """Every change since a version, for a while."""
        query = {"watch": "1", "resourceVersion": version, "timeoutSeconds": str(WATCH_SECONDS)}
        query["allowWatchBookmarks"] = "true"
        accept = PARTIAL if metadata else "application/json"
        try:
            answer = await self._send("GET", path, None, query, accept, WATCH_SECONDS + TIMEOUT_SECONDS)
            rest = b""
            with closing(answer.response) as response:
                async for part in response.content.iter_any():
                    *lines, rest = (rest + part).split(b"\n")
                    for line in lines:
                        event = orjson.loads(line)
                        yield event["type"], event["object"]
        except (aiohttp.ClientError, OSError, TimeoutError, ValueError) as error:
            raise UnavailableError(f"{type(error).__name__}: {error}") from error

    async def delete(self, path: str) -> None:
        """Delete; raises MissingError if there is nothing."""
        await self._request("DELETE", path)

    async def create(self, path: str, body: Object, *, dry_run: bool = False) -> Object:
        """Create; raises ConflictError if it exists."""
        return await self._request("POST", path, body=body, parameters=_dry(dry_run=dry_run))

    async def patch(self, path: str, body: Object, *, dry_run: bool = False) -> Object:
        """Merge-patch; guarded when the body carries metadata.resourceVersion."""
        return await self._request("PATCH", path, body=body, parameters=_dry(dry_run=dry_run))

    async def _request(
        self,
        method: str,
        path: str,
        *,
        body: Object | None = None,
        parameters: dict[str, str] | None = None,
        accept: str = "application/json",
    ) -> Object:
        response = await self._send(method, path, body, parameters or {}, accept, TIMEOUT_SECONDS)
        try:
            text = await response.read()
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            raise UnavailableError(f"{type(error).__name__}: {error}") from error
        if not 200 <= response.status < 300:  # noqa: PLR2004  # the 2xx range
            raise _translated(response.status, text.decode(errors="replace"))
        try:
            answer = orjson.loads(text)
        except ValueError as error:
            raise UnavailableError(f"not JSON: {text[:200]!r}") from error
        if not isinstance(answer, dict):
            raise UnavailableError(f"not an object: {text[:200]!r}")
        for each in (answer, *(answer.get("items") or ())):
            # Nobody reads them, and they are a good part of what would be kept.
            (each.get("metadata") or {}).pop("managedFields", None)
        return answer

    async def _send(  # a request has these parts
        self, method: str, path: str, body: Object | None, query: dict[str, str], accept: str, seconds: float
    ) -> Any:
        """The response, its body not read yet."""
        if self._api is None:
            raise UnavailableError("not connected")
        kind = MERGE if method == "PATCH" else "application/json"
        # Packing lists costs both sides more than sending them.
        headers = {"Accept": accept, "Content-Type": kind, "Accept-Encoding": "identity"}
        verb, url, sent, payload, form = await self._api.param_serialize(
            method,
            path,
            query_params=list(query.items()),
            header_params=headers,
            body=body,
            auth_settings=["BearerToken"],
        )
        if method != "GET" and not self._may_write():
            raise UnavailableError("leadership is over: nothing is written")
        try:
            return await self._api.call_api(verb, url, sent, payload, form, _request_timeout=seconds)
        except ApiException as error:
            raise _translated(error.status or 0, str(error.body or error.reason)) from error
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            raise UnavailableError(f"{type(error).__name__}: {error}") from error


def _proxy(url: SplitResult) -> str | None:
    """The environment's proxy for the API server, if one is meant for it."""
    return None if proxy_bypass(url.netloc) else getproxies().get(url.scheme)


def _dry(*, dry_run: bool) -> dict[str, str]:
    return {"dryRun": "All"} if dry_run else {}
