# ruff: noqa: INP001  # a script that the chart carries, no module
"""Tries, as dry runs, to create what nobody may; succeeds when a policy of the API server refuses each."""

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

KINDS = "apis/golive.dev/v1alpha1"
NAME = {"name": "helm-test"}
RECORD = {
    "golive": "helm-test",
    "uid": "helm-test",
    "sequence": 1,
    "time": "2000-01-01T00:00:00Z",
    "act": "Opened",
    "revision": 1,
    "reason": "Forged",
    "previousHash": "0" * 64,
    "hash": "0" * 64,
}
RELEASE = {"user": "helm-test", "rootCause": "nobody looked for one"}

FORGERIES = {
    "gate": (
        "golive-gate",
        ("api/v1", "configmaps"),
        {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {"name": "golive-gate-helm-test", "labels": {"golive.dev/gate": "helm-test"}},
            "data": {"state": "Open"},
        },
    ),
    "record": (
        "golive-records",
        (KINDS, "goliverecords"),
        {"apiVersion": "golive.dev/v1alpha1", "kind": "GoLiveRecord", "metadata": NAME, "spec": RECORD},
    ),
    "release of a stop": (
        "golive-emergency-stop",
        (KINDS, "emergencystops"),
        {
            "apiVersion": "golive.dev/v1alpha1",
            "kind": "EmergencyStop",
            "metadata": NAME,
            "spec": {"reason": "a test", "release": RELEASE},
        },
    ),
}
"""What nobody may write, by whom it has to be refused, and where it goes."""


def forge(where: tuple[str, str], body: dict[str, object]) -> str:
    """Send it once and return what the API server says, empty if it would have taken it."""
    host, port = os.environ["KUBERNETES_SERVICE_HOST"], os.environ["KUBERNETES_SERVICE_PORT"]
    address = f"[{host}]" if ":" in host else host
    namespace = (ACCOUNT / "namespace").read_text()
    url = f"https://{address}:{port}/{where[0]}/namespaces/{namespace}/{where[1]}?dryRun=All"
    headers = {
        "Authorization": f"Bearer {(ACCOUNT / 'token').read_text()}",
        "Content-Type": "application/json",
    }
    request = urllib.request.Request(url, json.dumps(body).encode(), headers)
    trust = ssl.create_default_context(cafile=str(ACCOUNT / "ca.crt"))
    try:
        with urllib.request.urlopen(request, timeout=5, context=trust):  # noqa: S310  # always https
            return ""
    except urllib.error.HTTPError as error:
        return error.read().decode()


def try_to_forge(what: str) -> None:
    """Return once its policy, from the API or from a file, refuses it; end the test if none does."""
    policy, where, body = FORGERIES[what]
    answer = ""
    for _ in range(ATTEMPTS):
        answer = forge(where, body)
        if f"ValidatingAdmissionPolicy '{policy}" in answer:
            sys.stdout.write(f"a forged {what} is refused\n")
            return
        time.sleep(1)
    sys.exit(
        f"a forged {what} is NOT refused by the policy {policy}; the API server says: {answer or 'created'}"
    )


for forgery in FORGERIES:
    try_to_forge(forgery)
