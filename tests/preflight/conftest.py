"""Real servers to ask: an engine's endpoints, HTTPS addresses of every kind, a Prometheus that scrapes."""

import asyncio
import ssl
import threading
from collections.abc import Awaitable, Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from golive_api.golive import GoLiveSpec
from golive_api.policy import ActivationPolicySpec
from golive_decisions.preflight_run import PreflightRun
from golive_decisions.terms import Policy, Terms, in_force
from golive_dev.pki import Authority
from golive_dev.prometheus import PrometheusServer
from golive_dev.prometheus import Target as Scraped
from golive_engine.metrics import Metrics
from golive_engine.stress.names import SCENARIOS
from golive_operator.outside import Outside
from golive_operator.preflight_runs import TOKEN_FILE_VARIABLE, PreflightRunner, Target
from golive_operator.probing import Prober

NAMESPACE, ENGINE, POD = "trading", "perps-engine", "perps-engine-7d4b9-x2x1p"
TOKEN = "token-of-the-operator"
SPEC = GoLiveSpec.model_validate(
    {
        "activation": "Enabled",
        "request": {"engineRef": {"name": ENGINE}, "accounts": ["main"], "profile": "micro"},
        "requestedBy": "trader",
    }
)
Reply = tuple[int, bytes] | Callable[[BaseHTTPRequestHandler], None]
"""Status and body, or a function that misbehaves."""


