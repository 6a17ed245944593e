"""Whom it wakes what a watch tells of: all whom it concerns, and nobody for what was written here."""

from typing import Any

import pytest

from golive_operator.interests import Interest, Interests, Key
from golive_operator.metrics import Metrics
from golive_operator.own_writes import Echoes
from golive_operator.watching import Watches


class Workers:
    """Remembers who was woken."""

    def __init__(self) -> None:
        self.interests, self.woken = Interests(), list[Key]()
        self.interests.expect(("trading", "perps"))

    def wake_each(self, keys: Any) -> None:
        """Take it down."""
        self.woken += keys

    def wake(self, namespace: str, name: str, *, is_open: bool) -> None:
        """Take it down, and whether the gate was said to be open."""
        self.woken.append((namespace, f"{name} open" if is_open else name))


def deployment(version: str) -> dict[str, Any]:
    """As a watch of metadata tells of it."""
    metadata = {"namespace": "trading", "name": "perps-engine", "uid": "d", "resourceVersion": version}
    return {"metadata": metadata}


@pytest.mark.parametrize(
    ("kind", "version", "wakes"),
    [
        ("MODIFIED", "7", False),
        ("MODIFIED", "8", True),
        ("ADDED", "7", True),
        ("DELETED", "7", True),
    ],
    ids=["our label", "somebody's change", "found after a watch broke", "gone"],
)
def test_only_what_is_known_to_the_last_field_wakes_nobody(kind: str, version: str, wakes: bool) -> None:  # noqa: FBT001  # data of a table
    """After a watch broke, our version may stand for changes that were never told."""
    workers: Any = Workers()
    echoes = Echoes()
    echoes.expect(deployment("7"))
    Watches(workers, Metrics(), echoes).deployment_changed(kind, deployment(version))
    assert bool(workers.woken) is wakes


def golive(name: str, engine: str, state: str = "Closed") -> dict[str, Any]:
    """As a watch tells of it."""
    metadata = {"namespace": "trading", "name": name, "uid": name, "resourceVersion": "8"}
    spec = {"activation": "Enabled", "request": {"engineRef": {"name": engine}}}
    return {"metadata": metadata, "spec": spec, "status": {"gate": {"state": state}}}


@pytest.mark.parametrize("kind", ["ADDED", "MODIFIED", "DELETED"])
async def test_whoever_claims_an_engine_wakes_the_others_that_claim_it(kind: str) -> None:
    """Two that claim one shut each other out, and the one that is left may open again."""
    workers: Any = Workers()
    workers.interests.know(("trading", "perps"), Interest("perps-engine"))
    workers.interests.know(("trading", "other"), Interest("other-engine"))
    event = {"type": kind, "object": golive("rival", "perps-engine")}
    await Watches(workers, Metrics(), Echoes()).golive_changed("trading", "rival", event)
    assert workers.woken == [("trading", "rival"), ("trading", "perps")]


async def test_a_new_leader_looks_first_at_what_is_open() -> None:
    """Before it has looked at anything, the watch tells which gates have to be renewed."""
    workers: Any = Workers()
    event = {"type": "ADDED", "object": golive("spot", "spot-engine", "Open")}
    await Watches(workers, Metrics(), Echoes()).golive_changed("trading", "spot", event)
    assert workers.woken[0] == ("trading", "spot open")
