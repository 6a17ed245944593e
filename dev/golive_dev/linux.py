"""What Linux offers beyond POSIX to keep processes from outliving their purpose."""

import ctypes
import os
import signal
from collections.abc import Iterator
from pathlib import Path

PR_SET_PDEATHSIG = 1
"""prctl(2) option: the signal a process gets when the thread that started it ends."""

PR_SET_CHILD_SUBREAPER = 36
"""prctl(2) option: orphaned descendants become children of this process instead of init's."""

_libc = ctypes.CDLL(None, use_errno=True)


def _prctl(option: int, value: int) -> None:
    """Call prctl(2), which reports failure by return value.

    Raises:
        OSError: The kernel refused.
    """
    if _libc.prctl(option, value, 0, 0, 0) != 0:
        error = ctypes.get_errno()
        raise OSError(error, os.strerror(error))


def die_with_parent() -> None:
    """Make the kernel kill this process when its parent ends; for `preexec_fn`."""
    _prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def adopt_orphans() -> None:
    """Make this process the parent of every descendant whose own parent ends."""
    _prctl(PR_SET_CHILD_SUBREAPER, 1)


def descendants(pid: int) -> Iterator[int]:
    """Yield the process ids of all living descendants of `pid`, children before grandchildren."""
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        try:
            children = task.read_text().split()
        except OSError:  # the thread ended between listing and reading
            continue
        for child in map(int, children):
            yield child
            yield from descendants(child)


def is_alive(pid: int) -> bool:
    """Tell whether a process exists and is more than a zombie."""
    try:
        return "State:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False
