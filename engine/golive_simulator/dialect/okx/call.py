"""One request on its way through the dialect, and the table its endpoint stands in."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from golive_simulator.dialect.okx.complaints import wrong
from golive_simulator.refusals import Reason, Refused

if TYPE_CHECKING:
    from collections.abc import Callable

    from golive_simulator.accounts import Account
    from golive_simulator.dialect.okx.parameters import Parameters
    from golive_simulator.exchange import Exchange, Handling
    from golive_simulator.instruments import Instrument
    from golive_simulator.market import Quote

    Payload = dict[str, Any]
    Handler = Callable[["Call"], list[Any]]
    RowHandler = Callable[["Call", Parameters], Payload]

INSTRUMENT_TYPES = frozenset({"SPOT", "MARGIN", "SWAP", "FUTURES", "OPTION"})
"""Types the venue knows; only swaps are listed here."""


class Security(StrEnum):
    """What a request must prove."""

    NONE = "none"
    READ = "read"
    TRADE = "trade"


@dataclass(frozen=True, slots=True)
class Endpoint:
    """What stands behind a method and path."""

    handler: Handler | None = None
    """What does it, all at once."""
    row_handler: RowHandler | None = None
    """What does it row by row, each with a code of its own; instead of ``handler``."""
    security: Security = Security.NONE
    """What a request must prove."""
    allowed: int = 20
    """Requests of one sender in two seconds."""
    most_rows: int = 1
    """Rows its body may have."""
    places_orders: bool = False
    """Whether it takes new orders."""
    names: tuple[str, str] = ("ordId", "clOrdId")
    """How a row names its order: the venue's number and the client's own name."""


@dataclass(frozen=True, slots=True)
class Call:
    """A request whose sender is known."""

    exchange: Exchange
    """The environment asked."""
    parameters: Parameters
    """Query, or the body's first object."""
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

    def swaps(self) -> list[Instrument]:
        """Every contract listed."""
        market = self.exchange.market
        return [row for name, row in market.contracts.items() if row.info.get("instId") == name]

    def named(self, name: str) -> Instrument:
        """The contract of that name.

        Raises:
            Refused: when OKX lists none, even if another venue does.
        """
        instrument = self.exchange.instrument(name)
        if instrument.info.get("instId") != name:
            raise Refused(Reason.SYMBOL_UNKNOWN)
        return instrument

    def instrument(self) -> Instrument:
        """The contract of the mandatory name."""
        return self.named(self.parameters.text("instId"))

    def chosen(self, *, needs_type: bool = False) -> list[Instrument]:
        """Contracts narrowed by type, name, family or underlying, as far as given."""
        given = self.parameters
        kind = given.text("instType") if needs_type else given.optional("instType") or "SWAP"
        if kind not in INSTRUMENT_TYPES:
            raise wrong("instType")
        if kind != "SWAP":
            return []
        if given.optional("instId"):
            return [self.named(name) for name in given.text("instId").split(",")]
        family = given.optional("instFamily") or given.optional("uly")
        return [row for row in self.swaps() if family in {"", row.info["instFamily"]}]

    def shown(self, instrument: Instrument) -> Quote:
        """Market data of a contract."""
        return self.exchange.shown(instrument.symbol, self.now_ms)
