"""The policies for an API server's own disk are those of the chart."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from golive_dev.static_policies import FOLDER, NAMESPACE, SUFFIX, render

ROOT = Path(__file__).parents[2]
KINDS = {"ValidatingAdmissionPolicy", "ValidatingAdmissionPolicyBinding"}


def test_files_hold_what_helm_renders(render: Callable[..., Any]) -> None:
    """Same rules, other names; besides them only the guard of the others."""
    rendered = {
        (body["kind"], body["metadata"]["name"]): body["spec"]
        for body in render("golive", release="golive", namespace=NAMESPACE)
        if body["kind"] in KINDS
    }
    written = {}
    for path in (ROOT / FOLDER).glob("*.yaml"):
        for body in yaml.safe_load_all(path.read_text()):
            spec = body["spec"]
            if "policyName" in spec:
                spec["policyName"] = spec["policyName"].removesuffix(SUFFIX)
            written[body["kind"], body["metadata"]["name"].removesuffix(SUFFIX)] = spec

    guards = {(kind, "golive-guard") for kind in KINDS}
    assert {key: spec for key, spec in written.items() if key not in guards} == rendered
    assert written.keys() - rendered.keys() == guards


def test_words_of_helm_that_are_not_known_are_an_error() -> None:
    """Nothing is written that Helm would have written differently."""
    with pytest.raises(ValueError, match="not known here"):
        render("metadata:\n  name: {{ .Values.name }}\n")
