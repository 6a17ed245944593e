"""Does the API server refuse forged writes? Tried by server-side dry-run; the policies are looked at besides.

A policy can be there and not bite (unbound, audit only, broken); one from a file bites and is not listed.
"""

import asyncio
import re
import time
from collections.abc import Awaitable
from dataclasses import dataclass
from typing import Any

from golive_api import API_VERSION
from golive_api.gate import GATE_LABEL, GATE_PREFIX
from golive_operator import paths
from golive_operator.cluster import Cluster, ClusterError, DeniedError, MissingError
from golive_operator.standing import Policies, Standing

OPEN_SECONDS = 30.0
"""A guard that was seen to refuse is trusted this long to keep a gate open."""

SHUT_SECONDS = 10.0
"""The same where a gate may be opened."""

AHEAD = 3
"""After a third of that time it is tried again beside the looks, so that none of them waits."""

STATIC_SUFFIX = ".static.k8s.io"
"""Names of policies from files end in this, and no others do."""

_FORGER = "golive-guard-probe"
_DIGEST = ".".join(["0" * 64] * 3)
_ENDING = "is being terminated"
_BY_POLICY = "ValidatingAdmissionPolicy"
_NAME = re.compile(_BY_POLICY + r" '([^']+)'")


@dataclass(frozen=True, slots=True)
class _Outcome:
    """What came of one forgery."""

    policy: str
    """Which policy had to refuse."""
    by: str = ""
    """Which one did; empty where nothing was to be tried."""
    error: str = ""
    """Why it proves nothing."""

    @property
    def static(self) -> bool:
        return self.by.endswith(STATIC_SUFFIX)


class Guard:
    """Tries to forge an approval, an open gate, a stale epoch and a record; looks at the policies."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self._policies = Policies(cluster)
        self._refused_at = float("-inf")
        self._trial: asyncio.Task[tuple[str, ...]] | None = None
        self._visited: dict[str, Any] | None = None
        self._tried = ""

    async def errors(self, golive: dict[str, Any]) -> tuple[str, ...]:
        """Forgeries that were not refused by a policy, and policies that were weakened; empty is good.

        The policies are the cluster's: what one object's forgeries show holds for all. Each is tried in turn.
        """
        if _epoch(golive):
            self._visited = golive
        trusted = OPEN_SECONDS if _is_open(golive) else SHUT_SECONDS
        age = time.monotonic() - self._refused_at
        if age >= trusted:
            errors = await asyncio.shield(self._tried_now(golive))
            # What was not refused for another object may be that one's own trouble: tried again for this one.
            return await self._try(golive) if errors and self._tried != golive["metadata"]["uid"] else errors
        if age >= trusted / AHEAD:
            self._tried_now(golive)
        return ()

    def _tried_now(self, golive: dict[str, Any]) -> asyncio.Task[tuple[str, ...]]:
        """One trial at a time, for whoever asks meanwhile."""
        if self._trial is None or self._trial.done():
            self._tried = golive["metadata"]["uid"]
            self._trial = asyncio.create_task(self._try(golive), name="guard")
        return self._trial

    async def _try(self, golive: dict[str, Any]) -> tuple[str, ...]:
        started = time.monotonic()
        standing, *outcomes = await asyncio.gather(
            self._policies.standing(),
            _tried("an approval in another's name", "golive-identity", self._forge_approval(golive)),
            _tried("a gate that is born Open", "golive-gate", self._forge_gate(golive)),
            _tried("a stale epoch", "golive-status", self._forge_epoch(golive)),
            _tried("a record that goes with its owner", "golive-records", self._forge_record(golive)),
        )
        errors = (*(outcome.error for outcome in outcomes if outcome.error), *_weak(standing, outcomes))
        if errors and not any(_ENDING in error for error in errors):
            self._refused_at = float("-inf")
        elif errors:
            pass  # a namespace in deletion takes nothing, by whichever policy; that proves nothing either way
        elif all(outcome.by for outcome in outcomes):
            # On the very first visit nothing could show that a stale epoch is refused: tried again at the next.
            self._refused_at = min(started, standing.started)
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
        """Nothing is staler than the first epoch: a first visit tries it on what was visited before."""
        visited = golive if _epoch(golive) else self._visited
        if visited is None:
            raise _NothingToForgeError
        metadata, gate = visited["metadata"], visited["status"]["gate"]
        path = paths.golive(metadata["namespace"], metadata["name"], "status")
        try:
            await self._cluster.patch(path, {"status": {"gate": {**gate, "epoch": 0}}}, dry_run=True)
        except MissingError as error:
            self._visited = None
            raise _NothingToForgeError from error

    async def _forge_record(self, golive: dict[str, Any]) -> None:
        """The operator itself writes records, so the forged one has an owner: deleting that would delete it."""
        path = paths.records(golive["metadata"]["namespace"])
        await self._cluster.create(path, _forged_record(golive), dry_run=True)


def _forged_record(golive: dict[str, Any]) -> dict[str, Any]:
    """A record that its kind takes and the policy must not."""
    metadata = golive["metadata"]
    owner = {"apiVersion": API_VERSION, "kind": "GoLive", "name": metadata["name"], "uid": metadata["uid"]}
    spec = {
        "golive": metadata["name"],
        "uid": metadata["uid"],
        "sequence": 1,
        "time": "2000-01-01T00:00:00Z",
        "act": "Opened",
        "revision": 1,
        "reason": "Forged",
        "previousHash": "0" * 64,
        "hash": "0" * 64,
    }
    return {
        "apiVersion": API_VERSION,
        "kind": "GoLiveRecord",
        "metadata": {"name": _FORGER, "ownerReferences": [owner]},
        "spec": spec,
    }


class _NothingToForgeError(Exception):
    """There is nothing yet that could be forged."""


def _is_open(golive: dict[str, Any]) -> bool:
    gate = golive.get("status", {}).get("gate") or {}
    return bool(gate.get("state") == "Open")


def _epoch(golive: dict[str, Any]) -> int:
    return int(golive.get("status", {}).get("gate", {}).get("epoch") or 0)


async def _tried(what: str, policy: str, attempt: Awaitable[None]) -> _Outcome:
    """It has to be refused by that policy, from the API or from a file; anything else is no proof."""
    try:
        await attempt
    except _NothingToForgeError:
        return _Outcome(policy)
    except DeniedError as error:
        found = _NAME.search(str(error))
        if found and found[1] in (policy, policy + STATIC_SUFFIX):
            return _Outcome(policy, found[1])
        return _Outcome(policy, error=f"{what} was refused, but not by policy {policy}: {error}")
    except ClusterError as error:
        return _Outcome(policy, error=f"{what} could not be tried: {error}")
    return _Outcome(policy, error=f"the API server accepts {what}: policy {policy} is missing or does not bite")


def _weak(standing: Standing, outcomes: list[_Outcome]) -> list[str]:
    """What is wrong with the policies; one that is not listed is only good if files guard."""
    tried = {outcome.policy: outcome for outcome in outcomes if outcome.by}
    from_files = bool(tried) and all(outcome.static for outcome in tried.values())
    missing = [
        f"policy {name} is missing"
        for name in sorted(standing.unlisted)
        if not (tried[name].static if name in tried else from_files)
    ]
    return [*standing.weak, *missing]
