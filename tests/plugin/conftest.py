"""A control plane with the chart's kinds, roles and policies, the operator's hand, the engine's other side.

No operator runs: tests write gate and status with its identity, and the API server's policies judge that too.
"""

import contextlib
import json
import os
import socket
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import yaml

from golive_api.acknowledgement import Acknowledgement, lease_name
from golive_api.digest import combined
from golive_api.gate import GATE_LABEL, GateRecord, gate_name
from golive_api.values import render_time
from golive_dev.control_plane import ControlPlane
from golive_dev.waiting import eventually
from kubectl_golive.cluster import (
    Cluster,
    config_map_path,
    golive_path,
    lease_path,
    policy_path,
    profile_path,
)
from kubectl_golive.kubeconfig import Access, read_access
from kubectl_golive.problems import Problem

ROOT = Path(__file__).parents[2]
SYSTEM = "golive-system"
NODE = "plugin-node"
POD = "perps-engine-0"
RBAC = "/apis/rbac.authorization.k8s.io/v1"
MERGE = "merge-patch+json"
DEFAULT_PROFILE = "low"
"""What the operator here takes where a request names no profile."""

Document = dict[str, Any]


@dataclass(frozen=True)
class Bench:
    """The servers, and connections of the two identities that prepare what a test needs."""

    plane: ControlPlane
    admin: Cluster
    operator: Cluster

    def call_as(
        self, user: str, method: str, path: str, body: Document | None = None, **media: str
    ) -> Document:
        """Send one request as a person."""
        with closing(Cluster(read_access(str(self.plane.kubeconfig(user)), None))) as person:
            return person.call(method, path, body, **media)


@pytest.fixture(scope="session")
def bench() -> Iterator[Bench]:
    """Install the chart without a pod of it."""
    with ControlPlane(scheduler=False, controller_manager=False) as plane:
        plane.kubectl("create", "namespace", SYSTEM)
        rendered = plane.run("helm", "template", "golive", ROOT / "charts/golive", "-n", SYSTEM)
        plane.kubectl("apply", "--server-side", "-f", "-", stdin=rendered.stdout)
        eventually(lambda: plane.kubectl("apply", "-f", ROOT / "config/profiles", check=False).returncode == 0)
        access = read_access(str(plane.admin), None)
        with closing(Cluster(access)) as admin, closing(Cluster(_operator(plane, access))) as operator:
            yield Bench(plane, admin, operator)


def _operator(plane: ControlPlane, admin: Access) -> Access:
    """The operator's ServiceAccount, with a token bound to a pod, as a kubelet asks for it."""
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
    token = ["create", "token", "golive-operator", "-n", SYSTEM, *bound]
    minted = eventually(
        lambda: plane.kubectl(*token, user=f"system:node:{NODE}", groups=["system:nodes"]).stdout
    )
    return Access(server=admin.server, authority=admin.authority, token=minted.strip())


class Done(NamedTuple):
    """What a run has left."""

    returncode: int
    stdout: str
    stderr: str


