"""How long the question "may this account trade?" takes, beside the marker file of the hand-run program."""

import sys
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

from golive_api.gate import GateRecord
from golive_api.golive import Environment
from golive_api.profiles import Limits
from golive_api.reasons import Reason
from golive_api.values import render_time
from golive_engine.clock import SystemClock
from golive_engine.gate import Addressee, Gate
from timing import machine, report, time_each

CALLS = 100_000
"""Calls per run."""

RUNS = 7
"""Interleaved runs; the median of their medians counts."""

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
        state="Open",
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


def main() -> int:
    """Measure, print, and fail above the bound."""
    gate = open_gate()
    with tempfile.TemporaryDirectory() as folder:
        marker = Path(folder) / "go_live.active"
        marker.touch()
        timed = time_each(
            {
                "Gate.ask": lambda: gate.ask("main"),
                "Path.exists of a marker file": marker.exists,
                "nothing (the timer and a call)": lambda: None,
            },
            calls=CALLS,
            runs=RUNS,
        )
    if gate.ask("main") is not Reason.GATE_OPEN:
        raise SystemExit("the gate shut while it was measured")
    print(machine())  # noqa: T201  # a benchmark's answer
    return report(timed, bounds={"Gate.ask": BOUND_MICROSECONDS})


if __name__ == "__main__":
    sys.exit(main())
