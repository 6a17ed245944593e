"""The RiskGate: each check with an order that only it stops, and what passes all of them."""

from collections.abc import Callable
from dataclasses import fields, replace
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from golive_api.golive import RiskState
from golive_api.ladder import LADDER
from golive_api.reasons import Reason
from golive_engine import checks
from golive_engine.riskgate import CHECKS, Check, Scope, chain_of, judge
from golive_engine.situation import Bounds, Denial, Exposure, Situation
from golive_engine.trading import Depth, Instrument, Intent, Purpose, Quote, Side

D = Decimal
BTC = Instrument("BTCUSDT", D("0.001"), D("0.1"), D("0.001"), D(100), D(50))
BOUNDS = Bounds(
    position_notional=D(200),
    positions=2,
    leverage=D(1),
    exposure_percent=D(50),
    margin_percent=D(80),
    daily_loss_percent=D("2.5"),
    weekly_loss_percent=D(5),
    drawdown_percent=D(8),
    trade_risk_percent=D("0.5"),
    correlated_exposure_percent=D(30),
    price_deviation_percent=D(1),
    price_move_percent=D(3),
    daily_trades=20,
    orders_per_minute=10,
    repeated_orders=5,
)
CALM = Situation(
    gate=Reason.GATE_OPEN,
    leading=True,
    venue_available=True,
    clock_skew=0.1,
    clock_skew_bound=1.0,
    strategies=frozenset({"baseline"}),
    dry_run=False,
    reconciled=True,
    stopped=False,
    stop_applied=False,
    risk_state=RiskState.OK,
    equity=D(1000),
    day_start_equity=D(1000),
    week_start_equity=D(1000),
    peak_equity=D(1000),
    loss_equity=D(1000),
    venue_equity=D(1000),
    margin_used=D(0),
    instruments={"BTCUSDT": BTC},
    prices={"BTCUSDT": D(50000), "ETHUSDT": D(3000), "SOLUSDT": D(200)},
    quotes={"BTCUSDT": Quote("BTCUSDT", D(49990), D(50010), 0.0)},
    medians={"BTCUSDT": D(50000)},
    depths={"BTCUSDT": Depth("BTCUSDT", D(1), D(1), 0.0)},
    correlated={"BTCUSDT": frozenset({"ETHUSDT"}), "ETHUSDT": frozenset({"BTCUSDT"}), "SOLUSDT": frozenset()},
    price_ages={"BTCUSDT": 1.0},
    price_age_bound=30.0,
    depth_ages={"BTCUSDT": 60.0},
    depth_age_bound=300.0,
    exposures={},
    leverages={"BTCUSDT": D(1)},
    bounds=BOUNDS,
    trades_today=0,
    orders_last_minute=0,
    locked_symbols=frozenset(),
    unknown_symbols=frozenset(),
    unknown_elsewhere=frozenset(),
    sent_ids=frozenset(),
)
HELD: dict[str, Any] = {"exposures": {"BTCUSDT": Exposure(D("0.003"))}}
BUY = Intent("BTCUSDT", Side.BUY, D("0.002"), strategy="baseline", stop_percent=D(2))
SELL_ALL = Intent("BTCUSDT", Side.SELL, D("0.003"), reduce_only=True, strategy="baseline")
LOCKED = frozenset({"BTCUSDT"})


def bought(**changes: Any) -> Intent:
    """The calm order, changed."""
    return replace(BUY, **changes)


def sold(**changes: Any) -> Intent:
    """The order that closes the position, changed."""
    return replace(SELL_ALL, **changes)


def held(**exposures: str) -> dict[str, Any]:
    """Positions by base currency."""
    return {"exposures": {f"{base}USDT": Exposure(D(quantity)) for base, quantity in exposures.items()}}


def answer(intent: Intent, changes: dict[str, Any]) -> Reason | None:
    """The gate's first objection in a changed calm."""
    denial = judge(intent, "id", replace(CALM, **changes))
    return None if denial is None else denial.reason


Case = tuple[Intent, dict[str, Any], Reason]

