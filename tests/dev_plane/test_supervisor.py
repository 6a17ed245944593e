"""The supervisor keeps its promises for any children, not just a control plane's."""

import os
import signal
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from golive_dev.children import Child, ChildError, Children
from golive_dev.linux import descendants, is_alive
from golive_dev.waiting import eventually

STUBBORN = """
import signal, time
signal.signal(signal.SIGTERM, signal.SIG_IGN); print("up", flush=True)
time.sleep(99)
"""
"""A program that does not end when asked to."""

TELLING = """
import pathlib, signal, sys, time
def end(*_):
    with pathlib.Path(sys.argv[1]).open("a") as out: out.write(sys.argv[2] + " ")
    sys.exit(0)
signal.signal(signal.SIGTERM, end); print("up", flush=True)
time.sleep(99)
"""
"""A program that writes its name to a file when it is asked to end."""

DAEMON = """
import os, sys, time
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        print(os.getpid(), flush=True); time.sleep(99)
    os._exit(0)
os.wait()
time.sleep(99)
"""
"""A program whose grandchild leaves its session, its group and its parent."""


@pytest.fixture
def children() -> Iterator[Children]:
    """Give a test a supervisor of its own."""
    with Children() as owned:
        yield owned


def _python(children: Children, name: str, code: str, *arguments: object, grace_seconds: float = 0.2) -> Child:
    """Run Python code as a child, and return when it has printed something."""
    (children.folder / f"{name}.log").unlink(missing_ok=True)
    argv = [sys.executable, "-c", code, *map(str, arguments)]
    child = children.spawn(name, argv, grace_seconds=grace_seconds)
    eventually(child.tail)
    return child


def test_children_stop_in_reverse_order_of_their_start(tmp_path: Path) -> None:
    """What was started first, others may depend on; it stops last, also after a restart."""
    order = tmp_path / "order"
    with Children() as children:
        for name in ("first", "second", "third"):
            _python(children, name, TELLING, order, name, grace_seconds=5)
        children.by_name["first"].kill()
        _python(children, "first", TELLING, order, "first", grace_seconds=5)
    assert order.read_text().split() == ["third", "second", "first"]


def test_a_daemonised_grandchild_is_killed_too() -> None:
    """Leaving session and parent does not save a descendant from ending with the owner."""
    with Children() as children:
        pid = int(_python(children, "daemon", DAEMON).tail())
        assert is_alive(pid)
    assert not is_alive(pid)


def test_a_child_that_ignores_sigterm_is_killed_after_its_grace(children: Children) -> None:
    """Stopping is bounded by the grace, whatever the child does."""
    child = _python(children, "stubborn", STUBBORN)
    child.stop()
    assert child.returncode == -signal.SIGKILL


def test_a_frozen_child_obeys_a_stop(children: Children, tmp_path: Path) -> None:
    """A test that froze a process can still end it in the orderly way."""
    child = _python(children, "frozen", TELLING, tmp_path / "told", "frozen", grace_seconds=5)
    child.signal(signal.SIGSTOP)
    child.stop()
    assert child.returncode == 0


def test_a_frozen_child_does_not_delay_the_end_for_ever() -> None:
    """A frozen child that ignores SIGTERM is gone after its grace, and so is everything else."""
    with Children() as children:
        child = _python(children, "stubborn", STUBBORN)
        child.signal(signal.SIGSTOP)
    assert not is_alive(child.pid)


def test_a_missing_program_is_an_error_and_not_a_dead_supervisor(children: Children) -> None:
    """The error names the program; the supervisor goes on serving."""
    with pytest.raises(ChildError, match="no-such-program"):
        children.spawn("missing", ["/no-such-program"])
    assert _python(children, "next", STUBBORN).returncode is None


def test_a_name_in_use_is_refused(children: Children) -> None:
    """Two running children never share a name, so a stop can't hit the wrong one."""
    _python(children, "one", STUBBORN)
    with pytest.raises(ChildError, match="running already"):
        children.spawn("one", ["true"])


def test_an_ended_child_does_not_speak_for_its_successor(children: Children) -> None:
    """A signal meant for a child that has ended never hits the one that took over its name."""
    ended = _python(children, "one", STUBBORN)
    ended.kill()
    successor = _python(children, "one", STUBBORN)
    with pytest.raises(ChildError, match="started anew"):
        ended.signal(signal.SIGKILL)
    assert successor.returncode is None


def test_the_exit_code_of_a_child_is_told(children: Children) -> None:
    """`wait` returns what the program returned."""
    assert children.spawn("three", [sys.executable, "-c", "raise SystemExit(3)"]).wait(10) == 3


def test_waiting_is_bounded(children: Children) -> None:
    """`wait` raises when the time is up, and the child goes on running."""
    child = _python(children, "stubborn", STUBBORN)
    with pytest.raises(TimeoutError):
        child.wait(0.1)
    assert child.returncode is None


def test_a_supervisor_killed_hard_takes_its_children_along() -> None:
    """Even when the supervisor has no chance to act, the kernel ends its children."""
    children = Children()
    child = _python(children, "stubborn", STUBBORN)
    supervisor = next(pid for pid in descendants(os.getpid()) if child.pid in descendants(pid))
    os.kill(supervisor, signal.SIGKILL)
    eventually(lambda: not is_alive(child.pid))
    with pytest.raises(ChildError, match="gone"):
        _ = child.returncode
    children.close()
    assert not children.folder.exists()


def test_an_interrupted_request_does_not_mix_up_answers(children: Children) -> None:
    """An answer whose asker was interrupted is dropped, not taken for the next one's."""
    child = _python(children, "stubborn", STUBBORN)
    children._socket.sendall(b'{"serial": -1, "operation": "hello"}\n')  # noqa: SLF001 - the interrupted asker
    assert child.returncode is None


def test_threads_may_ask_at_once(children: Children) -> None:
    """Requests from several threads each get their own answer."""
    codes: dict[int, int] = {}

    def run(code: int) -> None:
        codes[code] = children.spawn(f"child-{code}", ["sh", "-c", f"exit {code}"]).wait(20)

    threads = [threading.Thread(target=run, args=(code,)) for code in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert codes == {code: code for code in range(8)}
