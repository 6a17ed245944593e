"""Prices over WebSocket: what each connection hears, and when it is let down.

Belongs here: subscriptions, what is due, faults of streams. Does not belong here: a venue's words.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING

from aiohttp import WSMsgType, web

from golive_simulator.dialect.binance.streams import BinanceStreams
from golive_simulator.dialect.bybit.streams import BybitStreams
from golive_simulator.dialect.okx.streams import OkxStreams
from golive_simulator.faults import FaultKind

if TYPE_CHECKING:
    from golive_simulator.dialect.seam import Streams
    from golive_simulator.exchange import Exchange
    from golive_simulator.faults import Fault
    from golive_simulator.market import Quote
    from golive_simulator.venue import Venue

SPEECHES: tuple[Streams, ...] = (BinanceStreams(), BybitStreams(), OkxStreams())
"""Every venue's way of telling prices."""

HOSTS: dict[str, tuple[Streams, str]] = {
    host: (speech, environment) for speech in SPEECHES for host, environment in speech.hosts.items()
}
"""Speech and environment behind each host name."""

Version = tuple[int, Decimal]
"""Number of a price move, and the share of the usual quantities that is in the book."""

LOOK_SECONDS = 0.01
"""How often a connection looks whether it has something to tell; OKX promises ten milliseconds."""


@dataclass(slots=True)
class Connection:
    """One client's subscriptions and what it was last told. No socket, no clock."""

    speech: Streams
    """How it is spoken to."""
    exchange: Exchange
    """Whose prices it is told."""
    topics: dict[str, str]
    """Contract of each topic it hears."""
    heard_ms: int
    """When it last said anything; at first, when it was opened."""
    told_ms: int = field(init=False)
    """When it was last told anything."""
    pinged_ms: int = field(init=False)
    """When the venue last pinged it."""
    _told: dict[str, tuple[Version | None, int]] = field(default_factory=dict)
    """Version and time of the prices that each topic was last told, or began at."""

    def __post_init__(self) -> None:
        self.told_ms = self.pinged_ms = self.heard_ms
        self._begin(self.topics, self.heard_ms)

    def hear(self, text: str, now_ms: int) -> tuple[str, ...]:
        """Take a client's word; returns the answers."""
        heard = self.speech.heard(text, self.exchange.market, self.topics)
        self.topics |= heard.subscribed
        self._begin(heard.subscribed, now_ms)
        for topic in heard.unsubscribed:
            self.topics.pop(topic, None)
        return heard.answers

    def _begin(self, topics: dict[str, str], now_ms: int) -> None:
        """Start topics: with the present prices, or with the next ones."""
        for topic, symbol in topics.items():
            self._told[topic] = (None if self.speech.tells_at_once else self._version(symbol), now_ms)

    def due(self, now_ms: int, silent: frozenset[str]) -> list[str]:
        """What is to be told now of all contracts but those that are ``silent``."""
        texts = []
        for topic, symbol in self.topics.items():
            if symbol in silent or not self._is_due(topic, symbol, now_ms):
                continue
            self._told[topic] = (self._version(symbol), now_ms)
            texts.append(self.speech.told(topic, self.exchange.shown(symbol, now_ms), now_ms))
        return texts

    def _is_due(self, topic: str, symbol: str, now_ms: int) -> bool:
        """Whether prices have changed, or have stood still for long enough to be repeated."""
        told, at_ms = self._told[topic]
        if told != self._version(symbol):
            return True
        repeat_ms = None if self._frozen(symbol) else self.speech.repeat_ms
        return repeat_ms is not None and now_ms - at_ms >= repeat_ms

    def _version(self, symbol: str) -> Version:
        """What changes whenever the prices or quantities do that market data shows."""
        quote = self._frozen(symbol) or self.exchange.market.quote(symbol)
        return quote.sequence, quote.share

    def _frozen(self, symbol: str) -> Quote | None:
        """The prices at which market data stands still, if it does."""
        return self.exchange.frozen.get(symbol) or self.exchange.market.frozen.get(symbol)

    def is_idle(self, now_ms: int) -> bool:
        """Whether the venue hangs up."""
        last_ms = self.heard_ms if self.speech.ping_ms else max(self.heard_ms, self.told_ms)
        return now_ms - last_ms > self.speech.idle_ms

    def wants_ping(self, now_ms: int) -> bool:
        """Whether the venue's next ping is due."""
        return self.speech.ping_ms is not None and now_ms - self.pinged_ms >= self.speech.ping_ms


