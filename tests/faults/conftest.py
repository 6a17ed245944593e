"""The operator as the chart installs it, behind a proxy that breaks connections, with clocks that can jump."""

import importlib.util
import json
import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import pytest

import golive_dev.faults.clock
from golive_dev.control_plane import ControlPlane
from golive_dev.faults.judging import Law, breaches
from golive_dev.faults.prober import Prober
from golive_dev.faults.proxy import FaultProxy
from golive_dev.faults.rules import Fate, Moment, Rule
from golive_dev.faults.witness import Witness
from golive_dev.node import start_node
from golive_dev.waiting import eventually

ROOT = Path(__file__).parents[2]
NODE = "faulty-node"
SYSTEM = "golive-system"
LEASE = f"/apis/coordination.k8s.io/v1/namespaces/{SYSTEM}/leases/golive-operator"
FAILOVER_SECONDS = 60.0
"""Generous: a Lease's ten seconds, and what a busy machine takes."""

Json = dict[str, Any]


def _integration() -> Any:
    """Desks and people, as the tests of the whole operator have them."""
    spec = importlib.util.spec_from_file_location("operated_desks", ROOT / "tests/integration/conftest.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


integration = _integration()


class Faulty:
    """A cluster with GoLive on it whose operators reach the API server through the proxy."""

    def __init__(self, operated: Any, proxy: FaultProxy) -> None:
        self.operated, self.proxy, self.plane = operated, proxy, operated.plane

    @property
    def admin(self) -> Any:
        """Who may do everything."""
        return self.operated.admin

    def leader(self) -> str:
        """The pod that leads: it holds the Lease, runs, and has renewed lately."""

        def holder() -> str | None:
            name = str(self.operated.lease().get("holderIdentity") or "")
            return name if name in self.operated.operators() else None

        return eventually(holder, FAILOVER_SECONDS)

    def pid(self, pod: str) -> int:
        """Process of an operator."""
        return int(self.operated.pids()[pod])

    def kill_leader(self) -> str:
        """SIGKILL; the pod's name."""
        pod = self.leader()
        os.kill(self.pid(pod), signal.SIGKILL)
        return pod

    def free_the_lease(self) -> None:
        """Spare the tests the ten seconds that a dead leader's Lease lasts: it is given up in its name."""
        self.admin.call("PATCH", LEASE, {"spec": {"holderIdentity": ""}})

    def settle(self, replicas: int = 2) -> None:
        """Wait until so many operators run, one of which leads."""
        if len(self.operated.operators()) != replicas or self._replicas() != replicas:
            self.operated.scale(replicas)
        eventually(lambda: len(self.operated.operators()) == replicas, FAILOVER_SECONDS)
        self.leader()

    def _replicas(self) -> int:
        path = f"/apis/apps/v1/namespaces/{SYSTEM}/deployments/golive-operator"
        return int(self.admin.call("GET", path)["spec"]["replicas"])

    def set_clocks(self, seconds: float) -> None:
        """Set every operator's wall clock ahead, or back."""
        homes = [self._home(pod) for pod in self.operated.operators().values()]
        for home in homes:
            (home / "clock-offset.new").write_text(str(seconds))
            (home / "clock-offset.new").replace(home / "clock-offset")

    def _home(self, pod: Json) -> Path:
        home: Path = self.plane.directory / NODE / "pods" / pod["metadata"]["uid"] / "containers/operator/work"
        return home

    def audited(self, since: float) -> list[Json]:
        """Writes that the API server has answered since a moment, with who sent them; refused ones, too."""
        lines = (self.plane.directory / "audit.log").read_text().splitlines()
        entries = [json.loads(line) for line in lines if line.startswith("{")]
        return [
            entry
            for entry in entries
            if datetime.fromisoformat(entry["stageTimestamp"]).timestamp() >= since
            and "dryRun" not in entry["requestURI"]
        ]

    def written_by(self, pod: str, since: float) -> list[str]:
        """What a pod has written since a moment."""
        return [
            f"{entry['verb']} {entry['requestURI']} {entry['responseStatus']['code']}"
            for entry in self.audited(since)
            if pod in entry["user"].get("extra", {}).get("authentication.kubernetes.io/pod-name", [])
        ]

    @contextmanager
    def blind(self) -> Iterator[None]:
        """No watch of an operator tells anything meanwhile; afterwards each breaks, and has to begin again."""
        hanging = Rule(Moment.FLOWING, Fate.HANG), Rule(Moment.BEFORE, Fate.HANG, watches=True)
        with self.proxy.rule(hanging[0]), self.proxy.rule(hanging[1]):
            yield
        self.proxy.cut_watches()

    @staticmethod
    def await_burned(desk: Any, revision: int) -> None:
        """Wait until the gate is shut for good."""

        def is_burned() -> bool:
            shown = desk.shown_gate()
            return bool((shown["state"], shown["burnedRevision"]) == ("Closed", revision))

        eventually(is_burned, FAILOVER_SECONDS)

    @staticmethod
    def stays_shut(desk: Any, seconds: float = 2.0) -> bool:
        """Whether the gate is shut at every look of a while that holds several of the operator's."""
        ends = time.monotonic() + seconds
        opened = eventually(
            lambda: "opened" if not desk.is_shut(datetime.now(UTC)) else time.monotonic() > ends and "shut",
            seconds + 10,
        )
        return opened == "shut"

    @contextmanager
    def frozen(self, pod: str) -> Iterator[int]:
        """One operator stands still meanwhile."""
        pid = self.pid(pod)
        os.kill(pid, signal.SIGSTOP)
        try:
            yield pid
        finally:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT)


