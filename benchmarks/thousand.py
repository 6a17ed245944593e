"""A thousand GoLives under one operator: what it costs, how fast it is among them, how it comes back.

API server and etcd are real, the operator is the real program under the chart's rights; pods are objects
whose engines one process plays. It all shares one machine, so the operator is never alone on a core.
"""

import argparse
import asyncio
import json
import os
import signal
import sys
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from crowd import Client, Member, People, Seen, in_turns, settle, watching
from measuring import Sample, machine, show
from operator_process import Cost, Meter, identities, install, start
from rich.console import Console
from rich.table import Table

from golive_dev.children import Child
from golive_dev.control_plane import ControlPlane
from golive_dev.ports import free_ports
from golive_dev.progress import Progress, to_stream
from golive_dev.waiting import eventually
from golive_operator.engines import closed_seconds

HERE = Path(__file__).parent
TTL_SECONDS, CROWDED_TTL_SECONDS, CROWD = 15, 60, 500
"""Leases last 15 s by default; with so many open gates an administrator would choose 60 s."""
PAUSE_SECONDS = 0.3
"""Between acts: after a burst the API server answers lists late, until its cache has caught up."""
OPEN_SECONDS = 300.0
"""How long opening all may take."""
ARGO = "Argo Rollouts, 1,000 objects, this kind of machine: open 13 / 26, close 11 / 14"


@dataclass
class Figures:
    """What came out."""

    times: dict[str, float] = field(default_factory=dict)
    """Seconds."""
    costs: dict[str, Cost] = field(default_factory=dict)
    opened: list[float] = field(default_factory=list)
    obeyed: list[float] = field(default_factory=list)
    closed: dict[str, tuple[list[float], list[float]]] = field(default_factory=dict)
    """Milliseconds until the gate said so, and until the engine did, by act."""
    expired: int = 0
    """Open gates that were seen past their end."""


