from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from golive_dev.node.probes import Probe, Tally
from golive_dev.node.status import (
    ContainerState,
    ContainerView,
    Phase,
    RestartPolicy,
    Running,
    Terminated,
    Waiting,
    backoff_seconds,
    condition_holds,
    pod_conditions,
    pod_phase,
    restart_wanted,
)

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
DONE = Terminated(0, NOW, NOW, "process://1")
BROKEN = replace(DONE, exit_code=1)
RUNS = Running(NOW)
CRASHED = ContainerView("c", "i", Waiting("CrashLoopBackOff"), last=BROKEN)


def view(state: ContainerState, *, ready: bool = False) -> ContainerView:
    """A container in a state."""
    return ContainerView("c", "i", state, ready=ready)


@pytest.mark.parametrize(
    ("policy", "exit_code", "wanted"),
    [
        *[("Always", 0, True), ("Always", 1, True), ("OnFailure", 0, False)],
        *[("OnFailure", 1, True), ("Never", 0, False), ("Never", 1, False)],
    ],
)
def test_the_policy_says_who_runs_again(policy: RestartPolicy, exit_code: int, wanted: bool) -> None:  # noqa: FBT001  # a table's column
    """By exit status."""
    assert restart_wanted(policy, exit_code) is wanted


def test_the_first_restart_is_at_once_then_waits_double_to_a_cap() -> None:
    """10 s to 5 min, as the kubelet waits."""
    waits = [backoff_seconds(restarts, 10, 300) for restarts in (0, 1, 2, 3, 4, 5, 6, 7, 10_000)]
    assert waits == [0, 10, 20, 40, 80, 160, 300, 300, 300]


@pytest.mark.parametrize(
    ("containers", "policy", "phase"),
    [
        ([view(Waiting())], "Always", "Pending"),
        ([view(RUNS), view(Waiting())], "Always", "Running"),
        ([CRASHED], "Always", "Running"),
        ([view(DONE)], "Always", "Running"),
        ([view(DONE)], "Never", "Succeeded"),
        ([view(DONE), view(BROKEN)], "Never", "Failed"),
        ([view(DONE), view(RUNS)], "Never", "Running"),
        ([view(BROKEN)], "OnFailure", "Running"),
        ([view(DONE)], "OnFailure", "Succeeded"),
    ],
)
def test_the_phase_follows_from_the_containers(
    containers: list[ContainerView], policy: RestartPolicy, phase: Phase
) -> None:
    """A crash loop counts as running; only what won't run again is over."""
    assert pod_phase(True, containers, policy) == phase  # initialized


def test_a_pod_that_is_being_stopped_ends_though_its_policy_says_always() -> None:
    """Otherwise it would be running for ever."""
    assert pod_phase(True, [view(DONE)], "Always", stopping=True) == "Succeeded"
    assert pod_phase(True, [view(BROKEN)], "Always", stopping=True) == "Failed"


def test_a_pod_is_ready_only_with_all_containers_and_gates() -> None:
    """And not before it is initialized, nor when it is over."""

    def ready(containers: list[ContainerView], *, gates: bool = True, phase: Phase = "Running") -> bool:
        conditions = pod_conditions(
            initialized=True, containers=containers, phase=phase, gates_pass=gates, previous=(), now=NOW
        )
        return condition_holds(conditions, "Ready")

    good = view(RUNS, ready=True)
    assert ready([good, good])
    assert not ready([good, view(RUNS)])
    assert not ready([good], gates=False)
    assert not ready([good], phase="Succeeded")


def test_a_transition_time_moves_only_with_its_status() -> None:
    """Whoever measures unreadiness reads it."""
    first = pod_conditions(
        initialized=True, containers=[view(RUNS)], phase="Running", gates_pass=True, previous=(), now=NOW
    )
    later = NOW + timedelta(minutes=1)
    second = pod_conditions(
        initialized=True,
        containers=[view(RUNS, ready=True)],
        phase="Running",
        gates_pass=True,
        previous=first,
        now=later,
    )
    times = {each["type"]: each["lastTransitionTime"] for each in second}
    assert (times["Initialized"], times["Ready"]) == ("2026-11-20T12:00:00Z", "2026-11-20T12:01:00Z")


def test_a_run_that_is_over_becomes_the_last_one_while_the_next_waits() -> None:
    """As `kubectl describe` shows it."""
    crashed = view(RUNS, ready=True).ended(BROKEN).waiting("CrashLoopBackOff", "soon")
    shown = crashed.as_json()
    assert shown["state"] == {"waiting": {"reason": "CrashLoopBackOff", "message": "soon"}}
    assert shown["lastState"]["terminated"]["reason"] == "Error"
    assert (shown["ready"], shown["started"]) == (False, False)


@pytest.mark.parametrize(
    ("answers", "verdicts"),
    [
        ("+", [True]),
        ("--", []),
        ("---", [False]),
        ("--+--", [True]),
        ("+---++", [True, False, True]),
        ("------", [False]),
    ],
)
def test_a_probe_needs_failures_in_a_row(answers: str, verdicts: list[bool]) -> None:
    """Three by default; one success is enough; only changes are told."""
    tally = Tally(Probe({}))
    told = [tally.passing for answer in answers if tally.count(passed=answer == "+")]
    assert told == verdicts


def test_a_probes_spec_is_read_with_kubernetes_defaults() -> None:
    """None where there is no probe."""
    assert Probe.of(None) is None
    probe = Probe.of({"tcpSocket": {"port": 1}, "periodSeconds": 3})
    assert probe
    assert (probe.period_seconds, probe.timeout_seconds, probe.failure_threshold) == (3, 1, 3)
