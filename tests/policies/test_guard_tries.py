"""The operator finds out when its guard is gone, weakened or not understood, also where files guard."""

import asyncio
import copy
import json
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any

import pytest
from kubernetes.aio.config import kube_config

from golive_dev.waiting import eventually
from golive_operator.cluster import Cluster
from golive_operator.guarding import Guard
from golive_operator.standing import POLICIES, policy_weaknesses, unbound

POLICY, BINDING = "validatingadmissionpolicy", "validatingadmissionpolicybinding"


@asynccontextmanager
async def guard_of(guarded: Any, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Guard]:
    """A guard that has seen nothing yet, signed in as the operator."""
    place = str(guarded.operator_kubeconfig)
    monkeypatch.setattr(kube_config, "KUBE_CONFIG_DEFAULT_LOCATION", place)
    async with Cluster() as connected:
        yield Guard(connected)


async def look(guarded: Any, monkeypatch: pytest.MonkeyPatch, golive: Any) -> str:
    """What a fresh guard finds, as text; empty is good."""
    async with guard_of(guarded, monkeypatch) as guard:
        return "; ".join(await guard.errors(golive))


def shown(guarded: Any, name: str) -> Any:
    """A GoLive that was decided on before, so that there is an epoch to go back from."""
    spec = {"requestedBy": "trader", "revision": 1}
    guarded.create("trader", guarded.golive_body(name, **spec)).json()
    return guarded.patch("operator", f"golives {name}", guarded.gate_status(), "--subresource=status").json()


@pytest.mark.parametrize("fixture", ["cluster", "emulated_cluster", "static_cluster"])
async def test_a_whole_guard_is_found_whole(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, name: str, fixture: str
) -> None:
    """Policies through the API, or from files alone, which nothing lists."""
    guarded = request.getfixturevalue(fixture)

    assert await look(guarded, monkeypatch, shown(guarded, name)) == ""


