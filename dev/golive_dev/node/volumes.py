"""A pod's volumes on the host: set up before its containers, kept fresh while they run."""

import shutil
from datetime import UTC, datetime
from pathlib import Path

from golive_dev.node.api_client import ApiError, Json
from golive_dev.node.atomic_writer import write_atomically
from golive_dev.node.context import NodeContext
from golive_dev.node.environment import ConfigError, Sources, expand
from golive_dev.node.payloads import VolumeError, payload_sources, render_volume, volume_objects, volume_tokens
from golive_dev.node.root_plan import Mount
from golive_dev.node.tokens import PodTokens

_MADE_HERE = ("configMap", "secret", "downwardAPI", "projected")
"""Volumes that the node writes; containers only read them."""


class PodVolumes:
    """All volumes of one pod, under one folder."""

    def __init__(self, context: NodeContext, folder: Path) -> None:
        self._context = context
        self._folder = folder
        self._tokens = PodTokens(context.client)

    async def set_up(self, pod: Json) -> None:
        """Make every volume.

        Raises:
            VolumeError: One can't be made as things stand.
        """
        for volume in pod["spec"].get("volumes", ()):
            await self._set_up_one(pod, volume)

    async def _set_up_one(self, pod: Json, volume: Json) -> None:
        """Make one volume by its kind."""
        folder = self._folder / volume["name"]
        if "hostPath" in volume:
            _check_host_path(volume["hostPath"])
        elif "emptyDir" in volume:
            folder.mkdir(parents=True, exist_ok=True)
            folder.chmod(0o777)
        elif any(kind in volume for kind in _MADE_HERE):
            folder.mkdir(parents=True, exist_ok=True)
            await self._write(pod, volume, max_age_seconds=0.0)
        else:
            kinds = ", ".join(key for key in volume if key != "name")
            raise VolumeError(f"volume {volume['name']}: the process node knows no {kinds}")

    async def refresh(self, pod: Json) -> None:
        """Bring every volume up to date; a source that is gone leaves its files as they are.

        Raises:
            VolumeError: A required source is missing or can't be read.
        """
        # Shared by all pods of the node, yet a change is never two periods late.
        max_age_seconds = self._context.settings.sync_seconds / 2
        for volume in pod["spec"].get("volumes", ()):
            if any(kind in volume for kind in _MADE_HERE):
                await self._write(pod, volume, max_age_seconds=max_age_seconds)

    async def _write(self, pod: Json, volume: Json, *, max_age_seconds: float) -> None:
        """Write a volume that the node makes from objects, fields and tokens."""
        namespace = pod["metadata"]["namespace"]
        try:
            objects = await self._context.objects.read(
                namespace, volume_objects(volume), max_age_seconds=max_age_seconds
            )
            tokens = {key: await self._tokens.token(pod, key) for key in volume_tokens(volume)}
        except ApiError as error:
            raise VolumeError(f"volume {volume['name']}: {error}") from error
        payload = render_volume(volume, Sources(pod, objects, self._context.allocatable), tokens)
        write_atomically(self._folder / volume["name"], payload, datetime.now(UTC))

    def mounts(self, pod: Json, container: Json, variables: dict[str, str], copies: Path) -> tuple[Mount, ...]:
        """Where the container sees which folder.

        Args:
            pod: Names the volumes.
            container: Says where they go.
            variables: For `subPathExpr`.
            copies: Folder for single files of a volume, which are never refreshed.

        Raises:
            ConfigError: A mount of no volume, or a `subPath` that leads nowhere.
        """
        volumes = {volume["name"]: volume for volume in pod["spec"].get("volumes", ())}
        mounts = []
        for number, wanted in enumerate(container.get("volumeMounts", ())):
            if wanted["name"] not in volumes:
                raise ConfigError(f"no volume named {wanted['name']}")
            volume = volumes[wanted["name"]]
            source = self._source(volume)
            written_here = any(kind in volume for kind in _MADE_HERE)
            sub_path = wanted.get("subPath") or expand(wanted.get("subPathExpr", ""), variables)
            if sub_path:
                source = _sub_path(source, sub_path, copies / str(number) if written_here else None)
            mounts.append(Mount(wanted["mountPath"], source, written_here or wanted.get("readOnly", False)))
        return tuple(mounts)

    def _source(self, volume: Json) -> Path:
        """Where a volume is on the host."""
        return Path(volume["hostPath"]["path"]) if "hostPath" in volume else self._folder / volume["name"]


def _check_host_path(source: Json) -> None:
    """Make or find what a hostPath names, as its type demands."""
    path, kind = Path(source["path"]), source.get("type", "")
    if kind == "DirectoryOrCreate":
        path.mkdir(parents=True, exist_ok=True)
    elif kind == "FileOrCreate":
        path.touch()
    if not path.exists():
        raise VolumeError(f"hostPath {path} does not exist")


def _sub_path(source: Path, sub_path: str, copy_to: Path | None) -> Path:
    """The part of a volume that is mounted: itself in a folder, a copy of a file that the node writes."""
    part = source / sub_path
    if not part.resolve().is_relative_to(source.resolve()):
        raise ConfigError(f"subPath {sub_path!r} leaves its volume")
    if copy_to is None:
        if not part.exists():
            part.mkdir(parents=True)
        return part
    if not part.exists():
        raise ConfigError(f"failed to prepare subPath: {sub_path!r} is not in the volume")
    copy_to.parent.mkdir(parents=True, exist_ok=True)
    if part.is_dir():
        return Path(shutil.copytree(part, copy_to, dirs_exist_ok=True))
    return Path(shutil.copy(part, copy_to))


def has_refreshable_volumes(pod: Json) -> bool:
    """Whether anything in the pod's volumes can change."""
    return any(any(payload_sources(volume)) for volume in pod["spec"].get("volumes", ()))
