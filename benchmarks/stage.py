"""A simulator process, and an engine's account on its venues: what measurements of orders and cycles share."""

import json
import logging
import tempfile
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from golive_api.profiles import Limits
from golive_api.reasons import Reason
from golive_engine.account import Permissions
from golive_engine.assembly import Workshop
from golive_engine.cache import open_cache
from golive_engine.clock import SystemClock
from golive_engine.journal import Journal
from golive_engine.metrics import Metrics
from golive_engine.safety import Safety
from golive_engine.sentiment import open_sentiment
from golive_engine.settings import Settings
from golive_engine.skips import Skips
from golive_engine.strategies import View
from golive_engine.trader import Shared, Trader
from golive_engine.trading import Intent, VenueName
from golive_engine.venues import Credentials
from golive_simulator.instruments import built_in
from golive_simulator.process import Child, simulator_process

HOSTS = (
    *("fapi.binance.com", "api.binance.com", "api.bybit.com", "www.okx.com"),
    *("demo-fapi.binance.com", "demo-api.binance.com", "api-testnet.bybit.com"),
)
"""What the venue library calls: production, and play money."""

VENUES: dict[VenueName, tuple[str, str]] = {
    "binanceusdm": ("production", "testnet"),
    "bybit": ("bybit-production", "bybit-testnet"),
    "okx": ("okx-production", "okx-testnet"),
}
"""Each venue, and the simulator's names of its real money and of its play money."""

PASSPHRASE = "passphrase"  # noqa: S105  # play money's
"""Every simulated customer's at OKX."""

BALANCE = 1_000_000
"""What every account begins with."""

WIDE = Limits(
    max_position_notional="1000000",
    max_positions=1000,
    max_leverage="5",
    max_exposure_percent="500",
    max_margin_percent="100",
    max_daily_loss_percent="50",
    max_weekly_loss_percent="50",
    max_drawdown_percent="50",
    max_trade_risk_percent="50",
    max_correlated_exposure_percent="500",
    max_price_deviation_percent="50",
    max_price_move_percent="50",
    max_daily_trades=1_000_000,
    max_orders_per_minute=10_000,
    max_repeated_orders=10_000,
)
"""Limits that stop nothing of what is measured."""


@dataclass(frozen=True, slots=True)
class Quiet:
    """A strategy that looks at everything and wants nothing."""

    name: str
    symbols: tuple[str, ...]
    closes: int = 20

    def intent(self, view: View) -> Intent | None:
        """Nothing."""
        del view
        return None


@contextmanager
def simulator(folder: Path, customers: Sequence[str], *arguments: str) -> Iterator[Child]:
    """A simulated exchange without rate limits; each customer has an account on every venue."""
    moneys = [money for both in VENUES.values() for money in both]
    accounts = [f"{money}:{name}:{name}:{BALANCE}" for money in moneys for name in customers]
    opened = [word for account in accounts for word in ("--account", account)]
    with simulator_process(folder, "--unlimited", *opened, *arguments) as child:
        yield child


def instruments(folder: Path, count: int) -> tuple[Path, tuple[str, ...]]:
    """A file of so many instruments like the simulator's BTCUSDT, and their symbols."""
    like, symbols = built_in()["BTCUSDT"].info, tuple(f"A{number:03d}USDT" for number in range(count))
    rows = [like | {"symbol": symbol, "baseAsset": symbol.removesuffix("USDT")} for symbol in symbols]
    path = folder / "instruments.json"
    path.write_text(json.dumps({"symbols": rows}))
    return path, symbols


def seat(venue: VenueName) -> dict[str, str]:
    """A place on a venue, as a file would have it."""
    passphrase = {"passphrase_env": "PASSPHRASE"} if venue == "okx" else {}
    return {"venue": venue, "api_key_env": "KEY", "secret_env": "KEY"} | passphrase


def document(
    child: Child,
    folder: Path,
    venues: Sequence[VenueName],
    symbols: Sequence[str],
    environment: str = "production",
    **changes: Any,
) -> dict[str, Any]:
    """Settings of an engine with one account, as a file would have them."""
    address = child.address.url.removeprefix("https://").rstrip("/")
    seats = [seat(venue) for venue in venues]
    return {
        "engine": "bench",
        "golive": "bench",
        "symbols": list(symbols),
        "strategies": [{"notional": "500"}],
        "profiles": {"wide": WIDE.wire()},
        "accounts": [{"name": "main", "environment": environment, "profile": "wide", "venues": seats}],
        "venue": {
            "ca_file": str(child.address.ca_file),
            "resolve": dict.fromkeys(HOSTS, address),
            "rate_limit_ms": 0,
        },
        "journal": {"url": f"sqlite:///{folder}/journal.db"},
        "staleness": {"price_seconds": 600.0},
    } | changes


@asynccontextmanager
async def trader(
    told: Settings, key: str, kind: type[Metrics] = Metrics
) -> AsyncIterator[tuple[Trader, Shared]]:
    """A real account behind an open gate, with its own journal, whose strategy wants nothing."""
    logging.getLogger("golive_engine").setLevel(logging.ERROR)  # what it usually tells is not what is measured
    own, clock, environments = told.accounts[0], SystemClock(), {"main": "production"}
    venues = [seat.venue for seat in own.venues]
    journal = Journal(told.journal.url, told.engine)
    metrics = kind(environments, {"main": venues}, told.symbols)
    cache = open_cache(told.cache, told.engine, clock, metrics.cache)
    safety = Safety(environments, journal, clock, metrics.trigger, _nobody)
    shared = Shared(
        *(journal, safety, metrics, Skips(journal, clock), open_sentiment(told.sentiment, cache, clock)),
        *(clock, _nobody, lambda: None),
    )
    keys = {("main", venue): Credentials(key, key, PASSPHRASE) for venue in venues}
    permissions = Permissions(lambda: Reason.GATE_OPEN, lambda: True, lambda: WIDE, lambda: False)
    made = Workshop(told, keys, shared, cache, lambda _: permissions).trader(own)
    quiet = Trader(made.account, (Quiet(own.strategies[0], told.symbols),), {}, shared)
    await safety.refresh()
    try:
        yield quiet, shared
    finally:
        for seat in made.account.seats:
            await seat.market.close()
        journal.close()


def _nobody(_subject: str, _text: str) -> None:
    """Alerts reach nobody."""


@contextmanager
def scratch() -> Iterator[Path]:
    """A folder for one measurement."""
    with tempfile.TemporaryDirectory(prefix="golive-bench-") as folder:
        yield Path(folder)
