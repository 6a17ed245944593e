"""A control plane that is guarded by the chart's policies, and the people who try to get around them."""

import base64
import functools
import json
import subprocess
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from golive_dev.control_plane import ControlPlane
from golive_dev.static_policies import FOLDER, SUFFIX
from golive_dev.waiting import eventually

ROOT = Path(__file__).parents[2]
OPERATOR = "golive-system"
NAMESPACE = "trading"
KIND = {"apiVersion": "golive.dev/v1alpha1"}
DIGEST = ".".join(["a" * 64, "b" * 64, "c" * 64])

ROLES = {
    "trader": ("edit", "golive-approver"),
    "Trader": ("golive-approver",),
    "approver": ("golive-approver",),
    "Approver": ("golive-approver",),
    "deputy": ("golive-approver",),
    "mallory": ("edit",),
    "closer": ("golive-closer",),
    "reader": ("view",),
    "attester": ("golive-attester",),
    "releaser": ("golive-releaser",),
    "fixer": ("stop-fixer",),
}


@dataclass(frozen=True)
class Answer:
    """What kubectl said."""

    accepted: bool
    said: str
    """Standard output when accepted, the error otherwise."""

    def refused_by(self, policy: str) -> bool:
        """Whether this policy, from the API or from a file, and not RBAC or the schema, refused."""
        names = (policy, policy + SUFFIX)
        return not self.accepted and any(f"ValidatingAdmissionPolicy '{name}'" in self.said for name in names)

    def json(self) -> Any:
        """The object that kubectl printed."""
        assert self.accepted, self.said
        return json.loads(self.said)


@dataclass(frozen=True)
class Cluster:
    """kubectl on a guarded control plane, as anybody."""

    plane: ControlPlane
    operator_kubeconfig: Path
    operator_token: str = ""

    def ask(self, who: str, *words: str, body: Any = None) -> Answer:
        """Run kubectl in the traders' namespace; `operator` is the operator's account in a running pod."""
        kubeconfig = self.operator_kubeconfig if who == "operator" else None
        if who == "admin":
            kubeconfig = self.plane.admin
        done = subprocess.run(
            [self.plane.binary("kubectl"), "--namespace", NAMESPACE, *words],
            env=self.plane.environment(kubeconfig or self.plane.kubeconfig(who)),
            input=json.dumps(body) if body is not None else "",
            text=True,
            capture_output=True,
            check=False,
        )
        return Answer(done.returncode == 0, done.stdout if done.returncode == 0 else done.stderr)

    def patch(self, who: str, target: str, change: Any, *words: str) -> Answer:
        """Merge-patch an object."""
        text = json.dumps(change)
        return self.ask(who, "patch", *target.split(), "--type=merge", "-p", text, "-o", "json", *words)

    def create(self, who: str, body: Any, *words: str) -> Answer:
        """Create an object."""
        return self.ask(who, "create", "-f", "-", "-o", "json", *words, body=body)

    def show(self, name: str) -> Any:
        """Read a GoLive."""
        return self.ask("admin", "get", "golives", name, "-o", "json").json()

    def signed_in(self, name: str, token: str) -> "Cluster":
        """The same cluster, with `operator` signed in by another token."""
        return Cluster(self.plane, token_kubeconfig(self.plane, name, token))

    def with_secret_token(self, secret: Any) -> "Cluster":
        """Sign in by a token that lies in a Secret."""
        words = ["-n", OPERATOR, "get", "secret", secret["metadata"]["name"], "-o", "jsonpath={.data.token}"]
        self.create("admin", secret, "-n", OPERATOR).json()
        token = eventually(functools.partial(self._said, *words), 10)
        return self.signed_in(secret["metadata"]["name"], base64.b64decode(token).decode())

    def with_pod_token(self, pod: Any) -> "Cluster":
        """Sign in as a pod's account, by a token that is bound to the pod."""
        uid = self.create("admin", pod).json()["metadata"]["uid"]
        name, account = pod["metadata"]["name"], pod["spec"]["serviceAccountName"]
        bound = ["--bound-object-kind=Pod", f"--bound-object-name={name}", f"--bound-object-uid={uid}"]
        return self.signed_in(name, self._said("create", "token", account, *bound))

    def _said(self, *words: str) -> str:
        """What kubectl prints for an administrator."""
        return self.ask("admin", *words).said.strip()

    @staticmethod
    def golive_body(name: str, **spec: Any) -> dict[str, Any]:
        """A GoLive as a person writes it."""
        request = {"engineRef": {"name": f"{name}-engine"}, "accounts": ["main"]}
        return {
            **KIND,
            "kind": "GoLive",
            "metadata": {"name": name, "namespace": NAMESPACE},
            "spec": {"activation": "Enabled", "request": request, **spec},
        }

    @staticmethod
    def gate_status(**changes: Any) -> dict[str, Any]:
        """A status as the operator writes it."""
        gate = {"state": "Closed", "reason": "ApprovalsMissing", "epoch": 5, "serial": 1, "burnedRevision": 0}
        return {"status": {"digest": DIGEST, "profile": "micro", "gate": {**gate, **changes}}}

    @staticmethod
    def gate_body(name: str, uid: str = "u-1", *, without: tuple[str, ...] = (), **data: str) -> dict[str, Any]:
        """A gate as the operator writes it."""
        record = {
            "name": name,
            "namespace": NAMESPACE,
            "uid": uid,
            "state": "Closed",
            "epoch": "5",
            "serial": "1",
            "revision": "1",
            "ttlSeconds": "15",
            "validUntil": "2026-11-20T12:00:15.000000Z",
            **data,
        }
        return {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {"name": f"golive-gate-{name}", "labels": {"golive.dev/gate": name}},
            "data": {key: value for key, value in record.items() if key not in without},
        }

    @staticmethod
    def stop_body(name: str, **spec: Any) -> dict[str, Any]:
        """An EmergencyStop as a person writes it."""
        metadata = {"name": name, "namespace": NAMESPACE}
        reason = {"reason": "prices look wrong"}
        return {**KIND, "kind": "EmergencyStop", "metadata": metadata, "spec": reason | spec}

    @staticmethod
    def record_body(golive: str, sequence: int, **metadata: Any) -> dict[str, Any]:
        """A GoLiveRecord as the operator writes it."""
        spec = {
            "golive": golive,
            "uid": "u-1",
            "sequence": sequence,
            "time": "2026-11-20T12:00:00Z",
            "act": "Opened",
            "revision": 1,
            "reason": "Approved",
            "previousHash": "0" * 64,
            "hash": "1" * 64,
        }
        labels = {"golive.dev/golive": golive}
        named = {"name": f"{golive}-{sequence}", "namespace": NAMESPACE, "labels": labels}
        return {**KIND, "kind": "GoLiveRecord", "metadata": named | metadata, "spec": spec}


