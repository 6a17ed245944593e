"""How long the RiskGate takes: the whole chain for an order that passes, and for one a shut gate denies."""

import statistics
import sys
from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Any

from measuring import Sample, machine, microseconds, show

from golive_api.golive import RiskState
from golive_api.ladder import LADDER
from golive_api.reasons import Reason
from golive_engine.riskgate import Scope, chain_of, judge
from golive_engine.situation import Bounds, Exposure, Situation
from golive_engine.trading import Depth, Instrument, Intent, Quote, Side

CALLS = 20_000
"""Calls per contender and round."""

ROUNDS = 5
"""Interleaved, so that a busy moment meets every contender."""

BOUND_MICROSECONDS = 10.0
"""A median above this fails."""

SYMBOLS = tuple(
    f"{base}USDT" for base in ("BTC", "ETH", "SOL", "XRP", "LTC", "ADA", "DOGE", "BCH", "AVAX", "LINK")
)
"""Ten instruments, a position in each."""

INTENT = Intent("BTCUSDT", Side.BUY, Decimal("0.002"), strategy="baseline-perps", stop_percent=Decimal(2))
"""The order that is measured."""


def facts() -> dict[str, Any]:
    """Ten positions, ten instruments, everything known, the limits of the highest rung."""
    price, equity = Decimal("50000.5"), Decimal(10_000)
    sizes = [Decimal(text) for text in ("0.001", "0.1", "0.001", "1000", "50")]
    return {
        "gate": Reason.GATE_OPEN,
        "leading": True,
        "venue_available": True,
        "clock_skew": 0.01,
        "clock_skew_bound": 1.0,
        "strategies": frozenset({"baseline-perps"}),
        "dry_run": False,
        "reconciled": True,
        "stopped": False,
        "stop_applied": False,
        "risk_state": RiskState.OK,
        "equity": equity,
        "day_start_equity": equity,
        "week_start_equity": equity,
        "peak_equity": equity,
        "loss_equity": equity,
        "venue_equity": equity,
        "margin_used": Decimal(500),
        "instruments": {symbol: Instrument(symbol, *sizes) for symbol in SYMBOLS},
        "prices": dict.fromkeys(SYMBOLS, price),
        "quotes": {s: Quote(s, price - Decimal("0.1"), price + Decimal("0.1"), 0.0) for s in SYMBOLS},
        "medians": dict.fromkeys(SYMBOLS, Decimal(50_100)),
        "depths": {s: Depth(s, Decimal(5), Decimal(5), 0.0) for s in SYMBOLS},
        "correlated": correlated(),
        "price_ages": dict.fromkeys(SYMBOLS, 0.5),
        "price_age_bound": 30.0,
        "depth_ages": dict.fromkeys(SYMBOLS, 20.0),
        "depth_age_bound": 300.0,
        "exposures": {symbol: Exposure(Decimal("0.001")) for symbol in SYMBOLS},
        "leverages": dict.fromkeys(SYMBOLS, Decimal(1)),
        "bounds": Bounds.of(LADDER["aggressive"]),
        "trades_today": 3,
        "orders_last_minute": 3,
        "locked_symbols": frozenset(),
        "unknown_symbols": frozenset(),
        "unknown_elsewhere": frozenset(),
        "sent_ids": frozenset(),
    }


def correlated() -> Mapping[str, frozenset[str]]:
    """The first five symbols move together, and so do the others."""
    halves = frozenset(SYMBOLS[:5]), frozenset(SYMBOLS[5:])
    return {symbol: half - {symbol} for half in halves for symbol in half}


def situation() -> Situation:
    """The situation that these facts make."""
    return Situation(**facts())


def crowded() -> Situation:
    """The same with so little correlated exposure left that it has to be added up."""
    limits = LADDER["aggressive"].model_copy(update={"max_correlated_exposure_percent": "5"})
    return Situation(**facts() | {"bounds": Bounds.of(limits)})


def main() -> int:
    """Measure, print, and fail above the bound."""
    known, near = facts(), crowded()
    now = Situation(**known)
    shut = replace(now, gate=Reason.GATE_CLOSED)
    answers = [judge(INTENT, "id", there) is None for there in (now, near, shut)]
    if answers != [True, True, False]:
        raise SystemExit("the measured orders do not get the answers they are named for")
    count = len(chain_of(Scope.NEW_RISK))
    contenders = {
        "adding up a situation with ten positions": lambda: Situation(**known),
        "both, as for every order": lambda: judge(INTENT, "id", Situation(**known)),
        f"an order that passes all {count} checks": lambda: judge(INTENT, "id", now),
        "the same near the bound of correlated exposure": lambda: judge(INTENT, "id", near),
        "an order that a shut gate denies": lambda: judge(INTENT, "id", shut),
    }
    samples = [Sample(name, []) for name in contenders]
    for _ in range(ROUNDS):
        for sample, call in zip(samples, contenders.values(), strict=True):
            sample.values.extend(microseconds(CALLS, call))
    show("RiskGate", "µs", samples, machine(), f"aim: at most {BOUND_MICROSECONDS:g} µs, median")
    return int(statistics.median(samples[2].values) > BOUND_MICROSECONDS)


if __name__ == "__main__":
    sys.exit(main())
