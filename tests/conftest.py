"""What every area's tests may ask for: a real control plane, a namespace in it, a process to end."""

import asyncio
import json
import signal
import subprocess
import sys
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from golive_dev.control_plane import ControlPlane
from golive_dev.waiting import eventually

ALONE = ("e2e", "faults")
"""Areas whose tests run after all others, with the machine to themselves."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark them by their folder."""
    for item in items:
        if any(area in item.path.parts for area in ALONE):
            item.add_marker("alone")


class Standing:
    """What a session's fixtures keep running, ended with an area's last test: ten idle clusters are a load."""

    def __init__(self) -> None:
        self._fixtures: list[tuple[pytest.FixtureDef[Any], pytest.FixtureRequest]] = []

    @pytest.hookimpl
    def pytest_fixture_setup(self, fixturedef: pytest.FixtureDef[Any], request: pytest.FixtureRequest) -> None:
        """Note what is made."""
        if fixturedef.scope == "session" and fixturedef.baseid:  # not a plugin's
            self._fixtures.append((fixturedef, request))

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_teardown(self, item: pytest.Item, nextitem: pytest.Item | None) -> Iterator[None]:
        """End it before the next area's first test; the session ends what stands after its last."""
        yield
        if nextitem is not None and area_of(nextitem) != area_of(item):
            while self._fixtures:
                fixturedef, request = self._fixtures.pop()
                fixturedef.finish(request)  # type: ignore[arg-type]  # it is the request that made it


def area_of(item: pytest.Item) -> str:
    """The folder of tests/ that it is in."""
    return item.path.relative_to(Path(__file__).parent).parts[0]


def pytest_configure(config: pytest.Config) -> None:
    """Have areas end."""
    config.pluginmanager.register(Standing())


@pytest.fixture(scope="session")
def control_plane() -> Iterator[ControlPlane]:
    """Give the whole session one control plane, started when first asked for.

    Tests keep apart by namespace. One that stops, freezes or restarts a server starts a control
    plane of its own: it takes three seconds.
    """
    with ControlPlane() as plane:
        yield plane


@pytest.fixture
def namespace(control_plane: ControlPlane) -> Iterator[str]:
    """Give a test a fresh namespace, and delete it afterwards."""
    name = f"test-{uuid.uuid4().hex[:8]}"
    control_plane.kubectl("create", "namespace", name)
    yield name
    control_plane.kubectl("delete", "namespace", name, "--wait=false")


@dataclass
class Script:
    """A Python process that prints one JSON value per line."""

    process: subprocess.Popen[str]

    def read(self) -> Any:
        """Return the next value it prints."""
        assert self.process.stdout is not None
        return json.loads(self.process.stdout.readline())


@pytest.fixture(scope="session", autouse=True)
def _ctrl_c_is_heard() -> None:
    """A shell makes background jobs ignore SIGINT, and their children inherit that."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture
def run_script() -> Iterator[Callable[..., Script]]:
    """Give a function that runs Python code with arguments; what is left is killed afterwards."""
    scripts: list[Script] = []

    def run(code: str, *arguments: str | Path, env: dict[str, str] | None = None) -> Script:
        command = [sys.executable, "-P", "-c", code, *map(str, arguments)]
        scripts.append(Script(subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=env)))
        return scripts[-1]

    yield run
    for script in scripts:
        script.process.kill()
        script.process.communicate()


@pytest.fixture
def until() -> Callable[..., Any]:
    """Give a way to wait for a condition without holding up the event loop."""

    async def wait(condition: Callable[[], Any], deadline_seconds: float = 40.0) -> Any:
        return await asyncio.to_thread(eventually, condition, deadline_seconds)

    return wait
