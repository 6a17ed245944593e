"""What the engine adds to an order: intent → bytes on the wire, beside ccxt's bare ``create_order``.

Both send market orders to the same simulator on loopback, in turn: buy a little, sell it again. The journal is
durable: SQLite, WAL, FULL; TMPDIR decides which disk it waits for.
"""

import argparse
import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from decimal import Decimal
from itertools import count
from pathlib import Path
from typing import Any, cast

import ccxt.async_support as ccxt
from measuring import Sample, machine, show
from order_parts import show_parts
from stage import PASSPHRASE, VENUES, document, scratch, seat, simulator, trader
from wire import Heard, Send, Times, Wire

from golive_engine.orders import OrderState
from golive_engine.settings import SeatSettings, Settings
from golive_engine.trader import Trader
from golive_engine.trading import Intent, Side, Venue, VenueName
from golive_engine.venues import Credentials, open_venue
from golive_simulator.client import redirected_session
from golive_simulator.process import Child

SYMBOL, QUANTITY = "BTCUSDT", Decimal("0.01")
"""What is ordered: one contract on OKX."""

CONTRACTS: dict[VenueName, float] = {"binanceusdm": 0.01, "bybit": 0.01, "okx": 1}
"""The same, as each venue counts."""

BUY = Intent(SYMBOL, Side.BUY, QUANTITY, strategy="baseline-perps", stop_percent=Decimal(2))
SELL = Intent(SYMBOL, Side.SELL, QUANTITY, reduce_only=True, strategy="baseline-perps")

WARM_UP = 10
"""Orders of each contender that are not counted: connections, caches, code."""

NUMBERS = count(1)
"""For client order ids."""


def through_engine(made: Trader, heard: Heard) -> Send:
    """Every order of the engine goes this way: judged, journalled, sent, heard, account read anew."""

    async def send(intent: Intent) -> int:
        order = await made.order(made.account.seats[0], intent)
        if order is None or order.state is not OrderState.FILLED:
            raise SystemExit(f"not filled: {order}")
        return heard.last

    return send


def through_adapter(venue: Venue) -> Send:
    """The engine's last step alone: signed, asked a last time, sent."""

    async def send(intent: Intent) -> int:
        await venue.send(intent, f"alone{next(NUMBERS):010d}", lambda: None)
        return time.perf_counter_ns()

    return send


def through_library(client: Any, venue: VenueName) -> Send:
    """The bare library's own way, with a client order id, as a careful program would."""

    async def send(intent: Intent) -> int:
        extra = {"clientOrderId": f"bare{next(NUMBERS):010d}", "reduceOnly": intent.reduce_only}
        side = intent.side.value.lower()
        await client.create_order("BTC/USDT:USDT", "market", side, CONTRACTS[venue], None, extra)
        return time.perf_counter_ns()

    return send


@asynccontextmanager
async def library(child: Child, venue: VenueName) -> AsyncIterator[Any]:
    """An unmodified client that knows its markets."""
    session = redirected_session(child.address.url, child.address.ca_file)
    options = {"defaultType": "swap", "fetchCurrencies": False}
    keys = {"apiKey": "bare", "secret": "bare", "password": PASSPHRASE}
    client = getattr(ccxt, venue)(keys | {"session": session, "enableRateLimit": False, "options": options})
    try:
        await client.load_markets()
        yield client
    finally:
        await client.close()
        await session.close()


async def in_turn(wire: Wire, contenders: list[Send], orders: int) -> list[list[Times]]:
    """Every contender's measurements; who is first changes, so that none always follows the same other."""
    found: list[list[Times]] = [[] for _ in contenders]
    for number in range(orders + WARM_UP):
        for turn in range(len(contenders)):
            place = (number + turn) % len(contenders)
            found[place].append(await wire.timed(contenders[place], SELL if number % 2 else BUY))
    return [values[WARM_UP:] for values in found]


async def measure(wire: Wire, child: Child, folder: Path, venue: VenueName, orders: int) -> None:
    """Print one venue's tables."""
    told = Settings(**document(child, folder, [venue], [SYMBOL]))
    place, keys = SeatSettings.model_validate(seat(venue)), Credentials("alone", "alone", PASSPHRASE)
    adapter = open_venue(place, "production", keys, told.venue)
    async with trader(told, "engine", Heard) as (made, shared), library(child, venue) as client:
        await adapter.instruments()
        await adapter.set_leverage(SYMBOL, 1)
        await made.turn()
        engine, bare = through_engine(made, cast("Heard", shared.metrics)), through_library(client, venue)
        found = await in_turn(wire, [engine, through_adapter(adapter), bare], orders)
        show_orders(venue, *found)
        await show_parts(made, BUY, folder, [times.wire for times in found[1]])
    await adapter.close()


def show_orders(venue: str, engine: list[Times], alone: list[Times], bare: list[Times]) -> None:
    """Print both comparisons."""
    names = ("golive engine", "its adapter alone", "bare ccxt create_order")
    contenders = dict(zip(names, (engine, alone, bare), strict=True))
    wire = [Sample(name, [times.wire for times in rows]) for name, rows in contenders.items()]
    show(f"{venue}: intent → wire", "ms", wire, machine(), "aim: at most 1.5 times bare ccxt, median")
    heard = [Sample(name, [times.heard for times in rows]) for name, rows in contenders.items()]
    whole = Sample("the same, account read and counted anew", [times.ended for times in engine])
    words = "the engine has written it down; where a venue answers an order with ids only, it has asked, too"
    show(f"{venue}: intent → outcome", "ms", [heard[0], whole, *heard[1:]], machine(), words)


async def main() -> None:
    """Measure every venue. Nothing fails: how long a disk takes is the machine's own affair."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--orders", type=int, default=300, help="of each contender")
    parser.add_argument("--venue", choices=VENUES, action="append", help="default: all of them")
    options = parser.parse_args()
    wire = Wire()
    for venue in options.venue or VENUES:
        with scratch() as folder, simulator(folder, ("engine", "alone", "bare"), "--speed", "0") as child:
            await measure(wire, child, folder, venue, options.orders)


if __name__ == "__main__":
    asyncio.run(main())
