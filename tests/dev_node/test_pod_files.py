import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from golive_dev.waiting import eventually

CHECKOUT = Path(__file__).parents[2]

ACCOUNT = "/var/run/secrets/kubernetes.io/serviceaccount"


def mounted(pods: Any, volume: dict[str, Any], path: str, *command: str, **more: Any) -> dict[str, Any]:
    """A container with one volume, and the pod's list of volumes."""
    mount = {"name": "v", "mountPath": path, **more}
    container = pods.container(*command, volumeMounts=[mount])
    return {"container": container, "volumes": [{"name": "v", **volume}]}


def test_a_changed_config_map_reaches_a_volume_all_at_once(pods: Any) -> None:
    """A reader that looks all the time sees the two keys agree; both are of the newest version at last."""
    # The folder is opened once per look: both files come from one version of it.
    reader = """
import os, sys
while True:
    try:
        folder = os.open("/etc/pair/..data", os.O_RDONLY)
        texts = [os.read(os.open(name, os.O_RDONLY, dir_fd=folder), 9) for name in ("left", "right")]
    except FileNotFoundError:  # the version was removed under our feet: look at the next one
        texts = [b"", b""]
    os.closerange(3, 64)
    if texts[0] != texts[1]:
        sys.exit(f"torn: {texts}")
    if texts[0] == b"9":
        sys.exit(0)
"""
    pods.config_map("pair", left="0", right="0")
    setup = mounted(pods, {"configMap": {"name": "pair"}}, "/etc/pair", "python", "-c", reader)
    pods.start("reader", setup["container"], volumes=setup["volumes"], restartPolicy="Never")
    eventually(lambda: pods.state("reader")["kind"] == "running")
    for number in range(1, 10):
        pods.config_map("pair", left=str(number), right=str(number))
    assert pods.finish("reader") == ""
    assert pods.phase("reader") == "Succeeded"


def test_volumes_hold_what_their_sources_say(pods: Any) -> None:
    """Chosen items with their modes, labels of the pod, secrets decoded, all in one projected folder."""
    pods.config_map("config", kept="k", left_out="x")
    pods.apply(
        {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "secret"}, "stringData": {"password": "p"}}
    )
    label = {"path": "labels/team", "fieldRef": {"fieldPath": "metadata.labels['team']"}}
    sources = [
        {"configMap": {"name": "config", "items": [{"key": "kept", "path": "deep/kept", "mode": 0o400}]}},
        {"secret": {"name": "secret"}},
        {"configMap": {"name": "absent", "optional": True}},
        {"downwardAPI": {"items": [label]}},
    ]
    command = "cd /all && stat -L -c '%n %a' deep/kept && cat deep/kept password labels/team && ls"
    setup = mounted(pods, {"projected": {"sources": sources}}, "/all", "sh", "-c", command)
    pods.start(
        "all",
        setup["container"],
        metadata={"labels": {"team": "desk"}},
        volumes=setup["volumes"],
        restartPolicy="Never",
    )
    assert pods.finish("all") == "deep/kept 400\nkpdeskdeep\nlabels\npassword\n"


def test_a_token_is_bound_to_its_pod(pods: Any) -> None:
    """The API server names the pod behind the token, and forgets the token with the pod."""
    read = pods.container("sh", "-c", f"cat {ACCOUNT}/token; exec sleep 60")
    pods.start("bearer", read)
    eventually(lambda: pods.logs("bearer"))
    review = {
        "apiVersion": "authentication.k8s.io/v1",
        "kind": "TokenReview",
        "spec": {"token": pods.logs("bearer")},
    }

    def reviewed() -> dict[str, Any]:
        answer = pods.kubectl("create", "-f", "-", "-o", "json", stdin=json.dumps(review))
        status: dict[str, Any] = json.loads(answer)["status"]
        return status

    user = reviewed()["user"]
    assert user["username"] == f"system:serviceaccount:{pods.namespace}:default"
    assert user["extra"]["authentication.kubernetes.io/pod-name"] == ["bearer"]
    assert user["extra"]["authentication.kubernetes.io/node-name"] == [pods.node]
    pods.kubectl("delete", "pod", "bearer")
    eventually(lambda: not reviewed().get("authenticated"), 15)


def test_the_kubernetes_client_signs_in_from_inside(pods: Any) -> None:
    """With nothing but what every pod has: two variables and three files."""
    program = """
import kubernetes
kubernetes.config.load_incluster_config()
print(kubernetes.client.AuthenticationV1Api().create_self_subject_review({}).status.user_info.username)
"""
    pods.start("inside", pods.container("python", "-c", program), restartPolicy="Never")
    assert pods.finish("inside") == f"system:serviceaccount:{pods.namespace}:default\n"


