"""When an engine's word counts as the answer to a close."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from golive_api.acknowledgement import Acknowledgement
from golive_api.values import render_time
from kubectl_golive.obedience import Obedience

SENT = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)


def lease(state: str, seconds: float, version: int = 1, holder: str = "pod-0") -> dict[str, Any]:
    """A Lease whose holder says that it obeys a state since so many seconds after the close."""
    word = Acknowledgement(
        state=state, reason="GateMissing", acknowledged_time=render_time(SENT + timedelta(seconds=seconds))
    )
    return {
        "metadata": {"annotations": word.annotations(), "resourceVersion": str(version)},
        "spec": {"holderIdentity": holder},
    }


SIGHTS = {
    "Closed after the close is an answer": ([lease("Closed", 0.01)], True, True),
    "Open is none": ([lease("Open", 0.01)], True, False),
    "ReduceOnly is none": ([lease("ReduceOnly", 0.01)], True, False),
    "an unknown state is none": ([lease("closed", 0.01)], True, False),
    "Open, then Closed is one": ([lease("Open", -9), lease("Closed", 0.01, 2)], True, True),
    "an old Closed is none while the gate stood open": ([lease("Closed", -60)], True, False),
    "an old Closed is one if nothing was open": ([lease("Closed", -60)], False, True),
    "an old Closed counts once the engine has renewed it": (
        [lease("Closed", -60), lease("Closed", -60, 2)],
        True,
        True,
    ),
    "an engine's clock that is behind delays the answer until it writes": (
        [lease("Open", -60), lease("Closed", -2, 2)],
        True,
        True,
    ),
    "nobody's word is none": ([lease("Closed", 0.01, holder="")], True, False),
    "no Lease is none": ([{}], True, False),
    "a Lease without a word is none": ([{"metadata": {}, "spec": {"holderIdentity": "pod-0"}}], False, False),
}


@pytest.mark.parametrize(("leases", "was_open", "obeys"), SIGHTS.values(), ids=SIGHTS)
def test_only_the_engines_own_closed_is_an_answer(
    leases: list[dict[str, Any]], *, was_open: bool, obeys: bool
) -> None:
    """Everything else leaves the question open."""
    obedience = Obedience(SENT, gate_was_open=was_open)
    for at, seen in enumerate(leases):
        obedience.look(seen, float(at))

    assert obedience.obeys == obeys


def test_the_time_is_when_the_state_was_first_seen() -> None:
    """A renewal of the same word is not a later answer."""
    obedience = Obedience(SENT)
    for at, seen in enumerate([lease("Open", -9), lease("Closed", 0.01, 2), lease("Closed", 0.01, 3)]):
        obedience.look(seen, float(at))

    assert obedience.seen_at == 1.0
