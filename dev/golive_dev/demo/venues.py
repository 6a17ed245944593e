"""What happens on the venues: trading on three, killing on all, failing over, and the emergency stop."""

import os
import subprocess
import sys
import time
from typing import Any

from golive_dev.demo.activation import asked_again
from golive_dev.demo.exchange import KEYS, VENUES
from golive_dev.demo.stage import ENGINE, NAMESPACE, Stage
from golive_dev.waiting import eventually

MAIN = "main"
"""The account with real money."""

HOLE = 0.92
"""What is left of the equity after some of it is gone: more than a fall of 5 percent in a day."""

LANDING_SECONDS = 0.25
"""An order that left before the stop tripped has landed by then."""


def three_venues(stage: Stage) -> None:
    """Testnet accounts fill on each of the three."""
    began = time.monotonic()
    with stage.narrator.waiting("fills on three venues"):
        eventually(lambda: all(_testnet_fills(stage).values()), 30)
    seen = ", ".join(f"{venue} {count}" for venue, count in _testnet_fills(stage).items())
    stage.narrator.saw(
        "three venues trade", "fills on each", seen, holds=True, seconds=time.monotonic() - began
    )


def _testnet_fills(stage: Stage) -> dict[str, int]:
    """Filled orders on each venue, as the venue says."""
    return {
        venue: sum(order["status"] == "FILLED" for order in stage.exchange.orders(f"{prefix}testnet"))
        for venue, prefix in VENUES.items()
    }


def everything_is_killed(stage: Stage) -> None:
    """One action: cancel and close on every venue of every account; a person lets trading go on."""
    before = {venue: len(stage.exchange.positions(f"{prefix}testnet")) for venue, prefix in VENUES.items()}
    code, output, took = _engine_command(stage, "kill", "--flatten", "--by", "trader", "--cause", "drill")
    left = {
        f"{prefix}{money}": stage.exchange.positions(f"{prefix}{money}")
        for prefix in VENUES.values()
        for money in ("production", "testnet")
    }
    flat = not any(left.values())
    seen = f"{sum(before.values())} testnet positions on {len(before)} venues, and the real ones: flat"
    stage.narrator.saw(
        "kill --flatten",
        "flat on every venue, by their word",
        seen if flat else str(left),
        holds=code == 0 and flat,
        seconds=took,
    )
    code, output, took = _engine_command(
        stage, "release-emergency-stop", "--by", "approver", "--cause", "drill over"
    )
    stage.narrator.saw("stop released by name", "released", output.strip(), holds=code == 0, seconds=took)
    eventually(lambda: stage.engine_report()["emergencyStop"] == "Inactive", 20)


def _engine_command(stage: Stage, *words: str) -> tuple[int, str, float]:
    """Run one of the engine's commands beside it, on its settings, keys and journal."""
    verb, *rest = words
    config = stage.plane.directory / "engine.yaml"
    text = stage.read("get", "configmap", ENGINE, "-n", NAMESPACE)["data"]["engine.yaml"]
    config.write_text(text)
    settings = {
        "GOLIVE_ENGINE__JOURNAL__URL": f"sqlite:///{stage.plane.directory}/journal/journal.db",
        "GOLIVE_ENGINE__VENUE__CA_FILE": str(stage.exchange.ca_file),
    }
    began = time.monotonic()
    done = subprocess.run(  # noqa: S603  # own program
        [sys.executable, "-P", "-m", "golive_engine", verb, "--config", str(config), *rest],
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | KEYS | settings,
    )
    took = time.monotonic() - began
    shown = " ".join(f"'{word}'" if " " in word else word for word in rest)
    stage.narrator.command(
        f"kubectl exec -n {NAMESPACE} deploy/{ENGINE} -- python -m golive_engine {verb} --config … {shown}",
        (done.stdout + done.stderr).rstrip(),
    )
    return done.returncode, done.stdout, took


