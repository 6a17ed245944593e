"""A real engine process that is killed, stopped by hand, or told to end."""

import asyncio
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from golive_api.engine_report import HEALTH_LIVE, METRICS, REQUIRED_SERIES
from golive_simulator.client import Admin

Start = Callable[..., Any]


def release(config: Path) -> str:
    """What the command that releases the emergency stop says."""
    command = [sys.executable, "-P", "-m", "golive_engine", "release-emergency-stop", "--config", str(config)]
    ran = subprocess.run(
        [*command, "--by", "alice", "--cause", "drill"],
        capture_output=True,
        text=True,
        check=True,
        env={"PATH": os.environ["PATH"]},
    )
    return ran.stdout


async def test_outside_a_cluster_testnet_trades_and_production_does_not(
    start_engine: Start, settings: dict[str, Any], until: Any, admin: Admin, api_key: str
) -> None:
    """No API server, no gate: closed. Every required series is there, and the end is orderly."""
    engine = start_engine(settings)
    await until(lambda: engine.report().armed and engine.report().testnet_trades == 1)
    report = engine.report()
    assert report.gate.reason == "GateMissing"
    assert report.risk_state == "OK"
    assert (await admin.account("production", api_key))["counts"]["orders"] == 0
    series = engine.get(METRICS)[1]
    assert [name for name in REQUIRED_SERIES if not re.search(rf"^{name}[ _{{]", series, re.MULTILINE)] == []
    assert re.search(r'decision="blocked",reason="GateMissing"\} [1-9]', series)
    assert any(message.endswith("qty=0.001 - GO-LIVE not activated") for message in engine.messages())
    began = time.monotonic()
    assert engine.stop() == 0
    assert time.monotonic() - began < 5
    assert engine.messages()[-1] == "stopped"


async def test_an_engine_killed_in_mid_order_neither_doubles_nor_loses_it(
    start_engine: Start, settings: dict[str, Any], until: Any, admin: Admin, api_key: str
) -> None:
    """Killed while the venue has the order and the answer is on its way; the next start finds out."""
    await admin.add_fault("delay", method="POST", path="/fapi/v1/order", delay_ms=2500, count=1)
    engine = start_engine(settings)

    async def orders() -> list[dict[str, Any]]:
        return list((await admin.account("testnet", api_key))["orders"])

    deadline = time.monotonic() + 60
    while not await orders():
        assert time.monotonic() < deadline
        await asyncio.sleep(0.05)
    engine.stop(signal.SIGKILL)
    assert not any("order filled" in message for message in engine.messages())

    again = start_engine(settings)
    await until(lambda: again.report().armed)
    await until(lambda: again.report().cycles >= 3)
    assert len(await orders()) == 1
    account = again.report().accounts[0]
    assert (account.filled_orders, account.unknown_orders) == (1, 0)
    assert set(account.positions) == {"BTCUSDT"}


async def test_a_stop_by_hand_outlasts_a_restart_and_is_released_by_name(
    start_engine: Start, settings: dict[str, Any], until: Any, tmp_path: Path
) -> None:
    """SIGUSR1 stops every account; only the command with a name and a cause lets them trade again."""
    settings["symbols"] = ["BTCUSDT", "ETHUSDT"]
    settings["strategies"] = [{"notional": "100"}]
    engine = start_engine(settings)
    await until(lambda: engine.report().armed)
    engine.process.send_signal(signal.SIGUSR1)
    await until(lambda: engine.report().emergency_stop == "Active")
    assert 'ess_triggers_total{trigger="manual"} 1.0' in engine.get(METRICS)[1]
    engine.stop()

    again = start_engine(settings)
    await until(lambda: again.report().cycles >= 2)
    assert again.report().emergency_stop == "Active"
    assert release(tmp_path / "engine-1.yaml") == "1 emergency stops released by alice\n"
    await until(lambda: again.report().emergency_stop == "Inactive")


async def test_an_engine_outlives_its_venue(
    start_engine: Start, settings: dict[str, Any], until: Any, admin: Admin
) -> None:
    """While the venue is down nothing is sent and nothing ends; afterwards trading goes on."""
    engine = start_engine(settings)
    await until(lambda: engine.report().armed)
    await admin.restart(down_ms=2000)
    before = engine.report().cycles
    await until(lambda: any("venue unavailable" in message for message in engine.messages()))
    await until(lambda: engine.report().cycles > before + 8)
    assert engine.get(HEALTH_LIVE)[0] == 200
    after = len([message for message in engine.messages() if "turn failed" in message])
    assert after == 0
