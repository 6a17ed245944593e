"""The gate as a state machine: what opens it, what shuts it, and what does neither."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from golive_api.gate import GateRecord
from golive_api.golive import Environment
from golive_api.profiles import Limits
from golive_api.reasons import Reason
from golive_api.values import render_time
from golive_engine.clock import FakeClock
from golive_engine.gate import CLOSED_REASONS, Addressee, Gate

TTL = 15
LIMITS = Limits(
    max_position_notional="100",
    max_positions=2,
    max_leverage="1",
    max_exposure_percent="10",
    max_margin_percent="80",
    max_daily_loss_percent="0.5",
    max_weekly_loss_percent="10",
    max_drawdown_percent="10",
    max_trade_risk_percent="10",
    max_correlated_exposure_percent="10",
    max_price_deviation_percent="10",
    max_price_move_percent="10",
    max_daily_trades=20,
    max_orders_per_minute=10_000,
    max_repeated_orders=10_000,
)


class World:
    """A gate with a clock that moves only when told."""

    def __init__(self) -> None:
        self.clock = FakeClock()
        self.gate = Gate(Addressee("trading", "perps", "perps-engine", Environment.PRODUCTION), self.clock)

    def data(self, serial: int = 1, state: str = "Open", **changes: Any) -> dict[str, str]:
        """A record issued now."""
        now = self.clock.wall()
        fields: dict[str, Any] = {
            "namespace": "trading",
            "name": "perps",
            "uid": "one",
            "engine": "perps-engine",
            "environment": "production",
            "state": state,
            "reason": "Open",
            "epoch": 3,
            "serial": serial,
            "revision": 1,
            "digest": ".".join(["a" * 64] * 3),
            "profile": "micro",
            "limits": LIMITS,
            "accounts": ["main"],
            "requested_by": "trader",
            "issued_time": render_time(datetime.fromtimestamp(now, UTC)),
            "valid_until": render_time(datetime.fromtimestamp(now + TTL, UTC)),
            "ttl_seconds": TTL,
        }
        return GateRecord.model_validate(fields | changes).data()

    def ask(self) -> Reason:
        """What the production account is told."""
        return self.gate.ask("main")


def opened() -> World:
    """A world whose gate was seen to open, with serial 1."""
    world = World()
    world.gate.changed(world.data(1))
    assert world.ask() is Reason.GATE_OPEN
    return world


Step = Callable[[World], None]
AFTER_OPENING: dict[str, tuple[Step, Reason]] = {
    "nothing happens": (lambda _w: None, Reason.GATE_OPEN),
    "the same record is listed again": (lambda w: w.gate.found(w.data(1)), Reason.GATE_OPEN),
    "a newer record is only listed": (lambda w: w.gate.found(w.data(2)), Reason.GATE_UNPROVEN),
    "the gate is missing from a list": (lambda w: w.gate.found(None), Reason.GATE_MISSING),
    "the gate is deleted": (lambda w: w.gate.gone(), Reason.GATE_MISSING),
    "the gate is closed": (lambda w: w.gate.changed(w.data(2, "Closed")), Reason.GATE_CLOSED),
    "a person closes it and leaves the serial": (
        lambda w: w.gate.changed(w.data(1, "Closed")),
        Reason.GATE_CLOSED,
    ),
    "a deposed leader closes it": (
        lambda w: w.gate.changed(w.data(9, "Closed", epoch=1)),
        Reason.GATE_CLOSED,
    ),
    "a deposed leader opens it": (lambda w: w.gate.changed(w.data(9, epoch=1)), Reason.GATE_OPEN),
    "the same record arrives again": (lambda w: w.gate.changed(w.data(1)), Reason.GATE_OPEN),
    "the same serial arrives with other accounts": (
        lambda w: w.gate.changed(w.data(1, accounts=["main", "other"])),
        Reason.GATE_UNPROVEN,
    ),
    "only reducing is allowed": (
        lambda w: w.gate.changed(w.data(2, "ReduceOnly")),
        Reason.GATE_REDUCE_ONLY,
    ),
    "the gate is for another engine": (
        lambda w: w.gate.changed(w.data(2, engine="other")),
        Reason.GATE_FOREIGN,
    ),
    "the gate is for another environment": (
        lambda w: w.gate.changed(w.data(2, environment="staging")),
        Reason.GATE_FOREIGN,
    ),
    "the gate is from another namespace": (
        lambda w: w.gate.changed(w.data(2, namespace="other")),
        Reason.GATE_FOREIGN,
    ),
    "the account is no longer listed": (
        lambda w: w.gate.changed(w.data(2, accounts=["other"])),
        Reason.GATE_FOREIGN,
    ),
    "the lease ends": (lambda w: w.clock.advance(TTL), Reason.GATE_EXPIRED),
    "the lease has almost ended": (lambda w: w.clock.advance(TTL - 0.01), Reason.GATE_OPEN),
    "the wall clock steps back": (lambda w: w.clock.set_wall_back(3600), Reason.GATE_OPEN),
    "the wall clock steps beyond validUntil": (lambda w: w.clock.set_wall_back(-TTL), Reason.GATE_EXPIRED),
    "a namesake is only listed": (lambda w: w.gate.found(w.data(1, uid="two")), Reason.GATE_UNPROVEN),
}


@pytest.mark.parametrize(("step", "answer"), AFTER_OPENING.values(), ids=AFTER_OPENING)
def test_an_open_gate_answers_when(step: Step, answer: Reason) -> None:
    """What an open gate says after one thing has happened."""
    world = opened()
    step(world)
    assert world.ask() is answer


UNREADABLE: dict[str, dict[str, str | None]] = {
    "an unknown state": {"state": "Ajar"},
    "an unknown key": {"emergencyDoor": "open"},
    "no epoch": {"epoch": None},
    "a negative serial": {"serial": "-1"},
    "broken limits": {"limits": "{"},
    "no limits": {"limits": None},
    "a ttl beyond its bound": {"ttlSeconds": "61"},
    "a time that is none": {"validUntil": "tomorrow"},
    "another version": {"apiVersion": "golive.dev/v2"},
}


@pytest.mark.parametrize("change", UNREADABLE.values(), ids=UNREADABLE)
def test_a_gate_that_cannot_be_read_is_closed_with(change: dict[str, str | None]) -> None:
    """Every value that this version does not know closes."""
    world = opened()
    data: dict[str, str | None] = {**world.data(2), **change}
    world.gate.changed({key: value for key, value in data.items() if value is not None})
    assert world.ask() is Reason.GATE_UNREADABLE


def test_a_listed_gate_opens_only_at_its_next_renewal() -> None:
    """What is found at start may be hours old; what is seen to change is not."""
    world = World()
    assert world.ask() is Reason.GATE_MISSING
    world.gate.found(world.data(7))
    assert world.ask() is Reason.GATE_UNPROVEN
    world.gate.changed(world.data(7))
    assert world.ask() is Reason.GATE_UNPROVEN, "an annotation on an old record proves nothing"
    world.gate.changed(world.data(8))
    assert world.ask() is Reason.GATE_OPEN


def test_a_repeated_record_does_not_extend_the_lease() -> None:
    """Only a new serial does: anybody may touch a ConfigMap's metadata."""
    world = opened()
    data = world.data(1)
    world.clock.advance(10)
    world.gate.changed(data)
    world.gate.found(data)
    world.clock.advance(5)
    assert world.ask() in CLOSED_REASONS