def primary_fails(stage: Stage) -> None:
    """Binance is gone: new positions go to Bybit, and come back with it."""
    began = time.monotonic()
    stage.exchange.tell(
        "POST", "faults", {"kind": "answer-before-accept", "environment": "production", "status": 503}
    )
    stage.narrator.command("# Binance answers 503 to everything from now on", "")
    with stage.narrator.waiting("the circuit breaker"):
        eventually(lambda: _venue(stage, "binanceusdm")["breaker"] == "open", 20)
    took = time.monotonic() - began
    seen = f"breaker open; new positions on {_main(stage)['venue']}"
    holds = _main(stage)["venue"] == "bybit"
    stage.narrator.saw("Binance fails", "breaker open, Bybit is next", seen, holds=holds, seconds=took)
    began = time.monotonic()
    asked_again(stage)
    with stage.narrator.waiting("real orders on Bybit"):
        eventually(lambda: _filled(stage, "bybit-production"), 30)
    took = time.monotonic() - began
    filled, there = _filled(stage, "bybit-production"), stage.exchange.positions("production")
    seen = f"{len(filled)} filled on Bybit, {len(there)} positions on Binance"
    stage.narrator.saw(
        "real orders fail over", "filled on Bybit, none on Binance", seen, holds=not there, seconds=took
    )
    began = time.monotonic()
    stage.exchange.tell("DELETE", "faults")
    stage.narrator.command("# Binance is back", "")
    with stage.narrator.waiting("the circuit breaker"):
        eventually(lambda: _main(stage)["venue"] == "binanceusdm", 30)
    moves = _moves(stage)
    stage.narrator.saw(
        "Binance is back",
        "2 failovers counted, Binance first again",
        f"{moves} counted; new positions on {_main(stage)['venue']}",
        holds=moves == 2,  # noqa: PLR2004  # there and back
        seconds=time.monotonic() - began,
    )


def _main(stage: Stage) -> dict[str, Any]:
    """The account with real money, as the engine reports it."""
    return next(account for account in stage.engine_report()["accounts"] if account["name"] == MAIN)


def _venue(stage: Stage, name: str) -> dict[str, Any]:
    """That account on one venue."""
    return next(venue for venue in _main(stage)["venues"] if venue["venue"] == name)


def _filled(stage: Stage, environment: str) -> list[dict[str, Any]]:
    """Orders that a venue has filled, opening ones."""
    return [order for order in stage.exchange.orders(environment) if order["status"] == "FILLED"]


def _moves(stage: Stage) -> int:
    """Failovers of the account, from the engine's metrics."""
    lines = stage.engine_metrics().splitlines()
    own = [line for line in lines if line.startswith(f'exchange_failover_events_total{{account="{MAIN}"')]
    return int(sum(float(line.rsplit(" ", 1)[1]) for line in own))


def money_is_missing(stage: Stage) -> None:
    """A hole in the account trips the emergency stop: latched, nothing new, stops stay, the gate shuts."""
    with stage.narrator.waiting("a position with real money"):
        eventually(lambda: stage.exchange.all_positions("production"), 60)
    began = time.monotonic()
    for prefix in VENUES.values():
        money = f"{prefix}production"
        equity = stage.exchange.equity(money) * HOLE
        stage.exchange.tell(
            "POST", "equity", {"environment": money, "api_key": f"{money}-key", "equity": equity}
        )
    stage.narrator.command("# 8 percent of the account's equity are gone", "")
    with stage.narrator.waiting("the emergency stop"):
        eventually(lambda: stage.engine_report()["emergencyStop"] == "Active", 20)
    took = time.monotonic() - began
    landed = time.monotonic() + LANDING_SECONDS
    eventually(lambda: time.monotonic() > landed)
    orders, positions = len(stage.exchange.all_orders("production")), stage.exchange.all_positions("production")
    triggers = [line for line in stage.engine_metrics().splitlines() if line.startswith("ess_triggers_total")]
    tripped = next(line for line in triggers if "daily_drawdown" in line)
    stage.narrator.saw(
        "emergency stop", "tripped by the daily drawdown", tripped, holds=tripped.endswith(" 1.0"), seconds=took
    )
    began = time.monotonic()
    with stage.narrator.waiting("the gate"):
        eventually(lambda: stage.ready()[0] == "Closed", 20)
    stage.narrator.saw(
        "the gate shuts too", "Closed", "/".join(stage.ready()), holds=True, seconds=time.monotonic() - began
    )
    later = len(stage.exchange.all_orders("production")) - orders
    resting = [venue["unprotected"] for venue in _main(stage)["venues"]]
    holds = later == 0 and stage.exchange.all_positions("production") == positions and not any(resting)
    seen = f"{later} orders since; {len(positions)} positions keep their stops"
    stage.narrator.saw("nothing new, stops stay", "0 orders, same positions", seen, holds=holds)
