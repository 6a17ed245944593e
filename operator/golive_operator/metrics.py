"""What Prometheus sees of the operator."""

from datetime import datetime

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from golive_api.golive import GateState
from golive_api.values import parse_time
from golive_decisions.deciding import Plan


class Metrics:
    """Every series of the operator, present from the start."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        where = ("namespace", "name")
        self.gate = Gauge(
            "golive_gate_state", "1 for the gate's present state.", (*where, "state"), registry=self.registry
        )
        self.valid_until = Gauge(
            "golive_gate_valid_until_timestamp_seconds",
            "When an open gate shuts by itself.",
            where,
            registry=self.registry,
        )
        self.decisions = Counter(
            "golive_decisions_total", "Decisions.", ("verdict", "reason"), registry=self.registry
        )
        self.duration = Histogram(
            "golive_reconcile_duration_seconds",
            "From first read to last write.",
            buckets=(0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5),
            registry=self.registry,
        )
        self.errors = Counter(
            "golive_reconcile_errors_total",
            "Reconciliations that ended early.",
            ("reason",),
            registry=self.registry,
        )
        self.conflicts = Counter(
            "golive_write_conflicts_total", "Writes refused as out of date.", registry=self.registry
        )
        self.last_reconcile = Gauge(
            "golive_last_reconcile_timestamp_seconds", "When one last finished.", registry=self.registry
        )
        self.last_event = Gauge(
            "golive_watch_last_event_timestamp_seconds", "When a watch last spoke.", registry=self.registry
        )
        self.leader = Gauge("golive_leader", "1 while this pod leads.", registry=self.registry)
        self.epoch = Gauge("golive_leader_epoch", "This leader's generation.", registry=self.registry)
        self.guard = Gauge(
            "golive_admission_guard_ok", "1 while forged writes are refused.", where, registry=self.registry
        )
        self.build = Gauge("golive_build_info", "1, labelled by version.", ("version",), registry=self.registry)

    def decided(self, namespace: str, name: str, plan: Plan, now: datetime) -> None:
        """Show a plan that has been carried out."""
        for state in GateState:
            self.gate.labels(namespace, name, state.value).set(state is plan.state)
        gate = plan.status.gate
        valid_until = parse_time(gate.valid_until).timestamp() if gate and gate.valid_until else 0
        self.valid_until.labels(namespace, name).set(valid_until)
        self.decisions.labels(plan.state.value, plan.reason.value).inc()
        guarded = [c.status == "True" for c in plan.status.conditions if c.type == "AdmissionGuarded"]
        self.guard.labels(namespace, name).set(all(guarded))
        self.last_reconcile.set(now.timestamp())

    def forget(self, namespace: str, name: str) -> None:
        """Drop the series of an object that is gone."""
        for series in (self.gate, self.valid_until, self.guard):
            series.remove_by_labels({"namespace": namespace, "name": name})