ALONE: dict[Callable[..., Denial | None], Case] = {
    checks.gate_is_shut: (BUY, {"gate": Reason.GATE_CLOSED}, Reason.GATE_CLOSED),
    checks.another_pod_leads: (BUY, {"leading": False}, Reason.STANDBY),
    checks.account_is_not_reconciled: (BUY, {"reconciled": False}, Reason.NOT_RECONCILED),
    checks.emergency_stop_is_active: (BUY, {"stopped": True}, Reason.EMERGENCY_STOP_ACTIVE),
    checks.emergency_stop_is_applied: (BUY, {"stop_applied": True}, Reason.EMERGENCY_STOP_APPLIED),
    checks.venue_is_unavailable: (BUY, {"venue_available": False}, Reason.VENUE_UNAVAILABLE),
    checks.clock_is_skewed: (BUY, {"clock_skew": 1.1}, Reason.CLOCK_SKEWED),
    checks.risk_is_critical: (BUY, {"risk_state": RiskState.CRITICAL}, Reason.RISK_CRITICAL),
    checks.strategy_is_not_listed: (bought(strategy="other"), {}, Reason.STRATEGY_NOT_LISTED),
    checks.quantity_is_invalid: (bought(quantity=D("0.0015")), {}, Reason.QUANTITY_INVALID),
    checks.price_is_invalid: (bought(limit_price=D("50000.05")), {}, Reason.PRICE_INVALID),
    checks.quantity_is_out_of_range: (
        BUY,
        {"instruments": {"BTCUSDT": replace(BTC, max_quantity=D("0.001"))}},
        Reason.QUANTITY_OUT_OF_RANGE,
    ),
    checks.reduction_is_not_marked: (bought(purpose=Purpose.PROTECT), {}, Reason.REDUCE_ONLY_VIOLATED),
    checks.reduction_would_open: (sold(quantity=D("0.004")), HELD, Reason.REDUCE_ONLY_VIOLATED),
    checks.price_is_missing: (BUY, held(XRP="1"), Reason.PRICE_MISSING),
    checks.price_is_stale: (BUY, {"price_ages": {"BTCUSDT": 30.1}}, Reason.PRICE_STALE),
    checks.price_is_off_market: (bought(limit_price=D(50501)), {}, Reason.PRICE_OFF_MARKET),
    checks.market_moved_too_far: (BUY, {"medians": {"BTCUSDT": D(48000)}}, Reason.MARKET_MOVED_TOO_FAR),
    checks.liquidity_is_too_thin: (
        BUY,
        {"depths": {"BTCUSDT": Depth("BTCUSDT", D(1), D("0.001"), 0.0)}},
        Reason.LIQUIDITY_TOO_THIN,
    ),
    checks.notional_is_too_small: (
        bought(quantity=D("0.001"), limit_price=D(49999)),
        {},
        Reason.NOTIONAL_TOO_SMALL,
    ),
    checks.position_grows_too_large: (bought(quantity=D("0.005")), {}, Reason.POSITION_NOTIONAL_EXCEEDED),
    checks.positions_grow_too_many: (BUY, held(ETH="0.01", SOL="0.1"), Reason.POSITION_COUNT_EXCEEDED),
    checks.exposure_grows_too_large: (BUY, held(SOL="2.1"), Reason.EXPOSURE_EXCEEDED),
    checks.correlated_exposure_grows_too_large: (
        BUY,
        held(ETH="0.07"),
        Reason.CORRELATED_EXPOSURE_EXCEEDED,
    ),
    checks.leverage_is_too_high: (BUY, {"leverages": {"BTCUSDT": D(2)}}, Reason.LEVERAGE_EXCEEDED),
    checks.margin_grows_too_large: (BUY, {"margin_used": D(701)}, Reason.MARGIN_EXCEEDED),
    checks.trade_risks_too_much: (bought(stop_percent=D("5.1")), {}, Reason.TRADE_RISK_EXCEEDED),
    checks.todays_loss_is_too_large: (BUY, {"day_start_equity": D(1026)}, Reason.DAILY_LOSS_EXCEEDED),
    checks.weeks_loss_is_too_large: (BUY, {"week_start_equity": D(1053)}, Reason.WEEKLY_LOSS_EXCEEDED),
    checks.drawdown_is_too_deep: (BUY, {"peak_equity": D(1087)}, Reason.DRAWDOWN_EXCEEDED),
    checks.todays_trades_are_used_up: (BUY, {"trades_today": 20}, Reason.DAILY_TRADES_EXCEEDED),
    checks.orders_come_too_fast: (BUY, {"orders_last_minute": 10}, Reason.ORDER_RATE_EXCEEDED),
    checks.symbol_is_locked: (BUY, {"locked_symbols": LOCKED}, Reason.SYMBOL_LOCKED),
    checks.id_was_sent_before: (BUY, {"sent_ids": {"id"}}, Reason.ORDER_DUPLICATE),
    checks.outcome_is_unknown: (BUY, {"unknown_symbols": LOCKED}, Reason.OUTCOME_UNKNOWN),
    checks.position_elsewhere_is_unknown: (
        BUY,
        {"unknown_elsewhere": LOCKED},
        Reason.VENUE_POSITION_UNKNOWN,
    ),
    checks.engine_runs_dry: (BUY, {"dry_run": True}, Reason.DRY_RUN),
}
"""By check, an order to which nothing else objects."""

NAMED: dict[Callable[..., Denial | None], Case] = {
    checks.account_is_unknown: (BUY, {"equity": None}, Reason.ACCOUNT_UNKNOWN),
    checks.instrument_is_unknown: (bought(symbol="XUSDT"), {}, Reason.INSTRUMENT_UNKNOWN),
    checks.limits_are_missing: (BUY, {"bounds": None}, Reason.LIMITS_MISSING),
}
"""By check, an order that lacks what later checks compute with: they would stop it too, for worse reasons."""

