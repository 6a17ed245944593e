"""Answers of venues as the engine's own words: what the simulator never says, and what must not be believed."""

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from golive_engine.trading import ExecutionStatus, Intent, OrderKind, Side, UnavailableError
from golive_engine.venues import binance_answers, bybit_answers, okx_answers, reading

CONTRACTS = okx_answers.Contracts({"BTCUSDT": Decimal("0.01")})


@pytest.mark.parametrize("text", ["NaN", "Infinity", "-inf", "", None, "ten", [], True])
def test_what_is_no_finite_number_is_not_read_as_one(text: Any) -> None:
    """No comparison with it could be trusted."""
    with pytest.raises((ValueError, ArithmeticError)):
        reading.number(text)


@pytest.mark.parametrize("value", [None, 1.5, "yes", "TRUE", []])
def test_what_is_neither_true_nor_false_is_refused(value: Any) -> None:
    """Reduce-only must not be guessed."""
    with pytest.raises(ValueError, match="neither true nor false"):
        reading.truth(value)


ODD_RIGHTS: dict[str, tuple[Any, Any]] = {
    "Binance leaves a right out": (binance_answers.rights, {"enableFutures": True}),
    "Binance says something else": (
        binance_answers.rights,
        {"enableFutures": "on", "enableWithdrawals": False},
    ),
    "Bybit leaves a list out": (
        bybit_answers.rights,
        {"result": {"readOnly": 0, "permissions": {"ContractTrade": ["Order", "Position"]}}},
    ),
    "OKX says nothing": (okx_answers.rights, {"data": [{"perm": ""}]}),
    "OKX answers about nobody": (okx_answers.rights, {"data": []}),
}


@pytest.mark.parametrize(("shape", "answer"), ODD_RIGHTS.values(), ids=ODD_RIGHTS)
def test_rights_that_are_not_told_are_not_read(shape: Any, answer: Any) -> None:
    """No key is taken for a harmless one because an answer is odd."""
    with pytest.raises((KeyError, ValueError, IndexError)):
        shape(answer)


BYBIT_KEYS: dict[str, tuple[int, list[str], list[str], tuple[bool, bool]]] = {
    "trades only": (0, ["Order", "Position"], ["AccountTransfer"], (True, False)),
    "withdraws, too": (0, ["Order", "Position"], ["AccountTransfer", "Withdraw"], (True, True)),
    "reads only": (1, ["Order", "Position"], ["Withdraw"], (False, False)),
    "may not touch positions": (0, ["Order"], [], (False, False)),
}


@pytest.mark.parametrize(("read_only", "contracts", "wallet", "expected"), BYBIT_KEYS.values(), ids=BYBIT_KEYS)
def test_a_bybit_key_that(
    read_only: int, contracts: list[str], wallet: list[str], expected: tuple[bool, bool]
) -> None:
    """Rights of a key that may only read are worth nothing."""
    granted = {"ContractTrade": contracts, "Wallet": wallet}
    found = bybit_answers.rights({"result": {"readOnly": read_only, "permissions": granted}})
    assert (found.trade, found.withdraw) == expected


def bybit_order(**changes: Any) -> dict[str, Any]:
    """A resting order as Bybit lists it."""
    return {
        "orderLinkId": "glx1",
        "orderId": "9",
        "symbol": "BTCUSDT",
        "side": "Sell",
        "qty": "0.002",
        "orderStatus": "Untriggered",
        "cumExecQty": "",
        "avgPrice": "",
        "orderType": "Market",
        "stopOrderType": "Stop",
        "triggerDirection": "2",
        "triggerPrice": "45000",
        "price": "0",
        "reduceOnly": True,
        "closeOnTrigger": False,
    } | changes


BYBIT_KINDS: dict[str, tuple[dict[str, Any], OrderKind]] = {
    "a sell that waits for a fall": ({}, OrderKind.STOP_LOSS),
    "a sell that waits for a rise": ({"triggerDirection": "1"}, OrderKind.TAKE_PROFIT),
    "a buy that waits for a rise": ({"side": "Buy", "triggerDirection": "1"}, OrderKind.STOP_LOSS),
    "a buy that waits for a fall": ({"side": "Buy"}, OrderKind.TAKE_PROFIT),
    "a position's take profit": ({"stopOrderType": "PartialTakeProfit"}, OrderKind.TAKE_PROFIT),
    "a position's stop loss": ({"stopOrderType": "StopLoss"}, OrderKind.STOP_LOSS),
    "a trailing stop": ({"stopOrderType": "TrailingStop", "triggerDirection": "0"}, OrderKind.STOP_LOSS),
    "a market order": ({"stopOrderType": ""}, OrderKind.MARKET),
    "a limit order": ({"stopOrderType": "UNKNOWN", "orderType": "Limit"}, OrderKind.LIMIT),
}


