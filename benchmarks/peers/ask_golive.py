"""GoLive's RiskGate and the marker file of a hand-run program, asked the way the peers are."""

import sys
import tempfile
from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

from risk_gate import situation
from telling import MARKER, SENT, durations, tell, verdicts

from golive_api.reasons import Reason
from golive_engine.riskgate import CHECKS, judge
from golive_engine.situation import Bounds, Exposure, Situation, gross_notional
from golive_engine.trading import Intent, Side

SYMBOL = "BTCUSDT"
CALM = situation()
"""Ten positions within all limits."""

BUY = Intent(SYMBOL, Side.BUY, Decimal("0.002"))
WARM_UP = 1000
"""Calls that are not measured."""


def answer(intent: Intent = BUY, now: Situation = CALM) -> str:
    """SENT, or the reason of the first objection."""
    denial = judge(intent, "id", now)
    return SENT if denial is None else denial.reason.value


def bounds() -> Bounds:
    """The limits of the calm situation."""
    if CALM.bounds is None:
        raise LookupError("the calm situation has limits")
    return CALM.bounds


def holding(exposures: Mapping[str, Exposure], limits: Bounds | None = CALM.bounds) -> Situation:
    """The calm situation with other positions, perhaps with other limits."""
    gross = gross_notional(exposures, CALM.prices)
    return replace(CALM, exposures=exposures, gross_notional=gross, bounds=limits)


def reduction(quantity: str, now: Situation) -> str:
    """A reduce-only sale."""
    return answer(Intent(SYMBOL, Side.SELL, Decimal(quantity), reduce_only=True), now)


def limit_order(quantity: str, price: str) -> str:
    """A limit order in the calm situation."""
    return answer(replace(BUY, quantity=Decimal(quantity), limit_price=Decimal(price)))


def next_position() -> str:
    """Nine positions of nine, and an order that would be the tenth."""
    others = {symbol: exposure for symbol, exposure in CALM.exposures.items() if symbol != SYMBOL}
    return answer(now=holding(others, replace(bounds(), positions=len(others))))


def burst() -> str:
    """Twenty orders at once, each counted as one of today's."""
    answers = [answer(now=replace(CALM, trades_today=number)) for number in range(20)]
    return answers[-1]


CASES = {
    "price between two ticks": lambda: limit_order("0.002", "50000.05"),
    "quantity between two lots": lambda: answer(replace(BUY, quantity=Decimal("0.0105"))),
    "quantity above the venue's largest": lambda: answer(replace(BUY, quantity=Decimal(5000))),
    "notional below the venue's smallest": lambda: limit_order("0.001", "1000"),
    "limit price ten times the market": lambda: limit_order("0.001", "500000"),
    "market price an hour old": lambda: answer(now=replace(CALM, price_ages={SYMBOL: 3600.0})),
    "no market price": lambda: answer(now=replace(CALM, prices={})),
    "client order id used before": lambda: answer(now=replace(CALM, sent_ids={"id"})),
    "account unknown": lambda: answer(now=replace(CALM, equity=None)),
    "instrument unknown": lambda: answer(replace(BUY, symbol="XUSDT")),
    "reduce-only in a flat book": lambda: reduction("0.001", holding({})),
    "reduce-only larger than the position": lambda: reduction("0.010", CALM),
    "notional above the symbol's limit": lambda: answer(replace(BUY, quantity=Decimal("0.1"))),
    "margin nearly used up": lambda: answer(now=replace(CALM, margin_used=Decimal(9000))),
    "leverage above the limit": lambda: answer(now=replace(CALM, leverages={SYMBOL: Decimal(100)})),
    "one position too many": next_position,
    "today's loss above the limit, still open": lambda: answer(now=replace(CALM, equity=Decimal(9000))),
    "earlier order's outcome unknown": lambda: answer(now=replace(CALM, unknown_symbols=frozenset({SYMBOL}))),
    "trading halted": lambda: answer(now=replace(CALM, stopped=True)),
    "more orders a second than allowed": burst,
}
"""The bad orders, each with the situation that makes it bad."""


def measured(calls: int, now: Situation) -> list[float]:
    """Durations of decisions on one order."""

    def ask(intent: Intent) -> object:
        return judge(intent, "id", now)

    return durations(ask, [BUY] * (calls + WARM_UP))[WARM_UP:]


def marker_file(calls: int) -> list[float]:
    """Durations of looking for a file that is not there, its path built each time."""
    with tempfile.TemporaryDirectory() as folder:
        name = f"{folder}/go_live.active"
        return durations(lambda path: Path(path).exists(), [name] * (calls + WARM_UP))[WARM_UP:]


def main() -> None:
    """Ask, and tell."""
    calls = int(sys.argv[1])
    halted = replace(CALM, gate=Reason.GATE_CLOSED)
    if answer() != SENT or answer(now=halted) == SENT:
        raise SystemExit("the measured orders do not get the answers they are named for")
    samples = {
        f"perpetual, {len(CHECKS)} checks": measured(calls, CALM),
        "perpetual, gate shut": measured(calls, halted),
        MARKER: marker_file(calls),
    }
    tell(samples, verdicts(CASES))


if __name__ == "__main__":
    main()
