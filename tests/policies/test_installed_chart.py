"""The installed chart as a whole: upgrades, a second release, and its own test."""

import functools
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from golive_dev.control_plane import ControlPlane
from golive_dev.node import start_node
from golive_dev.waiting import eventually

CHART = Path(__file__).parents[2] / "charts" / "golive"


def test_type_checker_of_the_server_finds_nothing(cluster: Any) -> None:
    """The API server's own check of the expressions against the kinds' schemas has no warning."""
    names = ["identity", "status", "gate", "operator-identity", "operator-reach"]
    for name in names:
        words = ["get", "validatingadmissionpolicy", f"golive-{name}", "-o", "jsonpath={.status.typeChecking}"]
        assert eventually(functools.partial(said, cluster, words)) == "{}", name


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


def test_helm_test_tells_a_guarded_server_from_an_unguarded_one(plane_with_a_node: ControlPlane) -> None:
    """It passes while the gate is guarded, and fails once somebody has unbound the policy."""
    plane, place = plane_with_a_node, ("-n", "golive-system")
    plane.run("helm", "install", "golive", CHART, *place, "--create-namespace", "--set", "replicas=1")

    guarded = plane.run("helm", "test", "golive", *place, "--timeout=60s", check=False)
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
    assert unguarded.returncode != 0
    log = plane.kubectl("logs", "golive-test", *place).stdout
    assert "a forged gate is NOT refused" in log
