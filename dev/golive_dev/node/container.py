"""One container of a pod: run, probed, restarted with back-off, stopped with grace."""

import asyncio
import logging
import os
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

from golive_dev.node.api_client import ApiError, Json
from golive_dev.node.context import NodeContext
from golive_dev.node.environment import (
    ConfigError,
    Sources,
    command_line,
    referenced_objects,
    resolve_environment,
)
from golive_dev.node.events import Severity
from golive_dev.node.probes import Probe, Target, ask, keep_asking
from golive_dev.node.process import POLL_SECONDS, RunningProcess, StartError, start_process
from golive_dev.node.sandbox import Command, base_environment
from golive_dev.node.status import (
    ContainerView,
    RestartPolicy,
    Running,
    Terminated,
    backoff_seconds,
    restart_wanted,
)
from golive_dev.node.volumes import PodVolumes

log = logging.getLogger(__name__)

CONFIG_RETRY_SECONDS = 1.0
"""Time until a container with something missing is tried again."""

BACKOFF_RESET_SECONDS = 600.0
"""A run this long counts as healthy: the next restart comes at once."""

HOOK_SECONDS = 3600.0
"""Longest life of a hook; the grace of the pod ends most of them sooner."""

LOGS_KEPT = 2
"""Runs whose output is kept: this one, and the one before for `kubectl logs --previous`."""


class PodSide(Protocol):
    """What a container knows of its pod."""

    context: NodeContext
    volumes: PodVolumes
    folder: Path

    @property
    def pod(self) -> Json:
        """The pod as last seen, with its address in the status."""
        ...

    def changed(self) -> None:
        """A container's view has changed."""
        ...


