"""What an engine is: its template, what that mounts, and whether its pods are just that."""

from copy import deepcopy
from typing import Any

import pytest

from golive_api.digest import sha256
from golive_decisions.identity import Mounted, identity, judge_pods, mounted_objects, template_of, value_digests

CONTAINER: dict[str, Any] = {
    "name": "engine",
    "image": "engine:1",
    "args": ["--live"],
    "env": [{"name": "A", "value": "1"}],
}
INIT = {"name": "migrate", "image": "engine:1", "command": ["migrate"]}
TEMPLATE: dict[str, Any] = {
    "metadata": {"labels": {"app": "engine"}},
    "spec": {"containers": [CONTAINER], "initContainers": [INIT]},
}
DEPLOYMENT = {"metadata": {"name": "engine", "uid": "deployment"}, "spec": {"template": TEMPLATE}}


def owned(uid: str, owner: str, *, name: str = "x", **rest: Any) -> dict[str, Any]:
    """An object with a controller."""
    owners = [{"uid": "bystander"}, {"uid": owner, "controller": True}]
    return {"metadata": {"name": name, "uid": uid, "ownerReferences": owners}, **deepcopy(rest)}


def replica_set(uid: str = "current", *, template: dict[str, Any] = TEMPLATE, owner: str = "deployment") -> Any:
    """A ReplicaSet, with the label and the time that only its own template has."""
    copied = deepcopy(template)
    copied["metadata"]["labels"]["pod-template-hash"] = uid
    copied["metadata"]["creationTimestamp"] = None
    return owned(uid, owner, spec={"template": copied})


def pod(name: str = "pod", *, owner: str = "current", phase: str = "Running", **spec: Any) -> Any:
    """A pod of the template, with what the API server adds to every pod."""
    full: dict[str, Any] = deepcopy(TEMPLATE["spec"]) | {"nodeName": "node"} | spec
    return owned(f"uid-{name}", owner, name=name, spec=full, status={"phase": phase})


def running(**fields: Any) -> dict[str, Any]:
    """The engine's container with some fields set."""
    return {**CONTAINER, **fields}


ADDED = [{"name": "engine", "mountPath": "/var/run/secrets/token"}]

DIFFERENCES: dict[str, tuple[dict[str, Any], tuple[str, ...]]] = {
    "the same": ({}, ()),
    "volume mounts that admission added": ({"containers": [running(volumeMounts=ADDED)]}, ()),
    "an empty list for an absent one": ({"containers": [running(command=[])]}, ()),
    "another image": ({"containers": [running(image="engine:2")]}, ("engine.image",)),
    "another command": ({"containers": [running(command=["sh"])]}, ("engine.command",)),
    "other arguments": ({"containers": [running(args=[])]}, ("engine.args",)),
    "one more variable": ({"containers": [running(env=[*CONTAINER["env"], {"name": "B"}])]}, ("engine.env",)),
    "more environment": (
        {"containers": [running(envFrom=[{"secretRef": {"name": "s"}}])]},
        ("engine.envFrom",),
    ),
    "another folder": ({"containers": [running(workingDir="/tmp")]}, ("engine.workingDir",)),  # noqa: S108  # data
    "another port": ({"containers": [running(ports=[{"containerPort": 1}])]}, ("engine.ports",)),
    "more rights": (
        {"containers": [running(securityContext={"privileged": True})]},
        ("engine.securityContext",),
    ),
    "two things at once": ({"containers": [running(image="i", args=[])]}, ("engine.image", "engine.args")),
    "a sidecar": ({"containers": [CONTAINER, {"name": "spy"}]}, ("unknown container spy",)),
    "an init container that differs": ({"initContainers": [{**INIT, "image": "i"}]}, ("migrate.image",)),
    "an init container too many": ({"initContainers": [INIT, {"name": "x"}]}, ("unknown container x",)),
    "an init container too few": ({"initContainers": None}, ("migrate.image", "migrate.command")),
    "another volume": ({"volumes": [{"name": "settings", "configMap": {"name": "other"}}]}, ("volumes",)),
    "a token's volume, which admission adds": (
        {"volumes": [{"name": "kube-api-access-x", "projected": {}}]},
        (),
    ),
    "names of its own for hosts": ({"hostAliases": [{"ip": "10.0.0.1", "hostnames": ["x"]}]}, ("hostAliases",)),
    "an ephemeral container": ({"ephemeralContainers": [{"name": "debug"}]}, ("ephemeral container",)),
}