NAMES = {check: check.__name__.replace("_", " ") for check, _ in CHECKS}


def test_each_check_has_its_own_bad_order() -> None:
    """No check can be added without showing what it is for."""
    assert {check for check, _ in CHECKS} == ALONE.keys() | NAMED.keys()


def without(removed: Check, scope: Scope) -> tuple[Check, ...]:
    """The chain with one check taken out."""
    return chain_of(scope, [entry for entry in CHECKS if entry[0] is not removed])


@pytest.mark.parametrize("check", ALONE, ids=NAMES.get)
def test_a_bad_order_passes_only_without_the_check_that_finds(check: Check) -> None:
    """Each check bites, and none stands in another's shadow."""
    intent, changes, reason = ALONE[check]
    scope = Scope.UNFORCED if intent.reduce_only else Scope.NEW_RISK
    situation = replace(CALM, **changes)

    assert answer(intent, changes) is reason
    assert [found for check in without(check, scope) if (found := check(intent, "id", situation))] == []


@pytest.mark.parametrize("check", NAMED, ids=NAMES.get)
def test_an_order_is_stopped_even_without_the_check_that(check: Check) -> None:
    """What is missing opens nothing, whoever looks at it."""
    intent, changes, reason = NAMED[check]
    situation = replace(CALM, **changes)

    assert answer(intent, changes) is reason
    try:
        stopped = any(other(intent, "id", situation) for other in without(check, Scope.NEW_RISK))
    except KeyError:
        stopped = True
    assert stopped


@pytest.mark.parametrize("name", ["equity", "venue_equity", "margin_used"])
def test_of_an_unknown_whole_nothing_is_left(name: str) -> None:
    """The limits that are shares of it say no by themselves."""
    unknown: dict[str, Any] = {name: None}
    situation = replace(CALM, **unknown)
    chain = without(checks.account_is_unknown, Scope.NEW_RISK)

    assert judge(BUY, "id", situation) == Denial(Reason.ACCOUNT_UNKNOWN)
    assert any(check(BUY, "id", situation) for check in chain)


