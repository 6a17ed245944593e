"""The venues, spoken to through ccxt as it is, which nothing else imports.

Here each venue's words become the engine's, and each failure one of its three verdicts. Deciding what to
order, and remembering it, belongs elsewhere.
"""

from golive_engine.settings import SeatSettings, VenueSettings
from golive_engine.trading import Venue, VenueName
from golive_engine.venues.binance import Binance
from golive_engine.venues.bybit import Bybit
from golive_engine.venues.connection import Credentials, Environment
from golive_engine.venues.okx import Okx

OKX_STAMP_SECONDS = 30.0
"""How long after its timestamp OKX may still accept a request; unlike elsewhere no request can shorten it."""

__all__ = ["Credentials", "Environment", "open_venue", "settle_seconds"]


def open_venue(
    seat: SeatSettings, environment: Environment, credentials: Credentials, settings: VenueSettings
) -> Venue:
    """An account on its venue; raises OSError for an unusable ca_file."""
    venues: dict[VenueName, type[Binance | Bybit | Okx]] = {"binanceusdm": Binance, "bybit": Bybit, "okx": Okx}
    return venues[seat.venue](environment, credentials, settings)


def settle_seconds(venue: VenueName, settings: VenueSettings) -> float:
    """After this long an order that the venue does not know never will be: its request is too old."""
    if venue != "okx":
        return settings.settle_seconds
    latest = OKX_STAMP_SECONDS + settings.timeout_seconds + settings.max_clock_skew_seconds
    return max(settings.settle_seconds, latest)
