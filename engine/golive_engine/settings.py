"""Settings: a YAML file, the environment over it, secrets and identity from there; unknown keys are errors."""

import hashlib
import os
from decimal import Decimal
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Literal, Self

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict
from pydantic_settings import PydanticBaseSettingsSource as Source
from pydantic_settings import SettingsError as PydanticSettingsError

from golive_api.golive import Environment
from golive_api.ladder import LADDER
from golive_api.profiles import Limits
from golive_api.values import DecimalString, Name
from golive_engine.trading import VenueName

DEFAULT_SYMBOLS = tuple(
    f"{base}USDT" for base in ("BTC", "ETH", "SOL", "XRP", "LTC", "ADA", "DOGE", "BCH", "AVAX", "LINK")
)
"""The ten instruments of the 48 hour drift review."""

ENVIRONMENT_PREFIX = "GOLIVE_ENGINE__"
"""Environment variables that overrule the file; two underscores, since Kubernetes makes names with one."""

OUTSIDE = "outside"
"""What a process calls itself that has no pod."""

Symbol = Annotated[str, Field(min_length=1, max_length=32, pattern=r"^[A-Z0-9]+$")]
"""An instrument, by the venue's own name."""


class SettingsError(Exception):
    """The settings can't be used; the message names the file and the key."""


class Section(BaseModel):
    """A part of the file: immutable, unknown keys refused."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)


Percent = Annotated[Decimal, Field(ge=0, le=100)]
"""A share in percent."""


class Mode(StrEnum):
    """What the engine does with an order that passed every check."""

    DRY_RUN = "dry-run"
    """It writes down what it would have sent."""
    CANARY = "canary"
    """It sends it, within a small share of the profile's notionals."""
    LIVE = "live"
    """It sends it."""


class StrategySettings(Section):
    """What to trade by, how much, and how a position is protected."""

    name: Name = "baseline-perps"
    """What accounts call it."""
    kind: Literal["baseline-perps"] = "baseline-perps"
    """Which algorithm."""
    symbols: tuple[Symbol, ...] | None = Field(default=None, min_length=1, max_length=200)
    """What it trades; default: every symbol of the engine."""
    short_ma: int = Field(default=5, ge=1, le=500)
    """Closes in the short moving average."""
    long_ma: int = Field(default=20, ge=2, le=1000)
    """Closes in the long moving average."""
    quantity: dict[Symbol, DecimalString] = {}
    """Size of a full position by symbol, in base currency."""
    notional: DecimalString | None = None
    """Size of a full position in quote currency, for symbols without a quantity."""
    stop_loss_percent: Decimal = Field(default=Decimal(2), ge=2, le=5)
    """How far from the entry a stop loss rests on the venue."""
    take_profit_percent: Decimal = Field(default=Decimal(4), ge=4, le=15)
    """How far from the entry a take profit rests on the venue."""

    @model_validator(mode="after")
    def _averages_differ(self) -> Self:
        if self.short_ma >= self.long_ma:
            raise ValueError("short_ma must be smaller than long_ma")
        return self


class SeatSettings(Section):
    """An account's place on one venue."""

    venue: VenueName
    """Which exchange."""
    api_key_env: str = Field(min_length=1, max_length=64)
    """Environment variable that holds the API key."""
    secret_env: str = Field(min_length=1, max_length=64)
    """Environment variable that holds the API secret."""
    passphrase_env: str | None = Field(default=None, min_length=1, max_length=64)
    """Environment variable that holds the passphrase; OKX has one."""

    @model_validator(mode="after")
    def _okx_has_a_passphrase(self) -> Self:
        if (self.venue == "okx") != (self.passphrase_env is not None):
            raise ValueError("passphrase_env is for okx, and okx needs one")
        return self


class AccountSettings(Section):
    """One account: which money, where, within which limits, by which strategies."""

    name: Name
    """Name in gate, metrics and journal."""
    environment: Literal["testnet", "production"]
    """Which money; production trades only behind an open gate."""
    venues: list[SeatSettings] = Field(min_length=1, max_length=3)
    """Where it may trade: new positions are opened on the first that is available, and nowhere else."""
    profile: Name | None = None
    """Capital profile; a production account obeys this one and the gate's, whichever is stricter."""
    strategies: tuple[Name, ...] = Field(default=("baseline-perps",), min_length=1, max_length=16)
    """Strategies that may trade it."""

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if self.environment == "testnet" and self.profile is None:
            raise ValueError("a testnet account needs a profile of its own")
        if len({seat.venue for seat in self.venues}) != len(self.venues):
            raise ValueError("a venue is listed twice")
        return self


