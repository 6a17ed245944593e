"""The operator as the chart installs it, on a real control plane, and engines that misbehave on request."""

import http.client
import json
import os
import signal
import ssl
import time
import urllib.request
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from string import Template
from typing import Any
from urllib.parse import urlsplit

import pytest

from golive_api.gate import GateRecord, gate_name
from golive_dev.control_plane import ControlPlane
from golive_dev.node import start_node
from golive_dev.waiting import eventually

ROOT = Path(__file__).parents[2]
SYSTEM = "golive-system"
NODE = "operated-node"
ENGINE = "perps-engine"
STAND_IN = Path(__file__).with_name("stand_in_engine.py")
TTL_SECONDS = 5
WAIT_SECONDS = 15.0
IDLE_SECONDS = 5.0
MERGE = "application/merge-patch+json"
KIND: dict[str, Any] = {"apiVersion": "golive.dev/v1alpha1", "kind": "GoLive"}

Json = dict[str, Any]


class RefusedError(RuntimeError):
    """The API server said no."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(f"{status}: {message}")
        self.status = status


class Person:
    """Somebody with a client certificate; every call is a live one."""

    def __init__(self, plane: ControlPlane, user: str, groups: tuple[str, ...] = ()) -> None:
        address = urlsplit(plane.url)
        context = ssl.create_default_context(cafile=str(plane.ca_file))
        context.load_cert_chain(*plane.authority.issue(f"person-{user}", user, groups))
        self._connection = http.client.HTTPSConnection(
            str(address.hostname), address.port or 443, context=context, timeout=10
        )
        self._used = time.monotonic()

    def call(self, method: str, path: str, body: Any = None) -> Json:
        """Send one request; raises RefusedError on any answer that is no success."""
        if time.monotonic() - self._used > IDLE_SECONDS:
            self._connection.close()  # the server may have, too
        self._used = time.monotonic()
        content = json.dumps(body) if body is not None else None
        try:
            status, text = self._exchange(method, path, content)
        except ConnectionError:
            if method != "GET":
                raise
            status, text = self._exchange(method, path, content)  # a restarted server knows no old connection
        parsed: Json = json.loads(text)
        if status >= 300:
            raise RefusedError(status, parsed.get("message", ""))
        return parsed

    def _exchange(self, method: str, path: str, content: str | None) -> tuple[int, bytes]:
        headers = {"Content-Type": MERGE if method == "PATCH" else "application/json"}
        try:
            self._connection.request(method, path, content, headers)
            answer = self._connection.getresponse()
            return answer.status, answer.read()
        except (OSError, http.client.HTTPException):
            self._connection.close()  # the next request opens a new one
            raise

    def close(self) -> None:
        """End the connection."""
        self._connection.close()

    def find(self, path: str) -> Json | None:
        """One object, None if there is none."""
        try:
            return self.call("GET", path)
        except RefusedError as error:
            if error.status == 404:
                return None
            raise


@dataclass
class Operated:
    """A cluster with GoLive on it."""

    plane: ControlPlane
    _people: dict[str, Person] = field(default_factory=dict)
    _groups: dict[str, tuple[str, ...]] = field(default_factory=dict)

    def person(self, user: str) -> Person:
        """Somebody, by name; `admin` may do everything."""
        if user not in self._people:
            groups = ("system:masters",) if user == "admin" else self._groups.get(user, ())
            self._people[user] = Person(self.plane, user, groups)
        return self._people[user]

    def join(self, user: str, *groups: str) -> None:
        """Make somebody a member of groups, before anything is done in that name."""
        self._groups[user] = groups

    def close(self) -> None:
        """End all connections."""
        for person in self._people.values():
            person.close()

    @property
    def admin(self) -> Person:
        """Who may do everything."""
        return self.person("admin")

    def operators(self) -> dict[str, Json]:
        """The operator's pods that run, by name."""
        path = f"/api/v1/namespaces/{SYSTEM}/pods?labelSelector=app.kubernetes.io/component%3Doperator"
        pods = self.admin.call("GET", path)["items"]
        return {
            pod["metadata"]["name"]: pod
            for pod in pods
            if "deletionTimestamp" not in pod["metadata"] and is_ready(pod)
        }

    def pids(self) -> dict[str, int]:
        """Process ids of the operators, by pod."""
        return {name: pid_of(pod) for name, pod in self.operators().items()}

    def lease(self) -> Json:
        """The operators' Lease."""
        path = f"/apis/coordination.k8s.io/v1/namespaces/{SYSTEM}/leases/golive-operator"
        spec: Json = self.admin.call("GET", path)["spec"]
        return spec

    def leader(self) -> str:
        """The leading pod's name, waited for."""
        return str(eventually(lambda: self.lease()["holderIdentity"], 40))

    @contextmanager
    def frozen(self) -> Iterator[dict[str, int]]:
        """Both operators stand still meanwhile; leadership survives if that takes less than ten seconds."""
        pids = self.pids()
        try:
            for pid in pids.values():
                os.kill(pid, signal.SIGSTOP)
            yield pids
        finally:
            for pid in pids.values():
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGCONT)

    def scale(self, replicas: int) -> None:
        """Run so many operators, and wait until that is so."""
        path = f"/apis/apps/v1/namespaces/{SYSTEM}/deployments/golive-operator"
        self.admin.call("PATCH", path, {"spec": {"replicas": replicas}})
        pods = f"/api/v1/namespaces/{SYSTEM}/pods"
        eventually(lambda: len(self.operators()) == replicas == len(self.admin.call("GET", pods)["items"]), 40)

    def scrape(self, pod: str, path: str = "/metrics") -> str:
        """What an operator answers."""
        address = self.operators()[pod]["status"]["podIP"]
        with urllib.request.urlopen(f"http://{address}:8080{path}", timeout=5) as answer:  # a pod
            return str(answer.read().decode())


