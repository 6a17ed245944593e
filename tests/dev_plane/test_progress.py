"""A person sees what is being built and how long it is likely to take, on a terminal or in a log."""

import contextlib
import io
import os
import pty

import pytest

from golive_dev.progress import duration, to_stream


def _on_terminal() -> str:
    """Run one step with a terminal as the stream, and return what the terminal got."""
    ours, theirs = pty.openpty()
    with os.fdopen(ours, "rb", buffering=0) as screen:
        with os.fdopen(theirs, "w") as terminal, to_stream(terminal).step("building etcd", 75) as tick:
            tick()
        shown = b""
        with contextlib.suppress(OSError):  # how Linux says that nobody writes to a terminal any more
            while chunk := screen.read(65536):
                shown += chunk
    return shown.decode()


@pytest.mark.parametrize(
    ("seconds", "text"), [(0.4, "0 s"), (59, "59 s"), (60, "1 min 00 s"), (200, "3 min 20 s")]
)
def test_a_duration_reads_as_people_say_it(seconds: float, text: str) -> None:
    """Minutes appear only when there are any."""
    assert duration(seconds) == text


def test_a_log_gets_plain_lines() -> None:
    """Each line stands alone: what, how long it is likely to take, how long it took."""
    log = io.StringIO()
    with to_stream(log).step("building etcd", 75) as tick:
        tick()
    assert log.getvalue() == ("building etcd: started, takes about 1 min 15 s\nbuilding etcd: done in 0 s\n")


def test_a_terminal_gets_a_bar(monkeypatch: pytest.MonkeyPatch) -> None:
    """The bar's line names the step and its likely duration."""
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "120")
    shown = _on_terminal()
    assert "building etcd" in shown
    assert "of about 1 min 15 s" in shown
    assert "\x1b[" in shown


def test_no_color_asks_for_plain_lines_on_a_terminal_too(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who sets NO_COLOR gets no control sequences."""
    monkeypatch.setenv("NO_COLOR", "1")
    assert "\x1b[" not in _on_terminal()


def test_a_failed_step_is_not_told_as_done() -> None:
    """A step left by an exception has a start in the log, and no end."""
    log = io.StringIO()
    with pytest.raises(OSError, match=os.strerror(28)), to_stream(log).step("building etcd", 75):
        raise OSError(28, os.strerror(28))
    assert "done" not in log.getvalue()
