"""Prometheus series; every one exists from the start, so that a missing series means a missing engine."""

from decimal import Decimal

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    disable_created_metrics,
    generate_latest,
)

from golive_api.golive import GateState
from golive_api.reasons import Reason
from golive_engine.risk import Trigger

disable_created_metrics()  # type: ignore[no-untyped-call]  # a second series per counter that nobody asks for

RESULTS = ("filled", "ended", "working", "refused", "unknown", "withheld", "skipped")
"""What can become of an order that a strategy wanted."""


class Metrics:
    """Every series of one engine.

    Args:
        accounts: Environment of each account by name.
    """

    def __init__(self, accounts: dict[str, str]) -> None:
        self.registry = CollectorRegistry()
        self._environments = accounts
        decisions = ("risk_gate_decisions", "Decisions of the RiskGate.", ["decision", "reason"])
        self._decisions = Counter(*decisions, registry=self.registry)
        self._triggers = Counter(
            "ess_triggers", "Emergency stops by trigger.", ["trigger"], registry=self.registry
        )
        self._gate = Gauge(
            "golive_engine_gate_state", "1 for the state that is obeyed.", ["state"], registry=self.registry
        )
        self.cycles = Counter("golive_engine_cycles", "Trading cycles finished.", registry=self.registry)
        self.cycle_seconds = Histogram(
            "golive_engine_cycle_duration_seconds", "Duration of a cycle.", registry=self.registry
        )
        orders = (
            "golive_engine_orders",
            "Orders by what became of them.",
            ["account", "environment", "result"],
        )
        self._orders = Counter(*orders, registry=self.registry)
        self.leading = Gauge("golive_engine_leading", "1 if this pod trades.", registry=self.registry)
        self._equity = Gauge(
            "golive_engine_equity", "Equity in quote currency.", ["account"], registry=self.registry
        )
        self._unknown = Gauge(
            "golive_engine_orders_unknown", "Orders of unknown outcome.", ["account"], registry=self.registry
        )
        self._start()

    def _start(self) -> None:
        """Let every series exist."""
        self._decisions.labels("allowed", Reason.ORDER_ALLOWED)
        self._decisions.labels("blocked", Reason.GATE_MISSING)
        for trigger in Trigger:
            self._triggers.labels(trigger)
        for account, environment in self._environments.items():
            for result in RESULTS:
                self._orders.labels(account, environment, result)
        self.gate(GateState.CLOSED)

    def decision(self, denied: Reason | None) -> None:
        """Count a decision of the RiskGate."""
        decision = "allowed" if denied is None else "blocked"
        self._decisions.labels(decision, denied or Reason.ORDER_ALLOWED).inc()

    def trigger(self, trigger: Trigger) -> None:
        """Count an emergency stop."""
        self._triggers.labels(trigger).inc()

    def gate(self, obeyed: str) -> None:
        """Show which state is obeyed."""
        for state in GateState:
            self._gate.labels(state).set(state == obeyed)

    def order(self, account: str, result: str) -> None:
        """Count what became of an order."""
        self._orders.labels(account, self._environments[account], result).inc()

    def account(self, account: str, equity: Decimal, unknown: int) -> None:
        """Show where an account stands."""
        self._equity.labels(account).set(float(equity))
        self._unknown.labels(account).set(unknown)

    def text(self) -> bytes:
        """Everything in Prometheus' text format."""
        return generate_latest(self.registry)
