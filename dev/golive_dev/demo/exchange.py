"""The exchange simulator as a process, and what its admin API says."""

import json
import sys
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from golive_dev.control_plane import ControlPlane
from golive_dev.waiting import eventually
from golive_simulator.streams import HOSTS as STREAM_HOSTS

START_SECONDS = 20.0
"""How long the simulator may take to serve."""

DATA = Path(__file__).parents[4] / "shared" / "data"
"""Real candles and answers; generated ones serve where this folder is absent."""

CANDLES = DATA / "btc-perp-1m-2022-01.csv.gz"
INSTRUMENTS = DATA / "venue_answers" / "binance" / "http_futures_market_exchange_info.json"

HOSTS = (
    *("fapi.binance.com", "api.binance.com", "demo-fapi.binance.com", "demo-api.binance.com"),
    *("api.bybit.com", "api-testnet.bybit.com", "www.okx.com"),
    *STREAM_HOSTS,
)
"""Names under which the engine knows the exchanges."""

VENUES = {"binanceusdm": "", "bybit": "bybit-", "okx": "okx-"}
"""Prefix of each venue's environments in the simulator."""

WORDS = {"main": "production", "paper": "testnet"}
"""Which money each sort of account trades with."""

KEYS = {
    f"{account.upper()}_{venue.upper()}_{kind}": value
    for account, money in WORDS.items()
    for venue, prefix in VENUES.items()
    for kind, value in (
        ("KEY", f"{prefix}{money}-key"),
        ("SECRET", f"{prefix}{money}-secret"),
        ("PASSPHRASE", "passphrase"),
    )
    if kind != "PASSPHRASE" or venue == "okx"
}
"""The simulator's own default accounts, by environment variable."""


@dataclass(frozen=True)
class Exchange:
    """A running simulator."""

    command: str
    """As started."""
    address: str
    """Host and port of its HTTPS side."""
    ca_file: Path
    """Its private authority."""
    admin_url: str
    """Its admin API."""

    def admin(self, path: str) -> Any:
        """What the admin API answers to a GET."""
        with urllib.request.urlopen(f"{self.admin_url}/admin/{path}", timeout=5) as answer:  # noqa: S310  # loopback, ours
            return json.load(answer)

    def tell(self, method: str, path: str, body: dict[str, object] | None = None) -> Any:
        """What the admin API answers to a request that changes something."""
        data = json.dumps(body).encode() if body is not None else None
        request = urllib.request.Request(f"{self.admin_url}/admin/{path}", data=data, method=method)  # noqa: S310  # loopback, ours
        with urllib.request.urlopen(request, timeout=5) as answer:  # noqa: S310  # same
            return json.load(answer)

    def _account(self, environment: str) -> dict[str, Any]:
        accounts: dict[str, Any] = self.admin("state")["environments"][environment]["accounts"]
        return dict(accounts[f"{environment}-key"])

    def orders(self, environment: str) -> list[dict[str, Any]]:
        """Every order that the exchange has accepted there, oldest first."""
        return list(self._account(environment)["orders"])

    def positions(self, environment: str) -> dict[str, float]:
        """Signed base quantity by symbol, flat ones left out."""
        positions = self._account(environment)["positions"]
        sizes = {symbol: float(position["quantity"]) for symbol, position in positions.items()}
        return {name.removesuffix("-SWAP").replace("-", ""): size for name, size in sizes.items() if size}

    def all_positions(self, money: str) -> dict[str, float]:
        """The same over all venues together."""
        total: dict[str, float] = {}
        for prefix in VENUES.values():
            for symbol, size in self.positions(f"{prefix}{money}").items():
                total[symbol] = total.get(symbol, 0.0) + size
        return {symbol: size for symbol, size in total.items() if size}

    def all_orders(self, money: str) -> list[dict[str, Any]]:
        """Every order that one of the venues has accepted, oldest first."""
        orders = [order for prefix in VENUES.values() for order in self.orders(f"{prefix}{money}")]
        return sorted(orders, key=lambda order: order["created_ms"])

    def equity(self, environment: str) -> float:
        """Wallet plus unrealized profit."""
        account = self._account(environment)
        return float(account["wallet"]) + float(account["unrealized"])


def start_exchange(control_plane: ControlPlane, candles_per_second: float) -> Exchange:
    """Start the simulator on a free port, on real candles where they are."""
    address_file = control_plane.directory / "simulator.json"
    words = ["--speed", f"{candles_per_second:g}", "--unlimited", "--address-file", str(address_file)]
    if CANDLES.is_file():
        words += ["--candles", str(CANDLES)]
    if INSTRUMENTS.is_file():
        words += ["--instruments", str(INSTRUMENTS)]
    control_plane.spawn("simulator", [sys.executable, "-P", "-m", "golive_simulator", *words])
    address = eventually(lambda: json.loads(address_file.read_text()), START_SECONDS)
    shown = " ".join(word if len(word) < 40 else f"…/{Path(word).name}" for word in words)  # noqa: PLR2004  # a readable line
    return Exchange(
        command=f"python -m golive_simulator {shown}",
        address=address["url"].removeprefix("https://"),
        ca_file=Path(address["ca_file"]),
        admin_url=address["admin_url"],
    )
