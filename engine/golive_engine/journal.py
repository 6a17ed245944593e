"""The journal: orders, fills, decisions, equity marks, stops, locks, changes of state, stress runs.

In a SQLite file or a PostgreSQL database. Every method is synchronous and durable when it returns; callers on
the event loop use a thread.
"""

import json
from decimal import Decimal

import sqlalchemy as sa

from golive_engine import journal_tables as tables
from golive_engine.journal_database import JournalError
from golive_engine.journal_orders import OrderJournal
from golive_engine.records import (
    EVERY_ACCOUNT,
    Day,
    Decision,
    Fill,
    OrderChange,
    StateChange,
    Stop,
    StressRun,
    decision_from,
    state_change_from,
    stress_run_from,
)
from golive_engine.situation import Denial
from golive_engine.trading import Intent

__all__ = [
    "EVERY_ACCOUNT",
    "Day",
    "Decision",
    "Fill",
    "Journal",
    "JournalError",
    "OrderChange",
    "StateChange",
    "Stop",
    "StressRun",
]

_CAPITAL = "capital:"

_days, _weeks, _meta = tables.days, tables.weeks, tables.meta
_decisions, _denials, _stops, _locks = tables.decisions, tables.denials, tables.stops, tables.locks
_states, _stress_runs = tables.state_changes, tables.stress_runs