@pytest.mark.parametrize("sentence", DIFFERENCES)
def test_a_pod_is_compared_with_its_template_and_has(sentence: str) -> None:
    """Each field that decides what runs is compared; what admission may add is not."""
    spec, expected = DIFFERENCES[sentence]
    (judged,) = judge_pods(DEPLOYMENT, [replica_set()], [pod(**spec)])
    assert judged.follows_template
    assert judged.differences == expected


OLDER = {**TEMPLATE, "spec": {"containers": [running(image="engine:0")]}}


def test_a_pod_of_an_older_template_does_not_follow_the_present_one() -> None:
    """Its differences are not listed: it differs as a whole."""
    sets = [replica_set(), replica_set("older", template=OLDER)]
    judged = judge_pods(
        DEPLOYMENT, sets, [pod(), pod("old", owner="older", ephemeralContainers=[{"name": "d"}])]
    )
    assert [(each.name, each.follows_template, each.differences) for each in judged] == [
        ("pod", True, ()),
        ("old", False, ()),
    ]


@pytest.mark.parametrize("phase", ["Succeeded", "Failed"])
def test_a_pod_that_has_ended_does_not_count(phase: str) -> None:
    """It trades nothing any more."""
    assert judge_pods(DEPLOYMENT, [replica_set()], [pod(phase=phase)]) == ()


@pytest.mark.parametrize("phase", ["Pending", "Running", "Unknown"])
def test_a_pod_that_may_still_run_counts(phase: str) -> None:
    """Unknown is not ended."""
    assert len(judge_pods(DEPLOYMENT, [replica_set()], [pod(phase=phase)])) == 1


def test_only_pods_that_the_deployment_controls_are_its_own() -> None:
    """Neither a stranger's ReplicaSet, nor an orphan, nor an owner that is no controller."""
    orphan, guest = pod("orphan"), pod("guest")
    orphan["metadata"]["ownerReferences"] = []
    guest["metadata"]["ownerReferences"][1]["controller"] = False
    sets = [replica_set(), replica_set("foreign", owner="other")]
    assert (
        judge_pods(DEPLOYMENT, sets, [orphan, guest, pod("strange", owner="foreign"), pod("lost", owner="")])
        == ()
    )


def test_a_template_is_the_same_in_deployment_and_replica_set() -> None:
    """The hash label and the null time are all that differs between the two."""
    assert template_of(replica_set()) == template_of(DEPLOYMENT)
    assert template_of({}) == {"metadata": {"labels": {}}}


REFERENCES: dict[str, tuple[dict[str, Any], list[tuple[str, str, bool]]]] = {
    "nothing": ({}, []),
    "nulls where lists may stand": ({"volumes": None, "containers": None, "initContainers": None}, []),
    "a volume of each kind": (
        {"volumes": [{"configMap": {"name": "c"}}, {"secret": {"secretName": "s"}}, {"emptyDir": {}}]},
        [("configmaps", "c", False), ("secrets", "s", False)],
    ),
    "projected sources": (
        {
            "volumes": [
                {
                    "projected": {
                        "sources": [
                            {"configMap": {"name": "c", "optional": True}},
                            {"secret": {"name": "s"}},
                            {"serviceAccountToken": {}},
                        ]
                    }
                }
            ]
        },
        [("configmaps", "c", True), ("secrets", "s", False)],
    ),
    "single variables": (
        {
            "containers": [
                {
                    "env": [
                        {"name": "A", "valueFrom": {"configMapKeyRef": {"name": "c", "key": "k"}}},
                        {
                            "name": "B",
                            "valueFrom": {"secretKeyRef": {"name": "s", "key": "k", "optional": True}},
                        },
                        {"name": "C", "value": "plain"},
                        {"name": "D", "valueFrom": {"fieldRef": {"fieldPath": "x"}}},
                    ]
                }
            ]
        },
        [("configmaps", "c", False), ("secrets", "s", True)],
    ),
    "whole environments": (
        {
            "containers": [
                {"envFrom": [{"configMapRef": {"name": "c"}}, {"prefix": "P", "secretRef": {"name": "s"}}]}
            ]
        },
        [("configmaps", "c", False), ("secrets", "s", False)],
    ),
    "an init container's environment": (
        {"initContainers": [{"envFrom": [{"secretRef": {"name": "s", "optional": True}}]}]},
        [("secrets", "s", True)],
    ),
    "one object named twice, once as optional": (
        {"volumes": [{"configMap": {"name": "c", "optional": True}}, {"configMap": {"name": "c"}}]},
        [("configmaps", "c", False)],
    ),
    "one object named twice as optional": (
        {"volumes": [{"secret": {"secretName": "s", "optional": True}}] * 2},
        [("secrets", "s", True)],
    ),
    "a gate": ({"volumes": [{"configMap": {"name": "golive-gate-perps", "optional": True}}]}, []),
    "a Secret named like a gate": (
        {"volumes": [{"secret": {"secretName": "golive-gate-perps"}}]},
        [("secrets", "golive-gate-perps", False)],
    ),
}


