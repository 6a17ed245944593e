"""POST /preflight of a real engine, with the real API server's tokens: who gets an answer, and what it says."""

import asyncio
import json
import signal
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from typing import Any

import pytest

from golive_api.checklist import ITEMS, Machine
from golive_api.preflight_report import (
    AUDIENCE,
    CACHE_FINDINGS,
    DATABASE_FINDINGS,
    EXCHANGE_FINDINGS,
    PREFLIGHT,
    STRESS_SCENARIOS,
    CheckResult,
    EnginePreflight,
    Finding,
)
from golive_dev.control_plane import ControlPlane
from golive_engine.journal import Journal
from golive_simulator.client import Admin

Start = Callable[..., Any]
RULE = {"apiGroups": ["golive.dev"], "resources": ["golives"], "verbs": ["preflight"]}


@pytest.fixture
def token(control_plane: ControlPlane, namespace: str) -> str:
    """A token of who may do preflight."""
    kubectl = control_plane.kubectl
    kubectl("create", "serviceaccount", "asker", "-n", namespace)
    role = {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "Role",
        "metadata": {"name": "preflight"},
        "rules": [RULE],
    }
    kubectl("apply", "-n", namespace, "-f", "-", stdin=json.dumps(role))
    who = f"--serviceaccount={namespace}:asker"
    kubectl("create", "rolebinding", "preflight", "--role=preflight", who, "-n", namespace)
    return kubectl("create", "token", "asker", "-n", namespace, f"--audience={AUDIENCE}").stdout.strip()


def post(engine: Any, authorization: str | None) -> tuple[int, str]:
    """Status and body."""
    headers = {} if authorization is None else {"Authorization": authorization}
    request = urllib.request.Request(f"{engine.url}{PREFLIGHT}", b"", headers, method="POST")
    try:
        with urllib.request.urlopen(request, timeout=15) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def report(engine: Any, token: str) -> EnginePreflight:
    """What is found."""
    status, body = post(engine, f"Bearer {token}")
    assert status == 200, body
    return EnginePreflight.model_validate_json(body)


def everything(found: EnginePreflight) -> list[Finding]:
    """Every finding."""
    return [*found.exchange, *found.database, *found.cache, *found.stress, *found.checklist]


def bad(findings: list[Finding]) -> dict[str, str]:
    """What did not pass, and why."""
    return {
        one.name: f"{one.result}: {one.message}" for one in findings if one.result is not CheckResult.PASSED
    }


@pytest.fixture
def on_three_venues(settings: dict[str, Any]) -> dict[str, Any]:
    """Settings of an engine with two accounts on every venue, real money within micro."""
    seats = [
        {"venue": "binanceusdm", "api_key_env": "KEY", "secret_env": "KEY"},
        {"venue": "bybit", "api_key_env": "KEY", "secret_env": "KEY"},
        {"venue": "okx", "api_key_env": "KEY", "secret_env": "KEY", "passphrase_env": "PASS"},
    ]
    settings["accounts"] = [
        {"name": "paper", "environment": "testnet", "profile": "wide", "venues": seats},
        {"name": "main", "environment": "production", "profile": "micro", "venues": seats},
    ]
    # A machine that stands still for a moment must not make a request too old.
    settings["venue"] |= {"recv_window_ms": 20_000, "timeout_seconds": 20, "max_clock_skew_seconds": 20}
    return settings


async def test_an_engine_in_good_order_passes_everything(
    start_engine: Start, on_three_venues: dict[str, Any], in_cluster: dict[str, str], until: Any, token: str
) -> None:
    """Every finding of the contract, with who answers and when."""
    journal = Journal(on_three_venues["journal"]["url"], "perps-engine")
    for scenario in STRESS_SCENARIOS:
        journal.add_stress_run(scenario, "passed", {}, 1.0, time.time())
    journal.close()
    engine = start_engine(on_three_venues, **in_cluster)
    await until(lambda: engine.report().armed and engine.filled("paper") == 1)

    def good() -> EnginePreflight | None:
        """A report in which everything passed; on a busy machine a question may take longer than it has."""
        found = report(engine, token)
        return None if bad(everything(found)) else found

    found = await until(good, 90)
    seats = [f"{name}/{venue}" for name in ("paper", "main") for venue in ("binanceusdm", "bybit", "okx")]
    assert {one.name for one in found.exchange} == {
        f"{seat}/{name}" for seat in seats for name in EXCHANGE_FINDINGS
    }
    assert {one.name for one in found.database} == set(DATABASE_FINDINGS)
    assert {one.name for one in found.cache} == set(CACHE_FINDINGS)
    assert {one.name for one in found.stress} == set(STRESS_SCENARIOS)
    assert {one.name for one in found.checklist} >= {i.finding for i in ITEMS if i.machine is Machine.ENGINE}
    assert (found.engine, found.pod) == ("perps-engine", "engine-0")
    assert (engine.report().live, engine.report().ready) == (True, True)


