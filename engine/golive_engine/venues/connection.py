"""One account's connection to one venue through ccxt as it is: signed, paced, and every failure judged.

Requests are the venue's own, by the names that ccxt gives them, so that nothing is rounded, renamed or read
on the way: one call is one request.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, Literal, TypeVar

from golive_engine.settings import VenueSettings
from golive_engine.trading import Execution, Permit, UnavailableError, WithheldError
from golive_engine.transport import guarded, open_session
from golive_engine.venues.hold_off import HoldOff
from golive_engine.venues.verdicts import Codes, SaidNoError, order_error, read_error, wait_seconds

Environment = Literal["testnet", "production"]
"""Which money."""

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Credentials:
    """What proves to a venue who is asking."""

    key: str
    """API key."""
    secret: str = field(repr=False)
    """Signs requests."""
    passphrase: str | None = field(default=None, repr=False)
    """OKX wants it besides."""


class Connection:
    """Sends one account's requests to one venue.

    Args:
        library: The venue's class in ccxt.
        credentials: Whose account.
        settings: How to reach the venue.
        codes: What its codes mean.
    """

    def __init__(
        self, library: Callable[[Any], Any], credentials: Credentials, settings: VenueSettings, codes: Codes
    ) -> None:
        config: dict[str, Any] = {
            "apiKey": credentials.key,
            "secret": credentials.secret,
            "password": credentials.passphrase,
            "timeout": int(settings.timeout_seconds * 1000),
            "options": {"recvWindow": settings.recv_window_ms, "maxRetriesOnFailure": 0},
        }
        if settings.rate_limit_ms is not None:
            config |= {"rateLimit": settings.rate_limit_ms, "enableRateLimit": settings.rate_limit_ms > 0}
        self.ccxt: Any = library(config)
        self._session = open_session(settings.ca_file, settings.resolve, self.ccxt.cafile)
        self.ccxt.session, self.ccxt.own_session = self._session, False
        self._codes = codes
        self._hold_off = HoldOff()
        self._preparing = asyncio.Lock()
        self._is_prepared = False

    async def prepare(self, work: Callable[[], Awaitable[None]]) -> None:
        """Do what comes before anything else: once, however many ask for it, and again if it failed."""
        async with self._preparing:
            if not self._is_prepared:
                await work()
                self._is_prepared = True

    async def read(self, request: str, shape: Callable[[Any], _T], parameters: object = None) -> _T:
        """Send a request that creates no order; whatever goes wrong becomes UnavailableError.

        Args:
            request: ccxt's name of it.
            shape: Makes sense of the answer.
            parameters: What to send with it.
        """
        with guarded(self._stay_away) as attempt:
            try:
                self._stay_away()
                return shape(await self._ask(request, parameters))
            except Exception as error:
                self._heed(wait_seconds(attempt, self._codes))
                raise read_error(error, attempt, self._codes) from error

    async def settle(self, request: str, parameters: object, done: frozenset[int] = frozenset()) -> None:
        """Send a request that changes something; certain codes say that there was nothing left to do."""

        def complete(answer: Any) -> None:
            if self._codes.read(answer):
                raise ValueError("refused in part")

        try:
            await self.read(request, complete, parameters)
        except SaidNoError as error:
            if not done.issuperset(error.codes):
                raise

    async def order(
        self,
        request: str,
        shape: Callable[[Any], Execution],
        parameters: object,
        client_order_id: str,
        permit: Permit,
    ) -> Execution:
        """Send one order, once; an answer about another one is no answer.

        Raises:
            WithheldError: The permit was refused; nothing was sent.
            RefusedError: There is no such order.
            OutcomeUnknownError: Perhaps there is.
        """

        def last_look() -> None:
            self._stay_away()
            if (reason := permit()) is not None:
                raise WithheldError(reason)

        with guarded(last_look, is_order=True) as attempt:
            try:
                self._stay_away()
                return _about(client_order_id, shape(await self._ask(request, parameters)))
            except WithheldError:
                raise
            except Exception as error:
                self._heed(wait_seconds(attempt, self._codes))
                raise order_error(error, attempt, self._codes) from error

    async def close(self) -> None:
        """Let go of the session."""
        self.ccxt.timeout_on_exit = 0
        await self.ccxt.close()
        await self._session.close()

    def _ask(self, request: str, parameters: object) -> Awaitable[Any]:
        """One request."""
        answer: Awaitable[Any] = getattr(self.ccxt, request)({} if parameters is None else parameters)
        return answer

    def _stay_away(self) -> None:
        """Raise while the venue wants no requests; a venue that is asked all the same bans us for longer."""
        left = self._hold_off.left(asyncio.get_running_loop().time())
        if left > 0:
            raise UnavailableError(f"the venue wants no request for {left:.1f} s", retry_after=left)

    def _heed(self, seconds: float | None) -> None:
        """Leave the venue alone for as long as it asks."""
        if seconds is not None:
            self._hold_off.extend(asyncio.get_running_loop().time(), seconds)


def _about(client_order_id: str, execution: Execution) -> Execution:
    """An execution of this very order; raises ValueError for any other."""
    if execution.client_order_id != client_order_id:
        raise ValueError(f"answered about {execution.client_order_id!r}")
    return execution
