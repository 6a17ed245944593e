"""The leading operator is killed again and again: when does the next one write, and could an order pass?

Control plane, both charts, engine and exchange run as in the demo. A witness follows request and gate; a prober
asks the engine's own gate every few milliseconds whether it may trade; a judge compares the two.
"""

import argparse
import json
import random
import signal
import sys
import time
from collections.abc import Callable
from itertools import pairwise
from typing import Any

from measuring import Sample, machine, show
from whole_system import GOLIVE_PATH, Desk, begin, wait_for

from golive_dev.demo.stage import ENGINE, GOLIVE, NAMESPACE, SYSTEM, open_control_plane, process_of, send
from golive_dev.faults.judging import Law, breaches
from golive_dev.faults.prober import Prober
from golive_dev.faults.witness import Witness
from golive_dev.node.status import condition_holds
from golive_dev.progress import Tick, to_stream
from golive_dev.waiting import eventually

KILL_SECONDS = 20.0
"""What a kill usually takes, the wait until both operators run again included."""

PODS = f"/api/v1/namespaces/{SYSTEM}/pods"


class Killing:
    """Kills leaders while two others watch."""

    def __init__(self, desk: Desk, witness: Witness, prober: Prober, ttl_seconds: int) -> None:
        self._desk, self._witness, self._prober, self._ttl_seconds = desk, witness, prober, ttl_seconds
        self.failovers: list[float] = []
        """Seconds from each kill to the next leader's first write of the gate."""
        self.shut: list[float] = []
        """Seconds in which no order could pass, of each kill."""

    def once(self, tick: Tick) -> None:
        """One kill at any moment between two renewals."""
        self._until(lambda: self._two_run() and self._prober.trades, tick)
        due = time.monotonic() + random.uniform(0, self._ttl_seconds / 3)  # noqa: S311  # any moment will do
        self._until(lambda: time.monotonic() >= due, tick)
        leader = self._desk.stage.leader()
        pod = next(pod for pod in self._pods() if pod["metadata"]["name"] == leader)
        epoch, answered = self._epoch(), len(self._prober.yeses)
        killed = time.time()
        send(process_of(pod), signal.SIGKILL)
        self._until(lambda: self._epoch() > epoch, tick)
        first = next(seen for seen in self._witness.gates if _epoch_of(seen.body) > epoch)
        self.failovers.append(first.moment - killed)
        self._until(lambda: self._prober.yeses[-1].began > first.moment, tick)
        yeses = self._prober.yeses[answered - 1 :]
        gaps = [after.began - before.ended for before, after in pairwise(yeses)]
        self.shut.append(sum(gap for gap in gaps if gap > 0.1))  # noqa: PLR2004  # less is a busy machine
        # A pod of its own for every life: one that is killed often would be kept waiting before its next start.
        self._desk.admin.ask("DELETE", f"{PODS}/{leader}?gracePeriodSeconds=0")

    def _until(self, condition: Callable[[], object], tick: Tick) -> None:
        def looked() -> object:
            tick()
            return condition()

        try:
            eventually(looked, 120, poll_seconds=0.02)
        except TimeoutError as late:
            status = self._desk.admin.ask("GET", GOLIVE_PATH)["status"]
            late.add_note(f"gate: {self._witness.gates[-1].body}\nstatus: {json.dumps(status, indent=1)}")
            raise

    def _pods(self) -> list[dict[str, Any]]:
        return [pod for pod in self._desk.stage.pods(SYSTEM) if "deletionTimestamp" not in pod["metadata"]]

    def _two_run(self) -> bool:
        pods = self._desk.admin.ask("GET", PODS)["items"]
        ready = [pod for pod in pods if condition_holds(pod["status"].get("conditions", []), "Ready")]
        return len(ready) == len(pods) == 2  # noqa: PLR2004  # as the chart has it

    def _epoch(self) -> int:
        return _epoch_of(self._witness.gates[-1].body)


def _epoch_of(gate: dict[str, Any] | None) -> int:
    return int(gate["data"]["epoch"]) if gate else 0


def main() -> int:
    """Entry point; fails if an order could have passed while the gate was shut."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--ttl", type=int, default=15, help="seconds that an open gate is valid; 15 by default")
    options = parser.parse_args()
    plane = open_control_plane()
    try:
        desk = begin(plane)
        wanted = {"gate": {"ttlSeconds": options.ttl}}
        desk.trader.ask("PATCH", GOLIVE_PATH, {"spec": {"request": wanted}})
        desk.disable()
        desk.open()
        # Sooner or later some losses would come in a row, and Global Risk would rightly shut the gate.
        desk.stage.exchange.tell("POST", "pause")
        with (
            Witness(plane, NAMESPACE, GOLIVE) as witness,
            Prober(plane, NAMESPACE, GOLIVE, ENGINE) as prober,
            to_stream().step(f"{options.kills} kills", options.kills * KILL_SECONDS) as tick,
        ):
            wait_for(lambda: prober.trades)
            killing = Killing(desk, witness, prober, options.ttl)
            for _ in range(options.kills):
                killing.once(tick)
            found = breaches(witness.requests, witness.gates, prober.yeses, Law(ttl_seconds=options.ttl))
            asked = sum(yes.answers for yes in prober.yeses)
        where = machine()
    finally:
        plane.stop()
    samples = [Sample("leader killed → next one's first write", killing.failovers)]
    show("failover, two operators", "s", samples, where, "aim: less than 17 s, which Argo Rollouts took")
    share = sum(seconds > 0 for seconds in killing.shut)
    aim = (
        f"shut at all in {share} of {options.kills}: a gate outlives its leader while its {options.ttl} s last"
    )
    show("gate shut meanwhile", "s", [Sample("no order could pass", killing.shut)], where, aim)
    sys.stdout.write(f"orders that could pass while shut: {len(found)} of {asked} answers of yes\n")
    sys.stdout.writelines(f"{breach}\n" for breach in found)
    return bool(found)


if __name__ == "__main__":
    sys.exit(main())
