"""What all parts of the admin API share: how questions are read and answered, and what they are about."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from aiohttp import web
from pydantic import BaseModel, ConfigDict

if TYPE_CHECKING:
    from golive_simulator.venue import Venue

VENUE: web.AppKey[Venue] = web.AppKey("venue")
"""The venue that is looked at."""


class Question(BaseModel):
    """A body of the admin API; unknown fields are refused."""

    model_config = ConfigDict(extra="forbid", use_attribute_docstrings=True)


class UnknownError(LookupError):
    """A question names something that there is not; its text says what."""


def said(value: Any, status: int = 200) -> web.Response:
    """An answer in JSON; decimals as texts."""
    return web.json_response(value, status=status, dumps=lambda what: json.dumps(what, default=str))
