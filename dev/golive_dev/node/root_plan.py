"""What a container's root folder is made of: the host's folders, and the pod's volumes over them."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

Step = dict[str, str]

_LEFT_WRITABLE = frozenset({"/proc", "/dev"})
"""Kernel file systems: writing there changes no file of the host."""


@dataclass(frozen=True)
class Mount:
    """A folder or file of the host, shown at a path of the container."""

    path: str
    """Absolute path in the container."""

    source: Path
    """What is shown there."""

    read_only: bool = False
    """Whether writes are refused."""


@dataclass
class _Place:
    """One folder on the way to a mount, or a mount itself."""

    mount: Mount | None = None
    children: dict[str, Self] = field(default_factory=dict)


def plan_root(mounts: Iterable[Mount], host: Path = Path("/")) -> list[Step]:
    """The steps that compose a root: the host read-only, `mounts` over it, missing mount points made.

    A folder of the host that lacks a mount point is taken apart into its entries, so that the mount point
    can stand among them without the host changing.

    Args:
        mounts: A later one at the same path replaces an earlier.
        host: Where the host's root is looked at; another folder in tests.
    """
    top = _Place()
    for mount in mounts:
        _place_of(top, _resolved(mount.path, host)).mount = mount
    steps: list[Step] = []
    _compose("", top, host, steps)
    return steps


def _resolved(path: str, host: Path) -> str:
    """`path` with the host's links followed (`/var/run` is `/run` on most), inside `host`."""
    real = (host / path.lstrip("/")).resolve()
    return "/" + str(real.relative_to(host)) if real.is_relative_to(host) else path


def _place_of(top: _Place, path: str) -> _Place:
    """The place at a path, made with all that leads to it."""
    place = top
    for part in Path(path).parts[1:]:
        place = place.children.setdefault(part, _Place())
    return place


def _compose(path: str, place: _Place, host: Path, steps: list[Step]) -> None:
    """A folder of our own with the host's entries in it, and the places in their midst."""
    if path:
        steps.append({"do": "folder", "path": path})
    here = host / path.lstrip("/")
    for entry in sorted(here.iterdir()) if here.is_dir() else ():
        if entry.name not in place.children:
            steps.extend(_show_host(f"{path}/{entry.name}", entry))
    for name, child in place.children.items():
        _visit(f"{path}/{name}", child, host, steps)


def _visit(path: str, place: _Place, host: Path, steps: list[Step]) -> None:
    """Choose for one folder: a volume, the host's as it is, or one of our own."""
    here = host / path.lstrip("/")
    if place.mount:
        steps.append(_mount_point(path, place.mount.source))
        _lay_over(path, place, steps)
    elif _holds_all(here, place):
        steps.extend(_show_host(path, here))
        _lay_over(path, place, steps)
    else:
        _compose(path, place, host, steps)


def _holds_all(here: Path, place: _Place) -> bool:
    """Whether the host has a mount point for everything that goes under this folder."""
    if not here.is_dir():
        return False
    return all(
        (here / name).exists() if child.mount else _holds_all(here / name, child)
        for name, child in place.children.items()
    )


def _lay_over(path: str, place: _Place, steps: list[Step]) -> None:
    """Mounts on mount points that exist, those inside a volume being made there as the kubelet does."""
    if place.mount:
        mode = "ro" if place.mount.read_only else "rw"
        steps.append({"do": "bind", "path": path, "source": str(place.mount.source), "mode": mode})
        for inner, source in _inner_mounts("", place):
            _make_mount_point(place.mount.source / inner.lstrip("/"), source)
    for name, child in place.children.items():
        _lay_over(f"{path}/{name}", child, steps)


def _inner_mounts(path: str, place: _Place) -> Iterable[tuple[str, Path]]:
    """Path within a volume and source of every mount inside it."""
    for name, child in place.children.items():
        if child.mount:
            yield f"{path}/{name}", child.mount.source
        else:
            yield from _inner_mounts(f"{path}/{name}", child)


def _make_mount_point(point: Path, source: Path) -> None:
    """A folder or an empty file in a volume, whichever the source needs."""
    if point.exists():
        return
    if source.is_dir():
        point.mkdir(parents=True)
    else:
        point.parent.mkdir(parents=True, exist_ok=True)
        point.touch()


def _mount_point(path: str, source: Path) -> Step:
    """The step that makes a mount point fit for its source."""
    return {"do": "folder" if source.is_dir() else "file", "path": path}


def _show_host(path: str, entry: Path) -> list[Step]:
    """One entry of the host as it is; it may vanish before the bind, or be no business of this user."""
    if entry.is_symlink():
        return [{"do": "link", "path": path, "source": str(entry.readlink())}]
    mode = "rw" if path in _LEFT_WRITABLE else "ro"
    bind = {"do": "bind", "path": path, "source": str(entry), "mode": mode, "may_fail": "yes"}
    return [{**_mount_point(path, entry), "may_fail": "yes"}, bind]


def rewrite_paths(text: str, mounts: Mapping[str, str]) -> str:
    """`text` with every container path in it replaced by the host's, longest first."""
    for path in sorted(mounts, key=len, reverse=True):
        text = _replace_path(text, path, mounts[path])
    return text


def _replace_path(text: str, path: str, host_path: str) -> str:
    """Only where `path` stands as whole components: `/etc/golive` is not in `/etc/golive-other`.

    A slash before it is part of a URL such as `sqlite:////data/journal.db`.
    """
    done, rest = "", text
    while (at := rest.find(path)) >= 0:
        end = at + len(path)
        starts = at == 0 or not (rest[at - 1].isalnum() or rest[at - 1] in "._-")
        ends = end == len(rest) or not (rest[end].isalnum() or rest[end] in "._-")
        done += rest[:at] + (host_path if starts and ends else path)
        rest = rest[end:]
    return done + rest
