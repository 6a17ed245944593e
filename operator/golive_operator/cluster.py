"""The API server: live reads and guarded writes as plain JSON, every failure one of five.

The only module that imports the Kubernetes client. Objects stay dictionaries: the client's models drop
fields that a newer server sends, and what is not understood must not be lost.
"""

import json
from types import TracebackType
from typing import Any, Self

import aiohttp
from kubernetes.aio import client, config
from kubernetes.aio.client.exceptions import ApiException
from kubernetes.aio.config import kube_config

Object = dict[str, Any]
"""One Kubernetes object as JSON."""

TIMEOUT_SECONDS = 3.0
"""Longest wait for one answer; a slower API server is as good as none."""

MERGE = "application/merge-patch+json"
"""A merge patch with metadata.resourceVersion in it is refused with 409 when the object has changed."""

PARTIAL = "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1"
"""Asks for metadata alone, so that a Secret's contents never reach this process."""


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

    async def __aenter__(self) -> Self:
        configuration = client.Configuration()
        try:
            config.load_incluster_config(client_configuration=configuration)
        except config.ConfigException:
            await config.load_kube_config(client_configuration=configuration)
        configuration.retries = False
        self._api = client.ApiClient(configuration)
        kube_config._cleanup_temp_files()  # noqa: SLF001  # keys of a kubeconfig, loaded by now, must not lie about
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._api is not None:
            await self._api.close()

    async def get(self, path: str) -> Object:
        """A live read: no resourceVersion, so never from the API server's watch cache."""
        return await self._request("GET", path)

    async def metadata(self, path: str) -> Object:
        """A live read of an object's metadata alone."""
        return await self._request("GET", path, accept=PARTIAL)

    async def list(self, path: str, **parameters: str) -> list[Object]:
        """A live list."""
        answer = await self._request("GET", path, parameters=parameters)
        return list(answer.get("items") or [])

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
        if self._api is None:
            raise UnavailableError("not connected")
        headers = {"Accept": accept, "Content-Type": MERGE if method == "PATCH" else "application/json"}
        verb, url, sent, payload, form = await self._api.param_serialize(
            method,
            path,
            query_params=list((parameters or {}).items()),
            header_params=headers,
            body=body,
            auth_settings=["BearerToken"],
        )
        try:
            response = await self._api.call_api(
                verb, url, sent, payload, form, _request_timeout=TIMEOUT_SECONDS
            )
            text = (await response.read()).decode()
        except ApiException as error:
            raise _translated(error.status or 0, str(error.body or error.reason)) from error
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            raise UnavailableError(f"{type(error).__name__}: {error}") from error
        if not 200 <= response.status < 300:  # noqa: PLR2004  # the 2xx range
            raise _translated(response.status, text)
        try:
            answer = json.loads(text)
        except ValueError as error:
            raise UnavailableError(f"not JSON: {text[:200]!r}") from error
        if not isinstance(answer, dict):
            raise UnavailableError(f"not an object: {text[:200]!r}")
        return answer


def _dry(*, dry_run: bool) -> dict[str, str]:
    return {"dryRun": "All"} if dry_run else {}
