import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from golive_dev.control_plane import ControlPlane
from golive_dev.linux import descendants
from golive_dev.node import start_node
from golive_dev.waiting import eventually


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL], ids=["asked to end", "killed"])
def test_no_process_of_a_pod_outlives_its_node(
    control_plane: ControlPlane,
    pods_on: Callable[..., Any],
    namespace: str,
    alive: Callable[[int], bool],
    number: int,
) -> None:
    """Whether the node is asked to end, and then removes its folder, or has no chance to."""
    name = f"mortal-{number}"
    child = start_node(control_plane, name)
    pods = pods_on(control_plane, name, namespace)
    pods.start("stays", pods.container("sh", "-c", "trap '' TERM; while true; do sleep 0.1; done"))
    eventually(lambda: pods.state("stays")["kind"] == "running")
    pid = pods.pid("stays")
    os.kill(child.pid, number)
    child.wait(10)
    eventually(lambda: not alive(pid), 2)
    assert (control_plane.directory / name).exists() == (number == signal.SIGKILL)
    control_plane.kubectl("delete", "node", name)


def test_pods_run_on_while_the_api_server_is_away(own_plane: ControlPlane, pods_on: Callable[..., Any]) -> None:
    """The same process, no restart; what happens afterwards is seen again."""
    start_node(own_plane, "steady", sync_seconds=0.2)
    pods = pods_on(own_plane, "steady")
    pods.config_map("word", text="old")
    mount = [{"name": "v", "mountPath": "/word"}]
    script = "until grep -q new /word/text; do sleep 0.1; done; echo seen; exec sleep 60"
    volumes = [{"name": "v", "configMap": {"name": "word"}}]
    pods.start("runs", pods.container("sh", "-c", script, volumeMounts=mount), volumes=volumes)
    eventually(lambda: pods.state("runs")["kind"] == "running")
    pid = pods.pid("runs")
    own_plane.restart_apiserver()
    pods.config_map("word", text="new")
    eventually(lambda: pods.logs("runs") == "seen\n", 20)
    assert (pods.pid("runs"), pods.status("runs")["restartCount"]) == (pid, 0)
    pods.kubectl("delete", "pod", "runs", "--timeout=20s")


def test_a_node_that_comes_back_runs_its_pods_again(
    control_plane: ControlPlane, pods_on: Callable[..., Any], namespace: str
) -> None:
    """One restart more, the same pod."""
    child = start_node(control_plane, "returning")
    pods = pods_on(control_plane, "returning", namespace)
    pods.start("again", pods.container("sleep", "60"))
    eventually(lambda: pods.state("again")["kind"] == "running")
    child.kill()
    start_node(control_plane, "returning")
    eventually(lambda: pods.status("again")["restartCount"] == 1)
    eventually(lambda: pods.state("again")["kind"] == "running")


def test_a_forced_deletion_ends_the_process_too(pods: Any, alive: Callable[[int], bool]) -> None:
    """Though the object is gone at once."""
    pods.start("forced", pods.container("sh", "-c", "trap '' TERM; while true; do sleep 0.1; done"))
    eventually(lambda: pods.state("forced")["kind"] == "running")
    pid = pods.pid("forced")
    pods.kubectl("delete", "pod", "forced", "--grace-period=0", "--force")
    eventually(lambda: not alive(pid), 5)


def test_pods_deleted_while_they_start_leave_no_process(pods: Any, node: Any) -> None:
    """Whichever step of the start the deletion meets."""
    mark = f"mark={pods.namespace}"
    names = [f"hasty-{number}" for number in range(4)]
    for name in names:
        pods.start(name, pods.container("sh", "-c", f"{mark}; trap '' TERM; while true; do sleep 0.1; done"))
        pods.kubectl("delete", "pod", name, "--wait=false")
    pods.kubectl("wait", "--for=delete", "--timeout=20s", *(f"pod/{name}" for name in names))
    commands = [Path(f"/proc/{pid}/cmdline") for pid in descendants(node.pid)]
    assert not any(mark in path.read_text() for path in commands if path.exists())


def test_nothing_is_left_of_a_pod(pods: Any, node: Any) -> None:
    """Neither folder nor process, once it is deleted."""
    pods.start("brief", pods.container("sleep", "60"))
    eventually(lambda: pods.state("brief")["kind"] == "running")
    uid = pods.get("brief")["metadata"]["uid"]
    folder = Path(pods.plane.directory) / node.name / "pods" / uid
    assert folder.exists()
    pid = pods.pid("brief")
    assert pid in set(descendants(node.pid))
    pods.kubectl("delete", "pod", "brief")
    eventually(lambda: not folder.exists() and pid not in set(descendants(node.pid)))


def test_without_namespaces_paths_are_rewritten(
    control_plane: ControlPlane, pods_on: Callable[..., Any], namespace: str
) -> None:
    """Arguments name the host's folder, and Python programs find the token where they look for it."""
    child = start_node(control_plane, "plain", filesystem="rewrite")
    pods = pods_on(control_plane, "plain", namespace)
    pods.config_map("config", word="found")
    mount = [{"name": "v", "mountPath": "/etc/no-such/config"}]
    program = """
import kubernetes, sys
print(open("/etc/no-such/config/word").read(), open(sys.argv[1]).read())
kubernetes.config.load_incluster_config()
print(kubernetes.client.AuthenticationV1Api().create_self_subject_review({}).status.user_info.username)
"""
    container = pods.container("python", "-c", program, "/etc/no-such/config/word", volumeMounts=mount)
    volumes = [{"name": "v", "configMap": {"name": "config"}}]
    pods.start("plain", container, volumes=volumes, restartPolicy="Never")
    assert pods.finish("plain") == f"found found\nsystem:serviceaccount:{namespace}:default\n"
    child.stop()