class BreakerSettings(Section):
    """When a venue is left alone, and for how long."""

    failures: int = Field(default=3, ge=1, le=100)
    """Failed requests in a row that open the breaker."""
    open_seconds: float = Field(default=30.0, gt=0, le=3600)
    """Time until one request may try again; doubled by each trial that fails."""
    most_open_seconds: float = Field(default=600.0, gt=0, le=86_400)
    """Longest time until a trial."""


class VenueSettings(Section):
    """How venues are reached."""

    ca_file: Path | None = None
    """Authorities that sign the venues' certificates; default: the usual public ones."""
    resolve: dict[str, str] = {}
    """Fixed addresses by host name, as "127.0.0.1:8443"; every other host is then unknown."""
    rate_limit_ms: int | None = Field(default=None, ge=0, le=10_000)
    """Least time between two requests; default: the venue library's own."""
    timeout_seconds: float = Field(default=10.0, gt=0, le=60)
    """Longest wait for one answer."""
    recv_window_ms: int = Field(default=5000, ge=100, le=60_000)
    """How long after its timestamp the venue may still accept a request."""
    leverage: int = Field(default=1, ge=1, le=125)
    """Leverage that is set for each symbol before the first order."""
    max_clock_skew_seconds: float = Field(default=1.0, gt=0, le=60)
    """Most that a venue's clock may differ from ours."""
    stream: bool = False
    """Whether prices come over WebSocket, with REST where that is silent."""
    stream_seconds: float = Field(default=2.0, gt=0, le=60)
    """Oldest streamed price; what is older is asked for by REST."""
    bybit_testnet: Literal["testnet", "demo"] = "testnet"
    """Which of Bybit's two play-money exchanges testnet accounts use."""
    breaker: BreakerSettings = BreakerSettings()
    """When a venue is left alone."""

    @property
    def settle_seconds(self) -> float:
        """After this long a venue that does not know an order never will: 3 receive windows and a timeout."""
        return 3 * self.recv_window_ms / 1000 + self.timeout_seconds


class CorrelationSettings(Section):
    """Which symbols move together."""

    clusters: dict[Name, tuple[Symbol, ...]] = {}
    """Symbols that count as one, whatever their returns say."""
    threshold: float = Field(default=0.8, gt=0, le=1)
    """Correlation of one-minute returns from which on two symbols count as one."""
    returns: int = Field(default=60, ge=10, le=1000)
    """How many returns are compared."""


class JournalSettings(Section):
    """Where orders are written before they are sent."""

    url: str = "sqlite:///golive-journal.db"
    """SQLAlchemy URL."""


class CacheSettings(Section):
    """Where market data and sentiment are kept for a moment."""

    url: str | None = Field(default=None, max_length=512)
    """redis:// URL; default: in memory."""
    candles_seconds: float = Field(default=5.0, gt=0, le=60)
    """How long closes are kept."""
    timeout_seconds: float = Field(default=0.5, gt=0, le=10)
    """Longest wait for the cache; after it, the source is asked."""


class SentimentSettings(Section):
    """A feed of market sentiment, shown to strategies."""

    url: str | None = Field(default=None, max_length=512)
    """Address, with {symbol} in it; default: none. Answers {"score": -1 … 1} as JSON."""
    ttl_seconds: float = Field(default=300.0, gt=0, le=86_400)
    """How long an answer is good."""
    timeout_seconds: float = Field(default=2.0, gt=0, le=30)
    """Longest wait for an answer."""


class AlertSettings(Section):
    """Who is told of an emergency stop."""

    urls_env: str | None = Field(default=None, min_length=1, max_length=64)
    """Environment variable with Apprise URLs, separated by white space; default: nobody."""


class JobSettings(Section):
    """What is done beside the cycle."""

    execution_rebalance_seconds: float = Field(default=300.0, gt=0, le=86_400)
    """Time between two looks whether a position has outgrown its limits or lost its protection."""
    liquidity_refresh_seconds: float = Field(default=60.0, gt=0, le=86_400)
    """Time between two looks into the order books."""


class StressSettings(Section):
    """When the stress scenarios run against a shadow of this engine."""

    on_start: bool = False
    """Whether they run when the engine starts."""
    interval_hours: float | None = Field(default=None, gt=0, le=720)
    """Time between two runs; default: none by itself."""
    max_age_hours: float = Field(default=168.0, gt=0, le=8760)
    """Oldest run of a scenario that preflight still counts as passed."""


class HttpSettings(Section):
    """Health, metrics and status."""

    host: str | None = None
    """Address to listen on; default: the pod's own, else 127.0.0.1."""
    port: int = Field(default=8000, ge=0, le=65535)
    """Port to listen on."""


