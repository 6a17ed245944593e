"""Operators as plain processes, signed in as their pods are; what each costs: processor, memory, requests."""

import json
import os
import re
import sys
import time
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from crowd import Client

from golive_dev.children import Child
from golive_dev.control_plane import ControlPlane
from golive_dev.ports import free_ports
from golive_dev.waiting import eventually

SYSTEM = "golive-system"
NODE = "crowd-node"
ROOT = Path(__file__).parents[1]
PODS = f"/api/v1/namespaces/{SYSTEM}/pods"
MEMORY = {"MALLOC_ARENA_MAX": "1", "MALLOC_TRIM_THRESHOLD_": "1000000"}
"""As in the operator's image."""
_REQUESTS = re.compile(
    r'^apiserver_flowcontrol_dispatched_requests_total\{[^}]*flow_schema="service-accounts"[^}]*\} (\S+)',
    re.MULTILINE,
)
"""The operator's ServiceAccount is the only one at work."""


def install(plane: ControlPlane) -> None:
    """The chart, as an administrator installs it, then the samples; its pods get no node."""
    plane.run("helm", "install", "golive", ROOT / "charts/golive", "--namespace", SYSTEM, "--create-namespace")
    for what in ("profiles", "policies/default.yaml"):
        eventually(partial(plane.kubectl, "apply", "-f", ROOT / "config" / what), 30)
    eventually(lambda: _understood(plane), 60)
    plane.kubectl(
        "create", "-f", "-", stdin=json.dumps({"apiVersion": "v1", "kind": "Node", "metadata": {"name": NODE}})
    )


def _understood(plane: ControlPlane) -> bool:
    """Whether every policy has been checked, and both pods exist."""
    policies = json.loads(plane.kubectl("get", "validatingadmissionpolicies", "-o", "json").stdout)["items"]
    pods = json.loads(plane.kubectl("get", "pods", "-n", SYSTEM, "-o", "json").stdout)["items"]
    checked = [
        policy.get("status", {}).get("observedGeneration") == policy["metadata"]["generation"]
        for policy in policies
    ]
    return all(checked) and len(pods) == 2  # noqa: PLR2004  # as the chart has it


async def identities(plane: ControlPlane, admin: Client) -> dict[str, Path]:
    """A kubeconfig for each of the operator's pods, with a token as its kubelet would get it."""
    made = {}
    for pod in (await admin.ask("GET", PODS))["items"]:
        name, uid = pod["metadata"]["name"], pod["metadata"]["uid"]
        target = {"target": {"apiVersion": "v1", "kind": "Node", "name": NODE}, "metadata": {"name": name}}
        if not pod["spec"].get("nodeName"):
            await admin.ask("POST", f"{PODS}/{name}/binding", target)
        bound = ("--bound-object-kind=Pod", f"--bound-object-name={name}", f"--bound-object-uid={uid}")
        words = ("create", "token", "golive-operator", "-n", SYSTEM, "--duration=2h", *bound)
        token = eventually(partial(_as_node, plane, words), 20)
        made[name] = plane.directory / f"{name}.kubeconfig"
        server = {"server": plane.url, "certificate-authority": str(plane.ca_file)}
        content = {
            "clusters": [{"name": "c", "cluster": server}],
            "users": [{"name": "u", "user": {"token": token}}],
            "contexts": [{"name": "c", "context": {"cluster": "c", "user": "u"}}],
            "current-context": "c",
        }
        made[name].write_text(json.dumps(content))
    return made


def _as_node(plane: ControlPlane, words: tuple[str, ...]) -> str:
    return plane.kubectl(*words, user=f"system:node:{NODE}", groups=["system:nodes"]).stdout.strip()


def start(plane: ControlPlane, pod: str, kubeconfig: Path, *flags: str, program: tuple[str, ...] = ()) -> Child:
    """An operator; returns at once."""
    token = plane.directory / "engine-token"
    token.write_text("eyToken")
    (port,) = free_ports(1)
    environment = {
        **os.environ,
        "POD_NAME": pod,
        "POD_NAMESPACE": SYSTEM,
        "POD_IP": "127.0.0.1",
        "GOLIVE_ENGINE_TOKEN_FILE": str(token),
        "KUBECONFIG": str(kubeconfig),
        "PYTHONSAFEPATH": "1",
        **MEMORY,
    }
    words = [sys.executable, *(program or ("-m", "golive_operator")), f"--http-port={port}", *flags]
    return plane.spawn(pod, words, env=environment)


@dataclass(frozen=True, slots=True)
class Cost:
    """What a process took over a while."""

    seconds: float
    processor_seconds: float
    memory_mb: float
    requests: float

    @property
    def cores(self) -> float:
        """Cores kept busy."""
        return self.processor_seconds / self.seconds

    @property
    def requests_per_second(self) -> float:
        """Requests to the API server."""
        return self.requests / self.seconds


class Meter:
    """Reads the kernel's and the API server's counters of one operator."""

    def __init__(self, pid: int, admin: Client) -> None:
        self._pid, self._admin = pid, admin

    async def begin(self) -> None:
        """Measure from here."""
        self._began, self._ticks, self._requests = time.monotonic(), self._busy(), await self._count()

    async def end(self) -> Cost:
        """Measure until here."""
        seconds, busy, memory = time.monotonic() - self._began, self._busy() - self._ticks, self.memory()
        return Cost(seconds, busy, memory, await self._count() - self._requests)

    def _busy(self) -> float:
        fields = Path(f"/proc/{self._pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def memory(self) -> float:
        """Resident megabytes."""
        status = Path(f"/proc/{self._pid}/status").read_text()
        return int(re.findall(r"VmRSS:\s+(\d+)", status)[0]) / 1024

    async def _count(self) -> float:
        metrics: Any = await self._admin.ask("GET", "/metrics")
        return sum(float(value) for value in _REQUESTS.findall(metrics))