def test_containers_of_a_pod_share_an_empty_dir(pods: Any) -> None:
    """And see it at the paths they want, one of them a part of it only."""
    writer = pods.container(
        "sh",
        "-c",
        "mkdir -p /out/part; echo shared > /out/part/file",
        volumeMounts=[{"name": "v", "mountPath": "/out"}],
    ) | {"name": "writer"}
    mount = {"name": "v", "mountPath": "/in", "subPath": "part"}
    reader = pods.container("cat", "/in/file", volumeMounts=[mount])
    pods.start(
        "sharing",
        reader,
        initContainers=[writer],
        volumes=[{"name": "v", "emptyDir": {}}],
        restartPolicy="Never",
    )
    eventually(lambda: pods.phase("sharing") == "Succeeded")
    assert pods.logs("sharing", "-c", "main") == "shared\n"


def test_a_sub_path_is_a_copy_that_stays_as_it_was(pods: Any) -> None:
    """A single file among the host's own, never refreshed."""
    pods.config_map("one", file="before")
    script = """
cat /etc/one.conf
until grep -q after /all/file; do sleep 0.05; done
cat /etc/one.conf
test -e /etc/passwd
"""
    mounts = [
        {"name": "v", "mountPath": "/etc/one.conf", "subPath": "file"},
        {"name": "v", "mountPath": "/all"},
    ]
    container = pods.container("sh", "-c", script, volumeMounts=mounts)
    pods.start("sub", container, volumes=[{"name": "v", "configMap": {"name": "one"}}], restartPolicy="Never")
    eventually(lambda: pods.logs("sub") == "before")
    pods.config_map("one", file="after")
    assert pods.finish("sub") == "beforebefore"
    assert pods.phase("sub") == "Succeeded"


def test_a_pod_changes_no_file_of_the_host(pods: Any, tmp_path: Path) -> None:
    """Not in the host's folders, nor in its /tmp; what the node wrote can't be overwritten either."""
    pods.config_map("fixed", key="value")
    script = (
        f"touch {tmp_path}/mark; touch /usr/mark && echo usr; echo x > /etc/fixed/key && echo fixed; "
        "touch /tmp/mark && echo tmp; touch mark && echo work"
    )
    setup = mounted(pods, {"configMap": {"name": "fixed"}}, "/etc/fixed", "sh", "-c", f"({script}) 2>/dev/null")
    pods.start("tame", setup["container"], volumes=setup["volumes"], restartPolicy="Never")
    assert pods.finish("tame") == "tmp\nwork\n"
    assert not any(Path(folder, "mark").exists() for folder in ("/usr", "/tmp", tmp_path))  # noqa: S108


def test_a_read_only_root_leaves_only_volumes_writable(pods: Any) -> None:
    """As its security context demands."""
    script = "for file in /tmp/mark mark /made /data/mark; do touch $file && echo $file; done"
    setup = mounted(pods, {"emptyDir": {}}, "/data", "sh", "-c", f"({script}) 2>/dev/null")
    container = setup["container"] | {"securityContext": {"readOnlyRootFilesystem": True}}
    pods.start("strict", container, volumes=setup["volumes"], restartPolicy="Never")
    assert pods.finish("strict") == "/data/mark\n"


@pytest.mark.parametrize("path", ["/tmp", str(CHECKOUT)], ids=["over /tmp", "over the checkout"])  # noqa: S108  # the container's
def test_a_volume_hides_neither_python_nor_the_working_folder(pods: Any, path: str) -> None:
    """Charts mount a folder at /tmp, and the checkout may well be under it."""
    program = "import aiohttp, golive_dev.node; print('ok')"
    setup = mounted(pods, {"emptyDir": {}}, path, "python", "-c", program)
    pods.start("hiding", setup["container"], volumes=setup["volumes"], restartPolicy="Never")
    assert pods.finish("hiding") == "ok\n"


def test_a_volume_that_lacks_its_source_holds_the_pod_back(
    pods: Any, eventually_event: Callable[..., None]
) -> None:
    """It waits, says why, and goes on when the source is there."""
    setup = mounted(pods, {"secret": {"secretName": "late"}}, "/late", "cat", "/late/word")
    pods.start("held", setup["container"], volumes=setup["volumes"], restartPolicy="Never")
    eventually_event(pods, "FailedMount", '"late" not found')
    assert pods.state("held") == {"kind": "waiting", "reason": "ContainerCreating"}
    secret = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "late"}, "stringData": {"word": "now"}}
    pods.apply(secret)
    assert pods.finish("held") == "now"
