"""The Kubernetes API as the engine uses it: one ConfigMap to watch, one Lease to hold."""

import asyncio
import json
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import Any, Self, cast

import aiohttp
from kubernetes.aio import client, config
from kubernetes.aio.client.exceptions import ApiException
from kubernetes.aio.config import kube_config

REQUEST_SECONDS = 3.0
"""Longest wait for a read or a watch's first byte."""

WATCH_SECONDS = 240
"""After this long the server ends a watch and it is opened anew."""

_UNREADABLE = 500
_MERGE = "application/merge-patch+json"
_FAILURES = (ApiException, aiohttp.ClientError, OSError, TimeoutError, ValueError)


class ClusterError(Exception):
    """The API server did not do what was asked; `status` is its HTTP code, 0 without an answer."""

    def __init__(self, message: str, status: int = 0) -> None:
        super().__init__(message)
        self.status = status


@dataclass(frozen=True, slots=True)
class GateEvent:
    """One line of the gate's watch; data is None when the gate was deleted, or for a bookmark."""

    kind: str
    """ADDED, MODIFIED, DELETED or BOOKMARK."""
    resource_version: str
    """Where to watch on from."""
    data: dict[str, str] | None
    """The ConfigMap's data."""


class Cluster:
    """A connection with the credentials of the pod, or of KUBECONFIG outside of one."""

    def __init__(self, api: client.ApiClient, namespace: str) -> None:
        self._api = api
        self._core = client.CoreV1Api(api)
        self._coordination = client.CoordinationV1Api(api)
        self._namespace = namespace

    @classmethod
    async def connect(cls, namespace: str, kubeconfig: Path | None) -> Self:
        """Sign in; raises ClusterError if there are no usable credentials."""
        try:
            if kubeconfig is None:
                config.load_incluster_config()
            else:
                await config.load_kube_config(config_file=str(kubeconfig))
        except (config.ConfigException, OSError) as error:
            raise ClusterError(f"no credentials for the API server: {error}") from error
        api = client.ApiClient()
        kube_config._cleanup_temp_files()  # noqa: SLF001  # keys of a kubeconfig, loaded by now, must not lie about
        return cls(api, namespace)

    async def close(self) -> None:
        """Close every connection."""
        await self._api.close()

    async def list_gate(self, name: str) -> tuple[dict[str, str] | None, str]:
        """Data of the gate's ConfigMap, None if there is none, and the resourceVersion to watch from."""
        response = await self._bounded(
            self._core.list_namespaced_config_map_without_preload_content(
                self._namespace, field_selector=f"metadata.name={name}", _request_timeout=REQUEST_SECONDS
            )
        )
        listing = await self._body(response)
        items = listing.get("items") or []
        data = dict(items[0].get("data") or {}) if items else None
        return data, listing["metadata"]["resourceVersion"]

    async def watch_gate(self, name: str, version: str, idle_seconds: float) -> AsyncIterator[GateEvent]:
        """Events of the gate from a resourceVersion on, until the server ends the watch or falls silent.

        Raises:
            ClusterError: Status 410 (or any other) where a new list is needed, 0 where the connection broke.
        """
        response = await self._bounded(
            self._core.list_namespaced_config_map_without_preload_content(
                self._namespace,
                field_selector=f"metadata.name={name}",
                resource_version=version,
                watch=True,
                allow_watch_bookmarks=True,
                timeout_seconds=WATCH_SECONDS,
                _request_timeout=float(WATCH_SECONDS + 30),
            )
        )
        try:
            if response.status != HTTPStatus.OK:
                raise ClusterError(f"watch refused with {response.status}", response.status)
            async with aclosing(_lines(response, idle_seconds)) as lines:
                async for line in lines:
                    yield _event(line)
        finally:
            response.close()

    async def read_lease(self, name: str) -> dict[str, Any] | None:
        """The Lease as a dictionary, None if there is none."""
        response = await self._bounded(
            self._coordination.read_namespaced_lease_without_preload_content(
                name, self._namespace, _request_timeout=REQUEST_SECONDS
            )
        )
        if response.status == HTTPStatus.NOT_FOUND:
            response.close()
            return None
        return await self._body(response)

    async def create_lease(self, body: dict[str, Any]) -> dict[str, Any]:
        """Create a Lease; status 409 in ClusterError if another was faster."""
        return await self._body(
            await self._bounded(
                self._coordination.create_namespaced_lease_without_preload_content(
                    self._namespace,
                    body,  # type: ignore[arg-type]  # a dictionary keeps what the model would drop
                    _request_timeout=REQUEST_SECONDS,
                )
            )
        )

    async def patch_lease(self, name: str, body: dict[str, Any]) -> dict[str, Any]:
        """Merge a patch into a Lease; a resourceVersion in it makes a stale patch fail with 409."""
        return await self._body(
            await self._bounded(
                self._coordination.patch_namespaced_lease_without_preload_content(
                    name, self._namespace, body, _content_type=_MERGE, _request_timeout=REQUEST_SECONDS
                )
            )
        )

    async def _bounded(self, request: Any) -> aiohttp.ClientResponse:
        """Wait for an answer's first byte; every way of failing becomes ClusterError."""
        try:
            response = await asyncio.wait_for(request, REQUEST_SECONDS)
        except _FAILURES as error:
            raise ClusterError(f"{type(error).__name__}: {error}") from error
        return cast("aiohttp.ClientResponse", getattr(response, "response", response))

    async def _body(self, response: aiohttp.ClientResponse) -> dict[str, Any]:
        """The answer's JSON object; an error status becomes ClusterError."""
        try:
            answer = await asyncio.wait_for(response.json(content_type=None), REQUEST_SECONDS)
        except _FAILURES as error:
            raise ClusterError(f"{type(error).__name__}: {error}", response.status) from error
        finally:
            response.release()
        if response.status >= HTTPStatus.BAD_REQUEST or not isinstance(answer, dict):
            message = answer.get("message", "") if isinstance(answer, dict) else "not an object"
            raise ClusterError(f"{response.status}: {message}", response.status)
        return answer


async def _lines(response: aiohttp.ClientResponse, idle_seconds: float) -> AsyncGenerator[bytes, None]:
    """Lines of a watch; they end in silence, because a stalled server looks like a quiet one."""
    while True:
        try:
            async with asyncio.timeout(idle_seconds):
                line = await response.content.readline()
        except TimeoutError:
            return
        except ValueError as error:
            raise ClusterError("a watch event is too long to read: list it", _UNREADABLE) from error
        except _FAILURES as error:
            raise ClusterError(f"watch broke: {type(error).__name__}") from error
        if not line:
            return
        yield line


def _event(line: bytes) -> GateEvent:
    """One line of a watch as an event."""
    try:
        event = json.loads(line)
        kind, content = event["type"], event["object"]
        if kind == "ERROR":
            raise ClusterError(str(content.get("message")), int(content.get("code") or _UNREADABLE))
        version = content["metadata"]["resourceVersion"]
        gone = kind in ("DELETED", "BOOKMARK")
        return GateEvent(kind, version, None if gone else dict(content.get("data") or {}))
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ClusterError(f"unreadable watch event: {type(error).__name__}", _UNREADABLE) from error
