"""Conditional orders as requests describe them: stop loss, take profit, both at once, trigger, trailing."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import TYPE_CHECKING

from golive_simulator.conditional import watched_price
from golive_simulator.dialect.okx.complaints import Complaint, empty, wrong
from golive_simulator.dialect.okx.contracts import to_base
from golive_simulator.dialect.okx.payloads import AT_MARKET
from golive_simulator.orders import ZERO, AlgoRequest, OrderType, Side, WorkingType

if TYPE_CHECKING:
    from golive_simulator.dialect.okx.call import Call
    from golive_simulator.dialect.okx.parameters import Parameters
    from golive_simulator.instruments import Instrument

SIDES = {"buy": Side.BUY, "sell": Side.SELL}
"""Directions."""

NO_POSITION_SIDES = frozenset({"", "net"})
"""What one-way mode takes as position side."""

WATCHED = {
    "last": WorkingType.CONTRACT_PRICE,
    "mark": WorkingType.MARK_PRICE,
    "index": WorkingType.MARK_PRICE,
}
"""Prices a trigger may watch; the simulated index is the mark."""

STOP = {True: OrderType.STOP_MARKET, False: OrderType.STOP}
"""Orders that go with the price's move, at market or with a limit."""

PROFIT = {True: OrderType.TAKE_PROFIT_MARKET, False: OrderType.TAKE_PROFIT}
"""Orders that go against it."""

HALVES = {"sl": STOP, "tp": PROFIT}
"""Stop loss and take profit, by the prefix of their parameters."""

NEEDED_HALVES = {"conditional": 1, "oco": 2}
"""How many of them an order of each kind has."""

TRAILING_PERCENT = Decimal(100)
"""The venue writes a callback of one percent as 0.01."""


def read_algo(call: Call, parameters: Parameters, instrument: Instrument) -> list[AlgoRequest]:
    """The conditional order that one row describes: one request, or two that cancel each other.

    Raises:
        Complaint: when a parameter is missing or not one the venue knows.
    """
    base = _common(call, parameters, instrument)
    if base.kind == "trigger":
        return [_trigger(call, parameters, base)]
    if base.kind == "move_order_stop":
        return [_trailing(parameters, base)]
    halves = _halves(parameters, base)
    needed = NEEDED_HALVES.get(base.kind)
    if needed is None:
        raise wrong("ordType")
    if len(halves) < needed:
        raise empty("tpTriggerPx" if parameters.optional("slTriggerPx") else "slTriggerPx")
    return grouped(call, halves[:needed])


def _common(call: Call, parameters: Parameters, instrument: Instrument) -> AlgoRequest:
    """What every kind has."""
    closes = bool(parameters.optional("closeFraction"))
    reduce_only = parameters.flag("reduceOnly")
    if closes and parameters.text("closeFraction") != "1":
        raise wrong("closeFraction")
    if closes and not reduce_only:
        raise Complaint(51328, "closeFraction is only available for reduceOnly orders")
    if call.account.is_hedged or parameters.optional("posSide") not in NO_POSITION_SIDES:
        raise wrong("posSide")
    return AlgoRequest(
        symbol=instrument.symbol,
        side=parameters.choice("side", SIDES),
        order_type=OrderType.STOP_MARKET,
        quantity=ZERO if closes else to_base(instrument, parameters.decimal("sz")),
        client_algo_id=parameters.client_id("algoClOrdId"),
        reduce_only=reduce_only,
        close_position=closes,
        kind=parameters.text("ordType"),
    )


def _halves(parameters: Parameters, base: AlgoRequest) -> list[AlgoRequest]:
    """Stop loss and take profit, as far as they are given."""
    return [_half(parameters, base, prefix) for prefix in HALVES if parameters.optional(f"{prefix}TriggerPx")]


