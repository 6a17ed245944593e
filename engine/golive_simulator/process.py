"""The simulator as a child process, for demos and tests."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from golive_simulator.server import Address

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

START_SECONDS = 30.0
"""Longest wait for a start: loaded machines are slow to import."""

STOP_SECONDS = 10.0
"""Longest wait for an orderly end."""

POLL_SECONDS = 0.02
"""How often the address file is looked for."""


@dataclass(frozen=True, slots=True)
class Child:
    """A running simulator."""

    address: Address
    """Where it serves."""
    process: subprocess.Popen[bytes]
    """The operating system's handle."""


@contextmanager
def simulator_process(folder: Path, *arguments: str) -> Iterator[Child]:
    """Run ``python -m golive_simulator`` with its CA and address file in ``folder``.

    Raises:
        RuntimeError: when it ends, or takes too long, before it serves; its error output is in the message.
    """
    address_file, errors = folder / "address.json", folder / "errors.log"
    address_file.unlink(missing_ok=True)
    command = [sys.executable, "-P", "-m", "golive_simulator", "--folder", str(folder)]
    command += ["--address-file", str(address_file), *arguments]
    environment = os.environ | {"PYTHONSAFEPATH": "1"}
    with errors.open("wb") as log:
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=log, env=environment)  # noqa: S603 - own program
        try:
            _await_address(process, address_file, errors)
            yield Child(Address(**json.loads(address_file.read_text())), process)
        finally:
            _stop(process)


def _await_address(process: subprocess.Popen[bytes], address_file: Path, errors: Path) -> None:
    """Wait until the address is published."""
    deadline = time.monotonic() + START_SECONDS
    while not address_file.exists():
        if process.poll() is not None or time.monotonic() > deadline:
            raise RuntimeError(f"the simulator does not serve: {errors.read_text()}")
        time.sleep(POLL_SECONDS)


def _stop(process: subprocess.Popen[bytes]) -> None:
    """End the process, politely first."""
    process.terminate()
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
