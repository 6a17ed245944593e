"""Asking what policies name: webhooks, Prometheus, Grafana. Metadata services of clouds are never asked."""

import asyncio
import errno
import ipaddress
import socket
import ssl
from functools import lru_cache

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from yarl import URL

from golive_decisions.preflight_run import Answer
from golive_operator.probing import ask, new_session

TIMEOUT_SECONDS = 3.0
"""Prometheus and Grafana answer within this, or count as silent."""

METADATA = frozenset(map(ipaddress.ip_address, ("fd00:ec2::254", "100.100.100.200")))
"""Where clouds hand credentials to their machines, besides the link-local address."""


class RefusedError(OSError):
    """An address that no policy may have the operator ask."""

    def __init__(self, why: str) -> None:
        super().__init__(errno.EACCES, why)  # aiohttp shows nothing else of an error while resolving


def refuse(address: str) -> None:
    """Raise RefusedError for link-local and metadata addresses, also where IPv6 wraps them."""
    found = ipaddress.ip_address(address.partition("%")[0])
    plain = getattr(found, "ipv4_mapped", None) or found
    if plain.is_link_local or plain in METADATA:
        raise RefusedError(f"{plain} may hold credentials of a cloud: it is never asked")


class CarefulResolver(AbstractResolver):
    """Resolves names as usual, and refuses what they lead to if it must not be asked."""

    def __init__(self) -> None:
        self._usual = aiohttp.ThreadedResolver()

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        """Addresses of a name. Raises RefusedError if any of them must not be asked."""
        found = await self._usual.resolve(host, port, family)
        for each in found:
            refuse(each["host"])
        return found

    async def close(self) -> None:
        """Nothing is kept."""
        await self._usual.close()


@lru_cache(maxsize=64)
def trust(bundle: str) -> ssl.SSLContext:
    """Trust these authorities alone; the system's if there are none. Raises ValueError."""
    try:
        return ssl.create_default_context(cadata=bundle or None)
    except ssl.SSLError as error:
        raise ValueError(f"caBundle: {error.reason or error}") from error


class Outside:
    """Asks addresses that policies name; a connection serves one request, so each sees today's certificate."""

    def __init__(self) -> None:
        connector = aiohttp.TCPConnector(resolver=CarefulResolver(), force_close=True, use_dns_cache=False)
        self._session = new_session(connector)

    async def close(self) -> None:
        """Close the connections."""
        await self._session.close()

    async def ask(
        self,
        url: str,
        *,
        seconds: float = TIMEOUT_SECONDS,
        params: dict[str, str] | None = None,
        token: str = "",
        bundle: str = "",
        https_only: bool = False,
    ) -> Answer:
        """One answer, by GET."""
        try:
            address = URL(url)
            if https_only and address.scheme != "https":
                raise RefusedError("only https is asked")
            if address.host is not None and _is_address(address.host):
                refuse(address.host)
            context = await asyncio.to_thread(trust, bundle)
        except (OSError, ValueError) as error:
            return Answer(None, error=f"{type(error).__name__}: {error}"[:300])
        headers = {"Authorization": f"Bearer {token}"} if token else None
        return await ask(self._session, url, seconds=seconds, headers=headers, params=params, trust=context)


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return False
    return True
