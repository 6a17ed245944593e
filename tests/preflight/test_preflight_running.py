"""A run asks everybody at once, within a bound, and the last one is kept."""

import asyncio
import os
import time
from collections.abc import Callable
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import pytest

from golive_decisions.preflight_run import Answer, PreflightRun
from golive_operator import preflight_runs
from golive_operator.preflight_runs import TOKEN_FILE_VARIABLE, PreflightRunner, Runs

Serve = Callable[..., Any]
"""Starts a server."""


def test_a_run_holds_what_the_pod_answered(desk: Any) -> None:
    """Whom it is about, when, and each answer."""
    before = datetime.now(UTC)
    run = desk.run()
    assert before <= run.began <= run.ended <= datetime.now(UTC)
    assert (run.pod, run.digest, run.request) == (desk.pod, "digest", "asked-1")
    assert (run.live, run.ready) == (Answer(200, "ok"), Answer(200, "ok"))
    assert run.engine == Answer(200, '{"found": "all well"}')
    assert 'risk_gate_decisions_total{decision="allowed"' in run.metrics.text
    assert "golive_engine_equity" not in run.metrics.text
    asked = sorted(path for path, _ in desk.engine.asked)
    assert asked == ["GET /health/live", "GET /health/ready", "GET /metrics", "POST /preflight"]


def test_only_the_engines_findings_are_asked_for_with_the_token(desk: Any) -> None:
    """It is read at each run, because it is renewed."""
    desk.run()
    Path(os.environ[TOKEN_FILE_VARIABLE]).write_text("a newer token")
    assert desk.run().engine == Answer(401, "who are you?")
    tokens = [headers.get("authorization") for path, headers in desk.engine.asked if path == "POST /preflight"]
    assert tokens == ["Bearer token-of-the-operator", "Bearer a newer token"]
    assert not any("authorization" in headers for path, headers in desk.engine.asked if "preflight" not in path)


@pytest.mark.parametrize(
    "content", [None, "", " \n", b"\xff\xfe"], ids=["missing", "empty", "blank", "garbage"]
)
def test_without_a_token_the_engine_is_not_asked(desk: Any, content: str | bytes | None) -> None:
    """The other answers are there all the same."""
    path = Path(os.environ[TOKEN_FILE_VARIABLE])
    path.unlink()
    if content is not None:
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    run = desk.run()
    assert (run.engine.status, "no token to ask the engine with" in run.engine.error) == (None, True)
    assert run.live.status == 200
    assert "POST /preflight" not in [path for path, _ in desk.engine.asked]


