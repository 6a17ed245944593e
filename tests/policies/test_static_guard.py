"""Policies from files keep the kinds and those made through the API from being taken away through it."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from golive_dev.control_plane import ControlPlane
from golive_dev.static_policies import FOLDER, SOURCES, SUFFIX, render

ROOT = Path(__file__).parents[2]
OTHERS = {"golive-gate": "somebodys-gate", "golive": "somebody"}


@pytest.fixture(scope="module")
def plane() -> Iterator[ControlPlane]:
    """Give a server with the files, on which the gate's policy and a kind were made through the API as well."""
    with ControlPlane(scheduler=False, controller_manager=False, static_policies=ROOT / FOLDER) as running:
        for body in render((ROOT / SOURCES / "gate.yaml").read_text()):
            running.kubectl("create", "-f", "-", stdin=json.dumps(body))
            other = {**body, "metadata": {"name": OTHERS["golive-gate"]}}
            running.kubectl("create", "-f", "-", stdin=json.dumps(other))
        running.kubectl("create", "-f", ROOT / "crds" / "emergencystops.yaml")
        yield running


POLICY, BINDING = "validatingadmissionpolicy", "validatingadmissionpolicybinding"

ATTACKS: dict[str, list[str]] = {
    "deleting the policy": ["delete", POLICY, "golive-gate"],
    "deleting the binding": ["delete", BINDING, "golive-gate"],
    "deleting all policies": ["delete", POLICY, "--all"],
    "deleting all bindings": ["delete", BINDING, "--all"],
    "binding for the audit only": [
        *["patch", BINDING, "golive-gate", "--type=merge", "-p"],
        '{"spec": {"validationActions": ["Audit"]}}',
    ],
    "binding in one namespace only": [
        *["patch", BINDING, "golive-gate", "--type=merge", "-p"],
        '{"spec": {"matchResources": {"namespaceSelector": {"matchLabels": {"a": "b"}}}}}',
    ],
    "leaving somebody out": [
        *["patch", POLICY, "golive-gate", "--type=merge", "-p"],
        '{"spec": {"matchConditions": [{"name": "x", "expression": "false"}]}}',
    ],
    "letting errors pass": [
        *["patch", POLICY, "golive-gate", "--type=merge", "-p"],
        '{"spec": {"failurePolicy": "Ignore"}}',
    ],
    "deleting the kind, and every stop with it": ["delete", "crd", "emergencystops.golive.dev"],
}


@pytest.mark.parametrize("words", ATTACKS.values(), ids=ATTACKS)
def test_guard_is_not_weakened_by(plane: ControlPlane, words: list[str]) -> None:
    """Not by an administrator of the cluster either."""
    done = plane.kubectl(*words, "--dry-run=server", check=False)

    assert done.returncode != 0
    assert f"ValidatingAdmissionPolicy 'golive-guard{SUFFIX}'" in done.stderr


def test_an_upgrade_that_changes_no_policy_gets_through(plane: ControlPlane) -> None:
    """Labels carry the chart's version."""
    for kind in (POLICY, BINDING):
        plane.kubectl("label", kind, "golive-gate", "helm.sh/chart=golive-9", "--overwrite")


def test_other_policies_and_kinds_are_nobodys_business(plane: ControlPlane) -> None:
    """The guard is about our own."""
    for kind in (POLICY, BINDING):
        plane.kubectl("delete", kind, OTHERS["golive-gate"], "--dry-run=server")


def test_names_of_files_are_out_of_reach(plane: ControlPlane) -> None:
    """Nobody makes a policy through the API that looks like one from a file."""
    body = render((ROOT / SOURCES / "gate.yaml").read_text())[0]
    body["metadata"]["name"] += SUFFIX

    done = plane.kubectl("create", "-f", "-", stdin=json.dumps(body), check=False)

    assert done.returncode != 0
    assert SUFFIX in done.stderr


def test_files_are_not_listed(plane: ControlPlane) -> None:
    """The API knows nothing of them: they are proven by what they refuse."""
    listed = plane.kubectl("get", POLICY, "-o", "name").stdout.split()

    assert sorted(name.partition("/")[2] for name in listed) == ["golive-gate", "somebodys-gate"]
    forged = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "golive-gate-x"}}
    done = plane.kubectl("create", "--dry-run=server", "-f", "-", stdin=json.dumps(forged), check=False)
    assert "ValidatingAdmissionPolicy 'golive-gate" in done.stderr


def test_files_hold_what_the_api_server_takes() -> None:
    """Every file by itself: names for files, bound to deny, no parameters."""
    for path in sorted((ROOT / FOLDER).glob("*.yaml")):
        policy, binding = yaml.safe_load_all(path.read_text())
        assert policy["metadata"]["name"] == path.stem + SUFFIX == binding["spec"]["policyName"]
        assert "Deny" in binding["spec"]["validationActions"]
        assert "paramKind" not in policy["spec"]
        assert set(binding["spec"]) == {"policyName", "validationActions"}
