"""The chapters about the gate: each runs real commands and notes what was expected and what was seen."""

import json
import re
import signal
import time
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

from golive_api.values import parse_time
from golive_dev.demo.exchange import VENUES
from golive_dev.demo.oracle import Oracle
from golive_dev.demo.stage import ENGINE, GATE, GOLIVE, NAMESPACE, SYSTEM, Stage, process_of, send, settled
from golive_dev.waiting import eventually

SKIPPED = "[ORDER_SKIPPED]"
NOT_ACTIVATED = "GO-LIVE not activated"

TOLERANCE_SECONDS = 0.25
"""An order that left while the gate was open may arrive this much later."""

TTL_SECONDS = 15.0
"""Of the sample's gate."""

TESTNET_TRADES = 3
"""What the sample asks for."""


def engine_skips(stage: Stage) -> None:
    """Testnet trades, production is skipped."""
    with stage.narrator.waiting("testnet fills"):
        began = time.monotonic()
        eventually(lambda: stage.engine_report()["testnetTrades"] >= TESTNET_TRADES, 30)
    took = time.monotonic() - began
    lines = [line["message"] for line in stage.engine_log() if SKIPPED in line.get("message", "")]
    skipped = [line for line in lines if NOT_ACTIVATED in line]
    shown = [line for line in skipped if "BTCUSDT" in line][:1] + skipped[:2]
    stage.narrator.command(
        f"kubectl logs -n {NAMESPACE} deploy/{ENGINE} | grep ORDER_SKIPPED", "\n".join(shown)
    )
    trades, production = stage.engine_report()["testnetTrades"], stage.exchange.all_orders("production")
    stage.narrator.saw(
        "testnet trades without a gate",
        "3 fills or more",
        f"{trades} filled testnet orders",
        holds=trades >= TESTNET_TRADES,
        seconds=took,
    )
    stage.narrator.saw(
        "production orders are skipped",
        "some skipped, none sent",
        f"{len(skipped)} kinds skipped, {len(production)} sent",
        holds=bool(skipped) and not production,
    )


def trader_applies(stage: Stage) -> None:
    """The request, and why the gate is closed."""
    eventually(lambda: _applied(stage), 20)
    stage.narrator.command(
        "kubectl apply -f config/samples/golive.yaml   # as trader", "golive.golive.dev/perps created"
    )
    took = settled(stage, "Closed", 20)
    eventually(lambda: stage.ready()[1] == "ApprovalsMissing", 20)
    _, table = stage.run("kubectl", "get", "golive", "-n", NAMESPACE)
    holds = "Closed" in table and "ApprovalsMissing" in table
    stage.narrator.saw(
        "a request alone opens nothing",
        "Closed, ApprovalsMissing",
        "/".join(stage.ready()),
        holds=holds,
        seconds=took,
    )


def _applied(stage: Stage) -> bool:
    """Stamping policies answer 503 for some seconds after the CRD was made."""
    done = stage.plane.kubectl("apply", "-f", "config/samples/golive.yaml", user="trader", check=False)
    return done.returncode == 0


def trader_cheats(stage: Stage) -> None:
    """Neither own approval nor a gate by hand."""
    eventually(lambda: stage.golive()["status"].get("digest"), 20)
    code, output = stage.run("kubectl", "golive", "approve", GOLIVE, "-n", NAMESPACE, "--yes", user="trader")
    _, forged = stage.run(
        *("kubectl", "patch", "golive", GOLIVE, "-n", NAMESPACE, "--type=merge", "-p", _forged_approval(stage)),
        user="trader",
        show=f"kubectl patch golive {GOLIVE} -n {NAMESPACE} --type=merge -p '…user: approver…'",
    )
    holds = code != 0 and "denied" in forged
    stage.narrator.saw("own or forged approval", "refused", _short(output), holds=holds)
    patch = '{"data":{"state":"Open"}}'
    code, output = stage.run(
        *("kubectl", "patch", "configmap", GATE, "-n", NAMESPACE, "--type=merge", "-p", patch),
        user="trader",
        show=f"kubectl patch configmap {GATE} -n {NAMESPACE} --type=merge -p '{patch}'",
    )
    stage.narrator.saw(
        "gate opened by hand",
        "refused by the API server",
        _short(output),
        holds=code != 0 and "denied" in output,
    )


