"""Files of a volume replaced all at once, by one symlink swap, as the kubelet's AtomicWriter does.

`volume/a.yaml → ..data/a.yaml`, `volume/..data → ..2026_11_20_…`: a reader sees all old or all new.
"""

import os
import shutil
from datetime import datetime
from pathlib import Path

from golive_dev.node.payloads import File, Payload

DATA_LINK = "..data"
"""The link that is swapped."""


def write_atomically(folder: Path, payload: Payload, now: datetime) -> bool:
    """Make `folder` hold exactly `payload`; tell whether anything changed."""
    current = folder / DATA_LINK
    if current.exists() and _read(current) == payload:
        return False
    previous = current.readlink() if current.is_symlink() else None
    fresh = folder / f"..{now:%Y_%m_%d_%H_%M_%S}.{now.microsecond:06d}{os.urandom(2).hex()}"
    _write(fresh, payload)
    swap = folder / "..data_tmp"
    swap.symlink_to(fresh.name)
    swap.rename(current)
    _link_entries(folder, {Path(path).parts[0] for path in payload})
    if previous:
        shutil.rmtree(folder / previous)
    return True


def _read(data: Path) -> Payload:
    """What a version of the volume holds, to compare a new one with."""
    return {
        str(path.relative_to(data)): File(path.read_bytes(), path.stat().st_mode & 0o777)
        for path in data.rglob("*")
        if path.is_file()
    }


def _write(folder: Path, payload: Payload) -> None:
    """Write one version whole, before anything leads to it."""
    folder.mkdir(mode=0o755)
    for name, file in payload.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch(mode=0o600)
        path.write_bytes(file.content)
        path.chmod(file.mode)


def _link_entries(folder: Path, names: set[str]) -> None:
    """A visible link through the data link for each top-level name, none for names that are gone."""
    for entry in folder.iterdir():
        if not entry.name.startswith("..") and entry.is_symlink() and entry.name not in names:
            entry.unlink()
    for name in names:
        if not (folder / name).is_symlink():
            (folder / name).symlink_to(f"{DATA_LINK}/{name}")
