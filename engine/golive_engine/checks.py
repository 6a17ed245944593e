"""The RiskGate's checks, each named for what it finds. Pure; a missing input denies."""

from decimal import Decimal

from golive_api.golive import RiskState
from golive_api.reasons import Reason
from golive_engine.situation import Denial, Exposure, Situation
from golive_engine.trading import ZERO, Intent, Purpose, Side

_FLAT = Exposure(ZERO)
_HUNDRED = Decimal(100)  # an int would be converted at every use

# Python 3.11 runs a Python function for each `Class.MEMBER` of an enumeration, which a chain this short feels.
_OPEN, _REDUCE_ONLY = Reason.GATE_OPEN, Reason.GATE_REDUCE_ONLY
_OK, _WARNING = RiskState.OK, RiskState.WARNING
_TRADE, _KILL = Purpose.TRADE, Purpose.KILL
_BUY = Side.BUY


def gate_is_shut(intent: Intent, _id: str, now: Situation) -> Denial | None:
    """The gate is not open for this order; the code is the gate's own answer."""
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
    """The engine's own emergency stop is latched, or nobody knows."""
    return None if now.stopped is False else Denial(Reason.EMERGENCY_STOP_ACTIVE)


def emergency_stop_is_applied(_intent: Intent, _id: str, now: Situation) -> Denial | None:
    """A person has applied an EmergencyStop to this engine, or nobody knows."""
    if now.stop_applied is False:
        return None
    return Denial(Reason.EMERGENCY_STOP_APPLIED if now.stop_applied else Reason.EMERGENCY_STOP_UNKNOWN)


def venue_is_unavailable(_intent: Intent, _id: str, now: Situation) -> Denial | None:
    """The venue's circuit breaker is open, or nobody knows."""
    return None if now.venue_available is True else Denial(Reason.VENUE_UNAVAILABLE)


def clock_is_skewed(_intent: Intent, _id: str, now: Situation) -> Denial | None:
    """The venue's clock and ours differ too much, or nobody knows by how much."""
    skew = now.clock_skew
    if skew is not None and skew <= now.clock_skew_bound:
        return None
    return Denial(Reason.CLOCK_SKEWED, (("skew", skew), ("bound", now.clock_skew_bound)))


def risk_is_critical(_intent: Intent, _id: str, now: Situation) -> Denial | None:
    """Global Risk is CRITICAL, or nobody knows."""
    if now.risk_state is _OK or now.risk_state is _WARNING:
        return None
    return Denial(Reason.RISK_CRITICAL)


def account_is_unknown(_intent: Intent, _id: str, now: Situation) -> Denial | None:
    """No equity is known, or there is none."""
    if (
        now.equity is not None
        and now.venue_equity is not None
        and now.margin_used is not None
        and now.equity > ZERO
    ):
        return None
    return Denial(Reason.ACCOUNT_UNKNOWN)


def strategy_is_not_listed(intent: Intent, _id: str, now: Situation) -> Denial | None:
    """A strategy that may not trade this account; the engine's own orders have none."""
    if intent.purpose is not _TRADE or (now.strategies is not None and intent.strategy in now.strategies):
        return None
    return Denial(Reason.STRATEGY_NOT_LISTED, (("strategy", intent.strategy),))


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
    """A limit or trigger price that is not positive or between two ticks, or both prices at once."""
    limit, trigger = intent.limit_price, intent.trigger_price
    price = limit if trigger is None else trigger
    if price is None:
        return None
    tick = now.instruments[intent.symbol].tick_size
    alone = limit is None or trigger is None
    if alone and price.is_finite() and price > ZERO and tick > ZERO and not price % tick:
        return None
    return Denial(Reason.PRICE_INVALID, (("limit", limit), ("trigger", trigger), ("tick", tick)))


def quantity_is_out_of_range(intent: Intent, _id: str, now: Situation) -> Denial | None:
    """Smaller or larger than the venue takes."""
    instrument = now.instruments[intent.symbol]
    if instrument.min_quantity <= intent.quantity <= instrument.max_quantity:
        return None
    return Denial(
        Reason.QUANTITY_OUT_OF_RANGE,
        (("quantity", intent.quantity), ("min", instrument.min_quantity), ("max", instrument.max_quantity)),
    )


