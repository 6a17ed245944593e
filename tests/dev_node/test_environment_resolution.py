import base64
from typing import Any

import pytest

from golive_dev.node.downward import pod_field
from golive_dev.node.environment import (
    ConfigError,
    Sources,
    command_line,
    expand,
    referenced_objects,
    resolve_environment,
)
from golive_dev.node.quantities import in_units_of, parse_quantity

POD: dict[str, Any] = {
    "metadata": {
        "name": "p",
        "namespace": "n",
        "uid": "u",
        "labels": {"b": 'say "hi"', "a": "1"},
        "annotations": {"golive.dev/x": "y"},
    },
    "spec": {"nodeName": "node", "serviceAccountName": "account"},
    "status": {"podIP": "127.64.0.2", "podIPs": [{"ip": "127.64.0.2"}]},
}

SECRET = {"data": {"key": base64.b64encode(b"hidden").decode()}}
CONFIG = {"data": {"key": "plain"}, "binaryData": {"raw": base64.b64encode(b"\xff").decode()}}


def resolved(container: dict[str, Any]) -> dict[str, str]:
    """A container's environment with one ConfigMap and one Secret about."""
    objects = {("configmaps", "c"): CONFIG, ("secrets", "s"): SECRET, ("configmaps", "none"): None}
    return resolve_environment(container, {"BASE": "base"}, Sources(POD, objects, {"cpu": "2"}))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("$(A)", "1"),
        ("x$(A)y$(B)", "x1y2"),
        ("$(MISSING)", "$(MISSING)"),
        ("$$(A)", "$(A)"),
        ("$$$(A)", "$1"),
        ("$A ${A}", "$A ${A}"),
        ("$(A", "$(A"),
    ],
)
def test_references_expand_as_in_kubernetes(text: str, expected: str) -> None:
    """Escapes with a doubled dollar; unknown names stay."""
    assert expand(text, {"A": "1", "B": "2"}) == expected


def test_later_variables_see_and_replace_earlier_ones() -> None:
    """The base first, then whole objects, then single variables in their order."""
    env = [{"name": "A", "value": "$(BASE)/$(C_key)"}, {"name": "B", "value": "$(A)!"}, {"name": "C_key"}]
    seen = resolved({"envFrom": [{"prefix": "C_", "configMapRef": {"name": "c"}}], "env": env})
    assert (seen["A"], seen["B"], seen["C_key"]) == ("base/plain", "base/plain!", "")


@pytest.mark.parametrize(
    ("origin", "message"),
    [
        ({"configMapKeyRef": {"name": "none", "key": "key"}}, 'configmap "none" not found'),
        ({"secretKeyRef": {"name": "s", "key": "x"}}, "couldn't find key x in Secret n/s"),
        ({"fieldRef": {"fieldPath": "status.phase"}}, "unsupported fieldPath: status.phase"),
        ({"resourceFieldRef": {"resource": "cpu"}}, "unsupported resource: cpu"),
        ({"fileKeyRef": {}}, "unsupported valueFrom: fileKeyRef"),
    ],
)
def test_what_is_missing_is_named(origin: dict[str, Any], message: str) -> None:
    """In the kubelet's words where it has some."""
    with pytest.raises(ConfigError) as raised:
        resolved({"env": [{"name": "A", "valueFrom": origin}]})
    assert str(raised.value) == message


def test_a_missing_limit_is_all_that_the_node_has() -> None:
    """As the downward API says; a missing request is nothing."""
    limit = {"resourceFieldRef": {"resource": "limits.cpu"}}
    request = {"resourceFieldRef": {"resource": "requests.memory"}}
    env = [{"name": "LIMIT", "valueFrom": limit}, {"name": "REQUEST", "valueFrom": request}]
    seen = resolved({"env": env})
    assert (seen["LIMIT"], seen["REQUEST"]) == ("2", "0")


def test_bytes_that_are_no_text_pass_through() -> None:
    """A Secret may hold anything."""
    seen = resolved({"envFrom": [{"configMapRef": {"name": "c"}}]})
    assert seen["raw"].encode(errors="surrogateescape") == b"\xff"


def test_every_object_an_environment_needs_is_known_beforehand() -> None:
    """So that all are read before anything is resolved."""
    key = {"name": "s", "key": "key"}
    container = {
        "envFrom": [{"configMapRef": {"name": "c"}}, {"secretRef": {"name": "s2"}}],
        "env": [{"name": "A", "valueFrom": {"secretKeyRef": key}}, {"name": "B", "value": "x"}],
    }
    assert list(referenced_objects(container)) == [("configmaps", "c"), ("secrets", "s2"), ("secrets", "s")]


def test_a_command_is_expanded_and_has_to_be_there() -> None:
    """There is no image to take one from."""
    assert command_line({"command": ["a"], "args": ["$(B)"]}, {"B": "c"}) == ["a", "c"]
    with pytest.raises(ConfigError, match="no command specified"):
        command_line({"args": ["a"]}, {})


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("metadata.name", "p"),
        ("metadata.uid", "u"),
        ("metadata.labels['a']", "1"),
        ("metadata.labels['none']", ""),
        ("metadata.annotations['golive.dev/x']", "y"),
        ("metadata.labels", 'a="1"\nb="say \\"hi\\""'),
        ("spec.serviceAccountName", "account"),
        ("status.podIPs", "127.64.0.2"),
    ],
)
def test_fields_of_the_downward_api_are_written_as_the_kubelet_writes_them(path: str, expected: str) -> None:
    """Whole maps sorted and quoted."""
    assert pod_field(POD, path) == expected


@pytest.mark.parametrize(
    ("quantity", "divisor", "expected"),
    [
        *[("250m", "1m", "250"), ("250m", "1", "1"), ("1500m", "1", "2"), ("64Mi", "1", "67108864")],
        *[("64Mi", "1Mi", "64"), ("1G", "1k", "1000000"), ("1e3", "1", "1000"), ("1.5Gi", "1Mi", "1536")],
        *[("2E", "1", "2000000000000000000"), ("1Ki", "1", "1024")],
    ],
)
def test_resources_are_told_in_units_of_the_divisor(quantity: str, divisor: str, expected: str) -> None:
    """Rounded up; binary and decimal suffixes, milli and exponents."""
    assert in_units_of(quantity, divisor) == expected


@pytest.mark.parametrize("text", ["", "abc", "1Kii", "1mi", "--1", "1.2.3"])
def test_what_is_no_quantity_is_refused(text: str) -> None:
    """Rather than taken for a number."""
    with pytest.raises(ValueError, match="not a quantity"):
        parse_quantity(text)
