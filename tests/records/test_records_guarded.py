"""Records under the chart's policies: the operator may do all that recording needs, and nobody else may."""

import json
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
from kubernetes.aio.config import kube_config

from golive_api.record import Act, breaks
from golive_dev.control_plane import ControlPlane
from golive_dev.waiting import eventually
from golive_operator import paths
from golive_operator.cluster import Cluster, DeniedError
from golive_operator.metrics import Metrics
from golive_operator.record_store import record_object
from golive_operator.retention import Retention

ROOT = Path(__file__).parents[2]
SYSTEM = "golive-system"
NODE = "records-node"


def operator_token(plane: ControlPlane) -> str:
    """A token of the operator's account, bound to a pod, as that pod's kubelet asks for it."""
    source = {"serviceAccountToken": {"path": "token"}}
    pod = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "operator-0", "namespace": SYSTEM},
        "spec": {
            "serviceAccountName": "golive-operator",
            "nodeName": NODE,
            "containers": [{"name": "operator", "image": "none"}],
            "volumes": [{"name": "token", "projected": {"sources": [source]}}],
        },
    }
    plane.kubectl("create", "-f", "-", stdin=json.dumps(pod))
    uid = plane.kubectl("get", "pod", "operator-0", "-n", SYSTEM, "-o", "jsonpath={.metadata.uid}").stdout
    bound = ["--bound-object-kind=Pod", "--bound-object-name=operator-0", f"--bound-object-uid={uid}"]
    words = ["create", "token", "golive-operator", "-n", SYSTEM, *bound]
    node = f"system:node:{NODE}"
    return eventually(lambda: plane.kubectl(*words, user=node, groups=["system:nodes"]).stdout, 30).strip()


@pytest.fixture(scope="module")
def guarded() -> Iterator[tuple[ControlPlane, str]]:
    """Give a control plane with the chart on it, and the operator's kubeconfig."""
    with ControlPlane(scheduler=False, controller_manager=False) as plane:
        plane.kubectl("create", "namespace", SYSTEM)
        chart = plane.run("helm", "template", "golive", ROOT / "charts/golive", "-n", SYSTEM)
        plane.kubectl("apply", "--server-side", "-f", "-", stdin=chart.stdout)
        server = {"server": plane.url, "certificate-authority": str(plane.ca_file)}
        content = {
            "clusters": [{"name": "c", "cluster": server}],
            "users": [{"name": "u", "user": {"token": operator_token(plane)}}],
            "contexts": [{"name": "c", "context": {"cluster": "c", "user": "u"}}],
            "current-context": "c",
        }
        path = plane.directory / "operator.kubeconfig"
        path.write_text(json.dumps(content))
        eventually(lambda: refused(plane), 60)
        yield plane, str(path)


def refused(plane: ControlPlane) -> bool:
    """Whether the policy bites already."""
    body = {
        "apiVersion": "golive.dev/v1alpha1",
        "kind": "GoLiveRecord",
        "metadata": {"name": "seed-0000000001", "namespace": "default"},
        "spec": {
            "golive": "seed",
            "uid": "u",
            "sequence": 1,
            "time": "2026-11-20T12:00:00Z",
            "act": "Approved",
            "revision": 1,
            "reason": "Open",
            "previousHash": "0" * 64,
            "hash": "0" * 64,
        },
    }
    done = plane.kubectl("create", "--dry-run=server", "-f", "-", stdin=json.dumps(body), check=False)
    return "'golive-records'" in done.stderr


async def connected(monkeypatch: pytest.MonkeyPatch, kubeconfig: str) -> AsyncIterator[Cluster]:
    """A connection with a kubeconfig."""
    monkeypatch.setattr(kube_config, "KUBE_CONFIG_DEFAULT_LOCATION", kubeconfig)
    async with Cluster() as cluster:
        yield cluster


@pytest.fixture
async def admin(guarded: Any, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Cluster]:
    """Who may do everything that no policy forbids."""
    async for cluster in connected(monkeypatch, str(guarded[0].admin)):
        yield cluster


@pytest.fixture
async def hand(guarded: Any, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Cluster]:
    """The operator's account in a running pod."""
    async for cluster in connected(monkeypatch, guarded[1]):
        yield cluster


@pytest.fixture
async def guarded_book(guarded: Any, admin: Cluster, hand: Cluster, new_book: Any) -> Any:
    """A GoLive whose status and records the operator's own account writes."""
    namespace = "guarded"
    guarded[0].kubectl("create", "namespace", namespace)
    book = new_book(admin, namespace, [], Metrics(), Retention(keep=10_000, days=400))
    await book.create(requestedBy="admin")
    book.cluster = hand
    return book


async def test_the_operators_account_may_record_and_prune_and_others_may_not(
    guarded_book: Any, admin: Cluster, hand: Cluster
) -> None:
    """Not even an administrator writes, edits or deletes one."""
    await guarded_book.chronicle().follow(await guarded_book.sight(reason="EngineNotRunning"))
    first, second = await guarded_book.chain()
    assert (first.act, second.act) == (Act.REQUESTED, Act.ATTEMPT_FAILED)
    forged = second.model_copy(update={"sequence": 3, "previous_hash": second.hash}).sealed()
    where = paths.records(guarded_book.namespace)
    with pytest.raises(DeniedError, match="golive-records"):
        await admin.create(where, record_object(forged))
    with pytest.raises(DeniedError, match="golive-records"):
        await admin.delete(f"{where}/perps-0000000001")
    with pytest.raises(DeniedError, match="golive-records"):
        await admin.patch(f"{where}/perps-0000000001", {"metadata": {"labels": {"golive.dev/golive": None}}})
    guarded_book.retention = Retention(keep=1, days=400)
    await guarded_book.chronicle().follow(await guarded_book.sight(reason="EngineNotRunning"))
    assert [record.sequence for record in await guarded_book.chain()] == [2]
    recorded = (await guarded_book.read())["status"]["recorded"]
    anchor = (recorded["anchorSequence"], recorded["anchorHash"])
    assert breaks(await guarded_book.chain(), anchor) == []
    path = paths.golive(guarded_book.namespace, "perps", "status")
    with pytest.raises(DeniedError, match="golive-status"):
        await hand.patch(path, {"status": {"recorded": {"sequence": 1}}})
