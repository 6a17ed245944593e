"""The RiskGate: one ordered chain of small checks that every order passes. Pure; a missing input denies."""

from collections.abc import Callable

from golive_engine import checks
from golive_engine.situation import Denial, Situation
from golive_engine.trading import Intent

Check = Callable[[Intent, str, Situation], Denial | None]
"""Takes an intent, its client order id and the situation."""

EVERY_ORDER = True
"""The check concerns every order."""

NEW_RISK = False
"""The check concerns only orders that open or enlarge a position."""

CHECKS: tuple[tuple[Check, bool], ...] = (
    (checks.gate_is_shut, EVERY_ORDER),  # first: with a shut gate nothing else matters
    (checks.another_pod_leads, EVERY_ORDER),  # two pods that trade one account double everything
    (checks.account_is_not_reconciled, EVERY_ORDER),  # every figure below rests on this agreement
    (checks.emergency_stop_is_active, EVERY_ORDER),  # a person has to look first
    (checks.risk_is_critical, NEW_RISK),  # shrinking a position is how CRITICAL ends
    (checks.account_is_unknown, EVERY_ORDER),  # shares of equity need an equity
    (checks.instrument_is_unknown, EVERY_ORDER),  # the next five read the instrument
    (checks.quantity_is_invalid, EVERY_ORDER),  # before anything is computed with it
    (checks.price_is_invalid, EVERY_ORDER),  # same
    (checks.quantity_is_out_of_range, EVERY_ORDER),  # the venue would refuse it
    (checks.reduction_would_open, EVERY_ORDER),  # a reduce-only order must not hide new risk
    (checks.price_is_missing, EVERY_ORDER),  # notionals need a price
    (checks.price_is_stale, EVERY_ORDER),  # and one of now
    (checks.notional_is_too_small, NEW_RISK),  # venues take reduce-only orders of any notional
    (checks.limits_are_missing, EVERY_ORDER),  # the rest compares with limits
    (checks.position_grows_too_large, NEW_RISK),  # one symbol, then all of them
    (checks.positions_grow_too_many, NEW_RISK),  # same
    (checks.exposure_grows_too_large, NEW_RISK),  # same
    (checks.leverage_is_too_high, NEW_RISK),  # before it divides
    (checks.margin_grows_too_large, NEW_RISK),  # same
    (checks.todays_loss_is_too_large, NEW_RISK),  # a day's bounds after a moment's
    (checks.todays_trades_are_used_up, NEW_RISK),  # same
    (checks.id_was_sent_before, EVERY_ORDER),  # last: what was sent already
    (checks.outcome_is_unknown, EVERY_ORDER),  # or may have been
)
"""The chain, in its order, with a reason for each place."""

_ALL = tuple(check for check, _ in CHECKS)
_REDUCING = tuple(check for check, every in CHECKS if every)


def judge(intent: Intent, client_order_id: str, now: Situation) -> Denial | None:
    """None lets the order pass; otherwise the first objection."""
    for check in _REDUCING if intent.reduce_only else _ALL:
        denial = check(intent, client_order_id, now)
        if denial is not None:
            return denial
    return None