@pytest.mark.parametrize("sentence", REFERENCES)
def test_the_objects_behind_a_template_are_found_in(sentence: str) -> None:
    """Every way in which a pod can be given a ConfigMap's or a Secret's content; gates change all the time."""
    spec, expected = REFERENCES[sentence]
    assert mounted_objects({"spec": spec}) == tuple(Mounted(*each) for each in expected)


CONFIG = Mounted("configmaps", "c", optional=False)
SECRET = Mounted("secrets", "s", optional=False)


def config(**rest: Any) -> dict[str, Any]:
    """A ConfigMap with one value."""
    return {"metadata": {"resourceVersion": "1"}, "data": {"a": "1"}, **rest}


def secret(uid: str = "u", version: str = "1") -> dict[str, Any]:
    """A Secret's metadata."""
    return {"metadata": {"uid": uid, "resourceVersion": version, "labels": {"a": version}}}


SAME = (TEMPLATE, {CONFIG: config(), SECRET: secret()})
VARIANTS: dict[str, tuple[tuple[Any, Any], bool]] = {
    "the same": (deepcopy(SAME), True),
    "a ConfigMap rewritten with the same content": (
        (TEMPLATE, {CONFIG: config(metadata={"resourceVersion": "9"}), SECRET: secret()}),
        True,
    ),
    "a ConfigMap with other data": ((TEMPLATE, {CONFIG: config(data={"a": "2"}), SECRET: secret()}), False),
    "a ConfigMap with binary data": (
        (TEMPLATE, {CONFIG: config(binaryData={"b": "AA=="}), SECRET: secret()}),
        False,
    ),
    "a ConfigMap that is gone": ((TEMPLATE, {CONFIG: None, SECRET: secret()}), False),
    "a ConfigMap that is empty": ((TEMPLATE, {CONFIG: config(data=None), SECRET: secret()}), False),
    "a Secret that was written": ((TEMPLATE, {CONFIG: config(), SECRET: secret(version="2")}), False),
    "a Secret that was made anew": ((TEMPLATE, {CONFIG: config(), SECRET: secret(uid="v")}), False),
    "a Secret that is gone": ((TEMPLATE, {CONFIG: config(), SECRET: None}), False),
    "another template": ((OLDER, {CONFIG: config(), SECRET: secret()}), False),
    "another object": (
        (TEMPLATE, {Mounted("configmaps", "d", optional=False): config(), SECRET: secret()}),
        False,
    ),
}


@pytest.mark.parametrize("sentence", VARIANTS)
def test_what_an_approval_is_bound_to_differs_for_all_but_what_is(sentence: str) -> None:
    """ConfigMaps by content, Secrets by uid and version, the template as a whole."""
    (template, contents), same = VARIANTS[sentence]
    assert (sha256(identity(template, contents)) == sha256(identity(*SAME))) == same


def test_a_secrets_content_is_in_no_identity() -> None:
    """Even if somebody hands the whole Secret over, nothing of it is kept."""
    leaked = secret() | {"data": {"key": "aHVudGVyMg=="}}
    assert "hunter2" not in repr(identity(TEMPLATE, {SECRET: leaked}))
    assert "aHVudGVyMg" not in repr(identity(TEMPLATE, {SECRET: leaked}))


def test_an_engine_can_be_held_to_the_bytes_that_it_loaded() -> None:
    """SHA-256 of each value's UTF-8, whichever ConfigMap and key it came from."""
    expected = "607474ca475a9724d7360aba71a56d5df77e61350e3f724cfa1f46e857e2d85f"
    assert value_digests([{"data": {"x": "ü"}}, {"data": None}, {}]) == frozenset({expected})