def reduction_is_not_marked(intent: Intent, _id: str, _now: Situation) -> Denial | None:
    """An order of the engine's own, or one that waits for a trigger price, that could open a position."""
    if intent.purpose is _TRADE and intent.trigger_price is None:
        return None
    return Denial(Reason.REDUCE_ONLY_VIOLATED, (("purpose", intent.purpose), ("trigger", intent.trigger_price)))


def reduction_would_open(intent: Intent, _id: str, now: Situation) -> Denial | None:
    """A reduce-only order on the position's own side, or larger than what it leaves to reduce.

    Resting reductions count, except for orders that may each be as large as the position: those that wait
    for a trigger price, and the kill protocol's, which no order that can't be cancelled may hold up.
    """
    if not intent.reduce_only:
        return None
    exposure = now.exposures.get(intent.symbol, _FLAT)
    held = exposure.position
    whole = intent.trigger_price is not None or intent.purpose is _KILL
    left = abs(held) if whole else abs(held) - exposure.reducing
    if held * intent.side.sign < ZERO and intent.quantity <= left:
        return None
    return Denial(
        Reason.REDUCE_ONLY_VIOLATED,
        (("quantity", intent.quantity), ("position", held), ("reducing", exposure.reducing)),
    )


def price_is_missing(intent: Intent, _id: str, now: Situation) -> Denial | None:
    """No market price of the symbol, or of another one at risk, so that not all can be valued."""
    price = now.prices.get(intent.symbol)
    if price is not None and price > ZERO and now.valued:
        return None
    return Denial(Reason.PRICE_MISSING, (("price", price), ("others_valued", now.valued)))


def price_is_stale(intent: Intent, _id: str, now: Situation) -> Denial | None:
    """The market price is older than allowed, or its age is not known."""
    age = now.price_ages.get(intent.symbol)
    if age is not None and age <= now.price_age_bound:
        return None
    return Denial(Reason.PRICE_STALE, (("age", age), ("bound", now.price_age_bound)))


def limits_are_missing(_intent: Intent, _id: str, now: Situation) -> Denial | None:
    """Nobody said what this account may do."""
    return None if now.bounds is not None else Denial(Reason.LIMITS_MISSING)


def price_is_off_market(intent: Intent, _id: str, now: Situation) -> Denial | None:
    """The limit price, or what a market order would meet, is too far from the middle of the book."""
    quote, middle, price = now.quotes.get(intent.symbol), now.prices[intent.symbol], intent.limit_price
    if price is None and quote is not None:
        price = quote.ask if intent.side is _BUY else quote.bid
    limit = now.room.bounds.price_deviation_percent
    if quote is not None and price is not None and abs(price - middle) * _HUNDRED <= limit * middle:
        return None
    return Denial(Reason.PRICE_OFF_MARKET, (("price", price), ("market", middle), ("percent", limit)))


def market_moved_too_far(intent: Intent, _id: str, now: Situation) -> Denial | None:
    """The market is too far from its median of the last ten minutes, or nobody knows."""
    price, median = now.prices[intent.symbol], now.medians.get(intent.symbol)
    limit = now.room.bounds.price_move_percent
    if median is not None and abs(price - median) * _HUNDRED <= limit * median:
        return None
    return Denial(Reason.MARKET_MOVED_TOO_FAR, (("market", price), ("median", median), ("percent", limit)))


def liquidity_is_too_thin(intent: Intent, _id: str, now: Situation) -> Denial | None:
    """The book does not hold enough near its middle, or was last seen too long ago, or never."""
    depth, age = now.depths.get(intent.symbol), now.depth_ages.get(intent.symbol)
    if depth is None or age is None or age > now.depth_age_bound:
        return Denial(Reason.LIQUIDITY_TOO_THIN, (("age", age), ("bound", now.depth_age_bound)))
    held = depth.asks if intent.side is _BUY else depth.bids
    if intent.quantity <= held:
        return None
    return Denial(Reason.LIQUIDITY_TOO_THIN, (("quantity", intent.quantity), ("depth", held)))


