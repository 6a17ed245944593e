"""What an engine's ServiceAccount may do, by the API server's own answer."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from golive_dev.control_plane import ControlPlane

GATE = "metadata.name=golive-gate-perps"

RIGHTS: dict[str, tuple[list[str], bool]] = {
    "list its own gate": (["get", "configmaps", f"--field-selector={GATE}"], True),
    "read its own gate": (["auth", "can-i", "get", "configmaps/golive-gate-perps"], True),
    "list all ConfigMaps": (["get", "configmaps"], False),
    "read another gate": (["auth", "can-i", "get", "configmaps/golive-gate-spot"], False),
    "open its own gate": (["auth", "can-i", "patch", "configmaps/golive-gate-perps"], False),
    "create a gate": (["auth", "can-i", "create", "configmaps"], False),
    "renew its own Lease": (["auth", "can-i", "patch", "leases/golive-engine-perps-engine"], True),
    "create its Lease": (["auth", "can-i", "create", "leases"], True),
    "take another engine's Lease": (["auth", "can-i", "patch", "leases/golive-engine-spot-engine"], False),
    "ask whose token it is": (["auth", "can-i", "create", "tokenreviews.authentication.k8s.io"], True),
    "ask what others may do": (["auth", "can-i", "create", "subjectaccessreviews.authorization.k8s.io"], True),
    "read Secrets": (["auth", "can-i", "get", "secrets"], False),
    "change itself": (["auth", "can-i", "patch", "deployments"], False),
}


KINDS = {"ServiceAccount", "Role", "RoleBinding", "ClusterRoleBinding"}


def grant(control_plane: ControlPlane, namespace: str, render: Callable[..., Any]) -> None:
    """Give the engine of a namespace its account and its rights."""
    bodies = [
        body
        for body in render("golive-engine", {"golive": "perps"}, namespace=namespace)
        if body["kind"] in KINDS
    ]
    text = json.dumps({"apiVersion": "v1", "kind": "List", "items": bodies})
    control_plane.kubectl("apply", "-f", "-", stdin=text)


@pytest.mark.parametrize(("words", "granted"), RIGHTS.values(), ids=RIGHTS)
def test_engine_rights_to(
    control_plane: ControlPlane,
    namespace: str,
    render: Callable[..., Any],
    words: list[str],
    granted: bool,  # noqa: FBT001  # a column of the table
) -> None:
    """It reads its own gate and every stop, and holds its own Lease; it opens and lifts nothing."""
    grant(control_plane, namespace, render)
    account = f"system:serviceaccount:{namespace}:perps-engine"

    done = control_plane.kubectl(*words, "-n", namespace, f"--as={account}", check=False)

    assert (done.returncode == 0) is granted, done.stdout + done.stderr


@pytest.mark.parametrize(
    ("verb", "granted"),
    {"get": True, "list": True, "watch": True, "update": False, "patch": False, "delete": False}.items(),
)
def test_an_engine_reads_stops_and_lifts_none(
    control_plane: ControlPlane,
    namespace: str,
    render: Callable[..., Any],
    verb: str,
    granted: bool,  # noqa: FBT001  # a column of the table
) -> None:
    """Its own word about what stops it would be worth nothing."""
    grant(control_plane, namespace, render)
    wanted = {"namespace": namespace, "verb": verb, "group": "golive.dev", "resource": "emergencystops"}
    review = {
        "apiVersion": "authorization.k8s.io/v1",
        "kind": "SubjectAccessReview",
        "spec": {
            "user": f"system:serviceaccount:{namespace}:perps-engine",
            "resourceAttributes": wanted,
        },
    }
    answer = control_plane.kubectl("create", "-f", "-", "-o", "json", stdin=json.dumps(review))
    assert json.loads(answer.stdout)["status"]["allowed"] is granted


def test_an_engine_that_may_not_delegate_binds_nothing_outside_its_namespace(
    render: Callable[..., Any],
) -> None:
    """For who may install a chart in one namespace only."""
    values = {"golive": "perps", "preflight": {"delegateAuthentication": False}}
    kinds = {body["kind"] for body in render("golive-engine", values)}
    assert "ClusterRoleBinding" not in kinds
    assert "RoleBinding" in kinds
