"""The ladder of capital profiles that engines know without a cluster; config/profiles holds the same rungs."""

from golive_api.profiles import Limits

RUNGS = ("micro", "low", "medium", "high", "aggressive")
"""From the first rung with real money to the last."""

_VALUES: dict[str, tuple[str, str, str, str, str]] = {
    "max_position_notional": ("100", "500", "2500", "10000", "25000"),
    "max_positions": ("2", "4", "6", "8", "10"),
    "max_leverage": ("1", "3", "4", "5", "10"),
    "max_exposure_percent": ("10", "25", "50", "100", "200"),
    "max_margin_percent": ("80", "80", "80", "80", "80"),
    "max_daily_loss_percent": ("0.5", "1", "2", "3", "4"),
    "max_weekly_loss_percent": ("1", "2", "4", "6", "8"),
    "max_drawdown_percent": ("2", "4", "6", "8", "9"),
    "max_trade_risk_percent": ("0.2", "0.5", "1", "1.5", "2"),
    "max_correlated_exposure_percent": ("10", "20", "40", "75", "150"),
    "max_price_deviation_percent": ("1", "1", "2", "2", "3"),
    "max_price_move_percent": ("3", "3", "5", "5", "8"),
    "max_daily_trades": ("20", "40", "80", "120", "200"),
    "max_orders_per_minute": ("10", "20", "30", "40", "60"),
    "max_repeated_orders": ("5", "8", "10", "12", "15"),
}

LADDER: dict[str, Limits] = {
    rung: Limits.model_validate({limit: values[place] for limit, values in _VALUES.items()})
    for place, rung in enumerate(RUNGS)
}
"""Limits by rung; no limit is looser on a lower one."""
