"""The RiskGate's checks, each named for what it finds. Pure; a missing input denies."""

from decimal import Decimal

from golive_api.golive import RiskState
from golive_api.reasons import Reason
from golive_engine.situation import Denial, Exposure, Situation
from golive_engine.trading import ZERO, Intent

_FLAT = Exposure(ZERO)
_HUNDRED = Decimal(100)  # an int would be converted at every use

# Python 3.11 runs a Python function for each `Class.MEMBER` of an enumeration, which a chain this short feels.
_OPEN, _REDUCE_ONLY = Reason.GATE_OPEN, Reason.GATE_REDUCE_ONLY
_OK, _WARNING = RiskState.OK, RiskState.WARNING


def gate_is_shut(intent: Intent, _id: str, now: Situation) -> Denial | None:
    """The gate is not open for this order."""
    if now.gate is _OPEN or (now.gate is _REDUCE_ONLY and intent.reduce_only):
        return None
    return Denial(now.gate or Reason.GATE_MISSING)


def another_pod_leads(_intent: Intent, _id: str, now: Situation) -> Denial | None:
    """This pod does not hold the engine's Lease."""
    return None if now.leading is True else Denial(Reason.STANDBY)


def account_is_not_reconciled(_intent: Intent, _id: str, now: Situation) -> Denial | None:
    """Journal and venue do not agree yet."""
    return None if now.reconciled is True else Denial(Reason.NOT_RECONCILED)


def emergency_stop_is_active(_intent: Intent, _id: str, now: Situation) -> Denial | None:
    """The emergency stop is latched, or nobody knows."""
    return None if now.stopped is False else Denial(Reason.EMERGENCY_STOP_ACTIVE)


def risk_is_critical(_intent: Intent, _id: str, now: Situation) -> Denial | None:
    """Global Risk is CRITICAL, or nobody knows."""
    if now.risk_state is _OK or now.risk_state is _WARNING:
        return None
    return Denial(Reason.RISK_CRITICAL)


def account_is_unknown(_intent: Intent, _id: str, now: Situation) -> Denial | None:
    """No equity is known, or there is none."""
    if now.equity is not None and now.margin_used is not None and now.equity > ZERO:
        return None
    return Denial(Reason.ACCOUNT_UNKNOWN)


def instrument_is_unknown(intent: Intent, _id: str, now: Situation) -> Denial | None:
    """The venue does not list it."""
    return None if intent.symbol in now.instruments else Denial(Reason.INSTRUMENT_UNKNOWN)


def quantity_is_invalid(intent: Intent, _id: str, now: Situation) -> Denial | None:
    """Not positive, not finite, or between two lots."""
    lot = now.instruments[intent.symbol].lot_size
    quantity = intent.quantity
    if quantity.is_finite() and quantity > ZERO and lot > ZERO and not quantity % lot:
        return None
    return Denial(Reason.QUANTITY_INVALID, (("quantity", quantity), ("lot", lot)))


def price_is_invalid(intent: Intent, _id: str, now: Situation) -> Denial | None:
    """A limit price that is not positive or between two ticks."""
    price = intent.limit_price
    if price is None:
        return None
    tick = now.instruments[intent.symbol].tick_size
    if price.is_finite() and price > ZERO and tick > ZERO and not price % tick:
        return None
    return Denial(Reason.PRICE_INVALID, (("price", price), ("tick", tick)))


def quantity_is_out_of_range(intent: Intent, _id: str, now: Situation) -> Denial | None:
    """Smaller or larger than the venue takes."""
    instrument = now.instruments[intent.symbol]
    if instrument.min_quantity <= intent.quantity <= instrument.max_quantity:
        return None
    return Denial(
        Reason.QUANTITY_OUT_OF_RANGE,
        (("quantity", intent.quantity), ("min", instrument.min_quantity), ("max", instrument.max_quantity)),
    )


def reduction_would_open(intent: Intent, _id: str, now: Situation) -> Denial | None:
    """A reduce-only order on the position's own side, or larger than it."""
    if not intent.reduce_only:
        return None
    exposure = now.exposures.get(intent.symbol)
    held = exposure.position if exposure else ZERO
    if held * intent.side.sign < ZERO and intent.quantity <= abs(held):
        return None
    return Denial(Reason.REDUCE_ONLY_VIOLATED, (("quantity", intent.quantity), ("position", held)))


def price_is_missing(intent: Intent, _id: str, now: Situation) -> Denial | None:
    """No market price, so nothing can be valued."""
    price = now.prices.get(intent.symbol)
    return None if price is not None and price > ZERO else Denial(Reason.PRICE_MISSING)


def price_is_stale(intent: Intent, _id: str, now: Situation) -> Denial | None:
    """The market price is older than allowed, or its age is not known."""
    age = now.price_ages.get(intent.symbol)
    if age is not None and age <= now.price_age_bound:
        return None
    return Denial(Reason.PRICE_STALE, (("age", age), ("bound", now.price_age_bound)))


def notional_is_too_small(intent: Intent, _id: str, now: Situation) -> Denial | None:
    """Below what the venue takes."""
    notional = intent.quantity * (intent.limit_price or now.prices[intent.symbol])
    least = now.instruments[intent.symbol].min_notional
    if notional >= least:
        return None
    return Denial(Reason.NOTIONAL_TOO_SMALL, (("notional", notional), ("min", least)))


def limits_are_missing(_intent: Intent, _id: str, now: Situation) -> Denial | None:
    """Nobody said what this account may do."""
    return None if now.bounds is not None else Denial(Reason.LIMITS_MISSING)


