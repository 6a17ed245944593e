"""Waiting for a condition with a deadline, instead of sleeping and hoping."""

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")

POLL_SECONDS = 0.05
"""Time between two looks at a condition."""


def eventually(
    condition: Callable[[], T | None], deadline_seconds: float = 10.0, *, poll_seconds: float = POLL_SECONDS
) -> T:
    """Return the first truthy value of `condition`.

    An exception from the condition counts as "not yet", and is the cause of the error in the end.

    Raises:
        TimeoutError: The condition was not met in time; names the last value seen.
    """
    ends = time.monotonic() + deadline_seconds
    while True:
        seen: T | None = None
        failure: Exception | None = None
        try:
            seen = condition()
        except Exception as error:  # noqa: BLE001 - whatever it raises, it is not met yet
            failure = error
        if seen:
            return seen
        if time.monotonic() >= ends:
            name = getattr(condition, "__qualname__", repr(condition))
            outcome = failure if failure is not None else seen
            raise TimeoutError(f"{name} not met in {deadline_seconds} s, last: {outcome!r}") from failure
        time.sleep(poll_seconds)
