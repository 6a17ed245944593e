"""Kubeconfig files, one per client-certificate identity."""

import base64
import hashlib
import json
import threading
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import quote

from golive_dev.pki import Authority


def _encoded(path: Path) -> str:
    """Return a file's content as a kubeconfig embeds it."""
    return base64.b64encode(path.read_bytes()).decode()


class Identities:
    """Writes and remembers the kubeconfig of every identity that was asked for.

    Args:
        authority: Signs the client certificates.
        url: Address of the API server.
        folder: Where the kubeconfig files go.
    """

    def __init__(self, authority: Authority, url: str, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._authority = authority
        self._url = url
        self._folder = folder
        self._lock = threading.Lock()

    def kubeconfig(self, user: str, groups: Sequence[str] = ()) -> Path:
        """Return the kubeconfig of a user in these groups; the same file each time.

        Certificate and key are embedded, so the file can be copied anywhere.
        """
        path = self._folder / f"{_stem(user, groups)}.kubeconfig"
        with self._lock:
            if not path.exists():
                self._write(path, user, groups)
        return path

    def _write(self, path: Path, user: str, groups: Sequence[str]) -> None:
        """Issue a certificate and write the file around it."""
        certificate, key = self._authority.issue(path.stem, user, groups)
        cluster = {
            "server": self._url,
            "certificate-authority-data": _encoded(self._authority.certificate_file),
        }
        credentials = {"client-certificate-data": _encoded(certificate), "client-key-data": _encoded(key)}
        content = {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": "golive-dev", "cluster": cluster}],
            "users": [{"name": user, "user": credentials}],
            "contexts": [{"name": user, "context": {"cluster": "golive-dev", "user": user}}],
            "current-context": user,
        }
        path.touch(mode=0o600)
        path.write_text(json.dumps(content, indent=2))


def _stem(user: str, groups: Sequence[str]) -> str:
    """Return a file name that differs for each user and each set of groups."""
    stem = quote(user, safe="")
    if groups:
        stem += "-" + hashlib.sha256("\0".join(groups).encode()).hexdigest()[:8]
    return stem