async def test_an_object_whose_namespace_ends_shuts_no_other_gate(
    cluster: Any, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """There every write is refused for another reason, which proves nothing, and only there."""
    held = {"metadata": {"name": "held", "finalizers": ["golive.dev/held"]}}
    cluster.plane.kubectl("create", "namespace", f"ending-{name}")
    body = json.dumps({"apiVersion": "v1", "kind": "ConfigMap", **held})
    cluster.plane.kubectl("create", "-n", f"ending-{name}", "-f", "-", stdin=body)
    cluster.plane.kubectl("delete", "namespace", f"ending-{name}", "--wait=false")
    ghost = {
        "metadata": {"namespace": f"ending-{name}", "name": "ghost", "uid": "ghost"},
        "spec": {"revision": 1},
        "status": {},
    }
    try:
        async with guard_of(cluster, monkeypatch) as guard:
            golive = shown(cluster, name)
            assert "terminated" in "; ".join(await guard.errors(ghost))
            assert await guard.errors(golive) == ()
            first, second = await asyncio.gather(guard.errors(ghost), guard.errors(golive))
            assert (bool(first), second) == (False, ())  # trusted by now, for the cluster's policies refuse
    finally:
        patch = '{"metadata":{"finalizers":null}}'
        words = ("patch", "configmap", "held", "-n", f"ending-{name}", "--type=merge", "-p", patch)
        cluster.plane.kubectl(*words)


@pytest.mark.parametrize("fixture", ["cluster", "static_cluster"])
async def test_a_first_visit_has_no_epoch_to_forge(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, name: str, fixture: str
) -> None:
    """What can't be tried yet is tried at the next look."""
    guarded = request.getfixturevalue(fixture)
    spec = {"requestedBy": "trader", "revision": 1}
    golive = guarded.create("trader", guarded.golive_body(name, **spec)).json()
    async with guard_of(guarded, monkeypatch) as guard:
        assert await guard.errors(golive) == ()


@contextmanager
def changed(guarded: Any, kind: str, name: str, change: dict[str, Any] | None) -> Iterator[None]:
    """Meanwhile an object is patched, or gone."""
    before = guarded.ask("admin", "get", kind, name, "-o", "json").json()
    kept = {key: before["metadata"][key] for key in ("name", "labels", "annotations")}
    whole = {**before, "metadata": kept}
    whole.pop("status", None)
    if change is None:
        guarded.ask("admin", "delete", kind, name)
    else:
        guarded.patch("admin", f"{kind} {name}", change).json()
    try:
        yield
    finally:
        guarded.ask("admin", "delete", kind, name, "--ignore-not-found")
        guarded.create("admin", whole).json()


def selecting(selector: str) -> dict[str, Any]:
    """A selector that hardly anything meets."""
    return {selector: {"matchLabels": {"no": "such"}}}


WEAKENINGS: dict[str, tuple[str, dict[str, Any] | None, str]] = {
    "unbound": (BINDING, None, "the binding of policy {} is missing"),
    "deleted": (POLICY, None, "policy {} is missing"),
    "reporting only": (BINDING, {"spec": {"validationActions": ["Audit"]}}, "policy {} does not deny"),
    "bound elsewhere only": (
        BINDING,
        {"spec": {"matchResources": selecting("namespaceSelector")}},
        "policy {} is not bound everywhere: namespaceSelector",
    ),
    "made for labelled objects only": (
        POLICY,
        {"spec": {"matchConstraints": selecting("objectSelector")}},
        "policy {} leaves something out by objectSelector",
    ),
    "lenient with errors": (POLICY, {"spec": {"failurePolicy": "Ignore"}}, "policy {} lets pass what it fails"),
}


@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize(("kind", "change", "complaint"), WEAKENINGS.values(), ids=WEAKENINGS)
async def test_a_policy_is_seen_to_be(
    breakable_cluster: Any,
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    policy: str,
    kind: str,
    change: dict[str, Any] | None,
    complaint: str,
) -> None:
    """Each of them, within one look."""
    golive = shown(breakable_cluster, name)

    with changed(breakable_cluster, kind, policy, change):
        found = await look(breakable_cluster, monkeypatch, golive)

    assert complaint.format(policy) in found
    words = ["get", POLICY, policy, "-o", "jsonpath={.metadata.generation}/{.status.observedGeneration}"]
    eventually(lambda: breakable_cluster.ask("admin", *words).said == "1/1", 30)


def test_a_policy_is_seen_not_to_be_understood(breakable_cluster: Any) -> None:
    """The API server's own type check is asked."""
    nonsense = {"spec": {"validations": [{"expression": "object.nosuchfield == 1", "message": "x"}]}}
    words = ("get", POLICY, "golive-gate", "-o", "json")

    with changed(breakable_cluster, POLICY, "golive-gate", nonsense):
        eventually(
            lambda: any(
                "is not understood" in weak and "nosuchfield" in weak
                for weak in policy_weaknesses(breakable_cluster.ask("admin", *words).json())
            ),
            30,
        )


POLICY_OBJECT: dict[str, Any] = {
    "metadata": {"name": "golive-gate", "generation": 2},
    "spec": {"failurePolicy": "Fail", "matchConstraints": {"namespaceSelector": {}, "objectSelector": {}}},
    "status": {"observedGeneration": 2, "typeChecking": {}},
}
BINDING_OBJECT: dict[str, Any] = {
    "metadata": {"name": "golive-gate"},
    "spec": {"policyName": "golive-gate", "validationActions": ["Deny", "Audit"]},
}


def test_a_sound_policy_and_its_binding_have_no_weakness() -> None:
    """Selectors that select everything leave nothing out."""
    everywhere = {"namespaceSelector": {}, "objectSelector": {}, "matchPolicy": "Equivalent"}
    spec = BINDING_OBJECT["spec"] | {"matchResources": everywhere}

    assert policy_weaknesses(POLICY_OBJECT) == []
    assert unbound("golive-gate", BINDING_OBJECT | {"spec": spec}) == []


WARNING = {"expressionWarnings": [{"fieldRef": "spec.validations[0]", "warning": "undefined field"}]}

LOOKS: dict[str, tuple[dict[str, Any], str]] = {
    "an earlier generation was checked": ({"status": {"observedGeneration": 1}}, "has not been checked"),
    "none was checked": ({"status": None}, "has not been checked"),
    "a type warning": ({"status": {"observedGeneration": 2, "typeChecking": WARNING}}, "undefined field"),
    "its deletion": ({"metadata": {"deletionTimestamp": "2026-11-20T12:00:00Z"}}, "is being deleted"),
    "rules that exclude": (
        {"spec": {"matchConstraints": {"excludeResourceRules": [{"resources": ["*"]}]}}},
        "excludeResourceRules",
    ),
}


@pytest.mark.parametrize(("change", "complaint"), LOOKS.values(), ids=LOOKS)
def test_policy_is_weak_with(change: dict[str, Any], complaint: str) -> None:
    """Each by itself."""
    policy = copy.deepcopy(POLICY_OBJECT)
    for key, value in change.items():
        policy[key] = {**policy[key], **value} if key != "status" else value

    assert complaint in json.dumps(policy_weaknesses(policy))


BINDINGS: dict[str, tuple[dict[str, Any], str]] = {
    "another policy's name": ({"policyName": "golive-other"}, "names another policy"),
    "parameters": ({"paramRef": {"name": "x"}}, "takes parameters"),
    "rules of its own": ({"matchResources": {"resourceRules": [{"resources": ["pods"]}]}}, "resourceRules"),
}


@pytest.mark.parametrize(("change", "complaint"), BINDINGS.values(), ids=BINDINGS)
def test_binding_is_weak_with(change: dict[str, Any], complaint: str) -> None:
    """Each by itself."""
    binding = BINDING_OBJECT | {"spec": BINDING_OBJECT["spec"] | change}

    assert complaint in json.dumps(unbound("golive-gate", binding))


def test_binding_that_is_being_deleted_is_weak() -> None:
    """A finalizer may hold it for a while; it has been given up all the same."""
    metadata = BINDING_OBJECT["metadata"] | {"deletionTimestamp": "2026-11-20T12:00:00Z"}

    assert unbound("golive-gate", BINDING_OBJECT | {"metadata": metadata}) == ["is about to be unbound"]