@dataclass
class Desk:
    """One namespace with what a test does in it."""

    bench: Bench
    namespace: str

    def grant(self, user: str, role: str) -> None:
        """Bind a ClusterRole in this namespace."""
        self._bind("ClusterRole", role, user)

    def grant_only(self, user: str, *rules: tuple[str, str, str]) -> None:
        """Let somebody do nothing but this: API group, resource, verbs."""
        rows = [{"apiGroups": [g], "resources": [r], "verbs": v.split(",")} for g, r, v in rules]
        body = {"metadata": {"name": user}, "rules": rows}
        self.bench.admin.call("POST", f"{RBAC}/namespaces/{self.namespace}/roles", body)
        self._bind("Role", user, user)

    def _bind(self, kind: str, role: str, user: str) -> None:
        group = "rbac.authorization.k8s.io"
        body = {
            "metadata": {"name": f"{user}-{role}"},
            "roleRef": {"apiGroup": group, "kind": kind, "name": role},
            "subjects": [{"apiGroup": group, "kind": "User", "name": user}],
        }
        self.bench.admin.call("POST", f"{RBAC}/namespaces/{self.namespace}/rolebindings", body)

    def start(self, *arguments: str, user: str = "trader", **environment: str) -> subprocess.Popen[str]:
        """Run the plugin as a person, away from any terminal."""
        return subprocess.Popen(
            [sys.executable, "-P", "-m", "kubectl_golive", *arguments, "-n", self.namespace],
            env=os.environ | {"KUBECONFIG": str(self.bench.plane.kubeconfig(user))} | environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(self, *arguments: str, user: str = "trader", **environment: str) -> Done:
        """The same, to its end."""
        with self.start(*arguments, user=user, **environment) as process:
            stdout, stderr = process.communicate(timeout=60)
        return Done(process.returncode, stdout, stderr)

    def request(self, name: str = "perps", **spec: Any) -> Document:
        """Let trader ask for real trading."""
        request = {"engineRef": {"name": "perps-engine"}, "profile": "micro", "accounts": ["main"]}
        golive = {
            "apiVersion": "golive.dev/v1alpha1",
            "kind": "GoLive",
            "metadata": {"name": name},
            "spec": {"activation": "Enabled", "request": request, "requestedBy": "trader", "revision": 1}
            | spec,
        }
        path = golive_path(self.namespace)
        return eventually(lambda: self.bench.call_as("trader", "POST", path, golive))

    def read(self, name: str = "perps") -> Document:
        """The GoLive as it is."""
        return self.bench.admin.call("GET", golive_path(self.namespace, name))

    def digest(self, golive: Document) -> str:
        """What the operator would compute."""
        name = golive["spec"]["request"].get("profile") or DEFAULT_PROFILE
        profile = self.bench.admin.call("GET", profile_path(name))
        return combined(golive["spec"]["request"], profile["spec"]["limits"], {"pods": "as approved"})

    def bound(self, **spec: Any) -> str:
        """Let an administrator bound this namespace; returns the policy's name."""
        policy = {
            "apiVersion": "golive.dev/v1alpha1",
            "kind": "ActivationPolicy",
            "metadata": {"name": f"{self.namespace}-{uuid.uuid4().hex[:4]}"},
            "spec": {"namespaces": [self.namespace]} | spec,
        }
        made = eventually(lambda: self.bench.admin.call("POST", policy_path(), policy))
        return str(made["metadata"]["name"])

    def edit(self, change: Document, *, user: str = "trader", name: str = "perps") -> Document:
        """Write something into the GoLive as a person."""
        return self.bench.call_as(user, "PATCH", golive_path(self.namespace, name), change, kind=MERGE)

    def decide(self, name: str = "perps", **status: Any) -> Document:
        """Write status as the operator does."""
        golive = self.read(name)
        body = {"observedGeneration": golive["metadata"]["generation"], "digest": self.digest(golive)} | status
        path = f"{golive_path(self.namespace, name)}/status"
        return eventually(lambda: self.bench.operator.call("PATCH", path, {"status": body}, kind=MERGE))

    def open_gate(self, name: str = "perps", *, seconds: float = 15, ttl_seconds: int = 15) -> None:
        """Write an open gate as the operator does: born closed, then opened."""
        golive = self.read(name)
        now = datetime.now(UTC)
        profile = self.bench.admin.call("GET", profile_path("micro"))
        fields = {
            "namespace": self.namespace,
            "name": name,
            "uid": golive["metadata"]["uid"],
            "engine": "perps-engine",
            "environment": "production",
            "epoch": 1,
            "revision": golive["spec"]["revision"],
            "digest": self.digest(golive),
            "profile": "micro",
            "limits": profile["spec"]["limits"],
            "accounts": ["main"],
            "requestedBy": golive["spec"]["requestedBy"],
            "issuedTime": render_time(now),
            "validUntil": render_time(now + timedelta(seconds=seconds)),
            "ttlSeconds": ttl_seconds,
        }
        metadata = {"name": gate_name(name), "labels": {GATE_LABEL: name}}
        born = {"state": "Closed", "reason": "ApprovalsMissing", "serial": 1}
        opened = {"state": "Open", "reason": "Open", "serial": 2, "message": "every check holds"}
        operator, path = self.bench.operator, config_map_path(self.namespace)
        eventually(lambda: operator.call("POST", path, {"metadata": metadata, "data": _data(fields | born)}))
        operator.call("PATCH", f"{path}/{gate_name(name)}", {"data": _data(fields | opened)}, kind=MERGE)
        self.decide(name, gate=opened_status(fields))


def opened_status(fields: Document) -> Document:
    """status.gate of an open gate."""
    return {"state": "Open", "reason": "Open", "epoch": 1, "serial": 2, "validUntil": fields["validUntil"]}


def _data(fields: Document) -> dict[str, str]:
    return GateRecord.model_validate(fields).data()


@pytest.fixture
def desk(bench: Bench) -> Desk:
    """Give a test a namespace with a trader, who may ask and close, and an approver."""
    namespace = f"desk-{uuid.uuid4().hex[:8]}"
    for cluster in (bench.admin, bench.operator):
        cluster.close()  # the server may have hung up while other files' tests ran
    bench.admin.call("POST", "/api/v1/namespaces", {"metadata": {"name": namespace}})
    given = Desk(bench, namespace)
    for user, role in (("trader", "golive-edit"), ("trader", "golive-closer"), ("approver", "golive-approver")):
        given.grant(user, role)
    return given


class Preflight(threading.Thread):
    """The operator's answer to requests for a run: writes the same checks each time, until it is stopped."""

    def __init__(self, desk: Desk, checks: list[Document], checklist: list[Document]) -> None:
        super().__init__(daemon=True)
        self._desk, self._found = desk, {"checks": checks, "checklist": checklist}
        self._over = threading.Event()
        self.answered: list[str] = []

    def run(self) -> None:
        """Look, answer what is new."""
        while not self._over.wait(0.02):
            asked = self._desk.read()["metadata"].get("annotations", {}).get("golive.dev/preflight-requested")
            if asked and asked not in self.answered:
                self.answered.append(asked)
                run = {"requestSeen": asked, "runTime": render_time(_now())}
                self._desk.decide(preflight=self._found | run)

    def stop(self) -> None:
        """Answer nobody any more."""
        self._over.set()
        self.join()


@pytest.fixture
def preflight(desk: Desk) -> Iterator[Callable[..., Preflight]]:
    """Give a function that lets requests for a run of preflight be answered."""
    answering: list[Preflight] = []

    def start(checks: list[Document], checklist: list[Document] | None = None) -> Preflight:
        answering.append(Preflight(desk, checks, checklist or []))
        answering[-1].start()
        return answering[-1]

    yield start
    for one in answering:
        one.stop()


@dataclass
class Engine:
    """The other side of a close: holds the Lease, follows the gate, acknowledges each change of state."""

    desk: Desk
    name: str = "perps"
    deaf: bool = False
    acknowledged: list[Acknowledgement] = field(default_factory=list)
    _over: threading.Event = field(default_factory=threading.Event)

    def start(self) -> None:
        """Take the Lease, then obey."""
        lease = {
            "metadata": {"name": lease_name("perps-engine")},
            "spec": {"holderIdentity": POD, "leaseDurationSeconds": 15, "renewTime": render_time(_now())},
        }
        self._hand = self.desk.bench.admin.connection()
        self._hand.call("POST", lease_path(self.desk.namespace), lease)
        self._acknowledge("Closed", "GateMissing")
        if not self.deaf:
            threading.Thread(target=self._obey, daemon=True).start()

    def stop(self) -> None:
        """Follow nothing any more."""
        self._over.set()
        self._hand.close()

    def obeys(self, state: str) -> bool:
        """Whether the latest word on the Lease is that state."""
        return bool(self.acknowledged) and self.acknowledged[-1].state == state

    def _obey(self) -> None:
        own = self.desk.bench.admin.connection()
        path, gate = config_map_path(self.desk.namespace), gate_name(self.name)
        while not self._over.is_set():
            try:
                for event in own.watch(path, seconds=60, fieldSelector=f"metadata.name={gate}"):
                    data = event["object"].get("data", {}) if event["type"] != "DELETED" else {}
                    self._see(data.get("state", "Closed"), "Open" if data else "GateMissing")
            except Problem:
                time.sleep(0.02)
        own.close()

    def _see(self, state: str, reason: str) -> None:
        if not self.obeys(state):
            self._acknowledge(state, reason)

    def _acknowledge(self, state: str, reason: str) -> None:
        word = Acknowledgement(state=state, reason=reason, acknowledged_time=render_time(_now()))
        patch = {
            "metadata": {"annotations": word.annotations()},
            "spec": {"renewTime": render_time(_now())},
        }
        path = lease_path(self.desk.namespace, lease_name("perps-engine"))
        self._hand.call("PATCH", path, patch, kind=MERGE)
        self.acknowledged.append(word)


class Relay(threading.Thread):
    """Stands between client and API server, and hangs up on the first connections."""

    def __init__(self, bench: Bench, folder: Path, drop: int) -> None:
        super().__init__(daemon=True)
        self._bench, self._folder, self._drop = bench, folder, drop
        self._door = socket.create_server(("127.0.0.1", 0))
        self.dropped = 0

    def kubeconfig(self, user: str) -> str:
        """A person's kubeconfig that leads here."""
        document = yaml.safe_load(self._bench.plane.kubeconfig(user).read_text())
        document["clusters"][0]["cluster"]["server"] = f"https://127.0.0.1:{self._door.getsockname()[1]}"
        path = self._folder / "relayed.yaml"
        path.write_text(yaml.safe_dump(document))
        return str(path)

    def run(self) -> None:
        """Accept until the door is closed."""
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._door.accept()
                if self.dropped < self._drop:
                    self.dropped += 1
                    client.close()
                else:
                    self._join(client)

    def stop(self) -> None:
        """Accept nobody any more."""
        self._door.shutdown(socket.SHUT_RDWR)
        self._door.close()

    def _join(self, client: socket.socket) -> None:
        server = socket.create_connection(("127.0.0.1", int(self._bench.plane.url.rpartition(":")[2])))
        for source, sink in ((client, server), (server, client)):
            threading.Thread(target=_pump, args=(source, sink), daemon=True).start()


def _pump(source: socket.socket, sink: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while data := source.recv(65536):
            sink.sendall(data)
        sink.shutdown(socket.SHUT_RDWR)
    source.close()


@pytest.fixture
def relay(bench: Bench, tmp_path: Path) -> Iterator[Callable[..., Relay]]:
    """Give a function that starts a relay which drops so many connections."""
    relays: list[Relay] = []

    def start(*, drop: int) -> Relay:
        relays.append(Relay(bench, tmp_path, drop))
        relays[-1].start()
        return relays[-1]

    yield start
    for one in relays:
        one.stop()


def _now() -> datetime:
    return datetime.now(UTC)


@pytest.fixture
def engine(desk: Desk) -> Iterator[Callable[..., Engine]]:
    """Give a function that starts an engine for this test's namespace."""
    engines: list[Engine] = []

    def start(*, deaf: bool = False) -> Engine:
        engines.append(Engine(desk, deaf=deaf))
        engines[-1].start()
        return engines[-1]

    yield start
    for one in engines:
        one.stop()
