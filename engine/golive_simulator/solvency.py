"""What befalls positions without an order of their owner: funding and liquidation."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from golive_simulator.bookkeeping import Terms, book_fill, book_income
from golive_simulator.conditional import cancel_all_algos
from golive_simulator.margin import maintenance_margin, money
from golive_simulator.market import FUNDING_RATE
from golive_simulator.matching import Execution
from golive_simulator.orders import ZERO, MarginMode, Order, OrderRequest, OrderType, Side

if TYPE_CHECKING:
    from golive_simulator.accounts import Account
    from golive_simulator.exchange import Exchange

LIQUIDATION_FEE = Decimal("0.012500")
"""Fee of a liquidation, as a part of the value closed."""


def pay_funding(exchange: Exchange, now_ms: int) -> None:
    """Let longs pay shorts on every open position of every account."""
    for account in exchange.accounts.values():
        for symbol, position in account.positions.items():
            amount = money(-position.notional(exchange.market.mark(symbol)) * FUNDING_RATE)
            book_income(account, exchange.counters, "FUNDING_FEE", amount, now_ms, symbol)


def liquidate(exchange: Exchange, now_ms: int) -> None:
    """Close every position whose margin no longer covers it."""
    for account in exchange.accounts.values():
        for symbol in _symbols_beyond_saving(exchange, account):
            _close(exchange, account, symbol, now_ms)


def _symbols_beyond_saving(exchange: Exchange, account: Account) -> list[str]:
    """Contracts whose positions have to be closed."""
    held = [symbol for symbol, position in account.positions.items() if position.is_open]
    if not held:
        return []
    equity = exchange.equity(account)
    cross_is_lost = equity.cross_wallet + equity.cross_unrealized < equity.cross_maintenance
    return [
        symbol
        for symbol in held
        if (
            cross_is_lost
            if account.margin_mode(symbol) is MarginMode.CROSSED
            else _isolated_is_lost(exchange, account, symbol)
        )
    ]


def _isolated_is_lost(exchange: Exchange, account: Account, symbol: str) -> bool:
    """Whether an isolated position has used up its own margin."""
    position, mark = account.position(symbol), exchange.market.mark(symbol)
    needed = maintenance_margin(position.notional(mark), exchange.instrument(symbol).brackets)
    return position.isolated_wallet + position.unrealized(mark) < needed


def _close(exchange: Exchange, account: Account, symbol: str, now_ms: int) -> None:
    """Cancel what rests, close the position at the mark, and let the insurance fund bear what is missing."""
    exchange.cancel_all(account, symbol, now_ms)
    cancel_all_algos(account, symbol, now_ms)
    position, mark = account.position(symbol), exchange.market.mark(symbol)
    is_isolated = account.margin_mode(symbol) is MarginMode.ISOLATED
    # money of other isolated positions is out of reach, and so is the rest of the wallet for an isolated one
    floor = account.wallet - position.isolated_wallet if is_isolated else account.isolated_money()
    side = Side.SELL if position.quantity > 0 else Side.BUY
    number = exchange.counters.next("order_id")
    request = OrderRequest(
        symbol, side, OrderType.LIQUIDATION, abs(position.quantity), f"autoclose-{number}", reduce_only=True
    )
    order = Order(number, request, request.quantity, now_ms, now_ms)
    account.accept(order)
    price = exchange.instrument(symbol).round_price(mark)
    terms = Terms(LIQUIDATION_FEE, is_maker=False, now_ms=now_ms)
    book_fill(account, exchange.counters, order, Execution(price, request.quantity), terms)
    book_income(
        account, exchange.counters, "INSURANCE_CLEAR", max(ZERO, floor - account.wallet), now_ms, symbol
    )
