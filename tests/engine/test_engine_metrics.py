"""The engine's series: there from the start, and right afterwards."""

import math
import threading
from decimal import Decimal
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.parser import text_string_to_metric_families

from golive_api.engine_report import REQUIRED_SERIES, Breaker
from golive_api.golive import RiskState
from golive_api.reasons import Reason
from golive_engine.metrics import Metrics, Use
from golive_engine.process_metrics import watch_process
from golive_engine.risk import Trigger

MAIN, SEAT = {"account": "main"}, {"account": "main", "venue": "okx"}

START: dict[str, tuple[dict[str, str], float]] = {
    "risk_gate_decisions_total": ({"decision": "blocked", "reason": "GateMissing"}, 0),
    "ess_triggers_total": ({"trigger": "manual"}, 0),
    "golive_engine_gate_state": ({"state": "Closed"}, 1),
    "golive_engine_global_risk": ({"level": "OK"}, 0),
    "golive_engine_emergency_stop": ({}, 0),
    "golive_engine_leading": ({}, 0),
    "golive_engine_cycles_total": ({}, 0),
    "golive_engine_cycle_duration_seconds_count": ({}, 0),
    "golive_engine_orders_total": ({**MAIN, "environment": "production", "result": "filled"}, 0),
    "golive_engine_order_latency_seconds_count": (SEAT, 0),
    "golive_engine_equity": (MAIN, math.nan),
    "golive_engine_orders_unknown": (MAIN, math.nan),
    "golive_engine_orders_open": (MAIN, math.nan),
    "golive_engine_positions": (MAIN, math.nan),
    "golive_engine_unprotected_positions": (MAIN, math.nan),
    "golive_engine_daily_loss_percent": (MAIN, math.nan),
    "golive_engine_leverage": (MAIN, math.nan),
    "golive_engine_margin_percent": (MAIN, math.nan),
    "golive_engine_locked_symbols": (MAIN, math.nan),
    "exchange_failover_events_total": ({"account": "main", "source": "binanceusdm", "target": "okx"}, 0),
    "exchange_circuit_breaker_state": (SEAT, 0),
    "exchange_requests_total": ({**SEAT, "result": "failure"}, 0),
    "exchange_clock_skew_seconds": (SEAT, math.nan),
    "golive_engine_price_age_seconds": (SEAT, math.nan),
    "golive_engine_prices_total": ({**SEAT, "source": "stream"}, 0),
    "golive_engine_stream_reconnects_total": (SEAT, 0),
    "cache_requests_total": ({"kind": "sentiment", "symbol": "BTCUSDT", "result": "hit"}, 0),
    "scheduler_job_runs_total": ({"job": "execution-rebalance", "status": "error"}, 0),
    "scheduler_job_duration_seconds_count": ({"job": "liquidity-refresh"}, 0),
    "scheduler_job_last_status": ({"job": "liquidity-refresh"}, math.nan),
    "alerts_total": ({"result": "sent"}, 0),
    "stress_scenario_executions_total": ({"scenario": "flash-crash", "result": "failed"}, 0),
}
"""A series of each family, and its value before anything happened."""


@pytest.fixture
def metrics() -> Metrics:
    """Of an engine with one account on two venues."""
    venues = {"main": ("binanceusdm", "okx")}
    return Metrics({"main": "production"}, venues, ["BTCUSDT"], ["flash-crash"])


def value(metrics: Metrics, series: str, **labels: str) -> float | None:
    """A series' value, None if it is missing."""
    return metrics.registry.get_sample_value(series, labels)


@pytest.mark.parametrize("series", START)
def test_there_is_from_the_start(metrics: Metrics, series: str) -> None:
    """Zero, or NaN for what nobody has measured yet."""
    labels, expected = START[series]
    assert value(metrics, series, **labels) == pytest.approx(expected, nan_ok=True)


