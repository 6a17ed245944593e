"""What Prometheus is told of each GoLive."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from prometheus_client import CollectorRegistry

from golive_api.golive import GateState
from golive_decisions.deciding import Plan, decide
from golive_decisions.facts import Facts, GateFacts
from golive_operator.gate_series import GateSeries
from golive_operator.reading import read_subject

NOON = datetime(2026, 1, 2, 12, tzinfo=UTC)
KEY = ("trading", "perps")
WHERE = {"namespace": "trading", "name": "perps"}


@pytest.fixture
def closed(asked: dict[str, Any]) -> Plan:
    """Give a plan that shuts a gate."""
    return decide(Facts(NOON, 1, read_subject(asked), GateFacts(exists=False)), 5)


@pytest.fixture
def opened(closed: Plan) -> Plan:
    """Give a plan that opens it."""
    assert closed.gate is not None
    record = closed.gate.model_copy(
        update={"state": GateState.OPEN, "valid_until": "2026-01-02T12:00:15.000000Z"}
    )
    return replace(closed, state=GateState.OPEN, gate=record)


def test_each_golive_has_its_series_until_it_is_gone(closed: Plan, opened: Plan) -> None:
    """One state of three, until when it is open, the guard; a look that renews nothing keeps that."""
    series, registry = GateSeries(), CollectorRegistry()
    registry.register(series)

    def shown() -> tuple[float | None, ...]:
        states = (
            registry.get_sample_value("golive_gate_state", WHERE | {"state": state}) for state in GateState
        )
        until = registry.get_sample_value("golive_gate_valid_until_timestamp_seconds", WHERE)
        return (*states, until, registry.get_sample_value("golive_admission_guard_ok", WHERE))

    expires = NOON.timestamp() + 15
    order = [list(GateState).index(state) for state in (GateState.OPEN, GateState.CLOSED)]
    for plan, is_open, until in (
        (closed, 0, 0),
        (opened, 1, expires),
        (replace(opened, gate=None), 1, expires),
    ):
        series.decided(KEY, plan)
        assert [shown()[place] for place in order] == [is_open, 1 - is_open]
        assert shown()[3] == until
    series.decided(KEY, closed)
    assert shown()[3] == 0
    series.forget(KEY)
    assert set(shown()) == {None}
