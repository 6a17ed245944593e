import time
from collections.abc import Callable
from typing import Any

import pytest

from golive_dev.waiting import eventually


def test_a_deployments_pods_become_ready_each_at_its_own_address(pods: Any) -> None:
    """Probed over HTTP at the address handed in by the downward API, on the same port."""
    serve = pods.container(
        *("python", "-m", "http.server", "--bind", "$(POD_IP)", "8080"),
        env=[{"name": "POD_IP", "valueFrom": {"fieldRef": {"fieldPath": "status.podIP"}}}],
        ports=[{"name": "http", "containerPort": 8080}],
        readinessProbe={"httpGet": {"path": "/", "port": "http"}, "periodSeconds": 1},
        livenessProbe={"tcpSocket": {"port": 8080}, "periodSeconds": 1},
        startupProbe={"exec": {"command": ["true"]}, "periodSeconds": 1, "timeoutSeconds": 5},
    )
    # The session's node is cordoned: only who tolerates that is sent there.
    cordoned = [{"key": "node.kubernetes.io/unschedulable", "operator": "Exists"}]
    here = {"kubernetes.io/hostname": pods.node}
    spec = {"containers": [serve], "tolerations": cordoned, "nodeSelector": here}
    template = {"metadata": {"labels": {"app": "web"}}, "spec": spec}
    body = {"replicas": 2, "selector": {"matchLabels": {"app": "web"}}, "template": template}
    pods.apply({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web"}, "spec": body})
    pods.kubectl("rollout", "status", "deployment/web", "--timeout=20s")
    addresses = pods.kubectl("get", "pods", "-o", "jsonpath={.items[*].status.podIP}").split()
    assert len(set(addresses)) == 2
    assert all(address.startswith("127.") for address in addresses)


def test_a_crashing_container_is_restarted_at_once_then_with_backoff(pods: Any) -> None:
    """The exit status of the last run, the count and the reason for waiting are in the status."""
    pods.start("crash", pods.container("sh", "-c", "echo run; exit 3"))
    eventually(lambda: pods.status("crash").get("restartCount", 0) >= 3, 15)
    eventually(lambda: pods.state("crash").get("reason") == "CrashLoopBackOff", 15)
    last = pods.status("crash")["lastState"]["terminated"]
    assert (last["exitCode"], last["reason"]) == (3, "Error")
    assert pods.logs("crash", "--previous") == "run\n"


def test_a_container_that_fails_its_liveness_probe_is_restarted(pods: Any) -> None:
    """Asked to end first: the exit status is the one its handler of SIGTERM gave."""
    script = "trap 'exit 7' TERM; while true; do sleep 0.1; done"
    probe = {"exec": {"command": ["false"]}, "periodSeconds": 1, "failureThreshold": 2, "timeoutSeconds": 5}
    pods.start("unwell", pods.container("sh", "-c", script, livenessProbe=probe))
    eventually(lambda: pods.status("unwell").get("restartCount", 0) >= 1, 20)
    assert pods.status("unwell")["lastState"]["terminated"]["exitCode"] == 7
    assert "Liveness probe failed" in pods.kubectl("get", "events")


def test_a_pod_is_unready_while_its_readiness_probe_fails(pods: Any) -> None:
    """Readiness follows the probe both ways, and restarts nothing."""
    pods.config_map("switch", state="on")
    probe = {"exec": {"command": ["grep", "-q", "on", "/etc/switch/state"]}, "periodSeconds": 1}
    probe |= {"failureThreshold": 1, "timeoutSeconds": 5}
    mounts = [{"name": "switch", "mountPath": "/etc/switch"}]
    container = pods.container("sleep", "60", readinessProbe=probe, volumeMounts=mounts)
    pods.start("turned", container, volumes=[{"name": "switch", "configMap": {"name": "switch"}}])
    eventually(lambda: pods.is_ready("turned"), 15)
    pods.config_map("switch", state="off")
    eventually(lambda: not pods.is_ready("turned"), 15)
    assert pods.status("turned")["restartCount"] == 0


@pytest.mark.parametrize(
    ("policy", "exit_code", "phase"),
    [("Never", 0, "Succeeded"), ("Never", 5, "Failed"), ("OnFailure", 0, "Succeeded")],
    ids=["success ends a pod", "failure ends a pod that never restarts", "success is not restarted on failure"],
)
def test_a_finished_pod_has_the_phase_of_its_exit(pods: Any, policy: str, exit_code: int, phase: str) -> None:
    """By restart policy and exit status."""
    pods.start("once", pods.container("sh", "-c", f"exit {exit_code}"), restartPolicy=policy)
    eventually(lambda: pods.phase("once") == phase)
    assert pods.state("once")["exitCode"] == exit_code


def test_init_containers_run_in_order_before_the_containers(pods: Any) -> None:
    """Each sees what the one before has left in a shared folder; a sidecar keeps running beside."""
    shared = {"volumeMounts": [{"name": "shared", "mountPath": "/shared"}]}
    first = pods.container("sh", "-c", "echo first >> /shared/order", **shared) | {"name": "first"}
    side = pods.container("sleep", "60", restartPolicy="Always") | {"name": "side"}
    second = pods.container("sh", "-c", "echo second >> /shared/order", **shared) | {"name": "second"}
    main = pods.container("sh", "-c", "cat /shared/order; exec sleep 60", **shared)
    volumes = [{"name": "shared", "emptyDir": {}}]
    pods.start("ordered", main, initContainers=[first, side, second], volumes=volumes)
    eventually(lambda: pods.is_ready("ordered"), 15)
    assert pods.logs("ordered", "-c", "main") == "first\nsecond\n"


def test_a_deleted_pod_ends_in_its_own_time_and_leaves_nothing(pods: Any, alive: Callable[[int], bool]) -> None:
    """SIGTERM, then what the container does about it, then neither process nor object."""
    script = "trap 'sleep 0.5; echo orderly; exit 0' TERM; echo up; while true; do sleep 0.05; done"
    pods.start("polite", pods.container("sh", "-c", script), terminationGracePeriodSeconds=20)
    eventually(lambda: pods.logs("polite") == "up\n")
    pid = pods.pid("polite")
    begun = time.monotonic()
    pods.kubectl("delete", "pod", "polite")
    assert 0.5 < time.monotonic() - begun < 5
    assert not alive(pid)


def test_a_pod_that_ignores_sigterm_is_killed_when_its_grace_is_over(
    pods: Any, alive: Callable[[int], bool]
) -> None:
    """With everything it has started."""
    script = "trap '' TERM; sleep 1000 & echo $!; while true; do sleep 0.05; done"
    pods.start("stubborn", pods.container("sh", "-c", script), terminationGracePeriodSeconds=2)
    eventually(lambda: pods.logs("stubborn").endswith("\n"))
    child = int(pods.logs("stubborn"))
    begun = time.monotonic()
    pods.kubectl("delete", "pod", "stubborn")
    assert 2.0 < time.monotonic() - begun < 6
    assert not alive(child)


def test_what_a_container_leaves_running_ends_with_it(pods: Any, alive: Callable[[int], bool]) -> None:
    """A container is over when its first process is, whatever else it has started."""
    script = "trap '' TERM; sleep 1000 & echo $!"
    pods.start("leaver", pods.container("sh", "-c", script), restartPolicy="Never")
    child = int(pods.finish("leaver"))
    eventually(lambda: not alive(child))


def test_a_later_deletion_can_shorten_the_grace(pods: Any, alive: Callable[[int], bool]) -> None:
    """The second, stricter request counts."""
    pods.start("slow", pods.container("sh", "-c", "trap '' TERM; echo up; while true; do sleep 0.05; done"))
    eventually(lambda: pods.logs("slow") == "up\n")
    pid = pods.pid("slow")
    pods.kubectl("delete", "pod", "slow", "--grace-period=600", "--wait=false")
    begun = time.monotonic()
    pods.kubectl("delete", "pod", "slow", "--grace-period=1")
    assert time.monotonic() - begun < 5
    assert not alive(pid)


def test_a_pre_stop_hook_runs_before_sigterm(pods: Any) -> None:
    """And its time is part of the grace."""
    hook = {"preStop": {"exec": {"command": ["sh", "-c", "touch /flag/stopping; sleep 0.3"]}}}
    script = "trap 'ls /flag; exit 0' TERM; echo up; while true; do sleep 0.05; done"
    mounts = [{"name": "flag", "mountPath": "/flag"}]
    main = pods.container("sh", "-c", script, lifecycle=hook, volumeMounts=mounts)
    # Keeps the pod, and so the output of the other, for the rest of the grace.
    second = pods.container("sh", "-c", "trap '' TERM; while true; do sleep 0.05; done") | {"name": "second"}
    volumes = [{"name": "flag", "emptyDir": {}}]
    pods.start("hooked", main, second, volumes=volumes, terminationGracePeriodSeconds=4)
    eventually(lambda: pods.logs("hooked", "-c", "main") == "up\n")
    pods.kubectl("delete", "pod", "hooked", "--wait=false")
    eventually(lambda: pods.logs("hooked", "-c", "main") == "up\nstopping\n", 4)


@pytest.mark.parametrize(
    ("change", "reason", "message"),
    [
        ({"command": ["no-such-program"]}, "RunContainerError", "executable file not found in $PATH"),
        ({"command": []}, "CreateContainerConfigError", "no command specified"),
        ({"envFrom": [{"configMapRef": {"name": "nope"}}]}, "CreateContainerConfigError", '"nope" not found'),
        (
            {"volumeMounts": [{"name": "made", "mountPath": "/made", "subPath": "nope"}]},
            "CreateContainerConfigError",
            "failed to prepare subPath",
        ),
    ],
    ids=["no such program", "no command", "no such ConfigMap", "no such subPath"],
)
def test_what_keeps_a_container_from_starting_is_told_as_the_kubelet_tells_it(
    pods: Any, change: dict[str, Any], reason: str, message: str
) -> None:
    """In the waiting state, or after a failed start in the last state."""
    pods.config_map("made", key="value")
    volumes = [{"name": "made", "configMap": {"name": "made"}}]
    pods.start("stuck", pods.container("sleep", "60", **change), volumes=volumes)

    def told() -> bool:
        events = pods.kubectl("get", "events", "-o", "jsonpath={.items[*].message}")
        return message in events and pods.state("stuck").get("reason") in {reason, "CrashLoopBackOff"}

    eventually(told, 15)
    assert pods.state("stuck")["kind"] == "waiting"


def test_a_container_starts_once_what_it_lacked_is_there(pods: Any) -> None:
    """Without a restart, as nothing had run."""
    key = {"configMapKeyRef": {"name": "late", "key": "word"}}
    env = [{"name": "WORD", "valueFrom": key}]
    pods.start("waits", pods.container("sh", "-c", "echo $WORD; exec sleep 60", env=env))
    eventually(lambda: pods.state("waits").get("reason") == "CreateContainerConfigError")
    pods.config_map("late", word="arrived")
    eventually(lambda: pods.logs("waits") == "arrived\n")
    assert pods.status("waits")["restartCount"] == 0
