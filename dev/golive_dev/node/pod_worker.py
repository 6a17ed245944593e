"""The life of one pod on the node: volumes, init containers, containers, deletion, status throughout."""

import asyncio
import logging
import shutil
import time
from datetime import UTC, datetime

from golive_dev.node.api_client import ApiError, Json, until_answered
from golive_dev.node.container import Container
from golive_dev.node.context import NodeContext
from golive_dev.node.payloads import VolumeError
from golive_dev.node.status import (
    ContainerView,
    Phase,
    RestartPolicy,
    Terminated,
    pod_conditions,
    pod_phase,
    readiness_gates_pass,
    timestamp,
)
from golive_dev.node.volumes import PodVolumes, has_refreshable_volumes

log = logging.getLogger(__name__)

FIRST_MOUNT_RETRY_SECONDS = 0.1
"""Pause after the first failed set-up of volumes; doubles."""

LONGEST_MOUNT_RETRY_SECONDS = 5.0
"""Longest pause between two tries to set up volumes."""

GONE_GRACE_SECONDS = 1.0
"""Grace of a pod whose object was deleted by force."""

NOT_FOUND, CONFLICT = 404, 409


class PodWorker:
    """Runs one pod from its binding to its deletion."""

    def __init__(self, context: NodeContext, pod: Json) -> None:
        self.context = context
        self._seen = pod
        self.uid: str = pod["metadata"]["uid"]
        self.folder = context.settings.directory / "pods" / self.uid
        self.volumes = PodVolumes(context, self.folder / "volumes")
        host_network = bool(pod["spec"].get("hostNetwork"))
        self._own_address = None if host_network else context.addresses.take()
        self._address = self._own_address or context.settings.node_address
        self._policy: RestartPolicy = pod["spec"].get("restartPolicy", "Always")
        began = pod.get("status", {}).get("startTime")
        self._start_time: str = began or timestamp(datetime.now(UTC))
        self._volumes_made = False
        self.init_containers = [self._make_init(spec) for spec in pod["spec"].get("initContainers", ())]
        self.containers = [self._make(spec, self._policy) for spec in pod["spec"]["containers"]]
        self._initialized = not self.init_containers
        self._conditions: list[Json] = pod.get("status", {}).get("conditions") or []
        self._changes = asyncio.Event()
        self._leaving = asyncio.Event()
        self._deadline: float | None = None
        self._object_gone = False
        self._reported: Json = {}

    def _make(self, spec: Json, policy: RestartPolicy) -> Container:
        """A container, with the restarts that the API server knows of."""
        before = self._seen.get("status", {})
        statuses = [*before.get("containerStatuses", ()), *before.get("initContainerStatuses", ())]
        ran = next(
            (each for each in statuses if each["name"] == spec["name"] and each.get("containerID")), None
        )
        # A node that comes back runs its pods anew: one restart more for each container that ran.
        restarts = ran["restartCount"] + 1 if ran else 0
        return Container(self, spec, policy, restarts=restarts)

    def _make_init(self, spec: Json) -> Container:
        """An init container: tried until it succeeds, or a sidecar that runs on."""
        if spec.get("restartPolicy") == "Always":
            return self._make(spec, "Always")
        return self._make(spec, "Never" if self._policy == "Never" else "OnFailure")

    # What containers know of the pod

    @property
    def pod(self) -> Json:
        """The pod as last seen, with the addresses that this node has given it."""
        host, own = self.context.settings.node_address, self._address
        addresses = {
            "hostIP": host,
            "hostIPs": [{"ip": host}],
            "podIP": own,
            "podIPs": [{"ip": own}],
        }
        return {**self._seen, "status": {**self._seen.get("status", {}), **addresses}}

    def changed(self) -> None:
        """A container's view has changed: status is due."""
        self._changes.set()

    # News from the API server

    def update(self, pod: Json) -> None:
        """Take in a newer version of the pod."""
        self._seen = pod
        self._changes.set()
        if pod["metadata"].get("deletionTimestamp"):
            self._leave(pod["metadata"].get("deletionGracePeriodSeconds", 30))

    def object_deleted(self) -> None:
        """The pod is gone from the API server, so it has to be gone from here."""
        self._object_gone = True
        self._leave(GONE_GRACE_SECONDS)

    def _leave(self, grace_seconds: float) -> None:
        """Stop everything within the grace, which a later deletion can shorten but not lengthen."""
        deadline = time.monotonic() + grace_seconds
        self._deadline = min(self._deadline or deadline, deadline)
        self._leaving.set()

    # Life

    async def run(self) -> None:
        """Run the pod until it is deleted; afterwards nothing of it is left."""
        if self._seen["metadata"].get("deletionTimestamp"):
            await self._delete_object()
            return self._clean_up()
        tasks = [asyncio.create_task(work()) for work in (self._live, self._keep_reporting, self._keep_fresh)]
        try:
            await self._leaving.wait()
            if not self._volumes_made:
                tasks[0].cancel()
            await self._stop_all()
            # The ends of the containers have to be in the last report.
            await asyncio.wait(tasks[:1], timeout=1.0)
        finally:
            for task in tasks:
                task.cancel()
            await self._kill_all()
        if not self._object_gone:
            await self._say_goodbye()
        return self._clean_up()

    def _clean_up(self) -> None:
        """Give back what the pod had of the node."""
        shutil.rmtree(self.folder, ignore_errors=True)
        if self._own_address:
            self.context.addresses.release(self._own_address)
        self.context.events.forget(self.uid)

    async def _live(self) -> None:
        """Bring the pod up and let its containers run."""
        try:
            self._changes.set()
            await self._set_up_volumes()
            async with asyncio.TaskGroup() as running:
                if await self._run_init(running):
                    self._initialized = True
                    self._changes.set()
                    for container in self.containers:
                        running.create_task(container.run())
        except Exception:
            log.exception("pod %s cannot go on", self.uid)
            await self._kill_all()
        finally:
            self._changes.set()

    async def _set_up_volumes(self) -> None:
        """Try until every volume is there; containers wait for it."""
        pause = FIRST_MOUNT_RETRY_SECONDS
        while True:
            try:
                await self.volumes.set_up(self.pod)
                self._volumes_made = True
                return
            except (VolumeError, OSError) as error:
                self.context.events.write(self._seen, "Warning", "FailedMount", str(error))
            await asyncio.sleep(pause)
            pause = min(2 * pause, LONGEST_MOUNT_RETRY_SECONDS)

    async def _run_init(self, running: asyncio.TaskGroup) -> bool:
        """Run init containers one after another; tell whether the containers may start."""
        for container in self.init_containers:
            if container.spec.get("restartPolicy") == "Always":
                running.create_task(container.run())
                await container.started.wait()
                continue
            await container.run()
            if not isinstance(end := container.view.state, Terminated) or end.exit_code:
                return False
        return True

    async def _keep_fresh(self) -> None:
        """Refresh volumes for as long as the pod is here."""
        if not has_refreshable_volumes(self._seen):
            return
        while True:
            await asyncio.sleep(self.context.settings.sync_seconds)
            if not self._volumes_made:
                continue
            try:
                await self.volumes.refresh(self.pod)
            except (VolumeError, OSError) as error:
                self.context.events.write(self._seen, "Warning", "FailedMount", str(error))

    # Stopping

    def all_containers(self) -> list[Container]:
        """Init containers and containers."""
        return [*self.init_containers, *self.containers]

    async def _stop_all(self) -> None:
        """Containers first, then sidecars, all within the pod's one grace."""
        for group in (self.containers, self.init_containers):
            await asyncio.gather(*(container.stop(lambda: self._deadline or 0.0) for container in group))
        self._changes.set()

    async def _kill_all(self) -> None:
        """End every container without grace."""
        now = time.monotonic()
        await asyncio.gather(*(container.stop(lambda: now) for container in self.all_containers()))

    def shut_down(self, grace_seconds: float) -> None:
        """Stop the processes because the node ends; the pod's object stays as it is."""
        self._object_gone = True
        self._leave(grace_seconds)

    async def _say_goodbye(self) -> None:
        """Report the last state, then delete the object for good."""
        try:
            await until_answered(self._report)
        except ApiError as error:
            log.warning("last status of pod %s refused: %s", self.uid, error)
        await self._delete_object()

    async def _delete_object(self) -> None:
        """Take the pod out of the API server, unless another of its name is there by now."""
        body = {"gracePeriodSeconds": 0, "preconditions": {"uid": self.uid}}
        try:
            await until_answered(lambda: self.context.client.delete(self._path(), body))
        except ApiError as error:
            if error.status not in {NOT_FOUND, CONFLICT}:
                log.warning("pod %s not deleted: %s", self.uid, error)

    # Status

    def _path(self) -> str:
        """Where the pod is in the API."""
        metadata = self._seen["metadata"]
        return f"/api/v1/namespaces/{metadata['namespace']}/pods/{metadata['name']}"

    async def _keep_reporting(self) -> None:
        """Send the status each time it changes."""
        while True:
            await self._changes.wait()
            self._changes.clear()
            try:
                await until_answered(self._report)
            except ApiError as error:
                if error.status == NOT_FOUND:
                    return
                log.warning("status of pod %s refused: %s", self.uid, error)

    async def _report(self) -> None:
        """Send the status if it differs from the last one sent."""
        status = self._status()
        if status == self._reported:
            return
        # The uid guards against a pod of the same name made in the meantime.
        body = {"metadata": {"uid": self.uid}, "status": status}
        await self.context.client.patch(f"{self._path()}/status", body)
        self._reported = status

    def phase(self) -> Phase:
        """The pod's phase as of now."""
        stopping = self._leaving.is_set()
        broken = next((each for each in self.init_containers if _failed_for_good(each, self._policy)), None)
        if broken and not self._initialized:
            return "Failed"
        views = [container.view for container in self.containers]
        return pod_phase(self._initialized, views, self._policy, stopping=stopping)

    def _status(self) -> Json:
        """The part of the status that is the node's to say."""
        views = [container.view for container in self.containers]
        if not self._initialized:
            views = [_initializing(view) for view in views]
        phase = self.phase()
        self._conditions = pod_conditions(
            initialized=self._initialized,
            containers=views,
            phase=phase,
            gates_pass=readiness_gates_pass(self._seen),
            previous=self._conditions,
            now=datetime.now(UTC),
        )
        addresses = {key: self.pod["status"][key] for key in ("hostIP", "hostIPs", "podIP", "podIPs")}
        # This list merges by address; a node that comes back gives its pods new ones.
        addresses["podIPs"] = [{"$patch": "replace"}, *addresses["podIPs"]]
        return {
            "phase": phase,
            "conditions": self._conditions,
            "containerStatuses": [view.as_json() for view in views],
            "initContainerStatuses": [container.view.as_json() for container in self.init_containers],
            "startTime": self._start_time,
            "observedGeneration": self._seen["metadata"].get("generation"),
            **addresses,
        }


def _initializing(view: ContainerView) -> ContainerView:
    """A container that waits for the init containers."""
    return view.waiting("PodInitializing")


def _failed_for_good(container: Container, policy: str) -> bool:
    """Whether an init container has failed and is not tried again."""
    end = container.view.state
    return policy == "Never" and isinstance(end, Terminated) and end.exit_code != 0


def finished_before(pod: Json) -> bool:
    """Whether the pod has run its course already, so that there is nothing to run."""
    return pod.get("status", {}).get("phase") in {"Succeeded", "Failed"}
