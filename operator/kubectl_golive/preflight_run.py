"""Asks for a run of preflight and prints its result."""

import json
from datetime import UTC, datetime
from typing import Any

import click
from rich.console import Console

from kubectl_golive import preflight_view
from kubectl_golive.cluster import Cluster
from kubectl_golive.exits import Exit
from kubectl_golive.preflight_asking import ask_for_run, wait_for_run
from kubectl_golive.printable import printable
from kubectl_golive.seen import condition
from kubectl_golive.terminal import page

Document = dict[str, Any]


def run(cluster: Cluster, name: str, seconds: float | None, output: str) -> int:
    """Have it run, wait, print; the exit code says whether every check has passed."""
    value = ask_for_run(cluster, name)
    if seconds is None:
        click.echo(f"preflight of {name} is asked to run; see it with: kubectl golive status {name}")
        return Exit.OK
    golive, answered = wait_for_run(cluster, name, value, seconds)
    preflight = (golive.get("status") or {}).get("preflight") or {}
    passed = answered and all_passed(preflight)
    if output == "json":
        click.echo(json.dumps(_as_json(golive, preflight, answered=answered, passed=passed), indent=2))
    elif answered:
        page(lambda out: _draw(out, preflight))
    if not answered:
        click.echo(f"error: {printable(_unanswered(golive, seconds))}", err=True)
        return Exit.UNKNOWN
    return Exit.OK if passed else Exit.CLOSED


def all_passed(preflight: Document) -> bool:
    """Whether there are checks and each of them has passed."""
    checks = preflight.get("checks") or []
    return bool(checks) and all(check["result"] == "Passed" for check in checks)


def _draw(out: Console, preflight: Document) -> None:
    preflight_view.checks(out, preflight, datetime.now(UTC), with_values=True)
    preflight_view.checklist(out, preflight)


def _unanswered(golive: Document, seconds: float) -> str:
    """Why there may be no result."""
    ready = condition(golive, "Ready")
    why = (
        f"; the operator last said {ready['reason']}: {ready['message']}"
        if ready
        else ": is the operator running?"
    )
    return f"no result of preflight within {seconds:.0f} s{why}"


def _as_json(golive: Document, preflight: Document, *, answered: bool, passed: bool) -> Document:
    return {
        "name": golive["metadata"]["name"],
        "namespace": golive["metadata"]["namespace"],
        "answered": answered,
        "passed": passed,
        "runTime": preflight.get("runTime"),
        "checks": preflight.get("checks") or [],
        "checklist": preflight.get("checklist") or [],
    }
