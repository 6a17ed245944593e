"""What a person sees of a run: a row for each scenario as it ends, and under it what was looked at."""

import os
from collections.abc import Sequence
from typing import TextIO

from golive_engine.stress.names import SCENARIOS
from golive_engine.stress.outcome import Outcome
from golive_engine.stress.scenario import Scenario

_COLOURS = {"passed": "32", "failed": "31", "error": "33"}
_DIM, _BOLD = "2", "1"
_NAME = max(map(len, SCENARIOS))
_PROMISE = 53
_INDENT = " " * 10


class Table:
    """Writes rows; in colour to a terminal, unless NO_COLOR is set.

    Args:
        stream: Where to.
        title: What the scenarios run with.
    """

    def __init__(self, stream: TextIO, title: str) -> None:
        self._stream = stream
        self._is_terminal = stream.isatty()
        self._is_coloured = self._is_terminal and not os.environ.get("NO_COLOR")
        self._line(self._painted(f"stress scenarios, {title}", _BOLD))

    def begin(self, scenario: Scenario, number: int, total: int) -> None:
        """Show what is running now; only a terminal can take it back."""
        if self._is_terminal:
            self._stream.write(f"\r{'running':8}  {scenario.name:{_NAME}}  {number} of {total}")
            self._stream.flush()

    def end(self, scenario: Scenario, outcome: Outcome) -> None:
        """Show how it ended."""
        if self._is_terminal:
            self._stream.write("\r\x1b[K")
        result = self._painted(f"{outcome.result:8}", _COLOURS[outcome.result])
        name, seconds = f"{scenario.name:{_NAME}}", f"{outcome.seconds:5.1f} s"
        self._line(f"{result}  {self._painted(name, _BOLD)}  {seconds}  {scenario.description}")
        last = len(outcome.findings) if outcome.result == "failed" else 0
        for number, finding in enumerate(outcome.findings, 1):
            mark, colour = ("-", "failed") if number == last else ("+", "passed")
            told = f"{finding.promise:{_PROMISE}}  {self._painted(finding.seen, _DIM)}"
            self._line(f"{_INDENT}{self._painted(mark, _COLOURS[colour])} {told}")
        if outcome.reason:
            self._line(f"{_INDENT}{self._painted(outcome.reason, _COLOURS[outcome.result])}")

    def foot(self, outcomes: Sequence[Outcome]) -> None:
        """Sum up."""
        passed = sum(outcome.result == "passed" for outcome in outcomes)
        seconds = sum(outcome.seconds for outcome in outcomes)
        colour = _COLOURS["passed" if passed == len(outcomes) else "failed"]
        words = f"{passed} of {len(outcomes)} scenarios passed in {seconds:.1f} s"
        self._line(self._painted(words, colour))

    def _painted(self, text: str, colour: str) -> str:
        """Text in colour, if there is any."""
        return f"\x1b[{colour}m{text}\x1b[0m" if self._is_coloured else text

    def _line(self, text: str) -> None:
        """One line, at once."""
        self._stream.write(f"{text}\n")
        self._stream.flush()
