"""A GoLive as somebody asks for it, and how to wait for what has no event."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

Until = Callable[[Callable[[], object]], Awaitable[None]]


@pytest.fixture
def asked() -> dict[str, Any]:
    """Give a GoLive without a status."""
    return {
        "metadata": {"namespace": "trading", "name": "perps", "uid": "u", "generation": 1},
        "spec": {
            "activation": "Enabled",
            "request": {"engineRef": {"name": "engine"}, "accounts": ["main"]},
            "revision": 4,
            "requestedBy": "trader",
        },
    }


@pytest.fixture
def until() -> Until:
    """Give a function that lets others go on until something is so."""

    async def wait(condition: Callable[[], object]) -> None:
        async with asyncio.timeout(20):
            while not condition():  # noqa: ASYNC110  # what is waited for has no event
                await asyncio.sleep(0.005)

    return wait
