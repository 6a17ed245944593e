"""One run of a container: its process with probes and hooks, from the start to the end."""

import asyncio
import logging
import os
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Protocol

from golive_dev.node.api_client import Json
from golive_dev.node.context import NodeContext
from golive_dev.node.events import Severity
from golive_dev.node.probes import Probe, Target, ask, keep_asking
from golive_dev.node.process import POLL_SECONDS, RunningProcess, StartError, start_process
from golive_dev.node.sandbox import Command
from golive_dev.node.status import Terminated

log = logging.getLogger(__name__)

HOOK_SECONDS = 3600.0
"""Longest life of a hook; the grace of the pod ends most of them sooner."""

EXEC_NOT_STARTED, EXEC_TIMED_OUT = 126, 124
"""Exit statuses of a probe's command that could not be started or took too long, as shells have them."""

Deadline = Callable[[], float]
"""A time on the monotonic clock; it may come nearer while one waits for it."""


class Listener(Protocol):
    """Who wants to know how a run is going."""

    def show(self, *, started: bool, ready: bool) -> None:
        """Whether it has started up, and whether it is ready."""
        ...

    def event(self, severity: Severity, reason: str, message: str) -> None:
        """Something for `kubectl describe`."""
        ...


@dataclass(frozen=True)
class Surroundings:
    """Where a container runs."""

    context: NodeContext
    """The node."""

    pod: Json
    """The pod, with its address in the status."""

    spec: Json
    """The container's part of it."""

    command: Command
    """What was started."""


class ContainerRun:
    """Watches over one process of a container."""

    def __init__(self, where: Surroundings, process: RunningProcess, listener: Listener) -> None:
        self.process = process
        self._where = where
        self._spec = where.spec
        self._listener = listener
        self._running_since = time.monotonic()
        self._started = "startupProbe" not in self._spec
        self._ready = self._started and "readinessProbe" not in self._spec
        self._ending: asyncio.Task[None] | None = None

    @property
    def container_id(self) -> str:
        """Names this run; the number is the process's."""
        return f"process://{self.process.pid}"

    async def see_through(self) -> Terminated:
        """Probe and wait; how it ended."""
        self._show()
        watching = asyncio.create_task(self._watch_over())
        try:
            status = await self.process.wait()
        finally:
            watching.cancel()
        return Terminated(status, self.process.started, datetime.now(UTC), self.container_id)

    def _show(self) -> None:
        """Tell how far the run is."""
        self._listener.show(started=self._started, ready=self._ready)

    async def _watch_over(self) -> None:
        """Post-start hook, startup probe, then liveness and readiness, for as long as the process runs."""
        try:
            if await self._hook("postStart"):
                self.process.kill_group()
            await self._await_startup()
            async with asyncio.TaskGroup() as both:
                both.create_task(self._probe("readinessProbe", self._heard_readiness, eager=True))
                both.create_task(self._probe("livenessProbe", self._heard_liveness))
        except Exception:
            log.exception("probing %s failed", self._spec["name"])
            self.process.kill_group()

    # Probes

    async def _probe(self, kind: str, heard: Callable[[bool, str], None], *, eager: bool = False) -> None:
        """Ask for ever, if there is such a probe."""
        if probe := Probe.of(self._spec.get(kind)):
            await keep_asking(probe, self._target(), heard, running_since=self._running_since, eager=eager)

    async def _await_startup(self) -> None:
        """Hold the other probes back until the startup probe has passed."""
        if "startupProbe" not in self._spec:
            return
        passed = asyncio.Event()

        def heard(ok: bool, complaint: str) -> None:  # noqa: FBT001  # a probe's verdict
            if ok:
                passed.set()
            else:
                self._give_up("startup", complaint)

        asking = asyncio.create_task(self._probe("startupProbe", heard))
        try:
            await passed.wait()
        finally:
            asking.cancel()
        self._started, self._ready = True, "readinessProbe" not in self._spec
        self._show()

    def _heard_readiness(self, ok: bool, complaint: str) -> None:  # noqa: FBT001  # a probe's verdict
        """Follow the probe both ways; nothing is restarted for it."""
        if not ok:
            self._listener.event("Warning", "Unhealthy", f"Readiness probe failed: {complaint}")
        self._ready = ok
        self._show()

    def _heard_liveness(self, ok: bool, complaint: str) -> None:  # noqa: FBT001  # a probe's verdict
        """End a run that is not alive; passing changes nothing."""
        if not ok:
            self._give_up("liveness", complaint)

    def _give_up(self, kind: str, complaint: str) -> None:
        """End a run that a probe has found unhealthy, within the grace of the probe or the pod."""
        name = self._spec["name"]
        self._listener.event("Warning", "Unhealthy", f"{kind.capitalize()} probe failed: {complaint}")
        self._listener.event("Normal", "Killing", f"Container {name} failed {kind} probe, will be restarted")
        probe = Probe.of(self._spec.get(f"{kind}Probe"))
        grace_seconds = self._where.pod["spec"].get("terminationGracePeriodSeconds", 30)
        if probe and probe.grace_seconds is not None:
            grace_seconds = probe.grace_seconds
        deadline = time.monotonic() + grace_seconds
        self._ending = asyncio.create_task(self.end(lambda: deadline))

    def _target(self) -> Target:
        """Where this container's probes and hooks go."""
        ports = {port["name"]: port["containerPort"] for port in self._spec.get("ports", ()) if "name" in port}
        address = self._where.pod["status"]["podIP"]
        return Target(address, ports, self._where.context.probes, self._execute)

    async def _execute(self, argv: list[str], timeout_seconds: float) -> int:
        """Run a command beside the container, with the same files and environment; its exit status."""
        command = replace(self._where.command, argv=argv)
        output = os.open(os.devnull, os.O_WRONLY)
        try:
            process = await start_process(command, self._where.context.filesystem, output)
        except StartError:
            return EXEC_NOT_STARTED
        finally:
            os.close(output)
        try:
            return await asyncio.wait_for(process.wait(), timeout_seconds)
        except TimeoutError:
            return EXEC_TIMED_OUT
        finally:
            process.kill_group()

    # The end

    async def _hook(self, kind: str) -> str | None:
        """Carry out a lifecycle hook; what went wrong is told as an event too."""
        handler = (self._spec.get("lifecycle") or {}).get(kind)
        if not handler:
            return None
        if "sleep" in handler:
            await asyncio.sleep(handler["sleep"]["seconds"])
            return None
        complaint = await ask(Probe(handler, timeout_seconds=HOOK_SECONDS), self._target())
        if complaint:
            self._listener.event("Warning", f"Failed{kind[0].upper()}{kind[1:]}Hook", complaint)
        return complaint

    async def end(self, deadline: Deadline) -> None:
        """Hook, SIGTERM, and at the deadline SIGKILL."""
        hook = asyncio.create_task(self._hook("preStop"))
        while self.process.running and not hook.done() and time.monotonic() < deadline():
            await asyncio.wait({hook}, timeout=POLL_SECONDS)
        hook.cancel()
        self.process.terminate()
        while self.process.running and time.monotonic() < deadline():
            await self.process.wait_at_most(POLL_SECONDS)
        self.process.kill_group()
