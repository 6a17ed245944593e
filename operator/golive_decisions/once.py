"""What follows from facts alone need not be worked out again and again during one decision."""

from collections.abc import Callable
from functools import wraps
from typing import TypeVar

from golive_decisions.facts import Facts

Answer = TypeVar("Answer")


def once(ask: Callable[[Facts], Answer]) -> Callable[[Facts], Answer]:
    """Remember the last answer for just these facts. They are frozen, so it could be no other."""
    last: tuple[Facts, Answer] | None = None

    @wraps(ask)
    def asked(facts: Facts) -> Answer:
        nonlocal last
        if last is None or last[0] is not facts:
            last = facts, ask(facts)
        return last[1]

    return asked
