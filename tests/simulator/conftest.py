"""A simulator process per module, and a customer of its own for each test."""

from __future__ import annotations

import asyncio
import gzip
from dataclasses import dataclass
from itertools import count, islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import aiohttp
import ccxt as blocking_ccxt
import ccxt.async_support as ccxt
import pytest

from golive_simulator.candles import random_walk
from golive_simulator.client import Admin, redirected_requests, redirected_session
from golive_simulator.process import simulator_process

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator

    from golive_simulator.process import Child

REAL_DATA = Path(__file__).resolve().parents[3] / "shared" / "data"
"""Recorded candles and answers; tests run on generated ones where they are not."""

KEYS = count(1)
"""Numbers for API keys, so that no two tests share an account."""


@pytest.fixture(scope="session")
def candle_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A month of recorded candles, or some hours of generated ones in the same format."""
    recorded = REAL_DATA / "btc-perp-1m-2022-01.csv.gz"
    if recorded.exists():
        return recorded
    path = tmp_path_factory.mktemp("candles") / "generated.csv.gz"
    rows = ["timestamp,open,high,low,close,volume"]
    for number, row in enumerate(islice(random_walk("test", 46_000.0), 3_000)):
        moment = f"2022-01-{1 + number // 1440:02d} {number // 60 % 24:02d}:{number % 60:02d}:00.000000"
        prices = (row.open, row.high, row.low, row.close)
        rows.append(",".join([moment, *map(repr, prices), repr(row.volume * row.close)]))
    with gzip.open(path, "wt") as stream:
        stream.write("\n".join(rows) + "\n")
    return path


@pytest.fixture(scope="module")
def arguments(candle_file: Path) -> list[str]:
    """How the module's simulator is started; modules override it."""
    return ["--paused", "--unlimited", "--candles", str(candle_file)]


@pytest.fixture(scope="module")
def simulator(tmp_path_factory: pytest.TempPathFactory, arguments: list[str]) -> Iterator[Child]:
    """A running simulator."""
    with simulator_process(tmp_path_factory.mktemp("simulator"), *arguments) as child:
        yield child


@pytest.fixture
async def admin(simulator: Child) -> AsyncIterator[Admin]:
    """The admin API; whatever faults a test adds are gone after it."""
    async with aiohttp.ClientSession() as session:
        made = Admin(simulator.address.admin_url, session)
        yield made
        await made.clear_faults()


@pytest.fixture
async def session(simulator: Child) -> AsyncIterator[aiohttp.ClientSession]:
    """A session for which the venue's hosts are the simulator."""
    async with redirected_session(simulator.address.url, simulator.address.ca_file) as made:
        yield made


@pytest.fixture
async def customer(admin: Admin, session: aiohttp.ClientSession) -> AsyncIterator[Callable[..., Any]]:
    """Gives unmodified ccxt clients, each of a fresh account of the environment asked for."""
    clients: list[Any] = []

    async def opened(environment: str = "production", **fields: object) -> Any:
        key = f"key-{next(KEYS)}"
        await admin.add_account(environment, key, f"{key}-secret", **fields)
        client = ccxt.binanceusdm(
            {"apiKey": key, "secret": f"{key}-secret", "session": session, "enableRateLimit": False}
        )
        client.enable_demo_trading(environment == "testnet")
        clients.append(client)
        return client

    yield opened
    for client in clients:
        await client.close()


@pytest.fixture
async def trader(customer: Callable[..., Any]) -> Any:
    """An unmodified ccxt client of a fresh production account with 10,000 USDT."""
    return await customer()


@pytest.fixture
async def bybit_customer(admin: Admin, session: aiohttp.ClientSession) -> AsyncIterator[Callable[..., Any]]:
    """Gives unmodified ccxt clients of Bybit, each of a fresh account of the environment asked for."""
    clients: list[Any] = []

    async def opened(environment: str = "bybit-production", **fields: object) -> Any:
        key = f"key-{next(KEYS)}"
        await admin.add_account(environment, key, f"{key}-secret", **fields)
        client = ccxt.bybit(
            {
                "apiKey": key,
                "secret": f"{key}-secret",
                "session": session,
                "enableRateLimit": False,
                "options": {"defaultType": "swap"},
            }
        )
        client.set_sandbox_mode(environment == "bybit-testnet")
        clients.append(client)
        return client

    yield opened
    for client in clients:
        await client.close()


@pytest.fixture
async def bybit(bybit_customer: Callable[..., Any]) -> Any:
    """An unmodified ccxt client of a fresh production account at Bybit with 10,000 USDT."""
    return await bybit_customer()