def test_every_series_is_in_the_table_above(metrics: Metrics) -> None:
    """Besides those of the process; and those that the operator insists on are."""
    families = {name.removesuffix("_total").removesuffix("_count") for name in START}
    exposed = {family.name for family in text_string_to_metric_families(metrics.text().decode())}
    assert {name for name in exposed if not name.startswith("process_")} == families
    assert {name.removesuffix("_total") for name in REQUIRED_SERIES} <= families


def test_what_happens_is_shown(metrics: Metrics) -> None:
    """One series for each thing that can be told."""
    metrics.decision(None)
    metrics.decision(Reason.DAILY_LOSS_EXCEEDED)
    metrics.trigger(Trigger.MANUAL)
    metrics.order("main", "filled")
    metrics.order_latency("main", "okx", 0.2)
    metrics.failover("main", "binanceusdm", "okx")
    metrics.failover("main", "okx", "")
    metrics.request("main", "okx", succeeded=False)
    metrics.prices("main", "okx", "stream", 10)
    metrics.reconnect("main", "okx")
    metrics.cache("closes", "BTCUSDT", "hit")
    metrics.job("liquidity-refresh", "error", 22.9)
    metrics.alert("sent")
    metrics.stress("flash-crash", "passed")
    for series, labels, expected in (
        ("risk_gate_decisions_total", {"decision": "allowed", "reason": "OrderAllowed"}, 1),
        ("risk_gate_decisions_total", {"decision": "blocked", "reason": "DailyLossExceeded"}, 1),
        ("ess_triggers_total", {"trigger": "manual"}, 1),
        ("golive_engine_orders_total", {**MAIN, "environment": "production", "result": "filled"}, 1),
        ("golive_engine_order_latency_seconds_bucket", {**SEAT, "le": "0.25"}, 1),
        ("golive_engine_order_latency_seconds_bucket", {**SEAT, "le": "0.1"}, 0),
        ("exchange_failover_events_total", {**MAIN, "source": "binanceusdm", "target": "okx"}, 1),
        ("exchange_failover_events_total", {**MAIN, "source": "okx", "target": "none"}, 1),
        ("exchange_requests_total", {**SEAT, "result": "failure"}, 1),
        ("exchange_requests_total", {**SEAT, "result": "success"}, 0),
        ("golive_engine_prices_total", {**SEAT, "source": "stream"}, 10),
        ("golive_engine_stream_reconnects_total", SEAT, 1),
        ("cache_requests_total", {"kind": "closes", "symbol": "BTCUSDT", "result": "hit"}, 1),
        ("scheduler_job_runs_total", {"job": "liquidity-refresh", "status": "error"}, 1),
        ("scheduler_job_duration_seconds_sum", {"job": "liquidity-refresh"}, 22.9),
        ("scheduler_job_last_status", {"job": "liquidity-refresh"}, 0),
        ("alerts_total", {"result": "sent"}, 1),
        ("stress_scenario_executions_total", {"scenario": "flash-crash", "result": "passed"}, 1),
    ):
        assert value(metrics, series, **labels) == expected, series


@pytest.mark.parametrize(("state", "shown"), [(Breaker.CLOSED, 0), (Breaker.HALF_OPEN, 0.5), (Breaker.OPEN, 1)])
def test_a_circuit_breaker_is_shown_as(metrics: Metrics, state: Breaker, shown: float) -> None:
    """Zero is healthy."""
    metrics.breaker("main", "okx", state)
    assert value(metrics, "exchange_circuit_breaker_state", **SEAT) == shown


def test_one_level_of_risk_and_one_gate_state_hold_at_a_time(metrics: Metrics) -> None:
    """The one before is taken back."""
    for level in (RiskState.OK, RiskState.CRITICAL):
        metrics.risk(level)
    for state in ("Open", "ReduceOnly"):
        metrics.gate(state)
    levels = {level: value(metrics, "golive_engine_global_risk", level=level) for level in RiskState}
    states = {s: value(metrics, "golive_engine_gate_state", state=s) for s in ("Open", "ReduceOnly", "Closed")}
    assert levels == {"OK": 0, "WARNING": 0, "CRITICAL": 1}
    assert states == {"Open": 0, "ReduceOnly": 1, "Closed": 0}


