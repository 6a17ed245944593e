"""Which GoLives of a namespace claim which engine: two that claim one shut each other out."""

from dataclasses import dataclass

from golive_api.golive import Activation
from golive_operator import paths
from golive_operator.cluster import Object
from golive_operator.shared_reads import SharedReads


@dataclass(frozen=True, slots=True)
class Claim:
    """One GoLive that wants an engine's gate open."""

    uid: str
    name: str
    engine: str


class Claims:
    """Those of each namespace, as they were read last; whoever claims an engine anew wakes the others."""

    def __init__(self, shared: SharedReads) -> None:
        self._shared = shared
        self._read: dict[str, tuple[float, tuple[Claim, ...]]] = {}

    async def read(self, namespace: str, not_before: float) -> tuple[Claim, ...]:
        """The claims, as they were at that monotonic moment or later. Raises ClusterError."""
        began, claims = self._read.get(namespace, (not_before - 1, ()))
        if began < not_before:
            listed = await self._shared.list(paths.golives(namespace), not_before)
            claims = tuple(
                Claim(golive["metadata"]["uid"], golive["metadata"]["name"], engine_of(golive))
                for golive in listed.items
                if (golive.get("spec") or {}).get("activation") == Activation.ENABLED.value
            )
            self._read[namespace] = listed.began.monotonic, claims
        return claims


def engine_of(golive: Object) -> str:
    """The engine that a GoLive is about."""
    request = (golive.get("spec") or {}).get("request") or {}
    return str((request.get("engineRef") or {}).get("name") or "")
