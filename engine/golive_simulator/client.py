"""What a client needs: names that lead to the simulator, trust in its CA, and its admin API."""

from __future__ import annotations

import json
import socket
import ssl
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode, urlsplit

import requests
from aiohttp import ClientSession, TCPConnector
from aiohttp.abc import AbstractResolver, ResolveResult
from requests.adapters import HTTPAdapter

if TYPE_CHECKING:
    from pathlib import Path

    from urllib3.connectionpool import HTTPConnectionPool

REFUSED_FROM = 400
"""HTTP statuses from here on mean that the admin API refused."""


class SimulatorResolver(AbstractResolver):
    """Resolves every host name to the simulator."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self._host, self._port = parts.hostname or "127.0.0.1", parts.port or 443

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        """The simulator's address, whatever is asked for."""
        del port, family
        return [
            ResolveResult(
                hostname=host, host=self._host, port=self._port, family=socket.AF_INET, proto=0, flags=0
            )
        ]

    async def close(self) -> None:
        """Nothing to give back."""


def redirected_session(url: str, ca_file: Path | str) -> ClientSession:
    """A session for which every HTTPS host is the simulator at ``url`` (``https://127.0.0.1:PORT``).

    Hand it to ccxt as ``{"session": ...}``: URLs, signatures and error mapping stay as they are.
    """
    context = ssl.create_default_context(cafile=str(ca_file))
    return ClientSession(connector=TCPConnector(resolver=SimulatorResolver(url), ssl=context))


class _RedirectingAdapter(HTTPAdapter):
    """Leads every host to the simulator, and trusts its CA and no other."""

    def __init__(self, url: str, ca_file: Path | str) -> None:
        parts = urlsplit(url)
        self._host, self._port = parts.hostname or "127.0.0.1", parts.port or 443
        self._ca_file = str(ca_file)
        super().__init__()

    def get_connection_with_tls_context(
        self,
        request: requests.PreparedRequest,
        verify: object = True,  # noqa: FBT002 - as the overridden method has it
        proxies: object = None,
        cert: object = None,
    ) -> HTTPConnectionPool:
        """A connection to the simulator that still insists on the certificate of the host asked for."""
        del verify, proxies, cert
        name = urlsplit(request.url or "").hostname
        request.headers["Host"] = str(name)
        names = {"server_hostname": name, "assert_hostname": name}
        trust = {"ca_certs": self._ca_file, "cert_reqs": "CERT_REQUIRED"}
        return self.poolmanager.connection_from_host(
            self._host, self._port, scheme="https", pool_kwargs=names | trust
        )

    def cert_verify(self, conn: object, url: object, verify: object, cert: object) -> None:
        """Leave the connection's trust as it is: the caller's would be the public authorities."""


def redirected_requests(url: str, ca_file: Path | str) -> requests.Session:
    """As ``redirected_session``, for programs without an event loop: hand it to the synchronous ccxt."""
    session = requests.Session()
    session.trust_env = False
    session.mount("https://", _RedirectingAdapter(url, ca_file))
    return session


class Admin:
    """The admin API as methods; each raises ValueError with the answer when refused."""

    def __init__(self, admin_url: str, session: ClientSession, token: str = "") -> None:
        self._url = admin_url
        self._session = session
        self._headers = {"Authorization": f"Bearer {token}"} if token else {}

    async def _ask(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        """One call of the API."""
        url = f"{self._url}/admin/{path}"
        text = None if body is None else json.dumps(body, default=str)
        async with self._session.request(method, url, data=text, headers=self._headers) as answer:
            said = await answer.json()
            if answer.status >= REFUSED_FROM:
                raise ValueError(f"{answer.status} {said}")
            return said

    async def state(self) -> dict[str, Any]:
        """Accounts, orders, positions, prices and counts."""
        return dict(await self._ask("GET", "state"))

    async def account(self, environment: str, api_key: str) -> dict[str, Any]:
        """One account of the state."""
        state = await self._ask("GET", f"state?{urlencode({'api_key': api_key})}")
        return dict(state["environments"][environment]["accounts"][api_key])

    async def requests(self, *, new_orders: bool = False) -> list[dict[str, Any]]:
        """The log of requests, oldest first; only new orders if asked for."""
        return list(await self._ask("GET", f"requests?new_orders={str(new_orders).lower()}"))

    async def price(self, symbol: str, price: object, mark: object = None) -> dict[str, Any]:
        """Let a price jump."""
        body = {"symbol": symbol, "price": price} | ({} if mark is None else {"mark": mark})
        return dict(await self._ask("POST", "price", body))

    async def step(self, candles: int = 0, points: int = 0) -> None:
        """Move all prices on by whole candles, or by single points of their paths."""
        await self._ask("POST", "step", {"candles": candles, "points": points})

    async def pause(self) -> None:
        """Stop prices where they are."""
        await self._ask("POST", "pause")

    async def resume(self) -> None:
        """Let prices move again."""
        await self._ask("POST", "resume")

    async def add_fault(self, kind: str, **fields: object) -> dict[str, Any]:
        """Put a fault in force."""
        return dict(await self._ask("POST", "faults", {"kind": kind, **fields}))

    async def faults(self) -> list[dict[str, Any]]:
        """The faults in force."""
        return list(await self._ask("GET", "faults"))

    async def clear_faults(self, fault_id: int | None = None) -> None:
        """Take one fault, or all, out of force."""
        await self._ask("DELETE", "faults" if fault_id is None else f"faults?id={fault_id}")

    async def add_account(self, environment: str, api_key: str, secret: str, **fields: object) -> None:
        """Let a customer in."""
        named = {"environment": environment, "api_key": api_key, "secret": secret}
        await self._ask("POST", "accounts", named | fields)

    async def set_equity(self, environment: str, api_key: str, equity: object) -> None:
        """Pay money in or out until an account is worth ``equity``, open profit included."""
        await self._ask("POST", "equity", {"environment": environment, "api_key": api_key, "equity": equity})

    async def trade(
        self, environment: str, api_key: str, symbol: str, side: str, quantity: object, **fields: object
    ) -> dict[str, Any]:
        """Place an order as if by hand; ``quantity`` is in the base asset, a ``price`` makes it a limit."""
        named = {"environment": environment, "api_key": api_key}
        wanted = {"symbol": symbol, "side": side.upper(), "quantity": quantity}
        return dict(await self._ask("POST", "trade", named | wanted | fields))

    async def position_mode(self, environment: str, api_key: str, *, is_hedged: bool) -> None:
        """Change an account's position mode behind its client's back."""
        named = {"environment": environment, "api_key": api_key}
        await self._ask("POST", "position-mode", named | {"is_hedged": is_hedged})

    async def restart(self, down_ms: int = 0) -> None:
        """Let the venue restart, with open orders and positions kept."""
        await self._ask("POST", "restart", {"down_ms": down_ms})
