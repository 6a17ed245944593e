"""Follows the Leases of a namespace's engines until each of them says that it has stopped."""

import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from http import HTTPStatus
from queue import Empty, SimpleQueue
from typing import Any

from kubectl_golive.brake import LEASE_PREFIX, RETRY_SECONDS, Shot, start, worth_repeating
from kubectl_golive.cluster import Cluster, lease_path
from kubectl_golive.connection import Connection
from kubectl_golive.obedience import Obedience
from kubectl_golive.problems import Problem, RefusedError, UnreachableError

Document = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Leases:
    """The Leases of every engine of the namespace, as they stood at one moment."""

    at: float
    """Monotonic time of the sight."""
    by_engine: dict[str, Document]
    """By name of the engine's Deployment."""


@dataclass(frozen=True, slots=True)
class Turn:
    """One engine's Lease as it has just been written."""

    at: float
    """Monotonic time of the sight."""
    engine: str
    """Name of the engine's Deployment."""
    lease: Document
    """Empty where it was deleted."""


News = SimpleQueue[Shot | Leases | Turn | Problem]
"""Everything that happens, in the order in which it is learnt."""


@dataclass(slots=True)
class Followed:
    """What is known of some engines since something was done that stops them."""

    asked: tuple[str, ...]
    """The engines; none means every one that the namespace has a Lease of."""
    sent: float
    """Monotonic time just before the request left."""
    sent_time: datetime
    """The same moment by this machine's clock."""
    engines: dict[str, Obedience] = field(default_factory=dict)
    """What each has said."""
    listed: bool = False
    """Whether every engine has been seen."""
    blind: Problem | None = None
    """Why they can't be watched."""

    @property
    def settled(self) -> bool:
        """Every engine has stopped, or no pod of it trades."""
        return self.listed and all(each.obeys or each.nobody for each in self.engines.values())

    def take(self, news: Leases | Turn | Problem) -> None:
        """Take in one piece of news."""
        if isinstance(news, Leases):
            for engine in {*self.asked, *self.engines, *(() if self.asked else news.by_engine)}:
                self._look(engine, news.by_engine.get(engine, {}), news.at)
            self.listed = True
        elif isinstance(news, Turn):
            if not self.asked or news.engine in self.asked:
                self._look(news.engine, news.lease, news.at)
        else:
            self.blind = news

    def _look(self, engine: str, lease: Document, at: float) -> None:
        known = self.engines.setdefault(engine, Obedience(self.sent_time))
        known.sent = self.sent_time
        known.look(lease, at)

    def lines(self) -> Iterator[str]:
        """How it stands, a line for each engine."""
        for name, engine in sorted(self.engines.items()):
            if engine.obeys:
                yield f"engine {name}: {self._measured(engine)}"
            elif engine.nobody:
                yield f"engine {name}: no pod holds its Lease, so none trades"
            else:
                yield f"engine {name}: pod {engine.pod} has NOT said that it has stopped"
        if self.blind is not None or not self.listed:
            yield f"engines can't be watched: {self.blind or 'their Leases were not seen'}"
        elif not self.engines:
            yield "no engine of this namespace has a Lease, so none trades"

    def _measured(self, engine: Obedience) -> str:
        """How long it took; an engine that had stopped before has no time of its own."""
        seen = f"{self.milliseconds(engine):.1f} ms after the request was sent"
        if engine.since is None or engine.since < self.sent_time:
            return f"pod {engine.pod} obeys Closed ({engine.reason}), seen {seen}"
        own = (engine.since - self.sent_time).total_seconds() * 1000
        return f"pod {engine.pod} obeys Closed ({engine.reason}), {seen}; {own:.1f} ms by the engine's clock"

    def milliseconds(self, engine: Obedience) -> float:
        """From just before the request left until the engine's present word was seen."""
        return max(0.0, (engine.seen_at or self.sent) - self.sent) * 1000

    def as_json(self) -> Document:
        """The same for programs."""
        return {
            name: {
                "stopped": engine.obeys,
                "pod": engine.pod or None,
                "reason": engine.reason or None,
                "milliseconds": self.milliseconds(engine) if engine.obeys else None,
            }
            for name, engine in sorted(self.engines.items())
        }


def follow(news: News, cluster: Cluster, seconds: float) -> None:
    """Report every engine's Lease and each change of one; returns without waiting."""
    until = time.monotonic() + seconds
    start(lambda: _follow(news, cluster, until))


def await_engines(followed: Followed, news: News, seconds: float) -> None:
    """Take in news until every engine has stopped, or the time is over."""
    deadline = time.monotonic() + seconds
    while not followed.settled and followed.blind is None and (left := deadline - time.monotonic()) > 0:
        try:
            piece = news.get(timeout=left)
        except Empty:
            continue
        if not isinstance(piece, Shot):
            followed.take(piece)


def _follow(news: News, cluster: Cluster, until: float) -> None:
    """Until nobody cares any more, or it is clear that the caller may not."""
    connection, path = cluster.connection(), lease_path(cluster.namespace)
    while (left := until - time.monotonic()) > 0:
        try:
            items = connection.call("GET", path).get("items") or []
            held = {_engine(item): item for item in items if _engine(item)}
            news.put(Leases(time.monotonic(), held))
            _follow_changes(news, connection, path, left)
        except (UnreachableError, RefusedError) as failure:
            if not worth_repeating(failure) and getattr(failure, "code", 0) != HTTPStatus.GONE:
                return news.put(failure)
        time.sleep(RETRY_SECONDS)
    return None


def _follow_changes(news: News, connection: Connection, path: str, seconds: float) -> None:
    """Report each Lease as it is written; the first events are the present state."""
    for event in connection.watch(path, seconds=seconds):
        lease = event.get("object") or {}
        if engine := _engine(lease):
            present = lease if event.get("type") in {"ADDED", "MODIFIED"} else {}
            news.put(Turn(time.monotonic(), engine, present))


def _engine(lease: Document) -> str:
    """The engine whose Lease it is; empty where it is another one."""
    name = str((lease.get("metadata") or {}).get("name", ""))
    return name.removeprefix(LEASE_PREFIX) if name.startswith(LEASE_PREFIX) else ""
