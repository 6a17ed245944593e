"""The installed chart as a whole: upgrades, a second release, and its own test."""

import base64
import functools
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from golive_dev.control_plane import ControlPlane
from golive_dev.node import start_node
from golive_dev.waiting import eventually
from golive_operator.standing import POLICIES

CHART = Path(__file__).parents[2] / "charts" / "golive"


def test_type_checker_of_the_server_finds_nothing(cluster: Any) -> None:
    """The API server's own check of the expressions against the kinds' schemas has no warning."""
    for name in POLICIES:
        words = ["get", "validatingadmissionpolicy", name, "-o", "jsonpath={.status.typeChecking}"]
        assert eventually(functools.partial(said, cluster, words)) == "{}", name


def test_the_operator_looks_for_every_policy_of_the_chart(cluster: Any) -> None:
    """One that it does not know could be taken away unseen."""
    words = ["get", "validatingadmissionpolicy", "-o", "name"]
    names = [line.partition("/")[2] for line in said(cluster, words).split()]

    assert sorted(names) == sorted(POLICIES)


def said(cluster: Any, words: list[str]) -> str:
    """What kubectl prints for an administrator."""
    text: str = cluster.ask("admin", *words).said
    return text


def test_second_operator_is_refused(cluster: Any) -> None:
    """Policies know one operator; a second release can't quietly take them over."""
    words = ("install", "other", CHART, "-n", "default", "--dry-run=server")
    done = cluster.plane.run("helm", *words, check=False)

    assert done.returncode != 0
    assert "invalid ownership metadata" in done.stderr


def test_upgrade_touches_no_request(cluster: Any, golive: Any, name: str) -> None:
    """CRDs are upgraded in place, without a step on anybody's object."""
    cluster.plane.run("helm", "upgrade", "golive", CHART, "-n", "golive-system", "--reuse-values")

    assert cluster.show(name)["metadata"]["resourceVersion"] == golive["metadata"]["resourceVersion"]


@pytest.fixture
def plane_with_a_node() -> Iterator[ControlPlane]:
    """Give a control plane of its own on which pods run."""
    with ControlPlane() as plane:
        start_node(plane)
        yield plane


def test_operators_pod_holds_a_token_that_engines_believe_and_nobody_else(
    plane_with_a_node: ControlPlane,
) -> None:
    """The node mints it, under the policy that keeps everybody else from it."""
    plane = plane_with_a_node
    plane.run("helm", "install", "golive", CHART, "-n", "golive-system", "--create-namespace")

    token = eventually(lambda: next(plane.directory.rglob("engine-token/token"), None), 60).read_text()

    claims = json.loads(base64.urlsafe_b64decode(token.split(".")[1] + "=="))
    assert claims["aud"] == ["golive.dev/engine"]
    assert claims["sub"] == "system:serviceaccount:golive-system:golive-operator"
    assert claims["exp"] - claims["iat"] == 600
    assert claims["kubernetes.io"]["pod"]["name"].startswith("golive-operator-")


def test_helm_test_tells_a_guarded_server_from_an_unguarded_one(plane_with_a_node: ControlPlane) -> None:
    """It passes while the gate is guarded, and fails once somebody has unbound the policy."""
    plane, place = plane_with_a_node, ("-n", "golive-system")
    plane.run("helm", "install", "golive", CHART, *place, "--create-namespace", "--set", "replicas=1")

    guarded = plane.run("helm", "test", "golive", *place, "--timeout=60s", "--logs", check=False)
    plane.kubectl("delete", "validatingadmissionpolicybinding", "golive-gate")
    forged = json.dumps(
        {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {"name": "golive-gate-x", "namespace": "default"},
            "data": {"state": "Open"},
        }
    )
    # A policy bites on for a second after its binding is gone.
    create = ("create", "--dry-run=server", "-f-")
    eventually(lambda: plane.kubectl(*create, stdin=forged, check=False).returncode == 0, 20)
    unguarded = plane.run("helm", "test", "golive", *place, "--timeout=60s", check=False)

    assert guarded.returncode == 0, guarded.stderr
    for what in ("gate", "record", "release of a stop"):
        assert f"a forged {what} is refused" in guarded.stdout
    assert unguarded.returncode != 0
    log = plane.kubectl("logs", "golive-test", *place).stdout
    assert "a forged gate is NOT refused" in log
