"""Close sent → the engine refuses, beside a bare aiohttp watch on the same server in the same run.

The engine's side is its own gate, watch and client in a process of its own; the bare side is the fewest
lines that can follow a ConfigMap. All three processes read the same monotonic clock.
"""

import argparse
import asyncio
import base64
import json
import ssl
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path
from typing import Any

import aiohttp
import yaml
from gates import ADDRESSEE, gate
from measuring import Sample, machine, show

from golive_api.gate import GATE_LABEL, gate_name
from golive_api.golive import GateState
from golive_dev.control_plane import ControlPlane
from golive_engine.clock import SystemClock
from golive_engine.cluster import Cluster
from golive_engine.gate import Gate
from golive_engine.gate_watch import GateWatch

NAME, NAMESPACE = ADDRESSEE.golive, ADDRESSEE.namespace
PATH = f"/api/v1/namespaces/{NAMESPACE}/configmaps"
TTL_SECONDS = 15


def gate_object(state: GateState, serial: int) -> dict[str, Any]:
    """The gate's ConfigMap."""
    metadata = {"name": gate_name(NAME), "labels": {GATE_LABEL: NAME}}
    data = gate(state, serial, TTL_SECONDS).data()
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": data}


def tell(state: str) -> None:
    """Print when a state was seen, by the clock that all processes share."""
    sys.stdout.write(f"{time.monotonic_ns()} {state}\n")
    sys.stdout.flush()


async def follow_as_engine(kubeconfig: Path) -> None:
    """The engine's own gate and watch; a line per change of what `ask` answers."""
    engine_gate = Gate(ADDRESSEE, SystemClock())
    cluster = await Cluster.connect(NAMESPACE, kubeconfig)
    try:
        await GateWatch(cluster, NAME, engine_gate, lambda _: tell(engine_gate.ask("main")), 30.0).run()
    finally:
        await cluster.close()


async def follow_bare(kubeconfig: Path) -> None:
    """List, watch, split lines, compare a string: nothing that a product needs."""
    url, context = credentials(kubeconfig)
    connector = aiohttp.TCPConnector(ssl=context)
    async with aiohttp.ClientSession(url, connector=connector, timeout=aiohttp.ClientTimeout(None)) as session:
        query = {"fieldSelector": f"metadata.name=golive-gate-{NAME}"}
        async with session.get(PATH, params=query) as answer:
            version = (await answer.json())["metadata"]["resourceVersion"]
        query |= {"watch": "true", "resourceVersion": version}
        async with session.get(PATH, params=query) as answer:
            tell("watching")
            while line := await answer.content.readline():
                tell(json.loads(line)["object"]["data"]["state"])


def credentials(kubeconfig: Path) -> tuple[str, ssl.SSLContext]:
    """Address and client certificate of a kubeconfig that carries both inline."""
    document = yaml.safe_load(kubeconfig.read_text())
    server, user = document["clusters"][0]["cluster"], document["users"][0]["user"]
    authority = base64.b64decode(server["certificate-authority-data"]).decode()
    context = ssl.create_default_context(cadata=authority)
    with tempfile.NamedTemporaryFile() as pem:
        pem.write(base64.b64decode(user["client-certificate-data"]))
        pem.write(base64.b64decode(user["client-key-data"]))
        pem.flush()
        context.load_cert_chain(pem.name)
    return server["server"], context


class Follower:
    """A process that follows the gate, or what else a script follows, and what it has said."""

    def __init__(self, kind: str, kubeconfig: Path, script: str = __file__) -> None:
        words = [sys.executable, "-P", script, "--follow", kind, "--kubeconfig", str(kubeconfig)]
        self.process = subprocess.Popen(words, stdout=subprocess.PIPE, text=True)  # noqa: S603  # a script here

    def next(self, *wanted: str) -> int:
        """Nanosecond at which one of the wanted states was seen next."""
        if self.process.stdout is None:
            raise RuntimeError("no output")
        for line in self.process.stdout:
            moment, state = line.split()
            if state in wanted:
                return int(moment)
        raise RuntimeError("the follower has ended")


def measure(plane: ControlPlane, runs: int) -> tuple[list[float], list[float]]:
    """Milliseconds from just before the PATCH was sent, for the engine and for the bare watch."""
    url, context = credentials(plane.admin)
    opener = urllib.request.build_opener(urllib.request.HTTPSHandler(context=context))

    def send(method: str, path: str, body: dict[str, Any], kind: str) -> None:
        request = urllib.request.Request(  # noqa: S310  # loopback
            url + path, json.dumps(body).encode(), {"Content-Type": kind}, method=method
        )
        opener.open(request, timeout=5).read()

    send("POST", PATH, gate_object(GateState.CLOSED, 1), "application/json")
    engine, bare = Follower("engine", plane.admin), Follower("bare", plane.admin)
    engine.next("GateClosed")
    bare.next("watching")
    ours, theirs = [], []
    for run in range(runs):
        send(
            "PATCH",
            f"{PATH}/golive-gate-{NAME}",
            gate_object(GateState.OPEN, 2 * run + 2),
            "application/merge-patch+json",
        )
        engine.next("GateOpen")
        bare.next("Open")
        body = gate_object(GateState.CLOSED, 2 * run + 3)
        began = time.monotonic_ns()
        send("PATCH", f"{PATH}/golive-gate-{NAME}", body, "application/merge-patch+json")
        ours.append((engine.next("GateClosed") - began) / 1e6)
        theirs.append((bare.next("Closed") - began) / 1e6)
    for follower in (engine, bare):
        follower.process.terminate()
        follower.process.wait(5)
    return ours, theirs


def main() -> None:
    """Entry point, also of the followers."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=300)
    parser.add_argument("--follow", choices=["engine", "bare"])
    parser.add_argument("--kubeconfig", type=Path)
    options = parser.parse_args()
    if options.follow:
        follow = follow_as_engine if options.follow == "engine" else follow_bare
        asyncio.run(follow(options.kubeconfig))
        return
    with ControlPlane(controller_manager=False, scheduler=False) as plane:
        ours, theirs = measure(plane, options.runs)
    samples = [Sample("golive engine", ours), Sample("bare aiohttp watch", theirs)]
    show("close sent → refused", "ms", samples, machine(), "aim: median at most 1.5 times the bare watch")


if __name__ == "__main__":
    main()
