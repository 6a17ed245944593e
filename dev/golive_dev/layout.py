"""The files that the servers of a control plane read at their start."""

from dataclasses import dataclass
from pathlib import Path

from golive_dev.pki import Authority

ADMINS = "system:masters"
"""The group that may do everything."""

SERVICE_ADDRESS = "10.0.0.1"
"""The cluster IP of the API server's own Service, the first of the Services' range."""

SERVER_HOSTS = (
    "127.0.0.1",
    "localhost",
    "kubernetes",
    "kubernetes.default",
    "kubernetes.default.svc",
    SERVICE_ADDRESS,
)
"""What clients may call the API server by."""

AUDIT_POLICY = """\
apiVersion: audit.k8s.io/v1
kind: Policy
omitStages: [RequestReceived]
rules:
- level: Metadata
  verbs: [create, update, patch, delete, deletecollection]
  resources:
  - group: golive.dev
  - group: ""
    resources: [configmaps]
- level: None
"""
"""Who wrote, or tried to write, what a gate depends on."""

ADMISSION_CONFIG = """\
apiVersion: apiserver.config.k8s.io/v1
kind: AdmissionConfiguration
plugins:
- name: ValidatingAdmissionPolicy
  configuration:
    apiVersion: apiserver.config.k8s.io/v1
    kind: ValidatingAdmissionPolicyConfiguration
    staticManifestsDir: {folder}
"""
"""Lets the API server read validating policies from a folder, out of reach of its own API."""


@dataclass(frozen=True)
class Layout:
    """Where the servers find their files."""

    folder: Path
    """Folder of everything that belongs to this control plane."""
    authority: Path
    """Certificate of the authority that every side trusts."""
    server: tuple[Path, Path]
    """Serving certificate and key of the API server."""
    kubelet_client: tuple[Path, Path]
    """Certificate and key by which the API server signs in at a node."""
    token_key: tuple[Path, Path]
    """Public and private key of ServiceAccount tokens."""
    audit_policy: Path
    """File holding the audit policy."""
    admission_config: Path | None
    """File that names admission policies read from disk, if any."""


def write_layout(folder: Path, authority: Authority, static_policies: Path | None) -> Layout:
    """Write every file into `folder` and return where each one is."""
    audit_policy = folder / "audit-policy.yaml"
    audit_policy.write_text(AUDIT_POLICY)
    admission_config = None
    if static_policies is not None:
        admission_config = folder / "admission.yaml"
        admission_config.write_text(ADMISSION_CONFIG.format(folder=static_policies.resolve()))
    return Layout(
        folder=folder,
        authority=authority.certificate_file,
        server=authority.issue("apiserver", "kube-apiserver", hosts=SERVER_HOSTS),
        kubelet_client=authority.issue("kubelet-client", "kube-apiserver-kubelet-client", [ADMINS]),
        token_key=authority.signing_key("service-account"),
        audit_policy=audit_policy,
        admission_config=admission_config,
    )
