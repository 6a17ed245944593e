import json
import ssl
import subprocess
import urllib.error
import urllib.request
from typing import Any

import pytest

from golive_dev.waiting import eventually


def test_logs_can_be_cut_and_followed(pods: Any) -> None:
    """The last lines only; or as they come, to the end of the run."""
    script = "for n in 1 2 3; do echo line $n; done; until test -e /go/on; do sleep 0.05; done; echo last"
    mount = [{"name": "go", "mountPath": "/go"}]
    volumes = [{"name": "go", "configMap": {"name": "go", "optional": True}}]
    container = pods.container("sh", "-c", script, volumeMounts=mount)
    pods.start("talks", container, volumes=volumes, restartPolicy="Never")
    eventually(lambda: pods.logs("talks") == "line 1\nline 2\nline 3\n")
    assert pods.logs("talks", "--tail=2") == "line 2\nline 3\n"
    assert pods.logs("talks", "--limit-bytes=4") == "line"
    program = pods.plane.binary("kubectl")
    words = [program, "-n", pods.namespace, "logs", "-f", "--tail=1", "talks"]
    with subprocess.Popen(words, env=pods.plane.environment(), stdout=subprocess.PIPE, text=True) as following:
        assert following.stdout
        assert following.stdout.readline() == "line 3\n"
        pods.config_map("go", on="")
        assert following.stdout.read() == "last\n"


def test_logs_of_an_unknown_container_are_refused_with_a_sentence(pods: Any) -> None:
    """Rather than with silence."""
    pods.start("known", pods.container("sleep", "60"))
    eventually(lambda: pods.state("known")["kind"] == "running")
    answer = pods.plane.kubectl("-n", pods.namespace, "logs", "known", "--previous", check=False)
    assert "previous terminated container" in answer.stderr


def node_url(pods: Any) -> str:
    """Where the node's own API is."""
    node = json.loads(pods.kubectl("get", "node", pods.node, "-o", "json"))
    return f"https://127.0.0.1:{node['status']['daemonEndpoints']['kubeletEndpoint']['Port']}"


def ask(url: str, tls: ssl.SSLContext) -> tuple[int, str]:
    """Status and body of a GET."""
    try:
        with urllib.request.urlopen(url, context=tls) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode()


def test_only_who_may_proxy_to_nodes_is_answered(pods: Any) -> None:
    """As with a kubelet: a certificate of the cluster is needed, and a right besides."""
    url, plane = node_url(pods), pods.plane
    tls = ssl.create_default_context(cafile=str(plane.ca_file))
    with pytest.raises((urllib.error.URLError, ssl.SSLError, ConnectionError)):
        ask(f"{url}/healthz", tls)
    tls.load_cert_chain(*plane.authority.issue("log-trader", "trader"))
    status, text = ask(f"{url}/pods", tls)
    assert (status, "trader" in text) == (403, True)
    tls = ssl.create_default_context(cafile=str(plane.ca_file))
    tls.load_cert_chain(*plane.authority.issue("log-admin", "admin", ["system:masters"]))
    assert ask(f"{url}/healthz", tls) == (200, "ok")
