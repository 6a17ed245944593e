"""What an order must keep to before it may reach the book: ordered checks over frozen facts. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from golive_simulator.margin import largest_notional
from golive_simulator.matching import crosses, is_triggered, reducible, take, total
from golive_simulator.orders import ZERO, AlgoRequest, OrderRequest, OrderType, TimeInForce
from golive_simulator.refusals import Reason, Refused

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from decimal import Decimal

    from golive_simulator.instruments import Instrument
    from golive_simulator.market import Quote

    OrderRule = Callable[["OrderFacts"], Refused | None]
    AlgoRule = Callable[["AlgoFacts"], Refused | None]

Facts = TypeVar("Facts")

CLIENT_ID = re.compile(r"[.A-Z:/a-z0-9_-]{0,36}")
"""What a client order id may look like; it is empty where a venue lets a client go without."""


@dataclass(frozen=True, slots=True)
class OrderFacts:
    """All that decides whether an order is accepted."""

    request: OrderRequest
    """What was asked for."""
    instrument: Instrument
    """The contract."""
    quote: Quote
    """Its prices now."""
    position: Decimal
    """Signed quantity held."""
    leverage: int
    """Leverage set for the contract."""
    client_id_is_open: bool
    """Whether another open order has the client id."""
    open_order_count: int
    """Resting orders in the contract."""
    free_after: Decimal
    """Free margin if the order is accepted and its fee paid."""
    adds_risk: bool
    """Whether the account's initial margin grows by it."""

    @property
    def reference_price(self) -> Decimal:
        """The price at which the order's notional counts."""
        return self.request.price or self.quote.mark

    @property
    def best_opposite(self) -> Decimal:
        """The best price on the side the order would take."""
        return self.quote.best_opposite(self.request.side)


@dataclass(frozen=True, slots=True)
class AlgoFacts:
    """All that decides whether a conditional order is accepted."""

    request: AlgoRequest
    """What was asked for."""
    instrument: Instrument
    """The contract."""
    watched_price: Decimal
    """The price its trigger looks at, now."""
    client_id_is_open: bool
    """Whether another waiting order has the client id."""
    open_algo_count: int
    """Waiting conditional orders in the contract."""


def first_objection(facts: Facts, rules: Iterable[Callable[[Facts], Refused | None]]) -> Refused | None:
    """The first rule's objection, in order."""
    return next((objection for rule in rules if (objection := rule(facts))), None)


def _if(condition: bool, reason: Reason, value: str = "") -> Refused | None:  # noqa: FBT001 - reads as a sentence
    """A refusal where the condition holds."""
    return Refused(reason, value) if condition else None


def client_id_malformed(facts: OrderFacts) -> Refused | None:
    """The id has other characters or more of them than the venue takes."""
    return _if(not CLIENT_ID.fullmatch(facts.request.client_order_id), Reason.CLIENT_ID_MALFORMED)


def quantity_off_grid(facts: OrderFacts) -> Refused | None:
    """The quantity is finer, smaller or larger than the lot rules allow."""
    is_market = facts.request.order_type is OrderType.MARKET
    return _quantity_objection(facts.request.quantity, facts.instrument, is_market=is_market)


def _quantity_objection(quantity: Decimal, instrument: Instrument, *, is_market: bool) -> Refused | None:
    """What the lot rules object to."""
    most = instrument.max_market_quantity if is_market else instrument.max_quantity
    return (
        _if(_decimals(quantity) > instrument.quantity_precision, Reason.PRECISION_TOO_FINE)
        or _if(quantity <= 0, Reason.QUANTITY_NOT_POSITIVE)
        or _if(quantity < instrument.min_quantity, Reason.QUANTITY_TOO_SMALL)
        or _if(quantity > most, Reason.QUANTITY_TOO_LARGE)
        or _if(quantity % instrument.step != 0, Reason.QUANTITY_OFF_STEP)
    )