def _operator_token(plane: ControlPlane) -> str:
    """Sign in as the operator as a kubelet does it: a token bound to a pod, asked for by the pod's node."""
    node = {"apiVersion": "v1", "kind": "Node", "metadata": {"name": "node-1"}}
    # Where the pod asks for no token of an audience, its node gets none.
    engines = {
        "serviceAccountToken": {"audience": "golive.dev/engine", "expirationSeconds": 600, "path": "token"}
    }
    pod = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "operator-0", "namespace": OPERATOR},
        "spec": {
            "nodeName": "node-1",
            "serviceAccountName": "golive-operator",
            "automountServiceAccountToken": True,
            "tolerations": [{"operator": "Exists"}],
            "containers": [{"name": "operator", "image": "none"}],
            "volumes": [{"name": "engine-token", "projected": {"sources": [engines]}}],
        },
    }
    plane.kubectl("create", "-f", "-", stdin=json.dumps(node))
    made = plane.kubectl("create", "-f", "-", "-o", "jsonpath={.metadata.uid}", stdin=json.dumps(pod))
    words = ["create", "token", "golive-operator", "-n", OPERATOR]
    words += ["--bound-object-kind=Pod", "--bound-object-name=operator-0", f"--bound-object-uid={made.stdout}"]
    return plane.kubectl(*words, user="system:node:node-1", groups=["system:nodes"]).stdout.strip()


def token_kubeconfig(plane: ControlPlane, name: str, token: str) -> Path:
    """Write the kubeconfig of a bearer token."""
    path = plane.directory / f"{name}.kubeconfig"
    cluster = {"server": plane.url, "certificate-authority": str(plane.ca_file)}
    context = {"cluster": "c", "user": "u"}
    content = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "c", "cluster": cluster}],
        "users": [{"name": "u", "user": {"token": token}}],
        "contexts": [{"name": "c", "context": context}],
        "current-context": "c",
    }
    path.write_text(json.dumps(content))
    return path


def _install(plane: ControlPlane, *settings: str, policies: bool = True, **stamps: Any) -> Cluster:
    """Install the chart, bind the people, and return once every policy bites."""
    plane.kubectl("create", "namespace", NAMESPACE)
    older = ["create", "configmap", "golive-gate-before", "--from-literal=state=Open"]
    if policies:
        plane.kubectl(*older, "-n", NAMESPACE)
        _helm(plane, "install", *settings, "--create-namespace")
    else:
        bodies = yaml.safe_load_all(_helm(plane, "template", *settings))
        kept = [body for body in bodies if body and "AdmissionPolicy" not in body["kind"]]
        kept = [body for body in kept if "helm.sh/hook" not in body["metadata"].get("annotations", {})]
        plane.kubectl("create", "namespace", OPERATOR)
        text = json.dumps({"apiVersion": "v1", "kind": "List", "items": kept})
        plane.kubectl("apply", "--server-side", "-f", "-", stdin=text)
    # Somebody who may write stops, as a wide custom role would have it, and still may not release.
    verbs = ["--verb=get,list,patch,update,delete,deletecollection", "--resource=emergencystops.golive.dev"]
    plane.kubectl("create", "clusterrole", "stop-fixer", *verbs)
    for user, roles in ROLES.items():
        for role in roles:
            words = [f"{user.encode().hex()}-{role}", f"--clusterrole={role}", f"--user={user}"]
            plane.kubectl("create", "rolebinding", "-n", NAMESPACE, *words)
    token = _operator_token(plane)
    cluster = Cluster(plane, token_kubeconfig(plane, "operator", token), token)
    _await_policies(cluster, **stamps)
    return cluster


