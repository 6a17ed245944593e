"""How long the question "may this account trade?" takes, beside the marker file of the hand-run program."""

import gc
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from measuring import Sample, machine, show

from golive_api.gate import GateRecord
from golive_api.golive import Environment, GateState
from golive_api.profiles import Limits
from golive_api.reasons import Reason
from golive_api.values import render_time
from golive_engine.clock import SystemClock
from golive_engine.gate import Addressee, Gate

CALLS = 50_000
"""Calls per contender and round."""

ROUNDS = 5
"""Interleaved, so that a busy moment meets every contender."""

BOUND_MICROSECONDS = 0.5
"""A median above this fails."""


def open_gate() -> Gate:
    """A gate that was seen to open, for long enough to measure it."""
    gate = Gate(Addressee("trading", "perps", "perps-engine", Environment.PRODUCTION), SystemClock())
    now = datetime.now(UTC)
    limits = Limits(
        max_position_notional="100",
        max_positions=2,
        max_leverage="1",
        max_exposure_percent="10",
        max_margin_percent="80",
        max_daily_loss_percent="0.5",
        max_daily_trades=20,
    )
    record = GateRecord(
        namespace="trading",
        name="perps",
        uid="one",
        engine="perps-engine",
        environment=Environment.PRODUCTION,
        state=GateState.OPEN,
        reason="Open",
        epoch=1,
        serial=1,
        revision=1,
        digest=".".join(["a" * 64] * 3),
        profile="micro",
        limits=limits,
        accounts=["main"],
        requested_by="trader",
        issued_time=render_time(now),
        valid_until=render_time(now + timedelta(seconds=60)),
        ttl_seconds=60,
    )
    gate.changed(record.data())
    return gate


def microseconds(call: Callable[[], object]) -> list[float]:
    """Durations of single calls, the timer's own cost included, without the garbage collector."""
    clock, values = time.perf_counter_ns, []
    gc.disable()
    for _ in range(CALLS):
        began = clock()
        call()
        values.append((clock() - began) / 1000)
    gc.enable()
    return values


def main() -> int:
    """Measure, print, and fail above the bound."""
    gate = open_gate()
    question, marker_file = Sample("Gate.ask", []), Sample("Path.exists of a marker file", [])
    with tempfile.TemporaryDirectory() as folder:
        marker = Path(folder) / "go_live.active"
        marker.touch()
        for _ in range(ROUNDS):
            question.values.extend(microseconds(lambda: gate.ask("main")))
            marker_file.values.extend(microseconds(marker.exists))
    if gate.ask("main") is not Reason.GATE_OPEN:
        raise SystemExit("the gate shut while it was measured")
    aim = f"aim: at most {BOUND_MICROSECONDS:g} µs, median"
    show("May this account trade?", "µs", [question, marker_file], machine(), aim)
    return int(statistics.median(question.values) > BOUND_MICROSECONDS)


if __name__ == "__main__":
    sys.exit(main())
