from collections.abc import AsyncIterator
from typing import Any

import pytest
from kubernetes.aio.config import kube_config

from golive_dev.control_plane import ControlPlane
from golive_operator import paths
from golive_operator.cluster import Cluster, MissingError, UnavailableError

WRITES: dict[str, Any] = {
    "creates": lambda cluster, path: cluster.create(path, {"metadata": {"name": "late"}}),
    "patches": lambda cluster, path: cluster.patch(f"{path}/there", {"data": {"a": "2"}}),
    "deletes": lambda cluster, path: cluster.delete(f"{path}/there"),
}


@pytest.fixture
async def cluster(control_plane: ControlPlane, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Cluster]:
    """Give the operator's client as an administrator."""
    monkeypatch.setattr(kube_config, "KUBE_CONFIG_DEFAULT_LOCATION", str(control_plane.admin))
    async with Cluster() as connected:
        yield connected


@pytest.mark.parametrize("what", WRITES)
async def test_nobody_who_has_ceased_to_lead(cluster: Cluster, namespace: str, what: str) -> None:
    """Its client looks, and no longer writes: it is asked before each write, however it came to it."""
    leads = True
    fenced, path = cluster.fenced(lambda: leads), paths.core(namespace, "configmaps")
    await fenced.create(path, {"metadata": {"name": "there"}, "data": {"a": "1"}})
    leads = False
    with pytest.raises(UnavailableError, match="leadership is over"):
        await WRITES[what](fenced, path)
    assert (await fenced.get(f"{path}/there"))["data"] == {"a": "1"}
    with pytest.raises(MissingError):
        await cluster.get(f"{path}/late")
