"""Settings: one YAML file, secrets and identity from the environment; unknown keys are errors."""

import hashlib
from pathlib import Path
from typing import Annotated, Literal, Self

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from golive_api.golive import Environment
from golive_api.profiles import Limits
from golive_api.values import DecimalString, Name

DEFAULT_SYMBOLS = tuple(
    f"{base}USDT" for base in ("BTC", "ETH", "SOL", "XRP", "LTC", "ADA", "DOGE", "BCH", "AVAX", "LINK")
)
"""The ten instruments of the 48 hour drift review."""

OUTSIDE = "outside"
"""What a process calls itself that has no pod."""

Symbol = Annotated[str, Field(min_length=1, max_length=32, pattern=r"^[A-Z0-9]+$")]
"""An instrument, by the venue's own name."""


class SettingsError(Exception):
    """The settings can't be used; the message names the file and the key."""


class Section(BaseModel):
    """A part of the file: immutable, unknown keys refused."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)


class StrategySettings(Section):
    """What to trade by, and how much."""

    name: Literal["baseline-perps"] = "baseline-perps"
    """Which strategy."""
    short_ma: int = Field(default=5, ge=1, le=500)
    """Closes in the short moving average."""
    long_ma: int = Field(default=20, ge=2, le=1000)
    """Closes in the long moving average."""
    quantity: dict[Symbol, DecimalString] = {}
    """Size of a full position by symbol, in base currency."""
    notional: DecimalString | None = None
    """Size of a full position in quote currency, for symbols without a quantity."""

    @model_validator(mode="after")
    def _averages_differ(self) -> Self:
        if self.short_ma >= self.long_ma:
            raise ValueError("short_ma must be smaller than long_ma")
        return self


class AccountSettings(Section):
    """One account on one venue."""

    name: Name
    """Name in gate, metrics and journal."""
    environment: Literal["testnet", "production"]
    """Which money; production trades only behind an open gate."""
    venue: Literal["binanceusdm"] = "binanceusdm"
    """Which exchange."""
    api_key_env: str = Field(min_length=1, max_length=64)
    """Environment variable that holds the API key."""
    secret_env: str = Field(min_length=1, max_length=64)
    """Environment variable that holds the API secret."""
    limits: Limits | None = None
    """Own limits; a production account obeys these and the profile's, whichever is stricter."""

    @model_validator(mode="after")
    def _testnet_has_limits(self) -> Self:
        if self.environment == "testnet" and self.limits is None:
            raise ValueError("a testnet account needs limits of its own")
        return self


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

    @property
    def settle_seconds(self) -> float:
        """After this long a venue that does not know an order never will: 3 receive windows and a timeout."""
        return 3 * self.recv_window_ms / 1000 + self.timeout_seconds


class JournalSettings(Section):
    """Where orders are written before they are sent."""

    url: str = "sqlite:///golive-journal.db"
    """SQLAlchemy URL."""


class HttpSettings(Section):
    """Health, metrics and status."""

    host: str | None = None
    """Address to listen on; default: the pod's own, else 127.0.0.1."""
    port: int = Field(default=8080, ge=0, le=65535)
    """Port to listen on."""


class Staleness(Section):
    """How old a fact may be."""

    price_seconds: float = Field(default=30.0, gt=0, le=600)
    """Oldest price to trade on."""
    watch_idle_seconds: float = Field(default=6.0, gt=0, le=60)
    """Silence after which the gate's watch is opened anew."""


class Settings(Section):
    """Everything the engine is told."""

    engine: Name
    """Name of the engine's Deployment."""
    golive: Name
    """Name of the GoLive whose gate is obeyed."""
    environment: Environment = Environment.PRODUCTION
    """The gate must be meant for this environment."""
    interval_seconds: float = Field(default=60.0, gt=0, le=3600)
    """Time between two cycles."""
    symbols: tuple[Symbol, ...] = Field(default=DEFAULT_SYMBOLS, min_length=1, max_length=100)
    """What is traded."""
    strategy: StrategySettings = StrategySettings(notional="50")
    """What to trade by."""
    accounts: list[AccountSettings] = Field(min_length=1, max_length=32)
    """Every account."""
    venue: VenueSettings = VenueSettings()
    """How venues are reached."""
    journal: JournalSettings = JournalSettings()
    """Where orders are written down."""
    http: HttpSettings = HttpSettings()
    """Health, metrics and status."""
    staleness: Staleness = Staleness()
    """How old a fact may be."""

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        names = [account.name for account in self.accounts]
        if len(set(names)) != len(names):
            raise ValueError("two accounts have the same name")
        if len(set(self.symbols)) != len(self.symbols):
            raise ValueError("a symbol is listed twice")
        if self.strategy.notional is None:
            missing = set(self.symbols) - set(self.strategy.quantity)
            if missing:
                raise ValueError(f"strategy has neither quantity nor notional for {', '.join(sorted(missing))}")
        if unused := set(self.strategy.quantity) - set(self.symbols):
            raise ValueError(
                f"strategy.quantity names symbols that are not traded: {', '.join(sorted(unused))}"
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


def load(path: Path) -> Loaded:
    """Read and check a settings file; raises SettingsError with one message for a person."""
    try:
        raw = path.read_bytes()
        settings = Settings.model_validate(yaml.load(raw, _StrictLoader))  # noqa: S506  # a SafeLoader below
    except OSError as error:
        raise SettingsError(f"{path}: {error.strerror}") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise SettingsError(f"{path}: not YAML: {' '.join(str(error).split())}") from error
    except ValidationError as error:
        raise SettingsError(f"{path}: {_sentence(error)}") from error
    return Loaded(settings=settings, digest=hashlib.sha256(raw).hexdigest())


class _StrictLoader(yaml.SafeLoader):
    """YAML without the trap that the last of two equal keys wins."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[object, object]:  # noqa: FBT001, FBT002  # the base class's signature
        keys = [self.construct_object(key, deep=True) for key, _ in node.value]
        for key in keys:
            if keys.count(key) > 1:
                raise yaml.YAMLError(f"key {key!r} is given twice (line {node.start_mark.line + 1})")
        return super().construct_mapping(node, deep)


def _sentence(error: ValidationError) -> str:
    """Every problem as key: message, joined by semicolons."""
    return "; ".join(
        f"{'.'.join(map(str, problem['loc'])) or 'file'}: {problem['msg']}" for problem in error.errors()
    )
