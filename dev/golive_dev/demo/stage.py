"""The scenery: control plane, node, exchange, people, the two charts."""

import json
import os
import signal
import sys
import time
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from golive_dev.control_plane import ControlPlane
from golive_dev.demo.exchange import HOSTS, KEYS, VENUES, Exchange, start_exchange
from golive_dev.demo.narrator import Narrator
from golive_dev.node import start_node
from golive_dev.progress import to_stream
from golive_dev.waiting import eventually

ROOT = Path(__file__).parents[3]
"""The repository's root; commands run there, so that they can be copied."""

NAMESPACE = "trading"
ENGINE = "perps-engine"
GOLIVE = "perps"
SYSTEM = "golive-system"
GATE = f"golive-gate-{GOLIVE}"

CANDLES_PER_SECOND = 0.1
"""Market time is compressed sixfold: four losing trades in a row would be a WARNING, and shut the gate."""


def _seat(account: str, venue: str) -> dict[str, str]:
    """An account's place on a venue."""
    names = ("KEY", "SECRET", "PASSPHRASE") if venue == "okx" else ("KEY", "SECRET")
    fields = {"KEY": "api_key_env", "SECRET": "secret_env", "PASSPHRASE": "passphrase_env"}
    return {"venue": venue} | {fields[name]: f"{account}_{venue}_{name}".upper() for name in names}


ENGINE_SETTINGS: dict[str, Any] = {
    "interval_seconds": 0.05,
    "symbols": ["BTCUSDT", "ETHUSDT", "SOLUSDT", "XRPUSDT", "ADAUSDT", "DOGEUSDT"],
    "strategies": [{"quantity": {"BTCUSDT": "0.001"}, "notional": "45"}],
    "profiles": {
        "paper": {
            "maxPositionNotional": "200",
            "maxPositions": 6,
            "maxLeverage": "1",
            "maxExposurePercent": "20",
            "maxMarginPercent": "80",
            "maxDailyLossPercent": "5",
            "maxWeeklyLossPercent": "5",
            "maxDrawdownPercent": "5",
            "maxTradeRiskPercent": "1",
            "maxCorrelatedExposurePercent": "20",
            "maxPriceDeviationPercent": "2",
            "maxPriceMovePercent": "10",
            "maxDailyTrades": 10000,
            "maxOrdersPerMinute": 600,
            "maxRepeatedOrders": 100,
        }
    },
    "accounts": [
        {
            "name": "main",
            "environment": "production",
            "profile": "micro",
            "venues": [_seat("main", venue) for venue in VENUES],
        },
        *(
            {
                "name": f"paper-{venue}",
                "environment": "testnet",
                "profile": "paper",
                "venues": [_seat("paper", venue)],
            }
            for venue in VENUES
        ),
    ],
    "stress": {"on_start": True},
    "venue": {"rate_limit_ms": 0, "stream": True, "breaker": {"open_seconds": 2}},
}
"""The engine of the story: as in production, but with a cycle of 50 ms for 60 s, to suit the faster market."""


@dataclass
class Stage:
    """Everything that the story plays on."""

    plane: ControlPlane
    narrator: Narrator
    exchange: Exchange

    def run(
        self, *words: str, user: str = "admin", show: str | None = None, check: bool = False
    ) -> tuple[int, str]:
        """Run kubectl or helm as a user, print command and output; returns exit code and output."""
        done = self.plane.run(*words, user=user, check=check)
        output = (done.stdout + done.stderr).rstrip()
        who = "" if user == "admin" else f"   # as {user}"
        self.narrator.command((show or " ".join(words)) + who, output)
        return done.returncode, output

    def read(self, *words: str) -> Any:
        """One object as JSON, read quietly."""
        return json.loads(self.plane.kubectl(*words, "-o", "json").stdout)

    def golive(self) -> Any:
        """The GoLive."""
        return self.read("get", "golive", GOLIVE, "-n", NAMESPACE)

    def ready(self) -> tuple[str, str]:
        """State of the gate and reason, as status says."""
        gate = self.golive().get("status", {}).get("gate") or {}
        return gate.get("state", ""), gate.get("reason", "")

    def pods(self, namespace: str) -> list[dict[str, Any]]:
        """Pods of a namespace."""
        return list(self.read("get", "pods", "-n", namespace)["items"])

    def engine_pod(self) -> dict[str, Any]:
        """The engine's pod."""
        return self.pods(NAMESPACE)[0]

    def engine_report(self) -> dict[str, Any]:
        """What the engine says on /status; raises while it does not answer."""
        address = self.engine_pod()["status"]["podIP"]
        with urllib.request.urlopen(f"http://{address}:8000/status", timeout=2) as answer:  # loopback, ours
            return dict(json.load(answer))

    def engine_metrics(self) -> str:
        """The engine's series in Prometheus' text format."""
        address = self.engine_pod()["status"]["podIP"]
        with urllib.request.urlopen(f"http://{address}:8000/metrics", timeout=2) as answer:  # loopback, ours
            return str(answer.read().decode())

    def engine_log(self) -> list[dict[str, Any]]:
        """The engine's log lines as JSON."""
        text = self.plane.kubectl("logs", "-n", NAMESPACE, f"deploy/{ENGINE}", check=False).stdout
        return [json.loads(line) for line in text.splitlines() if line.startswith("{")]

    def leader(self) -> str:
        """Name of the operator pod that leads."""
        lease = self.read("get", "lease", "golive-operator", "-n", SYSTEM)
        return str(lease["spec"].get("holderIdentity") or "")


