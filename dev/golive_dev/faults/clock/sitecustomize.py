"""Sets the operator's wall clock wrong, also while it runs; Python imports this module first.

The offset stands in the file `clock-offset` of the process's home. The clocks that only count are left alone.
"""

import importlib.abc
import importlib.machinery
import sys
import time
from datetime import datetime, timedelta, tzinfo
from pathlib import Path
from types import ModuleType
from typing import Any

_FILE = Path.home() / "clock-offset"
_PACKAGE = "golive_operator."
_time = time.time


def offset_seconds() -> float:
    """Seconds by which the clock is ahead."""
    try:
        return float(_FILE.read_text() or 0)
    except FileNotFoundError:
        return 0.0


class ShiftedDatetime(datetime):
    """A datetime whose `now` is wrong; what it returns is an ordinary one."""

    @classmethod
    def now(cls, tz: tzinfo | None = None) -> Any:
        """The wrong time."""
        return datetime.now(tz) + timedelta(seconds=offset_seconds())


class _Finder(importlib.abc.MetaPathFinder):
    """Has every module of the operator ask the wrong clock."""

    def find_spec(self, name: str, path: Any, target: ModuleType | None = None) -> Any:
        """The module's own spec, with a loader that changes one name in it."""
        if not name.startswith(_PACKAGE):
            return None
        spec = importlib.machinery.PathFinder.find_spec(name, path, target)
        if spec is not None and spec.loader is not None:
            spec.loader = _Loader(spec.loader)
        return spec


class _Loader(importlib.abc.Loader):
    def __init__(self, loader: Any) -> None:
        self._loader = loader

    def __getattr__(self, name: str) -> Any:
        return getattr(self._loader, name)

    def exec_module(self, module: ModuleType) -> None:
        """Load it as ever, then change the one name."""
        self._loader.exec_module(module)
        if getattr(module, "datetime", None) is datetime:
            module.datetime = ShiftedDatetime  # type: ignore[attr-defined]  # that is the point


time.time = lambda: _time() + offset_seconds()
sys.meta_path.insert(0, _Finder())
