"""The two tests of the hand-run program about its marker file, in today's terms: the flag is a gate."""

import re
from collections.abc import Callable
from typing import Any

from golive_simulator.client import Admin

SKIPPED = re.compile(r"\[ORDER_SKIPPED\] (BUY|SELL) BTCUSDT qty=0\.001 - GO-LIVE not activated")

Start = Callable[..., Any]


async def test_execution_skips_order_when_flag_missing(
    start_engine: Start,
    settings: dict[str, Any],
    in_cluster: dict[str, str],
    until: Any,
    admin: Admin,
    api_key: str,
) -> None:
    """Without a gate each order of a production account is skipped with the line of old, and none is sent."""
    engine = start_engine(settings, **in_cluster)
    await until(lambda: engine.report().armed and engine.filled("paper") == 1)
    await until(lambda: any(map(SKIPPED.fullmatch, engine.messages())))
    account = await admin.account("production", api_key)
    assert account["counts"]["orders"] == 0


async def test_execution_allows_order_when_flag_exists(
    start_engine: Start,
    settings: dict[str, Any],
    gate: Any,
    in_cluster: dict[str, str],
    until: Any,
    admin: Admin,
    api_key: str,
) -> None:
    """With an open gate that is seen to be renewed the same order reaches the exchange, once."""
    gate.ttl_seconds = 60
    gate.write()
    engine = start_engine(settings, **in_cluster)
    await until(lambda: engine.report().armed)
    gate.write()
    await until(lambda: engine.filled("main") == 1)
    account = await admin.account("production", api_key)
    assert account["counts"]["orders"] == 1
