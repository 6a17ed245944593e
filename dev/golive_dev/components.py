"""The command lines of the control plane's servers. Pure: facts in, argument lists out."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from golive_dev.layout import Layout

SERVICE_RANGE = "10.0.0.0/24"
"""Cluster IPs of Services; nothing routes them here."""

ISSUER = "https://kubernetes.default.svc.cluster.local"
"""Issuer and default audience of ServiceAccount tokens."""

CONTROLLERS = (
    "clusterrole-aggregation-controller",
    "cronjob-controller",
    "daemonset-controller",
    "deployment-controller",
    "disruption-controller",
    "garbage-collector-controller",
    "job-controller",
    "namespace-controller",
    "node-lifecycle-controller",
    "pod-garbage-collector-controller",
    "replicaset-controller",
    "root-ca-certificate-publisher-controller",
    "serviceaccount-controller",
    "serviceaccount-token-controller",
    "statefulset-controller",
    "taint-eviction-controller",
    "ttl-after-finished-controller",
    "validatingadmissionpolicy-status-controller",
)
"""What a chart needs. Left out above all: EndpointSlices, which refuse loopback addresses."""


@dataclass(frozen=True)
class Ports:
    """TCP ports on the loopback interface."""

    etcd: int
    etcd_peer: int
    apiserver: int
    controller_manager: int
    scheduler: int


def _flags(flags: Mapping[str, object]) -> list[str]:
    """Return `--name=value` words in the order given."""
    return [f"--{name}={value}" for name, value in flags.items()]


def etcd(layout: Layout, ports: Ports, *, fsync: bool) -> list[str]:
    """Return etcd's arguments: one member, plain HTTP on loopback."""
    client, peer = f"http://127.0.0.1:{ports.etcd}", f"http://127.0.0.1:{ports.etcd_peer}"
    flags = {
        "name": "default",
        "data-dir": layout.folder / "etcd",
        "listen-client-urls": client,
        "advertise-client-urls": client,
        "listen-peer-urls": peer,
        "initial-advertise-peer-urls": peer,
        "initial-cluster": f"default={peer}",
        "log-level": "warn",
    }
    return [*_flags(flags), *([] if fsync else ["--unsafe-no-fsync"])]


def apiserver(layout: Layout, ports: Ports, *, emulated_version: str = "") -> list[str]:
    """Return kube-apiserver's arguments.

    It publishes no address of its own (`endpoint-reconciler-type=none`), so that it also starts on a
    machine without a network. It behaves as an earlier `emulated_version` did if told to.
    """
    flags = {
        "etcd-servers": f"http://127.0.0.1:{ports.etcd}",
        "bind-address": "127.0.0.1",
        "secure-port": ports.apiserver,
        "advertise-address": "127.0.0.1",
        "endpoint-reconciler-type": "none",
        "cert-dir": layout.folder,
        "tls-cert-file": layout.server[0],
        "tls-private-key-file": layout.server[1],
        "client-ca-file": layout.authority,
        "authorization-mode": "Node,RBAC",
        "enable-admission-plugins": "NodeRestriction",
        "allow-privileged": "true",
        "service-cluster-ip-range": SERVICE_RANGE,
        "service-account-issuer": ISSUER,
        "service-account-lookup": "true",
        "service-account-key-file": layout.token_key[0],
        "service-account-signing-key-file": layout.token_key[1],
        "kubelet-certificate-authority": layout.authority,
        "kubelet-client-certificate": layout.kubelet_client[0],
        "kubelet-client-key": layout.kubelet_client[1],
        "kubelet-preferred-address-types": "InternalIP",
        "audit-policy-file": layout.audit_policy,
        "audit-log-path": layout.folder / "audit.log",
    }
    if layout.admission_config is not None:
        flags["admission-control-config-file"] = layout.admission_config
    if emulated_version:
        flags["emulated-version"] = emulated_version
    return _flags(flags)


def controller_manager(layout: Layout, ports: Ports, kubeconfig: Path) -> list[str]:
    """Return kube-controller-manager's arguments; patient with a node that runs beside a busy test."""
    flags = {
        "kubeconfig": kubeconfig,
        "authentication-kubeconfig": kubeconfig,
        "authorization-kubeconfig": kubeconfig,
        "bind-address": "127.0.0.1",
        "secure-port": ports.controller_manager,
        "cert-dir": layout.folder,
        "leader-elect": "false",
        "use-service-account-credentials": "true",
        "service-account-private-key-file": layout.token_key[1],
        "root-ca-file": layout.authority,
        "controllers": ",".join(CONTROLLERS),
        "node-monitor-grace-period": "5m",
        "kube-api-qps": 200,
        "kube-api-burst": 400,
    }
    return _flags(flags)


def scheduler(layout: Layout, ports: Ports, kubeconfig: Path) -> list[str]:
    """Return kube-scheduler's arguments."""
    flags = {
        "kubeconfig": kubeconfig,
        "authentication-kubeconfig": kubeconfig,
        "authorization-kubeconfig": kubeconfig,
        "bind-address": "127.0.0.1",
        "secure-port": ports.scheduler,
        "cert-dir": layout.folder,
        "leader-elect": "false",
    }
    return _flags(flags)
