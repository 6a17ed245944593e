"""Rate limits of OKX: by sender and endpoint, in windows of two seconds."""

from __future__ import annotations

import asyncio
from typing import Any

import ccxt
import pytest

from golive_simulator.dialect.okx.limits import Meter


@pytest.fixture(scope="module")
def arguments() -> list[str]:
    """With rate limits."""
    return ["--paused"]


async def test_too_many_requests_are_refused(okx: Any) -> None:
    """429 and 50011; other endpoints are not concerned."""
    await okx.load_markets()

    answers = await asyncio.gather(*(okx.fetch_balance() for _ in range(40)), return_exceptions=True)

    refused = [answer for answer in answers if isinstance(answer, BaseException)]
    assert 0 < len(refused) <= 30
    assert {type(error) for error in refused} == {ccxt.RateLimitExceeded}
    assert await okx.fetch_ticker("BTC/USDT:USDT")


def test_a_window_counts_each_sender_and_each_path() -> None:
    """The third of two is one too many; the next window begins anew."""
    meter = Meter()
    counted = [meter.is_overrun("me", "/a", 2, 1_000) for _ in range(3)]

    assert counted == [False, False, True]
    assert not meter.is_overrun("you", "/a", 2, 1_000)
    assert not meter.is_overrun("me", "/b", 2, 1_000)
    assert not meter.is_overrun("me", "/a", 2, 2_000)


def test_without_limits_nothing_is_too_much() -> None:
    """What ``--unlimited`` asks for."""
    meter = Meter(is_limited=False)

    assert not any(meter.is_overrun("me", "/a", 1, 0) for _ in range(10))
