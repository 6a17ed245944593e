"""What a watch tells of our own writes, before and after they are answered."""

from typing import Any

import pytest

from golive_operator.own_writes import KEPT_VERSIONS, Echoes, Gates


def written(version: str, uid: str = "u") -> dict[str, Any]:
    """An object as the API server returns it."""
    return {"metadata": {"uid": uid, "resourceVersion": version}}


@pytest.fixture
def woken() -> list[str]:
    """Collect who was woken."""
    return []


def test_an_own_write_wakes_nobody_also_when_a_later_one_is_known(woken: list[str]) -> None:
    """A watch may be a few writes behind."""
    echoes = Echoes()
    for version in range(KEPT_VERSIONS):
        echoes.expect(written(str(version)))
    for version in range(KEPT_VERSIONS):
        echoes.heard(written(str(version))["metadata"], lambda: woken.append("own"))
    assert woken == []


def test_anybody_elses_write_wakes(woken: list[str]) -> None:
    """Whatever was not written here has to be looked at."""
    echoes = Echoes()
    echoes.expect(written("1"))
    echoes.heard(written("2")["metadata"], lambda: woken.append("other"))
    echoes.heard(written("1", uid="twin")["metadata"], lambda: woken.append("twin"))
    assert woken == ["other", "twin"]


def test_what_is_heard_while_writing_is_judged_when_the_write_is_answered(woken: list[str]) -> None:
    """The watch is often faster than the answer: its word for our own write must not cost a look."""
    echoes = Echoes()
    with echoes.writing("u"):
        echoes.heard(written("7")["metadata"], lambda: woken.append("own"))
        echoes.heard(written("8")["metadata"], lambda: woken.append("other"))
        before = list(woken)
        echoes.expect(written("7"))
    assert before == []
    assert woken == ["other"]


def test_a_write_that_failed_hides_nothing(woken: list[str]) -> None:
    """Whoever changed the object meanwhile is why it failed."""
    echoes = Echoes()

    def write() -> None:
        with echoes.writing("u"):
            echoes.heard(written("8")["metadata"], lambda: woken.append("other"))
            raise RuntimeError("409")

    with pytest.raises(RuntimeError):
        write()
    assert woken == ["other"]


def test_a_gate_is_remembered_until_something_is_heard_of_it() -> None:
    """Then it is read anew, as after a refused write, and after a while in any case."""
    gates, never = Gates(), float("-inf")
    gates.remember("trading", "perps", written("1"))
    assert gates.last("trading", "perps", heard=never, oldest=never) == written("1")
    assert gates.last("trading", "perps", heard=float("inf"), oldest=never) is None
    assert gates.last("trading", "perps", heard=never, oldest=float("inf")) is None
    assert gates.last("trading", "other", heard=never, oldest=never) is None
    gates.forget("trading", "perps")
    assert gates.last("trading", "perps", heard=never, oldest=never) is None


@pytest.mark.parametrize(("state", "is_left_open"), [("Open", True), ("ReduceOnly", True), ("Closed", False)])
def test_a_gate_counts_as_open_as_our_last_write_has_left_it(state: str, *, is_left_open: bool) -> None:
    """And as shut where nothing was written."""
    gates = Gates()
    assert not gates.left_open("trading", "perps")
    gates.remember("trading", "perps", written("1") | {"data": {"state": state}})
    assert gates.left_open("trading", "perps") is is_left_open