def process_of(pod: dict[str, Any]) -> int:
    """The process that is a pod's container on the process node."""
    return int(pod["status"]["containerStatuses"][0]["containerID"].removeprefix("process://").split("-")[0])


def send(pid: int, number: signal.Signals) -> None:
    """Signal one of the pods' processes."""
    os.kill(pid, number)


def build(plane: ControlPlane, narrator: Narrator) -> Stage:
    """Bring up node, exchange, people and both charts, each command shown."""
    start_node(plane, backoff_base_seconds=1.0, sync_seconds=0.5)
    exchange = start_exchange(plane, CANDLES_PER_SECOND)
    stage = Stage(plane, narrator, exchange)
    narrator.command(exchange.command, f"serving {exchange.address} as {', '.join(HOSTS[:3])} …")
    stage.run(
        *("helm", "install", "golive", "charts/golive", "-n", SYSTEM, "--create-namespace"),
        *("--wait", "--timeout", "60s"),
        check=True,
    )
    stage.run("kubectl", "apply", "-f", "config/profiles/", "-f", "config/policies/default.yaml", check=True)
    _people(stage)
    _engine(stage)
    return stage


def _people(stage: Stage) -> None:
    """`trader` may edit, two others may approve, one of them may release stops, in one namespace."""
    stage.run("kubectl", "create", "namespace", NAMESPACE, check=True)
    roles = (
        ("trader", "edit"),
        ("approver", "golive-approver"),
        ("second", "golive-approver"),
        ("approver", "golive-releaser"),
    )
    for user, role in roles:
        stage.run(
            *("kubectl", "create", "rolebinding", f"{user}-{role}", "-n", NAMESPACE),
            *(f"--clusterrole={role}", f"--user={user}"),
            check=True,
        )


def _engine(stage: Stage) -> None:
    """Secrets, then the engine's chart."""
    literals = [f"--from-literal={key}={value}" for key, value in KEYS.items()]
    stage.run(
        *("kubectl", "create", "secret", "generic", "exchange-keys", "-n", NAMESPACE, *literals),
        show="kubectl create secret generic exchange-keys -n trading --from-literal=MAIN_BINANCEUSDM_KEY=…",
        check=True,
    )
    stage.run(
        *("kubectl", "create", "secret", "generic", "exchange-ca", "-n", NAMESPACE),
        f"--from-file=ca.crt={stage.exchange.ca_file}",
        show="kubectl create secret generic exchange-ca -n trading --from-file=ca.crt=ca.pem",
        check=True,
    )
    resolve = dict.fromkeys(HOSTS, stage.exchange.address)
    values = {
        "golive": GOLIVE,
        "config": ENGINE_SETTINGS | {"venue": ENGINE_SETTINGS["venue"] | {"resolve": resolve}},
        "credentials": {
            "existingSecret": "exchange-keys",
            "env": [{"name": key, "key": key} for key in KEYS],
        },
        "venueCa": {"secretName": "exchange-ca", "key": "ca.crt"},
        "persistence": {"volumeSource": {"hostPath": {"path": str(stage.plane.directory / "journal")}}},
    }
    (stage.plane.directory / "journal").mkdir()
    path = stage.plane.directory / "engine-values.yaml"
    path.write_text(yaml.safe_dump(values))
    stage.run(
        *("helm", "install", ENGINE, "charts/golive-engine", "-n", NAMESPACE, "-f", str(path)),
        *("--wait", "--timeout", "60s"),
        show=f"helm install {ENGINE} charts/golive-engine -n {NAMESPACE} -f engine-values.yaml --wait",
        check=True,
    )


def open_control_plane() -> ControlPlane:
    """A control plane whose users find kubectl, helm and the plugin on PATH."""
    os.chdir(ROOT)
    plane = ControlPlane(progress=to_stream())
    plane.start()
    folders = [
        str(Path(sys.executable).parent),
        str(plane.binary("kubectl").parent),
        str(plane.binary("helm").parent),
    ]
    os.environ["PATH"] = os.pathsep.join([*folders, os.environ["PATH"]])
    return plane


def settled(stage: Stage, state: str, seconds: float) -> float:
    """Wait until status shows a state of the gate; returns how long it took."""
    began = time.monotonic()
    eventually(lambda: stage.ready()[0] == state, seconds)
    return time.monotonic() - began
