"""The gate record: the ConfigMap that an engine obeys.

Flat text keys, because the API server's own policies check them and CEL can't parse JSON.
"""

import json
import re
from datetime import datetime
from typing import Self

from pydantic import Field, model_validator

from golive_api import API_VERSION
from golive_api.golive import Environment, GateState
from golive_api.profiles import Limits
from golive_api.values import Digest, Name, Timestamp, UserName, WireModel, parse_time

GATE_PREFIX = "golive-gate-"
"""A gate's ConfigMap is named golive-gate-<name of the GoLive>."""

GATE_LABEL = "golive.dev/gate"
"""Label of every gate; its value is the GoLive's name."""

NOTICE = (
    "This ConfigMap says whether REAL orders may be sent. Only the GoLive operator may open it. "
    "Deleting it, or setting state to Closed, stops real trading at once and for good: "
    "the revision can't open again."
)
"""What the marker file's comment used to say."""

_NUMBER = re.compile(r"[0-9]{1,18}")
_NUMBERS = ("epoch", "serial", "revision", "ttlSeconds")
_JSON = ("limits", "approvers", "accounts")


class GateUnreadableError(ValueError):
    """The ConfigMap is not a gate record that this version knows: treat the gate as closed."""


class GateRecord(WireModel):
    """One gate, as it stands in the ConfigMap's data."""

    api_version: str = Field(default=API_VERSION, pattern=f"^{API_VERSION}$")
    """Version of this record."""
    namespace: Name
    """Namespace of the GoLive, of the gate and of the engine."""
    name: Name
    """Name of the GoLive."""
    uid: str = Field(min_length=1, max_length=64)
    """metadata.uid of the GoLive."""
    engine: Name
    """The Deployment that may trade."""
    environment: Environment
    """The engine's environment must be the same."""
    state: GateState
    """What the engine may do."""
    reason: str = Field(min_length=1, max_length=64)
    """Why, as a reason code."""
    message: str = Field(default="", max_length=1024)
    """Why, in a sentence."""
    epoch: int = Field(ge=0)
    """Leader generation; never goes back."""
    serial: int = Field(ge=1)
    """Grows with every write."""
    revision: int = Field(ge=1)
    """The revision of the request that was decided on."""
    digest: Digest | None = None
    """What was approved."""
    profile: Name
    """Name of the CapitalProfile."""
    limits: Limits | None = None
    """The profile's limits, resolved; an open gate has them."""
    accounts: list[Name] = Field(max_length=16)
    """Production accounts that may trade."""
    approvers: list[UserName] = Field(default=[], max_length=16)
    """Who approved."""
    requested_by: UserName
    """Who asked."""
    opened_time: Timestamp | None = None
    """When this revision first opened."""
    issued_time: Timestamp
    """When the facts behind this record were read."""
    valid_until: Timestamp
    """From here on the gate is closed, whatever state says."""
    ttl_seconds: int = Field(ge=1, le=60)
    """Longest trust from the moment of receipt, by the receiver's monotonic clock."""

    @model_validator(mode="after")
    def _an_open_gate_is_complete(self) -> Self:
        parse_time(self.issued_time)
        parse_time(self.valid_until)
        if self.opened_time is not None:
            parse_time(self.opened_time)
        if self.state is not GateState.CLOSED and (self.limits is None or self.digest is None):
            raise ValueError("a gate that is not Closed needs limits and digest")
        return self

    @property
    def expires(self) -> datetime:
        """The moment from which the gate is closed."""
        return parse_time(self.valid_until)

    def data(self) -> dict[str, str]:
        """The ConfigMap's data."""
        flat = {
            key: json.dumps(value, separators=(",", ":"), sort_keys=True) if key in _JSON else str(value)
            for key, value in self.wire().items()
        }
        return flat | {"NOTICE": NOTICE}

    @classmethod
    def from_data(cls, data: dict[str, str]) -> Self:
        """Read a ConfigMap's data; raises GateUnreadableError on anything unknown, missing or malformed."""
        fields: dict[str, object] = {key: value for key, value in data.items() if key != "NOTICE"}
        try:
            fields |= {key: _number(key, data.get(key, "")) for key in _NUMBERS}
            for key in _JSON:
                if key in data:
                    fields[key] = json.loads(data[key])
            return cls.model_validate(fields, by_alias=True, by_name=False)
        except (ValueError, RecursionError) as error:
            raise GateUnreadableError(f"gate unreadable: {error}") from error


def _number(key: str, text: str) -> int:
    """Digits only; raises ValueError for what int() would take besides."""
    if not _NUMBER.fullmatch(text):
        raise ValueError(f"{key} is not a number: {text!r}")
    return int(text)


def gate_name(golive: str) -> str:
    """Name of the ConfigMap that is a GoLive's gate."""
    return f"{GATE_PREFIX}{golive}"