def price_off_grid(facts: OrderFacts) -> Refused | None:
    """A limit price is finer than the tick or outside the absolute limits."""
    if facts.request.order_type is OrderType.MARKET:
        return None
    return _price_objection(facts.request.price, facts.instrument)


def _price_objection(price: Decimal, instrument: Instrument) -> Refused | None:
    """What the price rules object to."""
    return (
        _if(price <= 0, Reason.PRICE_NOT_POSITIVE)
        or _if(_decimals(price) > instrument.price_precision, Reason.PRECISION_TOO_FINE)
        or _if(price < instrument.min_price, Reason.PRICE_TOO_LOW)
        or _if(price > instrument.max_price, Reason.PRICE_TOO_HIGH)
        or _if(price % instrument.tick != 0, Reason.PRICE_OFF_TICK)
    )


def price_outside_band(facts: OrderFacts) -> Refused | None:
    """A buy limited far above the mark, or a sell far below it."""
    if facts.request.order_type is OrderType.MARKET:
        return None
    ceiling = facts.quote.mark * facts.instrument.multiplier_up
    floor = facts.quote.mark * facts.instrument.multiplier_down
    if facts.request.side.sign > 0:
        shown = f"{ceiling:.{facts.instrument.price_precision}f}"
        return _if(facts.request.price > ceiling, Reason.PRICE_ABOVE_BAND, shown)
    shown = f"{floor:.{facts.instrument.price_precision}f}"
    return _if(facts.request.price < floor, Reason.PRICE_BELOW_BAND, shown)


def client_id_in_use(facts: OrderFacts) -> Refused | None:
    """Another open order has this id; ids of closed orders may be used again."""
    return _if(facts.client_id_is_open, Reason.CLIENT_ID_IN_USE)


def too_many_open_orders(facts: OrderFacts) -> Refused | None:
    """The contract's limit of resting orders is reached."""
    return _if(facts.open_order_count >= facts.instrument.max_open_orders, Reason.TOO_MANY_OPEN_ORDERS)


def notional_too_small(facts: OrderFacts) -> Refused | None:
    """The order is worth too little, and does not merely reduce."""
    least = facts.instrument.min_notional
    worth = facts.request.quantity * facts.reference_price
    return _if(not facts.request.reduce_only and worth < least, Reason.NOTIONAL_TOO_SMALL, f"{least:f}")


def nothing_to_reduce(facts: OrderFacts) -> Refused | None:
    """A reduce-only order finds no position on the other side."""
    is_idle = facts.request.reduce_only and not reducible(facts.position, facts.request.side)
    return _if(is_idle, Reason.NOTHING_TO_REDUCE)


def would_take(facts: OrderFacts) -> Refused | None:
    """A post-only order would trade at once."""
    request = facts.request
    would = request.time_in_force is TimeInForce.GTX and crosses(
        request.side, request.price, facts.best_opposite
    )
    return _if(would, Reason.WOULD_TAKE)


def would_not_fill(facts: OrderFacts) -> Refused | None:
    """A fill-or-kill order finds too little within its limit."""
    request = facts.request
    if request.time_in_force is not TimeInForce.FOK:
        return None
    found = take(facts.quote.book.against(request.side), request.side, request.quantity, request.price)
    return _if(total(found) < request.quantity, Reason.WOULD_NOT_FILL)


def market_outside_band(facts: OrderFacts) -> Refused | None:
    """A market order would meet a price too far from the mark."""
    if facts.request.order_type is not OrderType.MARKET:
        return None
    ratio = facts.best_opposite / facts.quote.mark
    is_outside = not facts.instrument.multiplier_down <= ratio <= facts.instrument.multiplier_up
    return _if(is_outside, Reason.MARKET_OUTSIDE_BAND)


def position_too_large(facts: OrderFacts) -> Refused | None:
    """The position would outgrow the bracket of its leverage."""
    most = largest_notional(facts.leverage, facts.instrument.brackets)
    size = abs(facts.position + facts.request.side.sign * facts.request.quantity)
    grows = size > abs(facts.position) and not facts.request.reduce_only
    return _if(grows and size * facts.reference_price > most, Reason.POSITION_TOO_LARGE)


