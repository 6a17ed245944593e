"""The whole system, as it is deployed: approve → open, and close → stopped, in a trading engine.

Control plane, both charts, two operators, engine and exchange run as in the demo. Each round enables,
approves and closes; the approval and the close are single requests, so that no program's start is timed.
"""

import argparse
import json
import time
import urllib.request
from typing import Any

from close_latency import credentials
from measuring import Sample, machine, show

from golive_api.golive import Approval
from golive_dev.demo.narrator import Narrator
from golive_dev.demo.stage import ENGINE, GATE, GOLIVE, NAMESPACE, Stage, build, open_control_plane
from golive_dev.waiting import eventually

GOLIVE_PATH = f"/apis/golive.dev/v1alpha1/namespaces/{NAMESPACE}/golives/{GOLIVE}"
GATE_PATH = f"/api/v1/namespaces/{NAMESPACE}/configmaps/{GATE}"
LEASE_PATH = f"/apis/coordination.k8s.io/v1/namespaces/{NAMESPACE}/leases/golive-engine-{ENGINE}"
POLL_SECONDS = 0.005
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


def one_round(admin: Person, trader: Person, approver: Person) -> tuple[float, float]:
    """Milliseconds approve → gate Open, and close → engine acknowledged."""
    trader.ask("PATCH", GOLIVE_PATH, {"spec": {"activation": "Enabled"}})
    wait_for(lambda: admin.ask("GET", GOLIVE_PATH)["status"]["gate"]["reason"] == "ApprovalsMissing")
    golive = approver.ask("GET", GOLIVE_PATH)
    approval = Approval(
        user="approver",
        revision=golive["spec"]["revision"],
        uid=golive["metadata"]["uid"],
        digest=golive["status"]["digest"],
    )
    began = time.monotonic()
    approver.ask("PATCH", GOLIVE_PATH, {"spec": {"approvals": [approval.wire()]}})
    wait_for(lambda: admin.ask("GET", GATE_PATH)["data"]["state"] == "Open")
    opened = time.monotonic() - began
    wait_for(lambda: obeyed(admin) == "Open")
    began = time.monotonic()
    trader.ask("DELETE", GATE_PATH)
    wait_for(lambda: obeyed(admin) == "Closed")
    closed = time.monotonic() - began
    trader.ask("PATCH", GOLIVE_PATH, {"spec": {"activation": "Disabled"}})
    wait_for(lambda: admin.ask("GET", GOLIVE_PATH)["status"]["gate"]["reason"] == "ActivationDisabled")
    return opened * 1000, closed * 1000


def obeyed(admin: Person) -> str:
    """What the engine acknowledges on its Lease."""
    return str(admin.ask("GET", LEASE_PATH)["metadata"]["annotations"]["golive.dev/state"])


def main() -> None:
    """Entry point."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=30)
    options = parser.parse_args()
    began = time.monotonic()
    plane = open_control_plane()
    try:
        ready = (time.monotonic() - began) * 1000
        stage = build(plane, Narrator(quiet=True))
        wait_for(lambda: stage.engine_report()["testnetTrades"] >= 3)  # noqa: PLR2004  # what the sample asks for
        apply = ("apply", "-f", "config/samples/golive.yaml")
        eventually(lambda: plane.kubectl(*apply, user="trader", check=False).returncode == 0, 20)
        admin, trader, approver = (Person(stage, user) for user in ("admin", "trader", "approver"))
        wait_for(lambda: admin.ask("GET", GOLIVE_PATH).get("status"))
        rounds = [one_round(admin, trader, approver) for _ in range(options.runs)]
        where = machine()
    finally:
        plane.stop()
    show(
        "control plane ready, binaries cached",
        "ms",
        [Sample("golive_dev", [ready])],
        where,
        "aim: at most 10 s",
    )
    opened = Sample("approve sent → gate Open", [values[0] for values in rounds])
    show("opening, two operators", "ms", [opened], where, "aim: p99 at most 2 s")
    closed = Sample("delete sent → Lease says Closed", [values[1] for values in rounds])
    show(
        "closing, engine trading every 50 ms",
        "ms",
        [closed],
        where,
        f"polled every {POLL_SECONDS * 1000:.0f} ms",
    )


if __name__ == "__main__":
    main()
