"""The seam between HTTP and a venue's dialect: a request as plain data in, an answer as plain data out."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from golive_simulator.exchange import AS_USUAL, Handling

if TYPE_CHECKING:
    from collections.abc import Mapping

    from golive_simulator.exchange import Exchange
    from golive_simulator.faults import RequestFacts
    from golive_simulator.market import Market, Quote


@dataclass(frozen=True, slots=True)
class Asked:
    """An HTTP request, with query and body exactly as they came: signatures cover every byte."""

    host: str
    """Host header, without port."""
    method: str
    """HTTP method."""
    path: str
    """Path as sent."""
    query: str
    """Query as sent, without question mark."""
    body: str
    """Body as sent."""
    headers: Mapping[str, str]
    """Case-insensitive."""
    peer: str
    """The client's address."""
    now_ms: int
    """The venue's time of arrival."""
    handling: Handling = AS_USUAL
    """How an accepted order is to be treated."""


@dataclass(frozen=True, slots=True)
class Answer:
    """An HTTP answer; a ``str`` body goes out as HTML, anything else as JSON."""

    status: int
    """HTTP status."""
    body: Any
    """JSON, or HTML if a text."""
    headers: dict[str, str] = field(default_factory=dict)
    """Besides the usual ones."""
    is_refusal: bool = False
    """Whether the venue said no, whatever the status."""
    code: int | None = None
    """The venue's own code, where it does not stand in the body as ``code``."""
    order_id: str | None = None
    """The order answered with, where it does not stand in the body."""


class Dialect(Protocol):
    """One venue's way of speaking."""

    hosts: Mapping[str, str]
    """Environment behind each host name."""

    def facts(self, environment: str, asked: Asked) -> RequestFacts:
        """What a request is about, for faults and for the log.

        ``environment`` is that of the host; the facts name the one really meant, which a header may decide.
        """
        ...

    def answer(self, exchange: Exchange, asked: Asked) -> Answer:
        """Do what is asked and say what the venue would say."""
        ...

    def margin_refusal(self) -> Answer:
        """The venue's words for too little margin."""
        ...

    def rate_limited(self, status: int, retry_after_seconds: int) -> Answer:
        """The venue's words for too many requests (429) or a ban (418)."""
        ...


@dataclass(frozen=True, slots=True)
class Heard:
    """What a client's word on a stream leads to."""

    answers: tuple[str, ...] = ()
    """What it is told at once."""
    subscribed: dict[str, str] = field(default_factory=dict)
    """Contract of each topic that it wants to hear from now on."""
    unsubscribed: tuple[str, ...] = ()
    """Topics that it wants no longer."""


class Streams(Protocol):
    """One venue's way of telling prices over WebSocket. It remembers nothing of a client."""

    hosts: Mapping[str, str]
    """Environment behind each host name."""
    tells_at_once: bool
    """Whether a new subscriber hears the present prices before they change."""
    repeat_ms: int | None
    """After how long prices that stand still are told again."""
    ping_ms: int | None
    """How often the venue pings; None where that is left to the client."""
    idle_ms: int
    """Silence after which the venue hangs up: the client's where the venue pings, else that of both."""

    def opened(self, path: str, market: Market) -> dict[str, str] | None:
        """The topics that a path subscribes to by itself; None where nothing is served."""
        ...

    def heard(self, text: str, market: Market, topics: Mapping[str, str]) -> Heard:
        """What a client's word leads to, given the topics it already hears."""
        ...

    def told(self, topic: str, quote: Quote, now_ms: int) -> str:
        """A topic's present prices."""
        ...