def test_an_expired_gate_stays_shut_when_the_wall_clock_steps_back() -> None:
    """Expiry is final until the next renewal."""
    world = opened()
    world.clock.set_wall_back(-TTL)
    assert world.ask() is Reason.GATE_EXPIRED
    world.clock.set_wall_back(TTL)
    assert world.ask() is Reason.GATE_EXPIRED
    world.gate.changed(world.data(2))
    assert world.ask() is Reason.GATE_OPEN


def test_trust_never_outlasts_the_ttl_even_if_valid_until_is_far() -> None:
    """An engine whose clock is slow still shuts within the TTL of the last receipt."""
    world = World()
    world.gate.changed(world.data(1, valid_until="2099-01-01T00:00:00.000000Z"))
    world.clock.advance(TTL - 0.01)
    assert world.ask() is Reason.GATE_OPEN
    world.clock.advance(0.01)
    assert world.ask() is Reason.GATE_EXPIRED


def test_a_record_that_arrives_after_valid_until_opens_nothing() -> None:
    """A frozen engine that reads an old event from its socket stays shut."""
    world = World()
    data = world.data(1)
    world.clock.advance(TTL + 1)
    world.gate.changed(data)
    assert world.ask() is Reason.GATE_EXPIRED


def test_limits_are_handed_out_only_while_open() -> None:
    """A shut gate's limits are nobody's limits."""
    world = opened()
    assert world.gate.limits == LIMITS
    world.gate.gone()
    assert world.gate.limits is None