@dataclass
class Site:
    """A server on loopback, with or without TLS; what was asked is kept."""

    replies: dict[str, Reply] = field(default_factory=dict)
    """By method and path, as `GET /ok`."""
    asked: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    """Method and path, and the headers in small letters."""
    stopping: threading.Event = field(default_factory=threading.Event)
    """Set at the end, so that a handler that hangs lets go."""
    server: ThreadingHTTPServer = field(init=False)

    def start(self, context: ssl.SSLContext | None = None) -> "Site":
        """Serve from now on."""
        site = self

        class Handler(BaseHTTPRequestHandler):
            """Answers as the site says."""

            def handle_any(self) -> None:
                """One request."""
                asked = f"{self.command} {self.path}"
                site.asked.append((asked, {name.lower(): value for name, value in self.headers.items()}))
                reply = site.replies.get(asked.partition("?")[0], (404, b"lost"))
                if callable(reply):
                    with suppress(OSError):  # whoever asked has gone
                        reply(self)
                    return
                self.send_response(reply[0])
                self.send_header("Content-Length", str(len(reply[1])))
                self.end_headers()
                self.wfile.write(reply[1])

            do_GET = do_POST = handle_any  # noqa: N815  # names of the standard library

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        class Server(ThreadingHTTPServer):
            """Says nothing of handshakes that fail, which is what some tests are about."""

            daemon_threads = True

            def handle_error(self, *_: object) -> None:
                """Say nothing."""

            def get_request(self) -> Any:
                """A connection whose handshake takes place in the thread that serves it."""
                connection, address = super().get_request()
                if context is not None:
                    connection = context.wrap_socket(
                        connection, server_side=True, do_handshake_on_connect=False
                    )
                return connection, address

        self.server = Server(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    @property
    def port(self) -> int:
        """Where it is."""
        return int(self.server.server_address[1])

    def stop(self) -> None:
        """Serve no more; nobody can connect."""
        self.stopping.set()
        self.server.shutdown()
        self.server.server_close()

    def hang(self, _: BaseHTTPRequestHandler) -> None:
        """Say nothing until the end."""
        self.stopping.wait(60)


@dataclass
class Desk:
    """Whom a run asks, and the means to have one."""

    engine: Site
    metrics: Metrics
    secrets: dict[str, str] = field(default_factory=dict)
    """Tokens in the operator's namespace."""
    hanging: list[Site] = field(default_factory=list)
    """Servers that let go once a run is over."""
    pod: str = POD
    spec: GoLiveSpec = SPEC

    def terms(self, *policies: dict[str, Any]) -> Terms:
        """What is in force with these policies."""
        named = tuple(
            Policy(f"policy-{place}", ActivationPolicySpec.model_validate(policy))
            for place, policy in enumerate(policies or ({},))
        )
        terms = in_force(named, SPEC)
        assert terms is not None
        return terms

    def target(self) -> Target:
        """The engine's pod."""
        return Target(NAMESPACE, ENGINE, "perps", self.pod, "127.0.0.1", self.engine.port, "digest", "asked-1")

    def run(self, *policies: dict[str, Any]) -> PreflightRun:
        """One run with these policies."""

        async def once(runner: PreflightRunner) -> PreflightRun:
            return await runner.run(self.target(), self.terms(*policies), datetime.now(UTC))

        run: PreflightRun = self.with_runner(once)
        return run

    def with_runner(self, act: Callable[[PreflightRunner], Awaitable[Any]]) -> Any:
        """Do something with a runner."""

        async def secret(name: str) -> str | None:
            return self.secrets.get(name)

        async def inside() -> Any:
            prober, outside = Prober(), Outside()
            try:
                return await act(PreflightRunner(prober, outside, secret))
            finally:
                await prober.close()
                await outside.close()
                await self._let_go()

        return asyncio.run(inside())

    async def _let_go(self) -> None:
        """Wait until connections that were given up have ended: TLS waits for the other side's farewell."""
        for site in self.hanging:
            site.stopping.set()
        sockets: Any = asyncio.get_running_loop()._selector  # type: ignore[attr-defined]  # noqa: SLF001
        async with asyncio.timeout(30):
            while len(sockets.get_map()) > 1:  # noqa: ASYNC110  # one is the loop's own; none tells when it ends
                await asyncio.sleep(0.01)


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    """An engine's endpoints with the engine's own metrics, and the operator's token for it."""
    metrics = Metrics({"main": "production"}, {"main": ["binance"]}, ["BTC/USDT"], SCENARIOS)
    token = tmp_path / "token"
    token.write_text(TOKEN + "\n")
    monkeypatch.setenv(TOKEN_FILE_VARIABLE, str(token))
    engine = Site({"GET /health/live": (200, b"ok"), "GET /health/ready": (200, b"ok")})

    def serve_metrics(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.send_header("Content-Type", "text/plain; version=0.0.4")
        handler.end_headers()
        handler.wfile.write(metrics.text())

    def find(handler: BaseHTTPRequestHandler) -> None:
        known = handler.headers.get("Authorization") == f"Bearer {TOKEN}"
        handler.send_response(200 if known else 401)
        handler.end_headers()
        handler.wfile.write(b'{"found": "all well"}' if known else b"who are you?")

    engine.replies |= {"GET /metrics": serve_metrics, "POST /preflight": find}
    engine.start()
    yield Desk(engine, metrics)
    engine.stop()


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """A company's own certificate authority."""
    return Authority(tmp_path_factory.mktemp("authority"), now=datetime.now(UTC))


@pytest.fixture
def serve(authority: Authority) -> Iterator[Callable[..., Site]]:
    """Give a function that serves HTTPS for a host, under a certificate of an authority."""
    sites: list[Site] = []

    def start(
        replies: dict[str, Reply] | None = None, host: str = "127.0.0.1", by: Authority = authority
    ) -> Site:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*by.issue(f"site-{len(sites)}", host, hosts=[host]))
        sites.append(Site(dict(replies or {})).start(context))
        return sites[-1]

    yield start
    for site in sites:
        site.stop()


RULES = {"EngineDown": "up == 0", "EngineGone": "absent(up)"}


@pytest.fixture
def watched(desk: Desk) -> Iterator[PrometheusServer]:
    """A Prometheus that scrapes the engine each second, and has alert rules."""
    labels = {"namespace": NAMESPACE, "pod": POD}
    with PrometheusServer([Scraped(f"127.0.0.1:{desk.engine.port}", labels)], RULES) as server:
        yield server
