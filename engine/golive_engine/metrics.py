"""Prometheus series; every one exists from the start, so that a missing series means a missing engine.

A count starts at zero. What is measured is NaN until it is known, and again when it no longer is.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import permutations, product
from typing import get_args

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    disable_created_metrics,
    generate_latest,
)

from golive_api.engine_report import Breaker
from golive_api.golive import GateState, RiskState
from golive_api.reasons import Reason
from golive_engine.jobs import JOBS, Status
from golive_engine.process_metrics import watch_process
from golive_engine.risk import Trigger
from golive_notices.delivery import Result

disable_created_metrics()  # type: ignore[no-untyped-call]  # a second series per counter that nobody asks for

RESULTS = ("filled", "ended", "working", "refused", "unknown", "withheld", "skipped")
"""What can become of an order that a strategy wanted."""

NOWHERE = "none"
"""Label of a failover's source or target when no venue was available."""

_BREAKERS = {Breaker.CLOSED: 0.0, Breaker.HALF_OPEN: 0.5, Breaker.OPEN: 1.0}
_LATENCIES = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)


@dataclass(frozen=True, slots=True)
class Use:
    """How much of its limits an account uses; None is not known."""

    positions: int
    """Symbols with a position."""
    daily_loss_percent: Decimal | None
    """Loss since 00:00 UTC, open PnL included, in percent of that moment's equity; negative for a gain."""
    leverage: Decimal | None
    """Highest that a venue confirmed for a traded symbol."""
    margin_percent: Decimal | None
    """Margin in use, in percent of equity."""
    unprotected: int
    """Positions whose stop loss or take profit does not rest on the venue."""
    open_orders: int
    """Orders that may still fill, of unknown outcome included."""
    locked_symbols: int
    """Symbols that wait for a person."""


