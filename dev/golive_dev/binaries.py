"""Finds the programs of a control plane, and builds those that the machine does not have."""

import fcntl
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from golive_dev.linux import die_with_parent
from golive_dev.progress import Progress, Tick, duration, to_stream
from golive_dev.recipes import RECIPES, Recipe
from golive_dev.toolchain import build_environment, find_go
from golive_dev.versions import installed

TICK_SECONDS = 0.2
"""Time between two looks at a running build, or at a lock that another run holds."""

LOG_LINES = 15
"""How much of a failed build's output goes into the error."""


class BuildError(RuntimeError):
    """A program could not be built; the message ends with what the compiler said."""


def cache_folder() -> Path:
    """Return the folder that keeps what was built, under the user's cache home."""
    home = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(home) / "golive"


def find_binary(name: str, *, progress: Progress | None = None) -> Path:
    """Return the path of one program; see `find_binaries`."""
    return find_binaries([name], progress=progress)[name]


def find_binaries(names: Sequence[str], *, progress: Progress | None = None) -> dict[str, Path]:
    """Return the path of each program, from the first place that has it new enough.

    The places are the folder KUBEBUILDER_ASSETS, PATH, and the cache; what none has is built into
    the cache. Two processes may do this at once.

    Raises:
        BuildError: A program could not be built.
        ToolchainError: There is no Go to build with.
    """
    progress = progress or to_stream()
    found = {name: _existing(RECIPES[name], progress) for name in names}
    missing = [recipe for name, recipe in RECIPES.items() if name in found and found[name] is None]
    if missing:
        _build_all(missing, progress)
    return {name: path or _cached(RECIPES[name]) for name, path in found.items()}


def _existing(recipe: Recipe, progress: Progress) -> Path | None:
    """Return where a program is found without building it."""
    if assets := os.environ.get("KUBEBUILDER_ASSETS"):
        path = Path(assets) / recipe.name
        if _new_enough(path, recipe):
            return path
        if path.exists():  # somebody asked for this very file, so tell them
            progress.note(f"{path} is passed over: it is not {recipe.minimum} or newer")
    if (on_path := shutil.which(recipe.name)) and _new_enough(Path(on_path), recipe):
        return Path(on_path)
    return _cached(recipe) if _cached(recipe).exists() else None


def _new_enough(path: Path, recipe: Recipe) -> bool:
    """Tell whether a program runs and is at least the recipe's minimum."""
    version = installed(path, recipe.version_arguments) if path.exists() else None
    return version is not None and version >= recipe.minimum


def _cached(recipe: Recipe) -> Path:
    """Return where the cache keeps a program; whatever is there has passed its check."""
    return cache_folder() / "bin" / f"{recipe.name}-v{recipe.version}" / recipe.name


@contextmanager
def _lock(progress: Progress) -> Iterator[None]:
    """Hold the cache's lock; the kernel releases it when the holder ends, however it ends."""
    cache_folder().mkdir(parents=True, exist_ok=True)
    with (cache_folder() / "lock").open("w") as file:
        told = False
        while True:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if not told:
                    progress.note("another run is building; waiting for it")
                told = True
                time.sleep(TICK_SECONDS)
        yield


def _build_all(recipes: Sequence[Recipe], progress: Progress) -> None:
    """Build what is still missing once no other run is building."""
    with _lock(progress):
        missing = [recipe for recipe in recipes if not _cached(recipe).exists()]
        if not missing:
            return
        go = find_go(cache_folder(), progress)
        total = duration(sum(recipe.measured_seconds for recipe in missing))
        progress.note(f"{len(missing)} programs to build, once; about {total} on two cores")
        for recipe in missing:
            with progress.step(f"building {recipe.name} {recipe.version}", recipe.measured_seconds) as tick:
                _build(go, recipe, tick)


def _build(go: Path, recipe: Recipe, tick: Tick) -> None:
    """Build one program beside its place in the cache, check it, and move it there."""
    target = _cached(recipe)
    target.parent.mkdir(parents=True, exist_ok=True)
    part = target.with_name(f".{recipe.name}.part")
    part.unlink(missing_ok=True)  # a killed run's leftover, which Go would refuse to overwrite
    log = cache_folder() / f"build-{recipe.name}.log"
    flags = " ".join(["-s", "-w", *(f"-X {stamp}" for stamp in recipe.stamps)])
    tags = ",".join(recipe.tags)
    command: list[str | Path] = [go, "build", "-trimpath", "-tags", tags, "-ldflags", flags]
    command += ["-o", part, recipe.package]
    if (code := _run(command, recipe.module, log, tick)) != 0:
        said = "\n".join(log.read_text().splitlines()[-LOG_LINES:])
        raise BuildError(f"go build of {recipe.name} ended with {code}, see {log}:\n{said}")
    if (seen := installed(part, recipe.version_arguments)) != recipe.version:
        raise BuildError(f"{part} says that it is {seen}, not {recipe.version}")
    part.rename(target)


def _run(command: Sequence[str | Path], folder: Path, log: Path, tick: Tick) -> int:
    """Run a build to its end and return its exit code; an interrupt ends it too.

    What was compiled so far stays in Go's own cache, from where the next run goes on.
    """
    with log.open("w") as output:
        process = subprocess.Popen(  # noqa: S603 - a Go found by us, on modules of ours
            command,
            cwd=folder,
            env=build_environment(),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            preexec_fn=die_with_parent,  # noqa: PLW1509 - two system calls, no lock taken
        )
    try:
        while process.poll() is None:
            tick()
            time.sleep(TICK_SECONDS)
    except BaseException:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        raise
    return process.returncode
