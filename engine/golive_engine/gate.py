"""The gate as this engine obeys it: a state machine without I/O that answers in a fraction of a microsecond."""

from dataclasses import dataclass

from golive_api.acknowledgement import Acknowledgement
from golive_api.gate import GateRecord, GateUnreadableError
from golive_api.golive import Environment, GateState
from golive_api.profiles import Limits
from golive_api.reasons import Reason
from golive_api.values import render_time
from golive_engine.clock import Clock, moment

CLOSED_REASONS = frozenset(
    {
        Reason.GATE_MISSING,
        Reason.GATE_UNREADABLE,
        Reason.GATE_CLOSED,
        Reason.GATE_UNPROVEN,
        Reason.GATE_EXPIRED,
        Reason.GATE_FOREIGN,
    }
)
"""Answers that mean: GO-LIVE not activated."""

NEVER = float("-inf")
"""A deadline that has always passed."""

_OPENING = {GateState.OPEN: Reason.GATE_OPEN, GateState.REDUCE_ONLY: Reason.GATE_REDUCE_ONLY}


@dataclass(frozen=True, slots=True)
class Addressee:
    """Whom a gate must be meant for."""

    namespace: str
    """Where gate and engine are."""
    golive: str
    """Name of the GoLive."""
    engine: str
    """Name of the Deployment."""
    environment: Environment
    """Which installation."""


class Gate:
    """Holds what was last read of the gate, and until when it may be believed.

    Three facts come in: a record was *found* by listing, a record was *seen to change* on a live watch,
    the gate is *gone*. Only a live change with a serial higher than any seen before opens, because only
    that shows that an operator is alive; everything else can at most keep what is already believed.
    """

    __slots__ = (
        "_accounts",
        "_addressee",
        "_answer",
        "_highest",
        "_monotonic",
        "_monotonic_deadline",
        "_record",
        "_since",
        "_wall",
        "_wall_deadline",
    )

    def __init__(self, addressee: Addressee, clock: Clock) -> None:
        self._addressee = addressee
        self._monotonic = clock.monotonic
        self._wall = clock.wall
        self._highest: dict[str, tuple[int, int]] = {}
        self._record: GateRecord | None = None
        self._since = self._wall()
        self._answer = Reason.GATE_MISSING
        self._accounts: frozenset[str] = frozenset()
        self._monotonic_deadline = NEVER
        self._wall_deadline = NEVER

    def ask(self, account: str) -> Reason:
        """GateOpen, GateReduceOnly, or why this account may send nothing."""
        if self._monotonic() >= self._monotonic_deadline or self._wall() >= self._wall_deadline:
            return self._expire()
        if account not in self._accounts:
            return Reason.GATE_FOREIGN
        return self._answer

    def found(self, data: dict[str, str] | None) -> None:
        """Take in the ConfigMap's data as a list shows it, None if there is none."""
        record = self._readable(data)
        if record is None or record == self._record:
            return
        if record.state is GateState.CLOSED:
            self._shut(Reason.GATE_CLOSED, record)
        elif not self._is_stale(record):
            self._shut(Reason.GATE_UNPROVEN, record)
        self._remember(record)

    def changed(self, data: dict[str, str]) -> None:
        """Take in the ConfigMap's data as a live watch event brings it."""
        record = self._readable(data)
        if record is None:
            return
        if record.state is GateState.CLOSED:
            self._shut(Reason.GATE_CLOSED, record)
        elif self._is_news(record):
            self._believe(record)
        elif not self._is_stale(record) and record != self._record:
            self._shut(Reason.GATE_UNPROVEN, record)  # the same serial with other contents
        self._remember(record)

    def gone(self) -> None:
        """Take in that the ConfigMap was deleted."""
        self._shut(Reason.GATE_MISSING, None)

    @property
    def limits(self) -> Limits | None:
        """The profile's limits, while the gate is believed to be open."""
        return self._record.limits if self._record is not None and self._monotonic_deadline != NEVER else None

    @property
    def profile(self) -> str | None:
        """Name of the profile in the gate as it was last read, open or not; None without one."""
        return self._record.profile if self._record is not None else None

    @property
    def deadline(self) -> float | None:
        """Monotonic second at which the gate shuts by itself, None while it is shut."""
        return None if self._monotonic_deadline == NEVER else self._monotonic_deadline

    def obeyed(self) -> Acknowledgement:
        """What an acknowledgement says; looks at the clock, so an expired gate is Closed here too."""
        if self._monotonic() >= self._monotonic_deadline or self._wall() >= self._wall_deadline:
            self._expire()
        record = self._record
        state = record.state if record is not None and self.deadline is not None else GateState.CLOSED
        return Acknowledgement(
            state=state,
            reason=self._answer,
            uid=record.uid if record else "",
            epoch=record.epoch if record else 0,
            serial=record.serial if record else 0,
            acknowledged_time=render_time(moment(self._since)),
        )

    @property
    def decided(self) -> str:
        """Why the gate is as it is, in the operator's words; empty where there is no record."""
        record = self._record
        return f"{record.reason}: {record.message}" if record is not None else ""

    def _readable(self, data: dict[str, str] | None) -> GateRecord | None:
        """The record if it can be read and is meant for this engine; else shut, with the reason."""
        if data is None:
            self._shut(Reason.GATE_MISSING, None)
            return None
        try:
            record = GateRecord.from_data(data)
        except GateUnreadableError:
            self._shut(Reason.GATE_UNREADABLE, None)
            return None
        mine = Addressee(record.namespace, record.name, record.engine, record.environment)
        if mine != self._addressee:
            self._shut(Reason.GATE_FOREIGN, record)
            return None
        return record

    def _is_stale(self, record: GateRecord) -> bool:
        """Whether a deposed leader wrote this: older than what was already seen of the same object."""
        return (record.epoch, record.serial) < self._highest.get(record.uid, (0, 0))

    def _is_news(self, record: GateRecord) -> bool:
        """Whether this is newer than everything seen; a mere annotation on an old record is not."""
        return (record.epoch, record.serial) > self._highest.get(record.uid, (0, 0))

    def _remember(self, record: GateRecord) -> None:
        """Note the highest epoch and serial seen of this object."""
        seen = (record.epoch, record.serial)
        self._highest[record.uid] = max(seen, self._highest.get(record.uid, seen))

    def _believe(self, record: GateRecord) -> None:
        """Open until the lease ends, by whichever of the two clocks is first."""
        self._set(_OPENING[record.state], record)
        wall_deadline = record.expires.timestamp()
        self._accounts = frozenset(record.accounts)
        self._wall_deadline = wall_deadline
        remaining = min(float(record.ttl_seconds), wall_deadline - self._wall())
        self._monotonic_deadline = self._monotonic() + remaining

    def _expire(self) -> Reason:
        """Shut a gate whose lease has ended, for good: a clock stepping back does not revive it."""
        if self._monotonic_deadline != NEVER:
            self._shut(Reason.GATE_EXPIRED, self._record)
        return self._answer

    def _shut(self, reason: Reason, record: GateRecord | None) -> None:
        """Stop believing, whatever was believed."""
        self._set(reason, record)
        self._accounts = frozenset()
        self._monotonic_deadline = NEVER
        self._wall_deadline = NEVER

    def _set(self, answer: Reason, record: GateRecord | None) -> None:
        """Change answer and record, and note since when the state is what it is."""
        before = self._record.state if self._record else None
        now = record.state if record else None
        if answer is not self._answer or before is not now:
            self._since = self._wall()
        self._answer = answer
        self._record = record
