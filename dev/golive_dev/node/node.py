"""The node as a whole: what is bound to it runs on it."""

import asyncio
import logging
import random
import shutil
import time
from contextlib import AsyncExitStack, suppress
from typing import Literal

from golive_dev.node.addresses import PodAddresses
from golive_dev.node.api_client import ApiClient, ApiError, Json, Server
from golive_dev.node.context import NodeContext, ObjectReader
from golive_dev.node.events import EventWriter
from golive_dev.node.pod_worker import PodWorker, finished_before
from golive_dev.node.probes import open_probe_session
from golive_dev.node.registration import Registration, machine_resources
from golive_dev.node.sandbox import namespaces_work
from golive_dev.node.server import Callers, NodeServer
from golive_dev.node.settings import NodeSettings

log = logging.getLogger(__name__)

RELIST_SECONDS = 0.5
"""Pause before pods are listed again after a watch that broke."""

SHUTDOWN_GRACE_SECONDS = 3.0
"""Longest grace of pods when the node ends."""

LIMITS = (
    "pods are local processes: no images, no isolation of network, users, resources or processes, no Services, "
    "no exec or port-forward; see README.md beside this module"
)
"""Said at every start, so that nobody takes this for a kubelet."""


class Node:
    """Runs pods bound to it until cancelled."""

    def __init__(self, context: NodeContext) -> None:
        self._context = context
        self._workers: dict[str, PodWorker] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}

    async def run(self) -> None:
        """Serve, register, follow pods; on cancellation stop every process."""
        context = self._context
        callers = Callers(context.client, context.settings.name)
        server = NodeServer(context.settings, callers, self.find, self._pods)
        port = await server.start()
        registration = Registration(context.client, context.settings, port)
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(registration.keep())
                tasks.create_task(self._follow_pods())
        finally:
            await self._stop_pods()
            await server.stop()

    def find(self, namespace: str, name: str) -> PodWorker | None:
        """The pod of this name that runs here."""
        for worker in self._workers.values():
            metadata = worker.pod["metadata"]
            if (metadata["namespace"], metadata["name"]) == (namespace, name):
                return worker
        return None

    def _pods(self) -> list[Json]:
        """All pods that run here."""
        return [worker.pod for worker in self._workers.values()]

    async def _follow_pods(self) -> None:
        """List and watch for ever. Whatever ends a watch, a new list makes up for what was missed."""
        while True:
            try:
                await self._list_and_watch()
            except ApiError as error:
                log.warning("pods: %s", error)
                await asyncio.sleep(RELIST_SECONDS)

    async def _list_and_watch(self) -> None:
        """Take stock of all pods, then follow changes until the watch ends."""
        selector = f"spec.nodeName={self._context.settings.name}"
        client = self._context.client
        listed = await client.get("/api/v1/pods", fieldSelector=selector)
        present = {pod["metadata"]["uid"]: pod for pod in listed["items"]}
        for uid in set(self._workers) - set(present):
            self._workers[uid].object_deleted()
        for pod in present.values():
            self._take(pod)
        watch = client.watch(
            "/api/v1/pods",
            fieldSelector=selector,
            resourceVersion=listed["metadata"]["resourceVersion"],
            timeoutSeconds=str(random.randint(300, 600)),  # noqa: S311  # spreads load, guards nothing
        )
        async for kind, pod in watch:
            if kind == "DELETED":
                self._gone(pod)
            elif kind != "BOOKMARK":
                self._take(pod)

    def _take(self, pod: Json) -> None:
        """Start a pod, or tell its worker of a change."""
        uid = pod["metadata"]["uid"]
        if worker := self._workers.get(uid):
            worker.update(pod)
        elif not finished_before(pod) or pod["metadata"].get("deletionTimestamp"):
            self._start(uid, PodWorker(self._context, pod))

    def _start(self, uid: str, worker: PodWorker) -> None:
        """Give a pod its worker."""
        self._workers[uid] = worker
        task = asyncio.create_task(worker.run(), name=f"pod {uid}")
        self._tasks[uid] = task
        task.add_done_callback(lambda done: self._ended(uid, done))

    def _ended(self, uid: str, task: asyncio.Task[None]) -> None:
        """Forget a pod whose worker is done, and say so if it failed."""
        del self._workers[uid], self._tasks[uid]
        if not task.cancelled() and (error := task.exception()):
            log.error("pod %s was given up", uid, exc_info=error)

    def _gone(self, pod: Json) -> None:
        """Tell a worker that its pod's object is no more."""
        if worker := self._workers.get(pod["metadata"]["uid"]):
            worker.object_deleted()

    async def _stop_pods(self) -> None:
        """Every process gets SIGTERM, and SIGKILL soon after."""
        for worker in self._workers.values():
            worker.shut_down(SHUTDOWN_GRACE_SECONDS)
        deadline = time.monotonic() + SHUTDOWN_GRACE_SECONDS + 1.0
        while self._tasks and time.monotonic() < deadline:
            await asyncio.wait(list(self._tasks.values()), timeout=0.1)
        for task in list(self._tasks.values()):
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task


def choose_filesystem(settings: NodeSettings) -> Literal["namespace", "rewrite"]:
    """Namespaces where asked for or where they work."""
    if settings.filesystem != "auto":
        return settings.filesystem
    if namespaces_work(settings.directory / "trial"):
        return "namespace"
    log.warning("no mount namespaces for this user on this machine: container paths are rewritten instead")
    return "rewrite"


async def run_node(settings: NodeSettings) -> None:
    """Run a node until cancelled; its folder is gone afterwards."""
    settings.directory.mkdir(parents=True, exist_ok=True)
    log.info("node %s: %s", settings.name, LIMITS)
    async with AsyncExitStack() as stack:
        stack.callback(shutil.rmtree, settings.directory, ignore_errors=True)
        client = ApiClient(Server.from_kubeconfig(settings.kubeconfig))
        stack.push_async_callback(client.close)
        addresses = PodAddresses.claim()
        stack.callback(addresses.close)
        probes = await stack.enter_async_context(open_probe_session())
        context = NodeContext(
            settings=settings,
            client=client,
            addresses=addresses,
            objects=ObjectReader(client),
            events=EventWriter(client, settings.name),
            probes=probes,
            filesystem=choose_filesystem(settings),
            allocatable=machine_resources(),
        )
        log.info("node %s: files by %s, pods at %s", settings.name, context.filesystem, addresses.network)
        await Node(context).run()