STOP = replace(SELL_ALL, trigger_price=D(49000), purpose=Purpose.PROTECT, strategy="")
DENIED: dict[str, Case] = {
    "the gate is not known": (BUY, {"gate": None}, Reason.GATE_MISSING),
    "only reducing is allowed": (BUY, {"gate": Reason.GATE_REDUCE_ONLY}, Reason.GATE_REDUCE_ONLY),
    "there is no equity": (BUY, {"equity": D(0)}, Reason.ACCOUNT_UNKNOWN),
    "the quantity is zero": (bought(quantity=D(0)), {}, Reason.QUANTITY_INVALID),
    "the quantity is negative": (bought(quantity=D("-0.001")), {}, Reason.QUANTITY_INVALID),
    "the quantity is not a number": (bought(quantity=D("NaN")), {}, Reason.QUANTITY_INVALID),
    "the quantity is infinite": (bought(quantity=D("Infinity")), {}, Reason.QUANTITY_INVALID),
    "the lot is zero": (
        BUY,
        {"instruments": {"BTCUSDT": replace(BTC, lot_size=D(0))}},
        Reason.QUANTITY_INVALID,
    ),
    "the price is negative": (bought(limit_price=D(-1)), {}, Reason.PRICE_INVALID),
    "the price is not a number": (bought(limit_price=D("NaN")), {}, Reason.PRICE_INVALID),
    "the trigger price is between two ticks": (
        replace(STOP, trigger_price=D("49000.05")),
        HELD,
        Reason.PRICE_INVALID,
    ),
    "it has a limit and a trigger price": (replace(STOP, limit_price=D(49000)), HELD, Reason.PRICE_INVALID),
    "the quantity is above the range": (bought(quantity=D(101)), {}, Reason.QUANTITY_OUT_OF_RANGE),
    "the quantity is below the range": (
        BUY,
        {"instruments": {"BTCUSDT": replace(BTC, min_quantity=D("0.003"))}},
        Reason.QUANTITY_OUT_OF_RANGE,
    ),
    "a conditional order could open": (bought(trigger_price=D(51000)), {}, Reason.REDUCE_ONLY_VIOLATED),
    "a rebalancing could open": (bought(purpose=Purpose.REBALANCE), {}, Reason.REDUCE_ONLY_VIOLATED),
    "a killing could open": (bought(purpose=Purpose.KILL), {}, Reason.REDUCE_ONLY_VIOLATED),
    "a reduction has nothing to reduce": (bought(reduce_only=True), {}, Reason.REDUCE_ONLY_VIOLATED),
    "a reduction is on the position's side": (bought(reduce_only=True), HELD, Reason.REDUCE_ONLY_VIOLATED),
    "a resting reduction leaves too little": (
        sold(quantity=D("0.002")),
        {"exposures": {"BTCUSDT": Exposure(D("0.003"), reducing=D("0.002"))}},
        Reason.REDUCE_ONLY_VIOLATED,
    ),
    "a stop loss is larger than the position": (
        replace(STOP, quantity=D("0.004")),
        HELD,
        Reason.REDUCE_ONLY_VIOLATED,
    ),
    "a killing is larger than the position": (
        sold(quantity=D("0.004"), purpose=Purpose.KILL),
        HELD,
        Reason.REDUCE_ONLY_VIOLATED,
    ),
    "a position elsewhere is all there is to reduce": (
        SELL_ALL,
        {"exposures": {"BTCUSDT": Exposure(D(0), elsewhere=D("0.003"))}},
        Reason.REDUCE_ONLY_VIOLATED,
    ),
    "there is no price": (BUY, {"prices": {}}, Reason.PRICE_MISSING),
    "the price of another position is zero": (
        BUY,
        held(ETH="0.01") | {"prices": {"BTCUSDT": D(50000), "ETHUSDT": D(0)}},
        Reason.PRICE_MISSING,
    ),
    "the price is zero": (BUY, {"prices": {"BTCUSDT": D(0)}}, Reason.PRICE_MISSING),
    "the bid is far off the middle": (
        Intent("BTCUSDT", Side.SELL, D("0.002"), strategy="baseline", stop_percent=D(2)),
        {"quotes": {"BTCUSDT": Quote("BTCUSDT", D(49499), D(50010), 0.0)}},
        Reason.PRICE_OFF_MARKET,
    ),
    "the ask is far off the middle": (
        BUY,
        {"quotes": {"BTCUSDT": Quote("BTCUSDT", D(49990), D(50501), 0.0)}},
        Reason.PRICE_OFF_MARKET,
    ),
    "the limit price is far below the market": (bought(limit_price=D(49499)), {}, Reason.PRICE_OFF_MARKET),
    "the limit price is ten times the market": (bought(limit_price=D(500000)), {}, Reason.PRICE_OFF_MARKET),
    "the market has fallen too far": (BUY, {"medians": {"BTCUSDT": D(52000)}}, Reason.MARKET_MOVED_TOO_FAR),
    "the depth is old": (BUY, {"depth_ages": {"BTCUSDT": 301.0}}, Reason.LIQUIDITY_TOO_THIN),
    "too few bid for it": (
        Intent("BTCUSDT", Side.SELL, D("0.002"), strategy="baseline", stop_percent=D(2)),
        {"depths": {"BTCUSDT": Depth("BTCUSDT", D("0.001"), D(1), 0.0)}},
        Reason.LIQUIDITY_TOO_THIN,
    ),
    "the position grows too large": (BUY, HELD, Reason.POSITION_NOTIONAL_EXCEEDED),
    "a short position grows too large": (
        Intent("BTCUSDT", Side.SELL, D("0.005"), strategy="baseline", stop_percent=D(2)),
        {},
        Reason.POSITION_NOTIONAL_EXCEEDED,
    ),
    "an order in flight fills the limit": (
        BUY,
        {"exposures": {"BTCUSDT": Exposure(D(0), buying=D("0.003"))}},
        Reason.POSITION_NOTIONAL_EXCEEDED,
    ),
    "an overfilled order does not make room": (
        BUY,
        {"exposures": {"BTCUSDT": Exposure(D("0.003"), buying=D("-0.003"))}},
        Reason.POSITION_NOTIONAL_EXCEEDED,
    ),
    "positions on another venue take the last place": (
        BUY,
        {"exposures": {f"{base}USDT": Exposure(D(0), elsewhere=D("0.01")) for base in ("ETH", "SOL")}},
        Reason.POSITION_COUNT_EXCEEDED,
    ),
    "a position on another venue fills the limit": (
        BUY,
        {"exposures": {"BTCUSDT": Exposure(D(0), elsewhere=D("0.003"))}},
        Reason.POSITION_NOTIONAL_EXCEEDED,
    ),
    "the limit price is what counts": (
        bought(quantity=D("0.004"), limit_price=D(50001)),
        {},
        Reason.POSITION_NOTIONAL_EXCEEDED,
    ),
    "an order in flight takes the last place": (
        BUY,
        {"exposures": {"ETHUSDT": Exposure(D("0.01")), "SOLUSDT": Exposure(D(0), selling=D("0.1"))}},
        Reason.POSITION_COUNT_EXCEEDED,
    ),
    "it moves with a symbol that nobody has compared": (
        BUY,
        held(SOL="1.1") | {"correlated": {"BTCUSDT": frozenset()}},
        Reason.CORRELATED_EXPOSURE_EXCEEDED,
    ),
    "nobody has compared it": (BUY, held(SOL="1.1") | {"correlated": {}}, Reason.CORRELATED_EXPOSURE_EXCEEDED),
    "unsettled orders need the margin": (
        BUY,
        {"exposures": {"BTCUSDT": Exposure(D(0), selling=D("0.002"))}, "margin_used": D(601)},
        Reason.MARGIN_EXCEEDED,
    ),
    "the venue's own equity is too small": (BUY, {"venue_equity": D(100)}, Reason.MARGIN_EXCEEDED),
    "the leverage is zero": (BUY, {"leverages": {"BTCUSDT": D(0)}}, Reason.LEVERAGE_EXCEEDED),
    "there is no stop loss": (bought(stop_percent=None), {}, Reason.TRADE_RISK_EXCEEDED),
    "the stop loss is at the entry": (bought(stop_percent=D(0)), {}, Reason.TRADE_RISK_EXCEEDED),
    "today's loss is at the limit": (BUY, {"loss_equity": D(975)}, Reason.DAILY_LOSS_EXCEEDED),
    "this week's loss is at the limit": (
        BUY,
        {"loss_equity": D(950), "day_start_equity": D(950)},
        Reason.WEEKLY_LOSS_EXCEEDED,
    ),
    "the drawdown is at the limit": (
        BUY,
        {"loss_equity": D(1000), "peak_equity": D(1250)},
        Reason.DRAWDOWN_EXCEEDED,
    ),
    "the day began with nothing": (BUY, {"day_start_equity": D(0)}, Reason.DAILY_LOSS_EXCEEDED),
}


