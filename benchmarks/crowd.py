"""Many engines and many requests on one API server: the objects, the people who ask, what is watched meanwhile.

No kubelet runs: Deployments, ReplicaSets and Pods are made as controllers would have left them, and one
process (`crowd_engines.py`) answers for every pod.
"""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
from close_latency import credentials

from golive_api.golive import GateState
from golive_dev.progress import Tick

PER_NAMESPACE = 10
"""Requests that share a namespace."""

AT_ONCE = 16
"""Requests of people that are on their way at the same time."""

LIST_TRIES = 40
"""How often a list is tried before a watch."""

GROUP = "/apis/golive.dev/v1alpha1"
SETTINGS = "interval_seconds: 5\n"
MERGE = "application/merge-patch+json"
Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Member:
    """One request, its engine and its pod, which all bear one name."""

    number: int

    @property
    def namespace(self) -> str:
        """Where it lives."""
        return f"desk-{self.number // PER_NAMESPACE:03}"

    @property
    def name(self) -> str:
        """Of GoLive and Deployment."""
        return f"engine-{self.number:04}"

    @property
    def pod(self) -> str:
        """Of the one pod."""
        return f"{self.name}-0"

    @property
    def address(self) -> str:
        """Where the pod answers; a loopback address of its own."""
        return f"127.77.{self.number // 250}.{self.number % 250 + 1}"

    @property
    def golive(self) -> str:
        """Path of the GoLive."""
        return f"{GROUP}/namespaces/{self.namespace}/golives/{self.name}"

    @property
    def gate(self) -> str:
        """Path of the gate."""
        return f"/api/v1/namespaces/{self.namespace}/configmaps/golive-gate-{self.name}"

    @property
    def lease(self) -> str:
        """Path of the engine's Lease."""
        folder = f"/apis/coordination.k8s.io/v1/namespaces/{self.namespace}/leases"
        return f"{folder}/golive-engine-{self.name}"


class Client:
    """One user's requests."""

    def __init__(self, kubeconfig: Path) -> None:
        self._url, context = credentials(kubeconfig)
        connector = aiohttp.TCPConnector(ssl=context)
        self._session = aiohttp.ClientSession(
            connector=connector, timeout=aiohttp.ClientTimeout(sock_connect=5)
        )

    async def close(self) -> None:
        """Close the connections."""
        await self._session.close()

    async def ask(self, method: str, path: str, body: Any = None, kind: str = "") -> Any:
        """One request; raises RuntimeError when it is refused."""
        headers = {"Content-Type": kind or (MERGE if method == "PATCH" else "application/json")}
        data = None if body is None else json.dumps(body)
        async with self._session.request(method, self._url + path, data=data, headers=headers) as answer:
            text = await answer.text()
            if answer.status >= 300:  # noqa: PLR2004  # the 2xx range
                raise RuntimeError(f"{method} {path}: {answer.status} {text[:500]}")
            return json.loads(text) if text.startswith("{") else text

    async def follow(self, path: str, **query: str) -> AsyncIterator[tuple[str, Json]]:
        """Every object that there is, then every change; from the start where a busy server ends the watch."""
        while True:
            listed = await self._listed(path + "?" + "&".join(f"{key}={value}" for key, value in query.items()))
            for item in listed["items"]:
                yield "ADDED", item
            since = {"watch": "1", "resourceVersion": listed["metadata"]["resourceVersion"], **query}
            async with self._session.get(self._url + path, params=since, read_bufsize=2**22) as answer:
                async for line in answer.content:
                    event = json.loads(line)
                    if event["type"] == "ERROR":
                        break
                    yield event["type"], event["object"]

    async def _listed(self, path: str) -> Any:
        """A list; the API server may not have begun to keep a new kind yet."""
        for _ in range(LIST_TRIES - 1):
            try:
                return await self.ask("GET", path)
            except RuntimeError:
                await asyncio.sleep(0.5)
        return await self.ask("GET", path)


@dataclass
class Seen:
    """What a watch has told of one request."""

    state: str = ""
    epoch: int = 0
    valid_until: str = ""
    reason: str = ""
    ready: bool = False
    """Whether status says that nothing is missing but approvals."""
    digest: str = ""
    obeyed: str = ""
    """What the engine acknowledges."""