def margin_insufficient(facts: OrderFacts) -> Refused | None:
    """The order adds risk that the free margin does not cover."""
    return _if(facts.adds_risk and facts.free_after < 0, Reason.MARGIN_INSUFFICIENT)


ORDER_RULES: tuple[OrderRule, ...] = (
    client_id_malformed,  # form before content
    quantity_off_grid,
    price_off_grid,
    price_outside_band,
    client_id_in_use,
    notional_too_small,
    too_many_open_orders,  # from here on the account's state matters
    nothing_to_reduce,
    would_take,
    would_not_fill,
    market_outside_band,
    position_too_large,
    margin_insufficient,  # last: the only one that money can cure
)
"""Every check of an order, in the order in which the venue would object."""


def algo_client_id_wrong(facts: AlgoFacts) -> Refused | None:
    """The id is malformed, or another waiting conditional order has it."""
    return _if(not CLIENT_ID.fullmatch(facts.request.client_algo_id), Reason.CLIENT_ID_MALFORMED) or _if(
        facts.client_id_is_open, Reason.CLIENT_ID_IN_USE
    )


def algo_quantity_wrong(facts: AlgoFacts) -> Refused | None:
    """A quantity off the grid, or one given although the whole position is to be closed."""
    request = facts.request
    if request.close_position:
        return _if(request.quantity != ZERO, Reason.CLOSE_WITH_QUANTITY)
    is_market = not request.order_type.rests_at_a_price
    return _quantity_objection(request.quantity, facts.instrument, is_market=is_market)


def algo_prices_wrong(facts: AlgoFacts) -> Refused | None:
    """A trigger, activation or limit price that is missing or off the grid."""
    request = facts.request
    if request.order_type is OrderType.TRAILING_STOP_MARKET:
        return _if(request.callback_rate_percent <= 0, Reason.CALLBACK_MISSING)
    return (
        _if(request.trigger_price <= 0, Reason.TRIGGER_NOT_POSITIVE)
        or _price_objection(request.trigger_price, facts.instrument)
        or (_price_objection(request.price, facts.instrument) if request.order_type.rests_at_a_price else None)
    )


def algo_notional_too_small(facts: AlgoFacts) -> Refused | None:
    """The order would be worth too little once triggered."""
    request, least = facts.request, facts.instrument.min_notional
    worth = request.quantity * (request.price or request.trigger_price or facts.watched_price)
    is_exempt = request.reduce_only or request.close_position
    return _if(not is_exempt and worth < least, Reason.NOTIONAL_TOO_SMALL, f"{least:f}")


def too_many_algo_orders(facts: AlgoFacts) -> Refused | None:
    """The contract's limit of waiting conditional orders is reached."""
    return _if(facts.open_algo_count >= facts.instrument.max_algo_orders, Reason.TOO_MANY_ALGO_ORDERS)


def triggers_at_once(facts: AlgoFacts) -> Refused | None:
    """The watched price is past the trigger already."""
    is_trailing = facts.request.order_type is OrderType.TRAILING_STOP_MARKET
    triggered = not is_trailing and is_triggered(facts.request, facts.watched_price, ZERO)
    return _if(triggered, Reason.TRIGGERS_AT_ONCE)


ALGO_RULES: tuple[AlgoRule, ...] = (
    algo_client_id_wrong,
    algo_quantity_wrong,
    algo_prices_wrong,
    algo_notional_too_small,
    too_many_algo_orders,
    triggers_at_once,  # margin is asked for when it triggers, not before
)
"""Every check of a conditional order."""


def _decimals(value: Decimal) -> int:
    """Decimals a number really needs."""
    exponent = value.normalize().as_tuple().exponent
    return max(0, -exponent) if isinstance(exponent, int) else 0