@pytest.mark.parametrize(("intent", "changes", "reason"), DENIED.values(), ids=DENIED)
def test_an_order_is_denied_when(intent: Intent, changes: dict[str, Any], reason: Reason) -> None:
    """One objection per situation, with its own reason."""
    assert answer(intent, changes) is reason


ALLOWED: dict[str, tuple[Intent, dict[str, Any]]] = {
    "all is calm": (BUY, {}),
    "the position ends exactly at its limit": (bought(quantity=D("0.004")), {}),
    "the limit price ends exactly at the collar": (bought(limit_price=D(50500), quantity=D("0.003")), {}),
    "the symbols that move along end exactly at their limit": (bought(quantity=D("0.003")), held(ETH="0.05")),
    "what moves alone does not count as moving along": (BUY, held(SOL="1.1")),
    "the symbol's own position counts once": (BUY, held(BTC="0.002", SOL="1.5")),
    "leverage needs less margin": (
        BUY,
        {"leverages": {"BTCUSDT": D(5)}, "bounds": replace(BOUNDS, leverage=D(5)), "margin_used": D(780)},
    ),
    "a position is turned down": (
        Intent("BTCUSDT", Side.SELL, D("0.001"), strategy="baseline", stop_percent=D(2)),
        HELD,
    ),
    "a place is taken by the same symbol": (bought(quantity=D("0.001")), held(BTC="0.003", SOL="0.1")),
    "an exposure of nothing takes no place": (BUY, held(ETH="0", SOL="0", XRP="0")),
    "risk is a warning": (BUY, {"risk_state": RiskState.WARNING}),
    "a stop loss rests beside a take profit of the same size": (
        STOP,
        {"exposures": {"BTCUSDT": Exposure(D("0.003"), reducing=D("0.003"))}},
    ),
    "a killing is held up by a reduction that can't be cancelled": (
        sold(purpose=Purpose.KILL),
        {"exposures": {"BTCUSDT": Exposure(D("0.003"), reducing=D("0.003"))}},
    ),
    "a short position is bought back": (replace(SELL_ALL, side=Side.BUY), held(BTC="-0.003")),
}


@pytest.mark.parametrize(("intent", "changes"), ALLOWED.values(), ids=ALLOWED)
def test_an_order_passes_when(intent: Intent, changes: dict[str, Any]) -> None:
    """Limits are reached, not missed by one."""
    assert answer(intent, changes) is None


def test_bounds_are_the_limits_of_the_same_names() -> None:
    """None is read in another's place; canary cuts down notionals and nothing else."""
    limits = LADDER["high"]
    bounds = Bounds.of(limits)
    same = {entry.name: Decimal(getattr(limits, f"max_{entry.name}")) for entry in fields(Bounds)}

    assert {entry.name: getattr(bounds, entry.name) for entry in fields(Bounds)} == same
    assert bounds.shrunk(D(10)) == replace(bounds, position_notional=D(1000))


