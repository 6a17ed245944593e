"""What Prometheus sees of the operator."""

from datetime import datetime
from functools import partial

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from golive_api.golive import GateState
from golive_api.preflight_report import CheckResult
from golive_api.values import parse_time
from golive_decisions.deciding import Plan
from golive_operator.latency import Latencies

WHERE = ("namespace", "name")
"""Labels of what is about one GoLive."""

LOOK_BUCKETS = (0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5)
"""Bounds of a look's duration, in seconds."""


class Metrics:
    """Every series of the operator, present from the start."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        gauge, counter = partial(Gauge, registry=self.registry), partial(Counter, registry=self.registry)
        self.gate = gauge("golive_gate_state", "1 for the gate's present state.", (*WHERE, "state"))
        self.valid_until = gauge(
            "golive_gate_valid_until_timestamp_seconds", "When an open gate shuts by itself.", WHERE
        )
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
        self.guard = gauge("golive_admission_guard_ok", "1 while forged writes are refused.", WHERE)
        self.checks = gauge(
            "golive_preflight_check_passed", "1 while a preflight check counts as passed.", (*WHERE, "check")
        )
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
        for state in GateState:
            self.gate.labels(namespace, name, state.value).set(state is plan.state)
        if plan.gate is not None or plan.state is GateState.CLOSED:
            shut = plan.gate is None or plan.state is GateState.CLOSED
            until = 0.0 if shut or plan.gate is None else parse_time(plan.gate.valid_until).timestamp()
            self.valid_until.labels(namespace, name).set(until)
        if was is not plan.state:
            self.transitions.labels(namespace, name, plan.state.value, plan.reason.value).inc()
        self.decisions.labels(plan.state.value, plan.reason.value).inc()
        guarded = [c.status == "True" for c in plan.status.conditions if c.type == "AdmissionGuarded"]
        self.guard.labels(namespace, name).set(all(guarded))
        for check in plan.status.preflight.checks if plan.status.preflight else ():
            self.checks.labels(namespace, name, check.name).set(check.result is CheckResult.PASSED)
        self.last_reconcile.set(now.timestamp())

    def forget(self, namespace: str, name: str) -> None:
        """Drop the series of an object that is gone."""
        self.latencies.forget((namespace, name))
        for series in (self.gate, self.valid_until, self.guard, self.transitions, self.checks):
            series.remove_by_labels({"namespace": namespace, "name": name})