@dataclass
class Watch:
    """Follows gates, requests and acknowledgements of all members."""

    client: Client
    seen: dict[str, Seen] = field(default_factory=dict)
    _changed: asyncio.Event = field(default_factory=asyncio.Event)
    task: asyncio.Task[None] | None = None
    check: Callable[[], None] = lambda: None
    """Raises where waiting has become pointless."""

    async def run(self) -> None:
        """Until cancelled."""
        gates = self.client.follow("/api/v1/configmaps", labelSelector="golive.dev/gate")
        await asyncio.gather(
            self._each(gates, self._gate),
            self._each(self.client.follow(f"{GROUP}/golives"), self._golive),
            self._each(self.client.follow("/apis/coordination.k8s.io/v1/leases"), self._lease),
        )

    async def _each(
        self, events: AsyncIterator[tuple[str, Json]], take: Callable[[str, str, Json], None]
    ) -> None:
        async for kind, item in events:
            take(kind, item["metadata"]["name"], item)
            self._changed.set()

    def _of(self, name: str) -> Seen:
        return self.seen.setdefault(name, Seen())

    def _gate(self, kind: str, name: str, item: Json) -> None:
        seen, data = self._of(name.removeprefix("golive-gate-")), item.get("data") or {}
        gone = kind == "DELETED"
        seen.state = "" if gone else data["state"]
        seen.epoch, seen.valid_until = int(data["epoch"]), data.get("validUntil", "")

    def _golive(self, _kind: str, name: str, item: Json) -> None:
        seen, status = self._of(name), item.get("status") or {}
        gate = status.get("gate") or {}
        seen.reason, seen.digest = gate.get("reason", ""), status.get("digest") or ""
        conditions = {each["type"]: each["status"] for each in status.get("conditions") or []}
        current = status.get("observedGeneration") == item["metadata"]["generation"]
        fit = conditions.get("PreflightPassed") == conditions.get("AdmissionGuarded") == "True"
        seen.ready = current and fit and seen.reason == "ApprovalsMissing"

    def _lease(self, _kind: str, name: str, item: Json) -> None:
        if name.startswith("golive-engine-"):
            annotations = item["metadata"].get("annotations") or {}
            self._of(name.removeprefix("golive-engine-")).obeyed = annotations.get("golive.dev/state", "")

    async def until(
        self, condition: Callable[[], bool], seconds: float = 120, tick: Tick | None = None
    ) -> float:
        """Wait; returns the monotonic time at which it was seen to hold. Raises TimeoutError."""
        ends = time.monotonic() + seconds
        while not condition():
            if time.monotonic() > ends:
                raise TimeoutError(f"not within {seconds} s")
            if self.task is not None and self.task.done():
                self.task.result()
                raise RuntimeError("the watch has ended")
            self.check()
            self._changed.clear()
            if tick is not None:
                tick()
            try:
                async with asyncio.timeout(0.5):
                    await self._changed.wait()
            except TimeoutError:
                continue
        return time.monotonic()

    def counted(self, members: Iterable[Member], holds: Callable[[Seen], bool]) -> int:
        """Of how many members something holds."""
        return sum(holds(self._of(member.name)) for member in members)

    def all(self, members: Sequence[Member], holds: Callable[[Seen], bool]) -> bool:
        """Whether something holds of all."""
        return all(holds(self._of(member.name)) for member in members)


async def in_turns(work: Iterable[Awaitable[Any]]) -> None:
    """Everything, a few at a time."""
    turns = asyncio.Semaphore(AT_ONCE)

    async def one(each: Awaitable[Any]) -> None:
        async with turns:
            await each

    await asyncio.gather(*map(one, work))


@asynccontextmanager
async def watching(client: Client) -> AsyncIterator[Watch]:
    """A watch that runs meanwhile."""
    watch = Watch(client)
    watch.task = asyncio.create_task(watch.run())
    try:
        yield watch
    finally:
        watch.task.cancel()
        await asyncio.gather(watch.task, return_exceptions=True)


async def settle(client: Client, members: Sequence[Member], port: int) -> None:
    """Make namespaces, engines and pods."""
    for namespace in sorted({member.namespace for member in members}):
        await client.ask("POST", "/api/v1/namespaces", {"metadata": {"name": namespace}})
        folder = f"/api/v1/namespaces/{namespace}"
        await client.ask("POST", f"{folder}/serviceaccounts", {"metadata": {"name": "default"}})
        for user, role in (("trader", "admin"), ("approver", "golive-approver")):
            await client.ask("POST", *_binding(namespace, user, role))
    await in_turns(_engine(client, member, port) for member in members)


def _binding(namespace: str, user: str, role: str) -> tuple[str, Json]:
    group = "rbac.authorization.k8s.io"
    body = {
        "metadata": {"name": f"{user}-{role}"},
        "roleRef": {"apiGroup": group, "kind": "ClusterRole", "name": role},
        "subjects": [{"apiGroup": group, "kind": "User", "name": user}],
    }
    return f"/apis/{group}/v1/namespaces/{namespace}/rolebindings", body


