"""EmergencyStop objects as this engine obeys them: a state machine without I/O; on doubt a stop holds."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from pydantic import ValidationError

from golive_api.emergency_stop import EmergencyStopSpec, selects

SILENT_SECONDS = 60.0
"""Silence of the API server after which nobody knows: as long as the longest lease that a gate may have.

A server that does not answer for less stops nothing that the gate still allows, and with one that answers
nothing at all the gate has shut before. What is left is a server that still shows the gate, but no stops.
"""

PASSING = frozenset(
    {HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.CONFLICT, HTTPStatus.GONE, HTTPStatus.TOO_MANY_REQUESTS}
)
"""Refusals that are mere silence: try again, or list anew. Every other one means that it will not tell."""

UNREADABLE = "it can't be read"
"""The reason of a stop that holds because nobody knows what it says."""


@dataclass(frozen=True, slots=True)
class AppliedStop:
    """One EmergencyStop that holds this engine."""

    name: str
    """Name of the object."""
    reason: str
    """Why trading has to stop."""
    uid: str
    """Tells it from an earlier one of the same name."""


class AppliedStops:
    """Knows which stops hold, and whether that is known at all.

    A stop holds from when it is first seen until it is seen released. One that is deleted without a release
    goes on holding, for nothing else lifts it; a process that starts anew counts what exists then.

    Args:
        engine: Name of the Deployment.
        monotonic: Seconds that only grow.
        on_applied: Told each stop once, when it begins to hold.
        on_released: Told each stop that no longer holds.
        watched: Whether there is an API server at all; without one nothing can be applied.
    """

    def __init__(
        self,
        engine: str,
        monotonic: Callable[[], float],
        on_applied: Callable[[AppliedStop], None],
        on_released: Callable[[AppliedStop], None],
        *,
        watched: bool,
    ) -> None:
        self._engine = engine
        self._monotonic = monotonic
        self._on_applied = on_applied
        self._on_released = on_released
        self._watched = watched
        self._is_listed = False
        self._heard = float("-inf")
        self._holding: dict[str, AppliedStop] = {}
        self._told: set[str] = set()

    @property
    def holding(self) -> tuple[AppliedStop, ...]:
        """Every stop that holds."""
        return tuple(self._holding.values())

    @property
    def known(self) -> bool:
        """Whether the API server has told lately which stops there are."""
        if not self._watched:
            return True
        return self._is_listed and self._monotonic() - self._heard < SILENT_SECONDS

    def applied(self, environment: str) -> bool | None:
        """Whether a stop holds an account; None if that is not known, which play money does not wait for."""
        if self._holding:
            return True
        return False if environment == "testnet" or self.known else None

    def listed(self, items: Sequence[dict[str, Any]]) -> None:
        """Take in everything that there is. What is missing was deleted: that lifts nothing."""
        for item in items:
            self._take(item)
        self._is_listed = True

    def happened(self, _kind: str, item: dict[str, Any]) -> None:
        """Take in one object as it stands, or as it last stood."""
        self._take(item)

    def heard(self) -> None:
        """Note that the server still speaks."""
        self._heard = self._monotonic()

    def failed(self, status: int) -> None:
        """Note that the server will not tell: the kind does not exist, or it is forbidden to ask."""
        if HTTPStatus.BAD_REQUEST <= status < HTTPStatus.INTERNAL_SERVER_ERROR and status not in PASSING:
            self._is_listed = False

    def _take(self, item: dict[str, Any]) -> None:
        """One object: it begins to hold, goes on, or is released."""
        metadata = item.get("metadata") or {}
        name, uid = str(metadata.get("name")), str(metadata.get("uid"))
        spec = _spec(item)
        if spec is not None and spec.release is not None:
            if (lifted := self._holding.pop(name, None)) is not None:
                self._on_released(lifted)
        elif spec is None or selects(spec, self._engine):
            self._hold(AppliedStop(name, UNREADABLE if spec is None else spec.reason, uid))

    def _hold(self, stop: AppliedStop) -> None:
        """Let a stop hold, and tell of it, once for each object."""
        self._holding[stop.name] = stop
        if stop.uid not in self._told:
            self._told.add(stop.uid)
            self._on_applied(stop)


def _spec(item: dict[str, Any]) -> EmergencyStopSpec | None:
    """What a stop says, None if that can't be read."""
    try:
        return EmergencyStopSpec.model_validate(item.get("spec"))
    except ValidationError:
        return None
