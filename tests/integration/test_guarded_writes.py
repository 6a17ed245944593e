import json
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from kubernetes.aio.config import kube_config

from golive_api.golive import GateState
from golive_decisions.deciding import Plan, decide
from golive_dev.waiting import eventually
from golive_operator.carrying_out import CarryingOut
from golive_operator.cluster import Cluster, ConflictError, MissingError
from golive_operator.gathering import Gatherer
from golive_operator.guarding import Guard
from golive_operator.probing import Prober

SYSTEM = "golive-system"
NODE = "operated-node"


def operator_token(operated: Any) -> str:
    """A token of the operator's account, bound to one of its pods, as that pod's kubelet asks for it."""
    name, pod = next(iter(operated.operators().items()))
    bound = [
        "--bound-object-kind=Pod",
        f"--bound-object-name={name}",
        f"--bound-object-uid={pod['metadata']['uid']}",
    ]
    words = ["create", "token", "golive-operator", "-n", SYSTEM, *bound]
    answer = operated.plane.kubectl(*words, user=f"system:node:{NODE}", groups=["system:nodes"])
    return str(answer.stdout.strip())


@pytest.fixture
async def cluster(operated: Any, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Cluster]:
    """Give the operator's own connection, held by the test: it may stop between any two requests."""
    plane = operated.plane
    server = {"server": plane.url, "certificate-authority": str(plane.ca_file)}
    content = {
        "clusters": [{"name": "c", "cluster": server}],
        "users": [{"name": "u", "user": {"token": operator_token(operated)}}],
        "contexts": [{"name": "c", "context": {"cluster": "c", "user": "u"}}],
        "current-context": "c",
    }
    path = plane.directory / "operator.kubeconfig"
    path.write_text(json.dumps(content))
    monkeypatch.setattr(kube_config, "KUBE_CONFIG_DEFAULT_LOCATION", str(path))
    async with Cluster() as connected:
        yield connected


@pytest.fixture(scope="module")
def engine_desk(new_desk: Callable[..., Any]) -> Any:
    """Give a namespace with an engine at work."""
    return new_desk()


@pytest.fixture
def waiting_desk(engine_desk: Any) -> Any:
    """Give a new GoLive that lacks nothing but an approval."""
    if engine_desk.admin.find(engine_desk.path):
        engine_desk.person("trader").call("DELETE", engine_desk.path)
    engine_desk.apply()
    engine_desk.await_gate("Closed", "ApprovalsMissing")
    return engine_desk


class Hand:
    """Looks and writes as the leading operator does, with all the time in the world in between."""

    def __init__(self, cluster: Cluster, desk: Any, epoch: int) -> None:
        self.cluster, self.desk, self.epoch = cluster, desk, epoch
        self.read_time = datetime.now(UTC)

    async def look(self) -> Plan:
        """Gather and decide; keeps what was read."""
        prober = Prober()
        gatherer = Gatherer(self.cluster, Guard(self.cluster), prober, 1)
        key = (self.desk.namespace, self.desk.name)
        self.golive, self.gate, facts = await gatherer.gather(*key, self.epoch)
        await prober.close()
        self.read_time = facts.read_time
        return decide(facts, 3.0)

    async def write(self, plan: Plan) -> None:
        """Carry out."""
        await CarryingOut(self.cluster, "test").carry_out(self.golive, self.gate, plan)


def withdraw(desk: Any) -> None:
    """The approver takes the consent back."""
    desk.person("approver").call("PATCH", desk.path, {"spec": {"approvals": []}})


def disable(desk: Any) -> None:
    """The requester no longer wants it."""
    desk.edit(activation="Disabled")


def delete(desk: Any) -> None:
    """The GoLive goes."""
    desk.person("trader").call("DELETE", desk.path)


def delete_gate(desk: Any) -> None:
    """The emergency brake."""
    desk.delete_gate()


def close(desk: Any) -> None:
    """A person sets the gate to Closed."""
    desk.person("trader").call("PATCH", desk.gate_path, {"data": {"state": "Closed"}})


@pytest.mark.parametrize("change", [withdraw, disable, delete, delete_gate], ids=lambda change: change.__name__)
async def test_what_changes_between_look_and_write_keeps_the_gate_shut(
    waiting_desk: Any, cluster: Cluster, change: Callable[[Any], None]
) -> None:
    """A plan to open is void once the object or its gate is not what it was made from."""
    epoch = waiting_desk.gate().epoch
    hand = Hand(cluster, waiting_desk, epoch)
    with waiting_desk.operated.frozen():
        waiting_desk.approve()
        plan = await hand.look()
        change(waiting_desk)
        with pytest.raises((ConflictError, MissingError)):
            await hand.write(plan)
        shut = waiting_desk.is_shut(datetime.now(UTC))
    assert plan.state is GateState.OPEN
    assert shut


@pytest.mark.parametrize("change", [close, delete_gate, withdraw], ids=lambda change: change.__name__)
async def test_what_changes_between_look_and_write_is_not_renewed(
    waiting_desk: Any, cluster: Cluster, change: Callable[[Any], None]
) -> None:
    """A renewal does not overwrite a person's close, nor outlive an approval."""
    eventually(waiting_desk.approve)
    epoch = waiting_desk.await_open().epoch
    hand = Hand(cluster, waiting_desk, epoch)
    with waiting_desk.operated.frozen():
        before = waiting_desk.gate()
        due = datetime.fromisoformat(before.issued_time) + timedelta(seconds=before.ttl_seconds / 3)
        eventually(lambda: datetime.now(UTC) >= due)
        plan = await hand.look()
        change(waiting_desk)
        with pytest.raises(ConflictError):
            await hand.write(plan)
        after = waiting_desk.gate()
    assert plan.gate is not None
    assert plan.gate.state is GateState.OPEN
    assert after is None or after.state == "Closed" or after.valid_until == before.valid_until


async def test_an_open_gate_counts_from_look_not_from_write(waiting_desk: Any, cluster: Cluster) -> None:
    """A process that stands still between the two grants no more time than one that does not."""
    epoch = waiting_desk.gate().epoch
    hand = Hand(cluster, waiting_desk, epoch)
    with waiting_desk.operated.frozen():
        waiting_desk.approve()
        plan = await hand.look()
        eventually(lambda: datetime.now(UTC) - hand.read_time > timedelta(seconds=1))
        await hand.write(plan)
        record = waiting_desk.gate()
    assert record.state == "Open"
    assert record.expires == hand.read_time + timedelta(seconds=record.ttl_seconds)


async def test_a_leader_of_an_earlier_epoch_can_open_nothing(waiting_desk: Any, cluster: Cluster) -> None:
    """The API server refuses it, whatever it believes."""
    epoch = waiting_desk.gate().epoch
    hand = Hand(cluster, waiting_desk, epoch - 1)
    with waiting_desk.operated.frozen():
        waiting_desk.approve()
        plan = await hand.look()
        with pytest.raises(Exception, match="stale leader"):
            await hand.write(plan)
        shut = waiting_desk.is_shut(datetime.now(UTC))
    assert plan.state is GateState.OPEN
    assert shut
