"""An engine that does not trade: it reports, holds the Lease, obeys the gate, and misbehaves on request.

Runs as a pod's command, so that the operator meets it as it meets any engine.
"""

import asyncio
import contextlib
import hashlib
import json
import os
import ssl
import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import aiohttp
from aiohttp import web

from golive_api.acknowledgement import Acknowledgement, lease_name
from golive_api.engine_report import (
    REQUIRED_SERIES,
    AccountReport,
    Breaker,
    EmergencyStopState,
    EngineReport,
    GateReport,
    VenueReport,
)
from golive_api.gate import GateRecord, GateUnreadableError, gate_name
from golive_api.golive import GateState, RiskState
from golive_api.preflight_report import (
    CACHE_FINDINGS,
    DATABASE_FINDINGS,
    EXCHANGE_FINDINGS,
    CheckResult,
    EnginePreflight,
    Finding,
)
from golive_api.values import render_time

ACCOUNT = Path("/var/run/secrets/kubernetes.io/serviceaccount")
SETTINGS = Path("/etc/stand-in/engine.yaml")
RENEW_SECONDS = 2.0
RETRY_SECONDS = 0.05
HUGE_BYTES = 5 * 1024 * 1024
REPORT_CHANGES: dict[str, dict[str, object]] = {
    "risk-warning": {"risk_state": RiskState.WARNING, "risk_reasons": ["DrawdownHigh"]},
    "risk-critical": {"risk_state": RiskState.CRITICAL, "risk_reasons": ["DrawdownHigh"]},
    "emergency-stop": {"emergency_stop": EmergencyStopState.ACTIVE},
    "too-few-trades": {"testnet_trades": 2},
    "foreign-pod": {"pod": "somebody-else"},
    "foreign-engine": {"engine": "another-engine"},
    "not-leading": {"leading": False},
    "not-armed": {"armed": False},
    "config-differs": {"config_digests": ["0" * 64]},
    "config-untold": {"config_digests": []},
    "no-account": {"accounts": []},
}
"""What a mode changes in the report."""

SCENARIOS = (
    "flash-crash",
    "volatility-spike",
    "exchange-outage",
    "liquidity-drought",
    "correlation-break",
    "stale-data",
    "rejected-stops",
)
WRONG_FINDINGS = {
    "exchange-refuses": ("exchange", "main/none/credentials", CheckResult.FAILED),
    "exchange-silent": ("exchange", "main/none/time", CheckResult.ERROR),
    "journal-forgets": ("database", "read-back", CheckResult.FAILED),
    "cache-forgets": ("cache", "read-back", CheckResult.FAILED),
    "scenario-fails": ("stress", "flash-crash", CheckResult.FAILED),
}
"""Part, finding and result that a mode changes in preflight."""


