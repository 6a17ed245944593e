"""The owner's side of the supervisor: start processes that can't outlive this one."""

import contextlib
import itertools
import json
import math
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from golive_dev.waiting import eventually

GRACE_SECONDS = 10.0
"""How long a child may take to end after SIGTERM, before SIGKILL."""

CLOSE_SECONDS = 60.0
"""How long all children together may take to end."""


class ChildError(RuntimeError):
    """The supervisor could not do what it was asked, or is gone."""


@dataclass(frozen=True)
class Child:
    """One process (and its process group) that the supervisor runs."""

    name: str
    """What the owner calls it; unique among running children."""
    pid: int
    """Process id, and id of its process group and session."""
    log: Path
    """Where its output goes."""
    grace_seconds: float
    """How long it may take to end after SIGTERM."""
    _children: "Children"

    @property
    def returncode(self) -> int | None:
        """Exit code, negative for a signal, None while it runs."""
        code: int | None = self._children.ask("status", name=self.name, pid=self.pid)["returncode"]
        return code

    def signal(self, number: int) -> None:
        """Send a signal to the whole process group; nothing happens if it has ended."""
        self._children.ask("signal", name=self.name, pid=self.pid, signal=int(number))

    def wait(self, timeout_seconds: float | None = None) -> int:
        """Return the exit code once the process has ended.

        Raises:
            TimeoutError: It still runs after `timeout_seconds`.
        """
        deadline_seconds = math.inf if timeout_seconds is None else timeout_seconds
        eventually(lambda: self.returncode is not None, deadline_seconds)
        return self.returncode or 0

    def stop(self) -> None:
        """End the process group: SIGTERM, grace, SIGKILL."""
        self.signal(signal.SIGTERM)
        self.signal(signal.SIGCONT)  # a frozen one could not obey otherwise
        with contextlib.suppress(TimeoutError):
            self.wait(self.grace_seconds)
        self.signal(signal.SIGKILL)
        self.wait(self.grace_seconds)

    def kill(self) -> None:
        """End the process group at once."""
        self.signal(signal.SIGKILL)
        self.wait(GRACE_SECONDS)

    def tail(self, lines: int = 20) -> str:
        """Return the last lines of its output."""
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:])


class Children:
    """A supervisor process with its temporary folder; both end with this object or this process."""

    folder: Path
    """The temporary folder, removed after the last child."""
    by_name: dict[str, Child]
    """The latest child of each name, ended ones too."""

    def __init__(self) -> None:
        ours, theirs = socket.socketpair()
        with theirs:
            self._supervisor = subprocess.Popen(  # noqa: S603 - our own module
                [sys.executable, "-P", "-m", "golive_dev.supervisor", str(theirs.fileno())],
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                start_new_session=True,  # Ctrl-C in the terminal is for the owner to handle
            )
        self._socket = ours
        self._answers = ours.makefile("rb")
        self._lock = threading.Lock()
        self._serials = itertools.count()
        self.by_name = {}
        self.folder = Path(self.ask("hello")["folder"])

    def ask(self, operation: str, **details: Any) -> dict[str, Any]:
        """Send one request to the supervisor and return its answer.

        Raises:
            ChildError: The supervisor refused, or is gone.
        """
        with self._lock:
            serial = next(self._serials)
            request = {"serial": serial, "operation": operation, **details}
            try:
                self._socket.sendall(json.dumps(request).encode() + b"\n")
                answer = self._read_answer(serial)
            except (OSError, EOFError, ValueError) as error:  # ValueError: closed from our side
                raise ChildError(f"the supervisor is gone: {error}") from error
        if "error" in answer:
            raise ChildError(f"{operation} {details.get('name', '')}: {answer['error']}")
        return answer

    def _read_answer(self, serial: int) -> dict[str, Any]:
        """Return the answer to one request, dropping answers whose asker was interrupted."""
        for line in self._answers:
            answer: dict[str, Any] = json.loads(line)
            if answer["serial"] == serial:
                return answer
        raise EOFError("end of file")

    def spawn(
        self,
        name: str,
        argv: Sequence[str | Path],
        *,
        env: Mapping[str, str] | None = None,
        cwd: Path | None = None,
        log: Path | None = None,
        grace_seconds: float = GRACE_SECONDS,
    ) -> Child:
        """Start a process in a session of its own; stopping is in reverse order of starting.

        Args:
            name: Unique among running children; a name used again keeps its place in that order.
            argv: The command and its arguments.
            env: The whole environment; this process' own by default.
            cwd: Working directory; the temporary folder by default.
            log: Where output is appended; `<folder>/<name>.log` by default.
            grace_seconds: How long it may take to end after SIGTERM.

        Raises:
            ChildError: It could not be started, or the name is in use.
        """
        log = log or self.folder / f"{name}.log"
        answer = self.ask(
            "spawn",
            name=name,
            argv=[str(word) for word in argv],
            env=dict(os.environ if env is None else env),
            cwd=str(cwd or self.folder),
            log=str(log),
            grace_seconds=grace_seconds,
        )
        child = Child(name, answer["pid"], log, grace_seconds, self)
        self.by_name[name] = child
        return child

    def close(self) -> None:
        """Stop every child and every descendant of one, and remove the temporary folder."""
        self._answers.close()
        self._socket.close()
        try:
            self._supervisor.wait(CLOSE_SECONDS)
        except subprocess.TimeoutExpired:
            self._supervisor.kill()  # its children die with it, by the kernel's hand
            self._supervisor.wait()
        shutil.rmtree(self.folder, ignore_errors=True)  # left only by a supervisor that was killed

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
