"""Programs are found where they are new enough, and else built once, whatever goes wrong meanwhile."""

import io
import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from golive_dev.binaries import BuildError, find_binary
from golive_dev.linux import descendants
from golive_dev.progress import Lines
from golive_dev.recipes import RECIPES, Recipe
from golive_dev.toolchain import PACKAGED_GO, find_go
from golive_dev.versions import Version, installed
from golive_dev.waiting import eventually

PROGRAM = """
package main
import "fmt"
var version = "unstamped"
func main() { fmt.Println("hello", version) }
"""
"""A program that says the version the linker stamped into it."""

BUILD = """
import json, sys
from pathlib import Path
from golive_dev import recipes, versions
from golive_dev.binaries import find_binary
from golive_dev.progress import Lines
recipes.RECIPES["hello"] = recipes.Recipe(
    "hello", versions.Version(1, 2, 3), versions.Version(1, 2, 0), Path(sys.argv[1]), "example.org/hello",
    (), 1, ("main.version=v1.2.3",))
class Notes:
    text = ""
    def write(self, text): self.text += text
    def flush(self): pass
notes = Notes()
print(json.dumps("started"), flush=True)
path = find_binary("hello", progress=Lines(notes))
print(json.dumps({"path": str(path), "notes": notes.text}), flush=True)
"""
"""Another run of the same builder, in a process of its own."""

RunScript = Callable[..., Any]


@pytest.fixture
def module(tmp_path: Path) -> Path:
    """Give a Go module of one small program."""
    folder = tmp_path / "module"
    folder.mkdir()
    (folder / "go.mod").write_text("module example.org/hello\n\ngo 1.26.0\n")
    (folder / "main.go").write_text(PROGRAM)
    return folder


@pytest.fixture
def hello(module: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Recipe:
    """Give the recipe of that program, listed with the others, and an empty cache."""
    stamps = ("main.version=v1.2.3",)
    recipe = Recipe("hello", Version(1, 2, 3), Version(1, 2, 0), module, "example.org/hello", (), 1, stamps)
    monkeypatch.setitem(RECIPES, "hello", recipe)
    # Only our cache moves: Go's own keeps the standard library compiled.
    gocache = subprocess.run(["go", "env", "GOCACHE"], capture_output=True, text=True, check=True)
    monkeypatch.setenv("GOCACHE", gocache.stdout.strip())
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.delenv("KUBEBUILDER_ASSETS", raising=False)
    return recipe


def _script(path: Path, version: str) -> Path:
    """Write a program that says it is of some version."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\necho Client Version: {version}\n")
    path.chmod(0o755)
    return path


def test_a_program_is_built_stamped_and_kept(hello: Recipe, tmp_path: Path) -> None:
    """The result lies in the cache under name and version, and says the version it was built as."""
    path = find_binary("hello")
    assert path == tmp_path / "cache/golive/bin/hello-v1.2.3/hello"
    assert installed(path, ()) == hello.version
    assert list(path.parent.iterdir()) == [path]


@pytest.mark.usefixtures("hello")
def test_a_kept_program_is_not_built_again(module: Path) -> None:
    """With the module gone a second call still finds the program."""
    built = find_binary("hello")
    (module / "main.go").unlink()
    assert find_binary("hello") == built


@pytest.mark.parametrize(
    ("version", "taken"), [("v1.32.4-dispatcher", "cached"), ("v1.36.0", "own"), ("v1.40.0", "own")]
)
def test_kubectl_in_path_is_used_only_if_new_enough(
    version: str, taken: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An old kubectl, say of some cloud's tools, is passed over for the cached one."""
    cached = _script(tmp_path / "cache/golive/bin/kubectl-v1.37.1/kubectl", "v1.37.1")
    own = _script(tmp_path / "bin/kubectl", version)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("PATH", f"{own.parent}:{os.environ['PATH']}")
    monkeypatch.delenv("KUBEBUILDER_ASSETS", raising=False)
    assert find_binary("kubectl") == {"own": own, "cached": cached}[taken]


@pytest.mark.usefixtures("hello")
def test_kubebuilder_assets_come_first_and_are_named_when_too_old(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """What the user points at is taken, or the user is told why it is not."""
    asset = _script(tmp_path / "assets/hello", "1.2.9")
    monkeypatch.setenv("KUBEBUILDER_ASSETS", str(asset.parent))
    assert find_binary("hello") == asset
    _script(asset, "1.1.9")
    assert find_binary("hello") != asset
    assert f"{asset} is passed over: it is not 1.2.0 or newer" in capsys.readouterr().err


def test_a_build_that_yields_no_program_is_refused(hello: Recipe) -> None:
    """`go build` of a package that is not `main` succeeds and writes an archive; it must not be kept."""
    (hello.module / "main.go").write_text("package library\n")
    with pytest.raises(BuildError, match=r"says that it is None, not 1\.2\.3"):
        find_binary("hello")


def test_a_failed_build_says_what_the_compiler_said(hello: Recipe) -> None:
    """The error holds the compiler's own words, and nothing gets into the cache."""
    (hello.module / "main.go").write_text("package main\nfunc main() { undefinedThing() }\n")
    with pytest.raises(BuildError, match="undefined: undefinedThing"):
        find_binary("hello")


@pytest.mark.usefixtures("hello")
def test_two_runs_at_once_build_once(module: Path, run_script: RunScript) -> None:
    """The second run waits for the first and takes what it built."""
    first, second = run_script(BUILD, module), run_script(BUILD, module)
    assert first.read() == second.read() == "started"
    told = [first.read(), second.read()]
    assert told[0]["path"] == told[1]["path"]
    assert [each["notes"].count("building hello 1.2.3: done") for each in told] in ([0, 1], [1, 0])
    assert installed(Path(told[0]["path"]), ()) == Version(1, 2, 3)


@pytest.mark.usefixtures("hello")
def test_a_build_killed_in_the_middle_is_taken_up_by_the_next_run(
    module: Path, tmp_path: Path, run_script: RunScript, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SIGKILL leaves no lock and no half program; what was compiled by then is not compiled again."""
    gocache = tmp_path / "gocache"
    monkeypatch.setenv("GOCACHE", str(gocache))  # empty, so that the build takes long enough
    monkeypatch.setenv("GOTMPDIR", str(tmp_path))  # a killed build leaves its scratch folder
    killed = run_script(BUILD, module)
    eventually(lambda: len(list(gocache.glob("*/*-d"))) > 20, 60)
    compilers = list(descendants(killed.process.pid))
    assert compilers
    killed.process.kill()
    eventually(lambda: not any(Path(f"/proc/{pid}").exists() for pid in compilers), 30)
    kept = {path: path.stat().st_ino for path in gocache.glob("*/*-d") if path.stat().st_size}
    half = tmp_path / "cache/golive/bin/hello-v1.2.3/.hello.part"
    half.write_bytes(b"half a program")  # as a kill during the linker's last write leaves it
    again = run_script(BUILD, module)
    assert again.read() == "started"
    done = again.read()
    assert installed(Path(done["path"]), ()) == Version(1, 2, 3)
    assert list(Path(done["path"]).parent.iterdir()) == [Path(done["path"])]
    assert {path: path.stat().st_ino for path in kept} == kept


def test_go_is_installed_where_there_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine without Go, or with an old one, gets the pinned package."""
    old = tmp_path / "bin/go"
    _script(old, "go1.19.8")
    monkeypatch.setenv("PATH", f"{old.parent}:/usr/bin:/bin")
    go = find_go(tmp_path / "cache", Lines(io.StringIO()))
    assert installed(go, ("version",)) == PACKAGED_GO