def test_what_is_no_longer_known_is_no_number(metrics: Metrics) -> None:
    """The last figure of a venue that can't be read is not shown as today's."""
    metrics.account("main", Decimal(1000), 2)
    metrics.use("main", Use(1, Decimal("0.25"), Decimal(2), Decimal(10), 3, 4, 5))
    metrics.venue("main", "okx", -0.5, 2.5)
    series = {
        "golive_engine_equity": (MAIN, 1000),
        "golive_engine_orders_unknown": (MAIN, 2),
        "golive_engine_positions": (MAIN, 1),
        "golive_engine_daily_loss_percent": (MAIN, 0.25),
        "golive_engine_leverage": (MAIN, 2),
        "golive_engine_margin_percent": (MAIN, 10),
        "golive_engine_unprotected_positions": (MAIN, 3),
        "golive_engine_orders_open": (MAIN, 4),
        "golive_engine_locked_symbols": (MAIN, 5),
        "exchange_clock_skew_seconds": (SEAT, -0.5),
        "golive_engine_price_age_seconds": (SEAT, 2.5),
    }
    assert {name: value(metrics, name, **labels) for name, (labels, _) in series.items()} == {
        name: shown for name, (_, shown) in series.items()
    }
    metrics.account("main", None, None)
    metrics.use("main", None)
    metrics.venue("main", "okx", None, None)
    for name, (labels, _) in series.items():
        shown = value(metrics, name, **labels)
        assert shown is not None
        assert math.isnan(shown), name


def test_the_process_is_measured(metrics: Metrics) -> None:
    """Memory, CPU, open files, threads, disk and network: what the drift review compares."""
    before = value(metrics, "process_threads")
    ends = threading.Event()
    thread = threading.Thread(target=ends.wait)
    thread.start()
    during = value(metrics, "process_threads")
    ends.set()
    thread.join()
    assert before is not None
    assert during == before + 1
    assert (value(metrics, "process_resident_memory_bytes") or 0) > 10_000_000
    assert (value(metrics, "process_cpu_seconds_total") or 0) > 0
    assert (value(metrics, "process_open_fds") or 0) > 0
    for series in ("disk_read", "disk_written", "network_received", "network_sent"):
        assert value(metrics, f"process_{series}_bytes_total") is not None, series


PROC_FILES: dict[str, dict[str, str]] = {
    "nothing": {},
    "another format": {"io": "rchar 1", "net/dev": "a\nb\neth0: many"},
    "a field less": {"io": "rchar: 1\nwchar: 2", "net/dev": "a\nb\neth0: 1 2 3"},
}


@pytest.mark.parametrize("files", PROC_FILES.values(), ids=PROC_FILES)
def test_the_page_is_whole_where_the_system_tells(tmp_path: Path, files: dict[str, str]) -> None:
    """A kernel of another mind takes some series away, and not the others."""
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    registry = CollectorRegistry()
    watch_process(registry, tmp_path)
    text = generate_latest(registry).decode()
    assert "process_resident_memory_bytes" in text
    assert "process_disk_read" not in text
    assert "process_network" not in text


def test_network_counts_every_device_but_loopback(tmp_path: Path) -> None:
    """Received is the first figure, sent the ninth."""
    (tmp_path / "net").mkdir()
    table = (
        "head\nhead\n    lo: 7 0 0 0 0 0 0 0 7 0\n  eth0: 10 0 0 0 0 0 0 0 20 0\n eth1:1 0 0 0 0 0 0 0 2 0\n"
    )
    (tmp_path / "net" / "dev").write_text(table)
    registry = CollectorRegistry()
    watch_process(registry, tmp_path)
    assert registry.get_sample_value("process_network_received_bytes_total") == 11
    assert registry.get_sample_value("process_network_sent_bytes_total") == 22
