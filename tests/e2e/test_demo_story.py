"""The demo is the end-to-end test: charts, operators, engine, exchange and people, as a newcomer sees them."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PROMISES = (
    "control plane ready",
    "two charts installed",
    "testnet trades without a gate",
    "production orders are skipped",
    "three venues trade",
    "a request alone opens nothing",
    "own or forged approval",
    "gate opened by hand",
    "preflight",
    "one approval of two",
    "a window refuses two approvals",
    "the gate opens with the window",
    "production orders fill",
    "engine and exchange agree",
    "engine killed",
    "agreement after the kill",
    "leader killed",
    "orders passing a shut gate",
    "longest promise of any gate",
    "EmergencyStop, operators frozen",
    "the gate follows",
    "lifting it without the right",
    "released by name, with a root cause",
    "close → engine says stopped",
    "close → first refused order",
    "orders after the close",
    "kill --flatten",
    "stop released by name",
    "Binance fails",
    "real orders fail over",
    "Binance is back",
    "operators frozen → gate shut",
    "emergency stop",
    "the gate shuts too",
    "nothing new, stops stay",
    "records verified offline",
)


@pytest.mark.timeout(480)
def test_every_step_of_the_demo_ends_as_expected() -> None:
    """From apply to a gate that shuts by itself, on a real API server, with nothing left behind."""
    environment = os.environ | {"NO_COLOR": "1"}
    done = subprocess.run(
        [sys.executable, "-P", "-m", "golive_dev.demo"],
        env=environment,
        capture_output=True,
        text=True,
        timeout=460,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]
    table = done.stdout.split("What was expected, what was seen")[1]
    assert [promise for promise in PROMISES if promise not in table] == []
    assert "DIFFERS" not in table
    assert "\x1b[" not in done.stdout
    assert re.search(r"\[ORDER_SKIPPED\] (BUY|SELL) BTCUSDT qty=0\.001 - GO-LIVE not activated", done.stdout)
