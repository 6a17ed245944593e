"""Items of the checklist that only the engine can see, by their ids."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import partial

from golive_api.ladder import LADDER
from golive_api.preflight_report import CheckResult, Finding
from golive_api.reasons import Reason
from golive_engine import riskgate
from golive_engine.account import Account
from golive_engine.error_log import ErrorLog
from golive_engine.preflight.findings import NotTriedError, tried, verdict
from golive_engine.preflight.seats import works
from golive_engine.seat import Seat
from golive_engine.settings import AccountSettings, Settings
from golive_engine.trading import Intent, Side

ITEM_SECONDS = 3.0
"""How long each item has."""

ERROR_HOURS = 24.0
"""How far back lines of errors count."""

RUNGS = ("micro", "low", "medium", "high", "aggressive")
"""Capital profiles that have to be there."""

LEAST_VENUES = 2
"""A failover needs somewhere to go."""

LOOKS, LOOK_SECONDS = 40, 0.05
"""How often, and how far apart, prices are looked at again before they count as missing or old."""

MICRO = "micro"
"""The profile that real money begins with."""


@dataclass(frozen=True, slots=True)
class Seen:
    """What the items are judged by."""

    settings: Settings
    """What the engine was told."""
    accounts: Sequence[Account]
    """Every account, as it stands."""
    exchange: Sequence[Finding]
    """What the venues have just answered."""
    gate_profile: str | None
    """Profile in the gate as it was last read, None without one."""
    errors: ErrorLog
    """Lines of errors."""
    now: float
    """Wall clock."""


async def checklist(seen: Seen) -> list[Finding]:
    """Every item."""
    return await asyncio.gather(
        *(tried(item, ITEM_SECONDS, partial(look, seen)) for item, look in LOOKS_AT.items())
    )


async def no_error_logs(seen: Seen, name: str) -> Finding:
    """No line of ERROR or above in a day, whichever process wrote it."""
    found = await asyncio.to_thread(seen.errors.since, seen.now - ERROR_HOURS * 3600)
    wrong = f"the last one of them: {found.last}" if found.lines else ""
    return verdict(name, wrong, errorLines=found.lines, hours=f"{ERROR_HOURS:g}")


async def profiles_loaded(_seen: Seen, name: str) -> Finding:
    """Every rung of the ladder is there."""
    missing = [rung for rung in RUNGS if rung not in LADDER]
    return verdict(name, f"missing: {', '.join(missing)}" if missing else "", profiles=len(LADDER))


async def account_mappings_valid(seen: Seen, name: str) -> Finding:
    """Every account's profile and strategies exist."""
    return verdict(name, "; ".join(_unmapped(seen.settings)), accounts=len(seen.settings.accounts))


async def failover_chain(seen: Seen, name: str) -> Finding:
    """Real money has somewhere to go when a venue fails."""
    short = [own.name for own in _of(seen, "production") if len(own.venues) < LEAST_VENUES]
    return verdict(name, f"fewer than {LEAST_VENUES} venues: {', '.join(short)}" if short else "")


async def credentials_testnet(seen: Seen, name: str) -> Finding:
    """Every testnet key has just read something, on each of its venues."""
    bad = [own.name for own in _of(seen, "testnet") if not works(seen.exchange, own.name)]
    return verdict(name, f"not every signed read was answered: {', '.join(bad)}" if bad else "")


async def market_data_stable(seen: Seen, name: str) -> Finding:
    """Every venue was read in its last turn, and tells a young price of each symbol."""
    found = _fresh(name, seen)
    for _ in range(LOOKS):  # while a turn reads a venue, what is known of it is not there for a moment
        if found.result is CheckResult.PASSED:
            break
        await asyncio.sleep(LOOK_SECONDS)
        found = _fresh(name, seen)
    return found


async def micro_enforced(seen: Seen, name: str) -> Finding:
    """Real money stays within micro, by its own profile or by the gate's."""
    wrong = [own.name for own in _of(seen, "production") if own.profile != MICRO]
    is_micro = not wrong or seen.gate_profile == MICRO
    sentence = f"neither the gate's profile nor their own is micro: {', '.join(wrong)}"
    return verdict(name, "" if is_micro else sentence, gateProfile=seen.gate_profile or "none")


async def riskgate_operational(seen: Seen, name: str) -> Finding:
    """The RiskGate judges an order that nobody wants: with a shut gate it has to say exactly that."""
    if not seen.accounts:
        raise NotTriedError("no account has been opened yet")
    account = seen.accounts[0]
    seat = account.seats[0]
    intent = Intent(seat.symbols[0], Side.BUY, Decimal(1), strategy=account.own.strategies[0])
    now = account.situation(seat)
    shut = riskgate.judge(intent, "preflight", replace(now, gate=None))
    answer = riskgate.judge(intent, "preflight", now)
    is_shut = shut is not None and shut.reason is Reason.GATE_MISSING
    wrong = "" if is_shut else "it lets an order pass a gate that is not there"
    said = answer.reason if answer is not None else Reason.ORDER_ALLOWED
    return verdict(name, wrong, checks=len(riskgate.CHECKS), answer=said)


LOOKS_AT: Mapping[str, Callable[[Seen, str], Awaitable[Finding]]] = {
    "no-error-logs": no_error_logs,
    "profiles-loaded": profiles_loaded,
    "account-mappings-valid": account_mappings_valid,
    "failover-chain": failover_chain,
    "credentials-testnet": credentials_testnet,
    "market-data-stable": market_data_stable,
    "micro-enforced": micro_enforced,
    "riskgate-operational": riskgate_operational,
}
"""How each item is looked at, by its id."""


def _of(seen: Seen, environment: str) -> list[AccountSettings]:
    """Accounts of one kind of money; without any, what is asked of them can't be tried."""
    found = [own for own in seen.settings.accounts if own.environment == environment]
    if not found:
        raise NotTriedError(f"there is no {environment} account")
    return found


def _unmapped(settings: Settings) -> list[str]:
    """Accounts that name a profile or a strategy that does not exist."""
    wrong = []
    for own in settings.accounts:
        if own.profile is not None and own.profile not in LADDER.keys() | settings.profiles.keys():
            wrong.append(f"{own.name}: no profile is called {own.profile}")
        if len(settings.strategies_of(own)) != len(own.strategies):
            wrong.append(f"{own.name}: a strategy does not exist")
    return wrong


def _fresh(name: str, seen: Seen) -> Finding:
    """Whether each seat was read in its last turn, with a price of each symbol that is young enough."""
    if not any(account.seats for account in seen.accounts):
        raise NotTriedError("no account has been opened yet")
    bound, wrong, oldest = seen.settings.staleness.price_seconds, list[str](), 0.0
    for account in seen.accounts:
        for seat in account.seats:
            problem, age = _staleness(seat, bound)
            oldest = max(oldest, age)
            if problem:
                wrong.append(f"{account.name}/{seat.name}: {problem}")
    return verdict(name, "; ".join(wrong), oldestSeconds=f"{oldest:.1f}", boundSeconds=f"{bound:g}")


def _staleness(seat: Seat, bound: float) -> tuple[str, float]:
    """What is wrong with a seat's prices, and the age of the oldest."""
    ages = seat.market.ages()
    oldest = max(ages.values(), default=0.0)
    missing = [symbol for symbol in seat.symbols if symbol not in ages]
    if seat.snapshot is None:
        return "it was not read in the last turn", oldest
    if missing:
        return f"no price of {', '.join(missing)}", oldest
    return ("a price is too old" if oldest > bound else ""), oldest
