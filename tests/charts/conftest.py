"""Rendered charts, with and without every option."""

import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from golive_dev.binaries import find_binary

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="session")
def helm() -> Callable[..., subprocess.CompletedProcess[str]]:
    """Give a function that runs helm without a cluster."""
    program = find_binary("helm")

    def run(*words: str | Path, values: Any = None) -> subprocess.CompletedProcess[str]:
        arguments = [*words, "--values", "-"] if values is not None else [*words]
        text = yaml.safe_dump(values) if values is not None else ""
        return subprocess.run([program, *arguments], input=text, text=True, capture_output=True, check=False)

    return run


@pytest.fixture(scope="session")
def render(helm: Callable[..., subprocess.CompletedProcess[str]]) -> Callable[..., list[dict[str, Any]]]:
    """Give a function that renders a chart into objects, its tests included."""

    def run(
        chart: str,
        values: Any = None,
        *,
        release: str = "perps-engine",
        namespace: str = "trading",
        more: Any = (),
    ) -> list[dict[str, Any]]:
        words = ["template", release, ROOT / "charts" / chart, "--namespace", namespace]
        done = helm(*words, "--kube-version", "1.37.1", *more, values=values or {})
        assert done.returncode == 0, done.stderr
        return [body for body in yaml.safe_load_all(done.stdout) if body]

    return run