def test_a_run_ends_in_time_whoever_hangs(
    desk: Any, serve: Serve, authority: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Everybody is asked at once: all that hang together cost no more than the longest limit."""
    monkeypatch.setattr(preflight_runs, "ENGINE_SECONDS", 1.0)
    site = serve()
    site.replies["GET /hang"] = site.hang
    desk.engine.replies |= dict.fromkeys(desk.engine.replies, desk.engine.hang)
    desk.hanging += [site, desk.engine]
    hooks = [
        {
            "name": f"hook-{place}",
            "url": f"https://127.0.0.1:{site.port}/hang",
            "caBundle": authority.certificate_file.read_text(),
            "timeLimitSeconds": 1,
            "jsonPointer": f"/{place}",
        }
        for place in range(8)
    ]
    plain = f"http://127.0.0.1:{desk.engine.port}/hang"
    desk.engine.replies["GET /hang/api/v1/query"] = desk.engine.hang
    began = time.monotonic()
    run = desk.run({"webhooks": hooks, "observability": {"prometheusUrl": plain}})
    seconds = time.monotonic() - began
    answers = [run.live, run.ready, run.metrics, run.engine, *(answer for _, answer in run.webhooks)]
    assert {answer.status for answer in answers} == {None}
    assert {answer.error for _, answer in run.webhooks} == {"no answer within 1 s"}
    assert run.engine.error == "no answer within 1 s"
    assert run.scraped[0][1].error == "no answer within 3 s"
    print(f"12 answers that never came, given up after {seconds:.2f} s")
    assert seconds < 12  # one after the other would be 18


def test_one_question_is_asked_once(desk: Any, serve: Serve, authority: Any) -> None:
    """However many policies ask it."""
    site = serve({"GET /ok": (200, b'{"ok": true}')})
    hook = {
        "name": "freeze",
        "url": f"https://127.0.0.1:{site.port}/ok",
        "caBundle": authority.certificate_file.read_text(),
    }
    run = desk.run({"webhooks": [hook]}, {"webhooks": [hook, {**hook, "expected": "1"}]})
    assert len(run.webhooks) == len(site.asked) == 2


GRAFANA = {"is there": (200, b'{"dashboard": {"uid": "golive"}}'), "is not": (404, b'{"message": "not found"}')}


@pytest.mark.parametrize("reply", GRAFANA.values(), ids=GRAFANA.keys())
def test_the_dashboard_is_asked_for_by_its_uid(desk: Any, reply: tuple[int, bytes]) -> None:
    """A stand-in for Grafana's address: no Grafana can be had here."""
    desk.engine.replies["GET /grafana/api/dashboards/uid/golive%2F1"] = reply
    url = f"http://127.0.0.1:{desk.engine.port}/grafana/"
    run = desk.run({"observability": {"grafanaUrl": url, "dashboardUid": "golive/1"}})
    assert run.dashboards == (((url, "golive/1"), Answer(reply[0], reply[1].decode())),)


def test_a_pods_redirect_is_not_followed(desk: Any) -> None:
    """A pod can't have the operator ask somebody else."""

    def redirect(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(307)
        handler.send_header("Location", "/health/ready")
        handler.end_headers()

    desk.engine.replies |= {"GET /health/live": redirect, "POST /preflight": redirect}
    run = desk.run()
    assert (run.live.status, run.engine.status) == (307, 307)


def kept(desk: Any, act: Callable[[Runs], Any], runner: Any = None) -> Any:
    """Do something with the runs of a runner."""

    async def inside(real: PreflightRunner) -> Any:
        runs = Runs(runner or real)
        try:
            return await act(runs)
        finally:
            await runs.close()

    return desk.with_runner(inside)


def test_one_run_at_a_time_and_its_end_wakes(desk: Any) -> None:
    """A second start while one is under way is none; the last finished run is kept until it is forgotten."""

    async def act(runs: Runs) -> tuple[bool, bool, PreflightRun | None, PreflightRun | None]:
        ended = asyncio.Event()
        first = runs.start("uid-1", desk.target(), desk.terms(), ended.set)
        second = runs.start("uid-1", desk.target(), desk.terms(), ended.set)
        assert runs.last("uid-1") is None
        await asyncio.wait_for(ended.wait(), 30)
        last = runs.last("uid-1")
        assert runs.start("uid-1", desk.target(), desk.terms(), ended.set)
        runs.forget("uid-1")
        return first, second, last, runs.last("uid-1")

    first, second, last, forgotten = kept(desk, act)
    assert (first, second, forgotten) == (True, False, None)
    assert last is not None
    assert last.live.status == 200


class Broken:
    """A runner with a defect."""

    async def run(self, *_: object) -> PreflightRun:
        """Break."""
        raise RuntimeError("a defect")


def test_a_defect_ends_a_run_in_which_nobody_was_asked(desk: Any, caplog: pytest.LogCaptureFixture) -> None:
    """An older run does not count on in its place, and what broke is logged."""

    async def act(runs: Runs) -> PreflightRun | None:
        ended = asyncio.Event()
        runs.start("uid-1", desk.target(), desk.terms(), ended.set)
        await asyncio.wait_for(ended.wait(), 30)
        return runs.last("uid-1")

    run = kept(desk, act, Broken())
    assert (run.pod, run.digest, run.request) == (desk.pod, "digest", "asked-1")
    assert {run.live.error, run.engine.error, run.metrics.error} == {"not asked"}
    assert "a defect" in caplog.text
