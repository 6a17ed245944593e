import json
import time
from collections.abc import Callable
from typing import Any

import pytest

from golive_dev.waiting import eventually

WATCHED_SECONDS = 6.0
OPERATOR = "system:serviceaccount:golive-system:golive-operator"


def writes_while_watched(desk: Any, seconds: float) -> list[str]:
    """What the operators wrote to this namespace meanwhile, by the API server's audit log; trials left out."""
    log = desk.operated.plane.directory / "audit.log"
    start, ends = log.stat().st_size, time.monotonic() + seconds
    eventually(lambda: time.monotonic() > ends, seconds + 1)
    with log.open() as lines:
        lines.seek(start)
        entries = [json.loads(line) for line in lines]
    return [
        entry["requestURI"]
        for entry in entries
        if entry["user"]["username"] == OPERATOR
        and (entry.get("objectRef") or {}).get("namespace") == desk.namespace
        and "dryRun" not in entry["requestURI"]
    ]


PREFLIGHT_SECONDS = 10 / 3
"""How often preflight runs for a desk's GoLive; what it finds, with its time, is written into status."""


def split(writes: list[str]) -> tuple[int, int]:
    """How many were writes of the gate, and of status."""
    return sum("/configmaps/" in uri for uri in writes), sum(uri.endswith("/status") for uri in writes)


def test_an_open_gate_costs_one_write_per_renewal(shared_desk: Any) -> None:
    """The gate, three times within the time to live and not oftener than half as much again."""
    ttl_seconds = shared_desk.await_open().ttl_seconds
    eventually(lambda: shared_desk.conditions()["EngineObeying"][0] == "True")
    eventually(lambda: shared_desk.records("Opened"), 15)
    gates, statuses = split(writes_while_watched(shared_desk, WATCHED_SECONDS))
    renewals = WATCHED_SECONDS * 3 / ttl_seconds
    assert renewals - 1 <= gates <= renewals * 1.5
    assert (
        statuses <= WATCHED_SECONDS / PREFLIGHT_SECONDS + 2
    )  # one for the run's edges, one for the opening's record


@pytest.mark.parametrize("engine", [True, False], ids=["waiting for approval", "engine missing"])
def test_a_closed_gate_costs_no_write(new_desk: Callable[..., Any], engine: bool) -> None:  # noqa: FBT001  # a row
    """Looking again at what has not changed writes nothing but what a new run of preflight has found."""
    desk = new_desk(engine=engine)
    desk.apply()
    desk.await_gate("Closed", "ApprovalsMissing" if engine else "EngineMissing")
    if engine:
        eventually(lambda: desk.conditions()["EngineObeying"][0] == "True")
        eventually(lambda: desk.conditions()["PreflightPassed"][0] == "True", 30)
    eventually(lambda: writes_while_watched(desk, 1.0) == [], 30)
    gates, statuses = split(writes_while_watched(desk, WATCHED_SECONDS))
    runs = WATCHED_SECONDS / PREFLIGHT_SECONDS + 1 if engine else 0
    assert gates == 0
    assert statuses <= runs
