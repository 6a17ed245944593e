"""What a client needs: names that lead to the simulator, trust in its CA, and its admin API."""

from __future__ import annotations

import json
import socket
import ssl
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from aiohttp import ClientSession, TCPConnector
from aiohttp.abc import AbstractResolver, ResolveResult

if TYPE_CHECKING:
    from pathlib import Path

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
        environments = (await self.state())["environments"]
        return dict(environments[environment]["accounts"][api_key])

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

    async def restart(self, down_ms: int = 0) -> None:
        """Let the venue restart, with open orders and positions kept."""
        await self._ask("POST", "restart", {"down_ms": down_ms})