class Staleness(Section):
    """How old a fact may be."""

    price_seconds: float = Field(default=30.0, gt=0, le=600)
    """Oldest price to trade on."""
    depth_seconds: float = Field(default=300.0, gt=0, le=3600)
    """Oldest look into an order book to trade on."""
    watch_idle_seconds: float = Field(default=6.0, gt=0, le=60)
    """Silence after which the gate's watch is opened anew."""


class Settings(BaseSettings):
    """Everything the engine is told: by its file, and by environment variables that overrule it.

    GOLIVE_ENGINE__INTERVAL_SECONDS=30 sets interval_seconds, GOLIVE_ENGINE__VENUE__STREAM=true venue.stream.
    """

    model_config = SettingsConfigDict(
        extra="forbid",
        frozen=True,
        use_attribute_docstrings=True,
        env_prefix=ENVIRONMENT_PREFIX,
        env_nested_delimiter="__",
    )

    engine: Name
    """Name of the engine's Deployment."""
    golive: Name
    """Name of the GoLive whose gate is obeyed."""
    environment: Environment = Environment.PRODUCTION
    """The gate must be meant for this environment."""
    mode: Mode = Mode.LIVE
    """What is done with an order that passed every check."""
    canary_percent: Percent = Decimal(10)
    """Share of the profile's notionals in mode canary."""
    interval_seconds: float = Field(default=60.0, gt=0, le=3600)
    """Time between two cycles."""
    symbols: tuple[Symbol, ...] = Field(default=DEFAULT_SYMBOLS, min_length=1, max_length=200)
    """What is traded."""
    strategies: list[StrategySettings] = Field(
        default=[StrategySettings(notional="50")], min_length=1, max_length=16
    )
    """What to trade by."""
    profiles: dict[Name, Limits] = {}
    """Capital profiles of this engine's own, besides micro, low, medium, high and aggressive."""
    accounts: list[AccountSettings] = Field(min_length=1, max_length=32)
    """Every account."""
    venue: VenueSettings = VenueSettings()
    """How venues are reached."""
    correlation: CorrelationSettings = CorrelationSettings()
    """Which symbols move together."""
    journal: JournalSettings = JournalSettings()
    """Where orders are written down."""
    cache: CacheSettings = CacheSettings()
    """Where market data is kept for a moment."""
    sentiment: SentimentSettings = SentimentSettings()
    """A feed of market sentiment."""
    alerts: AlertSettings = AlertSettings()
    """Who is told of an emergency stop."""
    jobs: JobSettings = JobSettings()
    """What is done beside the cycle."""
    stress: StressSettings = StressSettings()
    """When the stress scenarios run."""
    http: HttpSettings = HttpSettings()
    """Health, metrics and status."""
    staleness: Staleness = Staleness()
    """How old a fact may be."""

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],  # noqa: ARG003  # the base class's signature
        init_settings: Source,
        env_settings: Source,
        dotenv_settings: Source,  # noqa: ARG003  # same
        file_secret_settings: Source,  # noqa: ARG003  # same
    ) -> tuple[Source, ...]:
        """The environment, then the file."""
        return env_settings, init_settings

    def limits_of(self, profile: str) -> Limits:
        """A profile's limits: the engine's own, else those of the ladder."""
        return self.profiles[profile] if profile in self.profiles else LADDER[profile]

    def strategies_of(self, account: AccountSettings) -> list[StrategySettings]:
        """The strategies that may trade an account, in the settings' order."""
        return [strategy for strategy in self.strategies if strategy.name in account.strategies]

    def symbols_of(self, strategy: StrategySettings) -> tuple[str, ...]:
        """What a strategy trades."""
        return self.symbols if strategy.symbols is None else strategy.symbols

    @model_validator(mode="after")
    def _names_fit_together(self) -> Self:
        _once("account", [account.name for account in self.accounts])
        _once("strategy", [strategy.name for strategy in self.strategies])
        _once("symbol", list(self.symbols))
        if twins := self.profiles.keys() & LADDER.keys():
            raise ValueError(
                f"profiles: {', '.join(sorted(twins))} is a rung of the ladder and can't be changed here"
            )
        for account in self.accounts:
            self._is_mapped(account)
        return self

    def _is_mapped(self, account: AccountSettings) -> None:
        """Refuse an account whose profile or strategies don't exist, or get into each other's way."""
        known = {strategy.name for strategy in self.strategies}
        if missing := set(account.strategies) - known:
            raise ValueError(f"account {account.name}: no strategy is called {', '.join(sorted(missing))}")
        if account.profile is not None and account.profile not in self.profiles.keys() | LADDER.keys():
            raise ValueError(f"account {account.name}: no profile is called {account.profile}")
        traded = [symbol for strategy in self.strategies_of(account) for symbol in self.symbols_of(strategy)]
        _once(f"account {account.name}: a symbol of its strategies", traded)

    @model_validator(mode="after")
    def _strategies_know_their_sizes(self) -> Self:
        for strategy in self.strategies:
            symbols = set(self.symbols_of(strategy))
            if unlisted := symbols - set(self.symbols):
                raise ValueError(f"strategy {strategy.name}: not in symbols: {', '.join(sorted(unlisted))}")
            if unused := set(strategy.quantity) - symbols:
                raise ValueError(
                    f"strategy {strategy.name}: quantity of an untraded symbol: {', '.join(sorted(unused))}"
                )
            if strategy.notional is None and (missing := symbols - set(strategy.quantity)):
                raise ValueError(
                    f"strategy {strategy.name}: neither quantity nor notional for {', '.join(sorted(missing))}"
                )
        return self