@pytest.mark.parametrize(("changes", "kind"), BYBIT_KINDS.values(), ids=BYBIT_KINDS)
def test_bybit_lists(changes: dict[str, Any], kind: OrderKind) -> None:
    """The kind of an order is read from what it waits for."""
    (found,) = bybit_answers.executions([bybit_order(**changes)])
    assert found.kind is kind
    assert (found.status, found.filled_quantity) == (ExecutionStatus.WORKING, Decimal(0))


def okx_algo(**changes: Any) -> dict[str, Any]:
    """A resting conditional order as OKX lists it."""
    return {
        "algoClOrdId": "glx1",
        "algoId": "9",
        "instId": "BTC-USDT-SWAP",
        "side": "sell",
        "sz": "20",
        "state": "live",
        "slTriggerPx": "",
        "tpTriggerPx": "",
        "triggerPx": "",
        "reduceOnly": "true",
        "closeFraction": "",
        "ordId": "",
    } | changes


OKX_KINDS: dict[str, tuple[dict[str, Any], OrderKind, str | None]] = {
    "a stop loss": ({"slTriggerPx": "45000"}, OrderKind.STOP_LOSS, "45000"),
    "a take profit": ({"tpTriggerPx": "55000"}, OrderKind.TAKE_PROFIT, "55000"),
    "both in one": ({"slTriggerPx": "45000", "tpTriggerPx": "55000"}, OrderKind.STOP_LOSS, "45000"),
    "a trigger order": ({"triggerPx": "45000"}, OrderKind.STOP_LOSS, "45000"),
    "a trailing stop": ({}, OrderKind.STOP_LOSS, None),
}


@pytest.mark.parametrize(("changes", "kind", "price"), OKX_KINDS.values(), ids=OKX_KINDS)
def test_okx_lists(changes: dict[str, Any], kind: OrderKind, price: str | None) -> None:
    """Contracts become coins, and the trigger is the one that protects."""
    (found,) = CONTRACTS.algos([okx_algo(**changes)])
    assert (found.kind, found.price) == (kind, None if price is None else Decimal(price))
    assert found.quantity == Decimal("0.2")


def test_an_order_that_closes_all_there_is_is_reduce_only() -> None:
    """It names no size; whoever counts must not take it for an entry."""
    (found,) = CONTRACTS.algos([okx_algo(sz="", closeFraction="1", reduceOnly="false", slTriggerPx="1")])
    assert (found.quantity, found.reduce_only) == (Decimal(0), True)


def test_what_a_conditional_order_made_is_found_by_either_field() -> None:
    """OKX tells one id, or a list of them."""
    rows = [okx_algo(state="effective", **more) for more in ({"ordId": "7"}, {"ordIdList": ["7"]}, {})]
    children = [CONTRACTS.answered_algo({"data": [row]}).child_id for row in rows]
    assert children == ["7", "7", None]


def test_contracts_in_other_money_are_left_out() -> None:
    """They can't be valued in ours, and no order of ours is among them."""
    other = okx_algo(instId="BTC-USD-SWAP", slTriggerPx="1")
    assert CONTRACTS.algos([other]) == []
    assert CONTRACTS.positions({"data": [{"instId": "BTC-USD-SWAP", "pos": "5"}]}) == []


def test_a_position_whose_contract_size_is_unknown_is_not_guessed() -> None:
    """Delisted or new: the account can't be read until the size is known."""
    row = {"instId": "NEW-USDT-SWAP", "posSide": "net", "pos": "5", "avgPx": "1"}
    with pytest.raises(ValueError, match="contract size of NEWUSDT is not known"):
        CONTRACTS.positions({"data": [row]})


def test_suspended_contracts_keep_their_size_and_take_no_orders() -> None:
    """What is held of them still counts."""
    row: dict[str, Any] = {"settleCcy": "USDT", "ctType": "linear", "ctMult": "1", "lotSz": "1", "minSz": "1"}
    row |= {"tickSz": "0.1", "maxMktSz": "100", "maxLmtSz": "100"}
    live = row | {"instId": "BTC-USDT-SWAP", "ctVal": "0.01", "state": "live"}
    halted = row | {"instId": "ETH-USDT-SWAP", "ctVal": "0.1", "state": "suspend"}
    coming = row | {"instId": "NEW-USDT-SWAP", "ctVal": "", "state": "preopen"}
    contracts, found = okx_answers.listed({"data": [live, halted, coming]})
    assert found.keys() == {"BTCUSDT"}
    assert contracts.sizes == {"BTCUSDT": Decimal("0.01"), "ETHUSDT": Decimal("0.1")}


def test_funding_is_no_trade() -> None:
    """Bybit lists it among executions, with the position's size as quantity."""
    row = {"execId": "1", "orderId": "9", "symbol": "BTCUSDT", "side": "Buy", "execQty": "1", "execPrice": "5"}
    rows = [
        row | {"execTime": "1000", "execType": kind} for kind in ("Trade", "Funding", "BustTrade", "Settle")
    ]
    assert len(bybit_answers.trades(rows)) == 2


