"""Keeps the gate fed from the cluster, and tells at once when what is obeyed changes."""

import asyncio
import logging
from collections.abc import Callable

from golive_api.acknowledgement import Acknowledgement
from golive_api.gate import gate_name
from golive_engine.cluster import Cluster, ClusterError, GateEvent
from golive_engine.gate import Gate

FIRST_DELAY_SECONDS = 0.05
"""Wait before the first new try after a failure; doubles up to the last."""

LAST_DELAY_SECONDS = 1.0
"""Longest wait between two tries."""

_log = logging.getLogger(__name__)


class GateWatch:
    """Follows one gate.

    A watch that ends, breaks or falls silent is resumed from its last resourceVersion, so that nothing in
    between is missed; where the server can't do that the gate is listed anew, and a listed gate opens nothing.
    Meanwhile an open gate stays open until its lease ends: silence is what the lease is for.
    """

    def __init__(
        self,
        cluster: Cluster,
        golive: str,
        gate: Gate,
        on_change: Callable[[Acknowledgement], None],
        idle_seconds: float,
    ) -> None:
        self._cluster = cluster
        self._name = gate_name(golive)
        self._gate = gate
        self._on_change = on_change
        self._idle_seconds = idle_seconds
        self._version: str | None = None
        self._delay = FIRST_DELAY_SECONDS
        self._told: tuple[str, str] | None = None
        self._alarm: asyncio.TimerHandle | None = None

    async def run(self) -> None:
        """Follow the gate for ever."""
        try:
            while True:
                try:
                    await self._follow()
                    self._delay = FIRST_DELAY_SECONDS
                except ClusterError as error:
                    if error.status:
                        self._version = None
                    _log.info("gate watch ended: %s", error, extra={"status": error.status})
                    await asyncio.sleep(self._delay)
                    self._delay = min(self._delay * 2, LAST_DELAY_SECONDS)
        finally:
            if self._alarm is not None:
                self._alarm.cancel()

    async def _follow(self) -> None:
        """One list, if needed, and one watch until it ends."""
        if self._version is None:
            data, self._version = await self._cluster.list_gate(self._name)
            self._gate.found(data)
            self._tell()
        async for event in self._cluster.watch_gate(self._name, self._version, self._idle_seconds):
            self._version = event.resource_version
            self._take(event)

    def _take(self, event: GateEvent) -> None:
        """Hand one event to the gate."""
        self._delay = FIRST_DELAY_SECONDS
        if event.kind == "DELETED":
            self._gate.gone()
        elif event.data is not None:
            self._gate.changed(event.data)
        self._tell()

    def _tell(self) -> None:
        """Report a change of what is obeyed, and set the alarm for the moment at which the lease ends."""
        obeyed = self._gate.obeyed()
        if self._told != (obeyed.state, obeyed.reason):
            self._told = (obeyed.state, obeyed.reason)
            self._on_change(obeyed)
        if self._alarm is not None:
            self._alarm.cancel()
            self._alarm = None
        if (deadline := self._gate.deadline) is not None:
            self._alarm = asyncio.get_running_loop().call_at(deadline, self._tell)