class Identity(BaseSettings):
    """Who this process is, by the downward API.

    With an API server POD_NAME is a must: two processes of one name would both hold the Lease.
    """

    model_config = SettingsConfigDict(use_attribute_docstrings=True, frozen=True)

    pod_name: str = OUTSIDE
    """POD_NAME: holder of the Lease."""
    pod_namespace: str = "default"
    """POD_NAMESPACE: where gate and Lease are."""
    pod_ip: str = "127.0.0.1"
    """POD_IP: where to listen."""
    kubernetes_service_host: str | None = None
    """KUBERNETES_SERVICE_HOST: set inside a cluster."""
    kubeconfig: Path | None = None
    """KUBECONFIG: credentials outside of one."""

    @model_validator(mode="after")
    def _has_a_name_of_its_own(self) -> Self:
        if self.in_cluster and self.pod_name in ("", OUTSIDE):
            raise SettingsError("POD_NAME is not set: the Lease needs its holder's name")
        return self

    @property
    def in_cluster(self) -> bool:
        """Whether there is an API server that could hold a gate."""
        return self.kubernetes_service_host is not None or self.kubeconfig is not None


class Loaded(Section):
    """Settings with the digest of the file that they came from."""

    settings: Settings
    """As read."""
    digest: str
    """Hex SHA-256 of the file's bytes."""
    path: Path
    """The file."""


def load(path: Path) -> Loaded:
    """Read and check a settings file; raises SettingsError with one message for a person."""
    try:
        raw = path.read_bytes()
        settings = Settings(**_mapping(yaml.load(raw, _StrictLoader)))  # noqa: S506  # a SafeLoader below
    except OSError as error:
        raise SettingsError(f"{path}: {error.strerror}") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise SettingsError(f"{path}: not YAML: {' '.join(str(error).split())}") from error
    except ValidationError as error:
        raise SettingsError(f"{path}: {_sentence(error)}") from error
    except (ValueError, PydanticSettingsError) as error:
        raise SettingsError(f"{path}: {error}") from error
    return Loaded(settings=settings, digest=hashlib.sha256(raw).hexdigest(), path=path)


def _mapping(document: object) -> dict[str, Any]:
    """The file's top level, after a look that no environment variable is a misspelt setting.

    Raises:
        ValueError: It is no mapping, or a variable overrules nothing that there is.
    """
    if not isinstance(document, dict) or not all(isinstance(key, str) for key in document):
        raise ValueError("the file is not a mapping of settings")
    for variable in os.environ:
        name, _, _ = variable.removeprefix(ENVIRONMENT_PREFIX).lower().partition("__")
        if variable.startswith(ENVIRONMENT_PREFIX) and name not in Settings.model_fields:
            raise ValueError(f"environment variable {variable} overrules no setting")
    return document


class _StrictLoader(yaml.SafeLoader):
    """YAML without the trap that the last of two equal keys wins."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[object, object]:  # noqa: FBT001, FBT002  # the base class's signature
        keys = [self.construct_object(key, deep=True) for key, _ in node.value]
        for key in keys:
            if keys.count(key) > 1:
                raise yaml.YAMLError(f"key {key!r} is given twice (line {node.start_mark.line + 1})")
        return super().construct_mapping(node, deep)


def _once(what: str, names: list[str]) -> None:
    """Refuse names that are given twice."""
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise ValueError(f"{what} is given twice: {', '.join(twice)}")


def _sentence(error: ValidationError) -> str:
    """Every problem as key: message, joined by semicolons."""
    return "; ".join(
        f"{'.'.join(map(str, problem['loc'])) or 'file'}: {problem['msg']}" for problem in error.errors()
    )
