"""Nobody borrows the operator's identity, and the operator itself reaches no further than it has to."""

import copy
from typing import Any

import pytest

DEPLOYMENT = {
    "apiVersion": "apps/v1",
    "kind": "Deployment",
    "metadata": {"labels": {"team": "perps"}, "annotations": {"note": "by hand"}},
    "spec": {
        "replicas": 0,
        "selector": {"matchLabels": {"app": "engine"}},
        "template": {
            "metadata": {"labels": {"app": "engine"}},
            "spec": {"containers": [{"name": "engine", "image": "golive/golive:1"}]},
        },
    },
}


@pytest.fixture
def deployment(cluster: Any, name: str) -> str:
    """Give an engine's Deployment."""
    body = copy.deepcopy(DEPLOYMENT)
    body["metadata"] |= {"name": name}  # type: ignore[operator]  # a dict literal of mixed values
    cluster.create("trader", body).json()
    return f"deployment {name}"


@pytest.mark.usefixtures("golive")
def test_status_is_written_by_the_operator_only(cluster: Any, name: str) -> None:
    """Administrators are refused as well."""
    answer = cluster.patch("admin", f"golives {name}", cluster.gate_status(), "--subresource=status")

    assert answer.refused_by("golive-status")
    assert "only the GoLive operator" in answer.said


BACKWARDS = {
    "a stale leader's epoch": ({"epoch": 4}, "stale leader"),
    "no epoch at all": ({"epoch": None}, ""),
    "an unburned revision": ({"burnedRevision": 1}, "stays burned"),
    "an open gate of a burned revision": ({"state": "Open"}, "cannot be open"),
}


@pytest.mark.parametrize(("change", "complaint"), BACKWARDS.values(), ids=BACKWARDS)
@pytest.mark.usefixtures("golive")
def test_status_never_goes_back_to(cluster: Any, name: str, change: dict[str, Any], complaint: str) -> None:
    """Status outlives the gate, so it is where a replaced leader is stopped for good."""
    target, flag = f"golives {name}", "--subresource=status"
    cluster.patch("operator", target, cluster.gate_status(burnedRevision=2), flag).json()

    answer = cluster.patch("operator", target, {"status": {"gate": change}}, flag)

    assert not answer.accepted
    assert complaint in answer.said


@pytest.mark.usefixtures("golive")
def test_status_without_its_gate_is_a_step_back(cluster: Any, name: str) -> None:
    """Removing the fence is refused like lowering it."""
    answer = cluster.patch("operator", f"golives {name}", {"status": {"gate": None}}, "--subresource=status")

    assert answer.refused_by("golive-status")


CHAIN = {"recorded": {"sequence": 7, "anchorSequence": 3}}

REWINDS: dict[str, tuple[dict[str, Any] | None, str]] = {
    "an earlier record": ({"sequence": 6}, "sequence may not go back"),
    "no record": (None, "sequence may not go back"),
    "an earlier anchor": ({"anchorSequence": 2}, "neither go back nor pass"),
    "an anchor past the last record": ({"anchorSequence": 8}, "neither go back nor pass"),
}


@pytest.mark.parametrize(("change", "complaint"), REWINDS.values(), ids=REWINDS)
@pytest.mark.usefixtures("golive")
def test_chain_of_records_never_goes_back_to(
    cluster: Any, name: str, change: dict[str, Any] | None, complaint: str
) -> None:
    """Status says where the chain stands, so that a shortened one is found out."""
    target, flag = f"golives {name}", "--subresource=status"
    cluster.patch("operator", target, {"status": CHAIN}, flag).json()

    answer = cluster.patch("operator", target, {"status": {"recorded": change}}, flag)

    assert answer.refused_by("golive-status")
    assert complaint in answer.said


@pytest.mark.parametrize("who", ["admin", "operator"])
def test_nobody_mints_the_operators_token(cluster: Any, who: str) -> None:
    """The built-in roles admin and edit allow it; the policy does not."""
    answer = cluster.ask(who, "create", "token", "golive-operator", "-n", "golive-system")

    assert not answer.accepted
    assert who == "operator" or answer.refused_by("golive-operator-identity")


def test_other_accounts_tokens_are_not_guarded(cluster: Any) -> None:
    """The guard is about one account."""
    assert cluster.ask("admin", "create", "token", "default", "-n", "golive-system").accepted
    assert cluster.ask("trader", "create", "token", "default").accepted


INTRUSIONS = {
    "exec": ["exec", "operator-0", "--", "true"],
    "attach": ["attach", "operator-0"],
    "debug": ["debug", "operator-0", "--image=busybox", "--profile=general"],
}


@pytest.mark.parametrize("words", INTRUSIONS.values(), ids=INTRUSIONS)
def test_nobody_enters_the_operators_pod_by(cluster: Any, words: list[str]) -> None:
    """A shell in the pod is the operator's identity."""
    answer = cluster.ask("admin", "-n", "golive-system", *words)

    assert "ValidatingAdmissionPolicy 'golive-operator-identity'" in answer.said


def test_operator_labels_a_deployment(cluster: Any, deployment: str) -> None:
    """The labels golive.dev/… show people the gate."""
    change = {"metadata": {"labels": {"golive.dev/gate": "Open"}, "annotations": {"golive.dev/note": "x"}}}

    assert cluster.patch("operator", deployment, change).accepted
    removal = {"metadata": {"labels": {"golive.dev/gate": None}}}
    assert cluster.patch("operator", deployment, removal).accepted