def test_an_entry_that_binance_does_not_tell_is_worked_out() -> None:
    """From the position at mark and its profit, for longs and shorts alike."""
    asset = {"asset": "USDT", "marginBalance": "1010", "initialMargin": "50", "walletBalance": "1000"}
    rows = [
        ("BTCUSDT", "0.5", "25000", "500"),  # mark 50000, bought at 49000
        ("ETHUSDT", "-2", "-6000", "-100"),  # mark 3000, sold at 2950
    ]
    positions = [
        {
            "symbol": name,
            "positionSide": "BOTH",
            "positionAmt": amount,
            "notional": worth,
            "unrealizedProfit": pnl,
        }
        for name, amount, worth, pnl in rows
    ]
    found = binance_answers.snapshot({"assets": [asset], "positions": positions})
    assert found.entries == {"BTCUSDT": Decimal(49000), "ETHUSDT": Decimal(2950)}


INTENTS = {
    "a stop of a long": (Side.SELL, False, "2", "slTriggerPx"),
    "a profit of a long": (Side.SELL, True, "1", "tpTriggerPx"),
    "a stop of a short": (Side.BUY, False, "1", "slTriggerPx"),
    "a profit of a short": (Side.BUY, True, "2", "tpTriggerPx"),
}


@pytest.mark.parametrize(("side", "profits", "direction", "field"), INTENTS.values(), ids=INTENTS)
def test_each_venue_is_told_which_way(side: Side, direction: str, field: str, *, profits: bool) -> None:
    """A trigger on the wrong side would fire at once, or never."""
    intent = Intent(
        "BTCUSDT",
        side,
        Decimal("0.02"),
        reduce_only=True,
        trigger_price=Decimal("45000.50"),
        takes_profit=profits,
    )
    kinds = {False: "STOP_MARKET", True: "TAKE_PROFIT_MARKET"}
    assert binance_answers.order_of(intent, "glx1")["type"] == kinds[profits]
    assert str(bybit_answers.order_of(intent, "glx1")["triggerDirection"]) == direction
    asked = CONTRACTS.order_of(intent, "glx1")
    assert (asked[field], asked["sz"], asked["reduceOnly"]) == ("45000.5", "2", True)


def test_numbers_are_written_without_exponents() -> None:
    """Venues read none."""
    assert [reading.plain(Decimal(text)) for text in ("1E+3", "0.00000100", "5.0", "100")] == [
        "1000",
        "0.000001",
        "5",
        "100",
    ]


@given(
    since=st.floats(0, 2e9, allow_nan=False),
    now=st.floats(1e9, 2e9, allow_nan=False),
    span=st.floats(3600, 7 * 86_400),
)
def test_windows_leave_no_gap(since: float, now: float, span: float) -> None:
    """Each begins where the one before ends, none is longer than allowed, and the last one is open."""
    found = reading.windows(since, now, span)
    assert found[0][0] == int(max(since, now - reading.HISTORY_SECONDS) * 1000)
    assert [start for start, _ in found[1:]] == [end for _, end in found[:-1]]
    assert found[-1][1] is None
    assert all(end - start <= span * 1000 + 1 for start, end in found[:-1] if end is not None)
    assert since >= now or now * 1000 - found[-1][0] <= span * 1000 + 1


async def test_pages_without_end_are_no_answer() -> None:
    """A venue that always has one more page is not believed."""

    async def page(_cursor: str) -> tuple[list[int], str]:
        return [1], "more"

    with pytest.raises(UnavailableError, match="pages"):
        await reading.every_page(page)


async def test_candles_that_repeat_themselves_end_the_search() -> None:
    """A venue that ignores where to go on is not asked for ever."""
    asked: list[int | None] = []

    async def page(before: int | None) -> list[reading.Candle]:
        asked.append(before)
        return [reading.Candle(120_000, Decimal(2)), reading.Candle(60_000, Decimal(1))]

    assert len(await reading.newest_candles(page, 10)) == 2
    assert asked == [None, 60_000]


def test_the_newest_candle_is_left_out() -> None:
    """It is still moving; oldest first."""
    newest_first = [reading.Candle(n * 60_000, Decimal(n)) for n in (4, 3, 2, 1)]
    assert reading.closes(newest_first, 2) == (Decimal(2), Decimal(3))
    assert reading.closes(newest_first, 9) == (Decimal(1), Decimal(2), Decimal(3))
    with pytest.raises(UnavailableError, match="no candles"):
        reading.closes(newest_first[:1], 9)


def test_a_book_counts_only_near_its_middle() -> None:
    """Within a share of it, on both sides alike."""
    bids, asks = [["99", "1"], ["98", "2"], ["90", "4"]], [["101", "1"], ["102", "2"], ["110", "4"]]
    found = reading.depth("BTCUSDT", bids, asks, 1000, Decimal(2))
    assert (found.bids, found.asks, found.time) == (Decimal(3), Decimal(3), 1.0)


@pytest.mark.parametrize(("bid", "ask"), [("0", "1"), ("", "1"), ("1", None)])
def test_a_quote_needs_both_sides(bid: Any, ask: Any) -> None:
    """An empty book has no price."""
    assert reading.quote("BTCUSDT", bid, ask, 1000) == {}
