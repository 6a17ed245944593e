"""The admin API and the command line: state, tokens, files, and mistakes in them."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import aiohttp
import ccxt.async_support as ccxt
import pytest

from golive_simulator.client import Admin, redirected_session
from golive_simulator.faults import FaultKind
from golive_simulator.process import simulator_process

if TYPE_CHECKING:
    from golive_simulator.process import Child

PAGE = Path(__file__).resolve().parents[2] / "docs" / "how-to" / "use-the-simulator.md"
"""The page that tells how to use the simulator."""

SYMBOL = "BTC/USDT:USDT"


async def test_the_log_proves_that_no_order_was_doubled_or_lost(trader: Any, admin: Admin) -> None:
    """Every new order with its client id and number, and the same orders in the account."""
    for number in range(3):
        await trader.create_order(SYMBOL, "market", "buy", 0.01, None, {"clientOrderId": f"proof-{number}"})
    logged = [
        row for row in await admin.requests(new_orders=True) if row["client_order_id"].startswith("proof-")
    ]
    account = await admin.account("production", trader.apiKey)

    assert [row["client_order_id"] for row in logged] == ["proof-0", "proof-1", "proof-2"]
    assert all(row["accepted"] and row["answered"] for row in logged)
    assert [row["order_id"] for row in logged] == [row["order_id"] for row in account["orders"]]
    assert account["positions"]["BTCUSDT"]["quantity"] == "0.03"
    assert account["counts"] == {"orders": 3, "open_orders": 0, "algos": 0, "open_algos": 0, "fills": 3}


async def test_the_state_shows_no_secrets(trader: Any, admin: Admin) -> None:
    """Whoever may look need not be able to trade."""
    assert trader.secret not in json.dumps(await admin.state())


async def test_prices_move_only_while_not_paused(admin: Admin) -> None:
    """Paused they stand; resumed they go on by themselves."""
    before = (await admin.state())["simulated_seconds"]
    await admin.resume()
    deadline = time.monotonic() + 20
    while (await admin.state())["simulated_seconds"] == before:
        assert time.monotonic() < deadline
    await admin.pause()
    paused = await admin.state()

    assert (await admin.state())["prices"] == paused["prices"]
    assert paused["is_paused"]


REFUSED: dict[str, tuple[str, dict[str, Any], int]] = {
    "a price of nought": ("price", {"symbol": "BTCUSDT", "price": 0}, 400),
    "a price of an unknown contract": ("price", {"symbol": "NOPE", "price": 1}, 404),
    "steps backwards": ("step", {"candles": -1}, 400),
    "an account in no environment": (
        "accounts",
        {"environment": "moon", "api_key": "a", "secret": "b"},
        400,
    ),
    "an account whose key is taken": (
        "accounts",
        {"environment": "production", "api_key": "production-key", "secret": "b"},
        409,
    ),
}


@pytest.mark.parametrize("promise", REFUSED)
async def test_a_question_that_makes_no_sense_is_refused(simulator: Child, promise: str) -> None:
    """With a status and a reason, and the simulator goes on."""
    path, body, status = REFUSED[promise]
    url = f"{simulator.address.admin_url}/admin/{path}"

    async with aiohttp.ClientSession() as session, session.post(url, json=body) as answer:
        said = await answer.json()

    assert (answer.status, "error" in said) == (status, True)


async def test_a_token_guards_the_admin_api(tmp_path: Path) -> None:
    """Without it, or with another one, there is nothing to see."""
    with simulator_process(tmp_path, "--paused", "--admin-token", "right") as child:
        async with aiohttp.ClientSession() as session:
            for token in ("", "wrong"):
                with pytest.raises(ValueError, match="401"):
                    await Admin(child.address.admin_url, session, token).state()
            assert await Admin(child.address.admin_url, session, "right").state()


async def test_a_state_file_survives_the_process(tmp_path: Path) -> None:
    """Accounts, open orders, positions and prices are there again after a restart of the program."""
    arguments = ("--paused", "--state", str(tmp_path / "state.json"), "--account", "testnet:k:s:5000")
    seen = []
    for round_number in range(2):
        with simulator_process(tmp_path, *arguments) as child:
            async with (
                redirected_session(child.address.url, child.address.ca_file) as session,
                aiohttp.ClientSession() as plain,
            ):
                client = ccxt.binanceusdm({"apiKey": "k", "secret": "s", "session": session})
                client.enable_demo_trading(True)
                if not round_number:
                    last = (await client.fetch_ticker(SYMBOL))["last"]
                    await client.create_order(SYMBOL, "market", "buy", 0.02)
                    await client.create_order(SYMBOL, "limit", "buy", 0.01, last * 0.98)
                    await Admin(child.address.admin_url, plain).price("BTCUSDT", round(last * 1.02, 1))
                state = await Admin(child.address.admin_url, plain).state()
                seen.append((state["environments"], state["prices"]))
                await client.close()

    assert seen[0] == seen[1]


WRONG_ARGUMENTS = {
    "an account without a balance": (["--account", "production:k:s"], "ENVIRONMENT:KEY:SECRET:BALANCE"),
    "a balance that is no number": (["--account", "production:k:s:much"], "balance is no number"),
    "a speed below nought": (["--speed", "-1"], "not between 0 and 200"),
    "an open admin API for everybody": (["--host", "0.0.0.0"], "needs --admin-token"),  # noqa: S104 - refused
    "a host name for an address": (["--host", "everywhere"], "everywhere"),
    "candles that are not there": (["--candles", "/nowhere.csv"], "/nowhere.csv"),
}


@pytest.mark.parametrize("promise", WRONG_ARGUMENTS)
def test_a_wrong_command_line_is_explained(promise: str) -> None:
    """One clear line and status 2, no traceback."""
    arguments, words = WRONG_ARGUMENTS[promise]
    command = [sys.executable, "-P", "-m", "golive_simulator", *arguments]

    done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)

    assert done.returncode == 2
    assert words in done.stderr
    assert "Traceback" not in done.stderr


def test_a_port_that_is_taken_is_explained(simulator: Child, tmp_path: Path) -> None:
    """The address is in the message."""
    port = simulator.address.url.rpartition(":")[2]

    with pytest.raises(
        RuntimeError, match=f"(?s){port}.*address already in use|address already in use.*{port}"
    ):
        simulator_process(tmp_path, "--port", port).__enter__()


def test_the_documented_program_trades(simulator: Child, tmp_path: Path) -> None:
    """The how-to page's example runs as it is written, but for the place of the address file."""
    program = PAGE.read_text().split("```python\n")[1].split("```")[0]
    address_file = tmp_path / "address.json"
    address_file.write_text(simulator.address.as_json())
    path = tmp_path / "program.py"
    path.write_text(program.replace("/tmp/simulator/address.json", str(address_file)))  # noqa: S108 - its own example

    done = subprocess.run(
        [sys.executable, "-P", str(path)], capture_output=True, text=True, timeout=60, check=False
    )

    assert done.stdout.startswith("closed "), done.stderr


def test_every_fault_is_documented() -> None:
    """No kind can be asked for that the how-to page does not tell of."""
    page = PAGE.read_text()

    assert [kind for kind in FaultKind if f"`{kind}`" not in page] == []
