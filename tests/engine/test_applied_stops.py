"""EmergencyStop objects as a state machine: what holds, what lifts, and what is not known."""

from typing import Any

import pytest

from golive_engine.applied_stops import SILENT_SECONDS, UNREADABLE, AppliedStops
from golive_engine.clock import FakeClock

RELEASE = {"user": "alice", "rootCause": "a stale price feed, replaced"}


class World:
    """An engine's view of its stops, with a clock that moves only when told."""

    def __init__(self, *, watched: bool = True) -> None:
        self.clock = FakeClock()
        self.told: list[tuple[str, str]] = []
        self.stops = AppliedStops(
            "perps-engine",
            self.clock.monotonic,
            lambda stop: self.told.append(("applied", stop.name)),
            lambda stop: self.told.append(("released", stop.name)),
            watched=watched,
        )

    def lists(self, *items: dict[str, Any]) -> None:
        """Let the server tell everything that there is."""
        self.stops.heard()
        self.stops.listed(items)

    def sees(self, item: dict[str, Any], kind: str = "ADDED") -> None:
        """Let the server tell of one object."""
        self.stops.heard()
        self.stops.happened(kind, item)

    @property
    def production(self) -> bool | None:
        """Whether real money is held."""
        return self.stops.applied("production")

    @property
    def both(self) -> tuple[bool | None, bool | None]:
        """Whether real money is held, and play money."""
        return self.production, self.stops.applied("testnet")

    @property
    def names(self) -> list[str]:
        """What holds."""
        return [stop.name for stop in self.stops.holding]


def stop(name: str = "halt", uid: str = "1", **spec: Any) -> dict[str, Any]:
    """An EmergencyStop."""
    return {"metadata": {"name": name, "uid": uid}, "spec": {"reason": "prices are wrong"} | spec}


def test_nothing_is_known_before_the_first_list() -> None:
    """Real money waits for it; play money does not."""
    world = World()
    assert world.both == (None, False)
    world.lists()
    assert world.production is False


def test_without_an_api_server_nothing_can_be_applied() -> None:
    """Outside a cluster there is nothing to wait for."""
    assert World(watched=False).production is False


SELECTING: dict[str, dict[str, Any]] = {
    "it names no engine": {},
    "it names the engine": {"engines": ["other", "perps-engine"]},
    "its release lacks a cause": {"release": {"user": "alice"}},
    "its release is too short": {"release": {"user": "alice", "rootCause": "fixed"}},
    "it has a field nobody knows": {"until": "noon"},
    "its engines are no list": {"engines": "perps-engine"},
    "its reason is missing": {"reason": None},
}


@pytest.mark.parametrize("spec", SELECTING.values(), ids=SELECTING)
def test_a_stop_holds_every_account_when(spec: dict[str, Any]) -> None:
    """What can't be read counts as applied."""
    world = World()
    world.lists(stop(**spec))
    assert (*world.both, world.told) == (True, True, [("applied", "halt")])


def test_a_stop_without_a_spec_holds() -> None:
    """And says that it can't be read."""
    world = World()
    world.lists({"metadata": {"name": "odd", "uid": "1"}})
    assert [held.reason for held in world.stops.holding] == [UNREADABLE]


def test_a_stop_of_another_engine_holds_nothing() -> None:
    """Nor does one that was released before it was seen."""
    world = World()
    world.lists(stop(engines=["other"]), stop("old", release=RELEASE))
    assert (world.production, world.told) == (False, [])


def test_a_release_lifts_and_is_told() -> None:
    """Once; a second stop goes on holding."""
    world = World()
    world.lists(stop(), stop("another", "2"))
    world.sees(stop(release=RELEASE), "MODIFIED")
    assert (world.names, world.production) == (["another"], True)
    world.sees(stop("another", "2", release=RELEASE), "MODIFIED")
    assert world.production is False
    assert world.told == [
        ("applied", "halt"),
        ("applied", "another"),
        ("released", "halt"),
        ("released", "another"),
    ]


def test_a_stop_that_is_deleted_without_a_release_goes_on_holding() -> None:
    """On a live watch and in a gap alike; a namesake that is released lifts it."""
    world = World()
    world.lists(stop())
    world.sees(stop(), "DELETED")
    assert world.production is True
    world.lists()
    assert world.production is True
    world.sees(stop(uid="2"))
    world.sees(stop(uid="2", release=RELEASE), "MODIFIED")
    assert world.production is False


def test_a_released_stop_that_is_deleted_stays_lifted() -> None:
    """A deletion shows the last state, with its release in it."""
    world = World()
    world.lists(stop())
    world.sees(stop(release=RELEASE), "DELETED")
    assert world.production is False


def test_a_held_stop_that_no_longer_names_the_engine_goes_on_holding() -> None:
    """Nothing but a release lifts it, whatever else becomes of the object."""
    world = World()
    world.lists(stop())
    world.sees(stop(engines=["other"]), "MODIFIED")
    assert world.production is True


def test_each_object_is_told_of_once() -> None:
    """However often it is listed; an object of the same name is another one."""
    world = World()
    world.lists(stop())
    world.lists(stop())
    world.sees(stop(), "MODIFIED")
    world.sees(stop(uid="2"))
    assert world.told == [("applied", "halt")] * 2


@pytest.mark.parametrize("status", [401, 403, 404])
def test_a_server_that_will_not_tell_stops_real_money_at_once(status: int) -> None:
    """Until the next list."""
    world = World()
    world.lists()
    world.stops.failed(status)
    assert world.both == (None, False)
    world.lists()
    assert world.production is False


@pytest.mark.parametrize("status", [0, 408, 410, 429, 500, 503])
def test_a_hiccup_of_the_server_stops_nothing(status: int) -> None:
    """What the lease of the gate still allows goes on, as long as any lease could last, and no longer."""
    world = World()
    world.lists()
    world.clock.advance(SILENT_SECONDS - 1)
    world.stops.failed(status)
    assert world.production is False
    world.clock.advance(1)
    assert world.both == (None, False)
    world.stops.heard()
    assert world.production is False


def test_what_holds_is_never_unknown() -> None:
    """Silence and refusals lift nothing."""
    world = World()
    world.lists(stop())
    world.stops.failed(404)
    world.clock.advance(2 * SILENT_SECONDS)
    assert world.production is True