@dataclass(frozen=True, slots=True)
class Line:
    """A connection on its socket, with all that may happen to it."""

    request: web.Request
    """The request that became a WebSocket."""
    socket: web.WebSocketResponse
    """Where the client is heard and told."""
    connection: Connection
    """What it has subscribed to."""
    venue: Venue
    """Prices, time and faults."""

    async def listen(self) -> None:
        """Answer what the client says until it hangs up; nothing at all while streams are silent."""
        async for message in self.socket:
            now_ms = self.connection.heard_ms = self.venue.clock.now_ms()
            is_text = message.type is WSMsgType.TEXT
            answers = self.connection.hear(message.data, now_ms) if is_text else ()
            if _silent(self.venue, self.connection.exchange.environment) is None:
                continue
            if message.type is WSMsgType.PING:
                await self.socket.pong(message.data)
            for answer in answers:
                await self.socket.send_str(answer)

    async def tell(self) -> None:
        """Tell prices as they move; break the line when a fault, a restart or idleness says so."""
        before = frozenset(_in_force(self.venue, FaultKind.STREAM_DROP, self.connection.exchange.environment))
        with suppress(ConnectionError):
            while not self._is_cut(before):
                await self._tell_what_is_due()
                await asyncio.sleep(LOOK_SECONDS)
        if self.request.transport is not None:
            self.request.transport.abort()

    def _is_cut(self, faults_before: frozenset[int]) -> bool:
        """Whether the line breaks: it survives only those faults that were there when it was opened."""
        now_ms = self.venue.clock.now_ms()
        drops = _in_force(self.venue, FaultKind.STREAM_DROP, self.connection.exchange.environment)
        return (
            not drops.keys() <= faults_before
            or now_ms < self.venue.down_until_ms
            or self.connection.is_idle(now_ms)
        )

    async def _tell_what_is_due(self) -> None:
        """Send prices, and a ping if that is due."""
        silent, now_ms = _silent(self.venue, self.connection.exchange.environment), self.venue.clock.now_ms()
        if silent is None:
            return
        for text in self.connection.due(now_ms, silent):
            await self.socket.send_str(text)
            self.connection.told_ms = now_ms
        if self.connection.wants_ping(now_ms):
            self.connection.pinged_ms = now_ms
            await self.socket.ping()


async def serve(request: web.Request, venue: Venue) -> web.StreamResponse:
    """Speak with one client until either side hangs up."""
    found = HOSTS.get(request.host.partition(":")[0].lower())
    topics = found[0].opened(request.path, venue.market) if found else None
    if found is None or topics is None:
        return web.Response(status=404)
    speech, environment = found
    now_ms = venue.clock.now_ms()
    if now_ms < venue.down_until_ms or _in_force(venue, FaultKind.STREAM_REFUSED, environment):
        return web.Response(status=503)
    connection = Connection(speech, venue.exchanges[environment], topics, now_ms)
    socket = web.WebSocketResponse(autoping=False, compress=False)
    await socket.prepare(request)
    line = Line(request, socket, connection, venue)
    teller = asyncio.create_task(line.tell())
    try:
        await line.listen()
    finally:
        teller.cancel()
        await asyncio.gather(teller, return_exceptions=True)
    return socket


def _in_force(venue: Venue, kind: FaultKind, environment: str) -> dict[int, Fault]:
    """The faults of a kind that concern an environment, by number."""
    return {
        fault.fault_id: fault
        for fault in venue.faults.faults
        if fault.kind is kind and fault.environment in {None, environment}
    }


def _silent(venue: Venue, environment: str) -> frozenset[str] | None:
    """The contracts of which nothing is told; None if nothing at all is."""
    symbols = {fault.symbol for fault in _in_force(venue, FaultKind.STREAM_SILENT, environment).values()}
    return None if None in symbols else frozenset(filter(None, symbols))