def position_grows_too_large(intent: Intent, _id: str, now: Situation) -> Denial | None:
    """The symbol's worst case exceeds maxPositionNotional."""
    if now.bounds is None:
        return Denial(Reason.LIMITS_MISSING)
    notional = _worst_notional(intent, now)
    limit = now.bounds.position_notional
    if notional <= limit:
        return None
    return Denial(Reason.POSITION_NOTIONAL_EXCEEDED, (("notional", notional), ("limit", limit)))


def positions_grow_too_many(intent: Intent, _id: str, now: Situation) -> Denial | None:
    """One more symbol than maxPositions."""
    if now.bounds is None:
        return Denial(Reason.LIMITS_MISSING)
    if now.exposures.get(intent.symbol, _FLAT).at_risk:
        return None
    used = sum(1 for exposure in now.exposures.values() if exposure.at_risk)
    limit = now.bounds.positions
    if used < limit:
        return None
    return Denial(Reason.POSITION_COUNT_EXCEEDED, (("positions", used), ("limit", limit)))


def exposure_grows_too_large(intent: Intent, _id: str, now: Situation) -> Denial | None:
    """All worst cases together exceed maxExposurePercent of equity, or one of them can't be valued."""
    if now.bounds is None:
        return Denial(Reason.LIMITS_MISSING)
    if now.gross_notional is None or now.equity is None:
        return Denial(Reason.PRICE_MISSING, (("of", "another position"),))
    before = now.exposures.get(intent.symbol, _FLAT).worst() * now.prices[intent.symbol]
    gross = now.gross_notional - before + _worst_notional(intent, now)
    limit = now.bounds.exposure_percent
    if gross * _HUNDRED <= limit * now.equity:
        return None
    return Denial(Reason.EXPOSURE_EXCEEDED, (("notional", gross), ("percent", limit), ("equity", now.equity)))


def leverage_is_too_high(intent: Intent, _id: str, now: Situation) -> Denial | None:
    """More than maxLeverage is set for the symbol, or nobody knows."""
    if now.bounds is None:
        return Denial(Reason.LIMITS_MISSING)
    leverage = now.leverages.get(intent.symbol)
    limit = now.bounds.leverage
    if leverage is not None and ZERO < leverage <= limit:
        return None
    return Denial(Reason.LEVERAGE_EXCEEDED, (("leverage", leverage), ("limit", limit)))


def margin_grows_too_large(intent: Intent, _id: str, now: Situation) -> Denial | None:
    """Margin in use, with unsettled orders and this one, exceeds maxMarginPercent of equity."""
    if now.bounds is None:
        return Denial(Reason.LIMITS_MISSING)
    if now.margin_used is None or now.equity is None:
        return Denial(Reason.ACCOUNT_UNKNOWN)
    exposure = now.exposures.get(intent.symbol, _FLAT)
    added = (exposure.buying + exposure.selling + intent.quantity) * now.prices[intent.symbol]
    margin = now.margin_used + added / now.leverages[intent.symbol]
    limit = now.bounds.margin_percent
    if margin * _HUNDRED <= limit * now.equity:
        return None
    return Denial(Reason.MARGIN_EXCEEDED, (("margin", margin), ("percent", limit), ("equity", now.equity)))


def todays_loss_is_too_large(_intent: Intent, _id: str, now: Situation) -> Denial | None:
    """Equity has fallen by maxDailyLossPercent since 00:00 UTC."""
    if now.bounds is None:
        return Denial(Reason.LIMITS_MISSING)
    start, equity = now.day_start_equity, now.equity
    if start is None or equity is None or start <= ZERO:
        return Denial(Reason.ACCOUNT_UNKNOWN, (("day_start_equity", start),))
    limit = now.bounds.daily_loss_percent
    loss = start - equity
    if loss <= ZERO or loss * _HUNDRED < limit * start:
        return None
    return Denial(Reason.DAILY_LOSS_EXCEEDED, (("loss", loss), ("percent", limit), ("start", start)))


def todays_trades_are_used_up(_intent: Intent, _id: str, now: Situation) -> Denial | None:
    """As many orders as maxDailyTrades were sent today."""
    if now.bounds is None:
        return Denial(Reason.LIMITS_MISSING)
    limit = now.bounds.daily_trades
    if now.trades_today is not None and now.trades_today < limit:
        return None
    return Denial(Reason.DAILY_TRADES_EXCEEDED, (("trades", now.trades_today), ("limit", limit)))


def id_was_sent_before(_intent: Intent, client_order_id: str, now: Situation) -> Denial | None:
    """An order with this client id exists."""
    if now.sent_ids is not None and client_order_id not in now.sent_ids:
        return None
    return Denial(Reason.ORDER_DUPLICATE, (("client_order_id", client_order_id),))


def outcome_is_unknown(intent: Intent, _id: str, now: Situation) -> Denial | None:
    """An earlier order on the symbol may or may not have been carried out."""
    if now.unknown_symbols is not None and intent.symbol not in now.unknown_symbols:
        return None
    return Denial(Reason.OUTCOME_UNKNOWN)


def _worst_notional(intent: Intent, now: Situation) -> Decimal:
    """The symbol's worst case with this order, at the market or at its own price if that is higher."""
    worst = now.exposures.get(intent.symbol, _FLAT).worst_with(intent.side, intent.quantity)
    price, limit_price = now.prices[intent.symbol], intent.limit_price
    return worst * (price if limit_price is None or limit_price < price else limit_price)