def notional_is_too_small(intent: Intent, _id: str, now: Situation) -> Denial | None:
    """Below what the venue takes."""
    notional = intent.quantity * (intent.limit_price or now.prices[intent.symbol])
    least = now.instruments[intent.symbol].min_notional
    if notional >= least:
        return None
    return Denial(Reason.NOTIONAL_TOO_SMALL, (("notional", notional), ("min", least)))


def position_grows_too_large(intent: Intent, _id: str, now: Situation) -> Denial | None:
    """The symbol's worst case exceeds maxPositionNotional."""
    notional = _worst_notional(intent, now)
    limit = now.room.bounds.position_notional
    if notional <= limit:
        return None
    return Denial(Reason.POSITION_NOTIONAL_EXCEEDED, (("notional", notional), ("limit", limit)))


def positions_grow_too_many(intent: Intent, _id: str, now: Situation) -> Denial | None:
    """More symbols at risk than maxPositions, this one counted."""
    held, limit = now.notionals, now.room.bounds.positions
    if len(held) + (intent.symbol not in held) <= limit:
        return None
    return Denial(Reason.POSITION_COUNT_EXCEEDED, (("positions", len(held)), ("limit", limit)))


def exposure_grows_too_large(intent: Intent, _id: str, now: Situation) -> Denial | None:
    """All worst cases together exceed maxExposurePercent of equity."""
    others, limit = now.gross_notional - now.notionals.get(intent.symbol, ZERO), now.room.exposure
    gross = others + _worst_notional(intent, now)
    if gross <= limit:
        return None
    return Denial(Reason.EXPOSURE_EXCEEDED, (("notional", gross), ("limit", limit), ("equity", now.equity)))


def correlated_exposure_grows_too_large(intent: Intent, _id: str, now: Situation) -> Denial | None:
    """The worst cases of all symbols that move together exceed maxCorrelatedExposurePercent of equity."""
    limit, worst = now.room.correlated, _worst_notional(intent, now)
    if now.gross_notional + worst <= limit:
        return None  # they would fit if all symbols moved together: no need to add up those that do
    total = _moving_along(intent.symbol, now) + worst
    if total <= limit:
        return None
    return Denial(
        Reason.CORRELATED_EXPOSURE_EXCEEDED, (("notional", total), ("limit", limit), ("equity", now.equity))
    )


def leverage_is_too_high(intent: Intent, _id: str, now: Situation) -> Denial | None:
    """More than maxLeverage is set for the symbol, or nobody knows."""
    leverage = now.leverages.get(intent.symbol)
    limit = now.room.bounds.leverage
    if leverage is not None and ZERO < leverage <= limit:
        return None
    return Denial(Reason.LEVERAGE_EXCEEDED, (("leverage", leverage), ("limit", limit)))


def margin_grows_too_large(intent: Intent, _id: str, now: Situation) -> Denial | None:
    """The symbol's unsettled orders and this one need more margin than maxMarginPercent leaves."""
    exposure = now.exposures.get(intent.symbol, _FLAT)
    added = (exposure.buying + exposure.selling + intent.quantity) * now.prices[intent.symbol]
    leverage, left = now.leverages[intent.symbol], now.room.margin
    if added <= left * leverage:
        return None
    return Denial(Reason.MARGIN_EXCEEDED, (("notional", added), ("leverage", leverage), ("left", left)))


def trade_risks_too_much(intent: Intent, _id: str, now: Situation) -> Denial | None:
    """Until its stop loss the order may lose more than maxTradeRiskPercent of equity, or it has no stop."""
    stop, limit = intent.stop_percent, now.room.trade_risk
    notional = intent.quantity * (intent.limit_price or now.prices[intent.symbol])
    if stop is not None and stop > ZERO and notional * stop <= limit * _HUNDRED:
        return None
    return Denial(
        Reason.TRADE_RISK_EXCEEDED, (("notional", notional), ("stop_percent", stop), ("limit", limit))
    )