class Journal(OrderJournal):
    """One engine's journal in one database.

    Args:
        url: SQLAlchemy URL.
        engine: Name of the engine, which the journal is then only for; None is for a person's tools.

    Raises:
        JournalError: There is no such database, a newer engine has written there, or another engine has.
    """

    def mark_equity(self, account: str, day: str, equity: Decimal) -> Day:
        """Note an equity; returns the day's first and its highest."""
        key = (_days.c.account == account) & (_days.c.day == day)
        rows = self._read(sa.select(_days).where(key))
        if not rows:
            values = {"start_equity": str(equity), "peak_equity": str(equity)}
            self._write_if_new(_days, account=account, day=day, **values)
            rows = self._read(sa.select(_days).where(key))
        known = Day(Decimal(rows[0].start_equity), Decimal(rows[0].peak_equity))
        if equity > known.peak_equity:
            self._write(sa.update(_days).where(key).values(peak_equity=str(equity)))
        return Day(known.start_equity, max(known.peak_equity, equity))

    def mark_week(self, account: str, week: str, equity: Decimal) -> Decimal:
        """Note an equity; returns the first one of the week, which is one of ISO 8601: 2026-W47."""
        query = sa.select(_weeks.c.start_equity).where(_weeks.c.account == account, _weeks.c.week == week)
        rows = self._read(query)
        if not rows:
            self._write_if_new(_weeks, account=account, week=week, start_equity=str(equity))
            rows = self._read(query)
        return Decimal(rows[0].start_equity)

    def peak(self, account: str, equity: Decimal) -> Decimal:
        """The highest of this equity and all that `mark_equity` noted, ever or since a release."""
        rows = self._read(sa.select(_days.c.peak_equity).where(_days.c.account == account))
        return max([equity, *(Decimal(row.peak_equity) for row in rows)])

    def capital(self, account: str, equity: Decimal) -> Decimal:
        """The equity from which losses of capital are counted: the first ever seen, or since a release."""
        query = sa.select(_meta.c.value).where(_meta.c.key == f"{_CAPITAL}{account}")
        rows = self._read(query)
        if not rows:
            self._write_if_new(_meta, key=f"{_CAPITAL}{account}", value=str(equity))
            rows = self._read(query)
        return Decimal(rows[0].value)

    def add_decision(
        self, account: str, venue: str, intent: Intent, denial: Denial | None, time: float
    ) -> None:
        """Write down what the RiskGate answered to an intent; None is a yes."""
        values = denial.values if denial else ()
        self._write(
            sa.insert(_decisions).values(
                time=time,
                account=account,
                venue=venue,
                symbol=intent.symbol,
                side=intent.side.value,
                quantity=str(intent.quantity),
                reduce_only=intent.reduce_only,
                kind=intent.kind.value,
                purpose=intent.purpose.value,
                strategy=intent.strategy,
                reason=denial.reason.value if denial else "",
                details=json.dumps({key: str(value) for key, value in values}),
            )
        )

    def decisions(self, account: str) -> list[Decision]:
        """Every change of the RiskGate's answers on an account, oldest first."""
        query = sa.select(_decisions).where(_decisions.c.account == account).order_by(_decisions.c.sequence)
        return [decision_from(row) for row in self._read(query)]

    def add_denial(self, denied: dict[str, str], details: dict[str, str], time: float) -> int:
        """Write a denial down, by column; returns its number, under which repeats are counted."""
        row = {**denied, "details": json.dumps(details), "first_time": time, "last_time": time, "times": 1}
        return self._write(sa.insert(_denials).values(**row))

    def count_denial(self, number: int, times: int, time: float) -> None:
        """Note how often a denial has been repeated."""
        self._write(
            sa.update(_denials).where(_denials.c.sequence == number).values(times=times, last_time=time)
        )

    def latch_stop(self, stop: Stop, details: str, time: float) -> None:
        """Start an emergency stop that lasts until a person releases it."""
        self._write(
            sa.insert(_stops).values(scope=stop.scope, trigger=stop.trigger, details=details, time=time)
        )

    def active_stops(self) -> list[Stop]:
        """Emergency stops that nobody has released."""
        query = sa.select(_stops).where(_stops.c.released_time.is_(None)).order_by(_stops.c.sequence)
        return [Stop(row.scope, row.trigger) for row in self._read(query)]

    def release_stops(self, name: str, cause: str, time: float) -> int:
        """Release every active stop and count losses anew from here; returns how many stops there were."""
        active = _stops.c.released_time.is_(None)
        count = len(self._read(sa.select(_stops.c.sequence).where(active)))
        self._write(
            sa.delete(_meta).where(_meta.c.key.startswith(_CAPITAL)),
            sa.update(_days).values(peak_equity="0"),
            sa.update(_stops).where(active).values(released_time=time, released_by=name, cause=cause),
        )
        return count

    def last_release(self) -> float:
        """When a stop was last released, 0 if never."""
        return float(self._read(sa.select(sa.func.coalesce(sa.func.max(_stops.c.released_time), 0)))[0][0])

    def lock_symbol(self, account: str, symbol: str, details: dict[str, str], time: float) -> None:
        """Lock a symbol of an account until a person releases it; one that is locked stays so."""
        if symbol not in self.locked_symbols(account):
            row = {"account": account, "symbol": symbol, "details": json.dumps(details), "time": time}
            self._write(sa.insert(_locks).values(**row))

    def locked_symbols(self, account: str) -> frozenset[str]:
        """Symbols of an account that nobody has released."""
        active = _locks.c.released_time.is_(None)
        query = sa.select(_locks.c.symbol).where(active, _locks.c.account == account)
        return frozenset(row.symbol for row in self._read(query))

    def release_locks(self, account: str, symbol: str | None, name: str, cause: str, time: float) -> int:
        """Release an account's locks, of one symbol or of all; returns how many there were."""
        active = _locks.c.released_time.is_(None) & (_locks.c.account == account)
        if symbol is not None:
            active &= _locks.c.symbol == symbol
        released = {"released_time": time, "released_by": name, "cause": cause}
        return self._transact(
            lambda connection: connection.execute(sa.update(_locks).where(active).values(**released)).rowcount
        )

    def lock_releases(self, account: str) -> dict[str, float]:
        """When each symbol of an account was last released: what happened before counts for no new lock."""
        query = sa.select(_locks.c.symbol, sa.func.max(_locks.c.released_time).label("time"))
        released = _locks.c.released_time.is_not(None)
        query = query.where(released, _locks.c.account == account).group_by(_locks.c.symbol)
        return {row.symbol: row.time for row in self._read(query)}

    def add_gate_change(self, change: dict[str, str | int], time: float) -> None:
        """Note what gate is obeyed from now on."""
        self._write(sa.insert(tables.gate_changes).values(**change, time=time))

    def add_state_change(self, kind: str, scope: str, value: str, details: dict[str, str], time: float) -> None:
        """Note that something is otherwise from now on: leadership, risk, a breaker, a mode, a kill."""
        row = {"kind": kind, "scope": scope, "value": value, "details": json.dumps(details), "time": time}
        self._write(sa.insert(_states).values(**row))

    def state_changes(self, kind: str | None = None, since: float = 0.0) -> list[StateChange]:
        """Every change of state, or those of one kind, since a moment; oldest first."""
        query = sa.select(_states).where(_states.c.time >= since).order_by(_states.c.sequence)
        return [
            state_change_from(row)
            for row in self._read(query if kind is None else query.where(_states.c.kind == kind))
        ]

    def add_stress_run(
        self, scenario: str, result: str, details: dict[str, str], seconds: float, time: float
    ) -> None:
        """Note how a stress scenario ended."""
        row = {"scenario": scenario, "result": result, "details": json.dumps(details)}
        self._write(sa.insert(_stress_runs).values(**row, seconds=seconds, time=time))

    def stress_runs(self) -> list[StressRun]:
        """The last run of each scenario, by name."""
        last = sa.select(sa.func.max(_stress_runs.c.sequence)).group_by(_stress_runs.c.scenario)
        query = sa.select(_stress_runs).where(_stress_runs.c.sequence.in_(last))
        return [stress_run_from(row) for row in self._read(query.order_by(_stress_runs.c.scenario))]
