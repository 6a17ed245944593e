"""An API server that knows the kinds, an operator's connection to it, and a GoLive to be recorded."""

from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from kubernetes.aio.config import kube_config

from golive_api.golive import GoLiveSpec, GoLiveStatus
from golive_api.record import GoLiveRecordSpec
from golive_decisions.acts import Sight
from golive_decisions.noticing import Notice
from golive_dev.control_plane import ControlPlane
from golive_dev.waiting import eventually
from golive_operator import paths
from golive_operator.chronicle import Chronicle
from golive_operator.cluster import Cluster
from golive_operator.metrics import Metrics
from golive_operator.own_writes import Echoes
from golive_operator.record_store import RecordStore
from golive_operator.retention import Retention

ROOT = Path(__file__).parents[2]
DIGEST = ".".join(["a" * 64, "b" * 64, "c" * 64])


@pytest.fixture(scope="session")
def plane() -> Iterator[ControlPlane]:
    """Give an API server with the kinds and without policies: the administrator acts as the operator."""
    with ControlPlane(scheduler=False, controller_manager=False) as plane:
        plane.kubectl("apply", "--server-side", "-f", ROOT / "crds")
        eventually(lambda: plane.kubectl("get", "goliverecords", "-A", check=False).returncode == 0)
        yield plane


@pytest.fixture
async def cluster(plane: ControlPlane, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Cluster]:
    """Give the operator's connection."""
    monkeypatch.setattr(kube_config, "KUBE_CONFIG_DEFAULT_LOCATION", str(plane.admin))
    async with Cluster() as connected:
        yield connected


@pytest.fixture
def records_namespace(plane: ControlPlane, request: pytest.FixtureRequest) -> str:
    """Give a namespace of the test's own."""
    name = f"r{abs(hash(request.node.nodeid)) % 10**10}"
    plane.kubectl("create", "namespace", name)
    return name


@dataclass
class Book:
    """One GoLive, whatever writes its records, and all that people were told."""

    cluster: Cluster
    namespace: str
    told: list[Notice]
    metrics: Metrics
    retention: Retention
    name: str = "perps"

    def chronicle(self, echoes: Echoes | None = None) -> Chronicle:
        """An operator's hand; two of them are two operators."""
        return Chronicle(self.cluster, self.metrics, self.told.append, self.retention, echoes)

    async def create(self, **spec: Any) -> dict[str, Any]:
        """Make the GoLive."""
        body = {
            "apiVersion": "golive.dev/v1alpha1",
            "kind": "GoLive",
            "metadata": {"name": self.name, "namespace": self.namespace},
            "spec": {
                "activation": "Enabled",
                "request": {"engineRef": {"name": "perps-engine"}, "accounts": ["main"]},
                "revision": 1,
                "requestedBy": "trader",
                **spec,
            },
        }
        return await self.cluster.create(paths.golives(self.namespace), body)

    async def read(self) -> dict[str, Any]:
        """The GoLive as it is."""
        return await self.cluster.get(paths.golive(self.namespace, self.name))

    async def edit(self, *approvers: str) -> None:
        """Have people approve."""
        golive = await self.read()
        uid = golive["metadata"]["uid"]
        approvals = [{"user": user, "revision": 1, "uid": uid, "digest": DIGEST} for user in approvers]
        path = paths.golive(self.namespace, self.name)
        await self.cluster.patch(path, {"spec": {"approvals": approvals}})

    async def sight(self, state: str = "Closed", reason: str = "ApprovalsMissing", **history: Any) -> Sight:
        """What an operator sees, after it has written status."""
        gate = {"state": state, "reason": reason, "epoch": 1, "serial": 1}
        status = {"gate": gate, "digest": DIGEST, "history": {"requestRevision": 1, **history}}
        path = paths.golive(self.namespace, self.name, "status")
        golive = await self.cluster.patch(path, {"status": status})
        return sight_of(golive)

    async def chain(self) -> list[GoLiveRecordSpec]:
        """The records that stand in the cluster."""
        return await RecordStore(self.cluster).chain(self.namespace, self.name)


def sight_of(golive: dict[str, Any]) -> Sight:
    """What an operator sees of an object."""
    metadata = golive["metadata"]
    return Sight(
        namespace=metadata["namespace"],
        name=metadata["name"],
        uid=metadata["uid"],
        generation=metadata["generation"],
        time=datetime.now(UTC),
        spec=GoLiveSpec.model_validate(golive["spec"]),
        status=GoLiveStatus.model_validate(golive.get("status") or {}),
        gate=None,
        stops=(),
        test_notice=(metadata.get("annotations") or {}).get("golive.dev/test-notice", ""),
    )


@pytest.fixture
async def book(cluster: Cluster, records_namespace: str) -> Book:
    """Give a GoLive of which nothing is recorded."""
    book = Book(cluster, records_namespace, [], Metrics(), Retention(keep=10_000, days=400))
    await book.create()
    return book


@pytest.fixture
def new_book() -> type[Book]:
    """Give what makes a book on another control plane."""
    return Book
