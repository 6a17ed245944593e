"""Has preflight run, and waits for what it finds."""

import secrets
import time
from datetime import UTC, datetime, timedelta
from typing import Any

from golive_api.golive import PREFLIGHT_ANNOTATION
from golive_api.values import parse_time, render_time
from kubectl_golive.cluster import Cluster, golive_path

POLL_SECONDS = 0.1
"""Time between two looks."""

FRESH = timedelta(seconds=20)
"""A run that is older is asked for anew before somebody approves, so that the opening need not wait for one."""

Document = dict[str, Any]


def ask_for_run(cluster: Cluster, name: str) -> str:
    """Have preflight run at once; returns the value by which its answer is known. Voids no approval."""
    value = f"{render_time(datetime.now(UTC))}-{secrets.token_hex(4)}"
    annotation = {"metadata": {"annotations": {PREFLIGHT_ANNOTATION: value}}}
    cluster.call("PATCH", golive_path(cluster.namespace, name), annotation, kind="merge-patch+json")
    return value


def wait_for_run(cluster: Cluster, name: str, value: str, seconds: float) -> tuple[Document, bool]:
    """The GoLive once status answers this very request, or as it is when the time is over."""
    deadline = time.monotonic() + seconds
    while True:
        golive = cluster.call("GET", golive_path(cluster.namespace, name))
        answered = (golive.get("status") or {}).get("preflight", {}).get("requestSeen") == value
        if answered or time.monotonic() >= deadline:
            return golive, answered
        time.sleep(POLL_SECONDS)


def is_fresh(golive: Document, now: datetime) -> bool:
    """Whether the run that is shown is a recent one."""
    ran = (golive.get("status") or {}).get("preflight", {}).get("runTime")
    try:
        return bool(ran) and now - parse_time(ran) <= FRESH
    except ValueError:
        return False