class Run:
    """One size, from nothing to everything open, and back from every kind of death."""

    def __init__(
        self, plane: ControlPlane, members: list[Member], people: People, options: argparse.Namespace
    ) -> None:
        self._plane, self._members, self._people, self._options = plane, members, people, options
        self._watch = people.watch
        self._progress: Progress = to_stream()
        self.figures = Figures()

    async def begin(self, admin: Client) -> None:
        """The first operator, nobody asking yet."""
        self._admin = admin
        self._pods = await identities(self._plane, admin)
        self._names = list(self._pods)
        self._operator = self._start(0)
        await self._leading(0)
        self._watch.check = self._check
        await self._cost("no GoLive")

    def _start(self, which: int) -> Child:
        name = self._names[which]
        program: tuple[str, ...] = ()
        if self._options.profile:
            program = ("-m", "cProfile", "-o", self._options.profile, "-m", "golive_operator")
        return start(self._plane, name, self._pods[name], *self._options.flags, program=program)

    def _check(self) -> None:
        if self._operator.returncode is not None:
            raise RuntimeError(f"the operator has ended: {self._operator.tail(3)}")

    async def _leading(self, which: int) -> None:
        path = "/apis/coordination.k8s.io/v1/namespaces/golive-system/leases/golive-operator"
        for _ in range(600):
            try:
                lease = await self._admin.ask("GET", path)
            except RuntimeError:
                lease = {"spec": {}}
            if lease["spec"].get("holderIdentity") == self._names[which]:
                return
            await asyncio.sleep(0.1)
        raise TimeoutError("nobody leads")

    async def _cost(self, what: str, period: float = 0.0) -> None:
        """Let it settle, then watch it work, for at least a whole period of what recurs."""
        await asyncio.sleep(self._options.settle)
        meter = Meter(self._operator.pid, self._admin)
        await meter.begin()
        seconds = max(self._options.seconds, period)
        with self._progress.step(f"{len(self._members)}: {what}", seconds) as tick:
            ends = time.monotonic() + seconds
            while time.monotonic() < ends:
                await asyncio.sleep(0.5)
                tick()
        cost = self.figures.costs[what] = await meter.end()
        took = f"{cost.memory_mb:.0f} MB, {cost.cores:.3f} cores, {cost.requests_per_second:.1f} requests/s"
        self._progress.note(f"{what}: {took}")

    async def _timed(
        self, what: str, work: Awaitable[None] | None, holds: Callable[[Seen], bool], most: float
    ) -> None:
        """Seconds from the begin of some work until something holds of all members."""
        began = time.monotonic()
        with self._progress.step(f"{len(self._members)}: {what}", most / 10) as tick:
            task = asyncio.ensure_future(work) if work is not None else None
            try:
                ended = await self._watch.until(lambda: self._watch.all(self._members, holds), most, tick)
            except TimeoutError:
                count = self._watch.counted(self._members, holds)
                missing = next(each for each in self._members if not holds(self._watch.seen[each.name]))
                found = json.dumps(await self._admin.ask("GET", missing.golive), indent=1)
                raise TimeoutError(
                    f"{what}: {count} of {len(self._members)} within {most} s\n{found}\n{self._operator.tail()}"
                ) from None
            if task is not None:
                await task
        self.figures.times[what] = ended - began
        self._progress.note(f"{what}: {ended - began:.1f} s")

    async def converge(self) -> None:
        """Everybody asks."""
        people = self._people
        asking = in_turns(people.request(member) for member in self._members)
        most = 120 + 0.5 * len(self._members)
        await self._timed("created → all decided, preflight passed", asking, lambda seen: seen.ready, most)
        await self._cost("none open", closed_seconds(len(self._members)))

    async def open_all(self) -> None:
        """Everybody is approved; where that is too much for the machine, what is open by then counts as all."""
        approving = in_turns(self._people.approve(member) for member in self._members)
        try:
            await self._timed("approved → all open", approving, lambda seen: seen.state == "Open", OPEN_SECONDS)
        except TimeoutError as late:
            self._progress.note(str(late).partition("\n")[0])
        self._members = [each for each in self._members if self._people.is_open(each)]
        await self._cost(f"{len(self._members)} open")

    async def acts(self) -> None:
        """Single acts among the crowd: one opening and one closing each, of every kind in turn."""
        kinds: tuple[tuple[str, Callable[[Member], Awaitable[object]]], ...] = (
            ("disabled", lambda member: self._people.set_activation(member, "Disabled")),
            (
                "approval withdrawn",
                lambda member: self._people.approver.ask("PATCH", member.golive, _NO_APPROVALS),
            ),
            ("gate deleted", lambda member: self._people.trader.ask("DELETE", member.gate)),
        )
        with self._progress.step(f"{len(self._members)}: acts", self._options.runs * 1.5) as tick:
            for run in range(self._options.runs):
                for number, (kind, act) in enumerate(kinds):
                    await self._act(self._members[(run * 3 + number) % len(self._members)], kind, act)
                    tick()

    async def _act(self, member: Member, kind: str, act: Callable[[Member], Awaitable[object]]) -> None:
        seen, watch = self._watch.seen[member.name], self._watch
        await watch.until(lambda: seen.ready)
        await asyncio.sleep(PAUSE_SECONDS)
        consent = await self._people.consent(member)
        began = time.monotonic()
        await self._people.approver.ask("PATCH", member.golive, consent)
        self.figures.opened.append((await watch.until(lambda: seen.state == "Open") - began) * 1000)
        self.figures.obeyed.append((await watch.until(lambda: seen.obeyed == "Open") - began) * 1000)
        await asyncio.sleep(PAUSE_SECONDS)
        written, obeyed = self.figures.closed.setdefault(kind, ([], []))
        began = time.monotonic()
        await act(member)
        written.append((await watch.until(lambda: seen.state != "Open") - began) * 1000)
        obeyed.append((await watch.until(lambda: seen.obeyed == "Closed") - began) * 1000)
        await self._people.renew(member)

    async def deaths(self) -> None:
        """Restarts and a failover, with every gate open, each until a later leader has renewed all."""
        for what, number in (
            ("SIGTERM, started anew", signal.SIGTERM),
            ("kill -9, started anew", signal.SIGKILL),
        ):
            await self._next_leader(what, partial(self._restart, number))
        standby = self._start(1)
        await asyncio.sleep(5)
        old, self._operator = self._operator, standby
        await self._next_leader("kill -9, a standby takes over", lambda: old.signal(signal.SIGKILL))

    def _restart(self, number: signal.Signals) -> None:
        self._operator.signal(number)
        eventually(lambda: self._operator.returncode is not None, 30)
        self._operator = self._start(0)

    async def _next_leader(self, what: str, die: Callable[[], None]) -> None:
        await self._watch.until(lambda: self._watch.all(self._members, lambda seen: seen.state == "Open"), 60)
        epoch = max(seen.epoch for seen in self._watch.seen.values())
        began, self._watch.check = time.monotonic(), lambda: None
        await asyncio.to_thread(die)
        await self._watch.until(lambda: any(seen.epoch > epoch for seen in self._watch.seen.values()), 120)
        self.figures.times[f"{what} → first gate renewed"] = time.monotonic() - began
        await self._watch.until(lambda: self._watch.all(self._members, lambda seen: seen.epoch > epoch), 300)
        self.figures.times[f"{what} → all gates renewed"] = time.monotonic() - began
        shut = self._watch.counted(self._members, lambda seen: seen.state != "Open")
        self.figures.times[f"{what}: gates shut meanwhile"] = shut


