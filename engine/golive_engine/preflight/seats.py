"""Every account on each of its venues: does it answer, does it know us, may we trade, is there money."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from golive_api.engine_report import Breaker
from golive_api.preflight_report import CheckResult, Finding
from golive_engine.account import Account
from golive_engine.clock import Clock
from golive_engine.preflight.findings import NotTriedError, Probe, failed, passed, tried, verdict
from golive_engine.seat import Seat
from golive_engine.trading import Instrument, KeyRights, Snapshot, UnavailableError, Venue
from golive_engine.venues.verdicts import SaidNoError

SEAT_SECONDS = 6.0
"""How long a venue has to answer each question."""

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class _Reading:
    """A venue's clock beside ours."""

    skew_seconds: float
    """The venue's less ours, at the middle of the way there and back."""
    travel_seconds: float
    """How long the way took: twice what the skew may be wrong by."""


async def exchange(accounts: Sequence[Account], clock: Clock, skew_bound_seconds: float) -> list[Finding]:
    """Findings of every seat, side by side."""
    probes = [
        _SeatProbe(account, seat, clock, skew_bound_seconds) for account in accounts for seat in account.seats
    ]
    found = await asyncio.gather(*(probe.findings() for probe in probes))
    return [finding for findings in found for finding in findings]


class _SeatProbe:
    """Asks one venue what has to be known, each question once.

    It looks at the circuit breaker and leaves it as it is: what preflight hears must move no position to
    another venue, nor take the one trial of a venue that is out. While it is open, nothing is asked.
    """

    def __init__(self, account: Account, seat: Seat, clock: Clock, skew_bound_seconds: float) -> None:
        self._account = account
        self._seat = seat
        self._clock = clock
        self._skew_bound_seconds = skew_bound_seconds

    async def findings(self) -> list[Finding]:
        """One finding of each name."""
        venue = self._seat.venue.inner
        asked = _Asked(
            clock=asyncio.ensure_future(self._if_closed(lambda: self._read_clock(venue))),
            account=asyncio.ensure_future(self._if_closed(venue.snapshot)),
            rights=asyncio.ensure_future(self._if_closed(venue.rights)),
            instruments=asyncio.ensure_future(self._if_closed(venue.instruments)),
        )
        try:
            return await asyncio.gather(
                *(
                    tried(f"{self._account.name}/{self._seat.name}/{name}", SEAT_SECONDS, probe)
                    for name, probe in self._probes(asked).items()
                )
            )
        finally:
            await asked.end()

    def _probes(self, asked: "_Asked") -> dict[str, Probe]:
        """What each finding is made of."""

        async def time(name: str) -> Finding:
            reading = await _answer(asked.clock)
            return passed(name, travelSeconds=f"{reading.travel_seconds:.3f}")

        async def clock_skew(name: str) -> Finding:
            return self._judge_skew(name, await _answer(asked.clock))

        async def credentials(name: str) -> Finding:
            await _answer(asked.account)
            return passed(name, "a signed request was answered")

        async def permissions(name: str) -> Finding:
            return _judge_rights(name, await _answer(asked.rights), self._account.own.environment)

        async def markets(name: str) -> Finding:
            return self._judge_markets(name, await _answer(asked.instruments))

        async def balance(name: str) -> Finding:
            equity = (await _answer(asked.account)).equity
            return verdict(name, "" if equity > 0 else "there is no money", equity=equity)

        return {
            "time": _refusable(time),
            "clock-skew": _refusable(clock_skew),
            "credentials": _refusable(credentials),
            "permissions": _refusable(permissions),
            "markets": _refusable(markets),
            "balance": _refusable(balance),
        }

    async def _if_closed(self, question: Callable[[], Awaitable[_T]]) -> _T:
        """Ask, unless the breaker is open."""
        if self._seat.venue.state is not Breaker.CLOSED:
            raise NotTriedError("the venue's circuit breaker is open: it is not asked")
        return await question()

    async def _read_clock(self, venue: Venue) -> _Reading:
        """Ask for the time; the answer was made somewhere between question and arrival."""
        asked, wall = self._clock.monotonic(), self._clock.wall()
        theirs = await venue.server_time()
        travelled = self._clock.monotonic() - asked
        return _Reading(theirs - (wall + travelled / 2), travelled)

    def _judge_skew(self, name: str, reading: _Reading) -> Finding:
        """Whether the clocks agree."""
        bound = self._skew_bound_seconds
        wrong = f"the clocks differ by more than {bound:g} s" if abs(reading.skew_seconds) > bound else ""
        return verdict(name, wrong, clockSkewSeconds=f"{reading.skew_seconds:.3f}", boundSeconds=f"{bound:g}")

    def _judge_markets(self, name: str, listed: dict[str, Instrument]) -> Finding:
        """Whether everything that is traded can be."""
        missing = [symbol for symbol in self._seat.symbols if symbol not in listed]
        wrong = f"not listed, or not trading: {', '.join(missing)}" if missing else ""
        return verdict(name, wrong, symbols=len(self._seat.symbols), missing=len(missing))


@dataclass(frozen=True, slots=True)
class _Asked:
    """Questions under way; several findings may wait for one answer."""

    clock: "asyncio.Future[_Reading]"
    account: "asyncio.Future[Snapshot]"
    rights: "asyncio.Future[KeyRights]"
    instruments: "asyncio.Future[dict[str, Instrument]]"

    async def end(self) -> None:
        """Let none of them outlive the run."""
        questions = (self.clock, self.account, self.rights, self.instruments)
        for question in questions:
            question.cancel()
        await asyncio.gather(*questions, return_exceptions=True)


async def _answer(question: "asyncio.Future[_T]") -> _T:
    """Wait for an answer; whoever no longer waits does not end the question for the others."""
    return await asyncio.shield(question)


def _refusable(probe: Probe) -> Probe:
    """A probe whose venue may say no: that was tried, and is a failure; no answer at all is none."""

    async def asking(name: str) -> Finding:
        try:
            return await probe(name)
        except SaidNoError as refusal:
            return failed(name, str(refusal))
        except UnavailableError as silence:
            raise NotTriedError(str(silence)) from silence

    return asking


def _judge_rights(name: str, rights: KeyRights, environment: str) -> Finding:
    """Whether the key may trade, and may not withdraw. With real money, both have to be told."""
    told = {"trade": _word(rights.trade), "withdraw": _word(rights.withdraw)}
    wrong = []
    if rights.trade is False:
        wrong.append("the key may not trade")
    if rights.withdraw is True:
        wrong.append("the key may withdraw, which a trading key must not")
    if wrong:
        return failed(name, "; ".join(wrong), **told)
    silent = [right for right, word in told.items() if word == "untold"]
    if silent and environment == "production":
        raise NotTriedError(f"the venue does not tell whether the key may {' or '.join(silent)}")
    good = {"the key may trade": rights.trade is True, "it may not withdraw": rights.withdraw is False}
    seen = [sentence for sentence, is_seen in good.items() if is_seen]
    seen += [f"whether it may {right} this exchange does not tell" for right in silent]
    return passed(name, "; ".join(seen), **told)


def _word(right: bool | None) -> str:  # noqa: FBT001  # a fact, not a switch
    """One right as people read it."""
    return "untold" if right is None else "yes" if right else "no"


def works(findings: Sequence[Finding], account: str) -> bool:
    """Whether each signed read of an account was answered, and there was one."""
    own = [
        finding
        for finding in findings
        if finding.name.startswith(f"{account}/") and finding.name.endswith("/credentials")
    ]
    return bool(own) and all(finding.result is CheckResult.PASSED for finding in own)
