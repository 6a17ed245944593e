"""OKX's perpetual swaps: the common contracts under OKX's names, in OKX's contract sizes, on its grid.

On the wire sizes are numbers of contracts; the exchange counts in the base asset. The two meet only here.
"""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from golive_simulator.instruments import brackets

if TYPE_CHECKING:
    from collections.abc import Mapping

    from golive_simulator.instruments import Instrument

# base, number, base asset in a contract, grid of sizes in contracts, grid of prices
ROWS: tuple[tuple[str, int, str, str, str], ...] = (
    ("BTC", 10459, "0.01", "0.01", "0.1"),
    ("ETH", 10461, "0.1", "0.01", "0.01"),
    ("SOL", 10467, "1", "0.01", "0.01"),
    ("XRP", 10463, "100", "0.01", "0.0001"),
    ("LTC", 10462, "1", "0.1", "0.01"),
    ("ADA", 10464, "100", "0.1", "0.0001"),
    ("DOGE", 10465, "1000", "0.01", "0.00001"),
    ("BCH", 10460, "0.1", "0.1", "0.1"),
    ("AVAX", 10468, "1", "0.1", "0.001"),
    ("LINK", 10466, "1", "0.1", "0.001"),
)
"""The swaps that are listed."""

MAX_LEVERAGE = 100
"""Highest leverage of every swap."""

MAX_OPEN_ORDERS = 500
"""Most resting orders of an account in a swap, and most waiting conditional ones."""

MAX_MARKET_CONTRACTS = 12_000
"""Most contracts of a market order."""

MAX_LIMIT_CONTRACTS = 100_000_000
"""Most contracts of a limit order."""

FINEST_DECIMALS = 28
"""No limit on decimals of a quantity in the base asset: the grid of contracts is what counts."""


def swaps(instruments: Mapping[str, Instrument]) -> dict[str, Instrument]:
    """OKX's swaps on those of the common contracts that it lists, by OKX's name."""
    found = ((row, instruments.get(f"{row[0]}USDT")) for row in ROWS)
    made = [_swap(common, *row) for row, common in found if common is not None]
    return {swap.symbol: swap for swap in made}


def _swap(common: Instrument, base: str, number: int, contract: str, lot: str, tick: str) -> Instrument:
    """A common contract as OKX cuts it."""
    size, step = Decimal(contract), Decimal(contract) * Decimal(lot)
    name = f"{base}-USDT-SWAP"
    return replace(
        common,
        symbol=name,
        price_precision=max(0, -int(Decimal(tick).normalize().as_tuple().exponent)),
        quantity_precision=FINEST_DECIMALS,
        tick=Decimal(tick),
        min_price=Decimal(tick),
        step=step,
        min_quantity=step,
        max_quantity=size * MAX_LIMIT_CONTRACTS,
        max_market_quantity=size * MAX_MARKET_CONTRACTS,
        min_notional=Decimal(0),
        max_open_orders=MAX_OPEN_ORDERS,
        max_algo_orders=MAX_OPEN_ORDERS,
        brackets=brackets(MAX_LEVERAGE),
        info=_description(name, base, number, contract, lot, tick),
    )


def _description(name: str, base: str, number: int, contract: str, lot: str, tick: str) -> dict[str, Any]:
    """A swap as the venue lists it."""
    absent = "auctionEndTime baseCcy contTdSwTime expTime maxMktAmt maxPlatOILmt openType optType posLmtAmt"
    absent += " posLmtPct preMktSwTime quoteCcy stk alias"
    unlimited = f"{MAX_LIMIT_CONTRACTS}.0000000000000000"
    return dict.fromkeys(absent.split(), "") | {
        "category": "1",
        "ctMult": "1",
        "ctType": "linear",
        "ctVal": contract,
        "ctValCcy": base,
        "futureSettlement": False,
        "instFamily": f"{base}-USDT",
        "instId": name,
        "instIdCode": number,
        "instType": "SWAP",
        "lever": str(MAX_LEVERAGE),
        "listTime": "1573557408000",
        "lotSz": lot,
        "maxIcebergSz": unlimited,
        "maxLmtAmt": "20000000",
        "maxLmtSz": str(MAX_LIMIT_CONTRACTS),
        "maxMktSz": str(MAX_MARKET_CONTRACTS),
        "maxStopSz": str(MAX_MARKET_CONTRACTS),
        "maxTriggerSz": unlimited,
        "maxTwapSz": unlimited,
        "minSz": lot,
        "ruleType": "normal",
        "settleCcy": "USDT",
        "state": "live",
        "tickSz": tick,
        "tradeQuoteCcyList": [],
        "uly": f"{base}-USDT",
    }


def contract_size(instrument: Instrument) -> Decimal:
    """Base asset in one contract."""
    return Decimal(instrument.info["ctVal"])


def to_base(instrument: Instrument, contracts: Decimal) -> Decimal:
    """Base asset in so many contracts."""
    return contracts * contract_size(instrument)


def to_contracts(instrument: Instrument, quantity: Decimal) -> Decimal:
    """Contracts in so much base asset."""
    return quantity / contract_size(instrument)
