"""The command line: read settings, serve until told to stop."""

from __future__ import annotations

import argparse
import asyncio
import signal
import sys
import tempfile
from decimal import Decimal, InvalidOperation
from ipaddress import ip_address
from pathlib import Path
from typing import TYPE_CHECKING

from golive_simulator.accounts import Account
from golive_simulator.candles import read_csv
from golive_simulator.clock import VenueClock
from golive_simulator.dialect.binance import BinanceDialect
from golive_simulator.dialect.binance.limits import Limits
from golive_simulator.dialect.bybit import BybitDialect
from golive_simulator.dialect.bybit.limits import Limits as BybitLimits
from golive_simulator.dialect.okx import OkxDialect, swaps
from golive_simulator.instruments import load
from golive_simulator.market import Market
from golive_simulator.server import Settings, running
from golive_simulator.venue import ENVIRONMENTS, Venue

if TYPE_CHECKING:
    from collections.abc import Mapping

    from golive_simulator.candles import Candle
    from golive_simulator.instruments import Instrument

DEFAULT_ACCOUNTS = tuple(f"{name}:{name}-key:{name}-secret:10000" for name in ENVIRONMENTS)
"""Accounts that are there when none are asked for."""

DEFAULT_SYMBOL = "BTCUSDT"
"""The contract that candles are for when they do not say."""

FIELDS_OF_AN_ACCOUNT = 4
"""Environment, key, secret, balance."""

FASTEST = 200
"""Candles per second beyond which a machine might not follow."""


def parser() -> argparse.ArgumentParser:
    """What the command line understands."""
    made = argparse.ArgumentParser(prog="golive_simulator", description=__doc__)
    made.add_argument("--host", default="127.0.0.1", help="IP address to serve on")
    made.add_argument("--port", type=int, default=0, help="HTTPS port; 0 takes a free one")
    made.add_argument("--admin-port", type=int, default=0, help="admin API port; 0 takes a free one")
    made.add_argument("--admin-token", default="", help="bearer token the admin API asks for")
    made.add_argument("--address-file", type=Path, help="write the address here, as JSON, once serving")
    made.add_argument("--folder", type=Path, help="where to write ca.pem; a temporary folder by default")
    made.add_argument("--certificate", type=Path, help="TLS certificate to use instead of an own CA")
    made.add_argument("--key", type=Path, help="key of --certificate")
    made.add_argument(
        "--account",
        action="append",
        type=_account,
        metavar="ENVIRONMENT:KEY:SECRET:BALANCE[:read-only|:withdraw]",
        help=f"a customer of {', '.join(ENVIRONMENTS)}; may be repeated",
    )
    made.add_argument("--seed", type=int, default=1, help="decides generated candles and books")
    made.add_argument("--speed", type=_speed, default=1.0, help="one-minute candles per second of wall time")
    made.add_argument("--paused", action="store_true", help="start with prices standing still")
    made.add_argument(
        "--candles",
        action="append",
        default=[],
        type=_candles,
        metavar="[SYMBOL=]FILE",
        help="CSV (or .csv.gz) of one-minute candles that a contract follows, BTCUSDT if none is named; "
        "may be repeated",
    )
    made.add_argument("--instruments", type=Path, help="the venue's exchange information as JSON")
    made.add_argument("--state", type=Path, help="keep accounts and orders here over restarts")
    made.add_argument("--unlimited", action="store_true", help="no rate limits")
    made.add_argument("--verbose", action="store_true", help="one JSON line per request on standard error")
    return made


def _speed(text: str) -> float:
    """Candles per second, between standing still and as fast as makes sense."""
    speed = float(text)
    if not 0 <= speed <= FASTEST:
        raise argparse.ArgumentTypeError(f"not between 0 and {FASTEST}: {text}")
    return speed


def _candles(text: str) -> tuple[str, Path]:
    """A contract and the file of its candles."""
    symbol, is_named, path = text.rpartition("=")
    return (symbol if is_named else DEFAULT_SYMBOL), Path(path)


