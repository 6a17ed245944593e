import json
import time
import uuid
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from kubernetes.aio.config import kube_config

from golive_api.golive import GateState
from golive_decisions.approvals import current_digest
from golive_decisions.deciding import Plan, decide
from golive_dev.waiting import eventually
from golive_operator.carrying_out import CarryingOut
from golive_operator.chronicle import Chronicle
from golive_operator.cluster import Cluster, ConflictError, MissingError
from golive_operator.gathering import Gatherer, Since
from golive_operator.guarding import Guard
from golive_operator.metrics import Metrics
from golive_operator.outside import Outside
from golive_operator.own_writes import Echoes
from golive_operator.preflight_runs import TOKEN_FILE_VARIABLE, PreflightRunner, Runs
from golive_operator.probing import Prober
from golive_operator.recording import Recorder
from golive_operator.retention import Retention
from golive_operator.tokens import secret_reader
from golive_operator.workers import RUN_SECONDS, Reconciler

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
    eventually(lambda: engine_desk.conditions()["PreflightPassed"][0] == "True", 30)
    return engine_desk


class Hand:
    """Looks and writes as the leading operator does, with all the time in the world in between."""

    def __init__(self, cluster: Cluster, desk: Any, epoch: int) -> None:
        self.cluster, self.desk, self.epoch = cluster, desk, epoch
        self.key = (desk.namespace, desk.name)
        self.read_time = datetime.now(UTC)

    async def look(self) -> Plan:
        """Gather and decide; keeps what was read."""
        prober, outside = Prober(), Outside()
        # Without a run of its own: the results in status count on, as for any new leader.
        runs = Runs(PreflightRunner(prober, outside, secret_reader(self.cluster, SYSTEM)))
        self.gatherer = Gatherer(self.cluster, Guard(self.cluster), prober, runs)
        found = await self.gatherer.gather(*self.key, self.epoch)
        self.golive, self.gate, facts = found.golive, found.gate, found.facts
        await outside.close()
        await prober.close()
        self.read_time = facts.read_time
        return decide(facts, 3.0)

    async def write(self, plan: Plan) -> None:
        """Carry out."""
        await CarryingOut(self.cluster, "test", Echoes()).carry_out(self.golive, self.gate, plan)


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
        waiting_desk.approve_when_shown()
        plan = await hand.look()
        change(waiting_desk)
        with pytest.raises((ConflictError, MissingError)):
            await hand.write(plan)
        shut = waiting_desk.is_shut(datetime.now(UTC))
    assert plan.state is GateState.OPEN
    assert shut


async def due_for_renewal(desk: Any, hand: Hand) -> Any:
    """A plan to renew the open gate."""
    before = desk.gate()
    due = datetime.fromisoformat(before.issued_time) + timedelta(seconds=before.ttl_seconds / 3)
    eventually(lambda: datetime.now(UTC) >= due)
    return await hand.look()


@pytest.mark.parametrize("change", [close, delete_gate], ids=lambda change: change.__name__)
async def test_what_changes_between_look_and_write_is_not_renewed(
    waiting_desk: Any, cluster: Cluster, change: Callable[[Any], None]
) -> None:
    """A renewal does not overwrite a person's close."""
    waiting_desk.approve_when_shown()
    epoch = waiting_desk.await_open().epoch
    hand = Hand(cluster, waiting_desk, epoch)
    with waiting_desk.operated.frozen():
        before = waiting_desk.gate()
        plan = await due_for_renewal(waiting_desk, hand)
        change(waiting_desk)
        with pytest.raises(ConflictError):
            await hand.write(plan)
        after = waiting_desk.gate()
    assert plan.gate is not None
    assert plan.gate.state is GateState.OPEN
    assert after is None or after.state == "Closed" or after.valid_until == before.valid_until


async def test_a_renewal_from_before_a_withdrawal_lasts_no_longer_than_what_was_read(
    waiting_desk: Any, cluster: Cluster
) -> None:
    """It is counted from a moment at which there was consent, and the next look shuts it."""
    waiting_desk.approve_when_shown()
    epoch = waiting_desk.await_open().epoch
    hand = Hand(cluster, waiting_desk, epoch)
    with waiting_desk.operated.frozen():
        plan = await due_for_renewal(waiting_desk, hand)
        withdraw(waiting_desk)
        with suppress(ConflictError):  # where status had something to say, too
            await hand.write(plan)
        record = waiting_desk.gate()
    assert plan.renews
    assert record.expires <= hand.read_time + timedelta(seconds=record.ttl_seconds)
    waiting_desk.await_gate("Closed", "ApprovalsMissing")


async def test_an_open_gate_counts_from_look_not_from_write(waiting_desk: Any, cluster: Cluster) -> None:
    """A process that stands still between the two grants no more time than one that does not."""
    epoch = waiting_desk.gate().epoch
    hand = Hand(cluster, waiting_desk, epoch)
    with waiting_desk.operated.frozen():
        waiting_desk.approve_when_shown()
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
        waiting_desk.approve_when_shown()
        plan = await hand.look()
        with pytest.raises(Exception, match="stale leader"):
            await hand.write(plan)
        shut = waiting_desk.is_shut(datetime.now(UTC))
    assert plan.state is GateState.OPEN
    assert shut


