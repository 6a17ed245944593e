"""The emergency brake: every way to shut a gate fired at once, and the engine watched meanwhile.

Three connections work side by side, so that neither a slow answer nor a refusal on one holds up another.
"""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from queue import SimpleQueue
from typing import Any

from kubectl_golive.cluster import Cluster, config_map_path, golive_path, lease_path
from kubectl_golive.connection import Connection
from kubectl_golive.problems import Problem, RefusedError, UnreachableError

GATE_PREFIX = "golive-gate-"
"""Same as golive_api.gate.GATE_PREFIX, whose module takes 0.15 s to import."""

LEASE_PREFIX = "golive-engine-"
"""Same as golive_api.acknowledgement.LEASE_PREFIX, whose module takes 0.1 s to import."""

REASON_ANNOTATION = "golive.dev/close-reason"
"""Where the words of the person who closed are kept on the GoLive."""

RETRY_SECONDS = 0.1
"""Pause before a shot that did not arrive, or that the server was too busy for, is fired again."""

GIVE_UP_SECONDS = 10.0
"""From then on a shot that has not arrived counts as failed."""

_BUSY = 429
_FAULT = 500

Document = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Shot:
    """How one way to shut the gate went."""

    aim: str
    """`gate` or `activation`."""
    sent: float
    """Monotonic time just before the request left."""
    sent_time: datetime
    """The same moment by this machine's clock."""
    answered: float
    """Monotonic time of the answer."""
    failure: Problem | None = None
    """Why it did not work."""

    @property
    def code(self) -> int | None:
        """HTTP status of a refusal."""
        return self.failure.code if isinstance(self.failure, RefusedError) else None


@dataclass(frozen=True, slots=True)
class Sight:
    """What was seen of the engine, and when."""

    at: float
    """Monotonic time of the sight."""
    golive: Document | None = None
    """The GoLive, read at the same time as the shots were fired."""
    lease: Document | None = None
    """The engine's Lease; an empty one if there is none."""
    failure: Problem | None = None
    """Why the engine can't be watched."""


News = SimpleQueue[Shot | Sight]
"""Everything that happens, in the order in which it is learnt."""


def fire(cluster: Cluster, name: str, reason: str | None, watch_seconds: float) -> News:
    """Shut a gate by deleting it and by disabling its GoLive, both at once; returns without waiting.

    Args:
        cluster: Where.
        name: The GoLive's name.
        reason: What the person says about it.
        watch_seconds: How long the engine is watched.
    """
    news: News = SimpleQueue()
    namespace = cluster.namespace
    disable: Document = {"spec": {"activation": "Disabled"}}
    if reason:
        disable["metadata"] = {"annotations": {REASON_ANNOTATION: reason[:1024]}}
    start(lambda: shoot(news.put, cluster, "gate", "DELETE", config_map_path(namespace, GATE_PREFIX + name)))
    start(lambda: shoot(news.put, cluster, "activation", "PATCH", golive_path(namespace, name), disable))
    start(lambda: _follow_engine(news, cluster, name, time.monotonic() + watch_seconds))
    return news


def start(target: Callable[[], None]) -> None:
    """Do something at the same time; it does not keep the program from ending."""
    threading.Thread(target=target, daemon=True).start()


def shoot(
    tell: Callable[[Shot], None],
    cluster: Cluster,
    aim: str,
    method: str,
    path: str,
    body: Document | None = None,
) -> None:
    """Send until it is answered; each request may be sent twice without harm."""
    first: tuple[float, datetime] | None = None
    give_up = time.monotonic() + GIVE_UP_SECONDS
    connection = cluster.connection()
    while True:
        try:
            connection.open()
            first = first or (time.monotonic(), datetime.now(UTC))
            connection.call(method, path, body, kind="json" if method == "POST" else "merge-patch+json")
            failure = None
        except Problem as problem:
            failure = problem
        now = time.monotonic()
        if failure is None or not worth_repeating(failure) or now >= give_up:
            sent, sent_time = first or (now, datetime.now(UTC))
            return tell(Shot(aim, sent, sent_time, now, failure))
        connection.close()
        time.sleep(RETRY_SECONDS)


def worth_repeating(failure: Problem) -> bool:
    """Whether the same request may work in a moment."""
    if isinstance(failure, RefusedError):
        return failure.code == _BUSY or failure.code >= _FAULT
    return isinstance(failure, UnreachableError)


def _follow_engine(news: News, cluster: Cluster, name: str, until: float) -> None:
    """Report the GoLive, then each state of its engine's Lease, until nobody cares any more."""
    connection = cluster.connection()
    while (left := until - time.monotonic()) > 0:
        try:
            golive = connection.call("GET", golive_path(cluster.namespace, name))
            news.put(Sight(time.monotonic(), golive=golive))
            engine = golive["spec"]["request"]["engineRef"]["name"]
            _follow_lease(news, connection, lease_path(cluster.namespace), LEASE_PREFIX + engine, left)
        except (UnreachableError, RefusedError) as failure:
            if not worth_repeating(failure):
                return news.put(Sight(time.monotonic(), failure=failure))
        time.sleep(RETRY_SECONDS)
    return None


def _follow_lease(news: News, connection: Connection, path: str, name: str, seconds: float) -> None:
    """Report the Lease as it is and each change; the first watch event is the present state."""
    try:
        news.put(Sight(lease=connection.call("GET", f"{path}/{name}"), at=time.monotonic()))
    except RefusedError as failure:
        if failure.code != 404:  # noqa: PLR2004  HTTP's own number
            raise
        news.put(Sight(time.monotonic(), lease={}))
    for event in connection.watch(path, seconds=seconds, fieldSelector=f"metadata.name={name}"):
        if event.get("type") in {"ADDED", "MODIFIED"}:
            news.put(Sight(time.monotonic(), lease=event["object"]))
        elif event.get("type") == "DELETED":
            news.put(Sight(time.monotonic(), lease={}))
