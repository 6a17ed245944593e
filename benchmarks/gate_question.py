"""How long the question "may this account trade?" takes, beside the marker file of the hand-run program."""

import statistics
import sys
import tempfile
from pathlib import Path

from gates import ADDRESSEE, gate
from measuring import Sample, machine, microseconds, show

from golive_api.golive import GateState
from golive_api.reasons import Reason
from golive_engine.clock import SystemClock
from golive_engine.gate import Gate

CALLS = 50_000
"""Calls per contender and round."""

ROUNDS = 5
"""Interleaved, so that a busy moment meets every contender."""

BOUND_MICROSECONDS = 0.5
"""A median above this fails."""


def open_gate() -> Gate:
    """A gate that was seen to open, for long enough to measure it."""
    engine_gate = Gate(ADDRESSEE, SystemClock())
    engine_gate.changed(gate(GateState.OPEN, 1, 60).data())
    return engine_gate


def main() -> int:
    """Measure, print, and fail above the bound."""
    engine_gate = open_gate()
    question, marker_file = Sample("Gate.ask", []), Sample("Path.exists of a marker file", [])
    with tempfile.TemporaryDirectory() as folder:
        marker = Path(folder) / "go_live.active"
        marker.touch()
        for _ in range(ROUNDS):
            question.values.extend(microseconds(CALLS, lambda: engine_gate.ask("main")))
            marker_file.values.extend(microseconds(CALLS, marker.exists))
    if engine_gate.ask("main") is not Reason.GATE_OPEN:
        raise SystemExit("the gate shut while it was measured")
    aim = f"aim: at most {BOUND_MICROSECONDS:g} µs, median"
    show("May this account trade?", "µs", [question, marker_file], machine(), aim)
    return int(statistics.median(question.values) > BOUND_MICROSECONDS)


if __name__ == "__main__":
    sys.exit(main())