def _helm(plane: ControlPlane, verb: str, *words: str) -> str:
    """Install or render the chart."""
    chart = ROOT / "charts" / "golive"
    return plane.run("helm", verb, "golive", chart, "--namespace", OPERATOR, *words).stdout


def _bites(policy: str, trial: Callable[[], Answer]) -> bool:
    """Whether the policy refuses the trial."""
    return trial().refused_by(policy)


def _await_policies(cluster: Cluster, **stamps: Any) -> None:
    """A policy bites about a second after it was made; the stamping one may answer 503 before it does."""
    eventually(lambda: cluster.create("admin", cluster.golive_body("seed", **stamps)).accepted, 30)
    forged = {"spec": {"approvals": [{"user": "nobody", "revision": 1, "uid": "none", "digest": DIGEST}]}}
    status, trial = cluster.gate_status(), "--dry-run=server"
    release = {"user": "nobody", "rootCause": "nobody knows what happened"}
    token = ("create", "token", "golive-operator", "-n", OPERATOR)
    trials: dict[str, Callable[[], Answer]] = {
        "golive-identity": lambda: cluster.patch("admin", "golives seed", forged, trial),
        "golive-status": lambda: cluster.patch("admin", "golives seed", status, "--subresource=status", trial),
        "golive-gate": lambda: cluster.create("admin", cluster.gate_body("seed"), trial),
        "golive-operator-identity": lambda: cluster.ask("admin", *token),
        "golive-operator-reach": lambda: cluster.patch("operator", "golives seed", {"spec": {}}),
        "golive-emergency-stop": lambda: cluster.create(
            "admin", cluster.stop_body("seed", release=release), trial
        ),
        "golive-records": lambda: cluster.create("admin", cluster.record_body("seed", 1), trial),
    }
    for policy, forge in trials.items():
        eventually(functools.partial(_bites, policy, forge), 30)
    eventually(lambda: cluster.ask("trader", "auth", "can-i", "create", "golives").accepted, 30)


@pytest.fixture(scope="session")
def cluster() -> Iterator[Cluster]:
    """Give a control plane of its own: on the shared one these policies would refuse other tests' gates."""
    with ControlPlane(scheduler=False) as plane:
        yield _install(plane)


@pytest.fixture(scope="session")
def unstamped_cluster() -> Iterator[Cluster]:
    """Give a guarded control plane as it is before Kubernetes 1.36: nobody fills in who asked."""
    with ControlPlane(scheduler=False) as plane:
        settings = ["--set", "policies.stamping=Never"]
        yield _install(plane, *settings, requestedBy="admin", revision=1)


@pytest.fixture
def name() -> str:
    """Give a name that no other test uses."""
    return f"t{uuid.uuid4().hex[:8]}"


@pytest.fixture
def golive(cluster: Cluster, name: str) -> Any:
    """Give a GoLive that the trader asked for, and whose digest the operator has shown."""
    cluster.create("trader", cluster.golive_body(name)).json()
    return cluster.patch("operator", f"golives {name}", cluster.gate_status(), "--subresource=status").json()


@pytest.fixture
def gate(cluster: Cluster, name: str) -> str:
    """Give the name of a ConfigMap that is an open gate."""
    cluster.create("operator", cluster.gate_body(name)).json()
    opened = {"data": {"state": "Open", "serial": "2"}}
    cluster.patch("operator", f"configmap golive-gate-{name}", opened).json()
    return f"golive-gate-{name}"


@pytest.fixture(scope="session")
def breakable_cluster() -> Iterator[Cluster]:
    """Give one whose policies a test may take away, if it puts them back."""
    with ControlPlane(scheduler=False) as plane:
        yield _install(plane)


@pytest.fixture(scope="session")
def emulated_cluster() -> Iterator[Cluster]:
    """Give the oldest server that this binary can behave as: without mutating policies."""
    with ControlPlane(scheduler=False, emulated_version="1.34") as plane:
        yield _install(plane, requestedBy="admin", revision=1)


@pytest.fixture(scope="session")
def static_cluster() -> Iterator[Cluster]:
    """Give a server that is guarded by files alone: not one policy was made through its API."""
    with ControlPlane(scheduler=False, static_policies=ROOT / FOLDER) as plane:
        yield _install(plane, policies=False, requestedBy="admin", revision=1)
