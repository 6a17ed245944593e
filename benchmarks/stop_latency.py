"""EmergencyStop applied → the engine refuses every order, testnet's too, with no operator anywhere.

The engine's side is its own state, watch and client in a process of its own; both processes read the same
monotonic clock.
"""

import argparse
import asyncio
import json
import time
import urllib.request
from pathlib import Path
from typing import Any

from close_latency import Follower, credentials, tell
from gates import ADDRESSEE
from measuring import Sample, machine, show

from golive_dev.control_plane import ControlPlane
from golive_engine.applied_stops import AppliedStops
from golive_engine.clock import SystemClock
from golive_engine.cluster import Cluster, Watched
from golive_engine.watching import Watch

PATH = f"/apis/golive.dev/v1alpha1/namespaces/{ADDRESSEE.namespace}/emergencystops"
CRD = Path(__file__).parents[1] / "crds" / "emergencystops.yaml"
RELEASE = {"user": "alice", "rootCause": "nothing: this is a measurement"}
IDLE_SECONDS = 6.0


async def follow(kubeconfig: Path) -> None:
    """The engine's own stops and watch; a line whenever what an order is answered may have changed."""
    stops = AppliedStops(
        ADDRESSEE.engine,
        SystemClock().monotonic,
        lambda _: tell(str(stops.applied("testnet"))),
        lambda _: tell(str(stops.applied("testnet"))),
        watched=True,
    )
    cluster = await Cluster.connect(ADDRESSEE.namespace, kubeconfig)
    try:
        await Watch(cluster, Watched("emergencystops"), stops, IDLE_SECONDS).run()
    finally:
        await cluster.close()


def measure(plane: ControlPlane, runs: int) -> list[float]:
    """Milliseconds from just before the POST was sent."""
    url, context = credentials(plane.admin)
    opener = urllib.request.build_opener(urllib.request.HTTPSHandler(context=context))

    def send(method: str, path: str, body: dict[str, Any], kind: str) -> None:
        request = urllib.request.Request(  # noqa: S310  # loopback
            url + path, json.dumps(body).encode(), {"Content-Type": kind}, method=method
        )
        opener.open(request, timeout=5).read()

    engine = Follower("engine", plane.admin, __file__)
    found = []
    for run in range(runs):
        name = f"stop-{run}"
        stop = {
            "apiVersion": "golive.dev/v1alpha1",
            "kind": "EmergencyStop",
            "metadata": {"name": name},
            "spec": {"reason": "a measurement"},
        }
        began = time.monotonic_ns()
        send("POST", PATH, stop, "application/json")
        found.append((engine.next("True") - began) / 1e6)
        send("PATCH", f"{PATH}/{name}", {"spec": {"release": RELEASE}}, "application/merge-patch+json")
        engine.next("False")
        send("DELETE", f"{PATH}/{name}", {}, "application/json")
    engine.process.terminate()
    engine.process.wait(5)
    return found[1:]  # the first one waits for the follower to start


def main() -> None:
    """Entry point, also of the follower."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=300)
    parser.add_argument("--follow", choices=["engine"])
    parser.add_argument("--kubeconfig", type=Path)
    options = parser.parse_args()
    if options.follow:
        asyncio.run(follow(options.kubeconfig))
        return
    with ControlPlane(controller_manager=False, scheduler=False) as plane:
        plane.kubectl("apply", "--server-side", "-f", str(CRD))
        plane.kubectl("wait", "--for=condition=Established", "crd/emergencystops.golive.dev")
        found = measure(plane, options.runs + 1)
    show("stop applied → refused", "ms", [Sample("golive engine", found)], machine(), "aim: a few milliseconds")


if __name__ == "__main__":
    main()
