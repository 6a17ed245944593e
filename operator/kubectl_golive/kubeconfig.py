"""Reads kubeconfigs, with nothing but a YAML parser: importing a client library takes a quarter of a second."""

import base64
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import yaml

from kubectl_golive.problems import Problem

_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_SERVICE_ACCOUNT = Path("/var/run/secrets/kubernetes.io/serviceaccount")


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """How to reach and convince one API server."""

    server: str
    """Its URL."""
    namespace: str = "default"
    """The context's namespace."""
    authority: bytes | None = None
    """PEM that its certificate must chain to; None trusts the system's authorities."""
    certificate: bytes | None = None
    """PEM of the client's certificate."""
    key: bytes | None = None
    """PEM of the client's key."""
    token: str | None = None
    """Bearer token."""
    verify: bool = True
    """False only where the kubeconfig says insecure-skip-tls-verify."""
    server_name: str | None = None
    """Name expected in the server's certificate, where it is not the URL's host."""
    proxy: str | None = None
    """URL of an HTTP proxy."""
    plugin: bool = False
    """The credentials come from a program that the kubeconfig names."""


Entry = tuple[Path, dict[str, Any]]
"""A kubeconfig's entry, and the folder that its relative paths start from."""


def read_access(kubeconfig: str | None, context: str | None) -> Access:
    """Read the chosen context.

    Raises:
        Problem: There is no kubeconfig, or it does not say how to reach a server.
    """
    files = config_files(kubeconfig)
    if not files and not kubeconfig and (_SERVICE_ACCOUNT / "token").exists():
        return _from_pod()
    if not files:
        raise Problem("no kubeconfig: set KUBECONFIG or give --kubeconfig")
    documents = [(path.parent, _load(path)) for path in files]
    chosen = context or next((d["current-context"] for _, d in documents if d.get("current-context")), None)
    if chosen is None:
        raise Problem("the kubeconfig has no current-context: give --context")
    try:
        return _assemble(documents, chosen)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise Problem(f"the kubeconfig is malformed: {type(error).__name__} {error}") from error


def config_files(kubeconfig: str | None) -> list[Path]:
    """The kubeconfigs to read, as kubectl looks for them; files of a list may be missing."""
    if kubeconfig:
        if not Path(kubeconfig).is_file():
            raise Problem(f"no kubeconfig at {kubeconfig}")
        return [Path(kubeconfig)]
    listed = os.environ.get("KUBECONFIG") or str(Path("~/.kube/config").expanduser())
    return [Path(part) for part in listed.split(os.pathsep) if part and Path(part).is_file()]


def _load(path: Path) -> dict[str, Any]:
    try:
        document = yaml.load(path.read_bytes(), Loader=_Loader)  # noqa: S506  a safe loader, in C where there is one
    except (OSError, yaml.YAMLError) as error:
        raise Problem(f"kubeconfig {path} can't be read: {' '.join(str(error).split())}") from error
    if not isinstance(document, dict):
        raise Problem(f"kubeconfig {path} is not a kubeconfig")
    return document


def _entry(documents: list[Entry], kind: str, name: str | None) -> Entry:
    """Find an entry by name; the first file that has it wins, as with kubectl."""
    for folder, document in documents:
        for item in document.get(f"{kind}s") or []:
            if item.get("name") == name:
                return folder, item.get(kind) or {}
    raise Problem(f"the kubeconfig has no {kind} {name!r}")


def _assemble(documents: list[Entry], chosen: str) -> Access:
    context = _entry(documents, "context", chosen)[1]
    cluster = _entry(documents, "cluster", context.get("cluster"))
    user = _entry(documents, "user", context["user"]) if context.get("user") else (Path(), {})
    if not cluster[1].get("server"):
        raise Problem(f"the kubeconfig's cluster {context.get('cluster')!r} has no server")
    urlsplit(cluster[1]["server"]).port  # noqa: B018  raises for what is no port
    return Access(
        server=cluster[1]["server"].rstrip("/"),
        namespace=context.get("namespace") or "default",
        authority=_file_or_data(cluster, "certificate-authority"),
        certificate=_file_or_data(user, "client-certificate"),
        key=_file_or_data(user, "client-key"),
        token=_token(user),
        verify=not cluster[1].get("insecure-skip-tls-verify"),
        server_name=cluster[1].get("tls-server-name"),
        proxy=cluster[1].get("proxy-url"),
        plugin=bool(user[1].keys() & {"exec", "auth-provider"}),
    )


def _file_or_data(entry: Entry, key: str) -> bytes | None:
    folder, fields = entry
    if data := fields.get(f"{key}-data"):
        return base64.b64decode(data)
    return _read(folder / fields[key]) if fields.get(key) else None


def _token(user: Entry) -> str | None:
    folder, fields = user
    if path := fields.get("tokenFile"):
        return _read(folder / path).decode().strip()
    return fields.get("token")


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise Problem(f"{path}, named in the kubeconfig, can't be read: {error.strerror}") from error


def _from_pod() -> Access:
    """The ServiceAccount of the pod that this runs in."""
    host = os.environ.get("KUBERNETES_SERVICE_HOST", "")
    host = f"[{host}]" if ":" in host else host
    return Access(
        server=f"https://{host}:{os.environ.get('KUBERNETES_SERVICE_PORT', '443')}",
        namespace=_read(_SERVICE_ACCOUNT / "namespace").decode().strip(),
        authority=_read(_SERVICE_ACCOUNT / "ca.crt"),
        token=_read(_SERVICE_ACCOUNT / "token").decode().strip(),
    )