def is_ready(pod: Json) -> bool:
    """Whether a pod's Ready condition holds."""
    conditions = pod.get("status", {}).get("conditions") or []
    return any(each["type"] == "Ready" and each["status"] == "True" for each in conditions)


def pid_of(pod: Json) -> int:
    """Process id of a pod's container."""
    return int(pod["status"]["containerStatuses"][0]["containerID"].removeprefix("process://"))


@dataclass
class Desk:
    """One namespace: its people, its engine, its GoLive."""

    operated: Operated
    namespace: str
    name: str = "perps"
    engine: str = ENGINE

    @property
    def admin(self) -> Person:
        """Who may do everything."""
        return self.operated.admin

    @property
    def path(self) -> str:
        """The GoLive."""
        return f"{self._golives}/{self.name}"

    @property
    def _golives(self) -> str:
        return f"/apis/golive.dev/v1alpha1/namespaces/{self.namespace}/golives"

    def core(self, plural: str, name: str = "") -> str:
        """Objects of the core group."""
        return f"/api/v1/namespaces/{self.namespace}/{plural}" + (f"/{name}" if name else "")

    @property
    def gate_path(self) -> str:
        """The gate's ConfigMap."""
        return self.core("configmaps", gate_name(self.name))

    @property
    def deployment_path(self) -> str:
        """The engine's Deployment."""
        return f"/apis/apps/v1/namespaces/{self.namespace}/deployments/{self.engine}"

    def person(self, user: str) -> Person:
        """Somebody, by name."""
        return self.operated.person(user)

    def other(self, name: str) -> "Desk":
        """The same namespace and engine with another GoLive."""
        return Desk(self.operated, self.namespace, name, self.engine)

    # The GoLive

    def apply(self, *, user: str = "trader", profile: str = "micro", **request: Any) -> Json:
        """Ask for real trading, as a person does."""
        asked = {
            "engineRef": {"name": self.engine},
            "profile": profile,
            "accounts": ["main"],
            "gate": {"ttlSeconds": TTL_SECONDS},
            "preflight": {"maxAgeSeconds": 10},  # so that preflight runs every three seconds
            **request,
        }
        body = KIND | {"metadata": {"name": self.name}, "spec": {"activation": "Enabled", "request": asked}}
        return self.person(user).call("POST", self._golives, body)

    def read(self) -> Json:
        """The GoLive as it is."""
        return self.admin.call("GET", self.path)

    def edit(self, user: str = "trader", **spec: Any) -> Json:
        """Change spec."""
        return self.person(user).call("PATCH", self.path, {"spec": spec})

    def approve(self, user: str = "approver", **more: object) -> Json:
        """Approve what status shows, as the plugin does."""
        golive = self.read()
        spec, metadata = golive["spec"], golive["metadata"]
        mine = {
            "user": user,
            "revision": spec["revision"],
            "uid": metadata["uid"],
            "digest": golive["status"]["digest"],
            **more,
        }
        others = [approval for approval in spec.get("approvals") or [] if approval["user"] != user]
        body = {
            "metadata": {"resourceVersion": metadata["resourceVersion"]},
            "spec": {"approvals": [*others, mine]},
        }
        return self.person(user).call("PATCH", self.path, body)

    def approve_when_shown(self, user: str = "approver", **more: object) -> Json:
        """Approve as soon as there is a digest to be bound to and nobody writes in between."""
        return eventually(lambda: self.approve(user, **more), WAIT_SECONDS)

    def reject(self, user: str, comment: str) -> Json:
        """Say no."""
        return eventually(lambda: self.approve(user, verdict="Rejected", comment=comment), WAIT_SECONDS)

    def withdraw(self, user: str) -> None:
        """Take one's own word back."""

        def gone() -> Json:
            golive = self.read()
            others = [word for word in golive["spec"].get("approvals") or [] if word["user"] != user]
            guard = {"resourceVersion": golive["metadata"]["resourceVersion"]}
            return self.person(user).call(
                "PATCH", self.path, {"metadata": guard, "spec": {"approvals": others}}
            )

        eventually(gone, WAIT_SECONDS)

    def attest(self, user: str, item: str) -> None:
        """Vouch for an item of the checklist."""

        def said() -> Json:
            golive = self.read()
            metadata = golive["metadata"]
            word = {
                "item": item,
                "user": user,
                "uid": metadata["uid"],
                "time": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
            }
            words = [*(golive["spec"].get("attestations") or []), word]
            body = {
                "metadata": {"resourceVersion": metadata["resourceVersion"]},
                "spec": {"attestations": words},
            }
            return self.person(user).call("PATCH", self.path, body)

        eventually(said, WAIT_SECONDS)

    def revive(self) -> GateRecord:
        """Disable, enable, approve: the one way back after a burn."""
        self.edit(activation="Disabled")
        self.edit(activation="Enabled")
        self.await_gate("Closed", "ApprovalsMissing")
        self.approve_when_shown()
        return self.await_open()

    def annotate(self, key: str, value: str) -> None:
        """Set an annotation."""
        self.person("trader").call("PATCH", self.path, {"metadata": {"annotations": {key: value}}})

    def policy(self, **spec: object) -> None:
        """Bound this namespace by a policy of its own, besides the default one."""
        path = "/apis/golive.dev/v1alpha1/activationpolicies"
        body = KIND | {
            "kind": "ActivationPolicy",
            "metadata": {"name": self.namespace},
            "spec": {"namespaces": [self.namespace], **spec},
        }
        standing = self.admin.find(f"{path}/{self.namespace}")
        if standing is None:
            self.admin.call("POST", path, body)
            return
        body["metadata"]["resourceVersion"] = standing["metadata"]["resourceVersion"]
        self.admin.call("PUT", f"{path}/{self.namespace}", body)

    def _stops(self, name: str = "") -> str:
        path = f"/apis/golive.dev/v1alpha1/namespaces/{self.namespace}/emergencystops"
        return f"{path}/{name}" if name else path

    def stop(self, name: str, reason: str, engines: list[str] | None = None, user: str = "trader") -> None:
        """Apply an EmergencyStop."""
        spec: Json = {"reason": reason} | ({"engines": engines} if engines else {})
        body = KIND | {"kind": "EmergencyStop", "metadata": {"name": name}, "spec": spec}
        self.person(user).call("POST", self._stops(), body)

    def release(self, user: str, name: str, root_cause: str) -> None:
        """Release an EmergencyStop."""
        body = {"spec": {"release": {"user": user, "rootCause": root_cause}}}
        self.person(user).call("PATCH", self._stops(name), body)

    def conditions(self) -> dict[str, tuple[str, str]]:
        """Status and reason of each condition."""
        conditions = self.read().get("status", {}).get("conditions") or []
        return {each["type"]: (each["status"], each["reason"]) for each in conditions}

    def message(self, kind: str = "Ready") -> str:
        """Message of a condition."""
        conditions = self.read()["status"]["conditions"]
        return str(next(each["message"] for each in conditions if each["type"] == kind))

    def events(self) -> dict[str, Json]:
        """The operator's events about this GoLive, by reason and message."""
        events = self.admin.call("GET", self.core("events"))["items"]
        mine = [event for event in events if event["involvedObject"]["name"] == self.name]
        return {
            f"{event['reason']}: {event['message']}": event
            for event in mine
            if event["source"].get("component") == "golive-operator"
        }

    # The gate

    def gate(self) -> GateRecord | None:
        """The record, None where there is no ConfigMap."""
        found = self.admin.find(self.gate_path)
        return GateRecord.from_data(found["data"]) if found else None

    def stands(self, state: str, reason: str) -> bool:
        """Whether gate and status both say so now, and status speaks of the present generation."""
        record, golive = self.gate(), self.read()
        status = golive.get("status") or {}
        shown = status.get("gate") or {}
        return (
            record is not None
            and status.get("observedGeneration") == golive["metadata"]["generation"]
            and (record.state, record.reason) == (state, reason)
            and (shown["state"], shown["reason"]) == (state, reason)
            and shown["serial"] <= record.serial  # renewals are the gate's own affair
        )

    def await_gate(self, state: str, reason: str, seconds: float = WAIT_SECONDS) -> GateRecord:
        """Wait until the gate says so; the record."""
        try:
            eventually(lambda: self.stands(state, reason), seconds)
        except TimeoutError as error:
            error.add_note(f"gate: {self.gate()}\nGoLive: {json.dumps(self.admin.find(self.path), indent=1)}")
            raise
        record = self.gate()
        assert record is not None
        return record

    def await_open(self, seconds: float = WAIT_SECONDS) -> GateRecord:
        """Wait until the gate is open."""
        return self.await_gate("Open", "Open", seconds)

    def is_shut(self, now: datetime) -> bool:
        """Whether no engine may trade at that moment, by state or by time."""
        record = self.gate()
        return record is None or record.state == "Closed" or record.expires <= now

    def open(self) -> GateRecord:
        """Ask, approve, and wait for the open gate."""
        self.apply()
        self.await_gate("Closed", "ApprovalsMissing")
        self.approve_when_shown()
        return self.await_open()

    def shown_gate(self) -> Json:
        """The gate as status shows it."""
        gate: Json = self.read()["status"]["gate"]
        return gate

    def await_leader_after(self, epoch: int, seconds: float = 40) -> None:
        """Wait until a later leader has decided about this GoLive."""
        eventually(lambda: self.shown_gate()["epoch"] > epoch, seconds)

    def delete_gate(self, user: str = "trader") -> None:
        """Pull the emergency brake."""
        self.person(user).call("DELETE", self.gate_path)

    def records(self, act: str = "") -> list[Json]:
        """Specs of this GoLive's records, of one act or of all, the oldest first."""
        path = f"/apis/golive.dev/v1alpha1/namespaces/{self.namespace}/goliverecords"
        found = self.admin.call("GET", f"{path}?labelSelector=golive.dev/golive%3D{self.name}")["items"]
        mine = [item["spec"] for item in found if act in ("", item["spec"]["act"])]
        return sorted(mine, key=lambda spec: int(spec["sequence"]))

    # The engine

    def start_engine(self) -> None:
        """Run the stand-in as a Deployment of one pod."""
        manifests = Template(STAND_IN.with_suffix(".yaml").read_text())
        text = manifests.substitute(ENGINE=self.engine, GOLIVE=self.name)
        create = ("create", "-n", self.namespace)
        self.operated.plane.kubectl(*create, "configmap", "program", f"--from-file={STAND_IN}")
        self.operated.plane.kubectl(*create, "-f", "-", stdin=text)

    def engine_pod(self) -> Json:
        """The engine's one pod, once it holds the Lease."""
        pod = self._pod()
        holder = self.admin.call("GET", self.engine_lease_path)["spec"]["holderIdentity"]
        assert holder == pod["metadata"]["name"]
        return pod

    def _pod(self) -> Json:
        pods = self.admin.call("GET", self.core("pods") + f"?labelSelector=app%3D{self.engine}")["items"]
        pod: Json
        (pod,) = [pod for pod in pods if "deletionTimestamp" not in pod["metadata"]]
        return pod

    @property
    def engine_lease_path(self) -> str:
        """The Lease that names the trading pod."""
        return f"/apis/coordination.k8s.io/v1/namespaces/{self.namespace}/leases/golive-engine-{self.engine}"

    def misbehave(self, mode: str) -> None:
        """Let the engine behave so from now on; an empty mode is well."""
        address = self._pod()["status"]["podIP"]
        request = urllib.request.Request(f"http://{address}:8000/mode", data=mode.encode())  # a pod
        with urllib.request.urlopen(request, timeout=5) as answer:  # a pod
            assert answer.read().decode() == mode

    # People

    def grant(self, user: str, role: str) -> None:
        """Bind a ClusterRole in this namespace."""
        reference = {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": role}
        subject = {"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": user}
        body = {"metadata": {"name": f"{user}-{role}"}, "roleRef": reference, "subjects": [subject]}
        path = f"/apis/rbac.authorization.k8s.io/v1/namespaces/{self.namespace}/rolebindings"
        self.admin.call("POST", path, body)


@pytest.fixture(scope="session")
def operated() -> Iterator[Operated]:
    """Give a cluster with two operators on it; for all tests of this folder one."""
    with ControlPlane() as plane:
        start_node(plane, NODE, sync_seconds=0.2, backoff_base_seconds=0.5)
        settings = ["--set-json", "operator.resyncSeconds=0.5", "--namespace", SYSTEM, "--create-namespace"]
        plane.run("helm", "install", "golive", ROOT / "charts/golive", *settings)
        # The garbage collector looks for new kinds every half minute; started anew it knows GoLive at once.
        plane.stop_component("kube-controller-manager")
        plane.start_component("kube-controller-manager")
        for folder in ("profiles", "policies/default.yaml"):
            eventually(partial(plane.kubectl, "apply", "-f", ROOT / "config" / folder), 30)
        operated = Operated(plane)
        rungs = ["micro", "low", "medium", "high", "aggressive", "nonexistent"]
        policy = "/apis/golive.dev/v1alpha1/activationpolicies/default"
        operated.admin.call("PATCH", policy, {"spec": {"profiles": {"allowed": rungs}}})
        eventually(lambda: len(operated.operators()) == 2, 60)
        operated.leader()
        # Until the stamping policy knows the new kind, creating one is answered with 503.
        trial = {"engineRef": {"name": ENGINE}, "accounts": ["main"]}
        body = {"metadata": {"name": "trial"}, "spec": {"request": trial}}
        path = "/apis/golive.dev/v1alpha1/namespaces/default/golives?dryRun=All"
        eventually(lambda: operated.admin.call("POST", path, KIND | body), 30)
        yield operated
        operated.close()


def make_desk(operated: Operated, *, engine: bool = True) -> Desk:
    """Make a namespace with its people and, on request, its engine at work."""
    desk = Desk(operated, f"desk-{uuid.uuid4().hex[:8]}")
    operated.admin.call("POST", "/api/v1/namespaces", {"metadata": {"name": desk.namespace}})
    for user, role in (("trader", "admin"), ("approver", "golive-approver"), ("third", "golive-approver")):
        desk.grant(user, role)
    if engine:
        desk.start_engine()
        eventually(desk.engine_pod, 40)
    return desk


@pytest.fixture(scope="module")
def new_desk(operated: Operated) -> Iterator[Callable[..., Desk]]:
    """Give a function that makes desks; their namespaces are deleted with the module."""
    desks: list[Desk] = []

    def make(*, engine: bool = True) -> Desk:
        desks.append(make_desk(operated, engine=engine))
        return desks[-1]

    yield make
    for desk in desks:
        operated.admin.call("DELETE", f"/api/v1/namespaces/{desk.namespace}")


@pytest.fixture
def desk(new_desk: Callable[..., Desk]) -> Desk:
    """Give a desk of the test's own, its engine at work."""
    return new_desk()


@pytest.fixture(scope="module")
def shared_desk(new_desk: Callable[..., Desk]) -> Desk:
    """Give the module's desk with an open gate; each test leaves it open."""
    desk = new_desk()
    desk.open()
    return desk
