"""What the kill protocol tells in the end: a table for people, JSON for the journal. Pure."""

import json
from dataclasses import asdict, dataclass
from decimal import Decimal

from golive_engine.trading import ZERO

HEAD = ("account", "venue", "symbol", "cancelled", "orders left", "flattened", "position left")
"""Columns of the table."""


@dataclass(frozen=True, slots=True)
class SymbolReport:
    """What became of one symbol; everything is as of the last look."""

    cancelled: int = 0
    """Orders that were cancelled."""
    orders_left: int = 0
    """Entries that still rest; orders of any kind, where positions were to be closed."""
    flattened: Decimal = ZERO
    """How much smaller the position is than at the first look, in base currency."""
    position_left: Decimal | None = None
    """Signed; None if the venue never told."""

    @property
    def is_eventful(self) -> bool:
        """Whether there is anything to tell."""
        return self != SymbolReport(position_left=ZERO)


@dataclass(frozen=True, slots=True)
class TargetReport:
    """What became of one account on one venue."""

    account: str
    """Whose."""
    venue: str
    """Where."""
    problem: str
    """What went wrong in the last look; empty if nothing did."""
    symbols: dict[str, SymbolReport]
    """Every symbol that is traded there, or has an order or a position."""

    @property
    def is_flat(self) -> bool:
        """Whether the venue itself says that there is no position."""
        return not self.problem and not any(row.position_left for row in self.symbols.values())

    @property
    def is_clear(self) -> bool:
        """Whether it says that nothing rests that had to go."""
        return not self.problem and not any(row.orders_left for row in self.symbols.values())

    def rows(self) -> list[tuple[str, ...]]:
        """Lines of the table."""
        found = list[tuple[str, ...]]()
        for symbol, row in sorted(self.symbols.items()):
            if row.is_eventful:
                left = "unknown" if row.position_left is None else f"{row.position_left:f}"
                counts = (str(row.cancelled), str(row.orders_left))
                found.append((self.account, self.venue, symbol, *counts, f"{row.flattened:f}", left))
        return found


@dataclass(frozen=True, slots=True)
class KillReport:
    """What was done, and what is left."""

    flatten: bool
    """Whether positions were to be closed."""
    targets: tuple[TargetReport, ...]
    """Every account on every venue."""

    @property
    def is_flat(self) -> bool:
        """Whether no position is left anywhere."""
        return all(target.is_flat for target in self.targets)

    @property
    def is_done(self) -> bool:
        """Whether all that was asked for is seen to be done."""
        return all(target.is_clear for target in self.targets) and (self.is_flat or not self.flatten)

    def text(self) -> str:
        """A table for people, and the verdict."""
        rows = [HEAD, *(row for target in self.targets for row in target.rows())]
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        lines = ["  ".join(map(str.ljust, row, widths)).rstrip() for row in rows]
        lines += [f"{t.account} on {t.venue}: {t.problem}" for t in self.targets if t.problem]
        verdict = "done" if self.is_done else "NOT DONE: look at the venues yourself"
        return "\n".join([*lines, f"{'flat' if self.is_flat else 'NOT FLAT'}; {verdict}"])

    def json(self) -> str:
        """The same for the journal; decimals as text."""
        return json.dumps(asdict(self) | {"flat": self.is_flat, "done": self.is_done}, default=str)
