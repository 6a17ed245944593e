"""What the API server sends, read into facts."""

from datetime import UTC, datetime
from typing import Any

import pytest

from golive_api.golive import GateState
from golive_decisions.deciding import decide
from golive_decisions.facts import Facts, GateFacts
from golive_operator.reading import read_subject

NOON = datetime(2026, 1, 2, 12, tzinfo=UTC)
BURNED = {"state": "Closed", "reason": "GateRemoved", "epoch": 1, "serial": 9, "burnedRevision": 4}


@pytest.mark.parametrize(
    "status",
    [
        pytest.param({"gate": BURNED, "surprise": 1}, id="a field of a later version"),
        pytest.param({"gate": BURNED | {"state": "Ajar"}}, id="a state of a later version"),
        pytest.param({"gate": "Closed"}, id="a gate that is text"),
        pytest.param({"gate": {"burnedRevision": "4"}}, id="a burned revision that is text"),
    ],
)
def test_a_status_that_can_not_be_read_forgets_no_burn(asked: dict[str, Any], status: dict[str, Any]) -> None:
    """It may say that this revision is burned, so it counts as burned, and the gate stays closed."""
    plan = decide(Facts(NOON, 1, read_subject(asked | {"status": status}), GateFacts(exists=False)), 5)
    assert plan.state is GateState.CLOSED
    assert plan.status.gate is not None
    assert plan.status.gate.burned_revision >= 4


def test_a_spec_with_an_unknown_value_closes_and_says_which(asked: dict[str, Any]) -> None:
    """An object of a later version opens nothing here."""
    golive = asked | {"spec": asked["spec"] | {"activation": "Perhaps"}}
    subject = read_subject(golive)
    assert subject.spec is None
    assert subject.spec_error.startswith("activation:")