class Metrics:
    """Every series of one engine.

    Args:
        accounts: Environment of each account by name.
        venues: Venues of each account by its name.
        symbols: What is traded.
        scenarios: Names of the stress scenarios.
    """

    def __init__(
        self,
        accounts: Mapping[str, str],
        venues: Mapping[str, Sequence[str]] | None = None,
        symbols: Iterable[str] = (),
        scenarios: Iterable[str] = (),
    ) -> None:
        self.registry = CollectorRegistry()
        self._environments = accounts
        self._venues = venues or {}
        self._deciding()
        self._trading()
        self._reaching_venues()
        self._working_beside()
        watch_process(self.registry)
        self._start(tuple(symbols), tuple(scenarios))

    def _counter(self, name: str, meaning: str, *labels: str) -> Counter:
        """A count; the exposition appends _total to its name."""
        return Counter(name, meaning, labels, registry=self.registry)

    def _gauge(self, name: str, meaning: str, *labels: str) -> Gauge:
        """A measure."""
        return Gauge(name, meaning, labels, registry=self.registry)

    def _deciding(self) -> None:
        """Make the series about what may be done."""
        self._decisions = self._counter(
            "risk_gate_decisions", "Decisions of the RiskGate.", "decision", "reason"
        )
        self._triggers = self._counter("ess_triggers", "Emergency stops by trigger.", "trigger")
        self._gate = self._gauge("golive_engine_gate_state", "1 for the state that is obeyed.", "state")
        self._risk = self._gauge("golive_engine_global_risk", "1 for the level of Global Risk.", "level")
        self.emergency_stop = self._gauge(
            "golive_engine_emergency_stop", "1 while an emergency stop holds every account."
        )
        self.leading = self._gauge("golive_engine_leading", "1 if this pod trades.")

    def _trading(self) -> None:
        """Make the series about accounts and orders."""
        self.cycles = self._counter("golive_engine_cycles", "Trading cycles finished.")
        self.cycle_seconds = Histogram(
            "golive_engine_cycle_duration_seconds", "Duration of a cycle.", registry=self.registry
        )
        self._orders = self._counter(
            "golive_engine_orders", "Orders by what became of them.", "account", "environment", "result"
        )
        self._latency = Histogram(
            "golive_engine_order_latency_seconds",
            "From the decision on an order to the venue's answer.",
            ["account", "venue"],
            buckets=_LATENCIES,
            registry=self.registry,
        )
        self._equity = self._account_gauge("equity", "Equity in quote currency.")
        self._unknown = self._account_gauge("orders_unknown", "Orders of unknown outcome.")
        self._uses = {
            "positions": self._account_gauge("positions", "Symbols with a position."),
            "daily_loss_percent": self._account_gauge(
                "daily_loss_percent", "Loss since 00:00 UTC in percent of equity then; negative for a gain."
            ),
            "leverage": self._account_gauge("leverage", "Highest leverage of a traded symbol."),
            "margin_percent": self._account_gauge("margin_percent", "Margin in use in percent of equity."),
            "unprotected": self._account_gauge(
                "unprotected_positions", "Positions whose stop loss or take profit does not rest on the venue."
            ),
            "open_orders": self._account_gauge("orders_open", "Orders that may still fill."),
            "locked_symbols": self._account_gauge("locked_symbols", "Symbols locked for a person to re-arm."),
        }

    def _account_gauge(self, name: str, meaning: str) -> Gauge:
        """A measure of each account."""
        return self._gauge(f"golive_engine_{name}", meaning, "account")

    def _reaching_venues(self) -> None:
        """Make the series about venues and prices."""
        seat = ("account", "venue")
        self._failovers = self._counter(
            "exchange_failover_events", "Moves of new positions.", "account", "source", "target"
        )
        self._breaker = self._gauge(
            "exchange_circuit_breaker_state", "0 closed (healthy), 0.5 half open, 1 open.", *seat
        )
        self._requests = self._counter("exchange_requests", "Requests by result.", *seat, "result")
        self._skew = self._gauge("exchange_clock_skew_seconds", "The venue's clock less ours.", *seat)
        self._price_age = self._gauge("golive_engine_price_age_seconds", "Age of the oldest price.", *seat)
        self._prices = self._counter("golive_engine_prices", "Prices by where they came from.", *seat, "source")
        self._reconnects = self._counter(
            "golive_engine_stream_reconnects", "Price streams that were opened anew.", *seat
        )

    def _working_beside(self) -> None:
        """Make the series about cache, jobs, alerts and stress scenarios."""
        self._cache = self._counter(
            "cache_requests", "Requests to the cache: hit, miss, error.", "kind", "symbol", "result"
        )
        self._jobs = self._counter("scheduler_job_runs", "Runs of a job by how they ended.", "job", "status")
        self._job_seconds = Histogram(
            "scheduler_job_duration_seconds", "Duration of a run.", ["job"], registry=self.registry
        )
        self._job_status = self._gauge(
            "scheduler_job_last_status", "How the last run ended: 1 ok, 0 error.", "job"
        )
        self._alerts = self._counter("alerts", "Alerts by what became of them.", "result")
        self._stress = self._counter(
            "stress_scenario_executions", "Stress scenarios by how they ended.", "scenario", "result"
        )

    def _start(self, symbols: Sequence[str], scenarios: Sequence[str]) -> None:
        """Let every series exist."""
        self._decisions.labels("allowed", Reason.ORDER_ALLOWED)
        self._decisions.labels("blocked", Reason.GATE_MISSING)
        for trigger in Trigger:
            self._triggers.labels(trigger)
        self.gate(GateState.CLOSED)
        self.risk(None)
        _exist(self._alerts, get_args(Result))
        for job in JOBS:
            self._start_job(job)
        _exist(self._cache, ("closes", "sentiment"), symbols, ("hit", "miss", "error"))
        _exist(self._stress, scenarios, ("passed", "failed", "error"))
        for account, environment in self._environments.items():
            _exist(self._orders, (account,), (environment,), RESULTS)
            self._start_account(account)

    def _start_job(self, job: str) -> None:
        """Let a job's series exist."""
        _exist(self._jobs, (job,), ("ok", "error"))
        self._job_seconds.labels(job)
        self._job_status.labels(job).set(math.nan)

    def _start_account(self, account: str) -> None:
        """Let an account's series exist."""
        self.account(account, None, None)
        self.use(account, None)
        venues = self._venues.get(account, ())
        for source, target in permutations((*venues, NOWHERE), 2):
            self._failovers.labels(account, source, target)
        _exist(self._requests, (account,), venues, ("success", "failure"))
        _exist(self._prices, (account,), venues, ("stream", "rest"))
        for venue in venues:
            self._latency.labels(account, venue)
            self._reconnects.labels(account, venue)
            self.breaker(account, venue, Breaker.CLOSED)
            self.venue(account, venue, None, None)

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

    def risk(self, level: RiskState | None) -> None:
        """Show the level of Global Risk; None while nobody has looked."""
        for each in RiskState:
            self._risk.labels(each).set(each == level)

    def order(self, account: str, result: str) -> None:
        """Count what became of an order."""
        self._orders.labels(account, self._environments[account], result).inc()

    def order_latency(self, account: str, venue: str, seconds: float) -> None:
        """Note how long an order took from its decision to the venue's answer."""
        self._latency.labels(account, venue).observe(seconds)

    def account(self, account: str, equity: Decimal | None, unknown: int | None) -> None:
        """Show where an account stands."""
        self._equity.labels(account).set(_number(equity))
        self._unknown.labels(account).set(_number(unknown))

    def use(self, account: str, use: Use | None) -> None:
        """Show how much of its limits an account uses; None while nobody knows."""
        for name, gauge in self._uses.items():
            gauge.labels(account).set(_number(None if use is None else getattr(use, name)))

    def failover(self, account: str, source: str, target: str) -> None:
        """Count a move of new positions; an empty name is no venue at all."""
        self._failovers.labels(account, source or NOWHERE, target or NOWHERE).inc()

    def breaker(self, account: str, venue: str, state: Breaker) -> None:
        """Show the state of a venue's circuit breaker."""
        self._breaker.labels(account, venue).set(_BREAKERS[state])

    def request(self, account: str, venue: str, *, succeeded: bool) -> None:
        """Count a request to a venue."""
        self._requests.labels(account, venue, "success" if succeeded else "failure").inc()

    def venue(self, account: str, venue: str, skew_seconds: float | None, price_age: float | None) -> None:
        """Show how far a venue's clock is off, and how old the oldest price from it is."""
        self._skew.labels(account, venue).set(_number(skew_seconds))
        self._price_age.labels(account, venue).set(_number(price_age))

    def prices(self, account: str, venue: str, source: str, count: int) -> None:
        """Count prices that came from stream or rest."""
        self._prices.labels(account, venue, source).inc(count)

    def reconnect(self, account: str, venue: str) -> None:
        """Count a price stream that was opened anew."""
        self._reconnects.labels(account, venue).inc()

    def cache(self, kind: str, symbol: str, result: str) -> None:
        """Count a request to the cache."""
        self._cache.labels(kind, symbol, result).inc()

    def job(self, job: str, status: Status, seconds: float) -> None:
        """Count and time a run of a job, and show how it ended."""
        self._jobs.labels(job, status).inc()
        self._job_seconds.labels(job).observe(seconds)
        self._job_status.labels(job).set(status == "ok")

    def alert(self, result: Result) -> None:
        """Count what became of an alert."""
        self._alerts.labels(result).inc()

    def stress(self, scenario: str, result: str) -> None:
        """Count a run of a stress scenario."""
        self._stress.labels(scenario, result).inc()

    def text(self) -> bytes:
        """Everything in Prometheus' text format."""
        return generate_latest(self.registry)


def _number(value: Decimal | float | None) -> float:
    """What a gauge shows: NaN for what is not known."""
    return math.nan if value is None else float(value)


def _exist(counter: Counter, *values: Iterable[str]) -> None:
    """Let a count exist for every combination of its labels' values."""
    for labels in product(*values):
        counter.labels(*labels)
