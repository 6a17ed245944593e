"""A real Prometheus that scrapes a real /metrics: what is in it counts, and only while it is young."""

import json
import subprocess
import time
import urllib.parse
import urllib.request
from http.server import BaseHTTPRequestHandler
from typing import Any

import pytest

from golive_api.checklist import BY_ID
from golive_api.preflight_report import CheckResult
from golive_decisions.machine_items import measure
from golive_decisions.preflight_results import Evidence, results
from golive_decisions.verdicts import Verdict
from golive_dev.binaries import find_binary
from golive_dev.prometheus import PrometheusServer, Target
from golive_dev.waiting import eventually

PASSED, FAILED, ERROR = CheckResult
SECONDS = 60
"""Longest wait for Prometheus to have scraped."""

LABELS = {"namespace": "trading", "pod": "perps-engine-7d4b9-x2x1p"}
OBSERVED = "check_observability"


def policy(url: str, *queries: dict[str, Any], alerts: tuple[str, ...] = ()) -> dict[str, Any]:
    """A policy that names a Prometheus."""
    return {
        "observability": {"prometheusUrl": url, "alertRules": list(alerts)},
        "queries": [{"name": f"q{place}", **query} for place, query in enumerate(queries)],
    }


def checked(desk: Any, asked: dict[str, Any]) -> dict[str, tuple[CheckResult, str]]:
    """Result and message of every check of a real run; there is no engine's report here."""
    found = results(desk.run(asked), "no report", desk.spec, desk.terms(asked))
    return {check.name: (check.result, check.message) for check in found}


def item(desk: Any, asked: dict[str, Any], name: str) -> Verdict:
    """How an item of the checklist is measured by a real run."""
    verdict = measure(Evidence(desk.run(asked), "no report", desk.spec, desk.terms(asked)), BY_ID[name])
    assert verdict is not None
    return verdict


def await_scraped(desk: Any, url: str) -> None:
    """Until every required series has come in."""
    eventually(lambda: checked(desk, policy(url))[OBSERVED][0] is PASSED, SECONDS)


def above(query: str, threshold: str = "0") -> dict[str, str]:
    """A query that wants more than a threshold."""
    return {"query": query, "comparison": "Greater", "threshold": threshold}


QUERIES: dict[str, tuple[CheckResult, str]] = {
    'up{namespace="$namespace",pod="$pod"}': (PASSED, "is 1"),
    'up{pod=~"$engine-.*"}': (PASSED, "is 1"),
    "scalar(up)": (PASSED, "is 1"),
    "-up": (FAILED, "is -1"),
    'golive_engine_global_risk{level="CRITICAL"}': (FAILED, "is 0"),
    "golive_engine_equity": (ERROR, "NaN"),
    "up / 0": (ERROR, "+Inf"),
    "up * 0 / 0": (ERROR, "NaN"),
    'scalar(up{pod="nobody"})': (ERROR, "NaN"),
    'up{pod="nobody"}': (ERROR, "no value"),
    'up{pod="$nobody"}': (ERROR, "no value"),
    "up > 1": (ERROR, "no value"),
    "up[30s]": (ERROR, "data"),
    '"up"': (ERROR, "data"),
    "up{": (ERROR, "answered 400"),
    "quantile(2, up)": (ERROR, "warning"),
    "rate(up)": (ERROR, "answered 400"),
}


def test_a_watched_engine(desk: Any, watched: PrometheusServer) -> None:
    """Series, scraping, alert rules and queries of one engine, by one Prometheus."""
    await_scraped(desk, watched.url)
    asked = policy(watched.url + "/", *map(above, QUERIES)) | {"webhooks": []}
    asked["queries"] = asked["queries"][:16]  # as many as one policy may have
    more = {"queries": [{"name": "last", **above([*QUERIES][16])}]}
    terms = desk.terms(asked, more)
    found = results(desk.run(asked, more), "no report", desk.spec, terms)
    seen = {check.name: (check.result, check.message) for check in found}
    named = [*(f"query/q{place}" for place in range(16)), "query/last"]
    wrong = {
        query: seen[name]
        for name, (query, (result, says)) in zip(named, QUERIES.items(), strict=True)
        if seen[name][0] is not result or says not in seen[name][1]
    }
    assert wrong == {}
    assert seen[OBSERVED][0] is PASSED
    both = policy(watched.url, alerts=("EngineDown", "EngineGone"))
    eventually(lambda: item(desk, both, "alert-rules-loaded").passed, SECONDS)
    missing = item(desk, policy(watched.url, alerts=("EngineDown", "Unwritten")), "alert-rules-loaded")
    assert (missing.result, "has not loaded Unwritten" in missing.message) == (FAILED, True)
    eventually(lambda: item(desk, both, "prometheus-scraping").passed, SECONDS)