ALWAYS = {
    checks.another_pod_leads,
    checks.quantity_is_invalid,
    checks.instrument_is_unknown,
    checks.price_is_invalid,
    checks.quantity_is_out_of_range,
    checks.reduction_would_open,
    checks.id_was_sent_before,
}
"""What stops even the kill protocol."""
ROUTINE = ALWAYS | {
    checks.gate_is_shut,
    checks.account_is_not_reconciled,
    checks.emergency_stop_is_active,
    checks.emergency_stop_is_applied,
    checks.venue_is_unavailable,
    checks.engine_runs_dry,
}
"""What stops the protection of a position."""
UNFORCED = ROUTINE | {
    checks.strategy_is_not_listed,
    checks.limits_are_missing,
    checks.orders_come_too_fast,
    checks.outcome_is_unknown,
}
"""What stops a strategy or a rebalancing that shrinks a position."""
STOPPED_BY = {
    Purpose.KILL: ALWAYS,
    Purpose.PROTECT: ROUTINE,
    Purpose.REBALANCE: UNFORCED,
    Purpose.TRADE: UNFORCED,
}
OF_THE_INTENT: dict[Callable[..., Denial | None], dict[str, Any]] = {
    checks.quantity_is_invalid: {"quantity": D("0.0015")},
    checks.price_is_invalid: {"limit_price": D("50000.05")},
    checks.strategy_is_not_listed: {"strategy": "other"},
    checks.instrument_is_unknown: {"symbol": "XUSDT"},
    checks.reduction_would_open: {"quantity": D("0.004")},
    checks.price_is_off_market: {"limit_price": D(500000)},
}
"""What makes a reduction bad where the order itself is."""


@pytest.mark.parametrize("purpose", Purpose)
@pytest.mark.parametrize("check", NAMES, ids=NAMES.get)
def test_a_reduction_is_stopped_only_by_what_concerns_it(check: Check, purpose: Purpose) -> None:
    """The way out is wider than the way in, and widest for the kill protocol."""
    intent = sold(purpose=purpose, **OF_THE_INTENT.get(check, {}))
    _, changes, reason = (ALONE | NAMED)[check]
    changes = changes | {"exposures": changes.get("exposures", {}) | HELD["exposures"]}
    unlisted = check is checks.strategy_is_not_listed and purpose is not Purpose.TRADE
    expected = reason if check in STOPPED_BY[purpose] and not unlisted else None
    assert answer(intent, changes) is expected


def without_fact(situation: Situation, name: str) -> Situation:
    """A situation in which one fact, or what a mapping says of the symbol, is not known."""
    known = getattr(situation, name)
    if isinstance(known, dict):
        unknown: Any = {symbol: fact for symbol, fact in known.items() if symbol != "BTCUSDT"}
    else:
        unknown = None
    return replace(situation, **{name: unknown})


FACTS = frozenset(entry.name for entry in fields(Situation) if entry.init) - {
    "clock_skew_bound",  # these three are settings, never unknown
    "price_age_bound",
    "depth_age_bound",
    "exposures",  # none is a flat book, which an order may open
    "correlated",  # none means that everything moves together
}
"""What an order with new risk rests on."""
KILL_FACTS = {"leading", "instruments", "exposures", "sent_ids"}
NEEDED = {
    Purpose.KILL: KILL_FACTS,
    Purpose.PROTECT: KILL_FACTS
    | {"gate", "reconciled", "stopped", "stop_applied", "venue_available", "dry_run"},
}
NEEDED[Purpose.TRADE] = NEEDED[Purpose.PROTECT] | {
    "strategies",
    "bounds",
    "orders_last_minute",
    "unknown_symbols",
}
NEEDED[Purpose.REBALANCE] = NEEDED[Purpose.TRADE] - {"strategies"}


@pytest.mark.parametrize("purpose", Purpose)
@pytest.mark.parametrize("name", sorted(FACTS | {"exposures"}))
def test_a_reduction_needs_what_it_rests_on_and_nothing_else(name: str, purpose: Purpose) -> None:
    """Getting out waits for nothing that it does not use; in a flat book it opens nothing."""
    denial = judge(sold(purpose=purpose), "id", without_fact(replace(CALM, **HELD), name))
    assert (denial is not None) is (name in NEEDED[purpose])


def test_the_kill_protocol_passes_where_nothing_else_is_known() -> None:
    """A shut gate, an emergency stop, no equity, no price, no limits: flattening goes on."""
    blind = replace(CALM, **HELD, gate=Reason.GATE_CLOSED, stopped=True, locked_symbols=LOCKED)
    for name in FACTS - NEEDED[Purpose.KILL]:
        blind = without_fact(blind, name)
    assert judge(sold(purpose=Purpose.KILL), "id", blind) is None


