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
    "read Secrets": (["auth", "can-i", "get", "secrets"], False),
    "change itself": (["auth", "can-i", "patch", "deployments"], False),
}


@pytest.mark.parametrize(("words", "granted"), RIGHTS.values(), ids=RIGHTS)
def test_engine_rights_to(
    control_plane: ControlPlane,
    namespace: str,
    render: Callable[..., Any],
    words: list[str],
    granted: bool,  # noqa: FBT001  # a column of the table
) -> None:
    """It reads its own gate and holds its own Lease; it opens nothing."""
    bodies = [
        body
        for body in render("golive-engine", {"golive": "perps"}, namespace=namespace)
        if body["kind"] in {"ServiceAccount", "Role", "RoleBinding"}
    ]
    text = json.dumps({"apiVersion": "v1", "kind": "List", "items": bodies})
    control_plane.kubectl("apply", "-f", "-", stdin=text)
    account = f"system:serviceaccount:{namespace}:perps-engine"

    done = control_plane.kubectl(*words, "-n", namespace, f"--as={account}", check=False)

    assert (done.returncode == 0) is granted, done.stdout + done.stderr
