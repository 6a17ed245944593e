"""A real engine, a real API server, a simulated exchange: real orders only behind a gate seen to be alive."""

import os
import re
import signal
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from golive_api.acknowledgement import Acknowledgement, read_acknowledgement
from golive_api.values import parse_time
from golive_dev.control_plane import ControlPlane
from golive_dev.ports import free_ports
from golive_simulator.client import Admin

SKIPPED = re.compile(r"\[ORDER_SKIPPED\] (BUY|SELL) BTCUSDT qty=0\.001 - GO-LIVE not activated")
"""The line of the hand-run program, to the letter."""

Start = Callable[..., Any]


def acknowledged(gate: Any) -> Acknowledgement:
    """What the engine says on its Lease."""
    found = read_acknowledgement(gate.lease()["metadata"]["annotations"])
    assert found is not None
    return found


async def test_orders_flow_only_while_the_gate_is_seen_to_be_renewed(
    start_engine: Start,
    settings: dict[str, Any],
    gate: Any,
    in_cluster: dict[str, str],
    until: Any,
    admin: Admin,
    api_key: str,
) -> None:
    """Found open: unproven. Changed live: open. Deleted: closed at once, acknowledged, and skipped."""
    gate.ttl_seconds = 60
    gate.write()
    engine = start_engine(settings, **in_cluster)
    await until(lambda: engine.report().gate.reason == "GateUnproven" and engine.report().armed)
    await until(lambda: engine.filled("paper") == 1)
    await until(lambda: any(map(SKIPPED.fullmatch, engine.messages())))
    assert (await admin.account("production", api_key))["counts"]["orders"] == 0

    gate.write()
    await until(lambda: engine.filled("main") == 1)
    assert acknowledged(gate).state == "Open"
    account = await admin.account("production", api_key)
    assert account["counts"]["orders"] == 1
    assert engine.report().accounts[1].positions == engine.report().accounts[0].positions

    gate.delete()
    gone = time.monotonic()
    await until(lambda: acknowledged(gate).reason == "GateMissing", 3)
    assert time.monotonic() - gone < 2
    assert engine.report().gate.state == "Closed"
    assert engine.stop() == 0
    lease = gate.lease()
    assert not lease["spec"].get("holderIdentity")
    assert acknowledged(gate).reason == "Standby"


async def test_a_gate_that_nobody_renews_shuts_by_itself(
    start_engine: Start, settings: dict[str, Any], gate: Any, in_cluster: dict[str, str], until: Any
) -> None:
    """The lease ends at validUntil, is acknowledged without anybody asking, and the limits are gone."""
    settings["interval_seconds"] = 60
    engine = start_engine(settings, **in_cluster)
    await until(lambda: engine.report().leading)
    gate.ttl_seconds = 3
    record = gate.write()
    await until(lambda: acknowledged(gate).state == "Open", 3)
    await until(lambda: acknowledged(gate).reason == "GateExpired", 6)
    late = parse_time(acknowledged(gate).acknowledged_time) - record.expires
    assert -0.1 <= late.total_seconds() <= 0.5
    assert datetime.now(UTC) >= record.expires
    assert engine.report().gate.serial == record.serial


CLOSINGS: dict[str, Callable[[Any], object]] = {
    "GateClosed": lambda gate: gate.write("Closed"),
    "GateForeign": lambda gate: gate.write(engine="other"),
    "GateUnreadable": lambda gate: gate.write_data(gate.record().data() | {"state": "Ajar"}),
    "GateReduceOnly": lambda gate: gate.write("ReduceOnly"),
    "GateMissing": lambda gate: gate.delete(),
}


async def test_every_way_of_closing_is_obeyed_and_only_a_newer_record_opens_again(
    start_engine: Start, settings: dict[str, Any], gate: Any, in_cluster: dict[str, str], until: Any
) -> None:
    """Each closing has its own reason; the record that was open before does not come back to life."""
    gate.ttl_seconds = 60
    engine = start_engine(settings, **in_cluster)
    await until(lambda: engine.report().leading)
    for reason, closing in CLOSINGS.items():
        opened = gate.write()
        await until(lambda: engine.report().gate.reason == "GateOpen", 3)
        closing(gate)
        await until(lambda wanted=reason: engine.report().gate.reason == wanted, 3)
        if reason == "GateClosed":
            told = [line for line in engine.lines() if line["message"] == "gate Closed"]
            assert told[-1]["decided"].startswith("ActivationDisabled")
        gate.write_data(opened.data())
        await until(lambda: engine.report().gate.state != "Open", 3)


async def test_only_the_holder_of_the_lease_trades_and_a_standby_takes_over(
    start_engine: Start,
    settings: dict[str, Any],
    gate: Any,
    in_cluster: dict[str, str],
    until: Any,
    admin: Admin,
    tmp_path: Any,
) -> None:
    """A standby is healthy and sends nothing, not even on testnet, until the Lease is its own."""
    await admin.add_account("testnet", f"standby-{gate.namespace}", "secret")
    first = start_engine(settings, **in_cluster)
    await until(lambda: first.report().leading and first.filled("paper") == 1)
    standby_settings = settings | {
        "http": {"host": "127.0.0.1", "port": free_ports(1)[0]},
        "journal": {"url": f"sqlite:///{tmp_path}/standby.db"},
    }
    second = start_engine(standby_settings, **(in_cluster | {"POD_NAME": "engine-1"}))
    await until(lambda: second.get("/health/ready")[0] == 200)
    assert second.get("/health/live")[0] == 200
    assert not second.report().leading
    assert not second.report().armed
    orders = len(await admin.requests(new_orders=True))

    assert first.stop() == 0
    await until(lambda: second.report().leading, 6)
    await until(lambda: second.report().armed)
    assert gate.lease()["spec"]["holderIdentity"] == "engine-1"
    assert len(await admin.requests(new_orders=True)) == orders, "it took the position over instead"
    assert set(second.report().accounts[0].positions) == {"BTCUSDT"}


@pytest.fixture
def own_plane() -> Iterator[ControlPlane]:
    """A control plane that a test may freeze."""
    with ControlPlane(scheduler=False, controller_manager=False) as plane:
        yield plane


async def test_a_frozen_api_server_shuts_the_gate_and_stops_all_trading(
    start_engine: Start, settings: dict[str, Any], own_plane: ControlPlane, until: Any, hand: Any
) -> None:
    """Gate within its TTL, Lease within its deadline; afterwards only a new renewal opens."""
    own_plane.kubectl("create", "namespace", "frozen")
    gate = hand(own_plane, "frozen", ttl_seconds=5)
    environment = {"KUBECONFIG": str(own_plane.admin), "POD_NAMESPACE": "frozen", "POD_NAME": "engine-0"}
    engine = start_engine(settings, **environment)
    await until(lambda: engine.report().leading and engine.report().armed)
    gate.write()
    await until(lambda: engine.report().gate.state == "Open", 3)
    pid, frozen = own_plane.processes["kube-apiserver"], time.monotonic()
    os.kill(pid, signal.SIGSTOP)
    try:
        await until(lambda: engine.report().gate.reason == "GateExpired", 6)
        await until(lambda: not engine.report().leading, 13)
        assert 7 <= time.monotonic() - frozen <= 12
        assert engine.get("/health/live")[0] == 200
    finally:
        os.kill(pid, signal.SIGCONT)
    await until(lambda: engine.report().leading, 20)
    assert engine.report().gate.state == "Closed"
    gate.write()
    await until(lambda: engine.report().gate.state == "Open", 5)
