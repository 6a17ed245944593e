"""The Kubernetes API as the engine uses it: gate and emergency stops to watch, one Lease to hold."""

import asyncio
import json
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import Any, Literal, Self, cast

import aiohttp
from kubernetes.aio import client, config
from kubernetes.aio.client.exceptions import ApiException
from kubernetes.aio.config import kube_config

from golive_api import GROUP, VERSION

REQUEST_SECONDS = 3.0
"""Longest wait for a read or a watch's first byte."""

WATCH_SECONDS = 240
"""After this long the server ends a watch and it is opened anew."""

OPENED = "OPENED"
"""The event by which a watch begins: the server has answered."""

_UNREADABLE = 500
_MERGE = "application/merge-patch+json"
_FAILURES = (ApiException, aiohttp.ClientError, OSError, TimeoutError, ValueError)


class ClusterError(Exception):
    """The API server did not do what was asked; `status` is its HTTP code, 0 without an answer."""

    def __init__(self, message: str, status: int = 0) -> None:
        super().__init__(message)
        self.status = status


@dataclass(frozen=True, slots=True)
class Watched:
    """Objects of the engine's namespace."""

    kind: Literal["configmaps", "emergencystops"]
    """Which kind."""
    name: str = ""
    """The one object; empty for all of the kind."""


@dataclass(frozen=True, slots=True)
class Event:
    """One line of a watch, or its beginning."""

    kind: str
    """ADDED, MODIFIED, DELETED, BOOKMARK, or OPENED."""
    resource_version: str
    """Where to watch on from."""
    item: dict[str, Any] | None
    """The object, as it last stood if it was deleted; None for a bookmark and for the beginning."""


class Cluster:
    """A connection with the credentials of the pod, or of KUBECONFIG outside of one."""

    def __init__(self, api: client.ApiClient, namespace: str) -> None:
        self._api = api
        self._core = client.CoreV1Api(api)
        self._custom = client.CustomObjectsApi(api)
        self._authentication = client.AuthenticationV1Api(api)
        self._authorization = client.AuthorizationV1Api(api)
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

    async def list_all(self, watched: Watched) -> tuple[list[dict[str, Any]], str]:
        """The objects as they stand, and the resourceVersion to watch from."""
        response = await self._bounded(self._listing(watched, _request_timeout=REQUEST_SECONDS))
        listing = await self._body(response)
        return [dict(item) for item in listing.get("items") or []], listing["metadata"]["resourceVersion"]

    async def watch(self, watched: Watched, version: str, idle_seconds: float) -> AsyncIterator[Event]:
        """Events of the objects from a resourceVersion on, until the server ends the watch or falls silent.

        Raises:
            ClusterError: Status 410 (or any other) where a new list is needed, 0 where the connection broke.
        """
        response = await self._bounded(
            self._listing(
                watched,
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
            yield Event(OPENED, version, None)
            async with aclosing(_lines(response, idle_seconds)) as lines:
                async for line in lines:
                    yield _event(line)
        finally:
            response.close()

    def _listing(self, watched: Watched, **options: Any) -> Any:
        """A request for objects, to be awaited."""
        if watched.name:
            options["field_selector"] = f"metadata.name={watched.name}"
        if watched.kind == "configmaps":
            return self._core.list_namespaced_config_map_without_preload_content(self._namespace, **options)
        return self._custom.list_namespaced_custom_object_without_preload_content(
            GROUP, VERSION, self._namespace, watched.kind, **options
        )

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

    async def review_token(self, token: str, audience: str) -> dict[str, Any]:
        """The status of a TokenReview: whose token it is, and for which of the audiences."""
        spec = {"token": token, "audiences": [audience]}
        answer = await self._body(
            await self._bounded(
                self._authentication.create_token_review_without_preload_content(
                    {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenReview", "spec": spec},  # type: ignore[arg-type]  # same
                    _request_timeout=REQUEST_SECONDS,
                )
            )
        )
        return dict(answer.get("status") or {})

    async def review_access(self, spec: dict[str, Any]) -> bool:
        """Whether somebody may do something, by the answer to a SubjectAccessReview."""
        answer = await self._body(
            await self._bounded(
                self._authorization.create_subject_access_review_without_preload_content(
                    {"apiVersion": "authorization.k8s.io/v1", "kind": "SubjectAccessReview", "spec": spec},  # type: ignore[arg-type]  # same
                    _request_timeout=REQUEST_SECONDS,
                )
            )
        )
        status = answer.get("status") or {}
        return status.get("allowed") is True and not status.get("denied")

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


def _event(line: bytes) -> Event:
    """One line of a watch as an event."""
    try:
        event = json.loads(line)
        kind, content = event["type"], event["object"]
        if kind == "ERROR":
            raise ClusterError(str(content.get("message")), int(content.get("code") or _UNREADABLE))
        version = content["metadata"]["resourceVersion"]
        return Event(kind, version, None if kind == "BOOKMARK" else dict(content))
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ClusterError(f"unreadable watch event: {type(error).__name__}", _UNREADABLE) from error
