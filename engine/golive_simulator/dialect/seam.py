"""The seam between HTTP and a venue's dialect: a request as plain data in, an answer as plain data out."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from golive_simulator.exchange import AS_USUAL, Handling

if TYPE_CHECKING:
    from collections.abc import Mapping

    from golive_simulator.exchange import Exchange
    from golive_simulator.faults import RequestFacts


@dataclass(frozen=True, slots=True)
class Asked:
    """An HTTP request, with query and body exactly as they came: signatures cover every byte."""

    host: str
    method: str
    path: str
    query: str
    body: str
    headers: Mapping[str, str]
    peer: str
    now_ms: int
    handling: Handling = AS_USUAL


@dataclass(frozen=True, slots=True)
class Answer:
    """An HTTP answer; a ``str`` body goes out as HTML, anything else as JSON."""

    status: int
    body: Any
    headers: dict[str, str] = field(default_factory=dict)


class Dialect(Protocol):
    """One venue's way of speaking."""

    name: str
    """The venue, as ccxt calls it."""
    hosts: Mapping[str, str]
    """Environment behind each host name."""

    def facts(self, environment: str, asked: Asked) -> RequestFacts:
        """What a request is about, for faults and for the log."""
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
