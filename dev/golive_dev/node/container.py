"""One container of a pod: run, restarted with back-off as its policy has it, stopped for good."""

import asyncio
import os
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

from golive_dev.node.api_client import ApiError, Json
from golive_dev.node.container_run import ContainerRun, Deadline, Surroundings
from golive_dev.node.context import NodeContext
from golive_dev.node.environment import (
    ConfigError,
    Sources,
    command_line,
    referenced_objects,
    resolve_environment,
)
from golive_dev.node.events import Severity
from golive_dev.node.launch import START_ERROR_STATUS
from golive_dev.node.process import StartError, start_process
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

CONFIG_RETRY_SECONDS = 1.0
"""Time until a container with something missing is tried again."""

BACKOFF_RESET_SECONDS = 600.0
"""A run this long counts as healthy: the next restart comes at once."""

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
        self._run: ContainerRun | None = None
        self._stopping = asyncio.Event()
        self._crashes_in_row = 0

    def log_file(self, restart: int) -> Path:
        """Where the output of one run goes."""
        return self.folder / f"{restart}.log"

    def is_running(self, restart: int) -> bool:
        """Whether this run may still write output."""
        return restart == self.view.restart_count and self._run is not None

    def _set(self, view: ContainerView) -> None:
        """Replace the view, and tell the pod if it differs."""
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
        """Take in how a run ended; after a long one, crashes are counted anew."""
        self._run = None
        lasted = (outcome.finished - outcome.started).total_seconds()
        self._crashes_in_row = 0 if lasted >= BACKOFF_RESET_SECONDS else self._crashes_in_row
        self._set(self.view.ended(outcome))

    async def _back_off(self) -> None:
        """Wait before the next run, in view of all."""
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
        self.event("Warning", "BackOff", message)
        await self._pause(pause)

    async def _pause(self, seconds: float) -> None:
        """Wait, unless the container is to stop."""
        with suppress(TimeoutError):
            await asyncio.wait_for(self._stopping.wait(), seconds)

    async def _run_once(self) -> Terminated | None:
        """One run from start to end; None if it could not be created and is to be tried again."""
        started = datetime.now(UTC)
        try:
            self._run = await self._start()
        except (ConfigError, ApiError, OSError) as error:
            self._set(self.view.waiting("CreateContainerConfigError", str(error)))
            self.event("Warning", "Failed", f"Error: {error}")
            await self._pause(CONFIG_RETRY_SECONDS)
            return None
        except StartError as error:
            self._set(self.view.waiting("RunContainerError", str(error)))
            self.event("Warning", "Failed", f"Error: {error}")
            return Terminated(START_ERROR_STATUS, started, started, "", "StartError", str(error))
        self.event("Normal", "Started", f"Started container {self.name} (pid {self._run.process.pid})")
        if self._stopping.is_set():  # asked for while it was being started
            self._run.process.kill_group()
        return await self._run.see_through()

    async def _start(self) -> ContainerRun:
        """Start the command with its output going to the log of this run."""
        command = await self._command()
        context = self._side.context
        restart = self.view.restart_count
        self.log_file(restart - LOGS_KEPT).unlink(missing_ok=True)
        output = os.open(self.log_file(restart), os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
        try:
            process = await start_process(command, context.filesystem, output)
        finally:
            os.close(output)
        return ContainerRun(Surroundings(context, self._side.pod, self.spec, command), process, self)

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

    # What a run tells

    def show(self, *, started: bool, ready: bool) -> None:
        """A run has begun, started up, or changed its readiness."""
        if run := self._run:
            state = Running(run.process.started)
            self._set(
                replace(self.view, state=state, started=started, ready=ready, container_id=run.container_id)
            )

    def event(self, severity: Severity, reason: str, message: str) -> None:
        """Note an event about the pod."""
        self._side.context.events.write(self._side.pod, severity, reason, message)

    # Stopping

    async def stop(self, deadline: Deadline) -> None:
        """Never start again; end the run that there is."""
        self._stopping.set()
        if run := self._run:
            self.event("Normal", "Killing", f"Stopping container {self.name}")
            await run.end(deadline)
