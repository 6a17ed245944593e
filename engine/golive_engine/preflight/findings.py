"""Findings: what was tried, by whom it is waited for, and what a failure to try becomes."""

import asyncio
from collections.abc import Awaitable, Callable
from decimal import Decimal

from golive_api.preflight_report import CheckResult, Finding

MOST_TEXT = 500
"""Characters of a message that are told."""

Probe = Callable[[str], Awaitable[Finding]]
"""Tries something; given the finding's name."""


class NotTriedError(Exception):
    """Something was not tried, and the message says why: no pass, and no failure either."""


def passed(name: str, message: str = "", **values: object) -> Finding:
    """It was tried, and is as it should be."""
    return _finding(name, CheckResult.PASSED, message, values)


def failed(name: str, message: str, **values: object) -> Finding:
    """It was tried, and something is wrong."""
    return _finding(name, CheckResult.FAILED, message, values)


def verdict(name: str, wrong: str, right: str = "", **values: object) -> Finding:
    """Passed if nothing is wrong, else Failed with what is."""
    return failed(name, wrong, **values) if wrong else passed(name, right, **values)


def error(name: str, message: str) -> Finding:
    """It could not be tried, or not in time."""
    return _finding(name, CheckResult.ERROR, message, {})


async def tried(name: str, seconds: float, probe: Probe) -> Finding:
    """What a probe finds; whatever it raises, and no answer in time, is an Error."""
    try:
        async with asyncio.timeout(seconds):
            return await probe(name)
    except TimeoutError:
        return error(name, f"not done within {seconds:g} s")
    except NotTriedError as why:
        return error(name, str(why))
    except Exception as problem:  # noqa: BLE001  # a finding of its own, whatever it is
        return error(name, f"{type(problem).__name__}: {problem}")


def _finding(name: str, result: CheckResult, message: str, values: dict[str, object]) -> Finding:
    """Everything as text."""
    return Finding(
        name=name,
        result=result,
        message=message[:MOST_TEXT],
        values={
            key: f"{value:f}" if isinstance(value, Decimal) else str(value) for key, value in values.items()
        },
    )
