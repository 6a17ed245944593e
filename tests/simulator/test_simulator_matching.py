"""Matching and margin arithmetic: what must hold for every order, price and position."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from golive_simulator.accounts import Account
from golive_simulator.book import Level, ladder
from golive_simulator.conditional import place_algo, run_triggers
from golive_simulator.exchange import Exchange
from golive_simulator.instruments import brackets, built_in
from golive_simulator.margin import Position, after_fill, liquidation_price, maintenance_margin
from golive_simulator.market import Market
from golive_simulator.matching import Execution, cut, is_triggered, take, total
from golive_simulator.orders import (
    ZERO,
    AlgoRequest,
    AlgoStatus,
    MarginMode,
    OrderRequest,
    OrderStatus,
    OrderType,
    Side,
    TimeInForce,
)
from golive_simulator.refusals import Refused
from golive_simulator.solvency import liquidate, pay_funding

D = Decimal
BTC = {"BTCUSDT": built_in()["BTCUSDT"]}
TABLE = brackets(125)
LEVELS = [Level(D(100), D(1)), Level(D(101), D(2)), Level(D(103), D(4))]

TAKEN: dict[str, tuple[Decimal, Decimal | None, list[tuple[int, int]]]] = {
    "a small order stays at the touch": (D(1), None, [(100, 1)]),
    "a larger one walks up": (D(2), None, [(100, 1), (101, 1)]),
    "a limit stops the walk": (D(7), D(101), [(100, 1), (101, 2)]),
    "a limit below the touch takes nothing": (D(1), D(99), []),
    "a book may be too thin": (D(50), None, [(100, 1), (101, 2), (103, 4)]),
}


@pytest.mark.parametrize("promise", TAKEN)
def test_a_taker_walks_the_book(promise: str) -> None:
    """Best price first, up to quantity, limit or the last level."""
    quantity, limit, expected = TAKEN[promise]

    assert expected == [tuple(map(int, row)) for row in take(LEVELS, Side.BUY, quantity, limit)]


def test_a_cut_keeps_the_first_executions() -> None:
    """A partial fill is the best part of the whole."""
    executions = [Execution(D(100), D(1)), Execution(D(101), D(2))]

    assert cut(executions, D("1.5")) == [Execution(D(100), D(1)), Execution(D(101), D("0.5"))]


quantities = st.integers(1, 5_000).map(lambda lots: D(lots) / 1000)
signed_quantities = st.integers(-2_000, 2_000).filter(bool).map(lambda lots: D(lots) / 1000)
prices = st.integers(100_000, 900_000).map(lambda ticks: D(ticks) / 10)


@given(quantity=quantities, price=prices, side=st.sampled_from(Side), seed=st.text(max_size=5))
def test_a_take_never_exceeds_what_was_asked(quantity: Decimal, price: Decimal, side: Side, seed: str) -> None:
    """And every price is within the limit, from best to worst."""
    book = ladder(BTC["BTCUSDT"], price, seed)
    limit = price + side.sign * 50
    executions = take(book.against(side), side, quantity, limit)
    walked = [row.price * side.sign for row in executions]

    assert total(executions) <= quantity
    assert walked == sorted(walked)
    assert all(row.price * side.sign <= limit * side.sign for row in executions)
    assert [*book.bids] == [*ladder(BTC["BTCUSDT"], price, seed).bids]


NETTED: dict[str, tuple[tuple[int, int], tuple[int, int], tuple[int, int, int]]] = {
    "opening": ((0, 0), (2, 100), (2, 100, 0)),
    "adding averages": ((2, 100), (2, 110), (4, 105, 0)),
    "reducing realizes": ((4, 105), (-1, 115), (3, 105, 10)),
    "closing a long at a loss": ((3, 105), (-3, 100), (0, 0, -15)),
    "closing a short at a profit": ((-3, 105), (3, 100), (0, 0, 15)),
    "turning starts anew": ((2, 100), (-5, 90), (-3, 90, -20)),
}


@pytest.mark.parametrize("promise", NETTED)
def test_positions_net(promise: str) -> None:
    """One-way mode: quantity, entry price and realized profit."""
    (held, entry), (quantity, price), expected = NETTED[promise]

    outcome = after_fill(Position(D(held), D(entry)), D(quantity), D(price), 0)

    assert tuple(map(D, expected)) == (
        outcome.position.quantity,
        outcome.position.entry_price,
        outcome.realized,
    )


@given(st.lists(st.tuples(signed_quantities, prices), min_size=1, max_size=20), prices)
def test_profit_is_what_was_paid_and_got(fills: list[tuple[Decimal, Decimal]], mark: Decimal) -> None:
    """Realized plus open profit equals cash out and in plus what is held, whatever the way there."""
    position, realized = Position(), ZERO
    for quantity, price in fills:
        outcome = after_fill(position, quantity, price, 0)
        position, realized = outcome.position, realized + outcome.realized
    cash = -sum((quantity * price for quantity, price in fills), ZERO)
    held = sum((quantity for quantity, _ in fills), ZERO)

    assert position.quantity == held
    assert abs(realized + position.unrealized(mark) - (cash + held * mark)) < D("0.000001")


@given(st.integers(1, 400_000_000).map(D), st.integers(1, 400_000_000).map(D))
def test_maintenance_margin_is_continuous_and_grows(first: Decimal, second: Decimal) -> None:
    """A larger position never needs less, and brackets do not jump."""
    smaller, larger = sorted((first, second))

    assert maintenance_margin(smaller, TABLE) <= maintenance_margin(larger, TABLE)
    assert abs(maintenance_margin(D(50_000), TABLE) - maintenance_margin(D("50000.01"), TABLE)) < 1


@given(signed_quantities, st.integers(1, 20_000).map(D))
def test_the_liquidation_price_is_where_equity_meets_maintenance(
    quantity: Decimal, collateral: Decimal
) -> None:
    """At that mark, collateral plus open loss equals the maintenance margin of the same bracket."""
    entry = D(40_000)
    position = Position(quantity, entry)
    price = liquidation_price(position, collateral, entry, TABLE)
    row = next(row for row in TABLE if abs(quantity * entry) <= row.notional_cap)
    needed = abs(quantity) * price * row.maintenance_ratio - row.cumulative

    assert price == 0 or abs(collateral + position.unrealized(price) - needed) < D("0.0001")


def fresh(balance: int = 10_000) -> tuple[Exchange, Account]:
    """An exchange of one contract and one customer."""
    exchange = Exchange("production", Market(BTC, seed=1))
    account = Account("key", "secret", D(balance))
    exchange.open_account(account, 0)
    return exchange, account


def request(side: Side, quantity: str | Decimal, price: str | Decimal = "0", **fields: Any) -> OrderRequest:
    """An order in the one contract; a limit order if it has a price."""
    kind = OrderType.LIMIT if D(price) else OrderType.MARKET
    return OrderRequest("BTCUSDT", side, kind, D(quantity), fields.pop("client_id", "id"), D(price), **fields)


def set_price(exchange: Exchange, price: str | Decimal) -> None:
    """Let the contract jump, and everything follow."""
    exchange.market.set_price("BTCUSDT", D(price), None, 1)
    exchange.match_resting(1)
    run_triggers(exchange, 1)
    liquidate(exchange, 1)


actions = st.one_of(
    st.tuples(
        st.just("order"),
        st.sampled_from(Side),
        quantities,
        st.one_of(st.none(), st.integers(-200, 200)),
        st.sampled_from(TimeInForce),
        st.booleans(),
    ),
    st.tuples(st.just("price"), st.integers(-300, 300)),
    st.tuples(st.just("funding")),
    st.tuples(st.just("cancel")),
)


@settings(max_examples=150, deadline=None)
@given(st.lists(actions, max_size=25), st.sampled_from(MarginMode), st.sampled_from([1, 5, 50]))
def test_money_is_conserved_and_orders_keep_their_word(
    script: list[Any], mode: MarginMode, leverage: int
) -> None:
    """The wallet is the sum of its bookings, fills never exceed orders, nothing vanishes."""
    exchange, account = fresh()
    if mode is MarginMode.ISOLATED:
        exchange.set_margin_mode(account, "BTCUSDT", mode)
    account.leverages["BTCUSDT"] = leverage
    for number, action in enumerate(script):
        before = account.position("BTCUSDT").quantity
        play(exchange, account, number, action)
        check_money(account)
        check_orders(account)
        if action[0] == "order" and action[5]:
            assert before * account.position("BTCUSDT").quantity >= 0
            assert abs(account.position("BTCUSDT").quantity) <= abs(before)


def play(exchange: Exchange, account: Account, number: int, action: Any) -> None:
    """Do one step of a script; a refusal is an answer too."""
    last = exchange.market.quote("BTCUSDT").last
    match action:
        case ("order", side, quantity, offset, time_in_force, reduce_only):
            price = ZERO if offset is None else last + D(offset) / 10
            wanted = request(
                side,
                quantity,
                price,
                client_id=f"id-{number}",
                time_in_force=time_in_force if offset is not None else TimeInForce.GTC,
                reduce_only=reduce_only,
            )
            try:
                exchange.place(account, wanted, number)
            except Refused:
                return
        case ("price", offset):
            set_price(exchange, max(D(1000), last * (1 + D(offset) / 1000)).quantize(D("0.1")))
        case ("funding",):
            pay_funding(exchange, number)
        case _:
            exchange.cancel_all(account, "BTCUSDT", number)


def check_money(account: Account) -> None:
    """The wallet is the sum of the bookings, and the bookings are those of the fills."""
    booked: dict[str, Decimal] = {}
    for row in account.incomes:
        booked[row.kind] = booked.get(row.kind, ZERO) + row.amount

    assert account.wallet == sum(booked.values(), ZERO)
    assert booked.get("COMMISSION", ZERO) == -sum((fill.commission for fill in account.fills), ZERO)
    assert booked.get("REALIZED_PNL", ZERO) == sum((fill.realized_pnl for fill in account.fills), ZERO)
    assert account.isolated_money() >= 0


def check_orders(account: Account) -> None:
    """Fills add up to orders, and orders to the position."""
    for order in account.orders.values():
        filled = sum((fill.quantity for fill in account.fills if fill.order_id == order.order_id), ZERO)
        assert filled == order.filled_quantity <= order.quantity
        assert order.is_open == (order.order_id in account.open_order_ids)
    held = sum((fill.quantity * fill.side.sign for fill in account.fills), ZERO)
    assert held == account.position("BTCUSDT").quantity


def test_a_resting_order_fills_when_the_price_comes() -> None:
    """At its own price, as a maker."""
    exchange, account = fresh()
    last = exchange.market.quote("BTCUSDT").last
    order = exchange.place(account, request(Side.BUY, "0.01", last - 100), 0)
    set_price(exchange, last - 99)
    untouched = order.status
    set_price(exchange, last - 101)

    assert untouched is OrderStatus.NEW
    assert order.status is OrderStatus.FILLED
    assert [(fill.price, fill.is_maker) for fill in account.fills] == [(last - 100, True)]
    assert account.fills[0].commission == D("0.01") * (last - 100) * D("0.0002")


def test_resting_reduce_only_orders_end_with_the_position() -> None:
    """A forgotten take-profit cannot open the other side."""
    exchange, account = fresh()
    last = exchange.market.quote("BTCUSDT").last
    exchange.place(account, request(Side.BUY, "0.02"), 0)
    resting = exchange.place(
        account, request(Side.SELL, "0.02", last + 100, client_id="tp", reduce_only=True), 0
    )
    exchange.place(account, request(Side.SELL, "0.01"), 0)
    shrunk = resting.remaining
    exchange.place(account, request(Side.SELL, "0.01"), 0)

    assert shrunk == D("0.01")
    assert resting.status is OrderStatus.EXPIRED


TRIGGERS: dict[str, tuple[OrderType, Side, int, int, bool]] = {
    "a sell stop fires below": (OrderType.STOP_MARKET, Side.SELL, 100, 99, True),
    "a sell stop waits above": (OrderType.STOP_MARKET, Side.SELL, 100, 101, False),
    "a buy stop fires above": (OrderType.STOP, Side.BUY, 100, 101, True),
    "a sell take-profit fires above": (OrderType.TAKE_PROFIT_MARKET, Side.SELL, 100, 101, True),
    "a buy take-profit fires below": (OrderType.TAKE_PROFIT, Side.BUY, 100, 99, True),
    "a trigger fires at its very price": (OrderType.STOP_MARKET, Side.SELL, 100, 100, True),
}


@pytest.mark.parametrize("promise", TRIGGERS)
def test_triggers(promise: str) -> None:
    """Each conditional type fires on its own side."""
    kind, side, trigger, price, expected = TRIGGERS[promise]
    wanted = AlgoRequest("BTCUSDT", side, kind, D(1), "id", D(trigger))

    assert expected == is_triggered(wanted, D(price), ZERO)


def test_a_trailing_stop_follows_and_fires() -> None:
    """It rises with the price and sells after a fall of its rate."""
    exchange, account = fresh()
    last = exchange.market.quote("BTCUSDT").last
    exchange.place(account, request(Side.BUY, "0.01"), 0)
    wanted = AlgoRequest(
        "BTCUSDT",
        Side.SELL,
        OrderType.TRAILING_STOP_MARKET,
        D("0.01"),
        "trail",
        reduce_only=True,
        callback_rate_percent=D(1),
    )
    order = place_algo(exchange, account, wanted, 0)
    for factor in ("1", "1.02", "1.012"):
        set_price(exchange, (last * D(factor)).quantize(D("0.1")))
    waiting = order.status
    set_price(exchange, (last * D("1.009")).quantize(D("0.1")))

    assert waiting is AlgoStatus.NEW
    assert order.status is AlgoStatus.FINISHED
    assert not account.position("BTCUSDT").is_open


def test_a_lost_position_is_liquidated_and_the_wallet_stays_above_nought() -> None:
    """Orders are cancelled, the position closes at the mark, the insurance fund bears the rest."""
    exchange, account = fresh(1_000)
    account.leverages["BTCUSDT"] = 50
    last = exchange.market.quote("BTCUSDT").last
    exchange.place(account, request(Side.BUY, "0.5"), 0)
    resting = exchange.place(account, request(Side.BUY, "0.01", last - 500, client_id="rest"), 0)
    set_price(exchange, (last * D("0.9")).quantize(D("0.1")))

    assert not account.position("BTCUSDT").is_open
    assert not resting.is_open
    assert account.wallet == 0
    assert account.incomes[-1].kind == "INSURANCE_CLEAR"


def test_an_isolated_loss_stops_at_its_own_margin() -> None:
    """The rest of the wallet is out of reach."""
    exchange, account = fresh(10_000)
    exchange.set_margin_mode(account, "BTCUSDT", MarginMode.ISOLATED)
    account.leverages["BTCUSDT"] = 50
    exchange.place(account, request(Side.BUY, "0.5"), 0)
    outside = account.wallet - account.isolated_money()
    set_price(exchange, (exchange.market.quote("BTCUSDT").last * D("0.9")).quantize(D("0.1")))

    assert not account.position("BTCUSDT").is_open
    assert account.wallet == outside


def test_longs_pay_funding_and_shorts_receive_it() -> None:
    """The rate times the value at the mark."""
    exchange, account = fresh()
    exchange.place(account, request(Side.BUY, "0.1"), 0)
    value = exchange.market.mark("BTCUSDT") * D("0.1")
    before = account.wallet
    pay_funding(exchange, 1)

    assert before - account.wallet == (value * D("0.0001")).quantize(D("0.00000001"))
