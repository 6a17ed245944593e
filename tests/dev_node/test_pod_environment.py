import json
from typing import Any

SHOW = "import json, os; print(json.dumps(dict(os.environ)))"


def from_field(name: str, path: str) -> dict[str, Any]:
    """A variable that holds a field of the pod."""
    return {"name": name, "valueFrom": {"fieldRef": {"fieldPath": path}}}


def test_a_containers_environment_is_what_its_spec_says(pods: Any) -> None:
    """Fields, keys, whole objects with a prefix, expansion, and where the API server is."""
    pods.config_map("config", KEY="from config", OTHER="o")
    secret = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "secret"}, "stringData": {"PASS": "s"}}
    pods.apply(secret)
    env = [
        from_field("POD", "metadata.name"),
        from_field("TEAM", "metadata.labels['team']"),
        from_field("NOTE", "metadata.annotations['note']"),
        from_field("IP", "status.podIP"),
        from_field("IPS", "status.podIPs"),
        from_field("HOST", "status.hostIP"),
        from_field("NODE", "spec.nodeName"),
        from_field("ACCOUNT", "spec.serviceAccountName"),
        {"name": "KEY", "valueFrom": {"configMapKeyRef": {"name": "config", "key": "KEY"}}},
        {"name": "NONE", "valueFrom": {"configMapKeyRef": {"name": "x", "key": "x", "optional": True}}},
        {"name": "PASS", "valueFrom": {"secretKeyRef": {"name": "secret", "key": "PASS"}}},
        {"name": "CPU", "valueFrom": {"resourceFieldRef": {"resource": "limits.cpu", "divisor": "1m"}}},
        {"name": "URL", "value": "http://$(POD):$(PASS)@$(UNKNOWN)/$$(POD)"},
    ]
    origins = [
        {"prefix": "ALL_", "configMapRef": {"name": "config"}},
        {"secretRef": {"name": "absent", "optional": True}},
    ]
    limits = {"limits": {"cpu": "250m", "memory": "64Mi"}}
    container = pods.container("python", "-c", SHOW, env=env, envFrom=origins, resources=limits)
    described = {"labels": {"team": "desk"}, "annotations": {"note": "n"}}
    pods.start("shown", container, metadata=described, restartPolicy="Never")
    seen = json.loads(pods.finish("shown"))
    address = pods.get("shown")["status"]["podIP"]
    expected = {
        "POD": "shown",
        "TEAM": "desk",
        "NOTE": "n",
        "IP": address,
        "IPS": address,
        "HOST": "127.0.0.1",
        "NODE": pods.node,
        "ACCOUNT": "default",
        "KEY": "from config",
        "PASS": "s",
        "CPU": "250",
        "URL": "http://shown:s@$(UNKNOWN)/$(POD)",
        "ALL_KEY": "from config",
        "ALL_OTHER": "o",
        "KUBERNETES_SERVICE_HOST": "127.0.0.1",
        "HOSTNAME": "shown",
    }
    assert {name: seen.get(name) for name in expected} == expected
    assert "NONE" not in seen
    assert seen["KUBERNETES_SERVICE_PORT"] == pods.plane.url.rpartition(":")[2]


def test_nothing_of_the_nodes_own_environment_reaches_a_pod(pods: Any) -> None:
    """A pod that works only with a developer's variables would fail elsewhere."""
    pods.start("bare", pods.container("env"), restartPolicy="Never")
    names = {line.partition("=")[0] for line in pods.finish("bare").splitlines()}
    kubernetes = {name for name in names if name.startswith("KUBERNETES_")}
    assert names - kubernetes <= {"PATH", "HOME", "HOSTNAME", "LANG", "PWD", "LC_CTYPE", "SHLVL", "_"}