async def _engine(client: Client, member: Member, port: int) -> None:
    core, apps = (f"/{part}/namespaces/{member.namespace}" for part in ("api/v1", "apis/apps/v1"))
    name, labels = member.name, {"app": member.name}
    await client.ask("POST", f"{core}/configmaps", _named(name, data={"engine.yaml": SETTINGS}))
    await client.ask("POST", f"{core}/secrets", _named(name, stringData={"KEY": "one"}))
    template = {"metadata": {"labels": labels}, "spec": _pod_spec(name, port)}
    common = {"replicas": 1, "selector": {"matchLabels": labels}}
    made = await client.ask("POST", f"{apps}/deployments", _named(name, spec={**common, "template": template}))
    owner = {"apiVersion": "apps/v1", "kind": "Deployment", "name": name, "controller": True}
    hashed = {"metadata": {"labels": labels | {"pod-template-hash": "1"}}, "spec": _pod_spec(name, port)}
    body = _named(name, spec={**common, "template": hashed}, owner=owner | {"uid": made["metadata"]["uid"]})
    body["spec"]["selector"] = {"matchLabels": hashed["metadata"]["labels"]}
    body["metadata"]["labels"] = hashed["metadata"]["labels"]
    made = await client.ask("POST", f"{apps}/replicasets", body)
    owner = owner | {"kind": "ReplicaSet", "uid": made["metadata"]["uid"]}
    body = _named(member.pod, spec=_pod_spec(name, port), owner=owner)
    body["metadata"]["labels"] = hashed["metadata"]["labels"]
    await client.ask("POST", f"{core}/pods", body)
    ready = {"phase": "Running", "podIP": member.address, "podIPs": [{"ip": member.address}]}
    await client.ask("PATCH", f"{core}/pods/{member.pod}/status", {"status": ready})


def _named(name: str, owner: Json | None = None, **parts: Any) -> Json:
    return {"metadata": {"name": name} | ({"ownerReferences": [owner]} if owner else {}), **parts}


def _pod_spec(name: str, port: int) -> Json:
    container = {
        "name": "engine",
        "image": "none",
        "env": [{"name": "KEY", "valueFrom": {"secretKeyRef": {"name": name, "key": "KEY"}}}],
        "ports": [{"name": "http", "containerPort": port}],
        "volumeMounts": [{"name": "settings", "mountPath": "/etc/engine"}],
    }
    volumes = [{"name": "settings", "configMap": {"name": name}}]
    return {"automountServiceAccountToken": False, "containers": [container], "volumes": volumes}


@dataclass
class People:
    """Who asks, and who agrees."""

    trader: Client
    approver: Client
    watch: Watch
    ttl_seconds: int

    async def request(self, member: Member) -> None:
        """Ask for real trading."""
        asked = {
            "engineRef": {"name": member.name},
            "profile": "micro",
            "accounts": ["main"],
            "gate": {"ttlSeconds": self.ttl_seconds},
        }
        body = {
            "apiVersion": "golive.dev/v1alpha1",
            "kind": "GoLive",
            "metadata": {"name": member.name},
            "spec": {"activation": "Enabled", "request": asked},
        }
        await self.trader.ask("POST", member.golive.rpartition("/")[0], body)

    async def consent(self, member: Member) -> dict[str, Any]:
        """The approval of what stands there, not sent yet."""
        golive = await self.approver.ask("GET", member.golive)
        approval = {
            "user": "approver",
            "revision": golive["spec"]["revision"],
            "uid": golive["metadata"]["uid"],
            "digest": golive["status"]["digest"],
        }
        return {"spec": {"approvals": [approval]}}

    async def approve(self, member: Member) -> None:
        """Agree to what stands there."""
        await self.approver.ask("PATCH", member.golive, await self.consent(member))

    async def set_activation(self, member: Member, wanted: str) -> None:
        """Enable or disable."""
        await self.trader.ask("PATCH", member.golive, {"spec": {"activation": wanted}})

    async def renew(self, member: Member, seconds: float = 60) -> None:
        """Disable and enable: a new revision that waits for approvals, and nothing else."""
        seen = self.watch.seen[member.name]
        await self.set_activation(member, "Disabled")
        await self.watch.until(lambda: seen.reason == "ActivationDisabled", seconds)
        await self.set_activation(member, "Enabled")
        await self.watch.until(lambda: seen.ready, seconds)

    def is_open(self, member: Member) -> bool:
        """Whether its gate says Open."""
        return self.watch.seen[member.name].state == GateState.OPEN.value