def _half(parameters: Parameters, base: AlgoRequest, prefix: str) -> AlgoRequest:
    """A stop loss or a take profit."""
    price = _limit(parameters, f"{prefix}OrdPx")
    return replace(
        base,
        order_type=HALVES[prefix][not price],
        trigger_price=parameters.decimal(f"{prefix}TriggerPx"),
        price=price,
        working_type=parameters.choice(f"{prefix}TriggerPxType", WATCHED, "last"),
    )


def _limit(parameters: Parameters, name: str) -> Decimal:
    """The limit of a triggered order, nought for one at market."""
    return ZERO if parameters.text(name) == AT_MARKET else parameters.decimal(name)


def grouped(call: Call, requests: list[AlgoRequest]) -> list[AlgoRequest]:
    """Requests that cancel each other; only the first bears the client's name."""
    if len(requests) == 1:
        return requests
    group = f"oco-{call.exchange.counters.next('algo_id')}"
    first, *others = (replace(request, group=group) for request in requests)
    return [first, *(replace(request, client_algo_id="") for request in others)]


def _trigger(call: Call, parameters: Parameters, base: AlgoRequest) -> AlgoRequest:
    """An order that goes off when the price arrives, from whichever side it comes."""
    trigger, price = parameters.decimal("triggerPx"), _limit(parameters, "orderPx")
    asked = replace(
        base,
        trigger_price=trigger,
        price=price,
        working_type=parameters.choice("triggerPxType", WATCHED, "last"),
    )
    is_above = trigger > watched_price(call.exchange, asked)
    kinds = STOP if is_above == (base.side is Side.BUY) else PROFIT
    return replace(asked, order_type=kinds[not price])


def _trailing(parameters: Parameters, base: AlgoRequest) -> AlgoRequest:
    """A stop that follows the price at a distance, which the simulator only takes as a ratio."""
    return replace(
        base,
        order_type=OrderType.TRAILING_STOP_MARKET,
        callback_rate_percent=parameters.decimal("callbackRatio") * TRAILING_PERCENT,
        activate_price=parameters.optional_decimal("activePx"),
    )


def read_attached(
    call: Call, parameters: Parameters, instrument: Instrument, side: Side, quantity: Decimal, price: Decimal
) -> tuple[AlgoRequest, ...]:
    """Stop loss and take profit that come with an order and close what it opens.

    Raises:
        Complaint: when one of them stands on the wrong side of the order's price.
    """
    rows = parameters.rows("attachAlgoOrds")
    base = AlgoRequest(
        symbol=instrument.symbol,
        side=Side.SELL if side is Side.BUY else Side.BUY,
        order_type=OrderType.STOP_MARKET,
        quantity=quantity,
        client_algo_id="",
        reduce_only=True,
    )
    halves = [
        half
        for row in rows
        for half in _halves(row, replace(base, client_algo_id=row.client_id("attachAlgoClOrdId")))
    ]
    for half in halves:
        _refuse_wrong_side(call, half, price)
    kind = "oco" if len(halves) > 1 else "conditional"
    return tuple(replace(half, kind=kind) for half in grouped(call, halves)) if halves else ()


def _refuse_wrong_side(call: Call, half: AlgoRequest, price: Decimal) -> None:
    """Refuse a stop loss or take profit that the order's own price has passed already."""
    quote, is_profit = call.exchange.market.quote(half.symbol), half.order_type in PROFIT.values()
    opens_long = half.side is Side.SELL
    must_be_higher = is_profit == opens_long
    reference = price or (quote.ask if opens_long else quote.bid)
    if (half.trigger_price > reference) if must_be_higher else (half.trigger_price < reference):
        return
    code = (51046 if opens_long else 51048) if is_profit else (51047 if opens_long else 51049)
    best = "ask" if opens_long else "bid"
    against = "the order price" if price else f"the best {best} price"
    name = "take profit" if is_profit else "stop loss"
    where = "higher" if must_be_higher else "lower"
    raise Complaint(code if price else code + 4, f"The {name} trigger price must be {where} than {against}")
