"""Who calls, and whether they may: the API server's word for it, asked for with their own token."""

import asyncio
import hashlib
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from golive_api import GROUP
from golive_api.preflight_report import AUDIENCE, VERB
from golive_engine.clock import Clock
from golive_engine.cluster import Cluster, ClusterError

KNOWN_SECONDS = 10.0
"""How long an answer of the API server about a token is believed."""

MOST_KNOWN = 100
"""Tokens that are remembered, by their hashes; whoever sends more is asked about anew."""

AT_ONCE = 4
"""Tokens that are asked about at the same time."""

_log = logging.getLogger(__name__)


class CallerError(Exception):
    """A caller that is refused, with the HTTP status and the line that tells why."""

    def __init__(self, status: HTTPStatus, line: str) -> None:
        super().__init__(line)
        self.status = status


@dataclass(frozen=True, slots=True)
class _Known:
    """What was found about a token."""

    until: float
    refusal: CallerError | None


class Callers:
    """Lets in who may do preflight on this engine's GoLive.

    Args:
        cluster: The API server, None outside of a cluster: then nobody can be known.
        namespace: Where the engine's GoLive is.
        golive: Its name.
        clock: For how long answers are believed.
    """

    def __init__(self, cluster: Cluster | None, namespace: str, golive: str, clock: Clock) -> None:
        self._cluster = cluster
        self._golive = {"namespace": namespace, "name": golive}
        self._clock = clock
        self._known: dict[str, _Known] = {}
        self._free = asyncio.Semaphore(AT_ONCE)

    async def admit(self, authorization: str) -> None:
        """Return if the caller may do preflight here.

        Args:
            authorization: The header as it came.

        Raises:
            CallerError: Nobody knows who it is, or they may not, or the API server does not answer.
        """
        scheme, _, token = authorization.partition(" ")
        token = token.strip()
        if scheme.lower() != "bearer" or not token:
            raise CallerError(HTTPStatus.UNAUTHORIZED, f"a bearer token for audience {AUDIENCE} is needed")
        name = hashlib.sha256(token.encode()).hexdigest()
        known = self._known.get(name)
        if known is None or self._clock.monotonic() >= known.until:
            began = self._clock.monotonic()
            async with self._free:
                refusal = await self._refusal(token)
            known = _Known(began + KNOWN_SECONDS, refusal)
            self._remember(name, known)
        if known.refusal is not None:
            raise CallerError(known.refusal.status, str(known.refusal))

    async def _refusal(self, token: str) -> CallerError | None:
        """What speaks against a token, None for nothing; raises CallerError where that can't be found out."""
        if self._cluster is None:
            raise CallerError(HTTPStatus.SERVICE_UNAVAILABLE, "there is no API server to ask who calls")
        try:
            return await self._judge(self._cluster, token)
        except ClusterError as error:
            _log.warning(
                "caller not reviewed", extra={"status": error.status}
            )  # never its words: a token is near
            if error.status == HTTPStatus.FORBIDDEN:
                line = "this engine may not ask the API server who calls: bind it to system:auth-delegator"
            else:
                line = "the API server does not say who calls"
            raise CallerError(HTTPStatus.SERVICE_UNAVAILABLE, line) from None

    async def _judge(self, cluster: Cluster, token: str) -> CallerError | None:
        """Whose token it is, then what they may do."""
        found = await cluster.review_token(token, AUDIENCE)
        if found.get("authenticated") is not True or AUDIENCE not in (found.get("audiences") or ()):
            return CallerError(
                HTTPStatus.UNAUTHORIZED, f"the token is not one that is valid now for audience {AUDIENCE}"
            )
        user = found.get("user") or {}
        wanted = {"group": GROUP, "resource": "golives", "verb": VERB} | self._golive
        if await cluster.review_access(_subject(user) | {"resourceAttributes": wanted}):
            return None
        who, where = user.get("username", ""), self._golive["namespace"]
        return CallerError(
            HTTPStatus.FORBIDDEN,
            f"{who} may not {VERB} golives.{GROUP} {self._golive['name']} in namespace {where}",
        )

    def _remember(self, name: str, known: _Known) -> None:
        """Keep an answer for a moment, and forget the oldest ones."""
        self._known.pop(name, None)
        self._known[name] = known
        while len(self._known) > MOST_KNOWN:
            del self._known[next(iter(self._known))]


def _subject(user: Mapping[str, Any]) -> dict[str, Any]:
    """A user as TokenReview tells of one, in the words of SubjectAccessReview."""
    return {
        "user": user.get("username", ""),
        "uid": user.get("uid", ""),
        "groups": user.get("groups") or [],
        "extra": user.get("extra") or {},
    }
