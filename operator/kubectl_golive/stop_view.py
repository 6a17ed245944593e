"""How EmergencyStops are drawn; pure."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from kubectl_golive.terminal import since

Document = dict[str, Any]
Drawn = tuple[tuple[str, ...], list[list[object]]]
"""Titles and rows."""


def applied(stops: Iterable[Document], now: datetime) -> Drawn:
    """A line for each stop, those that hold first, then the newest first."""
    ordered = sorted(stops, key=lambda stop: stop["metadata"]["creationTimestamp"], reverse=True)
    ordered.sort(key=lambda stop: "release" in stop["spec"])
    return ("STOP", "STATE", "ENGINES", "AGE", "WHY"), [_row(stop, now) for stop in ordered]


def _row(stop: Document, now: datetime) -> list[object]:
    metadata, spec = stop["metadata"], stop["spec"]
    release = spec.get("release")
    engines = ",".join(spec.get("engines") or []) or "all"
    why = spec["reason"]
    if release:
        why += f" (released by {release['user']}: {release['rootCause']})"
    state = "released" if release else "holds"
    return [metadata["name"], state, engines, since(metadata["creationTimestamp"], now), why]
