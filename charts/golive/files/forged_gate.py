# ruff: noqa: INP001  # a script that the chart carries, no module
"""Tries to create a gate that is open, as a dry run; succeeds when a policy of the API server refuses it."""

import json
import os
import ssl
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

ATTEMPTS = 10
"""Tries, one second apart: a policy that was just installed bites after about one."""

ACCOUNT = Path("/var/run/secrets/kubernetes.io/serviceaccount")
"""Where a pod finds its token."""

GATE = {
    "apiVersion": "v1",
    "kind": "ConfigMap",
    "metadata": {"name": "golive-gate-helm-test", "labels": {"golive.dev/gate": "helm-test"}},
    "data": {"state": "Open"},
}
"""What nobody but the operator may write, and not even the operator like this."""


def forge() -> str:
    """Send it once and return what the API server says, empty if it would have taken it."""
    host, port = os.environ["KUBERNETES_SERVICE_HOST"], os.environ["KUBERNETES_SERVICE_PORT"]
    address = f"[{host}]" if ":" in host else host
    namespace = (ACCOUNT / "namespace").read_text()
    url = f"https://{address}:{port}/api/v1/namespaces/{namespace}/configmaps?dryRun=All"
    headers = {
        "Authorization": f"Bearer {(ACCOUNT / 'token').read_text()}",
        "Content-Type": "application/json",
    }
    request = urllib.request.Request(url, json.dumps(GATE).encode(), headers)
    trust = ssl.create_default_context(cafile=str(ACCOUNT / "ca.crt"))
    try:
        with urllib.request.urlopen(request, timeout=5, context=trust):  # noqa: S310  # always https
            return ""
    except urllib.error.HTTPError as error:
        return error.read().decode()


for _ in range(ATTEMPTS):
    answer = forge()
    if "ValidatingAdmissionPolicy 'golive-gate'" in answer:
        sys.stdout.write("a forged gate is refused\n")
        sys.exit(0)
    time.sleep(1)
sys.exit(f"a forged gate is NOT refused by the policy golive-gate; the API server says: {answer or 'created'}")
