"""Series about each GoLive, made when they are scraped: children of a gauge would be kept for every label."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from prometheus_client import Metric
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from golive_api.golive import GateState
from golive_api.preflight_report import CheckResult
from golive_api.values import parse_time
from golive_decisions.deciding import Plan
from golive_operator.interests import Key

WHERE = ("namespace", "name")
"""Labels of what is about one GoLive."""


@dataclass(frozen=True, slots=True)
class _Shown:
    state: GateState
    valid_until: datetime | None
    """None while it is shut."""
    guarded: bool
    checks: tuple[tuple[str, bool], ...]
    """Name of each preflight check, and whether it counts as passed."""


class GateSeries(Collector):
    """What was last decided about each."""

    def __init__(self) -> None:
        self._shown: dict[Key, _Shown] = {}

    def decided(self, key: Key, plan: Plan) -> None:
        """Show a plan that has been carried out."""
        before, preflight = self._shown.get(key), plan.status.preflight
        valid_until = before.valid_until if before else None
        if plan.state is GateState.CLOSED:
            valid_until = None
        elif plan.gate is not None:
            valid_until = parse_time(plan.gate.valid_until)
        self._shown[key] = _Shown(
            plan.state,
            valid_until,
            all(each.status == "True" for each in plan.status.conditions if each.type == "AdmissionGuarded"),
            tuple((check.name, check.result is CheckResult.PASSED) for check in preflight.checks)
            if preflight
            else (),
        )

    def forget(self, key: Key) -> None:
        """The object is gone."""
        self._shown.pop(key, None)

    def describe(self) -> Iterator[Metric]:
        """The families, empty."""
        yield from _families()

    def collect(self) -> Iterator[Metric]:
        """The families, with a sample for each GoLive and label."""
        gate, valid_until, guard, passed = families = _families()
        for key, shown in list(self._shown.items()):
            for state in GateState:
                gate.add_metric((*key, state.value), shown.state is state)
            valid_until.add_metric(key, shown.valid_until.timestamp() if shown.valid_until else 0)
            guard.add_metric(key, shown.guarded)
            for check, holds in shown.checks:
                passed.add_metric((*key, check), holds)
        yield from families


def _families() -> tuple[GaugeMetricFamily, ...]:
    return (
        GaugeMetricFamily("golive_gate_state", "1 for the gate's present state.", labels=(*WHERE, "state")),
        GaugeMetricFamily(
            "golive_gate_valid_until_timestamp_seconds", "When an open gate shuts by itself.", labels=WHERE
        ),
        GaugeMetricFamily("golive_admission_guard_ok", "1 while forged writes are refused.", labels=WHERE),
        GaugeMetricFamily(
            "golive_preflight_check_passed",
            "1 while a preflight check counts as passed.",
            labels=(*WHERE, "check"),
        ),
    )