def _short(output: str) -> str:
    """The end of a refusal, where its reason is."""
    last = output.splitlines()[-1] if output else ""
    return last.rsplit("denied request: ", 1)[-1][:120]


def _forged_approval(stage: Stage) -> str:
    golive = stage.golive()
    approval = {
        "user": "approver",
        "revision": golive["spec"]["revision"],
        "uid": golive["metadata"]["uid"],
        "digest": golive["status"]["digest"],
    }
    return json.dumps({"spec": {"approvals": [approval]}})


def real_orders_flow(stage: Stage) -> None:
    """Fills and agreement behind the open gate."""
    began = time.monotonic()
    with stage.narrator.waiting("production fills"):
        eventually(lambda: _filled(stage), 30)
    filled = _filled(stage)
    stage.narrator.saw(
        "production orders fill",
        "at least one",
        f"{len(filled)} filled",
        holds=bool(filled),
        seconds=time.monotonic() - began,
    )
    _agreement(stage, "engine and exchange agree")


def _filled(stage: Stage) -> list[dict[str, Any]]:
    return [order for order in stage.exchange.all_orders("production") if order["status"] == "FILLED"]


def _positions(stage: Stage) -> tuple[dict[str, float], dict[str, float]]:
    report = next(a for a in stage.engine_report()["accounts"] if a["name"] == "main")
    return (
        {symbol: float(size) for symbol, size in report["positions"].items()},
        stage.exchange.all_positions("production"),
    )


def _agreement(stage: Stage, step: str) -> None:
    """Positions of engine and exchange, read again until neither moved between the two looks."""

    def agree() -> bool:
        ours, theirs = _positions(stage)
        return bool(theirs) and ours == theirs

    began = time.monotonic()
    try:
        eventually(agree, 20)
        holds = True
    except TimeoutError:
        holds = False
    ours, _ = _positions(stage)
    equity = next(a for a in stage.engine_report()["accounts"] if a["name"] == "main").get("equity")
    wallet = sum(stage.exchange.equity(f"{prefix}production") for prefix in VENUES.values())
    seen = f"{_sizes(ours)} here and there; equity {float(equity or 0):.2f} / {wallet:.2f}"
    holds = holds and abs(float(equity or 0) - wallet) < 0.01 * wallet  # prices move between the two looks
    stage.narrator.saw(
        step, "same positions, same equity within 1 %", seen, holds=holds, seconds=time.monotonic() - began
    )


def _sizes(positions: dict[str, float]) -> str:
    return ", ".join(f"{symbol} {size:+g}" for symbol, size in sorted(positions.items())) or "flat"


def engine_is_killed(stage: Stage) -> None:
    """The engine dies in the middle of work."""
    before = stage.engine_pod()["status"]["containerStatuses"][0]["restartCount"]
    pid = process_of(stage.engine_pod())
    sent_before = len(stage.exchange.all_orders("production"))
    send(pid, signal.SIGKILL)
    stage.narrator.command(f"kill -KILL {pid}   # the engine's process", "")
    began = time.monotonic()
    with stage.narrator.waiting("the engine"):
        eventually(lambda: _armed_again(stage, before), 60)
    took = time.monotonic() - began
    identities = Counter(
        order["request"]["client_order_id"] for order in stage.exchange.all_orders("production")
    )
    double = [identity for identity, count in identities.items() if count > 1]
    seen = (
        f"back and armed, {len(identities)} orders ({len(identities) - sent_before} since), {len(double)} twice"
    )
    stage.narrator.saw("engine killed", "back, no order twice", seen, holds=not double, seconds=took)
    settled(stage, "Open", 40)
    _agreement(stage, "agreement after the kill")


def _armed_again(stage: Stage, restarts: int) -> bool:
    status = stage.engine_pod()["status"]["containerStatuses"][0]
    report = stage.engine_report()
    return bool(status["restartCount"] > restarts and report["armed"] and report["leading"])


