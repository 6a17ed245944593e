"""What an engine answers on /status."""

from enum import StrEnum
from typing import Literal

from pydantic import Field

from golive_api.golive import RiskState
from golive_api.values import MOST, Timestamp, WireModel

HEALTH_LIVE = "/health/live"
"""200 while the engine's cycle makes progress."""

HEALTH_READY = "/health/ready"
"""200 once the engine has reconciled with its venues, or stands by."""

METRICS = "/metrics"
"""Prometheus text."""

STATUS = "/status"
"""An EngineReport as JSON."""

HTTP_PORT_NAME = "http"
"""Name of the container port that serves all of these."""

REQUIRED_SERIES = (
    "risk_gate_decisions_total",
    "ess_triggers_total",
    "exchange_failover_events_total",
    "stress_scenario_executions_total",
    "golive_engine_gate_state",
    "golive_engine_cycles_total",
    "golive_engine_cycle_duration_seconds",
    "golive_engine_orders_total",
)
"""Series without which trading can't be watched."""

REQUIRED_DECISIONS = ("allowed", "blocked")
"""Values of the label `decision` that risk_gate_decisions_total must have."""

MOST_STOPS = 64
"""EmergencyStop objects that a report names."""

Decimal = str
"""Decimal text, possibly negative."""


class EmergencyStopState(StrEnum):
    """State of the engine's own emergency stop."""

    INACTIVE = "Inactive"
    ACTIVE = "Active"


class Breaker(StrEnum):
    """State of a venue's circuit breaker."""

    CLOSED = "closed"
    """Requests go through."""
    HALF_OPEN = "half-open"
    """One request may try."""
    OPEN = "open"
    """Nothing is sent."""


class VenueReport(WireModel):
    """One account on one of its venues."""

    venue: str = Field(max_length=32)
    """Which exchange."""
    breaker: Breaker
    """State of its circuit breaker."""
    reconciled: bool
    """Orders, positions and balance agree with the journal."""
    clock_skew_seconds: Decimal | None = Field(default=None, max_length=40)
    """The venue's clock less ours; absent while unknown."""
    equity: Decimal | None = Field(default=None, max_length=40)
    """Wallet balance plus open PnL; absent while unknown."""
    positions: dict[str, Decimal] = {}
    """Signed base quantity by symbol, flat ones left out."""
    unprotected: list[str] = Field(default=[], max_length=200)
    """Symbols with a position whose stop loss or take profit does not rest on the venue."""


class JobReport(WireModel):
    """One job beside the cycle."""

    name: str = Field(max_length=63)
    """Which one."""
    status: Literal["never", "ok", "error"]
    """How its last run ended."""
    duration_seconds: Decimal | None = Field(default=None, max_length=40)
    """How long that took."""
    errors: int = Field(default=0, ge=0)
    """Failed runs since start."""


class StressReport(WireModel):
    """The last run of one stress scenario."""

    scenario: str = Field(max_length=63)
    """Which one."""
    result: Literal["never", "passed", "failed", "error"]
    """How it ended."""
    time: Timestamp | None = None
    """When."""


class AccountReport(WireModel):
    """One account, in its quote currency."""

    name: str = Field(max_length=63)
    """Name in the engine's settings."""
    environment: Literal["testnet", "production"]
    """Which money."""
    venue: str = Field(max_length=32)
    """Where new positions are opened now; the first of its venues if none is available."""
    profile: str | None = Field(default=None, max_length=63)
    """Its own capital profile."""
    strategies: list[str] = Field(default=[], max_length=16)
    """Strategies that may trade it."""
    venues: list[VenueReport] = Field(default=[], max_length=3)
    """Every venue it may use, in order."""
    locked_symbols: list[str] = Field(default=[], max_length=200)
    """Symbols that repeated orders have locked until a person re-arms them."""
    reconciled: bool
    """Orders, positions and balance agree with every venue that can be read."""
    equity: Decimal | None = Field(default=None, max_length=40)
    """Wallet balance plus open PnL; absent while unknown."""
    positions: dict[str, Decimal] = {}
    """Signed base quantity by symbol on all venues together, flat ones left out."""
    filled_orders: int = Field(default=0, ge=0)
    """Orders with a fill in the journal."""
    unknown_orders: int = Field(default=0, ge=0)
    """Orders whose outcome is unknown."""


class GateReport(WireModel):
    """The gate as the engine obeys it."""

    state: str = Field(max_length=16)
    """Open, ReduceOnly or Closed."""
    reason: str = Field(max_length=64)
    """Reason code."""
    epoch: int = 0
    """Epoch of the record, 0 without one."""
    serial: int = 0
    """Serial of the record, 0 without one."""


class EngineReport(WireModel):
    """The engine's own account of itself, asked for by the operator before every renewal."""

    version: Literal["v1alpha1"]
    """Version of this report."""
    engine: str = Field(max_length=63)
    """The Deployment that this engine says it is."""
    pod: str = Field(max_length=253)
    """The pod that answers."""
    time: Timestamp
    """When the report was made, by the engine's clock."""
    leading: bool
    """Whether this pod holds the engine's Lease."""
    live: bool = False
    """What /health/live says."""
    ready: bool = False
    """What /health/ready says."""
    mode: Literal["dry-run", "canary", "live"] = "live"
    """What is done with an order that passed every check."""
    armed: bool
    """Start-up reconciliation succeeded for every account."""
    config_digests: list[str] = Field(max_length=16)
    """SHA-256 (hex) of each configuration file as it was loaded at start."""
    risk_state: RiskState
    """Global Risk."""
    risk_reasons: list[str] = Field(default=[], max_length=16)
    """Why it is not OK."""
    emergency_stop: EmergencyStopState
    """The engine's own emergency stop, or an EmergencyStop object that selects it."""
    emergency_stops: list[str] = Field(default=[], max_length=MOST_STOPS)
    """EmergencyStop objects that hold it, by name, as far as there is room."""
    testnet_trades: int = Field(ge=0, le=MOST)
    """Filled testnet orders in the journal."""
    failovers: int = Field(default=0, ge=0, le=MOST)
    """How often new positions moved to another venue since start."""
    jobs: list[JobReport] = Field(default=[], max_length=16)
    """Every job beside the cycle."""
    stress: list[StressReport] = Field(default=[], max_length=16)
    """Every registered stress scenario with its last run."""
    cycles: int = Field(ge=0, le=MOST)
    """Trading cycles since start."""
    gate: GateReport
    """The gate as it is obeyed."""
    accounts: list[AccountReport] = Field(max_length=32)
    """Every configured account."""
