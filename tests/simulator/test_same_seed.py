"""The same seed and the same steps give the same venues, whatever the wall clock says."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import aiohttp
import ccxt
import pytest

from golive_simulator.client import Admin, redirected_requests
from golive_simulator.process import simulator_process

if TYPE_CHECKING:
    from pathlib import Path

    import requests

BTC, ETH = "BTC/USDT:USDT", "ETH/USDT:USDT"
KEYS = {"binanceusdm": "production", "bybit": "bybit-production", "okx": "okx-production"}


def opened(name: str, session: requests.Session) -> Any:
    """A client of the account that is there from the start."""
    key = KEYS[name]
    config = {"apiKey": f"{key}-key", "secret": f"{key}-secret", "password": "passphrase", "session": session}
    options = {"defaultType": "swap", "fetchCurrencies": False}
    return getattr(ccxt, name)(config | {"enableRateLimit": False, "options": options})


def trades(client: Any, round_number: int) -> None:
    """Some orders of every sort, each under a name of its own."""
    amount = 1 if client.id == "okx" else 0.01
    last = client.fetch_ticker(BTC)["last"]
    for number, (kind, side, factor) in enumerate(
        (("market", "buy", 1), ("limit", "buy", 0.999), ("limit", "sell", 1.002), ("limit", "buy", 1.001))
    ):
        named = {"clientOrderId": f"round{round_number}order{number}"}
        price = round(last * factor, 1) if kind == "limit" else None
        client.create_order(BTC, kind, side, amount * 40, price, named)
    stop = {"stopLossPrice": round(last * 0.997, 1), "clientOrderId": f"round{round_number}stop"}
    client.create_order(BTC, "market", "sell", amount, None, stop | {"reduceOnly": True})


async def story(folder: Path, seed: int) -> tuple[Any, Any]:
    """What is left of some trading at all three venues, and what their books and charts show."""
    with simulator_process(folder, "--paused", "--unlimited", "--seed", str(seed)) as child:
        session = redirected_requests(child.address.url, child.address.ca_file)
        clients = [opened(name, session) for name in KEYS]
        async with aiohttp.ClientSession() as plain:
            admin = Admin(child.address.admin_url, plain)
            for number in range(3):
                for client in clients:
                    trades(client, number)
                    environment = KEYS[client.id]
                    await admin.trade(environment, f"{environment}-key", "ETHUSDT", "sell", "0.5")
                await admin.step(points=3)
                await admin.add_fault("thin-book", ratio="0.02")
                await admin.add_fault("partial-fill", ratio="0.3", count=4)
                await admin.step(candles=200)
                await admin.price("ETHUSDT", 3_500 + number)
            await admin.restart()
            state = await admin.state()
        seen = [
            (
                [row[1:] for row in client.fetch_ohlcv(BTC, "1m", None, 50)],
                client.fetch_order_book(BTC, 50)["asks"],
                [(row["price"], row["amount"], row["order"]) for row in client.fetch_my_trades(BTC)],
            )
            for client in clients
        ]
        session.close()
    return timeless(state), seen


def timeless(value: Any) -> Any:
    """The same without moments of the wall clock, which no seed decides."""
    if isinstance(value, dict):
        return {name: timeless(row) for name, row in value.items() if not name.endswith("_ms")}
    return [timeless(row) for row in value] if isinstance(value, list) else value


@pytest.mark.timeout(120)
async def test_two_runs_are_alike_and_a_third_of_another_seed_is_not(tmp_path: Path) -> None:
    """Orders, fills, money, positions, charts and books at all three venues."""
    first, again, other = [await story(tmp_path, seed) for seed in (7, 7, 8)]
    fills = [
        len(first[0]["environments"][environment]["accounts"][f"{environment}-key"]["fills"])
        for environment in KEYS.values()
    ]

    assert first == again
    assert min(fills) > 10
    assert other[0]["environments"] != first[0]["environments"]
    assert all(mine != theirs for mine, theirs in zip(first[1], other[1], strict=True))
