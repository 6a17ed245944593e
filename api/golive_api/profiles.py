"""CapitalProfile: the limits of one rung of the ladder, from micro to aggressive."""

from decimal import Decimal

from pydantic import Field

from golive_api.values import DecimalString, WireModel


class Limits(WireModel):
    """What an account may do; every bound counts resting, in-flight and unknown orders in full."""

    max_position_notional: DecimalString
    """Largest absolute notional of one symbol's position, in the account's quote currency."""
    max_positions: int = Field(ge=1, le=1000)
    """Most symbols with a position, or with an order that would open one, at the same time."""
    max_leverage: DecimalString
    """Highest leverage that may be set for a symbol on the venue."""
    max_exposure_percent: DecimalString
    """Largest sum of all absolute notionals, in percent of equity."""
    max_margin_percent: DecimalString
    """Largest margin in use, in percent of equity."""
    max_daily_loss_percent: DecimalString
    """Loss since 00:00 UTC, open PnL included, in percent of that moment's equity, at which new risk stops."""
    max_weekly_loss_percent: DecimalString
    """The same since Monday 00:00 UTC, in percent of that moment's equity."""
    max_drawdown_percent: DecimalString
    """Fall from the highest equity ever seen, open PnL included, in percent of it, at which new risk stops."""
    max_trade_risk_percent: DecimalString
    """Most that one order may lose until its stop loss, in percent of equity."""
    max_correlated_exposure_percent: DecimalString
    """Largest sum of absolute notionals of symbols that move together, in percent of equity."""
    max_price_deviation_percent: DecimalString
    """Order by order: furthest that its price, or what a market order would meet, may be off the market."""
    max_price_move_percent: DecimalString
    """Over a period: furthest that the market itself may be off its median of the last ten minutes."""
    max_daily_trades: int = Field(ge=1, le=1_000_000)
    """Most orders that open or enlarge a position, per account and UTC day."""
    max_orders_per_minute: int = Field(ge=1, le=10_000)
    """Most orders of any kind, per account, in any 60 seconds."""
    max_repeated_orders: int = Field(ge=1, le=10_000)
    """Most orders with new risk on one symbol and side in ten minutes; one more locks it until released."""

    def stricter(self, other: "Limits") -> "Limits":
        """The smaller value of each limit: an engine is never looser than either side."""
        merged = {
            name: min(getattr(self, name), getattr(other, name), key=Decimal)
            for name in type(self).model_fields
        }
        return Limits.model_validate(merged)


class CapitalProfileSpec(WireModel):
    """What the rung is for, and its limits."""

    description: str = Field(default="", max_length=1024)
    """For whom this rung is, in a sentence."""
    limits: Limits
    """What an engine with this profile may do."""