async def test_what_is_wrong_is_found(
    start_engine: Start,
    settings: dict[str, Any],
    in_cluster: dict[str, str],
    until: Any,
    token: str,
    admin: Admin,
    api_key: str,
) -> None:
    """One venue, no stress run, a key that may withdraw, an emergency stop in the log: each by its name."""
    rich = f"{api_key}-rich"
    await admin.add_account("production", rich, rich, may_withdraw=True)
    settings["accounts"][1]["venues"] = [{"venue": "binanceusdm", "api_key_env": "RICH", "secret_env": "RICH"}]
    engine = start_engine(settings, RICH=rich, **in_cluster)
    await until(lambda: engine.report().armed)
    engine.process.send_signal(signal.SIGUSR1)
    await until(lambda: engine.report().emergency_stop == "Active")
    found = await asyncio.to_thread(report, engine, token)
    assert set(bad(found.exchange)) == {"main/binanceusdm/permissions"}
    assert bad(found.database) == bad(found.cache) == {}
    assert set(bad(found.stress)) == set(STRESS_SCENARIOS)
    assert set(bad(found.checklist)) == {"failover-chain", "micro-enforced", "no-error-logs"}
    assert "withdraw" in bad(found.exchange)["main/binanceusdm/permissions"]


async def test_nobody_else_gets_an_answer(
    start_engine: Start,
    settings: dict[str, Any],
    in_cluster: dict[str, str],
    until: Any,
    token: str,
    control_plane: ControlPlane,
    namespace: str,
) -> None:
    """One line of text each, and no token in the log."""
    engine = start_engine(settings, **in_cluster)
    await until(lambda: engine.report().leading)
    control_plane.kubectl("create", "serviceaccount", "other", "-n", namespace)
    words = ["create", "token", "other", "-n", namespace, f"--audience={AUDIENCE}"]
    other = control_plane.kubectl(*words).stdout.strip()
    answers = {
        name: await asyncio.to_thread(post, engine, header)
        for name, header in (
            ("none", None),
            ("garbage", "Bearer garbage"),
            ("other", f"Bearer {other}"),
            ("right", f"Bearer {token}"),
        )
    }
    assert {name: status for name, (status, _) in answers.items()} == {
        "none": 401,
        "garbage": 401,
        "other": 403,
        "right": 200,
    }
    assert all(body.count("\n") == 1 for name, (_, body) in answers.items() if name != "right")
    assert engine.get(PREFLIGHT)[0] == 405
    log = engine.log.read_text()
    assert token not in log
    assert other not in log
    assert any(message == "preflight" for message in engine.messages())


async def test_outside_of_a_cluster_nobody_gets_an_answer(
    start_engine: Start, settings: dict[str, Any], until: Any, token: str
) -> None:
    """There is nobody to ask who it is."""
    engine = start_engine(settings)
    await until(lambda: engine.report().armed)
    status, body = await asyncio.to_thread(post, engine, f"Bearer {token}")
    assert (status, body) == (503, "there is no API server to ask who calls\n")


async def test_callers_at_the_same_time_share_one_run(
    start_engine: Start,
    settings: dict[str, Any],
    in_cluster: dict[str, str],
    until: Any,
    token: str,
    admin: Admin,
) -> None:
    """The venues are asked once; afterwards they are asked anew."""
    engine = start_engine(settings, **in_cluster)
    await until(lambda: engine.report().armed)
    await asyncio.to_thread(report, engine, token)  # now the token is known
    path = "/sapi/v1/account/apiRestrictions"

    async def runs() -> int:
        return sum(row["path"] == path for row in await admin.requests())

    before = await runs()
    await admin.add_fault("delay", path=path, delay_ms=4000)
    found = await asyncio.gather(*(asyncio.to_thread(report, engine, token) for _ in range(5)))
    assert len({one.time for one in found}) == 1
    assert await runs() == before + 1
    await admin.clear_faults()
    assert (await asyncio.to_thread(report, engine, token)).time != found[0].time
    assert await runs() == before + 2


async def test_a_venue_that_hangs_keeps_nobody_waiting(
    start_engine: Start,
    settings: dict[str, Any],
    in_cluster: dict[str, str],
    until: Any,
    token: str,
    admin: Admin,
) -> None:
    """Within the bound there is an answer, in which what is not known is an Error."""
    settings["venue"]["timeout_seconds"] = 30
    engine = start_engine(settings, **in_cluster)
    await until(lambda: engine.report().armed)
    await admin.add_fault("delay", path="/sapi/v1/account/apiRestrictions", delay_ms=20_000)
    began = time.monotonic()
    found = await asyncio.to_thread(report, engine, token)
    assert time.monotonic() - began < 15
    assert set(bad(found.exchange)) == {"main/binanceusdm/permissions"}
    assert bad(found.exchange)["main/binanceusdm/permissions"] == "Error: not done within 6 s"
