"""Charts render what the API server takes, and refuse what they don't know."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from golive_api.preflight_report import AUDIENCE
from golive_dev.control_plane import ControlPlane
from golive_engine.settings import Settings

ROOT = Path(__file__).parents[2]
STAMPING = ["--api-versions", "admissionregistration.k8s.io/v1/MutatingAdmissionPolicy"]

POD_OPTIONS: dict[str, Any] = {
    "imagePullSecrets": [{"name": "pull"}],
    "extraEnv": [{"name": "TZ", "value": "UTC"}],
    "podAnnotations": {"note": "x"},
    "podLabels": {"team": "perps"},
    "priorityClassName": "system-cluster-critical",
    "nodeSelector": {"disk": "fast"},
    "tolerations": [{"key": "dedicated", "operator": "Exists"}],
    "affinity": {"nodeAffinity": {}},
}
"""What both charts hand through to their pods."""

OPERATOR = POD_OPTIONS | {
    "image": {"digest": "sha256:" + "0" * 64},
    "operator": {"resyncSeconds": 0.5, "logLevel": "DEBUG"},
    "notices": {"existingSecret": "notices"},
    "records": {"retention": {"count": 100, "days": 3650}},
    "policies": {"stamping": "Always"},
    "rbac": {"profileReaders": [{"kind": "ServiceAccount", "name": "x", "namespace": "default"}]},
}
ENGINE = POD_OPTIONS | {
    "golive": "perps",
    "image": {"digest": "sha256:" + "0" * 64},
    "config": {"symbols": ["BTCUSDT"], "venue": {"timeout_seconds": 5}},
    "credentials": {"existingSecret": "keys", "env": [{"name": "MAIN_API_KEY", "key": "main"}]},
    "venueCa": {"secretName": "venue-ca"},
    "hostAliases": [{"ip": "127.0.0.1", "hostnames": ["fapi.binance.com"]}],
    "persistence": {"existingClaim": "journal"},
}

INSTALLS = {
    "the operator as it comes": ("golive", {}),
    "the operator with every option": ("golive", OPERATOR),
    "an engine as it comes": ("golive-engine", {"golive": "perps"}),
    "an engine with every option": ("golive-engine", ENGINE),
    "an engine with a volume of its own": (
        "golive-engine",
        {"golive": "perps", "persistence": {"volumeSource": {"hostPath": {"path": "/srv"}}}},
    ),
}


@pytest.mark.parametrize(("chart", "values"), INSTALLS.values(), ids=INSTALLS)
def test_chart_lints(helm: Callable[..., Any], chart: str, values: dict[str, Any]) -> None:
    """Not even a warning."""
    done = helm("lint", "--strict", ROOT / "charts" / chart, values=values)

    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize(("chart", "values"), INSTALLS.values(), ids=INSTALLS)
def test_api_server_takes_it(
    control_plane: ControlPlane,
    namespace: str,
    render: Callable[..., Any],
    chart: str,
    values: dict[str, Any],
) -> None:
    """Every object passes the server's strict validation, applied server-side as Helm 4 does it."""
    # A pod needs its account, which a dry run does not leave behind; pods have a test of their own.
    bodies = [body for body in render(chart, values, namespace=namespace) if body["kind"] != "Pod"]
    text = json.dumps({"apiVersion": "v1", "kind": "List", "items": bodies})

    done = control_plane.kubectl(
        "apply", "--server-side", "--dry-run=server", "--validate=strict", "-f", "-", stdin=text, check=False
    )

    assert done.returncode == 0, done.stderr
    assert "arning" not in done.stderr


UNKNOWN = {
    "golive": {
        "a misspelt key": {"replica": 3},
        "a misspelt key below": {"operator": {"resyncSecond": 2}},
        "a quorum, which policies set": {"operator": {"minimumApprovals": 2}},
        "records that nobody keeps": {"records": {"retention": {"count": 0}}},
        "URLs where their Secret's name belongs": {"notices": {"urls": ["slack://x"]}},
        "a resync that never comes": {"operator": {"resyncSeconds": 600}},
        "an unknown stamping": {"policies": {"stamping": "Sometimes"}},
        "a digest that is none": {"image": {"digest": "latest"}},
    },
    "golive-engine": {
        "a misspelt key": {"golive": "perps", "replicas": 3},
        "the engine's name in two places": {"golive": "perps", "config": {"engine": "x"}},
        "a GoLive that is no name": {"golive": "Perps!"},
        "two volume sources": {
            "golive": "perps",
            "persistence": {"volumeSource": {"emptyDir": {}, "hostPath": {"path": "/"}}},
        },
        "no GoLive": {},
        "keys without a Secret": {"golive": "perps", "credentials": {"env": [{"name": "A", "key": "a"}]}},
        "a name too long for its Lease": {"golive": "perps", "fullnameOverride": "x" * 50},
    },
}


