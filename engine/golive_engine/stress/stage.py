"""What a scenario starts from: which of the engine's limits and strategies hold, and how much money. Pure."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

from golive_api.ladder import LADDER
from golive_api.profiles import Limits
from golive_engine.settings import (
    AccountSettings,
    BreakerSettings,
    CacheSettings,
    CorrelationSettings,
    JournalSettings,
    SeatSettings,
    Settings,
    Staleness,
    StrategySettings,
    VenueSettings,
)
from golive_engine.stress.candles import STARTS
from golive_engine.trading import VenueName

ACCOUNT = "shadow"
"""Name of the shadow's only account, and of the shadow."""

DEFAULT_PROFILE = "micro"
"""Whose limits hold where no settings say so."""

LARGEST = Decimal(1_250)
"""Largest position in quote currency that any profile is left with: more proves nothing more."""

SMALLEST = Decimal(30)
"""Least that it has to be: below, lots are too coarse."""

USED = Decimal("0.8")
"""Part of the largest position that is taken; prices move."""

MOST_RETURNS = 60
"""Most returns that correlation is measured by: the market of a scenario moves together for no longer."""

HOSTS = ("fapi.binance.com", "api.binance.com", "api.bybit.com", "www.okx.com")
"""Every host that the venues are asked at; any other one can't be reached."""

COUNTS = ("max_positions", "max_daily_trades", "max_orders_per_minute", "max_repeated_orders")
"""Limits that no scenario examines by itself, and each would hit: it does in seconds what takes days."""

WIDEST_STOP, WIDEST_PROFIT = Decimal(5), Decimal(15)
"""How far away stop loss and take profit may be, in percent."""

_HUNDRED = Decimal(100)


class StagingError(Exception):
    """A scenario can't even begin with these settings."""


@dataclass(frozen=True, slots=True)
class Ground:
    """What a shadow takes over from its engine."""

    profile: str
    """Capital profile of the account."""
    limits: Limits
    """Of that profile."""
    strategy: StrategySettings
    """The account's first one: its averages, and its distances of stop loss and take profit."""
    leverage: int
    """Set for each symbol."""
    failures: int
    """Failed requests in a row after which a venue is left alone."""
    correlation: CorrelationSettings
    """From when on symbols move together."""

    @property
    def size(self) -> Decimal:
        """What a position is worth, in quote currency; raises StagingError."""
        size = USED * min(Decimal(self.limits.max_position_notional), LARGEST)
        if size < SMALLEST:
            raise StagingError(f"positions of {size:f} are too small for the venues' lots")
        return size


def ground_of(settings: Settings | None) -> Ground:
    """What the first account with real money has, else the first one; without settings, the first rung's."""
    if settings is None:
        venue = VenueSettings()
        return Ground(
            DEFAULT_PROFILE,
            LADDER[DEFAULT_PROFILE],
            StrategySettings(),
            venue.leverage,
            venue.breaker.failures,
            CorrelationSettings(),
        )
    production = [account for account in settings.accounts if account.environment == "production"]
    account = (production or settings.accounts)[0]
    profile = account.profile or DEFAULT_PROFILE
    return Ground(
        profile,
        settings.limits_of(profile),
        settings.strategies_of(account)[0],
        settings.venue.leverage,
        settings.venue.breaker.failures,
        settings.correlation,
    )


def lifted(limits: Limits, *names: str) -> Limits:
    """The same with some limits that hide no other one any more."""
    widest = {name: 1000 if name in COUNTS else "1000" for name in names}
    return Limits.model_validate({name: getattr(limits, name) for name in Limits.model_fields} | widest)


def capped(limits: Limits, **bounds: str | int) -> Limits:
    """The same with some limits no wider than these."""
    return limits.stricter(limits.model_copy(update=bounds))


def ample(limits: Limits, size: Decimal) -> Decimal:
    """An equity in which three positions reach half of every limit that is a share of it."""
    shares = (limits.max_exposure_percent, limits.max_correlated_exposure_percent, limits.max_margin_percent)
    return (
        2
        * _HUNDRED
        * size
        * max(
            len(STARTS) / min(map(Decimal, shares)),
            WIDEST_STOP / Decimal(limits.max_trade_risk_percent) / _HUNDRED,
        )
    )


@dataclass(frozen=True, slots=True)
class Stage:
    """How a scenario wants the shadow to be."""

    venues: tuple[VenueName, ...] = ("binanceusdm",)
    """Where it trades, the preferred one first."""
    limits: Callable[[Limits], Limits] = lambda limits: limits
    """Which of the engine's limits are other ones, lest they hide what is examined."""
    equity: Callable[[Limits, Decimal], Decimal] = ample
    """Money on each venue, from limits and the size of a position."""
    price_seconds: float = 30.0
    """Oldest price to trade on."""
    wide_exits: bool = False
    """Whether stop loss and take profit are as far away as they may be, lest they end what is examined."""

    def limits_of(self, ground: Ground) -> Limits:
        """The limits that hold."""
        return self.limits(capped(lifted(ground.limits, *COUNTS), max_position_notional=f"{LARGEST:f}"))

    def balance(self, ground: Ground) -> Decimal:
        """Money on each venue; raises StagingError."""
        return round(self.equity(self.limits_of(ground), ground.size), 2)

    def settings(self, ground: Ground, folder: Path, ca_file: Path, host: str) -> Settings:
        """Settings of the shadow, with nothing in them that leads anywhere but to the simulator at `host`."""
        seats = [SeatSettings.model_validate(_seat(venue)) for venue in self.venues]
        strategy: dict[str, object] = {"symbols": None, "quantity": {}, "notional": f"{ground.size:f}"}
        if self.wide_exits:
            strategy |= {"stop_loss_percent": WIDEST_STOP, "take_profit_percent": WIDEST_PROFIT}
        return Settings.model_construct(  # neither environment variables nor a file have a say
            engine=ACCOUNT,
            golive=ACCOUNT,
            symbols=tuple(STARTS),
            strategies=[ground.strategy.model_copy(update=strategy)],
            profiles={ACCOUNT: self.limits_of(ground)},
            accounts=[
                AccountSettings(
                    name=ACCOUNT,
                    environment="production",
                    venues=seats,
                    profile=ACCOUNT,
                    strategies=(ground.strategy.name,),
                )
            ],
            venue=VenueSettings(
                ca_file=ca_file,
                resolve=dict.fromkeys(HOSTS, host),
                rate_limit_ms=0,
                timeout_seconds=5,
                leverage=ground.leverage,
                breaker=BreakerSettings(failures=ground.failures),
            ),
            correlation=CorrelationSettings(
                threshold=ground.correlation.threshold,
                returns=min(ground.correlation.returns, MOST_RETURNS),
            ),
            journal=JournalSettings(url=f"sqlite:///{folder}/journal.db"),
            cache=CacheSettings(candles_seconds=0.001),
            staleness=Staleness(price_seconds=self.price_seconds),
        )


def _seat(venue: VenueName) -> Mapping[str, str]:
    """A place on a venue; the names of variables are never looked up."""
    passphrase = {"passphrase_env": "NONE"} if venue == "okx" else {}
    return {"venue": venue, "api_key_env": "NONE", "secret_env": "NONE"} | passphrase
