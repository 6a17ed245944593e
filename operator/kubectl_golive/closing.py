"""A close while it happens: what is known, whether it is over, and how it is told."""

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from kubectl_golive.brake import GATE_PREFIX, Shot, Sight
from kubectl_golive.exits import Exit
from kubectl_golive.obedience import Obedience
from kubectl_golive.problems import Problem

LONGEST_TTL_SECONDS = 60
"""No gate outlives its last renewal by more; used where the request could not be read."""

_NOT_FOUND = 404


@dataclass(slots=True)
class Closing:
    """One close while it happens."""

    name: str
    """The GoLive's name."""
    namespace: str
    """Its namespace."""
    obedience: Obedience
    """What is known of the engine."""
    shots: dict[str, Shot] = field(default_factory=dict)
    """How each way to shut the gate went, by its aim."""
    ttl_seconds: int = LONGEST_TTL_SECONDS
    """Longest trust of an engine in a gate that nobody renews."""
    blind: Problem | None = None
    """Why the engine can't be watched."""

    @property
    def sent(self) -> float | None:
        """Monotonic time at which the delete left, or, if that went nowhere, the patch."""
        shot = self.shots.get("gate") or self.shots.get("activation")
        return shot.sent if shot else None

    @property
    def answered(self) -> bool:
        """Both ways to shut the gate have come to an end."""
        return self.shots.keys() >= {"gate", "activation"}

    @property
    def shut(self) -> bool:
        """One way at least has worked; a gate that was not there doesn't count, for it may still come."""
        return any(shot.failure is None for shot in self.shots.values())

    @property
    def finished(self) -> bool:
        """Nothing is left to wait for."""
        settled = self.blind is not None or self.obedience.nobody or self.obedience.obeys
        return self.answered and (settled or not self.shut)

    @property
    def milliseconds(self) -> float | None:
        """From just before the request left until the engine's answer was seen."""
        if not self.obedience.obeys or self.obedience.seen_at is None or self.sent is None:
            return None
        return (self.obedience.seen_at - self.sent) * 1000

    def take(self, news: Shot | Sight) -> None:
        """Take in one piece of news."""
        if isinstance(news, Shot):
            self.shots[news.aim] = news
            self.obedience.sent = self.shots.get("gate", news).sent_time
            self.obedience.gate_was_open &= (news.aim, news.code) != ("gate", _NOT_FOUND)
        elif news.golive is not None:
            request = news.golive["spec"]["request"]
            self.ttl_seconds = request.get("gate", {}).get("ttlSeconds", LONGEST_TTL_SECONDS)
            gate = news.golive.get("status", {}).get("gate", {})
            self.obedience.gate_was_open &= gate.get("state", "Closed") != "Closed"
        elif news.lease is not None:
            self.obedience.look(news.lease, news.at)
        else:
            self.blind = news.failure


def hit(closing: Closing, shot: Shot) -> str:
    """What a shot has done."""
    took = f"({(shot.answered - shot.sent) * 1000:.1f} ms)"
    if shot.aim == "gate":
        return f"gate ConfigMap {GATE_PREFIX}{closing.name} deleted {took}"
    return f"spec.activation is Disabled {took}"


def miss(closing: Closing, shot: Shot) -> str:
    """Why a shot has done nothing."""
    if shot.code != _NOT_FOUND:
        return f"{shot.aim}: {shot.failure}"
    gate = f"there is no gate ConfigMap {GATE_PREFIX}{closing.name}"
    return gate if shot.aim == "gate" else f"there is no GoLive {closing.name}"


def ending(closing: Closing) -> tuple[str, int]:
    """How a close that shut the gate ended for the engine, and the exit code."""
    engine = closing.obedience
    if engine.obeys:
        return f"closed: {_measured(closing)}", Exit.OK
    if engine.nobody:
        return "closed: no engine pod holds the Lease, so none trades", Exit.OK
    if closing.blind:
        why = f"the engine can't be watched: {closing.blind}"
    elif engine.lease is None:
        why = "the engine's Lease was not seen"
    else:
        why = f"engine pod {engine.pod} has not acknowledged"
    bound = engine.sent + timedelta(seconds=closing.ttl_seconds)  # when trust in a gate that nobody renews ends
    return (
        f"shut, but {why}; its trust in the gate ends by itself at {bound:%H:%M:%S} UTC at the latest",
        Exit.UNKNOWN,
    )


def _measured(closing: Closing) -> str:
    engine = closing.obedience
    since = engine.since or engine.sent
    if since < engine.sent and not engine.gate_was_open:
        return f"engine pod {engine.pod} obeys since {since:%Y-%m-%d %H:%M:%S} UTC ({engine.reason})"
    own = (since - engine.sent).total_seconds() * 1000
    return (
        f"engine pod {engine.pod} acknowledged ({engine.reason}) {closing.milliseconds:.1f} ms after the "
        f"request was sent; {own:.1f} ms by the engine's clock"
    )


def as_json(closing: Closing) -> dict[str, Any]:
    """The same for programs; times in milliseconds from the request on."""
    engine = closing.obedience
    own = (engine.since - engine.sent).total_seconds() * 1000 if engine.obeys and engine.since else None
    return {
        "name": closing.name,
        "namespace": closing.namespace,
        "shots": {aim: str(shot.failure or "done") for aim, shot in closing.shots.items()},
        "sentTime": engine.sent.isoformat(),
        "acknowledged": engine.obeys,
        "pod": engine.pod or None,
        "acknowledgedMilliseconds": closing.milliseconds,
        "engineClockMilliseconds": own,
    }
