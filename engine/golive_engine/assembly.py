"""Puts one engine's accounts together: keys, venues, seats, traders."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from golive_api.profiles import Limits
from golive_api.reasons import Reason
from golive_engine.account import Account, Permissions
from golive_engine.breaker import CircuitBreaker, GuardedVenue
from golive_engine.cache import Cache, CachedCloses
from golive_engine.clock import Clock
from golive_engine.desk import OrderDesk
from golive_engine.gate import Gate
from golive_engine.guardian import distances_of
from golive_engine.market import Market
from golive_engine.orders import Order
from golive_engine.recent_prices import MINUTES
from golive_engine.seat import Seat, Traded
from golive_engine.settings import AccountSettings, AlertSettings, SeatSettings, Settings, SettingsError
from golive_engine.strategies import strategies_of
from golive_engine.trader import Shared, Trader
from golive_engine.trading import Intent, Venue, VenueName
from golive_engine.venues import Credentials, open_venue, settle_seconds
from golive_engine.venues.streams import QuoteStream, StreamedVenue
from golive_notices.delivery import Deliveries, Result

REDIS_PASSWORD = "REDIS_PASSWORD"  # noqa: S105  # the variable's name
"""Environment variable with the password of the cache, for a URL that has none."""


@dataclass(frozen=True, slots=True)
class Workshop:
    """What every account is made with."""

    settings: Settings
    """What the engine was told."""
    credentials: Mapping[tuple[str, VenueName], Credentials]
    """Keys by account and venue."""
    shared: Shared
    """What all accounts have in common."""
    cache: Cache
    """Where closes are kept for a moment."""
    permissions: Callable[[AccountSettings], Permissions]
    """What the engine as a whole says about an account."""

    def trader(self, own: AccountSettings) -> Trader:
        """One account's trader."""
        shared, settings = self.shared, self.settings
        seats = [self._seat(own, seat, lambda intent: trader.last_look(intent)) for seat in own.venues]  # noqa: PLW0108  # trader does not exist yet
        account = Account(
            own, seats, self.permissions(own), settings, shared.journal, shared.safety, shared.clock
        )
        trader = Trader(account, strategies_of(settings, own), distances_of(settings, own), shared)
        return trader

    def _seat(
        self, own: AccountSettings, seat: SeatSettings, last_look: Callable[[Intent], Reason | None]
    ) -> Seat:
        """One account on one venue."""
        shared, settings = self.shared, self.settings
        venue = self._guarded(own, seat)
        desk = OrderDesk(
            own.name,
            settings.engine,
            venue,
            shared.journal,
            shared.clock,
            last_look,
            settle_seconds(seat.venue, settings.venue),
            self._on_order,
        )
        origin = f"{seat.venue} {own.environment}"
        closes = CachedCloses(venue.closes, origin, self.cache, shared.clock, settings.cache.candles_seconds)
        market = Market(self._streamed(own, seat, venue), shared.clock, closes)
        return Seat(venue, desk, market, self._traded(own))

    def _guarded(self, own: AccountSettings, seat: SeatSettings) -> GuardedVenue:
        """The venue behind its circuit breaker."""
        shared, settings = self.shared, self.settings.venue
        venue = open_venue(seat, own.environment, self.credentials[own.name, seat.venue], settings)

        def count(answered: bool) -> None:  # noqa: FBT001  # a fact, not a switch
            shared.metrics.request(own.name, seat.venue, succeeded=answered)

        return GuardedVenue(venue, CircuitBreaker(settings.breaker), shared.clock, count)

    def _streamed(self, own: AccountSettings, seat: SeatSettings, venue: GuardedVenue) -> Venue:
        """The venue, its prices streamed if that is asked for: those are no answers to a request."""
        settings, clock, metrics = self.settings.venue, self.shared.clock, self.shared.metrics
        if not settings.stream:
            return venue
        stream = QuoteStream(
            seat.venue,
            own.environment,
            settings,
            clock,
            on_reconnect=lambda: metrics.reconnect(own.name, seat.venue),
        )
        return StreamedVenue(
            venue,
            stream,
            clock,
            settings.stream_seconds,
            lambda source, ages: metrics.prices(own.name, seat.venue, source, len(ages)),
        )

    def _traded(self, own: AccountSettings) -> Traded:
        """What has to be known of a venue for an account's strategies."""
        settings = self.settings
        strategies = strategies_of(settings, own)
        symbols = tuple(symbol for strategy in strategies for symbol in strategy.symbols)
        wanted = [strategy.closes for strategy in strategies]
        count = max(MINUTES, settings.correlation.returns + 1, *wanted)
        return Traded(symbols, settings.venue.leverage, count)

    def _on_order(self, order: Order) -> None:
        """An order has a new state."""
        self.shared.metrics.order(order.account, order.state)


def credentials(settings: Settings, environment: Mapping[str, str]) -> dict[tuple[str, VenueName], Credentials]:
    """Every account's keys, by account and venue.

    Raises:
        SettingsError: Names each variable that is not set.
    """
    found: dict[tuple[str, VenueName], Credentials] = {}
    for account in settings.accounts:
        for seat in account.venues:
            if missing := _unset(seat, environment):
                raise SettingsError(
                    f"account {account.name}: environment variable {' and '.join(missing)} is not set"
                )
            found[account.name, seat.venue] = Credentials(*(environment[name] for name in _variables(seat)))
    return found


def with_keys(settings: Settings, environment: Mapping[str, str]) -> tuple[Settings, list[str]]:
    """The settings without the seats whose keys are not there, and a line for people about each of those."""
    kept, missing = list[AccountSettings](), list[str]()
    for account in settings.accounts:
        seats = [seat for seat in account.venues if not _unset(seat, environment)]
        missing += [
            f"{account.name} on {seat.venue}: NOT LOOKED AT, its keys are not set"
            for seat in account.venues
            if seat not in seats
        ]
        if seats:
            kept.append(account.model_copy(update={"venues": seats}))
    return settings.model_copy(update={"accounts": kept}), missing


def _variables(seat: SeatSettings) -> list[str]:
    """Names of the environment variables that hold a seat's keys."""
    return [name for name in (seat.api_key_env, seat.secret_env, seat.passphrase_env) if name is not None]


def _unset(seat: SeatSettings, environment: Mapping[str, str]) -> list[str]:
    """Those of them that are not set."""
    return [name for name in _variables(seat) if not environment.get(name)]


def limits_of(own: AccountSettings, settings: Settings, gate: Gate) -> Limits | None:
    """Own limits, the gate's, or the stricter of both: real money never has only its own."""
    ours = settings.limits_of(own.profile) if own.profile is not None else None
    if own.environment == "testnet":
        return ours
    theirs = gate.limits
    return theirs.stricter(ours) if theirs is not None and ours is not None else theirs


def alert_urls(settings: AlertSettings, environment: Mapping[str, str]) -> list[str]:
    """Whom to tell of an emergency stop; raises SettingsError for a variable that is not set."""
    if settings.urls_env is None:
        return []
    if not environment.get(settings.urls_env):
        raise SettingsError(f"alerts: environment variable {settings.urls_env} is not set")
    return environment[settings.urls_env].split()


def open_alerts(
    settings: AlertSettings, environment: Mapping[str, str], clock: Clock, count: Callable[[Result], None]
) -> Deliveries:
    """Alerts to those people; raises SettingsError for an address that is none."""
    try:
        return Deliveries(alert_urls(settings, environment), clock.monotonic, count)
    except ValueError as error:
        raise SettingsError(f"alerts: {error}") from error
