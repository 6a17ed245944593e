"""Neither half of the operator's identity is enough: its account without a pod, a pod with another account."""

from typing import Any

import pytest


@pytest.fixture
def stolen(cluster: Any, name: str) -> Any:
    """Sign in by a long-lived token of the operator's account, as it lies in a Secret."""
    owner = {"kubernetes.io/service-account.name": "golive-operator"}
    return cluster.with_secret_token(
        {
            "apiVersion": "v1",
            "kind": "Secret",
            "type": "kubernetes.io/service-account-token",
            "metadata": {"name": name, "namespace": "golive-system", "annotations": owner},
        }
    )


@pytest.fixture
def intruder(cluster: Any, name: str) -> Any:
    """Sign in as a pod with all rights of an administrator, under an account that is not the operator's."""
    cluster.ask("admin", "create", "serviceaccount", name)
    subject = f"--serviceaccount=trading:{name}"
    cluster.ask("admin", "create", "clusterrolebinding", name, "--clusterrole=cluster-admin", subject)
    return cluster.with_pod_token(
        {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {"name": name},
            "spec": {"serviceAccountName": name, "containers": [{"name": "c", "image": "none"}]},
        }
    )


IMPOSTORS = {
    "the operator's account without a pod": ("stolen", "must be bound to a pod"),
    "a pod with another account": ("intruder", "only the GoLive operator may write"),
}


@pytest.mark.parametrize(("impostor", "complaint"), IMPOSTORS.values(), ids=IMPOSTORS)
def test_gate_is_not_created_by(
    request: pytest.FixtureRequest, cluster: Any, name: str, impostor: str, complaint: str
) -> None:
    """Not even a closed one."""
    answer = request.getfixturevalue(impostor).create("operator", cluster.gate_body(name))

    assert answer.refused_by("golive-gate")
    assert complaint in answer.said


@pytest.mark.parametrize(("impostor", "complaint"), IMPOSTORS.values(), ids=IMPOSTORS)
def test_gate_is_not_opened_by(
    request: pytest.FixtureRequest, gate: str, impostor: str, complaint: str
) -> None:
    """A renewal by a stranger is an opening."""
    renewal = {"data": {"serial": "3", "validUntil": "2027-01-01T00:00:00Z"}}

    answer = request.getfixturevalue(impostor).patch("operator", f"configmap {gate}", renewal)

    assert answer.refused_by("golive-gate")
    assert complaint in answer.said


@pytest.mark.usefixtures("golive")
@pytest.mark.parametrize(("impostor", "complaint"), IMPOSTORS.values(), ids=IMPOSTORS)
def test_status_is_not_written_by(
    request: pytest.FixtureRequest, cluster: Any, name: str, impostor: str, complaint: str
) -> None:
    """Status shows approvers what they approve, so it is as guarded as the gate."""
    someone = request.getfixturevalue(impostor)

    answer = someone.patch("operator", f"golives {name}", cluster.gate_status(), "--subresource=status")

    assert answer.refused_by("golive-status")
    assert complaint in answer.said
