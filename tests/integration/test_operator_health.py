import os
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from golive_dev.control_plane import ControlPlane
from golive_dev.ports import free_ports
from golive_dev.waiting import eventually

ROOT = Path(__file__).parents[2]
SILENCE_SECONDS = 2.0
START = f"""
import sys
import golive_operator.server as server
from golive_operator.__main__ import main
server.MOST_SILENCE_SECONDS = {SILENCE_SECONDS}
sys.exit(main())
"""
"""The operator with less patience, so that tests need not wait for half a minute."""

SERIES = {
    "golive_gate_state",
    "golive_gate_valid_until_timestamp_seconds",
    "golive_decisions",
    "golive_reconcile_duration_seconds",
    "golive_reconcile_errors",
    "golive_write_conflicts",
    "golive_last_reconcile_timestamp_seconds",
    "golive_watch_last_event_timestamp_seconds",
    "golive_leader",
    "golive_leader_epoch",
    "golive_admission_guard_ok",
    "golive_build_info",
}


@dataclass
class Impatient:
    """An operator as a local process."""

    process: subprocess.Popen[bytes]
    port: int

    def health(self) -> tuple[int, str]:
        """Answer of /healthz."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/healthz", timeout=2) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read().decode()

    def scrape(self) -> str:
        """Answer of /metrics."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/metrics", timeout=2) as answer:
            return str(answer.read().decode())


@contextmanager
def impatient(plane: ControlPlane, namespace: str) -> Iterator[Impatient]:
    """An administrator's operator for one namespace, which the policies trust with nothing."""
    (port,) = free_ports(1)
    flags = [f"--http-port={port}", f"--watch-namespaces={namespace}", f"--lease-name=lease-{namespace}"]
    who = {"POD_NAME": "impatient", "POD_NAMESPACE": namespace, "POD_IP": "127.0.0.1", "PYTHONSAFEPATH": "1"}
    environment = {**os.environ, **who, "KUBECONFIG": str(plane.admin)}
    process = subprocess.Popen(
        [sys.executable, "-c", START, *flags, "--resync-seconds=0.2"],
        env=environment,
        stderr=subprocess.DEVNULL,
    )
    try:
        yield Impatient(process, port)
    finally:
        process.kill()
        process.wait()


@pytest.fixture
def own_plane() -> Iterator[ControlPlane]:
    """Give an API server that may be frozen."""
    with ControlPlane(scheduler=False, controller_manager=False) as plane:
        plane.kubectl("apply", "-f", ROOT / "crds")
        yield plane


def test_a_leader_cut_off_says_so_and_ends_before_another_may_lead(own_plane: ControlPlane) -> None:
    """Liveness fails while the API server is silent; ten seconds after its last renewal the leader ends."""
    apiserver = own_plane.processes["kube-apiserver"]
    with impatient(own_plane, "default") as operator:
        eventually(lambda: "golive_leader 1.0" in operator.scrape(), 20)
        healthy = operator.health()
        os.kill(apiserver, signal.SIGSTOP)
        try:
            sick = eventually(lambda: operator.health()[0] == 500 and operator.health())
            ended = operator.process.wait(12)
        finally:
            os.kill(apiserver, signal.SIGCONT)
    assert healthy == (200, "ok")
    assert sick == (500, "no answer from the API server about the Lease")
    assert ended == 1


def test_an_object_whose_writes_are_refused_harms_no_other(new_desk: Callable[..., Any]) -> None:
    """Its gate stays as it is; the process is not called dead, which would shut everybody's gates."""
    desk = new_desk(engine=False)
    desk.apply()
    desk.await_gate("Closed", "EngineMissing")
    with impatient(desk.operated.plane, desk.namespace) as operator:
        refused = 'golive_reconcile_errors_total{reason="DeniedError"}'
        first = eventually(lambda: refused in operator.scrape() and count(operator.scrape(), refused), 20)
        # At two refusals a second this is well beyond the silence that counts as dead.
        eventually(lambda: count(operator.scrape(), refused) >= first + 2 * (SILENCE_SECONDS + 1), 20)
        health = operator.health()
    assert health == (200, "ok")


def count(metrics: str, series: str) -> float:
    """Value of a series."""
    return float(next(line for line in metrics.splitlines() if line.startswith(series)).split()[-1])


def test_every_series_is_exposed_in_a_form_that_parsers_read(shared_desk: Any) -> None:
    """The leader tells of gates; who stands by tells that it does not lead."""
    shared_desk.await_open()
    operated = shared_desk.operated
    leader = operated.leader()
    (standby,) = [name for name in operated.operators() if name != leader]
    families = {family.name: family for family in text_string_to_metric_families(operated.scrape(leader))}
    samples = {tuple(each.labels.items()): each.value for each in families["golive_gate_state"].samples}
    where = (("name", shared_desk.name), ("namespace", shared_desk.namespace))
    assert set(families) >= SERIES
    assert samples[*where, ("state", "Open")] == 1
    assert samples[*where, ("state", "Closed")] == 0
    assert "golive_leader 0.0" in operated.scrape(standby)
    assert operated.scrape(leader, "/readyz") == operated.scrape(standby, "/readyz") == "ok"
