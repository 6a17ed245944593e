"""One mechanism for everything that is watched at the API server: list, watch, resume, list anew."""

import asyncio
import logging
from collections.abc import Sequence
from typing import Any, Protocol

from golive_engine.cluster import OPENED, Cluster, ClusterError, Watched

FIRST_DELAY_SECONDS = 0.05
"""Wait before the first new try after a failure; doubles up to the last."""

LAST_DELAY_SECONDS = 1.0
"""Longest wait between two tries."""

_log = logging.getLogger(__name__)


class Audience(Protocol):
    """Who is told what the API server says."""

    def listed(self, items: Sequence[dict[str, Any]]) -> None:
        """Everything that there is: objects that are not among them are gone."""

    def happened(self, kind: str, item: dict[str, Any]) -> None:
        """An object was ADDED or MODIFIED, or DELETED: then this is its last state."""

    def heard(self) -> None:
        """The server has just answered, or said something; called before the two above."""

    def failed(self, status: int) -> None:
        """It refused with this status, or did not answer: 0."""


class Watch:
    """Follows a few objects.

    A watch that ends, breaks or falls silent is resumed from its last resourceVersion, so that nothing in
    between is missed; where the server can't do that everything is listed anew.

    Args:
        cluster: The API server.
        watched: Which objects.
        audience: Who is told.
        idle_seconds: Silence after which the watch is opened anew: a stalled server looks like a quiet one.
    """

    def __init__(self, cluster: Cluster, watched: Watched, audience: Audience, idle_seconds: float) -> None:
        self._cluster = cluster
        self._watched = watched
        self._audience = audience
        self._idle_seconds = idle_seconds
        self._version: str | None = None
        self._delay = FIRST_DELAY_SECONDS
        self._complaint = ""

    async def run(self) -> None:
        """Follow for ever."""
        while True:
            try:
                await self._follow()
                self._delay = FIRST_DELAY_SECONDS
            except ClusterError as error:
                if error.status:
                    self._version = None
                self._audience.failed(error.status)
                self._complain(error)
                await asyncio.sleep(self._delay)
                self._delay = min(self._delay * 2, LAST_DELAY_SECONDS)

    def _complain(self, error: ClusterError) -> None:
        """Log what went wrong, once while it stays the same."""
        if str(error) != self._complaint:
            self._complaint = str(error)
            _log.warning("watch ended: %s", error, extra={"kind": self._watched.kind, "status": error.status})

    async def _follow(self) -> None:
        """One list, if needed, and one watch until it ends."""
        if self._version is None:
            items, self._version = await self._cluster.list_all(self._watched)
            self._audience.heard()
            self._audience.listed(items)
        async for event in self._cluster.watch(self._watched, self._version, self._idle_seconds):
            self._audience.heard()
            if event.kind == OPENED:
                self._complaint = ""
                continue
            self._version = event.resource_version
            self._delay = FIRST_DELAY_SECONDS
            if event.item is not None:
                self._audience.happened(event.kind, event.item)
