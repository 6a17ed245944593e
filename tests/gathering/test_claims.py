"""Who claims an engine, and how long a list of them stands."""

import time
from typing import Any

from golive_operator.claims import Claim, Claims


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
    claims, began = Claims(cluster), time.monotonic()
    cluster.golives = [golive("perps"), golive("off", "Disabled")]
    assert await claims.read("trading", began) == (Claim("uid-perps", "perps", "perps-engine"),)
    cluster.golives.append(golive("rival"))
    assert [claim.name for claim in await claims.read("trading", began)] == ["perps"]
    heard = time.monotonic()
    assert [claim.name for claim in await claims.read("trading", heard)] == ["perps", "rival"]
    assert cluster.lists == 2


async def test_a_list_that_was_read_for_something_else_counts() -> None:
    """From when it was begun."""
    cluster: Any = Cluster()
    claims, began = Claims(cluster), time.monotonic()
    claims.learn("trading", began, [golive("perps")])
    assert [claim.name for claim in await claims.read("trading", began)] == ["perps"]
    assert cluster.lists == 0
