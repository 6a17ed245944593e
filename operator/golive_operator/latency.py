"""How long it took until a change of the gate was decided, written, and acknowledged by the engine."""

from dataclasses import dataclass

from prometheus_client import CollectorRegistry, Histogram

from golive_api.golive import GateState
from golive_decisions.deciding import Plan
from golive_decisions.facts import Facts
from golive_operator.interests import Key

BUCKETS = (0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 15)
"""Bounds of the histograms, in seconds."""


@dataclass(frozen=True, slots=True)
class Moments:
    """Monotonic times of one look."""

    woken: float
    """When something was heard to have changed, or the look was due."""
    decided: float
    """When it was decided."""
    written: float
    """When gate and status were written."""


class Latencies:
    """Histograms by stage; an acknowledgement is seen at a later look, which it woke."""

    def __init__(self, registry: CollectorRegistry) -> None:
        def histogram(name: str, documentation: str) -> Histogram:
            return Histogram(name, documentation, ("stage",), buckets=BUCKETS, registry=registry)

        self._closing = histogram(
            "golive_close_latency_seconds",
            "From hearing of a breach until the closing was decided, written, acknowledged by the engine.",
        )
        self._opening = histogram(
            "golive_open_latency_seconds",
            "From hearing of what was missing until the opening was decided, written, acknowledged.",
        )
        self._awaited: dict[Key, tuple[GateState, int, float]] = {}

    def looked(self, key: Key, facts: Facts, plan: Plan, moments: Moments) -> None:
        """Show how long a change of the gate took, as far as it has come."""
        before, gate = facts.subject.status.gate, plan.status.gate
        was = before.state if before else GateState.CLOSED
        if gate is not None and plan.gate is not None and was is not gate.state:
            histogram = self._of(gate.state)
            histogram.labels("decided").observe(moments.decided - moments.woken)
            histogram.labels("written").observe(moments.written - moments.woken)
            self._awaited[key] = (gate.state, plan.gate.serial, moments.woken)
        self._acknowledged(key, facts, moments.woken)

    def _acknowledged(self, key: Key, facts: Facts, now: float) -> None:
        """The engine's Lease says that it obeys what was written."""
        awaited, seen = self._awaited.get(key), facts.engine.acknowledgement if facts.engine else None
        if awaited is None or seen is None:
            return
        state, serial, began = awaited
        if seen.state == state.value and seen.serial >= serial:
            self._of(state).labels("acknowledged").observe(max(0.0, now - began))
            del self._awaited[key]

    def _of(self, state: GateState) -> Histogram:
        return self._opening if state is GateState.OPEN else self._closing

    def forget(self, key: Key) -> None:
        """The object is gone."""
        self._awaited.pop(key, None)
