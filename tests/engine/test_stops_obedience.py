"""A real engine and a real API server without any operator: EmergencyStop objects are obeyed at once."""

import asyncio
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from golive_api.acknowledgement import read_acknowledgement
from golive_api.engine_report import METRICS, EmergencyStopState
from golive_dev.control_plane import ControlPlane
from golive_dev.ports import free_ports
from golive_engine.journal import Journal
from golive_simulator.client import Admin

Start = Callable[..., Any]

RELEASE = {"release": {"user": "alice", "rootCause": "a stale price feed, replaced"}}


class Brake:
    """Applies, releases and deletes stops in one namespace, as somebody who may."""

    def __init__(self, plane: ControlPlane, namespace: str) -> None:
        self._plane = plane
        self._namespace = namespace

    def apply(self, name: str, **spec: Any) -> None:
        """Apply a stop."""
        manifest = {
            "apiVersion": "golive.dev/v1alpha1",
            "kind": "EmergencyStop",
            "metadata": {"name": name, "namespace": self._namespace},
            "spec": {"reason": "prices are wrong"} | spec,
        }
        self._plane.kubectl("create", "-f", "-", stdin=json.dumps(manifest))

    def release(self, name: str) -> None:
        """Say what it was."""
        patch = ["--type=merge", "-p", json.dumps({"spec": RELEASE})]
        self._plane.kubectl("patch", "emergencystop", name, "-n", self._namespace, *patch)

    def delete(self, name: str) -> None:
        """Take it away."""
        self._plane.kubectl("delete", "emergencystop", name, "-n", self._namespace)


@pytest.fixture
def brake(control_plane: ControlPlane, namespace: str) -> Brake:
    """Stops in the test's namespace."""
    return Brake(control_plane, namespace)


def acknowledged(gate: Any) -> tuple[str, str]:
    """State and reason on the engine's Lease."""
    found = read_acknowledgement(gate.lease()["metadata"]["annotations"])
    return (found.state, found.reason) if found else ("", "")


def skipped(engine: Any, account: str) -> set[str]:
    """Reasons for which an account's orders were skipped."""
    lines = [line for line in engine.lines() if line["message"].startswith("[ORDER_SKIPPED]")]
    return {line["reason"] for line in lines if line["account"] == account}


async def protected(admin: Admin, api_key: str) -> None:
    """Wait until a stop loss and a take profit rest on the venue."""
    async with asyncio.timeout(40):
        while len((await admin.account("testnet", api_key))["algos"]) < 2:  # noqa: ASYNC110  # the venue tells nobody
            await asyncio.sleep(0.05)


async def test_an_applied_stop_holds_every_account_at_once(
    start_engine: Start,
    settings: dict[str, Any],
    gate: Any,
    brake: Brake,
    in_cluster: dict[str, str],
    until: Any,
    admin: Admin,
    api_key: str,
) -> None:
    """Testnet, too, and behind an open gate; positions and what protects them stay."""
    gate.ttl_seconds = 60
    engine = start_engine(settings, **in_cluster)
    await until(lambda: engine.filled("paper") == 1)
    await protected(admin, api_key)
    brake.apply("halt", engines=["other", "perps-engine"])
    await until(lambda: engine.report().emergency_stop is EmergencyStopState.ACTIVE, 10)
    assert engine.report().emergency_stops == ["halt"]
    gate.write()
    await until(lambda: engine.report().gate.reason == "GateOpen", 10)
    await until(lambda: acknowledged(gate) == ("Closed", "EmergencyStopApplied"), 10)
    await admin.trade("testnet", api_key, "BTCUSDT", "SELL", "0.001")  # now the strategy wants it back
    await until(lambda: skipped(engine, "main") >= {"EmergencyStopApplied"})
    await until(lambda: skipped(engine, "paper") >= {"EmergencyStopApplied"})
    after = await admin.account("testnet", api_key)
    assert len(after["algos"]) >= 2, "what protects a position stays"
    assert (engine.filled("paper"), engine.filled("main")) == (1, 0)