@pytest.mark.parametrize(
    ("chart", "values"),
    [(chart, values) for chart, cases in UNKNOWN.items() for values in cases.values()],
    ids=[f"{chart} with {case}" for chart, cases in UNKNOWN.items() for case in cases],
)
def test_values_are_refused(helm: Callable[..., Any], chart: str, values: dict[str, Any]) -> None:
    """A mistake in the values is an error at once, not a default in silence."""
    done = helm("template", "r", ROOT / "charts" / chart, "--kube-version", "1.37.1", values=values)

    assert done.returncode != 0
    assert done.stderr.startswith("Error:")


def test_two_engines_in_one_namespace_share_no_name(render: Callable[..., Any]) -> None:
    """Each release brings its own objects."""
    names = [
        {
            (body["kind"], body["metadata"]["name"])
            for body in render("golive-engine", {"golive": name}, release=name)
        }
        for name in ("perps", "spot")
    ]

    assert not names[0] & names[1]
    assert len(names[0]) == len(names[1]) == 6


def test_stamping_is_rendered_where_the_server_knows_it(render: Callable[..., Any]) -> None:
    """Before 1.36 the chart installs without mutating policies."""
    before = {body["kind"] for body in render("golive")}
    since = {body["kind"] for body in render("golive", more=STAMPING)}

    assert since - before == {"MutatingAdmissionPolicy", "MutatingAdmissionPolicyBinding"}


def test_namespaced_operator_has_rights_in_its_namespaces_only(render: Callable[..., Any]) -> None:
    """With watchNamespaces only profiles are read cluster-wide."""
    bodies = render("golive", {"operator": {"watchNamespaces": ["a", "b"]}}, namespace="golive-system")
    bound = {
        (body["kind"], body["metadata"].get("namespace"), body["roleRef"]["name"])
        for body in bodies
        if body["kind"].endswith("RoleBinding") and body["subjects"][0]["name"] == "golive-operator"
    }

    assert bound == {
        ("ClusterRoleBinding", None, "golive-operator-cluster"),
        ("RoleBinding", "a", "golive-operator"),
        ("RoleBinding", "b", "golive-operator"),
        ("RoleBinding", "golive-system", "golive-operator-leadership"),
        ("RoleBinding", "golive-system", "golive-operator-webhooks"),
    }


def operator_pod(render: Callable[..., Any], values: Any = None) -> Any:
    """The operator's pod template."""
    bodies = render("golive", values, namespace="golive-system")
    return next(body for body in bodies if body["kind"] == "Deployment")["spec"]["template"]["spec"]


def test_operator_has_a_token_that_only_engines_take(render: Callable[..., Any]) -> None:
    """Short-lived, for one audience, in a file that the operator is told of."""
    pod = operator_pod(render)
    volume = next(volume for volume in pod["volumes"] if volume["name"] == "engine-token")
    mount = next(m for m in pod["containers"][0]["volumeMounts"] if m["name"] == "engine-token")
    env = {entry["name"]: entry.get("value") for entry in pod["containers"][0]["env"]}

    token = {"audience": AUDIENCE, "expirationSeconds": 600, "path": "token"}
    assert volume["projected"]["sources"] == [{"serviceAccountToken": token}]
    assert env["GOLIVE_ENGINE_TOKEN_FILE"] == f"{mount['mountPath']}/token"
    assert mount["readOnly"]


def test_notices_come_from_a_secret_that_nobody_waits_for(render: Callable[..., Any]) -> None:
    """With its name given, the URLs are a file; a missing Secret does not hold up the operator."""
    pod = operator_pod(render, {"notices": {"existingSecret": "who-hears"}})
    secret = next(volume["secret"] for volume in pod["volumes"] if volume["name"] == "notices")
    env = {entry["name"]: entry.get("value") for entry in pod["containers"][0]["env"]}

    assert secret == {"secretName": "who-hears", "optional": True, "items": [{"key": "urls", "path": "urls"}]}
    assert env["GOLIVE_NOTICES_FILE"] == "/etc/golive/notices/urls"
    assert "GOLIVE_NOTICES_FILE" not in json.dumps(operator_pod(render))


def test_records_are_kept_as_long_as_the_values_say(render: Callable[..., Any]) -> None:
    """Ten thousand and four hundred days, unless told otherwise; large numbers stay numbers."""
    plain = operator_pod(render)["containers"][0]["args"]
    told = operator_pod(render, {"records": {"retention": {"count": 1_000_000}}})["containers"][0]["args"]

    assert {"--records-keep=10000", "--records-days=400"} <= set(plain)
    assert {"--records-keep=1000000", "--records-days=400"} <= set(told)


