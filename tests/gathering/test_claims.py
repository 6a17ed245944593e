"""Who claims an engine, and how long a list of them stands."""

import asyncio
import gc
import time
from typing import Any

import pytest

from golive_operator.claims import Claim, Claims
from golive_operator.cluster import UnavailableError
from golive_operator.shared_reads import SharedReads


class Cluster:
    """Lists what is there, and counts."""

    def __init__(self) -> None:
        self.golives: list[dict[str, Any]] = []
        self.lists = 0

    async def list(self, path: str) -> list[dict[str, Any]]:
        """All there is."""
        assert path.endswith("/namespaces/trading/golives")
        self.lists += 1
        return self.golives


def golive(name: str, activation: str = "Enabled") -> dict[str, Any]:
    """A GoLive about one engine."""
    spec = {"activation": activation, "request": {"engineRef": {"name": "perps-engine"}}}
    return {"metadata": {"name": name, "uid": f"uid-{name}"}, "spec": spec}


async def test_claims_are_read_once_until_something_is_heard() -> None:
    """And then anew."""
    cluster: Any = Cluster()
    claims, began = Claims(SharedReads(cluster)), time.monotonic()
    cluster.golives = [golive("perps"), golive("off", "Disabled")]
    assert await claims.read("trading", began) == (Claim("uid-perps", "perps", "perps-engine"),)
    cluster.golives.append(golive("rival"))
    assert [claim.name for claim in await claims.read("trading", began)] == ["perps"]
    heard = time.monotonic()
    assert [claim.name for claim in await claims.read("trading", heard)] == ["perps", "rival"]
    assert cluster.lists == 2


async def test_neighbours_that_ask_at_the_same_time_share_one_list() -> None:
    """Whoever hears of something while it is on its way reads anew."""
    cluster: Any = Cluster()
    cluster.golives = [golive("perps")]
    claims, began = Claims(SharedReads(cluster)), time.monotonic()
    await asyncio.gather(*(claims.read("trading", began) for _ in range(3)))
    assert cluster.lists == 1
    one = asyncio.create_task(claims.read("trading", time.monotonic()))
    await asyncio.sleep(0)
    await asyncio.gather(one, claims.read("trading", time.monotonic()))
    assert cluster.lists == 3


async def test_a_list_that_nobody_waits_for_fails_in_silence(caplog: pytest.LogCaptureFixture) -> None:
    """Whoever asks for it later reads anew."""

    class Away:
        async def list(self, path: str) -> list[dict[str, Any]]:
            raise UnavailableError(path)

    away: Any = Away()
    shared = SharedReads(away)
    shared.begin("leases", time.monotonic())
    await asyncio.sleep(0.01)
    del shared
    gc.collect()
    assert [record.message for record in caplog.records if record.name == "asyncio"] == []