OVERREACHES: dict[str, dict[str, Any]] = {
    "its replicas": {"spec": {"replicas": 1}},
    "its pod template": {"spec": {"template": {"metadata": {"labels": {"golive.dev/x": "1"}}}}},
    "another label": {"metadata": {"labels": {"team": "mine"}}},
    "another label's being there": {"metadata": {"labels": {"team": None}}},
    "a new label without a value": {"metadata": {"labels": {"new": ""}}},
    "another annotation": {"metadata": {"annotations": {"note": None}}},
    "its finalizers": {"metadata": {"finalizers": ["golive.dev/hold"]}},
}


@pytest.mark.parametrize("change", OVERREACHES.values(), ids=OVERREACHES)
def test_operator_can_not_change_of_a_deployment(cluster: Any, deployment: str, change: dict[str, Any]) -> None:
    """RBAC says patch; the policy says labels."""
    assert cluster.patch("operator", deployment, change).refused_by("golive-operator-reach")


@pytest.mark.usefixtures("golive")
def test_operator_can_not_change_a_request(cluster: Any, name: str) -> None:
    """RBAC says patch; the policy says dry runs."""
    change = {"spec": {"activation": "Disabled"}}

    assert cluster.patch("operator", f"golives {name}", change).refused_by("golive-operator-reach")
    assert cluster.patch("operator", f"golives {name}", change, "--dry-run=server").accepted


def test_operator_can_not_write_another_config_map(cluster: Any, name: str) -> None:
    """RBAC says ConfigMaps; the policy says gates."""
    body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}}

    assert cluster.create("operator", body).refused_by("golive-operator-reach")


RIGHTS = {
    "the operator": (
        "operator",
        [
            *("delete golives", "create golives", "approve golives", "attest golives", "delete configmaps"),
            *(
                "create emergencystops",
                "patch emergencystops",
                "release emergencystops",
                "delete emergencystops",
            ),
            *("create activationpolicies", "patch activationpolicies", "patch capitalprofiles"),
            *("patch goliverecords", "update goliverecords", "create pods"),
        ],
        [
            *("preflight golives", "watch emergencystops", "watch activationpolicies", "watch goliverecords"),
            *("create goliverecords", "delete goliverecords", "get validatingadmissionpolicies"),
        ],
    ),
    "a reader": (
        "reader",
        [
            *("create golives", "patch golives", "approve golives", "attest golives", "preflight golives"),
            *("create emergencystops", "patch emergencystops", "create goliverecords"),
        ],
        ["get golives", "get leases", "watch emergencystops", "list goliverecords", "get activationpolicies"],
    ),
    "an editor": (
        "mallory",
        [
            *("approve golives", "attest golives", "preflight golives", "patch golives/status"),
            *("patch emergencystops", "delete emergencystops", "release emergencystops"),
            *(
                "create goliverecords",
                "delete goliverecords",
                "create capitalprofiles",
                "create activationpolicies",
            ),
        ],
        ["create golives", "delete golives", "get capitalprofiles", "create emergencystops"],
    ),
    "an approver": (
        "approver",
        [
            *("create golives", "delete golives", "patch golives/status", "patch configmaps"),
            *("patch emergencystops", "release emergencystops", "create goliverecords"),
        ],
        ["approve golives", "attest golives", "patch golives", "get capitalprofiles", "list goliverecords"],
    ),
    "an attester": (
        "attester",
        [
            "approve golives",
            "create golives",
            "delete golives",
            "create emergencystops",
            "release emergencystops",
        ],
        ["attest golives", "patch golives", "get golives/status", "get activationpolicies"],
    ),
    "a releaser": (
        "releaser",
        ["approve golives", "attest golives", "patch golives", "create goliverecords"],
        ["release emergencystops", "patch emergencystops", "create emergencystops", "list goliverecords"],
    ),
    "a closer": (
        "closer",
        [
            *("approve golives", "attest golives", "create golives", "create configmaps", "get secrets"),
            *("patch emergencystops", "release emergencystops"),
        ],
        ["patch golives", "delete configmaps", "watch leases", "create emergencystops"],
    ),
}


@pytest.mark.parametrize(("who", "denied", "granted"), RIGHTS.values(), ids=RIGHTS)
def test_rights_are_as_small_as_the_task_of(
    cluster: Any, who: str, denied: list[str], granted: list[str]
) -> None:
    """RBAC grants what the role is for, and nothing that opens a gate."""
    for right in denied:
        assert not can_i(cluster, who, right), right
    for right in granted:
        assert can_i(cluster, who, right), right


def can_i(cluster: Any, who: str, right: str) -> bool:
    """What RBAC says."""
    verb, _, resource = right.partition(" ")
    resource, _, subresource = resource.partition("/")
    core = {"configmaps", "pods", "leases", "secrets", "validatingadmissionpolicies"}
    kind = resource if resource in core else f"{resource}.golive.dev"
    kind += "/golive-gate" if resource == "validatingadmissionpolicies" else ""
    words = [verb, kind] + ([f"--subresource={subresource}"] if subresource else [])
    accepted: bool = cluster.ask(who, "auth", "can-i", *words).accepted
    return accepted
