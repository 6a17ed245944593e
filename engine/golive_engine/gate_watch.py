"""Keeps the gate fed from the cluster, and tells at once when what is obeyed changes."""

import asyncio
from collections.abc import Callable, Sequence
from typing import Any

from golive_api.acknowledgement import Acknowledgement
from golive_api.gate import gate_name
from golive_engine.cluster import Cluster, Watched
from golive_engine.gate import Gate
from golive_engine.watching import Watch


class GateWatch:
    """Follows one gate.

    A gate that is listed, not seen to change, opens nothing. While the server is silent an open gate stays
    open until its lease ends: silence is what the lease is for.
    """

    def __init__(
        self,
        cluster: Cluster,
        golive: str,
        gate: Gate,
        on_change: Callable[[Acknowledgement], None],
        idle_seconds: float,
    ) -> None:
        self._watch = Watch(cluster, Watched("configmaps", gate_name(golive)), self, idle_seconds)
        self._gate = gate
        self._on_change = on_change
        self._told: tuple[str, str] | None = None
        self._alarm: asyncio.TimerHandle | None = None

    async def run(self) -> None:
        """Follow the gate for ever."""
        try:
            await self._watch.run()
        finally:
            if self._alarm is not None:
                self._alarm.cancel()

    def listed(self, items: Sequence[dict[str, Any]]) -> None:
        """The gate as it stands, or that there is none."""
        self._gate.found(_data(items[0]) if items else None)
        self._tell()

    def happened(self, kind: str, item: dict[str, Any]) -> None:
        """The gate has changed, or is gone."""
        if kind == "DELETED":
            self._gate.gone()
        else:
            self._gate.changed(_data(item))
        self._tell()

    def heard(self) -> None:
        """Says nothing about the gate."""

    def failed(self, status: int) -> None:
        """Says nothing about the gate either."""

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


def _data(item: dict[str, Any]) -> dict[str, str]:
    """What a ConfigMap holds; anything but a mapping can't be read as a gate."""
    data = item.get("data")
    return dict(data) if isinstance(data, dict) else {}