def test_the_rules_of_this_area_are_rules(watched: PrometheusServer) -> None:
    """What promtool takes, Prometheus loads."""
    done = subprocess.run(
        [find_binary("promtool"), "check", "rules", watched.rules_file],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (done.returncode, "2 rules found" in done.stdout) == (0, True), done


def test_another_pods_series_are_not_the_trading_pods(desk: Any, watched: PrometheusServer) -> None:
    """After a rollout the new pod has to be scraped, not the old one."""
    await_scraped(desk, watched.url)
    desk.pod = "perps-engine-7d4b9-new"
    result, message = checked(desk, policy(watched.url))[OBSERVED]
    assert (result, "lacks risk_gate_decisions_total" in message) == (FAILED, True)
    assert item(desk, policy(watched.url), "prometheus-scraping").result is FAILED


def test_a_target_that_is_gone(desk: Any, watched: PrometheusServer) -> None:
    """Prometheus still answers 200; its last scrapes failed, and an instant query has nothing to say."""
    query = above('golive_engine_gate_state{pod="$pod",state="Closed"}')
    await_scraped(desk, watched.url)
    eventually(lambda: checked(desk, policy(watched.url, query))["query/q0"][0] is PASSED, SECONDS)
    desk.engine.stop()
    eventually(lambda: checked(desk, policy(watched.url, query))["query/q0"][0] is ERROR, SECONDS)
    scraping = item(desk, policy(watched.url), "prometheus-scraping")
    assert (scraping.result, "could not scrape" in scraping.message) == (FAILED, True)
    assert checked(desk, policy(watched.url))["check_health_endpoints"][0] is ERROR


def test_samples_that_were_old_when_they_were_scraped(desk: Any) -> None:
    """An exporter that serves a cache answers 200 each time; the samples' own times tell."""
    metrics, began = desk.metrics.text().decode(), time.time()

    def cached(handler: BaseHTTPRequestHandler) -> None:
        old = round((began - 100) * 1000)
        lines = [line if line.startswith("#") else f"{line} {old}" for line in metrics.splitlines()]
        handler.send_response(200)
        handler.send_header("Content-Type", "text/plain; version=0.0.4")
        handler.end_headers()
        handler.wfile.write(("\n".join(lines) + "\n").encode())

    desk.engine.replies["GET /metrics"] = cached
    query = 'golive_engine_gate_state{pod="$pod",state="Closed"}'
    strict, lax = above(query), above(query) | {"maxAgeSeconds": 3600}
    with PrometheusServer([Target(f"127.0.0.1:{desk.engine.port}", LABELS)]) as server:
        eventually(lambda: checked(desk, policy(server.url, lax))["query/q0"][0] is PASSED, SECONDS)
        seen = checked(desk, policy(server.url, strict))
        assert seen["query/q0"][0] is ERROR
        assert (seen[OBSERVED][0], "ess_triggers_total" in seen[OBSERVED][1]) == (FAILED, True)
        asked = urllib.parse.urlencode({"query": query.replace("$pod", LABELS["pod"])})
        with urllib.request.urlopen(f"{server.url}/api/v1/query?{asked}", timeout=10) as answer:
            plain = json.load(answer)
        assert plain["data"]["result"], "without a bound of its own, Prometheus takes it for new"


def test_a_target_that_is_scraped_too_seldom(desk: Any) -> None:
    """Two scrapes within a minute are not one each 15 s."""
    with PrometheusServer([Target(f"127.0.0.1:{desk.engine.port}", LABELS, interval="20s")]) as server:
        await_scraped(desk, server.url)
        scraping = item(desk, policy(server.url), "prometheus-scraping")
        assert (scraping.result, "too seldom" in scraping.message) == (FAILED, True)


@pytest.mark.parametrize("how", ["frozen", "dead"])
def test_a_prometheus_that_does_not_answer(desk: Any, watched: PrometheusServer, how: str) -> None:
    """Nothing is known then, soon, and everything that rests on it is an Error."""
    await_scraped(desk, watched.url)
    asked = policy(watched.url, above("up"), alerts=("EngineDown",))
    if how == "frozen":
        watched.freeze()
    else:
        watched.kill()
    began = time.monotonic()
    seen = checked(desk, asked)
    assert time.monotonic() - began < 15
    assert (seen[OBSERVED][0], seen["query/q0"][0]) == (ERROR, ERROR)
    for name in ("prometheus-scraping", "alert-rules-loaded"):
        assert item(desk, asked, name).result is ERROR
    watched.thaw()


def test_without_a_prometheus_the_operators_own_scrape_counts(desk: Any) -> None:
    """Every series that the engine's code registers is there from the start."""
    result, message = checked(desk, {})[OBSERVED]
    assert (result, message) == (PASSED, "9 required series are scraped: /metrics")
