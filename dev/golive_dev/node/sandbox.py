"""How a container's command gets its files: a root of its own, or paths rewritten to the host's."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from golive_dev.node.api_client import Json
from golive_dev.node.root_plan import Mount, plan_root, rewrite_paths

LAUNCHER = Path(__file__).with_name("launch.py")
"""The program that becomes the container's command."""

REDIRECT_FOLDER = Path(__file__).with_name("redirect")
"""What Python programs import first where paths are rewritten."""

REDIRECT_VARIABLE = "PROCESS_NODE_PATHS"
"""Names container paths and what stands for them, to that import."""


@dataclass(frozen=True)
class Command:
    """One command to run as a container would."""

    argv: list[str]
    """Program and arguments."""

    environment: Mapping[str, str]
    """All of its environment."""

    scratch: Path
    """A folder of the container's own on the host: its `work`, its `tmp`, the place of its root."""

    mounts: tuple[Mount, ...] = ()
    """Volumes at their paths."""

    working_dir: str | None = None
    """Where it starts; the container's work folder if None."""

    read_only_root: bool = False
    """Whether only volumes are writable."""


@dataclass(frozen=True)
class Launch:
    """What the launcher is to do, all decided."""

    spec: dict[str, Any] = field(default_factory=dict)
    """The launcher's orders."""

    environment: Mapping[str, str] = field(default_factory=dict)
    """The process's environment."""


def launcher_argv(spec_file: Path) -> list[str]:
    """The launcher, free of site packages and of the container's Python settings."""
    return [sys.executable, "-I", "-S", str(LAUNCHER), str(spec_file)]


def namespaces_work(scratch: Path) -> bool:
    """Whether this machine lets this user compose a root; tried out, as the reasons against are many."""
    command = Command(["true"], {"PATH": os.environ.get("PATH", os.defpath)}, scratch)
    make_scratch(scratch)
    launch = prepare_launch(command, "namespace")
    spec_file = scratch / "trial.json"
    spec_file.write_text(json.dumps({**launch.spec, "parent": os.getpid(), "report_fd": 2}))
    trial = subprocess.run(  # noqa: S603  # our own launcher
        launcher_argv(spec_file), env=dict(launch.environment), check=False, capture_output=True
    )
    return trial.returncode == 0


def base_environment(pod: Json, home: Path) -> dict[str, str]:
    """What an image and a runtime would set: where programs are, who and where the process is.

    The home is the container's own folder, so that nothing is read from the user's by accident.
    """
    programs = [str(Path(sys.prefix) / "bin"), "/usr/local/bin", "/usr/bin", "/bin"]
    name = pod["spec"].get("hostname") or pod["metadata"]["name"]
    return {"PATH": os.pathsep.join(programs), "HOME": str(home), "HOSTNAME": name, "LANG": "C.UTF-8"}


def make_scratch(scratch: Path) -> None:
    """Make the folders that a container's root is composed with."""
    for name in ("root", "tmp", "work"):
        (scratch / name).mkdir(parents=True, exist_ok=True)


def prepare_launch(command: Command, filesystem: Literal["namespace", "rewrite"]) -> Launch:
    """Decide how a command starts.

    Raises:
        OSError: A mount point can't be made in a volume.
    """
    return _in_own_root(command) if filesystem == "namespace" else _with_rewritten_paths(command)


def _in_own_root(command: Command) -> Launch:
    """A root of its own: the order of mounts is the order of precedence."""
    work = command.scratch / "work"
    mounts = [Mount("/tmp", command.scratch / "tmp", command.read_only_root)]  # noqa: S108  # the container's
    mounts += _kept_visible()
    mounts.append(Mount(str(work), work, command.read_only_root))
    mounts += command.mounts
    folder = command.working_dir or str(work)
    if not Path(folder).is_dir() and not any(_is_under(folder, mount.path) for mount in mounts):
        mounts.append(Mount(folder, work, command.read_only_root))
    spec = {
        "root": str(command.scratch / "root"),
        "steps": plan_root(mounts),
        "read_only_root": command.read_only_root,
        "folder": folder,
        "argv": command.argv,
    }
    return Launch(spec, command.environment)


def _kept_visible() -> Iterator[Mount]:
    """Python, its packages and the source: the container's image, so to say.

    Mounted by name, so that a volume at `/tmp` doesn't hide a checkout that happens to be there, and
    writable, so that compiled modules are kept.
    """
    base = Path(sys.base_prefix)
    prefix = Path(sys.prefix)
    yield Mount(str(base), base, read_only=True)
    folders = [prefix, *(Path(entry) for entry in sys.path)]
    for folder in folders:
        if folder.is_dir() and not folder.is_relative_to(base):
            yield Mount(str(folder), folder)


def _is_under(path: str, folder: str) -> bool:
    """Whether a path is a folder or inside of it."""
    return Path(path).is_relative_to(folder)


def _with_rewritten_paths(command: Command) -> Launch:
    """No root of its own: what names a volume's path names the host's folder instead.

    Python programs besides open such paths by themselves (the ServiceAccount's token is one), so they
    import a redirect first.
    """
    paths = {mount.path.rstrip("/"): str(mount.source) for mount in command.mounts}
    environment = {name: rewrite_paths(value, paths) for name, value in command.environment.items()}
    python_path = [str(REDIRECT_FOLDER), *filter(None, [environment.get("PYTHONPATH")])]
    environment |= {"PYTHONPATH": os.pathsep.join(python_path), REDIRECT_VARIABLE: json.dumps(paths)}
    wanted = rewrite_paths(command.working_dir or "", paths)
    spec = {
        "root": None,
        "folder": wanted if wanted and Path(wanted).is_dir() else str(command.scratch / "work"),
        "argv": [rewrite_paths(part, paths) for part in command.argv],
    }
    return Launch(spec, environment)
