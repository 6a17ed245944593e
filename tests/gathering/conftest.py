"""A GoLive as somebody asks for it."""

from typing import Any

import pytest


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