class Container:
    """Runs one container of a pod until it has run for the last time."""

    def __init__(self, side: PodSide, spec: Json, policy: RestartPolicy, *, restarts: int = 0) -> None:
        self.spec = spec
        self.name: str = spec["name"]
        self.view = ContainerView(self.name, spec.get("image", ""), restart_count=restarts)
        self.folder: Path = side.folder / "containers" / self.name
        self._side = side
        self._policy = policy
        self.started = asyncio.Event()
        """Set once a run has started and passed its startup probe."""
        self._process: RunningProcess | None = None
        self._stopping = asyncio.Event()
        self._last_command: Command | None = None
        self._running_since = 0.0
        self._crashes_in_row = 0

    def log_file(self, restart: int) -> Path:
        """Where the output of one run goes."""
        return self.folder / f"{restart}.log"

    def is_running(self, restart: int) -> bool:
        """Whether this run may still write output."""
        return restart == self.view.restart_count and self._process is not None

    def _set(self, view: ContainerView) -> None:
        if view != self.view:
            self.view = view
            self._side.changed()
            if view.started:
                self.started.set()

    # Running

    async def run(self) -> None:
        """Run, and run again, until the policy or a stop ends it."""
        while not self._stopping.is_set():
            outcome = await self._run_once()
            if outcome is None:
                continue
            self._note_end(outcome)
            if self._stopping.is_set() or not restart_wanted(self._policy, outcome.exit_code):
                return
            await self._back_off()
            if not self._stopping.is_set():
                self._set(
                    replace(self.view.waiting("ContainerCreating"), restart_count=self.view.restart_count + 1)
                )

    def _note_end(self, outcome: Terminated) -> None:
        self._process = None
        lasted = (outcome.finished - outcome.started).total_seconds()
        self._crashes_in_row = 0 if lasted >= BACKOFF_RESET_SECONDS else self._crashes_in_row
        self._set(self.view.ended(outcome))

    async def _back_off(self) -> None:
        settings = self._side.context.settings
        pause = backoff_seconds(
            self._crashes_in_row, settings.backoff_base_seconds, settings.backoff_cap_seconds
        )
        self._crashes_in_row += 1
        if not pause:
            return
        where = f"{self.name} pod={self._side.pod['metadata']['name']}"
        message = f"back-off {pause:g}s restarting failed container={where}"
        self._set(self.view.waiting("CrashLoopBackOff", message))
        self._event("Warning", "BackOff", message)
        await self._pause(pause)

    async def _pause(self, seconds: float) -> None:
        """Wait, unless the container is to stop."""
        with suppress(TimeoutError):
            await asyncio.wait_for(self._stopping.wait(), seconds)

    async def _run_once(self) -> Terminated | None:
        """One run from start to end; None if it could not be created and is to be tried again."""
        started = datetime.now(UTC)
        try:
            self._process = await self._start()
        except (ConfigError, ApiError, OSError) as error:
            self._set(self.view.waiting("CreateContainerConfigError", str(error)))
            self._event("Warning", "Failed", f"Error: {error}")
            await self._pause(CONFIG_RETRY_SECONDS)
            return None
        except StartError as error:
            self._set(self.view.waiting("RunContainerError", str(error)))
            self._event("Warning", "Failed", f"Error: {error}")
            return Terminated(128, started, started, "", "StartError", str(error))
        if self._stopping.is_set():  # asked for while it was being started
            self._process.kill_group()
        return await self._see_through(self._process)

    async def _see_through(self, process: RunningProcess) -> Terminated:
        """From a started process to its end, with hooks and probes in between."""
        container_id = f"process://{process.pid}"
        has_startup = "startupProbe" in self.spec
        ready = not has_startup and "readinessProbe" not in self.spec
        running = Running(process.started)
        self._running_since = time.monotonic()
        self._set(
            replace(self.view, state=running, started=not has_startup, ready=ready, container_id=container_id)
        )
        self._event("Normal", "Started", f"Started container {self.name} (pid {process.pid})")
        watching = asyncio.create_task(self._watch_over(process))
        try:
            status = await process.wait()
        finally:
            watching.cancel()
        return Terminated(status, process.started, datetime.now(UTC), container_id)

    async def _start(self) -> RunningProcess:
        command = await self._command()
        self._last_command = command
        restart = self.view.restart_count
        self.log_file(restart - LOGS_KEPT).unlink(missing_ok=True)
        output = os.open(self.log_file(restart), os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
        try:
            return await start_process(command, self._side.context.filesystem, output)
        finally:
            os.close(output)

    async def _command(self) -> Command:
        """Everything about the process to start, from the pod and what it refers to, as of now."""
        side, spec, pod = self._side, self.spec, self._side.pod
        context = side.context
        objects = await context.objects.read(pod["metadata"]["namespace"], referenced_objects(spec))
        (self.folder / "work").mkdir(parents=True, exist_ok=True)
        base = base_environment(pod, self.folder / "work") | context.service_environment()
        variables = resolve_environment(spec, base, Sources(pod, objects, context.allocatable))
        return Command(
            argv=command_line(spec, variables),
            environment=variables,
            scratch=self.folder,
            mounts=side.volumes.mounts(pod, spec, variables, self.folder / "copies"),
            working_dir=spec.get("workingDir"),
            read_only_root=bool((spec.get("securityContext") or {}).get("readOnlyRootFilesystem")),
        )

    # Probes and hooks

    async def execute(self, argv: list[str], timeout_seconds: float) -> int:
        """Run a command beside the container: same files, same environment; 124 if it takes too long."""
        command = replace(self._last_command or await self._command(), argv=argv)
        output = os.open(os.devnull, os.O_WRONLY)
        try:
            process = await start_process(command, self._side.context.filesystem, output)
        except StartError:
            return 126
        finally:
            os.close(output)
        try:
            return await asyncio.wait_for(process.wait(), timeout_seconds)
        except TimeoutError:
            return 124
        finally:
            process.kill_group()

    def _target(self) -> Target:
        ports = {port["name"]: port["containerPort"] for port in self.spec.get("ports", ()) if "name" in port}
        address = self._side.pod["status"]["podIP"]
        return Target(address, ports, self._side.context.probes, self.execute)

    async def _watch_over(self, process: RunningProcess) -> None:
        """Post-start hook, startup probe, then liveness and readiness, for as long as the process runs."""
        try:
            if await self._hook("postStart"):
                process.kill_group()
            await self._await_startup(process)
            async with asyncio.TaskGroup() as both:
                both.create_task(self._probe("readinessProbe", self._heard_readiness, eager=True))
                both.create_task(self._probe("livenessProbe", self._killer("Liveness", process)))
        except Exception:
            log.exception("probing %s failed", self.name)
            process.kill_group()

    async def _await_startup(self, process: RunningProcess) -> None:
        passed = asyncio.Event()
        failed = self._killer("Startup", process)

        def heard(ok: bool, complaint: str) -> None:  # noqa: FBT001  # a probe's verdict
            passed.set() if ok else failed(ok, complaint)

        if "startupProbe" in self.spec:
            asking = asyncio.create_task(self._probe("startupProbe", heard))
            try:
                await passed.wait()
            finally:
                asking.cancel()
        ready = "readinessProbe" not in self.spec
        self._set(replace(self.view, started=True, ready=self.view.ready or ready))

    async def _probe(self, kind: str, heard: Callable[[bool, str], None], *, eager: bool = False) -> None:
        if probe := Probe.of(self.spec.get(kind)):
            await keep_asking(probe, self._target(), heard, running_since=self._running_since, eager=eager)

    def _heard_readiness(self, ok: bool, complaint: str) -> None:  # noqa: FBT001  # a probe's verdict
        if not ok:
            self._event("Warning", "Unhealthy", f"Readiness probe failed: {complaint}")
        self._set(replace(self.view, ready=ok))

    def _killer(self, kind: str, process: RunningProcess) -> Callable[[bool, str], None]:
        """What to do about a liveness or startup probe: stop the run when it fails."""
        probe = Probe.of(self.spec.get(f"{kind.lower()}Probe"))

        def heard(ok: bool, complaint: str) -> None:  # noqa: FBT001  # a probe's verdict
            if ok:
                return
            self._event("Warning", "Unhealthy", f"{kind} probe failed: {complaint}")
            message = f"Container {self.name} failed {kind.lower()} probe, will be restarted"
            self._event("Normal", "Killing", message)
            spec_grace = self._side.pod["spec"].get("terminationGracePeriodSeconds", 30)
            grace = probe.grace_seconds if probe and probe.grace_seconds is not None else spec_grace
            deadline = time.monotonic() + grace
            self._stop_task = asyncio.create_task(self._end(process, lambda: deadline))

        return heard

    async def _hook(self, kind: str) -> str | None:
        """Carry out a lifecycle hook; what went wrong is told as an event too."""
        handler = (self.spec.get("lifecycle") or {}).get(kind)
        if not handler:
            return None
        if "sleep" in handler:
            await asyncio.sleep(handler["sleep"]["seconds"])
            return None
        complaint = await ask(Probe(handler, timeout_seconds=HOOK_SECONDS), self._target())
        if complaint:
            self._event("Warning", f"Failed{kind[0].upper()}{kind[1:]}Hook", complaint)
        return complaint

    # Stopping

    async def stop(self, deadline: Callable[[], float]) -> None:
        """Never start again; hook, SIGTERM, and at the deadline SIGKILL.

        Args:
            deadline: On the monotonic clock; may come nearer while this waits.
        """
        self._stopping.set()
        if process := self._process:
            self._event("Normal", "Killing", f"Stopping container {self.name}")
            await self._end(process, deadline)

    async def _end(self, process: RunningProcess, deadline: Callable[[], float]) -> None:
        hook = asyncio.create_task(self._hook("preStop"))
        while process.running and not hook.done() and time.monotonic() < deadline():
            await asyncio.wait({hook}, timeout=POLL_SECONDS)
        hook.cancel()
        process.terminate()
        while process.running and time.monotonic() < deadline():
            await process.wait_at_most(POLL_SECONDS)
        process.kill_group()

    def _event(self, severity: Severity, reason: str, message: str) -> None:
        self._side.context.events.write(self._side.pod, severity, reason, message)