class Engine:
    """State of the one pod."""

    def __init__(self) -> None:
        self.name, self.golive = os.environ["ENGINE"], os.environ["GOLIVE"]
        self.pod, self.namespace = os.environ["POD_NAME"], os.environ["POD_NAMESPACE"]
        self.mode = ""
        self.digest = hashlib.sha256(SETTINGS.read_bytes()).hexdigest()
        self.record: GateRecord | None = None
        self.deadline = 0.0
        self.told = ("", "")
        self.changed = asyncio.Event()

    def obeyed(self) -> tuple[str, str]:
        """State and reason, by record and clock."""
        record = self.record
        if record is None:
            return GateState.CLOSED.value, "GateMissing"
        if record.state is GateState.CLOSED:
            return GateState.CLOSED.value, "GateClosed"
        if time.monotonic() >= self.deadline or datetime.now(UTC) >= record.expires:
            return GateState.CLOSED.value, "GateExpired"
        return record.state.value, "GateOpen"

    def take(self, data: dict[str, str] | None) -> None:
        """Believe a gate from now on; none, or one that can't be read, is closed."""
        try:
            self.record = GateRecord.from_data(data) if data else None
        except GateUnreadableError:
            self.record = None
        self.deadline = time.monotonic() + (self.record.ttl_seconds if self.record else 0)
        if self.obeyed() != self.told:
            self.changed.set()

    def report(self) -> EngineReport:
        """The report, changed as the mode says."""
        state, reason = self.obeyed()
        good = EngineReport(
            version="v1alpha1",
            engine=self.name,
            pod=self.pod,
            time=render_time(datetime.now(UTC)),
            leading=True,
            armed=True,
            config_digests=[self.digest],
            risk_state=RiskState.OK,
            live=True,
            ready=True,
            emergency_stop=EmergencyStopState.INACTIVE,
            testnet_trades=5,
            cycles=1,
            gate=GateReport(state=state, reason=reason),
            accounts=[
                AccountReport(
                    name="main",
                    environment="production",
                    venue="none",
                    venues=[VenueReport(venue="none", breaker=Breaker.CLOSED, reconciled=True)],
                    reconciled=True,
                )
            ],
        )
        return good.model_copy(update=REPORT_CHANGES.get(self.mode, {}))

    async def status(self, request: web.Request) -> web.StreamResponse:
        """Answer /status."""
        match self.mode:
            case "garbage":
                return web.Response(text="<html>busy</html>")
            case "other-version":
                return web.json_response({**self.report().wire(), "version": "v9"})
            case "error-500":
                return web.Response(status=500, text="broken")
            case "huge":
                return web.Response(text=json.dumps({"filler": "x" * HUGE_BYTES}))
            case "drop" if request.transport is not None:
                request.transport.abort()
        return web.json_response(self.report().wire())

    async def metrics(self, _: web.Request) -> web.Response:
        """Answer /metrics."""
        series = REQUIRED_SERIES[1:] if self.mode == "metrics-missing" else REQUIRED_SERIES
        lines = [f"{name} 1\n" for name in series]
        lines += [f'{REQUIRED_SERIES[0]}{{decision="{decision}"}} 1\n' for decision in ("allowed", "blocked")]
        return web.Response(text="".join(lines if self.mode != "metrics-missing" else lines[:-2]))

    async def live(self, _: web.Request) -> web.Response:
        """Answer /health/live."""
        if self.mode == "hang":
            await asyncio.sleep(30)
        return web.Response(status=500 if self.mode == "not-live" else 200, text="alive")

    async def ready(self, _: web.Request) -> web.Response:
        """Answer /health/ready."""
        return web.Response(status=503 if self.mode == "not-ready" else 200, text="reconciled")

    def preflight(self) -> EnginePreflight:
        """Every finding passed, but for the one that the mode changes."""
        names = {
            "exchange": [f"main/none/{finding}" for finding in EXCHANGE_FINDINGS],
            "database": DATABASE_FINDINGS,
            "cache": CACHE_FINDINGS,
            "stress": SCENARIOS,
        }
        part, wrong, result = WRONG_FINDINGS.get(self.mode, ("", "", CheckResult.PASSED))
        findings = {
            key: [
                Finding(name=name, result=result if (key, name) == (part, wrong) else CheckResult.PASSED)
                for name in named
            ]
            for key, named in names.items()
        }
        now = render_time(datetime.now(UTC))
        return EnginePreflight(version="v1alpha1", engine=self.name, pod=self.pod, time=now, **findings)

    async def run_preflight(self, request: web.Request) -> web.Response:
        """Answer POST /preflight, to whoever brings a token."""
        if not request.headers.get("Authorization", "").startswith("Bearer ey") or self.mode == "preflight-403":
            return web.Response(status=403, text="not allowed")
        if self.mode == "preflight-garbage":
            return web.Response(text="<html>busy</html>")
        return web.json_response(self.preflight().wire())

    async def set_mode(self, request: web.Request) -> web.Response:
        """Behave as the body says; empty is well."""
        self.mode = await request.text()
        self.changed.set()
        return web.Response(text=self.mode)


