"""The admin API of accounts: who there is, and what happens to them without their client's doing."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from pydantic import Field

from golive_simulator.accounts import Account
from golive_simulator.admin_questions import VENUE, Question, UnknownError, said
from golive_simulator.bookkeeping import book_income
from golive_simulator.orders import ZERO, OrderRequest, OrderType, Side
from golive_simulator.venue import ENVIRONMENTS

if TYPE_CHECKING:
    from aiohttp import web

    from golive_simulator.exchange import Exchange

RICHEST = 1_000_000_000_000
"""A bound on money, far above any account."""

NAME_BY_THEMSELVES = frozenset({"production", "testnet"})
"""Environments that give every order a name; elsewhere one placed by hand has none."""


class OfAccount(Question):
    """Something about one account."""

    environment: str = Field(pattern=f"^({'|'.join(ENVIRONMENTS)})$")
    """Environment."""
    api_key: str = Field(min_length=1, max_length=128)
    """API key."""


class NewAccount(OfAccount):
    """A customer."""

    secret: str = Field(min_length=1, max_length=128)
    """Secret to sign with."""
    balance: Decimal = Field(default=Decimal(10_000), ge=0)
    """First deposit in USDT."""
    may_trade: bool = True
    """Whether the key may place orders."""
    may_withdraw: bool = False
    """Whether the key may withdraw, which a trading key should not."""
    passphrase: str = Field(default="passphrase", min_length=1, max_length=128)
    """What OKX asks for besides key and signature."""


class Equity(OfAccount):
    """What an account is to be worth, open profit included."""

    equity: Decimal = Field(ge=-RICHEST, le=RICHEST)
    """USDT."""


class Trade(OfAccount):
    """An order of the account's owner that its program knows nothing of."""

    symbol: str
    """Contract, by the venue's own or the common name."""
    side: Side
    """Direction."""
    quantity: Decimal = Field(gt=0)
    """Base asset, at every venue."""
    price: Decimal | None = Field(default=None, gt=0)
    """Limit; without it the order is one at market."""
    reduce_only: bool = False
    """Whether it may only take off a position."""


class PositionMode(OfAccount):
    """A setting of the account that its owner has changed."""

    is_hedged: bool
    """Whether long and short positions of a contract are kept apart."""


async def add_account(request: web.Request) -> web.Response:
    """Let a customer in."""
    venue, wanted = request.app[VENUE], NewAccount.model_validate_json(await request.text())
    exchange = venue.exchanges[wanted.environment]
    if wanted.api_key in exchange.accounts:
        return said({"error": "the key is taken"}, status=409)
    account = Account(
        wanted.api_key,
        wanted.secret,
        wanted.balance,
        may_trade=wanted.may_trade,
        may_withdraw=wanted.may_withdraw,
        passphrase=wanted.passphrase,
    )
    exchange.open_account(account, venue.clock.now_ms())
    return said({"environment": wanted.environment, "api_key": wanted.api_key}, status=201)


async def set_equity(request: web.Request) -> web.Response:
    """Pay money in or out until the account is worth what is asked for; too little is liquidated at once."""
    wanted = Equity.model_validate_json(await request.text())
    exchange, account = _named(request, wanted)
    now_ms = request.app[VENUE].clock.now_ms()
    worth = exchange.equity(account)
    missing = wanted.equity - worth.wallet - worth.unrealized
    book_income(account, exchange.counters, "TRANSFER", missing, now_ms)
    request.app[VENUE].settle(now_ms)
    return said({"wallet": account.wallet})


async def trade(request: web.Request) -> web.Response:
    """Place an order as if by hand: it has a number, but no name that a program gave it."""
    wanted = Trade.model_validate_json(await request.text())
    exchange, account = _named(request, wanted)
    venue = request.app[VENUE]
    by_hand = OrderRequest(
        symbol=venue.contract(wanted.environment, wanted.symbol).symbol,
        side=wanted.side,
        order_type=OrderType.MARKET if wanted.price is None else OrderType.LIMIT,
        quantity=wanted.quantity,
        client_order_id=_name(wanted.environment, exchange),
        price=wanted.price or ZERO,
        reduce_only=wanted.reduce_only,
    )
    order = exchange.place(account, by_hand, venue.clock.now_ms())
    venue.settle(venue.clock.now_ms())
    return said({"order_id": order.order_id, "status": order.status, "filled_quantity": order.filled_quantity})


def _name(environment: str, exchange: Exchange) -> str:
    """What the venue itself calls an order that was placed on its website."""
    return f"web_{exchange.counters.order_id}" if environment in NAME_BY_THEMSELVES else ""


async def set_position_mode(request: web.Request) -> web.Response:
    """Change the position mode; the account's own API may change it back."""
    wanted = PositionMode.model_validate_json(await request.text())
    _, account = _named(request, wanted)
    account.is_hedged = wanted.is_hedged
    return said({"is_hedged": account.is_hedged})


def _named(request: web.Request, wanted: OfAccount) -> tuple[Exchange, Account]:
    """The account that a question is about."""
    exchange = request.app[VENUE].exchanges[wanted.environment]
    account = exchange.accounts.get(wanted.api_key)
    if account is None:
        raise UnknownError(f"no account {wanted.api_key} in {wanted.environment}")
    return exchange, account


ROUTES = {
    "/admin/accounts": add_account,
    "/admin/equity": set_equity,
    "/admin/trade": trade,
    "/admin/position-mode": set_position_mode,
}
"""Calls about accounts, all of them posted."""