POWERS = {"approve", "attest", "release", "preflight", "*"}


def test_no_power_is_handed_out_by_a_built_in_role(render: Callable[..., Any]) -> None:
    """What people bind on purpose is never aggregated into view, edit or admin."""
    roles = [body for body in render("golive") if body["kind"] == "ClusterRole"]
    aggregated = [
        role for role in roles if any("aggregate-to" in label for label in role["metadata"].get("labels", {}))
    ]
    verbs = {verb for role in aggregated for rule in role["rules"] for verb in rule["verbs"]}
    written = {
        resource
        for role in aggregated
        for rule in role["rules"]
        if {"create", "update", "patch", "delete"} & set(rule["verbs"])
        for resource in rule["resources"]
    }

    assert {role["metadata"]["name"] for role in aggregated} == {"golive-view", "golive-edit"}
    assert not verbs & POWERS
    assert written == {"golives", "emergencystops"}


def test_every_policy_denies_with_a_reason(render: Callable[..., Any]) -> None:
    """403 with a sentence, bound to deny, and a broken policy refuses."""
    bodies = render("golive")
    policies = {
        body["metadata"]["name"]: body["spec"] for body in bodies if body["kind"].endswith("AdmissionPolicy")
    }
    bound = {
        body["spec"]["policyName"]
        for body in bodies
        if "Deny" in body.get("spec", {}).get("validationActions", [])
    }

    assert set(policies) == bound
    for spec in policies.values():
        assert spec["failurePolicy"] == "Fail"
        for rule in spec["validations"]:
            assert rule["reason"] == "Forbidden"
            assert rule["message"]


@pytest.mark.parametrize(("chart", "values"), INSTALLS.values(), ids=INSTALLS)
def test_pods_are_taken_by_a_restricted_namespace(
    control_plane: ControlPlane,
    namespace: str,
    render: Callable[..., Any],
    chart: str,
    values: dict[str, Any],
) -> None:
    """Pod-security level restricted finds nothing; only a volume that the user chose may be too much for it."""
    control_plane.kubectl("label", "namespace", namespace, "pod-security.kubernetes.io/enforce=restricted")
    pods = [pod for body in render(chart, values, namespace=namespace) if (pod := pod_of(body))]
    for body in pods:
        account = body["spec"]["serviceAccountName"]
        control_plane.kubectl("create", "serviceaccount", account, "-n", namespace, check=False)
        done = control_plane.kubectl(
            "create", "--dry-run=server", "-n", namespace, "-f", "-", stdin=json.dumps(body), check=False
        )
        refused = "violates PodSecurity" in done.stderr
        assert refused == ("hostPath" in json.dumps(body)), done.stderr
    assert pods


def pod_of(body: dict[str, Any]) -> dict[str, Any] | None:
    """The pod that an object is, or makes."""
    if body["kind"] == "Pod":
        return body | {"metadata": {"name": "from-test"}}
    if body["kind"] != "Deployment":
        return None
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "from-template"},
        "spec": body["spec"]["template"]["spec"],
    }


def test_engine_understands_its_settings_file(render: Callable[..., Any]) -> None:
    """What the chart writes is what the engine reads, unknown keys refused."""
    seat = {"venue": "binanceusdm", "api_key_env": "MAIN_KEY", "secret_env": "MAIN_SECRET"}
    account = {"name": "main", "environment": "production", "venues": [seat]}
    values = ENGINE | {"config": {"symbols": ["BTCUSDT"], "accounts": [account]}}
    files = next(body for body in render("golive-engine", values) if body["kind"] == "ConfigMap")["data"]

    settings = Settings(**yaml.safe_load(files["engine.yaml"]))

    assert (settings.engine, settings.golive, settings.http.port) == ("perps-engine", "perps", 8000)
    assert str(settings.venue.ca_file) == "/etc/golive-venue-ca/ca.crt"


def test_users_settings_win_over_the_charts_defaults(render: Callable[..., Any]) -> None:
    """The file has what the user wrote, the chart's defaults beneath, and the names of the release on top."""
    values = ENGINE | {
        "config": {"journal": {"url": "postgresql://db/journal"}, "venue": {"timeout_seconds": 5}}
    }
    files = next(body for body in render("golive-engine", values) if body["kind"] == "ConfigMap")["data"]

    assert yaml.safe_load(files["engine.yaml"]) == {
        "engine": "perps-engine",
        "golive": "perps",
        "journal": {"url": "postgresql://db/journal"},
        "http": {"port": 8000},
        "venue": {"timeout_seconds": 5, "ca_file": "/etc/golive-venue-ca/ca.crt"},
    }
