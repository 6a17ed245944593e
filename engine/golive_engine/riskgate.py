"""The RiskGate: one ordered chain of small checks that every order passes. Pure; a missing input denies."""

from collections.abc import Callable, Iterable
from enum import IntEnum

from golive_engine import checks
from golive_engine.situation import Denial, Situation
from golive_engine.trading import Intent, Purpose

Check = Callable[[Intent, str, Situation], Denial | None]
"""Takes an intent, its client order id and the situation."""


class Scope(IntEnum):
    """Which orders a check concerns; each member includes the ones before it."""

    NEW_RISK = 1
    """Orders that open or enlarge a position."""
    UNFORCED = 2
    """And those by which a strategy or a rebalancing shrinks one."""
    ROUTINE = 3
    """And those that protect one."""
    EVERY = 4
    """And those by which the kill protocol flattens."""


CHECKS: tuple[tuple[Check, Scope], ...] = (
    (
        checks.gate_is_shut,
        Scope.ROUTINE,
    ),  # first: with a shut gate only the kill protocol goes on
    (checks.another_pod_leads, Scope.EVERY),  # two pods that trade one account double everything
    (checks.account_is_not_reconciled, Scope.ROUTINE),  # every figure below rests on this agreement
    (checks.emergency_stop_is_active, Scope.ROUTINE),  # a person has to look first
    (checks.emergency_stop_is_applied, Scope.ROUTINE),  # a person has looked
    (checks.venue_is_unavailable, Scope.ROUTINE),  # it would be asked in vain; killing tries all the same
    (checks.clock_is_skewed, Scope.NEW_RISK),  # ages mean nothing then; nothing to get out waits for
    (checks.risk_is_critical, Scope.NEW_RISK),  # shrinking a position is how CRITICAL ends
    (checks.account_is_unknown, Scope.NEW_RISK),  # shares of equity need an equity
    (checks.strategy_is_not_listed, Scope.UNFORCED),  # whose order it is, before what it is
    (checks.instrument_is_unknown, Scope.EVERY),  # the next three read the instrument
    (checks.quantity_is_invalid, Scope.EVERY),  # before anything is computed with it
    (checks.price_is_invalid, Scope.EVERY),  # same
    (checks.quantity_is_out_of_range, Scope.EVERY),  # the venue would refuse it
    (checks.reduction_is_not_marked, Scope.NEW_RISK),  # what else skips checks must not open anything
    (checks.reduction_would_open, Scope.EVERY),  # a reduce-only order must not hide new risk
    (checks.price_is_missing, Scope.NEW_RISK),  # notionals need a price
    (checks.price_is_stale, Scope.NEW_RISK),  # and one of now
    (checks.limits_are_missing, Scope.UNFORCED),  # the rest compares with limits
    (checks.price_is_off_market, Scope.NEW_RISK),  # a slip of the hand, order by order
    (checks.market_moved_too_far, Scope.NEW_RISK),  # and over a period
    (checks.liquidity_is_too_thin, Scope.NEW_RISK),  # what one order would move by itself
    (checks.notional_is_too_small, Scope.NEW_RISK),  # venues take reduce-only orders of any notional
    (checks.position_grows_too_large, Scope.NEW_RISK),  # one symbol, then all of them
    (checks.positions_grow_too_many, Scope.NEW_RISK),  # same
    (checks.exposure_grows_too_large, Scope.NEW_RISK),  # same
    (checks.correlated_exposure_grows_too_large, Scope.NEW_RISK),  # same
    (checks.leverage_is_too_high, Scope.NEW_RISK),  # before it divides
    (checks.margin_grows_too_large, Scope.NEW_RISK),  # what the venue holds back for it
    (checks.trade_risks_too_much, Scope.NEW_RISK),  # what it may lose by itself
    (checks.todays_loss_is_too_large, Scope.NEW_RISK),  # a day's bounds after a moment's
    (checks.weeks_loss_is_too_large, Scope.NEW_RISK),  # same
    (checks.drawdown_is_too_deep, Scope.NEW_RISK),  # same
    (checks.todays_trades_are_used_up, Scope.NEW_RISK),  # how many, after how much
    (checks.orders_come_too_fast, Scope.UNFORCED),  # protection and killing never queue behind others
    (checks.symbol_is_locked, Scope.NEW_RISK),  # a person has to look first, at this symbol
    (checks.id_was_sent_before, Scope.EVERY),  # what was sent already
    (checks.outcome_is_unknown, Scope.UNFORCED),  # or may have been
    (checks.position_elsewhere_is_unknown, Scope.NEW_RISK),  # here or on another venue
    (checks.engine_runs_dry, Scope.ROUTINE),  # last: what would have been sent is known only now
)
"""The chain, in its order, with a reason for each place."""

_SHRINKING = {
    Purpose.TRADE: Scope.UNFORCED,
    Purpose.REBALANCE: Scope.UNFORCED,
    Purpose.PROTECT: Scope.ROUTINE,
    Purpose.KILL: Scope.EVERY,
}
"""The narrowest scope that includes a reduce-only order of this purpose; every other order is NEW_RISK."""


def chain_of(scope: Scope, entries: Iterable[tuple[Check, Scope]] = CHECKS) -> tuple[Check, ...]:
    """The checks that concern the orders of a scope, in their order."""
    return tuple(check for check, widest in entries if widest >= scope)


_NEW_RISK = chain_of(Scope.NEW_RISK)
_REDUCING = {purpose: chain_of(scope) for purpose, scope in _SHRINKING.items()}


def judge(intent: Intent, client_order_id: str, now: Situation) -> Denial | None:
    """None lets the order pass; otherwise the first objection."""
    for check in _REDUCING[intent.purpose] if intent.reduce_only else _NEW_RISK:
        denial = check(intent, client_order_id, now)
        if denial is not None:
            return denial
    return None
