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
import requests

from golive_simulator import certificates
from golive_simulator.client import Admin, redirected_requests, redirected_session
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
    "equity of nobody": ("equity", {"environment": "production", "api_key": "nobody", "equity": 1}, 404),
    "an equity without bounds": (
        *("equity", {"environment": "production", "api_key": "production-key", "equity": "1e30"}, 400),
    ),
    "a trade by hand of what the venue does not list": (
        "trade",
        {
            "environment": "bybit-production",
            "api_key": "bybit-production-key",
            "symbol": "BTC-USDT-SWAP",
            "side": "BUY",
            "quantity": "1",
        },
        422,
    ),
    "a trade by hand beyond the account's means": (
        "trade",
        {
            "environment": "production",
            "api_key": "production-key",
            "symbol": "BTCUSDT",
            "side": "BUY",
            "quantity": "90",
        },
        422,
    ),
    "a fault of an environment there is not": ("faults", {"kind": "delay", "environment": "moon"}, 404),
    "a fault of a contract there is not": ("faults", {"kind": "stale-book", "symbol": "NOPE"}, 404),
    "a clock that is skewed for some only": (
        *("faults", {"kind": "clock-skew", "environment": "production", "skew_ms": 1}, 400),
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


def test_a_synchronous_session_trusts_the_simulator_only(simulator: Child, tmp_path: Path) -> None:
    """Another authority's word is worth nothing, and a name that is not in the certificate neither."""
    stranger = tmp_path / "stranger"
    stranger.mkdir()
    certificates.make(stranger, ["fapi.binance.com"], "127.0.0.1")
    url, ca_file = simulator.address.url, simulator.address.ca_file

    with redirected_requests(url, ca_file) as session:
        assert session.get("https://fapi.binance.com/fapi/v1/time", timeout=10).status_code == 200
        with pytest.raises(requests.exceptions.SSLError):
            session.get("https://elsewhere.example/fapi/v1/time", timeout=10)
    with redirected_requests(url, stranger / "ca.pem") as session, pytest.raises(requests.exceptions.SSLError):
        session.get("https://fapi.binance.com/fapi/v1/time", timeout=10)


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
    "candles of a contract there is not": (["--candles", "NOPE=some.csv"], "unknown contracts: NOPE"),
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


@pytest.mark.parametrize("number", [1, 2], ids=["with an event loop", "without one"])
def test_the_documented_programs_trade(simulator: Child, tmp_path: Path, number: int) -> None:
    """The how-to page's examples run as they are written, but for the place of the address file."""
    program = PAGE.read_text().split("```python\n")[number].split("```")[0]
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
