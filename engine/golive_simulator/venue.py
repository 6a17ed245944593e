"""The whole venue: its environments over one market, the faults in force, and a log of what was asked.

Belongs here: what happens between an HTTP request and its answer, and when time passes.
Does not belong here: sockets, sleeping.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from golive_simulator.attached import follow_positions
from golive_simulator.book import WHOLE
from golive_simulator.conditional import run_triggers
from golive_simulator.dialect import Answer
from golive_simulator.exchange import Exchange, Handling
from golive_simulator.faults import Fault, FaultBook, FaultKind, RequestFacts
from golive_simulator.market import FUNDING_INTERVAL_SECONDS
from golive_simulator.refusals import Reason, Refused
from golive_simulator.solvency import liquidate, pay_funding

if TYPE_CHECKING:
    from collections.abc import Sequence

    from golive_simulator.clock import VenueClock
    from golive_simulator.dialect import Asked, Dialect
    from golive_simulator.instruments import Instrument
    from golive_simulator.market import Market

ENVIRONMENTS = ("production", "testnet", "bybit-production", "bybit-testnet", "okx-production", "okx-testnet")
"""The separate exchanges there are, over the same prices; the first two are Binance's."""

LISTS_VARIANTS = frozenset({"okx-production", "okx-testnet"})
"""Environments that have names and grids of their own for the common contracts."""

LOGGED_REQUESTS = 100_000
"""Requests the log keeps."""

ERRORS_FROM = 400
"""HTTP statuses from here on are refusals."""


@dataclass(frozen=True, slots=True)
class RequestRecord:
    """One request as the log keeps it."""

    time_ms: int
    """When, by the venue's clock."""
    environment: str
    """Which exchange."""
    method: str
    """HTTP method."""
    path: str
    """HTTP path."""
    symbol: str
    """Contract, if one was named."""
    side: str
    """Direction, if one was named."""
    client_order_id: str
    """The client's name for the order, if one was given."""
    is_new_order: bool
    """Whether an order was to be placed."""
    accepted: bool
    """Whether the venue did what was asked, whatever the client was told."""
    answered: bool
    """Whether the client got an answer at all."""
    status: int
    """HTTP status told; nought if none was."""
    code: int | None
    """The venue's own code, if its answer had one."""
    order_id: int | str | None
    """Number of the order the venue answered with."""
    faults: tuple[str, ...]
    """Kinds of the faults it met."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """What goes back to the client: an answer, or a reset connection, after a while."""

    answer: Answer | None
    """Nothing for a broken connection."""
    delay_ms: int = 0
    """Wait before it."""


@dataclass(slots=True)
class Venue:
    """Everything the simulator is, apart from its sockets."""

    market: Market
    """Prices, shared by all."""
    clock: VenueClock
    """The venue's time."""
    dialects: Sequence[Dialect]
    """How it may be spoken to."""
    exchanges: dict[str, Exchange] = field(default_factory=dict)
    """One for each environment."""
    faults: FaultBook = field(default_factory=FaultBook)
    """What goes wrong."""
    requests: deque[RequestRecord] = field(default_factory=lambda: deque(maxlen=LOGGED_REQUESTS))
    """What was asked, oldest first."""
    is_paused: bool = False
    """Whether prices stand still."""
    down_until_ms: int = 0
    """Until when every connection is broken."""

    def __post_init__(self) -> None:
        for environment in ENVIRONMENTS:
            self.exchanges.setdefault(environment, Exchange(environment, self.market))

    def dialect_of(self, host: str) -> tuple[Dialect, str] | None:
        """The dialect and environment served under a host name."""
        for dialect in self.dialects:
            if host in dialect.hosts:
                return dialect, dialect.hosts[host]
        return None

    def serve(self, asked: Asked) -> Delivery:
        """Answer one request, with whatever faults it meets."""
        found = self.dialect_of(asked.host)
        if found is None:
            return Delivery(Answer(421, {"code": -1, "msg": f"no venue is served as {asked.host}"}))
        if asked.now_ms < self.down_until_ms:
            return Delivery(None)
        dialect, environment = found
        facts = dialect.facts(environment, asked)
        hits = self.faults.hitting(facts)
        delivery, outcome = _deliver(dialect, self.exchanges[facts.environment], asked, hits)
        self.requests.append(_record(asked, facts, delivery, outcome, hits))
        return delivery

    def pass_time(self, points: int) -> None:
        """Move prices on by ``points`` path points and let everything follow from each."""
        for _ in range(points):
            before = self.market.simulated_seconds // FUNDING_INTERVAL_SECONDS
            now_ms = self.clock.now_ms()
            self.market.advance(now_ms)
            if self.market.simulated_seconds // FUNDING_INTERVAL_SECONDS != before:
                for exchange in self.exchanges.values():
                    pay_funding(exchange, now_ms)
            self.settle(now_ms)

    def settle(self, now_ms: int) -> None:
        """Do all that the present price and time ask for."""
        for exchange in self.exchanges.values():
            exchange.run_countdowns(now_ms)
            exchange.match_resting(now_ms)
            follow_positions(exchange, now_ms)
            run_triggers(exchange, now_ms)
            now_at = (self.market.sequence, exchange.counters.income_id)
            if exchange.weighed_at != now_at:
                # nobody's solvency changes while neither marks move nor money is booked
                exchange.weighed_at = now_at
                liquidate(exchange, now_ms)
            # nobody may see a stop whose position has just been closed
            follow_positions(exchange, now_ms)

    def add_fault(self, fault: Fault) -> Fault:
        """Put a fault in force."""
        added = self.faults.add(fault)
        if added.kind is FaultKind.CLOCK_SKEW:
            self.clock.skew_ms = added.skew_ms
        self._change_books(added, holds=True)
        return added

    def clear_faults(self, fault_id: int | None = None) -> list[Fault]:
        """Take one fault, or all, out of force."""
        removed = self.faults.clear(fault_id)
        for fault in removed:
            if fault.kind is FaultKind.CLOCK_SKEW:
                self.clock.skew_ms = 0
            self._change_books(fault, holds=False)
        return removed

    def _change_books(self, fault: Fault, *, holds: bool) -> None:
        """Let books stand still or thin out as long as a fault holds, and be as usual after it."""
        where = self.exchanges[fault.environment] if fault.environment else self.market
        for symbol in [fault.symbol] if fault.symbol else self.market.contracts:
            if fault.kind is FaultKind.THIN_BOOK:
                self.market.thin(symbol, fault.ratio if holds else WHOLE)
            elif fault.kind is FaultKind.STALE_BOOK and holds:
                where.frozen[symbol] = where.shown(symbol, self.clock.now_ms())
            elif fault.kind is FaultKind.STALE_BOOK:
                where.frozen.pop(symbol, None)

    def contract(self, environment: str, symbol: str) -> Instrument:
        """The contract that an environment lists under its own name for it, or under the common one.

        Raises:
            Refused: when it lists none.
        """
        listed = self.market.variants if environment in LISTS_VARIANTS else self.market.instruments
        by_pair = (row for row in listed.values() if row.pair == symbol)
        found = listed.get(symbol) or next(by_pair, None)
        if found is None:
            raise Refused(Reason.SYMBOL_UNKNOWN)
        return found


