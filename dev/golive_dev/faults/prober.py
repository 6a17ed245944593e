"""A client that asks the engine's own gate, again and again, whether it may trade."""

import asyncio
import time
from dataclasses import dataclass

from golive_api.golive import Environment
from golive_dev.control_plane import ControlPlane
from golive_dev.faults.background import Background
from golive_engine.cluster import Cluster
from golive_engine.gate import Addressee, Gate
from golive_engine.gate_watch import GateWatch

ASK_SECONDS = 0.005
"""Time between two questions."""

PIECE_SECONDS = 0.2
"""A long yes is kept in pieces of this length, so that each can be judged by itself."""

IDLE_SECONDS = 10.0
"""Silence after which the watch is opened anew."""


@dataclass(slots=True)
class Yes:
    """Answers in a row that an order might pass."""

    began: float
    """The first of them, in seconds since 1970, taken before the question."""
    ended: float
    """The last one."""
    answers: int = 1


class ShiftedClock:
    """The machine's clocks, with a wall clock that can be set wrong."""

    def __init__(self) -> None:
        self.offset = 0.0
        """Seconds by which it is ahead."""

    def monotonic(self) -> float:
        """Seconds that only grow."""
        return time.monotonic()

    def wall(self) -> float:
        """Seconds since 1970, as this clock has it."""
        return time.time() + self.offset


class Prober(Background):
    """Asks every few milliseconds, and keeps every yes."""

    def __init__(
        self, plane: ControlPlane, namespace: str, golive: str, engine: str, account: str = "main"
    ) -> None:
        super().__init__("prober")
        self.clock = ShiftedClock()
        """What the gate takes for the time."""
        self.yeses: list[Yes] = []
        self.noes: list[tuple[float, str]] = []
        """When yes turned to no, and why."""
        self.reason = ""
        """The last answer."""
        self._kubeconfig, self._namespace, self._account = plane.admin, namespace, account
        self._addressee = Addressee(namespace, golive, engine, Environment.PRODUCTION)

    @property
    def trades(self) -> bool:
        """Whether the last answer was yes."""
        return self.reason == "GateOpen"

    async def main(self) -> None:
        """Follow the gate, and ask."""
        gate = Gate(self._addressee, self.clock)
        cluster = await Cluster.connect(self._namespace, self._kubeconfig)
        following = asyncio.create_task(
            GateWatch(cluster, self._addressee.golive, gate, lambda _: None, IDLE_SECONDS).run()
        )
        self.ready()
        try:
            while not following.done():
                self._ask(gate)
                await asyncio.sleep(ASK_SECONDS)
            following.result()
        finally:
            following.cancel()
            await asyncio.gather(following, return_exceptions=True)
            await cluster.close()

    def _ask(self, gate: Gate) -> None:
        now, said_yes = time.time(), self.trades
        self.reason = gate.ask(self._account).value
        if not self.trades:
            if said_yes:
                self.noes.append((now, self.reason))
            return
        last = self.yeses[-1] if self.yeses else None
        if said_yes and last is not None and now - last.began < PIECE_SECONDS:
            last.ended = now
            last.answers += 1
        else:
            self.yeses.append(Yes(now, now))
