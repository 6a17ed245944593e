"""GoLive's RiskGate and the marker file of a hand-run program, asked the way the peers are."""

import sys
import tempfile
from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

from risk_gate import INTENT as BUY
from risk_gate import situation
from telling import MARKER, SENT, durations, tell, verdicts

from golive_api.reasons import Reason
from golive_engine.riskgate import Scope, chain_of, judge
from golive_engine.situation import Exposure, Situation
from golive_engine.trading import Intent, Side

SYMBOL = BUY.symbol
CALM = situation()
"""Ten positions within all limits."""

if CALM.bounds is None:
    raise SystemExit("the calm situation has limits")
BOUNDS = CALM.bounds
"""Its limits, the ladder's highest."""

WARM_UP = 1000
"""Calls that are not measured."""


def answer(intent: Intent = BUY, now: Situation = CALM) -> str:
    """SENT, or the reason of the first objection."""
    denial = judge(intent, "id", now)
    return SENT if denial is None else denial.reason.value


def reduction(quantity: str, exposures: Mapping[str, Exposure]) -> str:
    """A reduce-only sale by the same strategy."""
    intent = replace(BUY, side=Side.SELL, quantity=Decimal(quantity), reduce_only=True)
    return answer(intent, replace(CALM, exposures=exposures))


def limit_order(quantity: str, price: str, now: Situation = CALM) -> str:
    """A limit order."""
    return answer(replace(BUY, quantity=Decimal(quantity), limit_price=Decimal(price)), now)


def ten_times() -> str:
    """A limit price ten times the market, where no notional is bounded: only the price is wrong."""
    wide = replace(BOUNDS, position_notional=Decimal(10**9), trade_risk_percent=Decimal(10**9))
    return limit_order("0.001", "500000", replace(CALM, bounds=wide))


def next_position() -> str:
    """Nine positions of nine, and an order that would be the tenth."""
    others = {symbol: exposure for symbol, exposure in CALM.exposures.items() if symbol != SYMBOL}
    return answer(now=replace(CALM, exposures=others, bounds=replace(BOUNDS, positions=len(others))))


def burst() -> str:
    """Twice as many orders in one second as a minute may have; each that is sent counts for the next."""
    sent, found = 0, SENT
    for _ in range(2 * BOUNDS.orders_per_minute):
        found = answer(now=replace(CALM, orders_last_minute=sent))
        sent += found == SENT
    return found


CASES = {
    "price between two ticks": lambda: limit_order("0.002", "50000.05"),
    "quantity between two lots": lambda: answer(replace(BUY, quantity=Decimal("0.0105"))),
    "quantity above the venue's largest": lambda: answer(replace(BUY, quantity=Decimal(5000))),
    "notional below the venue's smallest": lambda: limit_order("0.001", "49990"),
    "limit price ten times the market": ten_times,
    "market price an hour old": lambda: answer(now=replace(CALM, price_ages={SYMBOL: 3600.0})),
    "no market price": lambda: answer(now=replace(CALM, prices={})),
    "client order id used before": lambda: answer(now=replace(CALM, sent_ids={"id"})),
    "account unknown": lambda: answer(now=replace(CALM, equity=None)),
    "instrument unknown": lambda: answer(replace(BUY, symbol="XUSDT")),
    "reduce-only in a flat book": lambda: reduction("0.001", {}),
    "reduce-only larger than the position": lambda: reduction("0.010", CALM.exposures),
    "notional above the symbol's limit": lambda: answer(replace(BUY, quantity=Decimal("0.6"))),
    "margin nearly used up": lambda: answer(now=replace(CALM, margin_used=Decimal(9000))),
    "leverage above the limit": lambda: answer(now=replace(CALM, leverages={SYMBOL: Decimal(100)})),
    "one position too many": next_position,
    "today's loss above the limit, still open": lambda: answer(now=replace(CALM, loss_equity=Decimal(9000))),
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
        f"perpetual, {len(chain_of(Scope.NEW_RISK))} checks": measured(calls, CALM),
        "perpetual, gate shut": measured(calls, halted),
        MARKER: marker_file(calls),
    }
    tell(samples, verdicts(CASES))


if __name__ == "__main__":
    main()
