"""What kubectl explains and shows."""

import json
from pathlib import Path
from typing import Any

import pytest

PROFILES = Path(__file__).parents[2] / "config" / "profiles"


FIELDS = [
    *("golive.spec", "golive.status", "capitalprofile.spec", "activationpolicy.spec"),
    *("emergencystop.spec", "goliverecord.spec"),
]


@pytest.mark.parametrize("field", FIELDS)
def test_explain_describes_every_field(cluster: Any, field: str) -> None:
    """No field of ours is left without a sentence."""
    schema = json.loads(cluster.ask("reader", "get", "--raw", "/openapi/v3/apis/golive.dev/v1alpha1").said)
    kinds = {name.rsplit(".", 1)[-1].lower(): body for name, body in schema["components"]["schemas"].items()}
    kind, part = field.split(".")

    silent = list(undescribed(kinds[kind]["properties"][part], field))

    assert not silent
    assert cluster.ask("reader", "explain", field, "--recursive").accepted


def undescribed(node: Any, path: str) -> Any:
    """Paths of the fields without a description."""
    for name, child in node.get("properties", {}).items():
        if not child.get("description"):
            yield f"{path}.{name}"
        yield from undescribed(child, f"{path}.{name}")
    if "items" in node:
        yield from undescribed(node["items"], f"{path}[]")


@pytest.mark.usefixtures("golive")
def test_get_shows_gate_reason_and_engine(cluster: Any, name: str) -> None:
    """The columns tell at a glance whether real orders may be sent."""
    heading, row = cluster.ask("reader", "get", "gl", name).said.splitlines()

    assert heading.split() == ["NAME", "GATE", "READY", "REASON", "PROFILE", "APPROVALS", "ENGINE", "AGE"]
    assert row.split()[:3] == [name, "Closed", "micro"]
    assert f"{name}-engine" in row


@pytest.mark.usefixtures("golive")
@pytest.mark.parametrize("word", ["gl", "golive", "golives", "golives.golive.dev"])
def test_golive_is_called(cluster: Any, name: str, word: str) -> None:
    """Every name of the kind means this kind alone, so a single object can be shown and patched."""
    assert cluster.ask("reader", "get", word, name, "-o", "name").said.strip() == f"golive.golive.dev/{name}"


def test_profiles_show_their_limits(cluster: Any) -> None:
    """A reader of any namespace sees what a rung allows."""
    cluster.ask("admin", "apply", "-f", str(PROFILES))

    heading, *rows = cluster.ask("reader", "get", "capitalprofiles").said.splitlines()

    assert heading.split()[1:] == [
        "POSITION",
        "POSITIONS",
        "LEVERAGE",
        "EXPOSURE%",
        "DAILYLOSS%",
        "TRADES/DAY",
        "AGE",
    ]
    micro = next(row.split() for row in rows if row.startswith("micro "))
    assert micro[1:7] == ["100", "2", "1", "10", "0.5", "20"]


SELECTORS = ["spec.activation=Enabled", "spec.request.engineRef.name={name}-engine", "status.gate.state=Closed"]


@pytest.mark.parametrize("selector", SELECTORS)
@pytest.mark.usefixtures("golive")
def test_golives_are_found_by(cluster: Any, name: str, selector: str) -> None:
    """Field selectors spare clients from reading everything."""
    chosen = selector.format(name=name)
    found = cluster.ask("reader", "get", "gl", f"--field-selector={chosen}", "-o", "name").said
    others = cluster.ask(
        "reader", "get", "gl", f"--field-selector={chosen.replace('=', '!=')}", "-o", "name"
    ).said

    assert f"golive.golive.dev/{name}" in found.split()
    assert f"golive.golive.dev/{name}" not in others.split()


@pytest.mark.usefixtures("golive")
def test_status_is_kept_out_of_a_persons_write(cluster: Any, name: str) -> None:
    """A status in an ordinary patch is dropped: the subresource is the only way in."""
    answer = cluster.patch("trader", f"golives {name}", {"status": {"gate": {"state": "Open"}}})

    assert answer.json()["status"]["gate"]["state"] == "Closed"
