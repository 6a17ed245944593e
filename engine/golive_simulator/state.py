"""A venue's memory as JSON: accounts with orders and positions, counters, and last prices."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal  # noqa: TC003 - pydantic reads the annotation
from typing import TYPE_CHECKING

from pydantic import TypeAdapter

from golive_simulator.accounts import Account  # noqa: TC001 - pydantic reads the annotation
from golive_simulator.orders import Counters  # noqa: TC001 - pydantic reads the annotation

if TYPE_CHECKING:
    from pathlib import Path

    from golive_simulator.venue import Venue


@dataclass(slots=True)
class ExchangeState:
    """One environment's memory."""

    accounts: dict[str, Account]
    """By API key."""
    counters: Counters
    """Next numbers."""


@dataclass(slots=True)
class VenueState:
    """The venue's memory."""

    exchanges: dict[str, ExchangeState]
    """By environment."""
    prices: dict[str, Decimal]
    """Last price by contract."""
    sequence: int = 0
    """Number of the last price move."""


STATE = TypeAdapter(VenueState)
"""Reads and writes a venue's memory."""


def dump(venue: Venue) -> bytes:
    """The venue's memory as JSON."""
    prices = {symbol: venue.market.quote(symbol).last for symbol in venue.market.instruments}
    exchanges = {
        name: ExchangeState(exchange.accounts, exchange.counters) for name, exchange in venue.exchanges.items()
    }
    return STATE.dump_json(VenueState(exchanges, prices, venue.market.sequence))


def restore(venue: Venue, memory: bytes) -> None:
    """Make the venue remember: accounts are replaced, prices continue from where they were."""
    state = STATE.validate_json(memory)
    now_ms = venue.clock.now_ms()
    for name, kept in state.exchanges.items():
        venue.exchanges[name].accounts = kept.accounts
        venue.exchanges[name].counters = kept.counters
    venue.market.sequence = max(venue.market.sequence, state.sequence)
    for symbol, price in state.prices.items():
        if symbol in venue.market.instruments and venue.market.quote(symbol).last != price:
            venue.market.set_price(symbol, price, None, now_ms)


def save(venue: Venue, path: Path) -> None:
    """Write the venue's memory, whole or not at all."""
    draft = path.with_name(f"{path.name}.new")
    draft.write_bytes(dump(venue))
    draft.replace(path)
