"""Does the API server refuse forged writes? Tried by server-side dry-run, never by reading policies.

A policy can be there and not bite (unbound, audit only, broken); static ones are not listed at all.
"""

import asyncio
import time
from collections.abc import Awaitable
from typing import Any

from golive_api.gate import GATE_LABEL, GATE_PREFIX
from golive_operator import paths
from golive_operator.cluster import Cluster, ClusterError, DeniedError

FRESH_SECONDS = 30.0
"""A guard that was seen to refuse is trusted this long."""

_FORGER = "golive-guard-probe"
_DIGEST = ".".join(["0" * 64] * 3)
_BY_POLICY = "ValidatingAdmissionPolicy"


class Guard:
    """Tries to forge an approval, an open gate and a stale epoch."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self._refused_at: dict[str, float] = {}

    async def errors(self, golive: dict[str, Any]) -> tuple[str, ...]:
        """Forgeries that were not refused by a policy; empty is good."""
        uid = golive["metadata"]["uid"]
        if time.monotonic() - self._refused_at.get(uid, -FRESH_SECONDS) < FRESH_SECONDS:
            return ()
        started = time.monotonic()
        outcomes = await asyncio.gather(
            _refusal("an approval in another's name", "golive-identity", self._forge_approval(golive)),
            _refusal("a gate that is born Open", "golive-gate", self._forge_gate(golive)),
            _refusal("a stale epoch", "golive-status", self._forge_epoch(golive)),
        )
        errors = tuple(outcome for outcome in outcomes if outcome)
        if not errors and _epoch(golive):
            # On a first visit nothing could show that a stale epoch is refused: tried again at the next.
            self._refused_at = {
                key: moment for key, moment in self._refused_at.items() if started - moment < FRESH_SECONDS
            } | {uid: started}
        return errors

    async def _forge_approval(self, golive: dict[str, Any]) -> None:
        metadata, spec = golive["metadata"], golive["spec"]
        approval = {
            "user": _FORGER,
            "revision": spec["revision"],
            "uid": metadata["uid"],
            "digest": golive.get("status", {}).get("digest") or _DIGEST,
        }
        approvals = [*(spec.get("approvals") or [])[:15], approval]
        path = paths.golive(metadata["namespace"], metadata["name"])
        await self._cluster.patch(path, {"spec": {"approvals": approvals}}, dry_run=True)

    async def _forge_gate(self, golive: dict[str, Any]) -> None:
        namespace = golive["metadata"]["namespace"]
        body = {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {"name": f"{GATE_PREFIX}{_FORGER}", "labels": {GATE_LABEL: _FORGER}},
            "data": {"state": "Open"},
        }
        await self._cluster.create(paths.core(namespace, "configmaps"), body, dry_run=True)

    async def _forge_epoch(self, golive: dict[str, Any]) -> None:
        """Nothing is staler than the first epoch, so a first visit has nothing to forge."""
        if not _epoch(golive):
            raise DeniedError(f"{_BY_POLICY} 'golive-status' has no epoch to guard yet")
        metadata, gate = golive["metadata"], golive["status"]["gate"]
        path = paths.golive(metadata["namespace"], metadata["name"], "status")
        await self._cluster.patch(path, {"status": {"gate": {**gate, "epoch": 0}}}, dry_run=True)


def _epoch(golive: dict[str, Any]) -> int:
    return int(golive.get("status", {}).get("gate", {}).get("epoch") or 0)


async def _refusal(what: str, policy: str, attempt: Awaitable[None]) -> str:
    """Empty when the attempt was refused by that policy; anything else is no proof."""
    try:
        await attempt
    except DeniedError as error:
        by_policy = _BY_POLICY in str(error) and f"'{policy}" in str(error)
        return "" if by_policy else f"{what} was refused, but not by policy {policy}: {error}"
    except ClusterError as error:
        return f"{what} could not be tried: {error}"
    return f"the API server accepts {what}: policy {policy} is missing or does not bite"
