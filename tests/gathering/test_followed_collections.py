"""A collection is listed once, then watched on and on."""

import asyncio
from collections.abc import AsyncIterator
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
    """Give an administrator's connection, whose watches last for a second."""
    monkeypatch.setattr(kube_config, "KUBE_CONFIG_DEFAULT_LOCATION", str(control_plane.admin))
    monkeypatch.setattr(connection, "WATCH_SECONDS", 1)
    async with Counted() as connected:
        yield connected


@pytest.mark.parametrize("metadata", [True, False], ids=["metadata", "whole objects"])
async def test_a_watch_that_has_had_its_time_goes_on_where_it_ended(
    cluster: Counted, namespace: str, *, metadata: bool
) -> None:
    """What was told once is not told again, and nothing is left out."""
    path = paths.core(namespace, "configmaps")
    told: list[tuple[str, str]] = []

    async def follow() -> None:
        async for kind, item in cluster.follow(path, metadata=metadata):
            if item["metadata"]["name"].startswith("mine"):
                told.append((kind, item["metadata"]["name"]))

    await cluster.create(path, {"metadata": {"name": "mine-0"}})
    following = asyncio.create_task(follow())
    try:
        for number in range(1, 3):
            sent = cluster.sent
            async with asyncio.timeout(20):
                while cluster.sent < sent + 2 or len(told) < number:  # noqa: ASYNC110  # no event tells of it
                    await asyncio.sleep(0.02)
            await cluster.create(path, {"metadata": {"name": f"mine-{number}"}})
        async with asyncio.timeout(20):
            while len(told) < 3:  # noqa: ASYNC110  # same
                await asyncio.sleep(0.02)
    finally:
        following.cancel()
        await asyncio.gather(following, return_exceptions=True)
    assert told == [("ADDED", f"mine-{number}") for number in range(3)]
