"""Reading and comparing the version that a program says it is."""

import re
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

PROBE_SECONDS = 20.0
"""How long a program may take to say its version; a first start from a slow disk takes seconds."""

_VERSION = re.compile(r"(\d+)\.(\d+)(?:\.(\d+))?")


class Version(NamedTuple):
    """Major, minor and patch number."""

    major: int
    minor: int
    patch: int

    def __str__(self) -> str:
        return f"{self.major}.{self.minor}.{self.patch}"


def parse(text: str) -> Version | None:
    """Return the first version in a text, None if there is none."""
    match = _VERSION.search(text)
    return Version(*(int(part or 0) for part in match.groups())) if match else None


def installed(program: Path, arguments: Sequence[str]) -> Version | None:
    """Return the version that a program prints, None if it prints none or can't be run."""
    try:
        done = subprocess.run(  # noqa: S603 - asking a program for its version is the purpose
            [program, *arguments],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=PROBE_SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return parse(done.stdout) if done.returncode == 0 else None