class Watched:
    """What a witness and a prober have seen of one desk."""

    def __init__(self, witness: Witness, prober: Prober) -> None:
        self.witness, self.prober = witness, prober

    def breaches(self, **law: Any) -> list[str]:
        """Everything that must not have been."""
        return breaches(self.witness.requests, self.witness.gates, self.prober.yeses, Law(**law))

    def await_yes(self, seconds: float = 30.0) -> float:
        """Wait until an order may pass from now on; when that was."""
        began = time.time()
        eventually(lambda: self.prober.yeses and self.prober.yeses[-1].ended > began, seconds)
        return self.prober.yeses[-1].ended

    def await_no(self, seconds: float = 30.0) -> float:
        """Wait until no order may pass; when the last one could."""
        eventually(lambda: not self.prober.trades, seconds)
        return self.prober.yeses[-1].ended

    @property
    def epochs(self) -> list[int]:
        """Epochs of the gate, in order."""
        found = [int(seen.body["data"]["epoch"]) for seen in self.witness.gates if seen.body]
        return list(dict.fromkeys(found))


@pytest.fixture(scope="session")
def faulty() -> Iterator[Faulty]:
    """Give a cluster whose faults are made on purpose; for all tests of this folder one."""
    with ControlPlane() as plane, FaultProxy(plane) as proxy:
        start_node(plane, NODE, sync_seconds=0.2, backoff_base_seconds=0.1, backoff_cap_seconds=0.5)
        environment = [
            {"name": "KUBERNETES_SERVICE_HOST", "value": "127.0.0.1"},
            {"name": "KUBERNETES_SERVICE_PORT", "value": str(proxy.port)},
            {"name": "PYTHONPATH", "value": str(Path(golive_dev.faults.clock.__file__).parent)},
        ]
        settings = ["--set-json", f"extraEnv={json.dumps(environment)}"]
        settings += ["--set-json", "operator.resyncSeconds=0.5", "--namespace", SYSTEM, "--create-namespace"]
        plane.run("helm", "install", "golive", ROOT / "charts/golive", *settings)
        for folder in ("profiles", "policies/default.yaml"):
            eventually(partial(plane.kubectl, "apply", "-f", ROOT / "config" / folder), 30)
        operated = integration.Operated(plane)
        eventually(lambda: len(operated.operators()) == 2, 60)
        yield Faulty(operated, proxy)
        operated.close()


@pytest.fixture(autouse=True)
def _two_operators_afterwards(request: pytest.FixtureRequest) -> Iterator[None]:
    """Leave two operators with the right time, one of them leading."""
    yield
    if "faulty" in request.fixturenames:
        faulty: Faulty = request.getfixturevalue("faulty")
        faulty.settle()
        faulty.set_clocks(0)


@pytest.fixture(scope="module")
def new_desk(faulty: Faulty) -> Iterator[Callable[..., Any]]:
    """Give a function that makes desks; their namespaces are deleted with the module."""
    desks: list[Any] = []

    def make(*, engine: bool = True) -> Any:
        desks.append(eventually(lambda: integration.make_desk(faulty.operated, engine=engine), 30))
        return desks[-1]

    yield make
    for desk in desks:
        faulty.admin.call("DELETE", f"/api/v1/namespaces/{desk.namespace}")


@pytest.fixture(scope="module")
def desk(new_desk: Callable[..., Any]) -> Any:
    """Give the module's desk, its engine at work; each test asks anew."""
    return new_desk()


@pytest.fixture
def watched(faulty: Faulty, desk: Any) -> Iterator[Watched]:
    """Give a witness and a prober of the module's desk."""
    with (
        Witness(faulty.plane, desk.namespace, desk.name) as witness,
        Prober(faulty.plane, desk.namespace, desk.name, desk.engine) as prober,
    ):
        yield Watched(witness, prober)


@pytest.fixture
def ask(desk: Any) -> Callable[..., Any]:
    """Give a function that has the desk's request made (anew), approved and opened."""

    def open_anew(ttl_seconds: int = 5, *, approve: bool = True, max_gap_seconds: int = 300) -> Any:
        wanted = {
            "gate": {"ttlSeconds": ttl_seconds},
            "observation": {"maxGapSeconds": max_gap_seconds},
            "preflight": {"maxAgeSeconds": 90},  # so that results outlast a failover, as they do by default
        }
        if desk.admin.find(desk.path) is None:
            eventually(lambda: desk.apply(**wanted), 30)
        else:
            eventually(lambda: desk.edit(activation="Disabled", request=wanted), 30)
            eventually(lambda: desk.edit(activation="Enabled"), 30)
        desk.await_gate("Closed", "ApprovalsMissing", FAILOVER_SECONDS)
        if not approve:
            return None
        desk.approve_when_shown()
        return desk.await_open(FAILOVER_SECONDS)

    return open_anew


@pytest.fixture
def person() -> Iterator[Callable[..., Any]]:
    """Give a function that connects a person anew, for calls from another thread."""
    people: list[Any] = []

    def connect(plane: ControlPlane, user: str) -> Any:
        people.append(integration.Person(plane, user))
        return people[-1]

    yield connect
    for each in people:
        each.close()