class Api:
    """The API server, as this pod's ServiceAccount."""

    def __init__(self, session: aiohttp.ClientSession, engine: Engine) -> None:
        self._session, self._engine = session, engine
        host, port = os.environ["KUBERNETES_SERVICE_HOST"], os.environ["KUBERNETES_SERVICE_PORT"]
        self._base = f"https://{host}:{port}"
        self._headers = {"Authorization": f"Bearer {(ACCOUNT / 'token').read_text()}"}

    async def send(self, method: str, path: str, body: Any) -> int:
        """Send a write; its HTTP status."""
        kind = "application/merge-patch+json" if method == "PATCH" else "application/json"
        headers = self._headers | {"Content-Type": kind}
        async with self._session.request(
            method, self._base + path, data=json.dumps(body), headers=headers
        ) as answer:
            return answer.status

    async def gates(self) -> AsyncIterator[dict[str, str] | None]:
        """Every state of the gate, the present one first."""
        path = f"{self._base}/api/v1/namespaces/{self._engine.namespace}/configmaps"
        only = {"fieldSelector": f"metadata.name={gate_name(self._engine.golive)}"}
        async with self._session.get(path, params=only, headers=self._headers) as answer:
            listed = await answer.json()
        yield listed["items"][0]["data"] if listed["items"] else None
        since = {"watch": "1", "resourceVersion": listed["metadata"]["resourceVersion"], **only}
        async with self._session.get(path, params=since, headers=self._headers) as answer:
            async for line in answer.content:
                event = json.loads(line)
                yield None if event["type"] == "DELETED" else event["object"].get("data")


async def follow(engine: Engine, api: Api) -> None:
    """Obey the gate for ever."""
    while True:
        with contextlib.suppress(aiohttp.ClientError, OSError, ValueError, KeyError):
            async for data in api.gates():
                engine.take(data)
        await asyncio.sleep(RETRY_SECONDS)


def lease(engine: Engine) -> dict[str, Any]:
    """The Lease as held now, saying which gate is obeyed."""
    now, record = render_time(datetime.now(UTC)), engine.record
    state, reason = engine.told
    acknowledgement = Acknowledgement(
        state=state,
        reason=reason,
        uid=record.uid if record else "",
        epoch=record.epoch if record else 0,
        serial=record.serial if record else 0,
        acknowledged_time=now,
    )
    holder = "" if engine.mode == "no-lease" else engine.pod
    metadata = {"name": lease_name(engine.name), "annotations": acknowledgement.annotations()}
    return {
        "metadata": metadata,
        "spec": {"holderIdentity": holder, "leaseDurationSeconds": 15, "renewTime": now},
    }


async def hold(engine: Engine, api: Api) -> None:
    """Keep the Lease, and acknowledge what is obeyed when that changes."""
    collection = f"/apis/coordination.k8s.io/v1/namespaces/{engine.namespace}/leases"
    while True:
        engine.changed.clear()
        said, engine.told = engine.told, engine.obeyed()
        body = lease(engine)
        if engine.told == said:
            del body["metadata"]["annotations"]
        with contextlib.suppress(aiohttp.ClientError, OSError):
            status = await api.send("PATCH", f"{collection}/{lease_name(engine.name)}", body)
            if status == web.HTTPNotFound.status_code:
                engine.told = ("", "")
                await api.send("POST", collection, body)
                continue
        with contextlib.suppress(TimeoutError):
            left = engine.deadline - time.monotonic()
            await asyncio.wait_for(engine.changed.wait(), left if 0 < left < RENEW_SECONDS else RENEW_SECONDS)


async def main() -> None:
    """Serve until ended."""
    engine = Engine()
    application = web.Application()
    routes = [
        web.get("/health/live", engine.live),
        web.get("/health/ready", engine.ready),
        web.get("/metrics", engine.metrics),
        web.get("/status", engine.status),
        web.post("/preflight", engine.run_preflight),
        web.post("/mode", engine.set_mode),
    ]
    application.add_routes(routes)
    runner = web.AppRunner(application, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, os.environ["POD_IP"], 8000).start()
    context = ssl.create_default_context(cafile=str(ACCOUNT / "ca.crt"))
    timeout = aiohttp.ClientTimeout(sock_connect=3, total=None)
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=context), timeout=timeout) as session:
        api = Api(session, engine)
        await asyncio.gather(follow(engine, api), hold(engine, api))


if __name__ == "__main__":
    asyncio.run(main())
