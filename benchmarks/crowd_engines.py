"""A process that answers for many pods, each at its own loopback address, and keeps the Lease of each.

Every engine is well, obeys its gate at once and says so on its Lease, as an engine does.
"""

import argparse
import asyncio
import hashlib
import json
import random
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from aiohttp import web
from crowd import SETTINGS, Client, Member

from golive_api.acknowledgement import Acknowledgement
from golive_api.engine_report import (
    REQUIRED_SERIES,
    AccountReport,
    Breaker,
    EmergencyStopState,
    EngineReport,
    GateReport,
    VenueReport,
)
from golive_api.golive import RiskState
from golive_api.preflight_report import (
    CACHE_FINDINGS,
    DATABASE_FINDINGS,
    EXCHANGE_FINDINGS,
    CheckResult,
    EnginePreflight,
    Finding,
)
from golive_api.values import render_time

SCENARIOS = (
    *("flash-crash", "volatility-spike", "exchange-outage", "liquidity-drought"),
    *("correlation-break", "stale-data", "rejected-stops"),
)
LEASE_SECONDS = 180
METRICS = "".join(
    [f"{name} 1\n" for name in REQUIRED_SERIES]
    + [f'{REQUIRED_SERIES[0]}{{decision="{word}"}} 1\n' for word in ("allowed", "blocked")]
)
_TIME = "2000-01-01T00:00:00Z"


def now() -> str:
    """As the API has it."""
    return render_time(datetime.now(UTC))


class Engine:
    """One of many."""

    def __init__(self, member: Member) -> None:
        self.member, self.state, self.gate = member, "Closed", dict[str, str]()
        self._report = json.dumps(_report(member).wire())
        self._findings = json.dumps(_findings(member).wire())

    def answer(self, path: str) -> str:
        """What it says there."""
        match path:
            case "/status":
                return self._report.replace(_TIME, now())
            case "/preflight":
                return self._findings.replace(_TIME, now())
            case "/metrics":
                return METRICS
        return "ok"

    def lease(self, *, anew: bool) -> dict[str, Any]:
        """Its Lease, with what it obeys if that is new."""
        spec = {"holderIdentity": self.member.pod, "leaseDurationSeconds": LEASE_SECONDS, "renewTime": now()}
        if not anew:
            return {"spec": spec}
        said = Acknowledgement(
            state=self.state,
            reason="GateOpen" if self.state == "Open" else "GateClosed",
            uid=self.gate.get("uid", ""),
            epoch=int(self.gate.get("epoch", 0)),
            serial=int(self.gate.get("serial", 0)),
            acknowledged_time=now(),
        )
        return {"metadata": {"annotations": said.annotations()}, "spec": spec}


def _report(member: Member) -> EngineReport:
    venue = VenueReport(venue="none", breaker=Breaker.CLOSED, reconciled=True)
    account = AccountReport(
        name="main", environment="production", venue="none", venues=[venue], reconciled=True
    )
    return EngineReport(
        version="v1alpha1",
        engine=member.name,
        pod=member.pod,
        time=_TIME,
        leading=True,
        armed=True,
        config_digests=[hashlib.sha256(SETTINGS.encode()).hexdigest()],
        risk_state=RiskState.OK,
        live=True,
        ready=True,
        emergency_stop=EmergencyStopState.INACTIVE,
        testnet_trades=5,
        cycles=1,
        gate=GateReport(state="Closed", reason="GateClosed"),
        accounts=[account],
    )


def _findings(member: Member) -> EnginePreflight:
    names = {
        "exchange": [f"main/none/{finding}" for finding in EXCHANGE_FINDINGS],
        "database": DATABASE_FINDINGS,
        "cache": CACHE_FINDINGS,
        "stress": SCENARIOS,
    }
    found = {
        part: [Finding(name=name, result=CheckResult.PASSED) for name in all_of_it]
        for part, all_of_it in names.items()
    }
    return EnginePreflight(version="v1alpha1", engine=member.name, pod=member.pod, time=_TIME, **found)


class Crowd:
    """All of them."""

    def __init__(self, count: int, client: Client, renew_seconds: float) -> None:
        self._client, self._renew_seconds = client, renew_seconds
        self._engines = [Engine(Member(number)) for number in range(count)]
        self._by_name = {engine.member.name: engine for engine in self._engines}
        self._by_address = {engine.member.address: engine for engine in self._engines}
        self._turns = asyncio.Semaphore(8)

    async def serve(self, port: int) -> None:
        """Answer at every address."""
        server = web.Server(self._answer, access_log=None)
        await asyncio.get_running_loop().create_server(server, list(self._by_address), port)

    async def _answer(self, request: web.BaseRequest) -> web.Response:
        transport = request.transport
        address = transport.get_extra_info("sockname")[0] if transport else ""
        return web.Response(text=self._by_address[address].answer(request.path))

    async def obey(self) -> None:
        """Follow every gate."""
        told = set[asyncio.Task[None]]()
        async for kind, gate in self._client.follow("/api/v1/configmaps", labelSelector="golive.dev/gate"):
            engine = self._by_name.get(gate["metadata"]["name"].removeprefix("golive-gate-"))
            if engine is None:
                continue
            engine.gate = {} if kind == "DELETED" else gate.get("data") or {}
            state = engine.gate.get("state", "Closed")
            if state != engine.state:
                engine.state = state
                task = asyncio.create_task(self._tell(engine, anew=True))
                told.add(task)
                task.add_done_callback(told.discard)

    async def _tell(self, engine: Engine, *, anew: bool) -> None:
        async with self._turns:
            await self._client.ask("PATCH", engine.member.lease, engine.lease(anew=anew))

    async def begin(self) -> None:
        """Take every Lease."""
        for engine in self._engines:
            body = engine.lease(anew=True)
            path, _, name = engine.member.lease.rpartition("/")
            body["metadata"]["name"] = name
            await self._client.ask("POST", path, body)

    async def hold(self) -> None:
        """Renew every Lease, evenly; a slow answer does not hold up the next one."""
        order, turns, renewals = list(self._engines), asyncio.Semaphore(32), set[asyncio.Task[None]]()
        random.shuffle(order)
        began = time.monotonic()
        for turn in range(10**9):
            due = began + turn * self._renew_seconds / len(order)
            await asyncio.sleep(max(0.0, due - time.monotonic()))
            await turns.acquire()
            renewal = asyncio.create_task(self._renew(order[turn % len(order)], turns))
            renewals.add(renewal)
            renewal.add_done_callback(renewals.discard)

    async def _renew(self, engine: Engine, turns: asyncio.Semaphore) -> None:
        try:
            await self._client.ask("PATCH", engine.member.lease, engine.lease(anew=False))
        finally:
            turns.release()


async def main() -> None:
    """Until ended."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kubeconfig", type=Path, required=True)
    parser.add_argument("--count", type=int, required=True)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--renew-seconds", type=float, default=60.0)
    options = parser.parse_args()
    crowd = Crowd(options.count, Client(options.kubeconfig), options.renew_seconds)
    await crowd.serve(options.port)
    await crowd.begin()
    print("ready", flush=True)  # whoever started it waits for this
    await asyncio.gather(crowd.obey(), crowd.hold())


if __name__ == "__main__":
    asyncio.run(main())
