"""The RiskGate: each check with the situation that it finds, and what must never pass."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from golive_api.golive import RiskState
from golive_api.reasons import Reason
from golive_engine.riskgate import CHECKS, judge
from golive_engine.situation import Bounds, Exposure, Situation, gross_notional
from golive_engine.trading import Instrument, Intent, Side

D = Decimal
BTC = Instrument("BTCUSDT", D("0.001"), D("0.1"), D("0.001"), D(100), D(50))
BOUNDS = Bounds(D(200), 2, D(1), D(50), D(80), D("2.5"), 20)
CALM = Situation(
    gate=Reason.GATE_OPEN,
    leading=True,
    reconciled=True,
    stopped=False,
    risk_state=RiskState.OK,
    equity=D(1000),
    day_start_equity=D(1000),
    margin_used=D(0),
    instruments={"BTCUSDT": BTC},
    prices={"BTCUSDT": D(50000), "ETHUSDT": D(3000), "SOLUSDT": D(200)},
    price_ages={"BTCUSDT": 1.0},
    price_age_bound=30.0,
    exposures={},
    gross_notional=D(0),
    leverages={"BTCUSDT": D(1)},
    bounds=BOUNDS,
    trades_today=0,
    unknown_symbols=frozenset(),
    sent_ids=frozenset(),
)
BUY = Intent("BTCUSDT", Side.BUY, D("0.002"))
LONG = {"BTCUSDT": Exposure(D("0.003"))}


def holding(exposures: dict[str, Exposure], **changes: Any) -> Situation:
    """A calm situation with these exposures."""
    return replace(CALM, exposures=exposures, gross_notional=gross_notional(exposures, CALM.prices), **changes)


DENIED: dict[str, tuple[Intent, Situation, Reason]] = {
    "the gate is closed": (BUY, replace(CALM, gate=Reason.GATE_CLOSED), Reason.GATE_CLOSED),
    "the gate is not known": (BUY, replace(CALM, gate=None), Reason.GATE_MISSING),
    "only reducing is allowed": (BUY, replace(CALM, gate=Reason.GATE_REDUCE_ONLY), Reason.GATE_REDUCE_ONLY),
    "another pod leads": (BUY, replace(CALM, leading=False), Reason.STANDBY),
    "the account is not reconciled": (BUY, replace(CALM, reconciled=False), Reason.NOT_RECONCILED),
    "the emergency stop is active": (BUY, replace(CALM, stopped=True), Reason.EMERGENCY_STOP_ACTIVE),
    "risk is critical": (BUY, replace(CALM, risk_state=RiskState.CRITICAL), Reason.RISK_CRITICAL),
    "there is no equity": (BUY, replace(CALM, equity=D(0)), Reason.ACCOUNT_UNKNOWN),
    "the instrument is unknown": (replace(BUY, symbol="XUSDT"), CALM, Reason.INSTRUMENT_UNKNOWN),
    "the quantity is zero": (replace(BUY, quantity=D(0)), CALM, Reason.QUANTITY_INVALID),
    "the quantity is negative": (replace(BUY, quantity=D("-0.001")), CALM, Reason.QUANTITY_INVALID),
    "the quantity is not a number": (replace(BUY, quantity=D("NaN")), CALM, Reason.QUANTITY_INVALID),
    "the quantity is infinite": (replace(BUY, quantity=D("Infinity")), CALM, Reason.QUANTITY_INVALID),
    "the quantity is between two lots": (replace(BUY, quantity=D("0.0015")), CALM, Reason.QUANTITY_INVALID),
    "the price is between two ticks": (replace(BUY, limit_price=D("50000.05")), CALM, Reason.PRICE_INVALID),
    "the price is negative": (replace(BUY, limit_price=D(-1)), CALM, Reason.PRICE_INVALID),
    "the quantity is above the range": (replace(BUY, quantity=D(101)), CALM, Reason.QUANTITY_OUT_OF_RANGE),
    "a reduction has nothing to reduce": (replace(BUY, reduce_only=True), CALM, Reason.REDUCE_ONLY_VIOLATED),
    "a reduction is on the position's side": (
        replace(BUY, reduce_only=True),
        holding(LONG),
        Reason.REDUCE_ONLY_VIOLATED,
    ),
    "a reduction is larger than the position": (
        Intent("BTCUSDT", Side.SELL, D("0.004"), reduce_only=True),
        holding(LONG),
        Reason.REDUCE_ONLY_VIOLATED,
    ),
    "there is no price": (BUY, replace(CALM, prices={}), Reason.PRICE_MISSING),
    "the price is old": (BUY, replace(CALM, price_ages={"BTCUSDT": 30.1}), Reason.PRICE_STALE),
    "the price's age is unknown": (BUY, replace(CALM, price_ages={}), Reason.PRICE_STALE),
    "the notional is too small": (
        replace(BUY, quantity=D("0.001")),
        replace(CALM, prices={"BTCUSDT": D(49999)}),
        Reason.NOTIONAL_TOO_SMALL,
    ),
    "there are no limits": (BUY, replace(CALM, bounds=None), Reason.LIMITS_MISSING),
    "the position grows too large": (BUY, holding(LONG), Reason.POSITION_NOTIONAL_EXCEEDED),
    "a short position grows too large": (
        Intent("BTCUSDT", Side.SELL, D("0.005")),
        CALM,
        Reason.POSITION_NOTIONAL_EXCEEDED,
    ),
    "an order in flight fills the limit": (
        BUY,
        holding({"BTCUSDT": Exposure(D(0), buying=D("0.003"))}),
        Reason.POSITION_NOTIONAL_EXCEEDED,
    ),
    "the limit price is what counts": (
        Intent("BTCUSDT", Side.BUY, D("0.002"), limit_price=D(100001)),
        CALM,
        Reason.POSITION_NOTIONAL_EXCEEDED,
    ),
    "there are too many positions": (
        BUY,
        holding({"ETHUSDT": Exposure(D("0.01")), "SOLUSDT": Exposure(D(0), selling=D("0.1"))}),
        Reason.POSITION_COUNT_EXCEEDED,
    ),
    "the exposure grows too large": (
        BUY,
        holding({"ETHUSDT": Exposure(D("0.14"))}),
        Reason.EXPOSURE_EXCEEDED,
    ),
    "another position has no price": (BUY, replace(CALM, gross_notional=None), Reason.PRICE_MISSING),
    "the leverage is too high": (BUY, replace(CALM, leverages={"BTCUSDT": D(2)}), Reason.LEVERAGE_EXCEEDED),
    "the leverage is unknown": (BUY, replace(CALM, leverages={}), Reason.LEVERAGE_EXCEEDED),
    "the margin grows too large": (BUY, replace(CALM, margin_used=D(701)), Reason.MARGIN_EXCEEDED),
    "today's loss is at the limit": (BUY, replace(CALM, equity=D(975)), Reason.DAILY_LOSS_EXCEEDED),
    "today's trades are used up": (BUY, replace(CALM, trades_today=20), Reason.DAILY_TRADES_EXCEEDED),
    "the id was sent before": (BUY, replace(CALM, sent_ids={"id"}), Reason.ORDER_DUPLICATE),
    "an outcome is unknown": (
        BUY,
        replace(CALM, unknown_symbols=frozenset({"BTCUSDT"})),
        Reason.OUTCOME_UNKNOWN,
    ),
}


@pytest.mark.parametrize(("intent", "situation", "reason"), DENIED.values(), ids=DENIED)
def test_an_order_is_denied_when(intent: Intent, situation: Situation, reason: Reason) -> None:
    """One objection per situation, with its own reason."""
    denial = judge(intent, "id", situation)
    assert denial is not None
    assert denial.reason is reason


SELL_ALL = Intent("BTCUSDT", Side.SELL, D("0.003"), reduce_only=True)
ALLOWED: dict[str, tuple[Intent, Situation]] = {
    "all is calm": (BUY, CALM),
    "the position ends exactly at its limit": (replace(BUY, quantity=D("0.004")), CALM),
    "a position is turned down": (Intent("BTCUSDT", Side.SELL, D("0.001")), holding(LONG)),
    "a position is closed through a gate that only reduces": (
        SELL_ALL,
        holding(LONG, gate=Reason.GATE_REDUCE_ONLY),
    ),
    "a position is closed while risk is critical": (SELL_ALL, holding(LONG, risk_state=RiskState.CRITICAL)),
    "a position is closed after the day's trades": (SELL_ALL, holding(LONG, trades_today=20)),
    "a position is closed after the day's loss": (SELL_ALL, holding(LONG, equity=D(900))),
    "risk is a warning": (BUY, replace(CALM, risk_state=RiskState.WARNING)),
}


@pytest.mark.parametrize(("intent", "situation"), ALLOWED.values(), ids=ALLOWED)
def test_an_order_passes_when(intent: Intent, situation: Situation) -> None:
    """The way out is wider than the way in."""
    assert judge(intent, "id", situation) is None


def test_every_check_of_the_chain_has_a_case_here() -> None:
    """A check that no case reaches could be taken out unseen."""
    denials = [judge(intent, "id", situation) for intent, situation, _ in DENIED.values()]
    reasons = {denial.reason for denial in denials if denial is not None}
    assert len(reasons) >= len(CHECKS)


NEEDED = (
    "gate",
    "leading",
    "reconciled",
    "stopped",
    "risk_state",
    "equity",
    "day_start_equity",
    "margin_used",
    "gross_notional",
    "bounds",
    "trades_today",
    "unknown_symbols",
    "sent_ids",
)
EMPTY: dict[str, dict[str, object]] = {
    "instruments": {},
    "prices": {},
    "price_ages": {},
    "leverages": {},
}


@pytest.mark.parametrize("name", [*NEEDED, *EMPTY])
def test_a_missing_input_denies(name: str) -> None:
    """Nothing that a decision rests on may be unknown."""
    unknown: dict[str, Any] = {name: EMPTY.get(name)}
    assert judge(BUY, "id", replace(CALM, **unknown)) is not None


QUANTITIES = st.decimals(-1, 1, places=3)
EXPOSURES = st.builds(Exposure, QUANTITIES, QUANTITIES.map(abs), QUANTITIES.map(abs))
SITUATIONS = st.builds(
    replace,
    st.just(CALM),
    equity=st.decimals(0, 5000, places=2),
    day_start_equity=st.decimals(0, 5000, places=2),
    margin_used=st.decimals(0, 5000, places=2),
    trades_today=st.integers(0, 25),
    risk_state=st.sampled_from(list(RiskState)),
    leverages=st.sampled_from([{"BTCUSDT": D(n)} for n in (1, 2)]),
    exposures=st.dictionaries(st.sampled_from(["BTCUSDT", "ETHUSDT", "SOLUSDT"]), EXPOSURES),
).map(lambda s: replace(s, gross_notional=gross_notional(s.exposures, s.prices)))
INTENTS = st.builds(
    Intent,
    st.just("BTCUSDT"),
    st.sampled_from(list(Side)),
    st.decimals("-0.01", "0.01", places=4),
    st.booleans(),
)
WORSE: dict[str, Any] = {
    "gate": lambda s: replace(s, gate=Reason.GATE_CLOSED),
    "lease": lambda s: replace(s, leading=False),
    "stop": lambda s: replace(s, stopped=True),
    "risk": lambda s: replace(s, risk_state=RiskState.CRITICAL),
    "equity": lambda s: replace(s, equity=s.equity / 2),
    "margin": lambda s: replace(s, margin_used=s.margin_used * 2),
    "trades": lambda s: replace(s, trades_today=s.trades_today + 1),
    "age": lambda s: replace(s, price_ages={"BTCUSDT": 1000.0}),
    "unknown": lambda s: replace(s, unknown_symbols=frozenset({"BTCUSDT"})),
    "leverage": lambda s: replace(s, leverages={"BTCUSDT": s.leverages["BTCUSDT"] * 2}),
    "in flight": lambda s: replace(
        s,
        exposures=s.exposures
        | {
            "BTCUSDT": replace(
                s.exposures.get("BTCUSDT", Exposure(D(0))),
                buying=s.exposures.get("BTCUSDT", Exposure(D(0))).buying + D("0.1"),
                selling=s.exposures.get("BTCUSDT", Exposure(D(0))).selling + D("0.1"),
            )
        },
    ),
}


@given(INTENTS, SITUATIONS, st.sampled_from(sorted(WORSE)))
def test_more_danger_never_lets_a_denied_order_pass(intent: Intent, situation: Situation, worse: str) -> None:
    """Every further sign of danger leaves a denied order denied."""
    if judge(intent, "id", situation) is not None:
        assert judge(intent, "id", WORSE[worse](situation)) is not None


@given(INTENTS, SITUATIONS)
def test_what_passes_stays_within_every_limit(intent: Intent, situation: Situation) -> None:
    """An independent sum of what an allowed order may lead to."""
    if judge(intent, "id", situation) is not None or intent.reduce_only:
        return
    assert situation.equity is not None
    before = situation.exposures.get("BTCUSDT", Exposure(D(0)))
    ends = {
        before.position + before.buying + (intent.quantity if intent.side is Side.BUY else 0),
        before.position - before.selling - (intent.quantity if intent.side is Side.SELL else 0),
    }
    largest = max(map(abs, ends)) * situation.prices["BTCUSDT"]
    assert largest <= BOUNDS.position_notional
    others = sum(
        exposure.worst() * situation.prices[symbol]
        for symbol, exposure in situation.exposures.items()
        if symbol != "BTCUSDT"
    )
    assert (largest + others) * 100 <= BOUNDS.exposure_percent * situation.equity