def _deliver(
    dialect: Dialect, exchange: Exchange, asked: Asked, hits: Sequence[Fault]
) -> tuple[Delivery, Answer | None]:
    """What the client gets, and what the venue really answered: nothing if the request never reached it."""
    by_kind = {fault.kind: fault for fault in hits}
    delay_ms = by_kind[FaultKind.DELAY].delay_ms if FaultKind.DELAY in by_kind else 0
    for fault in hits:
        if fault.kind is FaultKind.DROP_BEFORE_ACCEPT:
            return Delivery(None, delay_ms), None
        refusal = _instead(dialect, fault)
        if refusal is not None:
            return Delivery(refusal, delay_ms), None
    outcome = dialect.answer(exchange, replace(asked, handling=_handling(by_kind)))
    if FaultKind.DROP_AFTER_ACCEPT in by_kind:
        return Delivery(None, delay_ms), outcome
    if FaultKind.ANSWER_AFTER_ACCEPT in by_kind:
        forced = by_kind[FaultKind.ANSWER_AFTER_ACCEPT]
        return Delivery(Answer(forced.status, forced.body), delay_ms), outcome
    return Delivery(outcome, delay_ms), outcome


def _instead(dialect: Dialect, fault: Fault) -> Answer | None:
    """The answer of a fault that keeps a request from the exchange."""
    match fault.kind:
        case FaultKind.ANSWER_BEFORE_ACCEPT:
            return Answer(fault.status, fault.body)
        case FaultKind.RATE_LIMIT:
            return dialect.rate_limited(429, fault.retry_after_seconds)
        case FaultKind.BAN:
            return dialect.rate_limited(418, fault.retry_after_seconds)
        case FaultKind.INSUFFICIENT_MARGIN:
            return dialect.margin_refusal()
        case _:
            return None


def _handling(by_kind: dict[FaultKind, Fault]) -> Handling:
    """What the faults do to an order that is accepted."""
    late, partial = by_kind.get(FaultKind.LATE_FILL), by_kind.get(FaultKind.PARTIAL_FILL)
    usual = Handling()
    return Handling(
        hold_ms=late.delay_ms if late else usual.hold_ms,
        fill_ratio=partial.ratio if partial else usual.fill_ratio,
    )


def _record(
    asked: Asked, facts: RequestFacts, delivery: Delivery, outcome: Answer | None, hits: Sequence[Fault]
) -> RequestRecord:
    """What the log keeps of a request."""
    told = delivery.answer
    body: Any = outcome.body if outcome and isinstance(outcome.body, dict) else {}
    return RequestRecord(
        time_ms=asked.now_ms,
        accepted=outcome is not None and outcome.status < ERRORS_FROM and not outcome.is_refusal,
        answered=told is not None,
        status=told.status if told else 0,
        code=body.get("code") if isinstance(body.get("code"), int) else (outcome.code if outcome else None),
        order_id=body.get("orderId") or body.get("algoId") or (outcome.order_id if outcome else None),
        faults=tuple(str(fault.kind) for fault in hits),
        **{name: getattr(facts, name) for name in RequestFacts.__slots__},
    )