def leader_is_killed(stage: Stage, oracle: Oracle) -> None:
    """The operator's leader dies; the standby takes over."""
    first = stage.leader()
    epoch = stage.golive()["status"]["gate"]["epoch"]
    pod = next(pod for pod in stage.pods(SYSTEM) if pod["metadata"]["name"] == first)
    pid = process_of(pod)
    send(pid, signal.SIGKILL)
    stage.narrator.command(f"kill -KILL {pid}   # the leading operator, {first}", "")
    began = time.monotonic()
    with stage.narrator.waiting("a new leader"):
        eventually(lambda: _led_on(stage, epoch), 60)
    took = time.monotonic() - began
    seen = f"epoch {epoch} → {stage.golive()['status']['gate']['epoch']}, led by {stage.leader()}"
    stage.narrator.saw(
        "leader killed", "standby leads, gate open in a new epoch", seen, holds=True, seconds=took
    )
    wrong = _unlawful(stage, oracle)
    claim = oracle.longest_claim_seconds()
    stage.narrator.saw(
        "orders passing a shut gate",
        "none",
        f"{len(wrong)} of {len(stage.exchange.orders('production'))}",
        holds=not wrong,
    )
    stage.narrator.saw(
        "longest promise of any gate",
        f"at most {TTL_SECONDS:.0f} s",
        f"{claim:.1f} s",
        holds=claim <= TTL_SECONDS,
    )


def _led_on(stage: Stage, epoch: int) -> bool:
    gate = stage.golive()["status"]["gate"]
    return bool(gate["epoch"] > epoch and gate["state"] == "Open")


def _unlawful(stage: Stage, oracle: Oracle) -> list[dict[str, Any]]:
    orders = stage.exchange.all_orders("production")
    return [
        order
        for order in orders
        if not oracle.allows(datetime.fromtimestamp(order["created_ms"] / 1000, UTC), TOLERANCE_SECONDS)
    ]


def trader_closes(stage: Stage) -> None:
    """The brake, timed."""
    code, output = stage.run("kubectl", "golive", "close", GOLIVE, "-n", NAMESPACE, user="trader")
    took = re.search(r"([0-9.]+) ms after the request was sent; ([0-9.]+) ms by the engine's clock", output)
    seen, own = (float(took[1]) / 1000, float(took[2]) / 1000) if took else (0.0, 0.0)
    stage.narrator.saw(
        "close → engine says stopped",
        "acknowledged, tens of ms",
        f"acknowledged, {own * 1000:.1f} ms by the engine's own clock",
        holds=code == 0 and took is not None,
        seconds=seen,
    )
    lease = stage.read("get", "lease", f"golive-engine-{ENGINE}", "-n", NAMESPACE)
    sent = parse_time(lease["metadata"]["annotations"]["golive.dev/acknowledgedTime"]) - timedelta(seconds=own)
    message, moment = eventually(lambda: _first_refusal(stage, sent), 10)
    refused = (moment - sent).total_seconds()
    stage.narrator.saw("close → first refused order", "tens of ms", message, holds=refused < 1, seconds=refused)
    later = [
        order
        for order in stage.exchange.all_orders("production")
        if order["created_ms"] / 1000 > sent.timestamp() + TOLERANCE_SECONDS
    ]
    stage.narrator.saw("orders after the close", "none", str(len(later)), holds=not later)


def _first_refusal(stage: Stage, sent: datetime) -> tuple[str, datetime] | None:
    for line in stage.engine_log():
        message = line.get("message", "")
        if SKIPPED in message and NOT_ACTIVATED in message and line.get("account") == "main":
            moment = parse_time(line["time"])
            if moment > sent:
                return message, moment
    return None


def operators_freeze(stage: Stage) -> None:
    """With nobody to renew it, the gate shuts by itself."""
    pids = [process_of(pod) for pod in stage.pods(SYSTEM)]
    for pid in pids:
        send(pid, signal.SIGSTOP)
    began = time.monotonic()
    stage.narrator.command(f"kill -STOP {' '.join(map(str, pids))}   # both operators", "")
    with stage.narrator.waiting("the gate to shut by itself"):
        eventually(lambda: stage.engine_report()["gate"]["state"] == "Closed", 2 * TTL_SECONDS)
    took = time.monotonic() - began
    reason = stage.engine_report()["gate"]["reason"]
    for pid in pids:
        send(pid, signal.SIGCONT)
    stage.narrator.command(f"kill -CONT {' '.join(map(str, pids))}", "")
    stage.narrator.saw(
        "operators frozen → gate shut",
        f"within {TTL_SECONDS:.0f} s",
        reason,
        holds=took <= TTL_SECONDS + 0.5,
        seconds=took,
    )
