"""How long one turn of an account takes, with nothing to order: 10 and 200 symbols, and where the time goes.

A real account with its adapter, journal and market against a simulator on loopback. Closes are cached for some
seconds in an engine that turns fast: a turn that has to read them is shown apart, and so is the first one.
"""

import argparse
import asyncio
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

from measuring import Sample, each, machine, show
from stage import document, instruments, scratch, simulator, trader

from golive_engine.settings import Settings
from golive_engine.trader import Trader

COUNTS = (10, 200)
"""Symbols of an account."""

CACHED_SECONDS = 60.0
"""For turns that find every close in the cache."""

EXPIRED_SECONDS = 1e-6
"""For turns that find none."""

Step = Callable[[], Awaitable[object]]
"""Part of a turn."""


async def turns(folder: Path, count: int, cached_seconds: float, runs: int) -> None:
    """Print one table."""
    path, symbols = instruments(folder, count)
    with simulator(folder, ("engine",), "--speed", "0", "--instruments", str(path)) as child:
        cache = {"candles_seconds": cached_seconds}
        told = Settings(**document(child, folder, ["binanceusdm"], symbols, cache=cache))
        async with trader(told, "engine") as (made, _):
            began = time.perf_counter()
            await made.turn()
            first = (time.perf_counter() - began) * 1000
            whole = await each(runs, made.turn)
            samples = [*await in_steps(steps(made), runs), Sample("a whole turn", whole)]
    closes = "closes cached" if cached_seconds == CACHED_SECONDS else "closes read anew"
    title = f"one turn, {count} symbols, {closes}, first one {first:.0f} ms"
    found = [Sample(sample.name, [value / 1000 for value in sample.values]) for sample in samples]
    show(title, "ms", found, machine(), "the steps were taken one after the other, as in a turn")


async def in_steps(work: dict[str, Step], runs: int) -> list[Sample]:
    """Microseconds of each step, all of them taken in their order, again and again."""
    samples = {name: Sample(name, []) for name in work}
    for _ in range(runs):
        for name, step in work.items():
            samples[name].values.extend(await each(1, step))
    return list(samples.values())


def steps(made: Trader) -> dict[str, Step]:
    """What a turn consists of, by what it is for."""
    account = made.account
    seat = account.seats[0]
    symbols = frozenset(seat.symbols)
    return {
        "orders, positions and balance compared": seat.know,
        "clock and prices read": lambda: seat.market.look(symbols),
        "closes read": lambda: seat.market.look_back(seat.symbols, 61),
        "orders counted in the journal": account.take_stock,
        "risk judged, correlations": account.judge,
        "positions protected": made.guardian.protect_all,
    }


async def main() -> None:
    """Measure each number of symbols."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--turns", type=int, default=100)
    options = parser.parse_args()
    for count in COUNTS:
        for cached_seconds in (CACHED_SECONDS, EXPIRED_SECONDS):
            runs = options.turns if cached_seconds == CACHED_SECONDS else max(options.turns // 5, 1)
            with scratch() as folder:
                await turns(folder, count, cached_seconds, runs)


if __name__ == "__main__":
    asyncio.run(main())