def test_the_acknowledgement_says_what_is_obeyed() -> None:
    """State, reason and place in the sequence; expiry shows without anybody having asked."""
    world = opened()
    seen = world.gate.obeyed()
    assert (seen.state, seen.reason, seen.epoch, seen.serial) == ("Open", "GateOpen", 3, 1)
    world.clock.advance(TTL)
    shut = world.gate.obeyed()
    assert (shut.state, shut.reason, shut.serial) == ("Closed", "GateExpired", 1)


EVENTS = st.lists(
    st.tuples(
        st.sampled_from(["found", "changed", "gone", "wait", "clock back", "clock on"]),
        st.integers(1, 6),
        st.integers(1, 3),
        st.sampled_from(["Open", "Closed", "ReduceOnly"]),
        st.sampled_from(["one", "two"]),
    ),
    max_size=25,
)


@given(EVENTS)
def test_only_a_fresh_live_record_ever_opens(events: list[tuple[str, int, int, str, str]]) -> None:
    """Whatever happens in whatever order: open means that a new serial was seen live within the TTL."""
    world = World()
    proof: float | None = None
    highest: dict[str, tuple[int, int]] = {}
    for kind, serial, epoch, state, uid in events:
        data = world.data(serial, state, epoch=epoch, uid=uid)
        news = (epoch, serial) > highest.get(uid, (0, 0))
        if kind == "found":
            world.gate.found(data)
        elif kind == "changed":
            world.gate.changed(data)
            if news and state != "Closed":
                proof = world.clock.monotonic()
        elif kind == "gone":
            world.gate.gone()
        elif kind == "wait":
            world.clock.advance(serial)
        else:
            world.clock.set_wall_back(serial if kind == "clock back" else -serial)
        if kind in ("found", "changed"):
            highest[uid] = max((epoch, serial), highest.get(uid, (0, 0)))
        if kind == "gone" or (kind in ("found", "changed") and state == "Closed"):
            proof = None
        if world.ask() not in CLOSED_REASONS:
            assert proof is not None
            assert world.clock.monotonic() < proof + TTL


@given(st.dictionaries(st.sampled_from(sorted(World().data())), st.text(max_size=20)))
def test_no_garbage_opens(garbage: dict[str, str]) -> None:
    """Text in any key either leaves a valid record or closes; it never raises."""
    world = World()
    world.gate.changed(garbage)
    assert world.ask() in CLOSED_REASONS
    data = world.data(2) | garbage
    world.gate.changed(data)
    if world.ask() is Reason.GATE_OPEN:
        assert json.loads(data["accounts"]) == ["main"]
        assert data["state"] == "Open"
