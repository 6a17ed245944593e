"""One request on its way through the dialect, and the table its endpoint stands in."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from golive_simulator.dialect.bybit.complaints import needs_scope, wrong
from golive_simulator.refusals import Reason, Refused

if TYPE_CHECKING:
    from collections.abc import Callable

    from golive_simulator.accounts import Account
    from golive_simulator.dialect.bybit.parameters import Parameters
    from golive_simulator.exchange import Exchange, Handling
    from golive_simulator.instruments import Instrument
    from golive_simulator.market import Quote

    Handler = Callable[["Call"], Any]

CATEGORIES = frozenset({"linear", "inverse", "spot", "option"})
"""Kinds of product the venue knows; the simulator has contracts of the first only."""


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
    counts_as_order: bool = False
    """Whether it places an order."""


@dataclass(frozen=True, slots=True)
class Call:
    """A request whose sender is known."""

    exchange: Exchange
    """The environment asked."""
    parameters: Parameters
    """Query or body."""
    now_ms: int
    """The venue's time of arrival."""
    handling: Handling
    """How an accepted order is to be treated."""
    sender: Account | None = None
    """The account, where the request is signed."""

    @property
    def account(self) -> Account:
        """The sender of a signed request."""
        if self.sender is None:
            raise LookupError("an unsigned endpoint asked for its account")
        return self.sender

    def is_linear(self) -> bool:
        """Whether the mandatory category is the one that has contracts."""
        category = self.parameters.text("category")
        if category not in CATEGORIES:
            raise wrong("category")
        return category == "linear"

    def contracts(self) -> dict[str, Instrument]:
        """The perpetual contracts there are; the venue would name dated ones otherwise."""
        rows = self.exchange.market.instruments
        return {symbol: row for symbol, row in rows.items() if row.contract_type == "PERPETUAL"}

    def instrument(self) -> Instrument:
        """The contract of the mandatory symbol."""
        found = self.contracts().get(self.parameters.text("symbol"))
        if found is None or not self.is_linear():
            raise Refused(Reason.SYMBOL_UNKNOWN)
        return found

    def instruments(self) -> list[Instrument]:
        """The contract of the symbol if one is given, else all of the category."""
        if not self.is_linear():
            return []
        if self.parameters.optional("symbol"):
            return [self.instrument()]
        base = self.parameters.optional("baseCoin")
        return [row for row in self.contracts().values() if base in {None, row.base}]

    def scoped_instruments(self) -> list[Instrument]:
        """As ``instruments``, for requests that have to name a symbol or a coin."""
        if not any(self.parameters.optional(name) for name in ("symbol", "settleCoin", "baseCoin")):
            raise needs_scope()
        coin = self.parameters.optional("settleCoin")
        return [row for row in self.instruments() if coin in {None, row.quote}]

    def shown(self, symbol: str) -> Quote:
        """Market data of a contract."""
        return self.exchange.shown(symbol, self.now_ms)
