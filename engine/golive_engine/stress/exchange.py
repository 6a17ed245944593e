"""The simulated exchange that a scenario is played on: a process of its own, moved by its admin API."""

import asyncio
import json
import sys
from asyncio.subprocess import DEVNULL, PIPE, STDOUT, Process
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any

import aiohttp

from golive_engine.stress import candles
from golive_engine.stress.offspring import die_with_parent
from golive_engine.trading import VenueName

KEY = "shadow"
"""API key, secret and passphrase of the shadow's account on every venue; no other exchange knows it."""

ENVIRONMENTS: Mapping[VenueName, str] = {
    "binanceusdm": "production",
    "bybit": "bybit-production",
    "okx": "okx-production",
}
"""What the simulator calls each venue's exchange."""

START_SECONDS = 30.0
"""Longest wait until it serves."""

STOP_SECONDS = 5.0
"""Longest wait for its orderly end."""

ANSWER_SECONDS = 10.0
"""Longest wait for an answer of its admin API."""

ENTRY = "BUY"
"""Side of every order that opens a position here: the market rises, so that strategies are long."""


class ExchangeError(Exception):
    """The simulated exchange does not do what it is asked."""


class SimulatedExchange:
    """A running simulator.

    Args:
        address: Where it serves, as it says itself.
        session: For its admin API.
    """

    def __init__(self, address: Mapping[str, str], session: aiohttp.ClientSession) -> None:
        self.ca_file = Path(address["ca_file"])
        self.host = address["url"].removeprefix("https://")
        self._admin = address["admin_url"]
        self._session = session

    async def _ask(self, method: str, path: str, body: Mapping[str, object] | None = None) -> Any:
        """One call of the admin API."""
        text = None if body is None else json.dumps(body, default=str)
        async with self._session.request(method, f"{self._admin}/admin/{path}", data=text) as answer:
            said = await answer.json()
            if not answer.ok:
                raise ExchangeError(f"{method} {path}: {answer.status} {said}")
            return said

    async def jump(self, percent: Decimal) -> None:
        """Let every price jump by so many percent, marks too."""
        prices = (await self._ask("GET", "state"))["prices"]
        for symbol in candles.STARTS:
            price = Decimal(prices[symbol]) * (1 + percent / 100)
            await self._ask("POST", "price", {"symbol": symbol, "price": price})

    async def pass_minutes(self, minutes: int) -> None:
        """Let minutes pass on the market."""
        await self._ask("POST", "step", {"candles": minutes})

    async def break_by(self, kind: str, **fields: object) -> None:
        """Let something go wrong from now on."""
        await self._ask("POST", "faults", {"kind": kind, **fields})

    async def repair(self) -> None:
        """Let nothing go wrong any more."""
        await self._ask("DELETE", "faults")

    async def entries(self) -> list[str]:
        """Ids of all orders that would open a position and reached a venue, taken or not."""
        rows = await self._ask("GET", "requests?new_orders=true")
        return [row["client_order_id"] for row in rows if row["side"] == ENTRY]

    async def taken(self) -> list[str]:
        """Ids of all orders that a venue has taken."""
        rows = await self._ask("GET", "requests?new_orders=true")
        return [row["client_order_id"] for row in rows if row["accepted"]]

    async def account(self, venue: VenueName) -> dict[str, Any]:
        """The shadow's account as a venue has it."""
        state = await self._ask("GET", "state")
        return dict(state["environments"][ENVIRONMENTS[venue]]["accounts"][KEY])


@asynccontextmanager
async def simulated_exchange(
    folder: Path, balances: Mapping[VenueName, Decimal]
) -> AsyncIterator[SimulatedExchange]:
    """Run a simulator with the shadow's accounts in it, its prices standing still; raises ExchangeError."""
    command = [sys.executable, "-P", "-m", "golive_simulator", "--paused", "--unlimited"]
    command += ["--folder", str(folder)]
    for venue, balance in balances.items():
        command += ["--account", f"{ENVIRONMENTS[venue]}:{KEY}:{KEY}:{balance:f}"]
    for symbol, text in candles.files().items():
        file = folder / f"{symbol}.csv"
        file.write_text(text)
        command += ["--candles", f"{symbol}={file}"]
    process = await asyncio.create_subprocess_exec(
        *command, stdin=DEVNULL, stdout=PIPE, stderr=STDOUT, preexec_fn=die_with_parent
    )
    try:
        address = await _address(process)
        timeout = aiohttp.ClientTimeout(total=ANSWER_SECONDS)
        async with aiohttp.ClientSession(timeout=timeout) as session:
            yield SimulatedExchange(address, session)
    finally:
        await _ended(process)


async def _address(process: Process) -> Mapping[str, str]:
    """Where it serves, which is the first thing it says; raises ExchangeError if it says anything else."""
    assert process.stdout is not None  # noqa: S101  # it is a pipe
    try:
        async with asyncio.timeout(START_SECONDS):
            line = await process.stdout.readline()
    except TimeoutError as error:
        raise ExchangeError(f"the simulator does not serve after {START_SECONDS:g} s") from error
    try:
        return dict(json.loads(line))
    except ValueError as error:
        said = line.decode(errors="replace").strip()
        raise ExchangeError(f"the simulator does not serve: {said or 'it has ended'}") from error


async def _ended(process: Process) -> None:
    """End it, politely first."""
    if process.returncode is not None:
        return
    process.terminate()
    try:
        async with asyncio.timeout(STOP_SECONDS):
            await process.wait()
    except TimeoutError:
        process.kill()
        await process.wait()
