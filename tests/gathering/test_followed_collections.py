"""A collection is listed once, then watched on and on."""

import asyncio
from collections.abc import AsyncIterator
from functools import partial
from typing import Any

import pytest
from kubernetes.aio.config import kube_config

from golive_dev.control_plane import ControlPlane
from golive_operator import cluster as connection
from golive_operator import paths
from golive_operator.cluster import Cluster


class Counted(Cluster):
    """Counts the requests that it sends."""

    sent = 0

    async def _send(self, *request: Any) -> Any:
        self.sent += 1
        return await super()._send(*request)


@pytest.fixture
async def cluster(control_plane: ControlPlane, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Counted]:
    """Give an administrator's connection, whose watches last so long that each tells of a bookmark."""
    monkeypatch.setattr(kube_config, "KUBE_CONFIG_DEFAULT_LOCATION", str(control_plane.admin))
    monkeypatch.setattr(connection, "WATCH_SECONDS", 3)
    async with Counted() as connected:
        yield connected


@pytest.mark.parametrize("metadata", [True, False], ids=["metadata", "whole objects"])
async def test_a_watch_that_has_had_its_time_goes_on_where_it_ended(
    cluster: Counted, namespace: str, until: Any, *, metadata: bool
) -> None:
    """What was told once is not told again, and nothing is left out."""
    path = paths.core(namespace, "configmaps")
    told: list[tuple[str, str]] = []

    async def follow() -> None:
        async for kind, item in cluster.follow(path, metadata=metadata):
            if item["metadata"]["name"].startswith("mine"):
                told.append((kind, item["metadata"]["name"]))

    def goes_on(sent: int, events: int) -> bool:
        return cluster.sent >= sent and len(told) >= events

    await cluster.create(path, {"metadata": {"name": "mine-0"}})
    following = asyncio.create_task(follow())
    try:
        for number in range(1, 3):
            await until(partial(goes_on, cluster.sent + 2, number))
            await cluster.create(path, {"metadata": {"name": f"mine-{number}"}})
        await until(lambda: len(told) >= 3)
    finally:
        following.cancel()
        await asyncio.gather(following, return_exceptions=True)
    assert told == [("ADDED", f"mine-{number}") for number in range(3)]
