"""What Prometheus sees of the operator."""

from datetime import datetime
from functools import partial

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from golive_api.golive import GateState
from golive_decisions.deciding import Plan
from golive_operator.gate_series import WHERE, GateSeries
from golive_operator.latency import Latencies

LOOK_BUCKETS = (0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5)
"""Bounds of a look's duration, in seconds."""


class Metrics:
    """Every series of the operator, present from the start."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        gauge, counter = partial(Gauge, registry=self.registry), partial(Counter, registry=self.registry)
        self._gates = GateSeries()
        self.registry.register(self._gates)
        self.transitions = counter(
            "golive_gate_transitions", "Openings and closings, with the reason.", (*WHERE, "state", "reason")
        )
        self.latencies = Latencies(self.registry)
        self.decisions = counter("golive_decisions", "Decisions.", ("verdict", "reason"))
        self.duration = Histogram(
            "golive_reconcile_duration_seconds",
            "From first read to last write.",
            buckets=LOOK_BUCKETS,
            registry=self.registry,
        )
        self.errors = counter("golive_reconcile_errors", "Reconciliations that ended early.", ("reason",))
        self.conflicts = counter("golive_write_conflicts", "Writes refused as out of date.")
        self.last_reconcile = gauge("golive_last_reconcile_timestamp_seconds", "When one last finished.")
        self.last_event = gauge("golive_watch_last_event_timestamp_seconds", "When a watch last spoke.")
        self.leader = gauge("golive_leader", "1 while this pod leads.")
        self.epoch = gauge("golive_leader_epoch", "This leader's generation.")
        self.records = counter("golive_records", "Records written.", ("act",))
        self.records_failed = counter(
            "golive_records_failed",
            "Attempts to record that failed, each to be repeated; no gate waits for it.",
            ("error",),
        )
        self.notices = counter("golive_notices", "Notices to people, by what became of them.", ("result",))
        self.build = gauge("golive_build_info", "1, labelled by version.", ("version",))

    def decided(self, namespace: str, name: str, plan: Plan, was: GateState, now: datetime) -> None:
        """Show a plan that has been carried out.

        Args:
            namespace: Of the GoLive.
            name: Of the GoLive.
            plan: What was carried out.
            was: The gate before, as status had it.
            now: When it was done.
        """
        self._gates.decided((namespace, name), plan)
        if was is not plan.state:
            self.transitions.labels(namespace, name, plan.state.value, plan.reason.value).inc()
        self.decisions.labels(plan.state.value, plan.reason.value).inc()
        self.last_reconcile.set(now.timestamp())

    def forget(self, namespace: str, name: str) -> None:
        """Drop the series of an object that is gone."""
        self.latencies.forget((namespace, name))
        self._gates.forget((namespace, name))
        self.transitions.remove_by_labels({"namespace": namespace, "name": name})
