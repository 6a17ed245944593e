import os
import signal
import time
from collections.abc import Callable
from typing import Any

from golive_dev.faults.rules import Fate, Moment, Rule
from golive_dev.waiting import eventually

FROZEN_SECONDS = 20.0
BUSY_SECONDS = 3.0
TTL_SECONDS = 15
"""As by default."""
LONG_TTL_SECONDS = 40
"""Longer than a busy machine takes to restart a server."""


def test_a_restarted_api_server_shuts_no_gate_that_outlasts_the_restart(
    faulty: Any, desk: Any, watched: Any, ask: Callable[..., Any]
) -> None:
    """Engine and operator take up their watches again, and renewals go on."""
    ask(LONG_TTL_SECONDS)
    watched.await_yes()
    began = time.time()
    faulty.plane.restart_apiserver()
    serial = desk.gate().serial
    eventually(lambda: desk.gate().serial > serial, 60)
    watched.await_yes()
    assert [no for no in watched.prober.noes if no[0] > began] == []
    assert watched.breaches(ttl_seconds=LONG_TTL_SECONDS) == []


def test_a_frozen_api_server_shuts_the_gate_and_only_a_new_look_opens_it(
    faulty: Any, watched: Any, ask: Callable[..., Any]
) -> None:
    """Nobody can renew, so it expires; when the server wakes a leader takes a new term and looks anew."""
    ask()
    watched.await_yes()
    pid, frozen = faulty.plane.processes["kube-apiserver"], time.monotonic()
    os.kill(pid, signal.SIGSTOP)
    try:
        last = watched.await_no()
        eventually(lambda: time.monotonic() > frozen + FROZEN_SECONDS, FROZEN_SECONDS + 5)
        assert watched.prober.yeses[-1].ended == last
    finally:
        os.kill(pid, signal.SIGCONT)
    watched.await_yes(60)
    assert watched.breaches() == []


def test_an_object_replaced_unseen_does_not_stay_open(
    faulty: Any, desk: Any, watched: Any, ask: Callable[..., Any]
) -> None:
    """Every watch hangs, history is compacted, the server restarts: 410, and a namesake without consent.

    kopf goes on holding the object that it never saw deleted; what it holds opens nothing.
    """
    opened = ask()
    watched.await_yes()
    with faulty.blind():
        desk.person("trader").call("DELETE", desk.path)
        desk.apply()
        faulty.plane.compact()
        faulty.plane.restart_apiserver()
    eventually(lambda: faulty.proxy.gone > 0, 60)
    record = desk.await_gate("Closed", "ApprovalsMissing", 60)
    assert record.uid == desk.read()["metadata"]["uid"] != opened.uid
    assert watched.breaches() == []


def test_a_deleted_object_s_gate_goes_with_it_though_nobody_saw_it_go(
    faulty: Any, desk: Any, watched: Any, ask: Callable[..., Any]
) -> None:
    """Deleted in the blind window: no order passes beyond the bound, and no ghost makes a gate again."""
    ask()
    watched.await_yes()
    with faulty.blind():
        desk.person("trader").call("DELETE", desk.path)
        watched.await_no()
        eventually(lambda: desk.gate() is None, 60)
        faulty.plane.compact()
    calls = len(faulty.proxy.calls)
    eventually(lambda: any(call.watches for call in faulty.proxy.calls[calls:]), 30)
    desk.apply()
    desk.await_gate("Closed", "ApprovalsMissing", 60)
    assert watched.breaches() == []


def test_a_busy_api_server_and_broken_watches_neither_shut_the_gate_nor_depose_the_leader(
    faulty: Any, desk: Any, watched: Any, ask: Callable[..., Any]
) -> None:
    """429 to everything for some seconds, then watches that are reset at every piece of news."""
    opened = ask(TTL_SECONDS)
    watched.await_yes()
    began = time.time()
    busy = Rule(Moment.BEFORE, Fate.REFUSE, watches=False)
    with faulty.proxy.rule(busy):
        eventually(lambda: time.time() > began + BUSY_SECONDS, BUSY_SECONDS + 5)
    reset = Rule(Moment.FLOWING, Fate.BREAK)
    with faulty.proxy.rule(reset):
        eventually(lambda: desk.gate().serial >= opened.serial + 2 and len(reset.hits) > 2, 40)
    assert len(busy.hits) > 5
    assert desk.gate().epoch == opened.epoch
    assert [no for no in watched.prober.noes if no[0] > began] == []
    assert watched.breaches(ttl_seconds=TTL_SECONDS) == []
