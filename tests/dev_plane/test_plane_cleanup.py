"""Nothing is left of a control plane, however the process that started it ends."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from golive_dev.control_plane import ControlPlane
from golive_dev.linux import is_alive
from golive_dev.waiting import eventually

OWNER = """
import json, os, sys, threading
from golive_dev.control_plane import ControlPlane
from golive_dev.linux import descendants
from golive_dev.waiting import eventually
with ControlPlane() as plane:
    plane.spawn("extra", ["sh", "-c", "setsid sleep 98 & sleep 99"])
    eventually(lambda: len(list(descendants(plane.processes["extra"]))) == 2)
    print(json.dumps({
        "folder": str(plane.directory), "names": list(plane.processes), "pids": list(descendants(os.getpid()))
    }), flush=True)
    if sys.argv[1] == "raise":
        raise LookupError("as asked")
    if sys.argv[1] == "exit":
        os._exit(7)
    threading.Event().wait()
"""
"""A process that owns a control plane and ends, or waits to be ended, in the way it is told."""

GONE_SECONDS = 20
"""Time within which everything has to be gone after the owner's end."""


def _gone(seen: Any) -> bool:
    """Tell whether the folder and every process are gone."""
    return not Path(seen["folder"]).exists() and not any(map(is_alive, seen["pids"]))


@pytest.mark.parametrize("ending", ["raise", "exit", signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_nothing_is_left_when_the_owner_ends_by(
    ending: str | signal.Signals, run_script: Callable[..., Any], tmp_path: Path
) -> None:
    """No process and no file outlives an exception, an exit without clean-up, or a signal."""
    owner = run_script(OWNER, ending, env=os.environ | {"TMPDIR": str(tmp_path)})
    seen = owner.read()
    assert Path(seen["folder"]).parent == tmp_path
    assert seen["names"] == ["etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler", "extra"]
    if isinstance(ending, signal.Signals):
        owner.process.send_signal(ending)
    owner.process.wait(GONE_SECONDS)
    eventually(lambda: _gone(seen), GONE_SECONDS)
    assert list(tmp_path.iterdir()) == []


def test_a_control_plane_can_be_started_again_after_its_stop() -> None:
    """Stopping removes the folder; starting anew makes another."""
    plane = ControlPlane(scheduler=False, controller_manager=False)
    folders = []
    for _ in range(2):
        with plane:
            folders.append(plane.directory)
            assert plane.directory.exists()
        assert not plane.directory.exists()
    assert folders[0] != folders[1]


def test_ctrl_c_ends_the_command_line_without_a_traceback(tmp_path: Path) -> None:
    """`up` prints what to export, and Ctrl-C removes everything and exits 0."""
    command = [sys.executable, "-P", "-m", "golive_dev", "up", "--no-node"]
    environment = os.environ | {"TMPDIR": str(tmp_path)}
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdout=pipe, stderr=pipe, text=True, env=environment) as up:
        assert up.stdout is not None
        kubeconfig = up.stdout.readline().removeprefix("export KUBECONFIG=").strip()
        assert Path(kubeconfig).exists()
        up.send_signal(signal.SIGINT)
        _, said = up.communicate(timeout=GONE_SECONDS)
    assert (up.returncode, said) == (0, "")
    assert list(tmp_path.iterdir()) == []
