"""Contracts: what they are called, the grid their orders must keep to, and their margin brackets."""

from __future__ import annotations

import json
from dataclasses import dataclass
from decimal import ROUND_DOWN, Decimal
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

Filters = dict[str, dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Bracket:
    """One step of a contract's margin table, notional in the quote asset."""

    number: int
    """Position in the table, from 1."""
    max_leverage: int
    """Highest leverage allowed."""
    notional_floor: Decimal
    """Smallest position."""
    notional_cap: Decimal
    """Largest position."""
    maintenance_ratio: Decimal
    """Part of the notional that must be covered."""
    cumulative: Decimal
    """Amount deducted so that maintenance margin is continuous from one bracket to the next."""


@dataclass(frozen=True, slots=True)
class Instrument:
    """A linear contract of size 1."""

    symbol: str
    """The venue's name."""
    base: str
    """What is traded."""
    quote: str
    """What prices and money are in."""
    pair: str
    """What contracts of different delivery share."""
    contract_type: str
    """Perpetual or dated."""
    price_precision: int
    """Most decimals of a price."""
    quantity_precision: int
    """Most decimals of a quantity."""
    tick: Decimal
    """Grid of prices."""
    min_price: Decimal
    """Lowest limit price."""
    max_price: Decimal
    """Highest limit price."""
    step: Decimal
    """Grid of quantities."""
    min_quantity: Decimal
    """Least quantity of an order."""
    max_quantity: Decimal
    """Most of a limit order."""
    max_market_quantity: Decimal
    """Most of a market order."""
    min_notional: Decimal
    """Least value of an order that adds risk."""
    multiplier_up: Decimal
    """Highest buy as a part of the mark."""
    multiplier_down: Decimal
    """Lowest sell as a part of the mark."""
    max_open_orders: int
    """Most resting orders of an account."""
    max_algo_orders: int
    """Most waiting conditional orders of an account."""
    brackets: tuple[Bracket, ...]
    """Margin table."""
    start_price: Decimal
    """Where a generated walk begins."""
    info: dict[str, Any]
    """The venue's own description, served as it is."""

    def round_price(self, price: float | Decimal) -> Decimal:
        """The nearest price below that lies on the tick grid."""
        value = price if isinstance(price, Decimal) else Decimal(repr(price))
        ticks = (value / self.tick).to_integral_value(ROUND_DOWN)
        return max(ticks, Decimal(1)) * self.tick

    def round_quantity(self, quantity: Decimal) -> Decimal:
        """The nearest quantity below that lies on the lot grid."""
        return (quantity / self.step).to_integral_value(ROUND_DOWN) * self.step


LADDER = (
    ("50000", "0.004"),
    ("600000", "0.005"),
    ("3000000", "0.01"),
    ("12000000", "0.025"),
    ("70000000", "0.05"),
    ("100000000", "0.1"),
    ("230000000", "0.125"),
    ("480000000", "0.15"),
)
"""Notional cap and maintenance ratio of each bracket of the most liquid contract."""

LEVERAGES = (125, 100, 50, 20, 10, 5, 4, 3)
"""Highest leverage in each bracket of the most liquid contract."""

# symbol base, price, tick, price precision, step, quantity precision, least notional, highest leverage
BUILT_IN: tuple[tuple[str, str, str, int, str, int, str, int], ...] = (
    ("BTC", "46319.00", "0.10", 2, "0.001", 3, "10", 125),
    ("ETH", "3680.00", "0.01", 2, "0.001", 3, "10", 100),
    ("SOL", "171.00", "0.010", 4, "0.01", 2, "5", 75),
    ("XRP", "0.8300", "0.0001", 4, "0.1", 1, "5", 75),
    ("LTC", "146.50", "0.01", 2, "0.001", 3, "20", 75),
    ("ADA", "1.31000", "0.00010", 5, "1", 0, "5", 75),
    ("DOGE", "0.170000", "0.000010", 6, "1", 0, "5", 75),
    ("BCH", "430.00", "0.01", 2, "0.001", 3, "20", 75),
    ("AVAX", "109.0000", "0.0010", 4, "1", 0, "5", 75),
    ("LINK", "19.500", "0.001", 3, "0.01", 2, "20", 75),
)
"""The ten contracts that are there without any file, with figures like the venue's."""


def brackets(max_leverage: int) -> tuple[Bracket, ...]:
    """The margin table of a contract whose first bracket allows ``max_leverage``."""
    rows: list[Bracket] = []
    floor = cumulative = ratio_before = Decimal(0)
    for (cap_text, ratio_text), leverage in zip(LADDER, LEVERAGES, strict=True):
        cap, ratio = Decimal(cap_text), Decimal(ratio_text)
        cumulative += floor * (ratio - ratio_before)
        allowed = min(leverage, max_leverage)
        rows.append(Bracket(len(rows) + 1, allowed, floor, cap, ratio, cumulative))
        floor, ratio_before = cap, ratio
    return tuple(rows)


def built_in() -> dict[str, Instrument]:
    """The ten contracts that need no file."""
    rows = (_describe(*row[:7]) for row in BUILT_IN)
    leverage_and_price = {f"{row[0]}USDT": (row[7], Decimal(row[1])) for row in BUILT_IN}
    return {info["symbol"]: read(info, *leverage_and_price[info["symbol"]]) for info in rows}


def load(path: Path | None) -> dict[str, Instrument]:
    """The built-in contracts, overlaid with those of an exchange information file of the venue."""
    known = built_in()
    if path is None:
        return known
    for info in json.loads(path.read_text())["symbols"]:
        like = known.get(info["symbol"]) or known.get(info["pair"])
        leverage = like.brackets[0].max_leverage if like else 50
        price = like.start_price if like else None
        known[info["symbol"]] = read(info, leverage, price)
    return known


def read(info: dict[str, Any], max_leverage: int, start_price: Decimal | None) -> Instrument:
    """Turn the venue's description of a symbol into an instrument.

    Without ``start_price`` the geometric middle of the allowed prices has to do.
    """
    filters: Filters = {row["filterType"]: row for row in info["filters"]}
    price, lot, market = (filters[name] for name in ("PRICE_FILTER", "LOT_SIZE", "MARKET_LOT_SIZE"))
    band = filters["PERCENT_PRICE"]
    low, high = Decimal(price["minPrice"]), Decimal(price["maxPrice"])
    return Instrument(
        symbol=info["symbol"],
        base=info["baseAsset"],
        quote=info["quoteAsset"],
        pair=info["pair"],
        contract_type=info["contractType"],
        price_precision=info["pricePrecision"],
        quantity_precision=info["quantityPrecision"],
        tick=Decimal(price["tickSize"]),
        min_price=low,
        max_price=high,
        step=Decimal(lot["stepSize"]),
        min_quantity=Decimal(lot["minQty"]),
        max_quantity=Decimal(lot["maxQty"]),
        max_market_quantity=Decimal(market["maxQty"]),
        min_notional=Decimal(filters["MIN_NOTIONAL"]["notional"]),
        multiplier_up=Decimal(band["multiplierUp"]),
        multiplier_down=Decimal(band["multiplierDown"]),
        max_open_orders=filters["MAX_NUM_ORDERS"]["limit"],
        max_algo_orders=filters["MAX_NUM_ALGO_ORDERS"]["limit"],
        brackets=brackets(max_leverage),
        start_price=start_price or (low * high).sqrt(),
        info=info,
    )


def _describe(
    base: str, price: str, tick: str, price_digits: int, step: str, quantity_digits: int, notional: str
) -> dict[str, Any]:
    """A symbol as the venue's exchange information tells it."""
    lowest = Decimal(price) / 100
    return {
        "symbol": f"{base}USDT",
        "pair": f"{base}USDT",
        "contractType": "PERPETUAL",
        "deliveryDate": 4133404800000,
        "onboardDate": 1569398400000,
        "status": "TRADING",
        "maintMarginPercent": "2.5000",
        "requiredMarginPercent": "5.0000",
        "baseAsset": base,
        "quoteAsset": "USDT",
        "marginAsset": "USDT",
        "pricePrecision": price_digits,
        "quantityPrecision": quantity_digits,
        "baseAssetPrecision": 8,
        "quotePrecision": 8,
        "underlyingType": "COIN",
        "underlyingSubType": ["PoW"] if base in {"BTC", "LTC", "BCH", "DOGE"} else ["Layer-1"],
        "settlePlan": 0,
        "triggerProtect": "0.0500",
        "liquidationFee": "0.012500",
        "marketTakeBound": "0.05",
        "maxMoveOrderLimit": 10000,
        "filters": _filters(lowest, tick, price_digits, step, notional),
        "orderTypes": [
            "LIMIT",
            "MARKET",
            "STOP",
            "STOP_MARKET",
            "TAKE_PROFIT",
            "TAKE_PROFIT_MARKET",
            "TRAILING_STOP_MARKET",
        ],
        "timeInForce": ["GTC", "IOC", "FOK", "GTX"],
    }


def _filters(lowest: Decimal, tick: str, price_digits: int, step: str, notional: str) -> list[dict[str, Any]]:
    """The order filters of a built-in symbol."""
    ceiling = Decimal("1e7") * Decimal(tick) * 10
    most = str(int(Decimal("1e6") * Decimal(step)))
    return [
        {
            "filterType": "PRICE_FILTER",
            "minPrice": f"{lowest:.{price_digits}f}",
            "maxPrice": f"{ceiling:.{price_digits}f}",
            "tickSize": tick,
        },
        {"filterType": "LOT_SIZE", "minQty": step, "maxQty": most, "stepSize": step},
        {"filterType": "MARKET_LOT_SIZE", "minQty": step, "maxQty": most, "stepSize": step},
        {"filterType": "MAX_NUM_ORDERS", "limit": 200},
        {"filterType": "MAX_NUM_ALGO_ORDERS", "limit": 10},
        {"filterType": "MIN_NOTIONAL", "notional": notional},
        {
            "filterType": "PERCENT_PRICE",
            "multiplierUp": "1.0500",
            "multiplierDown": "0.9500",
            "multiplierDecimal": "4",
        },
    ]
