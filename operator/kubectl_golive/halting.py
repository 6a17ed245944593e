"""An EmergencyStop while it is applied: the request and the engines' Leases at the same time."""

import secrets
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from http import HTTPStatus
from queue import Empty, SimpleQueue
from typing import Any

import click

from golive_api import API_VERSION
from kubectl_golive.brake import GIVE_UP_SECONDS, Shot, shoot, start
from kubectl_golive.cluster import Cluster, stop_path
from kubectl_golive.exits import Exit
from kubectl_golive.following import Followed, News, follow
from kubectl_golive.printable import printable
from kubectl_golive.problems import Problem

MOST_REASON = 1024
"""How much of a reason an EmergencyStop holds; a longer one is cut, not refused."""

Document = dict[str, Any]


@dataclass(slots=True)
class Halt:
    """One stop while it is applied."""

    name: str
    """Name of the EmergencyStop."""
    namespace: str
    """Its namespace."""
    spec: Document
    """What it says."""
    followed: Followed
    """What is known of the engines."""
    shot: Shot | None = None
    """How the request went."""

    @property
    def applied(self) -> bool:
        """Whether it stands on the API server."""
        return self.shot is not None and self.shot.failure is None

    @property
    def finished(self) -> bool:
        """Nothing is left to wait for."""
        settled = self.followed.settled or self.followed.blind is not None
        return self.shot is not None and (settled or not self.applied)

    @property
    def doubts(self) -> Iterator[str]:
        """Why it may have stopped nobody at all: a misspelt name must not look like a stop."""
        if not self.followed.listed:
            return
        for engine in self.followed.asked:
            if not self.followed.engines[engine].lease:
                yield f"namespace {self.namespace} has no Lease of an engine {engine}: is the name right?"
        if not self.followed.engines:
            yield f"no engine of namespace {self.namespace} has a Lease: is it the right namespace?"


def halt(
    cluster: Cluster, name: str | None, engines: tuple[str, ...], reason: str, seconds: float, *, aloud: bool
) -> Halt:
    """Apply the stop, and watch the engines until they have stopped or the time is over."""
    now = datetime.now(UTC)
    name = name or f"stop-{now:%Y%m%d-%H%M%S}-{secrets.token_hex(2)}"
    engines = tuple(dict.fromkeys(engines))
    spec: Document = {"reason": reason[:MOST_REASON]} | ({"engines": list(engines)} if engines else {})
    body = {"apiVersion": API_VERSION, "kind": "EmergencyStop", "metadata": {"name": name}, "spec": spec}
    done = Halt(name, cluster.namespace, spec, Followed(engines, time.monotonic(), now))
    news: News = SimpleQueue()
    start(lambda: shoot(news.put, cluster, "stop", "POST", stop_path(cluster.namespace), body))
    follow(news, cluster, seconds)
    for shot in _collect(done, news, seconds):
        done.shot = _proven(cluster, done, shot)
        done.followed.sent, done.followed.sent_time = shot.sent, shot.sent_time
        if aloud and done.applied:
            click.echo(f"EmergencyStop {name} applied ({(shot.answered - shot.sent) * 1000:.1f} ms)")
    return done


def _collect(done: Halt, news: News, seconds: float) -> Iterator[Shot]:
    """Take in news until nothing is left to wait for, or the time is over; hand the request's answer out."""
    deadline = time.monotonic() + seconds
    latest = time.monotonic() + max(seconds, GIVE_UP_SECONDS + 1)
    while not done.finished and (left := (deadline if done.shot else latest) - time.monotonic()) > 0:
        try:
            piece = news.get(timeout=left)
        except Empty:
            continue
        if isinstance(piece, Shot):
            yield piece
        else:
            done.followed.take(piece)


def _proven(cluster: Cluster, done: Halt, shot: Shot) -> Shot:
    """A stop of this name that says the same counts as applied: the first answer may have been lost."""
    if shot.code != HTTPStatus.CONFLICT:
        return shot
    spec = cluster.call("GET", stop_path(cluster.namespace, done.name))["spec"]
    if "release" in spec or (spec["reason"], spec.get("engines") or []) != (
        done.spec["reason"],
        done.spec.get("engines") or [],
    ):
        return shot
    return Shot(shot.aim, shot.sent, shot.sent_time, shot.answered)


def verdict(done: Halt, *, aloud: bool) -> int:
    """Say how it ended, and return the exit code.

    Raises:
        Problem: No stop was applied.
    """
    if not done.applied:
        why = done.shot.failure if done.shot else "no answer"
        raise Problem(f"NOT STOPPED in namespace {done.namespace}: {why}")
    if aloud:
        for line in done.followed.lines():
            click.echo(printable(line))
        click.echo(f"lift it with: kubectl golive release {done.name} -n {done.namespace} --root-cause TEXT")
    doubts = list(done.doubts)
    for doubt in doubts:
        click.echo(f"warning: {printable(doubt)}", err=True)
    return Exit.OK if done.followed.settled and not doubts else Exit.UNKNOWN


def as_json(done: Halt) -> Document:
    """The same for programs; times in milliseconds from the request on."""
    return {
        "name": done.name,
        "namespace": done.namespace,
        "applied": done.applied,
        "sentTime": done.followed.sent_time.isoformat(),
        "engines": done.followed.as_json(),
        "settled": done.followed.settled,
    }
