"""One request on its way through the dialect, and the table its endpoint stands in."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from golive_simulator.accounts import Account
    from golive_simulator.dialect.binance.limits import Limits
    from golive_simulator.dialect.binance.parameters import Parameters
    from golive_simulator.exchange import Exchange, Handling
    from golive_simulator.instruments import Instrument
    from golive_simulator.market import Quote

    Handler = Callable[["Call"], Any]


class Security(StrEnum):
    """What a request must prove."""

    NONE = "none"
    SIGNED = "signed"
    TRADE = "trade"


@dataclass(frozen=True, slots=True)
class Endpoint:
    """What stands behind a method and path."""

    handler: Handler
    """What does it."""
    security: Security = Security.NONE
    """What a request must prove."""
    weight: int = 1
    """Cost against the rate limit."""
    weight_without_symbol: int | None = None
    """Cost when no symbol narrows it, where that differs."""
    counts_as_order: bool = False
    """Whether it counts against the order limits."""

    def cost(self, parameters: Parameters) -> int:
        """The request's weight."""
        if self.weight_without_symbol is None or parameters.optional("symbol"):
            return self.weight
        return self.weight_without_symbol


@dataclass(frozen=True, slots=True)
class Call:
    """A request whose sender is known."""

    exchange: Exchange
    """The environment asked."""
    parameters: Parameters
    """Query and body."""
    now_ms: int
    """The venue's time of arrival."""
    handling: Handling
    """How an accepted order is to be treated."""
    limits: Limits
    """What the venue allows."""
    sender: Account | None = None
    """The account, where the request is signed."""

    @property
    def account(self) -> Account:
        """The sender of a signed request."""
        if self.sender is None:
            raise LookupError("an unsigned endpoint asked for its account")
        return self.sender

    def instrument(self) -> Instrument:
        """The contract of the mandatory symbol."""
        return self.exchange.instrument(self.parameters.text("symbol"))

    def instruments(self) -> list[Instrument]:
        """The contract of the symbol if one is given, else all."""
        if self.parameters.optional("symbol"):
            return [self.instrument()]
        return list(self.exchange.market.instruments.values())

    def shown(self, symbol: str) -> Quote:
        """Market data of a contract."""
        return self.exchange.shown(symbol, self.now_ms)