@pytest.fixture
async def okx_customer(admin: Admin, session: aiohttp.ClientSession) -> AsyncIterator[Callable[..., Any]]:
    """Gives unmodified ccxt clients of OKX, each of a fresh account of the environment asked for."""
    clients: list[Any] = []

    async def opened(environment: str = "okx-production", **fields: object) -> Any:
        key = f"key-{next(KEYS)}"
        await admin.add_account(environment, key, f"{key}-secret", passphrase="pass", **fields)
        client = ccxt.okx(
            {
                "apiKey": key,
                "secret": f"{key}-secret",
                "password": "pass",
                "session": session,
                "enableRateLimit": False,
                "options": {"defaultType": "swap"},
            }
        )
        client.set_sandbox_mode(environment == "okx-testnet")
        clients.append(client)
        return client

    yield opened
    for client in clients:
        await client.close()


@pytest.fixture
async def okx(okx_customer: Callable[..., Any]) -> Any:
    """An unmodified ccxt client of a fresh production account at OKX with 10,000 USDT."""
    return await okx_customer()


@dataclass(frozen=True)
class Venue:
    """What differs between the venues for a client of all of them."""

    name: str
    """As ccxt calls it."""
    production: str
    """Environment of real money."""
    testnet: str
    """Environment of play money."""
    btc: str
    """The venue's name of the bitcoin contract."""
    contract: float
    """Bitcoin in a contract."""
    known: dict[str, Any]
    """What a query has to say so that ccxt lets it pass."""
    client_id: str
    """The parameter by which a query names an order as its client does."""
    stops: dict[str, Any]
    """How conditional orders are asked for."""


VENUES = {
    venue.name: venue
    for venue in (
        Venue("binanceusdm", "production", "testnet", "BTCUSDT", 1, {}, "clientOrderId", {"trigger": True}),
        Venue(
            *("bybit", "bybit-production", "bybit-testnet", "BTCUSDT", 1),
            *({"acknowledged": True}, "orderLinkId", {"trigger": True}),
        ),
        Venue(
            *("okx", "okx-production", "okx-testnet", "BTC-USDT-SWAP", 0.01, {}, "clientOrderId"),
            {"trigger": True, "ordType": "conditional"},
        ),
    )
}
"""The venues by ccxt's name."""


class Threaded:
    """A synchronous client whose calls are awaited like those of an asynchronous one."""

    def __init__(self, client: Any) -> None:
        self.plain = client

    def __getattr__(self, name: str) -> Any:
        """Data as it is, methods in a thread."""
        found = getattr(self.plain, name)

        async def called(*arguments: Any, **named: Any) -> Any:
            return await asyncio.to_thread(found, *arguments, **named)

        return called if callable(found) else found


@pytest.fixture(scope="module")
def markets(simulator: Child) -> dict[str, Any]:
    """A synchronous client of each venue that knows its markets, so that others need not ask again."""
    session = redirected_requests(simulator.address.url, simulator.address.ca_file)
    made = {name: getattr(blocking_ccxt, name)({"session": session}) for name in VENUES}
    for client in made.values():
        client.options["fetchCurrencies"] = False
        client.load_markets()
    session.close()
    return made


@dataclass(frozen=True)
class Desk:
    """An unmodified ccxt client of a fresh account, and all that a test needs to know about it."""

    venue: Venue
    """Where it trades."""
    client: Any
    """ccxt, to be awaited."""
    plain: Any
    """ccxt itself."""
    admin: Admin
    """Behind the venue's back."""
    environment: str
    """Which exchange its account is at."""

    def lots(self, bitcoin: float) -> float:
        """So much bitcoin as an amount of ccxt."""
        return round(bitcoin / self.venue.contract, 8)

    async def account(self) -> dict[str, Any]:
        """Its account as the admin API shows it."""
        return await self.admin.account(self.environment, self.plain.apiKey)


@pytest.fixture
async def desk(
    simulator: Child, admin: Admin, session: aiohttp.ClientSession, markets: dict[str, Any]
) -> AsyncIterator[Callable[..., Any]]:
    """Opens desks at a venue, with an asynchronous or a synchronous client."""
    clients: list[Any] = []
    blocking = redirected_requests(simulator.address.url, simulator.address.ca_file)

    async def opened(venue_name: str, kind: str = "async", *, testnet: bool = False, **fields: object) -> Desk:
        venue, key = VENUES[venue_name], f"key-{next(KEYS)}"
        environment = venue.testnet if testnet else venue.production
        await admin.add_account(environment, key, f"{key}-secret", **fields)
        options = {"defaultType": "swap", "fetchCurrencies": False, "warnOnFetchOpenOrdersWithoutSymbol": False}
        config = {"apiKey": key, "secret": f"{key}-secret", "password": "passphrase", "options": options}
        is_async = kind == "async"
        library, own_session = (ccxt, session) if is_async else (blocking_ccxt, blocking)
        client = getattr(library, venue_name)(config | {"session": own_session, "enableRateLimit": False})
        client.set_markets_from_exchange(markets[venue_name])
        if testnet:
            client.enable_demo_trading(True) if venue_name == "binanceusdm" else client.set_sandbox_mode(True)
        if is_async:
            clients.append(client)
        return Desk(venue, client if is_async else Threaded(client), client, admin, environment)

    yield opened
    for client in clients:
        await client.close()
    blocking.close()
