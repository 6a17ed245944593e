"""Open a container's paths at the host's folders; Python imports this module first.

Covers what takes a path through `os`, `io` and `ssl`. Extension modules that open files themselves don't
pass here; they get the host's path where it came to the program as an argument or a variable.
"""

import builtins
import functools
import importlib.machinery
import importlib.util
import io
import json
import os
import ssl
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

_PATHS: dict[str, str] = json.loads(os.environ.get("PROCESS_NODE_PATHS", "{}"))

_OF_OS = (
    *("access", "chmod", "chown", "listdir", "lstat", "mkdir", "open", "readlink", "remove", "rename"),
    *("replace", "rmdir", "scandir", "stat", "truncate", "unlink", "utime"),
)


def host_path(path: Any) -> Any:
    """The host's path for one inside a volume; anything else comes back as it is."""
    if not isinstance(path, str | os.PathLike):
        return path
    text = os.fspath(path)
    for inside, outside in _PATHS.items():
        if text == inside or (isinstance(text, str) and text.startswith(f"{inside}/")):
            return outside + text[len(inside) :]
    return path


def _redirected(function: Callable[..., Any]) -> Callable[..., Any]:
    """A function that looks at the host's path wherever it is given a container's."""

    @functools.wraps(function)
    def call(*arguments: Any, **options: Any) -> Any:
        return function(*map(host_path, arguments), **options)

    return call


def _trusting(context: Any, cafile: Any = None, capath: Any = None, cadata: Any = None) -> None:
    """Read a certificate authority, which OpenSSL opens by itself."""
    super(ssl.SSLContext, context).load_verify_locations(host_path(cafile), host_path(capath), cadata)


def install() -> None:
    """Put the redirection before every function that takes a path."""
    for name in _OF_OS:
        setattr(os, name, _redirected(getattr(os, name)))
    builtins.open = io.open = _redirected(io.open)
    ssl.SSLContext.load_verify_locations = _trusting  # type: ignore[assignment,method-assign]  # that is the point


def give_way() -> None:
    """Run the module of this name that Python would have imported without this one."""
    others = [folder for folder in sys.path if Path(folder) != Path(__file__).parent]
    spec = importlib.machinery.PathFinder.find_spec(__name__, others)
    if spec is not None and spec.loader is not None:
        spec.loader.exec_module(importlib.util.module_from_spec(spec))


if _PATHS:
    install()
    give_way()
