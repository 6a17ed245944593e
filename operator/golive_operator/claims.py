"""Which GoLives of a namespace claim which engine: two that claim one shut each other out."""

import time
from collections.abc import Iterable
from dataclasses import dataclass

from golive_api.golive import Activation
from golive_operator import paths
from golive_operator.cluster import Cluster, Object


@dataclass(frozen=True, slots=True)
class Claim:
    """One GoLive that wants an engine's gate open."""

    uid: str
    name: str
    engine: str


class Claims:
    """Those of each namespace, as they were read last; whoever claims an engine anew wakes the others."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self._read: dict[str, tuple[float, tuple[Claim, ...]]] = {}

    async def read(self, namespace: str, not_before: float) -> tuple[Claim, ...]:
        """The claims, as they were at that monotonic moment or later. Raises ClusterError."""
        began, claims = self._read.get(namespace, (not_before - 1, ()))
        if began < not_before:
            began = time.monotonic()
            claims = self.learn(namespace, began, await self._cluster.list(paths.golives(namespace)))
        return claims

    def learn(self, namespace: str, began: float, golives: Iterable[Object]) -> tuple[Claim, ...]:
        """Take them from a list that was begun at that monotonic moment."""
        claims = tuple(
            Claim(golive["metadata"]["uid"], golive["metadata"]["name"], engine_of(golive))
            for golive in golives
            if (golive.get("spec") or {}).get("activation") == Activation.ENABLED.value
        )
        self._read[namespace] = began, claims
        return claims


def engine_of(golive: Object) -> str:
    """The engine that a GoLive is about."""
    request = (golive.get("spec") or {}).get("request") or {}
    return str((request.get("engineRef") or {}).get("name") or "")
