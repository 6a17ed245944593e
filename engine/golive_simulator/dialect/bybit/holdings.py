"""Positions and the wallet in Bybit's notation."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from golive_simulator.dialect.bybit.payloads import is_take_profit, plain, price, quantity
from golive_simulator.margin import liquidation_price, money
from golive_simulator.orders import ZERO, MarginMode

if TYPE_CHECKING:
    from decimal import Decimal

    from golive_simulator.accounts import Account
    from golive_simulator.equity import Equity
    from golive_simulator.exchange import Exchange
    from golive_simulator.instruments import Instrument
    from golive_simulator.margin import Position
    from golive_simulator.orders import AlgoRequest


def sum_of(amount: Decimal) -> str:
    """Money to eight decimals, without superfluous digits."""
    return plain(money(amount))


def position(exchange: Exchange, account: Account, equity: Equity, instrument: Instrument) -> dict[str, Any]:
    """A contract's position, of size nought if there is none."""
    symbol, mark = instrument.symbol, exchange.market.mark(instrument.symbol)
    held, part = account.position(symbol), equity.symbols.get(symbol)
    realized = sum((row.amount for row in account.incomes if row.symbol == symbol), ZERO)
    return {
        "positionIdx": (1 if held.quantity >= 0 else 2) if account.is_hedged else 0,
        "riskId": 1,
        "riskLimitValue": plain(instrument.brackets[0].notional_cap),
        "symbol": symbol,
        "side": ("Buy" if held.quantity > 0 else "Sell") if held.is_open else "",
        "size": quantity(instrument, abs(held.quantity)) if held.is_open else "0",
        "avgPrice": plain(held.entry_price.quantize(instrument.tick / 1000)),
        "positionValue": sum_of(abs(held.quantity * held.entry_price)),
        "tradeMode": int(account.margin_mode(symbol) is MarginMode.ISOLATED),
        "positionStatus": "Normal",
        "autoAddMargin": 0,
        "adlRankIndicator": 2 if held.is_open else 0,
        "leverage": str(account.leverage(symbol)),
        "positionBalance": sum_of(part.position_margin if part else ZERO),
        "markPrice": price(instrument, mark),
        **_limits(account, equity, instrument, mark),
        "positionMM": sum_of(part.maintenance if part else ZERO),
        "positionIM": sum_of(part.initial if part else ZERO),
        "tpslMode": "Full",
        **_protection(account, instrument),
        "unrealisedPnl": sum_of(held.unrealized(mark)),
        "curRealisedPnl": sum_of(realized),
        "cumRealisedPnl": sum_of(realized),
        "seq": exchange.counters.trade_id,
        "isReduceOnly": False,
        "mmrSysUpdatedTime": "",
        "leverageSysUpdatedTime": "",
        "createdTime": str(held.updated_ms),
        "updatedTime": str(held.updated_ms),
        "openTime": held.updated_ms,
    }


def _limits(account: Account, equity: Equity, instrument: Instrument, mark: Decimal) -> dict[str, str]:
    """Prices at which the position would be liquidated, and bankrupt."""
    held = account.position(instrument.symbol)
    if not held.is_open:
        return {"liqPrice": "", "bustPrice": ""}
    backing = _backing(equity, instrument.symbol, held)
    liquidated = liquidation_price(held, backing, mark, instrument.brackets)
    bankrupt = held.entry_price - backing / held.quantity
    shown = {"liqPrice": liquidated, "bustPrice": bankrupt}
    return {
        name: price(instrument, instrument.round_price(value)) if value > 0 else ""
        for name, value in shown.items()
    }


def _backing(equity: Equity, symbol: str, held: Position) -> Decimal:
    """The money that stands behind a position besides its own profit."""
    part = equity.symbols[symbol]
    if part.mode is MarginMode.ISOLATED:
        return held.isolated_wallet
    others = equity.cross_unrealized - part.unrealized - (equity.cross_maintenance - part.maintenance)
    return equity.cross_wallet + others


def _protection(account: Account, instrument: Instrument) -> dict[str, str]:
    """What protects the position."""
    rows = [algo.request for algo in account.open_algos(instrument.symbol) if algo.request.ends_with_position]

    def first(wanted: list[AlgoRequest]) -> str:
        return price(instrument, wanted[0].trigger_price if wanted else ZERO)

    return {
        "takeProfit": first([row for row in rows if is_take_profit(row)]),
        "stopLoss": first([row for row in rows if not is_take_profit(row)]),
        "trailingStop": "0",
    }


def wallet(equity: Equity) -> dict[str, Any]:
    """The unified account: its sums, and its one coin."""
    worth = equity.wallet + equity.unrealized
    return {
        "totalEquity": sum_of(worth),
        "accountIMRate": _rate(equity.initial, worth),
        "totalMarginBalance": sum_of(worth),
        "totalInitialMargin": sum_of(equity.initial),
        "accountType": "UNIFIED",
        "totalAvailableBalance": sum_of(equity.available),
        "accountMMRate": _rate(equity.maintenance, worth),
        "totalPerpUPL": sum_of(equity.unrealized),
        "totalWalletBalance": sum_of(equity.wallet),
        "accountLTV": "0",
        "totalMaintenanceMargin": sum_of(equity.maintenance),
        "coin": [
            {
                "availableToBorrow": "0",
                "bonus": "0",
                "accruedInterest": "0",
                "availableToWithdraw": sum_of(equity.available),
                "totalOrderIM": sum_of(equity.order_initial),
                "equity": sum_of(worth),
                "totalPositionMM": sum_of(equity.maintenance),
                "usdValue": sum_of(worth),
                "unrealisedPnl": sum_of(equity.unrealized),
                "borrowAmount": "0",
                "totalPositionIM": sum_of(equity.position_initial),
                "walletBalance": sum_of(equity.wallet),
                "cumRealisedPnl": "0",
                "locked": "0",
                "collateralSwitch": True,
                "marginCollateral": True,
                "coin": "USDT",
                "spotHedgingQty": "0",
                "spotBorrow": "0",
            }
        ],
    }


def _rate(margin: Decimal, worth: Decimal) -> str:
    """Margin as a part of what there is."""
    return f"{margin / worth:.4f}" if worth > 0 and margin else "0"
