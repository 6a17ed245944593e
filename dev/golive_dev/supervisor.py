"""The process that owns all others, and ends them when its owner is gone.

Run as `python -m golive_dev.supervisor FD`. It makes a temporary folder, starts children as it is
told over the socket FD, one JSON object per line each way, and on end of file, on SIGTERM or on the
owner's death stops them, last started first, kills whatever descends from them, and removes the
folder. Standard library only, so that it is up before anything can go wrong.
"""

import json
import os
import selectors
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from golive_dev.linux import adopt_orphans, descendants, die_with_parent

FOLDER_PREFIX = "golive-plane-"
"""How the name of the temporary folder begins."""


@dataclass
class Running:
    """One child that was asked for by name."""

    process: subprocess.Popen[bytes]
    """The process, reaped by the supervisor and not by this object."""
    grace_seconds: float
    """How long it may take to end after SIGTERM."""


def _start(request: dict[str, Any]) -> subprocess.Popen[bytes]:
    """Start one child in a session of its own, its output appended to its log."""
    with Path(request["log"]).open("ab") as log:
        return subprocess.Popen(  # noqa: S603 - running what the owner asks for is its purpose
            request["argv"],
            env=request["env"],
            cwd=request["cwd"],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            preexec_fn=die_with_parent,  # noqa: PLW1509 - this process has one thread
        )


class Supervisor:
    """Starts, signals and reaps children; each public method answers one kind of request."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._running: dict[str, Running] = {}

    def answer(self, request: dict[str, Any]) -> dict[str, Any]:
        """Carry out one request; a failure is an answer too."""
        try:
            match request["operation"]:
                case "spawn":
                    return self.spawn(request)
                case "signal":
                    return self.send_signal(request)
                case "status":
                    return self.status(request)
                case _:
                    return {"folder": str(self.folder)}
        except (OSError, KeyError, TypeError, ValueError) as error:
            return {"error": f"{type(error).__name__}: {error}"}

    def spawn(self, request: dict[str, Any]) -> dict[str, Any]:
        """Start a child; a name used again keeps its place in the order of stopping."""
        name = request["name"]
        if name in self._running and self._running[name].process.returncode is None:
            raise ValueError(f"{name} is running already")
        process = _start(request)
        self._running[name] = Running(process, request["grace_seconds"])
        return {"pid": process.pid}

    def send_signal(self, request: dict[str, Any]) -> dict[str, Any]:
        """Send a signal to a child's whole process group."""
        _signal_group(self._find(request), request["signal"])
        return {}

    def status(self, request: dict[str, Any]) -> dict[str, Any]:
        """Tell a child's exit code, null while it runs, negative for a signal."""
        self.reap()
        return {"returncode": self._find(request).returncode}

    def _find(self, request: dict[str, Any]) -> subprocess.Popen[bytes]:
        """Return the child that is meant, and not another one that took over its name."""
        process = self._running[request["name"]].process
        if process.pid != request["pid"]:
            raise ValueError("was started anew, as another process")
        return process

    def reap(self) -> None:
        """Collect every ended process, named child and adopted orphan alike."""
        named = {child.process.pid: child.process for child in self._running.values()}
        while True:
            try:
                pid, code = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            if pid in named:
                named[pid].returncode = os.waitstatus_to_exitcode(code)

    def stop_all(self) -> None:
        """Stop children, last started first, each with its grace; then kill all that is left."""
        for child in reversed(self._running.values()):
            _signal_group(child.process, signal.SIGTERM)
            _signal_group(child.process, signal.SIGCONT)  # a frozen one could not obey otherwise
            ends = time.monotonic() + child.grace_seconds
            while child.process.returncode is None and time.monotonic() < ends:
                time.sleep(0.005)
                self.reap()
            _signal_group(child.process, signal.SIGKILL)
        while left := list(descendants(os.getpid())):
            for pid in left:
                _kill(pid)
            time.sleep(0.005)
            self.reap()


def _signal_group(process: subprocess.Popen[bytes], number: int) -> None:
    """Signal a child and its group, which may be gone already."""
    try:
        os.killpg(process.pid, number)
    except ProcessLookupError:
        return


def _kill(pid: int) -> None:
    """Kill one process, which may be gone already."""
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return


def _serve(supervisor: Supervisor, owner: socket.socket, wakeup: socket.socket) -> None:
    """Answer requests until the owner closes its end, dies, or SIGTERM comes."""
    pending = b""
    with selectors.DefaultSelector() as selector:
        selector.register(owner, selectors.EVENT_READ)
        selector.register(wakeup, selectors.EVENT_READ)
        # A forked copy of the owner can hold the socket open; the owner's own end is what counts.
        selector.register(os.pidfd_open(os.getppid()), selectors.EVENT_READ, "owner ended")
        while True:
            for key, _ in selector.select():
                if key.data == "owner ended":
                    return
                if key.fileobj is wakeup:
                    if signal.SIGTERM in wakeup.recv(4096):
                        return
                    supervisor.reap()
                    continue
                chunk = owner.recv(65536)
                if not chunk:
                    return
                *lines, pending = (pending + chunk).split(b"\n")
                for line in lines:
                    request = json.loads(line)
                    answer = {"serial": request["serial"], **supervisor.answer(request)}
                    owner.sendall(json.dumps(answer).encode() + b"\n")


def _ignore(_number: int, _frame: object) -> None:
    """Do nothing: the wake-up descriptor has carried the news."""


def main(descriptor: int) -> None:
    """Serve the owner at the other end of `descriptor` until it is gone; leave nothing behind."""
    wakeup, wakeup_writer = socket.socketpair()
    wakeup_writer.setblocking(False)
    signal.set_wakeup_fd(wakeup_writer.fileno())
    signal.signal(signal.SIGCHLD, _ignore)
    signal.signal(signal.SIGTERM, _ignore)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    adopt_orphans()
    folder = Path(tempfile.mkdtemp(prefix=FOLDER_PREFIX)).resolve()
    supervisor = Supervisor(folder)
    try:
        with socket.socket(fileno=descriptor) as owner:
            _serve(supervisor, owner, wakeup)
    except OSError:
        pass  # the owner vanished in the middle of an answer
    finally:
        supervisor.stop_all()
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main(int(sys.argv[1]))