async def test_nothing_but_a_release_lifts_a_stop(
    start_engine: Start,
    settings: dict[str, Any],
    gate: Any,
    brake: Brake,
    in_cluster: dict[str, str],
    until: Any,
    tmp_path: Path,
) -> None:
    """A deletion does not; each object is counted, told of and written down once."""
    gate.ttl_seconds = 60
    brake.apply("halt")
    engine = start_engine(settings, **in_cluster)
    await until(lambda: skipped(engine, "paper") == {"EmergencyStopApplied"})
    gate.write()
    brake.delete("halt")
    cycles = engine.report().cycles
    await until(lambda: engine.report().cycles > cycles + 3)
    assert engine.report().emergency_stop is EmergencyStopState.ACTIVE, "nothing but a release lifts it"
    assert engine.filled("main") == 0

    brake.apply("halt")
    brake.release("halt")
    await until(lambda: engine.filled("main") == 1)
    assert engine.report().emergency_stop is EmergencyStopState.INACTIVE
    series = engine.get(METRICS)[1]
    assert 'ess_triggers_total{trigger="applied"} 2.0' in series, "two objects, each counted once"
    assert 'reason="EmergencyStopApplied"' in series
    assert "alert: emergency stop: applied (halt)" in engine.messages()
    engine.stop()
    journal = Journal(f"sqlite:///{tmp_path}/journal.db", "perps-engine")
    changes = [(change.scope, change.value) for change in journal.state_changes("emergency-stop")]
    journal.close()
    assert changes == [("halt", "applied"), ("halt", "applied"), ("halt", "released")]


async def test_a_stop_that_was_there_before_holds_from_the_start(
    start_engine: Start,
    settings: dict[str, Any],
    brake: Brake,
    in_cluster: dict[str, str],
    until: Any,
    admin: Admin,
    api_key: str,
) -> None:
    """Those of other engines, and those that are released, do not."""
    brake.apply("old")
    brake.release("old")
    brake.apply("theirs", engines=["other"])
    brake.apply("ours")
    engine = start_engine(settings, **in_cluster)
    await until(lambda: skipped(engine, "paper") == {"EmergencyStopApplied"})
    assert engine.report().emergency_stops == ["ours"]
    assert (await admin.account("testnet", api_key))["counts"]["orders"] == 0
    brake.release("ours")
    await until(lambda: engine.filled("paper") == 1)


async def test_a_standby_knows_of_a_stop_before_it_takes_over(
    start_engine: Start,
    settings: dict[str, Any],
    gate: Any,
    brake: Brake,
    in_cluster: dict[str, str],
    until: Any,
    tmp_path: Path,
) -> None:
    """The one that trades is gone for ever: what it has seen, the other one has seen, too."""
    first = start_engine(settings, **in_cluster)
    await until(lambda: first.report().leading and first.filled("paper") == 1)
    port, journal = free_ports(1)[0], f"sqlite:///{tmp_path}/standby.db"
    standby = settings | {"http": {"host": "127.0.0.1", "port": port}, "journal": {"url": journal}}
    standby["symbols"] = ["BTCUSDT", "ETHUSDT"]
    standby["strategies"] = [{"notional": "100"}]
    second = start_engine(standby, **(in_cluster | {"POD_NAME": "engine-1"}))
    await until(lambda: second.get("/health/ready")[0] == 200)
    brake.apply("halt")
    await until(lambda: second.report().emergency_stops == ["halt"], 10)
    assert first.stop() == 0
    await until(lambda: second.report().leading and second.report().armed)
    await until(lambda: skipped(second, "paper") == {"EmergencyStopApplied"})
    assert second.filled("paper") == 0
    assert read_acknowledgement(gate.lease()["metadata"]["annotations"]) is not None


@pytest.fixture
def bare_plane() -> Iterator[ControlPlane]:
    """A control plane that has never heard of an EmergencyStop."""
    with ControlPlane(scheduler=False, controller_manager=False) as plane:
        yield plane


async def test_where_the_kind_is_missing_only_play_money_trades(
    start_engine: Start,
    settings: dict[str, Any],
    bare_plane: ControlPlane,
    until: Any,
    hand: Any,
) -> None:
    """An open gate is not enough while nobody can say whether a stop applies; once the kind is there, it is."""
    bare_plane.kubectl("create", "namespace", "bare")
    gate = hand(bare_plane, "bare", ttl_seconds=60)
    environment = {"KUBECONFIG": str(bare_plane.admin), "POD_NAMESPACE": "bare", "POD_NAME": "engine-0"}
    engine = start_engine(settings, **environment)
    await until(lambda: engine.filled("paper") == 1)
    gate.write()
    await until(lambda: skipped(engine, "main") >= {"EmergencyStopUnknown"})
    assert engine.report().emergency_stop is EmergencyStopState.INACTIVE
    assert engine.filled("main") == 0
    crd = Path(__file__).parents[2] / "crds" / "emergencystops.yaml"
    bare_plane.kubectl("apply", "--server-side", "-f", str(crd))
    await until(lambda: engine.filled("main") == 1)
