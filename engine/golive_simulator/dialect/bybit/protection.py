"""Stop loss and take profit of a position: attached to an order, or set on the position itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from golive_simulator.attached import protect, take_back
from golive_simulator.dialect.bybit.call import Call, Endpoint, Security
from golive_simulator.dialect.bybit.complaints import Complaint, wrong
from golive_simulator.orders import ZERO, AlgoRequest, OrderType, Side, WorkingType

if TYPE_CHECKING:
    from decimal import Decimal

KINDS = {"takeProfit": (OrderType.TAKE_PROFIT_MARKET, "tp"), "stopLoss": (OrderType.STOP_MARKET, "sl")}
"""Parameter, what comes of it, and what its own parameters begin with."""


def read_protection(call: Call, entry: Side) -> tuple[AlgoRequest, ...]:
    """The stop loss and take profit that a request attaches to an order of side ``entry``.

    Raises:
        Complaint: when one lies on the wrong side of the price.
    """
    base = call.parameters.optional_decimal("price") or call.parameters.optional_decimal("triggerPrice")
    refuse_partial(call)
    found = (_read_one(call, name, entry, base) for name in KINDS)
    return tuple(row for row in found if row.trigger_price)


def refuse_partial(call: Call) -> None:
    """Refuse what the simulator does not keep: parts of a position, limit prices, trailing stops."""
    for name in ("tpLimitPrice", "slLimitPrice", "trailingStop"):
        if call.parameters.optional_decimal(name):
            raise wrong(name)
    if call.parameters.optional("tpslMode") == "Partial":
        raise wrong("tpslMode")


def refuse_other_mode(call: Call) -> None:
    """Refuse what is not for one-way mode, and anything at all of an account that is not in it."""
    if call.account.is_hedged or call.parameters.optional_integer("positionIdx", 0):
        raise Complaint(10001, "position idx not match position mode")


def _read_one(call: Call, name: str, entry: Side, base: Decimal) -> AlgoRequest:
    """One of the two; its trigger price is nought when it is not asked for."""
    kind, prefix = KINDS[name]
    symbol, trigger = call.parameters.text("symbol"), call.parameters.optional_decimal(name)
    reference = base or call.exchange.market.quote(symbol).last
    if trigger % call.exchange.market.instruments[symbol].tick:
        raise wrong(name)
    better = (trigger - reference) * entry.sign
    if trigger and (better <= 0 if kind is OrderType.TAKE_PROFIT_MARKET else better >= 0):
        is_above = (kind is OrderType.TAKE_PROFIT_MARKET) is (entry is Side.BUY)
        raise Complaint(
            10001,
            f"{name[0].upper()}{name[1:]}:{trigger:f} set for {entry.capitalize()} position should be "
            f"{'higher' if is_above else 'lower'} than base_price:{reference.normalize():f}??LastPrice",
        )
    by_mark = call.parameters.optional(f"{prefix}TriggerBy") in {"MarkPrice", "IndexPrice"}
    return AlgoRequest(
        symbol=symbol,
        side=Side.SELL if entry is Side.BUY else Side.BUY,
        order_type=kind,
        quantity=ZERO,
        client_algo_id="",
        trigger_price=trigger,
        working_type=WorkingType.MARK_PRICE if by_mark else WorkingType.CONTRACT_PRICE,
        close_position=True,
        ends_with_position=True,
    )


def set_trading_stop(call: Call) -> dict[str, Any]:
    """Set a position's stop loss and take profit; nought takes one away, and one not named stays."""
    symbol = call.instrument().symbol
    refuse_partial(call)
    refuse_other_mode(call)
    held = call.account.position(symbol)
    if not held.is_open:
        raise Complaint(10001, "can not set tp/sl/ts for zero position")
    entry = Side.BUY if held.quantity > 0 else Side.SELL
    named = [name for name in KINDS if call.parameters.optional(name) is not None]
    if not named:
        raise Complaint(34040, "not modified")
    requests = [_read_one(call, name, entry, ZERO) for name in named]
    for request in requests:
        if request.trigger_price:
            protect(call.exchange, call.account, request, call.now_ms)
        else:
            take_back(call.account, request, call.now_ms)
    return {}


ENDPOINTS: dict[tuple[str, str], Endpoint] = {
    ("POST", "/v5/position/trading-stop"): Endpoint(set_trading_stop, Security.TRADE),
}
"""Endpoints that protect a position, by method and path."""
