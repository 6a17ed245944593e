"""Pods on a process node, as tests ask for them."""

import json
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from golive_dev.children import Child
from golive_dev.control_plane import ControlPlane
from golive_dev.node import start_node
from golive_dev.waiting import eventually

Json = dict[str, Any]

NODE = "tested-node"


class Pods:
    """Pods of one test, in its namespace, on one node."""

    def __init__(self, plane: ControlPlane, namespace: str, node: str) -> None:
        self.plane = plane
        self.namespace = namespace
        self.node = node

    def kubectl(self, *words: str, stdin: str | None = None, check: bool = True) -> str:
        """What kubectl says in the test's namespace."""
        return self.plane.kubectl("-n", self.namespace, *words, stdin=stdin, check=check).stdout

    def apply(self, *objects: Json) -> None:
        """Create or change objects."""
        listed = {"apiVersion": "v1", "kind": "List", "items": list(objects)}
        self.kubectl("apply", "-f", "-", stdin=json.dumps(listed))

    def config_map(self, name: str, **data: str) -> None:
        """Create or change a ConfigMap."""
        self.apply({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": data})

    def container(self, *command: str, **more: Any) -> Json:
        """A container that runs a command, and sees the grace of a test."""
        return {"name": "main", "image": "none", "command": list(command), **more}

    def start(self, name: str, *containers: Json, metadata: Json | None = None, **spec: Any) -> None:
        """Create a pod on the node."""
        whole = {
            "terminationGracePeriodSeconds": 1,
            "nodeName": self.node,
            "containers": list(containers),
            **spec,
        }
        described = {"name": name, **(metadata or {})}
        self.apply({"apiVersion": "v1", "kind": "Pod", "metadata": described, "spec": whole})

    def get(self, name: str) -> Json:
        """The pod as the API server has it."""
        found: Json = json.loads(self.kubectl("get", "pod", name, "-o", "json"))
        return found

    def status(self, name: str) -> Json:
        """The status of the pod's first container."""
        statuses = self.get(name)["status"].get("containerStatuses") or [{}]
        first: Json = statuses[0]
        return first

    def state(self, name: str) -> Json:
        """The state of the pod's first container, its kind folded into it."""
        for kind, details in self.status(name).get("state", {}).items():
            return {"kind": kind, **details}
        return {"kind": "unknown"}

    def phase(self, name: str) -> str:
        """The pod's phase."""
        return str(self.get(name)["status"]["phase"])

    def is_ready(self, name: str) -> bool:
        """Whether the pod's Ready condition holds."""
        conditions = self.get(name)["status"].get("conditions", ())
        return any(each["type"] == "Ready" and each["status"] == "True" for each in conditions)

    def logs(self, name: str, *words: str) -> str:
        """What the pod has printed."""
        return self.kubectl("logs", name, *words, check=False)

    def finish(self, name: str) -> str:
        """Wait until the pod is over; what it has printed."""
        eventually(lambda: self.phase(name) in {"Succeeded", "Failed"}, 15)
        return self.logs(name)

    def pid(self, name: str) -> int:
        """Process id of the pod's first container."""
        return int(self.status(name)["containerID"].removeprefix("process://"))


def process_exists(pid: int) -> bool:
    """Whether a process is there and no zombie."""
    try:
        return "\nState:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return False


@pytest.fixture
def alive() -> Callable[[int], bool]:
    """Tell whether a process lives."""
    return process_exists


@pytest.fixture(scope="session")
def node(control_plane: ControlPlane) -> Iterator[Child]:
    """One node for the session, quick to refresh and to restart; only pods that name it come to it."""
    child = start_node(control_plane, NODE, sync_seconds=0.2, backoff_base_seconds=0.5)
    control_plane.kubectl("cordon", NODE)
    yield child
    child.stop()
    control_plane.kubectl("delete", "node", NODE)


@pytest.fixture
def pods(control_plane: ControlPlane, node: Child, namespace: str) -> Pods:
    """Pods in a namespace of the test's own, its ServiceAccount there."""
    pods = Pods(control_plane, namespace, node.name)
    eventually(lambda: pods.kubectl("get", "serviceaccount", "default"))
    return pods


@pytest.fixture
def own_plane() -> Iterator[ControlPlane]:
    """A control plane whose servers may be stopped."""
    with ControlPlane(scheduler=False) as plane:
        yield plane


@pytest.fixture
def pods_on() -> Callable[..., Pods]:
    """Pods on another node than the session's."""

    def make(plane: ControlPlane, node: str, namespace: str | None = None) -> Pods:
        name = namespace or f"test-{uuid.uuid4().hex[:8]}"
        if namespace is None:
            plane.kubectl("create", "namespace", name)
        pods = Pods(plane, name, node)
        eventually(lambda: pods.kubectl("get", "serviceaccount", "default"))
        return pods

    return make


@pytest.fixture
def eventually_event() -> Callable[[Pods, str, str], None]:
    """Wait for an event with a reason and a part of its message."""

    def wait(pods: Pods, reason: str, part: str) -> None:
        template = "jsonpath={range .items[*]}{.reason}: {.message}{'\\n'}{end}"

        def seen() -> bool:
            lines = pods.kubectl("get", "events", "-o", template).splitlines()
            return any(line.startswith(reason) and part in line for line in lines)

        eventually(seen, 15)

    return wait
