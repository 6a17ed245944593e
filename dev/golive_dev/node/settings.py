"""What a process node is told at its start."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

FileSystem = Literal["auto", "namespace", "rewrite"]
"""How containers get their files: a mount namespace, or paths rewritten to the host's."""


@dataclass(frozen=True)
class NodeSettings:
    """Settings of one node; each is an option of the command line."""

    kubeconfig: Path
    """Credentials of `system:node:NAME` and the API server's address."""

    name: str
    """Name of the Node object."""

    directory: Path
    """Folder of volumes, logs and working folders; removed at the end."""

    serving_cert: Path
    """Certificate for the node's address, signed by the cluster's authority."""

    serving_key: Path
    """Its private key."""

    client_ca: Path
    """Authority whose client certificates may ask for logs."""

    node_address: str = "127.0.0.1"
    """The node's InternalIP, which the serving certificate has to name."""

    sync_seconds: float = 1.0
    """Longest time until a changed ConfigMap, Secret or label is in a volume; a kubelet takes about 60."""

    backoff_base_seconds: float = 10.0
    """Wait before the second restart of a crashing container; doubles up to `backoff_cap_seconds`."""

    backoff_cap_seconds: float = 300.0
    """Longest wait before a restart."""

    heartbeat_seconds: float = 10.0
    """Time between renewals of the node's Lease and status."""

    filesystem: FileSystem = "auto"
    """`auto` takes namespaces where the machine allows them."""
