"""A simulator process per module, and a customer of its own for each test."""

from __future__ import annotations

import gzip
from itertools import count, islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import aiohttp
import ccxt.async_support as ccxt
import pytest

from golive_simulator.candles import random_walk
from golive_simulator.client import Admin, redirected_session
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