def todays_loss_is_too_large(_intent: Intent, _id: str, now: Situation) -> Denial | None:
    """Equity has fallen by maxDailyLossPercent since 00:00 UTC, or nobody knows."""
    if now.room.daily_loss > ZERO:
        return None
    return _lost(Reason.DAILY_LOSS_EXCEEDED, now.day_start_equity, now)


def weeks_loss_is_too_large(_intent: Intent, _id: str, now: Situation) -> Denial | None:
    """Equity has fallen by maxWeeklyLossPercent since Monday 00:00 UTC, or nobody knows."""
    if now.room.weekly_loss > ZERO:
        return None
    return _lost(Reason.WEEKLY_LOSS_EXCEEDED, now.week_start_equity, now)


def drawdown_is_too_deep(_intent: Intent, _id: str, now: Situation) -> Denial | None:
    """Equity has fallen by maxDrawdownPercent from its peak, or nobody knows."""
    if now.room.drawdown > ZERO:
        return None
    return _lost(Reason.DRAWDOWN_EXCEEDED, now.peak_equity, now)


def todays_trades_are_used_up(_intent: Intent, _id: str, now: Situation) -> Denial | None:
    """As many orders as maxDailyTrades were sent today."""
    limit = now.room.bounds.daily_trades
    if now.trades_today is not None and now.trades_today < limit:
        return None
    return Denial(Reason.DAILY_TRADES_EXCEEDED, (("trades", now.trades_today), ("limit", limit)))


def orders_come_too_fast(_intent: Intent, _id: str, now: Situation) -> Denial | None:
    """As many orders as maxOrdersPerMinute were sent in the last 60 seconds."""
    limit = now.room.bounds.orders_per_minute
    if now.orders_last_minute is not None and now.orders_last_minute < limit:
        return None
    return Denial(Reason.ORDER_RATE_EXCEEDED, (("orders", now.orders_last_minute), ("limit", limit)))


def symbol_is_locked(intent: Intent, _id: str, now: Situation) -> Denial | None:
    """Repeated orders have locked the symbol until a person re-arms it, or nobody knows."""
    if now.locked_symbols is not None and intent.symbol not in now.locked_symbols:
        return None
    return Denial(Reason.SYMBOL_LOCKED)


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


def position_elsewhere_is_unknown(intent: Intent, _id: str, now: Situation) -> Denial | None:
    """Another venue of the account may hold a position of the symbol."""
    if now.unknown_elsewhere is not None and intent.symbol not in now.unknown_elsewhere:
        return None
    return Denial(Reason.VENUE_POSITION_UNKNOWN)


def engine_runs_dry(_intent: Intent, _id: str, now: Situation) -> Denial | None:
    """Nothing may be sent at all, or nobody knows."""
    return None if now.dry_run is False else Denial(Reason.DRY_RUN)


def _worst_notional(intent: Intent, now: Situation) -> Decimal:
    """The symbol's worst case with this order, at the market or at its own price if that is higher."""
    exposure = now.exposures.get(intent.symbol, _FLAT)
    longest, shortest = exposure.longest, exposure.shortest
    if intent.side is _BUY:
        longest += intent.quantity
    else:
        shortest += intent.quantity
    worst = longest if longest > shortest else shortest  # noqa: FURB136  # twice as fast
    price, limit_price = now.prices[intent.symbol], intent.limit_price
    return worst * (price if limit_price is None or limit_price < price else limit_price)


def _moving_along(symbol: str, now: Situation) -> Decimal:
    """Worst cases of all other symbols that move with this one; whatever nobody has compared moves with all."""
    held, correlated = now.notionals, now.correlated
    if symbol not in correlated:
        return now.gross_notional - held.get(symbol, ZERO)
    group, total = correlated[symbol], ZERO
    for other, notional in held.items():
        if other != symbol and (other in group or other not in correlated):
            total += notional
    return total


def _lost(reason: Reason, start: Decimal | None, now: Situation) -> Denial:
    """A loss with its values."""
    return Denial(reason, (("equity", now.loss_equity), ("start", start)))
