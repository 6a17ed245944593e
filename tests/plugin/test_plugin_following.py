"""When engines count as stopped, judged from their Leases alone."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from golive_api.values import render_time
from kubectl_golive.following import Followed, Leases, Turn
from kubectl_golive.problems import Problem

SENT = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)


def lease(state: str, seconds: float, version: int = 1, *, holder: str = "pod-0") -> dict[str, Any]:
    """A Lease whose holder says since when it obeys which state."""
    annotations = {
        "golive.dev/state": state,
        "golive.dev/reason": "GateClosed",
        "golive.dev/acknowledgedTime": render_time(SENT + timedelta(seconds=seconds)),
    }
    return {
        "metadata": {"annotations": annotations, "resourceVersion": str(version)},
        "spec": {"holderIdentity": holder},
    }


def listed(**leases: dict[str, Any]) -> Leases:
    """Everything that there is."""
    return Leases(1.0, leases)


OPEN, SHUT = lease("Open", -9), lease("Closed", 0.2, 2)
OLD = lease("Closed", -60)

CASES: dict[str, tuple[tuple[str, ...], list[Any], bool]] = {
    "before anything was seen nobody has stopped": ((), [], False),
    "one change of one engine is not the whole namespace": ((), [Turn(1.0, "a", SHUT)], False),
    "no engine at all leaves nothing to wait for": ((), [listed()], True),
    "an open one has not": ((), [listed(a=OPEN)], False),
    "every one has to": ((), [listed(a=SHUT, b=OPEN)], False),
    "all have": ((), [listed(a=SHUT, b=SHUT)], True),
    "a Lease that nobody holds is nobody who trades": (
        (),
        [listed(a=lease("Open", -9, holder=""))],
        True,
    ),
    "an old Closed does not count before the engine has written again": (
        (),
        [listed(a=lease("Closed", -60))],
        False,
    ),
    "it counts afterwards": (
        (),
        [listed(a=lease("Closed", -60)), Turn(2.0, "a", lease("Closed", -60, 2))],
        True,
    ),
    "a change of an engine that was not asked for is none": (
        ("a",),
        [listed(a=OPEN), Turn(2.0, "b", SHUT)],
        False,
    ),
    "an engine that was asked for and has no Lease trades nothing": (("a",), [listed(b=OPEN)], True),
    "an engine that turns up later counts too": ((), [listed(a=SHUT), Turn(2.0, "b", OPEN)], False),
    "a Lease that is deleted has no pod": ((), [listed(a=OPEN), Turn(2.0, "a", {})], True),
    "one that is missing from a later list has none either": ((), [listed(a=OPEN), listed()], True),
}


@pytest.mark.parametrize(("asked", "news", "settled"), CASES.values(), ids=CASES)
def test_engines_have_stopped_when_each_says_so(
    asked: tuple[str, ...], news: list[Any], *, settled: bool
) -> None:
    """On doubt they have not."""
    followed = Followed(asked, 0.5, SENT)
    for piece in news:
        followed.take(piece)

    assert followed.settled == settled


def test_each_engine_is_told_on_a_line_of_its_own() -> None:
    """With the time from the request to its word, and by its own clock where it has one."""
    followed = Followed((), 0.5, SENT)
    followed.take(listed(a=SHUT, b=OLD, c=OPEN, d=lease("Open", -9, holder="")))
    followed.take(Turn(2.0, "b", lease("Closed", -60, 2)))

    assert list(followed.lines()) == [
        (
            "engine a: pod pod-0 obeys Closed (GateClosed), 500.0 ms after the request was sent; "
            "200.0 ms by the engine's clock"
        ),
        "engine b: pod pod-0 obeys Closed (GateClosed), seen 500.0 ms after the request was sent",
        "engine c: pod pod-0 has NOT said that it has stopped",
        "engine d: no pod holds its Lease, so none trades",
    ]


def test_who_may_not_look_is_told_so() -> None:
    """Blind is not stopped."""
    followed = Followed((), 0.5, SENT)
    followed.take(Problem("no rights"))

    assert not followed.settled
    assert list(followed.lines()) == ["engines can't be watched: no rights"]
