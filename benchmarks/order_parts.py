"""What the engine's way to the wire is made of, each part measured by itself."""

import asyncio
import os
import time
from collections.abc import Callable
from itertools import count
from pathlib import Path

from measuring import Sample, each, machine, microseconds, show

from golive_engine import riskgate
from golive_engine.journal import Journal
from golive_engine.orders import Order, OrderEvent
from golive_engine.trader import Trader
from golive_engine.trading import Intent


async def show_parts(made: Trader, intent: Intent, folder: Path, sending: list[float]) -> None:
    """Print the parts; the last one, in milliseconds, was measured before, at the adapter alone."""
    account, seat, runs = made.account, made.account.seats[0], len(sending)
    now, journal = account.situation(seat), Journal(f"sqlite:///{folder}/parts.db")
    orders = [_order(number, seat.name, intent) for number in range(runs)]
    added, heard = iter(orders), iter(orders)

    def hear() -> None:
        before = next(heard)
        journal.update_order(before, before.after(OrderEvent.WORKS))

    samples = [
        Sample("situation put together", microseconds(runs, lambda: account.situation(seat))),
        Sample("judged by the RiskGate", microseconds(runs, lambda: riskgate.judge(intent, "id", now))),
        Sample("to a thread and back", await each(runs, lambda: asyncio.to_thread(int))),
        Sample("order written down, durable", microseconds(runs, lambda: journal.add_order(next(added)))),
        Sample("beside it: one page forced to the disk", microseconds(runs, _page(folder))),
        Sample("then: outcome written down", microseconds(runs, hear)),
        Sample("then: account read anew", await each(runs, seat.refresh)),
        Sample("then: orders counted anew", await each(runs, account.take_stock)),
        Sample("signed and sent", [value * 1000 for value in sending]),
    ]
    journal.close()
    show(f"{seat.name}: parts", "µs", samples, machine(), "then: what follows when the order is on the wire")


def _page(folder: Path) -> Callable[[], object]:
    """What the disk alone takes for a durable write, in the same moment."""
    numbers, file = count(), os.open(folder / "page", os.O_CREAT | os.O_WRONLY)

    def write() -> None:
        os.pwrite(file, b"0" * 4096, 4096 * next(numbers))
        os.fsync(file)

    return write


def _order(number: int, venue: str, intent: Intent) -> Order:
    """An order about to be sent."""
    name = f"gl{'0' * 12}{number:08d}"
    return Order(name, "main", venue, intent.symbol, intent.side, intent.quantity, False, time.time())