def _account(text: str) -> tuple[str, Account]:
    """An account from its colon-separated description."""
    environment, *rest = text.split(":")
    if environment not in ENVIRONMENTS or len(rest) + 1 < FIELDS_OF_AN_ACCOUNT:
        raise argparse.ArgumentTypeError(f"not ENVIRONMENT:KEY:SECRET:BALANCE: {text}")
    key, secret, balance, *flags = rest
    if not set(flags) <= {"read-only", "withdraw"}:
        raise argparse.ArgumentTypeError(f"unknown permission in {text}")
    try:
        wallet = Decimal(balance)
    except InvalidOperation:
        raise argparse.ArgumentTypeError(f"balance is no number: {text}") from None
    account = Account(key, secret, wallet, may_trade="read-only" not in flags, may_withdraw="withdraw" in flags)
    return environment, account


def _recorded(files: list[tuple[str, Path]], instruments: Mapping[str, Instrument]) -> dict[str, list[Candle]]:
    """The candles of each contract that has a file."""
    unknown = {symbol for symbol, _ in files} - set(instruments)
    if unknown:
        raise ValueError(f"candles of unknown contracts: {', '.join(sorted(unknown))}")
    return {symbol: read_csv(path) for symbol, path in files}


def build(options: argparse.Namespace) -> Venue:
    """A venue as the options describe it."""
    instruments = load(options.instruments)
    market = Market(instruments, options.seed, _recorded(options.candles, instruments), swaps(instruments))
    limits = Limits(0, 0, 0) if options.unlimited else Limits()
    bybit_limits = BybitLimits(0, 0) if options.unlimited else BybitLimits()
    okx = OkxDialect(is_limited=not options.unlimited)
    dialects = (BinanceDialect(limits), BybitDialect(bybit_limits), okx)
    venue = Venue(market, VenueClock(), dialects, is_paused=options.paused)
    for environment, account in options.account or [_account(text) for text in DEFAULT_ACCOUNTS]:
        venue.exchanges[environment].open_account(account, venue.clock.now_ms())
    return venue


async def serve(options: argparse.Namespace, folder: Path) -> None:
    """Serve until SIGINT or SIGTERM."""
    settings = Settings(
        folder=folder,
        host=options.host,
        port=options.port,
        admin_port=options.admin_port,
        admin_token=options.admin_token,
        candles_per_second=options.speed,
        certificate=options.certificate,
        key=options.key,
        state_file=options.state,
        is_verbose=options.verbose,
    )
    stop = asyncio.get_running_loop().create_future()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, _finish, stop)
    async with running(build(options), settings) as served:
        line = served.address.as_json() + "\n"
        sys.stdout.write(line)
        sys.stdout.flush()
        if options.address_file:
            _publish(options.address_file, line)
        await asyncio.wait({stop, served.clock}, return_when=asyncio.FIRST_COMPLETED)
        if served.clock.done():
            # prices that stand still would look like a quiet market
            await served.clock


def _finish(stop: asyncio.Future[None]) -> None:
    """End the wait; a second signal changes nothing."""
    if not stop.done():
        stop.set_result(None)


def _publish(path: Path, line: str) -> None:
    """Write the address whole or not at all: somebody is waiting for the file."""
    draft = path.with_name(f"{path.name}.new")
    draft.write_text(line)
    draft.replace(path)


def main(arguments: list[str] | None = None) -> int:
    """Run the simulator; returns the exit status."""
    options = parser().parse_args(arguments)
    try:
        if not options.admin_token and not ip_address(options.host).is_loopback:
            raise ValueError("serving others than this machine needs --admin-token")  # noqa: TRY301 - told below
        if options.folder:
            options.folder.mkdir(parents=True, exist_ok=True)
            asyncio.run(serve(options, options.folder))
        else:
            with tempfile.TemporaryDirectory(prefix="simulator-") as folder:
                asyncio.run(serve(options, Path(folder)))
    except (OSError, ValueError, KeyError) as error:
        sys.stderr.write(f"golive_simulator: {error}\n")
        return 2
    return 0
