"""One operating-system process of a container: started, waited for, signalled, with all that it started."""

import asyncio
import json
import os
import signal
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

from golive_dev.node.sandbox import Command, launcher_argv, make_scratch, prepare_launch

POLL_SECONDS = 0.2
"""How often a waiting stop looks whether its deadline was moved."""


class StartError(Exception):
    """The command could not be started; the message is the runtime's."""


@dataclass(frozen=True)
class RunningProcess:
    """A started command, leader of a session and process group of its own."""

    process: asyncio.subprocess.Process
    """The command itself."""

    started: datetime
    """When it took over from the launcher."""

    @property
    def pid(self) -> int:
        """Process id on the host; also the process group's."""
        return self.process.pid

    async def wait(self) -> int:
        """Exit status as a container has it (128 + signal); whatever it left behind is killed.

        A container ends with its first process; here the process group stands for the container.
        """
        code = await self.process.wait()
        self._signal_group()
        return 128 - code if code < 0 else code

    @property
    def running(self) -> bool:
        """Whether it hasn't ended yet."""
        return self.process.returncode is None

    async def wait_at_most(self, seconds: float) -> None:
        """Wait for its end, but no longer than this."""
        with suppress(TimeoutError):
            await asyncio.wait_for(self.process.wait(), seconds)

    def terminate(self) -> None:
        """SIGTERM to the command alone, as a runtime does; nothing once it has ended."""
        # Popen looks first whether the process is still there: its number may be another's by now.
        with suppress(ProcessLookupError):
            self.process.terminate()

    def kill_group(self) -> None:
        """SIGKILL to the command and to all it started that stayed in its group."""
        if self.running:
            self._signal_group()

    def _signal_group(self) -> None:
        """SIGKILL to the group, which outlasts its leader."""
        with suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)


async def start_process(
    command: Command, filesystem: Literal["namespace", "rewrite"], output: int
) -> RunningProcess:
    """Start a command with its output going to a file descriptor; return once it runs.

    Raises:
        StartError: No such program, a mount that fails, a working folder that can't be made.
    """
    make_scratch(command.scratch)
    try:
        launch = prepare_launch(command, filesystem)
    except OSError as error:
        raise StartError(str(error)) from error
    read_end, write_end = os.pipe()
    spec_file = command.scratch / f"launch-{write_end}.json"
    spec_file.write_text(json.dumps({**launch.spec, "parent": os.getpid(), "report_fd": write_end}))
    try:
        process = await asyncio.create_subprocess_exec(
            *launcher_argv(spec_file),
            env=dict(launch.environment),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
            pass_fds=[write_end],
        )
    finally:
        os.close(write_end)
    try:
        complaint = await _read_all(read_end)
    except asyncio.CancelledError:
        process.kill()
        await process.wait()
        raise
    if complaint:
        await process.wait()
        raise StartError(complaint)
    return RunningProcess(process, datetime.now(UTC))


async def _read_all(descriptor: int) -> str:
    """What is written to a pipe until nobody can write to it any more."""
    loop = asyncio.get_running_loop()
    reader = asyncio.StreamReader()
    transport, _ = await loop.connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(reader), os.fdopen(descriptor, "rb", buffering=0)
    )
    try:
        return (await reader.read()).decode(errors="replace")
    finally:
        transport.close()