SIZES = st.sampled_from([D(thousandths) / 1000 for thousandths in range(6)])
SIGNED = SIZES | SIZES.map(lambda size: -size)
EXPOSURES = st.builds(Exposure, SIGNED, *[st.just(D(0)) | SIZES] * 4)
OTHERS = st.builds(Exposure, SIGNED.map(lambda size: size * 20))
MONEY = st.decimals(900, 1100, places=2)
PRICES = st.decimals(49400, 50600, places=1)
POSITIONS = st.fixed_dictionaries({"BTCUSDT": EXPOSURES}, optional={"ETHUSDT": OTHERS, "SOLUSDT": OTHERS})
UNCALM: dict[str, st.SearchStrategy[Any]] = {
    "gate": st.sampled_from([Reason.GATE_REDUCE_ONLY, Reason.GATE_CLOSED]),
    "stopped": st.just(True),
    "stop_applied": st.just(True),
    "clock_skew": st.floats(0, 1.5),
    "risk_state": st.sampled_from(list(RiskState)),
    "equity": MONEY | st.decimals(100, 700, places=2),
    "loss_equity": MONEY,
    "venue_equity": MONEY | st.decimals(100, 700, places=2),
    "margin_used": st.decimals(500, 800, places=2),
    "trades_today": st.integers(18, 21),
    "orders_last_minute": st.integers(8, 11),
    "quotes": st.builds(lambda bid, ask: {"BTCUSDT": Quote("BTCUSDT", bid, ask, 0.0)}, PRICES, PRICES),
    "medians": st.decimals(48000, 52000, places=1).map(lambda price: {"BTCUSDT": price}),
    "depths": st.builds(lambda bids, asks: {"BTCUSDT": Depth("BTCUSDT", bids, asks, 0.0)}, SIZES, SIZES),
    "exposures": POSITIONS,
}
"""What may differ from the calm, each on both sides of its bound."""


def situations(positions: st.SearchStrategy[dict[str, Exposure]]) -> st.SearchStrategy[Situation]:
    """Situations with at most two differences from the calm, so that many orders pass and few fail twice."""
    names = st.sets(st.sampled_from(sorted(UNCALM)), max_size=2)
    changes = names.flatmap(lambda chosen: st.fixed_dictionaries({name: UNCALM[name] for name in chosen}))
    return st.builds(lambda held, more: replace(CALM, **{"exposures": held, **more}), positions, changes)


SITUATIONS = situations(st.just({}) | POSITIONS)
OPENING = st.builds(
    replace, st.just(BUY), side=st.sampled_from(Side), quantity=SIZES, limit_price=st.none() | PRICES
)
SHRINKING = st.builds(
    replace,
    st.just(SELL_ALL),
    side=st.sampled_from(Side),
    quantity=SIZES,
    purpose=st.sampled_from(Purpose),
    trigger_price=st.none() | PRICES,
)
INTENTS = OPENING | SHRINKING | st.builds(replace, SHRINKING, reduce_only=st.booleans())
EXAMPLES = settings(max_examples=400)


@EXAMPLES
@given(OPENING, SITUATIONS, st.sampled_from(sorted(FACTS)))
def test_no_order_with_new_risk_passes_with_a_fact_missing(intent: Intent, now: Situation, name: str) -> None:
    """Whatever else holds: what is not known denies."""
    assert judge(intent, "id", without_fact(now, name)) is not None


def more_in_flight(now: Situation, **more: Decimal) -> Situation:
    """Orders or positions added to the symbol's own."""
    before = now.exposures.get("BTCUSDT", Exposure(D(0)))
    after = replace(before, **{name: getattr(before, name) + quantity for name, quantity in more.items()})
    return replace(now, exposures={**now.exposures, "BTCUSDT": after})


def another(now: Situation) -> Situation:
    """One more position, in a symbol that moves along."""
    before = now.exposures.get("ETHUSDT", Exposure(D(0)))
    more = replace(before, buying=before.buying + D("0.05"), selling=before.selling + D("0.05"))
    return replace(now, exposures={**now.exposures, "ETHUSDT": more})


