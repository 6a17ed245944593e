"""The node's own HTTPS API, as far as `kubectl logs` needs one."""

import logging
import ssl
import time
from collections.abc import Callable, Mapping
from typing import Any

from aiohttp import web

from golive_dev.node.api_client import ApiClient, ApiError
from golive_dev.node.container import Container
from golive_dev.node.log_files import read_log
from golive_dev.node.pod_worker import PodWorker
from golive_dev.node.settings import NodeSettings

log = logging.getLogger(__name__)

PERMISSION_SECONDS = 10.0
"""How long an answer about a caller's permission is remembered."""

_REVIEWS = "/apis/authorization.k8s.io/v1/subjectaccessreviews"


class Callers:
    """Who may ask: whom the API server grants the node's `proxy` subresource, as with a kubelet."""

    def __init__(self, client: ApiClient, node_name: str) -> None:
        self._client = client
        self._node_name = node_name
        self._permitted: dict[tuple[str, tuple[str, ...]], float] = {}

    async def permitted(self, user: str, groups: tuple[str, ...]) -> bool:
        """Ask the API server; no answer is a no."""
        if time.monotonic() < self._permitted.get((user, groups), 0.0):
            return True
        what = {"verb": "get", "resource": "nodes", "subresource": "proxy", "name": self._node_name}
        review = {
            "apiVersion": "authorization.k8s.io/v1",
            "kind": "SubjectAccessReview",
            "spec": {"user": user, "groups": [*groups, "system:authenticated"], "resourceAttributes": what},
        }
        try:
            answer = await self._client.create(_REVIEWS, review)
        except ApiError as error:
            log.warning("permission of %s unknown: %s", user, error)
            return False
        allowed = bool(answer["status"].get("allowed"))
        if allowed:
            self._permitted[user, groups] = time.monotonic() + PERMISSION_SECONDS
        return allowed


def caller_of(certificate: Mapping[str, Any]) -> tuple[str, tuple[str, ...]]:
    """User and groups that a client certificate stands for."""
    attributes = [pair for group in certificate.get("subject", ()) for pair in group]
    users = [value for key, value in attributes if key == "commonName"]
    groups = tuple(value for key, value in attributes if key == "organizationName")
    return (users[0] if users else "", groups)


class NodeServer:
    """Serves logs to those who present a permitted client certificate."""

    def __init__(
        self,
        settings: NodeSettings,
        callers: Callers,
        find: Callable[[str, str], PodWorker | None],
        pods: Callable[[], list[Any]],
    ) -> None:
        self._settings = settings
        self._callers = callers
        self._find = find
        self._pods = pods
        self._runner: web.AppRunner | None = None

    async def start(self) -> int:
        """Listen on a free port of the node's address; tell which."""
        app = web.Application(middlewares=[self._check_caller])
        app.router.add_get("/healthz", self._healthz)
        app.router.add_get("/pods", self._list_pods)
        app.router.add_get("/containerLogs/{namespace}/{pod}/{container}", self._logs)
        tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=str(self._settings.client_ca))
        tls.verify_mode = ssl.CERT_REQUIRED
        tls.load_cert_chain(self._settings.serving_cert, self._settings.serving_key)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, self._settings.node_address, 0, ssl_context=tls)
        await site.start()
        port: int = self._runner.addresses[0][1]
        return port

    async def stop(self) -> None:
        """Stop listening; followed logs end."""
        if self._runner:
            await self._runner.cleanup()

    @web.middleware
    async def _check_caller(
        self, request: web.Request, handler: Callable[[web.Request], Any]
    ) -> web.StreamResponse:
        """Let nobody through whom the API server doesn't let."""
        transport = request.transport
        certificate = transport.get_extra_info("peercert") if transport else None
        user, groups = caller_of(certificate or {})
        if not user or not await self._callers.permitted(user, groups):
            raise web.HTTPForbidden(text=f"user {user!r} may not get nodes/proxy of {self._settings.name}\n")
        response: web.StreamResponse = await handler(request)
        return response

    async def _healthz(self, _request: web.Request) -> web.Response:
        """That the server answers says it all."""
        return web.Response(text="ok")

    async def _list_pods(self, _request: web.Request) -> web.Response:
        """The pods that run here, as a PodList."""
        return web.json_response({"apiVersion": "v1", "kind": "PodList", "metadata": {}, "items": self._pods()})

    async def _logs(self, request: web.Request) -> web.StreamResponse:
        """The output of a container's present or previous run."""
        where = request.match_info
        container = self._container(where["namespace"], where["pod"], where["container"])
        restart = container.view.restart_count - (request.query.get("previous") == "true")
        path = container.log_file(restart)
        if not path.exists():
            kind = "previous terminated container" if restart != container.view.restart_count else "container"
            raise web.HTTPBadRequest(text=f"{kind} {container.name!r} in pod {where['pod']!r} not found\n")
        response = web.StreamResponse(headers={"Content-Type": "text/plain"})
        await response.prepare(request)
        over = (lambda: not container.is_running(restart)) if request.query.get("follow") == "true" else None
        tail = request.query.get("tailLines")
        left = int(request.query.get("limitBytes") or 2**62)
        async for block in read_log(path, tail_lines=int(tail) if tail else None, over=over):
            await response.write(block[:left])
            left -= len(block)
            if left <= 0:
                break
        await response.write_eof()
        return response

    def _container(self, namespace: str, pod: str, name: str) -> Container:
        """The container asked for, or a refusal."""
        worker = self._find(namespace, pod)
        found = worker and next((each for each in worker.all_containers() if each.name == name), None)
        if not found:
            raise web.HTTPNotFound(text=f"container {name!r} of pod {namespace}/{pod} is not here\n")
        return found
