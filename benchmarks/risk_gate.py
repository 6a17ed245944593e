"""How long the RiskGate takes: the whole chain for an order that passes, and for one a shut gate denies."""

import statistics
import sys
from dataclasses import replace
from decimal import Decimal

from measuring import Sample, machine, microseconds, show

from golive_api.golive import RiskState
from golive_api.reasons import Reason
from golive_engine.riskgate import CHECKS, judge
from golive_engine.situation import Bounds, Exposure, Situation, gross_notional
from golive_engine.trading import Instrument, Intent, Side

CALLS = 20_000
"""Calls per contender and round."""

ROUNDS = 5
"""Interleaved, so that a busy moment meets every contender."""

BOUND_MICROSECONDS = 10.0
"""A median above this fails."""


def situation() -> Situation:
    """Ten positions, ten instruments, everything known."""
    symbols = [
        f"{base}USDT" for base in ("BTC", "ETH", "SOL", "XRP", "LTC", "ADA", "DOGE", "BCH", "AVAX", "LINK")
    ]
    prices = {symbol: Decimal("50000.5") for symbol in symbols}
    exposures = {symbol: Exposure(Decimal("0.001")) for symbol in symbols}
    instrument = [Decimal(text) for text in ("0.001", "0.1", "0.001", "1000", "50")]
    return Situation(
        gate=Reason.GATE_OPEN,
        leading=True,
        reconciled=True,
        stopped=False,
        risk_state=RiskState.OK,
        equity=Decimal(10_000),
        day_start_equity=Decimal(10_000),
        margin_used=Decimal(500),
        instruments={symbol: Instrument(symbol, *instrument) for symbol in symbols},
        prices=prices,
        price_ages=dict.fromkeys(symbols, 0.5),
        price_age_bound=30.0,
        exposures=exposures,
        gross_notional=gross_notional(exposures, prices),
        leverages=dict.fromkeys(symbols, Decimal(1)),
        bounds=Bounds(Decimal(1000), 20, Decimal(1), Decimal(80), Decimal(80), Decimal(5), 100),
        trades_today=3,
        unknown_symbols=frozenset(),
        sent_ids=frozenset(),
    )


def main() -> int:
    """Measure, print, and fail above the bound."""
    now = situation()
    shut = replace(now, gate=Reason.GATE_CLOSED)
    intent = Intent("BTCUSDT", Side.BUY, Decimal("0.002"))
    if judge(intent, "id", now) is not None or judge(intent, "id", shut) is None:
        raise SystemExit("the measured orders do not get the answers they are named for")
    passes = Sample(f"an order that passes all {len(CHECKS)} checks", [])
    denied = Sample("an order that a shut gate denies", [])
    for _ in range(ROUNDS):
        passes.values.extend(microseconds(CALLS, lambda: judge(intent, "id", now)))
        denied.values.extend(microseconds(CALLS, lambda: judge(intent, "id", shut)))
    show("RiskGate", "µs", [passes, denied], machine(), f"aim: at most {BOUND_MICROSECONDS:g} µs, median")
    return int(statistics.median(passes.values) > BOUND_MICROSECONDS)


if __name__ == "__main__":
    sys.exit(main())
