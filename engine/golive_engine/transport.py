"""HTTP to the venues: verified TLS, fixed addresses if asked for, a last look before a request leaves."""

import math
import socket
import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult


@dataclass(slots=True)
class Attempt:
    """What became of one call on the wire."""

    check: Callable[[], None]
    """Asked as the last thing before each request's bytes leave; raises to stop it."""
    is_order: bool = False
    """Whether it may create an order: then one request is written, and never a second."""
    sent: bool = False
    """Whether a byte may have left."""
    status: int = 0
    """HTTP status of the answer, 0 without one."""
    retry_after: float | None = None
    """Seconds until the venue wants requests again, if it says so."""
    body: bytes = b""
    """The answer as it came."""


_attempt: ContextVar[Attempt | None] = ContextVar("attempt", default=None)


@contextmanager
def guarded(check: Callable[[], None], *, is_order: bool = False) -> Iterator[Attempt]:
    """Watch every request inside; each asks the check as the last thing before its bytes leave."""
    attempt = Attempt(check, is_order)
    token = _attempt.set(attempt)
    try:
        yield attempt
    finally:
        _attempt.reset(token)


class _LastLook(aiohttp.ClientRequest):
    """A request that can still be stopped when the connection stands and everything is signed.

    Between the decision and this moment lie the journal, the rate limiter and a TLS handshake: long enough
    for a gate to shut.
    """

    async def send(self, conn: aiohttp.connector.Connection) -> aiohttp.ClientResponse:
        """Ask, then write."""
        attempt = _attempt.get()
        if attempt is not None:
            if attempt.is_order and attempt.sent:
                # A redirect or a retry of some library would send the same order again.
                raise aiohttp.ClientConnectionError("an order's request is written only once")
            attempt.check()
            attempt.sent = True
        return await super().send(conn)


class _FixedResolver(AbstractResolver):
    """Knows only the hosts it was given; a simulator must never fall through to the real venue."""

    def __init__(self, addresses: dict[str, str]) -> None:
        self._addresses = addresses

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        """The fixed address of a host; OSError for any other."""
        if host not in self._addresses:
            raise OSError(f"{host} has no fixed address in venue.resolve")
        address, _, own_port = self._addresses[host].rpartition(":")
        return [
            ResolveResult(
                hostname=host,
                host=address,
                port=int(own_port) or port,
                family=family,
                proto=0,
                flags=socket.AI_NUMERICHOST,
            )
        ]

    async def close(self) -> None:
        """Nothing is held."""


def open_session(ca_file: Path | None, addresses: dict[str, str], fallback_ca: str) -> aiohttp.ClientSession:
    """A session that always verifies certificates; raises OSError for an unusable ca_file."""
    tls = ssl.create_default_context(cafile=str(ca_file) if ca_file else fallback_ca)
    resolver = _FixedResolver(addresses) if addresses else None
    connector = aiohttp.TCPConnector(ssl=tls, resolver=resolver, use_dns_cache=not addresses)
    trace = aiohttp.TraceConfig()
    trace.on_request_end.append(_note_head)
    trace.on_response_chunk_received.append(_note_body)
    return aiohttp.ClientSession(connector=connector, request_class=_LastLook, trace_configs=[trace])


async def _note_head(
    _session: aiohttp.ClientSession, _context: SimpleNamespace, end: aiohttp.TraceRequestEndParams
) -> None:
    """Keep status and Retry-After of an answer, which the venue library's exceptions do not tell."""
    attempt = _attempt.get()
    if attempt is not None:
        attempt.status = end.response.status
        attempt.retry_after = _seconds(end.response.headers.get("Retry-After", ""))


async def _note_body(
    _session: aiohttp.ClientSession, _context: SimpleNamespace, got: aiohttp.TraceResponseChunkReceivedParams
) -> None:
    """Keep an answer's body: the venue's own code is in it."""
    attempt = _attempt.get()
    if attempt is not None:
        attempt.body = got.chunk


def _seconds(text: str) -> float | None:
    """Retry-After in seconds; the form with a date, which no venue uses, counts as absent."""
    try:
        seconds = float(text)
    except ValueError:
        return None
    return seconds if math.isfinite(seconds) and seconds >= 0 else None
