"""Whom an event wakes."""

import pytest

from golive_operator.engines import closed_seconds, relied_on_seconds
from golive_operator.interests import Interest, Interests

PERPS, SPOT, NEW = ("trading", "perps"), ("trading", "spot"), ("trading", "new")


@pytest.fixture
def interests() -> Interests:
    """Give two objects that were looked at."""
    found = Interests()
    found.know(PERPS, Interest("perps-engine", (("app", "perps"),), frozenset({"settings"})))
    found.know(SPOT, Interest("spot-engine", (("app", "spot"), ("tier", "real")), frozenset()))
    return found


def test_an_event_wakes_whom_it_concerns(interests: Interests) -> None:
    """A Deployment or Lease by name, a pod by its labels, a ConfigMap by who mounts it."""
    assert set(interests.of_engine("trading", "perps-engine")) == {PERPS}
    assert set(interests.of_pod("trading", {"app": "spot", "tier": "real", "x": "y"})) == {SPOT}
    assert set(interests.of_config_map("trading", "settings")) == {PERPS}


def test_an_event_wakes_nobody_whom_it_can_not_concern(interests: Interests) -> None:
    """Neither a stranger's, nor a namesake's of another namespace."""
    assert set(interests.of_engine("trading", "other")) == set()
    assert set(interests.of_engine("elsewhere", "perps-engine")) == set()
    assert set(interests.of_pod("trading", {"app": "spot"})) == set()
    assert set(interests.of_config_map("trading", "other")) == set()


def test_what_has_not_been_looked_at_is_concerned_by_everything(interests: Interests) -> None:
    """Nobody knows yet what it depends on."""
    interests.expect(NEW)
    assert NEW in set(interests.of_engine("trading", "other"))
    assert NEW in set(interests.of_pod("trading", {}))
    assert NEW in set(interests.of_config_map("trading", "other"))


def test_an_engine_without_a_selector_is_concerned_by_every_pod(interests: Interests) -> None:
    """Its Deployment may be about to appear, or may select in a way that is not followed."""
    interests.know(NEW, Interest("new-engine"))
    assert NEW in set(interests.of_pod("trading", {"app": "any"}))


def test_an_object_that_is_gone_is_not_woken(interests: Interests) -> None:
    """Nor is anything kept of it."""
    interests.forget(PERPS)
    interests.forget(PERPS)
    assert set(interests.of_engine("trading", "perps-engine")) == set()


@pytest.mark.parametrize(
    ("objects", "seconds"), [(1, 3), (60, 3), (200, 10), (1000, 50), (100_000, 60)], ids=str
)
def test_what_an_engine_is_may_be_relied_on_longer_the_more_there_are(objects: int, seconds: float) -> None:
    """So that the work stays the same; never longer than a minute."""
    assert relied_on_seconds(objects) == pytest.approx(seconds)


@pytest.mark.parametrize(("objects", "seconds"), [(1, 0.1), (1000, 100), (100_000, 120)], ids=str)
def test_closed_gates_are_looked_at_less_often_the_more_there_are(objects: int, seconds: float) -> None:
    """At most ten looks a second for their own sake; with few, the usual period is longer than this."""
    assert closed_seconds(objects) == pytest.approx(seconds)
