"""A node that runs each pod's containers as local processes, so that charts run as they are written.

Here belongs what a kubelet and a container runtime do for a pod. It knows the Kubernetes API and Linux,
never what runs in the pods. What it leaves out is in README.md.
"""

import json
import sys
from typing import TYPE_CHECKING

from golive_dev.node.status import condition_holds
from golive_dev.waiting import eventually

if TYPE_CHECKING:
    from golive_dev.children import Child
    from golive_dev.control_plane import ControlPlane

READY_SECONDS = 30.0
"""How long a node may take to be ready for pods; usual is one."""

STOP_SECONDS = 8.0
"""How long a node may take to stop its pods and itself."""


def start_node(control_plane: "ControlPlane", name: str = "node-1", **options: object) -> "Child":
    """Start a node that ends with the control plane, and its pods with it; return once it takes pods.

    Args:
        control_plane: Running; gives the node its credentials.
        name: Name of the Node object.
        options: Further settings by name, such as `sync_seconds=0.2`.
    """
    address = "127.0.0.1"
    certificate, key = control_plane.authority.issue(
        f"kubelet-{name}", f"system:node:{name}", ["system:nodes"], hosts=[address]
    )
    settings = {
        "kubeconfig": control_plane.kubeconfig(f"system:node:{name}", ["system:nodes"]),
        "name": name,
        "directory": control_plane.directory / name,
        "serving_cert": certificate,
        "serving_key": key,
        "client_ca": control_plane.ca_file,
        "node_address": address,
        **options,
    }
    words = [f"--{field.replace('_', '-')}={value}" for field, value in settings.items()]
    argv = [sys.executable, "-P", "-m", "golive_dev.node", *words]
    child = control_plane.spawn(name, argv, grace_seconds=STOP_SECONDS)
    # A pod that the scheduler saw before the node was ready would wait a second or more for its next turn.
    eventually(lambda: child.returncode is not None or _takes_pods(control_plane, name), READY_SECONDS)
    if child.returncode is not None:
        raise RuntimeError(f"node {name} ended with {child.returncode}:\n{child.tail()}")
    return child


def _takes_pods(control_plane: "ControlPlane", name: str) -> bool:
    """Whether the node is ready and has lost the taint that every new node gets."""
    answer = control_plane.kubectl("get", "node", name, "-o", "json", check=False)
    if answer.returncode != 0:
        return False
    node = json.loads(answer.stdout)
    return not node["spec"].get("taints") and condition_holds(node["status"]["conditions"], "Ready")