def lowered(name: str) -> Callable[[Situation], Situation]:
    """Half the limit."""

    def lower(now: Situation) -> Situation:
        limit = getattr(now.bounds, name)
        return replace(now, bounds=replace(now.bounds or BOUNDS, **{name: limit // 2}))

    return lower


def fallen(name: str) -> Callable[[Situation], Situation]:
    """Half the money."""
    return lambda now: replace(now, **{name: getattr(now, name) / 2})


def changed(**changes: Any) -> Callable[[Situation], Situation]:
    """Some facts, as bad as can be."""
    return lambda now: replace(now, **changes)


WORSE: dict[str, Callable[[Situation], Situation]] = {
    "the gate shuts": changed(gate=Reason.GATE_CLOSED),
    "another pod leads": changed(leading=False),
    "journal and venue disagree": changed(reconciled=False),
    "an emergency stop": changed(stopped=True),
    "an EmergencyStop is applied": changed(stop_applied=True),
    "nobody knows whether one is": changed(stop_applied=None),
    "the breaker opens": changed(venue_available=False),
    "the engine runs dry": changed(dry_run=True),
    "risk becomes critical": changed(risk_state=RiskState.CRITICAL),
    "no strategy is listed": changed(strategies=frozenset()),
    "the price ages": changed(price_ages={"BTCUSDT": 1000.0}),
    "the depth ages": changed(depth_ages={"BTCUSDT": 1000.0}),
    "the clocks part": lambda now: replace(now, clock_skew=(now.clock_skew or 0) + 0.5),
    "the book empties": changed(depths={"BTCUSDT": Depth("BTCUSDT", D(0), D(0), 0.0)}),
    "the market jumps": changed(medians={"BTCUSDT": D(1)}),
    "the symbol is locked": changed(locked_symbols=LOCKED),
    "an outcome becomes unknown": changed(unknown_symbols=LOCKED),
    "another venue goes silent": changed(unknown_elsewhere=LOCKED),
    "the id is used": changed(sent_ids={"id"}),
    "the leverage doubles": changed(leverages={"BTCUSDT": D(2)}),
    "everything moves together": changed(correlated={}),
    "more is in flight": lambda now: more_in_flight(now, buying=D("0.001"), selling=D("0.001")),
    "more is held elsewhere": lambda now: more_in_flight(now, elsewhere=D("0.001")),
    "more reductions rest": lambda now: more_in_flight(now, reducing=D("0.001")),
    "another position grows": another,
    "one more trade": lambda now: replace(now, trades_today=(now.trades_today or 0) + 1),
    "one more order": lambda now: replace(now, orders_last_minute=(now.orders_last_minute or 0) + 1),
    "more margin is used": lambda now: replace(now, margin_used=(now.margin_used or D(0)) + 100),
    "the day began higher": changed(day_start_equity=D(1200)),
    "the week began higher": changed(week_start_equity=D(1200)),
    "the peak was higher": changed(peak_equity=D(1200)),
    **{f"{name} falls": fallen(name) for name in ("equity", "loss_equity", "venue_equity")},
    **{f"the limit of {entry.name} is lowered": lowered(entry.name) for entry in fields(Bounds)},
}
"""Every further sign of danger."""


@EXAMPLES
@given(INTENTS, SITUATIONS, st.sampled_from(sorted(WORSE)))
def test_more_danger_never_lets_a_denied_order_pass(intent: Intent, now: Situation, worse: str) -> None:
    """Every further sign of danger leaves a denied order denied."""
    if judge(intent, "id", now) is not None:
        assert judge(intent, "id", WORSE[worse](now)) is not None


@EXAMPLES
@given(INTENTS, SITUATIONS)
def test_in_a_flat_book_nothing_is_reduced_and_reducing_opens_nothing(intent: Intent, now: Situation) -> None:
    """ReduceOnly lets nothing out that could make or turn a position."""
    flat = replace(now, exposures={})
    assert judge(replace(intent, reduce_only=True), "id", flat) is not None
    assert judge(intent, "id", replace(flat, gate=Reason.GATE_REDUCE_ONLY)) is not None
    if judge(intent, "id", replace(now, gate=Reason.GATE_REDUCE_ONLY)) is None:
        position = now.exposures["BTCUSDT"].position
        assert abs(position + intent.signed) < abs(position)
        assert position * (position + intent.signed) >= 0


@EXAMPLES
@given(INTENTS, SITUATIONS)
def test_through_a_closed_gate_only_the_kill_protocol_passes(intent: Intent, now: Situation) -> None:
    """And only with what shrinks a position."""
    if judge(intent, "id", replace(now, gate=Reason.GATE_CLOSED)) is None:
        assert intent.purpose is Purpose.KILL
        assert intent.reduce_only


@EXAMPLES
@given(OPENING, SITUATIONS)
def test_what_passes_stays_within_every_limit(intent: Intent, now: Situation) -> None:
    """An independent sum of what an allowed order may lead to."""
    if judge(intent, "id", now) is not None:
        return
    assert now.equity is not None
    own = now.exposures.get("BTCUSDT", Exposure(D(0)))
    bought, sold = (intent.quantity, D(0)) if intent.side is Side.BUY else (D(0), intent.quantity)
    ends = (own.position + own.buying + bought, own.position - own.selling - sold)
    worst = max(map(abs, ends)) + own.elsewhere
    notionals = {"BTCUSDT": worst * max(now.prices["BTCUSDT"], intent.limit_price or D(0))}
    for symbol, other in now.exposures.items():
        if symbol != "BTCUSDT" and other.at_risk:
            largest = max(abs(other.position + other.buying), abs(other.position - other.selling))
            notionals[symbol] = (largest + other.elsewhere) * now.prices[symbol]
    assert notionals["BTCUSDT"] <= BOUNDS.position_notional
    assert len(notionals) <= BOUNDS.positions
    assert sum(notionals.values()) * 100 <= BOUNDS.exposure_percent * now.equity
    together = notionals["BTCUSDT"] + notionals.get("ETHUSDT", D(0))
    assert together * 100 <= BOUNDS.correlated_exposure_percent * now.equity
