"""Child processes that never outlive their parent, however it ends."""

import ctypes
import os
import signal

NICENESS = 10
"""How far what is not urgent steps back behind whoever trades."""

_PR_SET_PDEATHSIG = 1

_libc = ctypes.CDLL(None, use_errno=True)


def die_with_parent() -> None:
    """Let the kernel kill this process when its parent ends; for `preexec_fn`: one system call, no lock.

    Raises:
        OSError: The kernel refused.
    """
    if _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl")


def step_back_and_die_with_parent() -> None:
    """The same, at low priority; what it starts inherits that."""
    os.nice(NICENESS)
    die_with_parent()
