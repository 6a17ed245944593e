"""The whole system, as it is deployed: approve → open, and close → stopped, in a trading engine.

Control plane, both charts, two operators, engine and exchange run as in the demo. Each round enables,
approves and closes; the approval and the close are single requests, so that no program's start is timed.
"""

import argparse
import json
import signal
import time
import urllib.request
from typing import Any

from close_latency import credentials
from measuring import Sample, machine, show

from golive_api.golive import Approval
from golive_dev.control_plane import ControlPlane
from golive_dev.demo.narrator import Narrator
from golive_dev.demo.stage import (
    ENGINE,
    GATE,
    GOLIVE,
    NAMESPACE,
    SYSTEM,
    Stage,
    build,
    open_control_plane,
    process_of,
    send,
)
from golive_dev.waiting import eventually

GOLIVE_PATH = f"/apis/golive.dev/v1alpha1/namespaces/{NAMESPACE}/golives/{GOLIVE}"
GATE_PATH = f"/api/v1/namespaces/{NAMESPACE}/configmaps/{GATE}"
LEASE_PATH = f"/apis/coordination.k8s.io/v1/namespaces/{NAMESPACE}/leases/golive-engine-{ENGINE}"
POLL_SECONDS = 0.005
TTL_SECONDS = 5
TESTNET_TRADES = 3
MERGE = "application/merge-patch+json"


class Person:
    """One user's requests over one kept connection."""

    def __init__(self, stage: Stage, user: str) -> None:
        groups = ["system:masters"] if user == "admin" else []
        self._url, context = credentials(stage.plane.kubeconfig(user, groups))
        self._opener = urllib.request.build_opener(urllib.request.HTTPSHandler(context=context))

    def ask(self, method: str, path: str, body: Any = None) -> Any:
        """One request; raises HTTPError when it is refused."""
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self._url + path, data, {"Content-Type": MERGE}, method=method)  # noqa: S310  # loopback
        with self._opener.open(request, timeout=10) as answer:
            return json.load(answer)


def wait_for(condition: Any, seconds: float = 40) -> None:
    """Poll quickly: the resolution of what is measured."""
    eventually(condition, seconds, poll_seconds=POLL_SECONDS)


SCENARIO_SECONDS = 240
"""Within this an engine that has just started has played every stress scenario."""


class Desk:
    """The people's requests, and what is waited for between them."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self.admin, self.trader, self.approver = (
            Person(stage, user) for user in ("admin", "trader", "approver")
        )

    def _golive(self) -> Any:
        return self.admin.ask("GET", GOLIVE_PATH)

    def _gate_reason(self) -> str:
        return str(self._golive().get("status", {}).get("gate", {}).get("reason"))

    def _waits_for_people(self) -> bool:
        """Nothing is missing but approvals: preflight has passed, the engine's stress scenarios included."""
        status = self._golive().get("status", {})
        conditions = {each["type"]: each["status"] for each in status.get("conditions", [])}
        return self._gate_reason() == "ApprovalsMissing" and conditions.get("PreflightPassed") == "True"

    def obeyed(self) -> str:
        """What the engine acknowledges on its Lease."""
        return str(self.admin.ask("GET", LEASE_PATH)["metadata"]["annotations"]["golive.dev/state"])

    def open(self) -> float:
        """Enable and approve; returns the seconds from the approval until the gate was Open."""
        self.trader.ask("PATCH", GOLIVE_PATH, {"spec": {"activation": "Enabled"}})
        wait_for(self._waits_for_people, SCENARIO_SECONDS)
        golive = self._golive()
        approval = Approval(
            user="approver",
            revision=golive["spec"]["revision"],
            uid=golive["metadata"]["uid"],
            digest=golive["status"]["digest"],
        )
        began = time.monotonic()
        self.approver.ask("PATCH", GOLIVE_PATH, {"spec": {"approvals": [approval.wire()]}})
        wait_for(lambda: self.admin.ask("GET", GATE_PATH)["data"]["state"] == "Open")
        took = time.monotonic() - began
        wait_for(lambda: self.obeyed() == "Open")
        return took

    def close(self) -> float:
        """Delete the gate; returns the seconds until the engine's Lease said Closed."""
        began = time.monotonic()
        self.trader.ask("DELETE", GATE_PATH)
        wait_for(lambda: self.obeyed() == "Closed")
        took = time.monotonic() - began
        self.disable()
        return took

    def disable(self) -> None:
        """Back to where a round starts."""
        self.trader.ask("PATCH", GOLIVE_PATH, {"spec": {"activation": "Disabled"}})
        wait_for(lambda: self._gate_reason() == "ActivationDisabled")

    def freeze(self) -> float:
        """Stop both operators with the gate open; returns the seconds until the engine had shut by itself."""
        self.open()
        pids = [process_of(pod) for pod in self.stage.pods(SYSTEM)]
        began = time.monotonic()
        for pid in pids:
            send(pid, signal.SIGSTOP)
        wait_for(lambda: self.obeyed() == "Closed")
        took = time.monotonic() - began
        for pid in pids:
            send(pid, signal.SIGCONT)
        self.disable()
        return took


def starts(runs: int) -> list[float]:
    """Milliseconds from nothing to a ready control plane."""
    took = []
    for _ in range(runs):
        began = time.monotonic()
        with ControlPlane():
            took.append((time.monotonic() - began) * 1000)
    return took


def begin(plane: ControlPlane) -> Desk:
    """Everything installed, the request there, with the shortest time to live, still disabled."""
    stage = build(plane, Narrator(quiet=True))
    wait_for(lambda: stage.engine_report()["testnetTrades"] >= TESTNET_TRADES)
    sample = ("apply", "-f", "config/samples/golive.yaml")
    eventually(lambda: plane.kubectl(*sample, user="trader", check=False).returncode == 0, 20)
    desk = Desk(stage)
    change = {"spec": {"activation": "Disabled", "request": {"gate": {"ttlSeconds": TTL_SECONDS}}}}
    desk.trader.ask("PATCH", GOLIVE_PATH, change)
    desk.disable()
    return desk


def main() -> None:
    """Entry point."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=100)
    parser.add_argument("--slow-runs", type=int, default=5, help="starts of a control plane, frozen operators")
    options = parser.parse_args()
    ready = Sample("golive_dev", starts(options.slow_runs))
    plane = open_control_plane()
    try:
        desk = begin(plane)
        rounds = [(desk.open() * 1000, desk.close() * 1000) for _ in range(options.runs)]
        frozen = [desk.freeze() * 1000 for _ in range(options.slow_runs)]
        where = machine()
    finally:
        plane.stop()
    show("control plane ready, binaries cached", "ms", [ready], where, "aim: at most 10 s")
    opened = Sample("approve sent → gate Open", [opening for opening, _ in rounds])
    show("opening, two operators", "ms", [opened], where, "aim: p99 at most 2 s")
    closed = Sample("delete sent → Lease says Closed", [closing for _, closing in rounds])
    polled = f"polled every {POLL_SECONDS * 1000:.0f} ms"
    show("closing, engine trading every 50 ms", "ms", [closed], where, polled)
    shut = Sample("operators frozen → Lease says Closed", frozen)
    show(f"nobody renews, ttl {TTL_SECONDS} s", "ms", [shut], where, f"bound: {TTL_SECONDS} s")


if __name__ == "__main__":
    main()
