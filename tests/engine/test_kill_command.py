"""The kill command: one action that stops everything on every venue, with a running engine and without."""

import asyncio
import os
import signal
import sqlite3
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import yaml

from golive_simulator.client import Admin

VENUES = ("binanceusdm", "bybit", "okx")
ENVIRONMENTS = {"binanceusdm": "testnet", "bybit": "bybit-testnet", "okx": "okx-testnet"}

Until = Callable[..., Any]


@pytest.fixture
def three_accounts(settings: dict[str, Any]) -> dict[str, Any]:
    """An engine with an account on each venue."""
    accounts = []
    for venue in VENUES:
        seat = {"venue": venue, "api_key_env": "KEY", "secret_env": "KEY"}
        seat |= {"passphrase_env": "PASS"} if venue == "okx" else {}
        accounts.append({"name": venue, "environment": "testnet", "profile": "wide", "venues": [seat]})
    settings["accounts"] = accounts
    settings["symbols"] = ["BTCUSDT", "ETHUSDT"]
    settings["strategies"] = [{"notional": "300"}]
    return settings


async def kill(config: Path, api_key: str, *words: str) -> tuple[int, str]:
    """Run the command as a person would; exit code and output."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-P", "-m", "golive_engine", "kill", "--config", str(config)),
        *("--by", "alice", "--cause", "drill", *words),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        env={"PATH": os.environ["PATH"], "KEY": api_key, "PASS": "passphrase"},
    )
    output, _ = await process.communicate()
    return process.returncode or 0, output.decode()


def settled(engine: Any) -> bool:
    """Whether every account has its two positions, each with stop loss and take profit."""
    report = engine.report()
    seats = [venue for account in report.accounts for venue in account.venues]
    return report.cycles >= 2 and all(len(v.positions) == 2 and not v.unprotected for v in seats)


def ends(path: Path) -> list[tuple[str]]:
    """How every kill ended, as the journal has it."""
    with closing(sqlite3.connect(path)) as journal:
        return journal.execute("select value from state_changes where kind = 'kill-ended'").fetchall()


async def held(admin: Admin, api_key: str) -> dict[str, int]:
    """Positions by venue, as the venues say."""
    found = {}
    for venue, environment in ENVIRONMENTS.items():
        account = await admin.account(environment, api_key)
        found[venue] = sum(1 for position in account["positions"].values() if float(position["quantity"]))
    return found


async def test_a_running_engine_flattens_on_every_venue(
    start_engine: Any, three_accounts: dict[str, Any], until: Until, admin: Admin, api_key: str, tmp_path: Path
) -> None:
    """Positions and stops are gone, nothing new is opened, and the journal still agrees with every venue."""
    engine = start_engine(three_accounts)
    await until(lambda: settled(engine))
    code, output = await kill(tmp_path / "engine-0.yaml", api_key, "--flatten")
    assert code == 0, output
    assert "flat; done" in output
    assert "no engine answers" not in output
    assert await held(admin, api_key) == dict.fromkeys(VENUES, 0)
    report = engine.report()
    assert report.emergency_stop == "Active"
    cycles = report.cycles
    await until(lambda: engine.report().cycles > cycles + 3)
    report = engine.report()
    assert [(a.positions, a.reconciled) for a in report.accounts] == [({}, True)] * 3
    assert await held(admin, api_key) == dict.fromkeys(VENUES, 0)


async def test_without_flatten_positions_keep_their_stops(
    start_engine: Any, three_accounts: dict[str, Any], until: Until, admin: Admin, api_key: str, tmp_path: Path
) -> None:
    """Only what may open a position is cancelled."""
    engine = start_engine(three_accounts)
    await until(lambda: settled(engine))
    code, output = await kill(tmp_path / "engine-0.yaml", api_key)
    assert code == 0, output
    assert "NOT FLAT; done" in output
    assert await held(admin, api_key) == dict.fromkeys(VENUES, 2)
    report = engine.report()
    assert [v.unprotected for a in report.accounts for v in a.venues] == [[]] * 3


async def test_a_dead_engine_needs_no_engine_to_be_killed(
    start_engine: Any, three_accounts: dict[str, Any], until: Until, admin: Admin, api_key: str, tmp_path: Path
) -> None:
    """The command does it all itself; the next engine finds the stop latched and everything in its journal."""
    engine = start_engine(three_accounts)
    await until(lambda: settled(engine))
    engine.stop(signal.SIGKILL)
    code, output = await kill(tmp_path / "engine-0.yaml", api_key, "--flatten")
    assert code == 0, output
    assert "no engine answers" in output
    assert await held(admin, api_key) == dict.fromkeys(VENUES, 0)
    again = start_engine(three_accounts)
    await until(lambda: again.report().cycles >= 2)
    report = again.report()
    assert report.emergency_stop == "Active"
    assert [(a.positions, a.reconciled) for a in report.accounts] == [({}, True)] * 3


async def test_a_venue_that_is_gone_is_reported_and_holds_up_no_other(
    start_engine: Any, three_accounts: dict[str, Any], until: Until, admin: Admin, api_key: str, tmp_path: Path
) -> None:
    """Two are flat within seconds; the third is named, and the exit code is not 0."""
    engine = start_engine(three_accounts)
    await until(lambda: settled(engine))
    await admin.add_fault("answer-before-accept", environment="bybit-testnet", status=503)
    code, output = await kill(tmp_path / "engine-0.yaml", api_key, "--flatten")
    assert code == 1
    assert "bybit on bybit: " in output
    assert "NOT DONE" in output
    assert await held(admin, api_key) == {"binanceusdm": 0, "bybit": 2, "okx": 0}


async def test_an_open_breaker_keeps_no_position_open(
    start_engine: Any, three_accounts: dict[str, Any], until: Until, admin: Admin, api_key: str, tmp_path: Path
) -> None:
    """The venue is back, but its breaker waits for minutes yet: killing does not wait with it."""
    three_accounts["venue"] |= {"breaker": {"failures": 1, "open_seconds": 600}}
    engine = start_engine(three_accounts)
    await until(lambda: settled(engine))
    fault = await admin.add_fault("answer-before-accept", environment="testnet", status=503)
    await until(lambda: engine.report().accounts[0].venues[0].breaker == "open")
    await admin.clear_faults(fault["fault_id"])
    code, output = await kill(tmp_path / "engine-0.yaml", api_key, "--flatten")
    assert code == 0, output
    assert await held(admin, api_key) == dict.fromkeys(VENUES, 0)


async def test_a_missing_key_keeps_nobody_from_killing_elsewhere(
    start_engine: Any, three_accounts: dict[str, Any], until: Until, admin: Admin, api_key: str, tmp_path: Path
) -> None:
    """The venue that can't be asked is named, and the exit code is not 0."""
    engine = start_engine(three_accounts)
    await until(lambda: settled(engine))
    engine.stop()
    okx = three_accounts["accounts"][2]["venues"][0]
    okx["passphrase_env"] = "UNSET"
    config = tmp_path / "keyless.yaml"
    config.write_text(yaml.safe_dump(three_accounts))
    code, output = await kill(config, api_key, "--flatten")
    assert code == 1
    assert "okx on okx: NOT LOOKED AT" in output
    assert await held(admin, api_key) == {"binanceusdm": 0, "bybit": 0, "okx": 2}


async def test_a_signal_kills_too(
    start_engine: Any, three_accounts: dict[str, Any], until: Until, tmp_path: Path
) -> None:
    """SIGUSR2 to the engine: for whoever has no settings file at hand."""
    engine = start_engine(three_accounts)
    await until(lambda: engine.report().armed)
    engine.process.send_signal(signal.SIGUSR2)
    await until(lambda: engine.report().emergency_stop == "Active")
    await until(lambda: ends(tmp_path / "journal.db") == [("done",)])