@asynccontextmanager
async def looking(hand: Hand) -> AsyncIterator[Reconciler]:
    """Give the hand's eyes and pen to what looks in earnest, with all that the eyes have seen before."""
    prober, outside, metrics = Prober(), Outside(), Metrics()
    runs = Runs(PreflightRunner(prober, outside, secret_reader(hand.cluster, SYSTEM)))
    retention = Retention(keep=10, days=1)
    recorder = Recorder(Chronicle(hand.cluster, metrics, lambda _: None, retention), retention, metrics)
    gatherer = Gatherer(hand.cluster, Guard(hand.cluster), prober, runs)
    carrying_out = CarryingOut(hand.cluster, "test", Echoes())
    hand.gatherer = gatherer
    try:
        yield Reconciler(gatherer, carrying_out, runs, recorder, metrics, hand.epoch, 15.0)
    finally:
        await recorder.close(2)
        await runs.close()
        await outside.close()
        await prober.close()


def stop_engine(desk: Any) -> None:
    """Somebody pulls the emergency stop."""
    desk.stop(f"stop-{uuid.uuid4().hex[:6]}", "a drill")


async def test_what_other_looks_have_read_opens_nothing(new_desk: Callable[..., Any], cluster: Cluster) -> None:
    """The lists at hand say that all is well; they are read anew before opening: somebody has stopped it."""
    desk = new_desk()
    desk.apply()
    desk.await_gate("Closed", "ApprovalsMissing")
    eventually(lambda: desk.conditions()["PreflightPassed"][0] == "True", 15)
    hand = Hand(cluster, desk, desk.gate().epoch)
    async with looking(hand) as reconciler:
        with desk.operated.frozen():
            desk.approve_when_shown()
            heard = time.monotonic()
            read = await hand.gatherer.gather(*hand.key, hand.epoch)
            stop_engine(desk)
            since = Since(heard, live=False)
            stale = await hand.gatherer.gather(*hand.key, hand.epoch, since)
            await reconciler.reconcile(hand.key, heard, since, lambda: None)
            record = desk.gate()
    assert decide(read.facts, 15.0).state is GateState.OPEN
    assert decide(stale.facts, 15.0).state is GateState.OPEN
    assert (record.state, record.reason) == ("Closed", "EmergencyStopApplied")


async def test_a_look_that_shares_counts_from_the_earliest_read(waiting_desk: Any, cluster: Cluster) -> None:
    """What another look has read a moment ago is as old as that read, and so is the lease on the gate."""
    hand = Hand(cluster, waiting_desk, waiting_desk.gate().epoch)
    async with looking(hand):
        with waiting_desk.operated.frozen():
            began = time.monotonic()
            first = (await hand.gatherer.gather(*hand.key, hand.epoch)).facts.read_time
            eventually(lambda: datetime.now(UTC) - first > timedelta(seconds=0.3))
            shared = await hand.gatherer.gather(*hand.key, hand.epoch, Since(began, live=False))
            alone = await hand.gatherer.gather(*hand.key, hand.epoch)
    assert timedelta(0) <= shared.facts.read_time - first < timedelta(seconds=0.3)
    assert alone.facts.read_time - first > timedelta(seconds=0.3)


async def test_what_an_engine_is_is_read_anew_once_something_is_heard(
    waiting_desk: Any, cluster: Cluster
) -> None:
    """Until then what was read a while ago may stand, for an open gate; afterwards it counts no more."""
    hand = Hand(cluster, waiting_desk, waiting_desk.gate().epoch)
    annotation = {"spec": {"template": {"metadata": {"annotations": {"drill": uuid.uuid4().hex}}}}}
    async with looking(hand):
        with waiting_desk.operated.frozen():
            began = time.monotonic()
            before = await hand.gatherer.gather(*hand.key, hand.epoch)
            waiting_desk.admin.call("PATCH", waiting_desk.deployment_path, annotation)
            unheard = await hand.gatherer.gather(*hand.key, hand.epoch, Since(began, live=False))
            heard = await hand.gatherer.gather(*hand.key, hand.epoch, Since(time.monotonic(), live=False))
    assert current_digest(unheard.facts) == current_digest(before.facts)
    assert current_digest(heard.facts) != current_digest(before.facts)


async def test_a_new_request_and_an_opening_wait_a_moment_for_preflight_and_no_longer(
    waiting_desk: Any,
    new_desk: Callable[..., Any],
    cluster: Cluster,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    """One look finds what preflight finds within half a second; of a slower one it is said that it runs."""
    token = tmp_path / "token"
    token.write_text("ey")
    monkeypatch.setenv(TOKEN_FILE_VARIABLE, str(token))
    epoch, desk = waiting_desk.gate().epoch, new_desk()
    hand, woken = Hand(cluster, desk, epoch), []

    async def look(reconciler: Reconciler) -> tuple[str, str]:
        since = Since(time.monotonic(), live=True)
        await reconciler.reconcile(hand.key, since.heard, since, lambda: woken.append(time.monotonic()))
        return desk.gate().reason, desk.conditions()["PreflightPassed"][1]

    desk.misbehave("hang")
    with desk.operated.frozen():
        desk.apply()
        async with looking(hand) as slow:
            began = time.monotonic()
            late = await look(slow)
            took, early = time.monotonic() - began, list(woken)
        desk.misbehave("")
        desk.approve()
        async with looking(hand) as quick:
            opened = await look(quick)
    assert late == ("ApprovalsMissing", "PreflightPending")
    assert not early
    assert RUN_SECONDS <= took < 3, took
    assert opened == ("Open", "PreflightPassed")
