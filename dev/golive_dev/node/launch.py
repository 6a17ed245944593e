"""Become a container's command inside a file system composed for it.

Stands alone (`python -I -S launch.py SPEC`), so that it starts in some 20 ms. Steps come ready-made from
the node; nothing is decided here. A step that fails is reported on a pipe that a successful exec closes.
"""

import ctypes
import json
import os
import signal
import sys
from pathlib import Path
from typing import Any

_CLONE_NEWNS, _CLONE_NEWUSER = 0x00020000, 0x10000000
_MS_BIND, _MS_REC, _MS_PRIVATE, _MNT_DETACH = 0x1000, 0x4000, 0x40000, 2
_PR_SET_PDEATHSIG = 1
_AT_FDCWD, _AT_RECURSIVE, _MOUNT_ATTR_RDONLY = -100, 0x8000, 1
_SYS_PIVOT_ROOT = {"x86_64": 155, "aarch64": 41}
_SYS_MOUNT_SETATTR = 442
"""The same number on every architecture; Linux 5.12 and later."""
START_ERROR_STATUS = 128
"""Exit status when the command could not be started, as containerd has it."""

_libc = ctypes.CDLL(None, use_errno=True)


class _MountAttributes(ctypes.Structure):
    """`struct mount_attr` of mount_setattr(2)."""

    _fields_ = [(name, ctypes.c_uint64) for name in ("set", "clear", "propagation", "userns_fd")]


def _call(subject: str, result: int) -> None:
    """Raise the errno of a C call that said -1."""
    if result == -1:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number), subject)


def _mount(source: str, target: str, kind: str | None, flags: int) -> None:
    """mount(2), with a failure raised."""
    encoded_kind = kind.encode() if kind else None
    _call(f"mount {target}", _libc.mount(source.encode(), target.encode(), encoded_kind, flags, None))


def _make_read_only(target: str) -> None:
    """Everything under `target`, mounts in mounts too; older kernels leave it writable."""
    attributes = _MountAttributes(_MOUNT_ATTR_RDONLY, 0, 0, 0)
    arguments = (_AT_FDCWD, target.encode(), _AT_RECURSIVE)
    size = ctypes.sizeof(attributes)
    _libc.syscall(_SYS_MOUNT_SETATTR, *arguments, ctypes.byref(attributes), ctypes.c_size_t(size))


def _own_namespace() -> None:
    """A mount namespace; a user namespace around it where one has no right to the bare one."""
    if _libc.unshare(_CLONE_NEWNS) == -1:
        uid, gid = os.getuid(), os.getgid()
        _call("unshare", _libc.unshare(_CLONE_NEWUSER | _CLONE_NEWNS))
        Path("/proc/self/setgroups").write_text("deny")
        Path("/proc/self/uid_map").write_text(f"{uid} {uid} 1")
        Path("/proc/self/gid_map").write_text(f"{gid} {gid} 1")
    _mount("none", "/", None, _MS_REC | _MS_PRIVATE)


def _take(step: dict[str, str], root: str) -> None:
    """One step of the plan: a folder, an empty file, a link, or a bind of something outside."""
    target = root + step["path"]
    match step["do"]:
        case "folder":
            Path(target).mkdir(exist_ok=True)
        case "file":
            Path(target).touch()
        case "link":
            Path(target).symlink_to(step["source"])
        case "bind":
            _mount(step["source"], target, None, _MS_BIND | _MS_REC)
            if step["mode"] == "ro":
                _make_read_only(target)


def enter_root(root: str, steps: list[dict[str, str]], *, read_only: bool) -> None:
    """Compose a root on a fresh tmpfs at `root`, and make it the only one this process can see."""
    _own_namespace()
    _mount("tmpfs", root, "tmpfs", 0)
    for step in steps:
        try:
            _take(step, root)
        except OSError:
            if step.get("may_fail") != "yes":
                raise
    if read_only:
        attributes = _MountAttributes(_MOUNT_ATTR_RDONLY, 0, 0, 0)
        size = ctypes.c_size_t(ctypes.sizeof(attributes))
        _libc.syscall(_SYS_MOUNT_SETATTR, _AT_FDCWD, root.encode(), 0, ctypes.byref(attributes), size)
    os.chdir(root)
    _call("pivot_root", _libc.syscall(_SYS_PIVOT_ROOT[os.uname().machine], b".", b"."))
    _call("umount old root", _libc.umount2(b".", _MNT_DETACH))
    os.chdir("/")


def _die_with(parent: int) -> None:
    """Ask for SIGKILL at the parent's death; it may have happened already."""
    _call("prctl", _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0))
    if os.getppid() != parent:
        os.kill(os.getpid(), signal.SIGKILL)


def _start(spec: dict[str, Any]) -> None:
    """Never returns: raises, or is the command from here on."""
    if spec["root"]:
        enter_root(spec["root"], spec["steps"], read_only=spec["read_only_root"])
    # After the namespaces: the kernel forgets the death signal when credentials change.
    _die_with(spec["parent"])
    os.chdir(spec["folder"])
    argv = spec["argv"]
    try:
        os.execvp(argv[0], argv)  # noqa: S606  # a container's command is not a shell line
    except FileNotFoundError as error:
        where = "no such file or directory" if "/" in argv[0] else "executable file not found in $PATH"
        raise OSError(error.errno, f'exec: "{argv[0]}": {where}') from error


def main() -> None:
    """Read the spec, hand any failure to the node, never fall through."""
    spec = json.loads(Path(sys.argv[1]).read_text())
    report = int(spec["report_fd"])
    os.set_inheritable(report, False)
    try:
        _start(spec)
    except Exception as error:  # noqa: BLE001  # whatever it is, the node has to hear of it
        text = error.strerror if isinstance(error, OSError) and error.strerror else repr(error)
        subject = f" ({error.filename})" if isinstance(error, OSError) and error.filename else ""
        os.write(report, f"{text}{subject}"[:1000].encode())
        os._exit(START_ERROR_STATUS)


if __name__ == "__main__":
    main()
