"""A proxy before the API server that loses, delays and breaks what pods say and hear.

Pods that are told its address speak to it in good faith: it has a certificate of the cluster's authority. It
passes on every call as it is, and knows whose it is by the pod that its token is bound to.
"""

import asyncio
import base64
import json
import ssl
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import aiohttp
from aiohttp import web
from yarl import URL

from golive_dev.control_plane import ControlPlane
from golive_dev.faults.background import Background
from golive_dev.faults.rules import Call, Fate, Moment, Rule
from golive_dev.ports import free_ports

MOST_BYTES = 16 * 1024 * 1024
"""Longest request."""

_OWN_BUSINESS = {
    "connection",
    "keep-alive",
    "transfer-encoding",
    "content-length",
    "te",
    "trailer",
    "upgrade",
    "host",
}
"""Headers that are between two neighbours."""


class BrokenError(Exception):
    """This connection has been broken on purpose."""


class FaultProxy(Background):
    """Passes calls on to the API server, as the rules let it."""

    def __init__(self, plane: ControlPlane) -> None:
        super().__init__("fault proxy")
        self._plane = plane
        (self.port,) = free_ports(1)
        self.calls: list[Call] = []
        """Every call, in order of arrival."""
        self.gone = 0
        """How often a watch was told that its resourceVersion is too old."""
        self._rules: list[Rule] = []
        self._streams: dict[asyncio.Transport, str] = {}

    @contextmanager
    def rule(self, rule: Rule) -> Iterator[Rule]:
        """Let a rule bite meanwhile."""
        self._rules.append(rule)
        try:
            yield rule
        finally:
            self._rules.remove(rule)
            self.soon(rule.lifted.set)

    @contextmanager
    def partition(self, pod: str, moment: Moment = Moment.BEFORE) -> Iterator[None]:
        """Meanwhile nothing gets through from a pod (BEFORE), or to it (AFTER); watches hang in both cases."""
        with self.rule(Rule(moment, Fate.HANG, pod=pod)), self.rule(Rule(Moment.FLOWING, Fate.HANG, pod=pod)):
            yield

    def cut_watches(self, pod: str = "") -> None:
        """Reset every watch that runs, of one pod or of all."""
        for transport, whose in list(self._streams.items()):
            if pod in ("", whose):
                self.soon(transport.abort)

    async def main(self) -> None:
        """Serve until cancelled."""
        trusting = ssl.create_default_context(cafile=str(self._plane.ca_file))
        connector = aiohttp.TCPConnector(ssl=trusting, limit=0)
        patient = aiohttp.ClientTimeout(total=None, sock_connect=5)
        application = web.Application(client_max_size=MOST_BYTES)
        application.router.add_route("*", "/{anything:.*}", self._handle)
        runner = web.AppRunner(application, access_log=None, shutdown_timeout=0.1)
        serving = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        serving.load_cert_chain(
            *self._plane.authority.issue("fault-proxy", "fault-proxy", hosts=["127.0.0.1", "localhost"])
        )
        async with aiohttp.ClientSession(
            connector=connector, timeout=patient, auto_decompress=False
        ) as self._session:
            await runner.setup()
            await web.TCPSite(runner, "127.0.0.1", self.port, ssl_context=serving).start()
            self.ready()
            try:
                await asyncio.Event().wait()
            finally:
                await runner.cleanup()

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        call = Call(
            pod=pod_of(request.headers.get("Authorization", "")),
            method=request.method,
            path=request.path,
            query=dict(request.query),
            body=(await request.read()).decode(errors="replace"),
            moment=time.time(),
        )
        self.calls.append(call)
        try:
            return await self._suffer(call, Moment.BEFORE) or await self._pass_on(request, call)
        except (BrokenError, aiohttp.ClientError, OSError):
            if request.transport is not None:
                request.transport.abort()
            return web.Response()  # nobody gets it

    async def _pass_on(self, request: web.Request, call: Call) -> web.StreamResponse:
        """Have the server do it, and tell the client if no rule is against it."""
        url = URL(self._plane.url + request.raw_path, encoded=True)
        headers = _headers(request.headers)
        async with self._session.request(
            call.method, url, headers=headers, data=await request.read() or None
        ) as answer:
            if call.watches and answer.status == web.HTTPOk.status_code:
                return await self._stream(request, call, answer)
            content = await answer.read()
        if refused := await self._suffer(call, Moment.AFTER):
            return refused
        return web.Response(status=answer.status, headers=_headers(answer.headers), body=content)

    async def _stream(
        self, request: web.Request, call: Call, answer: aiohttp.ClientResponse
    ) -> web.StreamResponse:
        """Hand on a watch's news as it comes."""
        response = web.StreamResponse(status=answer.status, headers=_headers(answer.headers))
        await response.prepare(request)
        if request.transport is not None:
            self._streams[request.transport] = call.pod
        try:
            async for piece in answer.content.iter_any():
                self.gone += b'"code":410' in piece
                await self._suffer(call, Moment.FLOWING)
                await response.write(piece)
            await response.write_eof()
        finally:
            self._streams.pop(request.transport, None)  # type: ignore[arg-type]  # None is in no dictionary
        return response

    async def _suffer(self, call: Call, moment: Moment) -> web.Response | None:
        """Let every rule that bites have its way; an answer ends the call here."""
        for rule in [rule for rule in self._rules if rule.bites(call, moment)]:
            rule.hits.append(call)
            if rule.then is not None:
                rule.then(call)
            match rule.fate:
                case Fate.HANG:
                    await rule.lifted.wait()
                    raise BrokenError
                case Fate.BREAK:
                    raise BrokenError
                case Fate.WAIT:
                    with suppress(TimeoutError):
                        await asyncio.wait_for(rule.lifted.wait(), rule.seconds)
                case Fate.REFUSE:
                    text = '{"kind":"Status","code":429,"message":"too many requests"}'
                    return web.Response(status=429, text=text, headers={"Retry-After": f"{rule.seconds:.0f}"})
                case Fate.PASS:
                    pass
        return None


def pod_of(authorization: str) -> str:
    """The pod that a bearer token is bound to; not verified, as the API server does that."""
    with suppress(ValueError, KeyError, IndexError):
        payload = authorization.removeprefix("Bearer ").split(".")[1]
        claims: dict[str, Any] = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
        return str(claims["kubernetes.io"]["pod"]["name"])
    return ""


def _headers(headers: Any) -> dict[str, str]:
    return {name: value for name, value in headers.items() if name.lower() not in _OWN_BUSINESS}
