"""The chart's validating policies as files that an API server reads from disk, out of reach of its own API.

Helm's templates are rendered here by the few words that they use, so that generating needs no Helm; a test
holds the result against Helm's own.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

NAMESPACE = "golive-system"
"""The operator's namespace in these files; for another one it is replaced in them."""

SUFFIX = ".static.k8s.io"
"""What the API server asks of the names of policies from files."""

FOLDER = Path("config/static-manifests")
"""Where the files lie, relative to the root."""

SOURCES = Path("charts/golive/templates/policies")
"""What they are made from."""

HEADER = "# Generated from {source} by `make verify`; never edited by hand.\n"
"""First line of each file."""

_WORDS = {
    '{{ include "golive.operatorUser" . }}': f"system:serviceaccount:{NAMESPACE}:golive-operator",
    '{{ include "golive.operator" . }}': "golive-operator",
    "{{ .Release.Namespace }}": NAMESPACE,
    '    {{- include "golive.labels" . | nindent 4 }}\n': "    {}\n",
}
"""What the templates say, and what it stands for."""

_COMMENT = re.compile(r"\{\{- /\*.*?\*/ -\}\}", re.DOTALL)
_BINDING = re.compile(r'\{\{ include "golive\.policyBinding" \(dict "name" "([a-z-]+)" "root" \.\) \}\}')

_GUARD = """
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicy
metadata: {name: golive-guard}
spec:
  failurePolicy: Fail
  matchConstraints:
    matchPolicy: Equivalent
    resourceRules:
    - apiGroups: [admissionregistration.k8s.io]
      apiVersions: ["*"]
      resources: [validatingadmissionpolicies, validatingadmissionpolicybindings]
      operations: [UPDATE, DELETE]
    - {apiGroups: [apiextensions.k8s.io], apiVersions: ["*"], resources: [customresourcedefinitions],
       operations: [DELETE]}
  matchConditions:
  - name: ours
    expression: >-
      oldObject != null && (oldObject.metadata.?name.orValue('') in [NAMES] ||
      oldObject.metadata.?name.orValue('').endsWith('.golive.dev'))
  validations:
  - expression: "object != null && oldObject != null && object.?spec == oldObject.?spec"
    reason: Forbidden
    message: "GoLive's policies and kinds are kept by a file of the server: remove golive-guard.yaml first"
"""
"""Keeps what was made through the API from being removed or weakened through it, by anybody."""


def render(template: str) -> list[dict[str, Any]]:
    """The objects of one template. Raises ValueError for words of Helm's that are not known here."""
    text = _COMMENT.sub("", template)
    for word, meaning in _WORDS.items():
        text = text.replace(word, meaning)
    text = _BINDING.sub(lambda found: yaml.safe_dump(binding(found[1])), text)
    if "{{" in text:
        raise ValueError(f"not known here: {text[text.index('{{') :].splitlines()[0]}")
    return [body for body in yaml.safe_load_all(text) if body]


def binding(policy: str) -> dict[str, Any]:
    """Binds a policy in every namespace."""
    return {
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "ValidatingAdmissionPolicyBinding",
        "metadata": {"name": policy},
        "spec": {"policyName": policy, "validationActions": ["Deny", "Audit"]},
    }


def as_static(body: dict[str, Any]) -> dict[str, Any]:
    """The object under a name that only files may have."""
    spec = dict(body["spec"])
    if "policyName" in spec:
        spec["policyName"] += SUFFIX
    return {**body, "metadata": {"name": body["metadata"]["name"] + SUFFIX}, "spec": spec}


def static_manifests(root: Path) -> Iterator[tuple[Path, str]]:
    """Every file's path, relative to the root, and its text."""
    names = []
    for source in sorted((root / SOURCES).glob("*.yaml")):
        # Stamping is comfort, and needs no guard: what it writes is verified.
        if source.name == "stamping.yaml":
            continue
        bodies = render(source.read_text())
        names += [body["metadata"]["name"] for body in bodies if body["kind"] == "ValidatingAdmissionPolicy"]
        yield FOLDER / f"{bodies[0]['metadata']['name']}.yaml", _text(bodies, SOURCES / source.name)
    listed = ", ".join(f"'{name}'" for name in sorted(names))
    guard = yaml.safe_load(_GUARD.replace("NAMES", listed))
    module = Path("dev/golive_dev") / Path(__file__).name
    yield FOLDER / "golive-guard.yaml", _text([guard, binding("golive-guard")], module)


def _text(bodies: list[dict[str, Any]], source: Path) -> str:
    documents = [
        yaml.safe_dump(as_static(body), sort_keys=False, width=112, allow_unicode=True) for body in bodies
    ]
    return HEADER.format(source=source) + "---\n".join(documents)