_NO_APPROVALS: dict[str, dict[str, list[str]]] = {"spec": {"approvals": []}}


async def measure(plane: ControlPlane, count: int, options: argparse.Namespace) -> Figures:
    """Everything about one size."""
    members, (port,) = [Member(number) for number in range(count)], free_ports(1)
    admin, trader, approver, watcher = (
        Client(plane.admin if user == "admin" else plane.kubeconfig(user))
        for user in ("admin", "trader", "approver", "admin")
    )
    await settle(admin, members, port)
    words = ["--kubeconfig", str(plane.admin), "--count", str(count), "--port", str(port)]
    environment = os.environ | {"PYTHONPATH": str(HERE)}
    engines = plane.spawn("engines", [sys.executable, "-P", HERE / "crowd_engines.py", *words], env=environment)
    await asyncio.to_thread(eventually, lambda: "ready" in engines.log.read_text(), 120)
    async with watching(watcher) as watch:
        ttl_seconds = options.ttl or (CROWDED_TTL_SECONDS if count >= CROWD else TTL_SECONDS)
        run = Run(plane, members, People(trader, approver, watch, ttl_seconds), options)
        await run.begin(admin)
        await run.converge()
        if "acts" in options.parts:
            await run.acts()
        if "open" in options.parts:
            await run.open_all()
        if "deaths" in options.parts:
            await run.deaths()
    for client in (admin, trader, approver, watcher):
        await client.close()
    return run.figures


def tell(count: int, figures: Figures, where: str) -> None:
    """Print it all."""
    console = Console(width=None if os.isatty(1) else 120)
    costs = Table("with", "RSS MB", "CPU s/min", "cores", "API requests/s", title=f"{count} GoLives: {where}")
    for what, cost in figures.costs.items():
        cells = (cost.memory_mb, cost.cores * 60, cost.cores, cost.requests_per_second)
        costs.add_row(what, *(f"{cell:.2f}" for cell in cells))
    console.print(costs)
    times = Table("what", "s")
    for what, seconds in figures.times.items():
        times.add_row(what, f"{seconds:.1f}")
    console.print(times)
    if figures.opened:
        opened = [
            Sample("approve sent → gate open", figures.opened),
            Sample("… → engine says so", figures.obeyed),
        ]
        show(f"opening among {count}", "ms", opened, where, ARGO)
    samples = [
        Sample(f"{kind} → {what}", values)
        for kind, both in figures.closed.items()
        for what, values in zip(("gate shut", "engine says so"), both, strict=True)
    ]
    if samples:
        show(f"closing among {count}", "ms", samples, where, ARGO)


def main() -> None:
    """Entry point."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--counts", type=int, nargs="*", default=[10, 1000])
    parser.add_argument("--seconds", type=float, default=60.0, help="how long each cost is measured")
    parser.add_argument("--settle", type=float, default=20.0, help="how long it is let alone before")
    parser.add_argument("--runs", type=int, default=50, help="single acts of each kind")
    parser.add_argument("--ttl", type=int, default=0, help="of each lease; 15 s, and 60 s for 500 or more")
    parser.add_argument("--parts", nargs="*", default=["acts", "open", "deaths"])
    parser.add_argument("--flags", nargs="*", default=[], help="of the operator")
    parser.add_argument("--profile", default="", help="file for a profile of the first operator")
    options = parser.parse_args()
    for count in options.counts:
        with ControlPlane(progress=to_stream()) as plane:
            install(plane)
            for name in ("kube-scheduler", "kube-controller-manager"):
                plane.stop_component(name)
            figures = asyncio.run(measure(plane, count, options))
            where = machine()
        tell(count, figures, where)


if __name__ == "__main__":
    main()
